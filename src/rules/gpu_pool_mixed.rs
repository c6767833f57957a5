//! `gpu-pool-mixed`: one pool makes GPU nodes and nodes without GPUs.

use super::pool_words::{requirements, some_of};
use super::{Context, Finding};
use crate::facts::machines::{cloud_of, in_list};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::instances::{self, Cloud};
use crate::kinds::node_labels::Key;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() || pool.class != PoolClass::Mixed {
        return vec![];
    }
    let cloud = cloud_of(pool.pool).unwrap_or(Cloud::Aws);
    for (key, is_gpu) in [
        (Key::Type, &(instances::is_gpu_type as fn(&str) -> Option<bool>) as &dyn Fn(&str) -> Option<bool>),
        (Key::Family, &|v: &str| instances::is_gpu_family(cloud, v)),
        (Key::Category, &|v: &str| Some(matches!(v, "g" | "gr" | "p"))),
    ] {
        for requirement in requirements(pool, key) {
            let values = in_list(requirement).unwrap_or_default();
            let with = |wanted: bool| {
                values.iter().copied().filter(|v| is_gpu(v) == Some(wanted)).collect::<Vec<_>>()
            };
            let (gpus, others) = (with(true), with(false));
            if gpus.is_empty() || others.is_empty() {
                continue;
            }
            let message = format!(
                "pool `{}` makes GPU nodes ({}) and nodes without GPUs ({}): one taint, one consolidation policy and one limit hold for both",
                pool.name(),
                some_of(gpus, 3),
                some_of(others, 3),
            );
            return vec![
                Finding::new(
                    pool.object,
                    "spec.template.spec.requirements.instance",
                    requirement.span,
                    "GPU machines and others",
                    message,
                )
                .help("give the GPU machines a pool of their own, with a taint and WhenEmpty"),
            ];
        }
    }
    vec![]
}
