//! Queues and topologies of the schedulers.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::NodeId;

/// Which scheduler a queue belongs to. Kinds of the same name exist in several API groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueSystem {
    /// KAI Scheduler, `scheduling.run.ai`.
    Kai,
    /// Kueue, `kueue.x-k8s.io`.
    Kueue,
    /// Volcano, `scheduling.volcano.sh`.
    Volcano,
}

/// One resource of a KAI queue. An omitted number is 0, `-1` is no bound.
/// Source: kai-scheduler/KAI-Scheduler, pkg/apis/scheduling/v2 and docs/queues/README.md.
#[derive(Debug, Clone, Default)]
pub struct Share {
    /// The bytes of the resource's key, where it is written.
    pub span: Option<Span>,
    /// Guaranteed.
    pub quota: Known<f64>,
    /// At most.
    pub limit: Known<f64>,
    /// Part of the surplus.
    pub over_quota_weight: Known<f64>,
    /// The mapping that holds the numbers, to add one.
    pub node: Option<NodeId>,
}

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Its scheduler.
    pub system: QueueSystem,
    /// Whether it is cluster-wide or of a namespace, and what it stands for (a LocalQueue points at a ClusterQueue).
    pub parent: Known<String>,
    /// True where the API has parents and this one may name one.
    pub hierarchical: bool,
    /// GPU share.
    pub gpu: Share,
    /// CPU share, in thousandths of a CPU.
    pub cpu: Share,
    /// Memory share, in units of 10^6 bytes.
    pub memory: Share,
    /// The bytes of `resources`, where it is written.
    pub resources: Option<Span>,
    /// The mapping of `resources`, to add a resource.
    pub resources_node: Option<NodeId>,
    /// `priority`.
    pub priority: Known<i64>,
    /// `preemptMinRuntime` in seconds.
    pub preempt_min_runtime: Known<f64>,
    /// `reclaimMinRuntime` in seconds.
    pub reclaim_min_runtime: Known<f64>,
    /// The shard: label `kai.scheduler/node-pool`.
    pub node_pool: Known<String>,
    /// The bytes of `spec`, or of the kind.
    pub span: Span,
}

impl Queue {
    /// True for a queue that counts quota over all nodes, and not where there is room.
    pub fn admits_by_quota(&self) -> bool {
        self.system == QueueSystem::Kueue
    }
}

/// A topology: its levels from wide to narrow.
#[derive(Debug, Clone)]
pub struct Topology {
    /// Its scheduler.
    pub system: QueueSystem,
    /// Node label and alias of each level.
    pub levels: Vec<(Known<String>, Known<String>)>,
    /// The bytes of `levels`, or of the kind.
    pub span: Span,
}
