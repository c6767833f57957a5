//! `scale-metric-removed`: a series that the engine's version does not export.

use super::scaled::{exporter, is_load, scales};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::engine::Engine;
use crate::facts::drives::Driver;
use crate::facts::query::QueryFact;
use crate::facts::renames::{Measure, Measured};
use crate::kinds::scaler::Signal;
use crate::known::Known;
use crate::metrics::{Entry, Role};

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let engines: Vec<&Engine> =
        context.facts.targets_of(driver).filter_map(|unit| unit.engine.as_ref()).collect();
    let unknown_target = driver.targets.is_empty();
    let mut found = Vec::new();
    for ((signal, measured), query) in driver.signals.iter().zip(&driver.queries) {
        for measure in &measured.measures {
            let Some(entry) = measure.entry.filter(|_| !has_stand_in(query.as_ref(), measured, measure))
            else {
                continue;
            };
            let Some(family) = exporter(measure) else {
                found.extend(gone_for_good(context, driver, measure, entry));
                continue;
            };
            let engine = engines.iter().find(|engine| engine.family == family && engine.runtime.is_none());
            let verdict = match engine {
                Some(engine) => verdict(engine, entry),
                None if unknown_target => {
                    entry.removed.map(|version| Verdict::NoTarget(version_word(version)))
                }
                None => None,
            };
            let Some(verdict) = verdict else { continue };
            let message = format!(
                "{} on `{}`, which {} {}",
                scales(context, driver),
                measure.name,
                family.name(),
                verdict.says()
            );
            let mut finding = Finding::new(
                driver.object,
                format!("signal.removed.{}", measure.name),
                measure.span,
                verdict.label(),
                message,
            )
            .help(help(entry, &verdict));
            if let Some(span) = engine.and_then(|engine| engine.version.span()) {
                finding = finding.label(span, "the version of the engine");
            }
            for step in &measure.steps {
                finding = finding.label(step.span, format!("`{}` is made from `{}`", step.name, step.from));
            }
            if !matches!(verdict, Verdict::NotYet(..)) {
                finding =
                    finding.fix("Use the new name", Applicability::Unsafe, edits(signal, measure, entry));
            }
            found.push(match (&verdict, entry.checked) {
                (Verdict::Gone(..) | Verdict::NotYet(..), true) => finding,
                (Verdict::NoTarget(_), _) => finding.at_most(Severity::Info),
                _ => finding.at_most(Severity::Warning),
            });
        }
    }
    found
}

enum Verdict {
    /// The version, and the version that dropped the series.
    Gone(String, &'static str),
    /// The version, and the version that brought the series.
    NotYet(String, &'static str),
    /// The version that dropped the series; that of the image is not stated.
    Floating(&'static str),
    /// The version that dropped the series; the target is not in the inputs.
    NoTarget(&'static str),
}

impl Verdict {
    /// What is the matter with the engine's version, after its name.
    fn says(&self) -> String {
        match self {
            Verdict::Gone(version, removed) => format!(
                "{version} does not export: it is gone since {removed}, so there is no value and nothing scales"
            ),
            Verdict::NotYet(version, since) => format!(
                "{version} does not export yet: it came with {since}, so there is no value and nothing scales"
            ),
            Verdict::Floating(removed) => {
                format!("does not export since {removed}, and the image is of no stated version")
            }
            Verdict::NoTarget(removed) => format!(
                "does not export since {removed}: with a newer image there is no value and nothing scales"
            ),
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Verdict::NotYet(..) => "not exported yet",
            Verdict::Gone(..) => "no longer exported",
            Verdict::Floating(_) | Verdict::NoTarget(_) => "no longer exported by newer versions",
        }
    }
}

fn version_word(removed: &'static str) -> &'static str {
    if removed == "unknown" { "a later version" } else { removed }
}

fn verdict(engine: &Engine, entry: &'static Entry) -> Option<Verdict> {
    let removed = entry.removed.filter(|removed| *removed != "unknown");
    match &engine.version {
        Known::Set(version, _) => {
            let runs = numbers(version)?;
            if let Some(removed) = removed.filter(|removed| numbers(removed).is_some_and(|gone| runs >= gone))
            {
                return Some(Verdict::Gone(version.clone(), removed));
            }
            let since = entry.since.filter(|since| numbers(since).is_some_and(|came| runs < came))?;
            Some(Verdict::NotYet(version.clone(), since))
        }
        Known::Unresolved(_) => removed.map(Verdict::Floating),
        _ => None,
    }
}

/// The numbers of a version; none where a part of it is no number.
fn numbers(version: &str) -> Option<Vec<u32>> {
    let parts = version.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
    (!parts.is_empty()).then_some(parts)
}

/// A series that its exporter dropped in a version that is not established, or that is no engine's.
fn gone_for_good<'a>(
    context: &Context<'a>,
    driver: &'a Driver<'a>,
    measure: &Measure,
    entry: &'static Entry,
) -> Option<Finding<'a>> {
    // Signals of the GPU are refused as such by other rules.
    entry.removed.filter(|_| is_load(measure.class))?;
    let message = format!(
        "{} on `{}`, a name that {} no longer exports",
        scales(context, driver),
        measure.name,
        entry.source
    );
    let label = "a name of older versions";
    let field = format!("signal.removed.{}", measure.name);
    Some(
        Finding::new(driver.object, field, measure.span, label, message)
            .help(help(entry, &Verdict::NoTarget("")))
            .at_most(Severity::Warning),
    )
}

fn help(entry: &Entry, verdict: &Verdict) -> String {
    match (entry.replaced_by, verdict) {
        (_, Verdict::NotYet(..)) => "use a newer image, or the name that this version exports".to_owned(),
        (Some(new), Verdict::Gone(..)) => format!("scale on `{new}`"),
        (Some(new), _) => format!("scale on `{new}`, or join both with `or` while versions are mixed"),
        (None, _) => {
            "scale on a series that the engine exports, such as its queue depth or KV-cache use".to_owned()
        }
    }
}

/// True where the query has another series for the same thing, so that one of the two is enough.
fn has_stand_in(query: Option<&QueryFact>, measured: &Measured, measure: &Measure) -> bool {
    let fallback = query.is_some_and(|q| {
        q.query
            .series
            .iter()
            .any(|s| s.role == Role::Fallback && s.find().is_some_and(|f| f.class() == measure.class))
    });
    let twice = measured.measures.iter().any(|m| {
        m.class == measure.class && m.name != measure.name && m.entry.is_some_and(|e| e.removed.is_none())
    });
    fallback || twice
}

/// The new name in the place of the old one, where the old one is written as the catalogue spells it.
fn edits(signal: &Signal, measure: &Measure, entry: &Entry) -> Vec<Edit> {
    let Some(new) = entry.replaced_by.filter(|new| !new.contains(',')) else { return vec![] };
    let Some(text) = signal.text.set().filter(|_| measure.steps.is_empty()) else { return vec![] };
    let mut places = text.value.match_indices(entry.name).map(|(at, name)| at..at + name.len());
    match (places.next(), places.next()) {
        (Some(range), None) => vec![Edit { span: text.slice(range), replacement: new.to_owned() }],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (a, b, expect) in [("0.9.2", "0.10", true), ("0.12", "0.12.0", true), ("1.0", "0.19.1", false)] {
            assert_eq!(numbers(a).unwrap() < numbers(b).unwrap(), expect, "{a} {b}");
        }
        assert_eq!(numbers("latest"), None);
    }
}
