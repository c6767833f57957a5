//! `scale-null-reads-zero`: missing data counts as no load.

use super::scaled::{is_load, serves};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::drives::Driver;
use crate::kinds::scaler::{Controller, Signal};
use crate::known::Known;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let scaler = driver.scaler;
    if scaler.controller != Controller::Keda || !driver.object.complete {
        return vec![];
    }
    // A query that states its own answer for missing data has been thought about.
    let silent: Vec<&Signal> = driver
        .queried()
        .filter(|(signal, measured, query)| {
            let load = measured.measures.iter().any(|m| is_load(m.class));
            signal.null_is_zero.value() == Some(&true) && load && !query.query.falls_back_to_vector()
        })
        .map(|(signal, ..)| signal)
        .collect();
    let Some(first) = silent.first() else { return vec![] };
    let min = scaler.min.value().copied().unwrap_or(0);
    let down = match scaler.idle.value() {
        Some(idle) => format!("{idle}"),
        None => format!("{min}"),
    };
    let message = match &scaler.fallback {
        Some(_) => format!(
            "the fallback of {} does not cover missing data: `ignoreNullValues` is on, so a query without a result is a load of 0 and no error, and the pool goes down to {down}",
            driver.title()
        ),
        None => format!(
            "{} takes a query without a result for a load of 0: while the scrape is down, or after a rename of the series, the pool goes down to {down}",
            driver.title()
        ),
    };
    let at = first.null_is_zero.set().and(first.null_is_zero.span()).unwrap_or(first.span);
    let label = if first.null_is_zero.set().is_some() {
        "missing data reads as 0"
    } else {
        "missing data reads as 0 by default"
    };
    let mut finding = Finding::new(driver.object, "signal.null", at, label, message)
        .help("set `ignoreNullValues: \"false\"` and a `fallback` with replicas that carry the load");
    if let Some(fallback) = &scaler.fallback {
        finding = finding.label(fallback.span, "acts on errors alone");
    }
    let edits = silent.iter().flat_map(|signal| edits(context, driver, signal)).collect();
    finding = finding.fix("Treat missing data as an error", Applicability::Unsafe, edits);
    match (&scaler.fallback, serves(context, driver)) {
        (Some(_), _) => vec![finding],
        (None, true) => vec![finding.lower(Severity::Info)],
        (None, false) => vec![],
    }
}

fn edits(context: &Context<'_>, driver: &Driver<'_>, signal: &Signal) -> Vec<Edit> {
    let tree = &driver.object.tree;
    if let Known::Set(_, span) = signal.null_is_zero {
        let node = super::scaled::node_at(driver.object.root(), span);
        return node.and_then(|node| edit::replace_scalar(node, "false")).into_iter().collect();
    }
    let source = context.facts.inventory.files.get(driver.object.file).map_or("", |file| &*file.text);
    let entry = "ignoreNullValues: \"false\"";
    edit::append_entry(tree.node(signal.node), source, entry, entry).into_iter().collect()
}
