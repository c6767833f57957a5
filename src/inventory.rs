//! From files to objects: scan, split, parse, classify, and parse what a reference needs.
//!
//! Speed is won before the parser. One pass reads the files and looks for words of interest; only documents that hold
//! one are parsed. Of every other document only the hash of its name is kept, so that it can be found and parsed when
//! an object names it.

use crate::diagnostic::{Skipped, Summary};
use crate::kinds::{self, Object, ObjectId};
use crate::source::{self, Encoding, FileId, Files, Met, SourceFile, Span, Undecoded, WalkOptions};
use crate::yaml::{self, ParseError, Part};
use rayon::prelude::*;
use regex::bytes::{Regex, RegexBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

/// Documents larger than this are not parsed: a tree takes several times the text.
const LARGEST_DOCUMENT: usize = 16 << 20;

/// Everything that the inputs hold.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The files that objects stand in.
    pub files: Files,
    /// The objects, by file and place.
    pub objects: Vec<Object>,
    /// Inputs that were not read.
    pub skipped: Vec<Skipped>,
    /// Comments of the documents that were parsed.
    pub comments: Vec<Comment>,
    /// What was seen.
    pub summary: Summary,
}

/// A comment of an input file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// Its bytes from `#` to the end of the line, without the line break.
    pub span: Span,
    /// 0-based index of the document that it stands in.
    pub document: u32,
}

/// An input that does not come from the file system: standard input, or the unsaved text of an editor.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The path that it is shown as and that it takes the place of.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Words of which one stands in every document that matters: API groups, GPU resources, engines, metrics. None is
/// shorter than three bytes, so that each can be found by a vector scan.
const WORDS: &[&str] = &[
    "karpenter",
    "eks.amazonaws.com",
    "run.ai",
    "kai.scheduler",
    "kai-scheduler",
    "HorizontalPodAutoscaler",
    "keda.sh",
    "leaderworkerset",
    ".x-k8s.io",
    "kubeflow.org",
    "ray.io/",
    "nvidia.com/",
    "nvcr.io",
    "grove.io",
    "aibrix.ai",
    "volcano",
    "serving.kserve.io",
    "serving.knative.dev",
    "kubeai.org",
    "kaito.sh",
    "vllm",
    "monitoring.coreos.com",
    "monitoring.googleapis.com",
    "victoriametrics.com",
    "seriesQuery",
    "sglang",
    "text-generation",
    "tensor",
    "trtllm",
    "triton",
    "lmdeploy",
    "DCGM",
    "dcgm",
    "amd.com/gpu",
    "habana.ai",
    "gpu.intel.com",
    "resourceClaims",
    "scheduling.k8s.io",
    "scheduling.sigs.k8s.io",
    "datadoghq.com",
    "integreatly.org",
    "grafana.app",
    "perses.dev",
    "monitoring.cnrm",
    "metrics.aws",
    "llm-d",
    "num-shard",
    "NUM_SHARD",
    "tp-size",
    "TP_SIZE",
    "kyverno.io",
    "gpulint",
    "huawei.com/Ascend",
    "yunikorn",
    "batchScheduler",
    "schedulerProvider",
    // Dashboards and alerts may speak of nothing but metrics.
    "kai_",
    "podgroups_",
    "kueue_",
    "dynamo_",
    "llm_d_",
    "inference_",
    "tgi_",
    "nv_trt",
    "num_requests_",
    "first_token",
    "ttft",
    "cache_usage_perc",
    "kube_pod_created",
    "kube_pod_status_unschedulable",
    "kube_pod_status_scheduled",
    "scheduler_p",
    "scheduler_unschedulable",
    "cluster_autoscaler_",
    "operator_nodeclaim",
    "webhook_configs",
    "webhookConfigs",
];

/// The words as alternations of literals, which the regex engine turns into vector scans. It does so only for a few
/// dozen words at a time, and several fast passes over a file that is in the cache beat one slow one.
static INTEREST: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const AT_A_TIME: usize = 32;
    let pattern = |words: &[&str]| words.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
    // Literals always compile.
    WORDS
        .chunks(AT_A_TIME)
        .filter_map(|words| RegexBuilder::new(&pattern(words)).unicode(false).build().ok())
        .collect()
});

/// True where a text holds a word of interest.
fn is_of_interest(bytes: &[u8]) -> bool {
    INTEREST.iter().any(|regex| regex.is_match(bytes))
}

/// True for a document that is parsed whether or not something names it: it holds a word of interest. Definitions of
/// APIs, which describe every field in prose, hold many such words and say nothing of a cluster.
fn is_wanted(text: &str) -> bool {
    is_of_interest(text.as_bytes()) && !is_definition(text)
}

fn is_definition(text: &str) -> bool {
    const LINE: &str = "kind: CustomResourceDefinition";
    let at = memchr::memmem::find(text.as_bytes(), LINE.as_bytes());
    at.is_some_and(|at| {
        text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(['\n', '\r']))
    })
}

/// A file whose text is kept, before it is parsed.
struct Kept {
    shown: String,
    text: Arc<str>,
    encoding: Encoding,
    outline: Outline,
}

/// What is known of the documents of a file before any is parsed.
#[derive(Default)]
struct Outline {
    documents: u64,
    wanted: Vec<Part>,
    plain: Vec<Plain>,
}

impl Outline {
    /// `holds_interest` is false where the whole text is known to hold no word of interest.
    fn of(text: &str, holds_interest: bool) -> Outline {
        let parts = yaml::split(text);
        let mut outline = Outline { documents: parts.len() as u64, ..Outline::default() };
        for part in parts {
            let body = text.get(part.range.clone()).unwrap_or("");
            if holds_interest && is_wanted(body) {
                outline.wanted.push(part);
            } else if let Some(name) = object_name(body) {
                outline.plain.push(Plain::new(name, &part));
            }
        }
        outline
    }
}

/// A document that is not wanted for itself.
#[derive(Clone, Copy)]
struct Plain {
    name: u64,
    /// Index of its file in [`Index`].
    file: u32,
    start: u32,
    end: u32,
    document: u32,
}

impl Plain {
    fn new(name: &str, part: &Part) -> Plain {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, end) = (offset(part.range.start), offset(part.range.end));
        Plain { name: hash(name), file: 0, start, end, document: part.index }
    }
}

/// Where the text of a plain document is.
enum Origin {
    /// In a file that was not kept.
    Path(PathBuf, String),
    /// In a file whose text is kept.
    File(FileId),
}

/// What the walk gathers.
#[derive(Default)]
struct Gathered {
    kept: Vec<Kept>,
    index: Index,
    skipped: Vec<Skipped>,
    files: u64,
    documents: u64,
}

impl Gathered {
    fn take(&mut self, path: &Path, shown: String, sorted: Sorted) {
        match sorted {
            Sorted::Kept(text, encoding, outline) => {
                self.kept.push(Kept { shown, text, encoding, outline });
            }
            Sorted::Plain(outline) => {
                self.files += 1;
                self.documents += outline.documents;
                if !outline.plain.is_empty() {
                    self.index.add(Origin::Path(path.to_owned(), shown), outline.plain);
                }
            }
            Sorted::Skipped(error, place) => self.skipped.push(undecoded(&error, place, shown)),
        }
    }
}

/// Reads the inputs.
///
/// `files` may hold files that reports point into besides the inputs, such as the configuration.
pub fn read(options: &WalkOptions<'_>, overlays: &[Overlay], files: Files) -> Inventory {
    let gathered = gather(options, overlays);
    let mut index = gathered.index;
    let mut inventory = Inventory { files, skipped: gathered.skipped, ..Inventory::default() };
    inventory.summary.files = gathered.files;
    inventory.summary.documents = gathered.documents;
    let mut jobs = Vec::new();
    for file in gathered.kept {
        let id = inventory.files.add(SourceFile::new(file.shown, file.text.clone(), file.encoding));
        inventory.summary.files += 1;
        inventory.summary.documents += file.outline.documents;
        index.add(Origin::File(id), file.outline.plain);
        jobs.extend(file.outline.wanted.into_iter().map(|part| (id, file.text.clone(), part)));
    }
    let parsed: Vec<Parsed> =
        jobs.into_par_iter().map(|(id, text, part)| parse_part(id, text, &part)).collect();
    for document in parsed {
        inventory.add(document);
    }
    index.sort();
    inventory.parse_on_demand(&index);
    inventory.skipped.sort_by(|a, b| (&a.file, a.place, &a.reason).cmp(&(&b.file, b.place, &b.reason)));
    inventory.skipped.dedup();
    for (at, object) in inventory.objects.iter_mut().enumerate() {
        object.id = ObjectId(u32::try_from(at).unwrap_or(u32::MAX));
    }
    for object in inventory.objects.iter().filter(|o| o.modelled) {
        *inventory.summary.objects.entry(object.kind.clone()).or_default() += 1;
    }
    inventory
}

fn gather(options: &WalkOptions<'_>, overlays: &[Overlay]) -> Gathered {
    let gathered = Mutex::new(Gathered::default());
    // A panic in a thread that holds the lock ends the run anyway; its data stays usable.
    let lock = || gathered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let covered: BTreeSet<&str> = overlays.iter().map(|o| o.path.as_str()).collect();
    source::walk(options, &|met| match met {
        Met::Skipped { shown, reason, broken } => {
            lock().skipped.push(Skipped { file: shown, place: None, reason, broken });
        }
        Met::File { shown, .. } if covered.contains(shown.as_str()) => {}
        Met::File { path, shown, bytes } => {
            // Everything that takes time happens outside the lock.
            let sorted = sort_out(bytes);
            lock().take(path, shown, sorted);
        }
    });
    let mut gathered = gathered.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for overlay in overlays {
        let sorted = match source::decode(&overlay.bytes) {
            Ok((text, encoding)) => {
                let outline = Outline::of(&text, true);
                Sorted::Kept(text, encoding, outline)
            }
            Err(error) => Sorted::undecoded(error, &overlay.bytes),
        };
        gathered.take(Path::new(""), overlay.path.clone(), sorted);
    }
    // The walk meets files in any order; from here on everything follows the paths.
    gathered.kept.sort_by(|a, b| a.shown.cmp(&b.shown));
    gathered
}

/// What the bytes of one file turn out to be.
enum Sorted {
    Kept(Arc<str>, Encoding, Outline),
    Plain(Outline),
    Skipped(Undecoded, Option<(u32, u32)>),
}

impl Sorted {
    fn undecoded(error: Undecoded, bytes: &[u8]) -> Sorted {
        let place = match error {
            Undecoded::Binary => None,
            Undecoded::NotUtf8(at) => {
                let before = bytes.get(..at).unwrap_or(&[]);
                let line = memchr::memchr_iter(b'\n', before).count() as u32 + 1;
                let start = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
                let line_text = String::from_utf8_lossy(before.get(start..).unwrap_or(&[]));
                Some((line, line_text.chars().count() as u32 + 1))
            }
        };
        Sorted::Skipped(error, place)
    }
}

/// Looks at the bytes of a file, and copies them only where they are to be kept.
fn sort_out(bytes: &[u8]) -> Sorted {
    if !source::is_utf16(bytes) && !is_of_interest(bytes) {
        // A file that is not text is said so even without a word of interest: nobody would look for manifests in it.
        return match source::utf8(bytes) {
            Ok(text) => Sorted::Plain(Outline::of(text, false)),
            Err(error) => Sorted::undecoded(error, bytes),
        };
    }
    match source::decode(bytes) {
        Ok((text, encoding)) => {
            let outline = Outline::of(&text, true);
            if outline.wanted.is_empty() {
                Sorted::Plain(outline)
            } else {
                Sorted::Kept(text, encoding, outline)
            }
        }
        Err(error) => Sorted::undecoded(error, bytes),
    }
}

fn undecoded(error: &Undecoded, place: Option<(u32, u32)>, file: String) -> Skipped {
    let reason = match error {
        Undecoded::Binary => "binary, not text",
        Undecoded::NotUtf8(_) => "not UTF-8: save the file as UTF-8 to have it linted",
    };
    Skipped { file, place, reason: reason.to_owned(), broken: true }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The name of an object, by its lines: the first `name:` under a `metadata:` at the left margin. Other spellings are
/// not found, and what names them stays unresolved.
fn object_name(text: &str) -> Option<&str> {
    const KEY: &str = "metadata:";
    let mut starts = memchr::memmem::find_iter(text.as_bytes(), KEY.as_bytes());
    let at = starts
        .find(|at| text.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with('\n')))?;
    let lines = text.get(at + KEY.len()..)?.lines().skip(1);
    let inside = lines.take_while(|l| l.starts_with(' ') || l.trim().is_empty());
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut first = None;
    for line in inside.filter(|l| !l.trim().is_empty()) {
        let expected = *first.get_or_insert(indent(line));
        if indent(line) == expected
            && let Some(value) = line.trim().strip_prefix("name:")
        {
            let value = value.split(" #").next().unwrap_or("").trim();
            return Some(value.trim_matches(['"', '\'']));
        }
    }
    None
}

/// What became of one document.
struct Parsed {
    file: FileId,
    document: u32,
    text: Arc<str>,
    result: Result<(Vec<Object>, Vec<Span>), Unparsed>,
}

/// Why a document has no tree.
enum Unparsed {
    TooLarge,
    Error(ParseError),
}

fn parse_part(file: FileId, text: Arc<str>, part: &Part) -> Parsed {
    let result = if part.range.len() > LARGEST_DOCUMENT {
        Err(Unparsed::TooLarge)
    } else {
        let tree = yaml::parse(file, &text, part.range.clone()).map_err(Unparsed::Error);
        tree.map(|tree| {
            let comments = tree.comments().to_vec();
            (kinds::classify(&Arc::new(tree), file, part.index), comments)
        })
    };
    Parsed { file, document: part.index, text, result }
}

impl Inventory {
    fn add(&mut self, parsed: Parsed) {
        let document = parsed.document;
        match parsed.result {
            Ok((objects, comments)) => {
                self.objects.extend(objects);
                self.comments.extend(comments.into_iter().map(|span| Comment { span, document }));
            }
            Err(Unparsed::TooLarge) => self.skipped.push(Skipped {
                file: self.files.path(parsed.file).to_owned(),
                place: None,
                reason: format!("document {document} is larger than {} MiB", LARGEST_DOCUMENT >> 20),
                broken: false,
            }),
            Err(Unparsed::Error(error)) => {
                let skipped = self.unparsed(&parsed.text, parsed.file, document, &error);
                self.skipped.push(skipped);
            }
        }
    }

    fn unparsed(&self, text: &str, file: FileId, document: u32, error: &ParseError) -> Skipped {
        let place = self.files.get(file).map(|f| f.line_column(error.span.start));
        let template = text.contains("{{") || text.contains("{%") || text.contains("<%");
        let reason = if template {
            format!(
                "document {document} is a template ({}): render it and lint the result, for example `helm template . | gpulint -`",
                error.message
            )
        } else {
            format!("document {document} is not valid YAML: {}", error.message)
        };
        let path = self.files.path(file).to_owned();
        // JSON with comments is common in settings of editors and compilers, which nobody meant to be linted.
        let settings = path.ends_with(".json") && !text.contains("apiVersion");
        let place = place.map(|p| (p.line, p.column));
        Skipped { file: path, place, reason, broken: !template && !settings }
    }

    /// Parses the plain documents that objects name, round by round: a document that is parsed may name others.
    fn parse_on_demand(&mut self, index: &Index) {
        const ROUNDS: usize = 3;
        let mut seen = 0;
        let mut asked = BTreeSet::new();
        let mut opened: BTreeMap<u32, FileId> = BTreeMap::new();
        for _ in 0..ROUNDS {
            let fresh = self.objects.get(seen..).unwrap_or(&[]);
            let names: BTreeSet<String> =
                fresh.iter().flat_map(kinds::named_by).filter(|name| asked.insert(name.clone())).collect();
            seen = self.objects.len();
            let wanted = index.find(&names);
            if wanted.is_empty() {
                break;
            }
            for plain in wanted {
                self.open(plain, index, &mut opened);
            }
        }
        self.objects.sort_by(|a, b| {
            let key = |o: &Object| (self.files.path(o.file).to_owned(), o.document, o.root().span().start);
            key(a).cmp(&key(b))
        });
    }

    fn open(&mut self, plain: Plain, index: &Index, opened: &mut BTreeMap<u32, FileId>) {
        let id = match (opened.get(&plain.file), index.origins.get(plain.file as usize)) {
            (Some(id), _) | (None, Some(Origin::File(id))) => *id,
            (None, Some(Origin::Path(path, shown))) => {
                // The file was readable a moment ago; if it is gone now, what names it stays unresolved.
                let Some((text, encoding)) =
                    source::read_again(path).ok().and_then(|b| source::decode(&b).ok())
                else {
                    return;
                };
                let id = self.files.add(SourceFile::new(shown.clone(), text, encoding));
                opened.insert(plain.file, id);
                id
            }
            (None, None) => return,
        };
        let Some(text) = self.files.get(id).map(|f| f.text.clone()) else { return };
        let range = plain.start as usize..plain.end as usize;
        let parsed = parse_part(id, text, &Part { range, index: plain.document });
        self.add(parsed);
    }
}

/// The names of the plain documents.
#[derive(Default)]
struct Index {
    plain: Vec<Plain>,
    origins: Vec<Origin>,
}

impl Index {
    fn add(&mut self, origin: Origin, plain: Vec<Plain>) {
        let file = u32::try_from(self.origins.len()).unwrap_or(u32::MAX);
        self.origins.push(origin);
        self.plain.extend(plain.into_iter().map(|plain| Plain { file, ..plain }));
    }

    fn sort(&mut self) {
        self.plain.sort_unstable_by_key(|p| (p.name, p.file, p.start));
    }

    /// The documents with one of these names, in order of path.
    fn find(&self, names: &BTreeSet<String>) -> Vec<Plain> {
        let mut found = Vec::new();
        for name in names.iter().map(|name| hash(name)) {
            let start = self.plain.partition_point(|p| p.name < name);
            let same = self.plain.get(start..).unwrap_or(&[]).iter().take_while(|p| p.name == name);
            found.extend(same.copied());
        }
        found.sort_by(|a, b| self.place(a).cmp(&self.place(b)));
        found.dedup_by_key(|p| (p.file, p.start));
        found
    }

    /// Kept files are numbered by path, so within them the number is the order.
    fn place<'i>(&'i self, plain: &Plain) -> (&'i str, u32, u32) {
        match self.origins.get(plain.file as usize) {
            Some(Origin::Path(_, shown)) => (shown, 0, plain.start),
            Some(Origin::File(id)) => ("", id.0, plain.start),
            None => ("", u32::MAX, plain.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups that stand in every cluster. Of these only what holds a word of interest, or is named, is parsed.
    const EVERYWHERE: &[&str] = &[
        "",
        "apps",
        "batch",
        "autoscaling",
        "admissionregistration.k8s.io",
        "mutations.gatekeeper.sh",
        "grafana.integreatly.org",
        "integreatly.org",
    ];

    #[test]
    fn every_kind_is_found() {
        for kind in kinds::KINDS.iter().filter(|kind| !EVERYWHERE.contains(&kind.group)) {
            let api = format!("apiVersion: {}/v1", kind.group);
            assert!(is_of_interest(api.as_bytes()), "no word of interest is in {api}");
        }
        assert!(is_of_interest(b"kind: HorizontalPodAutoscaler"));
        for word in WORDS {
            assert!(word.len() >= 3 && is_of_interest(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn documents_are_sorted_out() {
        #[track_caller]
        fn check(text: &str, documents: u64, wanted: &[u32], named: &[u32]) {
            let outline = Outline::of(text, true);
            let found: Vec<u32> = outline.wanted.iter().map(|part| part.index).collect();
            let plain: Vec<u32> = outline.plain.iter().map(|plain| plain.document).collect();
            assert_eq!((outline.documents, &found[..], &plain[..]), (documents, wanted, named), "{text:?}");
        }
        check("", 0, &[], &[]);
        check("# vllm\n", 0, &[], &[]);
        check("a: vllm\n", 1, &[0], &[]);
        check("a: 1\n", 1, &[], &[]);
        check("kind: Service\nmetadata:\n  name: web\n", 1, &[], &[0]);
        check("a: vllm\n---\nkind: Service\nmetadata:\n  name: web\n---\nb: DCGM_X\n", 3, &[0, 2], &[1]);
        let definition =
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: vllm\n";
        check(definition, 1, &[], &[0]);
        check("metadata: {name: vllm}\nnot: |\n  kind: CustomResourceDefinition\n", 1, &[0], &[]);
    }

    #[test]
    fn names_are_read_from_lines() {
        #[track_caller]
        fn check(text: &str, expect: Option<&str>) {
            assert_eq!(object_name(text), expect, "{text:?}");
        }
        check("metadata:\n  name: web\n", Some("web"));
        check("kind: X\nmetadata:\n  labels:\n    name: no\n  name: \"web\" # here\nspec:\n", Some("web"));
        check("kind: X\r\nmetadata:\r\n  name: web\r\n", Some("web"));
        check("metadata:\n\n    name: 'web'\n", Some("web"));
        check("spec:\n  metadata:\n    name: no\n", None);
        check("metadata: {name: web}\n", None);
        check("metadata:\nname: no\n", None);
        check("a: metadata:\nmetadata:\n  name: web\n", Some("web"));
    }
}
