//! `gpu-pool-node-class`: a GPU pool refers to a node class that is not there.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::placement::PoolFact;
use crate::facts::scope::distance;
use crate::kinds::Object;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() {
        return vec![];
    }
    wrong_kind(pool).or_else(|| dangling(context, pool)).into_iter().collect()
}

fn wrong_kind<'a>(pool: &'a PoolFact<'a>) -> Option<Finding<'a>> {
    let class = &pool.pool.node_class;
    let (group, kind) = (class.group.set()?, class.kind.set()?);
    let expected = class.expected_kind()?;
    if kind == expected {
        return None;
    }
    let message = format!(
        "GPU pool `{}` refers to a {kind} of {group}, which has {expected} only: the pool is never ready, and Karpenter passes it over",
        pool.name()
    );
    Some(
        Finding::new(
            pool.object,
            "spec.template.spec.nodeClassRef.kind",
            class.kind.span()?,
            "no kind of this group",
            message,
        )
        .help(format!("write `kind: {expected}`, or change the group")),
    )
}

/// A name that no class has, although classes of the group stand beside the pool.
fn dangling<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Option<Finding<'a>> {
    let class = &pool.pool.node_class;
    let (name, group) = (class.name.set()?, class.group.set()?);
    // EKS Auto Mode brings a class of this name.
    if name == "default" && class.is_auto_mode() {
        return None;
    }
    let objects = &context.facts.inventory.objects;
    let classes: Vec<&Object> =
        objects.iter().filter(|o| o.model.node_class.is_some() && o.group == *group).collect();
    let open = classes.iter().any(|o| o.name().is_none());
    if open || classes.iter().any(|o| o.name() == Some(name)) {
        return None;
    }
    let beside = |o: &&&Object| distance(context.facts.inventory, pool.object, o) <= (1, 0);
    let near: Vec<&str> = classes.iter().filter(beside).filter_map(|o| o.name()).collect();
    let first = classes.iter().find(beside)?;
    let meant =
        near.iter().map(|n| (strsim::damerau_levenshtein(n, name), *n)).filter(|(d, _)| *d <= 2).min();
    let help = match meant {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("add the class `{name}`, or name one that is here"),
    };
    let message = format!(
        "GPU pool `{}` refers to node class `{name}`, and the inputs hold {} of that group, none of this name: without it the pool is never ready, and Karpenter passes it over",
        pool.name(),
        super::pool_words::some_of(classes.iter().filter_map(|o| o.name()), 3),
    );
    Some(
        Finding::new(
            pool.object,
            "spec.template.spec.nodeClassRef.name",
            class.name.span()?,
            "no such node class here",
            message,
        )
        .label(first.name_span(), "a class of the group")
        .help(help)
        .at_most(Severity::Warning),
    )
}
