//! Kubernetes' own workloads, ConfigMaps, and the common shape of kinds that are not modelled.

use super::gang::KaiGang;
use super::lifecycle::Rollout;
use super::placing::{KaiReads, StartOrder};
use super::pods::{KaiClass, PodTemplate, Purpose, Workload};
use super::{Model, Reading, actuator, adapter_rules, count, grafana_model, rulefile, settings};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text};

/// Kinds of `apps` with a pod template.
pub(super) const APPS: &[&str] = &["Deployment", "StatefulSet", "ReplicaSet", "DaemonSet"];
/// Kinds of `batch`.
pub(super) const BATCH: &[&str] = &["Job", "CronJob"];

/// Deployment, StatefulSet, ReplicaSet and DaemonSet.
pub(super) fn controller(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let template = PodTemplate::of(spec.get("template"), spec.key_span("template"));
    // A DaemonSet has as many pods as there are nodes for it.
    let replicas = match object.kind {
        "DaemonSet" => Known::Absent,
        _ => count(spec, "replicas", Some(1), object.at),
    };
    let mut workload = Workload::single(template, replicas, object.name_span());
    workload.scaled_as = object.own_name();
    workload.purpose = Purpose::Serving;
    workload.placing.kai_reads = KaiReads::Owner;
    workload.placing.order_node = Some(spec.id());
    match object.kind {
        "StatefulSet" => workload.placing.order = pod_management(spec, object.at),
        "Deployment" => workload.rollout = Some(Rollout::of(spec, object.at)),
        _ => {}
    }
    if matches!(object.kind, "Deployment" | "ReplicaSet") {
        workload.kai_class = KaiClass::Inference;
    }
    workload.read_meta(&object.meta);
    Model { workloads: vec![workload], ..Model::default() }
}

/// A StatefulSet makes each pod when the one before is ready, unless it is told otherwise.
/// Source: kubernetes, pkg/apis/apps/v1/defaults.go.
fn pod_management(spec: Node<'_>, at: Span) -> StartOrder {
    match spec.field::<String>("podManagementPolicy") {
        Known::Absent => StartOrder::OneByOne(at),
        Known::Set(policy, span) if policy == "OrderedReady" => StartOrder::OneByOne(span),
        _ => StartOrder::Together,
    }
}

/// Job and CronJob. KAI Scheduler makes one group of a Job, of which one member is enough unless an annotation says
/// more (kai-scheduler/KAI-Scheduler, docs/batch).
pub(super) fn batch(object: &Reading<'_>) -> Model {
    let spec = match object.kind {
        "CronJob" => object.spec().at("jobTemplate.spec"),
        _ => Some(object.spec()),
    };
    let Some(spec) = spec else { return Model::default() };
    let template = PodTemplate::of(spec.get("template"), spec.key_span("template"));
    let mut workload = Workload::single(template, Known::Default(1, object.at), object.name_span());
    if let Some(set) = workload.sets.first_mut() {
        set.pods = count(spec, "parallelism", Some(1), object.at);
    }
    workload.purpose = Purpose::Batch;
    // Of a CronJob the Jobs are in between.
    if object.kind == "Job" {
        workload.placing.kai_reads = KaiReads::Owner;
    }
    workload.read_meta(&object.meta);
    Model { workloads: vec![workload], ..Model::default() }
}

/// A bare Pod.
pub(super) fn pod(object: &Reading<'_>) -> Model {
    let span = object.node.key_span("spec");
    let template = PodTemplate::of_spec(object.node.get("spec"), object.meta.clone(), span);
    let mut workload = Workload::single(template, Known::Default(1, object.at), object.name_span());
    workload.read_meta(&object.meta);
    Model { workloads: vec![workload], ..Model::default() }
}

/// A ConfigMap: its files, and what rule files, adapter rules, dashboards and settings among them say.
pub(super) fn config_map(object: &Reading<'_>) -> Model {
    let entries = object.node.get("data").map(|d| d.entries()).unwrap_or_default();
    let data: Vec<(String, Text)> =
        entries.into_iter().filter_map(|e| Some((e.key.to_owned(), e.value.text()?))).collect();
    let mut model = Model::default();
    for (key, text) in &data {
        model.renames.extend(rulefile::rules_in(key, text));
        model.renames.extend(adapter_rules::rules_in(text));
        model.hints.extend(settings::hints_in(text));
        model.dashboards.extend(grafana_model::read_text(text));
        model.receivers.extend(actuator::receivers_in(text));
        model.receivers.extend(rulefile::instructions_in(text));
    }
    model.data = data;
    model
}

/// A kind that is not modelled: every pod template found in the common shape (a mapping whose `spec` has `containers`),
/// in lists too. Nothing is known of how many pods there are or what starts them together.
pub(super) fn unknown(object: &Reading<'_>) -> Model {
    let mut workloads = Vec::new();
    // The schema of a kind is no object of it.
    if object.kind != "CustomResourceDefinition" {
        find_templates(object.spec(), object, 0, &mut workloads);
    }
    Model { workloads, ..Model::default() }
}

fn find_templates(node: Node<'_>, object: &Reading<'_>, depth: usize, found: &mut Vec<Workload>) {
    const DEEPEST: usize = 12;
    const MOST: usize = 64;
    if depth > DEEPEST || found.len() > MOST {
        return;
    }
    if node.get("containers").is_some_and(|c| c.is_sequence()) {
        let template = PodTemplate::of_spec(Some(node), object.meta.clone(), node.first_key_span());
        let mut workload = Workload::single(template, Known::Absent, object.name_span());
        if let Some(set) = workload.sets.first_mut() {
            set.pods = Known::Absent;
        }
        workload.gang.kai = KaiGang::None;
        workload.plain_pods = false;
        found.push(workload);
        return;
    }
    for entry in node.own_entries() {
        find_templates(entry.value, object, depth + 1, found);
    }
    for item in node.items() {
        find_templates(item, object, depth + 1, found);
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn pods_of_core_kinds() {
        check(
            "apiVersion: apps/v1
kind: Deployment
metadata: {name: a, labels: {kai.scheduler/queue: q}}
spec:
  replicas: 2
  template:
    spec:
      schedulerName: kai-scheduler
      initContainers: [{name: i, resources: {limits: {nvidia.com/gpu: 1}}}]
      containers:
      - {name: x, resources: {limits: {nvidia.com/gpu: '4'}}}
      - {name: y, resources: {requests: {nvidia.com/gpu: 4}}}
",
            "workload - x2; pods x1 by default 8 nvidia.com/gpu by kai-scheduler; queue \"q\"; scaled as Deployment/a",
        );
        check(
            "apiVersion: batch/v1
kind: Job
metadata: {name: a, annotations: {kai.scheduler/batch-min-member: '4'}}
spec: {parallelism: 4, template: {spec: {containers: [{name: x}]}}}
",
            "workload - x1 by default; pods x4; gang Kai `kai.scheduler/batch-min-member` min 4",
        );
        check(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {engine.yaml: 'tensor_parallel_size: 8'}\n",
            "data engine.yaml",
        );
        check(
            "apiVersion: example.com/v1
kind: Fleet
metadata: {name: a}
spec: {groups: [{template: {spec: {containers: [{name: x, resources: {limits: {amd.com/gpu: 8}}}]}}}]}
",
            "workload - x?; pods x? 8 amd.com/gpu",
        );
        check(
            "apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: a}
  spec: {replicas: '{{ x }}', template: {spec: {resourceClaims: [{name: g}], containers: [{name: c}]}}}
- {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: {{ n }}}}}]}}
",
            "workload - xunresolved; pods x1 by default unresolved resourceClaims; scaled as Deployment/a

             workload - x1 by default; pods x1 by default unresolved nvidia.com/gpu",
        );
    }
}
