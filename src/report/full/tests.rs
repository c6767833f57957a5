use super::*;
use crate::diagnostic::Label;
use crate::report::{Format, sample};
use crate::source::{Encoding, Files, SourceFile, Span};
use proptest::prelude::*;

#[test]
fn a_finding_shows_its_lines() {
    let expected = r##"  ⚠ warning[scale-on-gpu-utilization]: `DCGM_FI_DEV_GPU_UTIL` drives scaling & says 100% <busy> at
  │ one request | or many
   ╭─[charts/über gpu/hpa,1.yaml:6:43]
 5 │   metrics:
 6 │     - pods: {metric: {note: "世界 𝔊", name: DCGM_FI_DEV_GPU_UTIL}}
   ·                                             ──────────┬─────────
   ·                                                       ╰── high at any load
   ╰────
  object: HorizontalPodAutoscaler/llm in namespace serving (autoscaling/v2)
  help: scale on `vllm:num_requests_waiting`
  docs: gpulint explain scale-on-gpu-utilization
        https://gpulint.dev/rules/scale-on-gpu-utilization

  × error[gpu-pool-consolidation]: pool `gpu` is consolidated while its nodes work, and every move
  │ kills the jobs on a node
   ╭─[deploy/pool.yaml:7:26]
 6 │   disruption:
 7 │     consolidationPolicy: WhenEmptyOrUnderutilized # größer
   ·                          ────────────┬───────────
   ·                                      ╰── takes away nodes that work
 8 │     consolidateAfter: 30s
   ╰────
   ╭─[deploy/pool.yaml:3:1]
 2 │ apiVersion: karpenter.sh/v1
 3 │ kind: NodePool
   · ──┬─
   ·   ╰── this pool
 4 │ metadata: {name: gpu}
   ╰────
   ╭─[charts/über gpu/hpa,1.yaml:6:43]
 5 │   metrics:
 6 │     - pods: {metric: {note: "世界 𝔊", name: DCGM_FI_DEV_GPU_UTIL}}
   ·                                             ──────────┬─────────
   ·                                                       ╰── these replicas land on the pool
   ╰────
  object: NodePool/gpu (karpenter.sh/v1)
  help: remove only empty nodes
  fix (unsafe): remove only empty nodes, after an hour
      7 -     consolidationPolicy: WhenEmptyOrUnderutilized # größer
        +     consolidationPolicy: WhenEmpty # größer
      8 -     consolidateAfter: 30s
        +     consolidateAfter: 1h
  docs: gpulint explain gpu-pool-consolidation
        https://gpulint.dev/rules/gpu-pool-consolidation

  ☞ info[gpu-pool-consolidate-after]: empty nodes of pool `gpu` go after 30s
   ╭─[deploy/pool.yaml:8:23]
 7 │     consolidationPolicy: WhenEmptyOrUnderutilized # größer
 8 │     consolidateAfter: 30s
   ·                       ───
   ╰────
  object: NodePool/gpu (karpenter.sh/v1)
  fix (to adapt): name the delay
      8 -     consolidateAfter: 30s
        +     consolidateAfter: …
  docs: gpulint explain gpu-pool-consolidate-after
        https://gpulint.dev/rules/gpu-pool-consolidate-after

1 error, 1 warning and 1 info in 3 files
4 documents: 1 HorizontalPodAutoscaler, 2 NodePool
not linted:
  deploy/broken: a.yaml:3:7: did not find expected key
  a Helm template: charts/gpu/templates/hpa.yaml
"##;
    assert_eq!(sample::render(Format::Full, &sample::options()), expected);
}

#[test]
fn a_narrow_terminal_without_unicode() {
    let options = Options { unicode: false, width: 60, ..Options::default() };
    let text = sample::render(Format::Full, &options);
    let expected = r##"  x error[gpu-pool-consolidation]: pool `gpu` is
  | consolidated while its nodes work, and every move kills
  | the jobs on a node
   ,-[deploy/pool.yaml:7:26]
 6 |   disruption:
 7 |     consolidationPolicy: WhenEmptyOrUnderutilized ...
   :                          ^^^^^^^^^^^^|^^^^^^^^^^^
   :                                      `-- takes away nodes that work
 8 |     consolidateAfter: 30s
   `----
   ,-[deploy/pool.yaml:3:1]
 2 | apiVersion: karpenter.sh/v1
 3 | kind: NodePool
   : ^^|^
   :   `-- this pool
 4 | metadata: {name: gpu}
   `----
   ,-[charts/über gpu/hpa,1.yaml:6:43]
 5 |   metrics:
 6 | ...界 𝔊", name: DCGM_FI_DEV_GPU_UTIL}}
   :                 ^^^^^^^^^^|^^^^^^^^^
   :                           `-- these replicas land on the pool
   `----
  object: NodePool/gpu (karpenter.sh/v1)
  help: remove only empty nodes
  fix (unsafe): remove only empty nodes, after an hour
      7 -     consolidationPolicy: WhenEmptyOrUnderutilize...
        +     consolidationPolicy: WhenEmpty # größer
      8 -     consolidateAfter: 30s
        +     consolidateAfter: 1h
  docs: gpulint explain gpu-pool-consolidation
        https://gpulint.dev/rules/gpu-pool-consolidation"##;
    assert_eq!(text.split("\n\n").nth(1).unwrap_or(""), expected);
}

#[test]
fn colour_changes_no_text_and_writes_no_links() {
    let plain = sample::render(Format::Full, &Options::default());
    let colored = sample::render(Format::Full, &Options { color: true, ..Options::default() });
    assert!(colored.contains("\u{1b}[31merror[gpu-pool-consolidation]\u{1b}[0m: pool"), "{colored}");
    assert!(!plain.contains('\u{1b}') && !colored.contains("\u{1b}]"));
    let mut stripped = String::new();
    let mut inside = false;
    for c in colored.chars() {
        match c {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            c if !inside => stripped.push(c),
            _ => {}
        }
    }
    assert_eq!(stripped, plain);
}

/// One finding at bytes of a text.
fn report(text: &str, span: (usize, usize), labels: &[(usize, usize)]) -> Report {
    let mut report = sample::report();
    let mut files = Files::default();
    let file = files.add(SourceFile::new("a.yaml".to_owned(), text.into(), Encoding::Utf8));
    report.files = files;
    report.diagnostics.truncate(1);
    report.skipped.clear();
    let diagnostic = &mut report.diagnostics[0];
    diagnostic.message = "a message".to_owned();
    diagnostic.span = Span::new(file, span.0, span.1);
    diagnostic.labels = labels
        .iter()
        .map(|(start, end)| Label { span: Span::new(file, *start, *end), message: "a label".to_owned() })
        .collect();
    diagnostic.fixes = vec![Fix {
        title: "a fix".to_owned(),
        applicability: Applicability::Safe,
        edits: vec![crate::diagnostic::Edit { span: diagnostic.span, replacement: "new".to_owned() }],
    }];
    report
}

fn render(report: &Report, options: &Options) -> String {
    let mut out = Vec::new();
    write(report, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The snippet of one finding.
#[track_caller]
fn check(text: &str, span: (usize, usize), expected: &str) {
    let shown = render(&report(text, span, &[]), &Options { width: 40, ..Options::default() });
    let lines: Vec<&str> = shown
        .lines()
        .skip_while(|line| !line.contains('╭'))
        .take_while(|line| !line.ends_with("╰────"))
        .map(str::trim_end)
        .collect();
    assert_eq!(lines.join("\n"), expected, "{text:?}");
}

#[test]
fn every_text_can_be_shown() {
    check(
        "\tb: x\n",
        (4, 5),
        "   ╭─[a.yaml:1:5]\n 1 │     b: x\n   ·        ┬\n   ·        ╰── high at any load",
    );
    check(
        "世界: x\r\n",
        (8, 9),
        "   ╭─[a.yaml:1:5]\n 1 │ 世界: x\n   ·       ┬\n   ·       ╰── high at any load",
    );
    check("\u{feff}a: 1", (3, 4), "   ╭─[a.yaml:1:1]\n 1 │ a: 1\n   · ┬\n   · ╰── high at any load");
    check("", (0, 0), "   ╭─[a.yaml:1:1]\n 1 │\n   · ▲\n   · ╰── high at any load");
    check("a:\n", (2, 2), "   ╭─[a.yaml:1:3]\n 1 │ a:\n   ·   ▲\n   ·   ╰── high at any load");
    check("a:\n", (3, 3), "   ╭─[a.yaml:2:1]\n 1 │ a:\n 2 │\n   · ▲\n   · ╰── high at any load");
    check("a\rb\rc", (2, 3), "   ╭─[a.yaml:2:1]\n 1 │ a\n 2 │ b\n   · ┬\n   · ╰── high at any load\n 3 │ c");
    check(
        "a: 1\nb: 2\n",
        (3, 9),
        "   ╭─[a.yaml:1:4]\n 1 │ a: 1\n   ·    ┬\n   ·    ╰── high at any load\n 2 │ b: 2",
    );
}

#[test]
fn a_line_of_megabytes_is_cut() {
    let item = "{\"kind\":\"Pod\"},";
    let before = item.repeat(200_000);
    let text = format!("[{before}{{\"kind\":\"NodePool\"}},{before}]");
    let start = before.len() + 9;
    let shown = render(&report(&text, (start, start + 10), &[]), &Options::default());
    assert!(
        shown.contains("1 │ …},{\"kind\":\"Pod\"},{\"kind\":\"Pod\"},{\"kind\":\"NodePool\"},"),
        "{shown}"
    );
    assert!(shown.contains(&format!("[a.yaml:1:{}]", start + 1)), "{shown}");
    assert!(shown.contains("- \"NodePool\"\n"), "{shown}");
    assert!(shown.len() < 4096, "{}", shown.len());
}

#[test]
fn a_finding_over_many_places_is_cut() {
    let text = "a: 1\n".repeat(100);
    let labels: Vec<(usize, usize)> = (1..20).map(|at| (at * 25, at * 25 + 1)).collect();
    let shown = render(&report(&text, (0, 1), &labels), &Options::default());
    assert_eq!(shown.matches("a label").count(), MOST_LABELS);
    assert!(shown.contains("  note: 11 more places not shown\n"), "{shown}");
}

#[test]
fn a_rule_is_documented_once() {
    let mut report = sample::report();
    let one = report.diagnostics.remove(0);
    report.diagnostics = vec![one; 3];
    let shown = render(&report, &Options::default());
    assert_eq!(shown.matches("warning[scale-on-gpu-utilization]").count(), 3);
    assert_eq!(shown.matches("gpulint explain scale-on-gpu-utilization").count(), 1);
}

proptest! {
    #[test]
    fn nothing_breaks_the_drawing(
        text in "[a-z:# é世𝔊\t\n\r\u{1b}\u{202e}\u{feff}]{0,120}",
        spans in prop::collection::vec((0_usize..140, 0_usize..140), 1..5),
        width in 0_usize..90,
        unicode: bool,
    ) {
        let spans: Vec<(usize, usize)> = spans.iter().map(|(a, b)| (*a.min(b), *a.max(b))).collect();
        let report = report(&text, spans[0], &spans[1..]);
        let shown = render(&report, &Options { width, unicode, ..Options::default() });
        prop_assert!(!shown.contains(|c: char| c != '\n' && super::super::text::is_control(c)), "{:?}", shown);
        prop_assert_eq!(shown.matches("high at any load").count(), 1);
        prop_assert_eq!(shown.matches("a label").count(), spans.len() - 1);
    }
}
