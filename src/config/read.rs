//! From the tree to the configuration, with an error for everything that cannot be used.

use super::keys::{IGNORE, RULE, SLO, Setting, TOP, WORKLOAD};
use super::tree::{Key, Kind, Style, Value};
use super::{
    Config, ConfigError, IgnoreEntry, KnownOption, Level, NameGlob, OptionType, OptionValue, PathGlob,
    Profile, Role, Workload, nearest, parse_duration,
};
use crate::diagnostic::Severity;
use crate::known::Known;
use crate::source::Span;
use std::time::Duration;

pub(super) const PROFILES: &[(&str, Profile)] = &[("default", Profile::Default), ("strict", Profile::Strict)];
pub(super) const SEVERITIES: &[(&str, Severity)] =
    &[("error", Severity::Error), ("warning", Severity::Warning), ("info", Severity::Info)];
pub(super) const LEVELS: &[(&str, Level)] =
    &[("error", Level::Error), ("warning", Level::Warning), ("info", Level::Info), ("off", Level::Off)];
pub(super) const ROLES: &[(&str, Role)] =
    &[("prefill-bound", Role::PrefillBound), ("decode-bound", Role::DecodeBound), ("mixed", Role::Mixed)];

/// Puts what the file says into `config`, which holds the defaults, and returns what cannot be used.
pub(super) fn read(tree: &Value, config: &mut Config) -> Vec<ConfigError> {
    let mut reader = Reader { errors: vec![] };
    reader.top(tree, config);
    reader.errors.sort_by_key(|error| (error.span.start, error.span.end));
    reader.errors
}

struct Reader {
    errors: Vec<ConfigError>,
}

impl Reader {
    fn top(&mut self, tree: &Value, config: &mut Config) {
        for (setting, value) in self.settings(tree, "the configuration", TOP) {
            match setting.name {
                "profile" => set(&mut config.profile, self.word(setting.name, value, PROFILES)),
                "fail-on" => set(&mut config.fail_on, self.word(setting.name, value, SEVERITIES)),
                "include" => config.include = self.path_globs(setting.name, value),
                "exclude" => config.exclude = self.path_globs(setting.name, value),
                "rules" => self.rules(value, config),
                "slo" => self.slo(value, config),
                _ => {}
            }
        }
    }

    fn rules(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.entries(value, "`rules`") {
            let known = config.rules.get(key.name.as_str()).map(|rule| rule.known.clone());
            let Some(known) = known else {
                let help = nearest(&key.name, config.rule_ids()).map(|id| format!("did you mean `{id}`?"));
                self.error(key.span, format!("there is no rule `{}`", key.name), help);
                continue;
            };
            if let Kind::Scalar(text, _) = &value.kind {
                let help = LEVELS
                    .iter()
                    .any(|(word, _)| word == text)
                    .then(|| format!("write `{}: {{severity: {text}}}`", key.name));
                self.error(value.span, format!("`{}` takes a mapping", key.name), help);
                continue;
            }
            for (setting, value) in self.settings(value, &format!("`{}`", key.name), RULE) {
                match setting.name {
                    "severity" => {
                        let level = self.word(setting.name, value, LEVELS);
                        if let (Some(level), Some(rule)) = (level, config.rules.get_mut(known.id)) {
                            rule.level = Some(level);
                        }
                    }
                    "options" => {
                        for (name, value) in self.options(known.id, value, &known.options) {
                            if let Some(rule) = config.rules.get_mut(known.id) {
                                rule.options.insert(name, value);
                            }
                        }
                    }
                    "ignore" => {
                        for item in self.items(value, "`ignore`") {
                            config.ignores.extend(self.ignore(known.id, item));
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn options(
        &mut self,
        rule: &str,
        value: &Value,
        known: &[KnownOption],
    ) -> Vec<(&'static str, OptionValue)> {
        let mut options = Vec::new();
        for (key, value) in self.entries(value, "`options`") {
            let Some(option) = known.iter().find(|option| option.name == key.name) else {
                let names: Vec<&str> = known.iter().map(|option| option.name).collect();
                let help = match nearest(&key.name, names.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None if names.is_empty() => "take it out: the rule has no options".to_owned(),
                    None => format!("its options are {}", listed(&names)),
                };
                self.error(key.span, format!("`{rule}` has no option `{}`", key.name), Some(help));
                continue;
            };
            options.extend(self.option(option, value).map(|value| (option.name, value)));
        }
        options
    }

    fn option(&mut self, option: &KnownOption, value: &Value) -> Option<OptionValue> {
        match option.ty {
            OptionType::Bool => self.bool(option.name, value).map(OptionValue::Bool),
            OptionType::Text => self.any_text(option.name, value).map(OptionValue::Text),
            OptionType::Duration => self.duration(option.name, value).map(OptionValue::Duration),
            OptionType::Int => {
                let number = plain(value).and_then(|text| text.parse().ok());
                self.expected(number, option.name, value, option.ty.expected()).map(OptionValue::Int)
            }
            OptionType::List => {
                let items = self.items(value, &format!("`{}`", option.name));
                let texts: Vec<Option<String>> =
                    items.into_iter().map(|item| self.any_text(option.name, item)).collect();
                let whole = matches!(value.kind, Kind::Seq(_) | Kind::Null);
                texts.into_iter().collect::<Option<Vec<String>>>().filter(|_| whole).map(OptionValue::List)
            }
        }
    }

    fn ignore(&mut self, rule: &'static str, value: &Value) -> Option<IgnoreEntry> {
        let before = self.errors.len();
        let mut entry = IgnoreEntry {
            rule,
            reason: String::new(),
            reason_span: value.span,
            span: head(value),
            path: None,
            kind: None,
            name: None,
            namespace: None,
        };
        let settings = self.settings(value, "an `ignore` entry", IGNORE);
        let selects = settings.iter().any(|(setting, _)| setting.name != "reason");
        for (setting, value) in settings {
            match setting.name {
                "path" => entry.path = self.path_glob(setting.name, value),
                "kind" => entry.kind = self.text(setting.name, value),
                "name" => entry.name = self.name_glob(setting.name, value),
                "namespace" => entry.namespace = self.name_glob(setting.name, value),
                "reason" => {
                    entry.reason = self.text(setting.name, value).unwrap_or_default();
                    entry.reason_span = value.span;
                }
                _ => {}
            }
        }
        // An entry of which a part is lost would pass over more than was asked for.
        if self.errors.len() > before {
            return None;
        }
        if !selects {
            let help = "state `path`, `kind`, `name` or `namespace`, or set the severity to `off`".to_owned();
            self.error(entry.span, "the entry says nothing about where".to_owned(), Some(help));
            return None;
        }
        Some(entry)
    }

    fn slo(&mut self, value: &Value, config: &mut Config) {
        for (setting, value) in self.settings(value, "`slo`", SLO) {
            if setting.name == "workloads" {
                for item in self.items(value, "`workloads`") {
                    config.workloads.extend(self.workload(item));
                }
            }
        }
    }

    fn workload(&mut self, value: &Value) -> Option<Workload> {
        let before = self.errors.len();
        let mut workload = Workload {
            span: head(value),
            role: Known::Absent,
            slo_critical: Known::Absent,
            p99_ttft: Known::Absent,
            peak_rps: Known::Absent,
            replica_rps: Known::Absent,
            cold_start: Known::Absent,
            kind: None,
            name: None,
            namespace: None,
        };
        for (setting, value) in self.settings(value, "a workload", WORKLOAD) {
            let (name, span) = (setting.name, value.span);
            match name {
                "kind" => workload.kind = self.text(name, value),
                "name" => workload.name = self.name_glob(name, value),
                "namespace" => workload.namespace = self.name_glob(name, value),
                "role" => workload.role = known(self.word(name, value, ROLES), span),
                "slo-critical" => workload.slo_critical = known(self.bool(name, value), span),
                "p99-ttft" => workload.p99_ttft = known(self.above_zero(name, value), span),
                "peak-rps" => workload.peak_rps = known(self.rate(name, value), span),
                "replica-rps" => workload.replica_rps = known(self.rate(name, value), span),
                "cold-start" => workload.cold_start = known(self.above_zero(name, value), span),
                _ => {}
            }
        }
        (self.errors.len() == before).then_some(workload)
    }

    /// The entries of a mapping without repeated keys. Nothing is an empty mapping.
    fn entries<'v>(&mut self, value: &'v Value, what: &str) -> Vec<&'v (Key, Value)> {
        match &value.kind {
            Kind::Null => vec![],
            Kind::Map(entries) => {
                let mut unique: Vec<&(Key, Value)> = Vec::new();
                for entry in entries {
                    if unique.iter().any(|(key, _)| key.name == entry.0.name) {
                        let help = Some("merge the two".to_owned());
                        self.error(entry.0.span, format!("`{}` is written twice", entry.0.name), help);
                    } else {
                        unique.push(entry);
                    }
                }
                unique
            }
            _ => {
                self.error(value.span, format!("{what} takes a mapping"), None);
                vec![]
            }
        }
    }

    /// The entries of a mapping whose keys are settings. Keys that are none are errors, and so are those left out that
    /// are required.
    fn settings<'v>(
        &mut self,
        value: &'v Value,
        what: &str,
        settings: &'static [Setting],
    ) -> Vec<(&'static Setting, &'v Value)> {
        let mut found: Vec<(&Setting, &Value)> = Vec::new();
        for (key, value) in self.entries(value, what) {
            if let Some(setting) = settings.iter().find(|setting| setting.name == key.name) {
                found.push((setting, value));
                continue;
            }
            let names: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
            let help = match nearest(&key.name, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("its keys are {}", listed(&names)),
            };
            self.error(key.span, format!("{what} has no key `{}`", key.name), Some(help));
        }
        // A value of another kind has been reported.
        if matches!(value.kind, Kind::Map(_) | Kind::Null) {
            for missing in settings.iter().filter(|s| s.required) {
                if !found.iter().any(|(setting, _)| setting.name == missing.name) {
                    self.error(head(value), format!("{what} needs a `{}`", missing.name), None);
                }
            }
        }
        found
    }

    /// The items of a list. Nothing is an empty list.
    fn items<'v>(&mut self, value: &'v Value, what: &str) -> Vec<&'v Value> {
        match &value.kind {
            Kind::Null => vec![],
            Kind::Seq(items) => items.iter().collect(),
            kind => {
                let scalar = matches!(kind, Kind::Scalar(..));
                let help = scalar.then(|| "put brackets around it".to_owned());
                self.error(value.span, format!("{what} takes a list"), help);
                vec![]
            }
        }
    }

    fn word<T: Copy>(&mut self, name: &str, value: &Value, words: &[(&str, T)]) -> Option<T> {
        let text = scalar(value).unwrap_or("");
        if let Some((_, found)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*found);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = nearest(text, names.iter().copied()).map(|word| format!("did you mean `{word}`?"));
        self.error(value.span, format!("`{name}` takes {}", listed(&names)), help);
        None
    }

    /// A text that is not empty. A number or a boolean is text as it is written.
    fn text(&mut self, name: &str, value: &Value) -> Option<String> {
        let text = scalar(value).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        self.expected(text, name, value, OptionType::Text.expected())
    }

    /// A text as written, which quotes may leave empty.
    fn any_text(&mut self, name: &str, value: &Value) -> Option<String> {
        self.expected(scalar(value).map(str::to_owned), name, value, OptionType::Text.expected())
    }

    fn bool(&mut self, name: &str, value: &Value) -> Option<bool> {
        let found = plain(value).and_then(|text| text.parse().ok());
        self.expected(found, name, value, OptionType::Bool.expected())
    }

    fn duration(&mut self, name: &str, value: &Value) -> Option<Duration> {
        let duration = scalar(value).and_then(parse_duration);
        self.expected(duration, name, value, OptionType::Duration.expected())
    }

    fn above_zero(&mut self, name: &str, value: &Value) -> Option<Duration> {
        let duration = self.duration(name, value)?;
        self.expected(Some(duration).filter(|d| !d.is_zero()), name, value, "a duration above zero")
    }

    fn rate(&mut self, name: &str, value: &Value) -> Option<f64> {
        let number = plain(value).and_then(|text| text.parse().ok());
        let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
        self.expected(number, name, value, "a number above zero")
    }

    fn path_globs(&mut self, name: &str, value: &Value) -> Vec<PathGlob> {
        let items = self.items(value, &format!("`{name}`"));
        items.into_iter().filter_map(|item| self.path_glob(name, item)).collect()
    }

    fn path_glob(&mut self, name: &str, value: &Value) -> Option<PathGlob> {
        let text = self.text(name, value)?;
        PathGlob::new(&text).map_err(|message| self.error(value.span, message, None)).ok()
    }

    fn name_glob(&mut self, name: &str, value: &Value) -> Option<NameGlob> {
        let text = self.text(name, value)?;
        NameGlob::new(&text).map_err(|message| self.error(value.span, message, None)).ok()
    }

    /// The value, or an error that says what the key takes.
    fn expected<T>(&mut self, found: Option<T>, name: &str, value: &Value, expected: &str) -> Option<T> {
        if found.is_none() {
            let quoted = matches!(value.kind, Kind::Scalar(_, Style::Quoted)) && !expected.contains("text");
            let help = quoted.then(|| "take the quotes away if it is what it looks like".to_owned());
            self.error(value.span, format!("`{name}` takes {expected}"), help);
        }
        found
    }

    fn error(&mut self, span: Span, message: String, help: Option<String>) {
        self.errors.push(ConfigError { span, message, help });
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn known<T>(value: Option<T>, span: Span) -> Known<T> {
    value.map_or(Known::Absent, |value| Known::Set(value, span))
}

fn scalar(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::Scalar(text, _) => Some(text),
        _ => None,
    }
}

/// A scalar without quotes, which may be a number or a boolean.
fn plain(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::Scalar(text, Style::Plain) => Some(text),
        _ => None,
    }
}

/// The first key of a mapping, so that a label does not cover all of it.
fn head(value: &Value) -> Span {
    match &value.kind {
        Kind::Map(entries) => entries.first().map_or(value.span, |(key, _)| key.span),
        _ => value.span,
    }
}

/// "`a`, `b` or `c`".
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Shape;
    use super::super::{parse, sample_rules};
    use super::*;
    use crate::source::FileId;

    /// What is wrong, one line each: the bytes, the message and the help.
    fn errors(text: &str) -> Vec<String> {
        let (_, errors) = parse(text, FileId(0), &sample_rules());
        errors
            .into_iter()
            .map(|error| {
                let help = error.help.map_or_else(String::new, |help| format!("; {help}"));
                format!("{}: {}{help}", text.get(error.span.range()).unwrap(), error.message)
            })
            .collect()
    }

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(errors(text), expect, "{text}");
    }

    #[test]
    fn what_is_right_has_no_errors() {
        check("", &[]);
        check("# x", &[]);
        check("{}", &[]);
        check("profile: strict\nfail-on: \"info\"\ninclude:\nexclude: []\nrules:\nslo:\n", &[]);
        check(
            "rules:\n  gang-missing:\n  scale-on-gpu-memory: {severity: off, options: , ignore: []}\n",
            &[],
        );
        check("\u{feff}profile: strict\r\n", &[]);
    }

    #[test]
    fn keys_that_do_not_exist_are_errors() {
        let top = "its keys are `profile`, `fail-on`, `include`, `exclude`, `rules` or `slo`";
        check("profil: strict", &["profil: the configuration has no key `profil`; did you mean `profile`?"]);
        check("failOn: info", &["failOn: the configuration has no key `failOn`; did you mean `fail-on`?"]);
        check("colour: red", &[&format!("colour: the configuration has no key `colour`; {top}")]);
        check("\"é\": 1", &[&format!("\"é\": the configuration has no key `é`; {top}")]);
        check("profile: strict\nprofile: default", &["profile: `profile` is written twice; merge the two"]);
        check(
            "rules: {gang-mising: {}}",
            &["gang-mising: there is no rule `gang-mising`; did you mean `gang-missing`?"],
        );
        check("rules: {foo: {}}", &["foo: there is no rule `foo`"]);
        check(
            "rules: {gang-missing: {severty: off}}",
            &["severty: `gang-missing` has no key `severty`; did you mean `severity`?"],
        );
        check(
            "rules: {gang-missing: {options: {delay: 1h}}}",
            &["delay: `gang-missing` has no option `delay`; take it out: the rule has no options"],
        );
        let rule = "`gpu-pool-consolidate-after` has no option";
        check(
            "rules: {gpu-pool-consolidate-after: {options: {delya: 1h, foo: 1}}}",
            &[
                &format!("delya: {rule} `delya`; did you mean `delay`?"),
                &format!("foo: {rule} `foo`; its options are `delay`, `label`, `count`, `names` or `static`"),
            ],
        );
    }

    #[test]
    fn values_of_another_type_are_errors() {
        check("[]", &["[]: the configuration takes a mapping"]);
        check("x", &["x: the configuration takes a mapping"]);
        check("profile: stict", &["stict: `profile` takes `default` or `strict`; did you mean `strict`?"]);
        check("fail-on: fatal", &["fatal: `fail-on` takes `error`, `warning` or `info`"]);
        check("fail-on: off", &["off: `fail-on` takes `error`, `warning` or `info`"]);
        check("fail-on: [error]", &["[error]: `fail-on` takes `error`, `warning` or `info`"]);
        check("exclude: vendor", &["vendor: `exclude` takes a list; put brackets around it"]);
        check("exclude: [{}]", &["{}: `exclude` takes a text"]);
        check(
            "exclude: ['a[', '']",
            &["'a[': not a pattern: unclosed character class; missing ']'", "'': `exclude` takes a text"],
        );
        check("rules: [gang-missing]", &["[gang-missing]: `rules` takes a mapping"]);
        check(
            "rules: {gang-missing: off}",
            &["off: `gang-missing` takes a mapping; write `gang-missing: {severity: off}`"],
        );
        check("rules: {gang-missing: x}", &["x: `gang-missing` takes a mapping"]);
        check(
            "rules: {gang-missing: {severity: }}",
            &[": `severity` takes `error`, `warning`, `info` or `off`"],
        );
        let option = |option: &str, expect: &str| {
            check(&format!("rules: {{gpu-pool-consolidate-after: {{options: {{{option}}}}}}}"), &[expect]);
        };
        let quotes = "take the quotes away if it is what it looks like";
        option("delay: 1 hour", "1 hour: `delay` takes a duration such as `1h30m` or `500ms`");
        option("delay: 60", "60: `delay` takes a duration such as `1h30m` or `500ms`");
        option("count: \"3\"", &format!("\"3\": `count` takes a whole number; {quotes}"));
        option("count: 3.5", "3.5: `count` takes a whole number");
        option("static: yes", "yes: `static` takes `true` or `false`");
        option("static: 'true'", &format!("'true': `static` takes `true` or `false`; {quotes}"));
        option("label: [a]", "[a]: `label` takes a text");
        option("label: ", ": `label` takes a text");
        option("names: a", "a: `names` takes a list; put brackets around it");
        check("rules: {gpu-pool-consolidate-after: {options: {label: '', names: ['', ' a']}}}", &[]);
        option("names: [a, [b]]", "[b]: `names` takes a text");
    }

    #[test]
    fn an_ignore_entry_needs_a_reason_and_a_place() {
        let entry = |entry: &str, expect: &[&str]| {
            check(&format!("rules: {{gang-missing: {{ignore: [{entry}]}}}}"), expect);
        };
        entry("{path: a, reason: x}", &[]);
        entry("{path: a}", &["path: an `ignore` entry needs a `reason`"]);
        entry("{path: a, reason: ''}", &["'': `reason` takes a text"]);
        entry("{path: a, reason: ' '}", &["' ': `reason` takes a text"]);
        let nowhere = "state `path`, `kind`, `name` or `namespace`, or set the severity to `off`";
        entry("{reason: x}", &[&format!("reason: the entry says nothing about where; {nowhere}")]);
        entry("{}", &["{}: an `ignore` entry needs a `reason`"]);
        entry("a", &["a: an `ignore` entry takes a mapping"]);
        entry(
            "{file: a, reason: x}",
            &[
                "file: an `ignore` entry has no key `file`; its keys are `path`, `kind`, `name`, `namespace` or `reason`",
            ],
        );
        entry("{path: ../a, reason: x}", &["../a: the pattern leads out of the folder of the configuration"]);
    }

    #[test]
    fn a_broken_entry_ignores_nothing() {
        let text =
            "rules: {gang-missing: {ignore: [{path: 'a[', kind: Pod, reason: x}, {kind: Job, reason: y}]}}";
        let (config, errors) = parse(text, FileId(0), &sample_rules());
        assert_eq!((errors.len(), config.ignores().len()), (1, 1));
        assert_eq!(config.ignores()[0].reason, "y");
        assert_eq!(text.get(config.ignores()[0].span.range()).unwrap(), "kind");
        assert_eq!(text.get(config.ignores()[0].reason_span.range()).unwrap(), "y");
    }

    #[test]
    fn workloads_take_numbers_above_zero() {
        let entry =
            |entry: &str, expect: &[&str]| check(&format!("slo: {{workloads: [{{{entry}}}]}}"), expect);
        entry(
            "name: a, peak-rps: 10, replica-rps: 1.5, cold-start: 7m, role: mixed, slo-critical: false",
            &[],
        );
        entry("kind: Deployment", &["kind: a workload needs a `name`"]);
        entry("name: a, peak-rps: 0", &["0: `peak-rps` takes a number above zero"]);
        entry("name: a, peak-rps: -1", &["-1: `peak-rps` takes a number above zero"]);
        entry("name: a, peak-rps: inf", &["inf: `peak-rps` takes a number above zero"]);
        entry("name: a, peak-rps: NaN", &["NaN: `peak-rps` takes a number above zero"]);
        entry("name: a, cold-start: 0s", &["0s: `cold-start` takes a duration above zero"]);
        entry("name: a, p99-ttft: 1.5", &["1.5: `p99-ttft` takes a duration such as `1h30m` or `500ms`"]);
        entry(
            "name: a, role: prefill",
            &["prefill: `role` takes `prefill-bound`, `decode-bound` or `mixed`"],
        );
        entry("name: a, slo-critical: no", &["no: `slo-critical` takes `true` or `false`"]);
    }

    #[test]
    fn a_broken_workload_or_option_is_left_out() {
        let (config, errors) =
            parse("slo: {workloads: [{name: a, role: x}, {name: b}]}", FileId(0), &sample_rules());
        assert_eq!((errors.len(), config.workloads().len()), (1, 1));
        let text = "rules: {gpu-pool-consolidate-after: {options: {names: c}}}";
        let (config, errors) = parse(text, FileId(0), &sample_rules());
        let names = config.option_list("gpu-pool-consolidate-after", "names").map(<[String]>::len);
        assert_eq!((errors.len(), names), (1, Some(2)));
    }

    #[test]
    fn several_errors_come_in_order_and_the_rest_holds() {
        check(
            "profile: x\nrules: y\nfoo: z",
            &[
                "x: `profile` takes `default` or `strict`",
                "y: `rules` takes a mapping",
                "foo: the configuration has no key `foo`; its keys are `profile`, `fail-on`, `include`, `exclude`, `rules` or \
             `slo`",
            ],
        );
        let text = "slo: []\nfail-on: x\nprofile: strict\nrules: {x: {}, gang-missing: {severity: info}}\n";
        let (config, errors) = parse(text, FileId(0), &sample_rules());
        let starts: Vec<u32> = errors.iter().map(|error| error.span.start).collect();
        assert_eq!(starts, [5, 17, 43]);
        assert_eq!(config.profile, Profile::Strict);
        assert_eq!(config.fail_on, Severity::Error);
        assert_eq!(config.severity("gang-missing", Profile::Strict), Some(Severity::Info));
    }

    /// A key of a table that the reader forgets would take anything without an error.
    #[test]
    fn every_key_is_read() {
        let check = |settings: &[Setting], wrap: &dyn Fn(&str) -> String| {
            for setting in settings {
                // A value that no shape takes.
                let wrong = if setting.shape == Shape::Options { "[]" } else { "[[a]]" };
                let found = errors(&wrap(&format!("{}: {wrong}", setting.name)));
                assert!(found.iter().any(|error| error.contains("takes")), "{}: {found:?}", setting.name);
            }
        };
        check(TOP, &str::to_owned);
        check(RULE, &|key| format!("rules: {{gang-missing: {{{key}}}}}"));
        check(IGNORE, &|key| format!("rules: {{gang-missing: {{ignore: [{{{key}}}]}}}}"));
        check(SLO, &|key| format!("slo: {{{key}}}"));
        check(WORKLOAD, &|key| format!("slo: {{workloads: [{{{key}}}]}}"));
    }
}
