//! Spellings of metric names: the dressing that adapters put on them, and what an unknown name suggests.

use super::catalogue::classify;
use super::entry::{Class, Place};

/// A name without the dressing of a metrics adapter, in its own spelling.
///
/// Google's adapter writes `prometheus.googleapis.com|NAME|gauge` (with `/` in a Cloud Monitoring filter), KEDA puts
/// `s0-` before the name that it generates (kedacore/keda, pkg/scalers/scaler.go), once with `prometheus-` behind it.
pub(super) fn undress(name: &str) -> &str {
    let name = name.trim();
    let name = strip_keda(name).unwrap_or(name);
    strip_google(name).unwrap_or(name)
}

/// The form in which names are compared: without dressing, in lower case, with `_` for `:`, `.`, `-`, `/` and `|`.
///
/// Suffixes (`_bucket`, `_total`) stay: which of them a metric has is a matter of its type, see
/// [`find`](super::find).
pub fn normalise(name: &str) -> String {
    undress(name)
        .chars()
        .map(|c| match c {
            ':' | '.' | '-' | '/' | '|' => '_',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

/// What a name suggests that neither the catalogue nor the inputs define. For hints only: a rule must not act on it.
///
/// The words of the name decide, never a part of a word. A name that the catalogue knows is answered from there, and a
/// look-alike suggests nothing.
pub fn name_suggests(name: &str) -> Option<Class> {
    if let Some(entry) = classify(name) {
        return (entry.class != Class::Other).then_some(entry.class);
    }
    // Recording rules are named level:metric:operations by convention.
    let recorded = name.split(':').filter_map(classify).find(|entry| entry.class != Class::Other);
    if let Some(entry) = recorded {
        return Some(entry.class);
    }
    let words = words(name);
    let any = |set: &[&str]| words.iter().any(|word| set.contains(&word.as_str()));
    let pair = |first: &str, second: &str| {
        words.iter().zip(words.iter().skip(1)).any(|(a, b)| a == first && b == second)
    };
    // Requests, limits and quotas of GPUs are bookkeeping, and a cache on the GPU is a cache.
    let bookkeeping = any(&[
        "queue",
        "quota",
        "fair",
        "nodepool",
        "nodepools",
        "request",
        "requests",
        "limit",
        "limits",
        "capacity",
        "allocated",
        "allocatable",
        "allocation",
        "count",
        "hours",
        "cost",
        "prefix",
        "hit",
    ]);
    if pair("kv", "cache") || pair("cache", "usage") || pair("token", "usage") || any(&["kvcache"]) {
        return (!any(&["hit", "hits", "queries", "prefix"])).then_some(Class::KvCache);
    }
    let gpu = any(&["gpu", "gpus", "dcgm", "nvidia", "cuda", "accelerator"]);
    let memory = any(&["memory", "mem", "vram", "fb", "framebuffer"]);
    if (gpu && memory || any(&["vram"])) && !bookkeeping && !any(&["cache", "copy", "bandwidth"]) {
        return Some(Class::GpuMemory);
    }
    let busy = any(&["util", "utilization", "utilisation", "usage", "busy", "load"]) || pair("duty", "cycle");
    if gpu && busy && !bookkeeping && !memory && !any(&["cache", "kv"]) {
        return Some(Class::GpuDutyCycle);
    }
    suggests_load(&any, &pair)
}

/// The second half of [`name_suggests`]: signals that are not about the GPU.
fn suggests_load(any: &impl Fn(&[&str]) -> bool, pair: &impl Fn(&str, &str) -> bool) -> Option<Class> {
    if any(&["ttft"]) || pair("first", "token") {
        return Some(Class::Ttft);
    }
    if any(&["itl", "tpot"]) || pair("inter", "token") || pair("output", "token") && any(&["per", "latency"])
    {
        return Some(Class::InterTokenLatency);
    }
    let waiting = any(&["waiting", "queued", "pending", "backlog"]);
    let queue = any(&["queue"]) && any(&["depth", "size", "length", "len", "backlog"]);
    if queue || waiting && any(&["requests", "request", "reqs", "req", "jobs", "messages", "tokens"]) {
        return Some(Class::QueueDepth);
    }
    if any(&["running", "active", "inflight"]) && any(&["requests", "request", "reqs", "req"]) {
        return Some(Class::RunningRequests);
    }
    if pair("desired", "replicas") {
        return Some(Class::DesiredReplicas);
    }
    if any(&["rps", "qps"]) || pair("per", "second") || any(&["throughput"]) {
        return Some(Class::Throughput);
    }
    if any(&["cpu"]) && any(&["util", "utilization", "utilisation", "usage"]) {
        return Some(Class::Cpu);
    }
    None
}

/// What a name says outright: it names the GPU and its use, and every other word of it is a statistic, a unit, a span of
/// time or a thing that has GPUs. `avg_gpu_utilization_percent` can mean nothing else, whoever exports it.
///
/// For names that neither the catalogue nor the inputs define, and narrower than [`name_suggests`]: one word more, such as
/// `quota` or `encoder`, and the name says nothing. A rule may act on the answer, but not with an error.
pub fn name_says(name: &str) -> Option<Class> {
    const FILL: &[&str] = &[
        "percent",
        "percentage",
        "pct",
        "perc",
        "ratio",
        "avg",
        "average",
        "mean",
        "max",
        "maximum",
        "min",
        "minimum",
        "current",
        "by",
        "per",
        "pod",
        "container",
        "node",
        "namespace",
        "deployment",
        "service",
        "cluster",
        "model",
        "inference",
        "llm",
        "vllm",
        "worker",
        "custom",
        "metric",
        "bytes",
        "mib",
        "gib",
        "mb",
        "gb",
    ];
    const GPU: &[&str] = &["gpu", "gpus", "nvidia", "amd", "smi", "dcgm"];
    const USE: &[&str] = &["util", "utilization", "utilisation"];
    const MEMORY: &[&str] = &["memory", "mem", "vram"];
    // A row about a flag of an engine says what no series of that name is.
    if classify(name).is_some_and(|entry| entry.place != Place::Flag) {
        return None;
    }
    let words = words(name);
    let any = |set: &[&str]| words.iter().any(|word| set.contains(&word.as_str()));
    let known = |word: &str| {
        let time = word.strip_suffix(['s', 'm', 'h']).is_some_and(|n| n.parse::<u32>().is_ok());
        time || [FILL, GPU, USE, MEMORY, &["used", "usage", "duty", "cycle"]]
            .iter()
            .any(|set| set.contains(&word))
    };
    if !any(&["gpu", "gpus"]) || !words.iter().all(|word| known(word)) {
        return None;
    }
    let duty = words.windows(2).any(|pair| pair == ["duty", "cycle"]);
    match (any(MEMORY), any(USE) || duty) {
        (true, uses) => (uses || any(&["used", "usage"])).then_some(Class::GpuMemory),
        (false, true) => Some(Class::GpuDutyCycle),
        (false, false) => None,
    }
}

/// The words of a name, in lower case: `gpuUtilization` and `gpu_utilization` have the same two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in undress(name).chars() {
        let starts_word = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        let separates = !c.is_ascii_alphanumeric();
        if starts_word || separates {
            words.push(String::new());
        }
        if let (false, Some(word)) = (separates, words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Takes KEDA's `s0-` away, and the scaler's name where something follows it.
fn strip_keda(name: &str) -> Option<&str> {
    let rest = name.strip_prefix('s')?;
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let bare = digits.strip_prefix('-').filter(|_| digits.len() < rest.len())?;
    Some(bare.strip_prefix("prometheus-").filter(|bare| !bare.is_empty()).unwrap_or(bare))
}

/// Takes the domain and the kind away that Cloud Monitoring puts around a metric.
fn strip_google(name: &str) -> Option<&str> {
    const DOMAINS: [&str; 4] = [
        "prometheus.googleapis.com",
        "custom.googleapis.com",
        "external.googleapis.com",
        "workload.googleapis.com",
    ];
    const KINDS: [&str; 8] =
        ["gauge", "counter", "histogram", "summary", "unknown", "untyped", "delta", "unknown:counter"];
    let rest = DOMAINS.iter().find_map(|domain| name.strip_prefix(domain))?;
    let rest = rest.strip_prefix(['|', '/'])?;
    let rest = rest.strip_prefix("prometheus").and_then(|rest| rest.strip_prefix(['|', '/'])).unwrap_or(rest);
    let kind = rest.rfind(['|', '/']).and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?)));
    Some(kind.filter(|(_, kind)| KINDS.contains(kind)).map_or(rest, |(bare, _)| bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_form() {
        for (name, normal) in [
            ("vllm:num_requests_waiting", "vllm_num_requests_waiting"),
            ("prometheus.googleapis.com|vllm:num_requests_waiting|gauge", "vllm_num_requests_waiting"),
            ("prometheus.googleapis.com/vllm:x/unknown:counter", "vllm_x"),
            ("prometheus.googleapis.com|vllm:x", "vllm_x"),
            ("custom.googleapis.com|my/metric", "my_metric"),
            ("external.googleapis.com/prometheus/up", "up"),
            (
                "kubernetes.io|container|accelerator|duty_cycle",
                "kubernetes_io_container_accelerator_duty_cycle",
            ),
            ("s0-vllm:num_requests_waiting", "vllm_num_requests_waiting"),
            ("s0-prometheus", "prometheus"),
            ("s0-prometheus-up", "up"),
            ("s-x", "s_x"),
            ("s0x", "s0x"),
            ("sglang:token_usage", "sglang_token_usage"),
            ("  UP ", "up"),
            ("", ""),
            ("é|É", "é_É"),
        ] {
            assert_eq!(normalise(name), normal, "{name}");
        }
    }

    #[test]
    fn suggestions() {
        let duty = Some(Class::GpuDutyCycle);
        let memory = Some(Class::GpuMemory);
        for (name, class) in [
            ("gpu_utilization", duty),
            ("gpu_utilization_percent", duty),
            ("gpuUtilization", duty),
            ("GPUUtil_gpu_util", duty),
            ("cuda-gpu-duty-cycle", duty),
            ("gpu_usage", duty),
            ("namespace:DCGM_FI_DEV_GPU_UTIL:avg", duty),
            ("cluster:DCGM_FI_DEV_FB_USED:sum", memory),
            ("gpu_memory_used_percent", memory),
            ("vram_used", memory),
            ("gpu_avg", None),
            ("gpu_cache_usage", Some(Class::KvCache)),
            ("my_kv_cache_usage", Some(Class::KvCache)),
            ("kv_cache_hit_rate", None),
            ("queue_gpu_usage", None),
            ("kai_queue_gpu_usage", None),
            ("gpu_memory_utilization", None),
            ("karpenter_nodepools_usage", None),
            ("kube_node_gpu_allocatable", None),
            ("gpu_requests", None),
            ("queue_depth", Some(Class::QueueDepth)),
            ("my_pending_requests", Some(Class::QueueDepth)),
            ("inflight_requests_avg", Some(Class::RunningRequests)),
            ("p99_ttft", Some(Class::Ttft)),
            ("tpot_p95", Some(Class::InterTokenLatency)),
            ("tokens_per_second", Some(Class::Throughput)),
            ("node_cpu_usage_avg", Some(Class::Cpu)),
            ("orders_total", None),
            ("capture", None),
            ("", None),
        ] {
            assert_eq!(name_suggests(name), class, "{name}");
        }
    }

    #[test]
    fn names_that_say_all() {
        let duty = Some(Class::GpuDutyCycle);
        let memory = Some(Class::GpuMemory);
        for (name, class) in [
            ("gpu_utilization_percent", duty),
            ("gpuUtilizationPercentage", duty),
            ("nvidia_gpu_utilization", duty),
            ("nvidia_gpu_utilization_gpu", duty),
            ("avg_gpu_util_5m", duty),
            ("vllm_gpu_duty_cycle", duty),
            ("namespace:gpu_util:avg", duty),
            ("gpu_memory_used_percent", memory),
            ("pod_gpu_memory_utilization_avg", memory),
            ("gpu_vram_used_mib", memory),
            ("gpu_utilization", duty),
            // The catalogue answers for what it knows.
            ("pod_gpu_utilization", None),
            // As a series it is none of the engine's flags.
            ("gpu_memory_utilization", memory),
            ("gpu_usage", None),
            ("gpu_load", None),
            ("gpu_memory_free_bytes", None),
            ("gpu_memory_bytes", None),
            ("gpu_encoder_utilization", None),
            ("gpu_quota_utilization", None),
            ("gpu_cache_utilization", None),
            ("gpu_request_utilization", None),
            ("nvidia_utilization", None),
            ("utilization_percent", None),
            ("cpu_utilization_percent", None),
            ("", None),
        ] {
            assert_eq!(name_says(name), class, "{name}");
        }
    }
}
