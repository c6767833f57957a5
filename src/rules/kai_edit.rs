//! Edits that hand a workload to KAI Scheduler.

use super::Context;
use crate::diagnostic::Edit;
use crate::facts::units::Unit;
use crate::kinds::pods::PodTemplate;
use crate::known::Known;
use crate::yaml::edit;

/// The queue that examples of edits name: it has to be chosen.
const QUEUE: &str = "<queue>";

/// The queue label on the object's metadata.
pub(super) fn queue_label(context: &Context<'_>, unit: &Unit<'_>) -> Option<Edit> {
    let source = source(context, unit);
    let metadata = unit.object.root().get("metadata")?;
    let label = format!("kai.scheduler/queue: {QUEUE}");
    match metadata.get("labels") {
        Some(labels) => edit::append_entry(labels, source, &label, &label),
        None => edit::append_entry(
            metadata,
            source,
            &format!("labels:\n  {label}"),
            &format!("labels: {{{label}}}"),
        ),
    }
}

/// `schedulerName: kai-scheduler` in every pod template that names no scheduler. None where one cannot be edited.
pub(super) fn scheduler_names(context: &Context<'_>, unit: &Unit<'_>) -> Option<Vec<Edit>> {
    let mut edits: Vec<Edit> = Vec::new();
    for set in &unit.workload.sets {
        if set.template.scheduler == Known::Absent {
            let edit = scheduler_name(context, unit, &set.template)?;
            // The leader of a group may use the template of its workers.
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
    Some(edits)
}

fn scheduler_name(context: &Context<'_>, unit: &Unit<'_>, template: &PodTemplate) -> Option<Edit> {
    let spec = unit.object.tree.node(template.spec_node?);
    let line = "schedulerName: kai-scheduler";
    edit::append_entry(spec, source(context, unit), line, line)
}

fn source<'a>(context: &Context<'a>, unit: &Unit<'_>) -> &'a str {
    context.facts.inventory.files.get(unit.object.file).map_or("", |f| &*f.text)
}
