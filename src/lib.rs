//! gpulint reads the Kubernetes manifests of a repository and reports where they break a three-layer GPU autoscaling
//! plan: Karpenter pools, gang scheduling, application signals.

pub mod diagnostic;
pub mod engine;
pub mod known;
pub mod source;
pub mod yaml;
