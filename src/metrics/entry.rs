//! The vocabulary of the catalogue.

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
    pub(super) const IDS: [(Class, &'static str); 17] = [
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

    pub(super) fn from_id(id: &str) -> Option<Unit> {
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

impl Place {
    pub(super) fn from_id(id: &str) -> Option<Place> {
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
}

impl MetricType {
    pub(super) fn from_id(id: &str) -> Option<MetricType> {
        Some(match id {
            "gauge" => MetricType::Gauge,
            "counter" => MetricType::Counter,
            "histogram" => MetricType::Histogram,
            "unknown" => MetricType::Unknown,
            _ => return None,
        })
    }
}
