//! `kai-queue-inference-quota`: pods that take guaranteed quota only, in a chain of KAI queues that guarantees too little.

use super::kai_demand::{guarantee, over_limit, path, queues};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::kai::{self, Class, Demand};
use crate::facts::queue_tree::{Found, INSTALLED_LEAF, Resource};
use crate::facts::queues::QueueFact;
use crate::facts::units::Unit;
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let Some((name, span, found)) = kai::queue_of(facts, unit) else { return vec![] };
    let Some(class) = kai::class_of(facts.inventory, unit).filter(|class| !class.preemptible) else {
        return vec![];
    };
    let Some(demand) = kai::replica(unit) else { return vec![] };
    if found == Found::Installed && name == INSTALLED_LEAF {
        return installed(unit, span, &class, demand);
    }
    // A group that the limit keeps out is reported as that.
    if over_limit(context, unit).is_some() {
        return vec![];
    }
    let chain = queues(context, unit);
    let (least, most) = kai::replicas(facts, unit);
    let short = |replicas: u32| {
        let each = chain.iter().flat_map(|queue| Resource::ALL.into_iter().map(move |r| (*queue, r)));
        each.filter_map(|(queue, resource)| {
            // A queue that is closed for the resource is reported as that.
            let quota = guarantee(context, queue, resource).filter(|_| queue.limit(resource) != Some(0.0))?;
            let need = f64::from(replicas) * demand.of(resource);
            (need > quota).then_some(Short { queue, resource, quota, replicas, one: demand.of(resource) })
        })
        // What the user counts first is the GPUs.
        .min_by_key(|short| short.resource)
    };
    let at_least = least.filter(|n| *n > 0).and_then(&short);
    let (short, sure) = match (at_least, most.and_then(&short)) {
        (Some(short), _) => (short, true),
        (None, Some(short)) => (short, false),
        (None, None) => return vec![],
    };
    let mut finding = short.finding(unit, span, &class, &path(&chain, short.resource), sure);
    if !sure {
        finding = finding.lower(Severity::Warning);
    }
    vec![finding]
}

/// A queue that guarantees too little.
struct Short<'a> {
    queue: &'a QueueFact<'a>,
    resource: Resource,
    quota: f64,
    replicas: u32,
    one: f64,
}

impl<'a> Short<'a> {
    fn finding(&self, unit: &'a Unit<'a>, span: Span, class: &Class, path: &str, sure: bool) -> Finding<'a> {
        let need = f64::from(self.replicas) * self.one;
        let sum = match self.replicas {
            1 => self.resource.amount(need),
            n => format!("{n} x {} = {}", self.one, self.resource.amount(need)),
        };
        let fit = if self.one > 0.0 { (self.quota / self.one).floor() } else { 0.0 };
        let effect = match (fit, sure) {
            (fit, _) if fit < 1.0 => "no replica ever starts".to_owned(),
            (fit, true) => format!("only {fit} of {} replicas start", self.replicas),
            (fit, false) => format!("at its peak only {fit} of {} replicas start", self.replicas),
        };
        let message = format!(
            "{} is not preemptible ({}), so it takes guaranteed quota only, and it asks for {sum} where queue `{}` guarantees {} (quotas from the root: {path}): {effect}",
            unit.title(),
            class.why,
            self.queue.name(),
            self.quota
        );
        let mut finding = Finding::new(
            unit.object,
            "metadata.labels.kai.scheduler/queue",
            span,
            "charged to this queue",
            message,
        )
        .label(
            self.queue.place(self.resource, |share| &share.quota),
            format!("{} quota {}", self.resource.key(), self.quota),
        )
        .help(format!(
            "raise the {} quota of `{}` and of every queue above it to {need} or more; -1 is no bound",
            self.resource.key(),
            self.queue.name()
        ));
        if let Some(at) = class.span {
            finding = finding.label(at, "makes the pods not preemptible");
        }
        finding
    }
}

/// The queue that the installation makes guarantees nothing, unless someone raised it since.
fn installed<'a>(unit: &'a Unit<'a>, span: Span, class: &Class, demand: Demand) -> Vec<Finding<'a>> {
    let Some(resource) = Resource::ALL.into_iter().find(|r| demand.of(*r) > 0.0) else { return vec![] };
    let message = format!(
        "{} is not preemptible ({}), so it takes guaranteed quota only, and `{INSTALLED_LEAF}` guarantees 0 of everything as it is installed: a replica with {} never starts",
        unit.title(),
        class.why,
        resource.amount(demand.of(resource))
    );
    vec![
        Finding::new(unit.object, "metadata.labels.kai.scheduler/queue", span, "guarantees nothing", message)
            .help("name a queue with a quota for it, or make the pods preemptible with the label `priorityClassName: train`")
            .at_most(Severity::Warning),
    ]
}
