//! `gpu-pool-kai-label`: KAI Scheduler cannot tell the nodes of a GPU pool by their labels.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::placement::PoolFact;
use crate::kinds::gang::{GangScheduler, HintKind};
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
    let label = pool.pool.requirements.iter().find(|r| r.key == LABEL);
    let at = pool.pool.place.labels;
    let name = pool.name();
    match label {
        Some(label) => {
            let (Some(Known::Set(value, span)), false) = (label.values.first(), wanted.is_empty()) else {
                return vec![];
            };
            if wanted.contains_key(value) {
                return vec![];
            }
            let known = super::pool_words::some_of(wanted.keys().map(String::as_str), 4);
            let message = format!(
                "GPU pool `{name}` labels its nodes for the shard `{value}`, to which no queue or workload here belongs ({known} do): KAI Scheduler places none of them there"
            );
            vec![
                Finding::new(pool.object, FIELD, *span, "no queue of this shard", message)
                    .help("use the value that the queues and the workloads carry")
                    .at_most(Severity::Warning),
            ]
        }
        None => {
            let given = |value: &String| {
                context.facts.pools.iter().any(|p| {
                    p.pool.requirements.iter().any(|r| {
                        r.key == LABEL && r.values.iter().any(|v| v.value().is_none_or(|v| v == value))
                    })
                })
            };
            let lacking = wanted.iter().find(|(value, _)| !given(value));
            match lacking {
                Some((value, span)) => vec![
                    Finding::new(
                        pool.object,
                        FIELD,
                        at,
                        format!("no label `{LABEL}`"),
                        format!("GPU pool `{name}` does not label its nodes with `{LABEL}`, and no other pool does so with `{value}`: a shard of KAI Scheduler sees only nodes that carry its value, so its pods stay Pending"),
                    )
                    .label(*span, format!("belongs to `{value}`"))
                    .help(format!("add `{LABEL}: {value}` to `spec.template.metadata.labels`; it is part of the drift hash, so Karpenter replaces the nodes of the pool one by one")),
                ],
                None if wanted.is_empty() => vec![
                    Finding::new(
                        pool.object,
                        FIELD,
                        at,
                        format!("no label `{LABEL}`"),
                        format!("GPU pool `{name}` does not label its nodes with `{LABEL}`: KAI Scheduler's default shard takes them with all other nodes without it, and no second shard can be given these"),
                    )
                    .lower(Severity::Info)
                    .help(format!("add the label `{LABEL}` to `spec.template.metadata.labels`, or leave it where one shard is all that you mean to have")),
                ],
                None => vec![],
            }
        }
    }
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
