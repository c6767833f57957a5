//! Readings of a pool that several rules need.

use super::Context;
use crate::facts::machines::in_list;
use crate::facts::placement::PoolFact;
use crate::kinds::node_labels::{Key, key_kind};
use crate::kinds::pods::PodTemplate;
use crate::kinds::pool::{Budget, Requirement};
use crate::known::Known;
use crate::source::Span;

/// The capacity types that a pool lists, with the place. None where it lists none, or a template decides.
pub(super) fn capacity<'a>(pool: &'a PoolFact<'_>) -> Option<(Vec<&'a str>, Span)> {
    let mut stated = requirements(pool, Key::Capacity);
    let first = stated.next()?;
    let mut values = in_list(first)?;
    for other in stated {
        let more = in_list(other)?;
        values.retain(|v| more.contains(v));
    }
    Some((values, first.span))
}

/// The requirements on a key of this sort.
pub(super) fn requirements<'a>(pool: &'a PoolFact<'_>, key: Key) -> impl Iterator<Item = &'a Requirement> {
    pool.pool.requirements.iter().filter(move |r| key_kind(&r.key).is_some_and(|(kind, _)| kind == key))
}

/// A limit of a pool.
pub(super) fn limit<'a>(pool: &'a PoolFact<'_>, of: impl Fn(&str) -> bool) -> Option<(&'a Known<f64>, Span)> {
    pool.pool.limits.iter().find(|(name, _, _)| of(name)).map(|(_, value, span)| (value, *span))
}

/// True for a budget that lets no node be disrupted for this reason.
pub(super) fn closes(budget: &Budget, reason: &str) -> bool {
    covers(budget, reason) && budget.nodes.value().is_some_and(|n| n == "0" || n == "0%")
}

/// True for a budget that holds for this reason, or may.
pub(super) fn covers(budget: &Budget, reason: &str) -> bool {
    budget.reasons.is_empty() || budget.reasons.iter().any(|r| r.value().is_none_or(|r| r == reason))
}

/// A list for people: "`a`, `b` and 3 more".
pub(super) fn some_of<'a>(words: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let shown = words.iter().take(most).map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
    match words.len().checked_sub(most) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// Where a pod says that Karpenter may not evict it. Other values than `true` and a positive duration count as nothing.
/// Source: kubernetes-sigs/karpenter, pkg/utils/pod/scheduling.go.
pub(super) fn do_not_disrupt(pod: &PodTemplate) -> Option<Span> {
    let pair = pod.meta.annotations.pair("karpenter.sh/do-not-disrupt")?;
    (pair.value.value()? == "true").then_some(pair.key_span)
}

/// True for the first GPU pool that uses its node class, so that a class is reported once.
pub(super) fn first_of_class<'a>(context: &Context<'a>, pool: &PoolFact<'a>) -> bool {
    let Some((class, _)) = pool.node_class.filter(|_| pool.is_judged()) else { return false };
    let uses = |p: &&PoolFact<'_>| p.is_judged() && p.node_class.is_some_and(|(c, _)| std::ptr::eq(c, class));
    context.facts.pools.iter().find(uses).is_some_and(|first| std::ptr::eq(first.object, pool.object))
}
