//! Whole containers: what is written, and what the engine is read to be.

use super::*;
use crate::known::Known;
use crate::source::FileId;
use crate::yaml::Text;
use std::collections::BTreeMap;

/// A container under test. Every text of it goes into one file, so that spans can be shown as the text under them.
#[derive(Default, Clone)]
pub(super) struct Bench {
    pub(super) container: Container,
    pub(super) file: String,
    pub(super) config_maps: BTreeMap<(String, String), Text>,
}

impl Bench {
    pub(super) fn image(image: &str) -> Bench {
        let mut bench = Bench::default();
        bench.container.image = if image.is_empty() { Known::Absent } else { bench.known(image) };
        bench
    }

    fn text(&mut self, text: &str) -> Text {
        let start = self.file.len();
        self.file.push_str(text);
        let span = Span::new(FileId(0), start, self.file.len());
        self.file.push('\n');
        Text::verbatim(text.to_owned(), span)
    }

    fn known(&mut self, text: &str) -> Known<Text> {
        let text = self.text(text);
        let span = text.span();
        Known::Set(text, span)
    }

    pub(super) fn command(mut self, items: &[&str]) -> Bench {
        let items: Vec<_> = items.iter().map(|item| self.known(item)).collect();
        self.container.command.extend(items);
        self
    }

    pub(super) fn args(mut self, items: &[&str]) -> Bench {
        let items: Vec<_> = items.iter().map(|item| self.known(item)).collect();
        self.container.args.extend(items);
        self
    }

    /// A shell that runs a script.
    pub(super) fn script(self, script: &str) -> Bench {
        self.command(&["/bin/sh", "-c"]).args(&[script])
    }

    pub(super) fn env(mut self, vars: &[(&str, &str)]) -> Bench {
        for (name, value) in vars {
            let text = self.text(value);
            let (name, span) = (name.to_string(), text.span());
            self.container.env.push(EnvVar { name, span, value: EnvValue::Literal(text) });
        }
        self
    }

    pub(super) fn secret(mut self, name: &str) -> Bench {
        let span = self.text("valueFrom").span();
        let name = name.to_owned();
        self.container.env.push(EnvVar { name, span, value: EnvValue::Elsewhere(span) });
        self
    }

    pub(super) fn config_map(mut self, name: &str, key: &str, value: &str) -> Bench {
        let text = self.text(value);
        self.config_maps.insert((name.to_owned(), key.to_owned()), text);
        self
    }

    pub(super) fn mount(mut self, path: &str, config_map: &str, sub_path: Option<&str>) -> Bench {
        self.container.mounts.push(Mount {
            path: path.to_owned(),
            config_map: Some(config_map.to_owned()),
            sub_path: sub_path.map(str::to_owned),
            items: vec![],
            span: Span::new(FileId(0), 0, 0),
        });
        self
    }

    pub(super) fn label(mut self, name: &str, value: &str) -> Bench {
        let text = self.text(value);
        self.container.labels.push((name.to_owned(), text));
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Container)) -> Bench {
        change(&mut self.container);
        self
    }

    pub(super) fn read(&self) -> Option<Engine> {
        read(&self.container, self)
    }

    fn show<T: std::fmt::Display>(&self, name: &str, known: &Known<T>, out: &mut Vec<String>) {
        match known {
            Known::Set(value, _) => out.push(format!("{name}={value}")),
            Known::Default(value, _) => out.push(format!("{name}={value}*")),
            Known::Unresolved(_) => out.push(format!("{name}=?")),
            Known::Invalid(..) => out.push(format!("{name}=!")),
            Known::Absent => {}
        }
    }

    /// The engine in one line: `*` is a default, `?` unresolved, `!` invalid; what is absent is left out.
    pub(super) fn line(&self) -> String {
        let Some(engine) = self.read() else { return "none".to_owned() };
        let mut out = vec![format!("{:?}", engine.family)];
        if let Some(runtime) = engine.runtime {
            out.push(format!("{runtime:?}"));
        }
        if engine.launch != Launch::Command {
            out.push(format!("{:?}", engine.launch));
        }
        self.show("tp", &engine.tensor_parallel, &mut out);
        self.show("pp", &engine.pipeline_parallel, &mut out);
        self.show("dp", &engine.data_parallel, &mut out);
        self.show("dpl", &engine.data_parallel_local, &mut out);
        self.show("cp", &engine.context_parallel, &mut out);
        self.show("ep", &engine.expert_parallel, &mut out);
        self.show("ranks", &engine.ranks, &mut out);
        self.show("nodes", &engine.nodes, &mut out);
        self.show("rank", &engine.node_rank, &mut out);
        if engine.headless {
            out.push("headless".to_owned());
        }
        self.show("role", &engine.role.map(|role| format!("{role:?}")), &mut out);
        out.join(" ")
    }
}

impl Lookup for Bench {
    fn config_map_key(&self, name: &str, key: &str) -> Known<Text> {
        let found = self.config_maps.get(&(name.to_owned(), key.to_owned()));
        found.map_or(Known::Absent, |text| Known::Set(text.clone(), text.span()))
    }

    fn config_map_keys(&self, name: &str) -> Option<Vec<(String, Text)>> {
        let keys: Vec<_> = self
            .config_maps
            .iter()
            .filter(|((map, _), _)| map == name)
            .map(|((_, key), text)| (key.clone(), text.clone()))
            .collect();
        (!keys.is_empty()).then_some(keys)
    }
}

fn check(bench: Bench, expect: &str) {
    assert_eq!(bench.line(), expect, "{}", bench.file);
}

/// Parts of the expectation that most vLLM cases share.
const REST: &str = "pp=1* dp=1* cp=1*";

fn vllm(bench: Bench, expect: &str) {
    check(bench, &format!("Vllm {expect} {REST}"));
}

#[test]
fn an_engine_is_recognised_by_its_command() {
    for (command, expect) in [
        (&["vllm", "serve", "m"][..], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["/opt/venv/bin/vllm", "serve", "m"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["python3", "-m", "vllm.entrypoints.openai.api_server"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["python", "-u", "-m", "vllm.entrypoints.api_server"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["python3.12", "-mvllm.entrypoints.openai.api_server"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["python3", "/app/vllm/entrypoints/openai/api_server.py"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["python3", "-m", "sglang.launch_server"], "Sglang tp=1* pp=1* dp=1*"),
        (&["sglang", "serve", "--model-path", "m"], "Sglang tp=1* pp=1* dp=1*"),
        (&["text-generation-launcher", "--model-id", "m"], "Tgi"),
        (&["trtllm-serve", "m"], "TensorRtLlm tp=1* pp=1* cp=1*"),
        (&["trtllm-serve", "serve", "m"], "TensorRtLlm tp=1* pp=1* cp=1*"),
        (&["trtllm-llmapi-launch", "trtllm-serve", "m"], "TensorRtLlm tp=1* pp=1* cp=1*"),
        (
            &["mpirun", "-n", "16", "--allow-run-as-root", "trtllm-llmapi-launch", "trtllm-serve", "m"],
            "TensorRtLlm tp=1* pp=1* cp=1* ranks=16",
        ),
        (&["tritonserver", "--model-repository=/models"], "Triton Triton"),
        (&["tritonserver", "--model-repository=/tensorrtllm_backend/x"], "TensorRtLlm Triton"),
        (&["lmdeploy", "serve", "api_server", "m"], "LmDeploy tp=1*"),
        (&["python3", "-m", "dynamo.vllm"], "Vllm Dynamo tp=1* pp=1* dp=1* cp=1*"),
        (&["python3", "-m", "dynamo.sglang.worker"], "Sglang Dynamo tp=1* pp=1* dp=1*"),
        (&["python3", "-m", "dynamo.trtllm"], "TensorRtLlm Dynamo tp=1* pp=1* cp=1*"),
        (&["serve", "run", "ray.serve.llm:build_openai_app"], "Vllm RayServe RayMember"),
        (&["llama-server", "-m", "x.gguf"], "LlamaCpp"),
        (&["tini", "--", "bash", "-c", "vllm serve m"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["env", "A=b", "vllm", "serve", "m"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["./wait-for.sh", "db:1", "--", "vllm", "serve", "m"], "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (&["vllm", "bench", "latency", "--tensor-parallel-size", "8"], "none"),
        (&["trtllm-serve", "disaggregated", "-c", "x.yaml"], "none"),
        (&["python3", "-m", "dynamo.frontend"], "none"),
        (&["python3", "-m", "sglang_router.launch_router"], "none"),
        (&["python3", "benchmark_serving.py", "--backend", "vllm"], "none"),
        (&["lmdeploy", "serve", "proxy"], "none"),
        (&["sleep", "infinity"], "none"),
        (&["echo", "vllm", "serve", "m"], "none"),
        (&["ray", "start", "--block"], "none"),
    ] {
        check(Bench::image("").command(command), expect);
    }
}

#[test]
fn an_engine_image_runs_its_engine_unless_the_command_is_something_else() {
    let image = "vllm/vllm-openai:v0.10.0";
    vllm(Bench::image(image), "Image tp=1*");
    vllm(Bench::image(image).args(&["--model", "m", "--tensor-parallel-size=4"]), "Image tp=4");
    vllm(Bench::image(image).args(&["org/model", "-tp", "2"]), "Image tp=2");
    check(Bench::image(image).args(&["--model", "m"]).with(|c| c.completed = true), "Vllm Image");
    for command in [
        &["sleep", "infinity"][..],
        &["/bin/sleep", "infinity"],
        &["nginx", "-g", "daemon off;"],
        &["python3", "-m", "http.server"],
        &["python3", "-m", "sglang_router.launch_router"],
        &["python3", "-c", "import vllm"],
        &["/bin/sh", "-c", "nvidia-smi; sleep infinity"],
        &["bash", "/scripts/download_model.sh"],
        &["vllm", "bench", "serve"],
    ] {
        check(Bench::image(image).command(command), "none");
    }
    check(Bench::image(image).command(&["ray", "start", "--block"]), "Vllm RayMember");
    check(
        Bench::image(image).script("ray start --address=$(LWS_LEADER_ADDRESS):6379 --block"),
        "Vllm RayMember",
    );
    check(Bench::image(image).script("echo x; $KUBERAY_GEN_RAY_START_CMD"), "Vllm RayMember");
    check(
        Bench::image(image)
            .script("bash /x/multi-node-serving.sh worker --ray_address=$(LWS_LEADER_ADDRESS)"),
        "Vllm RayMember",
    );
    check(Bench::image("rayproject/ray-llm:2.52.0"), "Vllm RayServe RayMember");
    check(Bench::image("nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.3.0"), "none");
    check(Bench::image("ghcr.io/llm-d/llm-d-inference-sim:v0.5.0").args(&["--model", "m"]), "none");
    check(Bench::image("nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8"), "Nim Image");
    check(Bench::image("ghcr.io/huggingface/text-generation-inference:3.3.1"), "Tgi Image");
}

#[test]
fn a_label_decides_only_for_a_container_with_accelerators() {
    let labelled = || Bench::image("example.com/llama:1").label("model.aibrix.ai/engine", "vllm");
    check(labelled(), "none");
    check(labelled().with(|c| c.accelerators = true), "Vllm Image");
    check(labelled().args(&["--model", "m", "--tensor-parallel-size", "2"]), "Vllm Image tp=2");
    check(labelled().command(&["aibrix_runtime", "--port", "8080"]), "none");
    check(labelled().command(&["/app/sidecar"]), "none");
    check(
        labelled().command(&["/app/start.sh"]).with(|c| c.accelerators = true),
        "Vllm Script tp=? pp=? dp=? dpl=? cp=? ep=? ranks=? nodes=? rank=?",
    );
}

#[test]
fn every_spelling_of_a_degree_is_read() {
    for (args, expect) in [
        (&["--tensor-parallel-size=8"][..], "tp=8"),
        (&["--tensor-parallel-size", "8"], "tp=8"),
        (&["--tensor-parallel-size 8"], "tp=8"),
        (&["--tensor_parallel_size=8"], "tp=8"),
        (&["--tensor_parallel_size", "8"], "tp=8"),
        (&["--tensor-parallel", "8"], "tp=8"),
        (&["-tp", "8"], "tp=8"),
        (&["-tp=8"], "tp=8"),
        (&["--tp", "8"], "tp=8"),
        (&["--tensor-parallel-size=2", "--tensor-parallel-size=4"], "tp=4"),
        (&["--tensor-parallel-size", "eight"], "tp=!"),
        (&["--tensor-parallel-size", "0"], "tp=!"),
        (&["--tensor-parallel-size"], "tp=!"),
        (&["--tensor-parallel-size", "{{ .Values.tp }}"], "tp=?"),
        (&["--tensor-parallel-size={{ .Values.tp }}"], "tp=?"),
        (&["--tensor-parallel-size=${TP}"], "tp=?"),
        (&["--tensor-parallel-size", "$TP"], "tp=?"),
        (&["--tensor-parallel-size=<your GPUs>"], "tp=?"),
        (&["--tensor-parallel-size=$(TP)"], "tp=?"),
        (&["--moe-tensor-parallel-size", "8"], "tp=1*"),
        (&["--tokenizer", "8"], "tp=1*"),
        (&["--chat-template", "--tensor-parallel-size", "8"], "tp=8"),
        (&["--trust-remote-code", "--tensor-parallel-size", "8"], "tp=8"),
    ] {
        vllm(Bench::image("").command(&["vllm", "serve", "m"]).args(args), expect);
    }
}

#[test]
fn every_degree_is_read_for_its_engine() {
    let vllm = &["vllm", "serve", "m"][..];
    let sglang = &["python3", "-m", "sglang.launch_server"][..];
    let trtllm = &["trtllm-serve", "m"][..];
    for (command, args, expect) in [
        (vllm, "-pp 2 -dp 4 -dpl 2", "Vllm tp=1* pp=2 dp=4 dpl=2 cp=1*"),
        (vllm, "--pipeline_parallel_size 2", "Vllm tp=1* pp=2 dp=1* cp=1*"),
        (vllm, "--data-parallel-size 8 --data-parallel-size-local 2", "Vllm tp=1* pp=1* dp=8 dpl=2 cp=1*"),
        (vllm, "--data-parallel-address 10.0.0.1", "Vllm tp=1* pp=1* dp=1* cp=1*"),
        (vllm, "-pcp 2 -dcp 4", "Vllm tp=1* pp=1* dp=1* cp=2"),
        (vllm, "-n 2 -r 1 --headless", "Vllm tp=1* pp=1* dp=1* cp=1* nodes=2 rank=1 headless"),
        (vllm, "--nnodes=2 --node-rank=0", "Vllm tp=1* pp=1* dp=1* cp=1* nodes=2 rank=0"),
        (sglang, "--tp-size 16 --pp-size 2 --dp-size 2", "Sglang tp=16 pp=2 dp=2"),
        (sglang, "--tp=16 --dp 2 --ep-size 16 --nnodes 2", "Sglang tp=16 pp=1* dp=2 ep=16 nodes=2"),
        (sglang, "--context-length 131072 -r 1", "Sglang tp=1* pp=1* dp=1*"),
        (trtllm, "--tp_size 8 --pp_size 2 --cp_size 2 --ep_size 4", "TensorRtLlm tp=8 pp=2 cp=2 ep=4"),
        (trtllm, "--tensor_parallel_size 8 --gpus_per_node 8", "TensorRtLlm tp=8 pp=1* cp=1*"),
        (&["text-generation-launcher"], "--num-shard=2", "Tgi tp=2"),
        (&["text-generation-launcher"], "--num-shard 4", "Tgi tp=4"),
        (&["lmdeploy", "serve", "api_server", "m"], "--tp 2", "LmDeploy tp=2"),
        (
            &["python3", "./server.py", "leader"],
            "--pp=8 --tp=2 --gpu_per_node=8 --triton_model_repo_dir=/data/inflight_batcher_llm/",
            "TensorRtLlm Triton tp=2 pp=8",
        ),
        (&["python3", "scripts/launch_triton_server.py"], "--world_size 16", "TensorRtLlm Triton ranks=16"),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        check(Bench::image("").command(command).args(&args), expect);
    }
}

#[test]
fn variables_of_kubernetes_are_expanded() {
    let serve = |args: &[&str]| Bench::image("").command(&["vllm", "serve", "m"]).args(args);
    vllm(serve(&["--tensor-parallel-size=$(TP)"]).env(&[("TP", "8")]), "tp=8");
    vllm(serve(&["--tensor-parallel-size", "$(TP)"]).env(&[("TP", "8")]), "tp=8");
    vllm(serve(&["--tensor-parallel-size=$(B)"]).env(&[("A", "8"), ("B", "$(A)")]), "tp=8");
    vllm(serve(&["--tensor-parallel-size=$(B)"]).env(&[("B", "$(A)"), ("A", "8")]), "tp=?");
    vllm(serve(&["--tensor-parallel-size=$$(TP)"]).env(&[("TP", "8")]), "tp=?");
    vllm(serve(&["--tensor-parallel-size=$(TP)"]).env(&[("TP", "{{ .Values.tp }}")]), "tp=?");
    vllm(serve(&["--tensor-parallel-size=$(TP)"]).secret("TP"), "tp=?");
    vllm(serve(&["--tensor-parallel-size=$TP"]).env(&[("TP", "8")]), "tp=?");
    vllm(serve(&["--tensor-parallel-size=8"]).env(&[("TENSOR_PARALLEL_SIZE", "4")]), "tp=8");
    vllm(serve(&[]).env(&[("TENSOR_PARALLEL_SIZE", "4"), ("TP_SIZE", "4")]), "tp=1*");
    let span = Span::new(FileId(0), 0, 0);
    let from = |source| EnvFrom { source, prefix: "E_".to_owned(), span };
    let bench = || serve(&["--tensor-parallel-size=$(E_TP)"]).config_map("settings", "TP", "8");
    vllm(bench().with(|c| c.env_from.push(from(EnvSource::ConfigMap("settings".to_owned())))), "tp=8");
    vllm(bench().with(|c| c.env_from.push(from(EnvSource::ConfigMap("other".to_owned())))), "tp=?");
    let value = EnvValue::ConfigMapKey { name: "settings".to_owned(), key: "TP".to_owned(), span };
    vllm(bench().with(|c| c.env.push(EnvVar { name: "E_TP".to_owned(), span, value })), "tp=8");
}

#[test]
fn a_shell_script_is_followed() {
    for (script, expect) in [
        ("vllm serve m --tensor-parallel-size 8", "tp=8"),
        ("exec vllm serve m -tp 8", "tp=8"),
        ("vllm serve m \\\n  --host 0.0.0.0 \\\n  --tensor-parallel-size 8\n", "tp=8"),
        ("vllm serve m \\\r\n  --tensor-parallel-size 8\r\n", "tp=8"),
        ("vllm serve m \\ --tensor-parallel-size 8", "tp=8"),
        ("cd /x && vllm serve m --tensor-parallel-size 8", "tp=8"),
        ("set -e; echo start; vllm serve m --tensor-parallel-size 8 2>&1 | tee /log", "tp=8"),
        ("vllm serve m --tensor-parallel-size 8 > /log 2>&1 &\nwait", "tp=8"),
        ("# vllm serve x --tensor-parallel-size 4\nvllm serve m --tensor-parallel-size 8 # 2", "tp=8"),
        ("vllm serve m --tensor-parallel-size=\"8\"", "tp=8"),
        ("vllm serve m '--tensor-parallel-size' '8'", "tp=8"),
        ("vllm serve m --x '{\"a\": \"--tensor-parallel-size 4\"}' --tensor-parallel-size 8", "tp=8"),
        ("cat <<EOF > /cfg\nvllm serve x --tensor-parallel-size 4\nEOF\nvllm serve m -tp 8", "tp=8"),
        ("cat <<-'END'\n\tvllm serve x -tp 4\n\tEND\nvllm serve m -tp 8", "tp=8"),
        ("TP=8; vllm serve m --tensor-parallel-size $TP", "tp=8"),
        ("TP=8 && vllm serve m --tensor-parallel-size ${TP}", "tp=8"),
        ("export TP=8\nvllm serve m --tensor-parallel-size \"$TP\"", "tp=8"),
        ("TP=4; TP=8; vllm serve m -tp $TP", "tp=8"),
        ("TP=4; if x; then TP=8; fi; vllm serve m -tp $TP", "tp=?"),
        ("TP=8; if x; then TP=8; fi; vllm serve m -tp $TP", "tp=8"),
        ("x || TP=8; vllm serve m -tp $TP", "tp=?"),
        ("[ -n \"$A\" ] && TP=8; vllm serve m -tp $TP", "tp=?"),
        ("for TP in 4 8; do echo; done; vllm serve m -tp $TP", "tp=?"),
        ("case $GPU in h100|h200) TP=8;; *) TP=4;; esac; vllm serve m -tp $TP", "tp=?"),
        ("vllm serve m -tp $TP", "tp=?"),
        ("vllm serve m -tp ${TP:-8}", "tp=8"),
        ("vllm serve m -tp ${TP-8}", "tp=8"),
        ("vllm serve m -tp ${TP:=8}", "tp=8"),
        ("vllm serve m -tp ${TP:-${OTHER:-8}}", "tp=8"),
        ("vllm serve m -tp ${TP:-\"8\"}", "tp=8"),
        ("vllm serve m -tp ${TP:-$OTHER}", "tp=?"),
        ("vllm serve m -tp ${TP%x}", "tp=?"),
        ("vllm serve m -tp $(nvidia-smi -L | wc -l)", "tp=?"),
        ("vllm serve m -tp `nproc`", "tp=?"),
        ("vllm serve m -tp $((LWS_GROUP_SIZE*8))", "tp=?"),
        ("vllm serve m -tp $((2 * (1+3)))", "tp=8"),
        ("N=2; vllm serve m -tp $((N*4))", "tp=8"),
        ("N=2; vllm serve m -tp $(( $N * 4 ))", "tp=8"),
        ("vllm serve m -tp $((1/0))", "tp=?"),
        ("vllm serve m -tp {{ .Values.tp }}", "tp=?"),
        ("vllm serve m -tp <TP>", "tp=?"),
        ("if x; then vllm serve m -tp 8; else vllm serve m -tp 8 --enforce-eager; fi", "tp=8"),
        ("if x; then vllm serve m -tp 8; else vllm serve m -tp 4; fi", "tp=?"),
        ("case $1 in a) vllm serve m -tp 8 ;; b) sleep 1 ;; esac", "tp=8"),
        ("run() { vllm serve m -tp 8; }; run", "tp=8"),
        ("function run {\n vllm serve m -tp 8\n}\nrun", "tp=8"),
        ("[[ -n $A && $B < 3 ]] && vllm serve m -tp 8", "tp=8"),
        ("(cd /x; vllm serve m -tp 8)", "tp=8"),
        ("until curl -f x > /dev/null 2>&1; do sleep 2; done; vllm serve m -tp 8", "tp=8"),
        ("ray start --head; vllm serve m -tp 8", "tp=8"),
        ("if [ \"$I\" = 0 ]; then vllm serve m -tp 8; else ray start --block; fi", "tp=8"),
        ("nohup python3 -m vllm.entrypoints.openai.api_server -tp 8 &", "tp=8"),
        ("eval \"exec vllm serve m -tp 8\"", "tp=8"),
        ("bash -c 'vllm serve m -tp 8'", "tp=8"),
        ("A=\"--tensor-parallel-size 8\"; vllm serve m $A", "tp=8"),
        ("A=(--tensor-parallel-size 8); vllm serve m \"${A[@]}\"", "tp=8"),
        ("A=(-tp 4); A+=(-tp 8); vllm serve m \"${A[@]}\"", "tp=8"),
        ("A=\"-tp 4\"; A=\"$A -tp 8\"; vllm serve m $A", "tp=8"),
        ("python3 -m dynamo.frontend & vllm serve m -tp 8", "tp=8"),
        ("echo \"vllm serve x -tp 4\"; vllm serve m -tp 8", "tp=8"),
        ("vllm serve m $'-tp' 8", "tp=8"),
        ("x=1 y=2 vllm serve m -tp 8", "tp=8"),
    ] {
        vllm(Bench::image("").script(script), expect);
    }
}

#[test]
fn the_shell_may_be_spelled_in_many_ways() {
    let script = "vllm serve m -tp 8";
    for command in [
        &["/bin/bash", "-lc", script][..],
        &["bash", "-exc", script],
        &["sh", "-e", "-c", script],
        &["bash", "-euo", "pipefail", "-c", script],
        &["/bin/bash", "-lc", "--", script],
        &["/bin/bash", "--login", "-c", script],
        &["/usr/bin/env", "bash", "-c", script],
        &["sh", "-c", "exec \"$0\" \"$@\"", "vllm", "serve", "m", "-tp", "8"],
        &["bash", "-c", "vllm serve m $@", "--", "-tp", "8"],
        &["bash", "-c", "vllm serve m -tp $1", "x", "8"],
        &["bash", "-c", "M=$1; shift; vllm serve $M \"$@\"", "x", "m", "-tp", "8"],
    ] {
        let line = Bench::image("").command(command).line();
        let expect =
            if command.contains(&"exec \"$0\" \"$@\"") { "none" } else { "Vllm tp=8 pp=1* dp=1* cp=1*" };
        assert_eq!(line, expect, "{command:?}");
    }
    vllm(Bench::image("").command(&["/bin/bash"]).args(&["-c", script]), "tp=8");
    vllm(Bench::image("").args(&["bash", "-c", script]), "tp=8");
    // Kubernetes replaces its own references before the shell sees the script.
    let script = "TP=8; vllm serve m -tp $$TP --model $(NAME)";
    vllm(Bench::image("").command(&["sh", "-c", script]).env(&[("NAME", "x")]), "tp=8");
}

#[test]
fn an_unknown_list_of_arguments_leaves_open_what_is_not_given() {
    let open = "pp=? dp=? dpl=? cp=? ep=? ranks=? nodes=? rank=?";
    for (script, tp) in [
        ("vllm serve m $EXTRA_ARGS", "?"),
        ("vllm serve m -tp 8 $EXTRA_ARGS", "8"),
        ("vllm serve m -tp 8 ${VLLM_OPTS}", "8"),
        ("vllm serve m --trust-remote-code $MORE -tp 8", "8"),
        ("vllm serve m -tp 8 --host $EXTRA_ARGS", "8"),
        ("vllm serve m {{- if .x }} -tp 8 {{- end }}", "8"),
        ("A=(-tp 8); if x; then A+=(-pp 2); fi; vllm serve m \"${A[@]}\"", "8"),
        ("A='-tp 8'; if x; then A=\"$A -pp 2\"; fi; vllm serve m $A", "8"),
        ("vllm serve m -tp 8 --config /not/here.yaml", "8"),
    ] {
        check(Bench::image("").script(script), &format!("Vllm tp={tp} {open}"));
    }
    for script in ["vllm serve $MODEL -tp 8 --host $POD_IP", "vllm serve \"$MODEL\" -tp 8 --port ${PORT}"] {
        vllm(Bench::image("").script(script), "tp=8");
    }
    let hidden = Span::new(FileId(0), 0, 0);
    let bench =
        Bench::image("").command(&["vllm", "serve", "m"]).with(|c| c.args.push(Known::Unresolved(hidden)));
    check(bench, &format!("Vllm tp=? {open}"));
}

#[test]
fn a_launcher_out_of_sight_speaks_through_its_variables() {
    let image = "example.com/vllm-openai:vllm-0.24.0";
    let bench = || Bench::image(image).command(&["/bin/bash", "/opt/launch.sh"]);
    let vars = &[("TP_SIZE", "1"), ("PP_SIZE", "2"), ("NNODES", "2"), ("NODE_RANK", "0")];
    check(bench().env(vars), "Vllm Script tp=1 pp=2 dp=? dpl=? cp=? ep=? ranks=? nodes=2 rank=0");
    check(bench().with(|c| c.completed = true).env(vars), "Vllm Script tp=1 pp=2 nodes=2 rank=0");
    check(Bench::image("example.com/llama:1").command(&["/start.sh"]).env(&[("TP_SIZE", "8")]), "none");
    let unknown = Bench::image("example.com/llama:1").command(&["/start.sh"]).env(&[("TP_SIZE", "8")]);
    let line = unknown.with(|c| c.accelerators = true).line();
    assert!(line.starts_with("Other Script tp=8 pp=?"), "{line}");
    let args = Bench::image("example.com/llama:1").args(&["--model", "m", "--tensor-parallel-size=4"]);
    assert_eq!(args.line(), "none");
    let line = args.with(|c| c.accelerators = true).line();
    assert!(line.starts_with("Other Script tp=4 pp=?"), "{line}");
}

#[test]
fn engines_read_variables_of_their_own() {
    let tgi = "ghcr.io/huggingface/text-generation-inference:3.0";
    check(Bench::image(tgi).env(&[("NUM_SHARD", "4")]), "Tgi Image tp=4");
    check(Bench::image(tgi).env(&[("NUM_SHARD", "4")]).args(&["--num-shard", "2"]), "Tgi Image tp=2");
    check(Bench::image("").script("NUM_SHARD=2 text-generation-launcher"), "Tgi tp=2");
    let nim = "nvcr.io/nim/meta/llama-3.1-70b-instruct:1.8";
    check(
        Bench::image(nim).env(&[("NIM_TENSOR_PARALLEL_SIZE", "4"), ("NIM_PIPELINE_PARALLEL_SIZE", "2")]),
        "Nim Image tp=4 pp=2",
    );
    check(Bench::image(nim).env(&[("NIM_MODEL_PROFILE", "vllm-bf16-tp2-pp1")]), "Nim Image tp=2 pp=1");
    check(Bench::image(nim).env(&[("NIM_PASSTHROUGH_ARGS", "--tensor-parallel-size 2")]), "Nim Image tp=2");
    let more = &[("VLLM_ADDITIONAL_ARGS", "--trust-remote-code\n--tensor-parallel-size=8 --x '{\"a\": 1}'")];
    let llm_d = || Bench::image("ghcr.io/llm-d/llm-d-cuda:v0.9.0").env(more);
    check(llm_d(), "Vllm Image tp=8");
    check(llm_d().args(&["--tensor-parallel-size=4"]), "Vllm Image tp=4 pp=1* dp=1* cp=1*");
    check(Bench::image("ghcr.io/llm-d/llm-d-cuda:v0.9.0"), "none");
    check(Bench::image("ghcr.io/llm-d/llm-d-cuda:v0.9.0").with(|c| c.completed = true), "Vllm Image");
}

#[test]
fn configuration_files_and_scripts_are_found_through_mounts() {
    let yaml =
        "model: m\ntensor_parallel_size: 4\nmoe_tensor_parallel_size: 8\npipeline-parallel-size: 2 # two\n";
    let bench = |args: &[&str]| {
        Bench::image("")
            .command(&["vllm", "serve"])
            .args(args)
            .config_map("cfg", "c.yaml", yaml)
            .mount("/cfg", "cfg", None)
    };
    check(bench(&["--config", "/cfg/c.yaml"]), "Vllm tp=4 pp=2 dp=1* cp=1*");
    check(bench(&["--config=/cfg/c.yaml", "-tp", "8"]), "Vllm tp=8 pp=2 dp=1* cp=1*");
    let trtllm = |command: &[&str]| {
        Bench::image("")
            .command(command)
            .config_map(
                "engine",
                "prefill.yaml",
                "tensor_parallel_size: 8\nkv_cache_config:\n  free_gpu_memory_fraction: 0.80\n",
            )
            .mount("/workspace/engine_configs", "engine", None)
    };
    let file = "/workspace/engine_configs/prefill.yaml";
    check(
        trtllm(&[
            "python3",
            "-m",
            "dynamo.trtllm",
            "--extra-engine-args",
            file,
            "--disaggregation-mode",
            "prefill",
        ]),
        "TensorRtLlm Dynamo tp=8 pp=1* cp=1* role=Prefill",
    );
    // The file of TensorRT-LLM overwrites its command line, and an override the file.
    check(
        trtllm(&["trtllm-serve", "m", "--tp_size", "2", "--extra_llm_api_options", file]),
        "TensorRtLlm tp=8 pp=1* cp=1*",
    );
    check(
        trtllm(&[
            "python3",
            "-m",
            "dynamo.trtllm",
            "--extra-engine-args",
            file,
            "--override-engine-args",
            "{\"tensor_parallel_size\": 4}",
        ]),
        "TensorRtLlm Dynamo tp=4 pp=1* cp=1*",
    );
    let script = "export A=1\nvllm serve m --tensor-parallel-size $1\n";
    let image = "quay.io/ascend/vllm-ascend:v0.13.0rc3-a3";
    vllm(
        Bench::image(image)
            .command(&["/bin/bash"])
            .args(&["-c", "cd /workspace && ./run.sh 8"])
            .config_map("scripts", "run.sh", script)
            .mount("/workspace/run.sh", "scripts", Some("run.sh")),
        "tp=8",
    );
    vllm(
        Bench::image(image)
            .command(&["bash", "/s/run.sh", "8"])
            .config_map("s", "run.sh", script)
            .mount("/s", "s", None),
        "tp=8",
    );
    check(
        Bench::image("").command(&["python3", "-m", "dynamo.vllm"]).config_map("cfg", "c.yaml", yaml),
        "Vllm Dynamo tp=1* pp=1* dp=1* cp=1*",
    );
}

#[test]
fn roles_are_read_from_flags() {
    let kv = |json: &str| format!("vllm serve m --kv-transfer-config '{json}'");
    for (script, expect) in [
        ("vllm serve m --disaggregation-mode prefill".to_owned(), "role=Prefill"),
        ("vllm serve m --disaggregation-mode=decode".to_owned(), "role=Decode"),
        ("vllm serve m --disaggregation-mode encode".to_owned(), "role=Encode"),
        ("vllm serve m --disaggregation-mode null".to_owned(), "role=Aggregated"),
        ("vllm serve m --disaggregation-mode $MODE".to_owned(), "role=?"),
        ("vllm serve m --disaggregation-mode sideways".to_owned(), "role=!"),
        ("vllm serve m --is-prefill-worker".to_owned(), "role=Prefill"),
        ("vllm serve m --is-decode-worker".to_owned(), "role=Decode"),
        ("vllm serve m --server_role CONTEXT".to_owned(), "role=Prefill"),
        ("vllm serve m --server_role generation".to_owned(), "role=Decode"),
        (kv("{\"kv_connector\":\"NixlConnector\",\"kv_role\":\"kv_producer\"}"), "role=Prefill"),
        (kv("{\"kv_connector\": \"X\",\n \"kv_role\": \"kv_consumer\",\n \"x\": {\"kv_role\": \"kv_producer\"}}"), "role=Decode"),
        (kv("{\"kv_role\":\"kv_both\"}"), ""),
        (kv("{\"kv_connector_extra_config\":{\"connectors\":[{\"kv_role\":\"kv_producer\"}]},\"kv_role\":\"kv_both\"}"), ""),
        (kv("{\"engine_id\": \"$ID\", \"kv_role\": \"kv_producer\"}"), "role=Prefill"),
        (kv("{\"kv_role\": \"{{ .Values.role }}\"}"), "role=?"),
        ("vllm serve m --kv-transfer-config \"{\\\"kv_role\\\": \\\"kv_producer\\\", \\\"id\\\": \\\"$ID\\\"}\"".to_owned(), "role=Prefill"),
        ("vllm serve m --kv-transfer-config $KV".to_owned(), "role=?"),
        ("vllm serve m --kv-transfer-config.kv_role=kv_producer".to_owned(), "role=Prefill"),
        ("vllm serve m --kv-transfer-config.kv_role kv_consumer".to_owned(), "role=Decode"),
        ("vllm serve m --disaggregation-mode decode --kv-transfer-config '{\"kv_role\":\"kv_producer\"}'".to_owned(), "role=Decode"),
        ("if x; then vllm serve m --disaggregation-mode decode; else vllm serve m --disaggregation-mode prefill; fi".to_owned(), "role=?"),
        ("vllm serve m".to_owned(), ""),
    ] {
        let expect = format!("Vllm tp=1* {REST} {expect}");
        assert_eq!(Bench::image("").script(&script).line(), expect.trim_end(), "{script}");
    }
    let bench = Bench::image("").script("vllm serve m").env(&[("ROLE", "prefill")]);
    check(bench, &format!("Vllm tp=1* {REST} role=Prefill"));
    check(Bench::image("").script("vllm serve m").env(&[("ROLE", "both")]), &format!("Vllm tp=1* {REST}"));
    check(
        Bench::image("").command(&["xllm", "--model=m", "--instance_role=PREFILL", "--nnodes=1"]),
        "Xllm nodes=1 role=Prefill",
    );
}

#[test]
fn the_memory_taken_at_start_is_read() {
    for (command, expect) in [
        ("vllm serve m --gpu-memory-utilization 0.95", "--gpu-memory-utilization 0.95"),
        ("vllm serve m --gpu_memory_utilization=0.85", "--gpu-memory-utilization 0.85"),
        ("vllm serve m", "--gpu-memory-utilization 0.9*"),
        ("vllm serve m $EXTRA_ARGS", "--gpu-memory-utilization ?"),
        ("vllm serve m --gpu-memory-utilization 90", "--gpu-memory-utilization !"),
        ("python3 -m sglang.launch_server --mem-fraction-static 0.8", "--mem-fraction-static 0.8"),
        ("python3 -m sglang.launch_server", "--mem-fraction-static -"),
        ("trtllm-serve m --free_gpu_memory_fraction 0.8", "--free-gpu-memory-fraction 0.8"),
        ("trtllm-serve m --kv_cache_free_gpu_memory_fraction 0.7", "--kv-cache-free-gpu-memory-fraction 0.7"),
        ("trtllm-serve m", "--free_gpu_memory_fraction 0.9*"),
        ("text-generation-launcher --cuda-memory-fraction 0.5", "--cuda-memory-fraction 0.5"),
        ("CUDA_MEMORY_FRACTION=0.6 text-generation-launcher", "CUDA_MEMORY_FRACTION 0.6"),
        ("lmdeploy serve api_server m --cache-max-entry-count 0.4", "--cache-max-entry-count 0.4"),
        ("lmdeploy serve api_server m", "--cache-max-entry-count 0.8*"),
    ] {
        let engine = Bench::image("").script(command).read().unwrap();
        let share = match engine.memory.fraction {
            Known::Set(share, _) => share.to_string(),
            Known::Default(share, _) => format!("{share}*"),
            Known::Unresolved(_) => "?".to_owned(),
            Known::Invalid(..) => "!".to_owned(),
            Known::Absent => "-".to_owned(),
        };
        assert_eq!(format!("{} {share}", engine.memory.flag), expect, "{command}");
    }
}

#[test]
fn the_model_is_read() {
    for (script, expect) in [
        ("vllm serve org/m --port 1", Some("org/m")),
        ("vllm serve --model org/m", Some("org/m")),
        ("vllm serve --port 1 --model=org/m", Some("org/m")),
        ("python3 -m sglang.launch_server --model-path org/m", Some("org/m")),
        ("text-generation-launcher --model-id org/m", Some("org/m")),
        ("MODEL_ID=org/m text-generation-launcher", Some("org/m")),
        ("trtllm-serve org/m", Some("org/m")),
        ("M=org/m; vllm serve $M", Some("org/m")),
        ("vllm serve $M", None),
    ] {
        let engine = Bench::image("").script(script).read().unwrap();
        assert_eq!(engine.model.value().map(String::as_str), expect, "{script}");
    }
}

#[test]
fn a_span_shows_what_says_the_value() {
    let tp = |bench: Bench, expect: &str| {
        let engine = bench.read().unwrap();
        let span = engine.tensor_parallel.span().unwrap();
        assert_eq!(&bench.file[span.range()], expect, "{}", bench.file);
    };
    let serve = |args: &[&str]| Bench::image("").command(&["vllm", "serve", "m"]).args(args);
    tp(serve(&["--tensor-parallel-size=8"]), "--tensor-parallel-size=8");
    tp(serve(&["--tensor-parallel-size", "8"]), "8");
    tp(serve(&["--tensor-parallel-size 8"]), "--tensor-parallel-size 8");
    tp(serve(&["--tensor-parallel-size=$(TP)"]).env(&[("TP", "8")]), "--tensor-parallel-size=$(TP)");
    tp(serve(&["--tensor-parallel-size=é{{ x }}"]), "--tensor-parallel-size=é{{ x }}");
    tp(serve(&[]), "vllm");
    tp(
        Bench::image("").command(&["python3", "-m", "vllm.entrypoints.api_server"]),
        "vllm.entrypoints.api_server",
    );
    tp(Bench::image("").script("é; vllm serve m --tensor-parallel-size 8 -x"), "8");
    tp(Bench::image("").script("vllm serve m --tensor-parallel-size=\"8\""), "--tensor-parallel-size=\"8");
    tp(Bench::image("").script("TP=8; vllm serve m -tp $TP"), "$TP");
    tp(Bench::image("").script("vllm serve m -tp ${TP:-8} -x"), "8");
    tp(Bench::image("").script("vllm serve m -tp $((2*4)) -x"), "$((2*4))");
    tp(Bench::image("").script("vllm serve m -tp $(nproc) -x"), "$(nproc)");
    tp(Bench::image("").script("vllm serve m $EXTRA_ARGS -x"), "$EXTRA_ARGS");
    tp(Bench::image("").script("A='--tensor-parallel-size=8'; vllm serve m $A"), "--tensor-parallel-size=8");
    tp(
        Bench::image("")
            .script("vllm serve m $EXTRA_ARGS")
            .env(&[("EXTRA_ARGS", "--x 1 --tensor-parallel-size=8")]),
        "--tensor-parallel-size=8",
    );
    tp(
        Bench::image("ghcr.io/llm-d/llm-d-cuda:v0.9.0")
            .env(&[("VLLM_ADDITIONAL_ARGS", "--x --tensor-parallel-size 8 -y")]),
        "8",
    );
    tp(Bench::image("ghcr.io/huggingface/text-generation-inference").env(&[("NUM_SHARD", "4")]), "4");
    tp(
        Bench::image("")
            .command(&["vllm", "serve", "--config", "/c/x.yaml"])
            .config_map("c", "x.yaml", "a: 1\ntensor_parallel_size: 8  # all\n")
            .mount("/c", "c", None),
        "tensor_parallel_size: 8",
    );
    tp(Bench::image("vllm/vllm-openai:latest").command(&["bash", "/launch.sh"]), "/launch.sh");
}

#[test]
fn flags_keep_their_names_and_places() {
    let bench =
        Bench::image("").script("python3 -m sglang.launch_server --enable_metrics --port=8000 --x 'a b'");
    let engine = bench.read().unwrap();
    let flags: Vec<String> = engine
        .flags
        .iter()
        .map(|flag| {
            let value = flag.value.set().map(|text| format!("={}", text.value)).unwrap_or_default();
            format!("{}{value} at {}", flag.name, &bench.file[flag.span.range()])
        })
        .collect();
    assert_eq!(flags, ["--enable-metrics at --enable_metrics", "--port=8000 at --port", "--x=a b at --x"]);
    assert!(engine.flag("--enable-metrics").is_some());
    assert!(engine.flag("--enable-lora").is_none());
    let port = engine.flag("--port").and_then(|flag| flag.value.set()).unwrap();
    assert_eq!(&bench.file[port.slice(0..4).range()], "8000");
}

#[test]
fn a_family_that_the_object_states_is_read_with_it() {
    let at = Span::new(FileId(0), 0, 0);
    let read = |bench: &Bench| read_as(Family::Vllm, Some(Runtime::Dynamo), at, &bench.container, bench);
    let silent = read(&Bench::image("example.com/x:1")).unwrap();
    assert_eq!((silent.family, silent.runtime), (Family::Vllm, Some(Runtime::Dynamo)));
    assert_eq!(silent.tensor_parallel, Known::Absent);
    let args = read(&Bench::image("example.com/x:1").args(&["--tensor-parallel-size", "2"])).unwrap();
    assert_eq!(args.tensor_parallel.value(), Some(&2));
    assert!(read(&Bench::image("example.com/x:1").command(&["python3", "-m", "dynamo.frontend"])).is_none());
    let own = read(&Bench::image("x").command(&["python3", "-m", "sglang.launch_server"])).unwrap();
    assert_eq!(own.family, Family::Sglang);
}

#[test]
fn a_hostile_script_ends() {
    let doubling = format!("A=xxxxxxxx; {} vllm serve $A", "A=$A$A$A$A; ".repeat(40));
    vllm(Bench::image("").script(&doubling), "tp=1*");
    let nested = format!("vllm serve m -tp {}8{}", "${A:-".repeat(5000), "}".repeat(5000));
    vllm(Bench::image("").script(&nested), "tp=?");
    let evals = format!("{} vllm serve m", "eval ".repeat(5000));
    check(Bench::image("").script(&evals), "none");
    let parens = format!("vllm serve m -tp $(({}1{}))", "(".repeat(5000), ")".repeat(5000));
    vllm(Bench::image("").script(&parens), "tp=?");
    let open = "$(".repeat(20_000);
    check(Bench::image("").script(&open), "none");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// Pieces of command lines, so that random lines are not all noise.
    fn piece() -> impl Strategy<Value = String> {
        const WORDS: &[&str] = &[
            "vllm serve m",
            "--tensor-parallel-size",
            "-tp",
            "=",
            "8",
            "$TP",
            "${TP:-8}",
            "${TP",
            "$(TP)",
            "$((TP*2))",
            "\"",
            "'",
            "\\",
            "\\\n",
            "\n",
            ";",
            "&&",
            "||",
            "|",
            "&",
            "(",
            ")",
            "{",
            "}",
            "{{",
            "}}",
            "if",
            "then",
            "fi",
            "case x in",
            "esac",
            ";;",
            "<<EOF",
            "EOF",
            "<",
            ">",
            "<TP>",
            "#",
            "TP=8",
            "A+=(",
            "eval",
            "exec",
            "export",
            "bash -c",
            "$@",
            "`",
            "é",
            "😀",
            "\u{fffc}",
            "[[",
            "]]",
            " ",
            "--kv-transfer-config",
            "{\"kv_role\":",
            "[",
            "key: value",
            "- x",
            "  a: {b: 1}",
            "python3 -m",
            "ray start",
            "/x.sh",
            "--config",
            "/c/x.yaml",
        ];
        prop_oneof![
            proptest::sample::select(WORDS).prop_map(str::to_owned),
            any::<String>(),
            Just(" ".to_owned())
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        proptest::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
    }

    fn spans(engine: &Engine) -> Vec<Span> {
        let mut spans = vec![Some(engine.found_at)];
        for known in [
            &engine.tensor_parallel,
            &engine.pipeline_parallel,
            &engine.data_parallel,
            &engine.data_parallel_local,
            &engine.context_parallel,
            &engine.expert_parallel,
            &engine.ranks,
            &engine.nodes,
            &engine.node_rank,
            &engine.world_size(),
        ] {
            spans.push(known.span());
        }
        spans.extend([
            engine.role.span(),
            engine.memory.fraction.span(),
            engine.model.span(),
            engine.version.span(),
        ]);
        for flag in &engine.flags {
            spans.extend([Some(flag.span), flag.value.span(), flag.value.set().map(Text::span)]);
        }
        spans.into_iter().flatten().collect()
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_span_fits(
            image in prop_oneof![Just("vllm/vllm-openai:v0.9".to_owned()), any::<String>()],
            script in line(),
            arg in line(),
            value in line(),
            config in line(),
            shell in any::<bool>(),
        ) {
            let bench = Bench::image(&image);
            let bench = if shell { bench.script(&script) } else { bench.args(&[&script]) };
            let bench = bench
                .args(&[&arg])
                .env(&[("TP", &value), ("VLLM_EXTRA_ARGS", &value)])
                .config_map("c", "x.yaml", &config)
                .mount("/c", "c", None)
                .mount("/x.sh", "c", Some("x.yaml"));
            for engine in [bench.read(), read_as(Family::Sglang, None, Span::new(FileId(0), 0, 0), &bench.container, &bench)] {
                for span in engine.iter().flat_map(spans) {
                    prop_assert!(bench.file.get(span.range()).is_some(), "{span:?}");
                }
            }
        }

        #[test]
        fn any_configuration_is_read_and_every_span_fits(config in line()) {
            let span = Span::new(FileId(0), 0, config.len());
            for setting in read_config(&Text::verbatim(config.clone(), span)) {
                prop_assert!(config.get(setting.span.range()).is_some());
                if let Some(text) = setting.value.set() {
                    prop_assert_eq!(config.get(text.span().range()), Some(text.value.as_str()));
                }
            }
        }
    }
}
