//! `monitoring-panel-missing`: the dashboards and alerts leave out some of the plan's five metrics.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::engine::{Engine, Family};
use crate::facts::drives::Driver;
use crate::facts::gang::Verdict;
use crate::facts::placement::PoolClass;
use crate::metrics::{self, Class};

/// One metric of the plan.
struct Metric {
    class: Class,
    what: &'static str,
    /// What cannot be told without it.
    tells: &'static str,
    /// Words in the name of a series of the repository's own that may be this metric.
    words: &'static [&'static str],
}

const METRICS: [Metric; 5] = [
    Metric {
        class: Class::QueueDepth,
        what: "queue depth per replica",
        tells: "where requests wait",
        words: &["queue", "waiting", "pending_req", "backlog"],
    },
    Metric {
        class: Class::KvCache,
        what: "KV-cache use per replica",
        tells: "how full each one is",
        words: &["kv", "cache_usage", "token_usage"],
    },
    Metric {
        class: Class::NodeProvisionWait,
        what: "node provision wait",
        tells: "how long a new replica waits for its node",
        words: &["nodeclaim", "karpenter_pods", "provision", "unschedulable", "pending", "pod_status_phase"],
    },
    Metric {
        class: Class::GangDeferral,
        what: "gang-scheduling deferrals",
        tells: "which replicas wait for the rest of their GPUs",
        words: &["gang", "podgroup", "pod_group", "kai_", "kueue", "volcano", "pending", "unschedulable"],
    },
    Metric {
        class: Class::ConsolidationEvent,
        what: "consolidation events",
        tells: "which nodes Karpenter took away",
        words: &["consolidat", "disrupt", "deprovision", "terminated"],
    },
];

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let monitoring = &facts.monitoring;
    let Some(driver) = facts.serving() else { return vec![] };
    let watched = monitoring.is_of_the_plan();
    // A panel that cannot be read may be the one that seems to be missing.
    let unread = monitoring.dashboards.iter().any(|(_, dashboard)| dashboard.partial)
        || monitoring.charts.iter().any(|chart| chart.measured.unresolved);
    if !watched || unread {
        return vec![];
    }
    let missing: Vec<&Metric> = METRICS
        .iter()
        .filter(|metric| applies(context, driver, metric) && !is_shown(context, metric))
        .collect();
    if missing.is_empty() {
        return vec![];
    }
    let list: Vec<String> = missing.iter().map(|m| format!("{} ({})", m.what, m.tells)).collect();
    let message = format!("no dashboard or alert of this repository shows {}", listed(&list));
    let charts: Vec<String> =
        missing.iter().map(|metric| format!("`{}`", example(context, driver, metric.class))).collect();
    let mut finding = Finding::new(
        driver.object,
        "monitoring.panels",
        driver.scaler.span,
        "what this does cannot be told from the dashboards",
        message,
    )
    .help(format!("chart {}", listed(&charts)));
    if let Some((_, dashboard)) = monitoring.dashboards.first() {
        finding = finding.label(dashboard.span, "not on this dashboard");
    }
    if !monitoring.charts.iter().any(|chart| chart.is_panel() && chart.is_of_an_engine()) {
        // The dashboards of the engine are kept somewhere else, and may well show all of it.
        finding = finding.lower(Severity::Info).at_most(Severity::Warning);
    }
    vec![finding]
}

/// True where the inputs hold the thing that a metric is about.
fn applies(context: &Context<'_>, driver: &Driver<'_>, metric: &Metric) -> bool {
    let facts = context.facts;
    match metric.class {
        Class::QueueDepth | Class::KvCache => !facts
            .targets_of(driver)
            .filter_map(|unit| unit.engine.as_ref())
            .any(|e| is_silent(e, metric.class)),
        Class::NodeProvisionWait | Class::ConsolidationEvent => {
            facts.pools.iter().any(|pool| matches!(pool.class, PoolClass::Gpu | PoolClass::Mixed))
        }
        _ => facts.gangs.iter().any(|gang| {
            matches!(gang.verdict, Verdict::Present(_) | Verdict::Partial { .. } | Verdict::Absent { .. })
        }),
    }
}

/// True for an engine that exports no such series.
fn is_silent(engine: &Engine, class: Class) -> bool {
    match engine.family {
        Family::Ollama | Family::LlamaCpp | Family::Triton | Family::Other => true,
        // text-generation-inference has a queue, and no figure for its KV cache.
        Family::Tgi => class == Class::KvCache,
        _ => false,
    }
}

/// True where a dashboard or an alert shows a metric, or a series that nothing explains and that may be it.
fn is_shown(context: &Context<'_>, metric: &Metric) -> bool {
    let may_be = |name: &str| {
        let name = metrics::normalise(name);
        metric.words.iter().any(|word| name.contains(word))
    };
    context.facts.monitoring.charts.iter().any(|chart| {
        chart.shows(metric.class) || chart.measured.unexplained.iter().any(|(name, _)| may_be(name))
    })
}

/// A query that shows a metric.
fn example(context: &Context<'_>, driver: &Driver<'_>, class: Class) -> &'static str {
    let family = context.facts.targets_of(driver).find_map(|unit| unit.engine.as_ref()).map(|e| e.family);
    match (class, family) {
        (Class::QueueDepth, Some(Family::Sglang)) => "sum by (pod) (sglang:num_queue_reqs)",
        (Class::QueueDepth, Some(Family::TensorRtLlm)) => "sum by (pod) (trtllm_num_requests_waiting)",
        (Class::QueueDepth, Some(Family::Tgi)) => "sum by (pod) (tgi_queue_size)",
        (Class::QueueDepth, _) => "sum by (pod) (vllm:num_requests_waiting)",
        (Class::KvCache, Some(Family::Sglang)) => "max by (pod) (sglang:token_usage)",
        (Class::KvCache, Some(Family::TensorRtLlm)) => "max by (pod) (trtllm_kv_cache_utilization)",
        (Class::KvCache, _) => "max by (pod) (vllm:kv_cache_usage_perc)",
        (Class::NodeProvisionWait, _) => "karpenter_pods_provisioning_bound_duration_seconds",
        (Class::GangDeferral, _) => "kai_podgroups_acted_on_by_action - kai_podgroups_scheduled_by_action",
        _ => "increase(karpenter_nodeclaims_disrupted_total[1h])",
    }
}

/// "a, b and c".
fn listed(items: &[String]) -> String {
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
