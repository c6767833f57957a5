//! KServe's InferenceService, and the presets of its group.

use super::knative_spec;
use super::meta::{Meta, Pairs};
use super::pods::{PodContainer, PodSet, PodTemplate, Purpose, ScaleName, Workload, config_volumes};
use super::scaler::{Controller, DefaultSignal, Scaler, Signal, SignalKind, Target, TargetType};
use super::words::implied;
use super::{Model, Reading, count, hpa_spec, items};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text};

/// Kinds of `serving.kserve.io` that make no pods by themselves. Presets hold the strings of a template language, which
/// are no values.
pub(super) const PRESETS: &[&str] = &[
    "LLMInferenceServiceConfig",
    "ServingRuntime",
    "ClusterServingRuntime",
    "InferenceGraph",
    "TrainedModel",
    "ClusterStorageContainer",
];

/// What is only read where something else names it.
pub(super) fn preset(_: &Reading<'_>) -> Model {
    Model::default()
}

/// Without any setting, in a mode without Knative.
/// Source: kserve/kserve, pkg/constants/constants.go.
const DEFAULT_CPU: DefaultSignal =
    DefaultSignal { what: "80% average CPU utilization", source: "kserve/kserve pkg/constants/constants.go" };

/// InferenceService: up to three components, each a pod spec with further fields beside it.
///
/// Source: kserve/kserve, pkg/apis/serving/v1beta1/component.go.
pub(super) fn inference_service(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let scaled_through = Some("`minReplicas`, `maxReplicas` and the metrics of its component");
    let mut model = Model { scaled_through, ..Model::default() };
    for component in ["predictor", "transformer", "explainer"] {
        let Some(node) = spec.get(component) else { continue };
        let part = Part { object, node, component, span: spec.key_span(component) };
        let index = model.workloads.len();
        model.workloads.push(part.workload());
        model.scalers.extend(part.scaler(index));
    }
    model
}

/// One component.
struct Part<'r, 't> {
    object: &'r Reading<'t>,
    node: Node<'t>,
    component: &'static str,
    /// The key of the component.
    span: Span,
}

impl Part<'_, '_> {
    fn workload(&self) -> Workload {
        let replicas = count(self.node, "minReplicas", Some(1), self.object.at);
        let mut workload = Workload::single(self.template(), replicas, self.object.name_span());
        if self.component != "predictor" {
            workload.component = Some(self.component.to_owned());
            workload.span = self.span;
        }
        workload.declared.engine = self.engine();
        if let Some(workers) = self.node.get("workerSpec") {
            self.several_nodes(&mut workload, workers);
        }
        let name = self.object.meta.name.value();
        workload.scaled_as.extend(name.map(|name| ScaleName {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            name: format!("{name}-{}", self.component),
            role: None,
        }));
        workload.purpose = Purpose::Serving;
        workload.plain_pods = false;
        workload.read_meta(&self.object.meta);
        workload
    }

    /// The pod: the component is its spec, and the model's server is a container of its own beside `containers`.
    fn template(&self) -> PodTemplate {
        const SERVERS: &[&str] = &[
            "model",
            "huggingface",
            "triton",
            "tensorflow",
            "pytorch",
            "onnx",
            "sklearn",
            "xgboost",
            "lightgbm",
            "paddle",
            "pmml",
        ];
        let meta = Meta {
            labels: Pairs::of(self.node.get("labels")),
            annotations: Pairs::of(self.node.get("annotations")),
            ..Meta::default()
        };
        let mut template = PodTemplate::of_spec(Some(self.node), meta, self.span);
        let volumes = config_volumes(self.node);
        for server in SERVERS.iter().filter_map(|key| self.node.get(key)) {
            let mut container = PodContainer::of(server, false, &volumes, &[]);
            // The runtime's command takes the engine's own flags.
            if let Some((_, span)) = self.engine()
                && container.container.command.is_empty()
            {
                container.container.command = ["vllm", "serve"].map(|word| implied(word, span)).into();
            }
            template.add(container);
        }
        template
    }

    /// The Hugging Face runtime serves with vLLM.
    /// Source: kserve/website, docs on the Hugging Face runtime.
    fn engine(&self) -> Option<(String, Span)> {
        let format = self.node.at("model.modelFormat.name").map(|name| (name, name.raw_str()));
        if let Some((name, Some(text))) = format
            && ["huggingface", "vllm"].iter().any(|known| text.eq_ignore_ascii_case(known))
        {
            return Some(("vllm".to_owned(), name.span()));
        }
        let legacy = self.node.entry("huggingface")?;
        Some(("vllm".to_owned(), legacy.key_node.span()))
    }

    /// A head and its workers, each a Deployment. There are as many nodes as the GPUs of the workers need for the
    /// world, or one for each stage of the pipeline where the runtime states the GPUs.
    ///
    /// Source: kserve/kserve, pkg/controller/v1beta1/inferenceservice/components/predictor.go.
    fn several_nodes(&self, workload: &mut Workload, workers: Node<'_>) {
        let tensor: Known<u32> = workers.field("tensorParallelSize");
        let pipeline: Known<u32> = workers.field("pipelineParallelSize");
        let template = PodTemplate::of_spec(Some(workers), Meta::default(), self.node.key_span("workerSpec"));
        let gpus = template.gpus.count.value().copied().filter(|gpus| *gpus > 0);
        let pods = match (&tensor, &pipeline, gpus) {
            (Known::Set(tensor, _), Known::Set(pipeline, span), Some(gpus)) => {
                let nodes = tensor.saturating_mul(*pipeline).div_ceil(gpus);
                Known::Set(nodes.saturating_sub(1), *span)
            }
            (Known::Unresolved(span), _, _) => Known::Unresolved(*span),
            (_, pipeline, _) => pipeline.clone().map(|stages| stages.saturating_sub(1)),
        };
        if let Some(head) = workload.sets.first_mut() {
            head.name = "head".to_owned();
        }
        workload.sets.push(PodSet { name: "worker".to_owned(), pods, template });
        workload.declared.tensor_parallel = tensor;
        workload.declared.pipeline_parallel = pipeline;
    }

    fn annotation(&self, key: &str) -> Known<String> {
        self.object.meta.annotations.get(&format!("serving.kserve.io/{key}"))
    }

    /// The autoscaler, where a setting asks for one. What drives it by default depends on the deployment mode, whose
    /// own default is a setting of the installation.
    fn scaler(&self, index: usize) -> Option<Scaler> {
        const FIELDS: &[&str] = &["minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "autoScaling"];
        let class = self.annotation("autoscalerClass");
        let off = class.value().is_some_and(|class| matches!(class.as_str(), "none" | "external"));
        let by_class = class.value().is_some_and(|class| matches!(class.as_str(), "hpa" | "keda"));
        let written = by_class || FIELDS.iter().any(|key| self.node.get(key).is_some());
        // Over several nodes there is no autoscaler.
        if off || !written || self.node.get("workerSpec").is_some() {
            return None;
        }
        let mode = self.annotation("deploymentMode");
        let mode = mode.value().map_or("", String::as_str);
        let span = FIELDS
            .iter()
            .rev()
            .find_map(|key| self.node.entry(key))
            .map_or(self.span, |entry| entry.key_node.span());
        let mut scaler = Scaler {
            signals: self.signals(),
            min: count(self.node, "minReplicas", Some(1), self.object.at),
            max: count(self.node, "maxReplicas", None, self.object.at),
            behavior: self.node.get("autoScaling").and_then(hpa_spec::behavior),
            ..Scaler::of(Target::Own(index), Controller::Kserve, span, self.node.id())
        };
        if scaler.signals.is_empty() {
            match mode {
                "Serverless" | "Knative" => {
                    scaler.signals.push(knative_spec::signal(&self.object.meta, span, self.node.id()));
                }
                "RawDeployment" | "Standard" => scaler.default_signal = Some(DEFAULT_CPU),
                _ if class.value().is_some_and(|class| class == "hpa") => {
                    scaler.default_signal = Some(DEFAULT_CPU);
                }
                _ => {}
            }
        }
        Some(scaler)
    }

    fn signals(&self) -> Vec<Signal> {
        let list = self.node.at("autoScaling.metrics");
        let metrics: Vec<Signal> = hpa_spec::metrics(list)
            .into_iter()
            .filter(|signal| signal.kind == SignalKind::Resource)
            .chain(items(self.node, "autoScaling.metrics").filter_map(queried))
            .collect();
        if !metrics.is_empty() {
            return metrics;
        }
        let Some(metric) = self.node.get("scaleMetric") else { return vec![] };
        let text = metric.read::<Text>();
        let (kind, target_type) = match metric.raw_str() {
            Some("concurrency" | "rps") => (SignalKind::PlatformRequests, TargetType::AverageValue),
            Some("memory") => (SignalKind::Resource, TargetType::AverageValue),
            _ => (SignalKind::Resource, TargetType::Utilization),
        };
        let target = self.node.field("scaleTarget");
        let at = metric.span();
        vec![Signal { target, target_type, ..Signal::of(kind, "scaleMetric", text, at, self.node.id()) }]
    }
}

/// A metric that is a query, which KServe hands to KEDA.
fn queried(item: Node<'_>) -> Option<Signal> {
    let block = item.get("external").or_else(|| item.get("podmetric"))?;
    let metric = block.get("metric")?;
    let other = metric.field::<String>("backend").value().is_some_and(|backend| backend == "graphite");
    let kind = if other { SignalKind::Query } else { SignalKind::PromQl };
    let name = || items(metric, "metricNames").next().map(|name| name.read()).unwrap_or_default();
    let query = metric.text_at("query");
    let text = if query.value().is_some_and(|text| text.value.is_empty()) { name() } else { query.or(name) };
    let at = metric.first_key_span();
    let (target, target_type) = hpa_spec::metric_target(block, kind);
    let null_is_zero = if other { Known::Absent } else { Known::Default(true, at) };
    Some(Signal { target, target_type, null_is_zero, ..Signal::of(kind, "query", text, at, block.id()) })
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    fn service(annotations: &str, predictor: &str, expect: &str) {
        check(
            &format!(
                "{{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService,
                   metadata: {{name: a, annotations: {annotations}}}, spec: {{predictor: {predictor}}}}}"
            ),
            expect,
        );
    }

    const MODEL: &str = "model: {modelFormat: {name: huggingface}, args: [--tensor-parallel-size=2], resources: {limits: {nvidia.com/gpu: 2}}}";
    const RAW: &str = "{serving.kserve.io/deploymentMode: RawDeployment}";

    #[test]
    fn predictors() {
        service(
            "{}",
            &format!("{{{MODEL}, schedulerName: volcano, labels: {{kai.scheduler/queue: q}}}}"),
            "workload - x1 by default; pods x1 by default 2 nvidia.com/gpu by volcano; engine vllm; queue \"q\"; scaled as Deployment/a-predictor",
        );
        service(
            "{}",
            "{containers: [{name: kserve-container, resources: {limits: {nvidia.com/gpu: '{{ n }}'}}}]}",
            "workload - x1 by default; pods x1 by default unresolved nvidia.com/gpu; scaled as Deployment/a-predictor",
        );
        service(
            "{}",
            "{triton: {resources: {limits: {nvidia.com/gpu: 1}}}, containers: [{name: x, resources: {limits: {nvidia.com/gpu: 1}}}]}",
            "workload - x1 by default; pods x1 by default 2 nvidia.com/gpu; scaled as Deployment/a-predictor",
        );
        service("{}", "x", "workload - x1 by default; pods x1 by default; scaled as Deployment/a-predictor");
        check("{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: a}}", "");
        check(
            "{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: a}, spec: {transformer: {containers: [{name: x}], maxReplicas: 3}}}",
            "workload transformer x1 by default; pods x1 by default; scaled as Deployment/a-transformer
             scaler of own workload 0 1 by default..3",
        );
    }

    #[test]
    fn predictors_of_several_nodes() {
        let gpus = "containers: [{name: worker-container, resources: {requests: {nvidia.com/gpu: 4}}}]";
        service(
            "{}",
            &format!(
                "{{{MODEL}, minReplicas: 1, workerSpec: {{pipelineParallelSize: 2, tensorParallelSize: 8, {gpus}}}}}"
            ),
            "workload - x1; head x1 by default 2 nvidia.com/gpu; worker x3 4 nvidia.com/gpu; tp 8; pp 2; engine vllm; scaled as Deployment/a-predictor",
        );
        service(
            "{}",
            "{workerSpec: {pipelineParallelSize: 2}}",
            "workload - x1 by default; head x1 by default; worker x1; pp 2; scaled as Deployment/a-predictor",
        );
        service(
            "{}",
            "{workerSpec: {tensorParallelSize: '{{ tp }}', pipelineParallelSize: 2}}",
            "workload - x1 by default; head x1 by default; worker xunresolved; tp unresolved; pp 2; scaled as Deployment/a-predictor",
        );
        service(
            "{}",
            "{workerSpec: {}}",
            "workload - x1 by default; head x1 by default; worker x?; scaled as Deployment/a-predictor",
        );
    }

    /// The autoscaler of a predictor without pods of its own.
    fn scaler(annotations: &str, predictor: &str, replicas: &str, expect: &str) {
        let workload =
            format!("workload - x{replicas}; pods x1 by default; scaled as Deployment/a-predictor");
        service(annotations, predictor, &format!("{workload}\n{expect}"));
    }

    #[test]
    fn autoscalers() {
        let one = "1 by default";
        scaler("{}", "{minReplicas: 0}", "0", "scaler of own workload 0 0..?");
        scaler(
            RAW,
            "{minReplicas: 2, maxReplicas: 4}",
            "2",
            "scaler of own workload 0 2..4; default 80% average CPU utilization",
        );
        scaler(
            "{serving.kserve.io/deploymentMode: Knative, autoscaling.knative.dev/target: '7'}",
            "{maxReplicas: '{{ n }}'}",
            one,
            "scaler of own workload 0 1 by default..unresolved; PlatformRequests \"concurrency\" 7.0 AverageValue",
        );
        scaler(
            "{serving.kserve.io/autoscalerClass: hpa}",
            "{}",
            one,
            "scaler of own workload 0 1 by default..?; default 80% average CPU utilization",
        );
        scaler(
            "{}",
            "{scaleMetric: cpu, scaleTarget: 70}",
            one,
            "scaler of own workload 0 1 by default..?; Resource \"cpu\" 70.0 Utilization",
        );
        scaler(
            "{}",
            "{scaleMetric: concurrency, scaleTarget: x}",
            one,
            "scaler of own workload 0 1 by default..?; PlatformRequests \"concurrency\" invalid AverageValue",
        );
        for class in ["none", "external"] {
            scaler(&format!("{{serving.kserve.io/autoscalerClass: {class}}}"), "{maxReplicas: 4}", one, "");
        }
    }

    #[test]
    fn metrics_of_autoscalers() {
        scaler(
            "{serving.kserve.io/autoscalerClass: keda}",
            "{maxReplicas: 3, autoScaling: {metrics: [
              {type: External, external: {metric: {backend: prometheus, query: 'vllm:num_requests_running'}, target: {type: Value, value: '2'}}},
              {type: PodMetric, podmetric: {metric: {backend: opentelemetry, metricNames: [kv], query: ''}, target: {type: AverageValue, averageValue: 4}}},
              {type: PodMetric, podmetric: {metric: {metricNames: [queue]}}},
              {type: External, external: {metric: {backend: graphite, query: 'a.b'}, target: {value: '{{ t }}'}}},
              {type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 50}}},
              {type: Other}, x]}}",
            "1 by default",
            "scaler of own workload 0 1 by default..3; Resource \"memory\" 50.0 Utilization; \
             PromQl \"vllm:num_requests_running\" 2.0 Value; PromQl \"kv\" 4.0 AverageValue; PromQl \"queue\" ? Unknown; \
             Query \"a.b\" unresolved Value",
        );
        scaler(
            "{}",
            "{autoScaling: {metrics: '{{ m }}'}}",
            "1 by default",
            "scaler of own workload 0 1 by default..?",
        );
    }

    #[test]
    fn presets_make_no_pods() {
        for kind in super::PRESETS {
            check(
                &format!(
                    "{{apiVersion: serving.kserve.io/v1alpha1, kind: {kind}, spec: {{template: {{containers: [{{name: main}}]}}, containers: [{{name: x}}]}}}}"
                ),
                "",
            );
        }
    }
}
