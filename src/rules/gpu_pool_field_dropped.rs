//! `gpu-pool-field-dropped`: a setting of a GPU pool stands where the API has none, and is dropped without a word.

use super::{Context, Finding};
use crate::facts::placement::PoolFact;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() {
        return vec![];
    }
    let findings = pool.pool.dropped.iter().map(|problem| {
        let message = format!("GPU pool `{}`: {}", pool.name(), problem.message);
        let finding =
            Finding::new(pool.object, problem.field.clone(), problem.span, "has no effect here", message);
        match &problem.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        }
    });
    findings.collect()
}
