//! Where a name leads in the tree of KAI queues, and what stands above and below.

use super::queues::QueueFact;
use super::scope::nearest;
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::queue::Share;
use crate::known::Known;
use crate::source::Span;

/// The parent that the installation of KAI Scheduler makes, and its one leaf.
/// Source: kai-scheduler/KAI-Scheduler, deployments/kai-scheduler/values.yaml, `defaultQueue`.
pub const INSTALLED_PARENT: &str = "default-parent-queue";
/// The leaf that work without a queue lands in: nothing is guaranteed there, and nothing is limited.
pub const INSTALLED_LEAF: &str = "default-queue";

/// What a name of a queue stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A queue of the inputs, by its index.
    Queue(usize),
    /// A queue that the installation of KAI Scheduler makes.
    Installed,
    /// No queue of the inputs, although they hold a tree with its root.
    Missing,
    /// The inputs do not tell.
    Unknown,
}

/// The queue that an object means by a name: the nearest one. Queues are cluster-wide, but a repository may hold the
/// manifests of several clusters.
pub fn find(inventory: &Inventory, queues: &[QueueFact<'_>], from: &Object, name: &str) -> Found {
    let named: Vec<(usize, &QueueFact<'_>)> =
        queues.iter().enumerate().filter(|(_, q)| q.object.name() == Some(name)).collect();
    if named.is_empty() {
        let open = queues.iter().any(|q| q.object.meta.name.value().is_none());
        return match name {
            INSTALLED_PARENT | INSTALLED_LEAF => Found::Installed,
            _ if open || !queues.iter().any(|q| q.queue.parent == Known::Absent) => Found::Unknown,
            _ => Found::Missing,
        };
    }
    match nearest(inventory, from, named, |(_, q)| q.object).as_slice() {
        [(index, _)] => Found::Queue(*index),
        _ => Found::Unknown,
    }
}

/// The queues from one up to its root.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The indices, the queue itself first.
    pub queues: Vec<usize>,
    /// Where the chain comes back to itself: the index of the queue whose parent is in it already.
    pub cycle: Option<usize>,
}

/// The queue at an index and what is above it, as far as the inputs hold it.
pub fn chain(inventory: &Inventory, queues: &[QueueFact<'_>], index: usize) -> Chain {
    let mut chain = Chain::default();
    let mut at = index;
    while let Some(queue) = queues.get(at) {
        chain.queues.push(at);
        let Some(name) = queue.queue.parent.value() else { break };
        let Found::Queue(parent) = find(inventory, queues, queue.object, name) else { break };
        if chain.queues.contains(&parent) {
            chain.cycle = Some(at);
            break;
        }
        at = parent;
    }
    chain
}

/// The queues that hang from the one at an index, by their indices.
pub fn children<'q>(
    inventory: &'q Inventory,
    queues: &'q [QueueFact<'_>],
    index: usize,
) -> impl Iterator<Item = usize> + 'q {
    let named = move |queue: &QueueFact<'_>| {
        let parent = queue.queue.parent.value();
        parent.is_some_and(|name| find(inventory, queues, queue.object, name) == Found::Queue(index))
    };
    queues.iter().enumerate().filter(move |(at, q)| *at != index && named(q)).map(|(at, _)| at)
}

/// True where another file holds a queue of the same name: one of them may be a patch of the other, so that what it
/// leaves out stands there.
pub fn may_be_patch(queues: &[QueueFact<'_>], queue: &QueueFact<'_>) -> bool {
    queues.iter().any(|q| q.object.name() == queue.object.name() && q.object.file != queue.object.file)
}

/// A resource that a queue gives a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// GPUs.
    Gpu,
    /// CPU, in thousandths.
    Cpu,
    /// Memory, in units of 10^6 bytes.
    Memory,
}

impl Resource {
    /// Every resource of a queue.
    pub const ALL: [Resource; 3] = [Resource::Gpu, Resource::Cpu, Resource::Memory];

    /// The key in a queue.
    pub fn key(self) -> &'static str {
        match self {
            Resource::Gpu => "gpu",
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
        }
    }

    /// An amount for people, in the unit of the queue.
    pub fn amount(self, n: f64) -> String {
        match self {
            Resource::Gpu => format!("{n} GPUs"),
            Resource::Cpu => format!("{n} thousandths of a CPU"),
            Resource::Memory => format!("{n} MB of memory"),
        }
    }
}

impl QueueFact<'_> {
    /// The share of a resource.
    pub fn share(&self, resource: Resource) -> &Share {
        match resource {
            Resource::Gpu => &self.queue.gpu,
            Resource::Cpu => &self.queue.cpu,
            Resource::Memory => &self.queue.memory,
        }
    }

    /// What is guaranteed. An omitted number is 0, and so is that of an omitted resource; `-1`, no bound, is infinite.
    /// None where the inputs do not tell.
    pub fn quota(&self, resource: Resource) -> Option<f64> {
        self.number(resource, |share| &share.quota)
    }

    /// What is the most. The same numbers as for the quota.
    pub fn limit(&self, resource: Resource) -> Option<f64> {
        self.number(resource, |share| &share.limit)
    }

    fn number(&self, resource: Resource, pick: fn(&Share) -> &Known<f64>) -> Option<f64> {
        // Without `resources` the queue is refused or a template fills it in: then nothing is known.
        self.queue.resources?;
        match pick(self.share(resource)) {
            Known::Set(n, _) | Known::Default(n, _) if *n < 0.0 => Some(f64::INFINITY),
            Known::Set(n, _) | Known::Default(n, _) => Some(*n),
            Known::Absent => Some(0.0),
            Known::Unresolved(_) | Known::Invalid(..) => None,
        }
    }

    /// Where a number of a resource stands, or where it is missing.
    pub fn place(&self, resource: Resource, pick: fn(&Share) -> &Known<f64>) -> Span {
        let share = self.share(resource);
        let written = pick(share).set().and(pick(share).span());
        written.or(share.span).or(self.queue.resources).unwrap_or(self.queue.span)
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        self.object.name().unwrap_or("?")
    }
}
