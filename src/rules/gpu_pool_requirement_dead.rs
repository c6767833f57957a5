//! `gpu-pool-requirement-dead`: a requirement that no node meets, or that keeps none out.

use super::pool_words::some_of;
use super::{Context, Finding};
use crate::facts::machines::{in_list, is_gpu_name};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::instances::{self, Cloud};
use crate::kinds::node_labels::{Key, key_kind, provider};
use crate::kinds::pods::is_gpu_resource;
use crate::kinds::pool::Requirement;
use crate::source::Span;

/// A value that matches no node: its place, why, and what was meant.
struct Dead<'r> {
    value: &'r str,
    span: Span,
    why: String,
    meant: Option<String>,
}

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() {
        return vec![];
    }
    let mut found = Vec::new();
    for requirement in &pool.pool.requirements {
        if let Some((why, help)) = idle_key(pool, requirement) {
            let message = format!("GPU pool `{}` asks for `{}`, {why}", pool.name(), requirement.key);
            found.push(
                Finding::new(pool.object, field(requirement), requirement.span, "selects nothing", message)
                    .help(help),
            );
            continue;
        }
        let dead = dead_values(requirement);
        let all = in_list(requirement).is_some_and(|values| values.len() == dead.len());
        found.extend(dead.into_iter().map(|dead| report(pool, requirement, dead, all)));
    }
    if found.is_empty() {
        found.extend(empty_product(pool));
    }
    found
}

fn field(requirement: &Requirement) -> String {
    format!("spec.template.spec.requirements.{}", requirement.key)
}

fn report<'a>(pool: &'a PoolFact<'a>, requirement: &Requirement, dead: Dead<'_>, all: bool) -> Finding<'a> {
    let so = if all { "so the pool starts no node at all" } else { "so only the other values count" };
    let message = format!(
        "GPU pool `{}` asks for `{}` {}, {}: {so}",
        pool.name(),
        requirement.key,
        dead.value,
        dead.why
    );
    let finding = Finding::new(pool.object, field(requirement), dead.span, "matches no node", message);
    match dead.meant {
        Some(meant) => finding.help(meant),
        None => finding,
    }
}

/// A key under which nodes have no label, or one that nothing reads.
fn idle_key(pool: &PoolFact<'_>, requirement: &Requirement) -> Option<(String, String)> {
    let key = requirement.key.as_str();
    if requirement.from_label {
        return None;
    }
    if matches!(key, "karpenter.k8s.gcp/instance-gpu-manufacturer" | "karpenter.k8s.gcp/instance-gpu-memory")
    {
        return Some((
            "a label that the provider of Google Cloud never gives a value: no node matches".to_owned(),
            "select by `karpenter.k8s.gcp/instance-gpu-name` or the instance family".to_owned(),
        ));
    }
    let azure_count = key == "karpenter.azure.com/sku-gpu-count"
        && requirement.operator.value().is_some_and(|o| o == "Exists");
    if azure_count && pool.class == PoolClass::Mixed {
        return Some((
            "which sizes without GPUs have as well, with the value 0: it keeps no CPU node out".to_owned(),
            "use operator Gt with \"0\", or ask for `karpenter.azure.com/sku-gpu-manufacturer`".to_owned(),
        ));
    }
    if is_gpu_resource(key) {
        return Some((
            "which is a resource that pods ask for and no label of a machine: it keeps no machine out"
                .to_owned(),
            "remove it: Karpenter finds machines with GPUs by what the pods ask for".to_owned(),
        ));
    }
    if let Some(rest) = key.strip_prefix("node.kubernetes.io/")
        && matches!(
            rest,
            "instance-family"
                | "instance-category"
                | "instance-size"
                | "instance-gpu-name"
                | "instance-gpu-count"
        )
    {
        return Some((
            "a label of your own to Karpenter: it is put on the nodes and keeps no machine out".to_owned(),
            format!("use the key of the provider, on AWS `karpenter.k8s.aws/{rest}`"),
        ));
    }
    let class = pool.pool.node_class.group.value()?;
    let (domain, rest) = key.split_once('/')?;
    let (owner, home) = (provider(domain)?, provider(class)?);
    let other = domain != class;
    (other && key_kind(key).is_some()).then(|| {
        (
            format!("a label of another provider than that of its node class, {class}: it is put on the nodes and keeps no machine out"),
            // The two providers on AWS have the same labels under different domains.
            if owner == home { format!("write `{class}/{rest}`") } else { format!("use the labels of {class}") },
        )
    })
}

fn dead_values(requirement: &Requirement) -> Vec<Dead<'_>> {
    let Some((key, cloud)) = key_kind(&requirement.key) else { return vec![] };
    if requirement.operator.value().is_none_or(|o| o != "In") {
        return vec![];
    }
    let values = requirement.values.iter().filter_map(|v| Some((v.value()?.as_str(), v.span()?)));
    values
        .filter_map(|(value, span)| {
            let (why, meant) = match key {
                Key::GpuWord if is_gpu_name(&requirement.key) => gpu_name(&requirement.key, cloud, value)?,
                Key::GpuWord => manufacturer(value)?,
                Key::Family if cloud == Cloud::Aws => family(value)?,
                Key::Category => category(value)?,
                Key::Type => instance_type(value)?,
                Key::Capacity => capacity_type(value)?,
                _ => return None,
            };
            Some(Dead { value, span, why, meant: Some(meant) })
        })
        .collect()
}

/// A spelling of a known GPU that the label does not use. A name of which nothing is known may be a newer GPU.
fn gpu_name(key: &str, cloud: Cloud, value: &str) -> Option<(String, String)> {
    let cloud = if key.starts_with("cloud.google.com/") { Cloud::Gcp } else { cloud };
    let known = instances::gpu_names(cloud);
    if known.contains(value) {
        return None;
    }
    let bare = |name: &str| {
        let lower = name.to_ascii_lowercase().replace([' ', '_'], "-");
        let parts = lower.split('-').filter(|p| {
            !matches!(*p, "nvidia" | "tesla" | "amd" | "sxm" | "sxm4" | "sxm5" | "pcie") && !p.ends_with("gb")
        });
        parts.collect::<Vec<_>>().join("-")
    };
    let meant: Vec<&str> = known.iter().copied().filter(|k| bare(k) == bare(value)).collect();
    if meant.is_empty() {
        return None;
    }
    Some(("a spelling that no node carries".to_owned(), format!("write {}", some_of(meant, 3))))
}

fn manufacturer(value: &str) -> Option<(String, String)> {
    let lower = value.to_ascii_lowercase();
    let known = ["nvidia", "amd"].into_iter().find(|k| lower == *k && value != *k)?;
    Some(("and values are compared letter by letter".to_owned(), format!("write `{known}`")))
}

/// A family of AWS that does not exist: a type, another case, or the beginning of several.
fn family(value: &str) -> Option<(String, String)> {
    if let Some((family, _)) = value.split_once('.') {
        return Some((
            "which is a type and no family".to_owned(),
            format!("write `{family}`, or use `node.kubernetes.io/instance-type`"),
        ));
    }
    let known = instances::families(Cloud::Aws);
    if known.contains(value) {
        return None;
    }
    let lower = value.to_ascii_lowercase();
    if let Some(family) = known.get(lower.as_str()) {
        return Some(("and values are compared letter by letter".to_owned(), format!("write `{family}`")));
    }
    let ends_in_digit = value.ends_with(|c: char| c.is_ascii_digit());
    let longer: Vec<&str> = known
        .iter()
        .copied()
        .filter(|f| f.strip_prefix(value).is_some_and(|r| !r.starts_with(|c: char| c.is_ascii_digit())))
        .collect();
    if !ends_in_digit || longer.is_empty() || instances::is_gpu_family(Cloud::Aws, value) == Some(false) {
        return None;
    }
    Some(("which is no family of AWS".to_owned(), format!("write {}", some_of(longer, 4))))
}

fn category(value: &str) -> Option<(String, String)> {
    let odd = value.len() > 3 || value.chars().any(|c| !c.is_ascii_lowercase());
    let help = "write the letters before the first digit of the family: `g` or `p` for GPUs";
    odd.then(|| ("which is no category of AWS".to_owned(), help.to_owned()))
}

/// A size that a known family of AWS does not have, a family, or another case.
fn instance_type(value: &str) -> Option<(String, String)> {
    let families = instances::families(Cloud::Aws);
    if families.contains(value) {
        return Some((
            "which is a family and no type".to_owned(),
            "use the key of the instance family".to_owned(),
        ));
    }
    let (family, _) = value.split_once('.')?;
    if let Some(known) = instances::by_name(value) {
        return (known.cloud == Cloud::Aws && known.name != value).then(|| {
            ("and values are compared letter by letter".to_owned(), format!("write `{}`", known.name))
        });
    }
    let sizes: Vec<&str> = instances::by_family(family)
        .filter(|i| i.cloud == Cloud::Aws)
        .filter_map(|i| Some(i.name.split_once('.')?.1))
        .collect();
    if sizes.is_empty() || !families.contains(family) {
        return None;
    }
    Some((format!("a size that {family} does not have"), format!("{family} has {}", some_of(sizes, 12))))
}

fn capacity_type(value: &str) -> Option<(String, String)> {
    let bare: String =
        value.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let known = match value {
        "on-demand" | "spot" | "reserved" => return None,
        _ => match bare.as_str() {
            "ondemand" => "write `on-demand`",
            "spot" => "write `spot`",
            "reserved" | "odcr" | "capacityblock" => "write `reserved`",
            _ => "write `on-demand`, `spot` or `reserved`",
        },
    };
    Some(("which is no capacity type".to_owned(), known.to_owned()))
}

/// Requirements of which each matches machines, and which no machine meets together.
fn empty_product<'a>(pool: &'a PoolFact<'a>) -> Option<Finding<'a>> {
    let machines = &pool.machines;
    // The catalogue holds the GPU machines of AWS whole.
    let known = machines.complete && machines.cloud == Some(Cloud::Aws) && pool.class == PoolClass::Gpu;
    if !known || !machines.types.is_empty() {
        return None;
    }
    let asked: Vec<String> = pool
        .pool
        .requirements
        .iter()
        .filter(|r| key_kind(&r.key).is_some_and(|(k, _)| k != Key::Capacity))
        .filter_map(|r| {
            let values: Vec<&str> = r.values.iter().filter_map(|v| v.value().map(String::as_str)).collect();
            let name = r.key.rsplit('/').next()?;
            Some(format!("{name} {} {}", r.operator.value()?, values.join(", ")).trim_end().to_owned())
        })
        .collect();
    let message = format!(
        "GPU pool `{}` asks for {} together, and no GPU machine of AWS is all of it: the pool starts no node",
        pool.name(),
        asked.join(" and ")
    );
    Some(
        Finding::new(
            pool.object,
            "spec.template.spec.requirements",
            pool.pool.place.requirements,
            "no machine meets all of these",
            message,
        )
        .help("change one of the requirements"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value with a piece of the way out; none where the value passes.
    fn check(read: impl Fn(&str) -> Option<(String, String)>, cases: &[(&str, Option<&str>)]) {
        for (value, expected) in cases {
            let found = read(value).map(|(_, help)| help);
            let fits = match (&found, expected) {
                (Some(found), Some(expected)) => found.contains(expected),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(fits, "{value}: expected {expected:?}, got {found:?}");
        }
    }

    #[test]
    fn values() {
        let aws = |v: &str| gpu_name("karpenter.k8s.aws/instance-gpu-name", Cloud::Aws, v);
        check(
            aws,
            &[
                ("h100", None),
                ("A10G", Some("`a10g`")),
                ("nvidia-l4", Some("`l4`")),
                ("h100-80gb", Some("`h100`")),
                ("x900", None),
                ("", None),
            ],
        );
        let gcp = |v: &str| gpu_name("cloud.google.com/gke-accelerator", Cloud::Aws, v);
        check(
            gcp,
            &[
                ("nvidia-l4", None),
                ("l4", Some("`nvidia-l4`")),
                ("nvidia-tesla-t4", None),
                ("nvidia-h100", Some("`nvidia-h100-80gb`")),
            ],
        );
        check(
            family,
            &[
                ("g5", None),
                ("p4", Some("`p4d`")),
                ("g4", Some("`g4dn`")),
                ("p6", Some("`p6-b200`")),
                ("G5", Some("`g5`")),
                ("g5.xlarge", Some("`g5`")),
                ("m5", None),
                ("g", None),
                ("g99", None),
                ("é", None),
            ],
        );
        check(
            instance_type,
            &[
                ("g5.xlarge", None),
                ("g5.32xlarge", Some("`xlarge`")),
                ("g5", Some("family")),
                ("G5.xlarge", Some("`g5.xlarge`")),
                ("m5.large", None),
                ("g99.xlarge", None),
                ("Standard_NC24ads_A100_v4", None),
                ("g2-standard-4", None),
            ],
        );
        check(
            category,
            &[("g", None), ("inf", None), ("gpu2", Some("letters")), ("accelerated", Some("letters"))],
        );
        check(manufacturer, &[("nvidia", None), ("NVIDIA", Some("`nvidia`")), ("habana", None)]);
        check(
            capacity_type,
            &[
                ("spot", None),
                ("on-demand", None),
                ("ON_DEMAND", Some("`on-demand`")),
                ("Spot", Some("`spot`")),
                ("cheap", Some("or")),
            ],
        );
    }
}
