//! `scale-unit-mismatch`: a target in another unit than the value.

use super::scaled::{exporter, goal, is_load, node_at, number, place};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::drives::Driver;
use crate::facts::query::QueryFact;
use crate::facts::renames::Measured;
use crate::kinds::scaler::{Signal, TargetType};
use crate::metrics::{Class, Growth, Unit};
use crate::source::Span;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    if driver.scaler.formula.is_some() {
        return vec![];
    }
    let pairs = driver.signals.iter().zip(&driver.queries);
    let found = pairs.filter_map(|((signal, measured), query)| {
        let load = !measured.measures.is_empty() && measured.measures.iter().all(|m| is_load(m.class));
        let target = *signal.target.value()?;
        let at = signal.target.span()?;
        let unit = unit(measured, query.as_ref())
            .filter(|_| load && signal.target_type != TargetType::Utilization)?;
        let mismatch = mismatch(measured, unit, target, adds_up(signal, query.as_ref()))?;
        let shown = number(target);
        let message = match mismatch.effect {
            Effect::Never => format!(
                "{} never scales {} up: {} and the target is {shown}, {}",
                driver.title(),
                goal(context, driver),
                mismatch.value,
                mismatch.size
            ),
            Effect::Always => format!(
                "{} pins {} at its maximum: {} and the target is {shown}, {}",
                driver.title(),
                goal(context, driver),
                mismatch.value,
                mismatch.size
            ),
        };
        let finding = Finding::new(driver.object, "signal.unit", at, mismatch.label, message)
            .help(mismatch.help)
            .label(value_place(signal, query.as_ref()), mismatch.value_label)
            .fix(
                "Write the target in the unit of the value",
                Applicability::Unsafe,
                edits(driver, at, mismatch.instead),
            );
        // A name that several systems share may be a percentage in one of them.
        let checked = measured.measures.iter().all(|m| m.is_checked() && exporter(m).is_some());
        let finding =
            if mismatch.effect == Effect::Never { finding } else { finding.lower(Severity::Warning) };
        Some(if checked { finding } else { finding.at_most(Severity::Warning) })
    });
    found.collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Never,
    Always,
}

struct Mismatch {
    effect: Effect,
    /// What the value is, as a clause.
    value: String,
    /// What the target is in that unit.
    size: String,
    label: &'static str,
    value_label: &'static str,
    help: String,
    /// The target in the unit of the value, where that is beyond doubt.
    instead: Option<f64>,
}

/// The unit of the value: of the query where there is one, else of the one metric that is named without a detour.
fn unit(measured: &Measured, query: Option<&QueryFact>) -> Option<Unit> {
    if let Some(query) = query {
        return query.shape.unit;
    }
    let (true, [only]) = (measured.is_complete(), measured.measures.as_slice()) else { return None };
    let fraction = only.entry.and_then(|entry| entry.unit).filter(|unit| unit.is_bounded())?;
    only.steps.is_empty().then_some(fraction)
}

/// True where a sum is compared as it is, so that it may pass any target when the pool is large.
fn adds_up(signal: &Signal, query: Option<&QueryFact>) -> bool {
    signal.target_type == TargetType::Value && query.is_some_and(|query| query.shape.growth != Growth::Mean)
}

fn mismatch(measured: &Measured, unit: Unit, target: f64, adds_up: bool) -> Option<Mismatch> {
    let latency = |class: Class| measured.measures.iter().any(|m| m.class == class);
    // Longer than any limit on the first token, and than any on one token.
    let long = if latency(Class::InterTokenLatency) { 10.0 } else { 100.0 };
    let is_latency = latency(Class::Ttft) || latency(Class::InterTokenLatency);
    match unit {
        Unit::Ratio if target > 1.0 && !adds_up => Some(Mismatch {
            effect: Effect::Never,
            value: "the value is a fraction from 0 to 1".to_owned(),
            size: format!("{} times its maximum", number(target)),
            label: "a percentage",
            value_label: "a fraction, 1 is full",
            help: "write the target as a fraction, such as 0.8".to_owned(),
            instead: (target > 1.0 && target <= 100.0).then_some(target / 100.0),
        }),
        Unit::Percent if target > 0.0 && target <= 1.0 => Some(Mismatch {
            effect: Effect::Always,
            value: "the value is a percentage from 0 to 100".to_owned(),
            size: format!("so {} % is above it", number(target * 2.0)),
            label: "a fraction",
            value_label: "a percentage, 100 is full",
            help: "write the target as a percentage, such as 80".to_owned(),
            instead: Some(target * 100.0),
        }),
        Unit::Seconds if is_latency && target >= long => Some(Mismatch {
            effect: Effect::Never,
            value: "the value is in seconds".to_owned(),
            size: format!("{} minutes", number(target / 60.0)),
            label: "milliseconds",
            value_label: "seconds",
            help: "write the target in seconds".to_owned(),
            instead: Some(target / 1000.0),
        }),
        Unit::Milliseconds | Unit::Microseconds if is_latency && target > 0.0 && target < 1.0 => {
            Some(Mismatch {
                effect: Effect::Always,
                value: format!(
                    "the value is in {}",
                    if unit == Unit::Milliseconds { "milliseconds" } else { "microseconds" }
                ),
                size: "which every request exceeds".to_owned(),
                label: "seconds",
                value_label: "smaller than seconds",
                help: "write the target in the unit of the value, or divide the value".to_owned(),
                instead: None,
            })
        }
        _ => None,
    }
}

fn value_place(signal: &Signal, query: Option<&QueryFact>) -> Span {
    match query {
        Some(query) => place(query, signal.span, query.query.series.first().map(|s| s.range.clone())),
        None => signal.span,
    }
}

fn edits(driver: &Driver<'_>, at: Span, instead: Option<f64>) -> Vec<Edit> {
    let node = instead.and_then(|value| Some((node_at(driver.object.root(), at)?, value)));
    node.and_then(|(node, value)| edit::replace_scalar(node, &number(value))).into_iter().collect()
}
