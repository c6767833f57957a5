//! `scale-ratio-averaged`: a mean of fractions under AverageValue, which cannot ask for more than a few replicas.

use super::scaled::{goal, has_hpa_arithmetic, node_at, number, operator, place, replicas};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::drives::Driver;
use crate::facts::query::QueryFact;
use crate::kinds::scaler::{Signal, SignalKind, TargetType};
use crate::metrics::{Aggregation, Grouping, Outer, Unit};

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    if !has_hpa_arithmetic(driver) {
        return vec![];
    }
    let Some(max) = driver.scaler.max.value().copied() else { return vec![] };
    let min = driver.scaler.min.value().copied();
    let capped: Vec<(&Signal, &QueryFact, Cap)> = driver
        .queried()
        .filter_map(|(signal, _, query)| Some((signal, query, cap(signal, query)?)))
        .filter(|(_, _, cap)| cap.replicas < u64::from(max))
        .collect();
    let alone = capped.len() == driver.signals.len();
    let found = capped.into_iter().map(|(signal, query, cap)| {
        let (word, part) = outer_word(query);
        let effect = match min {
            // Beside another signal the larger answer holds.
            _ if !alone => "it adds nothing beyond that".to_owned(),
            Some(min) if u64::from(min) >= cap.replicas => {
                format!("it never asks for more than its minimum of {min}")
            }
            _ => format!("it pulls a pool of {max} full replicas down to {}", cap.replicas),
        };
        let (full, target) = (number(cap.full), number(cap.target));
        let message = format!(
            "{} cannot ask for more than {} of {} by this signal: AverageValue divides the value by the target alone, {word} of a {} is at most {full}, and ceil({full} / {target}) = {}, so {effect}",
            driver.title(),
            replicas(cap.replicas),
            goal(context, driver),
            if cap.full > 1.0 { "percentage" } else { "fraction" },
            cap.replicas
        );
        let span = place(query, signal.span, part);
        let mut finding = Finding::new(driver.object, "signal.ratio", span, "the same size at any number of replicas", message)
            .help("sum the fraction over the replicas, or compare the mean as `Value`");
        if let Some(target) = signal.target.span() {
            finding = finding.label(target, "under AverageValue");
        }
        if !query.own {
            finding = finding.label(query.text.span(), "the adapter's query");
        }
        finding = finding.fix("Sum over the replicas", Applicability::Unsafe, sum_instead(driver, query));
        if alone { finding } else { finding.lower(Severity::Warning) }
    });
    found.collect()
}

/// The most replicas that a signal can ask for.
struct Cap {
    full: f64,
    target: f64,
    replicas: u64,
}

fn cap(signal: &Signal, query: &QueryFact) -> Option<Cap> {
    let averaged = signal.target_type == TargetType::AverageValue && signal.kind != SignalKind::PodsMetric;
    if !averaged || !query.is_ratio_aggregate() {
        return None;
    }
    let full = if query.shape.unit == Some(Unit::Percent) { 100.0 } else { 1.0 };
    let target = *signal.target.value()?;
    // A target in another unit is a trouble of its own.
    if !(full / 100.0..=full).contains(&target) || target <= full / 100.0 {
        return None;
    }
    Some(Cap { full, target, replicas: (full / target - 1e-9).ceil() as u64 })
}

/// What makes the value a mean, for people, and where it stands in the query.
fn outer_word(query: &QueryFact) -> (&'static str, Option<std::ops::Range<usize>>) {
    let word = match query.query.outer() {
        Outer::Aggregate { op: Aggregation::Avg, .. } => "avg",
        Outer::Aggregate { op: Aggregation::Max, .. } => "max",
        Outer::Aggregate { op: Aggregation::Min, .. } => "min",
        Outer::Aggregate { op: Aggregation::Quantile, .. } => "quantile",
        _ => return ("a mean", None),
    };
    let shown = match word {
        "avg" => "`avg`",
        "max" => "`max`",
        "min" => "`min`",
        _ => "`quantile`",
    };
    (shown, operator(&query.text.value, word))
}

/// `sum` in the place of `avg`: under AverageValue the sum over the target is the number of replicas that fit.
fn sum_instead(driver: &Driver<'_>, query: &QueryFact) -> Vec<Edit> {
    let mean = Outer::Aggregate { op: Aggregation::Avg, grouping: Grouping::All };
    let editable = query.own
        && query.query.outer() == mean
        && node_at(driver.object.root(), query.text.span()).is_some();
    let range = operator(&query.text.value, "avg").filter(|_| editable);
    range
        .map(|range| Edit { span: query.text.slice(range), replacement: "sum".to_owned() })
        .into_iter()
        .collect()
}
