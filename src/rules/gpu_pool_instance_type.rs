//! `gpu-pool-instance-type`: a GPU pool does not say which machines it buys.

use super::{Context, Finding};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::kinds::node_labels::{Key, key_kind};
use crate::kinds::pool::Requirement;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let said = pool.pool;
    let judged = matches!(pool.class, PoolClass::Gpu | PoolClass::Mixed) && said.has_requirements;
    if !judged || said.requirements.iter().any(selects_machines) {
        return vec![];
    }
    let name = pool.object.name().unwrap_or("?");
    let message = format!(
        "GPU pool `{name}` names no instance type, family or GPU: Karpenter buys the cheapest machine that fits, with whatever GPU and memory that has"
    );
    vec![
        Finding::new(
            pool.object,
            "spec.template.spec.requirements.instance",
            said.place.requirements,
            "nothing here selects a machine or a GPU",
            message,
        )
        .help("name the machines: a requirement on `node.kubernetes.io/instance-type`, on the instance family, or on the GPU name with its count"),
    ]
}

/// True for a requirement that chooses among machines by what they are, or may: a template is not judged.
fn selects_machines(requirement: &Requirement) -> bool {
    let Some((kind, _)) = key_kind(&requirement.key) else { return false };
    let by_name = requirement.key.ends_with("gpu-name") || requirement.key.ends_with("gke-accelerator");
    let chooses = matches!(kind, Key::Type | Key::Family | Key::Category | Key::SkuFamily) || by_name;
    let open = requirement.operator.value().is_none() || requirement.unresolved;
    chooses && (open || requirement.operator.value().is_some_and(|o| o == "In"))
}
