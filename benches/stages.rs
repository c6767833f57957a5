//! How long each stage takes on made-up documents. `cargo bench --bench stages`
//!
//! `scripts/speed.sh` times the whole program; this tells where a change of it comes from.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gpulint::config::{Config, Profile};
use gpulint::facts::Facts;
use gpulint::inventory::{self, Inventory, Overlay};
use gpulint::rules;
use gpulint::source::{FileId, Files, WalkOptions};
use gpulint::yaml;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

/// A document that no rule looks at.
fn plain(at: usize) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web-{at}\n  namespace: shop\nspec:\n  selector:\n    app: web\n  ports:\n    - name: http\n      port: 80\n      targetPort: 8080\n"
    )
}

/// A pool, an engine and its autoscaler.
fn serving(at: usize) -> String {
    format!(
        "---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata:\n  name: gpu-{at}\nspec:\n  template:\n    spec:\n      nodeClassRef: {{group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}}\n      requirements:\n        - {{key: node.kubernetes.io/instance-type, operator: In, values: [p5.48xlarge]}}\n  disruption:\n    consolidationPolicy: WhenEmptyOrUnderutilized\n    consolidateAfter: 1h\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: llama-{at}\nspec:\n  template:\n    spec:\n      containers:\n        - name: vllm\n          image: vllm/vllm-openai:v0.10.0\n          command: [sh, -c, \"vllm serve meta-llama/Llama-3.1-70B --tensor-parallel-size 8 --port 8000\"]\n          resources:\n            limits:\n              nvidia.com/gpu: 8\n---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: llama-{at}\nspec:\n  scaleTargetRef:\n    name: llama-{at}\n  triggers:\n    - type: prometheus\n      metadata:\n        query: avg(avg_over_time(DCGM_FI_DEV_GPU_UTIL{{pod=~\"llama-{at}-.*\"}}[5m]))\n        threshold: \"80\"\n"
    )
}

fn joined(count: usize, document: fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, at| {
        let _ = write!(text, "{}", document(at));
        text
    })
}

fn read(text: &str) -> Inventory {
    let overlay = Overlay { path: "all.yaml".into(), bytes: text.into() };
    let walk = WalkOptions { paths: &[], reads: &|_| true, enters: &|_| true, largest: u64::MAX, threads: 1 };
    inventory::read(&walk, &[overlay], Files::default())
}

fn stages(criterion: &mut Criterion) {
    let (quiet, busy) = (joined(2_000, plain), joined(50, serving));
    let mut group = criterion.benchmark_group("stages");
    group.sample_size(20);

    group.throughput(Throughput::Bytes(quiet.len() as u64));
    group.bench_function("split", |b| b.iter(|| yaml::split(black_box(&quiet)).len()));
    group.bench_function("scan", |b| b.iter(|| read(black_box(&quiet)).summary.documents));

    group.throughput(Throughput::Bytes(busy.len() as u64));
    let text: Arc<str> = busy.as_str().into();
    let parts = yaml::split(&text);
    group.bench_function("parse", |b| {
        let parse = || parts.iter().filter_map(|part| yaml::parse(FileId(0), &text, part.range.clone()).ok());
        b.iter(|| parse().count());
    });
    group.bench_function("inventory", |b| b.iter(|| read(black_box(&busy)).objects.len()));
    let config = Config::new(&rules::known_rules());
    let inventory = read(&busy);
    group.bench_function("facts", |b| b.iter(|| Facts::build(black_box(&inventory)).units.len()));
    group.bench_function("rules", |b| {
        b.iter_batched(
            || Facts::build(&inventory),
            |facts| {
                let context = rules::Context { facts: &facts, config: &config, profile: Profile::Default };
                rules::check_all(&context).len()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
