//! `gpu-pool-consolidate-after`: an empty GPU node goes too soon, or too late.

use super::pool_edit::{append, node};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::kinds::pool::{Policy, PoolApi};
use crate::kinds::quantity::{Delay, show_seconds};
use crate::known::Known;
use crate::yaml::edit;

const RULE: &str = "gpu-pool-consolidate-after";

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let said = pool.pool;
    let judged = matches!(pool.class, PoolClass::Gpu | PoolClass::Mixed) && said.has_requirements;
    if !judged || said.replicas.is_written() || said.policy.set() != Some(&Policy::WhenEmpty) {
        return vec![];
    }
    let expected = context.config.option_duration(RULE, "expected").map_or(3600.0, |d| d.as_secs_f64());
    let wanted = show_seconds(expected);
    let name = pool.object.name().unwrap_or("?");
    let (span, label, message, severity) = match &said.consolidate_after {
        Known::Set(Delay::Seconds(seconds), _) if *seconds == expected => return vec![],
        Known::Set(Delay::Seconds(seconds), span) if *seconds < expected => (
            *span,
            "shorter than the lull between two load waves",
            format!(
                "GPU pool `{name}` removes an empty node after {}: the next replica pays for node start, image pull and model load again",
                show_seconds(*seconds)
            ),
            Severity::Warning,
        ),
        Known::Set(Delay::Seconds(seconds), span) => (
            *span,
            "longer than the lull between two load waves",
            format!(
                "GPU pool `{name}` keeps an empty node for {}: idle GPUs are paid for",
                show_seconds(*seconds)
            ),
            Severity::Info,
        ),
        Known::Set(Delay::Never, span) => (
            *span,
            "no empty node is ever removed",
            format!(
                "GPU pool `{name}` never removes an empty node: idle GPUs are paid for until the node expires"
            ),
            Severity::Info,
        ),
        Known::Absent => (
            said.place.disruption,
            "no consolidateAfter here",
            format!(
                "GPU pool `{name}` consolidates empty nodes but sets no consolidateAfter, which the API requires beside the policy"
            ),
            Severity::Warning,
        ),
        _ => return vec![],
    };
    let field = "spec.disruption.consolidateAfter";
    vec![
        Finding::new(pool.object, field, span, label, message)
            .help(help(said.api, &wanted, expected))
            .fix(
                format!("Wait {wanted} before an empty node goes"),
                Applicability::Safe,
                edits(context, pool, &wanted, expected),
            )
            .lower(severity),
    ]
}

fn help(api: PoolApi, wanted: &str, expected: f64) -> String {
    match api {
        PoolApi::V1Alpha5 => format!("set `ttlSecondsAfterEmpty: {}`", expected.round() as i64),
        _ => format!(
            "set `consolidateAfter: {wanted}`, or state another delay as option `expected` of this rule"
        ),
    }
}

fn edits(context: &Context<'_>, pool: &PoolFact<'_>, wanted: &str, expected: f64) -> Vec<Edit> {
    let place = &pool.pool.place;
    if pool.pool.api == PoolApi::V1Alpha5 {
        let seconds = (expected.round() as i64).to_string();
        let written = pool.pool.after_empty_node.map(|id| node(pool, id));
        return written.and_then(|n| edit::replace_scalar(n, &seconds)).into_iter().collect();
    }
    let Some(disruption) = place.disruption_node.map(|id| node(pool, id)) else { return vec![] };
    let edit = match disruption.get("consolidateAfter") {
        Some(node) => edit::replace_scalar(node, wanted),
        None => {
            let line = format!("consolidateAfter: {wanted}");
            append(context, pool, disruption.id(), &line, &line)
        }
    };
    edit.into_iter().collect()
}
