//! `disaggregated-wrong-signal`: a prefill or decode pool follows the other role's signal.

use super::{Context, Finding};
use crate::engine::Role;
use crate::facts::disaggregated::Pair;
use crate::facts::drives::Driver;
use crate::facts::renames::Measure;
use crate::metrics::Class;

pub(super) fn check<'a>(context: &Context<'a>, pair: &'a Pair) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for (role, id) in pair.members() {
        let Some(unit) = context.facts.unit(id) else { continue };
        for driver in context.facts.drivers.iter().filter(|d| d.targets.contains(&id)) {
            // An autoscaler over both pools is the business of another rule.
            if pair.peers(role).iter().any(|peer| driver.targets.contains(peer)) {
                continue;
            }
            let Some(wrong) = wrong_signal(driver, role) else { continue };
            let (word, right, seen) = match role {
                Role::Prefill => {
                    ("prefill", "queue depth", "KV-cache use or token latency, which follow generation")
                }
                _ => ("decode", "KV-cache use", "queue depth or TTFT, which follow prompts"),
            };
            let message = format!(
                "{} scales the {word} pool {} on `{}`: {seen}, so the pool grows with the other role's load",
                driver.title(),
                unit.title(),
                wrong.name
            );
            let finding = Finding::new(
                driver.object,
                format!("signal.{word}"),
                wrong.span,
                format!("not a signal of {word}"),
                message,
            )
            .label(unit.workload.span, format!("the {word} pool"))
            .help(format!("scale the {word} pool on its {right}"));
            found.push(finding);
        }
    }
    found
}

/// The signal of the other role, where an autoscaler follows nothing else. What is not fully known is not judged.
fn wrong_signal<'d>(driver: &'d Driver<'_>, role: Role) -> Option<&'d Measure> {
    let foreign = |class: Class| match role {
        Role::Prefill => matches!(class, Class::KvCache | Class::InterTokenLatency),
        _ => matches!(class, Class::QueueDepth | Class::Ttft),
    };
    let complete = driver.signals.iter().all(|(_, measured)| measured.is_complete());
    let mut measures = driver.signals.iter().flat_map(|(_, measured)| &measured.measures);
    let all_foreign = driver
        .signals
        .iter()
        .flat_map(|(_, measured)| &measured.measures)
        .all(|measure| foreign(measure.class) && measure.is_checked());
    (complete && all_foreign).then(|| measures.next()).flatten()
}
