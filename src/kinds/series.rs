//! Metric names that are made from others: recording rules, adapter rules, relabelings.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// Where a new metric name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RenameKind {
    /// `record` of a Prometheus recording rule.
    RecordingRule,
    /// A rule of prometheus-adapter.
    AdapterRule,
    /// A metric relabeling at scrape time whose target is `__name__`.
    Relabeling,
    /// A query kept as an object of its own, such as a DatadogMetric.
    StoredQuery,
    /// An alert: names a query, renames nothing.
    Alert,
}

/// How the new name is given.
#[derive(Debug, Clone)]
pub enum NewName {
    /// In full. A `*` in a DatadogMetric's name stands for a namespace that is not written.
    Exact(Known<String>),
    /// By `name.matches` and `name.as` of prometheus-adapter, applied to each source series; also by the pattern and
    /// the replacement of a relabeling, where the replacement refers to groups of the pattern.
    Adapter {
        /// `matches`.
        matches: Option<String>,
        /// `as`.
        replacement: Option<String>,
    },
}

/// What a new name is made from.
#[derive(Debug, Clone)]
pub enum OldName {
    /// A PromQL expression.
    Expression(Known<Text>),
    /// The `seriesQuery` and `metricsQuery` of prometheus-adapter.
    Adapter {
        /// `seriesQuery`.
        series: Known<Text>,
        /// `metricsQuery`.
        query: Known<Text>,
    },
    /// A regular expression over old names (relabelings).
    Regex(Known<Text>),
}

/// One definition of a metric name.
#[derive(Debug, Clone)]
pub struct Rename {
    /// What makes it.
    pub kind: RenameKind,
    /// The new name.
    pub to: NewName,
    /// What it is made from.
    pub from: OldName,
    /// The bytes of the new name, or of the rule.
    pub span: Span,
    /// The bytes of the `for:` of an alert or of other parts that later rules need.
    pub severity: Known<String>,
}
