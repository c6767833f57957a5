//! `gpu-pool-spot-serving`: an engine that serves under an SLO may run on spot nodes only.

use super::pool_words::capacity;
use super::{Context, Finding, object_ref};
use crate::diagnostic::Severity;
use crate::facts::landing::{Fit, Landing, fit, on_pool, serves, untolerated};
use crate::facts::placement::PoolFact;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Some((values, span)) = capacity(pool).filter(|(v, _)| pool.is_judged() && v.contains(&"spot")) else {
        return vec![];
    };
    let landed = on_pool(context.facts, pool);
    let exposed = landed.iter().filter(|l| serves(l.unit) && !has_floor(context, pool, l));
    let mut exposed: Vec<(bool, &Landing<'_, '_>)> = exposed.map(|l| (is_critical(context, l), l)).collect();
    // What an SLO is declared for comes first.
    exposed.sort_by_key(|(critical, l)| (!critical, l.unit.id));
    let Some((critical, first)) = exposed.first() else { return vec![] };
    let only = values.len() == 1;
    let how = if only { "buys spot nodes only" } else { "tries spot before on-demand" };
    let whose = if *critical { ", for which gpulint.yaml declares an SLO," } else { "" };
    let others = match exposed.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let message = format!(
        "GPU pool `{}` {how}, and {}{others}{whose} serves from it: a spot node is taken back two minutes after the notice, less than a model takes to load",
        pool.name(),
        first.unit.title(),
    );
    let finding = Finding::new(pool.object, "spec.template.spec.requirements.capacity-type", span, "spot is allowed", message)
        .label(first.span, if first.chosen { "chooses this pool" } else { "has no other GPU pool here" })
        .help("serve from a pool with on-demand or reserved capacity, and keep spot for a second pool of lower weight");
    vec![match (*critical, only) {
        (true, _) => finding,
        (false, true) => finding.lower(Severity::Warning).at_most(Severity::Warning),
        (false, false) => finding.lower(Severity::Info).at_most(Severity::Warning),
    }]
}

/// True where the configuration declares an SLO for the workload.
fn is_critical(context: &Context<'_>, landing: &Landing<'_, '_>) -> bool {
    let declared = context.config.workload(&object_ref(landing.unit.object));
    declared.is_some_and(|w| w.slo_critical.value() == Some(&true) || w.p99_ttft.value().is_some())
}

/// True where the pods can run on another GPU pool that buys no spot nodes.
fn has_floor(context: &Context<'_>, pool: &PoolFact<'_>, landing: &Landing<'_, '_>) -> bool {
    context.facts.pools.iter().any(|other| {
        !std::ptr::eq(other.object, pool.object)
            && other.is_judged()
            && fit(landing.pod, other) != Fit::No
            && untolerated(landing.pod, other).is_empty()
            && !capacity(other).is_some_and(|(values, _)| values.contains(&"spot"))
    })
}
