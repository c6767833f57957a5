//! What the name of an image tells: the engine in it, and its version.

use super::model::{Family, Runtime};
use super::vars::mask;
use super::words::{Word, glyphs};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// An image that holds an engine.
#[derive(Debug, Clone)]
pub(super) struct EngineImage {
    pub(super) family: Family,
    pub(super) runtime: Option<Runtime>,
    pub(super) entry: Entry,
    /// The version of the engine, where the tag is one.
    pub(super) version: Known<String>,
    pub(super) span: Span,
}

/// What the image runs when the manifest gives no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// The engine itself, without any flag.
    Engine,
    /// The engine, with settings of its own.
    Preset,
    /// A member of a Ray cluster, as KubeRay starts it.
    Ray,
    /// A shell, or something that only its operator knows.
    Other,
}

/// What the image of a container tells.
#[derive(Debug, Clone)]
pub(super) enum Image {
    Engine(EngineImage),
    /// Something that stands beside engines and is none: a router, an exporter, a simulator.
    Beside,
    Unknown,
}

/// Words in the name of an image that serves no model, although it may name the engine it works with.
const BESIDE: &[&str] = &[
    "router",
    "gateway",
    "controller",
    "manager",
    "operator",
    "exporter",
    "sim",
    "simulator",
    "mock",
    "mocker",
    "bench",
    "benchmark",
    "benchmarks",
    "client",
    "frontend",
    "planner",
    "scheduler",
    "sidecar",
    "proxy",
    "epp",
    "webhook",
    "downloader",
    "dashboard",
    "ui",
    "webui",
    "plugins",
    "loadgen",
    "loadtest",
    "initializer",
    "monitor",
    "adapter",
    "autoscaler",
];

/// Words in the names of NIM images that embed, rank or convert, and so batch no tokens.
const NO_LLM_NIM: &[&str] =
    &["embedqa", "rerankqa", "embed", "rerank", "nemoretriever", "nvclip", "cuopt", "riva", "ocr"];

/// The last part of an image name that says nothing by itself, so that the part before it decides
/// (`nvcr.io/nvidia/tensorrt-llm/release`).
const GENERIC: &[&str] =
    &["release", "devel", "server", "runtime", "cuda", "rocm", "gpu", "openai", "latest", "base"];

struct Row {
    /// Words that stand next to each other in the name.
    words: &'static [&'static str],
    family: Family,
    runtime: Option<Runtime>,
    entry: Entry,
    /// True where the tags of these images are versions of the engine.
    versioned: bool,
}

const fn row(
    words: &'static [&'static str],
    family: Family,
    runtime: Option<Runtime>,
    entry: Entry,
    versioned: bool,
) -> Row {
    Row { words, family, runtime, entry, versioned }
}

/// The images of engines, the more special first. A fork keeps the name and changes the registry.
const ROWS: &[Row] = &[
    row(&["vllm", "runtime"], Family::Vllm, Some(Runtime::Dynamo), Entry::Other, false),
    row(&["sglang", "runtime"], Family::Sglang, Some(Runtime::Dynamo), Entry::Other, false),
    row(&["tensorrtllm", "runtime"], Family::TensorRtLlm, Some(Runtime::Dynamo), Entry::Other, false),
    row(&["trtllm", "runtime"], Family::TensorRtLlm, Some(Runtime::Dynamo), Entry::Other, false),
    row(&["vllm", "openai"], Family::Vllm, None, Entry::Engine, true),
    row(&["vllm", "ascend"], Family::Vllm, None, Entry::Other, true),
    row(&["vllm", "tpu"], Family::Vllm, None, Entry::Other, true),
    row(&["vllm"], Family::Vllm, None, Entry::Other, false),
    row(&["ray", "llm"], Family::Vllm, Some(Runtime::RayServe), Entry::Ray, false),
    row(&["huggingfaceserver"], Family::Vllm, Some(Runtime::HuggingFaceServer), Entry::Preset, false),
    row(&["sglang"], Family::Sglang, None, Entry::Other, true),
    row(&["text", "generation", "inference"], Family::Tgi, None, Entry::Engine, true),
    row(&["tgi"], Family::Tgi, None, Entry::Engine, false),
    row(&["tensorrt", "llm"], Family::TensorRtLlm, None, Entry::Other, true),
    row(&["tensorrtllm"], Family::TensorRtLlm, None, Entry::Other, false),
    row(&["trtllm"], Family::TensorRtLlm, None, Entry::Other, false),
    row(&["lmdeploy"], Family::LmDeploy, None, Entry::Other, true),
    row(&["tritonserver"], Family::Triton, Some(Runtime::Triton), Entry::Other, false),
    row(&["xllm"], Family::Xllm, None, Entry::Other, false),
    row(&["llamacpp"], Family::LlamaCpp, None, Entry::Preset, false),
    row(&["llama", "cpp"], Family::LlamaCpp, None, Entry::Preset, false),
    row(&["ollama"], Family::Ollama, None, Entry::Preset, false),
];

/// The accelerators and platforms that name an image of llm-d (`ghcr.io/llm-d/llm-d-cuda`), which runs vLLM.
const LLM_D: &[&str] = &["cuda", "rocm", "xpu", "hpu", "cpu", "tpu", "aws", "gke", "dev", "gb200", "openai"];

/// Reads an image reference.
pub(super) fn read(image: &Known<Text>) -> Image {
    let (Known::Set(text, _) | Known::Default(text, _)) = image else { return Image::Unknown };
    // The parts that a template leaves open must not hide the colon before the tag.
    let reference = Word::new(mask(&glyphs(text)).glyphs, text.span()).text().to_ascii_lowercase();
    let (name, digest) =
        reference.split_once('@').map_or((reference.as_str(), false), |(name, _)| (name, true));
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match name.split_at_checked(slash) {
        Some((parents, last)) => {
            let (last, tag) = last.split_once(':').map_or((last, None), |(last, tag)| (last, Some(tag)));
            (format!("{parents}{last}"), tag)
        }
        None => (name.to_owned(), None),
    };
    let segments: Vec<&str> = path.split('/').collect();
    let Some((last, parents)) = segments.split_last() else { return Image::Unknown };
    let words = words(last);
    if words.iter().any(|word| BESIDE.contains(word)) {
        return Image::Beside;
    }
    let parent = parents.last().copied().unwrap_or_default();
    let named =
        if GENERIC.contains(last) && !parent.contains('.') { self::words(parent) } else { words.clone() };
    let found = nim(parents, &words).or_else(|| llm_d(&named)).or_else(|| by_row(&named, tag));
    match found {
        None => Image::Unknown,
        Some((family, runtime, entry, versioned)) => Image::Engine(EngineImage {
            family,
            runtime,
            entry,
            version: version(if versioned && !digest { tag } else { None }, text.span()),
            span: text.span(),
        }),
    }
}

type Found = (Family, Option<Runtime>, Entry, bool);

fn nim(parents: &[&str], words: &[&str]) -> Option<Found> {
    let llm = !words.iter().any(|word| NO_LLM_NIM.contains(word));
    (parents.contains(&"nim") && llm).then_some((Family::Nim, None, Entry::Preset, false))
}

fn llm_d(words: &[&str]) -> Option<Found> {
    match words {
        ["llm", "d"] => Some((Family::Vllm, None, Entry::Other, false)),
        ["llm", "d", platform, ..] if LLM_D.contains(platform) => {
            Some((Family::Vllm, None, Entry::Other, false))
        }
        _ => None,
    }
}

fn by_row(words: &[&str], tag: Option<&str>) -> Option<Found> {
    let row = ROWS.iter().find(|row| words.windows(row.words.len()).any(|run| run == row.words))?;
    // A Triton server batches any model. Only its tag tells that a language model is in it.
    let tag = self::words(tag.unwrap_or_default());
    let family = match row.family {
        Family::Triton if tag.contains(&"trtllm") => Family::TensorRtLlm,
        Family::Triton if tag.contains(&"vllm") => Family::Vllm,
        family => family,
    };
    Some((family, row.runtime, row.entry, row.versioned))
}

/// The words of a part of a path.
fn words(segment: &str) -> Vec<&str> {
    segment.split(|ch: char| !ch.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// The version in a tag such as `v0.10.0-cu128`, `0.7.3.post1` or `vllm-0.24.0-lmcache`.
fn version(tag: Option<&str>, span: Span) -> Known<String> {
    let numbers = |part: &str| -> Option<String> {
        let digits = part.strip_prefix('v').unwrap_or(part);
        let length = digits.find(|ch: char| !(ch.is_ascii_digit() || ch == '.')).unwrap_or(digits.len());
        let version = digits.get(..length)?.trim_end_matches('.');
        let parts: Vec<&str> = version.split('.').collect();
        let whole = (2..=4).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty());
        whole.then(|| version.to_owned())
    };
    let found = tag.and_then(|tag| {
        let mut parts = tag.split(['-', '_']);
        let first = parts.next().unwrap_or_default();
        numbers(first).or_else(|| if first == "vllm" { parts.next().and_then(numbers) } else { None })
    });
    found.map_or(Known::Unresolved(span), |version| Known::Set(version, span))
}

/// The engine that the value of a label names.
pub(super) fn family_from_word(word: &str) -> Option<Family> {
    let word = word.trim().to_ascii_lowercase();
    let words = words(&word);
    match words.as_slice() {
        ["vllm", ..] => Some(Family::Vllm),
        ["sglang", ..] => Some(Family::Sglang),
        ["trtllm" | "tensorrtllm", ..] | ["tensorrt" | "trt", "llm", ..] => Some(Family::TensorRtLlm),
        ["tgi", ..] | ["text", "generation", "inference", ..] => Some(Family::Tgi),
        ["lmdeploy", ..] => Some(Family::LmDeploy),
        ["nim", ..] => Some(Family::Nim),
        ["xllm", ..] => Some(Family::Xllm),
        ["triton", ..] => Some(Family::Triton),
        ["ollama"] => Some(Family::Ollama),
        ["llamacpp" | "llama", ..] => Some(Family::LlamaCpp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn check(image: &str, expect: &str) {
        let span = Span::new(FileId(0), 0, image.len());
        let text = Text::verbatim(image.to_owned(), span);
        let found = match read(&Known::Set(text, span)) {
            Image::Unknown => "unknown".to_owned(),
            Image::Beside => "beside".to_owned(),
            Image::Engine(found) => {
                let runtime = found.runtime.map(|runtime| format!("+{runtime:?}")).unwrap_or_default();
                let version = found.version.set().map(|version| format!(" {version}")).unwrap_or_default();
                format!("{:?}{runtime}{version}", found.family)
            }
        };
        assert_eq!(found, expect, "{image}");
    }

    #[test]
    fn an_image_is_judged_by_the_words_of_its_name() {
        for (image, expect) in [
            ("vllm/vllm-openai:latest", "Vllm"),
            ("vllm/vllm-openai:v0.8.5", "Vllm 0.8.5"),
            ("docker.io/vllm/vllm-openai:v0.10.0", "Vllm 0.10.0"),
            ("vllm/vllm-openai@sha256:0123", "Vllm"),
            ("REGISTRY.example.com/vllm-openai:vllm-0.24.0-lmcache", "Vllm 0.24.0"),
            ("ghcr.io/volcano-sh/vllm-openai:v0.10.0-cu128-nixl-v0.4.1", "Vllm 0.10.0"),
            ("lmcache/vllm-openai:2025-05-27-v1", "Vllm"),
            ("localhost:5000/vllm-openai:v0.9.2", "Vllm 0.9.2"),
            ("aibrix/vllm-openai:v0.7.3.self.post1", "Vllm 0.7.3"),
            ("quay.io/ascend/vllm-ascend:v0.13.0rc3-a3", "Vllm 0.13.0"),
            ("example.com/vertex/pytorch-vllm-serve:20240930_0945_RC00", "Vllm"),
            ("{{ .Values.registry }}/vllm-openai:{{ .Values.tag }}", "Vllm"),
            ("$REGISTRY/vllm-openai:$TAG", "Vllm"),
            ("<ACCOUNT_ID>.dkr.ecr.<REGION>.amazonaws.com/sglang-efa:v0.5.7-nixl", "Sglang 0.5.7"),
            ("ghcr.io/llm-d/llm-d-cuda:v0.9.0", "Vllm"),
            ("ghcr.io/llm-d/llm-d:v0.2.0", "Vllm"),
            ("rayproject/ray-llm:2.52.0-py311-cu128", "Vllm+RayServe"),
            ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.3.0", "Vllm+Dynamo"),
            ("my-registry/tensorrtllm-runtime:my-tag", "TensorRtLlm+Dynamo"),
            ("aibrix/sglang:v0.4.9.post3-cu126", "Sglang 0.4.9"),
            ("lmsysorg/sglang:latest", "Sglang"),
            ("ghcr.io/huggingface/text-generation-inference:3.3.1", "Tgi 3.3.1"),
            ("gcr.io/x/huggingface-text-generation-inference-cu124.2-3.ubuntu2204.py311", "Tgi"),
            ("nvcr.io/nvidia/tensorrt-llm/release:1.0.0", "TensorRtLlm 1.0.0"),
            ("nvcr.io/nvidia/tritonserver:24.05-trtllm-python-py3", "TensorRtLlm+Triton"),
            ("nvcr.io/nvidia/tritonserver:24.05-vllm-python-py3", "Vllm+Triton"),
            ("nvcr.io/nvidia/tritonserver:23.10-py3", "Triton+Triton"),
            ("openmmlab/lmdeploy:v0.7.2.post1-cu12", "LmDeploy 0.7.2"),
            ("nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8.5", "Nim"),
            ("registry.example.com/nim/deepseek-ai/deepseek-r1:1.7.3", "Nim"),
            ("kserve/huggingfaceserver:v0.15.0-gpu", "Vllm+HuggingFaceServer"),
            ("ollama/ollama:0.5", "Ollama"),
            ("ghcr.io/ggml-org/llama.cpp:server-cuda", "LlamaCpp"),
        ] {
            check(image, expect);
        }
    }

    #[test]
    fn what_stands_beside_an_engine_is_none() {
        for (image, expect) in [
            ("aibrix/sglang-router:v0.1.6", "beside"),
            ("kserve/kserve-controller:v0.15.0", "beside"),
            ("ghcr.io/vllm-project/semantic-router/vllm-router:latest", "beside"),
            ("ghcr.io/llm-d/llm-d-inference-sim:v0.5.0", "beside"),
            ("ghcr.io/llm-d/llm-d-routing-sidecar:v0.2.0", "beside"),
            ("ghcr.io/llm-d/llm-d-inference-scheduler:v0.2.0", "beside"),
            ("nvcr.io/nvidia/k8s/dcgm-exporter:4.2.3", "beside"),
            ("nvcr.io/nvidia/ai-dynamo/dynamo-planner:my-tag", "beside"),
            ("nvcr.io/nvidia/ai-dynamo/dynamo-frontend:1.0.0", "beside"),
            ("vllm/vllm-benchmark:latest", "beside"),
            ("aibrix/gateway-plugins:v0.3.0", "beside"),
            ("aibrix/runtime:v0.3.0", "unknown"),
            ("vllm-project/production-stack:latest", "unknown"),
            ("rayproject/ray:2.46.0", "unknown"),
            ("nvcr.io/nim/nvidia/llama-3.2-nv-embedqa-1b-v2:1.3.0", "unknown"),
            ("nvcr.io/nvidia/cloud-native/k8s-nim-operator:v2.0.0", "beside"),
            ("<image>", "unknown"),
            ("", "unknown"),
            (":", "unknown"),
        ] {
            check(image, expect);
        }
    }
}
