//! Readings that several kinds share, most of them kinds of many roles.

use super::gang::{Evidence, GangScheduler};
use super::meta::{Meta, Pairs};
use super::pods::{PodSet, PodTemplate, ScaleName, Workload};
use super::scaler::TargetRef;
use crate::engine::{Role, role_from_word};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Entry, Node};

/// The items of the sequence at a path.
pub(super) fn items<'t>(node: Node<'t>, path: &str) -> Vec<Node<'t>> {
    node.at(path).into_iter().flat_map(|list| list.items()).collect()
}

/// A key with its value; none for null, which Kubernetes reads as not written.
pub(super) fn written<'t>(node: Node<'t>, key: &str) -> Option<Entry<'t>> {
    node.entry(key).filter(|entry| !entry.value.is_null())
}

/// A workload of several sets of pods. Kinds change what is different for them.
pub(super) fn workload(sets: Vec<PodSet>, replicas: Known<u32>, span: Span) -> Workload {
    let empty = PodTemplate::of_spec(None, Meta::default(), span);
    Workload { sets, ..Workload::single(empty, replicas, span) }
}

/// The product of two counts. It is known where both are, and written where one of them is.
pub(super) fn times(outer: &Known<u32>, inner: &Known<u32>) -> Known<u32> {
    match (outer, inner) {
        (Known::Set(a, at), Known::Default(b, _)) => Known::Set(a.saturating_mul(*b), *at),
        (Known::Set(a, _) | Known::Default(a, _), Known::Set(b, at)) => Known::Set(a.saturating_mul(*b), *at),
        (Known::Default(a, _), Known::Default(b, at)) => Known::Default(a.saturating_mul(*b), *at),
        (Known::Set(..) | Known::Default(..), unknown) | (unknown, _) => unknown.clone(),
    }
}

/// The pods of a group of `size`: one leader, and the others where there are any. A leader exists whatever the size.
pub(super) fn leader_and_workers(size: &Known<u32>, at: Span) -> (Known<u32>, Option<Known<u32>>) {
    match size {
        Known::Set(n, span) => (Known::Set(1, *span), (*n > 1).then(|| Known::Set(n - 1, *span))),
        Known::Default(n, span) => (Known::Default(1, *span), (*n > 1).then(|| Known::Default(n - 1, *span))),
        unknown => (Known::Default(1, at), Some(unknown.clone())),
    }
}

/// The part in disaggregated serving that the name of a role stands for: the name itself, or one word of it. A name
/// with the words of two parts says neither.
pub(super) fn role_of_name(name: &Known<String>) -> Known<Role> {
    let (name, span) = match name {
        Known::Set(name, span) => (name, *span),
        Known::Unresolved(span) => return Known::Unresolved(*span),
        _ => return Known::Absent,
    };
    let mut found = role_from_word(name);
    if found.is_none() {
        let mut named = name.split(|c: char| !c.is_ascii_alphabetic()).filter_map(role_from_word);
        found = named.next();
        if named.any(|other| Some(other) != found) {
            found = None;
        }
    }
    found.map_or(Known::Absent, |role| Known::Set(role, span))
}

/// The labels and annotations of two objects, of which the inner one is made from the outer one: where a key is asked
/// for, its value wins.
pub(super) fn join_meta(inner: &Meta, outer: &Meta) -> Meta {
    let join = |inner: &Pairs, outer: &Pairs| Pairs(inner.0.iter().chain(&outer.0).cloned().collect());
    Meta {
        labels: join(&inner.labels, &outer.labels),
        annotations: join(&inner.annotations, &outer.annotations),
        ..outer.clone()
    }
}

/// A name by which autoscalers reach a workload.
pub(super) fn scale_name(group: &str, kind: &str, name: &str, role: Option<&str>) -> ScaleName {
    ScaleName {
        group: group.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        role: role.map(str::to_owned),
    }
}

/// A reference of the shape `apiVersion`, `kind`, `name`.
pub(super) fn target_ref(node: Node<'_>) -> TargetRef {
    let api = node.field::<String>("apiVersion");
    TargetRef {
        group: api.value().map(|api| api.split_once('/').map_or("", |(group, _)| group).to_owned()),
        kind: node.field("kind"),
        name: node.field("name"),
        role: Known::Absent,
        span: node.get("name").map_or_else(|| node.first_key_span(), |name| name.span()),
    }
}

/// A statement that asks for a gang.
pub(super) fn evidence(scheduler: GangScheduler, field: &str, span: Span, min: Known<u32>) -> Evidence {
    Evidence { scheduler, what: format!("`{field}`"), span, min, pod_group: None }
}

/// The gang scheduler that the pods of a replica name, where they name one.
pub(super) fn named_scheduler(sets: &[PodSet]) -> Option<GangScheduler> {
    sets.iter().find_map(|s| GangScheduler::of_name(s.template.scheduler.value()?))
}

/// True where a template leaves its scheduler to a default, to an operator or to a tool that fills templates.
pub(super) fn scheduler_is_open(sets: &[PodSet]) -> bool {
    sets.iter().any(|s| s.template.scheduler.value().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    const A: Span = Span { file: FileId(0), start: 1, end: 2 };
    const B: Span = Span { file: FileId(0), start: 3, end: 4 };

    #[test]
    fn a_product_is_known_where_both_factors_are() {
        for (outer, inner, expect) in [
            (Known::Set(2, A), Known::Set(3, B), Known::Set(6, B)),
            (Known::Set(2, A), Known::Default(1, B), Known::Set(2, A)),
            (Known::Default(1, A), Known::Default(1, B), Known::Default(1, B)),
            (Known::Set(2, A), Known::Unresolved(B), Known::Unresolved(B)),
            (Known::Absent, Known::Set(3, B), Known::Absent),
            (Known::Set(u32::MAX, A), Known::Set(2, B), Known::Set(u32::MAX, B)),
        ] {
            assert_eq!(times(&outer, &inner), expect, "{outer:?} {inner:?}");
        }
    }

    #[test]
    fn names_of_roles() {
        for (name, expect) in [
            ("prefill", Some(Role::Prefill)),
            ("decode-0", Some(Role::Decode)),
            ("sglang_prefill_leader", Some(Role::Prefill)),
            ("prefill-decode", Some(Role::Aggregated)),
            ("decode-after-prefill", None),
            ("decoder", Some(Role::Decode)),
            ("recoder", None),
            ("router", None),
        ] {
            let role = role_of_name(&Known::Set(name.to_owned(), A));
            assert_eq!(role.value().copied(), expect, "{name}");
        }
        assert_eq!(role_of_name(&Known::Unresolved(A)), Known::Unresolved(A));
    }
}
