//! Volcano: queues, group objects, jobs.

use super::gang::{Evidence, GangScheduler, Hint, HintKind, PodGroup};
use super::pods::{PodSet, PodTemplate, Purpose, Workload, is_gpu_resource};
use super::quantity::Quantity;
use super::queue::{Queue, QueueSystem, Share};
use super::{Model, Reading, count, items, placing};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// Kinds of `scheduling.volcano.sh`.
pub(super) const SCHEDULING: &[&str] = &["PodGroup", "Queue"];

/// PodGroup and Queue.
pub(super) fn scheduling(object: &Reading<'_>) -> Model {
    match object.kind {
        "Queue" => Model { queue: Some(queue(object)), hints: uses(object), ..Model::default() },
        _ => Model { pod_group: Some(pod_group(object)), hints: uses(object), ..Model::default() },
    }
}

fn uses(object: &Reading<'_>) -> Vec<Hint> {
    vec![Hint { kind: HintKind::Uses(GangScheduler::Volcano), span: object.at }]
}

/// Source: volcano-sh/volcano, config/crd/volcano/bases/scheduling.volcano.sh_podgroups.yaml.
fn pod_group(object: &Reading<'_>) -> PodGroup {
    let spec = object.spec();
    let min: Known<u32> = spec.field("minMember");
    let span = min.span().unwrap_or(object.at);
    let queue = spec.field("queue").or_default("default".to_owned(), object.at);
    let topology = placing::in_fields(spec);
    PodGroup { scheduler: GangScheduler::Volcano, min, queue, topology, counts_pods: true, span }
}

/// A queue. What Volcano calls deserved is given back when others need it and so is the quota; where it is not written,
/// the guarantee is.
///
/// Source: volcano-sh/volcano, config/crd/volcano/bases/scheduling.volcano.sh_queues.yaml.
fn queue(object: &Reading<'_>) -> Queue {
    let spec = object.spec();
    let blocks = ["capability", "deserved", "guarantee"];
    Queue {
        system: QueueSystem::Volcano,
        parent: spec.field("parent"),
        hierarchical: true,
        gpu: share(object, is_gpu_resource, 1.0),
        cpu: share(object, |name| name == "cpu", 1e3),
        memory: share(object, |name| name == "memory", 1e-6),
        resources: blocks.iter().find_map(|key| spec.entry(key)).map(|entry| entry.key_node.span()),
        resources_node: None,
        priority: spec.field("priority"),
        preempt_min_runtime: Known::Absent,
        reclaim_min_runtime: Known::Absent,
        node_pool: Known::Absent,
        span: object.node.key_span("spec"),
    }
}

fn share(object: &Reading<'_>, is: fn(&str) -> bool, unit: f64) -> Share {
    let spec = object.spec();
    let amount = |block: &str| {
        let entries = spec.at(block).map(|block| block.entries()).unwrap_or_default();
        let entry = entries.into_iter().find(|entry| is(entry.key))?;
        Some((entry.key_node.span(), entry.value.read::<Quantity>().map(|quantity| quantity.0 * unit)))
    };
    let quota = amount("deserved").or_else(|| amount("guarantee.resource"));
    let limit = amount("capability");
    let span: Option<Span> = quota.as_ref().or(limit.as_ref()).map(|(span, _)| *span);
    let known = |amount: Option<(Span, Known<f64>)>| amount.map(|(_, known)| known).unwrap_or_default();
    let weight = spec.field::<f64>("weight").or_default(1.0, object.at);
    Share { span, quota: known(quota), limit: known(limit), over_quota_weight: weight, node: None }
}

/// A job: one group of all tasks, of which so many pods have to fit.
///
/// Source: volcano-sh/volcano, pkg/webhooks/admission/jobs/mutate/mutate_job.go: without `minAvailable` it is the sum
/// over the tasks, and without `schedulerName` it is `volcano`.
pub(super) fn job(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let tasks: Vec<Node<'_>> = items(spec, "tasks").collect();
    let scheduler = spec.field("schedulerName").or_default("volcano".to_owned(), object.at);
    let sets: Vec<PodSet> = tasks
        .iter()
        .map(|task| {
            let mut template = PodTemplate::of(task.get("template"), task.key_span("template"));
            template.scheduler = template.scheduler.or(|| scheduler.clone());
            let name = task.field::<String>("name").value().cloned().unwrap_or_default();
            PodSet { name, pods: count(*task, "replicas", Some(1), object.at), template }
        })
        .collect();
    let none = PodTemplate::of_spec(None, Default::default(), object.at);
    let mut workload = Workload::single(none, Known::Default(1, object.at), object.name_span());
    workload.sets = sets;
    let min = spec.field("minAvailable").or(|| least(&tasks, object.at));
    workload.gang.declared.push(Evidence {
        scheduler: GangScheduler::Volcano,
        what: "`minAvailable`".to_owned(),
        span: min.span().unwrap_or(object.at),
        min,
        pod_group: None,
    });
    workload.purpose = Purpose::Batch;
    workload.read_meta(&object.meta);
    Model { workloads: vec![workload], hints: uses(object), ..Model::default() }
}

/// The default of `minAvailable`: of each task its own, or all of its replicas.
fn least(tasks: &[Node<'_>], at: Span) -> Known<u32> {
    let mut total = 0u32;
    for task in tasks {
        match task.field("minAvailable").or(|| count(*task, "replicas", Some(1), at)) {
            Known::Set(n, _) | Known::Default(n, _) => total = total.saturating_add(n),
            unknown => return unknown,
        }
    }
    Known::Default(total, at)
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn groups_and_queues() {
        let scheduling = |kind: &str, spec: &str, expect: &str| {
            let text = format!(
                "{{apiVersion: scheduling.volcano.sh/v1beta1, kind: {kind}, metadata: {{name: a}}, spec: {spec}}}"
            );
            check(&text, &format!("{expect}\nhint Uses(Volcano)"));
        };
        scheduling("PodGroup", "{minMember: 2, queue: q}", "pod group of Volcano min 2");
        scheduling("PodGroup", "{minMember: '$(N)'}", "pod group of Volcano min unresolved");
        scheduling("PodGroup", "{minMember: many}", "pod group of Volcano min invalid");
        scheduling("PodGroup", "{}", "pod group of Volcano min ?");
        scheduling(
            "Queue",
            "{parent: root, weight: 4, capability: {nvidia.com/gpu: 16, cpu: 4}, deserved: {nvidia.com/gpu: '8'}, guarantee: {resource: {nvidia.com/gpu: 2}}}",
            "queue Volcano under \"root\"; gpu 8.0/16.0/4.0",
        );
        scheduling(
            "Queue",
            "{guarantee: {resource: {nvidia.com/gpu: 2}}}",
            "queue Volcano under ?; gpu 2.0/?/1.0 by default",
        );
        scheduling(
            "Queue",
            "{capability: {nvidia.com/gpu: '{{ n }}'}, weight: x}",
            "queue Volcano under ?; gpu ?/unresolved/invalid",
        );
        // KAI Scheduler has kinds of the same names in a group of its own.
        check("{apiVersion: example.com/v2, kind: Queue, spec: {}}", "");
    }

    #[test]
    fn jobs() {
        let template =
            "template: {spec: {containers: [{name: x, resources: {limits: {nvidia.com/gpu: 8}}}]}}";
        check(
            &format!("
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {{name: a}}
spec:
  minAvailable: 3
  queue: q
  tasks:
  - {{name: master, {template}}}
  - {{name: worker, replicas: 2, {template}}}
"),
            "workload - x1 by default; master x1 by default 8 nvidia.com/gpu by volcano; worker x2 8 nvidia.com/gpu by volcano; gang Volcano `minAvailable` min 3
             hint Uses(Volcano)",
        );
        check(
            &format!("{{apiVersion: batch.volcano.sh/v1alpha1, kind: Job, spec: {{schedulerName: kai-scheduler, tasks: [{{replicas: 4, {template}}}, {{replicas: 2, minAvailable: 1}}]}}}}"),
            "workload - x1 by default; pods x4 8 nvidia.com/gpu by kai-scheduler; pods x2 by kai-scheduler; gang Volcano `minAvailable` min 5 by default
             hint Uses(Volcano)",
        );
        check(
            "{apiVersion: batch.volcano.sh/v1alpha1, kind: Job, spec: {tasks: [{name: a, replicas: '{{ n }}', template: x}]}}",
            "workload - x1 by default; a xunresolved by volcano; gang Volcano `minAvailable` min unresolved
             hint Uses(Volcano)",
        );
        check(
            "{apiVersion: batch.volcano.sh/v1alpha1, kind: Job}",
            "workload - x1 by default; gang Volcano `minAvailable` min 0 by default\nhint Uses(Volcano)",
        );
    }
}
