//! `scale-on-gpu-memory`: an autoscaler follows memory that the engine takes at start.

use super::signal::{Culprit, adapter_rules, driven};
use super::{Context, Finding};
use crate::diagnostic::Applicability;
use crate::facts::drives::Driver;
use crate::facts::renames::Measure;
use crate::kinds::scaler::Signal;
use crate::metrics::{Class, Unit};
use crate::source::Span;

const CULPRIT: Culprit = Culprit {
    class: Class::GpuMemory,
    field: "signal.gpu-memory",
    label: "GPU memory: taken at start, whatever the load",
};

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for (driver, signal, measure) in driven(context, CULPRIT.class) {
        let reserved = reservation(context, driver);
        let consequence = consequence(&reserved, signal, measure);
        let message = format!(
            "{} scales {} on GPU memory (`{}`): {consequence}",
            driver.title(),
            CULPRIT.target(context, driver),
            measure.name
        );
        let mut finding =
            CULPRIT.finding(driver, signal, measure, message).help(CULPRIT.way_out(context, driver)).fix(
                "Follow the load of the engine (choose the target anew)",
                Applicability::Display,
                CULPRIT.edits(context, driver, signal),
            );
        if let Some(Reserved { span: Some(span), flag, fraction, .. }) = &reserved {
            finding =
                finding.label(*span, format!("`{flag}` takes {} of the memory at start", percent(*fraction)));
        }
        found.push(finding);
    }
    found.extend(adapter_rules(context, CULPRIT.class).map(|(alias, source)| {
        let message = format!(
            "this adapter rule offers GPU memory (`{source}`) to autoscalers as `{}`: an engine takes its memory at start, whatever the load",
            alias.name
        );
        CULPRIT.adapter(alias, message).help("offer the engine's queue depth and KV-cache use instead")
    }));
    found
}

/// The share of memory that the target's engine takes at start.
struct Reserved {
    engine: String,
    flag: String,
    fraction: f64,
    /// The bytes of the flag, where it is written.
    span: Option<Span>,
}

fn reservation(context: &Context<'_>, driver: &Driver<'_>) -> Option<Reserved> {
    context.facts.targets_of(driver).find_map(|unit| {
        let (engine, flag, share) = unit.memory()?;
        let span = share.set().and(share.span());
        Some(Reserved { engine: engine.to_owned(), flag: flag.to_owned(), fraction: *share.value()?, span })
    })
}

fn percent(fraction: f64) -> String {
    format!("{} %", (fraction * 1000.0).round() / 10.0)
}

/// What the target does, in the user's own numbers where they are known.
fn consequence(reserved: &Option<Reserved>, signal: &Signal, measure: &Measure) -> String {
    let Some(reserved) = reserved else {
        return "an engine takes its share of memory at start (vLLM about 90 %), so the value is flat and says nothing of load"
            .to_owned();
    };
    let level = reserved.fraction * 100.0;
    let flat = format!(
        "{} takes {} at start ({}{}), whatever the load",
        reserved.engine,
        percent(reserved.fraction),
        reserved.flag,
        if reserved.span.is_some() { "" } else { " by default" }
    );
    let target = match measure.entry.and_then(|e| e.unit) {
        Some(Unit::Percent) => signal.target.value().copied(),
        Some(Unit::Ratio) => signal.target.value().map(|t| t * 100.0),
        _ => None,
    };
    match target {
        Some(target) if target < level => {
            format!(
                "{flat}, so a target of {} is exceeded for ever and the pool is pinned at its maximum",
                percent(target / 100.0)
            )
        }
        Some(target) => format!(
            "{flat}, so a target of {} is never reached and the pool never grows",
            percent(target / 100.0)
        ),
        None => format!("{flat}, so the value is flat"),
    }
}
