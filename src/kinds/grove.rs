//! PodCliqueSet (ai-dynamo/grove).

use super::gang::{Evidence, GangScheduler, Hidden, HintKind, KaiGang};
use super::hpa_spec;
use super::meta::Meta;
use super::parts::{
    evidence, items, named_scheduler, role_of_name, scale_name, scheduler_is_open, times, workload, written,
};
use super::pods::{PodSet, PodTemplate, Purpose, Workload};
use super::scaler::{Controller, Scaler, Target};
use super::{Model, Problem, Reading, count};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// PodCliqueSet: one workload for each scaling group, whose replica is all of its cliques together, and one for each
/// clique outside of them, whose replica is one pod.
pub(super) fn pod_clique_set(object: &Reading<'_>) -> Model {
    let copies = count(object.spec(), "replicas", Some(0), object.at);
    let cliques = items(object.spec(), "template.cliques");
    let mut model = Model::default();
    let mut grouped: Vec<String> = Vec::new();
    for group in items(object.spec(), "template.podCliqueScalingGroups") {
        let names: Vec<String> =
            items(group, "cliqueNames").iter().filter_map(|n| n.raw_str().map(str::to_owned)).collect();
        let members =
            cliques.iter().filter(|c| clique_name(**c).is_some_and(|n| names.iter().any(|g| g == n)));
        let members: Vec<Node<'_>> = members.copied().collect();
        model.workloads.push(scaling_group(object, group, &members, &copies));
        model.scalers.extend(scaler(group, "scaleConfig", group, model.workloads.len() - 1));
        grouped.extend(names);
    }
    for (index, clique) in cliques.iter().enumerate() {
        if clique_name(*clique).is_some_and(|name| grouped.iter().any(|g| g == name)) {
            model.problems.extend(own_scaling_in_group(*clique, index));
            continue;
        }
        model.workloads.push(lone_clique(object, *clique, &copies));
        let spec = clique.get("spec").unwrap_or(*clique);
        model.scalers.extend(scaler(spec, "autoScalingConfig", spec, model.workloads.len() - 1));
    }
    model
}

fn clique_name<'t>(clique: Node<'t>) -> Option<&'t str> {
    clique.get("name").and_then(|name| name.raw_str())
}

fn scaling_group(
    object: &Reading<'_>,
    group: Node<'_>,
    members: &[Node<'_>],
    copies: &Known<u32>,
) -> Workload {
    let name = group.field::<String>("name");
    let at = name.span().unwrap_or_else(|| group.first_key_span());
    let sets = members.iter().map(|clique| clique_pods(object, *clique)).collect();
    let replicas = times(copies, &count(group, "replicas", Some(1), at));
    let mut workload = workload(sets, replicas, at);
    // The first replicas form one gang with the rest of the set, each further one is a gang of its own.
    workload.gang.kai = KaiGang::PerReplica;
    // Of a group that is named for no role the cliques may still agree on one.
    let agreed = members
        .iter()
        .map(|clique| clique_role(*clique))
        .reduce(|all, next| if all.value() == next.value() { all } else { Known::Absent });
    finish(&mut workload, object, &name, "PodCliqueScalingGroup");
    workload.role = workload.role.or(|| role_of_name(&name)).or(|| agreed.unwrap_or_default());
    workload.gang.declared.extend(members.iter().filter_map(|c| min_available(&workload.sets, *c)));
    workload
}

fn lone_clique(object: &Reading<'_>, clique: Node<'_>, copies: &Known<u32>) -> Workload {
    let name = clique.field::<String>("name");
    let mut set = clique_pods(object, clique);
    let at = name.span().unwrap_or_else(|| clique.first_key_span());
    let replicas = times(copies, &set.pods);
    set.pods = Known::Default(1, at);
    set.name = String::new();
    let mut workload = workload(vec![set], replicas, at);
    workload.gang.kai = KaiGang::Whole;
    finish(&mut workload, object, &name, "PodClique");
    workload.role = workload.role.or(|| clique_role(clique));
    workload.gang.declared.extend(min_available(&workload.sets, clique));
    workload
}

fn finish(workload: &mut Workload, object: &Reading<'_>, name: &Known<String>, kind: &str) {
    workload.gang.hidden = scheduler_is_open(&workload.sets).then(|| Hidden {
        how: "Grove makes gangs of the cliques where its `scheduler.defaultProfileName` is a gang scheduler"
            .to_owned(),
        settle: "set `podSpec.schedulerName: kai-scheduler` in every clique".to_owned(),
        hint: Some(HintKind::GroveGangs),
        ends_with_scheduler: false,
    });
    workload.purpose = Purpose::Serving;
    workload.read_meta(&object.meta);
    workload.component = name.value().cloned();
    if let (Some(set), Some(part)) = (object.meta.name.value(), name.value()) {
        // Grove puts the index of the set's replica between the names; the set itself can be scaled too.
        workload.scaled_as = vec![
            scale_name(object.group, kind, &format!("{set}-0-{part}"), None),
            scale_name(object.group, object.kind, set, None),
        ];
    }
}

/// `podSpec` stands without a template around it; labels and annotations stand at the clique.
fn clique_pods(object: &Reading<'_>, clique: Node<'_>) -> PodSet {
    let at = clique.first_key_span();
    let span = clique.key_span("spec.podSpec");
    let mut template = PodTemplate::of_spec(clique.at("spec.podSpec"), Meta::of(Some(clique)), span);
    template.priority_class =
        template.priority_class.or(|| object.spec().field("template.priorityClassName"));
    PodSet {
        name: clique_name(clique).unwrap_or_default().to_owned(),
        pods: count(clique, "spec.replicas", Some(1), at),
        template,
    }
}

fn clique_role(clique: Node<'_>) -> Known<crate::engine::Role> {
    role_of_name(&clique.field("spec.roleName")).or(|| role_of_name(&clique.field("name")))
}

/// `minAvailable` of a clique is how many of its pods a gang waits for. Grove hands it to the scheduler that the pods
/// name; where they name none, KAI Scheduler is the one that Grove is made for.
fn min_available(sets: &[PodSet], clique: Node<'_>) -> Option<Evidence> {
    let entry = written(clique.get("spec")?, "minAvailable")?;
    let scheduler = match named_scheduler(sets) {
        Some(scheduler) => scheduler,
        None if scheduler_is_open(sets) => GangScheduler::Kai,
        None => return None,
    };
    Some(evidence(scheduler, "minAvailable", entry.key_node.span(), entry.value.read()))
}

/// A scaling configuration, from which Grove makes an HPA. `minReplicas` is `replicas` by default.
/// Source: ai-dynamo/grove, operator/internal/webhook/admission/pcs/defaulting.
fn scaler(node: Node<'_>, key: &str, counted: Node<'_>, own: usize) -> Option<Scaler> {
    let entry = node.entry(key).filter(|entry| entry.value.is_mapping())?;
    let span = entry.key_node.span();
    let signals = hpa_spec::metrics(entry.value.get("metrics"));
    let replicas = match counted.field::<u32>("replicas") {
        Known::Set(n, _) => Known::Default(n, span),
        Known::Absent => Known::Default(1, span),
        unknown => unknown,
    };
    Some(Scaler {
        target: Target::Own(own),
        default_signal: hpa_spec::default_signal(entry.value.get("metrics")),
        signals,
        min: entry.value.field::<u32>("minReplicas").or(|| replicas),
        max: entry.value.field("maxReplicas"),
        idle: Known::Absent,
        formula: None,
        behavior: None,
        span,
        node: entry.value.id(),
        controller: Controller::Hpa,
        policy_ref: Known::Absent,
        fallback: None,
        takes_over: Known::Absent,
    })
}

/// Source: ai-dynamo/grove, operator/api/core/v1alpha1/podclique.go.
fn own_scaling_in_group(clique: Node<'_>, index: usize) -> Option<Problem> {
    let span: Span = written(clique.get("spec")?, "autoScalingConfig")?.key_node.span();
    Some(Problem {
        span,
        field: format!("spec.template.cliques[{index}].spec.autoScalingConfig"),
        message: "is refused for a clique of a scaling group, which scales as a whole".to_owned(),
        help: Some("scale the group with its `scaleConfig`".to_owned()),
        replacement: None,
    })
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn pod_clique_sets() {
        check(
            "apiVersion: grove.io/v1alpha1
kind: PodCliqueSet
metadata: {name: p, labels: {kai.scheduler/queue: q}}
spec:
  replicas: 2
  template:
    cliques:
    - {name: router, spec: {replicas: 3, podSpec: {schedulerName: kai-scheduler, containers: [{name: c}]}}}
    - name: lead
      spec: {roleName: prefill, podSpec: {schedulerName: kai-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
    - name: work
      spec:
        roleName: prefill
        replicas: 3
        minAvailable: 1
        podSpec: {schedulerName: kai-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}
    podCliqueScalingGroups:
    - name: workers
      cliqueNames: [lead, work]
      replicas: 4
      scaleConfig:
        maxReplicas: 8
        metrics:
        - {type: Pods, pods: {metric: {name: 'vllm:num_requests_waiting'}, target: {type: AverageValue, averageValue: 500m}}}
        - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}
",
            "workload workers x8; lead x1 by default 8 nvidia.com/gpu by kai-scheduler; work x3 8 nvidia.com/gpu by kai-scheduler; role Prefill; kai PerReplica; gang Kai `minAvailable` min 1; queue \"q\"; scaled as PodCliqueScalingGroup/p-0-workers; scaled as PodCliqueSet/p

             workload router x6; pods x1 by default by kai-scheduler; kai Whole; queue \"q\"; scaled as PodClique/p-0-router; scaled as PodCliqueSet/p

             scaler of own workload 0 4 by default..8; PodsMetric \"vllm:num_requests_waiting\" 0.5 AverageValue; Resource \"cpu\" 80.0 Utilization",
        );
        check(
            "apiVersion: grove.io/v1alpha1
kind: PodCliqueSet
metadata: {name: p}
spec:
  replicas: 1
  template:
    cliques:
    - name: decode
      labels: {kueue.x-k8s.io/queue-name: q}
      spec: {minAvailable: 2, autoScalingConfig: {minReplicas: 2, maxReplicas: 5, metrics: []}, podSpec: {containers: []}}
    - name: inner
      spec: {autoScalingConfig: {maxReplicas: 2}, minAvailable: 1, podSpec: {schedulerName: default-scheduler, containers: []}}
    podCliqueScalingGroups: [{name: prefill, cliqueNames: [inner, missing]}]
",
            "workload prefill x1; inner x1 by default by default-scheduler; role Prefill; kai PerReplica; scaled as PodCliqueScalingGroup/p-0-prefill; scaled as PodCliqueSet/p

             workload decode x1; pods x1 by default; role Decode; kai Whole; gang Kueue `kueue.x-k8s.io/queue-name`; gang Kai `minAvailable` min 2; gang may be hidden; scaled as PodClique/p-0-decode; scaled as PodCliqueSet/p

             scaler of own workload 1 2..5; default 80% average CPU utilization
             problem spec.template.cliques[1].spec.autoScalingConfig: is refused for a clique of a scaling group, which scales as a whole",
        );
        check(
            "apiVersion: grove.io/v1alpha1
kind: PodCliqueSet
metadata: {name: '{{ .name }}'}
spec:
  replicas: '{{ .copies }}'
  template:
    cliques:
    - {name: a, spec: {replicas: '{{ .n }}', autoScalingConfig: {metrics: '{{ .metrics }}'}, podSpec: '{{ .pod }}'}}
    - plain
",
            "workload a xunresolved; pods x1 by default; kai Whole; gang may be hidden
             workload - xunresolved; pods x1 by default; kai Whole; gang may be hidden
             scaler of own workload 0 unresolved..?",
        );
        check(
            "apiVersion: grove.io/v1alpha1\nkind: PodCliqueSet\nspec: {template: {cliques: {a: b}, podCliqueScalingGroups: [{}]}}\n",
            "workload - x0 by default; kai PerReplica",
        );
        check("apiVersion: grove.io/v1alpha1\nkind: PodCliqueSet\n", "");
    }
}
