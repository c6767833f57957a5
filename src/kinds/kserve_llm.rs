//! KServe's LLMInferenceService.

use super::gang::{Hidden, KaiGang};
use super::meta::{Meta, Pairs};
use super::pods::{PodSet, PodTemplate, Purpose, ScaleName, Workload};
use super::scaler::{Controller, Scaler, Signal, SignalKind, Target, TargetType};
use super::words::implied;
use super::{Model, Reading, count, hpa_spec, keda_spec};
use crate::engine::{Container, EnvValue, Role};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text};

/// LLMInferenceService: one workload, or one for decode and one for prefill. The top level is decode where `prefill`
/// is written.
///
/// Source: kserve/kserve, pkg/apis/serving/v1alpha2/llm_inference_service_types.go.
pub(super) fn service(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let scaled_through = Some("`spec.scaling` of the service itself");
    let mut model = Model { scaled_through, ..Model::default() };
    let prefill = spec.entry("prefill").filter(|entry| entry.value.is_mapping());
    let span = object.name_span();
    match prefill {
        None => Pool { object, node: spec, role: None, span }.add(&mut model),
        Some(entry) => {
            let place = entry.key_node.span();
            // That the top level decodes is written nowhere: it follows from the other block.
            Pool { object, node: spec, role: Some((Role::Decode, span)), span }.add(&mut model);
            Pool { object, node: entry.value, role: Some((Role::Prefill, place)), span: place }
                .add(&mut model);
        }
    }
    model
}

/// The top level or `prefill`, which have the same fields.
struct Pool<'r, 't> {
    object: &'r Reading<'t>,
    node: Node<'t>,
    /// The part in disaggregated serving, with what says so.
    role: Option<(Role, Span)>,
    span: Span,
}

impl Pool<'_, '_> {
    fn add(&self, model: &mut Model) {
        let scaling = self.node.get("scaling");
        // The two fields exclude each other.
        let replicas = match scaling {
            Some(scaling) => count(scaling, "minReplicas", Some(1), self.object.at),
            None => count(self.node, "replicas", Some(1), self.object.at),
        };
        let mut workload = self.workload(replicas);
        workload.scaled_as.extend(self.generated());
        // Source: kserve/kserve, pkg/controller/v1alpha2/llmisvc: the workload gets the replicas of the service.
        if scaling.is_none() && self.node.get("replicas").is_some() {
            workload.replicas_kept_by = Some("KServe");
        }
        workload.gang.hidden = self.hidden(&workload);
        workload.read_meta(&propagated(&self.object.meta));
        if let Some(scaling) = scaling {
            model.scalers.push(self.scaler(scaling, model.workloads.len()));
        }
        model.workloads.push(workload);
    }

    fn workload(&self, replicas: Known<u32>) -> Workload {
        let parallelism = self.node.get("parallelism");
        let size = size(parallelism, self.object.at);
        let mut workload = Workload::single(self.template("template"), replicas, self.span);
        if self.node.get("worker").is_some() {
            let leader = if self.node.get("template").is_some() { "template" } else { "worker" };
            let workers = size.map(|size| size.saturating_sub(1));
            workload.sets = vec![
                PodSet {
                    name: "leader".to_owned(),
                    pods: Known::Default(1, self.object.at),
                    template: self.template(leader),
                },
                PodSet { name: "worker".to_owned(), pods: workers, template: self.template("worker") },
            ];
            workload.gang.kai = KaiGang::PerReplica;
        } else if let Some(bases) = self.bases()
            && let Some(set) = workload.sets.first_mut()
            && self.node.get("template").is_none()
        {
            // A base that brings the pods may bring workers as well.
            set.pods = Known::Unresolved(bases);
        }
        if let Some((role, span)) = self.role {
            workload.component = Some(if role == Role::Prefill { "prefill" } else { "decode" }.to_owned());
            workload.role = Known::Set(role, span);
        }
        let number = |key: &str| parallelism.map(|node| node.field(key)).unwrap_or_default();
        workload.declared.tensor_parallel = number("tensor");
        workload.declared.pipeline_parallel = number("pipeline");
        workload.declared.data_parallel = number("data");
        let main =
            workload.sets.iter().flat_map(|set| &set.template.containers).find(|c| is_main(&c.container));
        // The presets run vLLM. A base may run anything, and so may a command.
        if self.bases().is_none() && main.is_none_or(|main| runs_preset(&main.container)) {
            workload.declared.engine = Some(("vllm".to_owned(), self.object.at));
        }
        workload.purpose = Purpose::Serving;
        workload.plain_pods = false;
        workload
    }

    fn template(&self, key: &str) -> PodTemplate {
        let meta = Meta {
            labels: Pairs::of(self.node.get("labels")),
            annotations: Pairs::of(self.node.get("annotations")),
            ..Meta::default()
        };
        let mut template = PodTemplate::of_spec(self.node.get(key), meta, self.node.key_span(key));
        for container in &mut template.containers {
            if is_main(&container.container) {
                run_preset(&mut container.container);
            }
        }
        template
    }

    /// The bytes of `baseRefs`, where there are any.
    fn bases(&self) -> Option<Span> {
        let entry = self.object.spec().entry("baseRefs")?;
        (!entry.value.is_null()).then(|| entry.key_node.span())
    }

    /// The objects that the operator makes, which autoscalers name.
    fn generated(&self) -> Option<ScaleName> {
        let name = self.object.meta.name.value()?;
        let (group, kind, middle) = match self.node.get("worker") {
            Some(_) => ("leaderworkerset.x-k8s.io", "LeaderWorkerSet", "-kserve-mn"),
            None => ("apps", "Deployment", "-kserve"),
        };
        let end = if self.role.is_some_and(|(role, _)| role == Role::Prefill) { "-prefill" } else { "" };
        Some(ScaleName {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: format!("{name}{middle}{end}"),
            role: None,
        })
    }

    fn hidden(&self, workload: &Workload) -> Option<Hidden> {
        if workload.sets.iter().all(|set| set.template.scheduler.is_written()) {
            return None;
        }
        if self.bases().is_some() {
            return Some(Hidden {
                how: "a preset that `baseRefs` names may set the scheduler".to_owned(),
                settle: "set `schedulerName` in `template` and `worker`, or add the preset to the files that are checked"
                    .to_owned(),
                hint: None,
                ends_with_scheduler: false,
            });
        }
        (workload.sets.len() > 1).then(Hidden::in_leader_worker_set)
    }

    fn scaler(&self, scaling: Node<'_>, index: usize) -> Scaler {
        let span = self.node.key_span("scaling");
        let target = Target::Own(index);
        let mut scaler = match (scaling.get("keda"), scaling.get("wva")) {
            (Some(keda), _) => keda_spec::read_spec(keda, target, span, self.object.at),
            (None, Some(wva)) => variant(wva, target, span, scaling.key_span("wva")),
            (None, None) => Scaler::of(target, Controller::Kserve, span, scaling.id()),
        };
        scaler.min = count(scaling, "minReplicas", Some(1), self.object.at);
        scaler.max = count(scaling, "maxReplicas", None, self.object.at);
        scaler
    }
}

/// The Workload Variant Autoscaler computes the number of replicas; an HPA or KEDA only follows it.
///
/// Source: llm-d/llm-d-workload-variant-autoscaler, api/v1alpha1.
fn variant(wva: Node<'_>, target: Target, span: Span, at: Span) -> Scaler {
    let keda = wva.get("keda");
    let behavior = match keda {
        Some(keda) => keda.at("advanced.horizontalPodAutoscalerConfig").and_then(hpa_spec::behavior),
        None => wva.get("hpa").and_then(hpa_spec::behavior),
    };
    let text = implied("wva_desired_replicas", at);
    let signal = Signal {
        target: Known::Default(1.0, at),
        target_type: TargetType::AverageValue,
        ..Signal::of(SignalKind::DesiredReplicas, "wva", text, at, wva.id())
    };
    let controller = if keda.is_some() { Controller::Keda } else { Controller::Hpa };
    Scaler { signals: vec![signal], behavior, ..Scaler::of(target, controller, span, wva.id()) }
}

/// Pods of one group: the ranks of data parallelism over those of one pod, else the stages of the pipeline, else one.
///
/// Source: kserve/kserve, pkg/apis/serving/v1alpha2/llm_inference_service_types_func.go, GetSize.
fn size(parallelism: Option<Node<'_>>, at: Span) -> Known<u32> {
    let number = |key: &str| parallelism.map(|node| node.field::<u32>(key)).unwrap_or_default();
    let (data, local) = (number("data"), number("dataLocal"));
    if data.is_omitted() && local.is_omitted() {
        return number("pipeline").or_default(1, at);
    }
    let span = data.span().or(local.span()).unwrap_or(at);
    match (data.or_default(1, at), local.or_default(1, at)) {
        (Known::Set(data, _) | Known::Default(data, _), Known::Set(local, _) | Known::Default(local, _)) => {
            Known::Set((data.max(1) / local.max(1)).max(1), span)
        }
        (Known::Set(..) | Known::Default(..), unknown) | (unknown, _) => unknown,
    }
}

/// What the operator passes on of the object's own labels and annotations: only those of a few owners.
///
/// Source: kserve/kserve, pkg/controller/v1alpha2/llmisvc/workload_multi_node.go.
fn propagated(meta: &Meta) -> Meta {
    const ANNOTATIONS: &[&str] = &["leaderworkerset.sigs.k8s.io", "k8s.v1.cni.cncf.io", "kueue.x-k8s.io"];
    let keep = |pairs: &Pairs, owners: &[&str]| {
        let owned = |key: &str| owners.iter().any(|owner| key.starts_with(owner));
        Pairs(pairs.0.iter().filter(|pair| owned(&pair.key)).cloned().collect())
    };
    Meta {
        labels: keep(&meta.labels, &["kueue.x-k8s.io"]),
        annotations: keep(&meta.annotations, ANNOTATIONS),
        ..meta.clone()
    }
}

/// The container that serves.
fn is_main(container: &Container) -> bool {
    container.name.value().is_some_and(|name| name == "main")
}

/// True where the container's command is that of a preset: none is written, or it was put in place of none.
fn runs_preset(container: &Container) -> bool {
    let implied = container.command.iter().all(Known::is_omitted);
    implied && (container.args.is_empty() || !container.command.is_empty())
}

/// A container without a command runs that of a preset, which takes more flags from a variable.
///
/// Source: kserve/kserve, config/llmisvcconfig.
fn run_preset(container: &mut Container) {
    if !container.command.is_empty() || !container.args.is_empty() {
        return;
    }
    let Some(more) = container.env.iter().find(|variable| variable.name == "VLLM_ADDITIONAL_ARGS") else {
        return;
    };
    container.command = ["vllm", "serve"].map(|word| implied(word, more.span)).into();
    container.args = match &more.value {
        EnvValue::Literal(text) => words(text),
        EnvValue::ConfigMapKey { span, .. } | EnvValue::Elsewhere(span) => vec![Known::Unresolved(*span)],
    };
}

/// The words of a command line, each with its bytes. Quotes around a whole word are taken away.
fn words(text: &Text) -> Vec<Known<Text>> {
    let mut ranges = Vec::new();
    let mut start: Option<usize> = None;
    let mut quote: Option<char> = None;
    for (at, c) in text.value.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, c) if c.is_whitespace() => ranges.extend(start.take().map(|from| from..at)),
            (None, c) => {
                quote = matches!(c, '\'' | '"').then_some(c);
                start.get_or_insert(at);
            }
        }
    }
    ranges.extend(start.map(|from| from..text.value.len()));
    let word = |range| {
        let word = unquoted(text.part(range));
        let span = word.span();
        Known::Set(word, span)
    };
    ranges.into_iter().map(word).collect()
}

fn unquoted(word: Text) -> Text {
    let inside = |quote: char| {
        let inner = word.value.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(1..inner.len() + 1)
    };
    match inside('\'').or_else(|| inside('"')) {
        Some(range) => word.part(range),
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::testing::check;
    use crate::source::FileId;

    fn service(spec: &str, expect: &str) {
        check(
            &format!(
                "{{apiVersion: serving.kserve.io/v1alpha2, kind: LLMInferenceService, metadata: {{name: a, labels: {{kai.scheduler/queue: lost, kueue.x-k8s.io/queue-name: q}}}}, spec: {spec}}}"
            ),
            expect,
        );
    }

    const POD: &str = "{containers: [{name: main, resources: {limits: {nvidia.com/gpu: 8}}}]}";
    const KUEUE: &str = "gang Kueue `kueue.x-k8s.io/queue-name`";

    #[test]
    fn one_pool() {
        service(
            &format!("{{replicas: 2, parallelism: {{tensor: 8}}, template: {POD}}}"),
            &format!(
                "workload - x2; pods x1 by default 8 nvidia.com/gpu; tp 8; engine vllm; {KUEUE}; scaled as Deployment/a-kserve"
            ),
        );
        service(
            &format!(
                "{{replicas: '{{{{ n }}}}', labels: {{kai.scheduler/queue: q}}, parallelism: '{{{{ p }}}}', template: {POD}}}"
            ),
            &format!(
                "workload - xunresolved; pods x1 by default 8 nvidia.com/gpu; tp unresolved; pp unresolved; dp unresolved; engine vllm; {KUEUE}; queue \"q\"; scaled as Deployment/a-kserve"
            ),
        );
        service(
            "{template: {containers: [{name: main, command: [sglang]}]}}",
            &format!("workload - x1 by default; pods x1 by default; {KUEUE}; scaled as Deployment/a-kserve"),
        );
        service(
            "{baseRefs: [{name: b}]}",
            &format!(
                "workload - x1 by default; pods xunresolved; {KUEUE}; gang may be hidden; scaled as Deployment/a-kserve"
            ),
        );
        service(
            "{prefill: x}",
            &format!(
                "workload - x1 by default; pods x1 by default; engine vllm; {KUEUE}; scaled as Deployment/a-kserve"
            ),
        );
    }

    #[test]
    fn several_pods() {
        let lws = "scaled as LeaderWorkerSet/a-kserve-mn";
        let multi = |parallelism: &str, workers: &str, words: &str| {
            service(
                &format!("{{parallelism: {parallelism}, template: {POD}, worker: {POD}}}"),
                &format!(
                    "workload - x1 by default; leader x1 by default 8 nvidia.com/gpu; worker x{workers} 8 nvidia.com/gpu; {words}engine vllm; kai PerReplica; {KUEUE}; gang may be hidden; {lws}"
                ),
            );
        };
        multi("{data: 16, dataLocal: 8, tensor: 1}", "1", "tp 1; dp 16; ");
        multi("{data: 16, dataLocal: 4, pipeline: 9}", "3", "pp 9; dp 16; ");
        multi("{data: 4}", "3", "dp 4; ");
        multi("{dataLocal: 4}", "0", "");
        multi("{pipeline: 3, tensor: 8}", "2", "tp 8; pp 3; ");
        multi("{data: '{{ n }}', dataLocal: 8}", "unresolved", "dp unresolved; ");
        multi("{data: 8, dataLocal: x}", "invalid", "dp 8; ");
        multi("{}", "0 by default", "");
        let named = "{schedulerName: kai-scheduler, containers: []}";
        service(
            &format!("{{parallelism: {{pipeline: 2}}, worker: {named}}}"),
            &format!(
                "workload - x1 by default; leader x1 by default by kai-scheduler; worker x1 by kai-scheduler; pp 2; engine vllm; kai PerReplica; {KUEUE}; {lws}"
            ),
        );
    }

    #[test]
    fn two_pools() {
        service(
            &format!("{{replicas: 1, template: {POD}, prefill: {{replicas: 3, parallelism: {{pipeline: 2}}, template: {POD}, worker: {POD}}}}}"),
            &format!(
                "workload decode x1; pods x1 by default 8 nvidia.com/gpu; engine vllm; role Decode; {KUEUE}; scaled as Deployment/a-kserve
                 workload prefill x3; leader x1 by default 8 nvidia.com/gpu; worker x1 8 nvidia.com/gpu; pp 2; engine vllm; role Prefill; kai PerReplica; {KUEUE}; gang may be hidden; scaled as LeaderWorkerSet/a-kserve-mn-prefill"
            ),
        );
    }

    #[test]
    fn autoscalers() {
        let pods = |component: &str, role: &str, replicas: &str, end: &str| {
            format!(
                "workload {component} x{replicas}; pods x1 by default; engine vllm; role {role}; {KUEUE}; scaled as Deployment/a-kserve{end}\n"
            )
        };
        service(
            "{scaling: {minReplicas: 2, maxReplicas: 4, keda: {idleReplicaCount: 0, triggers: [{type: prometheus, metadata: {query: 'sum(kv)', threshold: '0.8'}}]}},
              prefill: {scaling: {maxReplicas: '{{ n }}', wva: {hpa: {}}}}}",
            &format!(
                "{}{}scaler of own workload 0 2..4; PromQl \"sum(kv)\" 0.8 AverageValue
                 scaler of own workload 1 1 by default..unresolved; DesiredReplicas \"wva_desired_replicas\" 1.0 by default AverageValue",
                pods("decode", "Decode", "2", ""),
                pods("prefill", "Prefill", "1 by default", "-prefill"),
            ),
        );
        service(
            "{scaling: {}, prefill: {scaling: x}}",
            &format!(
                "{}{}scaler of own workload 0 1 by default..?
                 scaler of own workload 1 1 by default..?",
                pods("decode", "Decode", "1 by default", ""),
                pods("prefill", "Prefill", "1 by default", "-prefill"),
            ),
        );
    }

    #[test]
    fn words_of_a_variable() {
        let spell = |text: &str| {
            let span = Span::new(FileId(0), 0, text.len());
            let words = words(&Text::verbatim(text.to_owned(), span));
            for word in words.iter().filter_map(Known::value) {
                assert_eq!(text.get(word.span().range()), Some(word.value.as_str()), "{text}");
            }
            words.iter().filter_map(Known::value).map(|word| word.value.clone()).collect::<Vec<_>>().join("|")
        };
        for (text, expect) in [
            ("--tp 8  --x=y\n", "--tp|8|--x=y"),
            ("--json '{\"a\": 1}' -b", "--json|{\"a\": 1}|-b"),
            ("\"a b\" 'c d", "a b|'c d"),
            ("--a='b c'", "--a='b c'"),
            ("", ""),
        ] {
            assert_eq!(spell(text), expect, "{text}");
        }
    }
}
