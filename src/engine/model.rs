//! What is known of an engine.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// The program that serves the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// vLLM.
    Vllm,
    /// SGLang.
    Sglang,
    /// TensorRT-LLM, alone or as the backend of Triton.
    TensorRtLlm,
    /// A Triton inference server of which nothing tells that it serves a language model.
    Triton,
    /// Hugging Face text-generation-inference.
    Tgi,
    /// LMDeploy.
    LmDeploy,
    /// An NVIDIA NIM container, whose inner engine its profile chooses.
    Nim,
    /// xLLM.
    Xllm,
    /// llama.cpp's server.
    LlamaCpp,
    /// Ollama.
    Ollama,
    /// A launcher of an unknown program that states a degree of parallelism.
    Other,
}

impl Family {
    /// The name as its makers write it.
    pub fn name(self) -> &'static str {
        match self {
            Family::Vllm => "vLLM",
            Family::Sglang => "SGLang",
            Family::TensorRtLlm => "TensorRT-LLM",
            Family::Triton => "Triton",
            Family::Tgi => "TGI",
            Family::LmDeploy => "LMDeploy",
            Family::Nim => "NIM",
            Family::Xllm => "xLLM",
            Family::LlamaCpp => "llama.cpp",
            Family::Ollama => "Ollama",
            Family::Other => "unknown engine",
        }
    }

    /// True where the program is known to serve language models, and so to batch requests.
    pub fn serves_llm(self) -> bool {
        !matches!(self, Family::Triton | Family::Other)
    }
}

/// The program around the engine, which decides how metrics are named and who adds flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Runtime {
    /// NVIDIA Dynamo (`python3 -m dynamo.vllm`).
    Dynamo,
    /// Ray Serve (`ray.serve.llm`). Its settings are in a Serve configuration, not on a command line.
    RayServe,
    /// NVIDIA Triton.
    Triton,
    /// The Hugging Face runtime of KServe.
    HuggingFaceServer,
}

/// How an engine was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Launch {
    /// Its command is in the manifest, or in a script of the inputs.
    Command,
    /// The image runs it; the manifest adds arguments at most.
    Image,
    /// A program or script that is not in the inputs runs it.
    Script,
    /// The container joins a Ray cluster in which the engine of another container runs its workers.
    RayMember,
    /// Fields of the object say so.
    Declared,
}

/// What the pods of an engine do in disaggregated serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Computes the prompt and hands over its KV cache.
    Prefill,
    /// Takes a KV cache and generates.
    Decode,
    /// Encodes images or sound.
    Encode,
    /// Encodes and prefills.
    EncodePrefill,
    /// Says itself that it does both, prefill and decode.
    Aggregated,
}

/// The share of accelerator memory that the engine takes at start, whatever the load.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryFraction {
    /// The flag or variable that sets it; empty where the engine has none.
    pub flag: String,
    /// The share, between 0 and 1. Of the whole memory for vLLM, SGLang and TGI, of the memory that the weights leave
    /// free for TensorRT-LLM and LMDeploy.
    pub fraction: Known<f64>,
}

/// A flag of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The name with its dashes, underscores turned into dashes: `--tensor-parallel-size`, `-tp`.
    pub name: String,
    /// The bytes of the name.
    pub span: Span,
    /// The value. [`Known::Absent`] for a flag that stands alone.
    pub value: Known<Text>,
}

/// What the manifests tell of one engine.
///
/// Every degree of parallelism is over the whole group of pods that serve one copy of the model, not over one pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Engine {
    /// The program.
    pub family: Family,
    /// The program around it.
    pub runtime: Option<Runtime>,
    /// How it was found.
    pub launch: Launch,
    /// The bytes that made it known: the command, the image or the label. Also where defaults are reported.
    pub found_at: Span,
    /// Tensor parallelism: over how many GPUs each layer is split.
    pub tensor_parallel: Known<u32>,
    /// Pipeline parallelism: over how many stages the layers are spread.
    pub pipeline_parallel: Known<u32>,
    /// Data parallelism: how many replicas the engine runs behind one address.
    pub data_parallel: Known<u32>,
    /// How many of those replicas run in this pod.
    pub data_parallel_local: Known<u32>,
    /// Context parallelism, where it takes GPUs of its own (TensorRT-LLM `--cp_size`, vLLM
    /// `--prefill-context-parallel-size`; decode context parallelism reuses the GPUs of tensor parallelism).
    pub context_parallel: Known<u32>,
    /// Expert parallelism. It takes no GPUs of its own.
    pub expert_parallel: Known<u32>,
    /// The number of processes, where a launcher states it as a whole (`mpirun -n 16`, `--world_size 16`).
    pub ranks: Known<u32>,
    /// The number of pods or nodes of one group (`--nnodes`).
    pub nodes: Known<u32>,
    /// The rank of this pod in its group. Zero is the leader.
    pub node_rank: Known<u32>,
    /// True where the pod has no server of its own (vLLM `--headless`).
    pub headless: bool,
    /// The command beside the engine's own that opens or joins a Ray cluster, whose members may be other pods.
    pub ray: Option<Span>,
    /// True where attention runs data-parallel inside the tensor-parallel group (SGLang `--enable-dp-attention`).
    pub attention_data_parallel: bool,
    /// The role that the command line states.
    pub role: Known<Role>,
    /// The memory taken at start.
    pub memory: MemoryFraction,
    /// The model, as the command line names it.
    pub model: Known<String>,
    /// The version of the engine, from the tag of an image whose tags are such versions.
    pub version: Known<String>,
    /// All flags in order. Where a flag is given twice, the later one holds.
    pub flags: Vec<Flag>,
}

impl Engine {
    /// An engine that fields of an object declare; nothing else is known of it yet.
    pub fn declared(family: Family, span: Span) -> Engine {
        Engine {
            family,
            runtime: None,
            launch: Launch::Declared,
            found_at: span,
            tensor_parallel: Known::Absent,
            pipeline_parallel: Known::Absent,
            data_parallel: Known::Absent,
            data_parallel_local: Known::Absent,
            context_parallel: Known::Absent,
            expert_parallel: Known::Absent,
            ranks: Known::Absent,
            nodes: Known::Absent,
            node_rank: Known::Absent,
            headless: false,
            ray: None,
            attention_data_parallel: false,
            role: Known::Absent,
            memory: MemoryFraction { flag: String::new(), fraction: Known::Absent },
            model: Known::Absent,
            version: Known::Absent,
            flags: Vec::new(),
        }
    }

    /// True where the command says that processes elsewhere take part: a Ray cluster that it opens or joins, or the address
    /// of a leader. `--distributed-executor-backend ray` says neither, since it opens a cluster of one pod by itself.
    ///
    /// Sources: vllm, engine/arg_utils.py; sglang, server_args.py.
    pub fn reaches_out(&self) -> bool {
        const LEADERS: &[&str] = &[
            "--master-addr",
            "--master-address",
            "--dist-init-addr",
            "--nccl-init-addr",
            "--leader-address",
        ];
        self.ray.is_some() || self.flags.iter().any(|flag| LEADERS.contains(&flag.name.as_str()))
    }

    /// The same engine in a runtime.
    #[must_use]
    pub fn with_runtime(self, runtime: Runtime) -> Engine {
        Engine { runtime: Some(runtime), ..self }
    }

    /// The same engine with a degree of tensor parallelism.
    #[must_use]
    pub fn with_tensor_parallel(self, tensor_parallel: Known<u32>) -> Engine {
        Engine { tensor_parallel, ..self }
    }

    /// The same engine with a degree of pipeline parallelism.
    #[must_use]
    pub fn with_pipeline_parallel(self, pipeline_parallel: Known<u32>) -> Engine {
        Engine { pipeline_parallel, ..self }
    }

    /// The same engine with a degree of data parallelism.
    #[must_use]
    pub fn with_data_parallel(self, data_parallel: Known<u32>) -> Engine {
        Engine { data_parallel, ..self }
    }

    /// The same engine with a role.
    #[must_use]
    pub fn with_role(self, role: Known<Role>) -> Engine {
        Engine { role, ..self }
    }

    /// The same engine with a model.
    #[must_use]
    pub fn with_model(self, model: Known<String>) -> Engine {
        Engine { model, ..self }
    }

    /// The same engine with a share of memory that `flag` sets.
    #[must_use]
    pub fn with_memory(self, flag: &str, fraction: Known<f64>) -> Engine {
        Engine { memory: MemoryFraction { flag: flag.to_owned(), fraction }, ..self }
    }

    /// The last flag of a name, written with dashes (`--enable-metrics`).
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().rev().find(|flag| flag.name == name)
    }

    /// Over how many GPUs one copy of the weights is split: tensor × pipeline parallelism. Above one the pods of a group
    /// are of no use without each other. Pipeline parallelism that is not stated counts as one.
    pub fn model_parallel(&self) -> Known<u32> {
        times(self.tensor_parallel.clone(), &self.pipeline_parallel)
    }

    /// How many GPUs one copy of the service needs, over all its pods.
    ///
    /// Tensor × pipeline × context parallelism, for all engines. Data parallelism multiplies for vLLM, where each
    /// replica has GPUs of its own, and for SGLang without data-parallel attention; with it the replicas share the
    /// tensor-parallel GPUs (sglang, server_args.py), and so they do in LMDeploy. Expert parallelism never multiplies.
    /// A factor that is not stated and has no default counts as one, except tensor parallelism: without it the answer
    /// is the number of ranks that a launcher states, or absent. The span is that of a factor above one.
    pub fn world_size(&self) -> Known<u32> {
        if matches!(self.tensor_parallel, Known::Absent) {
            return self.ranks.clone();
        }
        let data = match self.family {
            Family::Vllm => &self.data_parallel,
            Family::Sglang if !self.attention_data_parallel => &self.data_parallel,
            _ => &Known::Absent,
        };
        [&self.pipeline_parallel, &self.context_parallel, data]
            .into_iter()
            .fold(self.tensor_parallel.clone(), times)
    }
}

/// The product of two factors, of which the second may be absent.
fn times(left: Known<u32>, right: &Known<u32>) -> Known<u32> {
    let (Some(x), Some(at)) = (left.value().copied(), left.span()) else { return left };
    let Some(y) = right.value().copied() else {
        return right.span().map_or(left, Known::Unresolved);
    };
    let at = if x > 1 { at } else { right.span().unwrap_or(at) };
    let Some(product) = x.checked_mul(y) else { return Known::Unresolved(at) };
    if left.set().is_some() || right.set().is_some() {
        Known::Set(product, at)
    } else {
        Known::Default(product, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn at(start: usize) -> Span {
        Span::new(FileId(0), start, start + 1)
    }

    fn engine(family: Family, factors: [Known<u32>; 3]) -> Engine {
        let [tensor, pipeline, data] = factors;
        Engine::declared(family, at(0))
            .with_tensor_parallel(tensor)
            .with_pipeline_parallel(pipeline)
            .with_data_parallel(data)
    }

    #[test]
    fn the_world_is_the_product_of_what_takes_gpus() {
        let set = |value, start| Known::Set(value, at(start));
        let default = || Known::Default(1, at(0));
        for (family, factors, expect) in [
            (Family::Vllm, [set(8, 1), default(), default()], set(8, 1)),
            (Family::Vllm, [set(8, 1), set(2, 2), default()], set(16, 1)),
            (Family::Vllm, [default(), set(2, 2), set(4, 3)], set(8, 2)),
            (Family::Vllm, [default(), default(), default()], Known::Default(1, at(0))),
            (Family::Vllm, [set(8, 1), Known::Unresolved(at(2)), default()], Known::Unresolved(at(2))),
            (Family::Vllm, [Known::Unresolved(at(1)), set(2, 2), default()], Known::Unresolved(at(1))),
            (Family::Vllm, [Known::Absent, set(2, 2), default()], Known::Absent),
            (Family::Vllm, [set(u32::MAX, 1), set(2, 2), default()], Known::Unresolved(at(1))),
            (Family::Sglang, [set(4, 1), Known::Absent, set(2, 3)], set(8, 1)),
            (Family::LmDeploy, [set(4, 1), Known::Absent, set(4, 3)], set(4, 1)),
            (Family::Tgi, [set(2, 1), Known::Absent, Known::Absent], set(2, 1)),
        ] {
            assert_eq!(engine(family, factors.clone()).world_size(), expect, "{family:?} {factors:?}");
        }
    }

    #[test]
    fn data_parallel_attention_stays_inside_the_tensor_group() {
        let factors = [Known::Set(16, at(1)), Known::Absent, Known::Set(8, at(2))];
        let engine = Engine { attention_data_parallel: true, ..engine(Family::Sglang, factors) };
        assert_eq!(engine.world_size(), Known::Set(16, at(1)));
    }

    #[test]
    fn the_model_is_split_over_tensor_and_pipeline() {
        let factors = [Known::Set(4, at(1)), Known::Set(2, at(2)), Known::Unresolved(at(3))];
        let engine = engine(Family::Vllm, factors);
        assert_eq!(engine.model_parallel(), Known::Set(8, at(1)));
        assert_eq!(engine.world_size(), Known::Unresolved(at(3)));
    }

    #[test]
    fn ranks_stand_in_for_unknown_factors() {
        let engine = Engine { ranks: Known::Set(16, at(4)), ..Engine::declared(Family::TensorRtLlm, at(0)) };
        assert_eq!(engine.world_size(), Known::Set(16, at(4)));
    }
}
