//! The spec of a RayCluster, which several kinds embed.

use super::count;
use super::gang::{Evidence, GangScheduler, Hidden, HintKind, KaiGang};
use super::meta::Meta;
use super::parts::{evidence, items, named_scheduler, scheduler_is_open, times, workload};
use super::pods::{PodSet, PodTemplate, Workload};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// Reads a cluster as one replica: the head, and each worker group that is not suspended. `meta` is the metadata that
/// KubeRay reads: that of the cluster, or of what it is made from.
///
/// KubeRay gives probes and an init container to the pods (ray-project/kuberay, controllers/ray/common/pod.go).
pub(super) fn replica(
    cluster: Node<'_>,
    replicas: Known<u32>,
    meta: &Meta,
    span: Span,
    at: Span,
) -> Workload {
    let place = cluster.key_span("headGroupSpec.template");
    let head = PodTemplate::of(cluster.at("headGroupSpec.template"), place);
    let mut sets = vec![PodSet { name: "head".to_owned(), pods: Known::Default(1, at), template: head }];
    let groups: Vec<_> = items(cluster, "workerGroupSpecs")
        .into_iter()
        .filter(|group| group.field::<bool>("suspend").value() != Some(&true))
        .collect();
    sets.extend(groups.iter().map(|group| PodSet {
        name: group.field::<String>("groupName").value().cloned().unwrap_or_else(|| "worker".to_owned()),
        pods: times(&desired(*group), &hosts(*group)),
        template: PodTemplate::of(group.get("template"), group.first_key_span()),
    }));
    let mut workload = workload(sets, replicas, span);
    workload.gang.declared.extend(least(&workload.sets, &groups));
    workload.gang.declared.extend(scheduler_label(meta));
    workload.gang.kai = KaiGang::Whole;
    workload.gang.hidden = scheduler_is_open(&workload.sets).then(|| Hidden {
        how: "the KubeRay operator makes one gang of the cluster where its `batchScheduler` is set".to_owned(),
        settle: "set `schedulerName: kai-scheduler` in the head and worker templates, or keep the operator's Helm \
                 values beside the manifests"
            .to_owned(),
        hint: Some(HintKind::KubeRayGangs),
        ends_with_scheduler: false,
    });
    workload.plain_pods = false;
    workload.read_meta(meta);
    workload
}

/// How many replicas of a worker group KubeRay makes: `replicas`, but never less than `minReplicas`.
/// Source: ray-project/kuberay, controllers/ray/utils/util.go, GetWorkerGroupDesiredReplicas.
fn desired(group: Node<'_>) -> Known<u32> {
    let at = group.first_key_span();
    let (replicas, least) = (group.field::<u32>("replicas"), group.field::<u32>("minReplicas"));
    match (replicas.value(), least.value()) {
        (Some(n), Some(min)) if n < min => least,
        (Some(_), _) if least.is_unresolved() => least,
        (None, Some(_)) if replicas == Known::Absent => least,
        _ => replicas.or_default(0, at),
    }
}

fn hosts(group: Node<'_>) -> Known<u32> {
    count(group, "numOfHosts", Some(1), group.first_key_span())
}

/// KAI Scheduler waits for `minReplicas` of a group where that is above zero, so a group that may shrink is not whole.
/// Source: kai-scheduler/KAI-Scheduler, pkg/podgrouper, ray plugin.
fn least(sets: &[PodSet], groups: &[Node<'_>]) -> Option<Evidence> {
    if named_scheduler(sets) != Some(GangScheduler::Kai) {
        return None;
    }
    let mut total = 1u32;
    let mut smaller = None;
    for group in groups {
        let all = *desired(*group).value()?;
        let min = group.field::<u32>("minReplicas").value().copied().filter(|min| *min > 0).unwrap_or(all);
        if min < all {
            smaller = smaller.or(Some(group.key_span("minReplicas")));
        }
        total = total.saturating_add(min.saturating_mul(*hosts(*group).value()?));
    }
    let span = smaller?;
    Some(evidence(GangScheduler::Kai, "minReplicas", span, Known::Set(total, span)))
}

/// The label by which KubeRay before 1.3 was told which scheduler to use.
fn scheduler_label(meta: &Meta) -> Option<Evidence> {
    const LABEL: &str = "ray.io/scheduler-name";
    let pair = meta.labels.pair(LABEL)?;
    let scheduler = GangScheduler::of_name(pair.value.value()?)?;
    Some(evidence(scheduler, LABEL, pair.key_span, Known::Absent))
}
