//! `kai-queue-limit-below-quota`: a KAI queue guarantees more than it allows.

use super::{Context, Finding};
use crate::facts::queue_tree::Resource;
use crate::facts::queues::QueueFact;

pub(super) fn check<'a>(_: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let wrong = Resource::ALL.into_iter().find_map(|resource| {
        let (quota, limit) = (queue.quota(resource)?, queue.limit(resource)?);
        // A limit of 0 is another mistake, and a quota without bound means as much as there is.
        (limit > 0.0 && quota.is_finite() && quota > limit).then_some((resource, quota, limit))
    });
    let Some((resource, quota, limit)) = wrong else { return vec![] };
    let message = format!(
        "queue `{}` guarantees {} but allows {}: the guarantee ends at the limit, so {} of it can never be used",
        queue.name(),
        resource.amount(quota),
        limit,
        resource.amount(quota - limit)
    );
    let field = format!("spec.resources.{}.limit", resource.key());
    let at = queue.place(resource, |share| &share.limit);
    vec![
        Finding::new(queue.object, field, at, "less than the quota", message)
            .label(queue.place(resource, |share| &share.quota), "guaranteed")
            .help(format!("raise the limit to {quota} or more, or lower the quota to {limit}")),
    ]
}
