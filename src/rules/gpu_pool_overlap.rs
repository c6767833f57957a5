//! `gpu-pool-overlap`: two GPU pools fit the same pods, and only their names say which is tried first.

use super::pool_words::{capacity, some_of};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::placement::PoolFact;
use crate::facts::scope::distance;
use crate::kinds::node_labels::key_kind;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Some(name) = pool.object.name().filter(|_| dynamic(pool)) else { return vec![] };
    // Karpenter tries equal weights by name, the later in the alphabet first.
    let other = context.facts.pools.iter().find(|other| {
        dynamic(other)
            && other.object.name().is_some_and(|o| o < name)
            && distance(context.facts.inventory, pool.object, other.object) <= (1, 0)
            && weight(other) == weight(pool)
            && weight(pool).is_some()
            && alike(pool, other)
    });
    let Some(other) = other else { return vec![] };
    let common = pool.machines.types.iter().filter(|t| other.machines.types.iter().any(|o| o.name == t.name));
    let common: Vec<&str> = common.map(|t| t.name).collect();
    if common.is_empty() {
        return vec![];
    }
    let (mine, theirs) = (capacity(pool).map(|(v, _)| v), capacity(other).map(|(v, _)| v));
    let differ = mine.is_some() && theirs.is_some() && mine != theirs;
    let order = match (&mine, &theirs) {
        (Some(a), Some(b)) if differ => {
            format!(", so {} is tried before {}", a.join(" and "), b.join(" and "))
        }
        _ => String::new(),
    };
    let message = format!(
        "GPU pools `{name}` and `{}` fit the same pods ({} in both) and have the same weight: Karpenter tries the name that is later in the alphabet first{order}",
        other.name(),
        some_of(common, 3),
    );
    let finding = Finding::new(
        pool.object,
        "spec.weight",
        pool.object.name_span(),
        "tried first, by its name",
        message,
    )
    .label(other.object.name_span(), "tried second")
    .help("give the pool that you want first the greater `weight`");
    vec![if differ { finding } else { finding.lower(Severity::Info) }]
}

fn dynamic(pool: &PoolFact<'_>) -> bool {
    pool.is_judged() && !pool.pool.replicas.is_written()
}

/// The weight; 0 where none is written, and none where a template decides.
fn weight(pool: &PoolFact<'_>) -> Option<i64> {
    if pool.pool.weight.is_omitted() { Some(0) } else { pool.pool.weight.value().copied() }
}

/// True where pods cannot tell two pools apart: the same taints, and the same labels and requirements of the user's own.
fn alike(a: &PoolFact<'_>, b: &PoolFact<'_>) -> bool {
    let taints = |pool: &PoolFact<'_>| {
        let mut all: Vec<_> = pool
            .pool
            .taints
            .iter()
            .map(|t| (t.key.value().cloned(), t.value.value().cloned(), t.effect.value().cloned()))
            .collect();
        all.sort();
        all
    };
    let own = |pool: &PoolFact<'_>| {
        let mut all: Vec<(String, Vec<Option<String>>)> = pool
            .pool
            .requirements
            .iter()
            .filter(|r| key_kind(&r.key).is_none())
            .map(|r| (r.key.clone(), r.values.iter().map(|v| v.value().cloned()).collect()))
            .collect();
        all.sort();
        all
    };
    taints(a) == taints(b) && own(a) == own(b)
}
