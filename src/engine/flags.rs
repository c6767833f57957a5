//! The flags of an engine's command line, in every spelling that its parser takes.

use super::model::{Family, Flag};
use super::words::Word;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// A flag with its value as a word, of which parts may be unknown.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    /// The name with its dashes, underscores turned into dashes.
    pub(super) name: String,
    /// The bytes of the name.
    pub(super) span: Span,
    pub(super) value: Option<Word>,
    /// The bytes that say the value: the whole word for `--flag=value`, the value for `--flag value`.
    pub(super) value_span: Span,
}

impl Argument {
    pub(super) fn known(&self) -> Known<Text> {
        self.value.as_ref().map_or(Known::Absent, |value| value.known(self.value_span))
    }

    pub(super) fn to_flag(&self) -> Flag {
        Flag { name: self.name.clone(), span: self.span, value: self.known() }
    }
}

/// A command line taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments {
    pub(super) flags: Vec<Argument>,
    /// The words that belong to no flag.
    pub(super) positional: Vec<Word>,
    /// Where the command line may hold more than can be read.
    pub(super) open: Option<Span>,
}

/// Takes a command line apart. `model` tells that its first word is the model where it is no flag.
pub(super) fn parse(words: &[Word], model: bool) -> Arguments {
    let mut arguments = Arguments::default();
    let mut rest = words;
    if let (true, [first, tail @ ..]) = (model, words)
        && !first.is_flag()
        && !first.spreads
    {
        arguments.positional.push(first.clone());
        rest = tail;
    }
    while let [word, tail @ ..] = rest {
        rest = tail;
        if !word.is_flag() {
            if word.is_hole() || word.spreads {
                arguments.open.get_or_insert(word.at);
            } else {
                arguments.positional.push(word.clone());
            }
            continue;
        }
        if word.spreads {
            arguments.open.get_or_insert(word.at);
        }
        let (name, inline) = split(word);
        if name.has_hole() {
            arguments.open.get_or_insert(word.at);
            continue;
        }
        let text = name.text();
        let dashes = text.len() - text.trim_start_matches('-').len();
        let name_text = format!("{}{}", "-".repeat(dashes), text.trim_start_matches('-').replace('_', "-"));
        if dashes == text.len() {
            continue;
        }
        let next = tail.first().filter(|next| !(next.is_flag() || next.is_hole() && next.spreads));
        let (value, value_span) = match (inline, next) {
            (Some(value), _) => (Some(value), word.at),
            (None, Some(next)) if !is_switch(&name_text) => {
                rest = tail.get(1..).unwrap_or_default();
                (Some(next.clone()), next.at)
            }
            _ => (None, word.at),
        };
        arguments.flags.push(Argument { name: name_text, span: name.at, value, value_span });
    }
    arguments
}

/// The name of a flag, and the value where it is in the same word. A word with a blank in it is one item of a list in
/// which its author meant two.
fn split(word: &Word) -> (Word, Option<Word>) {
    let end = word.glyphs.iter().position(|glyph| glyph.ch == '=' || glyph.ch.is_whitespace());
    match end {
        None => (word.clone(), None),
        Some(end) => {
            let name = Word::new(word.glyphs.get(..end).unwrap_or_default().to_vec(), word.at);
            let value = word.tail(end + 1);
            let empty = value.glyphs.is_empty() && word.glyphs.get(end).is_some_and(|glyph| glyph.ch != '=');
            (name, (!empty).then_some(value))
        }
    }
}

/// True for a flag that takes no value, so that a word after it is something else.
fn is_switch(name: &str) -> bool {
    const SWITCHES: [&str; 14] = [
        "--trust-remote-code",
        "--enforce-eager",
        "--headless",
        "--async-scheduling",
        "--is-prefill-worker",
        "--is-decode-worker",
        "--multimodal-encode-worker",
        "--multimodal-worker",
        "--allow-run-as-root",
        "--data-parallel-hybrid-lb",
        "--data-parallel-external-lb",
        "--block",
        "--head",
        "-ep",
    ];
    let prefixes = ["--enable-", "--disable-", "--no-", "--skip-"];
    SWITCHES.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// A number or a fraction that a command line may state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Tensor,
    Pipeline,
    Data,
    DataLocal,
    Context,
    Expert,
    Nodes,
    NodeRank,
    Ranks,
    Memory,
}

impl Field {
    /// The full names of its flags, which are the keys of configuration files too.
    ///
    /// Sources: vllm, engine/arg_utils.py; sglang, server_args.py; tensorrt_llm, commands/serve.py;
    /// text-generation-inference, launcher/src/main.rs; lmdeploy, cli/utils.py.
    fn names(self) -> &'static [&'static str] {
        match self {
            Field::Tensor => &["--tensor-parallel-size", "--tp-size", "--tp", "--num-shard", "-tp"],
            Field::Pipeline => &["--pipeline-parallel-size", "--pp-size", "--pp", "-pp"],
            Field::Data => &["--data-parallel-size", "--dp-size", "--dp", "-dp"],
            Field::DataLocal => &["--data-parallel-size-local", "-dpl"],
            Field::Context => {
                &["--context-parallel-size", "--cp-size", "--cp", "--prefill-context-parallel-size", "-pcp"]
            }
            Field::Expert => &["--expert-parallel-size", "--moe-expert-parallel-size", "--ep-size", "--ep"],
            Field::Nodes => &["--nnodes"],
            Field::NodeRank => &["--node-rank"],
            Field::Ranks => &["--world-size"],
            Field::Memory => &[
                "--gpu-memory-utilization",
                "--mem-fraction-static",
                "--free-gpu-memory-fraction",
                "--kv-cache-free-gpu-memory-fraction",
                "--kv-cache-config.free-gpu-memory-fraction",
                "--cuda-memory-fraction",
                "--cache-max-entry-count",
            ],
        }
    }

    /// Flags that argparse completes, each with its shortest form that no other flag of vLLM or SGLang starts with.
    fn completed(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Field::Tensor => &[("--tensor-parallel-size", "--tensor")],
            Field::Pipeline => &[("--pipeline-parallel-size", "--pipeline")],
            Field::DataLocal => &[("--data-parallel-size-local", "--data-parallel-size-")],
            Field::Context => &[("--prefill-context-parallel-size", "--prefill-context")],
            Field::Memory => &[("--gpu-memory-utilization", "--gpu-mem"), ("--mem-fraction-static", "--mem")],
            _ => &[],
        }
    }

    /// True where a flag of this name states the field.
    pub(super) fn is(self, name: &str, family: Family) -> bool {
        let short = match self {
            Field::Nodes => family == Family::Vllm && name == "-n",
            Field::NodeRank => family == Family::Vllm && name == "-r",
            _ => false,
        };
        let completed = matches!(family, Family::Vllm | Family::Sglang)
            && self.completed().iter().any(|(full, least)| full.starts_with(name) && name.starts_with(least));
        short || completed || self.names().contains(&name)
    }

    /// Variables that the engine itself reads, or that stand for a flag by its definition.
    ///
    /// Sources: text-generation-inference, launcher/src/main.rs (`#[clap(long, env)]`); the NIM documentation of
    /// environment variables.
    pub(super) fn variables(self, family: Family) -> &'static [&'static str] {
        match (family, self) {
            (Family::Tgi, Field::Tensor) => &["NUM_SHARD"],
            (Family::Tgi, Field::Memory) => &["CUDA_MEMORY_FRACTION"],
            (Family::Nim, Field::Tensor) => &["NIM_TENSOR_PARALLEL_SIZE"],
            (Family::Nim, Field::Pipeline) => &["NIM_PIPELINE_PARALLEL_SIZE"],
            (Family::Nim, Field::Memory) => &["NIM_KVCACHE_PERCENT"],
            _ => &[],
        }
    }

    /// Variables that people give to launchers of their own.
    pub(super) fn conventions(self) -> &'static [&'static str] {
        match self {
            Field::Tensor => &[
                "TENSOR_PARALLEL_SIZE",
                "TP_SIZE",
                "VLLM_TENSOR_PARALLEL_SIZE",
                "SGLANG_TP_SIZE",
                "NUM_SHARD",
            ],
            Field::Pipeline => &["PIPELINE_PARALLEL_SIZE", "PP_SIZE", "VLLM_PIPELINE_PARALLEL_SIZE"],
            Field::Data => &["DATA_PARALLEL_SIZE", "DP_SIZE", "VLLM_DATA_PARALLEL_SIZE"],
            Field::DataLocal => &["DATA_PARALLEL_SIZE_LOCAL", "DP_SIZE_LOCAL"],
            Field::Expert => &["EXPERT_PARALLEL_SIZE", "EP_SIZE"],
            Field::Nodes => &["NNODES"],
            Field::NodeRank => &["NODE_RANK"],
            Field::Memory => &["GPU_MEMORY_UTILIZATION", "MEM_FRACTION_STATIC"],
            Field::Context | Field::Ranks => &[],
        }
    }

    /// The value that the engine takes where nothing is given.
    ///
    /// TGI takes all visible GPUs and NIM chooses a profile, so neither has one. vLLM has set aside about nine tenths
    /// of the memory through all its life (0.9, and 0.92 in some releases: config/cache.py).
    pub(super) fn default_count(self, family: Family) -> Option<u32> {
        let one: &[Field] = match family {
            Family::Vllm => &[Field::Tensor, Field::Pipeline, Field::Data, Field::Context],
            Family::Sglang => &[Field::Tensor, Field::Pipeline, Field::Data],
            Family::TensorRtLlm => &[Field::Tensor, Field::Pipeline, Field::Context],
            Family::LmDeploy => &[Field::Tensor],
            _ => &[],
        };
        one.contains(&self).then_some(1)
    }
}

/// The flag that sets the share of memory, and the share where it is not given.
///
/// Sources: vllm, config/cache.py (0.9, and 0.92 in some releases); tensorrt_llm, commands/serve.py (0.9 of the free
/// memory); text-generation-inference, launcher/src/main.rs (1.0); lmdeploy, messages.py (0.8 of the free memory).
/// SGLang computes its share from the GPU and the model.
pub(super) fn memory_flag(family: Family) -> (&'static str, Option<f64>) {
    match family {
        Family::Vllm => ("--gpu-memory-utilization", Some(0.9)),
        Family::Sglang => ("--mem-fraction-static", None),
        Family::TensorRtLlm => ("--free_gpu_memory_fraction", Some(0.9)),
        Family::Tgi => ("--cuda-memory-fraction", Some(1.0)),
        Family::LmDeploy => ("--cache-max-entry-count", Some(0.8)),
        Family::Nim => ("NIM_KVCACHE_PERCENT", None),
        _ => ("", None),
    }
}

/// A whole number of at least `least`.
pub(super) fn count(value: Known<Text>, least: u32) -> Known<u32> {
    value.try_map("a whole number", |text| {
        let digits = text.value.trim().trim_matches(['"', '\'']);
        digits.parse().ok().filter(|number| *number >= least)
    })
}

/// A share between zero and one.
pub(super) fn fraction(value: Known<Text>) -> Known<f64> {
    value.try_map("a fraction between 0 and 1", |text| {
        let digits = text.value.trim().trim_matches(['"', '\'']);
        digits.parse().ok().filter(|share| (0.0..=1.0).contains(share))
    })
}
