//! `kai-queue-limit-zero`: a KAI queue that admits nothing of a resource, mostly because a limit is left out.

use super::kai_demand::tenants;
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::kai;
use crate::facts::queue_tree::{Resource, may_be_patch};
use crate::facts::queues::QueueFact;
use crate::facts::units::Unit;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let patch = may_be_patch(&context.facts.queues, queue);
    let tenants = tenants(context, queue);
    let zero: Vec<Resource> = Resource::ALL
        .into_iter()
        .filter(|resource| queue.limit(*resource) == Some(0.0))
        .filter(|resource| !patch || queue.share(*resource).limit.set().is_some())
        .filter(|resource| *resource != Resource::Gpu || wants_gpus(queue, &tenants))
        .collect();
    let closed = Resource::ALL.iter().all(|r| queue.share(*r).limit.set() == Some(&0.0));
    let Some(first) = zero.first().copied().filter(|_| !closed) else { return vec![] };
    let keys: Vec<&str> = zero.iter().map(|r| r.key()).collect();
    let words: Vec<&str> = zero.iter().map(|r| r.word()).collect();
    let omitted = queue.share(first).limit.set().is_none();
    let why = if omitted { "an omitted limit is 0" } else { "0 is no bound but nothing; no bound is -1" };
    let what = match keys.as_slice() {
        [one] => format!("a {one} limit of 0"),
        several => format!("limits of 0 for {}", several.join(" and ")),
    };
    let message = format!(
        "queue `{}` has {what} ({why}): no pod that asks for {} is ever placed through it",
        queue.name(),
        words.join(" or ")
    );
    let place = queue.place(first, |share| &share.limit);
    let label = if omitted { "no limit is stated for it" } else { "admits nothing" };
    let mut finding = Finding::new(queue.object, "spec.resources", place, label, message)
        .help("set `limit: -1` for no bound, or the number that may be used")
        .fix("Lift the limit", Applicability::Unsafe, edits(context, queue, &zero).unwrap_or_default());
    let blocked = tenants.iter().find_map(|unit| {
        let demand = kai::replica(unit)?;
        zero.iter().find(|resource| demand.of(**resource) > 0.0).map(|resource| (unit, *resource))
    });
    match blocked {
        Some((unit, resource)) => {
            finding =
                finding.label(unit.workload.span, format!("asks for {} through this queue", resource.word()));
        }
        // Pods that ask for other resources only pass.
        None => finding = finding.lower(Severity::Warning),
    }
    vec![finding]
}

/// True where the queue is meant for GPUs: a queue for work on CPUs rightly has none.
fn wants_gpus(queue: &QueueFact<'_>, tenants: &[&Unit<'_>]) -> bool {
    let weight = queue.queue.gpu.over_quota_weight.value().is_some_and(|weight| *weight > 0.0);
    weight || queue.quota(Resource::Gpu).is_some_and(|n| n > 0.0) || tenants.iter().any(|u| u.uses_gpus())
}

fn edits(context: &Context<'_>, queue: &QueueFact<'_>, zero: &[Resource]) -> Option<Vec<Edit>> {
    let source = context.facts.inventory.files.get(queue.object.file).map_or("", |f| &*f.text);
    let tree = &queue.object.tree;
    let mut missing = Vec::new();
    let mut edits = Vec::new();
    for resource in zero {
        let Some(share) = queue.share(*resource).node.map(|id| tree.node(id)) else {
            missing.push(resource.key());
            continue;
        };
        edits.push(match share.get("limit") {
            Some(limit) => edit::replace_scalar(limit, "-1")?,
            None => edit::append_entry(share, source, "limit: -1", "limit: -1")?,
        });
    }
    if !missing.is_empty() {
        let block = |key: &&str| format!("{key}: {{quota: 0, limit: -1, overQuotaWeight: 1}}");
        let blocks: Vec<String> = missing.iter().map(block).collect();
        let resources = tree.node(queue.queue.resources_node?);
        edits.push(edit::append_entry(resources, source, &blocks.join("\n"), &blocks.join(", "))?);
    }
    Some(edits)
}
