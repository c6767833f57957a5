//! What a rule reports: a finding with its place, its reasons elsewhere and the edits that end it.

use crate::source::{Files, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much a finding matters. Ordered: `Info < Warning < Error`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Advice.
    Info,
    /// The plan demands it and the manifests leave it open, or a risk that depends on load.
    Warning,
    /// The plan rejects it, or the API server, scheduler or autoscaler will refuse it or never act on it.
    Error,
}

impl Severity {
    /// The word used in every format and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Whether an edit can be applied without a person reading it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Does what the message says and nothing else.
    Safe,
    /// Right in most cases, with a side effect that the title names.
    Unsafe,
    /// Shows the shape of the change; values have to be chosen.
    Display,
}

/// One replacement of bytes. An insertion has an empty span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// A change that ends the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, as an imperative sentence.
    pub title: String,
    /// Whether it may be applied unread.
    pub applicability: Applicability,
    /// The edits, which do not overlap.
    pub edits: Vec<Edit>,
}

/// Another place that takes part in the finding, possibly in another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What this place contributes.
    pub message: String,
}

/// The Kubernetes object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ObjectRef {
    /// `apiVersion` as written.
    pub api_version: String,
    /// `kind` as written.
    pub kind: String,
    /// `metadata.namespace`, where written.
    pub namespace: Option<String>,
    /// `metadata.name`, where written and resolvable.
    pub name: Option<String>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Rule id, for example `gpu-pool-consolidation`.
    pub rule: &'static str,
    /// Severity after profile and configuration.
    pub severity: Severity,
    /// What is wrong and by which mechanism: lower case, no final stop.
    pub message: String,
    /// The way out, as an imperative sentence.
    pub help: Option<String>,
    /// The bytes to look at first.
    pub span: Span,
    /// What to say at those bytes, shorter than the message.
    pub span_label: String,
    /// 0-based index of the YAML document in its file.
    pub document: u32,
    /// The object that the finding is about, where it is about one.
    pub object: Option<ObjectRef>,
    /// The field that the finding is about, as a stable path inside the object. Used for fingerprints, so that they
    /// survive moves and reformatting.
    pub field: String,
    /// Other places that take part.
    pub labels: Vec<Label>,
    /// Edits that end the finding.
    pub fixes: Vec<Fix>,
}

/// An input, or a part of one, that was not linted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Path as shown in reports.
    pub file: String,
    /// 1-based line and column of the reason, where it has a place.
    pub place: Option<(u32, u32)>,
    /// Why, for a person: lower case, no final stop.
    pub reason: String,
    /// True where the input was meant to be read and is broken (bad YAML, unreadable); false where passing it over is
    /// ordinary (a Helm template, a file over the size limit).
    pub broken: bool,
}

/// What was seen, so that silence means something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were read.
    pub files: u64,
    /// YAML documents in them.
    pub documents: u64,
    /// Objects that were modelled, by kind.
    pub objects: BTreeMap<String, u64>,
}

/// The outcome of one run: a function of the files and the configuration only.
#[derive(Debug, Default)]
pub struct Report {
    /// The files that findings point into.
    pub files: Files,
    /// Findings, sorted by path, place and rule.
    pub diagnostics: Vec<Diagnostic>,
    /// Inputs that were not linted, sorted by path.
    pub skipped: Vec<Skipped>,
    /// What was seen.
    pub summary: Summary,
}

impl Report {
    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == severity).count()
    }

    /// The worst severity found, if any.
    pub fn worst(&self) -> Option<Severity> {
        self.diagnostics.iter().map(|d| d.severity).max()
    }
}
