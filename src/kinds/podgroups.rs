//! Group objects of coscheduling and of kube-scheduler's own gang scheduling.

use super::gang::{GangScheduler, Hint, HintKind, PodGroup};
use super::{Model, Reading, items, placing};
use crate::known::Known;
use crate::yaml::Node;

/// PodGroup of `scheduling.x-k8s.io` and, before that, `scheduling.sigs.k8s.io`.
///
/// Source: kubernetes-sigs/scheduler-plugins, apis/scheduling/v1alpha1/types.go.
pub(super) fn coscheduling(object: &Reading<'_>) -> Model {
    let min = object.spec().field("minMember");
    group(object, GangScheduler::Coscheduling, min)
}

/// Kinds of `scheduling.k8s.io` beside PriorityClass.
pub(super) const NATIVE: &[&str] = &["Workload", "PodGroup", "CompositePodGroup"];

/// Workload and PodGroup of kube-scheduler. A group with the policy `basic` is none that has to start together.
///
/// Source: kubernetes.io, blog posts on workload-aware scheduling of 1.35 and 1.36.
pub(super) fn native(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let lists = ["podGroups", "podGroupTemplates"].iter();
    let groups = lists.flat_map(|key| items(spec, key)).chain([spec]);
    let mut counts = groups.filter_map(gang).map(|gang| gang.field::<u32>("minCount"));
    let Some(first) = counts.next() else { return Model::default() };
    // Each group of a Workload is a gang by itself: where they differ, the object has no one number.
    let same = counts.all(|count| count.value().is_some() && count.value() == first.value());
    let min = if same { first } else { Known::Unresolved(object.at) };
    group(object, GangScheduler::Native, min)
}

/// The gang policy of a group, under the key of either version of the API.
fn gang(group: Node<'_>) -> Option<Node<'_>> {
    group.at("schedulingPolicy.gang").or_else(|| group.at("policy.gang"))
}

fn group(object: &Reading<'_>, scheduler: GangScheduler, min: Known<u32>) -> Model {
    let span = min.span().unwrap_or(object.at);
    Model {
        pod_group: Some(PodGroup {
            scheduler,
            min,
            queue: Known::Absent,
            topology: placing::in_fields(object.spec()),
            counts_pods: true,
            span,
        }),
        hints: vec![Hint { kind: HintKind::Uses(scheduler), span: object.at }],
        ..Model::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn groups_of_coscheduling() {
        for group in ["scheduling.x-k8s.io", "scheduling.sigs.k8s.io"] {
            check(
                &format!(
                    "{{apiVersion: {group}/v1alpha1, kind: PodGroup, metadata: {{name: a}}, spec: {{minMember: 4}}}}"
                ),
                "pod group of Coscheduling min 4\nhint Uses(Coscheduling)",
            );
        }
        check(
            "{apiVersion: scheduling.x-k8s.io/v1alpha1, kind: PodGroup, spec: {minMember: '{{ n }}'}}",
            "pod group of Coscheduling min unresolved\nhint Uses(Coscheduling)",
        );
        check(
            "{apiVersion: scheduling.x-k8s.io/v1alpha1, kind: PodGroup, spec: []}",
            "pod group of Coscheduling min ?\nhint Uses(Coscheduling)",
        );
    }

    #[test]
    fn groups_of_kube_scheduler() {
        let native = |kind: &str, spec: &str, expect: &str| {
            check(&format!("{{apiVersion: scheduling.k8s.io/v1alpha2, kind: {kind}, spec: {spec}}}"), expect);
        };
        native(
            "PodGroup",
            "{schedulingPolicy: {gang: {minCount: 8}}}",
            "pod group of Native min 8\nhint Uses(Native)",
        );
        native("PodGroup", "{schedulingPolicy: {basic: {}}}", "");
        native(
            "Workload",
            "{podGroups: [{name: a, policy: {gang: {minCount: 2}}}]}",
            "pod group of Native min 2\nhint Uses(Native)",
        );
        native(
            "Workload",
            "{podGroupTemplates: [{schedulingPolicy: {gang: {minCount: 2}}}, {schedulingPolicy: {gang: {minCount: 3}}}]}",
            "pod group of Native min unresolved\nhint Uses(Native)",
        );
        native(
            "PodGroup",
            "{schedulingPolicy: {gang: {minCount: {{ n }}}}}",
            "pod group of Native min unresolved\nhint Uses(Native)",
        );
        check("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, value: 100}", "");
    }
}
