//! `gang-ordered-start`: a gang whose pods are made one after the other, each when the one before is ready.

use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit};
use crate::facts::gang::Setting;
use crate::facts::units::Unit;
use crate::kinds::gang::GangScheduler;
use crate::kinds::placing::StartOrder;
use crate::source::Span;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let StartOrder::OneByOne(span) = unit.workload.placing.order else { return vec![] };
    // Kueue lets the pods of a StatefulSet start as they come.
    let others = unit.workload.gang.declared.iter().filter(|e| e.scheduler != GangScheduler::Kueue);
    let statements: Vec<_> = others.collect();
    if statements.is_empty() || !unit.object.complete {
        return vec![];
    }
    let setting = Setting::build(context.facts.inventory);
    let gang = statements.into_iter().find_map(|e| {
        let min = *setting.minimum(e, unit.object).set()?;
        let at = setting.group_of(e, unit.object).map_or(e.span, |group| group.span);
        // With fewer pods than the minimum another part of the group is an object of its own, or the gang is impossible.
        let enough = unit.workload.replicas.value().is_some_and(|n| *n >= min);
        (min > 1 && enough).then_some((e, min, at))
    });
    let Some((evidence, min, at)) = gang else { return vec![] };
    let message = format!(
        "{} makes each pod when the one before is ready, and {} places none before {min} are there: the first pod waits for the second, and the second is never made",
        unit.title(),
        evidence.scheduler.name()
    );
    let stated = span != unit.object.at;
    let label = if stated { "one pod after the other" } else { "one pod after the other by default" };
    vec![
        Finding::new(unit.object, "spec.podManagementPolicy", span, label, message)
            .label(at, format!("waits for {min}"))
            .help("set `podManagementPolicy: Parallel`; the field cannot be changed in place, so replace the StatefulSet")
            .fix("Make all pods together", Applicability::Unsafe, edits(context, unit, stated.then_some(span))),
    ]
}

fn edits(context: &Context<'_>, unit: &Unit<'_>, written: Option<Span>) -> Vec<Edit> {
    let Some(node) = unit.workload.placing.order_node else { return vec![] };
    let spec = unit.object.tree.node(node);
    let source = context.facts.inventory.files.get(unit.object.file).map_or("", |f| &*f.text);
    let line = "podManagementPolicy: Parallel";
    let edit = match written {
        Some(_) => {
            spec.get("podManagementPolicy").and_then(|policy| edit::replace_scalar(policy, "Parallel"))
        }
        None => edit::append_entry(spec, source, line, line),
    };
    edit.into_iter().collect()
}
