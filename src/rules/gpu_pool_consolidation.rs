//! `gpu-pool-consolidation`: busy GPU nodes may be removed to save cost.

use super::pool_edit::{append, node};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::kinds::pool::{Policy, PolicyWord, PoolApi};
use crate::kinds::quantity::Delay;
use crate::known::Known;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let said = pool.pool;
    let judged = matches!(pool.class, PoolClass::Gpu | PoolClass::Mixed) && said.has_requirements;
    // Karpenter never consolidates a static pool.
    if !judged || said.replicas.is_written() {
        return vec![];
    }
    let (word, span, omitted) = match &said.policy {
        Known::Set(Policy::WhenUnderutilized(word), span) => (*word, *span, false),
        Known::Default(Policy::WhenUnderutilized(word), _) => (*word, said.place.disruption, true),
        _ => return vec![],
    };
    let name = pool.object.name().unwrap_or("?");
    let how = if omitted {
        format!("sets no consolidationPolicy, so the default applies, {}", word.word())
    } else {
        format!("uses {}", word.word())
    };
    let message = format!(
        "GPU pool `{name}` {how}: Karpenter evicts running engines as soon as their pods fit on other nodes for less"
    );
    let label = if omitted { "no consolidationPolicy here" } else { "removes nodes that still run pods" };
    let mut finding = Finding::new(pool.object, "spec.disruption.consolidationPolicy", span, label, message)
        .help(help(word))
        .fix("Consolidate only empty nodes, after one hour", Applicability::Safe, edits(context, pool));
    if let Some(misplaced) = said.place.misplaced {
        finding =
            finding.label(misplaced, "the API server drops this block: `disruption` belongs under `spec`");
    }
    if let Some(why) = inert(pool) {
        finding = finding.lower(Severity::Warning).label(why.0, why.1);
    }
    if pool.class == PoolClass::Mixed {
        finding = finding.lower(Severity::Warning).label(
            said.place.requirements,
            format!(
                "the pool can give GPU nodes as well as others, and {} shows that it is meant for them",
                pool.because
            ),
        );
    }
    vec![finding]
}

fn help(word: PolicyWord) -> &'static str {
    match word {
        PolicyWord::ConsolidationEnabled => {
            "replace `consolidation` by `ttlSecondsAfterEmpty: 3600`, so that only empty nodes are removed"
        }
        _ => {
            "set `consolidationPolicy: WhenEmpty` with `consolidateAfter: 1h`; `spec.disruption` is no part of the drift hash, so no node is replaced by this edit"
        }
    }
}

/// Settings that keep the policy from acting for now.
fn inert(pool: &PoolFact<'_>) -> Option<(crate::source::Span, &'static str)> {
    if let Known::Set(Delay::Never, span) = &pool.pool.consolidate_after {
        return Some((
            *span,
            "`Never` keeps the policy from acting: it is one edit away from evicting engines",
        ));
    }
    let blocks = |budget: &&crate::kinds::pool::Budget| {
        let zero = budget.nodes.value().is_some_and(|n| n == "0" || n == "0%");
        let underutilized = budget.reasons.is_empty()
            || budget.reasons.iter().any(|r| r.value().is_some_and(|r| r == "Underutilized"));
        zero && underutilized && budget.schedule == Known::Absent
    };
    let budget = pool.pool.budgets.iter().flatten().find(blocks)?;
    Some((
        budget.span,
        "this budget of 0 keeps the policy from acting: it is one edit away from evicting engines",
    ))
}

fn edits(context: &Context<'_>, pool: &PoolFact<'_>) -> Vec<Edit> {
    let said = pool.pool;
    if said.api == PoolApi::V1Alpha5 {
        return vec![];
    }
    let Some(disruption) = said.place.disruption_node.map(|id| node(pool, id)) else {
        let lines = "disruption:\n  consolidationPolicy: WhenEmpty\n  consolidateAfter: 1h";
        let flow = "disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 1h}";
        return append(context, pool, said.place.spec_node, lines, flow).into_iter().collect();
    };
    let policy = disruption.get("consolidationPolicy");
    let after = disruption.get("consolidateAfter");
    let mut edits = Vec::new();
    let mut missing: Vec<&str> = Vec::new();
    for (node, value, line) in
        [(policy, "WhenEmpty", "consolidationPolicy: WhenEmpty"), (after, "1h", "consolidateAfter: 1h")]
    {
        match node {
            Some(node) if node.raw_str() == Some(value) => {}
            Some(node) => match edit::replace_scalar(node, value) {
                Some(edit) => edits.push(edit),
                None => return vec![],
            },
            None => missing.push(line),
        }
    }
    if !missing.is_empty() {
        let inserted = append(context, pool, disruption.id(), &missing.join("\n"), &missing.join(", "));
        match inserted {
            Some(edit) => edits.push(edit),
            None => return vec![],
        }
    }
    edits
}
