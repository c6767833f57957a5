//! `scale-query-many-series`: a query that returns one element for each replica, which KEDA refuses.

use super::scaled::{exporter, goal, node_at, operator, place};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit};
use crate::facts::drives::Driver;
use crate::facts::query::QueryFact;
use crate::kinds::scaler::{Controller, Signal, TargetType};
use crate::metrics::{Grouping, Outer, Unit};
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let keda = matches!(driver.scaler.controller, Controller::Keda | Controller::Kserve);
    let single = driver.scaler.max.value().is_some_and(|max| *max <= 1);
    if !keda || single {
        return vec![];
    }
    let mut found = Vec::new();
    for (signal, measured, query) in driver.queried() {
        // What stands in front of the pods may export one series for ever.
        let of_pods = measured.measures.iter().any(|m| exporter(m).is_some());
        if query.shape.many != Some(true) || !query.own || !of_pods {
            continue;
        }
        let (what, span) = culprit(query, signal.span);
        let message = format!(
            "KEDA refuses this query as soon as {} has two replicas: {what}, and a result of several elements is an error (`returned multiple elements`), so nothing scales",
            goal(context, driver)
        );
        found.push(Finding::new(
            driver.object,
            "signal.many-series",
            span,
            "one element for each series",
            message,
        )
        .help("aggregate to one element: `sum(…)` under AverageValue, `avg(…)` of a fraction under Value")
        .fix("Aggregate over the replicas", Applicability::Unsafe, aggregated(driver, signal, query)));
    }
    found
}

/// What keeps the elements apart, for people, and where it stands.
fn culprit(query: &QueryFact, signal: Span) -> (String, Span) {
    match query.query.outer() {
        Outer::Aggregate { grouping: Grouping::By(labels), .. } => {
            let by = operator(&query.text.value, "by");
            (format!("`by ({})` keeps one element for each", labels.join(", ")), place(query, signal, by))
        }
        Outer::Aggregate { grouping: Grouping::Without(labels), .. } => {
            let without = operator(&query.text.value, "without");
            let what = format!("`without ({})` keeps every other label", labels.join(", "));
            (what, place(query, signal, without))
        }
        _ => {
            let name = query.query.series.first().map(|series| series.range.clone());
            ("no aggregation joins the series of the replicas".to_owned(), place(query, signal, name))
        }
    }
}

/// The query inside an aggregation that fits the target.
fn aggregated(driver: &Driver<'_>, signal: &Signal, query: &QueryFact) -> Vec<Edit> {
    let text = &query.text;
    let plain = query.query.outer() == Outer::Vector && !text.value.contains('\n');
    let editable = plain && node_at(driver.object.root(), text.span()).is_some();
    let open = match (signal.target_type, query.shape.unit) {
        (TargetType::AverageValue, _) => "sum(",
        (TargetType::Value, Some(Unit::Ratio | Unit::Percent)) => "avg(",
        _ => return vec![],
    };
    let (first, last) = (text.value.chars().next(), text.value.chars().last());
    let (true, Some(first), Some(last)) = (editable, first, last) else { return vec![] };
    let start = text.slice(0..first.len_utf8());
    let end = text.slice(text.value.len() - last.len_utf8()..text.value.len());
    let insert =
        |at: usize, text: &str| Edit { span: Span::new(start.file, at, at), replacement: text.to_owned() };
    vec![insert(start.start as usize, open), insert(end.end as usize, ")")]
}
