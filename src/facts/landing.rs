//! Which workloads run on which Karpenter pool: selectors, affinity and tolerations against labels and taints.
//!
//! Source: kubernetes-sigs/karpenter, pkg/scheduling/requirements.go: a label of the user that a pool does not define
//! is never met; a well-known label that it does not define may be.

use super::Facts;
use super::placement::{PoolClass, PoolFact};
use super::scope::distance;
use super::units::Unit;
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::constraints::Toleration;
use crate::kinds::node_labels::is_well_known;
use crate::kinds::pods::{PodTemplate, Purpose};
use crate::kinds::pool::Taint;
use crate::known::Known;
use crate::source::Span;

/// Whether the selectors of a pod lead to a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The pod cannot run there.
    No,
    /// Nothing keeps it from there, and nothing leads it there.
    Possible,
    /// The pod names the pool, or a label of the user's own that the pool gives its nodes. The bytes say so.
    Chosen(Span),
}

/// Whether the selectors of a pod lead to a pool. Taints do not count here.
pub fn fit(pod: &PodTemplate, pool: &PoolFact<'_>) -> Fit {
    let mut best = Fit::Possible;
    for pair in &pod.node_selector.0 {
        let values = std::slice::from_ref(&pair.value);
        best = match (term(&pair.key, Some("In"), values, pair.key_span, pool), best) {
            (Fit::No, _) => return Fit::No,
            (Fit::Chosen(span), Fit::Possible) => Fit::Chosen(span),
            (_, best) => best,
        };
    }
    let terms = pod.node_affinity.iter().map(|expressions| {
        let each = expressions
            .iter()
            .map(|e| term(&e.key, e.operator.value().map(String::as_str), &e.values, e.span, pool));
        each.fold(Fit::Possible, |sum, one| match (sum, one) {
            (Fit::No, _) | (_, Fit::No) => Fit::No,
            (Fit::Chosen(span), _) | (_, Fit::Chosen(span)) => Fit::Chosen(span),
            _ => Fit::Possible,
        })
    });
    match (best, terms.max().unwrap_or(Fit::Possible)) {
        (_, Fit::No) => Fit::No,
        (Fit::Possible, affinity) => affinity,
        (best, _) => best,
    }
}

fn term(key: &str, operator: Option<&str>, values: &[Known<String>], at: Span, pool: &PoolFact<'_>) -> Fit {
    let known: Option<Vec<&str>> = values.iter().map(|v| v.value().map(String::as_str)).collect();
    let (Some("In"), Some(values)) = (operator, known) else { return Fit::Possible };
    if key == "karpenter.sh/nodepool" || key == "karpenter.sh/provisioner-name" {
        return match pool.object.name() {
            Some(name) if values.contains(&name) => Fit::Chosen(at),
            Some(_) => Fit::No,
            None => Fit::Possible,
        };
    }
    let own = !is_well_known(key);
    let mut said = pool.pool.requirements.iter().filter(|r| r.key == key).peekable();
    if said.peek().is_none() {
        return if own && pool.object.name().is_some() { Fit::No } else { Fit::Possible };
    }
    let mut all = Fit::Possible;
    for requirement in said {
        let listed = super::machines::in_list(requirement);
        match listed {
            Some(listed) if !values.iter().any(|v| listed.contains(v)) => return Fit::No,
            Some(_) if own => all = Fit::Chosen(at),
            _ => {}
        }
    }
    all
}

/// The taints of a pool that a pod does not tolerate. A taint or toleration that a template leaves open counts as
/// tolerated. `PreferNoSchedule` asks for no toleration.
pub fn untolerated<'p>(pod: &PodTemplate, pool: &'p PoolFact<'_>) -> Vec<&'p Taint> {
    let strict =
        pool.pool.taints.iter().filter(|t| t.effect.value().is_some_and(|e| e != "PreferNoSchedule"));
    strict.filter(|taint| !pod.tolerations.iter().any(|t| tolerates(t, taint))).collect()
}

/// True where a toleration covers a taint, or may. Source: kubernetes/api, core/v1/toleration.go, ToleratesTaint.
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let open = [
        &toleration.key,
        &toleration.operator,
        &toleration.value,
        &toleration.effect,
        &taint.key,
        &taint.value,
    ]
    .iter()
    .any(|k| k.is_unresolved());
    if open {
        return true;
    }
    let text = |known: &'_ Known<String>| known.value().cloned().unwrap_or_default();
    let (effect, key) = (text(&toleration.effect), text(&toleration.key));
    if !effect.is_empty() && effect != text(&taint.effect) || !key.is_empty() && key != text(&taint.key) {
        return false;
    }
    match toleration.operator.value().map(String::as_str) {
        Some("Exists") => true,
        None | Some("Equal" | "") => !key.is_empty() && text(&toleration.value) == text(&taint.value),
        // Comparisons of newer versions are not judged.
        _ => true,
    }
}

/// Why a workload runs on a pool.
#[derive(Debug, Clone, Copy)]
pub struct Landing<'f, 'a> {
    /// The workload.
    pub unit: &'f Unit<'a>,
    /// Its pods with GPUs.
    pub pod: &'a PodTemplate,
    /// Where it chooses the pool; its own place where the pool is the only one.
    pub span: Span,
    /// True where it chooses the pool by name or label.
    pub chosen: bool,
}

/// True where two objects stand so close that they are meant for one cluster, as far as folders tell: at most two steps
/// up and two down. A large collection of examples holds workloads that have nothing to do with its one pool.
pub fn is_near(inventory: &Inventory, unit: &Object, pool: &Object) -> bool {
    let (up, down) = distance(inventory, unit, pool);
    up <= 3 && down <= 2
}

/// The GPU workloads that run on a pool: those that choose it and tolerate its taints; and, where the inputs hold no
/// other GPU pool, those near it that nothing keeps from it.
pub fn on_pool<'f, 'a>(facts: &'f Facts<'a>, pool: &PoolFact<'a>) -> Vec<Landing<'f, 'a>> {
    let gpu = |p: &&PoolFact<'_>| !matches!(p.class, PoolClass::Cpu | PoolClass::OtherAccelerator);
    let alone = facts.pools.iter().filter(gpu).count() == 1;
    let near = |unit: &Unit<'_>| is_near(facts.inventory, unit.object, pool.object);
    let pods = facts.units.iter().flat_map(|unit| {
        let sets = unit.workload.sets.iter().filter(|s| s.template.gpus.any());
        sets.map(move |set| (unit, &set.template))
    });
    pods.filter_map(|(unit, pod)| {
        if !untolerated(pod, pool).is_empty() {
            return None;
        }
        match fit(pod, pool) {
            Fit::No => None,
            Fit::Chosen(span) => Some(Landing { unit, pod, span, chosen: true }),
            Fit::Possible if alone && near(unit) => {
                Some(Landing { unit, pod, span: unit.workload.span, chosen: false })
            }
            Fit::Possible => None,
        }
    })
    .collect()
}

/// True for a workload that serves a model until it is stopped.
pub fn serves(unit: &Unit<'_>) -> bool {
    unit.serves_model() && unit.workload.purpose != Purpose::Batch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn tolerations_cover_taints() {
        let at = Span::new(FileId(0), 0, 0);
        let known = |text: &str| match text {
            "-" => Known::Absent,
            "?" => Known::Unresolved(at),
            text => Known::Set(text.to_owned(), at),
        };
        // Toleration: key operator value effect. Taint: key value effect.
        for (toleration, taint, expect) in [
            ("a Exists - NoSchedule", "a b NoSchedule", true),
            ("a Exists - -", "a b NoExecute", true),
            ("- Exists - -", "a b NoSchedule", true),
            ("a Equal b -", "a b NoSchedule", true),
            ("a - b -", "a b NoSchedule", true),
            ("a Equal true -", "a present NoSchedule", false),
            ("a Exists - NoExecute", "a b NoSchedule", false),
            ("c Exists - -", "a b NoSchedule", false),
            ("a - - -", "a - NoSchedule", true),
            ("a Equal ? -", "a b NoSchedule", true),
            ("a Equal b -", "? b NoSchedule", true),
        ] {
            let mut t = toleration.split(' ').map(known);
            let mut next = || t.next().expect("four words");
            let toleration_read = Toleration { key: next(), operator: next(), value: next(), effect: next() };
            let mut t = taint.split(' ').map(known);
            let mut next = || t.next().expect("three words");
            let taint_read =
                Taint { key: next(), value: next(), effect: next(), effect_node: None, span: at };
            assert_eq!(tolerates(&toleration_read, &taint_read), expect, "{toleration} / {taint}");
        }
    }

    #[test]
    fn well_known_labels() {
        for (key, expect) in [
            ("karpenter.k8s.aws/instance-family", true),
            ("node.kubernetes.io/instance-type", true),
            ("nvidia.com/gpu.product", true),
            ("workload", false),
            ("example.com/pool", false),
            ("notkubernetes.io/a", false),
        ] {
            assert_eq!(is_well_known(key), expect, "{key}");
        }
    }
}
