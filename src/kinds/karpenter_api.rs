//! What the API refuses in a NodePool.
//!
//! Source: the CRDs of kubernetes-sigs/karpenter (pkg/apis/crds at v1.14.1 for v1, at v0.37.0 for v1beta1) with their
//! patterns and CEL rules; for duplicate taints pkg/apis/v1/nodepool_validation.go.

use super::karpenter_words::{
    duration_help, integers_only, is_budget, is_duration, mistyped_aws_key, near, restricted,
};
use super::pool::{PoolApi, Refusal};
use super::{Problem, Reading};
use crate::source::Span;
use crate::yaml::{Node, Scalar, is_template};

const DISRUPTION: &str = "spec.disruption";

/// Collects what is wrong with one pool.
struct Findings<'t> {
    api: PoolApi,
    object: Node<'t>,
    found: Vec<Refusal>,
}

/// Values and combinations that the API server or the controller refuses: the pool never works.
pub(super) fn rejected(object: &Reading<'_>, api: PoolApi) -> Vec<Refusal> {
    let mut all = Findings { api, object: object.node, found: vec![] };
    let spec = object.spec();
    if api == PoolApi::V1Alpha5 {
        return vec![];
    }
    if let Some(disruption) = spec.get("disruption").filter(|d| d.is_mapping() && !is_template(*d)) {
        all.policy(disruption);
        all.combination(disruption);
        all.durations(disruption, DISRUPTION, &["consolidateAfter", "expireAfter"]);
        for (at, budget) in disruption.get("budgets").into_iter().flat_map(|b| b.items()).enumerate() {
            all.budget(budget, at);
        }
    }
    if let Some(template) = spec.at("template.spec").filter(|t| t.is_mapping()) {
        if api == PoolApi::V1 {
            all.durations(template, "spec.template.spec", &["expireAfter", "terminationGracePeriod"]);
            all.node_class_ref(template);
        }
        for (at, item) in template.get("requirements").into_iter().flat_map(|r| r.items()).enumerate() {
            all.requirement(item, at, class_group(template));
        }
        all.taints(template);
    }
    all.labels(spec.at("template.metadata.labels"));
    all.size(spec);
    all.found
}

fn class_group<'t>(template: Node<'t>) -> Option<&'t str> {
    template.at("nodeClassRef.group").and_then(|g| g.raw_str())
}

impl<'t> Findings<'t> {
    fn say(&mut self, span: Span, field: impl Into<String>, message: String, help: Option<String>) {
        let problem = Problem { span, field: field.into(), message, help, replacement: None };
        self.found.push(Refusal { problem, lifted: false });
    }

    /// The text of a scalar that no tool fills in.
    fn text(node: Node<'t>) -> Option<&'t str> {
        (!is_template(node)).then(|| node.raw_str()).flatten()
    }

    fn policy(&mut self, disruption: Node<'t>) {
        let Some(node) = disruption.get("consolidationPolicy") else { return };
        let Some(word) = Self::text(node) else { return };
        let (known, other): (&[&str], &[&str]) = match self.api {
            PoolApi::V1 => (&["WhenEmpty", "WhenEmptyOrUnderutilized", "Balanced"], &["WhenUnderutilized"]),
            _ => (&["WhenEmpty", "WhenUnderutilized"], &["WhenEmptyOrUnderutilized", "Balanced"]),
        };
        if known.contains(&word) {
            return;
        }
        let version = self.version();
        let help = if other.contains(&word) {
            "use `WhenEmpty`, which both versions know and which leaves running engines alone".to_owned()
        } else {
            match near(word, known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "use `WhenEmpty`".to_owned(),
            }
        };
        let message = if other.contains(&word) {
            let theirs = if self.api == PoolApi::V1 { "v1beta1" } else { "v1" };
            format!("`{word}` is a consolidationPolicy of {theirs}, and {version} refuses it")
        } else {
            format!("`{word}` is no consolidationPolicy: {version} takes {} only", known.join(", "))
        };
        self.say(node.span(), "spec.disruption.consolidationPolicy", message, Some(help));
    }

    fn version(&self) -> &'static str {
        if self.api == PoolApi::V1 { "karpenter.sh/v1" } else { "karpenter.sh/v1beta1" }
    }

    fn combination(&mut self, disruption: Node<'t>) {
        let policy = disruption.get("consolidationPolicy").and_then(Self::text);
        let after = disruption.get("consolidateAfter");
        let open = disruption.get("consolidationPolicy").is_some_and(is_template);
        if open || disruption.own_entries().next().is_none() {
            return;
        }
        match (self.api, policy, after) {
            // The rule on the delay reports a `WhenEmpty` without one.
            (_, Some("WhenEmpty"), None) => {}
            (PoolApi::V1, _, None) => {
                let span = self.object.key_span(DISRUPTION);
                let message = "`disruption` is written without `consolidateAfter`, which the API requires in it up to Karpenter 1.14".to_owned();
                let help = "add `consolidationPolicy: WhenEmpty` and `consolidateAfter: 1h`".to_owned();
                self.say(span, "spec.disruption.consolidateAfter", message, Some(help));
                self.found.iter_mut().rev().take(1).for_each(|refusal| refusal.lifted = true);
            }
            (PoolApi::V1Beta1, None | Some("WhenUnderutilized"), Some(after))
                if Self::text(after).is_some_and(|a| a != "Never") =>
            {
                let message = "karpenter.sh/v1beta1 refuses `consolidateAfter` together with WhenUnderutilized, its default policy".to_owned();
                let help = "set `consolidationPolicy: WhenEmpty`, which needs a delay".to_owned();
                self.say(after.span(), "spec.disruption.consolidateAfter", message, Some(help));
            }
            _ => {}
        }
    }

    fn durations(&mut self, node: Node<'t>, path: &str, keys: &[&str]) {
        for key in keys {
            let Some(value) = node.get(key) else { continue };
            let Some(text) = Self::text(value) else { continue };
            let never = *key != "terminationGracePeriod";
            let is_text = matches!(Scalar::of(value), Some(Scalar::Str(_)));
            if is_text && (is_duration(text, "smh") || never && text == "Never") {
                continue;
            }
            let takes = if never {
                "whole hours, minutes and seconds, or `Never`"
            } else {
                "whole hours, minutes and seconds, and no `Never`"
            };
            let message = format!("`{key}: {text}` is refused: the API takes {takes}");
            self.say(value.span(), format!("{path}.{key}"), message, duration_help(text, never));
        }
    }

    fn budget(&mut self, budget: Node<'t>, at: usize) {
        let path = format!("spec.disruption.budgets.{at}");
        if let Some(nodes) = budget.get("nodes")
            && let Some(text) = Self::text(nodes)
        {
            if !matches!(Scalar::of(nodes), Some(Scalar::Str(_))) {
                let message =
                    format!("a budget's `nodes: {text}` is a number, and the API takes a string only");
                self.say(
                    nodes.span(),
                    format!("{path}.nodes"),
                    message,
                    Some(format!("write `nodes: \"{text}\"`")),
                );
            } else if !is_budget(text) {
                let message = format!(
                    "a budget's `nodes: {text}` is refused: the API takes a whole number, or 0 % to 100 %"
                );
                self.say(nodes.span(), format!("{path}.nodes"), message, None);
            }
        }
        let (schedule, duration) = (budget.get("schedule"), budget.get("duration"));
        if schedule.is_some() != duration.is_some() {
            let (have, lacks) =
                if schedule.is_some() { ("schedule", "duration") } else { ("duration", "schedule") };
            let message =
                format!("a budget has `{have}` without `{lacks}`, and the API takes both or neither");
            let span = budget.entry(have).map_or_else(|| budget.first_key_span(), |e| e.key_node.span());
            self.say(span, format!("{path}.{lacks}"), message, Some(format!("add `{lacks}`")));
        }
        if let Some(node) = duration
            && let Some(text) = Self::text(node)
            && !is_duration(text.strip_suffix("0s").unwrap_or(text), "mh")
        {
            let message =
                format!("a budget's `duration: {text}` is refused: the API takes whole hours and minutes");
            self.say(node.span(), format!("{path}.duration"), message, duration_help(text, false));
        }
        const REASONS: &[&str] = &["Underutilized", "Empty", "Drifted"];
        for reason in budget.get("reasons").into_iter().flat_map(|r| r.items()) {
            let Some(text) = Self::text(reason).filter(|t| self.api == PoolApi::V1 && !REASONS.contains(t))
            else {
                continue;
            };
            let message = format!("`{text}` is no reason of a budget: the API takes {}", REASONS.join(", "));
            let help = near(text, REASONS).map(|known| format!("did you mean `{known}`?"));
            self.say(reason.span(), format!("{path}.reasons"), message, help);
        }
    }

    fn node_class_ref(&mut self, template: Node<'t>) {
        let Some(entry) =
            template.entry("nodeClassRef").filter(|e| e.value.is_mapping() && !is_template(e.value))
        else {
            return;
        };
        let missing: Vec<&str> =
            ["group", "kind", "name"].into_iter().filter(|key| entry.value.get(key).is_none()).collect();
        if missing.is_empty() {
            return;
        }
        let old = entry.value.entry("apiVersion");
        let because = if old.is_some() { "; `apiVersion` is of v1beta1 and is dropped" } else { "" };
        let names = missing.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(" and ");
        let message = format!("`nodeClassRef` lacks {names}, which karpenter.sh/v1 requires{because}");
        let group = old.and_then(|e| e.value.raw_str()).and_then(|api| api.split('/').next());
        let help = match group {
            Some(group) if missing == ["group"] => format!("write `group: {group}` instead of `apiVersion`"),
            _ => "name the class in full, for example `group: karpenter.k8s.aws`, `kind: EC2NodeClass`, `name: gpu`".to_owned(),
        };
        let span = old.map_or_else(|| entry.key_node.span(), |e| e.key_node.span());
        self.say(span, "spec.template.spec.nodeClassRef", message, Some(help));
    }

    fn requirement(&mut self, item: Node<'t>, at: usize, group: Option<&str>) {
        let path = format!("spec.template.spec.requirements.{at}");
        let Some(key) = item.get("key").and_then(Self::text) else { return };
        let at_key = item.get("key").map_or_else(|| item.first_key_span(), |k| k.span());
        self.key(key, at_key, &format!("{path}.key"), group);
        let Some(operator) = item.get("operator") else { return };
        let Some(word) = Self::text(operator) else { return };
        const OPERATORS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Gte", "Lte"];
        if !OPERATORS.contains(&word) {
            let message = format!("`{word}` is no operator of a requirement");
            let help = near(word, OPERATORS).map(|known| format!("did you mean `{known}`?"));
            self.say(operator.span(), format!("{path}.operator"), message, help);
            return;
        }
        let values: Vec<Node<'t>> = item.get("values").into_iter().flat_map(|v| v.items()).collect();
        let open =
            item.get("values").is_some_and(|v| !v.is_sequence()) || values.iter().any(|v| is_template(*v));
        for value in values.iter().filter(|v| !matches!(Scalar::of(**v), Some(Scalar::Str(_)))) {
            let Some(text) = Self::text(*value) else { continue };
            let message = format!("the value {text} of `{key}` is no string, and the API takes strings only");
            self.say(value.span(), format!("{path}.values"), message, Some(format!("write \"{text}\"")));
        }
        if open {
            return;
        }
        if word == "In" && values.is_empty() {
            let message = format!("the requirement on `{key}` has operator In and no value");
            self.say(operator.span(), format!("{path}.values"), message, None);
        }
        let compares = matches!(word, "Gt" | "Lt" | "Gte" | "Lte");
        if compares && !(values.len() == 1 && values.iter().all(|v| v.raw_str().is_some_and(integers_only))) {
            let message = format!("{word} on `{key}` takes exactly one whole number of 0 or more");
            self.say(operator.span(), format!("{path}.values"), message, None);
        }
        if let Some(least) = item.field::<i64>("minValues").set()
            && word == "In"
            && i64::try_from(values.len()).is_ok_and(|have| have < *least)
        {
            let message = format!(
                "`minValues: {least}` asks for more values of `{key}` than the {} that are listed",
                values.len()
            );
            self.say(at_key, format!("{path}.minValues"), message, None);
        }
    }

    /// A label key that a pool may not set or ask for.
    fn key(&mut self, key: &str, span: Span, path: &str, group: Option<&str>) {
        if let Some((message, help)) = restricted(key) {
            self.say(span, path, message, help);
        } else if group == Some("karpenter.k8s.aws")
            && let Some(known) = mistyped_aws_key(key)
        {
            let message = format!("`{key}` is none of the labels that the API takes under karpenter.k8s.aws");
            self.say(span, path, message, Some(format!("did you mean `{known}`?")));
        }
    }

    fn taints(&mut self, template: Node<'t>) {
        let mut seen: Vec<(String, String)> = Vec::new();
        for list in ["taints", "startupTaints"] {
            for item in template.get(list).into_iter().flat_map(|t| t.items()) {
                self.taint(item, list, &mut seen);
            }
        }
    }

    fn taint(&mut self, item: Node<'t>, list: &str, seen: &mut Vec<(String, String)>) {
        let path = format!("spec.template.spec.{list}");
        if let Some(value) = item.get("value")
            && let Some(text) = Self::text(value)
            && !matches!(Scalar::of(value), Some(Scalar::Str(_)))
        {
            let message = format!("the taint value {text} is no string, and the API takes strings only");
            self.say(
                value.span(),
                format!("{path}.value"),
                message,
                Some(format!("write `value: \"{text}\"`")),
            );
        }
        let (Some(key), Some(node)) = (item.get("key").and_then(Self::text), item.get("effect")) else {
            return;
        };
        let Some(effect) = Self::text(node) else { return };
        const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if !EFFECTS.contains(&effect) {
            let message = format!("`{effect}` is no effect of a taint");
            let help = near(effect, EFFECTS).map(|known| format!("did you mean `{known}`?"));
            self.say(node.span(), format!("{path}.effect"), message, help);
        }
        let pair = (key.to_owned(), effect.to_owned());
        if seen.contains(&pair) {
            let message = format!(
                "the taint `{key}` with effect {effect} is listed twice: Karpenter marks the pool not ready and passes it over"
            );
            self.say(item.first_key_span(), path, message, Some("remove one of the two".to_owned()));
        }
        seen.push(pair);
    }

    fn labels(&mut self, labels: Option<Node<'t>>) {
        for entry in labels.map(|l| l.entries()).unwrap_or_default() {
            let path = "spec.template.metadata.labels";
            self.key(entry.key, entry.key_node.span(), path, None);
            let Some(text) = Self::text(entry.value) else { continue };
            if matches!(Scalar::of(entry.value), Some(Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_))) {
                let message =
                    format!("the label `{}: {text}` is no string, and the API takes strings only", entry.key);
                let help = format!("write `{}: \"{text}\"`", entry.key);
                self.say(entry.value.span(), path, message, Some(help));
            }
        }
    }

    /// Weight and the static size.
    fn size(&mut self, spec: Node<'t>) {
        let weight = spec.entry("weight").filter(|e| !e.value.is_null() && !is_template(e.value));
        let replicas = spec.entry("replicas").filter(|e| !e.value.is_null());
        if let Some(weight) = weight {
            let number = match Scalar::of(weight.value) {
                Some(Scalar::Int(n)) => Some(n),
                _ => None,
            };
            if replicas.is_some() {
                let message = "a static pool (`replicas`) cannot have a `weight`".to_owned();
                self.say(weight.key_node.span(), "spec.weight", message, Some("remove `weight`".to_owned()));
            } else if number.is_none_or(|n| !(1..=100).contains(&n)) {
                let text = weight.value.raw_str().unwrap_or("?");
                let message = format!("`weight: {text}` is refused: the API takes an integer from 1 to 100");
                self.say(weight.value.span(), "spec.weight", message, None);
            }
        }
        let limits = spec.get("limits").map(|l| l.entries()).unwrap_or_default();
        if let Some(other) = limits.iter().find(|e| e.key != "nodes").filter(|_| replicas.is_some()) {
            let message = format!(
                "a static pool (`replicas`) takes no limit but `nodes`, and this one limits `{}`",
                other.key
            );
            self.say(
                other.key_node.span(),
                "spec.limits",
                message,
                Some("keep `limits.nodes` only".to_owned()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::FileId;
    use std::sync::Arc;

    const HEAD: &str = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: gpu}\nspec:\n";

    fn messages(text: &str) -> Vec<String> {
        let source: Arc<str> = text.into();
        let part = crate::yaml::split(text).into_iter().next().expect("a document");
        let tree = Arc::new(crate::yaml::parse(FileId(0), &source, part.range).expect("valid YAML"));
        let objects = crate::kinds::classify(&tree, FileId(0), 0);
        let pool = objects.first().and_then(|o| o.model.pool.clone()).expect("a pool");
        pool.rejected.into_iter().map(|refusal| refusal.problem.message).collect()
    }

    /// Each case is the inside of `spec`, and a piece of the message of every problem in it.
    fn check(head: &str, cases: &[(&str, &[&str])]) {
        for (spec, expected) in cases {
            let found = messages(&format!("{head}  {spec}\n"));
            let fits =
                found.len() == expected.len() && found.iter().zip(*expected).all(|(f, e)| f.contains(e));
            assert!(fits, "{spec}: expected {expected:?}, got {found:?}");
        }
    }

    #[test]
    fn v1_refuses() {
        check(
            HEAD,
            &[
                ("disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 1h0m30s}", &[]),
                ("disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: Never}", &[]),
                (
                    "disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 1d}",
                    &["`consolidateAfter: 1d`"],
                ),
                (
                    "disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 3600}",
                    &["`consolidateAfter: 3600`"],
                ),
                ("disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 1.5h}", &["1.5h"]),
                ("disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: never}", &["never"]),
                ("disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: '{{ x }}'}", &[]),
                (
                    "disruption: {consolidationPolicy: WhenEmptyy, consolidateAfter: 1h}",
                    &["no consolidationPolicy"],
                ),
                (
                    "disruption: {consolidationPolicy: WhenUnderutilized, consolidateAfter: 1h}",
                    &["of v1beta1"],
                ),
                ("disruption: {consolidationPolicy: Balanced, consolidateAfter: 1h}", &[]),
                ("disruption: {consolidationPolicy: WhenEmpty}", &[]),
                (
                    "disruption: {consolidationPolicy: WhenEmptyOrUnderutilized}",
                    &["without `consolidateAfter`"],
                ),
                ("disruption: {budgets: [{nodes: '1'}]}", &["without `consolidateAfter`"]),
                ("disruption: {consolidateAfter: 1h, budgets: [{nodes: 1}]}", &["is a number"]),
                ("disruption: {consolidateAfter: 1h, budgets: [{nodes: 150%}]}", &["150%"]),
                (
                    "disruption: {consolidateAfter: 1h, budgets: [{nodes: '0', schedule: '@daily'}]}",
                    &["without `duration`"],
                ),
                (
                    "disruption: {consolidateAfter: 1h, budgets: [{nodes: '0', schedule: '@daily', duration: 8h0m0s}]}",
                    &[],
                ),
                (
                    "disruption: {consolidateAfter: 1h, budgets: [{nodes: '0', reasons: [underutilized]}]}",
                    &["no reason"],
                ),
                (
                    "template: {spec: {terminationGracePeriod: Never, expireAfter: Never}}",
                    &["terminationGracePeriod"],
                ),
                (
                    "template: {spec: {nodeClassRef: {apiVersion: karpenter.k8s.aws/v1beta1, kind: EC2NodeClass, name: a}}}",
                    &["lacks `group`"],
                ),
                ("template: {spec: {requirements: [{key: a, operator: Gt, values: [4]}]}}", &["no string"]),
                (
                    "template: {spec: {requirements: [{key: a, operator: Gt, values: ['4', '5']}]}}",
                    &["exactly one"],
                ),
                ("template: {spec: {requirements: [{key: a, operator: In, values: []}]}}", &["no value"]),
                ("template: {spec: {requirements: [{key: a, operator: in, values: [b]}]}}", &["no operator"]),
                (
                    "template: {spec: {requirements: [{key: a, operator: In, values: [b], minValues: 2}]}}",
                    &["minValues"],
                ),
                ("template: {spec: {requirements: [{key: a, operator: In, values: '{{ x }}'}]}}", &[]),
                (
                    "template: {spec: {requirements: [{key: karpenter.sh/nodepool, operator: In, values: [b]}]}}",
                    &["karpenter.sh/nodepool"],
                ),
                (
                    "template: {spec: {requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [spot]}]}}",
                    &[],
                ),
                (
                    "template: {spec: {nodeClassRef: {group: karpenter.k8s.aws, kind: a, name: a}, requirements: [{key: karpenter.k8s.aws/instance-gpu-nme, operator: Exists}, {key: karpenter.k8s.aws/new-label, operator: Exists}]}}",
                    &["instance-gpu-nme"],
                ),
                ("template: {spec: {taints: [{key: a, value: true, effect: NoSchedule}]}}", &["no string"]),
                ("template: {spec: {taints: [{key: a, effect: noschedule}]}}", &["no effect"]),
                (
                    "template: {spec: {taints: [{key: a, effect: NoSchedule}, {key: a, value: b, effect: NoSchedule}]}}",
                    &["twice"],
                ),
                (
                    "template: {spec: {taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoExecute}]}}",
                    &[],
                ),
                ("template: {metadata: {labels: {a: true, b: 'true', c: x}}}", &["`a: true`"]),
                ("{replicas: 1, weight: 2, limits: {nodes: 1, cpu: 4}}", &["weight", "cpu"]),
                ("{weight: 101}", &["101"]),
                ("{weight: 100}", &[]),
            ],
        );
    }

    #[test]
    fn v1beta1_refuses() {
        let head = HEAD.replace("karpenter.sh/v1", "karpenter.sh/v1beta1");
        check(
            &head,
            &[
                (
                    "disruption: {consolidationPolicy: WhenUnderutilized, consolidateAfter: 30s}",
                    &["together with"],
                ),
                ("disruption: {consolidateAfter: 30s}", &["together with"]),
                ("disruption: {consolidationPolicy: WhenUnderutilized, consolidateAfter: Never}", &[]),
                ("disruption: {consolidationPolicy: WhenUnderutilized, expireAfter: 720h}", &[]),
                (
                    "disruption: {consolidationPolicy: WhenEmptyOrUnderutilized, expireAfter: 30d}",
                    &["of v1", "30d"],
                ),
                ("template: {spec: {nodeClassRef: {name: a}}}", &[]),
            ],
        );
    }
}
