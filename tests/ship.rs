//! The program as hooks, actions and people run it: filters, baselines, fixes, outputs and exit codes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const POOL: &str = "apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu}
spec:
  disruption:
    consolidationPolicy: WhenEmptyOrUnderutilized # why
    consolidateAfter: 1h
  template:
    spec:
      taints: [{key: nvidia.com/gpu, effect: NoSchedule}]
      requirements:
        - {key: karpenter.k8s.aws/instance-gpu-name, operator: In, values: [h100]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
      expireAfter: 720h
  limits: {nvidia.com/gpu: 16}
";

const RULE: &str = "apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: gpu}
spec:
  groups:
    - name: gpu
      rules:
        - {record: llm_load, expr: avg(DCGM_FI_DEV_GPU_UTIL)}
";

const HPA: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: llm}
spec:
  maxReplicas: 4
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: llm}
  metrics:
    - {type: External, external: {metric: {name: llm_load}, target: {type: Value, value: 80}}}
";

const POOL_RULE: &str = "gpu-pool-consolidation";
const HPA_RULE: &str = "scale-on-gpu-utilization";
const POOL_LINE: &str = "deploy/pool.yaml:6:26: error[gpu-pool-consolidation]";
const HPA_LINE: &str = "deploy/app/hpa.yaml:8:50: error[scale-on-gpu-utilization]";

/// A git repository whose HPA is wrong because of a recording rule in another file.
struct Repository(TempDir);

impl Repository {
    fn new() -> Repository {
        let repository = Repository(tempfile::tempdir().unwrap());
        repository.git(&["init", "-q"]);
        // New rules must not change what is tested here.
        let others = gpulint::rules::known_rules().into_iter().map(|rule| rule.id);
        let others = others.filter(|id| ![POOL_RULE, HPA_RULE].contains(id));
        let off: String = others.map(|id| format!("  {id}: {{severity: off}}\n")).collect();
        repository.write("gpulint.yaml", &format!("rules:\n{off}"));
        for (path, text) in
            [("deploy/pool.yaml", POOL), ("deploy/rule.yaml", RULE), ("deploy/app/hpa.yaml", HPA)]
        {
            repository.write(path, text);
        }
        repository.git(&["add", "."]);
        repository.git(&["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"]);
        repository
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        // The repository of a hook that runs the tests is another one.
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
            git.env_remove(name);
        }
        assert!(git.arg("-C").arg(self.0.path()).args(arguments).status().unwrap().success());
    }

    fn run_in(&self, folder: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpulint"));
        for name in [
            "GITHUB_ACTIONS",
            "GITHUB_STEP_SUMMARY",
            "CLICOLOR_FORCE",
            "FORCE_COLOR",
            "GIT_DIR",
            "GIT_INDEX_FILE",
            "GIT_WORK_TREE",
        ] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied()).args(arguments).current_dir(self.at(folder));
        Run(command.output().unwrap())
    }

    /// The words are the arguments.
    fn run(&self, arguments: &str) -> Run {
        self.run_in("", &arguments.split_whitespace().collect::<Vec<_>>(), &[])
    }

    /// The places and rules that a run in a folder reports, and how it exits.
    #[track_caller]
    fn check(&self, folder: &str, arguments: &str, expected: &[&str], exit: i32) {
        let all = format!("-f concise {arguments}");
        let run = self.run_in(folder, &all.split_whitespace().collect::<Vec<_>>(), &[]);
        let out = run.out();
        let found: Vec<&str> = out.lines().filter_map(|line| Some(line.split_once("] ")?.0)).collect();
        let found: Vec<String> = found.iter().map(|line| format!("{line}]")).collect();
        assert_eq!(found, expected, "{arguments}\n{}", run.err());
        assert_eq!(run.exit(), exit, "{arguments}\n{}", run.err());
    }
}

struct Run(Output);

impl Run {
    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    fn exit(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    /// What standard error says, and the exit status.
    #[track_caller]
    fn says(&self, exit: i32, words: &str) {
        assert!(self.err().contains(words), "{}", self.err());
        assert_eq!(self.exit(), exit, "{}", self.err());
    }
}

#[test]
fn files_named_by_a_hook_are_judged_in_their_repository() {
    let repository = Repository::new();
    let both = [HPA_LINE, POOL_LINE];
    repository.check("", "", &both, 1);
    // By itself the HPA names a metric of unknown origin.
    repository.check("", "deploy/app/hpa.yaml", &[], 0);
    repository.check("", "--in-context deploy/app/hpa.yaml", &[HPA_LINE], 1);
    // The rule takes part in what is wrong with the HPA.
    repository.check("", "--in-context deploy/rule.yaml", &[HPA_LINE], 1);
    repository.check("", "--in-context deploy/app deploy/pool.yaml", &both, 1);
    repository.check("", "--in-context", &both, 1);
    repository.check("", "--in-context Cargo.toml", &[], 0);
    let root = repository.0.path().canonicalize().unwrap();
    repository.check("", &format!("--in-context {}/deploy/pool.yaml", root.display()), &[POOL_LINE], 1);
}

#[test]
fn paths_are_shown_from_the_working_directory() {
    let repository = Repository::new();
    let (hpa, pool) = (HPA_LINE.replace("deploy/app/", ""), POOL_LINE.replace("deploy", ".."));
    repository.check("deploy/app", "--in-context hpa.yaml", &[&hpa], 1);
    repository.check("deploy/app", "--in-context", &[&hpa], 1);
    repository.check("deploy/app", "--in-context ../pool.yaml", &[&pool], 1);
    repository.check("deploy/app", "--in-context ../..", &[&pool, &hpa], 1);
    let run = repository.run_in("deploy/app", &["-f", "github", "."], &[]);
    assert_eq!(run.out(), "no findings in 1 file\n");
    // Servers read paths from the root.
    let run = repository.run_in("deploy/app", &["-f", "github", "--in-context"], &[]);
    assert!(run.out().starts_with("::error file=deploy/app/hpa.yaml,line=8,"), "{}", run.out());
}

#[test]
fn a_file_that_is_named_is_read_once_and_even_where_git_ignores_it() {
    let repository = Repository::new();
    repository.write(".gitignore", "pool.yaml\n");
    repository.check("", "", &[HPA_LINE], 1);
    repository.check("", "--in-context deploy/pool.yaml deploy/pool.yaml", &[POOL_LINE], 1);
    let run = repository.run("-f json --in-context deploy/pool.yaml deploy/rule.yaml");
    assert!(run.out().contains("\"files\": 4,"), "{}", run.out());
    let run = repository.run("-f json --in-context nowhere.yaml");
    assert!(run.out().contains("\"file\": \"nowhere.yaml\""), "{}", run.out());
}

#[test]
fn an_editor_lints_unsaved_text_in_its_repository() {
    let repository = Repository::new();
    repository.write("unsaved", &HPA.replace("llm_load", "vllm:num_requests_waiting"));
    let run = |folder: &str, name: &str, text: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpulint"));
        let text = fs::File::open(repository.at(text)).unwrap();
        command.args(["-f", "concise", "--in-context", "-", "--stdin-filename", name]).stdin(text);
        let run = Run(command.current_dir(repository.at(folder)).output().unwrap());
        (run.out().lines().next().unwrap().to_owned(), run.exit())
    };
    let clean = |found: (String, i32)| found.0.starts_with("no findings in 4 files") && found.1 == 0;
    assert!(clean(run("", "deploy/app/hpa.yaml", "unsaved")));
    assert!(clean(run("deploy/app", "./hpa.yaml", "unsaved")));
    let (line, exit) = run("", "deploy/app/hpa.yaml", "deploy/app/hpa.yaml");
    assert!(line.starts_with(HPA_LINE) && exit == 1, "{line}");
    let (line, exit) = run("deploy", "new.yaml", "deploy/app/hpa.yaml");
    assert!(line.starts_with("new.yaml:8:50: error[scale-on-gpu-utilization]") && exit == 1, "{line}");
}

#[test]
fn only_what_changed_is_reported() {
    let repository = Repository::new();
    repository.check("", "--changed-since HEAD", &[], 0);
    repository.write("deploy/rule.yaml", &format!("{RULE}# more\n"));
    repository.check("", "--changed-since HEAD", &[HPA_LINE], 1);
    repository.check("", "--changed-since HEAD deploy/pool.yaml", &[], 0);
    repository.check("deploy/app", "--changed-since HEAD ..", &[&HPA_LINE.replace("deploy/app/", "")], 1);
    repository.git(&["checkout", "-q", "."]);
    repository.write("deploy/größer \"a\".yaml", &POOL.replace("name: gpu", "name: b"));
    let new = POOL_LINE.replace("pool.", "größer \"a\".");
    repository.check("", "--changed-since HEAD", &[&new], 1);
    // What others committed since the branches parted is not mine.
    repository.git(&["checkout", "-qb", "topic"]);
    repository.git(&["checkout", "-q", "-"]);
    repository.write("deploy/pool.yaml", &format!("{POOL}# theirs\n"));
    repository.git(&["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qam", "theirs"]);
    repository.git(&["tag", "theirs"]);
    repository.git(&["checkout", "-q", "topic"]);
    repository.check("", "--changed-since theirs", &[&new], 1);
    repository.run("--changed-since nowhere").says(2, "git does not know this revision");
    repository.run("--changed-since --output=x").says(2, "");
    repository.run("--changed-since=--output=x").says(2, "git does not know this revision");
}

#[test]
fn a_baseline_accepts_and_grows_stale() {
    let repository = Repository::new();
    repository.run("--write-baseline accepted.json").says(0, "accepted.json accepts 2 findings");
    repository.check("", "--baseline accepted.json", &[], 0);
    // Moved and re-indented, it is the same finding.
    repository.write("deploy/pool.yaml", &format!("# moved\n{POOL}"));
    repository.check("", "--baseline accepted.json", &[], 0);
    // A second pool is a new one.
    repository.write("deploy/second.yaml", &POOL.replace("name: gpu", "name: second"));
    let second = POOL_LINE.replace("pool.", "second.");
    repository.check("", "--baseline accepted.json", &[&second], 1);
    repository.check("", "--baseline accepted.json --in-context deploy/pool.yaml", &[], 0);
    repository.write("deploy/second.yaml", "");
    let run = repository.run("--baseline accepted.json");
    assert!(run.out().contains("note: accepted.json accepts 2 findings"), "{}", run.out());
    fs::remove_file(repository.at("deploy/pool.yaml")).unwrap();
    let stale = "accepted.json has 1 entry that nothing matches any more (gpu-pool-consolidation in deploy/pool.yaml)";
    repository.run("-f concise --baseline accepted.json").says(0, stale);
    // What was not read is not missed.
    let run = repository.run("-f concise --baseline accepted.json deploy/app deploy/rule.yaml");
    assert!(!run.err().contains("matches"), "{}", run.err());
    repository.run("--baseline nowhere.json").says(2, "cannot read the baseline");
    repository.run("--baseline deploy/rule.yaml").says(2, "not a baseline");
    repository.run("--baseline accepted.json --write-baseline accepted.json").says(2, "cannot be used with");
}

#[test]
fn fixes_are_shown_and_written() {
    let repository = Repository::new();
    let fixed = POOL.replace("WhenEmptyOrUnderutilized", "WhenEmpty");
    let shown = repository.run("--diff");
    shown.says(1, "would fix gpu-pool-consolidation");
    assert_eq!(repository.read("deploy/pool.yaml"), POOL);
    repository.write("shown.patch", &shown.out());
    repository.git(&["apply", "shown.patch"]);
    assert_eq!(repository.read("deploy/pool.yaml"), fixed);
    repository.git(&["checkout", "-q", "deploy"]);

    // Only what is reported is fixed.
    repository.run("--fix --in-context deploy/app/hpa.yaml").says(1, "fixed 0 findings in 0 files");
    assert_eq!(repository.read("deploy/pool.yaml"), POOL);
    repository.check("", "--fix", &[HPA_LINE], 1);
    assert_eq!(repository.read("deploy/pool.yaml"), fixed);
    repository.run("--fix").says(1, "fixed 0 findings in 0 files");
    repository.run("--fix --diff").says(2, "cannot be used with");
    repository.run("--unsafe-fixes").says(2, "required");
    repository.run("--fix -").says(2, "standard input");
}

#[test]
fn a_fix_keeps_line_ends_and_permissions() {
    let repository = Repository::new();
    let path = repository.at("deploy/pool.yaml");
    repository.write("deploy/pool.yaml", &POOL.replace('\n', "\r\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    repository.check("", "--fix deploy/pool.yaml", &[], 0);
    let fixed = POOL.replace("WhenEmptyOrUnderutilized", "WhenEmpty").replace('\n', "\r\n");
    assert_eq!(repository.read("deploy/pool.yaml"), fixed);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
    // UTF-16 is read and reported, never written.
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(POOL.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(&path, &utf16).unwrap();
    repository.run("--fix deploy/pool.yaml").says(1, "the file is not UTF-8");
    assert_eq!(fs::read(&path).unwrap(), utf16);
}

#[test]
fn several_outputs_are_written_at_once() {
    let repository = Repository::new();
    let run = repository.run("-f concise -f json -o - -o report.json");
    assert!(run.out().contains(POOL_LINE), "{}", run.out());
    assert!(repository.read("report.json").starts_with("{\n  \"version\": 1,"));
    repository.run("-f json -f sarif").says(2, "cannot take both json and sarif");
    repository.run("-f json -f sarif -o a -o a").says(2, "a cannot take both json and sarif");
    repository.run("-f json -o a -o b").says(2, "more --output files");
    repository.run("-f json -o nowhere/a").says(2, "cannot write the report");
}

#[test]
fn github_actions_are_recognised() {
    let repository = Repository::new();
    let summary = repository.at("summary.md");
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    fs::write(&summary, "before\n").unwrap();
    let run = repository.run_in("", &["."], &variables);
    assert!(run.out().contains("::error file=deploy/pool.yaml,line=6,"), "{}", run.out());
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n## gpulint\n"), "{text}");
    assert!(text.contains("gpu-pool-consolidation"), "{text}");
    // A format that is asked for is all there is.
    let run = repository.run_in("", &["-f", "concise"], &variables);
    assert!(!run.out().contains("::error"), "{}", run.out());
    assert_eq!(fs::read_to_string(&summary).unwrap(), text);
    let run = repository.run_in("", &["."], &[("GITHUB_ACTIONS", "true")]);
    assert!(run.out().contains("::error"), "{}", run.out());
}

#[test]
fn the_exit_status_is_the_same_for_every_format() {
    let repository = Repository::new();
    repository.write("clean/a.yaml", "kind: ConfigMap\n");
    for format in ["full", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown"] {
        let check = |arguments: &str, exit: i32| {
            let run = repository.run(&format!("-f {format} {arguments}"));
            assert_eq!(run.exit(), exit, "{format} {arguments}\n{}", run.err());
        };
        check("deploy", 1);
        check("clean", 0);
        check("clean --require-input", 3);
        check("deploy --require-input", 1);
        check("deploy/rule.yaml --require-input", 0);
        check("--no-such-flag", 2);
    }
    repository.write("clean/gpulint.yaml", "nonsense: true\n");
    assert_eq!(repository.run_in("clean", &["."], &[]).exit(), 2);
    assert_eq!(repository.run_in("clean", &["--no-config", "."], &[]).exit(), 0);
}

#[test]
fn two_runs_give_the_same_bytes() {
    let repository = Repository::new();
    for n in 0..40 {
        let pool = POOL.replace("name: gpu", &format!("name: gpu-{n}"));
        repository.write(&format!("many/{}/pool-{n}.yaml", n % 7), &pool);
    }
    for format in ["full", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown"] {
        let [one, four] = ["1", "4"].map(|n| repository.run(&format!("-f {format} --threads {n}")).out());
        assert!(one == four, "{format}");
        assert!(one.contains("pool-39.yaml"), "{format}");
    }
}

#[test]
fn a_fix_of_a_file_behind_a_link_keeps_the_link() {
    #[cfg(unix)]
    {
        let repository = Repository::new();
        repository.write("elsewhere/pool.yaml", POOL);
        fs::remove_file(repository.at("deploy/pool.yaml")).unwrap();
        std::os::unix::fs::symlink("../elsewhere/pool.yaml", repository.at("deploy/pool.yaml")).unwrap();
        repository.check("", "--fix deploy/pool.yaml", &[], 0);
        assert!(repository.at("deploy/pool.yaml").is_symlink());
        assert!(!repository.read("elsewhere/pool.yaml").contains("Underutilized"));
        assert!(Path::new(&repository.at("elsewhere")).read_dir().unwrap().count() == 1);
    }
}
