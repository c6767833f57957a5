//! `warm-pool-floor`: fewer ready replicas than the limit on the first token asks for.

use super::scaled::{number, replicas, seconds};
use super::slo::Slo;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::units::Unit;
use crate::kinds::Object;
use crate::known::Known;
use crate::source::Span;

const RULE: &str = "warm-pool-floor";

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let mut found = Vec::new();
    for driver in &facts.drivers {
        let slo = Slo::of(context, driver);
        let scaler = driver.scaler;
        // What stands idle is the least that is there.
        let (field, min) = match &scaler.idle {
            Known::Set(..) => ("the idle count", &scaler.idle),
            _ => ("the minimum", &scaler.min),
        };
        let unit = facts.targets_of(driver).next();
        let subject = Subject {
            object: driver.object,
            title: driver.title(),
            span: scaler.span,
            field,
            unit,
            max: scaler.max.value().copied(),
        };
        found.extend(judge(context, &subject, &slo, min));
    }
    for unit in facts.units.iter().filter(|unit| facts.drivers_of(unit.id).next().is_none()) {
        let slo = Slo::of_unit(context, unit);
        let subject = Subject {
            object: unit.object,
            title: unit.title(),
            span: unit.workload.span,
            field: "its number of replicas",
            unit: Some(unit),
            max: None,
        };
        found.extend(judge(context, &subject, &slo, &unit.workload.replicas));
    }
    found
}

struct Subject<'a, 'u> {
    object: &'a Object,
    title: String,
    span: Span,
    /// What holds the floor, for people.
    field: &'static str,
    unit: Option<&'u Unit<'a>>,
    max: Option<u32>,
}

fn judge<'a>(
    context: &Context<'a>,
    subject: &Subject<'a, '_>,
    slo: &Slo,
    min: &Known<u32>,
) -> Vec<Finding<'a>> {
    let unread: Vec<Finding<'a>> =
        slo.inputs().iter().filter_map(|(key, known)| unreadable(subject, key, known)).collect();
    let (have, at) = match min {
        Known::Set(n, at) => (*n, *at),
        Known::Default(n, _) => (*n, subject.span),
        _ => return unread,
    };
    if !unread.is_empty() {
        return unread;
    }
    let [ttft, peak, replica, cold] = slo.inputs().map(|(_, known)| known.value().copied());
    let (Some(ttft), Some(peak), Some(replica), Some(cold)) = (ttft, peak, replica, cold) else {
        return incomplete(subject, slo, have, at).into_iter().collect();
    };
    let spare = context.config.option_int(RULE, "spare").and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    let load = peak / replica * cold / (cold + ttft);
    let carry = (load - 1e-9).ceil().max(1.0) as u32;
    let floor = carry.saturating_add(spare);
    if have >= floor {
        return vec![];
    }
    let sum = format!(
        "{} / {} requests/s × {} / ({} + {}) = {}, so {carry}, and {spare} to lose",
        number(peak),
        number(replica),
        seconds(cold),
        seconds(cold),
        seconds(ttft),
        number(load)
    );
    let gpus = subject.unit.and_then(Unit::gpus_per_replica).filter(|gpus| *gpus > 1);
    let in_gpus =
        gpus.map_or(String::new(), |gpus| format!(" ({} GPUs)", u64::from(floor) * u64::from(gpus)));
    let above = match subject.max {
        Some(max) if max < floor => format!(", and the maximum of {max} is below it too"),
        _ => String::new(),
    };
    let message = format!(
        "{} keeps {} ready, and a P99 TTFT of {} at the peak takes {floor}{in_gpus}: {sum}{above}",
        subject.title,
        replicas(have),
        seconds(ttft)
    );
    let mut finding = Finding::new(
        subject.object,
        "warm-pool.floor",
        at,
        format!("{} is below {floor}", subject.field),
        message,
    )
    .help(format!("keep at least {floor} replicas ready, or shorten the cold start to seconds"));
    for (key, known) in slo.inputs() {
        if let Known::Set(_, span) = known {
            finding = finding.label(*span, label(key));
        }
    }
    vec![finding]
}

fn label(key: &str) -> &'static str {
    match key {
        super::slo::TTFT => "the limit on the first token",
        super::slo::PEAK => "the peak",
        super::slo::REPLICA => "what one replica takes within the limit",
        _ => "the cold start",
    }
}

/// Some numbers without the others give no floor; a workload that has to answer at once keeps more than one replica.
fn incomplete<'a>(subject: &Subject<'a, '_>, slo: &Slo, have: u32, at: Span) -> Option<Finding<'a>> {
    let missing: Vec<&str> =
        slo.inputs().iter().filter(|(_, known)| known.is_omitted()).map(|(key, _)| *key).collect();
    let stated = slo.inputs().iter().filter(|(_, known)| known.value().is_some()).count();
    if slo.critical && have <= 1 {
        let message = format!(
            "{} is SLO-critical and keeps {} ready: the loss of one, or a peak above what one takes, waits for a cold start",
            subject.title,
            replicas(have)
        );
        let finding = Finding::new(subject.object, "warm-pool.floor", at, subject.field, message).help(
            "keep two replicas at least, and state the rates and the cold start to have the number computed",
        );
        return Some(finding);
    }
    // One or two of the numbers serve other rules.
    (stated == 3).then(|| {
        let message = format!(
            "the warm pool of {} cannot be computed: {} is not stated",
            subject.title,
            missing.join(" and ")
        );
        Finding::new(
            subject.object,
            "warm-pool.inputs",
            subject.span,
            "three of the four numbers are known",
            message,
        )
        .help("state the missing number as an annotation or in `gpulint.yaml`")
        .lower(Severity::Info)
    })
}

fn unreadable<'a>(subject: &Subject<'a, '_>, key: &str, known: &Known<f64>) -> Option<Finding<'a>> {
    let Known::Invalid(expected, at) = known else { return None };
    let object = match subject.unit {
        Some(unit) if unit.object.root().span().contains(*at) => unit.object,
        _ => subject.object,
    };
    let message = format!("`{key}` is {expected}");
    let finding = Finding::new(object, "warm-pool.inputs", *at, "cannot be read", message);
    Some(finding.help("write the number as the message says, so that the warm pool can be computed"))
}
