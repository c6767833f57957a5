//! What makes a document worth parsing: words that stand in every manifest that matters.

use aho_corasick::{AhoCorasick, packed};
use std::sync::LazyLock;

/// Words of which one stands in every document that matters: API groups, GPU resources, engines, metrics. None is
/// shorter than three bytes, so that each can be found by a vector scan.
const WORDS: &[&str] = &[
    "karpenter",
    "eks.amazonaws.com",
    "run.ai",
    "kai.scheduler",
    "kai-scheduler",
    "HorizontalPodAutoscaler",
    "keda.sh",
    "leaderworkerset",
    ".x-k8s.io",
    "kubeflow.org",
    "ray.io/",
    "nvidia.com/",
    "nvcr.io",
    "grove.io",
    "aibrix.ai",
    "volcano",
    "serving.kserve.io",
    "serving.knative.dev",
    "kubeai.org",
    "kaito.sh",
    "vllm",
    "monitoring.coreos.com",
    "monitoring.googleapis.com",
    "victoriametrics.com",
    "seriesQuery",
    "sglang",
    "text-generation",
    "tensor",
    "trtllm",
    "triton",
    "lmdeploy",
    "DCGM",
    "dcgm",
    "amd.com/gpu",
    "habana.ai",
    "gpu.intel.com",
    "resourceClaims",
    "scheduling.k8s.io",
    "scheduling.sigs.k8s.io",
    "datadoghq.com",
    "integreatly.org",
    "grafana.app",
    "perses.dev",
    "monitoring.cnrm",
    "metrics.aws",
    "llm-d",
    "num-shard",
    "NUM_SHARD",
    "tp-size",
    "TP_SIZE",
    "kyverno.io",
    "gpulint",
    "huawei.com/Ascend",
    "yunikorn",
    "batchScheduler",
    "schedulerProvider",
    // Dashboards and alerts may speak of nothing but metrics.
    "kai_",
    "podgroups_",
    "kueue_",
    "dynamo_",
    "llm_d_",
    "inference_",
    "tgi_",
    "nv_trt",
    "num_requests_",
    "first_token",
    "ttft",
    "cache_usage_perc",
    "kube_pod_created",
    "kube_pod_status_unschedulable",
    "kube_pod_status_scheduled",
    "scheduler_p",
    "scheduler_unschedulable",
    "cluster_autoscaler_",
    "operator_nodeclaim",
    "webhook_configs",
    "webhookConfigs",
];

/// Finds any of some words.
enum Finder {
    /// By a vector scan.
    Packed(packed::Searcher),
    /// By an automaton, on machines without the vector instructions.
    Automaton(AhoCorasick),
}

/// The words in two groups: a vector scan takes only so many at a time, and two fast passes over a file that is in the
/// cache beat one slow one.
static INTEREST: LazyLock<Vec<Finder>> = LazyLock::new(|| {
    const AT_A_TIME: usize = 40;
    let finder = |words: &[&str]| match packed::Config::new().builder().extend(words).build() {
        Some(packed) => Some(Finder::Packed(packed)),
        // Fails for gigabytes of words only.
        None => AhoCorasick::new(words).ok().map(Finder::Automaton),
    };
    WORDS.chunks(AT_A_TIME).filter_map(finder).collect()
});

/// True where a text holds a word of interest.
pub(super) fn is_of_interest(bytes: &[u8]) -> bool {
    INTEREST.iter().any(|finder| match finder {
        Finder::Packed(packed) => packed.find(bytes).is_some(),
        Finder::Automaton(automaton) => automaton.is_match(bytes),
    })
}

/// True for a document that is parsed whether or not something names it: it holds a word of interest. Definitions of
/// APIs, which describe every field in prose, hold many such words and say nothing of a cluster.
pub(super) fn is_wanted(text: &str) -> bool {
    is_of_interest(text.as_bytes()) && !is_definition(text)
}

fn is_definition(text: &str) -> bool {
    const LINE: &str = "kind: CustomResourceDefinition";
    let at = memchr::memmem::find(text.as_bytes(), LINE.as_bytes());
    at.is_some_and(|at| {
        text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(['\n', '\r']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds;

    /// Groups that stand in every cluster. Of these only what holds a word of interest, or is named, is parsed.
    const EVERYWHERE: &[&str] =
        &["", "apps", "batch", "autoscaling", "admissionregistration.k8s.io", "mutations.gatekeeper.sh"];

    #[test]
    fn every_kind_is_found() {
        for kind in kinds::KINDS.iter().filter(|kind| !EVERYWHERE.contains(&kind.group)) {
            let api = format!("apiVersion: {}/v1", kind.group);
            assert!(is_of_interest(api.as_bytes()), "no word of interest is in {api}");
        }
        assert!(is_of_interest(b"kind: HorizontalPodAutoscaler"));
        for word in WORDS {
            assert!(word.len() >= 3 && is_of_interest(word.as_bytes()), "{word}");
        }
    }
}
