//! Values of the chart llm-d-modelservice.
//!
//! Source: llm-d-incubation/llm-d-modelservice, charts/llm-d-modelservice (values.schema.json, templates/_helpers.tpl).

use super::meta::Meta;
use super::parts::{leader_and_workers, times, workload};
use super::pods::{Gpus, PodContainer, PodSet, PodTemplate, Purpose, Workload};
use super::words::{implied, word};
use super::{count, items};
use crate::engine::Role;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// The pools of one release: decode, and prefill where it is not switched off. `modelArtifacts` is a key that no other
/// chart has.
pub(super) fn workloads(root: Node<'_>) -> Vec<Workload> {
    if root.get("modelArtifacts").is_none_or(|artifacts| !artifacts.is_mapping()) {
        return vec![];
    }
    let parts = [("decode", Role::Decode), ("prefill", Role::Prefill)];
    let pools: Vec<Pool<'_>> =
        parts.into_iter().filter_map(|(key, role)| Pool::of(root, key, role)).collect();
    // The chart calls every pool decode that is no prefill pool. Only beside one it does nothing but decode.
    let pair = pools.len() == 2;
    pools.iter().map(|pool| pool.workload(pair)).collect()
}

/// `decode` or `prefill`, which have the same fields.
struct Pool<'t> {
    root: Node<'t>,
    node: Node<'t>,
    key: &'static str,
    role: Role,
    at: Span,
}

impl<'t> Pool<'t> {
    fn of(root: Node<'t>, key: &'static str, role: Role) -> Option<Pool<'t>> {
        let entry = root.entry(key).filter(|entry| entry.value.is_mapping())?;
        let off = entry.value.field::<bool>("create").value() == Some(&false);
        let at = entry.key_node.span();
        (!off).then_some(Pool { root, node: entry.value, key, role, at })
    }

    fn workload(&self, pair: bool) -> Workload {
        let replicas = count(self.node, "replicas", Some(1), self.at);
        let (leaders, workers) = leader_and_workers(&self.size(), self.at);
        let set = |name: &str, pods| PodSet { name: name.to_owned(), pods, template: self.template() };
        let sets = match workers {
            None => vec![set("", leaders)],
            Some(workers) => vec![set("leader", leaders), set("worker", workers)],
        };
        let mut workload = workload(sets, replicas, self.at);
        workload.component = Some(self.key.to_owned());
        workload.role = if pair { Known::Set(self.role, self.at) } else { Known::Absent };
        workload.declared.tensor_parallel = self.number("tensor");
        workload.declared.data_parallel = self.number("data");
        workload.declared.engine = Some(("vllm".to_owned(), self.at));
        workload.purpose = Purpose::Serving;
        workload.plain_pods = false;
        workload.read_meta(&Meta::default());
        workload
    }

    /// How many pods one replica has: the workers of a LeaderWorkerSet, which `multinode` asks for.
    fn size(&self) -> Known<u32> {
        match self.root.field::<bool>("multinode") {
            Known::Set(true, at) => self.number("workers").or_default(1, at),
            Known::Unresolved(at) => Known::Unresolved(at),
            _ => Known::Default(1, self.at),
        }
    }

    fn number(&self, key: &str) -> Known<u32> {
        self.node.field(&format!("parallelism.{key}"))
    }

    fn template(&self) -> PodTemplate {
        let mut template = PodTemplate::of_spec(None, Meta::default(), self.at);
        template.scheduler = self.node.field("schedulerName").or(|| self.root.field("schedulerName"));
        for item in items(self.node, "containers").filter(|item| item.is_mapping()) {
            template.add(self.container(item));
        }
        template
    }

    fn container(&self, item: Node<'_>) -> PodContainer {
        let mut found = PodContainer::of(item, false, &[], &[]);
        let command = item.field::<String>("modelCommand");
        // The chart writes the command itself, and behind it the degree of parallelism.
        if command.value().is_some_and(|command| command == "vllmServe") {
            let at = command.span().unwrap_or(self.at);
            found.container.command = ["vllm", "serve"].map(|word| implied(word, at)).into();
            found.container.args = items(item, "args").map(word).collect();
            found.container.completed = true;
        }
        let accelerator = self.root.field::<String>("accelerator.type");
        let nvidia = accelerator.value().is_none_or(|kind| kind == "nvidia");
        if !found.gpus.any() && nvidia && !self.is_stand_in(item) {
            let local = self.number("dataLocal").or_default(1, self.at);
            let tensor = self.number("tensor").or_default(1, self.at);
            found.gpus = Gpus { count: times(&local, &tensor), resource: "nvidia.com/gpu".to_owned() };
            found.container.accelerators = true;
        }
        found
    }

    /// The chart gives no accelerator to the simulator of llm-d.
    fn is_stand_in(&self, item: Node<'_>) -> bool {
        let image = item.text_at("image");
        image.value().is_none_or(|image| image.value.contains("llm-d-inference-sim"))
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn pools() {
        check(
            "{modelArtifacts: {name: m}, decode: {replicas: 2, parallelism: {tensor: 4}, containers: [{name: vllm, image: ghcr.io/llm-d/llm-d-cuda:v0.3.0, modelCommand: vllmServe, args: [--max-model-len, '8']}]}, prefill: {create: false}}",
            "workload decode x2; pods x1 by default 4 nvidia.com/gpu; tp 4; engine vllm",
        );
        check(
            "{modelArtifacts: {name: m}, multinode: true, decode: {parallelism: {tensor: 8, workers: 2}, containers: [{image: a, resources: {limits: {nvidia.com/gpu: 8}}}]}, prefill: {replicas: 3, containers: [{image: a}]}}",
            "workload decode x1 by default; leader x1 8 nvidia.com/gpu; worker x1 8 nvidia.com/gpu; tp 8; engine vllm; role Decode
             workload prefill x3; pods x1 by default 1 by default nvidia.com/gpu; engine vllm; role Prefill",
        );
        check(
            "{modelArtifacts: {name: m}, accelerator: {type: cpu}, decode: {containers: [{image: a}]}}",
            "workload decode x1 by default; pods x1 by default; engine vllm",
        );
        check("{decode: {replicas: 2}, prefill: {replicas: 1}}", "");
        check("{modelArtifacts: '{{ x }}', decode: {replicas: 2}}", "");
    }
}
