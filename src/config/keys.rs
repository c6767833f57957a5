//! Every key of the configuration with what it takes and what it does. The reader, the JSON Schema and the starter file
//! are made of these tables, so they cannot differ.

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// The key, in kebab case.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) shape: Shape,
    /// True where a mapping without it is an error.
    pub(super) required: bool,
    /// What it does, as a sentence.
    pub(super) text: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Profile,
    Severity,
    Level,
    Role,
    Text,
    Bool,
    Duration,
    Rate,
    PathGlob,
    PathGlobs,
    NameGlob,
    /// Rule ids, each with [`RULE`].
    Rules,
    /// The options of one rule.
    Options,
    /// A list of [`IGNORE`].
    Ignores,
    /// [`SLO`].
    Slo,
    /// A list of [`WORKLOAD`].
    Workloads,
}

const fn key(name: &'static str, shape: Shape, text: &'static str) -> Setting {
    Setting { name, shape, required: false, text }
}

const fn required(setting: Setting) -> Setting {
    Setting { required: true, ..setting }
}

/// The file.
pub(super) const TOP: &[Setting] = &[
    key(
        "profile",
        Shape::Profile,
        "Which severities apply where a rule states none below: `default`, or `strict`, where every clause of the \
         plan is an error.",
    ),
    key("fail-on", Shape::Severity, "The exit code is 1 from this severity on."),
    key(
        "include",
        Shape::PathGlobs,
        "The only files to read, as patterns in the style of `.gitignore`, relative to this file. Empty: all.",
    ),
    key("exclude", Shape::PathGlobs, "Files to leave out, as patterns of the same kind."),
    key("rules", Shape::Rules, "What differs from the defaults, by rule id."),
    key("slo", Shape::Slo, "What manifests cannot say about latency and load."),
];

/// One rule.
pub(super) const RULE: &[Setting] = &[
    key(
        "severity",
        Shape::Level,
        "The severity of its findings, in every profile; `off` switches the rule off.",
    ),
    key("options", Shape::Options, "The options of the rule."),
    key(
        "ignore",
        Shape::Ignores,
        "Findings to pass over. An entry holds where all it states is true, and one that matches nothing is reported.",
    ),
];

/// One entry of `ignore`.
pub(super) const IGNORE: &[Setting] = &[
    key(
        "path",
        Shape::PathGlob,
        "The file, as a pattern in the style of `.gitignore`, relative to this file.",
    ),
    key("kind", Shape::Text, "The kind of the object."),
    key("name", Shape::NameGlob, "The name of the object; `*` stands for any characters."),
    key("namespace", Shape::NameGlob, "The namespace that the object states; `*` stands for any characters."),
    required(key("reason", Shape::Text, "Why the finding does not apply here.")),
];

/// Service-level objectives.
pub(super) const SLO: &[Setting] =
    &[key("workloads", Shape::Workloads, "The workloads, of which the first that fits an object counts.")];

/// One workload.
pub(super) const WORKLOAD: &[Setting] = &[
    key("kind", Shape::Text, "The kind of the object."),
    required(key("name", Shape::NameGlob, "The name of the object; `*` stands for any characters.")),
    key("namespace", Shape::NameGlob, "The namespace that the object states; `*` stands for any characters."),
    key("role", Shape::Role, "Which phase bounds it: `prefill-bound`, `decode-bound` or `mixed`."),
    key("slo-critical", Shape::Bool, "True where it has to keep a minimum of ready replicas."),
    key("p99-ttft", Shape::Duration, "The limit on the 99th percentile of the time to first token."),
    key("peak-rps", Shape::Rate, "Requests per second at the peak, bursts included."),
    key("replica-rps", Shape::Rate, "Requests per second that one replica takes within `p99-ttft`."),
    key(
        "cold-start",
        Shape::Duration,
        "From the wish for a replica to its first answer: node, image and model load.",
    ),
];
