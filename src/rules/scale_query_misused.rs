//! `scale-query-misused`: a series used in a way that its type does not allow.

use super::scaled::goal;
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
            let message = format!("{} scales {} on {}", driver.title(), goal(context, driver), wrong.what);
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
    let series_at = |index: usize| {
        let series = query.query.series.get(index)?;
        Some((series, series.exact_name()?.to_owned()))
    };
    Some(match misuse {
        Misuse::RateOfGauge { series } => {
            let (series, name) = series_at(series)?;
            Wrong {
                id: "rate-of-gauge",
                at: series.range.clone(),
                label: "a gauge",
                what: format!(
                    "the rate of the gauge `{name}`: each fall of a gauge counts as a restart from 0, so the value is noise"
                ),
                help: "use the gauge itself, or `avg_over_time` of it".to_owned(),
                empty: false,
            }
        }
        Misuse::CumulativeWithoutRate { series } => {
            let (series, name) = series_at(series)?;
            Wrong {
                id: "total",
                at: series.range.clone(),
                label: "counts from the start of the process",
                what: format!(
                    "`{name}` without a rate: it is a total since the process began, so it grows without load and falls with a restart"
                ),
                help: "take `rate(…[2m])` of it".to_owned(),
                empty: false,
            }
        }
        Misuse::LifetimeMean { series } => {
            let (series, name) = series_at(series)?;
            Wrong {
                id: "lifetime-mean",
                at: series.range.clone(),
                label: "a total since the process began",
                what: format!(
                    "`{name}` over its count without a rate: that is the mean since the process began, which a spike of minutes hardly moves"
                ),
                help: "take `rate(…[2m])` of the sum and of the count".to_owned(),
                empty: false,
            }
        }
        Misuse::QuantileWithoutLe { series } => {
            let (series, name) = series_at(series)?;
            Wrong {
                id: "quantile-without-le",
                at: series.range.clone(),
                label: "the aggregation around it drops `le`",
                what: format!(
                    "a quantile of `{name}` whose aggregation drops the label `le`: no buckets are left, so there is no value"
                ),
                help: "keep the bounds of the buckets: `sum by (le) (rate(…))`".to_owned(),
                empty: true,
            }
        }
        Misuse::QuantileOfNoBuckets { series } => {
            let (series, name) = series_at(series)?;
            Wrong {
                id: "quantile-of-no-buckets",
                at: series.range.clone(),
                label: "no buckets",
                what: format!("a quantile of `{name}`, which has no buckets, so there is no value"),
                help: "take the series that ends in `_bucket`".to_owned(),
                empty: true,
            }
        }
        Misuse::UnknownBucket { series, matcher } => {
            let (series, name) = series_at(series)?;
            let matcher = series.matchers.get(matcher)?;
            let nearest = nearest(&name, &matcher.value);
            let hint = nearest.map_or(String::new(), |bound| format!("; the nearest is \"{bound}\""));
            Wrong {
                id: "unknown-bucket",
                at: matcher.range.clone(),
                label: "no such bucket",
                what: format!(
                    "the bucket le=\"{}\" of `{name}`, which has none with this bound{hint}: the selector matches nothing, so there is no value",
                    matcher.value
                ),
                help: match nearest {
                    Some(bound) => {
                        format!("ask for a bound that exists, spelled as exported: `le=\"{bound}\"`")
                    }
                    None => "ask for a bound that exists, spelled as exported".to_owned(),
                },
                empty: true,
            }
        }
    })
}

/// The bound of a histogram that is nearest to a number, as the exporter spells it.
fn nearest(series: &str, wanted: &str) -> Option<&'static str> {
    let wanted: f64 = wanted.parse().ok()?;
    let bounds = bucket_bounds(series)?.iter().filter_map(|bound| Some((*bound, bound.parse::<f64>().ok()?)));
    let finite = bounds.filter(|(_, value)| value.is_finite());
    let distance = |value: f64| (value - wanted).abs();
    finite.min_by(|(_, a), (_, b)| distance(*a).total_cmp(&distance(*b))).map(|(bound, _)| bound)
}
