//! Helm values, and rule files that stand by themselves. They say neither kind nor chart, so they are known by their
//! shape, and only where the shape is one that no other file has.

use super::constraints::tolerations;
use super::meta::{Meta, Pairs};
use super::pods::{Gpus, PodContainer, PodTemplate, Purpose, Workload, gpu_count};
use super::scaler::{Scaler, Signal, SignalKind, Target, TargetType};
use super::series::Rename;
use super::words::{image, implied, word};
use super::{Model, adapter_rules, count, grafana_model, items, keda_spec, modelservice, rulefile, settings};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// What a document without `kind` and `apiVersion` says, with the kind to call it by; none where it has no known shape.
pub(super) fn read(node: Node<'_>) -> Option<(&'static str, Model)> {
    let rules = rulefile::rules(node);
    if !rules.is_empty() {
        let receivers = rulefile::instructions(node);
        return Some(("PrometheusRules", Model { renames: rules, receivers, ..Model::default() }));
    }
    let mut model = Model {
        renames: renames(node),
        hints: settings::hints(node),
        dashboards: dashboards(node),
        ..Model::default()
    };
    for item in items(node, "servingEngineSpec.modelSpec").filter(|item| item.is_mapping()) {
        let engine = Engine { item, at: item.first_key_span() };
        model.scalers.extend(engine.scaler(model.workloads.len()));
        model.workloads.push(engine.workload());
    }
    let charts = std::iter::once(node).chain(node.entries().into_iter().map(|entry| entry.value));
    model.workloads.extend(charts.flat_map(modelservice::workloads));
    let empty = model.renames.is_empty()
        && model.hints.is_empty()
        && model.workloads.is_empty()
        && model.dashboards.is_empty();
    (!empty).then_some(("HelmValues", model))
}

/// Rules of prometheus-adapter and of kube-prometheus-stack, at the top or in an umbrella chart.
fn renames(root: Node<'_>) -> Vec<Rename> {
    let charts: Vec<Node<'_>> =
        std::iter::once(root).chain(root.entries().into_iter().map(|entry| entry.value)).collect();
    let adapters = charts.iter().flat_map(|chart| adapter_rules::config(*chart));
    adapters.chain(charts.iter().flat_map(|chart| stack_rules(*chart))).collect()
}

/// Dashboards of Grafana's chart, at the top or in an umbrella chart: a provider, a name, a file.
///
/// Source: grafana/helm-charts, charts/grafana/values.yaml, `dashboards`.
fn dashboards(root: Node<'_>) -> Vec<super::dashboard::Dashboard> {
    let charts = [Some(root), root.get("grafana"), root.at("kube-prometheus-stack.grafana")];
    let providers = charts.into_iter().flatten().filter_map(|chart| chart.get("dashboards"));
    let files = providers.flat_map(|p| p.own_entries()).flat_map(|provider| provider.value.own_entries());
    files.filter_map(|file| grafana_model::read_text(&file.value.get("json")?.text()?)).collect()
}

/// Source: prometheus-community/helm-charts, charts/kube-prometheus-stack/values.yaml and charts/prometheus/values.yaml.
fn stack_rules(stack: Node<'_>) -> Vec<Rename> {
    let list = items(stack, "additionalPrometheusRules");
    let maps = ["additionalPrometheusRulesMap", "serverFiles"].iter().filter_map(|key| stack.get(key));
    let entries = maps.flat_map(|map| map.entries()).map(|entry| entry.value);
    list.chain(entries).flat_map(rulefile::rules).collect()
}

/// One engine of the vLLM production stack.
///
/// Source: vllm-project/production-stack, helm/values.yaml and helm/templates.
struct Engine<'t> {
    item: Node<'t>,
    at: Span,
}

impl Engine<'_> {
    fn workload(&self) -> Workload {
        let name = self.item.field::<String>("name");
        let span = name.span().unwrap_or(self.at);
        let replicas = count(self.item, "replicaCount", Some(1), self.at);
        let mut workload = Workload::single(self.template(), replicas, span);
        workload.component = name.value().cloned();
        // Under Ray the pods are those of a cluster, and how many hold a replica is the engine's affair.
        if let Some(ray) = self.item.entry("raySpec").filter(|entry| !entry.value.is_null())
            && let Some(set) = workload.sets.first_mut()
        {
            set.pods = Known::Unresolved(ray.key_node.span());
        }
        let declared = &mut workload.declared;
        declared.engine = Some(("vllm".to_owned(), span));
        declared.tensor_parallel = self.item.field("vllmConfig.tensorParallelSize");
        declared.pipeline_parallel = self.item.field("vllmConfig.pipelineParallelSize");
        let memory = self.item.field::<String>("vllmConfig.gpuMemoryUtilization");
        if memory.is_written() {
            let fraction = memory.try_map("a number", |text| text.parse().ok());
            declared.memory = Some(("gpuMemoryUtilization".to_owned(), fraction));
        }
        workload.purpose = Purpose::Serving;
        workload.plain_pods = false;
        workload.read_meta(&Meta::default());
        workload
    }

    fn template(&self) -> PodTemplate {
        let meta = Meta { annotations: Pairs::of(self.item.get("podAnnotations")), ..Meta::default() };
        let mut template = PodTemplate::of_spec(None, meta, self.at);
        template.priority_class = self.item.field("priorityClassName");
        template.tolerations = tolerations(self.item.get("tolerations"));
        let mut container = PodContainer::of(self.item, false, &[], &[]);
        container.container.image = image(self.item.text_at("repository"), self.item.text_at("tag"));
        container.container.command = ["vllm", "serve"].map(|word| implied(word, self.at)).into();
        container.container.args = items(self.item, "vllmConfig.extraArgs").map(word).collect();
        if let Some(gpus) = self.item.get("requestGPU") {
            let kind = self.item.field::<String>("requestGPUType").value().cloned();
            let resource = kind.unwrap_or_else(|| "nvidia.com/gpu".to_owned());
            container.gpus = Gpus { count: gpu_count(gpus), resource };
        }
        template.add(container);
        template
    }

    /// `keda`, the spec of a ScaledObject. Without triggers the chart writes one on the engine's queue.
    fn scaler(&self, index: usize) -> Option<Scaler> {
        let keda = self.item.get("keda")?;
        if keda.field::<bool>("enabled").value() != Some(&true) {
            return None;
        }
        let span = self.item.key_span("keda");
        let mut scaler = keda_spec::read_spec(keda, Target::Own(index), span, self.at);
        if keda.get("triggers").is_none() {
            let query = implied("vllm:num_requests_waiting", span);
            scaler.signals.push(Signal {
                target: Known::Default(5.0, span),
                target_type: TargetType::AverageValue,
                null_is_zero: Known::Default(true, span),
                type_span: None,
                ..Signal::of(SignalKind::PromQl, "query", query, span, keda.id())
            });
        }
        Some(scaler)
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::{check, renamed_at};

    #[test]
    fn rules_of_charts() {
        let rule = "{seriesQuery: a, name: {as: b}, metricsQuery: c}";
        let expect = "AdapterRule matches None as Some(\"b\") from a via c";
        for values in [
            format!("rules: {{default: false, custom: [{rule}], resource: {{cpu: {{}}}}}}"),
            format!("rules: {{external: [{rule}]}}"),
            format!("prometheus-adapter: {{rules: {{custom: [{rule}]}}}}"),
            format!("rules: [{rule}]"),
        ] {
            check(&values, expect);
            assert_eq!(renamed_at(&values), ["b"]);
        }
        check(
            "rules: {custom: [{seriesQuery: '{{ .Values.series }}'}]}",
            "AdapterRule matches None as None from {{ .Values.series }} via ?",
        );
        let groups = "groups: [{name: a, rules: [{record: b, expr: c}]}]";
        for values in [
            format!("additionalPrometheusRulesMap: {{a: {{{groups}}}}}"),
            format!("additionalPrometheusRules: [{{name: a, {groups}}}]"),
            format!("kube-prometheus-stack: {{additionalPrometheusRulesMap: {{a: {{{groups}}}}}}}"),
            format!("serverFiles: {{recording_rules.yml: {{{groups}}}}}"),
            groups.to_owned(),
        ] {
            check(&values, "RecordingRule \"b\" from c");
        }
    }

    #[test]
    fn dashboards_of_charts() {
        let model = r#"{"schemaVersion": 1, "panels": [{"title": "a", "targets": [{"expr": "b"}]}]}"#;
        for values in [
            format!("dashboards: {{default: {{gpu: {{json: '{model}'}}}}}}"),
            format!("grafana: {{dashboards: {{default: {{gpu: {{json: '{model}'}}}}}}}}"),
        ] {
            check(&values, "dashboard ?\na: PromQl b");
        }
        check("dashboards: {default: {gpu: {gnetId: 1860}}}", "");
    }

    #[test]
    fn settings_of_charts() {
        for (values, expect) in [
            ("gangSchedulingManagement: {schedulerProvider: volcano}", "hint LeaderWorkerSetGangs"),
            ("lws: {gangSchedulingManagement: {schedulerProvider: kubernetes}}", "hint Uses(Native)"),
            ("batchScheduler: {enabled: false, name: kai-scheduler}", "hint KubeRayGangs"),
            ("kuberay-operator: {batchScheduler: {enabled: true}}", "hint KubeRayGangs"),
            ("batchScheduler: {enabled: false, name: ''}", ""),
            ("batchScheduler: {name: '{{ .Values.x }}'}", ""),
            ("controller: {batchScheduler: {enable: true}}", ""),
            ("config: {scheduler: {defaultProfileName: kai-scheduler}}", "hint GroveGangs"),
            ("scheduler: {defaultProfileName: default-scheduler}", ""),
            ("global: {kai-scheduler: {install: false, enabled: true}}", "hint Uses(Kai)\nhint DynamoGangs"),
            ("{grove: {enabled: true}, kai-scheduler: {enabled: true}}", "hint Uses(Kai)\nhint DynamoGangs"),
            ("kai-scheduler: {enabled: true}", "hint Uses(Kai)"),
            ("kai-scheduler: {enabled: '{{ x }}', install: false}", ""),
        ] {
            check(values, expect);
        }
    }

    #[test]
    fn engines_of_the_production_stack() {
        let engine =
            |item: &str, expect: &str| check(&format!("servingEngineSpec: {{modelSpec: [{item}]}}"), expect);
        engine(
            "{name: llama, repository: vllm/vllm-openai, tag: v0.11.0, replicaCount: 2, requestGPU: 4,
              vllmConfig: {tensorParallelSize: 4, gpuMemoryUtilization: 0.9, extraArgs: [--enforce-eager]}}",
            "workload llama x2; pods x1 by default 4 nvidia.com/gpu; tp 4; engine vllm",
        );
        engine(
            "{name: llama, requestGPU: 1, requestGPUType: nvidia.com/mig-3g.40gb, keda: {enabled: true, minReplicaCount: 1, triggers: [{type: cpu, metadata: {value: '60'}}]}}",
            "workload llama x1 by default; pods x1 by default 1 nvidia.com/mig-3g.40gb; engine vllm
             scaler of own workload 0 1..100 by default; Resource \"cpu\" 60.0 Utilization",
        );
        engine(
            "{name: a, keda: {enabled: true, maxReplicaCount: 3}}, {name: b, raySpec: {headNode: {}}, vllmConfig: {tensorParallelSize: 2, pipelineParallelSize: 2}}",
            "workload a x1 by default; pods x1 by default; engine vllm
             workload b x1 by default; pods xunresolved; tp 2; pp 2; engine vllm
             scaler of own workload 0 0 by default..3; PromQl \"vllm:num_requests_waiting\" 5.0 by default AverageValue",
        );
        engine(
            "{name: '{{ n }}', replicaCount: '{{ r }}', requestGPU: '{{ g }}', keda: {enabled: false}}",
            "workload - xunresolved; pods x1 by default unresolved nvidia.com/gpu; engine vllm",
        );
        engine("{}, x", "workload - x1 by default; pods x1 by default; engine vllm");
    }

    #[test]
    fn other_files() {
        for values in [
            "replicaCount: 1",
            "rules: [{alert: a, expr: b}]",
            "rules: {custom: {seriesQuery: a}}",
            "servingEngineSpec: {enableEngine: false}",
            "servingEngineSpec: {modelSpec: '{{ x }}'}",
            "groups: [{name: a}]",
            "apiVersion: 1\ngroups: [{rules: [{record: a, expr: b}]}]",
            "kind: x\nrules: [{seriesQuery: a}]",
            "- rules: [{seriesQuery: a}]",
            "text",
        ] {
            check(values, "");
        }
    }
}
