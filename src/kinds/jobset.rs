//! JobSet (kubernetes-sigs/jobset).

use super::gang::KaiGang;
use super::meta::Meta;
use super::parts::{items, join_meta, times, workload};
use super::placing::StartOrder;
use super::pods::{PodSet, PodTemplate, Purpose};
use super::{Model, Reading, count};
use crate::known::Known;
use crate::yaml::Node;

/// JobSet: all its Jobs together are one replica.
///
/// KAI Scheduler makes one gang of it, but where the Jobs start in order it waits for the first only
/// (kai-scheduler/KAI-Scheduler, pkg/podgrouper, from 0.16).
pub(super) fn job_set(object: &Reading<'_>) -> Model {
    let jobs = items(object.spec(), "replicatedJobs");
    let sets = jobs.iter().map(|job| replicated(*job)).collect();
    let mut workload = workload(sets, Known::Default(1, object.at), object.name_span());
    let order = object.spec().field::<String>("startupPolicy.startupPolicyOrder");
    let ordered = order.value().is_some_and(|order| order == "InOrder");
    workload.gang.kai = if ordered { KaiGang::LeaderFirst } else { KaiGang::Whole };
    if let Some(span) = order.span().filter(|_| ordered) {
        workload.placing.order = StartOrder::LeaderFirst(span);
    }
    workload.purpose = Purpose::Batch;
    // Statements about a gang may stand on the Jobs too.
    let meta = jobs
        .iter()
        .fold(object.meta.clone(), |outer, job| join_meta(&Meta::of(job.at("template.metadata")), &outer));
    workload.read_meta(&meta);
    Model { workloads: vec![workload], ..Model::default() }
}

fn replicated(job: Node<'_>) -> PodSet {
    let at = job.first_key_span();
    let copies = count(job, "replicas", Some(1), at);
    let parallel = count(job, "template.spec.parallelism", Some(1), at);
    PodSet {
        name: job.field::<String>("name").value().cloned().unwrap_or_default(),
        pods: times(&copies, &parallel),
        template: PodTemplate::of(job.at("template.spec.template"), job.key_span("template.spec.template")),
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn job_sets() {
        check(
            "apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata: {name: a}
spec:
  replicatedJobs:
  - name: driver
    template: {spec: {template: {spec: {schedulerName: kai-scheduler, containers: [{name: c}]}}}}
  - name: workers
    replicas: 2
    template:
      metadata: {annotations: {kai.scheduler/batch-min-member: '4'}}
      spec:
        parallelism: 4
        template: {spec: {schedulerName: kai-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
",
            "workload - x1 by default; driver x1 by default by kai-scheduler; workers x8 8 nvidia.com/gpu by kai-scheduler; kai Whole; gang Kai `kai.scheduler/batch-min-member` min 4",
        );
        check(
            "apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata: {name: a, labels: {kueue.x-k8s.io/queue-name: q}}
spec:
  startupPolicy: {startupPolicyOrder: InOrder}
  replicatedJobs: [{name: w, replicas: '{{ .n }}', template: {spec: {template: {spec: {containers: []}}}}}]
",
            "workload - x1 by default; w xunresolved; kai LeaderFirst; gang Kueue `kueue.x-k8s.io/queue-name`",
        );
        check(
            "apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nspec: {replicatedJobs: [x, {replicas: -1}]}\n",
            "workload - x1 by default; pods x1 by default; pods xinvalid; kai Whole",
        );
        check("apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\n", "workload - x1 by default; kai Whole");
    }
}
