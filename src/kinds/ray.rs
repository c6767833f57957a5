//! RayCluster, RayService and RayJob (ray-project/kuberay), and the Ray Serve configuration inside a RayService.

use super::pods::{Declared, Purpose, Workload};
use super::ray_cluster::replica;
use super::scaler::{Controller, Scaler, Signal, SignalKind, Target, TargetType};
use super::{Model, Problem, Reading};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, NodeId, looks_templated, parse_embedded};

/// RayCluster.
pub(super) fn cluster(object: &Reading<'_>) -> Model {
    Model { workloads: vec![read(object, object.spec(), Purpose::Any)], ..Model::default() }
}

/// RayJob: the cluster that it makes, unless it uses one that is there.
pub(super) fn job(object: &Reading<'_>) -> Model {
    let cluster = object.spec().get("rayClusterSpec");
    let workloads = cluster.map(|cluster| read(object, cluster, Purpose::Batch)).into_iter().collect();
    Model { workloads, ..Model::default() }
}

/// RayService: its cluster, and what its Serve configuration says of engines and autoscaling.
pub(super) fn service(object: &Reading<'_>) -> Model {
    // Before ray.io/v1alpha1 settled on `rayClusterConfig` the field had the name that RayJob uses.
    let cluster = object.spec().get("rayClusterConfig").or(object.spec().get("rayClusterSpec"));
    let Some(cluster) = cluster else { return Model::default() };
    let mut workload = read(object, cluster, Purpose::Serving);
    let mut problems = Vec::new();
    let serve = serve_config(object, &mut problems);
    if let Some((_, declared)) = serve.largest {
        workload.declared = declared;
    }
    workload.declared.engine = serve.engine;
    Model { workloads: vec![workload], scalers: serve.scalers, problems, ..Model::default() }
}

fn read(object: &Reading<'_>, cluster: Node<'_>, purpose: Purpose) -> Workload {
    let replicas = Known::Default(1, object.at);
    let mut workload = replica(cluster, replicas, &object.meta, object.name_span(), object.at);
    workload.purpose = purpose;
    workload
}

/// What a Serve configuration says.
struct Serve {
    /// The largest model among those configured, with a number to compare by.
    largest: Option<(u64, Declared)>,
    scalers: Vec<Scaler>,
    engine: Option<(String, Span)>,
    /// The node of the configuration in the manifest: nodes inside the text belong to a tree of their own.
    node: NodeId,
}

fn serve_config(object: &Reading<'_>, problems: &mut Vec<Problem>) -> Serve {
    const FIELD: &str = "serveConfigV2";
    let config = object.spec().get(FIELD);
    let node = config.map_or(object.node.id(), |c| c.id());
    let mut serve = Serve { largest: None, scalers: vec![], engine: None, node };
    let Some(config) = config else { return serve };
    let mut refuse = |span: Span, message: String| {
        problems.push(Problem {
            span,
            field: format!("spec.{FIELD}"),
            message,
            help: None,
            replacement: None,
        });
    };
    match config.text().map(|text| (parse_embedded(&text), text)) {
        Some((Ok(tree), _)) => serve.walk(tree.root(), 0),
        // A template in the text may be the very thing that is no YAML.
        Some((Err(_), text)) if looks_templated(&text.value) => {
            let unknown = Known::Unresolved(config.span());
            serve.keep(Declared { tensor_parallel: unknown, ..Declared::default() });
        }
        Some((Err(error), _)) => refuse(error.span, format!("the text is no YAML: {}", error.message)),
        None => {
            let span = object.spec().key_span(FIELD);
            refuse(span, "takes a string that holds YAML, such as a block scalar".to_owned());
            serve.walk(config, 0);
        }
    }
    serve
}

impl Serve {
    /// Looks at every mapping: the same settings stand in different places for `args`, `user_config` and `runtime_env`.
    fn walk(&mut self, node: Node<'_>, depth: usize) {
        const DEEPEST: usize = 16;
        if depth > DEEPEST {
            return;
        }
        self.engine(node);
        self.parallelism(node);
        self.autoscaling(node);
        for entry in node.entries() {
            // A list of file names instead of configurations: the files are not in the manifest.
            if entry.key == "llm_configs" {
                for file in entry.value.items().filter(|item| item.raw_str().is_some()) {
                    let unknown = Known::Unresolved(file.span());
                    self.keep(Declared { tensor_parallel: unknown, ..Declared::default() });
                }
            }
            self.walk(entry.value, depth + 1);
        }
        for item in node.items() {
            self.walk(item, depth + 1);
        }
    }

    /// `ray.serve.llm` runs vLLM (ray-project/ray, python/ray/llm).
    fn engine(&mut self, node: Node<'_>) {
        if let Some(path) = node.get("import_path")
            && path.raw_str().is_some_and(|p| p.starts_with("ray.serve.llm") || p.starts_with("ray.llm"))
        {
            self.engine.get_or_insert_with(|| ("vllm".to_owned(), path.span()));
        }
    }

    /// Engine arguments, or the environment variables by which KubeRay's vLLM examples pass them on
    /// (ray-project/kuberay, config/samples/vllm).
    fn parallelism(&mut self, node: Node<'_>) {
        let first = |keys: &[&str]| {
            keys.iter().map(|key| whole_number(node, key)).fold(Known::Absent, |a: Known<u32>, b| a.or(|| b))
        };
        let memory = node.field::<f64>("gpu_memory_utilization");
        let declared = Declared {
            tensor_parallel: first(&["tensor_parallel_size", "TENSOR_PARALLELISM", "TENSOR_PARALLEL_SIZE"]),
            pipeline_parallel: first(&[
                "pipeline_parallel_size",
                "PIPELINE_PARALLELISM",
                "PIPELINE_PARALLEL_SIZE",
            ]),
            data_parallel: first(&["data_parallel_size"]),
            memory: memory.is_written().then(|| ("gpu_memory_utilization".to_owned(), memory)),
            engine: None,
        };
        self.keep(declared);
    }

    /// Keeps the configuration of the largest model: what holds for it is the most that the cluster has to hold. One
    /// whose size cannot be told counts for more than one GPU and for less than two.
    fn keep(&mut self, declared: Declared) {
        let sizes = [&declared.tensor_parallel, &declared.pipeline_parallel];
        if sizes.iter().all(|n| **n == Known::Absent) && declared.memory.is_none() {
            return;
        }
        let known = sizes.iter().map(|n| u64::from(n.value().copied().unwrap_or(1))).product::<u64>() * 2;
        let weight = if sizes.iter().any(|n| n.is_unresolved()) { known.max(3) } else { known };
        if self.largest.as_ref().is_none_or(|(most, _)| weight > *most) {
            self.largest = Some((weight, declared));
        }
    }

    /// Defaults: ray-project/ray, python/ray/serve/config.py, AutoscalingConfig; `num_replicas: auto` has others.
    fn autoscaling(&mut self, node: Node<'_>) {
        let config = node.entry("autoscaling_config").filter(|entry| entry.value.is_mapping());
        let auto = node.field::<String>("num_replicas").value().is_some_and(|n| n == "auto");
        if config.is_none() && !auto {
            return;
        }
        let span = config.map_or_else(|| node.key_span("num_replicas"), |entry| entry.key_node.span());
        let number = |key: &str| config.map_or(Known::Absent, |entry| entry.value.field::<u32>(key));
        let target = ["target_ongoing_requests", "target_num_ongoing_requests_per_replica"]
            .into_iter()
            .map(|key| config.map_or(Known::Absent, |entry| entry.value.field::<f64>(key)))
            .fold(Known::Absent, |a: Known<f64>, b| a.or(|| b));
        let signal = Signal {
            kind: SignalKind::PlatformRequests,
            key: "target_ongoing_requests".to_owned(),
            text: Known::Absent,
            span: target.span().unwrap_or(span),
            target: target.or_default(2.0, span),
            target_type: TargetType::AverageValue,
            name: None,
            node: self.node,
            null_is_zero: Known::Absent,
            type_span: None,
            selector: vec![],
        };
        self.scalers.push(Scaler {
            target: Target::Own(0),
            signals: vec![signal],
            default_signal: None,
            min: number("min_replicas").or_default(1, span),
            max: number("max_replicas").or_default(if auto { 100 } else { 1 }, span),
            idle: Known::Absent,
            formula: None,
            behavior: None,
            span,
            node: self.node,
            controller: Controller::Ray,
            policy_ref: Known::Absent,
            fallback: None,
            takes_over: Known::Absent,
        });
    }
}

/// A whole number, in quotes or not: environment variables have to be strings.
fn whole_number(node: Node<'_>, key: &str) -> Known<u32> {
    node.field::<String>(key).try_map("a whole number", |text| text.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;
    use crate::source::FileId;
    use std::sync::Arc;

    #[test]
    fn clusters() {
        check(
            "apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: a, labels: {kai.scheduler/queue: q}}
spec:
  headGroupSpec: {template: {spec: {schedulerName: kai-scheduler, containers: [{name: c}]}}}
  workerGroupSpecs:
  - groupName: big
    replicas: 2
    minReplicas: 1
    numOfHosts: 2
    template: {spec: {schedulerName: kai-scheduler, containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}
  - {groupName: off, suspend: true, replicas: 9, template: {spec: {containers: []}}}
",
            "workload - x1 by default; head x1 by default by kai-scheduler; big x4 8 nvidia.com/gpu by kai-scheduler; kai Whole; gang Kai `minReplicas` min 3; queue \"q\"",
        );
        check(
            "apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: a, labels: {ray.io/scheduler-name: volcano, ray.io/gang-scheduling-enabled: 'true'}}
spec:
  headGroupSpec: {template: {spec: {containers: [{name: c}]}}}
  workerGroupSpecs:
  - {groupName: g, replicas: '{{ .n }}', template: {spec: {containers: []}}}
  - {minReplicas: 2, template: {spec: {containers: []}}}
  - {groupName: raised, replicas: 1, minReplicas: 3}
  - {groupName: none}
",
            "workload - x1 by default; head x1 by default; g xunresolved; worker x2; raised x3; none x0 by default; kai Whole; gang Volcano `ray.io/scheduler-name`; gang Coscheduling `ray.io/gang-scheduling-enabled`; gang may be hidden",
        );
        check(
            "apiVersion: ray.io/v1\nkind: RayCluster\nspec: {workerGroupSpecs: {a: b}}\n",
            "workload - x1 by default; head x1 by default; kai Whole; gang may be hidden",
        );
    }

    #[test]
    fn jobs() {
        check(
            "apiVersion: ray.io/v1
kind: RayJob
metadata: {name: a}
spec: {rayClusterSpec: {headGroupSpec: {template: {spec: {schedulerName: kai-scheduler, containers: []}}}}}
",
            "workload - x1 by default; head x1 by default by kai-scheduler; kai Whole",
        );
        check("apiVersion: ray.io/v1\nkind: RayJob\nspec: {clusterSelector: {ray.io/cluster: a}}\n", "");
        check(
            "apiVersion: ray.io/v1\nkind: RayJob\nspec: {rayClusterSpec: '{{ .cluster }}'}\n",
            "workload - x1 by default; head x1 by default; kai Whole; gang may be hidden",
        );
    }

    fn service(config: &str, expect: &str) {
        let cluster =
            "  rayClusterConfig: {headGroupSpec: {template: {spec: {schedulerName: kai-scheduler}}}}\n";
        let head = "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {name: a}\nspec:\n";
        let pods = "workload - x1 by default; head x1 by default by kai-scheduler";
        check(&format!("{head}{cluster}{config}"), &format!("{pods}{expect}"));
    }

    #[test]
    fn services() {
        service(
            "  serveConfigV2: |
    applications:
    - import_path: ray.serve.llm:build_openai_app
      args:
        llm_configs:
        - engine_kwargs: {tensor_parallel_size: 2}
          deployment_config: {autoscaling_config: {min_replicas: 0, max_replicas: 4, target_ongoing_requests: 64}}
        - engine_kwargs:
            tensor_parallel_size: 8
            pipeline_parallel_size: 2
            gpu_memory_utilization: 0.9
          deployment_config: {num_replicas: auto}
",
            "; tp 8; pp 2; engine vllm; kai Whole
             scaler of own workload 0 0..4; PlatformRequests \"?\" 64.0 AverageValue
             scaler of own workload 0 1 by default..100 by default; PlatformRequests \"?\" 2.0 by default AverageValue",
        );
        service(
            "  serveConfigV2: |
    applications:
    - import_path: serve:model
      deployments: [{name: d, autoscaling_config: {target_num_ongoing_requests_per_replica: 5}}]
      runtime_env: {env_vars: {TENSOR_PARALLELISM: \"2\", PIPELINE_PARALLELISM: '1'}}
",
            "; tp 2; pp 1; kai Whole
             scaler of own workload 0 1 by default..1 by default; PlatformRequests \"?\" 5.0 AverageValue",
        );
        service(
            "  serveConfigV2: |
    applications: [{deployments: [{user_config: {engine: {tensor_parallel_size: 4}}}]}]
",
            "; tp 4; kai Whole",
        );
        // A size that cannot be told outweighs one GPU, and not two.
        service(
            "  serveConfigV2: |
    applications: [{args: {llm_configs: [./a.yaml, {engine_kwargs: {tensor_parallel_size: 1}}]}}]
",
            "; tp unresolved; kai Whole",
        );
        service(
            "  serveConfigV2: |
    applications: [{args: {llm_configs: [./a.yaml, {engine_kwargs: {tensor_parallel_size: 2}}]}}]
",
            "; tp 2; kai Whole",
        );
        service("  serveConfigV2: '{{ .Values.serve | toYaml }}: {{ x }'\n", "; tp unresolved; kai Whole");
        service(
            "  serveConfigV2: 'applications: [}'\n",
            "; kai Whole
             problem spec.serveConfigV2: the text is no YAML: mismatched bracket '[' closed by '}'",
        );
        service(
            "  serveConfigV2: {applications: [{args: {engine_kwargs: {tensor_parallel_size: 2}}}]}\n",
            "; tp 2; kai Whole
             problem spec.serveConfigV2: takes a string that holds YAML, such as a block scalar",
        );
        service("", "; kai Whole");
        check("apiVersion: ray.io/v1\nkind: RayService\nspec: {serveConfigV2: 'a: b'}\n", "");
    }

    /// What is said of the embedded configuration points at its bytes in the manifest.
    #[test]
    fn places_in_the_serve_configuration() {
        let text = "apiVersion: ray.io/v1
kind: RayService
spec:
  rayClusterConfig: {}
  serveConfigV2: |
    # ünïcode before the values
    applications:
    - args:
        engine_kwargs: {tensor_parallel_size: 16, gpu_memory_utilization: 0.85}
        autoscaling_config: {min_replicas: 3}
";
        let tree = crate::yaml::parse(FileId(0), &Arc::from(text), 0..text.len()).unwrap();
        let objects = crate::kinds::classify(&Arc::new(tree), FileId(0), 0);
        let model = &objects[0].model;
        let declared = &model.workloads[0].declared;
        let (field, memory) = declared.memory.clone().unwrap();
        assert_eq!((field.as_str(), memory.value()), ("gpu_memory_utilization", Some(&0.85)));
        for (span, expect) in [
            (declared.tensor_parallel.span(), "16"),
            (memory.span(), "0.85"),
            (model.scalers[0].min.span(), "3"),
            (Some(model.scalers[0].span), "autoscaling_config"),
        ] {
            assert_eq!(text.get(span.unwrap().range()), Some(expect));
        }
    }
}
