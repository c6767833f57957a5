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
use std::path::PathBuf;
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

/// Words of which one stands in every document that matters: API groups, GPU resources, engines, metrics.
///
/// They are matched as one alternation of literals, which the regex engine turns into a vector scan.
static INTEREST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const WORDS: &[&str] = &[
        "karpenter",
        "eks.amazonaws.com",
        "run.ai",
        "kai.scheduler",
        "kai-scheduler",
        "HorizontalPodAutoscaler",
        "keda.sh",
        "leaderworkerset",
        "disaggregatedset",
        "jobset.x-k8s.io",
        "kubeflow.org",
        "ray.io/",
        "nvidia.com/",
        "nvcr.io",
        "grove.io",
        "aibrix.ai",
        "volcano",
        "workloads.x-k8s.io",
        "serving.k",
        "kubeai.org",
        "kaito.sh",
        "vllm",
        "kueue.x-k8s.io",
        "monitoring.",
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
        "scheduling.",
        "datadoghq.com",
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
        "inference_pool",
        "inference_extension",
        "inference_objective",
        "tgi_",
        "nv_inference",
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
    let pattern = WORDS.iter().map(|word| regex::escape(word)).collect::<Vec<_>>().join("|");
    RegexBuilder::new(&pattern).unicode(false).build().ok()
});

/// True where a text holds a word of interest.
fn is_of_interest(bytes: &[u8]) -> bool {
    // The pattern is made of literals and always compiles; without it everything would be parsed, slowly but rightly.
    INTEREST.as_ref().is_none_or(|regex| regex.is_match(bytes))
}

/// A file that holds a word of interest, before it is parsed.
struct Interesting {
    shown: String,
    text: Arc<str>,
    encoding: Encoding,
}

/// A document without a word of interest.
#[derive(Clone, Copy)]
struct Plain {
    name: u64,
    file: u32,
    start: u32,
    end: u32,
    document: u32,
}

/// What the walk gathers.
#[derive(Default)]
struct Gathered {
    interesting: Vec<Interesting>,
    plain_files: Vec<(PathBuf, String)>,
    plain: Vec<Plain>,
    skipped: Vec<Skipped>,
    files: u64,
    documents: u64,
}

/// Reads the inputs.
///
/// `files` may hold files that reports point into besides the inputs, such as the configuration.
pub fn read(options: &WalkOptions<'_>, overlays: &[Overlay], files: Files) -> Inventory {
    let gathered = gather(options, overlays);
    let mut inventory = Inventory { files, skipped: gathered.skipped, ..Inventory::default() };
    inventory.summary.files = gathered.files;
    inventory.summary.documents = gathered.documents;
    let mut jobs = Vec::new();
    for file in gathered.interesting {
        let source = SourceFile::new(file.shown, file.text.clone(), file.encoding);
        let id = inventory.files.add(source);
        jobs.push((id, file.text));
    }
    let parsed: Vec<Vec<Parsed>> = jobs.par_iter().map(|(id, text)| parse_file(*id, text)).collect();
    for ((_, text), parsed) in jobs.iter().zip(parsed) {
        inventory.summary.documents += yaml::split(text).len() as u64;
        for document in parsed {
            inventory.add(document);
        }
    }
    let index = Index::new(gathered.plain, gathered.plain_files);
    inventory.parse_on_demand(index);
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
        Met::File { path, shown, bytes } => match sort_out(bytes, &shown) {
            Sorted::Interesting(text, encoding) => {
                let mut gathered = lock();
                gathered.files += 1;
                gathered.interesting.push(Interesting { shown, text, encoding });
            }
            Sorted::Plain(documents, names) => {
                let mut gathered = lock();
                gathered.files += 1;
                gathered.documents += documents;
                if !names.is_empty() {
                    let file = gathered.plain_files.len() as u32;
                    gathered.plain_files.push((path.to_owned(), shown));
                    gathered.plain.extend(names.into_iter().map(|plain| Plain { file, ..plain }));
                }
            }
            Sorted::Skipped(skipped) => lock().skipped.push(skipped),
        },
    });
    let mut gathered = gathered.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for overlay in overlays {
        gathered.files += 1;
        match source::decode(&overlay.bytes) {
            Ok((text, encoding)) => {
                gathered.interesting.push(Interesting { shown: overlay.path.clone(), text, encoding });
            }
            Err(error) => gathered.skipped.push(undecoded(&error, &overlay.bytes, &overlay.path)),
        }
    }
    // The walk meets files in any order; from here on everything follows the paths.
    gathered.interesting.sort_by(|a, b| a.shown.cmp(&b.shown));
    gathered.interesting.dedup_by(|a, b| a.shown == b.shown);
    gathered
}

enum Sorted {
    Interesting(Arc<str>, Encoding),
    Plain(u64, Vec<Plain>),
    Skipped(Skipped),
}

fn sort_out(bytes: &[u8], shown: &str) -> Sorted {
    let utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    if !utf16 && !is_of_interest(bytes) {
        return plain_documents(bytes, shown);
    }
    match source::decode(bytes) {
        Ok((text, encoding)) if !utf16 || is_of_interest(text.as_bytes()) => {
            Sorted::Interesting(text, encoding)
        }
        Ok((text, _)) => Sorted::Plain(yaml::split(&text).len() as u64, vec![]),
        Err(error) => Sorted::Skipped(undecoded(&error, bytes, shown)),
    }
}

fn undecoded(error: &Undecoded, bytes: &[u8], shown: &str) -> Skipped {
    let (place, reason) = match error {
        Undecoded::Binary => (None, "binary, not text".to_owned()),
        Undecoded::NotUtf8(at) => {
            let before = bytes.get(..*at).unwrap_or(&[]);
            let line = memchr::memchr_iter(b'\n', before).count() as u32 + 1;
            let start = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
            let column =
                String::from_utf8_lossy(before.get(start..).unwrap_or(&[])).chars().count() as u32 + 1;
            (Some((line, column)), "not UTF-8: save the file as UTF-8 to have it linted".to_owned())
        }
    };
    Skipped { file: shown.to_owned(), place, reason, broken: true }
}

/// Counts the documents of a file without a word of interest and keeps the names of its objects. A file that is not
/// text is said so even then, since nobody would look for manifests in it.
fn plain_documents(bytes: &[u8], shown: &str) -> Sorted {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text,
        Ok(_) => return Sorted::Skipped(undecoded(&Undecoded::Binary, bytes, shown)),
        Err(_) => match source::decode(bytes) {
            Err(error) => return Sorted::Skipped(undecoded(&error, bytes, shown)),
            Ok(_) => return Sorted::Plain(1, vec![]),
        },
    };
    if memchr::memmem::find(bytes, b"\n---").is_none() {
        let name = object_name(text).map(|name| plain(name, 0..text.len(), 0));
        let empty = text.trim_start().is_empty();
        return Sorted::Plain(u64::from(!empty), name.into_iter().collect());
    }
    let parts = yaml::split(text);
    let names = parts
        .iter()
        .filter_map(|part| {
            Some(plain(object_name(text.get(part.range.clone())?)?, part.range.clone(), part.index))
        })
        .collect();
    Sorted::Plain(parts.len() as u64, names)
}

fn plain(name: &str, range: std::ops::Range<usize>, document: u32) -> Plain {
    let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Plain { name: hash(name), file: 0, start: offset(range.start), end: offset(range.end), document }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The name of an object, by its lines: the first `name:` under a `metadata:` at the left margin. Other spellings are
/// not found, and what names them stays unresolved.
fn object_name(text: &str) -> Option<&str> {
    let at = if text.starts_with("metadata:") { 0 } else { text.find("\nmetadata:")? + 1 };
    let lines = text.get(at..)?.lines().skip(1);
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
    result: Result<(Vec<Object>, Vec<Span>), ParseError>,
}

fn parse_file(file: FileId, text: &Arc<str>) -> Vec<Parsed> {
    let parts = yaml::split(text);
    let wanted = parts
        .into_iter()
        .filter(|part| text.get(part.range.clone()).is_some_and(|part| is_of_interest(part.as_bytes())));
    wanted.map(|part| parse_part(file, text, &part)).collect()
}

fn parse_part(file: FileId, text: &Arc<str>, part: &Part) -> Parsed {
    let result = if part.range.len() > LARGEST_DOCUMENT {
        let span = Span::new(file, part.range.start, part.range.start);
        Err(ParseError { span, message: format!("document larger than {} MiB", LARGEST_DOCUMENT >> 20) })
    } else {
        yaml::parse(file, text, part.range.clone()).map(|tree| {
            let comments = tree.comments().to_vec();
            (kinds::classify(&Arc::new(tree), file, part.index), comments)
        })
    };
    Parsed { file, document: part.index, text: text.clone(), result }
}

impl Inventory {
    fn add(&mut self, parsed: Parsed) {
        match parsed.result {
            Ok((objects, comments)) => {
                self.objects.extend(objects);
                let document = parsed.document;
                self.comments.extend(comments.into_iter().map(|span| Comment { span, document }));
            }
            Err(error) => {
                let skipped = self.unparsed(&parsed.text, parsed.file, parsed.document, &error);
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
        Skipped {
            file: self.files.path(file).to_owned(),
            place: place.map(|p| (p.line, p.column)),
            reason,
            broken: !template,
        }
    }

    /// Parses the plain documents that objects name, round by round: a document that is parsed may name others.
    fn parse_on_demand(&mut self, index: Index) {
        const ROUNDS: usize = 3;
        let mut seen = 0;
        let mut asked = BTreeSet::new();
        let mut opened: BTreeMap<u32, FileId> = BTreeMap::new();
        let mut index = index;
        for _ in 0..ROUNDS {
            let fresh = self.objects.get(seen..).unwrap_or(&[]);
            let names: BTreeSet<String> =
                fresh.iter().flat_map(kinds::named_by).filter(|name| asked.insert(name.clone())).collect();
            seen = self.objects.len();
            let wanted = index.take(&names);
            if wanted.is_empty() {
                break;
            }
            for plain in wanted {
                self.open(plain, &index, &mut opened);
            }
        }
        self.objects.sort_by(|a, b| {
            let key = |o: &Object| (self.files.path(o.file).to_owned(), o.document, o.root().span().start);
            key(a).cmp(&key(b))
        });
    }

    fn open(&mut self, plain: Plain, index: &Index, opened: &mut BTreeMap<u32, FileId>) {
        let id = match opened.get(&plain.file) {
            Some(id) => *id,
            None => {
                let Some((path, shown)) = index.files.get(plain.file as usize) else { return };
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
        };
        let Some(text) = self.files.get(id).map(|f| f.text.clone()) else { return };
        let range = plain.start as usize..plain.end as usize;
        let parsed = parse_part(id, &text, &Part { range, index: plain.document });
        self.add(parsed);
    }
}

/// The names of the plain documents.
struct Index {
    plain: Vec<Plain>,
    files: Vec<(PathBuf, String)>,
}

impl Index {
    fn new(mut plain: Vec<Plain>, files: Vec<(PathBuf, String)>) -> Index {
        plain.sort_by_key(|p| (p.name, p.file, p.start));
        Index { plain, files }
    }

    /// The documents with one of these names, which are not given again, in order of path.
    fn take(&mut self, names: &BTreeSet<String>) -> Vec<Plain> {
        let mut found = Vec::new();
        for name in names.iter().map(|name| hash(name)) {
            let start = self.plain.partition_point(|p| p.name < name);
            let same = self.plain.get(start..).unwrap_or(&[]).iter().take_while(|p| p.name == name);
            found.extend(same.copied());
        }
        found.sort_by(|a, b| {
            let key = |p: &Plain| (self.files.get(p.file as usize).map(|(_, shown)| shown.clone()), p.start);
            key(a).cmp(&key(b))
        });
        found.dedup_by_key(|p| (p.file, p.start));
        found
    }
}
