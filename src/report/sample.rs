//! A small report for the tests of every format: three findings over two files, one with CRLF line ends and umlauts,
//! one that was UTF-16 on disk under a path that has to be escaped.

use super::{Format, Options, write};
use crate::diagnostic::{
    Applicability, Diagnostic, Edit, Fix, Label, ObjectRef, Report, Severity, Skipped, Summary,
};
use crate::rules::page::Page;
use crate::source::{Encoding, FileId, Files, SourceFile, Span};
use std::collections::BTreeMap;

const HPA: &str = "\u{feff}apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: llm, namespace: serving}
spec:
  metrics:
    - pods: {metric: {note: \"世界 𝔊\", name: DCGM_FI_DEV_GPU_UTIL}}
";

const POOL: &str = "# Knoten für große Modelle\r
apiVersion: karpenter.sh/v1\r
kind: NodePool\r
metadata: {name: gpu}\r
spec:\r
  disruption:\r
    consolidationPolicy: WhenEmptyOrUnderutilized # größer\r
    consolidateAfter: 30s\r
";

const PAGE: &str = "---
summary: a GPU pool whose nodes are taken away while they work
severity: error
strict: error
clauses: [L1.3, H.2]
area: pool
fix: unsafe
---
# gpu-pool-consolidation
Reports a GPU node pool that Karpenter may consolidate while jobs run on it.
## Why
Moving a pod kills the job.
## Examples
### the default
```yaml bad
a: 1 # error
```
```yaml fixed
a: 2
```
## What passes
### an empty pool
```yaml good
a: 2
```
## Sources
- karpenter.sh, disruption
";

/// The page of one of the three rules.
pub(super) fn page() -> Page {
    Page::parse("gpu-pool-consolidation", PAGE).unwrap()
}

/// The bytes of `needle`, which is there once.
fn find(files: &Files, file: FileId, needle: &str) -> Span {
    let text = &files.get(file).unwrap().text;
    assert_eq!(text.matches(needle).count(), 1, "{needle:?}");
    let start = text.find(needle).unwrap();
    Span::new(file, start, start + needle.len())
}

fn object(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<ObjectRef> {
    Some(ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: Some(name.to_owned()),
    })
}

/// The report.
pub(super) fn report() -> Report {
    let mut files = Files::default();
    let hpa = SourceFile::new("charts/über gpu/hpa,1.yaml".to_owned(), HPA.into(), Encoding::Utf16);
    let hpa = files.add(hpa);
    let pool = files.add(SourceFile::new("deploy/pool.yaml".to_owned(), POOL.into(), Encoding::Utf8));
    let policy = find(&files, pool, "WhenEmptyOrUnderutilized");
    let metric = find(&files, hpa, "DCGM_FI_DEV_GPU_UTIL");
    let delay = find(&files, pool, "30s");
    let diagnostics = vec![
        Diagnostic {
            rule: "scale-on-gpu-utilization",
            severity: Severity::Warning,
            message: "`DCGM_FI_DEV_GPU_UTIL` drives scaling & says 100% <busy> at one request | or many"
                .to_owned(),
            help: Some("scale on `vllm:num_requests_waiting`".to_owned()),
            span: metric,
            span_label: "high at any load".to_owned(),
            document: 0,
            object: object("autoscaling/v2", "HorizontalPodAutoscaler", Some("serving"), "llm"),
            field: "spec.metrics.pods.metric.name".to_owned(),
            labels: Vec::new(),
            fixes: Vec::new(),
        },
        Diagnostic {
            rule: "gpu-pool-consolidation",
            severity: Severity::Error,
            message:
                "pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node"
                    .to_owned(),
            help: Some("remove only empty nodes".to_owned()),
            span: policy,
            span_label: "takes away nodes that work".to_owned(),
            document: 0,
            object: object("karpenter.sh/v1", "NodePool", None, "gpu"),
            field: "spec.disruption.consolidationPolicy".to_owned(),
            labels: vec![
                Label { span: metric, message: "these replicas land on the pool".to_owned() },
                Label { span: find(&files, pool, "kind"), message: "this pool".to_owned() },
            ],
            fixes: vec![Fix {
                title: "remove only empty nodes, after an hour".to_owned(),
                applicability: Applicability::Unsafe,
                edits: vec![
                    Edit { span: policy, replacement: "WhenEmpty".to_owned() },
                    Edit { span: delay, replacement: "1h".to_owned() },
                ],
            }],
        },
        Diagnostic {
            rule: "gpu-pool-consolidate-after",
            severity: Severity::Info,
            message: "empty nodes of pool `gpu` go after 30s".to_owned(),
            help: None,
            span: delay,
            span_label: String::new(),
            document: 0,
            object: object("karpenter.sh/v1", "NodePool", None, "gpu"),
            field: "spec.disruption.consolidateAfter".to_owned(),
            labels: Vec::new(),
            fixes: vec![Fix {
                title: "name the delay".to_owned(),
                applicability: Applicability::Display,
                edits: vec![Edit { span: find(&files, pool, "30s\r\n"), replacement: "…\r\n".to_owned() }],
            }],
        },
    ];
    let skip = |file: &str, place, reason: &str, broken| Skipped {
        file: file.to_owned(),
        place,
        reason: reason.to_owned(),
        broken,
    };
    let skipped = vec![
        skip("charts/gpu/templates/hpa.yaml", None, "a Helm template", false),
        skip("deploy/broken: a.yaml", Some((3, 7)), "did not find expected key", true),
    ];
    let objects = BTreeMap::from([("HorizontalPodAutoscaler".to_owned(), 1), ("NodePool".to_owned(), 2)]);
    Report { files, diagnostics, skipped, summary: Summary { files: 3, documents: 4, objects } }
}

/// The report in a format, run from `clusters/a` where a format tells paths from the root of the repository.
pub(super) fn render(format: Format, options: &Options) -> String {
    let (pages, mut out) = ([page()], Vec::new());
    write(&report(), || &pages, format, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Plain text, run from the folder `clusters/a` of the repository.
pub(super) fn options() -> Options {
    Options { prefix: "clusters/a".to_owned(), ..Options::default() }
}
