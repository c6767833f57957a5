//! Labels of nodes: which of them say what a machine is, and whose they are.

use crate::instances::Cloud;

/// What a requirement key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// GPU name or manufacturer.
    GpuWord,
    /// GPU count or memory.
    GpuNumber,
    /// Name, manufacturer or count of an accelerator that is no GPU.
    AcceleratorWord,
    /// AWS instance category.
    Category,
    /// Instance family.
    Family,
    /// Instance type.
    Type,
    /// Azure SKU family or series.
    SkuFamily,
    /// Capacity type.
    Capacity,
    /// Any other well-known key.
    Else,
}

/// What a requirement key is about, and whose it is. None for keys of users, which constrain nothing by
/// themselves. Source: the label lists of the Karpenter providers for AWS, EKS Auto Mode, Azure and GCP.
pub fn key_kind(key: &str) -> Option<(Key, Cloud)> {
    let known = |kind| Some((kind, Cloud::Aws));
    if let Some(rest) = key
        .strip_prefix("karpenter.k8s.aws/instance-")
        .or_else(|| key.strip_prefix("eks.amazonaws.com/instance-"))
    {
        return known(match rest {
            "gpu-name" | "gpu-manufacturer" => Key::GpuWord,
            "gpu-count" | "gpu-memory" => Key::GpuNumber,
            "accelerator-name" | "accelerator-manufacturer" | "accelerator-count" => Key::AcceleratorWord,
            "category" => Key::Category,
            "family" => Key::Family,
            _ => Key::Else,
        });
    }
    if let Some(rest) = key.strip_prefix("karpenter.azure.com/sku-") {
        let kind = match rest {
            "gpu-name" | "gpu-manufacturer" => Key::GpuWord,
            "gpu-count" => Key::GpuNumber,
            "family" | "series" => Key::SkuFamily,
            "name" => Key::Type,
            _ => Key::Else,
        };
        return Some((kind, Cloud::Azure));
    }
    if let Some(rest) = key.strip_prefix("karpenter.k8s.gcp/instance-") {
        let kind = match rest {
            "gpu-name" | "gpu-manufacturer" => Key::GpuWord,
            "gpu-count" | "gpu-memory" => Key::GpuNumber,
            "family" => Key::Family,
            _ => Key::Else,
        };
        return Some((kind, Cloud::Gcp));
    }
    match key {
        "node.kubernetes.io/instance-type" | "beta.kubernetes.io/instance-type" => known(Key::Type),
        "cloud.google.com/gke-accelerator" => known(Key::GpuWord),
        "karpenter.sh/capacity-type" => known(Key::Capacity),
        _ => None,
    }
}

/// The cloud whose Karpenter provider has this API group and label domain.
pub fn provider(domain: &str) -> Option<Cloud> {
    Some(match domain {
        "karpenter.k8s.aws" | AUTO_MODE => Cloud::Aws,
        "karpenter.azure.com" => Cloud::Azure,
        "karpenter.k8s.gcp" => Cloud::Gcp,
        _ => return None,
    })
}

/// The group and label domain of EKS Auto Mode, which labels machines as the provider for AWS does.
const AUTO_MODE: &str = "eks.amazonaws.com";

/// True for labels that others than the user write on nodes: a pool that does not define one may still have it, and so
/// may nodes that no pool of the inputs made.
pub fn is_well_known(key: &str) -> bool {
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    const DOMAINS: &[&str] = &[
        "kubernetes.io",
        "k8s.io",
        "karpenter.sh",
        "karpenter.k8s.aws",
        "karpenter.azure.com",
        "karpenter.k8s.gcp",
        AUTO_MODE,
        "cloud.google.com",
        "kubernetes.azure.com",
        "nvidia.com",
        "amd.com",
    ];
    DOMAINS
        .iter()
        .any(|known| domain == *known || domain.strip_suffix(known).is_some_and(|d| d.ends_with('.')))
}
