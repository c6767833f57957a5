//! Queries that are kept as objects and served to autoscalers under a name.

use super::series::{NewName, OldName, Rename, RenameKind};
use super::{Model, Reading, items};
use crate::known::Known;

/// DatadogMetric. Autoscalers name it `datadogmetric@<namespace>:<name>`; a namespace that is not written is given as
/// `*`, since the object takes that of the deployment.
///
/// Source: DataDog/datadog-operator, api/datadoghq/v1alpha1/datadogmetric_types.go.
pub(super) fn datadog_metric(object: &Reading<'_>) -> Model {
    let name = match &object.meta.namespace {
        Known::Unresolved(span) | Known::Invalid(_, span) => Known::Unresolved(*span),
        namespace => {
            let namespace = namespace.value().map_or("*", String::as_str);
            object.meta.name.clone().map(|name| format!("datadogmetric@{namespace}:{name}"))
        }
    };
    let rename = Rename {
        kind: RenameKind::StoredQuery,
        to: NewName::Exact(name),
        from: OldName::Expression(object.spec().text_at("query")),
        span: object.name_span(),
        severity: Known::Absent,
    };
    Model { renames: vec![rename], ..Model::default() }
}

/// ExternalMetric of the CloudWatch adapter: one definition for each query.
///
/// Source: awslabs/k8s-cloudwatch-adapter, docs/schema.md.
pub(super) fn external_metric(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let name = spec.field("name").or(|| object.meta.name.clone());
    let renames = items(spec, "queries").map(|query| Rename {
        kind: RenameKind::StoredQuery,
        to: NewName::Exact(name.clone()),
        from: OldName::Expression(
            query.text_at("metricStat.metric.metricName").or(|| query.text_at("expression")),
        ),
        span: name.span().unwrap_or(object.at),
        severity: Known::Absent,
    });
    Model { renames: renames.collect(), ..Model::default() }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn datadog_metrics() {
        check(
            "apiVersion: datadoghq.com/v1alpha1
kind: DatadogMetric
metadata: {name: gpu, namespace: serving}
spec: {query: 'avg:dcgm.gpu_utilization{*}'}
",
            "StoredQuery \"datadogmetric@serving:gpu\" from avg:dcgm.gpu_utilization{*}",
        );
        check(
            "{apiVersion: datadoghq.com/v1alpha1, kind: DatadogMetric, metadata: {name: gpu}}",
            "StoredQuery \"datadogmetric@*:gpu\" from ?",
        );
        check(
            "{apiVersion: datadoghq.com/v1alpha1, kind: DatadogMetric, metadata: {name: a, namespace: '{{ ns }}'}, spec: {query: [a]}}",
            "StoredQuery unresolved from ?",
        );
    }

    #[test]
    fn external_metrics_of_aws() {
        check(
            "apiVersion: metrics.aws/v1alpha1
kind: ExternalMetric
metadata: {name: a}
spec:
  name: gpu
  queries:
  - {id: one, metricStat: {metric: {namespace: ContainerInsights, metricName: node_gpu_utilization}}}
  - {id: two, expression: one * 2}
",
            "StoredQuery \"gpu\" from node_gpu_utilization\nStoredQuery \"gpu\" from one * 2",
        );
        check(
            "{apiVersion: metrics.aws/v1alpha1, kind: ExternalMetric, metadata: {name: a}, spec: {queries: [{id: one}]}}",
            "StoredQuery \"a\" from ?",
        );
        check(
            "{apiVersion: metrics.aws/v1alpha1, kind: ExternalMetric, metadata: {name: a}, spec: {name: '${name}', queries: [{expression: x}]}}",
            "StoredQuery unresolved from x",
        );
        check(
            "{apiVersion: metrics.aws/v1alpha1, kind: ExternalMetric, metadata: {name: a}, spec: {queries: x}}",
            "",
        );
    }
}
