//! RoleBasedGroup in its two shapes, RoleBasedGroupSet, its scaling adapter and CoordinatedPolicy (sgl-project/rbg).

use super::gang::{Evidence, GangScheduler, KaiGang};
use super::meta::{Meta, Pairs};
use super::parts::{
    evidence, items, join_meta, leader_and_workers, named_scheduler, role_of_name, scale_name, times,
    workload, written,
};
use super::pods::{Coordinator, Gpus, PodContainer, PodSet, PodTemplate, Purpose, Workload};
use super::scaler::{Adapter, RolePolicy, TargetRef};
use super::{Model, Reading, count};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

const GROUP: &str = "RoleBasedGroup";
const ADAPTER: &str = "RoleBasedGroupScalingAdapter";
/// Asks for a gang of all pods of all roles, by the scheduler that the controller is started for.
const GANG_ANNOTATION: &str = "rbg.workloads.x-k8s.io/group-gang-scheduling";

/// RoleBasedGroup: one workload for each role.
pub(super) fn group(object: &Reading<'_>) -> Model {
    let one = Known::Default(1, object.at);
    let workloads = roles(object, object.spec(), &one, &object.meta).into_iter().map(|mut workload| {
        if let (Some(group), Some(role)) = (object.meta.name.value(), workload.component.clone()) {
            workload.scaled_as = vec![
                scale_name(object.group, ADAPTER, &format!("{group}-{role}"), None),
                scale_name(object.group, GROUP, group, Some(&role)),
            ];
        }
        workload
    });
    Model { workloads: workloads.collect(), ..Model::default() }
}

/// RoleBasedGroupSet: so many groups. The group's spec stands in `groupTemplate.spec`, before v1alpha2 in `template`.
pub(super) fn group_set(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let (meta, group) = match spec.get("groupTemplate") {
        Some(template) => (join_meta(&Meta::of(Some(template)), &object.meta), template.get("spec")),
        None => (object.meta.clone(), spec.get("template")),
    };
    let Some(group) = group else { return Model::default() };
    let copies = count(spec, "replicas", Some(1), object.at);
    let workloads = roles(object, group, &copies, &meta).into_iter().map(|mut workload| {
        workload.scaled_as = object.own_name();
        workload
    });
    Model { workloads: workloads.collect(), ..Model::default() }
}

/// RoleBasedGroupScalingAdapter.
pub(super) fn adapter(object: &Reading<'_>) -> Model {
    let Some(entry) = written(object.spec(), "scaleTargetRef") else { return Model::default() };
    let span = entry.key_node.span();
    let role = entry.value.field("role");
    let target = TargetRef { role, ..owner(object, entry.value.field("name"), span) };
    Model { adapters: vec![Adapter { target }], ..Model::default() }
}

/// CoordinatedPolicy, which is for the group of the same name and namespace
/// (sgl-project/rbg, examples/basic/rbg/scheduling/volcano-gang-tiered.yaml).
pub(super) fn coordinated_policy(object: &Reading<'_>) -> Model {
    let rules = items(object.spec(), "policies");
    let role_policies = rules
        .into_iter()
        .map(|rule| {
            let least =
                rule.at("strategy.scheduling.gang.minReplicas").map(|m| m.entries()).unwrap_or_default();
            let tier = |span: Span, min| evidence(GangScheduler::Volcano, "minReplicas", span, min);
            RolePolicy {
                target: owner(object, object.meta.name.clone(), object.name_span()),
                roles: names(rule),
                coordinator: scaled_together(rule, "strategy.scaling", "the coordinated policy"),
                gangs: least
                    .into_iter()
                    .map(|e| (e.key.to_owned(), tier(e.key_node.span(), e.value.read())))
                    .collect(),
            }
        })
        .collect();
    Model { role_policies, ..Model::default() }
}

fn owner(object: &Reading<'_>, name: Known<String>, span: Span) -> TargetRef {
    TargetRef {
        group: Some(object.group.to_owned()),
        kind: Known::Set(GROUP.to_owned(), span),
        name,
        role: Known::Absent,
        span,
    }
}

fn names(rule: Node<'_>) -> Vec<String> {
    items(rule, "roles").iter().filter_map(|role| role.raw_str().map(str::to_owned)).collect()
}

fn scaled_together(rule: Node<'_>, path: &str, what: &str) -> Option<Coordinator> {
    rule.at(path).map(|_| Coordinator { what: what.to_owned(), span: rule.key_span(path) })
}

fn roles(object: &Reading<'_>, spec: Node<'_>, copies: &Known<u32>, meta: &Meta) -> Vec<Workload> {
    let policies = gang_policies(spec);
    items(spec, "roles")
        .into_iter()
        .map(|role| {
            let mut workload = self::role(spec, role, copies, object.at);
            workload.read_meta(&join_meta(&Meta::of(Some(role)), meta));
            workload.role = workload.role.or(|| role_of_name(&role.field("name")));
            for found in workload.gang.declared.iter_mut().filter(|e| e.what.contains(GANG_ANNOTATION)) {
                found.scheduler = named_scheduler(&workload.sets).unwrap_or(found.scheduler);
            }
            workload.gang.declared.extend(policies.iter().cloned());
            workload.coordinator = items(spec, "coordination")
                .into_iter()
                .filter(|rule| names(*rule).iter().any(|name| Some(name) == workload.component.as_ref()))
                .find_map(|rule| scaled_together(rule, "strategy.scaling", "the coordination of roles"));
            workload
        })
        .collect()
}

/// `podGroupPolicy` of v1alpha1: a gang of all pods of all roles.
fn gang_policies(spec: Node<'_>) -> Vec<Evidence> {
    let fields =
        [("volcanoScheduling", GangScheduler::Volcano), ("kubeScheduling", GangScheduler::Coscheduling)];
    let Some(policy) = spec.get("podGroupPolicy") else { return vec![] };
    fields
        .into_iter()
        .filter_map(|(field, scheduler)| {
            let entry = written(policy, field)?;
            let what = format!("podGroupPolicy.{field}");
            Some(evidence(scheduler, &what, entry.key_node.span(), Known::Absent))
        })
        .collect()
}

fn role(spec: Node<'_>, role: Node<'_>, copies: &Known<u32>, at: Span) -> Workload {
    let name = role.field::<String>("name");
    let span = name.span().unwrap_or_else(|| role.first_key_span());
    let replicas = times(copies, &count(role, "replicas", Some(1), span));
    let mut workload = workload(pods(spec, role, at), replicas, span);
    // KAI Scheduler may not read RoleInstances, so it takes their pods one by one; it does read a LeaderWorkerSet.
    workload.gang.kai = match leader_worker_set(role) {
        true => KaiGang::PerReplica,
        false => KaiGang::None,
    };
    workload.purpose = Purpose::Serving;
    // An engine runtime adds containers and volumes.
    workload.plain_pods = role.get("engineRuntimes").is_none();
    workload.component = name.value().cloned();
    workload
}

/// True where the role is made as a LeaderWorkerSet: stated as `workload` in v1alpha1, as an annotation in v1alpha2.
fn leader_worker_set(role: Node<'_>) -> bool {
    let annotated = Pairs::of(role.get("annotations")).get("rbg.workloads.x-k8s.io/role-workload-type");
    let made = role.field::<String>("workload.kind").or(|| annotated);
    made.value().is_some_and(|kind| kind.rsplit('/').next() == Some("LeaderWorkerSet"))
}

/// The pods of one replica of a role.
fn pods(spec: Node<'_>, role: Node<'_>, at: Span) -> Vec<PodSet> {
    // v1alpha1 has the template at the role itself, v1alpha2 inside the pattern.
    let components = role.at("customComponentsPattern.components").or(role.get("components"));
    if let Some(components) = components {
        return components.items().map(|component| self::component(component, at)).collect();
    }
    for (pattern, patches) in [
        ("leaderWorkerPattern", ["leaderTemplatePatch", "workerTemplatePatch"]),
        ("leaderWorkerSet", ["patchLeaderTemplate", "patchWorkerTemplate"]),
    ] {
        let Some(group) = role.get(pattern) else { continue };
        let source = if pattern == "leaderWorkerSet" { role } else { group };
        return leader_worker(spec, source, group, patches, at);
    }
    let source = role.get("standalonePattern").unwrap_or(role);
    vec![PodSet { name: String::new(), pods: Known::Default(1, at), template: template(spec, source, at) }]
}

fn component(component: Node<'_>, at: Span) -> PodSet {
    let size = component.first_key_span();
    PodSet {
        name: component.field::<String>("name").value().cloned().unwrap_or_default(),
        pods: count(component, "size", Some(1), size),
        template: PodTemplate::of(component.get("template"), at),
    }
}

fn leader_worker(
    spec: Node<'_>,
    source: Node<'_>,
    group: Node<'_>,
    [leader, worker]: [&str; 2],
    at: Span,
) -> Vec<PodSet> {
    let (leaders, workers) = leader_and_workers(&count(group, "size", Some(1), at), at);
    let pods = |name: &str, pods: Known<u32>, patch: &str| PodSet {
        name: name.to_owned(),
        pods,
        template: patched(template(spec, source, at), group.get(patch)),
    };
    let mut sets = vec![pods("leader", leaders, leader)];
    sets.extend(workers.map(|workers| pods("worker", workers, worker)));
    sets
}

/// A template that is written in place, or one of `roleTemplates` with a patch.
fn template(spec: Node<'_>, source: Node<'_>, at: Span) -> PodTemplate {
    let Some(reference) = source.get("templateRef") else {
        return PodTemplate::of(
            source.get("template"),
            source.entry("template").map_or(at, |e| e.key_node.span()),
        );
    };
    let name = reference.field::<String>("name");
    let named = items(spec, "roleTemplates")
        .into_iter()
        .find(|t| name.value().is_some() && t.field::<String>("name").value() == name.value());
    let base = PodTemplate::of(named.and_then(|t| t.get("template")), reference.first_key_span());
    patched(base, reference.get("patch").or(source.get("templatePatch")))
}

/// A template with a patch over it: the fields that are read here, and containers by their names.
fn patched(mut base: PodTemplate, patch: Option<Node<'_>>) -> PodTemplate {
    let Some(patch) = patch else { return base };
    let patch = PodTemplate::of(Some(patch), patch.first_key_span());
    base.meta = Meta { node: base.meta.node, ..join_meta(&patch.meta, &base.meta) };
    base.scheduler = patch.scheduler.or(|| base.scheduler.clone());
    base.priority_class = patch.priority_class.or(|| base.priority_class.clone());
    base.termination_grace = patch.termination_grace.or(|| base.termination_grace.clone());
    base.node_selector.0.splice(0..0, patch.node_selector.0);
    base.tolerations.extend(patch.tolerations);
    base.native_gang.extend(patch.native_gang);
    base.spreading.extend(patch.spreading);
    let had_gpus = patch.gpus.count.is_written();
    for over in patch.containers {
        let name = over.container.name.value().cloned();
        let same = |c: &&mut PodContainer| name.is_some() && c.container.name.value() == name.as_ref();
        match base.containers.iter_mut().find(same) {
            Some(under) => patch_container(under, over),
            None => base.containers.push(over),
        }
    }
    if had_gpus {
        base.gpus = sum(&base.containers).unwrap_or(patch.gpus);
    }
    base
}

fn patch_container(under: &mut PodContainer, over: PodContainer) {
    let (base, patch) = (&mut under.container, over.container);
    base.image = patch.image.or(|| base.image.clone());
    if !patch.command.is_empty() {
        base.command = patch.command;
    }
    if !patch.args.is_empty() {
        base.args = patch.args;
    }
    // Of a variable that occurs twice the last one counts.
    base.env.extend(patch.env);
    base.env_from.extend(patch.env_from);
    base.mounts.extend(patch.mounts);
    under.hooks.retain(|(key, ..)| over.hooks.iter().all(|(patched, ..)| patched != key));
    under.hooks.extend(over.hooks);
    if over.gpus.count.is_written() {
        under.gpus = over.gpus;
    }
}

/// The GPUs of containers that run together; none where one of them cannot be told.
fn sum(containers: &[PodContainer]) -> Option<Gpus> {
    let asked = containers.iter().filter(|c| !c.init && c.gpus.count.is_written());
    asked.map(|c| c.gpus.clone()).try_fold(None, |total: Option<Gpus>, next| {
        let count = *next.count.value()?;
        let before = total.and_then(|t| t.count.value().copied()).unwrap_or(0);
        let span = next.count.span()?;
        Some(Some(Gpus { count: Known::Set(count.saturating_add(before), span), resource: next.resource }))
    })?
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn groups_of_v1alpha2() {
        check(
            "apiVersion: workloads.x-k8s.io/v1alpha2
kind: RoleBasedGroup
metadata: {name: g, annotations: {rbg.workloads.x-k8s.io/group-gang-scheduling: 'true'}}
spec:
  roleTemplates:
  - name: base
    template: {spec: {schedulerName: volcano, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 4}}}]}}
  roles:
  - {name: router, standalonePattern: {template: {spec: {containers: [{name: c}]}}}}
  - name: prefill
    replicas: 2
    leaderWorkerPattern:
      size: 4
      templateRef: {name: base, patch: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}}
      leaderTemplatePatch: {spec: {schedulerName: other}}
  - name: engine
    annotations: {rbg.workloads.x-k8s.io/role-workload-type: leaderworkerset.x-k8s.io/v1/LeaderWorkerSet}
    customComponentsPattern:
      components:
      - {name: one, template: {spec: {containers: [{name: c}]}}}
      - {name: two, size: 2, template: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 1}}}]}}}
",
            "workload router x1 by default; pods x1 by default; gang Coscheduling `rbg.workloads.x-k8s.io/group-gang-scheduling`; scaled as RoleBasedGroupScalingAdapter/g-router; scaled as RoleBasedGroup/g role router

             workload prefill x2; leader x1 8 nvidia.com/gpu by other; worker x3 8 nvidia.com/gpu by volcano; role Prefill; gang Volcano `rbg.workloads.x-k8s.io/group-gang-scheduling`; scaled as RoleBasedGroupScalingAdapter/g-prefill; scaled as RoleBasedGroup/g role prefill

             workload engine x1 by default; one x1 by default; two x2 1 nvidia.com/gpu; kai PerReplica; gang Coscheduling `rbg.workloads.x-k8s.io/group-gang-scheduling`; scaled as RoleBasedGroupScalingAdapter/g-engine; scaled as RoleBasedGroup/g role engine",
        );
        check(
            "apiVersion: workloads.x-k8s.io/v1alpha2
kind: RoleBasedGroup
metadata: {name: g}
spec:
  roles:
  - {name: '{{ .role }}', replicas: '{{ .n }}', leaderWorkerPattern: {size: '{{ .size }}', templateRef: {name: missing}}}
  - {name: decode, standalonePattern: x}
",
            "workload - xunresolved; leader x1 by default; worker xunresolved; role unresolved
             workload decode x1 by default; pods x1 by default; role Decode; scaled as RoleBasedGroupScalingAdapter/g-decode; scaled as RoleBasedGroup/g role decode",
        );
        check("apiVersion: workloads.x-k8s.io/v1alpha2\nkind: RoleBasedGroup\nspec: {roles: {a: {}}}\n", "");
    }

    #[test]
    fn groups_of_v1alpha1() {
        check(
            "apiVersion: workloads.x-k8s.io/v1alpha1
kind: RoleBasedGroup
metadata: {name: g}
spec:
  podGroupPolicy: {volcanoScheduling: {queue: q}}
  coordination:
  - {name: update, roles: [prefill], strategy: {rollingUpdate: {maxSkew: 1%}}}
  - {name: scale, roles: [prefill, decode], strategy: {scaling: {maxSkew: 5%}}}
  roles:
  - name: prefill
    workload: {apiVersion: leaderworkerset.x-k8s.io/v1, kind: LeaderWorkerSet}
    template: {spec: {schedulerName: volcano, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
    leaderWorkerSet: {size: 2, patchLeaderTemplate: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 0}}}, {name: side}]}}}
  - {name: decode, replicas: 3, template: {spec: {containers: []}}}
  - {name: router, template: {spec: {containers: []}}}
",
            "workload prefill x1 by default; leader x1 0 nvidia.com/gpu by volcano; worker x1 8 nvidia.com/gpu by volcano; role Prefill; kai PerReplica; gang Volcano `podGroupPolicy.volcanoScheduling`; scaled as RoleBasedGroupScalingAdapter/g-prefill; scaled as RoleBasedGroup/g role prefill; coordinated by the coordination of roles

             workload decode x3; pods x1 by default; role Decode; gang Volcano `podGroupPolicy.volcanoScheduling`; scaled as RoleBasedGroupScalingAdapter/g-decode; scaled as RoleBasedGroup/g role decode; coordinated by the coordination of roles

             workload router x1 by default; pods x1 by default; gang Volcano `podGroupPolicy.volcanoScheduling`; scaled as RoleBasedGroupScalingAdapter/g-router; scaled as RoleBasedGroup/g role router",
        );
        check(
            "apiVersion: workloads.x-k8s.io/v1alpha1
kind: RoleBasedGroup
spec:
  podGroupPolicy: {kubeScheduling: {scheduleTimeoutSeconds: 60}}
  roleTemplates: [{name: t, template: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 1}}}]}}}]
  roles:
  - {name: a, templateRef: {name: t}, templatePatch: {spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: '{{ .n }}'}}}]}}}
  - {components: [{name: x, size: 2}]}
",
            "workload a x1 by default; pods x1 by default unresolved nvidia.com/gpu; gang Coscheduling `podGroupPolicy.kubeScheduling`
             workload - x1 by default; x x2; gang Coscheduling `podGroupPolicy.kubeScheduling`",
        );
    }

    #[test]
    fn group_sets() {
        check(
            "apiVersion: workloads.x-k8s.io/v1alpha2
kind: RoleBasedGroupSet
metadata: {name: s}
spec:
  replicas: 2
  groupTemplate:
    annotations: {rbg.workloads.x-k8s.io/group-gang-scheduling: 'true'}
    spec: {roles: [{name: decode, replicas: 3, standalonePattern: {template: {spec: {containers: []}}}}]}
",
            "workload decode x6; pods x1 by default; role Decode; gang Coscheduling `rbg.workloads.x-k8s.io/group-gang-scheduling`; scaled as RoleBasedGroupSet/s",
        );
        check(
            "apiVersion: workloads.x-k8s.io/v1alpha1
kind: RoleBasedGroupSet
metadata: {name: s}
spec: {replicas: '{{ .n }}', template: {roles: [{name: decode, template: {spec: {containers: []}}}]}}
",
            "workload decode xunresolved; pods x1 by default; role Decode; scaled as RoleBasedGroupSet/s",
        );
        check(
            "apiVersion: workloads.x-k8s.io/v1alpha2\nkind: RoleBasedGroupSet\nspec: {groupTemplate: []}\n",
            "",
        );
    }

    #[test]
    fn adapters_and_policies() {
        let object = |kind: &str, spec: &str| {
            format!(
                "apiVersion: workloads.x-k8s.io/v1alpha2\nkind: {kind}\nmetadata: {{name: g}}\nspec: {spec}\n"
            )
        };
        let adapter = |spec: &str| object("RoleBasedGroupScalingAdapter", spec);
        check(
            &adapter("{scaleTargetRef: {name: g, role: decode}}"),
            "adapter of RoleBasedGroup/g role decode",
        );
        check(&adapter("{scaleTargetRef: {name: '{{ .g }}'}}"), "adapter of RoleBasedGroup/unresolved");
        check(&adapter("{replicas: 1}"), "");
        let policy = |spec: &str| object("CoordinatedPolicy", spec);
        check(
            &policy(
                "{policies: [{roles: [prefill, decode], strategy: {scaling: {maxSkew: 10%}}}, {roles: [prefill], strategy: {rollingUpdate: {}}}]}",
            ),
            "policy of RoleBasedGroup/g roles prefill decode; coordinated by the coordinated policy
             policy of RoleBasedGroup/g roles prefill",
        );
        check(
            &policy(
                "{policies: [{roles: [decode], strategy: {scheduling: {gang: {minReplicas: {decode: 2, prefill: '{{ .n }}'}}}}}]}",
            ),
            "policy of RoleBasedGroup/g roles decode; gang of decode Volcano `minReplicas` min 2; gang of prefill Volcano `minReplicas` min unresolved",
        );
        check(&policy("{policies: x}"), "");
    }

    #[test]
    fn patches_of_containers() {
        let text = "apiVersion: workloads.x-k8s.io/v1alpha2
kind: RoleBasedGroup
spec:
  roleTemplates: [{name: t, template: {spec: {containers: [{name: c, image: old, args: [a, b], env: [{name: A}], readinessProbe: {x: y}}]}}}]
  roles:
  - name: r
    standalonePattern:
      templateRef: {name: t, patch: {spec: {containers: [{name: c, image: new, args: [z], env: [{name: B}], readinessProbe: {}}, {name: d}]}}}
";
        let tree = crate::yaml::parse(crate::source::FileId(0), &text.into(), 0..text.len()).unwrap();
        let objects = crate::kinds::classify(&std::sync::Arc::new(tree), crate::source::FileId(0), 0);
        let pods = &objects[0].model.workloads[0].sets[0].template;
        let words: Vec<Vec<&str>> = pods
            .containers
            .iter()
            .map(|c| {
                let args = c.container.args.iter().chain([&c.container.image]).filter_map(|a| a.value());
                let env = c.container.env.iter().map(|e| e.name.as_str());
                args.map(|a| a.value.as_str())
                    .chain(env)
                    .chain(c.hooks.iter().map(|h| h.0.as_str()))
                    .collect()
            })
            .collect();
        assert_eq!(words, [vec!["z", "new", "A", "B", "readinessProbe"], vec![]]);
    }
}
