//! `scale-behavior-cold-start`: an HPA that decides faster than replicas start.

use super::scaled::{goal, seconds, serves};
use super::slo::Slo;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
use crate::kinds::scaler::{Behavior, Controller, Direction};

/// How often the HPA controller decides, in seconds.
/// Source: kubernetes, kube-controller-manager `--horizontal-pod-autoscaler-sync-period`.
const SYNC: f64 = 15.0;
/// `scaleDown.stabilizationWindowSeconds` where it is not written.
/// Source: kubernetes/api, autoscaling/v2/types.go, HPAScalingRules.
const DEFAULT_DOWN: i64 = 300;
/// A window below this is shorter than the start of any engine with its model.
const SHORT: f64 = 120.0;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let scaler = driver.scaler;
    let hpa = matches!(scaler.controller, Controller::Hpa | Controller::Keda);
    let room = match (scaler.min.value(), scaler.max.value()) {
        (Some(min), Some(max)) => max > min && *max > 1,
        _ => false,
    };
    if !hpa || !room || !driver.object.complete || !serves(context, driver) {
        return vec![];
    }
    let cold = Slo::of(context, driver).cold_start.value().copied();
    let none = Behavior::default();
    let behavior = scaler.behavior.as_ref().unwrap_or(&none);
    // A pool that can only grow by one replica cannot overshoot.
    let grows = scaler.min.value().zip(scaler.max.value()).is_some_and(|(min, max)| max - min > 1);
    let (down, up) = (down(&behavior.down, cold), up(&behavior.up, cold).filter(|_| grows));
    let said: Vec<String> = [&down, &up].into_iter().flatten().map(|trouble| trouble.what.clone()).collect();
    if said.is_empty() {
        return vec![];
    }
    let message = format!(
        "{} decides faster than a replica of {} starts: {}",
        driver.title(),
        goal(context, driver),
        said.join("; ")
    );
    let at = [&down, &up].into_iter().flatten().find_map(|trouble| trouble.at);
    let span = at.or(behavior.span).unwrap_or(scaler.span);
    let label =
        if at.is_some() { "shorter than a start" } else { "no behaviour that fits a start of minutes" };
    let finding = Finding::new(driver.object, "spec.behavior", span, label, message)
        .help("set a scaleDown window of at least the cold start, and let scaleUp add a bounded number of pods in one cold start");
    let contradicts = cold.is_some() || at.is_some();
    vec![if contradicts { finding } else { finding.lower(Severity::Info) }]
}

struct Trouble {
    what: String,
    /// The bytes of a value that is too small by itself.
    at: Option<crate::source::Span>,
}

fn is_disabled(direction: &Direction) -> bool {
    direction.select.is_unresolved() || direction.select.value().is_some_and(|word| word == "Disabled")
}

fn down(direction: &Direction, cold: Option<f64>) -> Option<Trouble> {
    if is_disabled(direction) || direction.window.is_unresolved() {
        return None;
    }
    let written = direction.window.set().copied();
    let window = written.unwrap_or(DEFAULT_DOWN) as f64;
    let at = direction.window.span().filter(|_| written.is_some());
    match (cold, written) {
        (Some(cold), _) if window < cold => Some(Trouble {
            what: format!(
                "it drops replicas after {} of low load{}, and one takes {} to come back",
                seconds(window),
                if written.is_some() { "" } else { " (the default)" },
                seconds(cold)
            ),
            at,
        }),
        (None, Some(_)) if window < SHORT => Some(Trouble {
            what: format!(
                "it drops replicas after {} of low load, below the default of {}, and an engine takes minutes to come back",
                seconds(window),
                seconds(DEFAULT_DOWN as f64)
            ),
            at,
        }),
        _ => None,
    }
}

fn up(direction: &Direction, cold: Option<f64>) -> Option<Trouble> {
    let bounded = !direction.policies.is_empty() || direction.window.is_unresolved();
    let window = direction.window.value().copied().unwrap_or(0) as f64;
    if is_disabled(direction) || bounded || cold.is_some_and(|cold| window >= cold || cold <= 4.0 * SYNC) {
        return None;
    }
    let what = match cold {
        Some(cold) => format!(
            "before the first new replica is ready it decides {} more times, each time on a load that no replica has taken yet",
            (cold / SYNC).floor()
        ),
        None if window == 0.0 => {
            "by default it may double the pool every 15 s, long before the first new replica is ready"
                .to_owned()
        }
        None => return None,
    };
    Some(Trouble { what, at: None })
}
