//! `manifest-refused`: a part of a manifest that is refused or ignored.

use super::subject::is_about_gpus;
use super::{Context, Finding};
use crate::diagnostic::Applicability;
use crate::kinds::{Object, Problem};
use crate::known::Known;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let objects = context.facts.inventory.objects.iter().filter(|o| o.complete && o.model.pool.is_none());
    let objects = objects.filter(|o| is_about_gpus(context, o));
    objects.flat_map(|object| problems(object).into_iter().map(|problem| report(object, &problem))).collect()
}

/// What the kind found while reading, and numbers of another type than the API takes.
fn problems(object: &Object) -> Vec<Problem> {
    let mut found = object.model.problems.clone();
    let scalers = object.model.scalers.iter().flat_map(|s| [("minimum", &s.min), ("maximum", &s.max)]);
    let workloads = object.model.workloads.iter().map(|w| ("replicas", &w.replicas));
    for (field, known) in scalers.chain(workloads) {
        if let Known::Invalid(expected, span) = known {
            let message = format!("takes {expected}, and this is none: the object is refused");
            let help = Some(format!("write {expected}, without quotes"));
            found.push(Problem { span: *span, field: field.to_owned(), message, help, replacement: None });
        }
    }
    found
}

fn report<'a>(object: &'a Object, problem: &Problem) -> Finding<'a> {
    let name = object.name().unwrap_or("?");
    let message = format!("{}/{name}: `{}` {}", object.kind, problem.field, problem.message);
    let mut finding = Finding::new(object, problem.field.clone(), problem.span, "has no effect", message);
    if let Some(help) = &problem.help {
        finding = finding.help(help.clone());
    }
    if let Some((path, value)) = &problem.replacement {
        let edit = object.root().at(path).and_then(|node| edit::replace_scalar(node, value));
        let title = format!("Write `{value}`");
        finding = finding.fix(title, Applicability::Safe, edit.into_iter().collect());
    }
    finding
}
