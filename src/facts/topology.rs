//! Levels of a cluster's topology, and who asks for one.

use super::Facts;
use super::gang::Setting;
use super::units::Unit;
use crate::kinds::Object;
use crate::kinds::constraints::Spreading;
use crate::kinds::placing::TopologyRequest;
use crate::kinds::pods::PodSet;

/// How much of a cluster a level holds, from narrow to wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One node.
    Host,
    /// Nodes that are joined by NVLink.
    Nvlink,
    /// A rack, a block, a leaf of the network.
    Rack,
    /// A zone.
    Zone,
    /// A region.
    Region,
}

impl Level {
    /// The level that a node label stands for; none for labels of users.
    /// Source: kubernetes, well-known labels; NVIDIA's GPU feature discovery and topograph; the documentation of AWS and
    /// Google Cloud on placement.
    pub fn of(label: &str) -> Option<Level> {
        let name = label.rsplit('/').next().unwrap_or(label);
        Some(match label {
            "kubernetes.io/hostname" => Level::Host,
            "topology.kubernetes.io/zone" | "failure-domain.beta.kubernetes.io/zone" => Level::Zone,
            "topology.kubernetes.io/region" | "failure-domain.beta.kubernetes.io/region" => Level::Region,
            "nvidia.com/gpu.clique"
            | "network.topology.nvidia.com/accelerator"
            | "accelerator.nvidia.com/rack" => Level::Nvlink,
            _ if label.starts_with("network.topology.nvidia.com/")
                || label.starts_with("topology.k8s.aws/network-node-layer")
                || label.starts_with("cloud.google.com/gce-topology")
                || name.contains("rack")
                || name.contains("block") =>
            {
                Level::Rack
            }
            _ => return None,
        })
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Level::Host => "one node",
            Level::Nvlink => "one NVLink domain",
            Level::Rack => "one rack",
            Level::Zone => "one zone",
            Level::Region => "one region",
        }
    }
}

/// A constraint with the object that states it: a workload, or a group object.
pub struct Asked<'a> {
    /// The object.
    pub object: &'a Object,
    /// The workload, where the constraint is part of one.
    pub unit: Option<&'a Unit<'a>>,
    /// What is asked.
    pub request: &'a TopologyRequest,
}

/// Every constraint of the inputs.
pub fn asked<'a>(facts: &'a Facts<'a>) -> Vec<Asked<'a>> {
    let by_units = facts.units.iter().flat_map(|unit| {
        let requests = unit.workload.placing.topologies.iter();
        requests.map(move |request| Asked { object: unit.object, unit: Some(unit), request })
    });
    let by_groups = facts.inventory.objects.iter().filter_map(|object| {
        let request = object.model.pod_group.as_ref()?.topology.as_ref()?;
        Some(Asked { object, unit: None, request })
    });
    by_units.chain(by_groups).collect()
}

/// The constraints that hold for a workload: its own, and those of the group objects that its pods join.
pub fn holding<'a>(facts: &'a Facts<'a>, unit: &'a Unit<'a>) -> Vec<&'a TopologyRequest> {
    let setting = Setting::build(facts.inventory);
    let groups = unit.workload.gang.declared.iter().filter_map(|e| setting.group_of(e, unit.object));
    let by_groups = groups.filter_map(|group| group.topology.as_ref());
    unit.workload.placing.topologies.iter().chain(by_groups).collect()
}

/// True where something else than a scheduler's topology keeps the pods near each other: affinity between pods, or nodes
/// that are chosen by their place.
pub fn kept_near(unit: &Unit<'_>) -> bool {
    unit.workload.sets.iter().any(|set| {
        let affinity = set.template.spreading.iter().any(|s| s.kind == "podAffinity");
        affinity || set.template.node_selector.0.iter().any(|pair| Level::of(&pair.key).is_some())
    })
}

/// The rule of the pods that drives members of one group into different zones or regions, where there is one.
pub fn torn_apart<'u>(unit: &'u Unit<'_>) -> Option<&'u Spreading> {
    let rules =
        unit.workload.sets.iter().flat_map(|set| set.template.spreading.iter().map(move |s| (set, s)));
    rules.into_iter().find(|(set, rule)| splits(unit, set, rule)).map(|(_, rule)| rule)
}

/// True for a required rule on zones or regions that two pods of one group fall under.
fn splits(unit: &Unit<'_>, set: &PodSet, rule: &Spreading) -> bool {
    let wide = rule.key.set().and_then(|key| Level::of(key)).is_some_and(|level| level >= Level::Zone);
    if !rule.required || !wide || rule.kind == "podAffinity" {
        return false;
    }
    let Some(selects) = &rule.selects else { return false };
    let matches = |other: &PodSet| {
        selects.iter().all(|(key, value)| other.template.meta.labels.get(key).set() == Some(value))
    };
    // Where each rank is an object of its own, or a group has one set only, the set itself has to have two pods.
    let members: u32 = unit.workload.sets.iter().filter(|s| matches(s)).filter_map(|s| s.pods.value()).sum();
    let by_engine = unit.workload.sets.len() == 1 && matches(set);
    !selects.is_empty() && matches(set) && (members > 1 || by_engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_labels() {
        for (label, expect) in [
            ("kubernetes.io/hostname", Some(Level::Host)),
            ("nvidia.com/gpu.clique", Some(Level::Nvlink)),
            ("cloud.provider.com/topology-rack", Some(Level::Rack)),
            ("cloud.google.com/gce-topology-block", Some(Level::Rack)),
            ("topology.k8s.aws/network-node-layer-3", Some(Level::Rack)),
            ("topology.kubernetes.io/zone", Some(Level::Zone)),
            ("topology.kubernetes.io/region", Some(Level::Region)),
            ("rack.example.com/owner", None),
            ("team", None),
        ] {
            assert_eq!(Level::of(label), expect, "{label}");
        }
        assert!(Level::Host < Level::Rack && Level::Rack < Level::Zone);
    }
}
