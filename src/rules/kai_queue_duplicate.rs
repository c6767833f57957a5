//! `kai-queue-duplicate`: two KAI queues of one name in one file.

use super::{Context, Finding};
use crate::facts::queues::QueueFact;

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let Some(name) = queue.object.name() else { return vec![] };
    // Files of their own may belong to clusters of their own, or one may patch the other.
    let first = context
        .facts
        .queues
        .iter()
        .find(|q| q.object.file == queue.object.file && q.object.name() == Some(name));
    let Some(first) = first.filter(|first| !std::ptr::eq(*first, queue)) else { return vec![] };
    let spaces = [first, queue].map(|q| q.object.namespace());
    let aside =
        if spaces.iter().any(Option::is_some) { ", and a namespace does not tell them apart" } else { "" };
    let message = format!(
        "queue `{name}` is declared twice in this file: queues are cluster-wide{aside}, so the second replaces the first with all its shares"
    );
    vec![
        Finding::new(queue.object, "metadata.name", queue.object.name_span(), "the same name again", message)
            .label(first.object.name_span(), "replaced by the other")
            .help("give the queues names of their own, or merge them"),
    ]
}
