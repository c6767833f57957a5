//! Rule, scrape and routing objects of the Prometheus operator, of Google's managed Prometheus and of VictoriaMetrics.

use super::series::Rename;
use super::{Model, Reading, items, rulefile};
use crate::yaml::Node;

/// Rules of `monitoring.coreos.com`.
pub(super) const OPERATOR_RULES: &[&str] = &["PrometheusRule"];
/// Scrape objects of `monitoring.coreos.com`.
pub(super) const OPERATOR_SCRAPES: &[&str] = &["ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig"];
/// Rules of `monitoring.googleapis.com`.
pub(super) const GOOGLE_RULES: &[&str] = &["Rules", "ClusterRules", "GlobalRules"];
/// Scrape objects of `monitoring.googleapis.com`.
pub(super) const GOOGLE_SCRAPES: &[&str] =
    &["PodMonitoring", "ClusterPodMonitoring", "ClusterNodeMonitoring"];
/// Rules of `operator.victoriametrics.com`.
pub(super) const VICTORIA_RULES: &[&str] = &["VMRule"];
/// Scrape objects of `operator.victoriametrics.com`.
pub(super) const VICTORIA_SCRAPES: &[&str] =
    &["VMServiceScrape", "VMPodScrape", "VMProbe", "VMStaticScrape", "VMScrapeConfig"];

/// An object with `spec.groups`.
pub(super) fn rules(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    Model { renames: rulefile::rules(spec), receivers: rulefile::instructions(spec), ..Model::default() }
}

/// An object that scrapes: its relabelings stand at each endpoint, or at the top where there are none.
pub(super) fn scrape(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let mut renames = relabelings(spec);
    for list in ["endpoints", "podMetricsEndpoints", "targetEndpoints"] {
        renames.extend(items(spec, list).flat_map(relabelings));
    }
    Model { renames, ..Model::default() }
}

/// An object that routes alerts: what matters is whether a receiver hands them to a program.
pub(super) fn alertmanager(object: &Reading<'_>) -> Model {
    let receivers = items(object.spec(), "receivers");
    let hands_over = |receiver: Node<'_>| {
        let lists = ["webhookConfigs", "webhook_configs", "snsConfigs", "sns_configs"];
        let entry = lists.iter().find_map(|key| receiver.entry(key))?;
        entry.value.items().next().map(|_| entry.key_node.span())
    };
    Model { receivers: receivers.filter_map(hands_over).collect(), ..Model::default() }
}

fn relabelings(endpoint: Node<'_>) -> Vec<Rename> {
    let keys = ["metricRelabelings", "metricRelabeling", "metricRelabelConfigs"];
    keys.iter().flat_map(|key| rulefile::relabelings(endpoint.get(key))).collect()
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::{check, renamed_at};

    #[test]
    fn rules_of_every_operator() {
        for head in [
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule",
            "apiVersion: monitoring.googleapis.com/v1\nkind: Rules",
            "apiVersion: monitoring.googleapis.com/v1\nkind: ClusterRules",
            "apiVersion: monitoring.googleapis.com/v1\nkind: GlobalRules",
            "apiVersion: operator.victoriametrics.com/v1beta1\nkind: VMRule",
        ] {
            let text = format!(
                "{head}
metadata: {{name: a}}
spec:
  groups:
  - name: gpu
    rules:
    - record: gpu_load
      expr: |
        avg(DCGM_FI_DEV_GPU_UTIL)
    - alert: Slow
      expr: ttft > {{{{ $value }}}}
    - record: '{{{{ .Values.name }}}}'
      expr: up
    - expr: up
  - name: empty
  - rules: none
"
            );
            check(
                &text,
                "RecordingRule \"gpu_load\" from avg(DCGM_FI_DEV_GPU_UTIL)
                 Alert \"Slow\" from ttft > {{ $value }}
                 RecordingRule unresolved from up",
            );
            assert_eq!(renamed_at(&text), ["gpu_load", "Slow", "'{{ .Values.name }}'"]);
        }
        check("{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule}", "");
        check(
            "{apiVersion: example.com/v1, kind: PrometheusRule, spec: {groups: [{rules: [{record: a, expr: b}]}]}}",
            "",
        );
    }

    #[test]
    fn scrapes_of_every_operator() {
        let relabeling = "[{sourceLabels: [__name__], regex: a, targetLabel: __name__, replacement: b}]";
        for (api, kind, spec) in [
            ("monitoring.coreos.com/v1", "ServiceMonitor", "{endpoints: [{metricRelabelings: LIST}]}"),
            ("monitoring.coreos.com/v1", "PodMonitor", "{podMetricsEndpoints: [{metricRelabelings: LIST}]}"),
            ("monitoring.coreos.com/v1alpha1", "ScrapeConfig", "{metricRelabelings: LIST}"),
            ("monitoring.googleapis.com/v1", "PodMonitoring", "{endpoints: [{metricRelabeling: LIST}]}"),
            (
                "monitoring.googleapis.com/v1",
                "ClusterPodMonitoring",
                "{endpoints: [{metricRelabeling: LIST}]}",
            ),
            (
                "operator.victoriametrics.com/v1beta1",
                "VMPodScrape",
                "{podMetricsEndpoints: [{metricRelabelConfigs: LIST}]}",
            ),
        ] {
            let spec = spec.replace("LIST", relabeling);
            let text = format!("{{apiVersion: {api}, kind: {kind}, spec: {spec}}}");
            check(&text, "Relabeling \"b\" from a");
            assert_eq!(renamed_at(&text), ["b"]);
        }
        check(
            "{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, spec: {podMetricsEndpoints: [{port: a}]}}",
            "",
        );
        check(
            "{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, spec: {endpoints: '{{ x }}'}}",
            "",
        );
    }

    #[test]
    fn receivers() {
        let head =
            "apiVersion: monitoring.coreos.com/v1alpha1\nkind: AlertmanagerConfig\nmetadata: {name: a}\n";
        check(
            &format!("{head}spec: {{receivers: [{{name: a, webhookConfigs: [{{url: x}}]}}, {{name: b}}]}}"),
            "hands alerts over",
        );
        check(&format!("{head}spec: {{receivers: [{{name: a, webhookConfigs: []}}]}}"), "");
        check(&format!("{head}spec: {{receivers: [{{name: a, slackConfigs: [{{channel: x}}]}}]}}"), "");
        check(
            "apiVersion: v1
kind: ConfigMap
data:
  alertmanager.yml: |
    receivers:
    - name: a
      webhook_configs: [{url: x}]
",
            "hands alerts over\ndata alertmanager.yml",
        );
    }
}
