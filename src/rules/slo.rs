//! What a workload has to keep and what it takes to start a replica: annotations, or `gpulint.yaml`.

use super::{Context, object_ref};
use crate::config::{self, Workload};
use crate::facts::drives::Driver;
use crate::facts::units::Unit;
use crate::kinds::Object;
use crate::known::Known;
use std::time::Duration;

/// Annotation: the limit on the 99th percentile of the time to first token, a Go duration.
pub(super) const TTFT: &str = "gpulint.dev/slo-ttft-p99";
/// Annotation: requests per second at the peak.
pub(super) const PEAK: &str = "gpulint.dev/peak-rps";
/// Annotation: requests per second that one replica takes within the limit.
pub(super) const REPLICA: &str = "gpulint.dev/replica-rps";
/// Annotation: from the wish for a replica to its first answer, a Go duration.
pub(super) const COLD_START: &str = "gpulint.dev/cold-start";

const DURATION: &str = "a duration above zero, such as 1500ms or 7m";
const RATE: &str = "a number of requests per second above zero, such as 2.5";

/// The four numbers, durations in seconds.
#[derive(Debug, Default)]
pub(super) struct Slo {
    /// The limit on P99 TTFT.
    pub(super) ttft: Known<f64>,
    /// Peak rate.
    pub(super) peak: Known<f64>,
    /// Rate of one replica.
    pub(super) replica: Known<f64>,
    /// Cold start.
    pub(super) cold_start: Known<f64>,
    /// True where the configuration says that replicas have to be ready.
    pub(super) critical: bool,
    /// Which phase bounds the workload, by the configuration.
    pub(super) role: Option<config::Role>,
}

impl Slo {
    /// What is stated for the targets of an autoscaler, or on the autoscaler.
    pub(super) fn of(context: &Context<'_>, driver: &Driver<'_>) -> Slo {
        let mut objects: Vec<&Object> = context.facts.targets_of(driver).map(|unit| unit.object).collect();
        objects.push(driver.object);
        Slo::read(context, &objects)
    }

    /// What is stated for a workload, or on one of its autoscalers.
    pub(super) fn of_unit(context: &Context<'_>, unit: &Unit<'_>) -> Slo {
        let drivers = context.facts.drivers_of(unit.id).map(|driver| driver.object);
        let objects: Vec<&Object> = std::iter::once(unit.object).chain(drivers).collect();
        Slo::read(context, &objects)
    }

    fn read(context: &Context<'_>, objects: &[&Object]) -> Slo {
        let mut slo = Slo::default();
        for object in objects {
            let note = |key: &str| object.meta.annotations.get(key);
            slo.ttft = slo.ttft.or(|| duration(note(TTFT)));
            slo.cold_start = slo.cold_start.or(|| duration(note(COLD_START)));
            slo.peak = slo.peak.or(|| rate(note(PEAK)));
            slo.replica = slo.replica.or(|| rate(note(REPLICA)));
        }
        let stated: Vec<&Workload> =
            objects.iter().filter_map(|object| context.config.workload(&object_ref(object))).collect();
        for workload in stated {
            let length = |known: &Known<Duration>| known.clone().map(|d| d.as_secs_f64());
            slo.ttft = slo.ttft.or(|| length(&workload.p99_ttft));
            slo.cold_start = slo.cold_start.or(|| length(&workload.cold_start));
            slo.peak = slo.peak.or(|| workload.peak_rps.clone());
            slo.replica = slo.replica.or(|| workload.replica_rps.clone());
            slo.critical |= workload.slo_critical.value() == Some(&true);
            slo.role = slo.role.or(workload.role.value().copied());
        }
        slo
    }

    /// The four with the annotation of each.
    pub(super) fn inputs(&self) -> [(&'static str, &Known<f64>); 4] {
        [(TTFT, &self.ttft), (PEAK, &self.peak), (REPLICA, &self.replica), (COLD_START, &self.cold_start)]
    }
}

fn duration(known: Known<String>) -> Known<f64> {
    let read = |text: String| config::parse_duration(&text).map(|d| d.as_secs_f64()).filter(|s| *s > 0.0);
    known.try_map(DURATION, read)
}

fn rate(known: Known<String>) -> Known<f64> {
    let read = |text: String| text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0);
    known.try_map(RATE, read)
}
