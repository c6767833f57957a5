//! LeaderWorkerSet and DisaggregatedSet (kubernetes-sigs/lws).

use super::gang::{Evidence, GangScheduler, Hidden, KaiGang};
use super::meta::Meta;
use super::parts::{
    items, join_meta, leader_and_workers, role_of_name, scale_name, scheduler_is_open, times, workload,
};
use super::placing::{KaiReads, StartOrder};
use super::pods::{PodSet, PodTemplate, Purpose, Workload};
use super::{Model, Reading, count};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// LeaderWorkerSet: so many groups of one leader and `size - 1` workers.
pub(super) fn leader_worker_set(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let replicas = count(spec, "replicas", Some(1), object.at);
    let mut group = group(spec, replicas, object.name_span(), object.at);
    group.scaled_as = object.own_name();
    group.read_meta(&object.meta);
    Model { workloads: vec![group], ..Model::default() }
}

/// DisaggregatedSet: a LeaderWorkerSet for each role, in each slice.
pub(super) fn disaggregated_set(object: &Reading<'_>) -> Model {
    let slices = count(object.spec(), "slices", Some(1), object.at);
    let workloads = items(object.spec(), "roles").into_iter().map(|r| role(object, r, &slices)).collect();
    Model { workloads, ..Model::default() }
}

fn role(object: &Reading<'_>, role: Node<'_>, slices: &Known<u32>) -> Workload {
    let name = role.field::<String>("name");
    let at = name.span().unwrap_or_else(|| role.first_key_span());
    let spec = role.get("spec").unwrap_or(role);
    // An external scaler sets the replicas of its role; `spec.replicas` then counts for nothing (lws, DisaggregatedSet
    // documentation, scaling).
    let external = role.field::<String>("scaling.mode").value().is_some_and(|mode| mode == "External");
    let replicas = match external {
        true => Known::Absent,
        false => times(slices, &count(spec, "replicas", Some(1), at)),
    };
    let mut workload = group(spec, replicas, at, at);
    // The LeaderWorkerSet of a role takes its metadata from the role.
    workload.placing.kai_reads = KaiReads::Templates;
    if let (Some(set), Some(role)) = (object.meta.name.value(), name.value()) {
        let scaler = format!("{set}-{role}");
        workload.scaled_as = vec![scale_name(object.group, "DisaggregatedSetRoleScaler", &scaler, None)];
    }
    workload.read_meta(&join_meta(&Meta::of(role.get("metadata")), &object.meta));
    workload.role = workload.role.or(|| role_of_name(&name));
    workload.component = name.value().cloned();
    workload
}

/// The pods of the spec of a LeaderWorkerSet.
fn group(spec: Node<'_>, replicas: Known<u32>, span: Span, at: Span) -> Workload {
    let size = count(spec, "leaderWorkerTemplate.size", Some(1), at);
    let (leaders, workers) = leader_and_workers(&size, at);
    let template = |key: &str| spec.at("leaderWorkerTemplate").and_then(|t| t.get(key));
    let place = spec.key_span("leaderWorkerTemplate.workerTemplate");
    // Without a template of its own the leader is made from the workers' template.
    let leader = PodTemplate::of(template("leaderTemplate").or(template("workerTemplate")), place);
    let mut sets = vec![PodSet { name: "leader".to_owned(), pods: leaders, template: leader }];
    if let Some(pods) = workers {
        let template = PodTemplate::of(template("workerTemplate"), place);
        sets.push(PodSet { name: "worker".to_owned(), pods, template });
    }
    let policy = spec.field::<String>("startupPolicy");
    let ready = policy.value().is_some_and(|p| p == "LeaderReady");
    let mut workload = workload(sets, replicas, span);
    workload.placing.kai_reads = KaiReads::Owner;
    if let Some(span) = policy.span().filter(|_| ready) {
        workload.placing.order = StartOrder::LeaderFirst(span);
    }
    workload.placing.order_node = Some(spec.id());
    workload.gang.kai = if ready { KaiGang::LeaderFirst } else { KaiGang::PerReplica };
    workload.gang.hidden = hidden(&workload.sets);
    workload.gang.declared.extend(native(spec));
    workload.purpose = Purpose::Serving;
    workload
}

/// `spec.scheduling`, from which the controller makes a Workload with a gang for kube-scheduler itself.
/// Source: kubernetes-sigs/lws, keps, native gang scheduling (`scheduling.replica.schedulingPolicy.gang`).
fn native(spec: Node<'_>) -> Option<Evidence> {
    let gang = spec.at("scheduling.replica.schedulingPolicy")?.entry("gang")?;
    Some(Evidence {
        scheduler: GangScheduler::Native,
        what: "`scheduling.replica.schedulingPolicy.gang`".to_owned(),
        span: gang.key_node.span(),
        min: gang.value.field("minCount"),
        pod_group: None,
    })
}

/// The controller makes PodGroups for Volcano where it is told to (lws, `gangSchedulingManagement` of its
/// configuration). It never sets a scheduler, but a webhook may.
fn hidden(sets: &[PodSet]) -> Option<Hidden> {
    let volcano = sets.iter().any(|s| s.template.scheduler.value().is_some_and(|name| name == "volcano"));
    (volcano || scheduler_is_open(sets)).then(Hidden::in_leader_worker_set)
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn gangs_of_the_scheduler_itself() {
        check(
            "{apiVersion: leaderworkerset.x-k8s.io/v1, kind: LeaderWorkerSet, metadata: {name: a}, spec: {scheduling: {replica: {schedulingPolicy: {gang: {}}}}, leaderWorkerTemplate: {size: 2, workerTemplate: {spec: {}}}}}",
            "workload - x1 by default; leader x1; worker x1; kai PerReplica; gang Native `scheduling.replica.schedulingPolicy.gang`; gang may be hidden; scaled as LeaderWorkerSet/a",
        );
    }

    #[test]
    fn leader_worker_sets() {
        check(
            "apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: a, labels: {kai.scheduler/queue: q}}
spec:
  replicas: 2
  leaderWorkerTemplate:
    size: 4
    leaderTemplate: {spec: {schedulerName: kai-scheduler, containers: [{name: c}]}}
    workerTemplate:
      spec: {schedulerName: kai-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}
",
            "workload - x2; leader x1 by kai-scheduler; worker x3 8 nvidia.com/gpu by kai-scheduler; kai PerReplica; queue \"q\"; scaled as LeaderWorkerSet/a",
        );
        // The leader takes the workers' template; the scheduler of the pods and the controller's provider are not told.
        check(
            "apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: a, labels: {kueue.x-k8s.io/queue-name: q}}
spec:
  startupPolicy: LeaderReady
  leaderWorkerTemplate:
    size: 2
    workerTemplate: {spec: {containers: [{name: c, resources: {limits: {amd.com/gpu: 4}}}]}}
",
            "workload - x1 by default; leader x1 4 amd.com/gpu; worker x1 4 amd.com/gpu; kai LeaderFirst; gang Kueue `kueue.x-k8s.io/queue-name`; gang may be hidden; scaled as LeaderWorkerSet/a",
        );
        check(
            "apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: '{{ .Release.Name }}'}
spec:
  replicas: {{ .Values.replicas }}
  leaderWorkerTemplate:
    size: '{{ .Values.size }}'
    workerTemplate: {spec: {schedulerName: default-scheduler, containers: []}}
",
            "workload - xunresolved; leader x1 by default by default-scheduler; worker xunresolved by default-scheduler; kai PerReplica",
        );
        check(
            "apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: a}
spec: {leaderWorkerTemplate: {leaderTemplate: {spec: {schedulerName: volcano, containers: [{name: c}]}}}}
",
            "workload - x1 by default; leader x1 by default by volcano; kai PerReplica; gang may be hidden; scaled as LeaderWorkerSet/a",
        );
        check(
            "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet\nspec: [1]\n",
            "workload - x1 by default; leader x1 by default; kai PerReplica; gang may be hidden",
        );
    }

    #[test]
    fn disaggregated_sets() {
        check(
            "apiVersion: disaggregatedset.x-k8s.io/v1
kind: DisaggregatedSet
metadata: {name: a}
spec:
  slices: 2
  roles:
  - name: prefill
    spec:
      replicas: 3
      leaderWorkerTemplate: {size: 2, workerTemplate: {spec: {schedulerName: kai-scheduler, containers: [{name: c}]}}}
  - name: decode
    metadata: {labels: {kueue.x-k8s.io/queue-name: q}}
    scaling: {mode: External}
    spec: {replicas: 3, leaderWorkerTemplate: {workerTemplate: {spec: {schedulerName: kai-scheduler, containers: [{name: c}]}}}}
",
            "workload prefill x6; leader x1 by kai-scheduler; worker x1 by kai-scheduler; role Prefill; kai PerReplica; scaled as DisaggregatedSetRoleScaler/a-prefill

             workload decode x?; leader x1 by default by kai-scheduler; role Decode; kai PerReplica; gang Kueue `kueue.x-k8s.io/queue-name`; scaled as DisaggregatedSetRoleScaler/a-decode",
        );
        check(
            "apiVersion: disaggregatedset.x-k8s.io/v1
kind: DisaggregatedSet
metadata: {name: a}
spec:
  slices: '{{ .Values.slices }}'
  roles: [{name: '{{ .role }}', spec: {leaderWorkerTemplate: {workerTemplate: {spec: {schedulerName: x}}}}}]
",
            "workload - xunresolved; leader x1 by default by x; role unresolved; kai PerReplica",
        );
        check(
            "apiVersion: disaggregatedset.x-k8s.io/v1\nkind: DisaggregatedSet\nspec: {roles: {prefill: {}}}\n",
            "",
        );
        check(
            "apiVersion: disaggregatedset.x-k8s.io/v1\nkind: DisaggregatedSet\nmetadata: {name: a}\nspec: {roles: [{}]}\n",
            "workload - x1 by default; leader x1 by default; kai PerReplica; gang may be hidden",
        );
    }
}
