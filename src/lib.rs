//! gpulint reads the Kubernetes manifests of a repository and reports where they break a three-layer GPU autoscaling
//! plan: Karpenter pools, gang scheduling, application signals.

pub mod baseline;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod engine;
pub mod facts;
pub mod fingerprint;
pub mod fix;
pub mod instances;
pub mod inventory;
pub mod kinds;
pub mod known;
pub mod metrics;
pub mod report;
pub mod rules;
pub mod source;
pub mod suppress;
pub mod yaml;

use config::{Config, Profile};
use diagnostic::Report;
use inventory::{Inventory, Overlay};
use source::{Files, WalkOptions};
use std::path::PathBuf;

/// Files larger than this many bytes are passed over with a notice: no manifest is, and the memory of a run stays
/// bounded.
const LARGEST_FILE: u64 = 64 << 20;

/// What to lint, and how.
pub struct Request<'r> {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Texts that take the place of files, or stand beside them.
    pub overlays: Vec<Overlay>,
    /// The effective configuration.
    pub config: &'r Config,
    /// Which severities apply.
    pub profile: Profile,
    /// Files that findings may point into besides the inputs: the configuration.
    pub files: Files,
    /// Threads for the walk; 0 leaves it to the machine.
    pub threads: usize,
}

/// Lints the inputs. The report is a function of the files and the configuration.
///
/// ```
/// use gpulint::{Request, config::{Config, Profile}, inventory::Overlay};
///
/// let pool = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: gpu}\nspec:\n  disruption: {consolidateAfter: 1h}\n  template: {spec: {requirements: [{key: karpenter.k8s.aws/instance-gpu-name, operator: In, values: [h100]}]}}\n";
/// let config = Config::new(&gpulint::rules::known_rules());
/// let report = gpulint::lint(Request {
///     paths: vec![],
///     overlays: vec![Overlay { path: "pool.yaml".into(), bytes: pool.into() }],
///     config: &config,
///     profile: Profile::Default,
///     files: Default::default(),
///     threads: 0,
/// });
/// assert!(report.diagnostics.iter().any(|d| d.rule == "gpu-pool-consolidation"));
/// ```
pub fn lint(request: Request<'_>) -> Report {
    let (config, profile) = (request.config, request.profile);
    let inventory = read(request);
    let facts = facts::Facts::build(&inventory);
    let findings = rules::check_all(&rules::Context { facts: &facts, config, profile });
    let hard = rules::hard_rejects();
    let policy = suppress::Policy { config, profile, hard: &hard };
    let outcome =
        suppress::apply(&inventory.files, &inventory.comments, &annotations(&inventory), findings, &policy);
    let mut diagnostics = outcome.kept;
    diagnostics.extend(outcome.own);
    diagnostics.sort_by_cached_key(|d| {
        (inventory.files.path(d.span.file).to_owned(), d.span, d.rule, d.field.clone(), d.message.clone())
    });
    diagnostics.dedup();
    Report { files: inventory.files, diagnostics, skipped: inventory.skipped, summary: inventory.summary }
}

/// Reads the inputs without running a rule.
pub fn read(request: Request<'_>) -> Inventory {
    let config = request.config;
    let options = WalkOptions {
        paths: &request.paths,
        reads: &|path| config.reads(path),
        enters: &|folder| config.enters(folder),
        largest: LARGEST_FILE,
        threads: request.threads,
    };
    inventory::read(&options, &request.overlays, request.files)
}

/// The ignores that stand on objects as annotations.
fn annotations(inventory: &Inventory) -> Vec<suppress::Annotation> {
    let pairs =
        inventory.objects.iter().filter_map(|o| Some((o, o.meta.annotations.pair(suppress::ANNOTATION)?)));
    pairs
        .filter_map(|(object, pair)| {
            Some(suppress::Annotation {
                object: object.id.0,
                reference: Some(rules::object_ref(object)),
                document: object.document,
                text: pair.text.clone()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings about texts alone, as an editor asks for them: `file rule`. Advice is left out.
    fn check(texts: &[(&str, &str)], expect: &[&str]) {
        let config = Config::new(&rules::known_rules());
        let overlay = |(path, text): &(&str, &str)| Overlay { path: (*path).into(), bytes: (*text).into() };
        let report = lint(Request {
            paths: vec![],
            overlays: texts.iter().map(overlay).collect(),
            config: &config,
            profile: Profile::Default,
            files: Files::default(),
            threads: 0,
        });
        let judged = report.diagnostics.iter().filter(|d| d.severity > diagnostic::Severity::Info);
        let found = judged.map(|d| format!("{} {}", report.files.path(d.span.file), d.rule));
        assert_eq!(found.collect::<Vec<_>>(), expect);
        // Nothing but the texts is read: the working directory of a test holds many manifests.
        assert_eq!(report.summary.files, texts.len() as u64);
        assert_eq!(report.skipped, []);
    }

    const ENGINE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: llama}\nspec: {template: {spec: {containers: [{name: vllm, image: 'vllm/vllm-openai:v0.12.0', resources: {limits: {nvidia.com/gpu: 1}}}]}}}\n";
    const SCALER: &str = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: llama}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: llama}, maxReplicas: 2, minReplicas: 1}\n";

    #[test]
    fn texts_alone_are_linted() {
        check(&[], &[]);
        check(&[("scaler.yaml", SCALER)], &[]);
        // References lead from one text to another.
        check(&[("app/engine.yaml", ENGINE), ("app/scaler.yaml", SCALER)], &["app/scaler.yaml scale-on-cpu"]);
        // A path that does not exist on disk, and one that does.
        check(&[("Cargo.toml", ENGINE), ("src/lib.rs", SCALER)], &["src/lib.rs scale-on-cpu"]);
        check(&[("a.yaml", &ENGINE.replace("llama}", "other}")), ("b.yaml", SCALER)], &[]);
    }

    #[test]
    fn ignores_hold_in_texts() {
        let engine = ("engine.yaml", ENGINE);
        let above = format!("# gpulint: ignore-file[scale-on-cpu] a test\n{SCALER}");
        check(&[engine, ("scaler.yaml", &above)], &[]);
        check(&[("scaler.yaml", &above)], &["scaler.yaml ignore-unused"]);
    }
}
