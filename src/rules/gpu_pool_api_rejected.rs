//! `gpu-pool-api-rejected`: a GPU pool holds a value or a combination that its API refuses.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::placement::PoolFact;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() {
        return vec![];
    }
    let findings = pool.pool.rejected.iter().map(|refusal| {
        let problem = &refusal.problem;
        let message = format!("GPU pool `{}` cannot be applied as it is: {}", pool.name(), problem.message);
        let finding = Finding::new(pool.object, problem.field.clone(), problem.span, "refused", message);
        let finding = if refusal.lifted { finding.at_most(Severity::Warning) } else { finding };
        match &problem.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        }
    });
    findings.collect()
}
