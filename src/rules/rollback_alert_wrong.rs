//! `rollback-alert-wrong`: an alert on the time to first token that misses slow requests.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::monitoring::{Chart, Statistic};
use crate::metrics::{Class, Misuse};
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    if facts.serving().is_none() {
        return vec![];
    }
    let alerts: Vec<(&'a Chart<'a>, Statistic)> = facts.monitoring.first_token_alerts().collect();
    // Beside an alert on the tail, one on the mean does no harm.
    let has_tail = alerts.iter().any(|(chart, statistic)| statistic.follows_the_tail() && !is_broken(chart));
    alerts
        .into_iter()
        .filter_map(|(chart, statistic)| {
            if is_broken(chart) {
                return Some(broken(chart));
            }
            if has_tail { None } else { wrong(chart, statistic) }
        })
        .collect()
}

/// True where the alert joins the buckets of its histogram.
fn is_broken(chart: &Chart<'_>) -> bool {
    let misuses = chart.query.iter().flat_map(|query| query.misuses());
    misuses
        .into_iter()
        .any(|misuse| matches!(misuse, Misuse::QuantileWithoutLe { .. } | Misuse::QuantileOfNoBuckets { .. }))
}

fn broken<'a>(chart: &'a Chart<'a>) -> Finding<'a> {
    let message = format!(
        "{} never fires: the aggregation drops the label `le`, and without it `histogram_quantile` has no buckets to read",
        chart.title()
    );
    Finding::new(chart.object, field(chart), place(chart), "its buckets are joined", message)
        .help("aggregate with `sum by (le) (rate(…_bucket[5m]))`")
}

fn wrong<'a>(chart: &'a Chart<'a>, statistic: Statistic) -> Option<Finding<'a>> {
    let (label, message, near) = match statistic {
        Statistic::Mean => (
            "the mean",
            format!(
                "{} follows the mean time to first token: while one request in a hundred waits for minutes, the mean of all stays short",
                chart.title()
            ),
            false,
        ),
        Statistic::Quantile(quantile) if quantile < 0.99 => (
            "not the 99th percentile",
            format!(
                "{} follows the {} percentile of the time to first token: the plan's limit is on the 99th, and up to {} % of the requests can miss it unseen",
                chart.title(),
                ordinal(quantile),
                number(100.0 * (1.0 - quantile)),
            ),
            quantile >= 0.9,
        ),
        _ => return None,
    };
    let finding = Finding::new(chart.object, field(chart), place(chart), label, message)
        .help("alert on `histogram_quantile(0.99, sum by (le) (rate(…_bucket[5m])))`");
    Some(if near { finding.lower(Severity::Info) } else { finding })
}

fn field(chart: &Chart<'_>) -> String {
    format!("rollback.{}", chart.title().replace(' ', "-"))
}

fn place(chart: &Chart<'_>) -> Span {
    chart.measured.of(Class::Ttft).map(|measure| measure.span).min().unwrap_or_else(|| chart.text.span())
}

/// "95th" for 0.95, "50th" for 0.5.
fn ordinal(quantile: f64) -> String {
    format!("{}th", number(100.0 * quantile))
}

/// At most one decimal place.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
