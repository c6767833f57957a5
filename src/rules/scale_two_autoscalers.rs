//! `scale-two-autoscalers`: two autoscalers on one workload.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
use crate::facts::scope::may_share_namespace;
use crate::kinds::scaler::{Controller, Target, TargetRef};
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let drivers = &context.facts.drivers;
    let here = drivers.iter().position(|other| std::ptr::eq(other, driver)).unwrap_or(0);
    // One finding a pair, at the later of the two.
    let earlier = drivers.iter().take(here);
    let Some(other) = earlier.rev().find(|other| collide(context, driver, other)) else { return vec![] };
    let target = shown_target(context, driver);
    let consequence = match (driver.scaler.controller, other.scaler.controller) {
        (Controller::Hpa, Controller::Hpa) => {
            "since Kubernetes 1.27 the controller stops both (`AmbiguousSelector`)"
        }
        (Controller::Keda, Controller::Keda | Controller::Hpa) | (Controller::Hpa, Controller::Keda) => {
            "KEDA refuses a target that another autoscaler has, and the controller stops both HPAs (`AmbiguousSelector`)"
        }
        _ => "each undoes what the other decides",
    };
    let message = format!("{} and {} both scale {target}: {consequence}", driver.title(), other.title());
    let span = match &driver.scaler.target {
        Target::Reference(reference) => reference.span,
        _ => driver.scaler.span,
    };
    let finding =
        Finding::new(driver.object, "spec.scaleTargetRef", span, "has an autoscaler already", message)
            .label(target_span(other), "scales the same target")
            .help("keep one autoscaler with all signals: the largest answer holds");
    let hpas = |d: &Driver<'_>| matches!(d.scaler.controller, Controller::Hpa | Controller::Keda);
    let same_file = driver.object.file == other.object.file;
    vec![match (same_file, hpas(driver) && hpas(other)) {
        (true, true) => finding,
        (true, false) => finding.at_most(Severity::Warning),
        // Files of one folder may be alternatives of which one is applied.
        (false, _) => finding.at_most(Severity::Info),
    }]
}

fn target_span(driver: &Driver<'_>) -> crate::source::Span {
    match &driver.scaler.target {
        Target::Reference(reference) => reference.span,
        _ => driver.scaler.span,
    }
}

fn collide(context: &Context<'_>, a: &Driver<'_>, b: &Driver<'_>) -> bool {
    let files = &context.facts.inventory.files;
    let folder = |d: &Driver<'_>| {
        let path = files.path(d.object.file);
        path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
    };
    // Overlays and examples of one base stand in folders of their own. Two files that hold one object are versions of it.
    // Two files of a folder are often alternatives; where the workload is there too, they may be meant together.
    let together = a.object.file == b.object.file || folder(a) == folder(b) && !a.targets.is_empty();
    let together = together && may_share_namespace(a.object, b.object);
    let same_object = a.object.kind == b.object.kind && a.object.name() == b.object.name();
    together && !same_object && !takes_over(a, b) && !takes_over(b, a) && same_target(a, b)
}

fn takes_over(a: &Driver<'_>, b: &Driver<'_>) -> bool {
    a.scaler.takes_over.value().is_some_and(|name| b.object.name() == Some(name))
}

fn same_target(a: &Driver<'_>, b: &Driver<'_>) -> bool {
    let shared = a.targets.iter().any(|id| b.targets.contains(id));
    let resolved = !a.targets.is_empty() && !b.targets.is_empty();
    match (&a.scaler.target, &b.scaler.target) {
        // Several targets of one name in several files are copies of which one is applied.
        (Target::Reference(a), Target::Reference(b)) => same_reference(a, b),
        _ => resolved && shared,
    }
}

fn same_reference(a: &TargetRef, b: &TargetRef) -> bool {
    let same = |a: &Known<String>, b: &Known<String>| a.value().is_some() && a.value() == b.value();
    let group = match (&a.group, &b.group) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    group
        && same(&a.kind, &b.kind)
        && same(&a.name, &b.name)
        && a.role.value() == b.role.value()
        && !a.role.is_unresolved()
        && !b.role.is_unresolved()
}

fn shown_target(context: &Context<'_>, driver: &Driver<'_>) -> String {
    if !driver.targets.is_empty() {
        return super::scaled::goal(context, driver);
    }
    match &driver.scaler.target {
        Target::Reference(TargetRef { kind, name, .. }) => {
            let word = |known: &Known<String>| known.value().cloned().unwrap_or_else(|| "?".to_owned());
            format!("{}/{}", word(kind), word(name))
        }
        _ => "one workload".to_owned(),
    }
}
