//! Inputs that break programs: each has to end fast, with a notice or findings, and never hide its neighbours.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod support;

use gpulint::diagnostic::Report;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use support::{assert_sound, lint_paths, lint_texts};

/// How long any input here may take in a debug build.
const LONGEST: Duration = Duration::from_secs(10);

/// A manifest with exactly one finding, to see that the neighbours of a hard input are still linted.
const NEIGHBOUR: &str = "\
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: neighbour
spec:
  disruption:
    consolidationPolicy: WhenEmptyOrUnderutilized
    consolidateAfter: 1h
  template:
    metadata:
      labels: {nvidia.com/gpu.product: H100}
    spec:
      taints:
        - {key: nvidia.com/gpu, effect: NoSchedule}
      requirements:
        - {key: node.kubernetes.io/instance-type, operator: In, values: [p5.48xlarge]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
";

/// Lints a hard text beside a good one. Returns what the report says of the hard one, `skipped` lines first.
#[track_caller]
fn beside(name: &str, hard: &[u8]) -> Vec<String> {
    let start = Instant::now();
    let report = lint_texts(&[("a/hard.yaml", hard), ("b/neighbour.yaml", NEIGHBOUR.as_bytes())]);
    finish(name, start, &report)
}

#[track_caller]
fn finish(name: &str, start: Instant, report: &Report) -> Vec<String> {
    let took = start.elapsed();
    assert!(took < LONGEST, "{name}: took {took:?}");
    assert_sound(report, name);
    let at = |d: &gpulint::diagnostic::Diagnostic| report.files.path(d.span.file).to_owned();
    let neighbour: Vec<&str> =
        report.diagnostics.iter().filter(|d| at(d).ends_with("neighbour.yaml")).map(|d| d.rule).collect();
    assert!(
        neighbour.contains(&"gpu-pool-consolidation"),
        "{name}: the neighbour is not linted: {neighbour:?}"
    );
    let mut found: Vec<String> = report.skipped.iter().map(|s| format!("skipped: {}", s.reason)).collect();
    found.extend(
        report
            .diagnostics
            .iter()
            .filter(|d| !at(d).ends_with("neighbour.yaml"))
            .map(|d| format!("{}: {}", d.rule, d.message)),
    );
    found
}

/// The hard text is passed over with a notice that holds `reason`.
#[track_caller]
fn skipped(name: &str, hard: &[u8], reason: &str) {
    let found = beside(name, hard);
    assert!(
        found.iter().any(|line| line.starts_with("skipped: ") && line.contains(reason)),
        "{name}: expected a notice with {reason:?}, found {found:#?}"
    );
}

/// The hard text is read, and the rule reports on it.
#[track_caller]
fn reported(name: &str, hard: &[u8], rule: &str) {
    let found = beside(name, hard);
    assert!(found.iter().any(|line| line.starts_with(rule)), "{name}: expected {rule}, found {found:#?}");
}

/// The hard text is read, and there is nothing to say about it.
#[track_caller]
fn silent(name: &str, hard: &[u8]) {
    let found = beside(name, hard);
    assert!(found.is_empty(), "{name}: {found:#?}");
}

/// `l0` is a list, and every further level names the one below nine times.
fn laughs(head: &str, indent: &str, levels: usize) -> String {
    let mut text = head.to_owned();
    let _ = writeln!(text, "{indent}l0: &l0 [x, x, x, x, x, x, x, x, x]");
    for level in 1..levels {
        let below = vec![format!("*l{}", level - 1); 9].join(", ");
        let _ = writeln!(text, "{indent}l{level}: &l{level} [{below}]");
    }
    text
}

/// The same with mappings, which merge keys copy.
fn merge_laughs(head: &str, indent: &str, levels: usize) -> String {
    let mut text = head.to_owned();
    let _ = writeln!(text, "{indent}m0: &m0 {{k: v}}");
    for level in 1..levels {
        let below = vec![format!("*m{}", level - 1); 9].join(", ");
        let _ = writeln!(text, "{indent}m{level}: &m{level} {{<<: [{below}], k{level}: *m{}}}", level - 1);
    }
    text
}

#[test]
fn alias_bombs() {
    let heads = [
        ("pool", "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: x}\nspec:\n", "  "),
        ("pods", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: vllm}\nspec:\n", "  "),
        ("unknown", "apiVersion: example.com/v1\nkind: Vllm\nmetadata: {name: vllm}\nspec:\n", "  "),
        ("values", "vllm: true\n", ""),
        ("policy", "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: x}\nspec:\n", "  "),
        (
            "rules",
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\nspec:\n",
            "  ",
        ),
        (
            "dynamo",
            "apiVersion: nvidia.com/v1alpha1\nkind: DynamoGraphDeployment\nmetadata: {name: x}\nspec:\n",
            "  ",
        ),
        ("ray", "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {name: x}\nspec:\n", "  "),
        (
            "isvc",
            "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: x}\nspec:\n",
            "  ",
        ),
    ];
    for (name, head, indent) in heads {
        let start = Instant::now();
        skipped(name, laughs(head, indent, 12).as_bytes(), "Kubernetes refuses");
        skipped(&format!("{name}, merged"), merge_laughs(head, indent, 12).as_bytes(), "Kubernetes refuses");
        // What is not refused is read in no time as well.
        silent(name, laughs(head, indent, 6).as_bytes());
        silent(&format!("{name}, merged"), merge_laughs(head, indent, 6).as_bytes());
        assert!(start.elapsed() < LONGEST, "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn aliases_that_lead_nowhere() {
    let pool = |spec: &str| {
        format!("apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {{name: x}}\nspec: {spec}\n")
    };
    silent("unknown", pool("*nowhere").as_bytes());
    silent("cycle", pool("&s {template: *s, disruption: {a: *s}}").as_bytes());
    silent("cycle in a list", pool("{template: {spec: {requirements: &r [*r, *r]}}}").as_bytes());
    silent("cycle by merge", pool("&s {<<: *s, disruption: {<<: *s}}").as_bytes());
    silent("two", "x: &a [*b]\ny: &b [*a]\nkind: vllm\n".as_bytes());
}

#[test]
fn depth() {
    let head = "apiVersion: karpenter.sh/v1\nkind: NodePool\nspec:\n";
    skipped("flow sequences", format!("{head}  a: {}", "[".repeat(10_000)).as_bytes(), "limit exceeded");
    skipped("flow mappings", format!("{head}  a: {}", "{a: ".repeat(10_000)).as_bytes(), "limit exceeded");
    skipped(
        "closed",
        format!("{head}  a: {}{}", "[".repeat(10_000), "]".repeat(10_000)).as_bytes(),
        "limit exceeded",
    );
    skipped("sequences in a line", format!("{head}  {}x", "- ".repeat(10_000)).as_bytes(), "limit exceeded");
    let mut block = head.to_owned();
    for depth in 0..3_000 {
        let _ = writeln!(block, "{}a:", " ".repeat(depth + 1));
    }
    skipped("block mappings", block.as_bytes(), "limit exceeded");
    // Deep, and inside what the parser takes.
    let deep = |open: &str, close: &str| format!("{head}  a: {}{}", open.repeat(200), close.repeat(200));
    silent("200 sequences", deep("[", "]").as_bytes());
    silent("200 mappings", deep("{a: ", "}").as_bytes());
    // A query, a command and a template nest as well.
    let rule = |expr: &str| {
        format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {{groups: [{{rules: [{{record: x, expr: '{expr}'}}]}}]}}\n"
        )
    };
    beside("a deep query", rule(&format!("{}x{}", "sum(".repeat(10_000), ")".repeat(10_000))).as_bytes());
    beside("an open query", rule(&"(".repeat(10_000)).as_bytes());
    beside("a long query", rule(&vec!["a"; 10_000].join(" + ")).as_bytes());
    let pod = |command: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: vllm}}\nspec: {{containers: [{{name: x, image: vllm, command: [sh, -c, '{command}']}}]}}\n"
        )
    };
    beside("a deep command", pod(&"$(".repeat(10_000)).as_bytes());
    beside("deep braces", pod(&"${a:-".repeat(10_000)).as_bytes());
}

#[test]
fn sizes() {
    let line = "x".repeat(5 << 20);
    let pool = |spec: &str| {
        format!("apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {{name: x}}\nspec: {spec}\n")
    };
    silent("a long plain line", pool(&line).as_bytes());
    silent("a long quoted line", pool(&format!("\"{line}\"")).as_bytes());
    silent("a long comment", format!("kind: vllm #{line}\n").as_bytes());
    silent("a long line without interest", line.as_bytes());
    silent("a long flow sequence", pool(&format!("{{a: [{}]}}", "[1], ".repeat(200_000))).as_bytes());
    silent("a long flow mapping", pool(&format!("{{a: [{}]}}", "{a: 1}, ".repeat(100_000))).as_bytes());
    let mut keys = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vllm}\ndata:\n".to_owned();
    for key in 0..50_000 {
        let _ = writeln!(keys, "  key{key}: value");
    }
    silent("many keys", keys.as_bytes());
    silent("many documents", "---\nkind: vllm\n".repeat(20_000).as_bytes());
    silent("many comments", "# vllm\n".repeat(200_000).as_bytes());
    let mut pods = String::new();
    for at in 0..500 {
        let _ = write!(
            pods,
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{at}}}\nspec: {{containers: [{{name: x, image: vllm/vllm-openai, resources: {{limits: {{nvidia.com/gpu: 1}}}}}}]}}\n"
        );
    }
    beside("many pods", pods.as_bytes());
}

#[test]
fn large_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("neighbour.yaml"), NEIGHBOUR).unwrap();
    let document =
        "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports: [{port: 80}]\n";
    fs::write(at("plain.yaml"), document.repeat((50 << 20) / document.len())).unwrap();
    let one = "a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n";
    fs::write(at("one.yaml"), format!("kind: vllm\n{}", one.repeat((50 << 20) / one.len()))).unwrap();
    fs::File::create(at("larger.yaml")).unwrap().set_len(80 << 20).unwrap();
    let start = Instant::now();
    let report = lint_paths(&[folder.path().to_owned()]);
    let found = finish("large files", start, &report);
    assert_eq!(
        found,
        ["skipped: larger than 64 MiB (80 MiB)", "skipped: document 0 is larger than 16 MiB"],
        "{found:#?}"
    );
    assert!(report.summary.documents > 500_000);
}

#[test]
fn bytes_that_are_no_text() {
    skipped("NUL with interest", b"kind: vllm\nx: \0\n", "binary, not text");
    skipped("NUL without", b"kind: x\nx: \0\n", "binary, not text");
    let mut late = "# vllm\n".repeat(2000).into_bytes();
    late.push(0);
    skipped("a late NUL", &late, "");
    skipped("latin-1", b"kind: vllm\nname: Stra\xdfe\n", "not UTF-8");
    skipped("latin-1 without interest", b"kind: x\nname: Stra\xdfe\n", "not UTF-8");
    skipped("an ELF file", b"\x7fELF\x02\x01\x01\0\0\0\0\0vllm", "binary, not text");
    skipped("a surrogate", b"kind: vllm\n\xed\xa0\x80", "not UTF-8");
    skipped("a cut character", b"kind: vllm\nx: \xe4\xb8", "not UTF-8");
    skipped("broken UTF-16", b"\xff\xfev\0\x00\xd8", "binary");
    silent("only a mark", b"\xef\xbb\xbf");
    silent("only a UTF-16 mark", b"\xff\xfe");
    silent("nothing", b"");
    silent("blanks", b" \n\t\n\r\n");
}

#[test]
fn odd_texts() {
    let bytes = NEIGHBOUR.as_bytes();
    let rule = "gpu-pool-consolidation";
    let utf16 = |little: bool| {
        let mut found = if little { vec![0xff, 0xfe] } else { vec![0xfe, 0xff] };
        for unit in NEIGHBOUR.encode_utf16() {
            found.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
        }
        found
    };
    reported("UTF-16 LE", &utf16(true), rule);
    reported("UTF-16 BE", &utf16(false), rule);
    reported("a mark", &[b"\xef\xbb\xbf", bytes].concat(), rule);
    reported("a mark in a later document", &[b"a: 1\n---\n\xef\xbb\xbf", bytes].concat(), rule);
    reported("a mark before a later marker", &[b"a: 1\n\xef\xbb\xbf---\n", bytes].concat(), rule);
    reported("CRLF", NEIGHBOUR.replace('\n', "\r\n").as_bytes(), rule);
    reported("lone CR", NEIGHBOUR.replace('\n', "\r").as_bytes(), rule);
    reported("no line break at the end", NEIGHBOUR.trim_end().as_bytes(), rule);
    reported("trailing blanks", NEIGHBOUR.replace('\n', "  \n").as_bytes(), rule);
    reported("an end marker", &[bytes, b"...\n"].concat(), rule);
    reported("directives", &[b"%YAML 1.2\n%TAG ! tag:x,2000:\n---\n", bytes].concat(), rule);
    reported("a broken document before", &[b"vllm: [\n---\n", bytes].concat(), rule);
    reported("a broken document after", &[bytes, b"---\nvllm: [\n"].concat(), rule);
    reported("duplicate keys", &[bytes, b"kind: NodePool\n"].concat(), rule);
    skipped("tabs", b"kind: vllm\nspec:\n\ta: 1\n", "not valid YAML");
    skipped("a broken document", b"vllm: [\n---\na: 1\n", "document 0 is not valid YAML");
    silent("documents of no interest", b"---\n---\n---\n...\n...\n");
    silent("U+2028 and U+0085", "kind: vllm\na: x\u{2028}y\u{85}z\n".as_bytes());
}

#[cfg(unix)]
#[test]
fn odd_files() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("neighbour.yaml"), NEIGHBOUR).unwrap();
    fs::write(at("empty.yaml"), "").unwrap();
    fs::create_dir(at("folder.yaml")).unwrap();
    fs::write(at("folder.yaml/inner.yaml"), NEIGHBOUR.replace("neighbour", "inner")).unwrap();
    symlink(folder.path(), at("loop")).unwrap();
    symlink(at("self.yaml"), at("self.yaml")).unwrap();
    symlink(at("gone.yaml"), at("dangling.yaml")).unwrap();
    symlink(at("neighbour.yaml"), at("link.yaml")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(at("pipe.yaml")).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is needed");
    fs::write(at("locked.yaml"), NEIGHBOUR).unwrap();
    fs::create_dir(at("closed")).unwrap();
    fs::set_permissions(at("locked.yaml"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let start = Instant::now();
    let report = lint_paths(&[folder.path().to_owned()]);
    let found = finish("odd files", start, &report);
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(
        found.iter().filter(|line| line.starts_with("gpu-pool-consolidation:")).count(),
        1 + usize::from(root()),
        "{found:#?}"
    );
    if !root() {
        // Root reads everything.
        let denied = found.iter().filter(|line| line.contains("permission denied")).count();
        assert_eq!(denied, 2, "{found:#?}");
    }
    // What is named is read or said, also where a walk would pass it over in silence.
    for (name, reason) in [
        ("pipe.yaml", "not a regular file"),
        ("gone.yaml", "no such file or directory"),
        ("dangling.yaml", "no such file or directory"),
        ("self.yaml", "too many levels of symbolic links"),
    ] {
        let start = Instant::now();
        let found = finish(name, start, &lint_paths(&[at("neighbour.yaml"), at(name)]));
        assert_eq!(found, [format!("skipped: {reason}")], "{name}");
    }
    let twice = lint_paths(&[folder.path().to_owned(), at("neighbour.yaml"), folder.path().to_owned()]);
    assert_eq!(twice.summary, report.summary, "a file that is named twice is read once");
    assert_eq!(twice.diagnostics.len(), report.diagnostics.len());
}

/// Whether this user can read everything.
#[cfg(unix)]
fn root() -> bool {
    std::process::Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout == b"0\n")
}

/// Files that come and go while the folder is walked never end the run.
#[test]
fn files_that_vanish() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("neighbour.yaml"), NEIGHBOUR).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let name = |at: usize| folder.path().join(format!("f{at}.yaml"));
            while !stop.load(Ordering::Relaxed) {
                (0..50).for_each(|at| fs::write(name(at), "kind: vllm\n").unwrap());
                (0..50).for_each(|at| fs::remove_file(name(at)).unwrap());
            }
        });
        for _ in 0..20 {
            let start = Instant::now();
            let found = finish("vanishing", start, &lint_paths(&[folder.path().to_owned()]));
            for line in found {
                assert_eq!(line, "skipped: no such file or directory");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// The folder that is named need not be the working directory, nor exist.
#[test]
fn folders_that_are_not_there() {
    let report = lint_paths(&[Path::new("no/such/folder").to_owned()]);
    assert_eq!(report.skipped.len(), 1);
    assert!(report.skipped[0].broken);
    assert_eq!(report.skipped[0].reason, "no such file or directory");
}

mod properties {
    use super::support::{assert_sound, fixture_texts, lint_texts, page_texts};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static TEXTS: LazyLock<Vec<String>> =
        LazyLock::new(|| fixture_texts().into_iter().chain(page_texts()).map(|(_, text)| text).collect());

    /// One change of a text.
    #[derive(Debug, Clone)]
    enum Change {
        Delete(usize, usize),
        Insert(usize, Vec<u8>),
        Replace(usize, u8),
        DropLine(usize),
        RepeatLine(usize, usize),
        SwapLines(usize, usize),
    }

    fn change() -> impl Strategy<Value = Change> {
        let at = any::<usize>;
        let odd = prop::sample::select(vec![
            "\t",
            "\r",
            "\n",
            "---\n",
            "...\n",
            "&a ",
            "*a ",
            "<<: *a\n",
            "!!str ",
            "|\n",
            ">-\n",
            "{{ x }}",
            "\"",
            "'",
            "#",
            "# gpulint: ignore\n",
            "\u{feff}",
            "\0",
            "é",
            "\u{1F600}",
            "[",
            "]",
            "{",
            "}",
            ": ",
            "- ",
            ",",
            "?",
            "%YAML 1.1\n",
        ]);
        prop_oneof![
            (at(), 1usize..20).prop_map(|(at, len)| Change::Delete(at, len)),
            (at(), odd).prop_map(|(at, text)| Change::Insert(at, text.as_bytes().to_vec())),
            (at(), prop::collection::vec(any::<u8>(), 1..4))
                .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
            (at(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
            at().prop_map(Change::DropLine),
            (at(), 0usize..8).prop_map(|(at, indent)| Change::RepeatLine(at, indent)),
            (at(), at()).prop_map(|(a, b)| Change::SwapLines(a, b)),
        ]
    }

    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        let len = bytes.len();
        let lines = || bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
        match change {
            _ if len == 0 => {}
            Change::Delete(at, count) => {
                let at = at % len;
                bytes.drain(at..(at + count).min(len));
            }
            Change::Insert(at, more) => {
                let at = at % len;
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Replace(at, byte) => bytes[at % len] = *byte,
            Change::DropLine(at) => {
                let mut lines = lines();
                lines.remove(at % lines.len());
                *bytes = lines.concat();
            }
            Change::RepeatLine(at, indent) => {
                let mut lines = lines();
                let at = at % lines.len();
                let again = [vec![b' '; *indent], lines[at].clone()].concat();
                lines.insert(at, again);
                *bytes = lines.concat();
            }
            Change::SwapLines(a, b) => {
                let mut lines = lines();
                let count = lines.len();
                lines.swap(a % count, b % count);
                *bytes = lines.concat();
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn changed_manifests_are_sound(which in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..6)) {
            let mut bytes = which.get(&TEXTS).clone().into_bytes();
            changes.iter().for_each(|change| apply(&mut bytes, change));
            let report = lint_texts(&[("x.yaml", &bytes)]);
            assert_sound(&report, &String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_bytes_are_sound(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let report = lint_texts(&[("x.yaml", &[b"vllm: ", &bytes[..]].concat())]);
            assert_sound(&report, &format!("{bytes:?}"));
        }

        #[test]
        fn any_yaml_characters_are_sound(text in "(?s)[a-c:\\-\\[\\]{}&*!|>'\"%#,? \\n\\r\\t<\u{feff}é\\\\]{0,80}") {
            let report = lint_texts(&[("x.yaml", format!("vllm: {text}").as_bytes())]);
            assert_sound(&report, &text);
        }
    }
}
