//! Which Karpenter pools give GPU nodes.
//!
//! Every requirement forces, allows or excludes GPU nodes; together they decide. What is only a sign of intent (a taint,
//! a limit, a label, the name) decides nothing against a requirement.

use super::machines::{self, Machines};
use super::scope::nearest;
use super::units::Unit;
use crate::instances::{self, Cloud};
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::node_labels::{Key, key_kind};
use crate::kinds::pool::{NodeClass, Pool, Requirement};
use crate::known::Known;
use crate::source::Span;

/// A pool with what its nodes can be.
#[derive(Debug)]
pub struct PoolFact<'a> {
    /// The object.
    pub object: &'a Object,
    /// What it says.
    pub pool: &'a Pool,
    /// What its nodes are.
    pub class: PoolClass,
    /// What made it a GPU pool, for people.
    pub because: String,
    /// True where the node class taints GPU nodes by itself, or may and is not in the inputs.
    pub class_taints: bool,
    /// The GPU machines that it can buy.
    pub machines: Machines,
    /// Its node class, where the inputs hold one nearest that is meant.
    pub node_class: Option<(&'a Object, &'a NodeClass)>,
}

impl PoolFact<'_> {
    /// The name, or `?`.
    pub fn name(&self) -> &str {
        self.object.name().unwrap_or("?")
    }

    /// True for a pool that is meant for GPU nodes and says itself which nodes it makes. A patch that only changes a
    /// limit says nothing by its silence.
    pub fn is_judged(&self) -> bool {
        matches!(self.class, PoolClass::Gpu | PoolClass::Mixed) && self.pool.has_requirements
    }
}

/// What the nodes of a pool are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PoolClass {
    /// GPU nodes.
    Gpu,
    /// GPU nodes and others, on purpose as far as the signs go.
    Mixed,
    /// Nodes with another accelerator.
    OtherAccelerator,
    /// Nothing keeps GPU nodes out, and nothing asks for them.
    Open,
    /// No GPU nodes.
    Cpu,
    /// A template decides.
    Unresolved,
}

/// What one requirement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Forces,
    Allows,
    Excludes,
    /// Only nodes with another accelerator.
    Other,
    Unknown,
}

/// The pools of the inputs. A partial object, such as a patch that only changes a limit, is no pool by itself.
pub fn build(inventory: &Inventory) -> Vec<PoolFact<'_>> {
    inventory
        .objects
        .iter()
        .filter_map(|object| {
            let pool = object.model.pool.as_ref()?;
            let (class, because) = classify(object, pool, inventory);
            let class_taints =
                node_class(inventory, pool).map_or(pool.node_class.may_taint(), |c| c.adds_gpu_taint);
            let machines = machines::of(pool);
            let node_class = nearest_class(inventory, object, pool);
            Some(PoolFact { object, pool, class, because, class_taints, machines, node_class })
        })
        .collect()
}

/// The node class that a pool means: the one nearest of its kind and name. None where two are equally near.
fn nearest_class<'a>(
    inventory: &'a Inventory,
    from: &Object,
    pool: &Pool,
) -> Option<(&'a Object, &'a NodeClass)> {
    let name = pool.node_class.name.value()?;
    let kind = pool.node_class.kind.value();
    let group = pool.node_class.group.value();
    let all = inventory.objects.iter().filter_map(|o| Some((o, o.model.node_class.as_ref()?)));
    let fits = all
        .filter(|(o, _)| {
            o.name() == Some(name)
                && kind.is_none_or(|kind| *kind == o.kind)
                && group.is_none_or(|group| *group == o.group)
        })
        .collect();
    match nearest(inventory, from, fits, |(o, _)| o).as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// What the limits of the pools leave for the pods of one workload.
#[derive(Debug)]
pub struct GpuLimit<'p, 'a> {
    /// GPUs of all pools together.
    pub gpus: f64,
    /// The pools, with the bytes of the limit of each.
    pub at: Vec<(&'p PoolFact<'a>, Span)>,
}

/// The most GPUs that the pools of the inputs can give to a workload, where each of them has a limit. Pools of another
/// cluster may be among them, so the true limit may be lower.
pub fn gpu_limit<'p, 'a>(pools: &'p [PoolFact<'a>], unit: &Unit<'_>) -> Option<GpuLimit<'p, 'a>> {
    let templates = unit.workload.sets.iter().map(|set| &set.template).filter(|template| template.gpus.any());
    let names: Vec<Known<String>> = templates.map(|t| t.node_selector.get("karpenter.sh/nodepool")).collect();
    let fits = |pool: &&PoolFact<'_>| {
        names.iter().all(|name| name.is_omitted() || name.value().map(String::as_str) == pool.object.name())
    };
    let mut limit = GpuLimit { gpus: 0.0, at: vec![] };
    for pool in pools.iter().filter(fits) {
        match pool.class {
            PoolClass::Cpu | PoolClass::OtherAccelerator => continue,
            PoolClass::Gpu | PoolClass::Mixed => {}
            // Such a pool may give GPU nodes too.
            PoolClass::Open | PoolClass::Unresolved => return None,
        }
        let stated = pool.pool.limits.iter().find(|(name, _, _)| crate::kinds::pods::is_gpu_resource(name));
        let (_, value, at) = stated?;
        limit.gpus += value.set()?;
        limit.at.push((pool, *at));
    }
    (!limit.at.is_empty()).then_some(limit)
}

fn node_class<'a>(inventory: &'a Inventory, pool: &Pool) -> Option<&'a NodeClass> {
    let name = pool.node_class.name.value()?;
    let kind = pool.node_class.kind.value();
    let fits = |o: &&Object| {
        o.model.node_class.is_some() && o.name() == Some(name) && kind.is_none_or(|kind| *kind == o.kind)
    };
    inventory.objects.iter().find(fits).and_then(|o| o.model.node_class.as_ref())
}

fn classify(object: &Object, pool: &Pool, inventory: &Inventory) -> (PoolClass, String) {
    let effects: Vec<(Effect, &Requirement)> = pool.requirements.iter().map(|r| (effect(r), r)).collect();
    let first = |wanted: Effect| effects.iter().find(|(e, _)| *e == wanted).map(|(_, r)| describe(r));
    if let Some(because) = first(Effect::Excludes) {
        return (PoolClass::Cpu, because);
    }
    if let Some(because) = first(Effect::Other) {
        return (PoolClass::OtherAccelerator, because);
    }
    if let Some(because) = first(Effect::Forces) {
        return (PoolClass::Gpu, because);
    }
    if first(Effect::Unknown).is_some() {
        // A template may pin an instance family of any sort; a taint for GPUs shows which sort it is.
        return match gpu_taint(pool) {
            Some(because) => (PoolClass::Mixed, because),
            None => (PoolClass::Unresolved, "a template value".to_owned()),
        };
    }
    let mixed = effects.iter().any(|(e, r)| *e == Effect::Allows && names_gpus(r));
    match intent(object, pool, inventory) {
        Some(because) if pool.has_requirements => (PoolClass::Mixed, because),
        None if mixed => (PoolClass::Mixed, "its list of instances holds GPU types".to_owned()),
        _ => (PoolClass::Open, String::new()),
    }
}

fn describe(requirement: &Requirement) -> String {
    let values: Vec<&str> =
        requirement.values.iter().filter_map(|v| v.value().map(String::as_str)).take(4).collect();
    let operator = requirement.operator.value().map_or("", String::as_str);
    format!("`{}` {operator} {}", requirement.key, values.join(", ")).trim_end().to_owned()
}

fn effect(requirement: &Requirement) -> Effect {
    let Some(operator) = requirement.operator.value().map(String::as_str) else { return Effect::Unknown };
    let Some((kind, cloud)) = key_kind(&requirement.key) else { return Effect::Allows };
    let values: Vec<&str> = requirement.values.iter().filter_map(|v| v.value().map(String::as_str)).collect();
    let open = requirement.unresolved || values.len() < requirement.values.len();
    match (kind, operator) {
        (Key::GpuWord, "In" | "Exists") => Effect::Forces,
        (Key::AcceleratorWord, "In" | "Exists") => accelerator(&values),
        (Key::GpuWord | Key::GpuNumber | Key::AcceleratorWord, "DoesNotExist") => {
            if kind == Key::AcceleratorWord { Effect::Allows } else { Effect::Excludes }
        }
        // Azure writes a count of 0 on every machine without GPUs, so that the key exists there too.
        (Key::GpuNumber, "Exists") => {
            if cloud == Cloud::Azure {
                Effect::Allows
            } else {
                Effect::Forces
            }
        }
        (Key::GpuNumber, "In") if open => Effect::Unknown,
        (Key::GpuNumber, "In") => {
            let numbers: Vec<i64> = values.iter().filter_map(|v| v.parse().ok()).collect();
            match (numbers.iter().any(|n| *n > 0), numbers.contains(&0)) {
                (true, false) => Effect::Forces,
                (false, true) => Effect::Excludes,
                _ => Effect::Allows,
            }
        }
        (Key::GpuNumber, "Gt" | "Gte") => match values.first().and_then(|v| v.parse::<i64>().ok()) {
            Some(n) if n >= i64::from(operator == "Gte") => Effect::Forces,
            None if open => Effect::Unknown,
            _ => Effect::Allows,
        },
        (Key::GpuNumber, "Lt") if values.first() == Some(&"1") => Effect::Excludes,
        (Key::Category | Key::Family | Key::Type | Key::SkuFamily, "In") if open => Effect::Unknown,
        (Key::Category, "In") => all(
            &values,
            |v| Some(matches!(v, "g" | "p" | "gr")),
            |v| matches!(v, "inf" | "trn" | "dl" | "vt" | "f"),
        ),
        (Key::Family, "In") => all(&values, |v| instances::is_gpu_family(cloud, v), other_accelerator),
        (Key::Type, "In") => {
            all(&values, instances::is_gpu_type, |v| other_accelerator(v.split('.').next().unwrap_or(v)))
        }
        (Key::SkuFamily, "In") => all(&values, azure_gpu_series, |v| azure_gpu_series(v).is_none()),
        _ => Effect::Allows,
    }
}

/// The effect of a list of which every value is or is not a GPU machine. A value that is not known leaves it open.
fn all(values: &[&str], is_gpu: impl Fn(&str) -> Option<bool>, is_other: impl Fn(&str) -> bool) -> Effect {
    if values.is_empty() {
        return Effect::Allows;
    }
    if values.iter().all(|v| is_other(v)) {
        return Effect::Other;
    }
    let answers: Vec<Option<bool>> = values.iter().map(|v| is_gpu(v)).collect();
    if answers.iter().all(|a| *a == Some(true)) {
        Effect::Forces
    } else if answers.iter().all(|a| *a == Some(false)) {
        Effect::Excludes
    } else {
        Effect::Allows
    }
}

/// True for a family or series of Azure machines with GPUs: all that start with `N` (`N`, `NC`, `NCads_H100_v5`) but the
/// FPGA machines of series NP, of which the answer is none.
fn azure_gpu_series(name: &str) -> Option<bool> {
    let mut letters = name.chars().map(|letter| letter.to_ascii_uppercase());
    match (letters.next(), letters.next()) {
        (Some('N'), Some('P')) => None,
        (first, _) => Some(first == Some('N')),
    }
}

/// AWS families with accelerators that are no GPUs: Inferentia, Trainium, Gaudi, video and FPGA machines.
fn other_accelerator(family: &str) -> bool {
    let letters: String = family.chars().take_while(char::is_ascii_lowercase).collect();
    matches!(letters.as_str(), "inf" | "trn" | "dl" | "vt" | "f")
}

fn accelerator(values: &[&str]) -> Effect {
    const OTHERS: &[&str] =
        &["inferentia", "inferentia2", "trainium", "trainium2", "trainium3", "gaudi", "aws", "habana"];
    if values.is_empty() || values.iter().all(|v| OTHERS.contains(v)) {
        Effect::Other
    } else {
        Effect::Allows
    }
}

fn names_gpus(requirement: &Requirement) -> bool {
    let Some((kind, cloud)) = key_kind(&requirement.key) else { return false };
    if requirement.operator.value().map(String::as_str) != Some("In") {
        return false;
    }
    let values = requirement.values.iter().filter_map(|v| v.value().map(String::as_str));
    match kind {
        Key::Category => values.clone().any(|v| matches!(v, "g" | "p" | "gr")),
        Key::Family => values.clone().any(|v| instances::is_gpu_family(cloud, v) == Some(true)),
        Key::Type => values.clone().any(|v| instances::is_gpu_type(v) == Some(true)),
        Key::SkuFamily => values.clone().any(|v| azure_gpu_series(v) == Some(true)),
        _ => false,
    }
}

fn gpu_taint(pool: &Pool) -> Option<String> {
    pool.taints
        .iter()
        .filter_map(|t| t.key.value())
        .find(|key| is_gpu_word(key))
        .map(|key| format!("taint `{key}`"))
}

/// Signs that a pool is meant for GPUs.
fn intent(object: &Object, pool: &Pool, inventory: &Inventory) -> Option<String> {
    if let Some(because) = gpu_taint(pool) {
        return Some(because);
    }
    let limit = pool.limits.iter().find(|(name, value, _)| {
        crate::kinds::pods::is_gpu_resource(name) && value.value().is_none_or(|n| *n > 0.0)
    });
    if let Some((name, _, _)) = limit {
        return Some(format!("limit on `{name}`"));
    }
    let label = pool.labels.iter().find(|(key, value, _)| {
        key == "nvidia.com/gpu.present"
            || key == "nvidia.com/gpu"
            || (key == "accelerator" && is_gpu_value(value))
    });
    if let Some((key, _, _)) = label {
        return Some(format!("label `{key}`"));
    }
    if let Some(class) = node_class(inventory, pool) {
        let ami = class.ami.iter().find_map(|(_, value)| value.value().filter(|v| is_gpu_word(v)));
        if ami.is_some() || class.gpu_mode {
            return Some("its node class carries a GPU driver".to_owned());
        }
    }
    let name = object.name()?;
    is_gpu_word(name).then(|| format!("its name, `{name}`"))
}

fn is_gpu_value(value: &Known<String>) -> bool {
    value.value().is_some_and(|v| is_gpu_word(v) || v == "true")
}

/// True where a text has a word that stands for GPUs. Parts of words do not count: `gpuless` is no GPU.
fn is_gpu_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "gpu", "gpus", "cuda", "nvidia", "a100", "h100", "h200", "b200", "l4", "l40s", "a10g", "v100", "t4",
    ];
    let lower = text.to_ascii_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn azure_series() {
        for (name, gpu) in [
            ("N", Some(true)),
            ("n", Some(true)),
            ("NC", Some(true)),
            ("NCas_T4_v3", Some(true)),
            ("NCads_H100_v5", Some(true)),
            ("NPs", None),
            ("D", Some(false)),
            ("DCas_v5", Some(false)),
            ("", Some(false)),
        ] {
            assert_eq!(azure_gpu_series(name), gpu, "{name}");
        }
    }

    #[test]
    fn keys_of_azure() {
        for key in ["karpenter.azure.com/sku-family", "karpenter.azure.com/sku-series"] {
            assert_eq!(key_kind(key), Some((Key::SkuFamily, Cloud::Azure)), "{key}");
        }
    }
}
