//! Karpenter pools in their three shapes, and the node classes of the clouds.
//!
//! Source: kubernetes-sigs/karpenter, pkg/apis/{v1,v1beta1,v1alpha5}; defaults as in the CRDs of each version.

use super::pool::{
    Budget, NodeClass, NodeClassRef, Policy, PolicyWord, Pool, PoolApi, PoolPlace, Requirement, Taint,
};
use super::quantity::{Delay, Quantity, go_duration};
use super::{Model, Reading, karpenter_api, karpenter_dropped};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, is_template};

/// NodePool and Provisioner of `karpenter.sh`.
pub(super) fn pool(object: &Reading<'_>) -> Model {
    let pool = match (object.kind, object.version) {
        ("Provisioner", _) => provisioner(object),
        (_, "v1beta1") => node_pool(object, PoolApi::V1Beta1),
        _ => node_pool(object, PoolApi::V1),
    };
    Model { pool: Some(pool), ..Model::default() }
}

fn node_pool(object: &Reading<'_>, api: PoolApi) -> Pool {
    let spec = object.spec();
    let disruption = spec.get("disruption");
    let template = spec.at("template.spec");
    // A `spec` that is a template as a whole says nothing of what is missing in it.
    let unresolved =
        [Some(spec), disruption].into_iter().flatten().find(|n| is_template(*n)).map(|n| n.span());
    let default = match api {
        PoolApi::V1Beta1 => Policy::WhenUnderutilized(PolicyWord::WhenUnderutilized),
        _ => Policy::WhenUnderutilized(PolicyWord::WhenEmptyOrUnderutilized),
    };
    let at = object.node.key_span("spec.disruption");
    let at = if disruption.is_some() { at } else { object.at };
    let written = disruption.map(|d| d.field::<String>("consolidationPolicy")).unwrap_or_default();
    let policy = match unresolved {
        Some(span) => Known::Unresolved(span),
        None => written.map(|word| policy_of(&word)).or_default(default, at),
    };
    let after = disruption.map(|d| d.field::<String>("consolidateAfter")).unwrap_or_default();
    let expire = match api {
        PoolApi::V1 => template.map(|t| t.field::<String>("expireAfter")),
        _ => disruption.map(|d| d.field::<String>("expireAfter")),
    };
    Pool {
        api,
        policy,
        consolidate_after: delay(after.clone()),
        consolidate_after_text: after,
        after_empty_node: None,
        replicas: spec.field("replicas"),
        requirements: requirements(template, spec.at("template.metadata.labels")),
        has_requirements: template.is_some_and(|t| t.entry("requirements").is_some()),
        labels: labels(spec.at("template.metadata.labels")),
        taints: taints(template.and_then(|t| t.get("taints"))),
        startup_taints: taints(template.and_then(|t| t.get("startupTaints"))),
        limits_open: is_template(spec) || spec.get("limits").is_some_and(is_template),
        template_open: is_template(spec) || template.is_some_and(is_template),
        limits: limits(spec.get("limits")),
        weight: spec.field("weight"),
        expire_after: delay(expire.unwrap_or_default()),
        termination_grace: template
            .map(|t| t.field::<String>("terminationGracePeriod"))
            .unwrap_or_default()
            .try_map("a Go duration", |text| go_duration(&text)),
        budgets: disruption
            .and_then(|d| d.get("budgets"))
            .filter(|b| b.is_sequence())
            .map(|list| list.items().map(budget).collect()),
        node_class: template.map(|t| node_class_ref(t, "nodeClassRef")).unwrap_or_default(),
        rejected: karpenter_api::rejected(object, api),
        dropped: karpenter_dropped::dropped(object, api),
        place: place(object, spec, disruption, template),
    }
}

fn place(
    object: &Reading<'_>,
    spec: Node<'_>,
    disruption: Option<Node<'_>>,
    template: Option<Node<'_>>,
) -> PoolPlace {
    let misplaced = ["template.disruption", "template.spec.disruption"]
        .iter()
        .find_map(|path| spec.at(path).map(|_| spec.key_span(path)));
    let or_kind = |path: &str| {
        if object.node.at("spec").is_some() { object.node.key_span(path) } else { object.at }
    };
    PoolPlace {
        disruption: if disruption.is_some() {
            object.node.key_span("spec.disruption")
        } else {
            or_kind("spec")
        },
        disruption_node: disruption.map(|d| d.id()),
        spec_node: spec.id(),
        template: or_kind("spec.template.spec"),
        template_node: template.map(|t| t.id()),
        limits: or_kind("spec.limits"),
        labels: or_kind("spec.template.metadata.labels"),
        budgets: or_kind("spec.disruption.budgets"),
        requirements: or_kind("spec.template.spec.requirements"),
        requirements_node: template.and_then(|t| t.get("requirements")).map(|r| r.id()),
        misplaced,
    }
}

/// A Provisioner has no policy word: two settings that exclude each other, and without either nodes stay for ever.
fn provisioner(object: &Reading<'_>) -> Pool {
    let spec = object.spec();
    let enabled = spec.field::<bool>("consolidation.enabled");
    let after_empty = spec.field::<f64>("ttlSecondsAfterEmpty");
    let policy = match (&enabled, &after_empty) {
        (Known::Set(true, span), _) => {
            Known::Set(Policy::WhenUnderutilized(PolicyWord::ConsolidationEnabled), *span)
        }
        (Known::Unresolved(span), _) => Known::Unresolved(*span),
        (_, after) if after.is_written() => {
            after.span().map_or(Known::Absent, |span| Known::Set(Policy::WhenEmpty, span))
        }
        _ => Known::Default(Policy::Off, object.at),
    };
    let written = spec.entry("consolidation").or_else(|| spec.entry("ttlSecondsAfterEmpty"));
    let spec_key = object.node.key_span("spec");
    Pool {
        api: PoolApi::V1Alpha5,
        policy,
        consolidate_after: after_empty.clone().map(Delay::Seconds),
        consolidate_after_text: after_empty.map(|seconds| format!("{seconds}s")),
        after_empty_node: spec.get("ttlSecondsAfterEmpty").map(|n| n.id()),
        replicas: Known::Absent,
        requirements: requirements(Some(spec), spec.get("labels")),
        has_requirements: spec.entry("requirements").is_some(),
        labels: labels(spec.get("labels")),
        taints: taints(spec.get("taints")),
        startup_taints: taints(spec.get("startupTaints")),
        limits_open: spec.at("limits").is_some_and(is_template),
        template_open: is_template(spec),
        limits: limits(spec.at("limits.resources")),
        weight: spec.field("weight"),
        expire_after: spec.field::<f64>("ttlSecondsUntilExpired").map(Delay::Seconds),
        termination_grace: Known::Absent,
        budgets: None,
        node_class: node_class_ref(spec, "providerRef"),
        rejected: vec![],
        dropped: vec![],
        place: PoolPlace {
            disruption: written.map_or(spec_key, |e| e.key_node.span()),
            disruption_node: spec.get("consolidation").map(|n| n.id()),
            spec_node: spec.id(),
            template: spec_key,
            template_node: Some(spec.id()),
            limits: object.node.key_span("spec.limits"),
            labels: object.node.key_span("spec.labels"),
            budgets: spec_key,
            requirements: object.node.key_span("spec.requirements"),
            requirements_node: spec.get("requirements").map(|n| n.id()),
            misplaced: None,
        },
    }
}

fn policy_of(word: &str) -> Policy {
    match word {
        "WhenEmpty" => Policy::WhenEmpty,
        "WhenEmptyOrUnderutilized" => Policy::WhenUnderutilized(PolicyWord::WhenEmptyOrUnderutilized),
        "WhenUnderutilized" => Policy::WhenUnderutilized(PolicyWord::WhenUnderutilized),
        "Balanced" => Policy::WhenUnderutilized(PolicyWord::Balanced),
        other => Policy::Unknown(other.to_owned()),
    }
}

fn delay(text: Known<String>) -> Known<Delay> {
    text.try_map("a duration of hours, minutes and seconds such as `1h`, or `Never`", |text| {
        match text.as_str() {
            "Never" => Some(Delay::Never),
            text => go_duration(text).map(Delay::Seconds),
        }
    })
}

/// The requirements of a pool. A label of the template acts as a requirement with one value.
/// Source: kubernetes-sigs/karpenter, pkg/controllers/provisioning/scheduling/nodeclaimtemplate.go.
fn requirements(template: Option<Node<'_>>, labels: Option<Node<'_>>) -> Vec<Requirement> {
    let list = template.and_then(|t| t.get("requirements")).into_iter().flat_map(|r| r.items());
    let mut found: Vec<Requirement> = list
        .filter_map(|item| {
            let key = item.get("key")?;
            let values = item.get("values");
            Some(Requirement {
                key: key.raw_str()?.to_owned(),
                operator: item.field("operator"),
                values: values.into_iter().flat_map(|v| v.items()).map(|v| v.read()).collect(),
                unresolved: values.is_some_and(|v| !v.is_sequence()),
                span: key.span(),
                from_label: false,
            })
        })
        .collect();
    for entry in labels.map(|l| l.entries()).unwrap_or_default() {
        found.push(Requirement {
            key: entry.key.to_owned(),
            operator: Known::Set("In".to_owned(), entry.key_node.span()),
            values: vec![entry.value.read()],
            unresolved: false,
            span: entry.key_node.span(),
            from_label: true,
        });
    }
    found
}

fn labels(node: Option<Node<'_>>) -> Vec<(String, Known<String>, Span)> {
    let entries = node.map(|n| n.entries()).unwrap_or_default();
    entries.into_iter().map(|e| (e.key.to_owned(), e.value.read(), e.key_node.span())).collect()
}

fn taints(list: Option<Node<'_>>) -> Vec<Taint> {
    list.into_iter()
        .flat_map(|list| {
            // A list that is a template as a whole is one taint of which nothing is known.
            let template = is_template(list).then(|| Taint {
                key: Known::Unresolved(list.span()),
                value: Known::Unresolved(list.span()),
                effect: Known::Unresolved(list.span()),
                effect_node: None,
                span: list.span(),
            });
            let items = list.items().map(|item| Taint {
                key: item.field("key"),
                value: item.field("value"),
                effect: item.field("effect"),
                effect_node: item.get("effect").map(|n| n.id()),
                span: item.first_key_span(),
            });
            template.into_iter().chain(items).collect::<Vec<_>>()
        })
        .collect()
}

fn limits(node: Option<Node<'_>>) -> Vec<(String, Known<f64>, Span)> {
    let entries = node.map(|n| n.entries()).unwrap_or_default();
    entries
        .into_iter()
        .map(|e| (e.key.to_owned(), e.value.read::<Quantity>().map(|q| q.0), e.key_node.span()))
        .collect()
}

fn budget(item: Node<'_>) -> Budget {
    Budget {
        nodes: item.field("nodes"),
        reasons: item.get("reasons").into_iter().flat_map(|r| r.items()).map(|r| r.read()).collect(),
        schedule: item.field("schedule"),
        duration: item.field("duration"),
        span: item.first_key_span(),
    }
}

fn node_class_ref(node: Node<'_>, key: &str) -> NodeClassRef {
    let Some(entry) = node.entry(key) else { return NodeClassRef::default() };
    let reference = entry.value;
    NodeClassRef {
        group: reference.field("group"),
        kind: reference.field("kind"),
        name: reference.field("name"),
        span: Some(entry.key_node.span()),
    }
}

/// NodeOverlay: it can give machines resources that the provider does not count.
pub(super) fn overlay(_: &Reading<'_>) -> Model {
    Model { node_overlay: true, ..Model::default() }
}

/// EC2NodeClass, NodeClass (EKS Auto Mode), AKSNodeClass, GCENodeClass.
pub(super) fn node_class(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let ami = spec.get("amiSelectorTerms").into_iter().flat_map(|terms| terms.items()).flat_map(|term| {
        term.entries().into_iter().map(|e| (e.key.to_owned(), e.value.read())).collect::<Vec<_>>()
    });
    let mut disks: Vec<(Known<String>, Known<f64>)> = spec
        .get("blockDeviceMappings")
        .into_iter()
        .flat_map(|list| list.items())
        .map(|item| {
            // A snapshot has a size of its own.
            let size = match item.at("ebs.snapshotID") {
                Some(snapshot) => Known::Unresolved(snapshot.span()),
                None => item.field::<Quantity>("ebs.volumeSize").map(|q| q.0),
            };
            (item.field("deviceName"), size)
        })
        .collect();
    const GIB: f64 = 1_073_741_824.0;
    for (path, factor) in [("osDiskSizeGB", 1e9), ("ephemeralStorage.size", 1.0)] {
        let size = spec.field::<Quantity>(path).map(|q| q.0 * factor);
        if size.is_written() {
            disks.push((Known::Absent, size));
        }
    }
    for disk in spec.get("disks").into_iter().flat_map(|list| list.items()) {
        disks.push((Known::Absent, disk.field::<Quantity>("sizeGiB").map(|q| q.0 * GIB)));
    }
    let class = NodeClass {
        ami: ami.collect(),
        ami_family: spec.field::<String>("amiFamily").or(|| spec.field("imageFamily")),
        disks,
        instance_store_policy: spec.field("instanceStorePolicy"),
        adds_gpu_taint: spec.field::<bool>("autoGPUTaint").value() == Some(&true),
        reservations: spec.get("capacityReservationSelectorTerms").is_some(),
        gpu_mode: spec.at("gpu.mode").is_some(),
        span: object.node.key_span("spec"),
    };
    Model { node_class: Some(class), ..Model::default() }
}
