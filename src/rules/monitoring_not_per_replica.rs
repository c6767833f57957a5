//! `monitoring-not-per-replica`: a dashboard shows queue depth or KV use as one number for all replicas.

use super::{Context, Finding};
use crate::facts::monitoring::Chart;
use crate::facts::renames::Measure;
use crate::kinds::dashboard::Language;
use crate::metrics::{Aggregation, Class, Grouping, MatchOp, MetricType, Outer, Query, SeriesRef};

/// Labels that tell the replicas of a pool apart: of the scrape, of Ray, of the routers in front of an engine.
const REPLICA: &[&str] = &[
    "pod",
    "instance",
    "pod_name",
    "kubernetes_pod_name",
    "exported_pod",
    "exported_instance",
    "model_server_pod",
    "endpoint",
    "server",
    "backend",
    "replica",
    "worker",
    "worker_id",
    "WorkerId",
    "hostname",
    "node",
];

/// Exporters that speak for one replica each. What stands in front of the replicas has no replicas to tell apart.
const ENGINES: &[&str] = &["vLLM", "SGLang", "TensorRT-LLM", "TGI", "LMDeploy", "NIM", "xLLM", "Triton"];

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    if context.facts.serving().is_none() {
        return vec![];
    }
    let per_class = [(Class::QueueDepth, "queue depth"), (Class::KvCache, "KV-cache use")];
    per_class.into_iter().filter_map(|(class, what)| joined(context, class, what)).collect()
}

/// The finding about a class of which every query joins the replicas.
fn joined<'a>(context: &Context<'a>, class: Class, what: &str) -> Option<Finding<'a>> {
    let charts = context.facts.monitoring.charts.iter();
    let mut places = Vec::new();
    for (chart, measure) in charts.flat_map(|chart| chart.measured.of(class).map(move |m| (chart, m))) {
        match is_apart(chart, measure) {
            Some(false) if chart.is_panel() => places.push((chart, measure)),
            Some(false) => {}
            _ => return None,
        }
    }
    let ((chart, measure), others) = places.split_first()?;
    let message = format!(
        "{} shows {what} as one number for all replicas: one that is full, or that no request reaches, disappears in it",
        chart.title()
    );
    let mut finding = Finding::new(
        chart.object,
        format!("monitoring.replica.{}", measure.name),
        measure.span,
        "joined over the replicas",
        message,
    )
    .help(format!(
        "chart `{} by (pod) ({})`",
        if class == Class::KvCache { "max" } else { "sum" },
        measure.name
    ));
    for (_, measure) in others.iter().take(2) {
        finding = finding.label(measure.span, "joined here too");
    }
    Some(finding)
}

/// True where a query keeps the replicas apart, false where it joins them into a sum or a mean. None where it cannot be
/// told, or where it shows the fullest replica, which is what one looks for.
fn is_apart(chart: &Chart<'_>, measure: &Measure) -> Option<bool> {
    let entry = measure.entry.filter(|_| measure.steps.is_empty())?;
    let speaks_for_one = ENGINES.iter().any(|engine| entry.source.starts_with(engine));
    if entry.pool_mean || entry.kind != MetricType::Gauge || !speaks_for_one {
        return None;
    }
    match chart.language {
        Language::Filter(None) => return Some(true),
        Language::Filter(Some(kept)) => {
            return Some(kept.iter().any(|label| REPLICA.contains(&label.as_str())));
        }
        Language::Other => return None,
        Language::PromQl => {}
    }
    let query = chart.query.as_ref()?;
    let (at, series) = query
        .series
        .iter()
        .enumerate()
        .find(|(_, series)| chart.text.slice(series.range.clone()) == measure.span)?;
    if names_a_replica(series) {
        return Some(true);
    }
    let apart = query.keeps_apart(at, &keeps_replicas)?;
    if apart { Some(true) } else { is_sum_or_mean(query).then_some(false) }
}

/// True where a matcher picks replicas, as a variable of the dashboard does.
fn names_a_replica(series: &SeriesRef) -> bool {
    series.more_matchers
        || series.matchers.iter().any(|matcher| {
            let picks = matcher.templated || matcher.op == MatchOp::Equal;
            picks && REPLICA.contains(&matcher.label.as_str())
        })
}

fn keeps_replicas(grouping: &Grouping) -> Option<bool> {
    match grouping {
        // Of the labels of a scrape, either one is enough.
        Grouping::Without(dropped) => {
            Some(!["pod", "instance"].iter().all(|l| dropped.iter().any(|d| d == l)))
        }
        grouping => REPLICA.iter().try_fold(false, |kept, label| Some(kept | grouping.keeps(label)?)),
    }
}

fn is_sum_or_mean(query: &Query) -> bool {
    matches!(query.outer(), Outer::Aggregate { op: Aggregation::Sum | Aggregation::Avg, .. })
}
