//! `scale-query-unscoped`: a query over the series of every pool.

use super::scaled::{exporter, is_load, scales};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
use crate::facts::scope::distance;
use crate::facts::units::Unit;
use crate::metrics::Role;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for (_, measured, query) in driver.queried().filter(|(_, _, query)| query.own) {
        let load_of_pods = !measured.measures.is_empty()
            && measured.measures.iter().all(|m| is_load(m.class) && exporter(m).is_some());
        let open = query.query.unscoped().into_iter().find_map(|index| {
            let series = query.query.series.get(index)?;
            let recorded = query.recorded.get(index).copied().unwrap_or(false);
            (series.role == Role::Value && !recorded && series.find().is_some()).then_some(series)
        });
        let (true, Some(series)) = (load_of_pods, open) else { continue };
        let family = measured.measures.iter().find_map(exporter);
        // A copy of the workload for another environment has its name, and what lies elsewhere may be another cluster's.
        let is_target = |unit: &Unit<'_>| {
            let same = |own: &Unit<'_>| own.id == unit.id || own.object.name() == unit.object.name();
            context.facts.targets_of(driver).any(same)
        };
        let near = |unit: &Unit<'_>| distance(context.facts.inventory, driver.object, unit.object) <= (1, 0);
        let others: Vec<&Unit<'_>> = context
            .facts
            .units
            .iter()
            .filter(|unit| unit.engine.as_ref().map(|engine| engine.family) == family)
            // Without the target, this unit may be it.
            .filter(|unit| !driver.targets.is_empty() && near(unit) && !is_target(unit))
            .collect();
        let name = series.exact_name().unwrap_or("the series");
        let message = match others.first() {
            Some(other) => format!(
                "{} on `{name}` of every pool that Prometheus scrapes, {} among them: no matcher narrows it down, so their load buys replicas here",
                scales(context, driver),
                other.title()
            ),
            None => format!(
                "{} on `{name}` of every pool that Prometheus scrapes: no matcher narrows it down, so the first other pool with this engine adds its load to this one",
                scales(context, driver)
            ),
        };
        let mut finding = Finding::new(
            driver.object,
            "signal.scope",
            query.text.slice(series.range.clone()),
            "no matcher on a namespace, a model or a pool",
            message,
        )
        .help("add a matcher of the pool, such as `{namespace=\"…\", pod=~\"…\"}`");
        // With a neighbour in sight the inputs themselves contradict the query.
        if let Some(other) = others.first() {
            finding = finding.label(other.workload.span, "exports the same series");
        }
        found.push(if others.is_empty() { finding.lower(Severity::Info) } else { finding });
    }
    found
}
