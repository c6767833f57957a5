//! Cross-file answers, built once after everything is read, then read-only. No IO here.

mod aliases;
pub mod disaggregated;
pub mod drives;
pub mod gang;
pub mod kai;
pub mod landing;
pub mod machines;
pub mod monitoring;
pub mod placement;
pub mod query;
pub mod queue_tree;
pub mod queues;
pub mod renames;
pub mod scope;
pub mod topology;
pub mod units;

use crate::inventory::Inventory;
use disaggregated::Pair;
use drives::Driver;
use gang::{GangFact, Setting};
use monitoring::Monitoring;
use placement::PoolFact;
use queue_tree::Tree;
use queues::QueueFact;
use renames::Aliases;
use units::{Unit, UnitId};

/// What the objects of the inputs mean together.
pub struct Facts<'a> {
    /// What was read.
    pub inventory: &'a Inventory,
    /// Workloads with what runs in them.
    pub units: Vec<Unit<'a>>,
    /// The gang of each unit, by its index.
    pub gangs: Vec<GangFact>,
    /// Autoscalers with what they drive.
    pub drivers: Vec<Driver<'a>>,
    /// Definitions of metric names.
    pub aliases: Aliases<'a>,
    /// Karpenter pools.
    pub pools: Vec<PoolFact<'a>>,
    /// KAI queues.
    pub queues: Vec<QueueFact<'a>>,
    /// How the KAI queues hang together.
    pub tree: Tree<'a>,
    /// Prefill and decode pools that belong together.
    pub pairs: Vec<Pair>,
    /// Dashboards and alerts.
    pub monitoring: Monitoring<'a>,
}

impl<'a> Facts<'a> {
    /// Works out what the objects mean together.
    pub fn build(inventory: &'a Inventory) -> Facts<'a> {
        let aliases = Aliases::build(inventory);
        let units = units::build(inventory);
        let setting = Setting::build(inventory);
        let gangs = units.iter().map(|unit| gang::judge(unit, &setting)).collect();
        let drivers = drives::build(inventory, &units, &aliases);
        let queues = queues::build(inventory);
        let pairs = disaggregated::build(inventory, &units);
        let monitoring = Monitoring::build(inventory, &units, &aliases);
        Facts {
            inventory,
            gangs,
            drivers,
            aliases,
            pools: placement::build(inventory),
            tree: Tree::build(inventory, &queues),
            queues,
            pairs,
            monitoring,
            units,
        }
    }

    /// A unit by its address.
    pub fn unit(&self, id: UnitId) -> Option<&Unit<'a>> {
        self.units.get(id.0)
    }

    /// The autoscalers of a unit.
    pub fn drivers_of(&self, id: UnitId) -> impl Iterator<Item = &Driver<'a>> {
        disaggregated::drivers_of(&self.drivers, id)
    }

    /// The autoscaler that findings about the repository as a whole are reported at; see [`monitoring::serving`].
    pub fn serving(&self) -> Option<&Driver<'a>> {
        monitoring::serving(&self.units, &self.drivers)
    }

    /// The units that an autoscaler scales.
    pub fn targets_of<'f>(&'f self, driver: &'f Driver<'a>) -> impl Iterator<Item = &'f Unit<'a>> {
        driver.targets.iter().filter_map(|id| self.unit(*id))
    }
}
