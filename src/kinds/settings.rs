//! Settings of controllers that decide whether pods are scheduled as gangs: in a controller's configuration file, in a
//! ConfigMap that holds one, in Helm values of its chart. The same mappings stand in all of them.

use super::gang::{GangScheduler, Hint, HintKind};
use super::inner;
use crate::yaml::{Node, Text};

/// The signs in a mapping.
pub(super) fn hints(root: Node<'_>) -> Vec<Hint> {
    let mut found = Vec::new();
    // In an umbrella chart the settings of a chart stand under its name.
    for chart in std::iter::once(root).chain(root.own_entries().map(|entry| entry.value)) {
        found.extend(leader_worker_set(chart));
    }
    let under = |path: &str| root.at(path);
    for node in [Some(root), under("kuberay-operator")].into_iter().flatten() {
        found.extend(kuberay(node));
    }
    let grove = [Some(root), under("config"), under("grove"), under("grove.config")];
    for node in grove.into_iter().flatten() {
        found.extend(grove_profile(node));
    }
    found.extend(kai(root));
    if let Some(entry) = root.entry("waitForPodsReady").filter(|_| kueue_waits(root)) {
        found.push(Hint { kind: HintKind::KueueWaits, span: entry.key_node.span() });
    }
    found
}

/// The signs in a file of a ConfigMap.
pub(super) fn hints_in(text: &Text) -> Vec<Hint> {
    let words = ["gangSchedulingManagement:", "batchScheduler:", "defaultProfileName:", "waitForPodsReady:"];
    if !words.iter().any(|word| text.value.contains(word)) {
        return vec![];
    }
    inner::documents(text).into_iter().flatten().flat_map(|tree| hints(tree.root())).collect()
}

/// Source: kubernetes-sigs/lws, api/config/v1alpha1/configuration_types.go and charts/lws/values.yaml.
fn leader_worker_set(node: Node<'_>) -> Option<Hint> {
    let provider = node.at("gangSchedulingManagement.schedulerProvider")?;
    let kind = match provider.raw_str()? {
        "volcano" => HintKind::LeaderWorkerSetGangs,
        "kubernetes" => HintKind::Uses(GangScheduler::Native),
        _ => return None,
    };
    Some(Hint { kind, span: provider.span() })
}

/// Source: ray-project/kuberay, helm-chart/kuberay-operator/values.yaml; in the operator's own file the scheduler is
/// named without a mapping.
fn kuberay(node: Node<'_>) -> Option<Hint> {
    let batch = node.get("batchScheduler")?;
    let name = batch.get("name").unwrap_or(batch);
    if let Some(text) = name.raw_str().filter(|text| !text.is_empty()) {
        let known = GangScheduler::of_name(text).is_some();
        return known.then(|| Hint { kind: HintKind::KubeRayGangs, span: name.span() });
    }
    // Before schedulers had names, there was only Volcano to turn on.
    let enabled = batch.get("enabled")?;
    (enabled.read::<bool>().value() == Some(&true))
        .then(|| Hint { kind: HintKind::KubeRayGangs, span: enabled.span() })
}

/// Source: ai-dynamo/grove, operator/api/config/v1alpha1 and operator/charts/values.yaml.
fn grove_profile(node: Node<'_>) -> Option<Hint> {
    let profile = node.at("scheduler.defaultProfileName")?;
    GangScheduler::of_name(profile.raw_str()?)?;
    Some(Hint { kind: HintKind::GroveGangs, span: profile.span() })
}

/// True for a configuration of Kueue that takes quota back from workloads that do not start as a whole. v1beta2 has
/// dropped the switch: there the block alone turns it on.
///
/// Source: kubernetes-sigs/kueue, apis/config/v1beta1 and v1beta2, WaitForPodsReady.
pub(super) fn kueue_waits(configuration: Node<'_>) -> bool {
    let block = configuration.get("waitForPodsReady").filter(|block| block.is_mapping());
    block.is_some_and(|block| block.field::<bool>("enable").value() != Some(&false))
}

/// KAI Scheduler as a part of another chart. The Dynamo platform's chart hands its groups over where it is on.
///
/// Source: ai-dynamo/dynamo, deploy/helm/charts/platform/values.yaml.
fn kai(root: Node<'_>) -> Vec<Hint> {
    let mut found = Vec::new();
    for (holder, global) in [(Some(root), false), (root.get("global"), true)] {
        let Some(chart) = holder.and_then(|holder| holder.get("kai-scheduler")) else { continue };
        let Some(on) = ["enabled", "install"]
            .iter()
            .filter_map(|key| chart.get(key))
            .find(|value| value.read::<bool>().value() == Some(&true))
        else {
            continue;
        };
        found.push(Hint { kind: HintKind::Uses(GangScheduler::Kai), span: on.span() });
        let dynamo = ["dynamo-operator", "grove"].iter().any(|key| root.get(key).is_some());
        if global || dynamo {
            found.push(Hint { kind: HintKind::DynamoGangs, span: on.span() });
        }
    }
    found
}
