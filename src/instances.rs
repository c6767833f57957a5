//! GPU and accelerator instance types of the clouds, `rules/catalog/gpu-instances.tsv`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../rules/catalog/gpu-instances.tsv");

/// The cloud that offers an instance type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
}

/// What computes in an instance type besides the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A GPU of NVIDIA: resource `nvidia.com/gpu`.
    NvidiaGpu,
    /// A GPU of AMD: resource `amd.com/gpu`.
    AmdGpu,
    /// Inferentia or Trainium: resource `aws.amazon.com/neuron`. Not a GPU.
    Neuron,
    /// Gaudi: resource `habana.ai/gaudi`. Not a GPU.
    Gaudi,
    /// An inference card of Qualcomm. Not a GPU.
    Qualcomm,
    /// A tensor processing unit: resource `google.com/tpu`. Not a GPU.
    Tpu,
}

impl Kind {
    /// True for the GPUs of NVIDIA and AMD, which labels such as `instance-gpu-count` count.
    pub fn is_gpu(self) -> bool {
        matches!(self, Kind::NvidiaGpu | Kind::AmdGpu)
    }
}

/// How the GPUs of an instance reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nvlink {
    /// Over the PCIe bus.
    No,
    /// Some pairs are linked.
    Links,
    /// Every GPU reaches every other through a switch.
    Switch,
}

/// A column of the table whose value can be unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// [`Instance::gpu_name`]
    GpuName,
    /// [`Instance::gpu_count`]
    GpuCount,
    /// [`Instance::gpu_memory_gib`]
    GpuMemory,
    /// [`Instance::nvlink`]
    Nvlink,
    /// [`Instance::rdma`]
    Rdma,
}

/// One instance type.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The cloud.
    pub cloud: Cloud,
    /// The name of the type, as its provider writes it.
    pub name: &'static str,
    /// The manufacturer, as labels name it: `nvidia`, `amd`, `neuron`, `habana`, `qualcomm`, `tpu`.
    pub manufacturer: &'static str,
    /// What computes in it.
    pub accelerator: Kind,
    /// The value of the cloud's label for the GPU name.
    pub gpu_name: Option<&'static str>,
    /// Physical GPUs or accelerators. 0 where the instance has a fraction of one, which offers no `nvidia.com/gpu`.
    pub gpu_count: Option<u32>,
    /// Memory of each GPU in GiB.
    pub gpu_memory_gib: Option<f64>,
    /// How the GPUs reach each other. None on one GPU, and where it is not known.
    pub nvlink: Option<Nvlink>,
    /// Remote direct memory access: EFA on AWS, InfiniBand or RoCE elsewhere.
    pub rdma: Option<bool>,
    /// Every value was read in a source. A rule raises no error on an unchecked value alone; [`Instance::is_checked`]
    /// tells for each.
    pub checked: bool,
    unchecked: Vec<Field>,
}

impl Instance {
    /// True where the value of this column was read in a source.
    pub fn is_checked(&self, field: Field) -> bool {
        !self.unchecked.contains(&field)
    }

    /// The family: `g5`, `p6-b200`, `a3`, `NC`.
    pub fn family(&self) -> &'static str {
        family_of(self.cloud, self.name)
    }

    /// The category of an AWS type: the letters before the first digit.
    pub fn category(&self) -> Option<&'static str> {
        (self.cloud == Cloud::Aws).then(|| category(self.name)).flatten()
    }

    /// True where the instance has a fraction of one GPU: the node carries GPU labels and offers no whole GPU.
    pub fn is_fractional(&self) -> bool {
        self.gpu_count == Some(0)
    }

    /// The memory of all GPUs together in GiB.
    pub fn total_memory_gib(&self) -> Option<f64> {
        Some(f64::from(self.gpu_count?) * self.gpu_memory_gib?)
    }
}

/// Every type of the table, sorted by cloud and name.
pub fn instances() -> &'static [Instance] {
    &INSTANCES
}

/// The instance type of a name, in any case: providers differ in how they write Azure sizes.
pub fn by_name(name: &str) -> Option<&'static Instance> {
    INSTANCES.iter().find(|instance| instance.name.eq_ignore_ascii_case(name))
}

/// The types of a family: `g5`, `p4d`, `a3`, `NC`. Empty for a family without accelerators.
pub fn by_family(family: &str) -> impl Iterator<Item = &'static Instance> + '_ {
    INSTANCES.iter().filter(move |instance| instance.family().eq_ignore_ascii_case(family))
}

/// The types of an AWS category: `g`, `gr`, `p`, `inf`, `trn`. `gr6` is of category `gr`, not `g`.
pub fn by_category(category: &str) -> impl Iterator<Item = &'static Instance> + '_ {
    INSTANCES.iter().filter(move |instance| instance.category() == Some(category))
}

/// The families of a cloud that have accelerators, sorted.
pub fn families(cloud: Cloud) -> BTreeSet<&'static str> {
    of(cloud).map(Instance::family).collect()
}

/// The categories of AWS that have accelerators, sorted.
pub fn categories() -> BTreeSet<&'static str> {
    INSTANCES.iter().filter_map(Instance::category).collect()
}

/// The values of a cloud's label for the GPU name, sorted. A value that is not among them, such as `h100-80gb` on AWS,
/// matches no node of the table. Names of accelerators that are no GPUs stand in another label.
pub fn gpu_names(cloud: Cloud) -> BTreeSet<&'static str> {
    of(cloud)
        .filter(|instance| instance.accelerator.is_gpu())
        .filter_map(|instance| instance.gpu_name)
        .collect()
}

/// The values of the label `instance-accelerator-name` on AWS, and of `gke-tpu-accelerator` on GCP, sorted.
pub fn accelerator_names(cloud: Cloud) -> BTreeSet<&'static str> {
    of(cloud)
        .filter(|instance| !instance.accelerator.is_gpu())
        .filter_map(|instance| instance.gpu_name)
        .collect()
}

/// The category of an AWS instance type or family: the letters before the first digit, where the memory size in names
/// such as `u-6tb1` does not count (aws/karpenter-provider-aws, pkg/providers/instancetype/types.go).
pub fn category(name: &str) -> Option<&str> {
    let end = name.find(|c: char| !c.is_ascii_lowercase())?;
    let (letters, rest) = name.split_at_checked(end)?;
    let memory = rest.strip_prefix('-').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let rest = memory.and_then(|memory| memory.strip_prefix("tb")).unwrap_or(rest);
    (!letters.is_empty() && rest.starts_with(|c: char| c.is_ascii_digit())).then_some(letters)
}

/// True for an instance type with a GPU of NVIDIA or AMD, false for one without. None where the name does not tell.
///
/// A type of the table, or another size of one of its families, is told by the table; accelerators that are no GPUs
/// answer false. Beyond that the families that are known to have CPUs only answer false:
/// on AWS those of the letters `c`, `m`, `r`, `t`, `i`, `im`, `is`, `d`, `x`, `z`, `h`, `a`, `u`, `hpc` and `mac`;
/// on GCP `e2`, `n2`, `n4`, `c2` to `c4`, `m1` to `m4`, `t2`, `h3`, `h4`, `z3`, `x4` and their variants, but not `n1`, to
/// which GPUs can be attached;
/// on Azure the sizes of every family but `N`.
pub fn is_gpu_type(name: &str) -> Option<bool> {
    if let Some(instance) = by_name(name) {
        return Some(instance.accelerator.is_gpu());
    }
    let (cloud, family) = if let Some((family, size)) = name.split_once('.') {
        is_aws_size(size).then_some((Cloud::Aws, family))?
    } else if has_azure_prefix(name) {
        return is_azure_cpu_size(name).then_some(false);
    } else {
        let (family, rest) = name.split_once('-')?;
        rest.starts_with(|c: char| c.is_ascii_lowercase()).then_some((Cloud::Gcp, family))?
    };
    is_gpu_family(cloud, family)
}

/// Like [`is_gpu_type`], for a family such as `g5` or `a3`. A family that mixes both is not told.
pub fn is_gpu_family(cloud: Cloud, family: &str) -> Option<bool> {
    let mut known = of(cloud).filter(|instance| instance.family() == family).map(|i| i.accelerator.is_gpu());
    if let Some(first) = known.next() {
        return known.all(|gpu| gpu == first).then_some(first);
    }
    let cpu = match cloud {
        Cloud::Aws => AWS_CPU_CATEGORIES.contains(&category(family)?),
        Cloud::Gcp => GCP_CPU_FAMILIES.contains(&family),
        Cloud::Azure => false,
    };
    cpu.then_some(false)
}

const AWS_CPU_CATEGORIES: [&str; 15] =
    ["a", "c", "d", "h", "hpc", "i", "im", "is", "m", "mac", "r", "t", "u", "x", "z"];

const GCP_CPU_FAMILIES: [&str; 22] = [
    "c2", "c2d", "c3", "c3d", "c4", "c4a", "c4d", "e2", "h3", "h4d", "m1", "m2", "m3", "m4", "n2", "n2d",
    "n4", "n4d", "t2a", "t2d", "x4", "z3",
];

static INSTANCES: LazyLock<Vec<Instance>> = LazyLock::new(|| {
    let mut instances: Vec<Instance> = rows().filter_map(instance).collect();
    instances.sort_by_key(|instance| (instance.cloud, instance.name));
    instances
});

/// The lines of the table that hold a row.
fn rows() -> impl Iterator<Item = &'static str> {
    TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1)
}

/// Reads one line. A test asserts that every line of the table can be read.
fn instance(line: &'static str) -> Option<Instance> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let [cloud, name, manufacturer, gpu_name, count, memory, nvlink, rdma, unchecked, _source, _note] =
        *columns.as_slice()
    else {
        return None;
    };
    let known = |column: &'static str| (column != "-").then_some(column);
    let cloud = match cloud {
        "aws" => Cloud::Aws,
        "gcp" => Cloud::Gcp,
        "azure" => Cloud::Azure,
        _ => return None,
    };
    let accelerator = match manufacturer {
        "nvidia" => Kind::NvidiaGpu,
        "amd" => Kind::AmdGpu,
        "neuron" => Kind::Neuron,
        "habana" => Kind::Gaudi,
        "qualcomm" => Kind::Qualcomm,
        "tpu" => Kind::Tpu,
        _ => return None,
    };
    let nvlink = match nvlink {
        "-" => None,
        "no" => Some(Nvlink::No),
        "yes" => Some(Nvlink::Links),
        "nvswitch" => Some(Nvlink::Switch),
        _ => return None,
    };
    let rdma = match rdma {
        "-" => None,
        "yes" => Some(true),
        "no" => Some(false),
        _ => return None,
    };
    let unchecked = known(unchecked).into_iter().flat_map(|fields| fields.split(','));
    let unchecked: Vec<Field> = unchecked.map(field).collect::<Option<_>>()?;
    Some(Instance {
        cloud,
        name,
        manufacturer,
        accelerator,
        gpu_name: known(gpu_name),
        gpu_count: known(count).map(str::parse).transpose().ok()?,
        gpu_memory_gib: known(memory).map(str::parse).transpose().ok()?,
        nvlink,
        rdma,
        checked: unchecked.is_empty(),
        unchecked,
    })
}

fn field(id: &str) -> Option<Field> {
    Some(match id {
        "name" => Field::GpuName,
        "count" => Field::GpuCount,
        "memory" => Field::GpuMemory,
        "nvlink" => Field::Nvlink,
        "rdma" => Field::Rdma,
        _ => return None,
    })
}

fn of(cloud: Cloud) -> impl Iterator<Item = &'static Instance> {
    INSTANCES.iter().filter(move |instance| instance.cloud == cloud)
}

/// The part of a name that says which hardware it is: before the dot, before the first hyphen, or the letters of an
/// Azure size.
fn family_of(cloud: Cloud, name: &str) -> &str {
    let end = match cloud {
        Cloud::Aws => name.find('.'),
        Cloud::Gcp => name.find('-'),
        Cloud::Azure => {
            let size = name.split_once('_').map_or(name, |(_, size)| size);
            let letters = size.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(size.len());
            return size.get(..letters).unwrap_or(size);
        }
    };
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// True for a size of AWS: `large`, `12xlarge`, `metal`, `metal-24xl`.
fn is_aws_size(size: &str) -> bool {
    let multiple = size.trim_start_matches(|c: char| c.is_ascii_digit());
    let metal = size.strip_prefix("metal-").and_then(|size| size.strip_suffix("xl"));
    matches!(size, "nano" | "micro" | "small" | "medium" | "large" | "metal")
        || multiple == "xlarge"
        || metal.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

fn has_azure_prefix(name: &str) -> bool {
    name.get(..9).is_some_and(|prefix| prefix.eq_ignore_ascii_case("Standard_"))
}

/// True for an Azure size, letters and then a number, of a family other than N, which is that of the accelerators.
fn is_azure_cpu_size(name: &str) -> bool {
    let family = family_of(Cloud::Azure, name);
    let number =
        name.get(9 + family.len()..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let first = family.chars().next().map(|c| c.to_ascii_uppercase());
    number && first.is_some_and(|c| matches!(c, 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'L' | 'M'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_line_is_a_row() {
        for line in rows() {
            assert!(instance(line).is_some(), "cannot be read: {line}");
        }
        assert_eq!(instances().len(), rows().count());
        assert!(instances().len() > 200);
    }

    #[test]
    fn rows_are_well_formed() {
        let mut seen = BTreeSet::new();
        for instance in instances() {
            assert!(seen.insert(instance.name.to_ascii_lowercase()), "{} is listed twice", instance.name);
            assert!(!instance.family().is_empty(), "{}", instance.name);
            assert_eq!(instance.checked, instance.unchecked.is_empty(), "{}", instance.name);
            assert_eq!(by_name(instance.name), Some(instance));
            assert!(by_family(instance.family()).any(|other| other == instance), "{}", instance.name);
            let one = instance.gpu_count == Some(1);
            assert!(!one || instance.nvlink.is_none(), "{} links one GPU with itself", instance.name);
        }
    }

    #[test]
    fn types() {
        let g5 = by_name("g5.48xlarge").unwrap();
        assert_eq!((g5.gpu_name, g5.gpu_count, g5.nvlink), (Some("a10g"), Some(8), Some(Nvlink::No)));
        assert!(g5.is_checked(Field::GpuCount) && !g5.is_checked(Field::Nvlink) && !g5.checked);
        assert_eq!((g5.family(), g5.category()), ("g5", Some("g")));
        let p6 = by_name("p6-b200.48xlarge").unwrap();
        assert_eq!((p6.family(), p6.category(), p6.nvlink), ("p6-b200", Some("p"), Some(Nvlink::Switch)));
        assert_eq!(p6.total_memory_gib().map(f64::round), Some(1432.0));
        let azure = by_name("standard_nd96isr_h100_v5").unwrap();
        assert_eq!((azure.name, azure.family(), azure.category()), ("Standard_ND96isr_H100_v5", "ND", None));
        assert!(by_name("g6f.large").unwrap().is_fractional());
        assert_eq!(by_name("inf2.xlarge").unwrap().accelerator, Kind::Neuron);
        assert_eq!(by_name("dl1.24xlarge").unwrap().accelerator, Kind::Gaudi);
        assert_eq!(by_name("ct5p-hightpu-4t").unwrap().accelerator, Kind::Tpu);
        assert_eq!(by_name("m5.large"), None);
        assert_eq!(by_name(""), None);
    }

    #[test]
    fn vocabularies() {
        assert_eq!(
            gpu_names(Cloud::Aws).into_iter().collect::<Vec<_>>(),
            [
                "a100",
                "a10g",
                "b200",
                "b300",
                "h100",
                "h200",
                "l4",
                "l40s",
                "radeon-pro-v520",
                "rtx-pro-4500",
                "rtx-pro-server-6000",
                "t4",
                "t4g",
                "v100"
            ]
        );
        assert!(gpu_names(Cloud::Gcp).contains("nvidia-h100-80gb"));
        assert!(gpu_names(Cloud::Azure).contains("A100") && !gpu_names(Cloud::Azure).contains("a100"));
        assert!(accelerator_names(Cloud::Aws).contains("trainium2"));
        assert!(
            categories().iter().copied().eq(["dl", "dlq", "g", "gr", "inf", "p", "trn"]) || {
                // dl2q is letters, a digit, a letter: its category is dl.
                categories().iter().copied().eq(["dl", "g", "gr", "inf", "p", "trn"])
            }
        );
        assert!(families(Cloud::Aws).contains("p5en") && families(Cloud::Gcp).contains("a3"));
        assert!(families(Cloud::Azure).contains("NC"));
        assert_eq!(
            by_category("gr").map(Instance::family).collect::<BTreeSet<_>>(),
            BTreeSet::from(["gr6", "gr6f"])
        );
        assert_eq!(by_family("m5").count(), 0);
        assert_eq!(by_family("nv").count(), by_family("NV").count());
    }

    #[test]
    fn categories_of_names() {
        for (name, expected) in [
            ("g6.xlarge", Some("g")),
            ("gr6.8xlarge", Some("gr")),
            ("p6-b200.48xlarge", Some("p")),
            ("inf2", Some("inf")),
            ("u-6tb1.56xlarge", Some("u")),
            ("u7i-12tb.224xlarge", Some("u")),
            ("u-tb.large", None),
            ("5g", None),
            ("g", None),
            ("", None),
        ] {
            assert_eq!(category(name), expected, "{name}");
        }
    }

    #[test]
    fn gpu_or_not() {
        for (name, expected) in [
            ("g5.xlarge", Some(true)),
            ("g5.32xlarge", Some(true)),
            ("g6f.large", Some(true)),
            ("g4ad.xlarge", Some(true)),
            ("p4d.24xlarge", Some(true)),
            ("inf2.xlarge", Some(false)),
            ("trn1.64xlarge", Some(false)),
            ("dl1.24xlarge", Some(false)),
            ("m5.large", Some(false)),
            ("c7gd.metal", Some(false)),
            ("m7i.metal-24xl", Some(false)),
            ("r8g.48xlarge", Some(false)),
            ("t3.micro", Some(false)),
            ("im4gn.large", Some(false)),
            ("g99.xlarge", None),
            ("vt1.3xlarge", None),
            ("f2.6xlarge", None),
            ("m5.huge", None),
            ("m5", None),
            ("a2-highgpu-1g", Some(true)),
            ("a3-highgpu-16g", Some(true)),
            ("g2-standard-4", Some(true)),
            ("ct6e-standard-4t", Some(false)),
            ("n2-standard-8", Some(false)),
            ("e2-medium", Some(false)),
            ("n1-standard-8", None),
            ("n2-8", None),
            ("q9-standard-4", None),
            ("Standard_NC24ads_A100_v4", Some(true)),
            ("standard_nc24ads_a100_v4", Some(true)),
            ("Standard_ND96is_MI300X_v5", Some(true)),
            ("Standard_NC999_v9", None),
            ("Standard_NP10s", None),
            ("Standard_D4s_v5", Some(false)),
            ("Standard_E8_v3", Some(false)),
            ("Standard_M", None),
            ("Standard_", None),
            ("large", None),
            ("", None),
            ("{{ .Values.type }}", None),
        ] {
            assert_eq!(is_gpu_type(name), expected, "{name}");
        }
        assert_eq!(is_gpu_family(Cloud::Aws, "g5"), Some(true));
        assert_eq!(is_gpu_family(Cloud::Aws, "m5"), Some(false));
        assert_eq!(is_gpu_family(Cloud::Gcp, "m5"), None);
    }

    proptest! {
        #[test]
        fn no_name_panics(name in prop_oneof!["\\PC{0,20}", "[Ss]tandard_[A-Zé0-9_]{0,8}", "[a-zé]{0,3}[0-9.é-]{0,6}"]) {
            let _ = (by_name(&name), category(&name), is_gpu_type(&name));
            for cloud in [Cloud::Aws, Cloud::Gcp, Cloud::Azure] {
                prop_assert!(name.starts_with(family_of(cloud, &name)) || cloud == Cloud::Azure);
            }
        }
    }
}
