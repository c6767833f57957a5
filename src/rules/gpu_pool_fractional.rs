//! `gpu-pool-fractional`: a GPU pool lists machines that offer no whole GPU.

use super::pool_words::{requirements, some_of};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::machines::in_list;
use crate::facts::placement::PoolFact;
use crate::instances::{self, Instance};
use crate::kinds::node_labels::Key;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    // An overlay can give such machines a resource of their own.
    let overlay = context.facts.inventory.objects.iter().any(|o| o.model.node_overlay);
    if !pool.is_judged() || overlay {
        return vec![];
    }
    let machines = &pool.machines;
    let only =
        machines.complete && !machines.types.is_empty() && machines.types.iter().all(|t| t.is_fractional());
    for requirement in requirements(pool, Key::Family).chain(requirements(pool, Key::Type)) {
        let listed = in_list(requirement).unwrap_or_default();
        let named: Vec<&str> = listed.into_iter().filter(|v| is_fractional(v)).collect();
        let left = machines.types.iter().any(|t| t.is_fractional());
        if named.is_empty() || !left {
            continue;
        }
        let so = if only {
            "a pod that asks for a GPU never fits on a node of this pool"
        } else {
            "a pod that asks for a GPU never fits on these, and only pods without GPUs do"
        };
        let message = format!(
            "GPU pool `{}` lists {}, machines with a fraction of one GPU, which Karpenter counts as none: {so}",
            pool.name(),
            some_of(named, 3),
        );
        let finding = Finding::new(
            pool.object,
            "spec.template.spec.requirements.instance",
            requirement.span,
            "a fraction of a GPU",
            message,
        )
        .help("remove them, or give them a resource by a NodeOverlay");
        return vec![if only { finding } else { finding.lower(Severity::Info) }];
    }
    vec![]
}

/// True for a type with a fraction of a GPU, or a family of which every type has one.
fn is_fractional(value: &str) -> bool {
    if let Some(instance) = instances::by_name(value) {
        return instance.is_fractional();
    }
    let mut family = instances::by_family(value).peekable();
    family.peek().is_some() && family.all(Instance::is_fractional)
}
