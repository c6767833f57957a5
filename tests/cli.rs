//! The program as users run it: commands, exit codes, standard input, colours, errors.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::{fixture, root};

/// A pool with one error: the rest of it follows the plan.
const POOL: &str = "\
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: gpu
spec:
  limits: {nvidia.com/gpu: 64}
  template:
    spec:
      expireAfter: Never
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}
      taints:
        - {key: nvidia.com/gpu, effect: NoSchedule}
      requirements:
        - {key: node.kubernetes.io/instance-type, operator: In, values: [p5.48xlarge]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
  disruption:
    consolidationPolicy: WhenEmptyOrUnderutilized
    consolidateAfter: 1h
";

/// The same pool with a warning instead of the error.
fn warned() -> String {
    POOL.replace("WhenEmptyOrUnderutilized", "WhenEmpty")
        .replace("consolidateAfter: 1h", "consolidateAfter: 1m")
}

/// How the program ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpulint"));
    command.args(args).current_dir(folder);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "GITHUB_ACTIONS"] {
        command.env_remove(name);
    }
    command
}

fn ran(output: Output) -> Ran {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().expect("no signal"), out: text(output.stdout), err: text(output.stderr) }
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    ran(command(folder, args).output().unwrap())
}

fn run_with(folder: &Path, args: &[&str], input: &[u8]) -> Ran {
    let mut command = command(folder, args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    ran(child.wait_with_output().unwrap())
}

/// A folder with these files in it. It is a repository of its own, so that no configuration around it is found.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Runs in a folder with `pool.yaml` and checks how it ends and what it says on each stream.
#[track_caller]
fn check(text: &str, args: &[&str], code: i32, out: &str, err: &str) {
    let folder = folder(&[("pool.yaml", text)]);
    let ran = run(folder.path(), args);
    assert_eq!(ran.code, code, "{args:?}\n{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains(out), "{args:?}: no {out:?} in\n{}", ran.out);
    assert!(ran.err.contains(err), "{args:?}: no {err:?} in\n{}", ran.err);
    assert!(!err.is_empty() || ran.err.is_empty(), "{args:?}: {}", ran.err);
}

#[test]
fn exit_codes() {
    let error = "error[gpu-pool-consolidation]";
    let warning = "warning[gpu-pool-consolidate-after]";
    let warned = warned();
    check(POOL, &["-f", "concise"], 1, error, "");
    check(POOL, &["check", "-f", "concise", "."], 1, error, "");
    check(POOL, &["-f", "concise", "pool.yaml"], 1, error, "");
    check(&warned, &["-f", "concise"], 0, warning, "");
    check(&warned, &["-f", "concise", "--fail-on", "warning"], 1, warning, "");
    check(&warned, &["-f", "concise", "--fail-on", "info"], 1, warning, "");
    check(&warned, &["-f", "concise", "--fail-on", "error"], 0, warning, "");
    check(&warned, &["-f", "concise", "--profile", "strict"], 1, "error[gpu-pool-consolidate-after]", "");
    check(&warned, &["-f", "concise", "--profile", "default"], 0, warning, "");
    check("a: 1\n", &[], 0, "", "");
    check("a: 1\n", &["--require-input"], 3, "", "");
    check(POOL, &["--require-input", "-f", "concise"], 1, error, "");
    check(&warned, &["--require-input", "-f", "concise"], 0, warning, "");
    check(POOL, &["--no-such-option"], 2, "", "unexpected argument '--no-such-option'");
    check(POOL, &["--fail-on", "never"], 2, "", "invalid value 'never'");
    check(POOL, &["-f", "xml"], 2, "", "possible values: full, concise, json");
    check(POOL, &["-f", "json", "-f", "sarif"], 2, "", "give each format its own --output");
    check(POOL, &["-o", "a", "-o", "b"], 2, "", "more --output files than --format values");
    check(POOL, &["--config", "no.yaml"], 2, "", "no.yaml: cannot read the configuration");
    check(POOL, &["--config", "a", "--no-config"], 2, "", "cannot be used with");
}

/// Every format says the same by its exit code.
#[test]
fn exit_codes_are_the_same_for_every_format() {
    for format in gpulint::report::Format::ALL {
        let folder = folder(&[("pool.yaml", POOL), ("clean/a.yaml", "a: 1\n")]);
        let args = ["-f", format.word()];
        assert_eq!(run(folder.path(), &args).code, 1, "{format}");
        assert_eq!(run(&folder.path().join("clean"), &args).code, 0, "{format}");
    }
}

#[test]
fn help_is_complete() {
    let ran = run(&root(), &["--help"]);
    assert_eq!(ran.code, 0);
    for text in [
        "Usage: gpulint [OPTIONS] [PATH]...",
        "Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or configuration,",
        "helm template . | gpulint -",
    ] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
    let commands: Vec<&str> = ran
        .out
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        commands,
        ["check", "explain", "rules", "facts", "schema", "init", "completions", "man", "help"]
    );
    for command in commands.iter().filter(|command| **command != "help") {
        let ran = run(&root(), &[command, "--help"]);
        assert_eq!(ran.code, 0, "{command}");
        assert!(ran.out.contains(&format!("Usage: gpulint {command}")), "{}", ran.out);
        // Every option says what it does.
        for line in ran.out.lines().filter(|line| line.trim_start().starts_with("--")) {
            assert!(!line.ends_with(':'), "{command}: {line}");
        }
        assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{command}: a line is too long");
    }
    let version = run(&root(), &["--version"]);
    assert_eq!((version.code, version.out.trim()), (0, concat!("gpulint ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn commands() {
    let rules = run(&root(), &["rules"]);
    assert_eq!(rules.code, 0);
    for rule in gpulint::rules::RULES {
        assert!(rules.out.lines().any(|line| line.starts_with(&format!("{} ", rule.id))), "{}", rule.id);
        let page = run(&root(), &["explain", rule.id]);
        assert_eq!(page.code, 0, "{}", rule.id);
        assert!(page.out.contains("Why") && page.out.contains(rule.id), "{}", page.out);
    }
    let list: Value = serde_json::from_str(&run(&root(), &["rules", "-f", "json"]).out).unwrap();
    assert_eq!(list["version"], 1);
    assert_eq!(list["rules"].as_array().unwrap().len(), gpulint::rules::RULES.len());
    for what in ["report", "config"] {
        let schema = run(&root(), &["schema", what]);
        let schema: Value = serde_json::from_str(&schema.out).unwrap();
        assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{what}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(&root(), &["completions", shell]).out.contains("gpulint"), "{shell}");
    }
    assert!(run(&root(), &["man"]).out.starts_with(".ie"));
    let facts = run(&fixture("clean"), &["facts"]);
    assert_eq!(facts.code, 0);
    assert!(facts.out.contains("LeaderWorkerSet/llama-405b"), "{}", facts.out);
    let facts = run(&fixture("clean"), &["facts", "-f", "json"]);
    serde_json::from_str::<Value>(&facts.out).unwrap();
}

#[test]
fn a_misspelt_rule_is_recognized() {
    let ran = run(&root(), &["explain", "gang-mising"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("there is no rule `gang-mising`; did you mean `gang-missing`?"), "{}", ran.err);
    let ran = run(&root(), &["explain", "something-else-entirely"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`gpulint rules` lists all"), "{}", ran.err);
}

#[test]
fn standard_input() {
    let empty = folder(&[]);
    let ran = run_with(empty.path(), &["-f", "concise", "-"], POOL.as_bytes());
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("stdin.yaml:17:26: error[gpu-pool-consolidation]"), "{}", ran.out);
    let args = ["-f", "concise", "--stdin-filename", "deploy/pool.yaml", "-"];
    let ran = run_with(empty.path(), &args, POOL.as_bytes());
    assert!(ran.out.starts_with("deploy/pool.yaml:17:26: error"), "{}", ran.out);
    let ran = run_with(empty.path(), &["-f", "concise", "-"], b"");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let ran = run_with(empty.path(), &["-f", "concise", "--require-input", "-"], b"");
    assert_eq!(ran.code, 3);
    let ran = run_with(empty.path(), &["-f", "concise", "-"], b"vllm: [\n");
    assert!(ran.out.contains("stdin.yaml:") && ran.out.contains("not valid YAML"), "{}", ran.out);

    // Standard input and files are one repository: the recording rule of one names the metric of the other.
    let renamed = folder(&[]);
    let read = |name: &str| fs::read_to_string(fixture("renamed-metric").join(name)).unwrap();
    fs::write(renamed.path().join("rules.yaml"), read("monitoring/rules.yaml")).unwrap();
    fs::write(renamed.path().join("adapter.yaml"), read("monitoring/prometheus-adapter.yaml")).unwrap();
    let ran = run_with(renamed.path(), &["-f", "concise", "-", "."], read("serving/hpa.yaml").as_bytes());
    assert!(ran.out.contains("stdin.yaml:18:17: error[scale-on-gpu-utilization]"), "{}", ran.out);
    let ran = run_with(renamed.path(), &["-f", "concise", "-"], read("serving/hpa.yaml").as_bytes());
    assert!(!ran.out.contains("error["), "{}", ran.out);
}

#[test]
fn colours() {
    let folder = folder(&[("pool.yaml", POOL)]);
    let coloured = |args: &[&str], env: &[(&str, &str)]| {
        let out = command(folder.path(), args).envs(env.iter().copied()).output().unwrap();
        ran(out).out.contains('\u{1b}')
    };
    for format in ["full", "concise"] {
        let args = |more: &[&'static str]| [&["-f", format], more].concat();
        assert!(!coloured(&args(&[]), &[]), "{format}: a pipe has no colours");
        assert!(coloured(&args(&["--color", "always"]), &[]), "{format}");
        assert!(coloured(&args(&["--color", "always"]), &[("NO_COLOR", "1")]), "{format}: the option wins");
        assert!(!coloured(&args(&["--color", "never"]), &[("CLICOLOR_FORCE", "1")]), "{format}");
        assert!(coloured(&args(&[]), &[("CLICOLOR_FORCE", "1")]), "{format}");
        assert!(!coloured(&args(&[]), &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "{format}");
    }
    assert!(!coloured(&["-f", "json", "--color", "always"], &[]), "JSON has no colours");
    assert!(coloured(&["explain", "gang-missing", "--color", "always"], &[]));
    // A report in a file has no colours either.
    run(folder.path(), &["-f", "full", "-o", "report.txt", "--color", "always"]);
    assert!(!fs::read_to_string(folder.path().join("report.txt")).unwrap().contains('\u{1b}'));
}

#[test]
fn configuration() {
    let with =
        |config: &str| folder(&[("pool.yaml", POOL), ("gpulint.yaml", config), ("deep/a.yaml", "a: 1\n")]);
    let off = with("rules:\n  gpu-pool-consolidation: {severity: off}\n");
    assert_eq!(run(off.path(), &["-f", "concise"]).code, 0);
    assert_eq!(run(off.path(), &["-f", "concise", "--no-config"]).code, 1);
    // The nearest configuration above counts.
    assert_eq!(run(&off.path().join("deep"), &["-f", "concise", ".."]).code, 0);
    let shown = run(off.path(), &["--show-config"]);
    assert_eq!(shown.code, 0);
    assert!(shown.out.contains("gpu-pool-consolidation"), "{}", shown.out);

    let wrong = with("rules:\n  gpu-pool-consolidatio: {severity: off}\nprofil: strict\n");
    let ran = run(wrong.path(), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for text in [
        "gpulint.yaml:2:3: there is no rule `gpu-pool-consolidatio` (did you mean `gpu-pool-consolidation`?)",
        "gpulint.yaml:3:1: ",
        "did you mean `profile`?",
    ] {
        assert!(ran.err.contains(text), "no {text:?} in\n{}", ran.err);
    }
    let broken = with("rules: [\n");
    let ran = run(broken.path(), &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("gpulint.yaml:1:8: not valid YAML"), "{}", ran.err);

    // What `init` writes is read without a complaint.
    let fresh = folder(&[("pool.yaml", POOL)]);
    let ran = run(fresh.path(), &["init"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert_eq!(run(fresh.path(), &["-f", "concise"]).code, 1);
    let again = run(fresh.path(), &["init"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("gpulint.yaml exists; --force overwrites it"), "{}", again.err);
    assert_eq!(run(fresh.path(), &["init", "--force"]).code, 0);
    let printed = run(fresh.path(), &["init", "-"]);
    assert_eq!(printed.out, fs::read_to_string(fresh.path().join("gpulint.yaml")).unwrap());
}

/// Keys of an object in order.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The JSON report is a contract: keys are only ever added within a version.
#[test]
fn the_json_report() {
    let ran = run(&fixture("renamed-metric"), &["-f", "json", "--no-config"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["tool"]["name"], "gpulint");
    assert_eq!(keys(&report), ["version", "tool", "diagnostics", "skipped", "summary"]);
    assert_eq!(keys(&report["summary"]), ["files", "documents", "objects", "errors", "warnings", "infos"]);
    let diagnostics = report["diagnostics"].as_array().unwrap();
    let found = diagnostics
        .iter()
        .find(|d| d["rule"] == "scale-on-gpu-utilization" && d["severity"] == "error")
        .expect("the end of the chain");
    assert_eq!(
        keys(found),
        [
            "rule",
            "severity",
            "message",
            "help",
            "url",
            "file",
            "document",
            "line",
            "column",
            "end_line",
            "end_column",
            "byte_start",
            "byte_end",
            "object",
            "labels",
            "fixes",
            "fingerprint",
        ]
    );
    assert_eq!(keys(&found["object"]), ["api_version", "kind", "namespace", "name"]);
    assert_eq!(found["file"], "serving/hpa.yaml");
    assert_eq!((found["line"].as_u64(), found["column"].as_u64()), (Some(18), Some(17)));
    let text = fs::read_to_string(fixture("renamed-metric").join("serving/hpa.yaml")).unwrap();
    let offset = |key: &str| usize::try_from(found[key].as_u64().unwrap()).unwrap();
    assert_eq!(text.get(offset("byte_start")..offset("byte_end")), Some("llm_load"));
    let labels: Vec<&str> =
        found["labels"].as_array().unwrap().iter().map(|label| label["file"].as_str().unwrap()).collect();
    assert_eq!(labels, ["monitoring/prometheus-adapter.yaml", "monitoring/rules.yaml"]);
    assert_eq!(keys(&found["labels"][0]), ["file", "line", "column", "end_line", "end_column", "message"]);
    let skipped: Value =
        serde_json::from_str(&run(&fixture("broken-beside-good"), &["-f", "json", "--no-config"]).out)
            .unwrap();
    let skipped = skipped["skipped"].as_array().unwrap();
    assert!(skipped.iter().all(|input| keys(input).starts_with(&["file", "reason"])), "{skipped:?}");
    assert!(skipped.iter().any(|input| input["file"] == "latin-1.yaml"));
}

/// Offsets count the bytes on disk, also in UTF-16.
#[test]
fn offsets_are_those_on_disk() {
    let ran = run(&fixture("utf16"), &["-f", "json", "--no-config"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    for (file, little) in [("little.yaml", true), ("big.yaml", false)] {
        let bytes = fs::read(fixture("utf16").join(file)).unwrap();
        let found = report["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .find(|d| d["file"] == file && d["rule"] == "gpu-pool-consolidation")
            .expect(file);
        let offset = |key: &str| usize::try_from(found[key].as_u64().unwrap()).unwrap();
        let units = bytes[offset("byte_start")..offset("byte_end")].chunks_exact(2).map(|pair| {
            if little {
                u16::from_le_bytes([pair[0], pair[1]])
            } else {
                u16::from_be_bytes([pair[0], pair[1]])
            }
        });
        assert_eq!(String::from_utf16(&units.collect::<Vec<_>>()).unwrap(), "WhenEmptyOrUnderutilized");
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let fixtures = root().join("fixtures");
    for format in ["full", "json", "sarif"] {
        let one = run(&fixtures, &["-f", format, "--no-config", "--threads", "1"]);
        for threads in ["1", "2", "8"] {
            let other = run(&fixtures, &["-f", format, "--no-config", "--threads", threads]);
            assert!(one.out == other.out, "{format} with {threads} threads differs");
        }
        // The order in which inputs are named does not matter.
        let named = |names: &[&str]| run(&fixtures, &[&["-f", format, "--no-config"], names].concat()).out;
        let (forth, back) = (["clean", "list", "three-layers"], ["three-layers", "list", "clean"]);
        assert!(named(&forth) == named(&back), "{format}: the order of the inputs shows");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = command(&root().join("fixtures"), &["-f", "json", "--no-config"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = ran(child.wait_with_output().unwrap());
    assert!(ran.code < 2, "{}: {}", ran.code, ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn github_actions_get_annotations() {
    let folder = folder(&[("pool.yaml", POOL)]);
    let out = ran(command(folder.path(), &[]).env("GITHUB_ACTIONS", "true").output().unwrap());
    assert!(out.out.contains("::error ") && out.out.contains("file=pool.yaml,line=17"), "{}", out.out);
}

#[test]
fn the_command_of_the_readme() {
    let ran = run(&root(), &["fixtures/three-layers"]);
    assert_eq!(ran.code, 1);
    let rules = ["gpu-pool-consolidation", "gang-missing", "scale-on-gpu-utilization"];
    for rule in rules {
        assert!(ran.out.contains(&format!("error[{rule}]")), "{rule}\n{}", ran.out);
    }
    assert_eq!(ran.out.matches("error[").count(), rules.len(), "{}", ran.out);
}
