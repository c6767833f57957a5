//! `scale-min-above-max`: bounds that exclude each other.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
use crate::kinds::scaler::Controller;
use crate::known::Known;

pub(super) fn check<'a>(_context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let scaler = driver.scaler;
    let title = driver.title();
    if let (Some(min), Some(max)) = (scaler.min.value(), scaler.max.value())
        && min > max
    {
        let ((Known::Set(_, at), other) | (other, Known::Set(_, at))) = (&scaler.min, &scaler.max) else {
            return vec![];
        };
        let by_default = |known: &Known<u32>| if known.set().is_some() { "" } else { ", the default" };
        let message = format!(
            "{title} asks for at least {min} replicas{} and at most {max}{}: {}",
            by_default(&scaler.min),
            by_default(&scaler.max),
            refused_by(scaler.controller)
        );
        let mut finding =
            Finding::new(driver.object, "spec.minReplicas", *at, "the bounds exclude each other", message)
                .help("set the maximum to the minimum or above");
        if let Known::Set(_, span) = other {
            finding = finding.label(*span, "the other bound");
        }
        return vec![capped(finding, scaler.controller)];
    }
    // Source: kedacore/keda, apis/keda/v1alpha1/scaledobject_types.go, CheckReplicaCountBoundsAreValid.
    if let (Known::Set(idle, at), Some(min)) = (&scaler.idle, scaler.min.value())
        && idle >= min
        && scaler.controller == Controller::Keda
    {
        let message = format!(
            "{title} idles at {idle} replicas with a minimum of {min}: KEDA refuses an idle count that is not below the minimum"
        );
        let finding = Finding::new(driver.object, "spec.idleReplicas", *at, "not below the minimum", message)
            .help("set the idle count to 0, the only value that KEDA supports, or leave it out");
        return vec![finding];
    }
    vec![]
}

fn refused_by(controller: Controller) -> &'static str {
    match controller {
        Controller::Hpa => "the API server refuses an HPA whose maximum is below its minimum",
        Controller::Keda => "KEDA refuses a maximum below the minimum",
        _ => "no number of replicas fits",
    }
}

/// Not every operator checks its bounds.
fn capped(finding: Finding<'_>, controller: Controller) -> Finding<'_> {
    match controller {
        Controller::Hpa | Controller::Keda => finding,
        _ => finding.at_most(Severity::Warning),
    }
}
