//! Where a name leads in the tree of KAI queues, and what stands above and below.

use super::Facts;
use super::queues::QueueFact;
use super::scope::nearest;
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::queue::Share;
use crate::known::Known;
use crate::source::Span;
use std::collections::BTreeMap;

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

/// How the queues of the inputs hang together.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    by_name: BTreeMap<&'a str, Vec<usize>>,
    parents: Vec<Option<usize>>,
    /// True where the inputs hold the root of a tree, and no queue whose name is a template.
    whole: bool,
}

impl<'a> Tree<'a> {
    /// Finds the parent of every queue.
    pub fn build(inventory: &Inventory, queues: &[QueueFact<'a>]) -> Tree<'a> {
        let mut by_name: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
        for (index, queue) in queues.iter().enumerate() {
            if let Some(name) = queue.object.name() {
                by_name.entry(name).or_default().push(index);
            }
        }
        let open = queues.iter().any(|q| q.object.meta.name.value().is_none());
        // A patch leaves its parent out and is no root.
        let root = queues.iter().any(|q| q.queue.parent == Known::Absent && !may_be_patch(queues, q));
        let mut tree = Tree { by_name, parents: vec![], whole: root && !open };
        let parent = |queue: &QueueFact<'a>| match tree.find(
            inventory,
            queues,
            queue.object,
            queue.queue.parent.value()?,
        ) {
            Found::Queue(index) => Some(index),
            _ => None,
        };
        tree.parents = queues.iter().map(parent).collect();
        tree
    }

    /// The queue that an object means by a name: the nearest one. Queues are cluster-wide, but a repository may hold the
    /// manifests of several clusters.
    fn find(&self, inventory: &Inventory, queues: &[QueueFact<'a>], from: &Object, name: &str) -> Found {
        let Some(indices) = self.by_name.get(name) else {
            return match name {
                INSTALLED_PARENT | INSTALLED_LEAF => Found::Installed,
                _ if self.whole => Found::Missing,
                _ => Found::Unknown,
            };
        };
        let named = indices.iter().filter_map(|index| Some((*index, queues.get(*index)?.object))).collect();
        match nearest(inventory, from, named, |(_, object)| *object).as_slice() {
            [(index, _)] => Found::Queue(*index),
            _ => Found::Unknown,
        }
    }
}

/// The queue that an object means by a name.
pub fn find(facts: &Facts<'_>, from: &Object, name: &str) -> Found {
    facts.tree.find(facts.inventory, &facts.queues, from, name)
}

/// The parent of the queue at an index, where it is in the inputs.
pub fn parent(facts: &Facts<'_>, index: usize) -> Option<usize> {
    facts.tree.parents.get(index).copied().flatten()
}

/// The queues from one up to its root.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The indices, the queue itself first.
    pub queues: Vec<usize>,
    /// Where the chain comes back to itself: the index of the queue that it comes back to.
    pub cycle: Option<usize>,
}

/// The queue at an index and what is above it, as far as the inputs hold it.
pub fn chain(facts: &Facts<'_>, index: usize) -> Chain {
    let mut chain = Chain { queues: vec![index], cycle: None };
    let mut at = index;
    while let Some(above) = parent(facts, at) {
        if chain.queues.contains(&above) {
            chain.cycle = Some(above);
            break;
        }
        chain.queues.push(above);
        at = above;
    }
    chain
}

/// The queues that hang from the one at an index, by their indices.
pub fn children<'f>(facts: &'f Facts<'_>, index: usize) -> impl Iterator<Item = usize> + 'f {
    let hangs =
        move |(at, parent): (usize, &Option<usize>)| (at != index && *parent == Some(index)).then_some(at);
    facts.tree.parents.iter().enumerate().filter_map(hangs)
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

    /// The resource for people.
    pub fn word(self) -> &'static str {
        match self {
            Resource::Gpu => "GPUs",
            Resource::Cpu => "CPU",
            Resource::Memory => "memory",
        }
    }

    /// An amount for people, in the unit of the queue.
    pub fn amount(self, n: f64) -> String {
        match self {
            Resource::Gpu if n == 1.0 => "1 GPU".to_owned(),
            Resource::Gpu => format!("{n} GPUs"),
            Resource::Cpu => format!("{n}m CPU"),
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
