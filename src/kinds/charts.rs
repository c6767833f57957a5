//! Dashboards of Google Cloud Monitoring and of Perses. Both hold queries in widgets that nest in many layouts, so the
//! queries are looked for by their own shape.

use super::dashboard::{Dashboard, Language, Panel, PanelQuery};
use super::{Model, Reading, items};
use crate::known::Known;
use crate::yaml::Node;

/// How deep layouts nest.
const DEEPEST: usize = 16;

/// `MonitoringDashboard` of Config Connector, whose spec is a dashboard of Cloud Monitoring.
pub(super) fn connector_dashboard(object: &Reading<'_>) -> Model {
    let dashboard = Dashboard { span: object.name_span(), ..google(object.spec()) };
    Model { dashboards: vec![dashboard], ..Model::default() }
}

/// `PersesDashboard` of the operator.
pub(super) fn perses_dashboard(object: &Reading<'_>) -> Model {
    let spec = object.spec().get("config").unwrap_or(object.spec());
    Model { dashboards: vec![Dashboard { span: object.name_span(), ..perses(spec) }], ..Model::default() }
}

/// The dashboard of a document without `apiVersion`, known by its shape.
///
/// Source: cloud.google.com, REST resource `projects.dashboards`; perses.dev, "Dashboard API".
pub(super) fn read(root: Node<'_>) -> Option<Dashboard> {
    let layouts = ["mosaicLayout", "gridLayout", "rowLayout", "columnLayout"];
    if root.get("displayName").is_some() && layouts.iter().any(|key| root.get(key).is_some()) {
        return Some(google(root));
    }
    let is_perses = root.get("kind").and_then(|kind| kind.raw_str()) == Some("Dashboard");
    let spec = root.get("spec").filter(|spec| is_perses && spec.get("panels").is_some())?;
    Some(perses(spec))
}

fn google(root: Node<'_>) -> Dashboard {
    let title = root.field::<String>("displayName");
    let span = title.span().unwrap_or_else(|| root.first_key_span());
    let mut dashboard = Dashboard { title, panels: vec![], partial: false, span };
    widgets(root, &Known::Absent, 0, &mut dashboard.panels);
    dashboard
}

fn widgets(node: Node<'_>, title: &Known<String>, depth: usize, found: &mut Vec<Panel>) {
    if depth > DEEPEST {
        return;
    }
    let own = node.field::<String>("title");
    let title = if own.value().is_some() { &own } else { title };
    let queries: Vec<PanelQuery> = widget_queries(node).collect();
    if !queries.is_empty() {
        found.push(Panel { title: title.clone(), queries });
    }
    let inner = node.own_entries().map(|entry| entry.value).chain(node.items());
    inner.for_each(|inner| widgets(inner, title, depth + 1, found));
}

/// The queries of a `TimeSeriesQuery`.
fn widget_queries(node: Node<'_>) -> impl Iterator<Item = PanelQuery> {
    let query = |key: &str, language: Language| {
        let text = node.text_at(key);
        text.is_written().then_some(PanelQuery { text, language, hidden: false })
    };
    let filter = node.get("timeSeriesFilter").and_then(|filter| {
        let text = filter.text_at("filter");
        let reducer = filter.at("aggregation.crossSeriesReducer").and_then(|reducer| reducer.raw_str());
        let kept = items(filter, "aggregation.groupByFields").filter_map(|field| field.raw_str());
        let kept = reducer.filter(|reducer| *reducer != "REDUCE_NONE").map(|_| kept.map(label).collect());
        text.is_written().then_some(PanelQuery { text, language: Language::Filter(kept), hidden: false })
    });
    let promql = query("prometheusQuery", Language::PromQl);
    let mql = query("timeSeriesQueryLanguage", Language::Other);
    filter.into_iter().chain(promql).chain(mql)
}

/// The label in a field such as `metric.label."pod"`.
fn label(field: &str) -> String {
    field.rsplit('.').next().unwrap_or(field).trim_matches('"').to_owned()
}

fn perses(spec: Node<'_>) -> Dashboard {
    let title = spec.field::<String>("display.name");
    let span = title.span().unwrap_or_else(|| spec.first_key_span());
    let panels = spec.get("panels").into_iter().flat_map(|panels| panels.own_entries());
    let panels = panels.map(|entry| {
        let queries = items(entry.value, "spec.queries").filter_map(|query| {
            let text = query.at("spec.plugin.spec")?.text_at("query");
            text.is_written().then_some(PanelQuery { text, language: Language::PromQl, hidden: false })
        });
        Panel { title: entry.value.field("spec.display.name"), queries: queries.collect() }
    });
    Dashboard { panels: panels.collect(), title, partial: false, span }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    const GOOGLE: &str = r#"{"displayName": "vLLM", "mosaicLayout": {"tiles": [
        {"widget": {"title": "KV", "xyChart": {"dataSets": [{"timeSeriesQuery": {"timeSeriesFilter": {
          "filter": "metric.type=\"prometheus.googleapis.com/vllm:kv_cache_usage_perc/gauge\"",
          "aggregation": {"crossSeriesReducer": "REDUCE_MAX", "groupByFields": ["metric.label.\"pod\""]}}}}]}}},
        {"widget": {"title": "Queue", "scorecard": {"timeSeriesQuery": {"prometheusQuery": "sum(a)"}}}},
        {"widget": {"title": "Raw", "scorecard": {"timeSeriesQuery": {"timeSeriesFilter": {"filter": "b"}}}}}]}}"#;
    const EXPECT: &str = "dashboard \"vLLM\"
        KV: Filter(Some([\"pod\"])) metric.type=\"prometheus.googleapis.com/vllm:kv_cache_usage_perc/gauge\"
        Queue: PromQl sum(a)
        Raw: Filter(None) b";

    #[test]
    fn cloud_monitoring() {
        check(GOOGLE, EXPECT);
        let head = "apiVersion: monitoring.cnrm.cloud.google.com/v1beta1\nkind: MonitoringDashboard\n";
        check(&format!("{head}metadata: {{name: a}}\nspec: {GOOGLE}"), EXPECT);
        check(r#"{"displayName": "x"}"#, "");
    }

    #[test]
    fn perses() {
        let panels = "{KV: {kind: Panel, spec: {display: {name: KV}, queries: [{kind: TimeSeriesQuery, spec: {plugin: {kind: PrometheusTimeSeriesQuery, spec: {query: a}}}}]}}}";
        let spec = format!("{{display: {{name: vLLM}}, panels: {panels}}}");
        let expect = "dashboard \"vLLM\"\nKV: PromQl a";
        check(&format!("{{kind: Dashboard, metadata: {{name: a}}, spec: {spec}}}"), expect);
        let head = "apiVersion: perses.dev/v1alpha2\nkind: PersesDashboard\nmetadata: {name: a}";
        check(&format!("{head}\nspec: {{config: {spec}}}"), expect);
        check(&format!("{head}\nspec: {spec}"), expect);
    }
}
