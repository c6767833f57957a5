//! The JSON report, version 1. Keys are only ever added within a version.

use super::place::Place;
use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Label, ObjectRef, Report, Severity};
use crate::fingerprint::fingerprints;
use crate::rules::page::rule_url;
use crate::source::Files;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Everything that one run of gpulint found, saw and passed over.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Report")]
pub(super) struct JsonReport<'a> {
    /// The version of this form. Within a version keys are only ever added.
    #[schemars(extend("const" = 1))]
    version: u32,
    tool: JsonTool,
    /// Findings, sorted by path, place and rule.
    diagnostics: Vec<JsonDiagnostic<'a>>,
    /// Inputs that were not linted, sorted by path.
    skipped: Vec<JsonSkipped<'a>>,
    summary: JsonSummary<'a>,
}

/// The program that wrote the report.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tool")]
struct JsonTool {
    name: &'static str,
    version: &'static str,
}

/// One finding.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
struct JsonDiagnostic<'a> {
    /// Rule id.
    rule: &'a str,
    severity: Severity,
    /// What is wrong and by which mechanism.
    message: &'a str,
    /// The way out.
    help: Option<&'a str>,
    /// The documentation of the rule.
    url: String,
    /// Path relative to the working directory, with `/`.
    file: &'a str,
    /// 0-based index of the document in the YAML stream.
    document: u32,
    /// 1-based.
    #[schemars(range(min = 1))]
    line: u32,
    /// 1-based, in Unicode characters.
    #[schemars(range(min = 1))]
    column: u32,
    /// 1-based.
    #[schemars(range(min = 1))]
    end_line: u32,
    /// 1-based and exclusive, in Unicode characters.
    #[schemars(range(min = 1))]
    end_column: u32,
    /// Offset in the file as it lies on disk.
    byte_start: u32,
    /// Offset in the file as it lies on disk, exclusive.
    byte_end: u32,
    /// The object that the finding is about, where it is about one.
    object: Option<&'a ObjectRef>,
    /// Other places that take part.
    labels: Vec<JsonLabel<'a>>,
    /// Edits that end the finding, each on its own.
    fixes: Vec<JsonFix<'a>>,
    /// The same while the finding means the same, whatever its lines and paths.
    #[schemars(regex(pattern = "^[0-9a-f]{16}$"))]
    fingerprint: String,
}

/// Another place that takes part in a finding.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Label")]
struct JsonLabel<'a> {
    /// Path relative to the working directory, with `/`.
    file: &'a str,
    /// 1-based.
    #[schemars(range(min = 1))]
    line: u32,
    /// 1-based, in Unicode characters.
    #[schemars(range(min = 1))]
    column: u32,
    /// 1-based.
    #[schemars(range(min = 1))]
    end_line: u32,
    /// 1-based and exclusive, in Unicode characters.
    #[schemars(range(min = 1))]
    end_column: u32,
    /// What this place contributes.
    message: &'a str,
}

/// A change that ends a finding.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Fix")]
struct JsonFix<'a> {
    /// What the change does.
    title: &'a str,
    applicability: Applicability,
    /// The edits, which do not overlap.
    edits: Vec<JsonEdit<'a>>,
}

/// One replacement of bytes. An insertion replaces none.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Edit")]
struct JsonEdit<'a> {
    /// Path relative to the working directory, with `/`.
    file: &'a str,
    /// Offset in the file as it lies on disk.
    byte_start: u32,
    /// Offset in the file as it lies on disk, exclusive.
    byte_end: u32,
    /// What stands there afterwards, to be encoded as the file is.
    replacement: &'a str,
}

/// An input that was not linted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Skipped")]
struct JsonSkipped<'a> {
    /// Path relative to the working directory, with `/`.
    file: &'a str,
    /// Why.
    reason: &'a str,
}

/// What was seen and how much was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Summary")]
struct JsonSummary<'a> {
    /// Files that were read.
    files: u64,
    /// YAML documents in them.
    documents: u64,
    /// Objects that were modelled, by kind.
    objects: &'a BTreeMap<String, u64>,
    /// Findings of severity error.
    errors: usize,
    /// Findings of severity warning.
    warnings: usize,
    /// Findings of severity info.
    infos: usize,
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_value(&shape(report), out)
}

/// Writes a value as indented JSON with a last line break.
pub(super) fn write_value(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn shape(report: &Report) -> JsonReport<'_> {
    let diagnostics = report.diagnostics.iter().zip(fingerprints(&report.files, &report.diagnostics));
    JsonReport {
        version: 1,
        tool: JsonTool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        diagnostics: diagnostics
            .map(|(d, fingerprint)| shape_diagnostic(&report.files, d, fingerprint))
            .collect(),
        skipped: report
            .skipped
            .iter()
            .map(|input| JsonSkipped { file: &input.file, reason: &input.reason })
            .collect(),
        summary: JsonSummary {
            files: report.summary.files,
            documents: report.summary.documents,
            objects: &report.summary.objects,
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            infos: report.count(Severity::Info),
        },
    }
}

fn shape_diagnostic<'a>(
    files: &'a Files,
    diagnostic: &'a Diagnostic,
    fingerprint: String,
) -> JsonDiagnostic<'a> {
    let place = Place::of(files, diagnostic.span);
    JsonDiagnostic {
        rule: diagnostic.rule,
        severity: diagnostic.severity,
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        url: rule_url(diagnostic.rule),
        file: place.path,
        document: diagnostic.document,
        line: place.start.line,
        column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
        byte_start: place.bytes.0,
        byte_end: place.bytes.1,
        object: diagnostic.object.as_ref(),
        labels: diagnostic.labels.iter().map(|label| shape_label(files, label)).collect(),
        fixes: diagnostic.fixes.iter().map(|fix| shape_fix(files, fix)).collect(),
        fingerprint,
    }
}

fn shape_label<'a>(files: &'a Files, label: &'a Label) -> JsonLabel<'a> {
    let place = Place::of(files, label.span);
    JsonLabel {
        file: place.path,
        line: place.start.line,
        column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
        message: &label.message,
    }
}

fn shape_fix<'a>(files: &'a Files, fix: &'a Fix) -> JsonFix<'a> {
    let edit = |edit: &'a Edit| {
        let place = Place::of(files, edit.span);
        let (byte_start, byte_end) = place.bytes;
        JsonEdit { file: place.path, byte_start, byte_end, replacement: &edit.replacement }
    };
    JsonFix {
        title: &fix.title,
        applicability: fix.applicability,
        edits: fix.edits.iter().map(edit).collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::report::{Format, sample};

    #[test]
    fn the_contract_is_kept_to_the_letter() {
        let expected = r##"{
  "version": 1,
  "tool": {
    "name": "gpulint",
    "version": "VERSION"
  },
  "diagnostics": [
    {
      "rule": "scale-on-gpu-utilization",
      "severity": "warning",
      "message": "`DCGM_FI_DEV_GPU_UTIL` drives scaling & says 100% <busy> at one request | or many",
      "help": "scale on `vllm:num_requests_waiting`",
      "url": "https://gpulint.dev/rules/scale-on-gpu-utilization",
      "file": "charts/über gpu/hpa,1.yaml",
      "document": 0,
      "line": 6,
      "column": 43,
      "end_line": 6,
      "end_column": 63,
      "byte_start": 320,
      "byte_end": 360,
      "object": {
        "api_version": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "namespace": "serving",
        "name": "llm"
      },
      "labels": [],
      "fixes": [],
      "fingerprint": "5f8fdeff3c26335b"
    },
    {
      "rule": "gpu-pool-consolidation",
      "severity": "error",
      "message": "pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node",
      "help": "remove only empty nodes",
      "url": "https://gpulint.dev/rules/gpu-pool-consolidation",
      "file": "deploy/pool.yaml",
      "document": 0,
      "line": 7,
      "column": 26,
      "end_line": 7,
      "end_column": 50,
      "byte_start": 145,
      "byte_end": 169,
      "object": {
        "api_version": "karpenter.sh/v1",
        "kind": "NodePool",
        "namespace": null,
        "name": "gpu"
      },
      "labels": [
        {
          "file": "charts/über gpu/hpa,1.yaml",
          "line": 6,
          "column": 43,
          "end_line": 6,
          "end_column": 63,
          "message": "these replicas land on the pool"
        },
        {
          "file": "deploy/pool.yaml",
          "line": 3,
          "column": 1,
          "end_line": 3,
          "end_column": 5,
          "message": "this pool"
        }
      ],
      "fixes": [
        {
          "title": "remove only empty nodes, after an hour",
          "applicability": "unsafe",
          "edits": [
            {
              "file": "deploy/pool.yaml",
              "byte_start": 145,
              "byte_end": 169,
              "replacement": "WhenEmpty"
            },
            {
              "file": "deploy/pool.yaml",
              "byte_start": 204,
              "byte_end": 207,
              "replacement": "1h"
            }
          ]
        }
      ],
      "fingerprint": "5ff6e66986fef74d"
    },
    {
      "rule": "gpu-pool-consolidate-after",
      "severity": "info",
      "message": "empty nodes of pool `gpu` go after 30s",
      "help": null,
      "url": "https://gpulint.dev/rules/gpu-pool-consolidate-after",
      "file": "deploy/pool.yaml",
      "document": 0,
      "line": 8,
      "column": 23,
      "end_line": 8,
      "end_column": 26,
      "byte_start": 204,
      "byte_end": 207,
      "object": {
        "api_version": "karpenter.sh/v1",
        "kind": "NodePool",
        "namespace": null,
        "name": "gpu"
      },
      "labels": [],
      "fixes": [
        {
          "title": "name the delay",
          "applicability": "display",
          "edits": [
            {
              "file": "deploy/pool.yaml",
              "byte_start": 204,
              "byte_end": 209,
              "replacement": "…\r\n"
            }
          ]
        }
      ],
      "fingerprint": "3b207da1103eb296"
    }
  ],
  "skipped": [
    {
      "file": "charts/gpu/templates/hpa.yaml",
      "reason": "a Helm template"
    },
    {
      "file": "deploy/broken: a.yaml",
      "reason": "did not find expected key"
    }
  ],
  "summary": {
    "files": 3,
    "documents": 4,
    "objects": {
      "HorizontalPodAutoscaler": 1,
      "NodePool": 2
    },
    "errors": 1,
    "warnings": 1,
    "infos": 1
  }
}
"##;
        let expected = expected.replace("VERSION", env!("CARGO_PKG_VERSION"));
        assert_eq!(sample::render(Format::Json, &sample::options()), expected);
    }
}
