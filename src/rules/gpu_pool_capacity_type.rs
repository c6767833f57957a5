//! `gpu-pool-capacity-type`: a GPU pool leaves open whether it buys spot, on-demand or reserved capacity.

use super::pool_edit::{node, source};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::kinds::node_labels::{Key, key_kind};
use crate::kinds::pool::{PoolApi, Requirement};
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let said = pool.pool;
    let judged = matches!(pool.class, PoolClass::Gpu | PoolClass::Mixed) && said.has_requirements;
    // The webhook of v1alpha5 filled in on-demand, so a Provisioner without it is not open.
    if !judged || said.api == PoolApi::V1Alpha5 {
        return vec![];
    }
    let stated: Vec<&Requirement> =
        said.requirements.iter().filter(|r| matches!(key_kind(&r.key), Some((Key::Capacity, _)))).collect();
    if stated.iter().any(|r| names_some(r)) {
        return vec![];
    }
    let name = pool.object.name().unwrap_or("?");
    let at = said.place.requirements;
    let label = if stated.is_empty() { "no capacity type here" } else { "names no capacity type" };
    let message = format!(
        "GPU pool `{name}` does not name its capacity type: Karpenter tries reserved, then spot, then on-demand, and a spot node leaves an engine two minutes"
    );
    let mut finding =
        Finding::new(pool.object, "spec.template.spec.requirements.capacity-type", at, label, message).help(
            "add a requirement on `karpenter.sh/capacity-type` with operator In and the values that you mean, for example [\"on-demand\"]",
        );
    if stated.is_empty() {
        finding = finding.fix("Buy on-demand capacity only", Applicability::Display, edits(context, pool));
    }
    if let Some(open) = stated.first() {
        finding = finding.label(open.span, "leaves more than one type open");
    }
    vec![finding]
}

fn names_some(requirement: &Requirement) -> bool {
    let open = requirement.operator.value().is_none() || requirement.unresolved;
    open || (requirement.operator.value().is_some_and(|o| o == "In") && !requirement.values.is_empty())
}

fn edits(context: &Context<'_>, pool: &PoolFact<'_>) -> Vec<Edit> {
    let Some(list) = pool.pool.place.requirements_node.map(|id| node(pool, id)) else { return vec![] };
    let lines = "key: karpenter.sh/capacity-type\noperator: In\nvalues: [\"on-demand\"]";
    let flow = "{key: karpenter.sh/capacity-type, operator: In, values: [\"on-demand\"]}";
    edit::append_item(list, source(context, pool), lines, flow).into_iter().collect()
}
