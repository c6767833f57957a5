//! Kueue: queues, flavors and topologies.

use super::gang::{GangScheduler, Hint, HintKind};
use super::pods::is_gpu_resource;
use super::quantity::Quantity;
use super::queue::{Queue, QueueSystem, Share, Topology};
use super::{Model, Reading, items, settings};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// Kinds of `kueue.x-k8s.io`.
pub(super) const KINDS: &[&str] = &[
    "LocalQueue",
    "ClusterQueue",
    "Cohort",
    "ResourceFlavor",
    "Topology",
    "WorkloadPriorityClass",
    "AdmissionCheck",
    "Workload",
];

/// Any object of Kueue: it shows that Kueue is in use.
///
/// Source: kubernetes-sigs/kueue, apis/kueue/v1beta1 and v1beta2.
pub(super) fn read(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let parent = match object.kind {
        "LocalQueue" => Some(spec.field("clusterQueue")),
        // v1beta2 renamed the field.
        "ClusterQueue" => Some(spec.field("cohortName").or(|| spec.field("cohort"))),
        "Cohort" => Some(spec.field("parentName").or(|| spec.field("parent"))),
        _ => None,
    };
    Model {
        queue: parent.map(|parent| queue(object, parent)),
        topology: (object.kind == "Topology").then(|| topology(object)),
        hints: hints(object),
        ..Model::default()
    }
}

fn hints(object: &Reading<'_>) -> Vec<Hint> {
    let mut kinds = vec![HintKind::Uses(GangScheduler::Kueue)];
    let flavor = object.kind == "ResourceFlavor" && object.spec().get("topologyName").is_some();
    if flavor || object.kind == "Topology" {
        kinds.push(HintKind::KueueTopology);
    }
    if settings::kueue_waits(object.node) {
        kinds.push(HintKind::KueueWaits);
    }
    kinds.into_iter().map(|kind| Hint { kind, span: object.at }).collect()
}

fn queue(object: &Reading<'_>, parent: Known<String>) -> Queue {
    let spec = object.spec();
    let borrows = parent.is_written();
    let share = |is, unit| share(spec, is, unit, borrows);
    Queue {
        system: QueueSystem::Kueue,
        hierarchical: true,
        gpu: share(is_gpu_resource, 1.0),
        cpu: share(|name| name == "cpu", 1e3),
        memory: share(|name| name == "memory", 1e-6),
        parent,
        resources: spec.entry("resourceGroups").map(|entry| entry.key_node.span()),
        resources_node: None,
        priority: Known::Absent,
        preempt_min_runtime: Known::Absent,
        reclaim_min_runtime: Known::Absent,
        node_pool: Known::Absent,
        span: object.node.key_span("spec"),
    }
}

/// The share of a resource over all flavors. Without a cohort a queue cannot borrow, so its quota is its limit; within
/// one it borrows without bound where a flavor states no `borrowingLimit`.
fn share(spec: Node<'_>, is: fn(&str) -> bool, unit: f64, borrows: bool) -> Share {
    let flavors = items(spec, "resourceGroups").flat_map(|group| items(group, "flavors"));
    let resources: Vec<Node<'_>> = flavors
        .flat_map(|flavor| items(flavor, "resources"))
        .filter(|resource| resource.get("name").and_then(|name| name.raw_str()).is_some_and(is))
        .collect();
    let Some(first) = resources.first() else { return Share::default() };
    let amounts = |key: &str| -> Vec<Known<f64>> {
        let amount = |resource: &Node<'_>| resource.field::<Quantity>(key).map(|quantity| quantity.0 * unit);
        resources.iter().map(amount).collect()
    };
    let span = first.key_span("name");
    let quota = sum(amounts("nominalQuota"));
    let borrowed = sum(amounts("borrowingLimit"));
    let limit = match (borrows, borrowed) {
        (false, _) => quota.clone(),
        (true, Known::Set(borrowed, _)) => quota.clone().map(|quota| quota + borrowed),
        (true, Known::Absent) => Known::Default(-1.0, span),
        (true, unknown) => unknown,
    };
    Share { span: Some(span), quota, limit, over_quota_weight: spec.field("fairSharing.weight"), node: None }
}

/// The sum, known only where every part is.
fn sum(amounts: Vec<Known<f64>>) -> Known<f64> {
    let mut total: Option<(f64, Span)> = None;
    for amount in amounts {
        match amount {
            Known::Set(n, span) | Known::Default(n, span) => {
                total = Some(total.map_or((n, span), |(sum, first)| (sum + n, first)));
            }
            unknown => return unknown,
        }
    }
    total.map(|(sum, span)| Known::Set(sum, span)).unwrap_or_default()
}

fn topology(object: &Reading<'_>) -> Topology {
    let spec = object.spec();
    let levels = items(spec, "levels");
    Topology {
        system: QueueSystem::Kueue,
        levels: levels.map(|level| (level.field("nodeLabel"), Known::Absent)).collect(),
        span: spec.entry("levels").map_or(object.at, |entry| entry.key_node.span()),
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    fn kueue(kind: &str, spec: &str, expect: &str) {
        let text = format!(
            "{{apiVersion: kueue.x-k8s.io/v1beta1, kind: {kind}, metadata: {{name: a}}, spec: {spec}}}"
        );
        let topology = if kind == "Topology" { "\nhint KueueTopology" } else { "" };
        check(&text, &format!("{expect}\nhint Uses(Kueue){topology}"));
    }

    #[test]
    fn queues() {
        kueue("LocalQueue", "{clusterQueue: gpus}", "queue Kueue under \"gpus\"; gpu ?/?/?");
        kueue("LocalQueue", "{clusterQueue: '{{ q }}'}", "queue Kueue under unresolved; gpu ?/?/?");
        kueue("Cohort", "{parentName: root}", "queue Kueue under \"root\"; gpu ?/?/?");
        let groups = |gpus: &str| {
            format!(
                "resourceGroups: [{{coveredResources: [cpu, nvidia.com/gpu], flavors: [{{name: h100, resources: [{{name: cpu, nominalQuota: 9}}, {gpus}]}}, {{name: l4, resources: [{{name: nvidia.com/gpu, nominalQuota: 2}}]}}]}}]"
            )
        };
        kueue(
            "ClusterQueue",
            &format!("{{{}}}", groups("{name: nvidia.com/gpu, nominalQuota: '8'}")),
            "queue Kueue under ?; gpu 10.0/10.0/?",
        );
        kueue(
            "ClusterQueue",
            &format!(
                "{{cohort: all, fairSharing: {{weight: 2}}, {}}}",
                groups("{name: nvidia.com/gpu, nominalQuota: 8}")
            ),
            "queue Kueue under \"all\"; gpu 10.0/-1.0 by default/2.0",
        );
        kueue(
            "ClusterQueue",
            "{cohortName: all, resourceGroups: [{flavors: [{resources: [{name: nvidia.com/gpu, nominalQuota: 8, borrowingLimit: 4}]}]}]}",
            "queue Kueue under \"all\"; gpu 8.0/12.0/?",
        );
        kueue(
            "ClusterQueue",
            &format!("{{{}}}", groups("{name: nvidia.com/gpu, nominalQuota: '{{ n }}'}")),
            "queue Kueue under ?; gpu unresolved/unresolved/?",
        );
        kueue("ClusterQueue", "{resourceGroups: x}", "queue Kueue under ?; gpu ?/?/?");
    }

    #[test]
    fn other_objects() {
        kueue("ResourceFlavor", "{nodeLabels: {a: b}}", "");
        kueue("WorkloadPriorityClass", "{}", "");
        kueue(
            "Topology",
            "{levels: [{nodeLabel: cloud.provider.com/rack}, {nodeLabel: kubernetes.io/hostname}]}",
            "topology Kueue \"cloud.provider.com/rack\", \"kubernetes.io/hostname\"",
        );
        kueue("Topology", "{}", "topology Kueue");
        kueue("Topology", "{levels: [{nodeLabel: '{{ x }}'}, y]}", "topology Kueue unresolved, ?");
        check("{apiVersion: config.kueue.x-k8s.io/v1beta1, kind: Configuration}", "hint Uses(Kueue)");
        for (settings, waits) in
            [("{enable: true}", true), ("{timeout: 5m}", true), ("{enable: false}", false)]
        {
            let text = format!(
                "{{apiVersion: config.kueue.x-k8s.io/v1beta2, kind: Configuration, waitForPodsReady: {settings}}}"
            );
            check(&text, if waits { "hint Uses(Kueue)\nhint KueueWaits" } else { "hint Uses(Kueue)" });
        }
        check(
            "{apiVersion: kueue.x-k8s.io/v1beta1, kind: ResourceFlavor, spec: {topologyName: racks}}",
            "hint Uses(Kueue)\nhint KueueTopology",
        );
    }
}
