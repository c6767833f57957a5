//! `scale-query-misused`: a series used in a way that its type does not allow.

use super::scaled::scales;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
use crate::facts::query::QueryFact;
use crate::metrics::{Misuse, bucket_bounds};
use std::ops::Range;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for (_, _, query) in driver.queried().filter(|(_, _, query)| query.own) {
        for misuse in query.query.misuses() {
            let Some(wrong) = explain(query, misuse) else { continue };
            let message = format!("{} on {}", scales(context, driver), wrong.what);
            let finding = Finding::new(
                driver.object,
                format!("signal.misuse.{}", wrong.id),
                query.text.slice(wrong.at),
                wrong.label,
                message,
            )
            .help(wrong.help);
            found.push(if wrong.empty { finding } else { finding.lower(Severity::Warning) });
        }
    }
    found
}

struct Wrong {
    id: &'static str,
    at: Range<usize>,
    label: &'static str,
    what: String,
    help: String,
    /// True where the query has no result at all.
    empty: bool,
}

fn explain(query: &QueryFact, misuse: Misuse) -> Option<Wrong> {
    match misuse {
        Misuse::RateOfGauge { .. } | Misuse::CumulativeWithoutRate { .. } | Misuse::LifetimeMean { .. } => {
            misleading(query, misuse)
        }
        Misuse::QuantileWithoutLe { .. } | Misuse::QuantileOfNoBuckets { .. } => no_quantile(query, misuse),
        Misuse::UnknownBucket { series, matcher } => unknown_bucket(query, series, matcher),
    }
}

/// A value that is there and says something else than is meant.
fn misleading(query: &QueryFact, misuse: Misuse) -> Option<Wrong> {
    let (index, id, label, why, help) = match misuse {
        Misuse::RateOfGauge { series } => (
            series,
            "rate-of-gauge",
            "a gauge",
            "each fall of a gauge counts as a restart from 0, so the value is noise",
            "use the gauge itself, or `avg_over_time` of it",
        ),
        Misuse::CumulativeWithoutRate { series } => (
            series,
            "total",
            "counts from the start of the process",
            "it is a total since the process began, so it grows without load and falls with a restart",
            "take `rate(…[2m])` of it",
        ),
        Misuse::LifetimeMean { series } => (
            series,
            "lifetime-mean",
            "a total since the process began",
            "that is the mean since the process began, which a spike of minutes hardly moves",
            "take `rate(…[2m])` of the sum and of the count",
        ),
        _ => return None,
    };
    let (at, name) = series_at(query, index)?;
    let what = match misuse {
        Misuse::RateOfGauge { .. } => format!("the rate of the gauge `{name}`: {why}"),
        Misuse::LifetimeMean { .. } => format!("`{name}` over its count, both without a rate: {why}"),
        _ => format!("`{name}` without a rate: {why}"),
    };
    Some(Wrong { id, at, label, what, help: help.to_owned(), empty: false })
}

/// A quantile that has no buckets to come from.
fn no_quantile(query: &QueryFact, misuse: Misuse) -> Option<Wrong> {
    let (index, id, label, why, help) = match misuse {
        Misuse::QuantileWithoutLe { series } => (
            series,
            "quantile-without-le",
            "the aggregation around it drops `le`",
            "whose aggregation drops the label `le`: no buckets are left, so there is no value",
            "keep the bounds of the buckets: `sum by (le) (rate(…))`",
        ),
        Misuse::QuantileOfNoBuckets { series } => (
            series,
            "quantile-of-no-buckets",
            "no buckets",
            "which has no buckets, so there is no value",
            "take the series that ends in `_bucket`",
        ),
        _ => return None,
    };
    let (at, name) = series_at(query, index)?;
    let what = format!("a quantile of `{name}`, {why}");
    Some(Wrong { id, at, label, what, help: help.to_owned(), empty: true })
}

fn unknown_bucket(query: &QueryFact, series: usize, matcher: usize) -> Option<Wrong> {
    let (_, name) = series_at(query, series)?;
    let matcher = query.query.series.get(series)?.matchers.get(matcher)?;
    let nearest = nearest(&name, &matcher.value);
    let hint = nearest.map_or(String::new(), |bound| format!("; the nearest is \"{bound}\""));
    let what = format!(
        "the bucket le=\"{}\" of `{name}`, which has none with this bound{hint}: the selector matches nothing, so there is no value",
        matcher.value
    );
    let help = match nearest {
        Some(bound) => format!("ask for a bound that exists, spelled as exported: `le=\"{bound}\"`"),
        None => "ask for a bound that exists, spelled as exported".to_owned(),
    };
    Some(Wrong {
        id: "unknown-bucket",
        at: matcher.range.clone(),
        label: "no such bucket",
        what,
        help,
        empty: true,
    })
}

/// The bytes of a series in its query, and its name.
fn series_at(query: &QueryFact, index: usize) -> Option<(Range<usize>, String)> {
    let series = query.query.series.get(index)?;
    Some((series.range.clone(), series.exact_name()?.to_owned()))
}

/// The bound of a histogram that is nearest to a number, as the exporter spells it.
fn nearest(series: &str, wanted: &str) -> Option<&'static str> {
    let wanted: f64 = wanted.parse().ok()?;
    let bounds = bucket_bounds(series)?.iter().filter_map(|bound| Some((*bound, bound.parse::<f64>().ok()?)));
    let finite = bounds.filter(|(_, value)| value.is_finite());
    let distance = |value: f64| (value - wanted).abs();
    finite.min_by(|(_, a), (_, b)| distance(*a).total_cmp(&distance(*b))).map(|(bound, _)| bound)
}
