//! KAI Scheduler: queues, pod groups, topologies, shards.
//!
//! Source: kai-scheduler/KAI-Scheduler, pkg/apis/scheduling/v2 and v2alpha2, pkg/apis/kai/v1 and v1alpha1.

use super::gang::{GangScheduler, Hint, HintKind, PodGroup};
use super::placing::{TopologyPlace, TopologyRequest, TopologySystem};
use super::quantity::{Quantity, go_duration};
use super::queue::{Queue, QueueSystem, Share, Topology};
use super::{Model, Reading};
use crate::known::Known;
use crate::yaml::Node;

/// Queue of `scheduling.run.ai`.
pub(super) fn queue(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let resources = spec.get("resources");
    let share = |name: &str| match resources {
        Some(resources) => self::share(resources, name),
        None => Share::default(),
    };
    let duration = |path: &str| {
        spec.field::<String>(path).try_map("a Go duration such as `10m`", |text| go_duration(&text))
    };
    let queue = Queue {
        system: QueueSystem::Kai,
        parent: spec.field("parentQueue"),
        hierarchical: true,
        gpu: share("gpu"),
        cpu: share("cpu"),
        memory: share("memory"),
        resources: resources.map(|_| object.node.key_span("spec.resources")),
        resources_node: resources.map(|r| r.id()),
        priority: spec.field("priority"),
        preempt_min_runtime: duration("preemptMinRuntime"),
        reclaim_min_runtime: duration("reclaimMinRuntime"),
        node_pool: object.meta.labels.get("kai.scheduler/node-pool"),
        span: object.node.key_span("spec"),
    };
    Model { queue: Some(queue), hints: uses_kai(object), ..Model::default() }
}

/// An omitted number of a share is 0.
fn share(resources: Node<'_>, name: &str) -> Share {
    let Some(entry) = resources.entry(name) else { return Share::default() };
    let span = entry.key_node.span();
    let number = |field: &str| match entry.value.get(field) {
        Some(node) => node.read::<Quantity>().map(|q| q.0),
        None => Known::Default(0.0, span),
    };
    Share {
        span: Some(span),
        quota: number("quota"),
        limit: number("limit"),
        over_quota_weight: number("overQuotaWeight"),
        node: Some(entry.value.id()),
    }
}

/// PodGroup of `scheduling.run.ai`.
pub(super) fn pod_group(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let members = spec.field::<u32>("minMember");
    let counts_pods = members.is_written() && spec.get("subGroups").is_none();
    let min = members.or(|| spec.field("minSubGroup"));
    let span = min.span().unwrap_or(object.at);
    let topology = spec.get("topologyConstraint").map(|constraint| TopologyRequest {
        system: TopologySystem::Kai,
        topology: constraint.field("topology"),
        required: constraint.field("requiredTopologyLevel"),
        preferred: constraint.field("preferredTopologyLevel"),
        span: spec.key_span("topologyConstraint"),
        place: TopologyPlace::Owner,
    });
    let queue = spec.field("queue");
    let group = PodGroup { scheduler: GangScheduler::Kai, min, queue, topology, counts_pods, span };
    Model { pod_group: Some(group), hints: uses_kai(object), ..Model::default() }
}

/// Topology of `kai.scheduler`.
pub(super) fn topology(object: &Reading<'_>) -> Model {
    let levels = object.spec().get("levels").into_iter().flat_map(|l| l.items());
    let topology = Topology {
        system: QueueSystem::Kai,
        levels: levels.map(|l| (l.field("nodeLabel"), l.field("alias"))).collect(),
        span: object.node.key_span("spec.levels"),
    };
    Model { topology: Some(topology), hints: uses_kai(object), ..Model::default() }
}

/// SchedulingShard and Config of `kai.scheduler`: the scheduler is in use.
pub(super) fn settings(object: &Reading<'_>) -> Model {
    Model { hints: uses_kai(object), ..Model::default() }
}

fn uses_kai(object: &Reading<'_>) -> Vec<Hint> {
    vec![Hint { kind: HintKind::Uses(GangScheduler::Kai), span: object.at }]
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn kai_objects() {
        check(
            "apiVersion: scheduling.run.ai/v2
kind: Queue
metadata: {name: a}
spec: {parentQueue: root, resources: {gpu: {quota: 8, limit: -1}}}
",
            "queue Kai under \"root\"; gpu 8.0/-1.0/0.0 by default\nhint Uses(Kai)",
        );
        check(
            "apiVersion: scheduling.run.ai/v2alpha2\nkind: PodGroup\nmetadata: {name: a}\nspec: {minMember: 2}\n",
            "pod group of Kai min 2\nhint Uses(Kai)",
        );
        check(
            "apiVersion: scheduling.run.ai/v2\nkind: Queue\nmetadata: {name: a}\nspec: {parentQueue: '{{ p }}'}\n",
            "queue Kai under unresolved; gpu ?/?/?\nhint Uses(Kai)",
        );
    }
}
