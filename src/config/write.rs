//! Configuration files that the program writes: the starter of `gpulint init` and the answer to `--show-config`.

use super::keys::TOP;
use super::{Config, KnownRule, OptionValue, Profile, RuleConfig, Workload, format_duration};
use std::fmt::Display;

/// The file that `gpulint init` writes: everything it may say, commented out at its default. Lines with `##` are prose,
/// lines with `#` become settings when the mark is taken away.
pub fn starter(known: &[KnownRule]) -> String {
    let mut out = Lines::default();
    out.push(
        0,
        "## Configuration of gpulint. What is commented out shows the default: to change a setting, take the",
    );
    out.push(0, "## `# ` away in front of it and of the lines above that it belongs to.");
    for setting in TOP {
        out.push(0, "");
        out.push(0, format!("## {}", setting.text));
        match setting.name {
            "profile" => out.push(0, "profile: default"),
            "fail-on" => out.push(0, "# fail-on: error"),
            "rules" => starter_rules(&mut out, known),
            "slo" => starter_slo(&mut out),
            name => out.push(0, format!("# {name}: []")),
        }
    }
    out.text
}

fn starter_rules(out: &mut Lines, known: &[KnownRule]) {
    out.push(0, "## A severity is `error`, `warning`, `info` or `off`. To pass over single findings, write under a rule:");
    out.push(0, "##     ignore:");
    out.push(0, "##       - path: vendor/");
    out.push(0, "##         kind: Deployment");
    out.push(0, "##         name: \"llm-*\"");
    out.push(0, "##         reason: the chart of the vendor, reported to them");
    out.push(0, "# rules:");
    for rule in known {
        out.push(0, format!("##   {}", one_line(&rule.summary)));
        out.push(0, format!("#   {}:", rule.id));
        out.push(0, format!("#     severity: {}", rule.severity.word()));
        if !rule.options.is_empty() {
            out.push(0, "#     options:");
        }
        for option in &rule.options {
            out.push(0, format!("##       {}", one_line(&option.text)));
            out.push(0, format!("#       {}: {}", option.name, shown(&option.default)));
        }
    }
}

fn starter_slo(out: &mut Lines) {
    for line in [
        "# slo:",
        "#   workloads:",
        "#     - kind: Deployment",
        "#       name: llm",
        "#       namespace: prod",
        "#       role: mixed",
        "#       slo-critical: true",
        "#       p99-ttft: 1500ms",
        "#       peak-rps: 10",
        "#       replica-rps: 1.5",
        "#       cold-start: 7m",
    ] {
        out.push(0, line);
    }
}

/// The effective configuration. Rules that only exist are listed too, so that their severity can be read off.
pub(super) fn show(config: &Config, profile: Profile) -> String {
    let mut out = Lines::default();
    out.push(0, format!("profile: {}", profile.word()));
    out.push(0, format!("fail-on: {}", config.fail_on.word()));
    for (name, globs) in [("include", &config.include), ("exclude", &config.exclude)] {
        let globs: Vec<String> = globs.iter().map(|glob| quoted(&glob.text)).collect();
        out.push(0, format!("{name}: [{}]", globs.join(", ")));
    }
    out.push(0, if config.rules.is_empty() { "rules: {}" } else { "rules:" });
    for (id, rule) in &config.rules {
        let severity = config.severity(id, profile).map_or("off", |severity| severity.word());
        out.push(1, format!("{id}:"));
        out.push(2, format!("severity: {severity}"));
        show_options(&mut out, rule);
        show_ignores(&mut out, config, id);
    }
    if !config.workloads.is_empty() {
        out.push(0, "slo:");
        out.push(1, "workloads:");
        for workload in &config.workloads {
            show_workload(&mut out, workload);
        }
    }
    out.text
}

fn show_options(out: &mut Lines, rule: &RuleConfig) {
    if rule.options.is_empty() {
        return;
    }
    out.push(2, "options:");
    for (name, value) in &rule.options {
        out.push(3, format!("{name}: {}", shown(value)));
    }
}

fn show_ignores(out: &mut Lines, config: &Config, rule: &str) {
    let mut entries = config.ignores.iter().filter(|entry| entry.rule == rule).peekable();
    if entries.peek().is_some() {
        out.push(2, "ignore:");
    }
    for entry in entries {
        out.push_item(
            3,
            &[
                ("path", entry.path.as_ref().map(|glob| quoted(&glob.text))),
                ("kind", entry.kind.as_deref().map(quoted)),
                ("name", entry.name.as_ref().map(|glob| quoted(&glob.text))),
                ("namespace", entry.namespace.as_ref().map(|glob| quoted(&glob.text))),
                ("reason", Some(quoted(&entry.reason))),
            ],
        );
    }
}

fn show_workload(out: &mut Lines, workload: &Workload) {
    let number = |number: &f64| number.to_string();
    out.push_item(
        2,
        &[
            ("kind", workload.kind.as_deref().map(quoted)),
            ("name", workload.name.as_ref().map(|glob| quoted(&glob.text))),
            ("namespace", workload.namespace.as_ref().map(|glob| quoted(&glob.text))),
            ("role", workload.role.set().map(|role| role.word().to_owned())),
            ("slo-critical", workload.slo_critical.set().map(bool::to_string)),
            ("p99-ttft", workload.p99_ttft.set().map(|d| format_duration(*d))),
            ("peak-rps", workload.peak_rps.set().map(number)),
            ("replica-rps", workload.replica_rps.set().map(number)),
            ("cold-start", workload.cold_start.set().map(|d| format_duration(*d))),
        ],
    );
}

/// The lines of a file, two spaces for each step inwards.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn push(&mut self, depth: usize, line: impl Display) {
        let line = line.to_string();
        if !line.is_empty() {
            self.text.push_str(&"  ".repeat(depth));
            self.text.push_str(&line);
        }
        self.text.push('\n');
    }

    /// A list item of the keys that have a value.
    fn push_item(&mut self, depth: usize, keys: &[(&str, Option<String>)]) {
        let written = keys.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        for (number, (key, value)) in written.enumerate() {
            let mark = if number == 0 { "- " } else { "  " };
            self.push(depth, format!("{mark}{key}: {value}"));
        }
    }
}

fn shown(value: &OptionValue) -> String {
    match value {
        OptionValue::Bool(value) => value.to_string(),
        OptionValue::Int(number) => number.to_string(),
        OptionValue::Text(text) => quoted(text),
        OptionValue::Duration(duration) => format_duration(*duration),
        OptionValue::List(items) => {
            format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A text as a YAML scalar: plain where no reader could take it for anything else, else in double quotes.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        // The words that some reader of YAML takes for a boolean, nothing or a number.
        && !["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word));
    if plain {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Prose that may hold line breaks, for one comment line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::keys::{RULE, SLO, Setting, WORKLOAD};
    use super::super::{parse, sample_rules};
    use super::*;
    use crate::source::FileId;

    fn read(text: &str) -> Config {
        let (config, errors) = parse(text, FileId(0), &sample_rules());
        assert_eq!(errors, [], "{text}");
        config
    }

    #[test]
    fn the_starter_changes_nothing_as_it_is_or_with_all_its_defaults() {
        let starter = starter(&sample_rules());
        let nothing = Config::new(&sample_rules());
        assert_eq!(read(&starter).show(Profile::Default), nothing.show(Profile::Default));
        let lines = starter.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
        let config = read(&lines.collect::<Vec<_>>().join("\n"));
        assert_eq!(config.workloads().len(), 1);
        let shown = config.show(Profile::Default);
        let (rules, _) = shown.split_once("slo:\n").unwrap();
        assert_eq!(rules, nothing.show(Profile::Default));
    }

    #[test]
    fn the_starter_shows_every_key() {
        let starter = starter(&sample_rules());
        for Setting { name, .. } in TOP.iter().chain(RULE).chain(SLO).chain(WORKLOAD) {
            assert!(starter.contains(&format!("{name}:")), "{name}");
        }
    }

    #[test]
    fn what_is_shown_reads_as_the_same() {
        let check = |text: &str| {
            let config = read(text);
            let shown = config.show(config.profile);
            assert_eq!(read(&shown).show(config.profile), shown);
            shown
        };
        check("");
        let shown = check(
            "profile: strict\nfail-on: info\ninclude: ['*.yaml', a b]\nexclude: [vendor/]\nrules:\n  \
             monitoring-missing: {severity: off}\n  gpu-pool-consolidate-after:\n    options: {delay: 90m, label: 'no', \
             names: [\"x\\ty\", 'é \"q\"']}\n    ignore:\n    - {path: a/**, kind: NodePool, name: 'gpu-*', \
             namespace: x, reason: 'it: is'}\nslo: {workloads: [{name: '*', role: mixed, slo-critical: true, p99-ttft: \
             1.5s, peak-rps: 10, replica-rps: 1.5, cold-start: 7m}]}\n",
        );
        let expect = [
            "profile: strict",
            "fail-on: info",
            "include: [\"*.yaml\", \"a b\"]",
            "exclude: [vendor/]",
            "rules:",
            "  gang-missing:",
            "    severity: error",
            "  gang-missing-single-pod:",
            "    severity: error",
            "  gpu-pool-consolidate-after:",
            "    severity: error",
            "    options:",
            "      count: 3",
            "      delay: 1h30m",
            "      label: \"no\"",
            "      names: [\"x\\u0009y\", \"é \\\"q\\\"\"]",
            "      static: false",
            "    ignore:",
            "      - path: \"a/**\"",
            "        kind: NodePool",
            "        name: \"gpu-*\"",
            "        namespace: x",
            "        reason: \"it: is\"",
            "  monitoring-missing:",
            "    severity: off",
            "  scale-on-gpu-memory:",
            "    severity: error",
            "slo:",
            "  workloads:",
            "    - name: \"*\"",
            "      role: mixed",
            "      slo-critical: true",
            "      p99-ttft: 1s500ms",
            "      peak-rps: 10",
            "      replica-rps: 1.5",
            "      cold-start: 7m",
        ];
        assert_eq!(shown.lines().collect::<Vec<_>>(), expect);
    }
}
