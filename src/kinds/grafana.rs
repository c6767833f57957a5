//! Grafana dashboards as objects: of Grafana's operator and of Grafana's own API.
//!
//! Source: grafana/grafana-operator, api/v1beta1/grafanadashboard_types.go; grafana.com/docs, "Dashboard JSON model".

use super::dashboard::{Dashboard, Panel, PanelQuery};
use super::grafana_model::{classic, is_true, read, target_query, unread};
use super::{Model, Reading, items};
use crate::yaml::{Node, parse_embedded};

/// `GrafanaDashboard` of the operator. Only what stands in the object itself can be read.
pub(super) fn operator_dashboard(object: &Reading<'_>) -> Model {
    let span = object.name_span();
    let inline = object.spec().get("json").and_then(|json| json.text());
    let read = inline.and_then(|text| parse_embedded(&text).ok()).and_then(|tree| read(tree.root()));
    let dashboard = read.unwrap_or_else(|| unread(span));
    Model { dashboards: vec![Dashboard { span, ..dashboard }], ..Model::default() }
}

/// `Dashboard` of `dashboard.grafana.app`: the classic model in version 1, elements in version 2.
pub(super) fn app_dashboard(object: &Reading<'_>) -> Model {
    let (spec, span) = (object.spec(), object.name_span());
    let mut dashboard = classic(spec);
    for element in spec.get("elements").into_iter().flat_map(|e| e.own_entries()).map(|e| e.value) {
        match element.get("kind").and_then(|kind| kind.raw_str()) {
            Some("LibraryPanel") => dashboard.partial = true,
            _ => dashboard.panels.push(element_panel(element)),
        }
    }
    Model { dashboards: vec![Dashboard { span, ..dashboard }], ..Model::default() }
}

fn element_panel(element: Node<'_>) -> Panel {
    let queries = items(element, "spec.data.spec.queries").filter_map(|item| {
        let spec = item.get("spec")?;
        // The data query stands in `query.spec`, in older releases in `query` itself.
        let query = spec.get("query")?;
        let target = query.get("spec").unwrap_or(query);
        Some(PanelQuery { hidden: is_true(spec, "hidden"), ..target_query(target)? })
    });
    Panel { title: element.field("spec.title"), queries: queries.collect() }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    const PANELS: &str = r#""panels": [
        {"title": "Waiting", "targets": [
          {"expr": "sum by (pod) (vllm:num_requests_waiting{namespace=\"a\"})", "legendFormat": "{{pod}}"},
          {"expr": "up", "hide": true}]},
        {"type": "row", "panels": [{"title": "KV", "targets": [{"expr": "vllm:kv_cache_usage_perc"}]}]},
        {"title": "notes", "type": "text"},
        {"title": "SQL", "targets": [{"rawSql": "select 1"}, {"refId": "A"}]}
      ]"#;
    const EXPECT: &str = "dashboard \"GPU\"
        Waiting: PromQl sum by (pod) (vllm:num_requests_waiting{namespace=\"a\"})
        Waiting: PromQl up hidden
        KV: PromQl vllm:kv_cache_usage_perc
        SQL: Other select 1";

    fn model() -> String {
        format!("{{\"title\": \"GPU\", \"schemaVersion\": 39, {PANELS}}}")
    }

    #[test]
    fn files() {
        check(&model(), EXPECT);
        check(&format!("{{\"dashboard\": {}, \"overwrite\": true}}", model()), EXPECT);
        check(
            r#"{"templating": {}, "rows": [{"panels": [{"title": "a", "targets": [{"expr": "b"}]}]}]}"#,
            "dashboard ?\na: PromQl b",
        );
        check(r#"{"schemaVersion": 1, "panels": [{"libraryPanel": {"uid": "x"}}]}"#, "dashboard ? in part");
        for other in
            [r#"{"panels": []}"#, r#"{"panels": {}, "schemaVersion": 1}"#, r#"{"schemaVersion": 1}"#, "[1]"]
        {
            check(other, "");
        }
    }

    #[test]
    fn files_of_a_config_map() {
        let map = |file: &str| {
            let file = file.replace('\n', "\n    ");
            format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  gpu.json: |-\n    {file}\n")
        };
        check(&map(&model()), &format!("{EXPECT}\ndata gpu.json"));
        check(
            &map(r#"{"panels": [ {{ .Files.Get "x" }} ], "templating": 1"#),
            "dashboard ? in part\ndata gpu.json",
        );
        check(&map(r#"{"a": "panels"}"#), "data gpu.json");
    }

    #[test]
    fn objects() {
        let head =
            "apiVersion: grafana.integreatly.org/v1beta1\nkind: GrafanaDashboard\nmetadata: {name: a}\n";
        let json = model().replace('\n', "\n    ");
        check(&format!("{head}spec:\n  json: |\n    {json}\n"), EXPECT);
        check(&format!("{head}spec: {{url: https://example.com/a.json}}"), "dashboard ? in part");
        check(&format!("{head}spec: {{json: '{{{{ x }}}}'}}"), "dashboard ? in part");
        let head = "apiVersion: dashboard.grafana.app/v1beta1\nkind: Dashboard\nmetadata: {name: a}\n";
        check(&format!("{head}spec: {}", model()), EXPECT);
        check(
            "apiVersion: dashboard.grafana.app/v2beta1
kind: Dashboard
metadata: {name: a}
spec:
  title: GPU
  elements:
    panel-1: {kind: Panel, spec: {title: KV, data: {spec: {queries: [{spec: {query: {spec: {expr: a}}}}, {spec: {hidden: true, query: {expr: b}}}]}}}}
    panel-2: {kind: LibraryPanel, spec: {}}
",
            "dashboard \"GPU\" in part\nKV: PromQl a\nKV: PromQl b hidden",
        );
    }
}
