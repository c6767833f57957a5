//! `kai-queue-starved`: a KAI queue without guarantee and without a part of the surplus.

use super::{Context, Finding};
use crate::facts::queue_tree::{Resource, may_be_patch};
use crate::facts::queues::QueueFact;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let queues = &context.facts.queues;
    let gpu = &queue.queue.gpu;
    // A weight that is written as 0 is meant: such a queue takes what is idle and gives it back at once.
    let weightless = matches!(gpu.over_quota_weight, Known::Default(weight, _) if weight == 0.0);
    let open = queue.limit(Resource::Gpu).is_some_and(|limit| limit > 0.0);
    let starved = weightless && open && queue.quota(Resource::Gpu) == Some(0.0);
    // Without another queue there is nobody to share with.
    let alone = queues.iter().all(|q| q.object.name() == queue.object.name());
    if !starved || alone || may_be_patch(queues, queue) {
        return vec![];
    }
    let message = format!(
        "queue `{}` has no GPU quota and no `overQuotaWeight`, which is 0: its fair share is 0, so its work gets only GPUs that nobody asks for and is the first to go",
        queue.name()
    );
    let at = queue.place(Resource::Gpu, |share| &share.over_quota_weight);
    vec![
        Finding::new(
            queue.object,
            "spec.resources.gpu.overQuotaWeight",
            at,
            "no part of the surplus",
            message,
        )
        .help("set `overQuotaWeight: 1` to share the surplus, or a quota to guarantee GPUs"),
    ]
}
