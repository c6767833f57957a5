//! Which containers are engines, and of which family.

use super::*;

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
    let unknown = "Vllm Script tp=? pp=? dp=? dpl=? cp=? ep=? ranks=? nodes=? rank=?";
    check(Bench::image(image).command(&["{{ .Values.command }}"]), unknown);
    check(Bench::image(image).command(&["/app/start-engine"]), unknown);
    check(Bench::image(image).command(&["python3", "/app/serve.py"]), unknown);
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
    assert!(line.starts_with("Other Image tp=4 pp=?"), "{line}");
}

#[test]
fn an_image_out_of_sight_speaks_through_its_variables() {
    let bench =
        |image: &str, vars: &[(&str, &str)]| Bench::image(image).env(vars).with(|c| c.accelerators = true);
    let degrees = &[("TENSOR_PARALLEL_SIZE", "2"), ("PIPELINE_PARALLEL_SIZE", "1")][..];
    let line = bench("example.com/llm-inference:1", degrees).line();
    assert!(line.starts_with("Other Image tp=2 pp=1"), "{line}");
    assert_eq!(Bench::image("example.com/llm-inference:1").env(degrees).line(), "none");
    let line = bench("vllm/vllm:latest-gpu", degrees).line();
    assert!(line.starts_with("Vllm Image tp=2 pp=1"), "{line}");
    assert_eq!(bench("example.com/llm-inference:1", &[("TP_SIZE", "2")]).line(), "none");
    // Variables of text-generation-inference behind an image name that says nothing.
    let shards = &[("NUM_SHARD", "8"), ("MAX_TOTAL_TOKENS", "16384")][..];
    check(bench("example.com/enterprise-inference-llama", shards), "Tgi Image tp=8");
    assert_eq!(bench("example.com/database", &[("NUM_SHARD", "8")]).line(), "none");
    assert_eq!(Bench::image("example.com/enterprise-inference-llama").env(shards).line(), "none");
    let rtp = ["python3", "-m", "rtp_llm.start_server", "--tp_size", "8"];
    let line = bench("example.com/rtp_llm:1", &[]).command(&rtp).line();
    assert!(line.starts_with("Other Script tp=8"), "{line}");
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
