//! `gpu-pool-reserved-unbacked`: a GPU pool asks for reserved capacity that its node class does not select.

use super::pool_words::capacity;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::placement::PoolFact;
use crate::instances::Cloud;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Some((values, span)) = capacity(pool).filter(|(v, _)| pool.is_judged() && v.contains(&"reserved"))
    else {
        return vec![];
    };
    let (why, help, class) = match pool.machines.cloud {
        Some(Cloud::Azure) => (
            "and the provider of Azure knows spot and on-demand only".to_owned(),
            "name `on-demand` or `spot`",
            None,
        ),
        Some(Cloud::Aws) => match pool.node_class {
            Some((object, class)) if !class.reservations => (
                format!("and its node class `{}` selects no reservation", object.name().unwrap_or("?")),
                "add `capacityReservationSelectorTerms` to the node class",
                Some(class.span),
            ),
            _ => return vec![],
        },
        _ => return vec![],
    };
    let only = values.len() == 1;
    let so = if only {
        "so it starts no node at all"
    } else {
        "so its nodes come from the other capacity types, at their price"
    };
    let message = format!("GPU pool `{}` asks for reserved capacity, {why}, {so}", pool.name());
    let mut finding = Finding::new(
        pool.object,
        "spec.template.spec.requirements.capacity-type",
        span,
        "`reserved` is listed here",
        message,
    )
    .help(help);
    if let Some(span) = class {
        finding = finding.label(span, "no capacity reservation is selected here");
    }
    vec![if only { finding } else { finding.at_most(Severity::Warning) }]
}
