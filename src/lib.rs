//! gpulint reads the Kubernetes manifests of a repository and reports where they break a three-layer GPU autoscaling
//! plan: Karpenter pools, gang scheduling, application signals.

pub mod baseline;
pub mod config;
pub mod diagnostic;
pub mod engine;
pub mod fix;
pub mod inventory;
pub mod kinds;
pub mod known;
pub mod metrics;
pub mod report;
pub mod rules;
pub mod source;
pub mod yaml;
