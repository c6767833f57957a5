//! What manifests say of gang scheduling, in the words of every scheduler that knows it.

use super::meta::Meta;
use super::placing::TopologyRequest;
use super::pods::PodTemplate;
use crate::known::Known;
use crate::source::Span;

/// Who would start the pods of a group together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GangScheduler {
    /// KAI Scheduler.
    Kai,
    /// Volcano.
    Volcano,
    /// Kueue, which admits a workload as a whole.
    Kueue,
    /// The coscheduling plugin of kubernetes-sigs/scheduler-plugins.
    Coscheduling,
    /// Apache YuniKorn.
    YuniKorn,
    /// Koordinator.
    Koordinator,
    /// Godel.
    Godel,
    /// kube-scheduler's own gang scheduling, from Kubernetes 1.35.
    Native,
    /// An operator that holds the pods back itself.
    Operator,
}

impl GangScheduler {
    /// The name for messages.
    pub fn name(self) -> &'static str {
        match self {
            GangScheduler::Kai => "KAI Scheduler",
            GangScheduler::Volcano => "Volcano",
            GangScheduler::Kueue => "Kueue",
            GangScheduler::Coscheduling => "coscheduling",
            GangScheduler::YuniKorn => "YuniKorn",
            GangScheduler::Koordinator => "Koordinator",
            GangScheduler::Godel => "Godel",
            GangScheduler::Native => "kube-scheduler",
            GangScheduler::Operator => "the operator",
        }
    }

    /// The gang scheduler that a `schedulerName` names, by its usual name.
    /// Source: the default names in the schedulers' own charts and documentation.
    pub fn of_name(name: &str) -> Option<GangScheduler> {
        Some(match name {
            "kai-scheduler" | "runai-scheduler" => GangScheduler::Kai,
            "volcano" => GangScheduler::Volcano,
            "yunikorn" => GangScheduler::YuniKorn,
            "scheduler-plugins-scheduler" | "scheduler-plugins" | "coscheduling" => {
                GangScheduler::Coscheduling
            }
            "koord-scheduler" => GangScheduler::Koordinator,
            "godel-scheduler" => GangScheduler::Godel,
            _ => return None,
        })
    }
}

/// One statement in a manifest that asks for a gang.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Who acts on it.
    pub scheduler: GangScheduler,
    /// What it is, for people: "label `kueue.x-k8s.io/queue-name`".
    pub what: String,
    /// Where it stands.
    pub span: Span,
    /// How many members have to fit, where it says so.
    pub min: Known<u32>,
    /// The name of the group object that it joins, where it joins one.
    pub pod_group: Option<String>,
}

/// What KAI Scheduler makes of a kind by itself, when its pods carry `schedulerName: kai-scheduler`.
/// Source: kai-scheduler/KAI-Scheduler, pkg/podgrouper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KaiGang {
    /// One gang for each replica.
    PerReplica,
    /// One gang for the whole object.
    Whole,
    /// A gang that only the leader has to fit, since workers are made after it is ready.
    LeaderFirst,
    /// Each pod for itself, or a group of which one member is enough.
    #[default]
    None,
}

/// What a workload's own manifest says of its gang.
#[derive(Debug, Clone, Default)]
pub struct Gang {
    /// What KAI Scheduler makes of the kind.
    pub kai: KaiGang,
    /// Statements that ask for a gang.
    pub declared: Vec<Evidence>,
    /// Why a gang may exist although the manifest does not say so.
    pub hidden: Option<Hidden>,
}

/// A way in which a gang may come from out of sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The way, as a clause: "the Dynamo operator adds one where Grove and KAI Scheduler are enabled".
    pub how: String,
    /// What to write to settle it, as an imperative.
    pub settle: String,
    /// The sign in other files that settles it.
    pub hint: Option<HintKind>,
    /// True where nothing would add a gang by itself: the doubt is only whether the cluster has a gang scheduler at all.
    /// Where the inputs show that it has one, there is no doubt left.
    pub ends_with_scheduler: bool,
}

impl Hidden {
    /// For pods of a LeaderWorkerSet that name no scheduler: its controller can make groups for Volcano.
    /// Source: kubernetes-sigs/lws, api/config/v1alpha1/configuration_types.go.
    pub fn in_leader_worker_set() -> Hidden {
        Hidden {
            how: "the LeaderWorkerSet controller adds one for Volcano only where its `gangSchedulingManagement` is set"
                .to_owned(),
            settle:
                "set `schedulerName` on the leader and the workers, or add the controller's configuration to \
                     the files that are checked"
                    .to_owned(),
            hint: Some(HintKind::LeaderWorkerSetGangs),
            ends_with_scheduler: true,
        }
    }
}

/// A gang group as an object of its own.
#[derive(Debug, Clone)]
pub struct PodGroup {
    /// Its scheduler.
    pub scheduler: GangScheduler,
    /// How many members have to fit.
    pub min: Known<u32>,
    /// The queue that it is charged to.
    pub queue: Known<String>,
    /// Its constraint on the topology.
    pub topology: Option<TopologyRequest>,
    /// True where the minimum counts pods, false where it counts parts of the group.
    pub counts_pods: bool,
    /// The bytes of the number, or of the kind.
    pub span: Span,
}

/// A sign of how the cluster is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HintKind {
    /// A gang scheduler is in use: a queue, a shard or a group object of it is in the inputs.
    Uses(GangScheduler),
    /// A policy of the cluster rewrites `schedulerName`.
    RewritesScheduler,
    /// The LeaderWorkerSet controller makes PodGroups for Volcano.
    LeaderWorkerSetGangs,
    /// The Dynamo operator hands its groups to KAI Scheduler.
    DynamoGangs,
    /// Grove's default scheduler profile is a gang scheduler.
    GroveGangs,
    /// The KubeRay operator stamps a gang scheduler on its pods.
    KubeRayGangs,
    /// Kueue knows the topology of the nodes.
    KueueTopology,
    /// Kueue takes the quota back from a workload whose pods do not all start.
    KueueWaits,
    /// KAI Scheduler is taught further kinds, or other defaults.
    KaiExtended,
}

/// A sign of how the cluster is set up, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What it says.
    pub kind: HintKind,
    /// Where it stands.
    pub span: Span,
}

/// A label or annotation that asks for a gang.
struct Sign {
    scheduler: GangScheduler,
    key: &'static str,
    /// What the value is.
    value: SignValue,
}

#[derive(Clone, Copy)]
enum SignValue {
    /// Anything: the presence counts.
    Any,
    /// The name of a group object.
    Group,
    /// The number of members.
    Min,
    /// `true`.
    True,
}

/// Source: the documentation of each scheduler; keys as read in their code or charts.
const SIGNS: &[Sign] = &[
    Sign { scheduler: GangScheduler::Kueue, key: "kueue.x-k8s.io/queue-name", value: SignValue::Any },
    Sign { scheduler: GangScheduler::Kueue, key: "kueue.x-k8s.io/pod-group-name", value: SignValue::Any },
    Sign { scheduler: GangScheduler::Kai, key: "kai.scheduler/batch-min-member", value: SignValue::Min },
    Sign { scheduler: GangScheduler::Kai, key: "pod-group-name", value: SignValue::Group },
    Sign { scheduler: GangScheduler::Volcano, key: "scheduling.k8s.io/group-name", value: SignValue::Group },
    Sign {
        scheduler: GangScheduler::Volcano,
        key: "scheduling.volcano.sh/group-name",
        value: SignValue::Group,
    },
    Sign {
        scheduler: GangScheduler::Volcano,
        key: "scheduling.volcano.sh/group-min-member",
        value: SignValue::Min,
    },
    Sign {
        scheduler: GangScheduler::Coscheduling,
        key: "scheduling.x-k8s.io/pod-group",
        value: SignValue::Group,
    },
    Sign {
        scheduler: GangScheduler::Coscheduling,
        key: "pod-group.scheduling.sigs.k8s.io",
        value: SignValue::Any,
    },
    Sign {
        scheduler: GangScheduler::Coscheduling,
        key: "pod-group.scheduling.sigs.k8s.io/name",
        value: SignValue::Any,
    },
    Sign {
        scheduler: GangScheduler::Coscheduling,
        key: "pod-group.scheduling.sigs.k8s.io/min-available",
        value: SignValue::Min,
    },
    Sign {
        scheduler: GangScheduler::YuniKorn,
        key: "yunikorn.apache.org/task-groups",
        value: SignValue::Any,
    },
    Sign {
        scheduler: GangScheduler::YuniKorn,
        key: "yunikorn.apache.org/task-group-name",
        value: SignValue::Any,
    },
    Sign {
        scheduler: GangScheduler::Koordinator,
        key: "gang.scheduling.koordinator.sh/name",
        value: SignValue::Any,
    },
    Sign {
        scheduler: GangScheduler::Koordinator,
        key: "gang.scheduling.koordinator.sh/min-available",
        value: SignValue::Min,
    },
    Sign {
        scheduler: GangScheduler::Godel,
        key: "godel.bytedance.com/pod-group-name",
        value: SignValue::Any,
    },
    Sign {
        scheduler: GangScheduler::Coscheduling,
        key: "rbg.workloads.x-k8s.io/group-gang-scheduling",
        value: SignValue::True,
    },
    Sign {
        scheduler: GangScheduler::Coscheduling,
        key: "ray.io/gang-scheduling-enabled",
        value: SignValue::True,
    },
];

/// The statements in labels, annotations and pod specs that ask for a gang. The owner's metadata and that of every pod
/// template are read, since schedulers look at the one or the other.
pub fn evidence(owner: &Meta, templates: &[&PodTemplate]) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = Vec::new();
    let metas = std::iter::once(owner).chain(templates.iter().map(|t| &t.meta));
    for pair in metas.flat_map(|m| m.labels.0.iter().chain(m.annotations.0.iter())) {
        let Some(sign) = SIGNS.iter().find(|s| s.key == pair.key) else { continue };
        let value = pair.value.value().map(String::as_str);
        if matches!(sign.value, SignValue::True) && value != Some("true") {
            continue;
        }
        let min = match sign.value {
            SignValue::Min => pair.value.clone().try_map("an integer", |v| v.parse().ok()),
            _ => Known::Absent,
        };
        let pod_group = match sign.value {
            SignValue::Group => value.map(str::to_owned),
            _ => None,
        };
        let what = format!("`{}`", sign.key);
        found.push(Evidence { scheduler: sign.scheduler, what, span: pair.key_span, min, pod_group });
    }
    for template in templates {
        found.extend(template.native_gang.iter().cloned());
    }
    found
}
