//! The rules: one page, one file of logic and one line here for each.
//!
//! A rule looks at one subject and reports on it alone; other places become labels. The page is the only prose about a
//! rule: severity, summary, examples and options are read from it.

pub mod page;

mod disaggregated_missing_autoscaler;
mod disaggregated_shared_autoscaler;
mod disaggregated_wrong_signal;
mod engine_pod;
mod finding;
mod gang_missing;
mod gang_missing_single_pod;
mod gpu_pool_capacity_type;
mod gpu_pool_consolidate_after;
mod gpu_pool_consolidation;
mod gpu_pool_instance_type;
mod gpu_pool_taint;
mod kai_queue_missing;
mod kai_queue_parent_unknown;
mod pool_edit;
mod scale_behavior_cold_start;
mod scale_ceiling;
mod scale_engine_world_size;
mod scale_fixed_replicas;
mod scale_generated_target;
mod scale_metric_not_exported;
mod scale_metric_removed;
mod scale_min_above_max;
mod scale_min_is_max;
mod scale_null_reads_zero;
mod scale_on_cpu;
mod scale_on_gpu_memory;
mod scale_on_gpu_utilization;
mod scale_query_many_series;
mod scale_query_misused;
mod scale_query_unscoped;
mod scale_ratio_averaged;
mod scale_signal_single;
mod scale_sum_as_value;
mod scale_two_autoscalers;
mod scale_unit_mismatch;
mod scaled;
mod signal;
mod slo;
mod split;
mod warm_pool_defaults;
mod warm_pool_floor;
mod warm_pool_grace;
mod warm_pool_probes;
mod warm_pool_progress_deadline;
mod warm_pool_scale_to_zero;

pub use finding::{Finding, object_ref};

use crate::config::{Config, KnownOption, KnownRule, OptionType, Profile};
use crate::diagnostic::Severity;
use crate::facts::Facts;
use crate::facts::disaggregated::Pair;
use crate::facts::drives::Driver;
use crate::facts::placement::PoolFact;
use crate::facts::queues::QueueFact;
use crate::facts::units::Unit;
use crate::suppress;
use page::Page;
use rayon::prelude::*;
use std::sync::LazyLock;

/// What a rule can see.
pub struct Context<'a> {
    /// What the objects mean together.
    pub facts: &'a Facts<'a>,
    /// Options of rules.
    pub config: &'a Config,
    /// Which severities apply.
    pub profile: Profile,
}

/// What a rule looks at, one at a time.
#[derive(Clone, Copy)]
pub enum Check {
    /// A Karpenter pool.
    Pool(for<'a> fn(&Context<'a>, &'a PoolFact<'a>) -> Vec<Finding<'a>>),
    /// A workload.
    Unit(for<'a> fn(&Context<'a>, &'a Unit<'a>) -> Vec<Finding<'a>>),
    /// An autoscaler.
    Driver(for<'a> fn(&Context<'a>, &'a Driver<'a>) -> Vec<Finding<'a>>),
    /// Prefill and decode pools that belong together.
    Pair(for<'a> fn(&Context<'a>, &'a Pair) -> Vec<Finding<'a>>),
    /// A KAI queue.
    Queue(for<'a> fn(&Context<'a>, &'a QueueFact<'a>) -> Vec<Finding<'a>>),
    /// The repository as a whole.
    Repository(for<'a> fn(&Context<'a>) -> Vec<Finding<'a>>),
}

/// One rule.
pub struct Rule {
    /// The id.
    pub id: &'static str,
    /// The text of its page.
    pub text: &'static str,
    /// Its logic.
    pub check: Check,
}

macro_rules! rules {
    ($($id:literal => $module:ident: $subject:ident,)*) => {
        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[$(Rule {
            id: $id,
            text: include_str!(concat!("../../rules/", $id, ".md")),
            check: Check::$subject($module::check),
        }),*];
    };
}

rules! {
    "gpu-pool-consolidation" => gpu_pool_consolidation: Pool,
    "gpu-pool-consolidate-after" => gpu_pool_consolidate_after: Pool,
    "gpu-pool-taint" => gpu_pool_taint: Pool,
    "gpu-pool-capacity-type" => gpu_pool_capacity_type: Pool,
    "gpu-pool-instance-type" => gpu_pool_instance_type: Pool,
    "gang-missing" => gang_missing: Unit,
    "gang-missing-single-pod" => gang_missing_single_pod: Unit,
    "kai-queue-missing" => kai_queue_missing: Unit,
    "kai-queue-parent-unknown" => kai_queue_parent_unknown: Queue,
    "scale-on-gpu-utilization" => scale_on_gpu_utilization: Repository,
    "scale-on-gpu-memory" => scale_on_gpu_memory: Repository,
    "scale-on-cpu" => scale_on_cpu: Driver,
    "disaggregated-shared-autoscaler" => disaggregated_shared_autoscaler: Pair,
    "disaggregated-missing-autoscaler" => disaggregated_missing_autoscaler: Pair,
    "disaggregated-wrong-signal" => disaggregated_wrong_signal: Pair,
    "warm-pool-scale-to-zero" => warm_pool_scale_to_zero: Driver,
    "scale-ratio-averaged" => scale_ratio_averaged: Driver,
    "scale-sum-as-value" => scale_sum_as_value: Driver,
    "scale-query-many-series" => scale_query_many_series: Driver,
    "scale-unit-mismatch" => scale_unit_mismatch: Driver,
    "scale-query-unscoped" => scale_query_unscoped: Driver,
    "scale-query-misused" => scale_query_misused: Driver,
    "scale-null-reads-zero" => scale_null_reads_zero: Driver,
    "scale-metric-removed" => scale_metric_removed: Driver,
    "scale-metric-not-exported" => scale_metric_not_exported: Driver,
    "scale-signal-single" => scale_signal_single: Driver,
    "scale-behavior-cold-start" => scale_behavior_cold_start: Driver,
    "scale-ceiling" => scale_ceiling: Driver,
    "scale-min-above-max" => scale_min_above_max: Driver,
    "scale-min-is-max" => scale_min_is_max: Driver,
    "scale-two-autoscalers" => scale_two_autoscalers: Driver,
    "scale-fixed-replicas" => scale_fixed_replicas: Unit,
    "scale-generated-target" => scale_generated_target: Driver,
    "scale-engine-world-size" => scale_engine_world_size: Unit,
    "warm-pool-floor" => warm_pool_floor: Repository,
    "warm-pool-probes" => warm_pool_probes: Unit,
    "warm-pool-grace" => warm_pool_grace: Unit,
    "warm-pool-progress-deadline" => warm_pool_progress_deadline: Unit,
    "warm-pool-defaults" => warm_pool_defaults: Unit,
}

static PAGES: LazyLock<Vec<Page>> =
    LazyLock::new(|| RULES.iter().filter_map(|rule| Page::parse(rule.id, rule.text).ok()).collect());

/// The pages of all rules. A test makes sure that every page can be read.
pub fn pages() -> &'static [Page] {
    &PAGES
}

/// The page of a rule.
pub fn page(id: &str) -> Option<&'static Page> {
    pages().iter().find(|page| page.id == id)
}

/// The rules that stand for a reject or a refusal of the plan: to ignore one takes a reason.
pub fn hard_rejects() -> Vec<&'static str> {
    let hard = |page: &Page| page.clauses.iter().any(|c| c.starts_with("H.") || c.starts_with("R."));
    RULES.iter().filter(|rule| page(rule.id).is_some_and(hard)).map(|rule| rule.id).collect()
}

/// What the configuration has to know of the rules.
pub fn known_rules() -> Vec<KnownRule> {
    let pages = RULES.iter().filter_map(|rule| Some((rule.id, page(rule.id)?)));
    pages
        .map(|(id, page)| KnownRule {
            id,
            summary: page.summary.clone(),
            severity: page.severity,
            strict: page.strict,
            options: page.options.iter().filter_map(known_option).collect(),
        })
        .collect()
}

fn known_option(option: &'static page::PageOption) -> Option<KnownOption> {
    let ty = match option.kind {
        page::OptionType::Duration => OptionType::Duration,
        page::OptionType::String => OptionType::Text,
        page::OptionType::Integer | page::OptionType::Number => OptionType::Int,
        page::OptionType::Boolean => OptionType::Bool,
        page::OptionType::List => OptionType::List,
    };
    let default = match &option.default {
        serde_json::Value::String(text) => ty.read(text),
        other => ty.read(&other.to_string()),
    }?;
    Some(KnownOption { name: &option.name, ty, default, text: option.text.clone() })
}

/// Runs every rule that is on. The order of the findings is left to the caller.
pub fn check_all(context: &Context<'_>) -> Vec<suppress::Finding> {
    let rules: Vec<&Rule> =
        RULES.iter().filter(|rule| context.config.severity(rule.id, context.profile).is_some()).collect();
    rules.par_iter().flat_map_iter(|rule| check(rule, context)).collect()
}

fn check(rule: &'static Rule, context: &Context<'_>) -> Vec<suppress::Finding> {
    let facts = context.facts;
    let found: Vec<Finding<'_>> = match rule.check {
        Check::Pool(check) => facts.pools.iter().flat_map(|s| check(context, s)).collect(),
        Check::Unit(check) => facts.units.iter().flat_map(|s| check(context, s)).collect(),
        Check::Driver(check) => facts.drivers.iter().flat_map(|s| check(context, s)).collect(),
        Check::Pair(check) => facts.pairs.iter().flat_map(|s| check(context, s)).collect(),
        Check::Queue(check) => facts.queues.iter().flat_map(|s| check(context, s)).collect(),
        Check::Repository(check) => check(context),
    };
    let base = context.config.severity(rule.id, context.profile).unwrap_or(Severity::Warning);
    found.into_iter().map(|finding| finding.finish(rule.id, base, context)).collect()
}
