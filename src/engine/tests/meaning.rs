//! What flags, variables and files mean: roles, memory, the model, and the bytes that say so.

use super::*;

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
    check(
        trtllm(&["python3", "-m", "dynamo.trtllm", "--override-engine-args", "$(OVERRIDE)"]),
        "TensorRtLlm Dynamo tp=? pp=? dp=? dpl=? cp=? ep=? ranks=? nodes=? rank=?",
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
        assert_eq!(bench.shown(span), expect, "{}", bench.file);
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
            format!("{}{value} at {}", flag.name, bench.shown(flag.span))
        })
        .collect();
    assert_eq!(flags, ["--enable-metrics at --enable_metrics", "--port=8000 at --port", "--x=a b at --x"]);
    assert!(engine.flag("--enable-metrics").is_some());
    assert!(engine.flag("--enable-lora").is_none());
    let port = engine.flag("--port").and_then(|flag| flag.value.set()).unwrap();
    assert_eq!(bench.shown(port.slice(0..4)), "8000");
}
