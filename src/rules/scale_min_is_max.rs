//! `scale-min-is-max`: an autoscaler without room to act.

use super::scaled::{goal, replicas, serves};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let scaler = driver.scaler;
    let (Some(min), Known::Set(max, at)) = (scaler.min.value(), &scaler.max) else { return vec![] };
    if min != max || !serves(context, driver) || is_patched(context, driver) {
        return vec![];
    }
    let default = if scaler.min.set().is_some() { "" } else { ", the default," };
    let message = format!(
        "{} cannot change anything: its minimum{default} and its maximum are both {max}, so {} keeps {} whatever its signals say",
        driver.title(),
        goal(context, driver),
        replicas(*max)
    );
    let mut finding = Finding::new(driver.object, "spec.maxReplicas", *at, "the minimum too", message)
        .help("raise the maximum, or remove the autoscaler and state the replicas on the workload");
    if let Known::Set(_, span) = scaler.min {
        finding = finding.label(span, "the minimum");
    }
    vec![if in_base(context, driver) { finding.lower(Severity::Info) } else { finding }]
}

/// True where another file holds the same object, as a patch of a Kustomize overlay does.
fn is_patched(context: &Context<'_>, driver: &Driver<'_>) -> bool {
    let object = driver.object;
    object.name().is_some()
        && context.facts.inventory.objects.iter().any(|other| {
            other.id != object.id
                && other.kind == object.kind
                && other.group == object.group
                && other.name() == object.name()
        })
}

/// True in a Kustomize base, whose overlays set the bounds.
fn in_base(context: &Context<'_>, driver: &Driver<'_>) -> bool {
    let path = context.facts.inventory.files.path(driver.object.file);
    path.split('/').any(|part| part == "base" || part == "bases")
}
