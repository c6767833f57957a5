//! Command lines: spellings of flags, variables, shells.

use super::*;

#[test]
fn every_spelling_of_a_degree_is_read() {
    for (args, expect) in [
        (&["--tensor-parallel-size=8"][..], "tp=8"),
        (&["--tensor-parallel-size", "8"], "tp=8"),
        (&["--tensor-parallel-size 8"], "tp=8"),
        (&["--tensor_parallel_size=8"], "tp=8"),
        (&["--tensor_parallel_size", "8"], "tp=8"),
        (&["--tensor-parallel", "8"], "tp=8"),
        (&["--tensor", "8"], "tp=8"),
        (&["--data-parallel", "8"], "tp=1*"),
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
    vllm(
        Bench::image("").script("vllm serve m -tp $((LWS_GROUP_SIZE*8))").env(&[("LWS_GROUP_SIZE", "2")]),
        "tp=16",
    );
    vllm(Bench::image("").script("vllm serve m -tp ${TP:-2}").env(&[("TP", "8")]), "tp=8");
    vllm(Bench::image("").script("vllm serve m -tp ${TP:-2}").secret("TP"), "tp=?");
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
        assert_eq!(line, "Vllm tp=8 pp=1* dp=1* cp=1*", "{command:?}");
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
