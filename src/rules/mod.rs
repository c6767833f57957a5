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
mod gang_admission_only;
mod gang_group_unjoined;
mod gang_impossible;
mod gang_leader_first;
mod gang_missing;
mod gang_missing_single_pod;
mod gang_ordered_start;
mod gang_partial;
mod gang_rollout_deadlock;
mod gang_scaled_by_member;
mod gang_scheduler_mixed;
mod gpu_fraction_with_parallelism;
mod gpu_pool_ami_drift;
mod gpu_pool_api_rejected;
mod gpu_pool_api_removed;
mod gpu_pool_capacity_type;
mod gpu_pool_consolidate_after;
mod gpu_pool_consolidation;
mod gpu_pool_drain_kills_engine;
mod gpu_pool_drain_stuck;
mod gpu_pool_drift_open;
mod gpu_pool_expiry_default;
mod gpu_pool_field_dropped;
mod gpu_pool_fractional;
mod gpu_pool_group_mixed;
mod gpu_pool_group_too_large;
mod gpu_pool_instance_type;
mod gpu_pool_kai_label;
mod gpu_pool_limit_missing;
mod gpu_pool_limit_too_small;
mod gpu_pool_mixed;
mod gpu_pool_node_class;
mod gpu_pool_overlap;
mod gpu_pool_requirement_dead;
mod gpu_pool_reserved_unbacked;
mod gpu_pool_root_disk;
mod gpu_pool_spot_serving;
mod gpu_pool_taint;
mod gpu_pool_toleration_mismatch;
mod gpu_pool_unneeded;
mod kai_demand;
mod kai_edit;
mod kai_inference_preemptible;
mod kai_label_without_scheduler;
mod kai_min_runtime;
mod kai_priority_class_unknown;
mod kai_queue_cycle;
mod kai_queue_duplicate;
mod kai_queue_group_too_large;
mod kai_queue_inference_quota;
mod kai_queue_limit_below_quota;
mod kai_queue_limit_zero;
mod kai_queue_missing;
mod kai_queue_mixed_tenants;
mod kai_queue_not_leaf;
mod kai_queue_oversubscribed;
mod kai_queue_parent_unknown;
mod kai_queue_starved;
mod kai_queue_unknown;
mod kai_shard_label;
mod kai_training_not_preemptible;
mod manifest_duplicate_key;
mod manifest_refused;
mod monitoring_metric_stale;
mod monitoring_not_per_replica;
mod monitoring_panel_missing;
mod pool_edit;
mod pool_words;
mod rollback_alert_wrong;
mod rollback_frozen;
mod rollback_missing;
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
mod subject;
mod topology_group_split;
mod topology_incomplete;
mod topology_level_unknown;
mod topology_missing;
mod topology_on_template;
mod topology_too_narrow;
mod topology_too_wide;
mod warm_pool_defaults;
mod warm_pool_floor;
mod warm_pool_grace;
mod warm_pool_probes;
mod warm_pool_progress_deadline;
mod warm_pool_scale_to_zero;

pub use finding::{Finding, object_ref};

use crate::config::{Config, KnownOption, KnownRule, Profile};
use crate::diagnostic::Severity;
use crate::facts::Facts;
use crate::facts::disaggregated::Pair;
use crate::facts::drives::Driver;
use crate::facts::placement::PoolFact;
use crate::facts::queues::QueueFact;
use crate::facts::units::Unit;
use crate::suppress;
use page::{FrontMatter, Page};
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
    /// The ignores, after every other rule: the logic is in [`suppress`].
    Ignores,
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
    ($($id:literal => $module:ident: $subject:ident,)* ignores: $($own:literal,)*) => {
        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[
            $(Rule {
                id: $id,
                text: include_str!(concat!("../../rules/", $id, ".md")),
                check: Check::$subject($module::check),
            },)*
            $(Rule {
                id: $own,
                text: include_str!(concat!("../../rules/", $own, ".md")),
                check: Check::Ignores,
            },)*
        ];
    };
}

rules! {
    "gpu-pool-consolidation" => gpu_pool_consolidation: Pool,
    "gpu-pool-consolidate-after" => gpu_pool_consolidate_after: Pool,
    "gpu-pool-taint" => gpu_pool_taint: Pool,
    "gpu-pool-capacity-type" => gpu_pool_capacity_type: Pool,
    "gpu-pool-instance-type" => gpu_pool_instance_type: Pool,
    "gpu-pool-api-rejected" => gpu_pool_api_rejected: Pool,
    "gpu-pool-field-dropped" => gpu_pool_field_dropped: Pool,
    "gpu-pool-api-removed" => gpu_pool_api_removed: Pool,
    "gpu-pool-requirement-dead" => gpu_pool_requirement_dead: Pool,
    "gpu-pool-group-mixed" => gpu_pool_group_mixed: Pool,
    "gpu-pool-fractional" => gpu_pool_fractional: Pool,
    "gpu-pool-mixed" => gpu_pool_mixed: Pool,
    "gpu-pool-reserved-unbacked" => gpu_pool_reserved_unbacked: Pool,
    "gpu-pool-spot-serving" => gpu_pool_spot_serving: Pool,
    "gpu-pool-toleration-mismatch" => gpu_pool_toleration_mismatch: Unit,
    "gpu-pool-kai-label" => gpu_pool_kai_label: Pool,
    "gpu-pool-limit-missing" => gpu_pool_limit_missing: Pool,
    "gpu-pool-limit-too-small" => gpu_pool_limit_too_small: Pool,
    "gpu-pool-expiry-default" => gpu_pool_expiry_default: Pool,
    "gpu-pool-drain-stuck" => gpu_pool_drain_stuck: Pool,
    "gpu-pool-drain-kills-engine" => gpu_pool_drain_kills_engine: Pool,
    "gpu-pool-drift-open" => gpu_pool_drift_open: Pool,
    "gpu-pool-ami-drift" => gpu_pool_ami_drift: Pool,
    "gpu-pool-node-class" => gpu_pool_node_class: Pool,
    "gpu-pool-root-disk" => gpu_pool_root_disk: Pool,
    "gpu-pool-overlap" => gpu_pool_overlap: Pool,
    "gpu-pool-group-too-large" => gpu_pool_group_too_large: Unit,
    "gpu-pool-unneeded" => gpu_pool_unneeded: Repository,
    "gang-missing" => gang_missing: Unit,
    "gang-missing-single-pod" => gang_missing_single_pod: Unit,
    "gang-partial" => gang_partial: Unit,
    "gang-impossible" => gang_impossible: Repository,
    "gang-leader-first" => gang_leader_first: Unit,
    "gang-ordered-start" => gang_ordered_start: Unit,
    "gang-scheduler-mixed" => gang_scheduler_mixed: Unit,
    "gang-group-unjoined" => gang_group_unjoined: Unit,
    "gang-scaled-by-member" => gang_scaled_by_member: Driver,
    "gang-rollout-deadlock" => gang_rollout_deadlock: Unit,
    "gang-admission-only" => gang_admission_only: Unit,
    "kai-queue-missing" => kai_queue_missing: Unit,
    "kai-queue-parent-unknown" => kai_queue_parent_unknown: Queue,
    "kai-label-without-scheduler" => kai_label_without_scheduler: Unit,
    "kai-queue-unknown" => kai_queue_unknown: Unit,
    "kai-queue-not-leaf" => kai_queue_not_leaf: Unit,
    "kai-queue-cycle" => kai_queue_cycle: Queue,
    "kai-queue-duplicate" => kai_queue_duplicate: Queue,
    "kai-shard-label" => kai_shard_label: Repository,
    "kai-queue-limit-zero" => kai_queue_limit_zero: Queue,
    "kai-queue-limit-below-quota" => kai_queue_limit_below_quota: Queue,
    "kai-queue-oversubscribed" => kai_queue_oversubscribed: Queue,
    "kai-queue-starved" => kai_queue_starved: Queue,
    "kai-queue-group-too-large" => kai_queue_group_too_large: Unit,
    "kai-queue-inference-quota" => kai_queue_inference_quota: Unit,
    "kai-queue-mixed-tenants" => kai_queue_mixed_tenants: Unit,
    "kai-inference-preemptible" => kai_inference_preemptible: Unit,
    "kai-training-not-preemptible" => kai_training_not_preemptible: Unit,
    "kai-priority-class-unknown" => kai_priority_class_unknown: Unit,
    "kai-min-runtime" => kai_min_runtime: Queue,
    "topology-missing" => topology_missing: Unit,
    "topology-level-unknown" => topology_level_unknown: Repository,
    "topology-on-template" => topology_on_template: Unit,
    "topology-incomplete" => topology_incomplete: Repository,
    "topology-too-wide" => topology_too_wide: Unit,
    "topology-too-narrow" => topology_too_narrow: Unit,
    "topology-group-split" => topology_group_split: Unit,
    "gpu-fraction-with-parallelism" => gpu_fraction_with_parallelism: Unit,
    "scale-on-gpu-utilization" => scale_on_gpu_utilization: Repository,
    "scale-on-gpu-memory" => scale_on_gpu_memory: Repository,
    "scale-on-cpu" => scale_on_cpu: Driver,
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
    "disaggregated-shared-autoscaler" => disaggregated_shared_autoscaler: Pair,
    "disaggregated-missing-autoscaler" => disaggregated_missing_autoscaler: Pair,
    "disaggregated-wrong-signal" => disaggregated_wrong_signal: Unit,
    "warm-pool-scale-to-zero" => warm_pool_scale_to_zero: Driver,
    "warm-pool-floor" => warm_pool_floor: Repository,
    "warm-pool-probes" => warm_pool_probes: Unit,
    "warm-pool-grace" => warm_pool_grace: Unit,
    "warm-pool-progress-deadline" => warm_pool_progress_deadline: Unit,
    "warm-pool-defaults" => warm_pool_defaults: Unit,
    "monitoring-panel-missing" => monitoring_panel_missing: Repository,
    "monitoring-not-per-replica" => monitoring_not_per_replica: Repository,
    "monitoring-metric-stale" => monitoring_metric_stale: Repository,
    "rollback-missing" => rollback_missing: Repository,
    "rollback-alert-wrong" => rollback_alert_wrong: Repository,
    "rollback-frozen" => rollback_frozen: Driver,
    "manifest-duplicate-key" => manifest_duplicate_key: Repository,
    "manifest-refused" => manifest_refused: Repository,
    ignores:
    "ignore-unused",
    "ignore-unknown-rule",
    "ignore-without-reason",
    "ignore-refused",
}

/// Every run reads these, and no more of the pages: the examples of a hundred rules take longer to read than a small
/// repository.
static FRONT_MATTERS: LazyLock<Vec<(&'static str, FrontMatter)>> = LazyLock::new(|| {
    RULES.iter().filter_map(|rule| Some((rule.id, FrontMatter::of(rule.text).ok()?))).collect()
});

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
    let hard = |clause: &String| clause.starts_with("H.") || clause.starts_with("R.");
    FRONT_MATTERS.iter().filter(|(_, front)| front.clauses.iter().any(hard)).map(|(id, _)| *id).collect()
}

/// What the configuration has to know of the rules.
pub fn known_rules() -> Vec<KnownRule> {
    FRONT_MATTERS
        .iter()
        .map(|(id, front)| KnownRule {
            id,
            summary: front.summary.clone(),
            severity: front.severity,
            strict: front.strict,
            options: front.options.iter().filter_map(known_option).collect(),
        })
        .collect()
}

fn known_option(option: &'static page::PageOption) -> Option<KnownOption> {
    let default = match &option.default {
        serde_json::Value::String(text) => option.kind.read(text),
        other => option.kind.read(&other.to_string()),
    }?;
    Some(KnownOption { name: &option.name, ty: option.kind, default, text: option.text.clone() })
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
        Check::Ignores => vec![],
    };
    let base = context.config.severity(rule.id, context.profile).unwrap_or(Severity::Warning);
    found.into_iter().map(|finding| finding.finish(rule.id, base, context)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_about_ignores_has_pages() {
        let own = [suppress::UNUSED, suppress::UNKNOWN_RULE, suppress::WITHOUT_REASON, suppress::REFUSED];
        let listed: Vec<&str> =
            RULES.iter().filter(|rule| matches!(rule.check, Check::Ignores)).map(|rule| rule.id).collect();
        assert_eq!(listed, own);
        // The plan refuses the reasons of one of them, and in its strict reading the ignore with it.
        let strict = |id: &&str| page(id).is_some_and(|page| page.strict == Severity::Error);
        assert_eq!(own.iter().copied().filter(strict).collect::<Vec<_>>(), [suppress::REFUSED]);
        assert!(own.iter().all(|id| page(id).is_some_and(|page| page.severity == Severity::Warning)));
    }
}
