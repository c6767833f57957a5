//! Helm values. They say neither kind nor chart, so they are known by their shape, and only where the shape is one that
//! no other file has.

use super::gang::Hint;
use super::series::Rename;
use super::{Model, adapter_rules, items, rulefile, settings};
use crate::yaml::Node;

/// What a document without `kind` and `apiVersion` says; none where it has no known shape.
pub(super) fn read(node: Node<'_>) -> Option<Model> {
    let mut model = Model::default();
    model.renames.extend(renames(node));
    let hints: Vec<Hint> = settings::hints(node);
    model.hints.extend(hints);
    let empty = model.renames.is_empty() && model.hints.is_empty();
    (!empty).then_some(model)
}

/// Rules of prometheus-adapter and of kube-prometheus-stack, at the top or in an umbrella chart.
fn renames(root: Node<'_>) -> Vec<Rename> {
    let mut found = adapter_rules::config(root);
    if let Some(adapter) = root.get("prometheus-adapter") {
        found.extend(adapter_rules::config(adapter));
    }
    let stacks = [Some(root), root.get("kube-prometheus-stack"), root.get("prometheus")];
    for stack in stacks.into_iter().flatten() {
        found.extend(stack_rules(stack));
    }
    found
}

/// Source: prometheus-community/helm-charts, charts/kube-prometheus-stack/values.yaml and charts/prometheus/values.yaml.
fn stack_rules(stack: Node<'_>) -> Vec<Rename> {
    let list = items(stack, "additionalPrometheusRules");
    let maps = ["additionalPrometheusRulesMap", "serverFiles"].iter().filter_map(|key| stack.get(key));
    let entries = maps.flat_map(|map| map.entries()).map(|entry| entry.value);
    list.chain(entries).flat_map(rulefile::rules).collect()
}
