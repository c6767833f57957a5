//! `gpu-pool-kai-label`: KAI Scheduler cannot tell the nodes of a GPU pool by their labels.

use super::pool_words::some_of;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::placement::PoolFact;
use crate::kinds::gang::{GangScheduler, HintKind};
use crate::kinds::pool::Requirement;
use crate::known::Known;
use crate::source::Span;
use std::collections::BTreeMap;

/// The label by which shards of KAI Scheduler share out nodes, queues and pods.
/// Source: kai-scheduler/KAI-Scheduler, docs/operator/scheduling-shards.md.
const LABEL: &str = "kai.scheduler/node-pool";

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() || !uses_kai(context) {
        return vec![];
    }
    let wanted = wanted(context);
    let found = match pool.pool.requirements.iter().find(|r| r.key == LABEL) {
        Some(label) => unknown_shard(pool, label, &wanted),
        None if wanted.is_empty() => Some(default_shard(pool)),
        None => unserved_shard(context, pool, &wanted),
    };
    found.into_iter().collect()
}

/// The pool's value is none that a queue or workload has.
fn unknown_shard<'a>(
    pool: &'a PoolFact<'a>,
    label: &Requirement,
    wanted: &BTreeMap<String, Span>,
) -> Option<Finding<'a>> {
    let Some(Known::Set(value, span)) = label.values.first() else { return None };
    if wanted.is_empty() || wanted.contains_key(value) {
        return None;
    }
    let known = some_of(wanted.keys().map(String::as_str), 4);
    let message = format!(
        "GPU pool `{}` labels its nodes for the shard `{value}`, to which no queue or workload here belongs (theirs: {known}): KAI Scheduler places none of them there",
        pool.name()
    );
    Some(
        Finding::new(pool.object, FIELD, *span, "no queue of this shard", message)
            .help("use the value that the queues and the workloads carry")
            .at_most(Severity::Warning),
    )
}

/// A shard has queues or workloads, and no pool makes nodes for it.
fn unserved_shard<'a>(
    context: &Context<'a>,
    pool: &'a PoolFact<'a>,
    wanted: &BTreeMap<String, Span>,
) -> Option<Finding<'a>> {
    let labels = context.facts.pools.iter().flat_map(|p| &p.pool.requirements).filter(|r| r.key == LABEL);
    let given: Vec<&Known<String>> = labels.flat_map(|r| &r.values).collect();
    let serves = |value: &String| given.iter().any(|v| v.value().is_none_or(|v| v == value));
    let (value, span) = wanted.iter().find(|(value, _)| !serves(value))?;
    let message = format!(
        "GPU pool `{}` does not label its nodes with `{LABEL}`, and no other pool does so with `{value}`: a shard of KAI Scheduler sees only nodes that carry its value, so its pods stay Pending",
        pool.name()
    );
    Some(
        Finding::new(pool.object, FIELD, pool.pool.place.labels, format!("no label `{LABEL}`"), message)
            .label(*span, format!("belongs to `{value}`"))
            .help(format!(
                "add `{LABEL}: {value}` to `spec.template.metadata.labels`; it is part of the drift hash, so Karpenter replaces the nodes of the pool one by one"
            )),
    )
}

/// One shard takes every node: it works, and leaves no way to tell these nodes.
fn default_shard<'a>(pool: &'a PoolFact<'a>) -> Finding<'a> {
    let message = format!(
        "GPU pool `{}` does not label its nodes with `{LABEL}`: KAI Scheduler's default shard takes them with all other nodes without it, and no second shard can be given these",
        pool.name()
    );
    Finding::new(pool.object, FIELD, pool.pool.place.labels, format!("no label `{LABEL}`"), message)
        .lower(Severity::Info)
        .help(format!(
            "add the label `{LABEL}` to `spec.template.metadata.labels`, or leave it where one shard is all that you mean to have"
        ))
}

const FIELD: &str = "spec.template.metadata.labels.kai.scheduler/node-pool";

fn uses_kai(context: &Context<'_>) -> bool {
    let hints = context.facts.inventory.objects.iter().flat_map(|o| &o.model.hints);
    let mut hints = hints.filter(|h| h.kind == HintKind::Uses(GangScheduler::Kai));
    let named = || {
        let sets = context.facts.units.iter().flat_map(|u| &u.workload.sets);
        sets.filter_map(|s| s.template.scheduler.value())
            .any(|s| GangScheduler::of_name(s) == Some(GangScheduler::Kai))
    };
    hints.next().is_some() || named()
}

/// The shards that queues and workloads name, with a place each.
fn wanted(context: &Context<'_>) -> BTreeMap<String, Span> {
    let queues = context.facts.queues.iter().map(|q| q.queue.node_pool.clone());
    let units = context.facts.units.iter().flat_map(|u| {
        let pods = u.workload.sets.iter().map(|s| s.template.meta.labels.get(LABEL));
        pods.chain(std::iter::once(u.object.meta.labels.get(LABEL))).collect::<Vec<_>>()
    });
    let mut found = BTreeMap::new();
    for known in queues.chain(units) {
        if let Known::Set(value, span) = known {
            found.entry(value).or_insert(span);
        }
    }
    found
}
