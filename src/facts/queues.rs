//! The tree of KAI queues.

use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::queue::{Queue, QueueSystem};
use crate::known::Known;

/// Queues that KAI Scheduler's own installation makes.
/// Source: kai-scheduler/KAI-Scheduler, deployments/kai-scheduler/values.yaml, `defaultQueue`.
const INSTALLED: &[&str] = &["default-parent-queue", "default-queue"];

/// A KAI queue with its place in the tree.
#[derive(Debug)]
pub struct QueueFact<'a> {
    /// The object.
    pub object: &'a Object,
    /// What it says.
    pub queue: &'a Queue,
    /// Its parent.
    pub parent: Parent,
}

/// What is known of the parent of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// The queue is a root.
    Root,
    /// Another queue of the inputs, by its index.
    Known(usize),
    /// A queue that the installation of KAI Scheduler makes.
    Installed,
    /// Named, and not among the queues of the inputs, which hold others of the tree.
    Missing(String),
    /// The inputs do not tell.
    Unknown,
}

/// A queue by its name, and the queues above it up to the root.
pub fn line<'q, 'a>(queues: &'q [QueueFact<'a>], name: &str) -> Vec<&'q QueueFact<'a>> {
    let mut line: Vec<&QueueFact<'_>> = Vec::new();
    let mut next = queues.iter().find(|queue| queue.object.name() == Some(name));
    while let Some(queue) = next {
        // A queue that is its own ancestor is an error of another rule.
        if line.len() > queues.len() {
            break;
        }
        line.push(queue);
        next = match queue.parent {
            Parent::Known(index) => queues.get(index),
            _ => None,
        };
    }
    line
}

/// The KAI queues of the inputs.
pub fn build(inventory: &Inventory) -> Vec<QueueFact<'_>> {
    let queues: Vec<(&Object, &Queue)> = inventory
        .objects
        .iter()
        .filter_map(|o| Some((o, o.model.queue.as_ref()?)))
        .filter(|(_, q)| q.system == QueueSystem::Kai)
        .collect();
    let open_names = queues.iter().any(|(o, _)| o.meta.name.value().is_none());
    let has_root = queues.iter().any(|(_, q)| q.parent == Known::Absent);
    queues
        .iter()
        .map(|(object, queue)| {
            let parent = match &queue.parent {
                Known::Absent => Parent::Root,
                Known::Set(name, _) | Known::Default(name, _) => {
                    let found = queues.iter().position(|(o, _)| o.name() == Some(name));
                    match found {
                        Some(index) => Parent::Known(index),
                        None if INSTALLED.contains(&name.as_str()) => Parent::Installed,
                        // Without a root the queues are leaves of a tree that is kept elsewhere.
                        None if has_root && !open_names => Parent::Missing(name.clone()),
                        None => Parent::Unknown,
                    }
                }
                Known::Unresolved(_) | Known::Invalid(..) => Parent::Unknown,
            };
            QueueFact { object, queue, parent }
        })
        .collect()
}
