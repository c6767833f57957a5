//! The table of metric names, `rules/catalog/metrics.tsv`, and the lookups in it.

use super::names::{normalise, undress};
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../rules/catalog/metrics.tsv");

/// What a series measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Share of time in which the GPU, or one of its engines, is busy. One request keeps it near its maximum.
    GpuDutyCycle,
    /// Occupancy of GPU memory. An engine that reserves its memory at start shows a flat line.
    GpuMemory,
    /// Hardware activity nearer to the work done (streaming multiprocessors, power), and still no load signal.
    GpuActivitySoft,
    /// Requests that wait, or how long they wait.
    QueueDepth,
    /// Use of the KV cache of an inference engine.
    KvCache,
    /// Requests that an engine works on.
    RunningRequests,
    /// Requests in flight at a proxy or a serving framework, waiting or running.
    Concurrency,
    /// Time to first token.
    Ttft,
    /// Time between two tokens, or for each output token.
    InterTokenLatency,
    /// Requests or tokens over time.
    Throughput,
    /// CPU time or use.
    Cpu,
    /// Memory of the host.
    HostMemory,
    /// A number of replicas that another controller computed.
    DesiredReplicas,
    /// How long pods wait for a node.
    NodeProvisionWait,
    /// Gangs that a scheduler put off.
    GangDeferral,
    /// Nodes that were drained for consolidation.
    ConsolidationEvent,
    /// No scaling signal. The look-alikes of GPU use and GPU memory are here.
    Other,
}

impl Class {
    const IDS: [(Class, &'static str); 17] = [
        (Class::GpuDutyCycle, "gpu-duty-cycle"),
        (Class::GpuMemory, "gpu-memory"),
        (Class::GpuActivitySoft, "gpu-activity-soft"),
        (Class::QueueDepth, "queue-depth"),
        (Class::KvCache, "kv-cache"),
        (Class::RunningRequests, "running-requests"),
        (Class::Concurrency, "concurrency"),
        (Class::Ttft, "ttft"),
        (Class::InterTokenLatency, "inter-token-latency"),
        (Class::Throughput, "throughput"),
        (Class::Cpu, "cpu"),
        (Class::HostMemory, "host-memory"),
        (Class::DesiredReplicas, "desired-replicas"),
        (Class::NodeProvisionWait, "node-provision-wait"),
        (Class::GangDeferral, "gang-deferral"),
        (Class::ConsolidationEvent, "consolidation-event"),
        (Class::Other, "other"),
    ];

    /// The identifier of the class, as in the catalogue.
    pub fn id(self) -> &'static str {
        Self::IDS.iter().find(|(class, _)| *class == self).map_or("other", |(_, id)| id)
    }

    /// The class of an identifier.
    pub fn from_id(id: &str) -> Option<Class> {
        Self::IDS.iter().find(|(_, known)| *known == id).map(|(class, _)| *class)
    }
}

/// What one unit of a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A fraction from 0 to 1.
    Ratio,
    /// A fraction from 0 to 100.
    Percent,
    /// A number of things.
    Count,
    /// A number of things in one second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
    /// Bytes.
    Bytes,
    /// Units of 1,048,576 bytes.
    Mebibytes,
}

impl Unit {
    const IDS: [(&'static str, Unit); 9] = [
        ("ratio 0-1", Unit::Ratio),
        ("percent 0-100", Unit::Percent),
        ("count", Unit::Count),
        ("per second", Unit::PerSecond),
        ("seconds", Unit::Seconds),
        ("milliseconds", Unit::Milliseconds),
        ("microseconds", Unit::Microseconds),
        ("bytes", Unit::Bytes),
        ("mebibytes", Unit::Mebibytes),
    ];

    fn from_id(id: &str) -> Option<Unit> {
        Self::IDS.iter().find(|(known, _)| *known == id).map(|(_, unit)| *unit)
    }

    /// True for the two units that have a largest value.
    pub fn is_bounded(self) -> bool {
        matches!(self, Unit::Ratio | Unit::Percent)
    }
}

/// How a series is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// A value that goes up and down.
    Gauge,
    /// A value that only grows: it says something through its rate.
    Counter,
    /// Buckets, a sum and a count.
    Histogram,
    /// The source does not tell.
    Unknown,
}

/// Where the name of a row can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A metric name, wherever one is expected.
    Series,
    /// A resource of an HPA or a KEDA trigger type: `cpu`, `memory`.
    Resource,
    /// A key or value of an autoscaler's own spec.
    Field,
    /// A setting of an engine. Not a series.
    Flag,
    /// The value of a label. Not a series.
    LabelValue,
    /// The value of the key `profile` of a keda-gpu-scaler trigger.
    Profile,
    /// The value of the key `metricType` of a keda-gpu-scaler trigger.
    MetricTypeKey,
}

/// One row of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as its source spells it.
    pub name: &'static str,
    /// The label and value that a series must have for this row to apply to it.
    pub label: Option<(&'static str, &'static str)>,
    /// What it measures.
    pub class: Class,
    /// Where the name can stand.
    pub place: Place,
    /// The engine, exporter or controller that exports it.
    pub source: &'static str,
    /// How it is exported.
    pub kind: MetricType,
    /// Its unit; of a histogram, that of the observed value. None where the source names none.
    pub unit: Option<Unit>,
    /// One value for the whole pool, so that a sum over it does not grow with the number of replicas.
    pub pool_mean: bool,
    /// The version of the source that brought it.
    pub since: Option<&'static str>,
    /// The version of the source that dropped it; `unknown` where it is gone and the version is not established.
    pub removed: Option<&'static str>,
    /// The name to use instead. Two names are separated by a comma.
    pub replaced_by: Option<&'static str>,
    /// Read in a source. A rule raises no error on an unchecked row alone.
    pub checked: bool,
    /// Listed because its name invites a wrong reading.
    pub look_alike: bool,
    /// The public repository and path, or the page, that says so.
    pub evidence: &'static str,
}

/// Which part of an exported metric a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The metric itself.
    Whole,
    /// The buckets of a histogram.
    Bucket,
    /// The sum of the observed values of a histogram.
    Sum,
    /// The number of observations of a histogram.
    Count,
}

/// A name found in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The row.
    pub entry: &'static Entry,
    /// The part of the metric that the name stands for.
    pub part: Part,
}

impl Found {
    /// What the named series measures on its own: the count of a latency histogram counts requests.
    pub fn class(&self) -> Class {
        match (self.part, self.entry.class) {
            (Part::Count, Class::Ttft | Class::InterTokenLatency | Class::QueueDepth) => Class::Throughput,
            (_, class) => class,
        }
    }

    /// The unit of the named series on its own.
    pub fn unit(&self) -> Option<Unit> {
        match self.part {
            Part::Whole | Part::Sum => self.entry.unit,
            Part::Bucket | Part::Count => Some(Unit::Count),
        }
    }

    /// True where the series only grows, so that it says something through its rate.
    pub fn is_cumulative(&self) -> bool {
        self.part != Part::Whole || self.entry.kind == MetricType::Counter
    }
}

/// Every row, in the order of the file.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// What a metric name measures, as found in any manifest, dressed by a metrics adapter or not.
///
/// A row that holds for one label value only is found where the name states it, `NAME{label="value"}`. Values of
/// keda-gpu-scaler trigger keys are not names: see [`classify_profile`].
pub fn classify(name: &str) -> Option<&'static Entry> {
    find(name).map(|found| found.entry)
}

/// Like [`classify`], and tells a histogram's buckets, sum and count apart.
pub fn find(name: &str) -> Option<Found> {
    let (name, labels) = split_labels(name);
    find_with(name, |label| {
        labels.split(',').find_map(|matcher| {
            let (key, value) = matcher.split_once('=')?;
            let value = value.trim().trim_matches('"');
            (key.trim() == label).then(|| value.to_owned())
        })
    })
}

/// Like [`find`], for a bare name whose labels are known: `label` gives the value that a label is pinned to.
pub fn find_with(name: &str, label: impl Fn(&str) -> Option<String>) -> Option<Found> {
    let bare = undress(name);
    let key = normalise(bare);
    let from = INDEX.partition_point(|known| known.text < key);
    let candidates = INDEX.get(from..)?.iter().take_while(|known| known.text == key);
    let mut best: Option<(bool, Found)> = None;
    for known in candidates {
        let entry = known.entry;
        let applies = entry.label.is_none_or(|(key, value)| label(key).as_deref() == Some(value));
        let exact = entry.name == bare;
        if applies && best.as_ref().is_none_or(|(best_exact, _)| exact && !best_exact) {
            best = Some((exact, Found { entry, part: known.part }));
        }
    }
    best.map(|(_, found)| found)
}

/// What a keda-gpu-scaler trigger scales on, from the value of its metadata key `profile` or `metricType`
/// (pmady/keda-gpu-scaler, pkg/profiles/profiles.go).
pub fn classify_profile(key: &str, value: &str) -> Option<&'static Entry> {
    let place = match key {
        "profile" => Place::Profile,
        "metricType" => Place::MetricTypeKey,
        _ => return None,
    };
    let value = value.trim();
    ENTRIES.iter().find(|entry| entry.place == place && entry.name.eq_ignore_ascii_case(value))
}

/// The upper bounds of the buckets of a histogram, as the `le` label spells them, where they are known.
///
/// vLLM (vllm/v1/metrics/loggers.py) exports through the Python client, which prints `1.0` and never `1`.
pub fn bucket_bounds(name: &str) -> Option<&'static [&'static str]> {
    const VLLM_TTFT: &[&str] = &[
        "0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5",
        "5.0", "7.5", "10.0", "20.0", "40.0", "80.0", "160.0", "640.0", "2560.0", "+Inf",
    ];
    let found = find(name)?;
    (found.part == Part::Bucket && found.entry.name == "vllm:time_to_first_token_seconds")
        .then_some(VLLM_TTFT)
}

/// A spelling of a row, normalised.
struct Key {
    text: String,
    part: Part,
    entry: &'static Entry,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| rows().filter_map(entry).collect());

static INDEX: LazyLock<Vec<Key>> = LazyLock::new(index);

/// The lines of the table that hold a row.
fn rows() -> impl Iterator<Item = &'static str> {
    TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1)
}

/// Reads one line. A test asserts that every line of the table can be read.
fn entry(line: &'static str) -> Option<Entry> {
    let columns: Vec<&'static str> = line.split('\t').collect();
    let [name, class, place, source, kind, unit, scope, since, removed, replaced_by, checked, evidence] =
        *columns.as_slice()
    else {
        return None;
    };
    let (name, labels) = split_labels(name);
    let label = labels.split_once('=').map(|(key, value)| (key, value.trim_matches('"')));
    let known = |column: &'static str| (column != "-").then_some(column);
    Some(Entry {
        name,
        label,
        class: Class::from_id(class)?,
        place: place_from_id(place)?,
        source,
        kind: type_from_id(kind)?,
        unit: if unit == "unknown" { None } else { Some(Unit::from_id(unit)?) },
        pool_mean: scope == "pool-mean",
        since: known(since),
        removed: known(removed),
        replaced_by: known(replaced_by),
        checked: checked == "yes",
        look_alike: evidence.starts_with("look-alike"),
        evidence,
    })
}

fn place_from_id(id: &str) -> Option<Place> {
    Some(match id {
        "series" => Place::Series,
        "resource" => Place::Resource,
        "field" => Place::Field,
        "flag" => Place::Flag,
        "label-value" => Place::LabelValue,
        "profile" => Place::Profile,
        "metric-type" => Place::MetricTypeKey,
        _ => return None,
    })
}

fn type_from_id(id: &str) -> Option<MetricType> {
    Some(match id {
        "gauge" => MetricType::Gauge,
        "counter" => MetricType::Counter,
        "histogram" => MetricType::Histogram,
        "unknown" => MetricType::Unknown,
        _ => return None,
    })
}

/// `NAME{label="value"}` as its name and the text between the braces, which is empty without braces.
fn split_labels(name: &str) -> (&str, &str) {
    match name.split_once('{') {
        Some((bare, rest)) => (bare.trim_end(), rest.trim_end().trim_end_matches('}')),
        None => (name, ""),
    }
}

/// Every spelling of every row, sorted. Within one spelling the rows keep the order of the file, and a spelling that
/// only follows from a row gives way to a row that has it as its name.
fn index() -> Vec<Key> {
    let named: Vec<Key> = ENTRIES
        .iter()
        .filter(|entry| !matches!(entry.place, Place::Profile | Place::MetricTypeKey))
        .map(|entry| Key { text: normalise(entry.name), part: Part::Whole, entry })
        .collect();
    let mut derived: Vec<Key> = named.iter().flat_map(derive).collect();
    derived.retain(|key| named.iter().all(|other| other.text != key.text));
    let mut keys = named;
    keys.extend(derived);
    // The sort is stable, which keeps the order of the file within a spelling.
    keys.sort_by(|a, b| a.text.cmp(&b.text));
    keys
}

/// The spellings that follow from a row without a row of their own.
fn derive(named: &Key) -> Vec<Key> {
    let entry = named.entry;
    let key = |text: String, part| Key { text, part, entry };
    let base = &named.text;
    let mut keys = match entry.kind {
        MetricType::Histogram => vec![
            key(format!("{base}_bucket"), Part::Bucket),
            key(format!("{base}_sum"), Part::Sum),
            key(format!("{base}_count"), Part::Count),
        ],
        MetricType::Counter => match base.strip_suffix("_total") {
            Some(bare) => vec![key(bare.to_owned(), Part::Whole)],
            None => vec![key(format!("{base}_total"), Part::Whole)],
        },
        MetricType::Gauge | MetricType::Unknown => vec![],
    };
    // Ray re-exports the series of vLLM under its own prefix; the AMD exporter's documentation sets the prefix amd_.
    let prefix = match entry.source {
        "AMD device-metrics-exporter" => "amd_",
        _ if entry.name.starts_with("vllm:") => "ray_",
        _ => return keys,
    };
    let prefixed: Vec<Key> = std::iter::once(key(base.clone(), Part::Whole))
        .chain(keys.iter().map(|known| key(known.text.clone(), known.part)))
        .map(|known| key(format!("{prefix}{}", known.text), known.part))
        .collect();
    keys.extend(prefixed);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_line_is_a_row() {
        for line in rows() {
            assert!(entry(line).is_some(), "cannot be read: {line}");
        }
        assert_eq!(entries().len(), rows().count());
        assert!(entries().len() > 500);
    }

    #[test]
    fn rows_are_well_formed() {
        let mut seen = BTreeSet::new();
        for entry in entries() {
            assert!(seen.insert((entry.name, entry.label, entry.place)), "{} is listed twice", entry.name);
            assert!(!entry.evidence.is_empty() && !entry.source.is_empty(), "{}", entry.name);
            assert!(
                !entry.look_alike || entry.class == Class::Other,
                "{} is a look-alike of what?",
                entry.name
            );
            let replaced = entry.replaced_by.into_iter().flat_map(|names| names.split(", "));
            for name in replaced {
                assert!(classify(name).is_some(), "{} is replaced by an unknown {name}", entry.name);
            }
        }
    }

    #[test]
    fn one_spelling_has_one_class() {
        let mut classes: BTreeMap<(&str, _), BTreeSet<Class>> = BTreeMap::new();
        for key in INDEX.iter() {
            classes.entry((&key.text, key.entry.label)).or_default().insert(key.entry.class);
        }
        for (key, classes) in classes {
            assert_eq!(classes.len(), 1, "{key:?} has {classes:?}");
        }
    }

    #[test]
    fn identifiers_round_trip() {
        for (class, id) in Class::IDS {
            assert_eq!(class.id(), id);
            assert_eq!(Class::from_id(id), Some(class));
            assert!(entries().iter().any(|entry| entry.class == class), "{id} has no row");
        }
    }

    #[track_caller]
    fn check(name: &str, class: Option<Class>) {
        assert_eq!(classify(name).map(|entry| entry.class), class, "{name}");
    }

    #[test]
    fn spellings() {
        let duty = Some(Class::GpuDutyCycle);
        let memory = Some(Class::GpuMemory);
        let queue = Some(Class::QueueDepth);
        let kv = Some(Class::KvCache);
        for (name, class) in [
            ("DCGM_FI_DEV_GPU_UTIL", duty),
            ("dcgm_fi_dev_gpu_util", duty),
            (" DCGM_FI_DEV_GPU_UTIL ", duty),
            ("prometheus.googleapis.com|dcgm_fi_dev_gpu_util|gauge", duty),
            ("prometheus.googleapis.com/DCGM_FI_DEV_GPU_UTIL/gauge", duty),
            ("s0-DCGM_FI_DEV_GPU_UTIL", duty),
            ("s12-prometheus-DCGM_FI_DEV_GPU_UTIL", duty),
            ("DCGM_FI_DEV_GPU_UTIL{gpu=\"0\"}", duty),
            ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", duty),
            ("DCGM_FI_DEV_MEM_COPY_UTIL", duty),
            ("dcgm.gpu_utilization", duty),
            ("dcgm_gpu_utilization", duty),
            ("nvml.gpu_utilization", duty),
            ("nvidia_gpu_duty_cycle", duty),
            ("nvidia_smi_utilization_gpu_ratio", duty),
            ("kubernetes.io/container/accelerator/duty_cycle", duty),
            ("kubernetes.io|container|accelerator|duty_cycle", duty),
            ("kubernetes_io:container_accelerator_duty_cycle", duty),
            ("pod_gpu_utilization", duty),
            ("containerGpuDutyCycle", duty),
            ("nv_gpu_utilization", duty),
            ("engine_utilization", duty),
            ("gpu_gfx_activity", duty),
            ("amd_gpu_gfx_activity", duty),
            ("hw.gpu.utilization", duty),
            ("DCGM_FI_DEV_FB_USED", memory),
            ("DCGM_FI_DEV_FB_FREE", memory),
            ("nvidia_gpu_memory_used_bytes", memory),
            ("kubernetes.io|container|accelerator|memory_used", memory),
            ("node_gpu_memory_utilization", memory),
            ("amd_gpu_used_vram", memory),
            ("nv_trt_llm_runtime_memory_metrics{memory_type=\"gpu\"}", memory),
            ("DCGM_FI_PROF_SM_ACTIVE", Some(Class::GpuActivitySoft)),
            ("DCGM_FI_DEV_POWER_USAGE", Some(Class::GpuActivitySoft)),
            ("vllm:num_requests_waiting", queue),
            ("vllm_num_requests_waiting", queue),
            ("ray_vllm_num_requests_waiting", queue),
            ("ray_vllm:num_requests_waiting", queue),
            ("vllm.num_requests.waiting", queue),
            ("num_requests_waiting", queue),
            ("prometheus.googleapis.com|vllm:num_requests_waiting|gauge", queue),
            ("sglang:num_queue_reqs", queue),
            ("sglang_num_queue_reqs", queue),
            ("trtllm:num_requests_waiting", queue),
            ("nv_trt_llm_request_metrics{request_type=\"waiting\"}", queue),
            (
                "nv_trt_llm_request_metrics{gpu=\"0\", request_type=\"scheduled\"}",
                Some(Class::RunningRequests),
            ),
            ("nv_trt_llm_request_metrics", None),
            ("vllm:kv_cache_usage_perc", kv),
            ("vllm_kv_cache_usage_perc", kv),
            ("kv_cache_usage_perc", kv),
            ("sglang:token_usage", kv),
            ("vllm:time_to_first_token_seconds", Some(Class::Ttft)),
            ("vllm:time_to_first_token_seconds_bucket", Some(Class::Ttft)),
            ("ray_vllm_time_to_first_token_seconds_bucket", Some(Class::Ttft)),
            ("vllm:prompt_tokens", Some(Class::Throughput)),
            ("vllm:prompt_tokens_total", Some(Class::Throughput)),
            ("wva_desired_replicas", Some(Class::DesiredReplicas)),
            ("cpu", Some(Class::Cpu)),
            ("memory", Some(Class::HostMemory)),
            ("karpenter_nodeclaims_disrupted_total", Some(Class::ConsolidationEvent)),
            ("kai_podgroups_scheduled_by_action_total", Some(Class::GangDeferral)),
        ] {
            check(name, class);
        }
    }

    #[test]
    fn look_alikes_are_neither_duty_cycle_nor_memory() {
        for name in [
            "vllm:gpu_cache_usage_perc",
            "vllm_gpu_cache_usage_perc",
            "gpu_cache_usage_perc",
            "lmdeploy:gpu_cache_usage_perc",
            "nvidia_nim.gpu_cache_usage_percent",
            "dynamo_component_kvstats_gpu_cache_usage_percent",
            "kvstats_gpu_cache_usage_percent",
            "vllm:gpu_prefix_cache_hit_rate",
            "vllm:gpu_prefix_cache_queries_total",
            "gpu_prefix_cache_hits_total",
            "gpu_memory_utilization",
            "gpu-memory-utilization",
            "nvidia_com_gpu",
            "queue_gpu_usage",
            "kai_queue_gpu_usage",
            "karpenter_nodepools_usage",
            "vllm:estimated_flops_per_gpu_total",
            "sglang:utilization",
        ] {
            let class = classify(name).map(|entry| entry.class);
            assert!(
                !matches!(class, Some(Class::GpuDutyCycle | Class::GpuMemory | Class::GpuActivitySoft)),
                "{name} is {class:?}"
            );
        }
        check("vllm:gpu_cache_usage_perc", Some(Class::KvCache));
        check("gpu_memory_utilization", Some(Class::Other));
    }

    #[test]
    fn no_name_is_guessed() {
        for name in [
            "",
            "gpu",
            "gpu_utilization",
            "gpu_utilization_percent",
            "gpu_avg",
            "my_dcgm_fi_dev_gpu_util",
            "DCGM_FI_DEV_GPU_UTIL_avg",
            "DCGM_FI_DEV_GPU_UTIL_bucket",
            "training",
            "batch",
            "vllm-inference",
            "memory_used_percent",
            "s0-prometheus",
            "vllm",
            "num_requests",
            "total",
            "{}",
        ] {
            check(name, None);
        }
    }

    #[test]
    fn parts_of_a_histogram() {
        let name = "vllm:time_to_first_token_seconds";
        for (suffix, part, class, unit) in [
            ("", Part::Whole, Class::Ttft, Some(Unit::Seconds)),
            ("_bucket", Part::Bucket, Class::Ttft, Some(Unit::Count)),
            ("_sum", Part::Sum, Class::Ttft, Some(Unit::Seconds)),
            ("_count", Part::Count, Class::Throughput, Some(Unit::Count)),
        ] {
            let found = find(&format!("{name}{suffix}")).unwrap();
            assert_eq!((found.part, found.class(), found.unit()), (part, class, unit), "{suffix}");
        }
    }

    #[test]
    fn profiles() {
        for (key, value, class) in [
            ("profile", "training", Some(Class::GpuDutyCycle)),
            ("profile", "vllm-inference", Some(Class::GpuMemory)),
            ("profile", "vllm-queue-depth", Some(Class::QueueDepth)),
            ("profile", "nothing", None),
            ("metricType", "gpu_utilization", Some(Class::GpuDutyCycle)),
            ("metricType", "memory_used_percent", Some(Class::GpuMemory)),
            ("metricType", "training", None),
            ("other", "training", None),
        ] {
            assert_eq!(classify_profile(key, value).map(|entry| entry.class), class, "{key}: {value}");
        }
    }

    #[test]
    fn versions_and_marks() {
        let old = classify("vllm:gpu_cache_usage_perc").unwrap();
        assert_eq!((old.removed, old.replaced_by), (Some("0.12"), Some("vllm:kv_cache_usage_perc")));
        assert_eq!(classify("vllm:kv_cache_usage_perc").unwrap().since, Some("0.9.2"));
        assert!(!classify("DCGM_CUSTOM_PROCESS_SM_UTIL").unwrap().checked);
        assert!(classify("DCGM_FI_DEV_GPU_UTIL").unwrap().checked);
        assert!(classify("llm_d_epp_average_queue_size").unwrap().pool_mean);
        assert!(!classify("vllm:num_requests_waiting").unwrap().pool_mean);
        assert!(classify("kai_queue_gpu_usage").unwrap().look_alike);
    }

    #[test]
    fn bounds_of_buckets() {
        let bounds = bucket_bounds("vllm:time_to_first_token_seconds_bucket").unwrap();
        assert!(bounds.contains(&"2.5") && bounds.contains(&"1.0") && !bounds.contains(&"2.0"));
        assert_eq!(bucket_bounds("sglang:time_to_first_token_seconds_bucket"), None);
        assert_eq!(bucket_bounds("vllm:time_to_first_token_seconds"), None);
    }
}
