//! Kthena (volcano-sh/kthena): ModelServing, ModelBooster, the adapter of a role, and, in a file of their own, the
//! policies.

mod policy;

pub(super) use policy::policy;

use super::constraints::tolerations;
use super::gang::{Evidence, GangScheduler, Hidden};
use super::meta::Meta;
use super::parts::{evidence, items, role_of_name, scale_name, times, workload, written};
use super::pods::{Declared, PodContainer, PodSet, PodTemplate, Purpose, Workload, env_var};
use super::scaler::{Adapter, Target, TargetRef};
use super::{Model, Reading, count};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// The API group.
pub(super) const GROUP: &str = "workload.serving.volcano.sh";
/// The kinds that [`policy()`] reads.
pub(super) const POLICIES: &[&str] = &["AutoscalingPolicy", "AutoscalingPolicyBinding"];

/// ModelServing: so many serving groups, each with replicas of every role.
pub(super) fn model_serving(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let groups = count(spec, "replicas", Some(1), object.at);
    let roles = items(spec, "template.roles");
    let workloads = roles.into_iter().map(|role| self::role(object, role, &groups)).collect();
    Model { workloads, ..Model::default() }
}

/// A replica of a role is one entry pod and its workers.
fn role(object: &Reading<'_>, role: Node<'_>, groups: &Known<u32>) -> Workload {
    let name = role.field::<String>("name");
    let at = name.span().unwrap_or_else(|| role.first_key_span());
    // One scheduler for all pods, whatever their templates say. Source: model_serving_types.go.
    let scheduler =
        object.spec().field::<String>("schedulerName").or_default("volcano".to_owned(), object.at);
    let template = |key: &str| {
        let template = PodTemplate::of(role.get(key), role.key_span(key));
        PodTemplate { scheduler: scheduler.clone(), ..template }
    };
    let workers = count(role, "workerReplicas", Some(0), at);
    let entry = match &workers {
        Known::Set(_, span) => Known::Set(1, *span),
        _ => Known::Default(1, at),
    };
    let mut sets =
        vec![PodSet { name: "entry".to_owned(), pods: entry, template: template("entryTemplate") }];
    if workers.value() != Some(&0) {
        let template = template("workerTemplate");
        sets.push(PodSet { name: "worker".to_owned(), pods: workers, template });
    }
    let replicas = times(groups, &count(role, "replicas", Some(1), at));
    let mut workload = workload(sets, replicas, at);
    workload.purpose = Purpose::Serving;
    workload.read_meta(&object.meta);
    workload.role = workload.role.or(|| role_of_name(&name));
    if scheduler.value().is_none_or(|name| name == "volcano") {
        workload.gang.declared.extend(gang(object.spec(), &name, &workload));
    }
    if let Some(owner) = object.meta.name.value() {
        workload.scaled_as = vec![scale_name(GROUP, object.kind, owner, None)];
        workload.scaled_as.extend(name.value().map(|r| scale_name(GROUP, object.kind, owner, Some(r))));
    }
    workload.component = name.value().cloned();
    workload
}

/// A gang policy or a network topology makes a PodGroup for each serving group. It waits for `minRoleReplicas` of a
/// role, and for all replicas of a role that is not listed there. What is given here is the role's part of it, in pods.
/// Source: pkg/model-serving-controller/podgroupmanager/manager.go.
fn gang(spec: Node<'_>, role: &Known<String>, workload: &Workload) -> Option<Evidence> {
    let template = spec.get("template")?;
    let field = ["gangPolicy", "networkTopology"].into_iter().find(|key| template.get(key).is_some())?;
    let least = template.at("gangPolicy.minRoleReplicas").zip(role.value()).and_then(|(min, r)| min.get(r));
    let min = least.map_or(Known::Absent, |n| times(&n.read(), &workload.pods_per_replica()));
    Some(evidence(GangScheduler::Volcano, field, template.key_span(field), min))
}

/// ModelServingRoleReplica: a name by which autoscalers reach one role.
pub(super) fn role_replica(object: &Reading<'_>) -> Model {
    let Some(entry) = written(object.spec(), "modelServingRef") else { return Model::default() };
    let span = entry.key_node.span();
    let target = TargetRef {
        group: Some(GROUP.to_owned()),
        kind: Known::Set("ModelServing".to_owned(), span),
        name: entry.value.field("name"),
        role: object.spec().field("roleName"),
        span,
    };
    Model { adapters: vec![Adapter { target }], ..Model::default() }
}

/// ModelBooster: one workload for each worker of its backends, which kthena turns into a ModelServing. Its autoscaling
/// policy scales a backend as a whole.
pub(super) fn model_booster(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let mut model = Model::default();
    // Before there was one `backend` there was a list of them.
    for backend in spec.get("backend").into_iter().chain(items(spec, "backends")) {
        model.workloads.extend(items(backend, "workers").into_iter().map(|w| worker(object, backend, w)));
        let policy = spec.entry("autoscalingPolicy").or(backend.entry("autoscalingPolicy"));
        if let Some(entry) = policy.filter(|entry| entry.value.is_mapping()) {
            let target = Target::Reference(TargetRef {
                group: Some(GROUP.to_owned()),
                kind: Known::Set(object.kind.to_owned(), object.at),
                name: object.meta.name.clone(),
                role: Known::Absent,
                span: entry.key_node.span(),
            });
            model.scalers.push(policy::embedded(entry, target, backend));
        }
    }
    model
}

fn worker(object: &Reading<'_>, backend: Node<'_>, worker: Node<'_>) -> Workload {
    let name = worker.field::<String>("type");
    let at = name.span().unwrap_or_else(|| worker.first_key_span());
    let set = PodSet {
        name: String::new(),
        pods: count(worker, "pods", Some(1), at),
        template: worker_pod(object, backend, worker, at),
    };
    let replicas = times(&backend.field("minReplicas"), &count(worker, "replicas", Some(1), at));
    let mut workload = workload(vec![set], replicas, at);
    workload.declared = declared(backend, worker);
    workload.gang.hidden = Some(Hidden {
        how: "kthena writes the ModelServing for a ModelBooster, its gang policy included".to_owned(),
        settle: "write the ModelServing and its `gangPolicy` by hand".to_owned(),
        hint: None,
        ends_with_scheduler: false,
    });
    workload.purpose = Purpose::Serving;
    workload.plain_pods = false;
    workload.read_meta(&object.meta);
    workload.role = workload.role.or(|| role_of_name(&name));
    workload.component = name.value().cloned();
    workload.scaled_as = object.own_name();
    workload
}

fn worker_pod(object: &Reading<'_>, backend: Node<'_>, worker: Node<'_>, at: Span) -> PodTemplate {
    let mut container = PodContainer::of(worker, false, &[], &[]);
    container.container.env = items(backend, "env").into_iter().filter_map(env_var).collect();
    let empty = PodTemplate::of_spec(None, Meta::default(), at);
    PodTemplate {
        scheduler: backend.field::<String>("schedulerName").or_default("volcano".to_owned(), object.at),
        gpus: container.gpus.clone(),
        containers: vec![container],
        tolerations: tolerations(worker.get("tolerations")),
        ..empty
    }
}

/// `config` holds the engine's arguments by their names, with dashes or underscores.
fn declared(backend: Node<'_>, worker: Node<'_>) -> Declared {
    let config = worker.get("config");
    let text = |key: &str| {
        let read = |key: &str| config.map_or(Known::Absent, |c| c.field::<String>(key));
        read(key).or(|| read(&key.replace('-', "_")))
    };
    let number = |key: &str| text(key).try_map("a whole number", |text| text.trim().parse().ok());
    let memory = text("gpu-memory-utilization").try_map("a number", |text| text.trim().parse().ok());
    let engine = backend.field::<String>("type");
    let name = engine.value().and_then(|name| {
        let known = ["vllm", "sglang", "mindie"];
        known.into_iter().find(|known| name.to_lowercase().starts_with(known))
    });
    Declared {
        tensor_parallel: number("tensor-parallel-size"),
        pipeline_parallel: number("pipeline-parallel-size"),
        data_parallel: number("data-parallel-size"),
        memory: memory.is_written().then(|| ("gpu-memory-utilization".to_owned(), memory)),
        engine: name.map(str::to_owned).zip(engine.span()),
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn model_servings() {
        check(
            "apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelServing
metadata: {name: m}
spec:
  replicas: 2
  schedulerName: volcano
  template:
    gangPolicy: {minRoleReplicas: {prefill: 1}}
    roles:
    - name: prefill
      replicas: 3
      workerReplicas: 1
      entryTemplate: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
      workerTemplate: {spec: {schedulerName: other, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
    - {name: decode, workerReplicas: 0, entryTemplate: {spec: {containers: [{name: c, resources: {limits: {huawei.com/ascend-1980: 16}}}]}}}
",
            "workload prefill x6; entry x1 8 nvidia.com/gpu by volcano; worker x1 8 nvidia.com/gpu by volcano; role Prefill; gang Volcano `gangPolicy` min 2; scaled as ModelServing/m; scaled as ModelServing/m role prefill

             workload decode x2; entry x1 16 huawei.com/ascend-1980 by volcano; role Decode; gang Volcano `gangPolicy`; scaled as ModelServing/m; scaled as ModelServing/m role decode",
        );
        // Volcano is the default; another scheduler gets no PodGroup.
        check(
            "apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelServing
metadata: {name: m}
spec: {template: {networkTopology: {groupPolicy: {mode: hard}}, roles: [{name: r, workerReplicas: '{{ .n }}'}]}}
",
            "workload r x1 by default; entry x1 by default by volcano; worker xunresolved by volcano; gang Volcano `networkTopology`; scaled as ModelServing/m; scaled as ModelServing/m role r",
        );
        check(
            "apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelServing
spec: {replicas: two, schedulerName: default-scheduler, template: {gangPolicy: {}, roles: [{}]}}
",
            "workload - xinvalid; entry x1 by default by default-scheduler",
        );
        check(
            "apiVersion: workload.serving.volcano.sh/v1alpha1\nkind: ModelServing\nspec: {roles: [{}]}\n",
            "",
        );
    }

    #[test]
    fn role_replicas() {
        let replica = |spec: &str| {
            format!(
                "apiVersion: workload.serving.volcano.sh/v1alpha1\nkind: ModelServingRoleReplica\nspec: {spec}\n"
            )
        };
        check(
            &replica("{modelServingRef: {name: m}, roleName: decode}"),
            "adapter of ModelServing/m role decode",
        );
        check(&replica("{modelServingRef: {name: '{{ .m }}'}}"), "adapter of ModelServing/unresolved");
        check(&replica("{modelServingRef: m}"), "adapter of ModelServing/?");
        check(&replica("{}"), "");
    }

    #[test]
    fn model_boosters() {
        check(
            "apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelBooster
metadata: {name: b}
spec:
  autoscalingPolicy: {metrics: [{name: 'vllm:num_requests_waiting', targetValue: 5}]}
  backend:
    type: vLLMDisaggregated
    minReplicas: 1
    maxReplicas: 3
    workers:
    - {type: prefill, replicas: 2, pods: 2, resources: {limits: {nvidia.com/gpu: 4}}, config: {tensor-parallel-size: 8, pipeline_parallel_size: '2'}}
    - {type: decode, resources: {limits: {nvidia.com/gpu: 4}}}
",
            "workload prefill x2; pods x2 4 nvidia.com/gpu by volcano; tp 8; pp 2; engine vllm; role Prefill; gang may be hidden; scaled as ModelBooster/b

             workload decode x1; pods x1 by default 4 nvidia.com/gpu by volcano; engine vllm; role Decode; gang may be hidden; scaled as ModelBooster/b

             scaler of ModelBooster/b 1..3; PodsMetric \"vllm:num_requests_waiting\" 5.0 AverageValue",
        );
        check(
            "apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelBooster
metadata: {name: b}
spec: {backends: [{type: other, minReplicas: '{{ .n }}', workers: [{config: {tensor-parallel-size: '{{ .tp }}'}}]}, {workers: x}]}
",
            "workload - xunresolved; pods x1 by default by volcano; tp unresolved; gang may be hidden; scaled as ModelBooster/b",
        );
        check(
            "apiVersion: workload.serving.volcano.sh/v1alpha1\nkind: ModelBooster\nspec: {backend: x}\n",
            "",
        );
    }
}
