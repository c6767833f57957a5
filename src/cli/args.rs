//! The arguments, with the help texts that people read first.

use crate::config::Profile;
use crate::diagnostic::Severity;
use crate::report::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Lint Kubernetes manifests for GPU autoscaling: Karpenter pools, KAI gangs and queues, HPA and KEDA signals.
#[derive(Debug, Parser)]
#[command(
    name = "gpulint",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  gpulint .                        lint this repository\n  gpulint deploy/ pool.yaml        lint a folder and a file\n  helm template . | gpulint -      lint a rendered chart\n  gpulint explain gang-missing     why a rule exists, and what to do\n  gpulint facts .                  what gpulint believes about your objects\n\nExit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or configuration,\n3 nothing relevant found and --require-input is set, 4 internal error."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lint files and folders (the default)
    Check(Box<CheckArgs>),
    /// Show the page of a rule: mechanism, examples, way out
    Explain(ExplainArgs),
    /// List all rules
    Rules(RulesArgs),
    /// Show what gpulint believes: workloads, autoscalers, pools, queues, metric aliases
    Facts(FactsArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
    /// Write a commented gpulint.yaml to start from
    Init(InitArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

/// What is read, for every command that reads manifests.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Files and folders to lint; `-` reads standard input
    ///
    /// Folders are searched for .yaml, .yml and .json, hidden folders too; .gitignore and .ignore are honoured.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,

    /// The path that standard input is shown as
    #[arg(long, value_name = "PATH", default_value = "stdin.yaml")]
    pub(crate) stdin_filename: String,

    /// Read this configuration instead of the nearest gpulint.yaml
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,

    /// Read no configuration
    #[arg(long)]
    pub(crate) no_config: bool,

    /// Threads for reading; 0 leaves it to the machine
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) threads: usize,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Format of the report; with several, each but one needs an --output
    ///
    /// Without one: full, and inside GitHub Actions annotations with a table in the summary of the step.
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) format: Vec<Format>,

    /// File for the report, one for each --format in the same order; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,

    /// Which severities apply: `strict` makes every clause of the plan an error
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<ProfileArg>,

    /// Fail (exit 1) on findings of this severity or worse
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,

    /// Exit 3 where nothing that gpulint knows was found
    #[arg(long)]
    pub(crate) require_input: bool,

    /// Read the whole repository, and report what lies in the paths named (for hooks and editors)
    ///
    /// A finding counts where its own place or one of the places that take part in it lies there. Outside a repository
    /// the working directory is read.
    #[arg(long)]
    pub(crate) in_context: bool,

    /// As --in-context, for the files that differ from a git revision
    ///
    /// They are compared with the last common ancestor of the revision and HEAD; changes that are not committed count,
    /// and so do new files.
    #[arg(long, value_name = "REV")]
    pub(crate) changed_since: Option<String>,

    /// Leave out findings that this baseline accepts, and note its stale entries
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Accept all findings of this run: write them to a baseline and exit 0
    #[arg(long, value_name = "FILE", conflicts_with_all = ["in_context", "changed_since", "baseline", "edit", "format", "output"])]
    pub(crate) write_baseline: Option<PathBuf>,

    /// Print the safe fixes as a diff in place of the report, and change nothing
    #[arg(long, group = "edit", conflicts_with_all = ["format", "output"])]
    pub(crate) diff: bool,

    /// Apply safe fixes, and report what is left
    #[arg(long, group = "edit")]
    pub(crate) fix: bool,

    /// With --fix or --diff, take fixes with side effects too; their titles name them
    #[arg(long, requires = "edit")]
    pub(crate) unsafe_fixes: bool,

    /// Print the effective configuration and exit
    #[arg(long)]
    pub(crate) show_config: bool,

    /// When to use colour: NO_COLOR, CLICOLOR_FORCE and the terminal decide under `auto`
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileArg {
    /// What a team can switch on tomorrow
    Default,
    /// The plan by the letter
    Strict,
}

impl From<ProfileArg> for Profile {
    fn from(arg: ProfileArg) -> Profile {
        match arg {
            ProfileArg::Default => Profile::Default,
            ProfileArg::Strict => Profile::Strict,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Only errors fail
    Error,
    /// Warnings fail too
    Warning,
    /// Everything fails
    Info,
}

impl From<FailOn> for Severity {
    fn from(arg: FailOn) -> Severity {
        match arg {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Info => Severity::Info,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// Where the output is a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Id of the rule, for example gpu-pool-consolidation
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct FactsArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// What the schema describes
    pub(crate) what: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// The report of --format json
    Report,
    /// gpulint.yaml
    Config,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where to write; `-` prints
    #[arg(value_name = "FILE", default_value = "gpulint.yaml")]
    pub(crate) file: PathBuf,

    /// Overwrite a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {}
