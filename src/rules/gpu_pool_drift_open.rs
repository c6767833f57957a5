//! `gpu-pool-drift-open`: the budgets of a GPU pool leave drift unbounded.

use super::pool_words::covers;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::placement::PoolFact;
use crate::known::Known;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Some(budgets) = pool.pool.budgets.as_ref().filter(|_| pool.is_judged()) else { return vec![] };
    let covering: Vec<_> = budgets.iter().filter(|b| covers(b, "Drifted")).collect();
    if covering.iter().any(|b| b.schedule == Known::Absent) {
        return vec![];
    }
    let name = pool.name();
    let replaced = "a list of budgets replaces the default of 10 %, and what no budget covers is unlimited";
    let (message, severity) = if covering.is_empty() {
        let which = if budgets.is_empty() {
            "has an empty list of budgets"
        } else {
            "has budgets for other reasons than drift"
        };
        (
            format!(
                "GPU pool `{name}` {which}: {replaced}, so a new AMI or an edit of the template may replace every node at once"
            ),
            None,
        )
    } else {
        (
            format!(
                "the budgets of GPU pool `{name}` bound drift in certain hours only: {replaced}, so in all others every node may be replaced at once"
            ),
            Some(Severity::Info),
        )
    };
    let finding = Finding::new(
        pool.object,
        "spec.disruption.budgets",
        pool.pool.place.budgets,
        "drift is not bounded by these",
        message,
    )
    .help("add a budget without a schedule for it, for example `{nodes: \"1\", reasons: [Drifted]}`");
    vec![match severity {
        Some(severity) => finding.lower(severity),
        None => finding,
    }]
}
