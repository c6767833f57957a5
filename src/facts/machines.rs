//! Which GPU machines of the catalogue a Karpenter pool can buy.

use crate::instances::{self, Cloud, Instance};
use crate::kinds::node_labels::{Key, key_kind, provider};
use crate::kinds::pool::{Pool, Requirement};
use std::collections::BTreeSet;

/// The GPU machines that the requirements of a pool leave.
#[derive(Debug, Clone, Default)]
pub struct Machines {
    /// Types of the catalogue that no requirement excludes, in the order of the catalogue.
    pub types: Vec<&'static Instance>,
    /// True where the pool can buy no other GPU machine: it names types, families or GPUs, all of them known.
    pub complete: bool,
    /// The cloud.
    pub cloud: Option<Cloud>,
}

impl Machines {
    fn of(cloud: Cloud, requirements: &[Requirement]) -> Machines {
        let all = instances::instances().iter().filter(|i| i.cloud == cloud && i.accelerator.is_gpu());
        let types = all.filter(|i| requirements.iter().all(|r| admits(r, i) != Some(false))).collect();
        let complete = requirements.iter().any(|r| enumerates(cloud, r));
        Machines { types, complete, cloud: Some(cloud) }
    }

    /// The names of the GPUs, sorted. Types whose GPU has no name in the catalogue count by their family.
    pub fn models(&self) -> BTreeSet<&'static str> {
        self.types.iter().map(|t| t.gpu_name.unwrap_or(t.family())).collect()
    }

    /// The most GPUs that one node can have, where every type of the pool is known. The counts of machines of Google
    /// Cloud are those of the machine: its provider counts accelerator entries, so that nothing is concluded there.
    pub fn most_gpus(&self) -> Option<u32> {
        if !self.complete || self.cloud == Some(Cloud::Gcp) {
            return None;
        }
        self.counts()?.into_iter().max()
    }

    /// The fewest GPUs that one node can have, fractions of a GPU aside.
    pub fn fewest_gpus(&self) -> Option<u32> {
        if !self.complete || self.cloud == Some(Cloud::Gcp) {
            return None;
        }
        self.counts()?.into_iter().filter(|n| *n > 0).min()
    }

    /// The GPUs of each type; none where one of them is not known for sure.
    fn counts(&self) -> Option<Vec<u32>> {
        let count = |t: &&Instance| t.gpu_count.filter(|_| t.is_checked(instances::Field::GpuCount));
        self.types.iter().map(count).collect()
    }
}

/// The cloud of a pool, by its node class or by the keys of its requirements.
pub fn cloud_of(pool: &Pool) -> Option<Cloud> {
    let by_class = pool.node_class.group.value().and_then(|group| provider(group));
    let by_key = |r: &Requirement| r.key.split_once('/').and_then(|(domain, _)| provider(domain));
    let by_type = |r: &Requirement| {
        let is_type = matches!(key_kind(&r.key), Some((Key::Type, _)));
        let mut values = r.values.iter().filter_map(|v| v.value()).filter(|_| is_type);
        values.find_map(|v| instances::by_name(v)).map(|i| i.cloud)
    };
    by_class
        .or_else(|| pool.requirements.iter().find_map(by_key))
        .or_else(|| pool.requirements.iter().find_map(by_type))
}

/// The GPU machines of a pool.
pub fn of(pool: &Pool) -> Machines {
    cloud_of(pool).map(|cloud| Machines::of(cloud, &pool.requirements)).unwrap_or_default()
}

/// True for a list of types, families or GPUs of which the catalogue knows every one.
fn enumerates(cloud: Cloud, requirement: &Requirement) -> bool {
    let Some(values) = in_list(requirement).filter(|v| !v.is_empty()) else { return false };
    match key_kind(&requirement.key) {
        Some((Key::Type, _)) => {
            values.iter().all(|v| instances::by_name(v).is_some() || instances::is_gpu_type(v) == Some(false))
        }
        Some((Key::Family, _)) => values.iter().all(|v| instances::is_gpu_family(cloud, v).is_some()),
        Some((Key::GpuWord, _)) if is_gpu_name(&requirement.key) => {
            let known = instances::gpu_names(cloud);
            values.iter().all(|v| known.contains(v))
        }
        _ => false,
    }
}

/// True for the keys that name the GPU and not its manufacturer.
pub fn is_gpu_name(key: &str) -> bool {
    key.ends_with("gpu-name") || key.ends_with("gke-accelerator")
}

/// The values of an `In`, where all of them are known.
pub fn in_list(requirement: &Requirement) -> Option<Vec<&str>> {
    let is_in = requirement.operator.value().is_some_and(|o| o == "In") && !requirement.unresolved;
    is_in.then(|| requirement.values.iter().map(|v| v.value().map(String::as_str)).collect())?
}

/// Whether a requirement lets a machine in. None where it says nothing of the machine, or what it says is not known.
fn admits(requirement: &Requirement, machine: &Instance) -> Option<bool> {
    let operator = requirement.operator.value()?.as_str();
    let Some(property) = property(&requirement.key, machine) else {
        // A type whose GPU the catalogue does not name has none of the names that it does know.
        let known = instances::gpu_names(machine.cloud);
        let named = is_gpu_name(&requirement.key) && machine.gpu_name.is_none();
        let others =
            named && in_list(requirement).is_some_and(|values| values.iter().all(|v| known.contains(v)));
        return others.then_some(false);
    };
    let values: Option<Vec<&str>> = if requirement.unresolved {
        None
    } else {
        requirement.values.iter().map(|v| v.value().map(String::as_str)).collect()
    };
    let number = |text: &str| text.parse::<f64>().ok();
    match operator {
        "Exists" => Some(true),
        "DoesNotExist" => Some(false),
        "In" => Some(values?.iter().any(|v| property.eq_ignore_ascii_case(v))),
        "NotIn" => Some(!values?.iter().any(|v| property.eq_ignore_ascii_case(v))),
        "Gt" | "Lt" | "Gte" | "Lte" => {
            let (have, bound) = (number(&property)?, number(values?.first()?)?);
            Some(match operator {
                "Gt" => have > bound,
                "Lt" => have < bound,
                "Gte" => have >= bound,
                _ => have <= bound,
            })
        }
        _ => None,
    }
}

/// The value of a label on a node of this type, as the provider writes it. None for labels that the catalogue does not
/// hold. Google Cloud's count label counts accelerator entries and not GPUs.
fn property(key: &str, machine: &Instance) -> Option<String> {
    if let "node.kubernetes.io/instance-type" | "beta.kubernetes.io/instance-type" = key {
        return Some(machine.name.to_owned());
    }
    if key == "kubernetes.io/arch" {
        return arch(machine).map(str::to_owned);
    }
    if key == "cloud.google.com/gke-accelerator" {
        return machine.gpu_name.map(str::to_owned);
    }
    let field = [
        "karpenter.k8s.aws/instance-",
        "eks.amazonaws.com/instance-",
        "karpenter.azure.com/sku-",
        "karpenter.k8s.gcp/instance-",
    ]
    .iter()
    .find_map(|prefix| key.strip_prefix(prefix))?;
    match field {
        "gpu-name" => machine.gpu_name.map(str::to_owned),
        "gpu-manufacturer" if machine.cloud != Cloud::Gcp => Some(machine.manufacturer.to_owned()),
        "gpu-count" if machine.cloud != Cloud::Gcp => machine.gpu_count.map(|n| n.to_string()),
        "category" => machine.category().map(str::to_owned),
        "family" if machine.cloud == Cloud::Azure => machine.family().chars().next().map(String::from),
        "family" => Some(machine.family().to_owned()),
        "name" if machine.cloud == Cloud::Azure => Some(machine.name.to_owned()),
        "size" if machine.cloud == Cloud::Aws => {
            machine.name.split_once('.').map(|(_, size)| size.to_owned())
        }
        "generation" if machine.cloud == Cloud::Aws => generation(machine.name),
        _ => None,
    }
}

/// The virtual CPUs of an AWS type, as its size says: 4 for `xlarge`, 4 times N for `Nxlarge`, 2 for `large`. None for
/// bare metal and for other clouds.
pub fn vcpus(machine: &Instance) -> Option<u32> {
    let (_, size) = machine.name.split_once('.').filter(|_| machine.cloud == Cloud::Aws)?;
    match size {
        "large" => Some(2),
        "xlarge" => Some(4),
        size => size.strip_suffix("xlarge")?.parse::<u32>().ok()?.checked_mul(4),
    }
}

/// The first number in the name of an AWS type. Source: aws/karpenter-provider-aws, pkg/providers/instancetype/types.go.
fn generation(name: &str) -> Option<String> {
    let digits: String =
        name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// The architecture of an AWS type: two families have ARM CPUs.
fn arch(machine: &Instance) -> Option<&'static str> {
    (machine.cloud == Cloud::Aws)
        .then(|| if matches!(machine.family(), "g5g" | "p6e-gb200") { "arm64" } else { "amd64" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::Known;
    use crate::source::{FileId, Span};

    fn requirement(text: &str) -> Requirement {
        let mut words = text.split_whitespace().map(str::to_owned);
        let span = Span::new(FileId(0), 0, 0);
        Requirement {
            key: words.next().expect("a key"),
            operator: Known::Set(words.next().expect("an operator"), span),
            values: words
                .map(|w| if w == "?" { Known::Unresolved(span) } else { Known::Set(w, span) })
                .collect(),
            unresolved: false,
            span,
            from_label: false,
        }
    }

    #[test]
    fn machines_of_requirements() {
        let aws = |rest: &str| rest.replace('@', "karpenter.k8s.aws/instance-");
        // The requirements, the types, whether they are all, the most GPUs on one.
        for (text, types, complete, most) in [
            ("@family In g6e;@size In 48xlarge", Some("g6e.48xlarge"), true, Some(8)),
            ("@family In g6e;@size In large", Some(""), true, None),
            ("@gpu-name In h100;@gpu-count In 8", Some("p5.48xlarge"), true, Some(8)),
            ("@gpu-name In l4;@gpu-count In 8", Some("g6.48xlarge"), true, Some(8)),
            ("@family In g6e;@gpu-count Gt 4", Some("g6e.48xlarge"), true, Some(8)),
            ("@family In g6f;@size In large", Some("g6f.large"), true, Some(0)),
            ("@family In g99", Some(""), false, None),
            ("@family In ?", None, false, None),
            ("@gpu-name NotIn l40s;@family In g6e", Some(""), true, None),
            ("@gpu-name In l40s;@size In xlarge 12xlarge", Some("g6e.12xlarge g6e.xlarge"), true, Some(4)),
            (
                "node.kubernetes.io/instance-type In g5.xlarge g5.12xlarge m5.large",
                Some("g5.12xlarge g5.xlarge"),
                true,
                Some(4),
            ),
            ("@family In g5;kubernetes.io/arch In arm64", Some(""), true, None),
            ("@category In g", None, false, None),
        ] {
            let requirements: Vec<Requirement> = aws(text).split(';').map(requirement).collect();
            let machines = Machines::of(Cloud::Aws, &requirements);
            let names = machines.types.iter().map(|t| t.name).collect::<Vec<_>>().join(" ");
            if let Some(types) = types {
                assert_eq!(names, types, "{text}");
            }
            assert_eq!((machines.complete, machines.most_gpus()), (complete, most), "{text}");
        }
    }

    #[test]
    fn cpus_by_size() {
        for (name, expect) in [
            ("g6f.large", Some(2)),
            ("g6.xlarge", Some(4)),
            ("p5.48xlarge", Some(192)),
            ("g5g.metal", None),
            ("g2-standard-4", None),
        ] {
            assert_eq!(instances::by_name(name).and_then(vcpus), expect, "{name}");
        }
    }
}
