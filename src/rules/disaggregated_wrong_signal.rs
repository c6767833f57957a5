//! `disaggregated-wrong-signal`: a prefill or decode pool follows the other role's signal.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::engine::Role;
use crate::facts::drives::Driver;
use crate::facts::renames::Measure;
use crate::facts::units::Unit;
use crate::metrics::Class;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let pair = context.facts.pairs.iter().find(|pair| pair.members().any(|(_, id)| id == unit.id));
    let in_pair = pair.and_then(|pair| pair.members().find(|(_, id)| *id == unit.id)).map(|(role, _)| role);
    let Some(role) = in_pair.or(unit.role.value().copied()) else { return vec![] };
    if !matches!(role, Role::Prefill | Role::Decode) || unit.coordinator.is_some() {
        return vec![];
    }
    // An autoscaler over both pools is the business of another rule.
    let shared = |driver: &Driver<'_>| {
        pair.is_some_and(|pair| pair.peers(role).iter().any(|peer| driver.targets.contains(peer)))
    };
    let drivers = context.facts.drivers.iter().filter(|d| d.targets.contains(&unit.id) && !shared(d));
    drivers.filter_map(|driver| Some(report(driver, unit, role, wrong_signal(driver, role)?))).collect()
}

fn report<'a>(driver: &'a Driver<'a>, unit: &Unit<'a>, role: Role, wrong: &Measure) -> Finding<'a> {
    let (word, right, seen) = match role {
        Role::Prefill => ("prefill", "queue depth", "KV-cache use and token latency follow generation"),
        _ => ("decode", "KV-cache use", "queue depth and the time to the first token follow prompts"),
    };
    let message = format!(
        "{} scales the {word} pool {} on `{}`: {seen}, so the pool grows with the other role's load",
        driver.title(),
        unit.title(),
        wrong.name
    );
    let label = format!("not a signal of {word}");
    let mut finding = Finding::new(driver.object, format!("signal.{word}"), wrong.span, label, message)
        .label(unit.workload.span, format!("the {word} pool"))
        .help(format!("scale the {word} pool on its {right}"));
    for step in &wrong.steps {
        finding = finding.label(step.span, format!("`{}` is made from `{}`", step.name, step.from));
    }
    // A latency follows the other role too, but also what this one does with what it is given.
    if matches!(wrong.class, Class::Ttft | Class::InterTokenLatency) {
        finding = finding.at_most(Severity::Warning);
    }
    finding
}

/// The signal of the other role, where an autoscaler follows nothing else. What is not fully known is not judged, and
/// queues that an engine keeps for one role are that role's.
fn wrong_signal<'d>(driver: &'d Driver<'_>, role: Role) -> Option<&'d Measure> {
    let foreign = |measure: &Measure| match role {
        Role::Prefill => matches!(measure.class, Class::KvCache | Class::InterTokenLatency),
        _ => matches!(measure.class, Class::QueueDepth | Class::Ttft) && !measure.name.contains("decode"),
    };
    let complete = driver.signals.iter().all(|(_, measured)| measured.is_complete());
    let measures: Vec<&Measure> =
        driver.signals.iter().flat_map(|(_, measured)| &measured.measures).collect();
    let all_foreign = measures.iter().all(|measure| foreign(measure) && measure.is_checked());
    (complete && all_foreign).then(|| measures.first().copied()).flatten()
}
