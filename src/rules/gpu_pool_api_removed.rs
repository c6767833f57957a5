//! `gpu-pool-api-removed`: a GPU pool is written for an API that Karpenter no longer has.

use super::{Context, Finding};
use crate::facts::placement::PoolFact;
use crate::kinds::pool::PoolApi;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() {
        return vec![];
    }
    let (lifetime, help) = match pool.pool.api {
        PoolApi::V1 => return vec![],
        PoolApi::V1Beta1 => (
            "which Karpenter 0.32 to 1.0 serve; 1.1 and later do not know it",
            "write it as karpenter.sh/v1: `expireAfter` moves to `spec.template.spec`, `nodeClassRef` gets `group` and `kind`, WhenUnderutilized becomes WhenEmptyOrUnderutilized, and the kubelet settings move to the node class",
        ),
        PoolApi::V1Alpha5 => (
            "which no Karpenter with the NodePool API of v1 serves",
            "write it as a karpenter.sh/v1 NodePool: `ttlSecondsAfterEmpty` becomes WhenEmpty with `consolidateAfter`, `providerRef` becomes `nodeClassRef`, and the capacity type is no longer on-demand by default",
        ),
    };
    let api = pool.object.api_version();
    let message = format!("GPU pool `{}` is written for {api}, {lifetime}", pool.name());
    vec![Finding::new(pool.object, "apiVersion", pool.object.at, format!("of {api}"), message).help(help)]
}
