//! Fixes of real findings: they end their finding, touch nothing else and are made once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use gpulint::config::{Config, Profile};
use gpulint::diagnostic::{Applicability, Report};
use gpulint::fix::{Outcome, rounds};
use gpulint::inventory::Overlay;
use gpulint::rules::known_rules;
use gpulint::{Request, lint};
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::Deserialize;
use serde_yaml::Value;

fn run(files: &[(&str, &str)], allow: Applicability) -> Outcome {
    let config = Config::new(&known_rules());
    let lint = |overlays: &[Overlay]| {
        let given = files.iter().filter(|(path, _)| !overlays.iter().any(|o| o.path == *path));
        let given = given.map(|(path, text)| Overlay { path: (*path).to_owned(), bytes: (*text).into() });
        lint(Request {
            paths: vec![],
            overlays: given.chain(overlays.iter().cloned()).collect(),
            config: &config,
            profile: Profile::Default,
            files: Default::default(),
            threads: 1,
        })
    };
    rounds(&lint, &|report| report.diagnostics.clone(), allow)
}

/// The choices that make a pool, with the notation that an edit has to cope with.
#[derive(Debug, Clone)]
struct Shape {
    policy: &'static str,
    after: &'static str,
    flow: bool,
    taints: &'static str,
    comment: &'static str,
    indent: usize,
    crlf: bool,
    mark: bool,
    neighbours: bool,
    last_line: bool,
}

prop_compose! {
    fn shapes()(
        policy in select(vec!["", "WhenEmptyOrUnderutilized", "\"WhenEmptyOrUnderutilized\"", "'WhenUnderutilized'", "WhenEmpty"]),
        after in select(vec!["", "30s", "\"30s\"", "1h", "5m0s"]),
        flow: bool,
        taints in select(vec!["", "[]", "[{key: a, effect: PreferNoSchedule}]", "[{key: nvidia.com/gpu, effect: NoSchedule}]"]),
        comment in select(vec!["", " # größer", " # [{"]),
        indent in 1_usize..4,
        crlf: bool,
        mark: bool,
        neighbours: bool,
        last_line: bool,
    ) -> Shape {
        Shape { policy, after, flow, taints, comment, indent, crlf, mark, neighbours, last_line }
    }
}

impl Shape {
    fn text(&self) -> String {
        let comment = self.comment;
        let entries: Vec<String> = [("consolidationPolicy", self.policy), ("consolidateAfter", self.after)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        let disruption = match (entries.is_empty(), self.flow) {
            (true, _) => String::new(),
            (_, true) => format!("  disruption: {{{}}}{comment}\n", entries.join(", ")),
            (_, false) => {
                let lines: Vec<String> = entries.iter().map(|e| format!("    {e}{comment}\n")).collect();
                format!("  disruption:{comment}\n{}", lines.concat())
            }
        };
        let taints =
            if self.taints.is_empty() { String::new() } else { format!("      taints: {}\n", self.taints) };
        let pool = format!(
            "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata:\n  name: gpu # the \"name\"\nspec:\n{disruption}  template:\n    spec:\n{taints}      nodeClassRef: {{group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}}\n      requirements:\n      - {{key: karpenter.k8s.aws/instance-gpu-name, operator: In, values: [h100]}}{comment}\n"
        );
        let wide = |line: &str| {
            let body = line.trim_start();
            // Every level of two blanks becomes one of `indent` blanks.
            format!("{}{body}\n", " ".repeat((line.len() - body.len()) / 2 * self.indent))
        };
        let mut text: String = pool.lines().map(wide).collect();
        if self.neighbours {
            text = format!(
                "# first\na: {{b: [1, x]}}\n---\n{text}---\nkind: Other\nc: |\n  consolidateAfter: 30s\n"
            );
        }
        if !self.last_line {
            text.pop();
        }
        if self.crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.mark { format!("\u{feff}{text}") } else { text }
    }
}

/// The documents without what the fixes are meant to change.
fn rest(text: &str) -> Vec<Value> {
    let text = text.trim_start_matches('\u{feff}');
    let mut documents: Vec<Value> =
        serde_yaml::Deserializer::from_str(text).map(|one| Value::deserialize(one).unwrap()).collect();
    for document in &mut documents {
        if let Some(spec) = document.get_mut("spec").and_then(Value::as_mapping_mut) {
            spec.remove("disruption");
            let pods = spec.get_mut("template").and_then(|t| t.get_mut("spec"));
            pods.and_then(Value::as_mapping_mut).map(|pods| pods.remove("taints"));
        }
    }
    documents
}

fn rules(report: &Report) -> Vec<&'static str> {
    report.diagnostics.iter().map(|found| found.rule).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_fix_ends_its_finding_and_changes_nothing_else(shape in shapes()) {
        let old = shape.text();
        let outcome = run(&[("pool.yaml", &old)], Applicability::Unsafe);
        // A taint is not put beside a list that is there.
        let refused: Vec<_> = outcome.refused.iter().map(|one| one.finding.rule).collect();
        let expected = if shape.taints.is_empty() { &[][..] } else { &["gpu-pool-taint"] };
        prop_assert!(refused.iter().all(|rule| expected.contains(rule)), "{:?}", outcome.refused);
        let left = rules(&outcome.report);
        for one in &outcome.fixed {
            prop_assert!(!left.contains(&one.finding.rule), "{left:?}");
        }
        let Some(changed) = outcome.changed.first() else {
            prop_assert!(outcome.fixed.is_empty());
            return Ok(());
        };
        let new = &changed.new;
        prop_assert_eq!(&*changed.old, &old);
        prop_assert_eq!(rest(&old), rest(new), "{}", new);
        for sign in ["#", "größer", "\u{feff}"] {
            prop_assert_eq!(old.matches(sign).count(), new.matches(sign).count(), "{}", new);
        }
        let lone = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
        prop_assert!(!shape.crlf || lone(new) == 0, "{new:?}");
        let again = run(&[("pool.yaml", new)], Applicability::Unsafe);
        prop_assert!(again.changed.is_empty(), "{:?}", again.changed);
        prop_assert_eq!(rules(&again.report), left);
    }
}

const POOL: &str = "apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu}
spec:
  disruption: {consolidateAfter: 1h, consolidationPolicy: WhenEmptyOrUnderutilized}
  template:
    spec:
      requirements: [{key: karpenter.k8s.aws/instance-gpu-name, operator: In, values: [h100]}]
";

/// The rules whose findings are fixed, and those whose fixes are refused with the words of a reason.
#[track_caller]
fn check(files: &[(&str, &str)], allow: Applicability, fixed: &[&str], refused: &[(&str, &str)]) {
    let outcome = run(files, allow);
    let found: Vec<&str> = outcome.fixed.iter().map(|one| one.finding.rule).collect();
    assert_eq!(found, fixed);
    let found: Vec<&str> = outcome.refused.iter().map(|one| one.finding.rule).collect();
    assert_eq!(found, refused.iter().map(|(rule, _)| *rule).collect::<Vec<_>>());
    for (one, (_, reason)) in outcome.refused.iter().zip(refused) {
        assert!(one.reason.contains(reason), "{}", one.reason);
    }
    assert_eq!(outcome.changed.is_empty(), fixed.is_empty());
}

#[test]
fn only_what_is_allowed_is_fixed() {
    let pool = [("pool.yaml", POOL)];
    check(&pool, Applicability::Safe, &["gpu-pool-consolidation"], &[]);
    check(&pool, Applicability::Unsafe, &["gpu-pool-consolidation", "gpu-pool-taint"], &[]);
    check(&[], Applicability::Unsafe, &[], &[]);
    // Two pools of one name mean the same twice; both are fixed.
    let both = [("a.yaml", POOL), ("b.yaml", POOL)];
    check(&both, Applicability::Safe, &["gpu-pool-consolidation", "gpu-pool-consolidation"], &[]);
}

#[test]
fn templates_are_left_alone() {
    let templated = POOL.replace("name: gpu", "name: gpu, labels: {a: \"{{ x }}\"}");
    let refused = [("gpu-pool-consolidation", "templates")];
    check(&[("pool.yaml", &templated)], Applicability::Safe, &[], &refused);
    // One in the next document is no reason.
    let beside = format!("{POOL}---\nkind: ConfigMap\ndata: {{a: \"{{{{ x }}}}\"}}\n");
    check(&[("pool.yaml", &beside)], Applicability::Safe, &["gpu-pool-consolidation"], &[]);
}

#[test]
fn an_anchored_block_is_left_alone() {
    let shared = POOL.replace("disruption: {", "disruption: &d {") + "  x: *d\n";
    check(&[("pool.yaml", &shared)], Applicability::Safe, &[], &[]);
}
