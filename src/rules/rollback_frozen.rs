//! `rollback-frozen`: a switch that holds an autoscaler still was left on.

use super::{Context, Finding};
use crate::diagnostic::{Applicability, Severity};
use crate::facts::drives::Driver;
use crate::facts::monitoring::scales_an_engine;
use crate::kinds::dashboard::{Pause, Paused};
use crate::kinds::scaler::Direction;
use crate::source::Span;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    if !scales_an_engine(&context.facts.units, driver) {
        return vec![];
    }
    let pauses = driver.object.model.pauses.iter().map(|pause| paused(driver, pause));
    let behavior = driver.scaler.behavior.as_ref();
    let up = behavior.and_then(|b| disabled(&b.up)).map(|span| one_way(driver, span, Paused::Out));
    let down = behavior.and_then(|b| disabled(&b.down)).map(|span| one_way(driver, span, Paused::In));
    pauses.chain(up).chain(down).collect()
}

/// Where a direction is switched off.
fn disabled(direction: &Direction) -> Option<Span> {
    direction.select.set().filter(|policy| *policy == "Disabled").and(direction.select.span())
}

fn paused<'a>(driver: &'a Driver<'a>, pause: &'a Pause) -> Finding<'a> {
    let message = match pause.what {
        Paused::Here => format!(
            "{} is paused in the repository: KEDA deletes its HPA and leaves the replicas at whatever number they have, so a pool that is too small stays so",
            driver.title()
        ),
        Paused::AtCount => format!(
            "{} is held at a fixed number of replicas in the repository: KEDA deletes its HPA, and load changes nothing",
            driver.title()
        ),
        what => return one_way(driver, pause.span, what),
    };
    let node = driver.object.tree.node(pause.value);
    let resume = (pause.what == Paused::Here).then(|| edit::replace_scalar(node, "false")).flatten();
    Finding::new(driver.object, format!("rollback.{}", pause.name), pause.span, "scaling is off", message)
        .help("take the annotation out when the incident is over, and let the kill switch set it in the cluster")
        .fix("Resume autoscaling", Applicability::Unsafe, resume.into_iter().collect())
}

fn one_way<'a>(driver: &'a Driver<'a>, span: Span, what: Paused) -> Finding<'a> {
    let out = what == Paused::Out;
    let message = if out {
        format!("{} may not scale out: a queue that grows meets the same number of replicas", driver.title())
    } else {
        format!(
            "{} may not scale in: after one peak the pool keeps its largest size, and its GPUs their cost",
            driver.title()
        )
    };
    let (field, label) = if out { ("out", "scaling out is off") } else { ("in", "scaling in is off") };
    let finding = Finding::new(driver.object, format!("rollback.frozen.{field}"), span, label, message)
        .help("switch it on again when the incident is over");
    // Some keep every replica that they once had on purpose.
    if out { finding } else { finding.lower(Severity::Info) }
}
