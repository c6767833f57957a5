//! `gpu-pool-ami-drift`: every new AMI replaces the nodes of a GPU pool.

use super::pool_words::{closes, first_of_class};
use super::{Context, Finding};
use crate::facts::placement::PoolFact;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Some((object, class)) = pool.node_class.filter(|_| first_of_class(context, pool)) else {
        return vec![];
    };
    let held =
        pool.pool.budgets.iter().flatten().any(|b| closes(b, "Drifted") && b.schedule == Known::Absent);
    if held {
        return vec![];
    }
    let floating = class.ami.iter().find_map(|(key, value)| {
        let Known::Set(text, span) = value else { return None };
        let open = key == "alias" && text.ends_with("@latest") || key == "name" && text.contains('*');
        open.then_some((text, *span))
    });
    let Some((text, span)) = floating else { return vec![] };
    let message = format!(
        "node class `{}` follows every new AMI (`{text}`), and GPU pool `{}` uses it: a release of the image counts as drift, and Karpenter then replaces the nodes with the engines on them, whatever the consolidation policy",
        object.name().unwrap_or("?"),
        pool.name(),
    );
    vec![
        Finding::new(object, "spec.amiSelectorTerms", span, "moves with each release", message)
            .label(pool.object.name_span(), "its nodes are replaced")
            .help("pin a version, for example `al2023@v20260801`, and raise it when a replacement suits"),
    ]
}
