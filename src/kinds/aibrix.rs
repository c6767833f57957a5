//! AIBrix (vllm-project/aibrix): StormService, RoleSet, PodSet, RayClusterFleet and PodAutoscaler.

use super::gang::{Evidence, GangScheduler, KaiGang};
use super::meta::Meta;
use super::parts::{evidence, items, join_meta, role_of_name, scale_name, target_ref, times, written};
use super::pods::{PodTemplate, Purpose, Workload};
use super::quantity::Quantity;
use super::ray_cluster::replica;
use super::scaler::{Controller, Scaler, Signal, SignalKind, Target, TargetType};
use super::{Model, Reading, count};
use crate::known::Known;
use crate::yaml::Node;

/// Kinds whose replicas are RayClusters.
pub(super) const FLEETS: &[&str] = &["RayClusterFleet", "RayClusterReplicaSet"];

/// StormService: so many RoleSets.
pub(super) fn storm_service(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let copies = count(spec, "replicas", Some(1), object.at);
    let meta = join_meta(&Meta::of(spec.at("template.metadata")), &object.meta);
    roles(object, spec.at("template.spec"), &copies, &meta)
}

/// RoleSet.
pub(super) fn role_set(object: &Reading<'_>) -> Model {
    roles(object, Some(object.spec()), &Known::Default(1, object.at), &object.meta)
}

fn roles(object: &Reading<'_>, set: Option<Node<'_>>, copies: &Known<u32>, meta: &Meta) -> Model {
    let Some(set) = set else { return Model::default() };
    let workloads = items(set, "roles").into_iter().map(|role| {
        let mut workload = self::role(object, role, copies, meta);
        // A strategy of the set is for all of its roles, one of a role for the pods of each replica of it.
        workload.gang.declared.extend(strategies(set).into_iter().chain(strategies(role)));
        workload
    });
    Model { workloads: workloads.collect(), ..Model::default() }
}

/// One role: each of its replicas is a PodSet of `podGroupSize` pods, or one pod.
///
/// KAI Scheduler may not read RoleSets and PodSets, so it takes each pod for itself (kai-scheduler/KAI-Scheduler,
/// deployments, rbac/podgrouper.yaml).
fn role(object: &Reading<'_>, role: Node<'_>, copies: &Known<u32>, meta: &Meta) -> Workload {
    let name = role.field::<String>("name");
    let at = name.span().unwrap_or_else(|| role.first_key_span());
    let replicas = times(copies, &count(role, "replicas", Some(1), at));
    let template = PodTemplate::of(role.get("template"), role.key_span("template"));
    let mut workload = Workload::single(template, replicas, at);
    if let Some(set) = workload.sets.first_mut() {
        set.pods = count(role, "podGroupSize", Some(1), at);
    }
    workload.purpose = Purpose::Serving;
    workload.read_meta(meta);
    workload.role = workload.role.or(|| role_of_name(&name));
    workload.component = name.value().cloned();
    if let Some(owner) = object.meta.name.value() {
        let own = |role| scale_name(object.group, object.kind, owner, role);
        workload.scaled_as = match name.value() {
            Some(role) => vec![own(Some(role.as_str())), own(None)],
            None => vec![own(None)],
        };
    }
    workload
}

fn strategies(node: Node<'_>) -> Vec<Evidence> {
    let fields = [
        ("volcanoSchedulingStrategy", GangScheduler::Volcano),
        ("coschedulingSchedulingStrategy", GangScheduler::Coscheduling),
        ("godelSchedulingStrategy", GangScheduler::Godel),
    ];
    let Some(strategy) = node.get("schedulingStrategy") else { return vec![] };
    fields
        .into_iter()
        .filter_map(|(field, scheduler)| {
            let entry = written(strategy, field)?;
            Some(evidence(scheduler, field, entry.key_node.span(), entry.value.field("minMember")))
        })
        .collect()
}

/// PodSet: one group of pods.
pub(super) fn pod_set(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let template = PodTemplate::of(spec.get("template"), spec.key_span("template"));
    let mut workload = Workload::single(template, Known::Default(1, object.at), object.name_span());
    if let Some(set) = workload.sets.first_mut() {
        set.pods = count(spec, "podGroupSize", None, object.at);
    }
    workload.gang.declared = strategies(spec);
    workload.purpose = Purpose::Serving;
    workload.read_meta(&object.meta);
    Model { workloads: vec![workload], ..Model::default() }
}

/// RayClusterFleet: so many RayClusters, each a gang of its own for KAI Scheduler.
pub(super) fn fleet(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let Some(cluster) = spec.at("template.spec") else { return Model::default() };
    let replicas = count(spec, "replicas", Some(1), object.at);
    let meta = join_meta(&Meta::of(spec.at("template.metadata")), &object.meta);
    let mut workload = replica(cluster, replicas, &meta, object.name_span(), object.at);
    workload.gang.kai = KaiGang::PerReplica;
    workload.purpose = Purpose::Serving;
    workload.scaled_as = object.own_name();
    Model { workloads: vec![workload], ..Model::default() }
}

/// PodAutoscaler. Without `minReplicas` it keeps one (vllm-project/aibrix, pkg/utils/paschedules).
pub(super) fn pod_autoscaler(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let target = match spec.get("scaleTargetRef") {
        Some(reference) => {
            let mut target = target_ref(reference);
            // In replica mode the role only picks the pods to measure: the whole service is scaled
            // (vllm-project/aibrix, pkg/controller/podautoscaler/workload_scale.go).
            let mode = object.meta.annotations.get("autoscaling.aibrix.ai/storm-service-mode");
            if mode.value().is_none_or(|mode| mode != "replica") {
                target.role = spec.field("subTargetSelector.roleName");
            }
            Target::Reference(target)
        }
        None => Target::Unknown(object.at),
    };
    let hpa = spec.field::<String>("scalingStrategy").value().is_some_and(|s| s == "HPA");
    let scaler = Scaler {
        target,
        signals: items(spec, "metricsSources").into_iter().map(|source| signal(source, hpa)).collect(),
        default_signal: None,
        min: count(spec, "minReplicas", Some(1), object.at),
        max: spec.field("maxReplicas"),
        idle: Known::Absent,
        formula: None,
        behavior: None,
        span: object.name_span(),
        node: spec.id(),
        controller: Controller::Aibrix,
        policy_ref: Known::Absent,
        fallback: None,
        takes_over: Known::Absent,
    };
    Model { scalers: vec![scaler], ..Model::default() }
}

/// One source. The HPA that the `HPA` strategy makes takes `cpu` and `memory` as resources and any other name as a
/// metric of the pods, whatever the type says (vllm-project/aibrix, pkg/controller/podautoscaler/hpa_resources.go).
fn signal(source: Node<'_>, hpa: bool) -> Signal {
    let kind = source.field::<String>("metricSourceType");
    let text = source.text_at("targetMetric");
    let name = text.value().map(|t| t.value.to_lowercase()).unwrap_or_default();
    let word = kind.value().map(String::as_str).unwrap_or_default();
    let is_resource = matches!(name.as_str(), "cpu" | "memory") && (hpa || word == "resource");
    let (kind, target_type) = match word {
        _ if is_resource && name == "cpu" => (SignalKind::Resource, TargetType::Utilization),
        _ if is_resource => (SignalKind::Resource, TargetType::AverageValue),
        "external" | "domain" if !hpa => (SignalKind::ExternalMetric, TargetType::AverageValue),
        _ => (SignalKind::PodsMetric, TargetType::AverageValue),
    };
    let target = source.field::<String>("targetValue");
    Signal {
        kind,
        key: word.to_owned(),
        span: text.span().unwrap_or_else(|| source.first_key_span()),
        text,
        target: target.try_map("a number", |text| Quantity::parse(&text).map(|q| q.0)),
        target_type,
        name: None,
        node: source.id(),
        null_is_zero: Known::Absent,
        type_span: None,
        selector: vec![],
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn storm_services() {
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1
kind: StormService
metadata: {name: s}
spec:
  replicas: 2
  template:
    spec:
      schedulingStrategy: {coschedulingSchedulingStrategy: {minMember: 6}}
      roles:
      - name: prefill
        replicas: 3
        podGroupSize: 2
        schedulingStrategy: {volcanoSchedulingStrategy: {minMember: 2, queue: q}}
        template: {spec: {schedulerName: volcano, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
      - {name: router, template: {spec: {containers: []}}}
",
            "workload prefill x6; pods x2 8 nvidia.com/gpu by volcano; role Prefill; gang Coscheduling `coschedulingSchedulingStrategy` min 6; gang Volcano `volcanoSchedulingStrategy` min 2; scaled as StormService/s role prefill; scaled as StormService/s

             workload router x2; pods x1 by default; gang Coscheduling `coschedulingSchedulingStrategy` min 6; scaled as StormService/s role router; scaled as StormService/s",
        );
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1
kind: StormService
metadata: {name: s}
spec:
  template:
    metadata: {labels: {kueue.x-k8s.io/queue-name: q}}
    spec:
      roles:
      - {name: '{{ .role }}', replicas: '{{ .n }}', podGroupSize: '{{ .size }}', template: {spec: {containers: []}}}
      - {template: x}
",
            "workload - xunresolved; pods xunresolved; role unresolved; gang Kueue `kueue.x-k8s.io/queue-name`; scaled as StormService/s

             workload - x1 by default; pods x1 by default; gang Kueue `kueue.x-k8s.io/queue-name`; scaled as StormService/s",
        );
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1\nkind: StormService\nspec: {template: {roles: []}}\n",
            "",
        );
    }

    #[test]
    fn role_sets_and_pod_sets() {
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1
kind: RoleSet
metadata: {name: s}
spec: {roles: [{name: decode, replicas: 2, schedulingStrategy: {godelSchedulingStrategy: {minMember: '{{ .m }}'}}}]}
",
            "workload decode x2; pods x1 by default; role Decode; gang Godel `godelSchedulingStrategy` min unresolved; scaled as RoleSet/s role decode; scaled as RoleSet/s",
        );
        check("apiVersion: orchestration.aibrix.ai/v1alpha1\nkind: RoleSet\nspec: {roles: decode}\n", "");
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1\nkind: RoleSet\nspec: {roles: [{}]}\n",
            "workload - x1 by default; pods x1 by default",
        );
        let pod_set = |spec: &str| {
            format!("apiVersion: orchestration.aibrix.ai/v1alpha1\nkind: PodSet\nspec: {spec}\n")
        };
        check(
            &pod_set(
                "{podGroupSize: 4, template: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}}",
            ),
            "workload - x1 by default; pods x4 8 nvidia.com/gpu",
        );
        check(&pod_set("{podGroupSize: '{{ .n }}'}"), "workload - x1 by default; pods xunresolved");
        check(&pod_set("[]"), "workload - x1 by default; pods x?");
    }

    #[test]
    fn fleets() {
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1
kind: RayClusterFleet
metadata: {name: f}
spec:
  replicas: 2
  template:
    metadata: {labels: {kai.scheduler/queue: q}}
    spec:
      headGroupSpec: {template: {spec: {schedulerName: kai-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}}
      workerGroupSpecs: [{groupName: w, replicas: 1, template: {spec: {schedulerName: kai-scheduler, containers: []}}}]
",
            "workload - x2; head x1 by default 8 nvidia.com/gpu by kai-scheduler; w x1 by kai-scheduler; kai PerReplica; queue \"q\"; scaled as RayClusterFleet/f",
        );
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1
kind: RayClusterFleet
metadata: {name: f}
spec: {replicas: '{{ .n }}', template: {spec: {workerGroupSpecs: [{}]}}}
",
            "workload - xunresolved; head x1 by default; worker x0 by default; kai PerReplica; gang may be hidden; scaled as RayClusterFleet/f",
        );
        check(
            "apiVersion: orchestration.aibrix.ai/v1alpha1\nkind: RayClusterFleet\nspec: {template: [x]}\n",
            "",
        );
    }

    #[test]
    fn pod_autoscalers() {
        let autoscaler = |meta: &str, spec: &str| {
            format!(
                "apiVersion: autoscaling.aibrix.ai/v1alpha1\nkind: PodAutoscaler\nmetadata: {meta}\nspec:\n{spec}"
            )
        };
        let target = "  scaleTargetRef: {apiVersion: orchestration.aibrix.ai/v1alpha1, kind: StormService, name: s}\n  subTargetSelector: {roleName: prefill}\n";
        check(
            &autoscaler(
                "{name: a}",
                &format!(
                    "{target}  scalingStrategy: APA
  minReplicas: 2
  maxReplicas: 20
  metricsSources:
  - {{metricSourceType: pod, targetMetric: num_requests_waiting, targetValue: '10'}}
  - {{metricSourceType: external, targetMetric: 'vllm:deployment_replicas', targetValue: '100'}}
  - {{metricSourceType: resource, targetMetric: cpu, targetValue: '50'}}
"
                ),
            ),
            "scaler of StormService/s role prefill 2..20; PodsMetric \"num_requests_waiting\" 10.0 AverageValue; ExternalMetric \"vllm:deployment_replicas\" 100.0 AverageValue; Resource \"cpu\" 50.0 Utilization",
        );
        check(
            &autoscaler(
                "{annotations: {autoscaling.aibrix.ai/storm-service-mode: replica}}",
                &format!(
                    "{target}  scalingStrategy: HPA
  maxReplicas: '{{{{ .max }}}}'
  metricsSources:
  - {{metricSourceType: pod, targetMetric: memory, targetValue: high}}
  - {{metricSourceType: external, targetValue: '{{{{ .t }}}}'}}
"
                ),
            ),
            "scaler of StormService/s 1 by default..unresolved; Resource \"memory\" invalid AverageValue; PodsMetric \"?\" unresolved AverageValue",
        );
        check(&autoscaler("{}", "  metricsSources: cpu\n"), "scaler of unknown 1 by default..?");
    }
}
