//! `kai-queue-group-too-large`: pods that start together ask for more than their KAI queue may ever use.

use super::kai_demand::over_limit;
use super::{Context, Finding};
use crate::facts::kai::queue_of;
use crate::facts::units::Unit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some((queue, resource, limit, demand)) = over_limit(context, unit) else { return vec![] };
    let Some((_, span, _)) = queue_of(context.facts, unit) else { return vec![] };
    let what = match demand.pods {
        1 => "one pod".to_owned(),
        pods => format!("one gang of {pods} pods"),
    };
    let message = format!(
        "{what} of {} asks for {}, but queue `{}` may use {limit} at most: it never starts",
        unit.title(),
        resource.amount(demand.of(resource)),
        queue.name()
    );
    vec![
        Finding::new(
            unit.object,
            "metadata.labels.kai.scheduler/queue",
            span,
            "charged to this queue",
            message,
        )
        .label(queue.place(resource, |share| &share.limit), "the limit")
        .help(format!("raise the limit to {} or more, or make the group smaller", demand.of(resource))),
    ]
}
