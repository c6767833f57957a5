//! The configuration file `gpulint.yaml`: what it may say, and what holds where it is silent.

mod find;
mod glob;
mod keys;
mod nearest;
mod option;
mod read;
mod schema;
mod tree;
mod write;

pub use find::{FILE_NAME, Found, find, prefix};
pub(crate) use glob::rebase;
pub(crate) use nearest::nearest;
pub use option::{KnownOption, OptionType, OptionValue, format_duration, parse_duration};
pub use schema::schema;
pub use write::starter;

use crate::diagnostic::{ObjectRef, Severity};
use crate::known::Known;
use crate::source::{FileId, Span};
use glob::{NameGlob, PathGlob};
use schemars::JsonSchema;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the configuration has to know of a rule. It comes from the rule's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRule {
    /// The id.
    pub id: &'static str,
    /// What the rule reports, in one line.
    pub summary: String,
    /// Its severity under [`Profile::Default`].
    pub severity: Severity,
    /// Its severity under [`Profile::Strict`].
    pub strict: Severity,
    /// Its options.
    pub options: Vec<KnownOption>,
}

/// Which severities apply where the configuration states none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub enum Profile {
    /// What a team can switch on tomorrow.
    #[default]
    Default,
    /// The plan by the letter: every clause of it is an error.
    Strict,
}

impl Profile {
    /// The word used in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Profile::Default => "default",
            Profile::Strict => "strict",
        }
    }
}

/// The severity of a rule, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub enum Level {
    /// Reported as an error.
    Error,
    /// Reported as a warning.
    Warning,
    /// Reported as advice.
    Info,
    /// Not reported.
    Off,
}

impl Level {
    /// The severity, or none for [`Level::Off`].
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Error => Some(Severity::Error),
            Level::Warning => Some(Severity::Warning),
            Level::Info => Some(Severity::Info),
            Level::Off => None,
        }
    }
}

/// Which phase of inference bounds a workload, and so which signal it has to scale on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub enum Role {
    /// Long prompts: it scales on queue depth.
    PrefillBound,
    /// Long answers: it scales on the use of the KV cache.
    DecodeBound,
    /// Both: it scales on a composite of the two.
    Mixed,
}

impl Role {
    /// The word used in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Role::PrefillBound => "prefill-bound",
            Role::DecodeBound => "decode-bound",
            Role::Mixed => "mixed",
        }
    }
}

/// Something in the configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The bytes to look at.
    pub span: Span,
    /// What is wrong: lower case, no final stop.
    pub message: String,
    /// The way out, as an imperative sentence.
    pub help: Option<String>,
}

/// One entry of a rule's `ignore` list.
#[derive(Debug, Clone)]
pub struct IgnoreEntry {
    /// The rule whose findings are passed over.
    pub rule: &'static str,
    /// Why.
    pub reason: String,
    /// The bytes of the reason.
    pub reason_span: Span,
    /// The bytes of the first key of the entry, to report the entry at.
    pub span: Span,
    path: Option<PathGlob>,
    kind: Option<String>,
    name: Option<NameGlob>,
    namespace: Option<NameGlob>,
}

impl IgnoreEntry {
    /// True for a finding in this file about this object. The path is relative to the folder of the configuration:
    /// see [`Config::rebased`]. What the object does not state matches no pattern.
    pub fn matches(&self, path: &str, object: Option<&ObjectRef>) -> bool {
        self.path.as_ref().is_none_or(|glob| glob.is_match(path))
            && selects(self.kind.as_deref(), self.name.as_ref(), self.namespace.as_ref(), object)
    }
}

/// What manifests cannot say about a workload. Values that are not written are [`Known::Absent`].
#[derive(Debug, Clone)]
pub struct Workload {
    /// The bytes of the first key of the entry, to report the entry at.
    pub span: Span,
    /// Which phase bounds it.
    pub role: Known<Role>,
    /// True where it has to keep a minimum of ready replicas.
    pub slo_critical: Known<bool>,
    /// The limit on the 99th percentile of the time to first token.
    pub p99_ttft: Known<Duration>,
    /// Requests per second at the peak, above zero.
    pub peak_rps: Known<f64>,
    /// Requests per second that one replica takes within the limit, above zero.
    pub replica_rps: Known<f64>,
    /// From the wish for a replica to its first answer.
    pub cold_start: Known<Duration>,
    kind: Option<String>,
    name: Option<NameGlob>,
    namespace: Option<NameGlob>,
}

impl Workload {
    /// True where the entry is about this object.
    pub fn matches(&self, object: &ObjectRef) -> bool {
        selects(self.kind.as_deref(), self.name.as_ref(), self.namespace.as_ref(), Some(object))
    }
}

/// True where the object has all that is asked for.
fn selects(
    kind: Option<&str>,
    name: Option<&NameGlob>,
    namespace: Option<&NameGlob>,
    object: Option<&ObjectRef>,
) -> bool {
    let Some(object) = object else { return kind.is_none() && name.is_none() && namespace.is_none() };
    let fits = |glob: Option<&NameGlob>, value: Option<&str>| {
        glob.is_none_or(|glob| value.is_some_and(|value| glob.is_match(value)))
    };
    kind.is_none_or(|kind| kind == object.kind)
        && fits(name, object.name.as_deref())
        && fits(namespace, object.namespace.as_deref())
}

/// What holds for one rule.
#[derive(Debug, Clone)]
struct RuleConfig {
    known: KnownRule,
    level: Option<Level>,
    options: BTreeMap<&'static str, OptionValue>,
}

/// The effective configuration: what the file says over what the rules bring.
#[derive(Debug, Clone)]
pub struct Config {
    /// The profile. The command line may choose another.
    pub profile: Profile,
    /// From which severity on the run fails. The command line may choose another.
    pub fail_on: Severity,
    include: Vec<PathGlob>,
    exclude: Vec<PathGlob>,
    rules: BTreeMap<&'static str, RuleConfig>,
    ignores: Vec<IgnoreEntry>,
    workloads: Vec<Workload>,
    prefix: String,
}

/// Reads a configuration file. `file` is the id under which its text is kept, and `known` are the rules that it may
/// name.
///
/// There is always a configuration: what is wrong is left at its default and told in the errors.
pub fn parse(text: &str, file: FileId, known: &[KnownRule]) -> (Config, Vec<ConfigError>) {
    let mut config = Config::new(known);
    match tree::tree(text, file) {
        Ok(tree) => {
            let errors = read::read(&tree, &mut config);
            (config, errors)
        }
        Err(error) => (config, vec![error]),
    }
}

impl Config {
    /// What holds without a file.
    pub fn new(known: &[KnownRule]) -> Config {
        let rule = |known: &KnownRule| RuleConfig {
            known: known.clone(),
            level: None,
            options: known.options.iter().map(|option| (option.name, option.default.clone())).collect(),
        };
        Config {
            profile: Profile::Default,
            fail_on: Severity::Error,
            include: vec![],
            exclude: vec![],
            rules: known.iter().map(|known| (known.id, rule(known))).collect(),
            ignores: vec![],
            workloads: vec![],
            prefix: String::new(),
        }
    }

    /// Says how the working directory, to which reported paths are relative, lies below the folder of the
    /// configuration, to which its patterns are. See [`Found::prefix`].
    pub fn set_prefix(&mut self, prefix: String) {
        self.prefix = prefix;
    }

    /// A reported path as seen from the folder of the configuration.
    pub fn rebased(&self, path: &str) -> String {
        glob::rebase(&self.prefix, path)
    }

    /// True where `include` and `exclude` let this file be read. The path is a reported one.
    pub fn reads(&self, path: &str) -> bool {
        let path = self.rebased(path);
        let included = self.include.is_empty() || self.include.iter().any(|glob| glob.is_match(&path));
        included && !self.exclude.iter().any(|glob| glob.is_match(&path))
    }

    /// True where the walk may enter this folder: `exclude` does not take all that is in it. The path is a reported
    /// one.
    pub fn enters(&self, folder: &str) -> bool {
        let folder = format!("{}/", self.rebased(folder));
        !self.exclude.iter().any(|glob| glob.is_match(&folder))
    }

    /// True where there is a rule with this id.
    pub fn knows(&self, rule: &str) -> bool {
        self.rules.contains_key(rule)
    }

    /// The ids of all rules, sorted.
    pub fn rule_ids(&self) -> impl Iterator<Item = &'static str> {
        self.rules.keys().copied()
    }

    /// The severity of a rule's findings; none where it is switched off or not known. What the file states holds in
    /// every profile.
    pub fn severity(&self, rule: &str, profile: Profile) -> Option<Severity> {
        let rule = self.rules.get(rule)?;
        match (rule.level, profile) {
            (Some(level), _) => level.severity(),
            (None, Profile::Default) => Some(rule.known.severity),
            (None, Profile::Strict) => Some(rule.known.strict),
        }
    }

    /// The value of an option: the file's or the default. None where the rule has no such option.
    pub fn option(&self, rule: &str, name: &str) -> Option<&OptionValue> {
        self.rules.get(rule)?.options.get(name)
    }

    /// The value of an option of [`OptionType::Duration`].
    pub fn option_duration(&self, rule: &str, name: &str) -> Option<Duration> {
        match self.option(rule, name)? {
            OptionValue::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    /// The value of an option of [`OptionType::Text`].
    pub fn option_text(&self, rule: &str, name: &str) -> Option<&str> {
        match self.option(rule, name)? {
            OptionValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of an option of [`OptionType::Int`].
    pub fn option_int(&self, rule: &str, name: &str) -> Option<i64> {
        match self.option(rule, name)? {
            OptionValue::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The value of an option of [`OptionType::List`].
    pub fn option_list(&self, rule: &str, name: &str) -> Option<&[String]> {
        match self.option(rule, name)? {
            OptionValue::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of an option of [`OptionType::Bool`].
    pub fn option_bool(&self, rule: &str, name: &str) -> Option<bool> {
        match self.option(rule, name)? {
            OptionValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The `ignore` entries of all rules, in the order written.
    pub fn ignores(&self) -> &[IgnoreEntry] {
        &self.ignores
    }

    /// The entries of `slo.workloads`, in the order written.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// What `slo.workloads` says about an object: the first entry that fits.
    pub fn workload(&self, object: &ObjectRef) -> Option<&Workload> {
        self.workloads.iter().find(|workload| workload.matches(object))
    }

    /// The effective configuration as a file, for `--show-config`. Reading it again gives the same configuration.
    pub fn show(&self, profile: Profile) -> String {
        write::show(self, profile)
    }
}

/// Rules for tests, here and in the modules that need a configuration.
#[cfg(test)]
pub(crate) fn sample_rules() -> Vec<KnownRule> {
    let option = |name, ty: OptionType, default: &str| KnownOption {
        name,
        ty,
        default: ty.read(default).unwrap(),
        text: format!("Text of {name}."),
    };
    let rule = |id, severity, strict, options| KnownRule {
        id,
        summary: format!("summary of {id}"),
        severity,
        strict,
        options,
    };
    use Severity::{Error, Info, Warning};
    let options = vec![
        option("delay", OptionType::Duration, "1h"),
        option("label", OptionType::Text, "kai: queue"),
        option("count", OptionType::Int, "3"),
        option("names", OptionType::List, "[a, b c]"),
        option("static", OptionType::Bool, "false"),
    ];
    vec![
        rule("gang-missing", Error, Error, vec![]),
        rule("gang-missing-single-pod", Warning, Error, vec![]),
        rule("scale-on-gpu-memory", Error, Error, vec![]),
        rule("gpu-pool-consolidate-after", Warning, Error, options),
        rule("monitoring-missing", Info, Info, vec![]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let (config, errors) = parse(text, FileId(0), &sample_rules());
        assert_eq!(errors, [], "{text}");
        config
    }

    fn object(short: &str) -> ObjectRef {
        let words: Vec<Option<String>> =
            short.split(' ').map(|word| (word != "-").then(|| word.to_owned())).collect();
        ObjectRef {
            api_version: "v1".to_owned(),
            kind: words[0].clone().unwrap(),
            namespace: words[1].clone(),
            name: words[2].clone(),
        }
    }

    #[test]
    fn the_severity_is_the_files_then_the_profiles() {
        let check = |text: &str, rule: &str, default: Option<Severity>, strict: Option<Severity>| {
            let config = config(text);
            let found = (config.severity(rule, Profile::Default), config.severity(rule, Profile::Strict));
            assert_eq!(found, (default, strict), "{text}");
        };
        use Severity::{Error, Info, Warning};
        let rule = "gang-missing-single-pod";
        check("", rule, Some(Warning), Some(Error));
        check("rules: {gang-missing-single-pod: {severity: info}}", rule, Some(Info), Some(Info));
        check("rules: {gang-missing-single-pod: {severity: off}}", rule, None, None);
        check("rules: {gang-missing: {severity: off}}", rule, Some(Warning), Some(Error));
        check("", "no-such-rule", None, None);
    }

    #[test]
    fn options_are_the_files_or_the_default() {
        let rule = "gpu-pool-consolidate-after";
        let values = |config: &Config| {
            (
                config.option_duration(rule, "delay"),
                config.option_text(rule, "label").map(str::to_owned),
                config.option_int(rule, "count"),
                config.option_list(rule, "names").map(<[String]>::to_vec),
                config.option_bool(rule, "static"),
            )
        };
        let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
        let default = config("");
        let hour = Some(Duration::from_secs(3600));
        let label = Some("kai: queue".to_owned());
        assert_eq!(values(&default), (hour, label, Some(3), list(&["a", "b c"]), Some(false)));
        let written = config(
            "rules:\n  gpu-pool-consolidate-after:\n    options:\n      delay: 90m\n      label: 5\n      \
             count: -1\n      names: []\n      static: true\n",
        );
        let delay = Some(Duration::from_secs(5400));
        assert_eq!(values(&written), (delay, Some("5".to_owned()), Some(-1), list(&[]), Some(true)));
        assert_eq!(default.option_int(rule, "delay"), None);
        assert_eq!(default.option_int(rule, "no-such-option"), None);
        assert_eq!(default.option_int("gang-missing", "delay"), None);
    }

    #[test]
    fn an_ignore_entry_holds_where_all_it_states_is_true() {
        let check = |entry: &str, path: &str, short: &str, expect: bool| {
            let text = format!("rules: {{gang-missing: {{ignore: [{{{entry}, reason: x}}]}}}}");
            let object = (!short.is_empty()).then(|| object(short));
            assert_eq!(config(&text).ignores()[0].matches(path, object.as_ref()), expect, "{entry} {short}");
        };
        check("path: a/", "a/b.yaml", "", true);
        check("path: a/", "b.yaml", "", false);
        check("path: a/, kind: Pod", "a/b.yaml", "", false);
        check("path: a/, kind: Pod", "a/b.yaml", "Pod - -", true);
        check("kind: Pod", "x", "Pods - -", false);
        check("kind: Pod", "x", "pod - -", false);
        check("name: llm-*", "x", "Pod - llm-a", true);
        check("name: llm-*", "x", "Pod - -", false);
        check("name: llm-*, namespace: prod", "x", "Pod prod llm-a", true);
        check("name: llm-*, namespace: prod", "x", "Pod dev llm-a", false);
        check("name: llm-*, namespace: prod", "x", "Pod - llm-a", false);
        check("namespace: '*'", "x", "Pod prod a", true);
    }

    #[test]
    fn the_first_workload_that_fits_counts() {
        let config = config(
            "slo:\n  workloads:\n  - name: llm\n    kind: Deployment\n    p99-ttft: 1500ms\n    slo-critical: true\n  \
             - name: '*'\n    role: decode-bound\n    peak-rps: 2.5\n",
        );
        let first = config.workload(&object("Deployment prod llm")).unwrap();
        assert_eq!(first.p99_ttft.value(), Some(&Duration::from_millis(1500)));
        assert_eq!(first.slo_critical.value(), Some(&true));
        assert_eq!((&first.role, &first.peak_rps), (&Known::Absent, &Known::Absent));
        let second = config.workload(&object("StatefulSet prod llm")).unwrap();
        assert_eq!((second.role.value(), second.peak_rps.value()), (Some(&Role::DecodeBound), Some(&2.5)));
        assert!(config.workload(&object("Pod - -")).is_none());
    }

    #[test]
    fn files_are_chosen_as_seen_from_the_configuration() {
        let mut config = config("include: ['deploy/**', '*.yml']\nexclude: [vendor/, /deploy/x.yaml]");
        let files =
            ["deploy/a.yaml", "b.yml", "c.yaml", "vendor/b.yml", "deploy/vendor/a.yaml", "deploy/x.yaml"];
        let read: Vec<&str> = files.into_iter().filter(|path| config.reads(path)).collect();
        assert_eq!(read, ["deploy/a.yaml", "b.yml"]);
        let entered: Vec<&str> =
            ["deploy", "x/vendor", "vendored", "."].into_iter().filter(|path| config.enters(path)).collect();
        assert_eq!(entered, ["deploy", "vendored", "."]);
        config.set_prefix("deploy".to_owned());
        assert!(config.reads("a.yaml") && !config.reads("x.yaml") && !config.reads("../c.yaml"));
        assert!(super::Config::new(&[]).reads("anything"));
    }
}
