//! What a command starts: an engine, a script, a member of a Ray cluster, or something else.

use super::flags::count;
use super::model::{Family, Role, Runtime};
use super::words::{Glyph, Word};
use crate::known::Known;
use crate::source::Span;

/// An engine that a command starts.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) family: Family,
    pub(super) runtime: Option<Runtime>,
    /// The word that names it: `vllm`, or the module behind `python3 -m`.
    pub(super) at: Span,
    pub(super) args: Vec<Word>,
    /// True where the first argument is the model.
    pub(super) model: bool,
    /// The role that the subcommand itself states.
    pub(super) role: Option<Role>,
    /// The number of processes that a launcher in front states.
    pub(super) ranks: Known<u32>,
}

/// What a command does.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Engine(Start),
    /// Joins a Ray cluster.
    Ray(Span),
    /// Runs a script given in place, with its name (`$0`) and its arguments.
    Inline(Vec<Glyph>, Vec<Word>),
    /// Runs the shell script in a file, with its arguments.
    Script(Word, Vec<Word>),
    /// Reads the commands of a file into the shell.
    Source(Word, Vec<Word>),
    /// Runs a program that is not known, and may be a launcher of an engine.
    Launcher(Span, Vec<Word>),
    /// Runs something that is no engine.
    Other,
}

/// Programs that run the command in their arguments.
const WRAPPERS: &[&str] = &[
    "exec",
    "nohup",
    "setsid",
    "time",
    "command",
    "builtin",
    "env",
    "sudo",
    "nice",
    "ionice",
    "taskset",
    "numactl",
    "stdbuf",
    "timeout",
    "chrt",
    "catchsegv",
    "tini",
    "dumb-init",
    "catatonit",
    "gosu",
    "su-exec",
    "nsys",
    "uv",
    "poetry",
    "pipenv",
    "conda",
    "micromamba",
    "opentelemetry-instrument",
    "ddtrace-run",
    "mpirun",
    "mpiexec",
    "srun",
    "prun",
    "trtllm-llmapi-launch",
    "vault-env",
    "xvfb-run",
    "nvidia_entrypoint.sh",
    "docker-entrypoint.sh",
    "entrypoint.sh",
];

/// Modules that `python -m` starts.
const MODULES: &[(&str, Family, Option<Runtime>)] = &[
    ("vllm.entrypoints.openai.api_server", Family::Vllm, None),
    ("vllm.entrypoints.api_server", Family::Vllm, None),
    ("vllm.entrypoints.grpc_server", Family::Vllm, None),
    ("fastchat.serve.vllm_worker", Family::Vllm, None),
    ("huggingfaceserver", Family::Vllm, Some(Runtime::HuggingFaceServer)),
    ("sglang.launch_server", Family::Sglang, None),
    ("sglang_router.launch_server", Family::Sglang, None),
    ("tensorrt_llm.commands.serve", Family::TensorRtLlm, None),
    ("lmdeploy.serve.openai.api_server", Family::LmDeploy, None),
    ("lmdeploy.serve.api_server", Family::LmDeploy, None),
    ("dynamo.vllm", Family::Vllm, Some(Runtime::Dynamo)),
    ("dynamo.sglang", Family::Sglang, Some(Runtime::Dynamo)),
    ("dynamo.trtllm", Family::TensorRtLlm, Some(Runtime::Dynamo)),
];

/// Words in the name of a program or module that serves no model.
const NO_ENGINE: &[&str] = &[
    "router",
    "frontend",
    "planner",
    "bench",
    "benchmark",
    "benchmarks",
    "client",
    "proxy",
    "gateway",
    "http",
    "pip",
    "pip3",
    "jupyter",
    "notebook",
    "mocker",
    "mock",
    "sim",
    "simulator",
    "exporter",
    "loadgen",
    "test",
    "pytest",
    "eval",
    "download",
    "downloader",
    "convert",
    "locust",
    "guidellm",
    "epp",
    "processor",
    "metrics",
    "aggregator",
    "webui",
    "streamlit",
    "gradio",
    "install",
    "init",
    "wait",
    "setup",
    "check",
    "probe",
    "health",
    "healthcheck",
    "train",
    "training",
    "batch",
    "finetune",
    "preprocess",
];

/// Words in the name of a program without a path that may launch an engine.
const LAUNCHERS: &[&str] =
    &["run", "start", "launch", "launcher", "serve", "server", "entrypoint", "engine", "worker"];

/// How far behind a wrapper its command is looked for.
const FARTHEST: usize = 64;

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// What a command does.
pub(super) fn step(words: &[Word]) -> Step {
    let Some(head) = words.first() else { return Step::Other };
    if let Some(step) = program(words) {
        return step;
    }
    let name = head.basename();
    let wrapper = WRAPPERS.contains(&name.as_str());
    // A script that waits for something and then runs its arguments is a wrapper too.
    if wrapper || name.ends_with(".sh") {
        for at in 1..words.len().min(FARTHEST) {
            let Some(mut step) = words.get(at..).and_then(program) else { continue };
            match &mut step {
                Step::Engine(start) if matches!(start.ranks, Known::Absent) => {
                    start.ranks = processes(words.get(1..at).unwrap_or_default());
                }
                Step::Engine(_) | Step::Inline(..) | Step::Ray(_) => {}
                Step::Other => continue,
                Step::Script(..) | Step::Source(..) | Step::Launcher(..) if !wrapper => continue,
                Step::Script(..) | Step::Source(..) | Step::Launcher(..) => {}
            }
            return step;
        }
    }
    if wrapper {
        let rest = words.iter().skip(1).position(|word| !word.is_flag());
        return rest.and_then(|at| words.get(at + 1..)).map_or(Step::Other, unknown);
    }
    unknown(words)
}

/// `mpirun -n 16`.
fn processes(options: &[Word]) -> Known<u32> {
    let at = options
        .iter()
        .position(|word| word.is("-n") || word.is("-np") || word.is("--np") || word.is("--ntasks"));
    match at.and_then(|at| options.get(at + 1)) {
        Some(value) => count(value.known(value.at), 1),
        None => Known::Absent,
    }
}

/// An engine that the word at `name` names; its arguments start at `args`.
fn start(
    family: Family,
    runtime: Option<Runtime>,
    words: &[Word],
    name: usize,
    args: usize,
    model: bool,
) -> Step {
    let Some(word) = words.get(name) else { return Step::Other };
    let args = words.get(args..).unwrap_or_default().to_vec();
    Step::Engine(Start { family, runtime, at: word.at, args, model, role: None, ranks: Known::Absent })
}

/// What the program at the start of these words does, where it is known.
fn program(words: &[Word]) -> Option<Step> {
    let (head, rest) = words.split_first()?;
    let name = head.basename();
    let sub = rest.first().map(Word::text).unwrap_or_default();
    let engine = |family, args, model| Some(start(family, None, words, 0, args, model));
    match name.as_str() {
        "vllm" => match sub.as_str() {
            "serve" => engine(Family::Vllm, 2, true),
            _ => Some(Step::Other),
        },
        "sglang" => match sub.as_str() {
            "serve" => engine(Family::Sglang, 2, false),
            _ => Some(Step::Other),
        },
        "text-generation-launcher" => engine(Family::Tgi, 1, false),
        "trtllm-serve" => match sub.as_str() {
            "serve" => engine(Family::TensorRtLlm, 2, true),
            // The front of a disaggregated service. It takes no GPU.
            "disaggregated" => Some(Step::Other),
            "disaggregated_mpi_worker" => engine(Family::TensorRtLlm, 2, false),
            "mm_embedding_serve" => {
                let Step::Engine(found) = start(Family::TensorRtLlm, None, words, 0, 2, true) else {
                    return None;
                };
                Some(Step::Engine(Start { role: Some(Role::Encode), ..found }))
            }
            _ => engine(Family::TensorRtLlm, 1, true),
        },
        "tritonserver" => Some(triton(words)),
        "lmdeploy" => lmdeploy(words, 0),
        "llama-server" => engine(Family::LlamaCpp, 1, false),
        "ollama" if sub == "serve" => engine(Family::Ollama, 2, false),
        "xllm" => engine(Family::Xllm, 1, false),
        "ray" if sub == "start" => Some(Step::Ray(head.at)),
        "ray" => Some(Step::Other),
        "serve" if sub == "run" => ray_serve(words),
        "multi-node-serving.sh" => Some(Step::Ray(head.at)),
        "source" | "." => {
            rest.first().map(|file| Step::Source(file.clone(), rest.get(1..).unwrap_or_default().to_vec()))
        }
        name if SHELLS.contains(&name) => Some(shell(words)),
        name if is_python(name) => Some(python(words)),
        _ if head.has_hole() && sub == "-m" => Some(python(words)),
        _ => None,
    }
}

fn is_python(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|rest| rest.chars().all(|ch| ch.is_ascii_digit() || ch == '.'))
}

/// `tritonserver`. Its arguments tell whether a language model is behind it.
fn triton(words: &[Word]) -> Step {
    let llm = |word: &Word| {
        let text = word.text().to_ascii_lowercase();
        ["trtllm", "tensorrt_llm", "tensorrtllm", "inflight_batcher_llm"]
            .iter()
            .any(|part| text.contains(part))
    };
    let family = if words.iter().any(llm) { Family::TensorRtLlm } else { Family::Triton };
    start(family, Some(Runtime::Triton), words, 0, 1, false)
}

fn ray_serve(words: &[Word]) -> Option<Step> {
    let llm = words.iter().any(|word| word.text().contains("ray.serve.llm"));
    llm.then(|| start(Family::Vllm, Some(Runtime::RayServe), words, 0, 2, false))
}

/// `lmdeploy serve api_server`, at a word of the command.
fn lmdeploy(words: &[Word], at: usize) -> Option<Step> {
    let serves = words.get(at + 1).is_some_and(|word| word.is("serve"))
        && words.get(at + 2).is_some_and(|word| word.is("api_server"));
    Some(if serves { start(Family::LmDeploy, None, words, at, at + 3, true) } else { Step::Other })
}

/// A shell with `-c` and a script, or with a file.
fn shell(words: &[Word]) -> Step {
    let mut inline = false;
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let text = word.text();
        match text.as_str() {
            "-o" | "+o" | "-O" | "--rcfile" | "--init-file" => at += 2,
            "--" | "-" => {
                at += 1;
                break;
            }
            _ if text.starts_with("--") => at += 1,
            _ if word.is_flag() || (text.starts_with('+') && text.len() > 1) => {
                inline |= text.contains('c');
                at += 1;
                // In `-euo pipefail` the option takes the next word.
                at += usize::from(text.ends_with('o') && !text.starts_with("--"));
            }
            _ => break,
        }
    }
    let Some(word) = words.get(at) else { return Step::Other };
    let args = words.get(at + 1..).unwrap_or_default();
    if inline {
        let script = word.script.clone().unwrap_or_else(|| word.glyphs.clone());
        return Step::Inline(script, args.to_vec());
    }
    script(word, args)
}

/// A script in a file. Some are known by their name.
fn script(file: &Word, args: &[Word]) -> Step {
    match file.basename().as_str() {
        "multi-node-serving.sh" => Step::Ray(file.at),
        _ => Step::Script(file.clone(), args.to_vec()),
    }
}

fn python(words: &[Word]) -> Step {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let text = word.text();
        match text.as_str() {
            "-m" => return module(words, at + 1, None),
            "-X" | "-W" => at += 2,
            "-c" => return Step::Other,
            _ if text.starts_with("-m") => return module(words, at, text.get(2..)),
            _ if word.is_flag() => at += 1,
            _ => return python_file(words, at),
        }
    }
    Step::Other
}

/// `python -m module`. `glued` is the module where it stands in the same word as `-m`.
fn module(words: &[Word], at: usize, glued: Option<&str>) -> Step {
    let Some(word) = words.get(at) else { return Step::Other };
    let name = glued.map_or_else(|| word.text(), str::to_owned);
    let sub = words.get(at + 1).map(Word::text).unwrap_or_default();
    match name.as_str() {
        "lmdeploy" | "lmdeploy.cli" => return lmdeploy(words, at).unwrap_or(Step::Other),
        "vllm" | "vllm.entrypoints.cli.main" if sub == "serve" => {
            return start(Family::Vllm, None, words, at, at + 2, true);
        }
        _ => {}
    }
    let found = MODULES.iter().find(|(module, ..)| {
        // Dynamo had a module for each kind of worker: `dynamo.sglang.worker`.
        name == *module
            || (module.starts_with("dynamo.")
                && name.strip_prefix(module).is_some_and(|rest| rest.starts_with('.')))
    });
    match found {
        Some((module, family, runtime)) => {
            start(*family, *runtime, words, at, at + 1, *module == "tensorrt_llm.commands.serve")
        }
        None if word.has_hole() => Step::Launcher(word.at, words.get(at + 1..).unwrap_or_default().to_vec()),
        None if serves_nothing(&name) || !name.contains('.') => Step::Other,
        None => Step::Launcher(word.at, words.get(at + 1..).unwrap_or_default().to_vec()),
    }
}

fn python_file(words: &[Word], at: usize) -> Step {
    let Some(file) = words.get(at) else { return Step::Other };
    let args = words.get(at + 1..).unwrap_or_default();
    let dotted = file.text().trim_end_matches(".py").replace('/', ".");
    if let Some((_, family, runtime)) = MODULES.iter().find(|(module, ..)| dotted.ends_with(module)) {
        return start(*family, *runtime, words, at, at + 1, false);
    }
    // The launchers of the TensorRT-LLM backend (tensorrtllm_backend, scripts/launch_triton_server.py, and the server
    // of the LeaderWorkerSet example) are told by the repository of models that they take.
    let repository = |word: &Word| {
        let text = word.text().replace('_', "-");
        text.starts_with("--triton-model-repo-dir") || text.contains("inflight-batcher-llm")
    };
    if file.basename() == "launch_triton_server.py" || args.iter().any(repository) {
        return start(Family::TensorRtLlm, Some(Runtime::Triton), words, at, at + 1, false);
    }
    if serves_nothing(&file.basename()) {
        return Step::Other;
    }
    Step::Launcher(file.at, args.to_vec())
}

/// True for a name that says that the program serves no model.
pub(super) fn serves_nothing(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.split(|ch: char| !ch.is_alphanumeric()).any(|word| NO_ENGINE.contains(&word))
}

/// A program that is not known: perhaps a launcher, by its name.
fn unknown(words: &[Word]) -> Step {
    let Some((head, rest)) = words.split_first() else { return Step::Other };
    let name = head.basename();
    let text = head.text();
    if head.is_hole() {
        return Step::Launcher(head.at, rest.to_vec());
    }
    if serves_nothing(&name) {
        return Step::Other;
    }
    if name.ends_with(".sh") || name.ends_with(".bash") {
        return script(head, rest);
    }
    let lower = name.to_ascii_lowercase();
    let named = lower.split(|ch: char| !ch.is_alphanumeric()).any(|word| LAUNCHERS.contains(&word));
    let system = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"].iter().any(|path| text.starts_with(path));
    if named || (text.contains('/') && !system) {
        return Step::Launcher(head.at, rest.to_vec());
    }
    Step::Other
}

/// True where a word states a degree of parallelism by its full name, which programs of other kinds do not.
pub(super) fn states_parallelism(words: &[Word]) -> bool {
    words.iter().filter(|word| word.is_flag()).any(|word| {
        let text = word.text().replace('_', "-");
        let name = text.split(['=', ' ']).next().unwrap_or_default();
        matches!(
            name,
            "--tensor-parallel-size" | "--pipeline-parallel-size" | "--tp-size" | "--pp-size" | "--num-shard"
        )
    })
}
