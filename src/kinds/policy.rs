//! Policies of the cluster that may rewrite `schedulerName`, and objects that teach KAI Scheduler further kinds.

use super::gang::{Hint, HintKind};
use super::{Model, Reading, items};
use crate::source::Span;
use crate::yaml::Node;

/// Kinds of `kyverno.io`.
pub(super) const KYVERNO: &[&str] = &["ClusterPolicy", "Policy"];
/// Kinds of `mutations.gatekeeper.sh`.
pub(super) const GATEKEEPER: &[&str] = &["Assign", "ModifySet"];
/// Mutating kinds of `policies.kyverno.io` and `admissionregistration.k8s.io`.
pub(super) const MUTATING: &[&str] =
    &["MutatingPolicy", "NamespacedMutatingPolicy", "MutatingAdmissionPolicy"];

/// A policy of Kyverno: only what its rules mutate counts, since others may name the field to forbid it.
pub(super) fn kyverno(object: &Reading<'_>) -> Model {
    let rules = items(object.spec(), "rules");
    rewrites(rules.filter_map(|rule| rule.get("mutate")).find_map(|mutate| mention(mutate, 0)))
}

/// A policy that mutates as a whole.
pub(super) fn mutating(object: &Reading<'_>) -> Model {
    rewrites(object.spec().get("mutations").and_then(|mutations| mention(mutations, 0)))
}

/// An assignment of Gatekeeper, by the path that it writes.
pub(super) fn gatekeeper(object: &Reading<'_>) -> Model {
    rewrites(object.spec().get("location").and_then(|location| mention(location, 0)))
}

/// Karta of `run.ai`: from KAI Scheduler 0.17, how a further kind is grouped.
///
/// Source: kai-scheduler/KAI-Scheduler, CHANGELOG of 0.17.
pub(super) fn karta(object: &Reading<'_>) -> Model {
    hint(HintKind::KaiExtended, object.at)
}

fn rewrites(place: Option<Span>) -> Model {
    place.map_or_else(Model::default, |span| hint(HintKind::RewritesScheduler, span))
}

fn hint(kind: HintKind, span: Span) -> Model {
    Model { hints: vec![Hint { kind, span }], ..Model::default() }
}

/// The first key or text under a node that names the field: a patch as a mapping, as a JSON patch or as an expression.
fn mention(node: Node<'_>, depth: usize) -> Option<Span> {
    const DEEPEST: usize = 24;
    if depth > DEEPEST {
        return None;
    }
    if node.raw_str().is_some_and(|text| text.contains("schedulerName")) {
        return Some(node.span());
    }
    let in_entries = node.own_entries().find_map(|entry| {
        // Kyverno's anchors, such as `+(schedulerName)`, stand around the key.
        if entry.key.contains("schedulerName") {
            return Some(entry.key_node.span());
        }
        mention(entry.value, depth + 1)
    });
    in_entries.or_else(|| node.items().find_map(|item| mention(item, depth + 1)))
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn policies_that_rewrite_the_scheduler() {
        let hint = "hint RewritesScheduler";
        let kyverno = |rule: &str, expect: &str| {
            for kind in ["ClusterPolicy", "Policy"] {
                check(
                    &format!("{{apiVersion: kyverno.io/v1, kind: {kind}, spec: {{rules: [{rule}]}}}}"),
                    expect,
                );
            }
        };
        kyverno("{mutate: {patchStrategicMerge: {spec: {schedulerName: kai-scheduler}}}}", hint);
        kyverno("{mutate: {patchStrategicMerge: {spec: {+(schedulerName): '{{ x }}'}}}}", hint);
        kyverno(
            "{mutate: {patchesJson6902: '- {op: add, path: /spec/schedulerName, value: volcano}'}}",
            hint,
        );
        kyverno("{mutate: {patchStrategicMerge: {spec: {priorityClassName: a}}}}", "");
        kyverno("{validate: {pattern: {spec: {schedulerName: '?*'}}}}", "");
        check("{apiVersion: kyverno.io/v1, kind: ClusterPolicy}", "");
        let mutation =
            "[{applyConfiguration: {expression: 'Object{spec: Object.spec{schedulerName: \"volcano\"}}'}}]";
        for api in [
            "admissionregistration.k8s.io/v1beta1, kind: MutatingAdmissionPolicy",
            "policies.kyverno.io/v1, kind: MutatingPolicy",
        ] {
            check(&format!("{{apiVersion: {api}, spec: {{mutations: {mutation}}}}}"), hint);
            check(&format!("{{apiVersion: {api}, spec: {{matchConditions: {mutation}}}}}"), "");
        }
        check(
            "{apiVersion: mutations.gatekeeper.sh/v1, kind: Assign, spec: {location: spec.schedulerName}}",
            hint,
        );
        check(
            "{apiVersion: mutations.gatekeeper.sh/v1, kind: Assign, spec: {location: spec.priority, parameters: {assign: {value: schedulerName}}}}",
            "",
        );
        check(
            "{apiVersion: example.com/v1, kind: ClusterPolicy, spec: {rules: [{mutate: {schedulerName: a}}]}}",
            "",
        );
    }

    #[test]
    fn kartas() {
        check("{apiVersion: run.ai/v1alpha1, kind: Karta, metadata: {name: a}}", "hint KaiExtended");
        check("{apiVersion: run.ai/v1alpha1, kind: Karta, spec: '{{ x }}'}", "hint KaiExtended");
        check("{apiVersion: run.ai/v2, kind: Project}", "");
    }
}
