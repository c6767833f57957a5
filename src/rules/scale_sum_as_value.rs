//! `scale-sum-as-value`: a total over the replicas under Value, which multiplies by their number.

use super::scaled::{goal, has_hpa_arithmetic, measures_load, number, operator, place};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::drives::Driver;
use crate::facts::query::QueryFact;
use crate::facts::renames::Measured;
use crate::kinds::scaler::{Signal, SignalKind, TargetType};
use crate::metrics::{Aggregation, Class, Growth, Outer};
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let single = driver.scaler.max.value().is_some_and(|max| *max <= 1);
    if !has_hpa_arithmetic(driver) || single {
        return vec![];
    }
    let mut found = Vec::new();
    for ((signal, measured), query) in driver.signals.iter().zip(&driver.queries) {
        if signal.target_type != TargetType::Value {
            continue;
        }
        let Some(target) = signal.target.value().copied().filter(|target| *target > 0.0) else { continue };
        let Some(total) = total(signal, measured, query.as_ref()) else { continue };
        let goal = goal(context, driver);
        let busy = (target * 1.5).ceil().max(target + 1.0);
        let message = format!(
            "{} runs away: under Value each decision multiplies the replicas of {goal} by {total} over {}, and more replicas do not make a total smaller; at a constant {} it asks for {}",
            driver.title(),
            number(target),
            number(busy),
            steps(busy / target, driver)
        );
        let part = query.as_ref().and_then(|q| operator(&q.text.value, "sum"));
        let span = query.as_ref().map_or(signal.span, |q| place(q, signal.span, part));
        let mut finding =
            Finding::new(driver.object, "signal.total", span, "a total over all replicas", message)
                .help("compare a total as AverageValue, with what one replica takes as the target");
        if let Some(at) = signal.target.span() {
            finding = finding.label(at, "under Value");
        }
        if let Some(query) = query.as_ref().filter(|query| !query.own) {
            finding = finding.label(query.text.span(), "the adapter's query");
        }
        finding = finding.fix("Compare as AverageValue", Applicability::Unsafe, edits(driver, signal));
        // Without the adapter's query a name may stand for a mean.
        found.push(if query.is_some() { finding } else { finding.at_most(Severity::Info) });
    }
    found
}

/// What is a total here, for people.
fn total(signal: &Signal, measured: &Measured, query: Option<&QueryFact>) -> Option<&'static str> {
    if let Some(query) = query {
        let of_replicas = !matches!(query.query.outer(), Outer::Aggregate { op: Aggregation::Count, .. });
        return (query.shape.growth == Growth::Additive && of_replicas).then_some("the sum");
    }
    let named = matches!(signal.kind, SignalKind::ObjectMetric | SignalKind::ExternalMetric);
    let counts = measured.measures.iter().all(|m| {
        matches!(m.class, Class::QueueDepth | Class::RunningRequests) && m.entry.is_some_and(|e| !e.pool_mean)
    });
    (named && counts && measured.is_complete() && measures_load(measured))
        .then_some("the value (a sum by an adapter's usual query)")
}

/// The numbers of replicas that a constant ratio above 1 leads to, from the minimum on.
fn steps(ratio: f64, driver: &Driver<'_>) -> String {
    let min = driver.scaler.min.value().copied().unwrap_or(1).max(1);
    let max = driver.scaler.max.value().copied().unwrap_or(u32::MAX);
    let mut replicas = f64::from(min);
    let mut shown = vec![number(replicas)];
    for _ in 0..4 {
        replicas = (replicas * ratio).ceil();
        if replicas >= f64::from(max) {
            shown.push(format!("{max}, its maximum"));
            return shown.join(", ");
        }
        shown.push(number(replicas));
    }
    format!("{}, …", shown.join(", "))
}

/// The word of a KEDA trigger's `metricType`.
fn edits(driver: &Driver<'_>, signal: &Signal) -> Vec<Edit> {
    let Some(span) = signal.type_span else { return vec![] };
    let node = super::scaled::node_at(driver.object.root(), span);
    node.and_then(|node| edit::replace_scalar(node, "AverageValue")).into_iter().collect()
}
