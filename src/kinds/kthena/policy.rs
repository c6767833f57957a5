//! AutoscalingPolicy and AutoscalingPolicyBinding. A policy names its targets itself, or a binding does that for it;
//! the metrics stand in the policy, the queries behind them at the target.

use super::GROUP;
use crate::kinds::parts::{items, target_ref};
use crate::kinds::quantity::{Quantity, go_duration};
use crate::kinds::scaler::{
    Behavior, Controller, Direction, Scaler, Signal, SignalKind, Target, TargetRef, TargetType,
};
use crate::kinds::{Model, Reading};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Entry, Node};

/// A policy or a binding: one autoscaler for each target, or for each role of a disaggregated target.
pub(crate) fn policy(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let mut scalers = Vec::new();
    // Each of the two had another name at first.
    for key in ["homogeneousTarget", "scalingConfiguration"] {
        scalers.extend(spec.entry(key).map(|entry| whole(spec, entry.value, entry.key_node.span())));
    }
    for key in ["heterogeneousTarget", "optimizerConfiguration"] {
        let params = spec.get(key).map(|target| items(target, "params")).unwrap_or_default();
        scalers.extend(params.into_iter().map(|param| whole(spec, param, param.first_key_span())));
    }
    if let Some(target) = spec.get("disaggregatedTarget") {
        scalers.extend(roles(spec, target));
    }
    if scalers.is_empty() && object.kind == "AutoscalingPolicy" {
        let signals = signals(spec, spec, None);
        scalers.push(scaler(Target::Policy, signals, spec, spec, object.name_span()));
    }
    Model { scalers, ..Model::default() }
}

/// The autoscaler that a policy inside another object is.
pub(super) fn embedded(policy: Entry<'_>, target: Target, bounds: Node<'_>) -> Scaler {
    let signals = signals(policy.value, policy.value, None);
    scaler(target, signals, policy.value, bounds, policy.key_node.span())
}

/// A target that is scaled as a whole, or one role of it: `target` beside `minReplicas` and `maxReplicas`.
fn whole(spec: Node<'_>, bounds: Node<'_>, at: Span) -> Scaler {
    let Some(target) = bounds.get("target") else {
        return scaler(Target::Unknown(at), signals(spec, spec, None), spec, bounds, at);
    };
    let reference = match target.get("targetRef") {
        Some(reference) => {
            let mut reference = serving(reference);
            reference.role = reference.role.or(|| target.field("subTargets.name"));
            Target::Reference(reference)
        }
        None => Target::Unknown(at),
    };
    scaler(reference, signals(spec, spec, target.get("metricSources")), spec, bounds, at)
}

/// A target whose roles are scaled each by its own metrics, or by those of the policy.
fn roles(spec: Node<'_>, target: Node<'_>) -> Vec<Scaler> {
    let reference = target.get("targetRef").map(serving);
    let roles = target.get("roles").map(|roles| roles.entries()).unwrap_or_default();
    roles
        .into_iter()
        .map(|role| {
            let span = role.key_node.span();
            let target = reference.clone().map_or(Target::Unknown(span), |reference| {
                let named = Known::Set(role.key.to_owned(), span);
                Target::Reference(TargetRef { role: named, ..reference })
            });
            let metrics = if role.value.get("metrics").is_some() { role.value } else { spec };
            let signals = signals(spec, metrics, role.value.get("metricSources"));
            scaler(target, signals, spec, role.value, span)
        })
        .collect()
}

/// A reference to a ModelServing, which is the default kind, or `serving/role` of the kind `ModelServing/Role`.
fn serving(node: Node<'_>) -> TargetRef {
    let mut reference = target_ref(node);
    reference.group.get_or_insert_with(|| GROUP.to_owned());
    let kind = "ModelServing".to_owned();
    if reference.kind.value().is_some_and(|k| k.eq_ignore_ascii_case("ModelServing/Role")) {
        let role = |name: String| name.split_once('/').map(|(_, role)| role.to_owned());
        let owner = |name: String| name.split_once('/').map(|(owner, _)| owner.to_owned());
        reference.role = reference.name.clone().try_map("a name and a role parted by a slash", role);
        reference.name = reference.name.try_map("a name and a role parted by a slash", owner);
        reference.kind = reference.kind.map(|_| kind);
    } else {
        reference.kind = reference.kind.or_default(kind, reference.span);
    }
    reference
}

/// The metrics of `metrics`, with the query of `sources` where there is one of the same name. A binding has queries
/// only: its metrics are those of the policy that it names.
fn signals(spec: Node<'_>, metrics: Node<'_>, sources: Option<Node<'_>>) -> Vec<Signal> {
    let mut signals: Vec<Signal> = items(metrics, "metrics")
        .into_iter()
        .map(|metric| {
            // `metricName` is what the field was called at first.
            let key = if metric.get("name").is_some() { "name" } else { "metricName" };
            let name = metric.field::<String>(key);
            let source = sources.zip(name.value()).and_then(|(sources, name)| sources.get(name));
            let target = metric.field::<Quantity>("targetValue").map(|q| q.0);
            let own = signal(metric, metric.text_at(key), name.value().cloned(), target);
            source.map_or(own.clone(), |source| from_source(source, own))
        })
        .collect();
    if spec.get("metrics").is_none() && signals.is_empty() {
        for entry in sources.map(|sources| sources.entries()).unwrap_or_default() {
            let text = entry.key_node.text().map_or(Known::Absent, |t| Known::Set(t, entry.key_node.span()));
            let own = signal(entry.value, text, Some(entry.key.to_owned()), Known::Absent);
            signals.push(from_source(entry.value, own));
        }
    }
    signals
}

/// A metric that kthena reads from the pods under the metric's own name.
fn signal(
    node: Node<'_>,
    text: Known<crate::yaml::Text>,
    name: Option<String>,
    target: Known<f64>,
) -> Signal {
    Signal {
        kind: SignalKind::PodsMetric,
        key: "metrics".to_owned(),
        span: text.span().unwrap_or_else(|| node.first_key_span()),
        text,
        target,
        // A target is what one replica shall have.
        target_type: TargetType::AverageValue,
        name,
        node: node.id(),
        null_is_zero: Known::Absent,
        type_span: None,
        selector: vec![],
    }
}

/// The same metric, read as a source says: by a query, or from the pods under another name.
fn from_source(source: Node<'_>, signal: Signal) -> Signal {
    let query = source.text_at("prometheus.query");
    let (kind, text) = match query {
        Known::Absent => (SignalKind::PodsMetric, source.text_at("pod.name").or(|| signal.text.clone())),
        query => (SignalKind::PromQl, query),
    };
    let span = text.span().unwrap_or(signal.span);
    Signal { kind, text, span, key: "metricSources".to_owned(), ..signal }
}

fn scaler(target: Target, signals: Vec<Signal>, spec: Node<'_>, bounds: Node<'_>, span: Span) -> Scaler {
    Scaler {
        target,
        signals,
        default_signal: None,
        min: bounds.field("minReplicas"),
        max: bounds.field("maxReplicas"),
        idle: Known::Absent,
        formula: None,
        behavior: behavior(spec),
        span,
        node: bounds.id(),
        controller: Controller::Operator,
        policy_ref: spec.field("policyRef.name"),
        fallback: None,
        takes_over: Known::Absent,
    }
}

fn behavior(spec: Node<'_>) -> Option<Behavior> {
    let entry = spec.entry("behavior")?;
    let direction = |path: &str| entry.value.at(path).map(direction).unwrap_or_default();
    Some(Behavior {
        up: direction("scaleUp.stablePolicy"),
        down: direction("scaleDown"),
        span: Some(entry.key_node.span()),
    })
}

/// Kthena limits a step by instances, by percent, or by the larger (`Or`) or smaller (`And`) of both.
fn direction(node: Node<'_>) -> Direction {
    let seconds = |key: &str| {
        let text = node.field::<String>(key);
        text.try_map("a duration such as 5m", |text| go_duration(&text).map(|s| s.round() as i64))
    };
    let at = node.first_key_span();
    let period = seconds("period").or_default(15, at);
    let policy = |kind: &str, key: &str, default: i64| {
        let kind = Known::Default(kind.to_owned(), at);
        (kind, node.field::<i64>(key).or_default(default, at), period.clone())
    };
    let select = node.field::<String>("selectPolicy").map(|word| match word.as_str() {
        "And" => "Min".to_owned(),
        _ => "Max".to_owned(),
    });
    Direction {
        window: seconds("stabilizationWindow"),
        select,
        policies: vec![policy("Pods", "instances", 1), policy("Percent", "percent", 100)],
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    fn policy(spec: &str, expect: &str) {
        let head = "apiVersion: workload.serving.volcano.sh/v1alpha1\nkind: AutoscalingPolicy\nmetadata: {name: p}\n";
        check(&format!("{head}spec:\n{spec}"), expect);
    }

    fn binding(spec: &str, expect: &str) {
        let head = "apiVersion: workload.serving.volcano.sh/v1alpha1\nkind: AutoscalingPolicyBinding\nmetadata: {name: b}\n";
        check(&format!("{head}spec:\n{spec}"), expect);
    }

    #[test]
    fn policies() {
        policy(
            "  metrics: [{metricName: 'kthena:num_requests_waiting', targetValue: 10.0}, {name: x, targetValue: '{{ .x }}'}]\n",
            "scaler of whoever names it ?..?; PodsMetric \"kthena:num_requests_waiting\" 10.0 AverageValue; PodsMetric \"x\" unresolved AverageValue",
        );
        policy(
            "  metrics: [{name: a, targetValue: 500m}, {name: b, targetValue: 2}]
  homogeneousTarget:
    minReplicas: 1
    maxReplicas: 6
    target:
      targetRef: {kind: ModelServing, name: m}
      metricSources: {a: {prometheus: {query: sum(x)}}, b: {pod: {name: 'vllm:num_requests_waiting'}}}
",
            "scaler of ModelServing/m 1..6; PromQl \"sum(x)\" 0.5 AverageValue; PodsMetric \"vllm:num_requests_waiting\" 2.0 AverageValue",
        );
        policy(
            "  metrics: [{name: shared, targetValue: 1}]
  disaggregatedTarget:
    targetRef: {name: m}
    roles:
      prefill: {minReplicas: 1, maxReplicas: 8, metrics: [{name: own, targetValue: 2}], metricSources: {own: {prometheus: {query: q}}}}
      decode: {minReplicas: '{{ .min }}', maxReplicas: 16}
",
            "scaler of ModelServing/m role prefill 1..8; PromQl \"q\" 2.0 AverageValue
             scaler of ModelServing/m role decode unresolved..16; PodsMetric \"shared\" 1.0 AverageValue",
        );
        policy("  metrics: none\n", "scaler of whoever names it ?..?");
        policy("  homogeneousTarget: {maxReplicas: 2}\n", "scaler of unknown ?..2");
    }

    #[test]
    fn bindings() {
        binding(
            "  policyRef: {name: p}
  homogeneousTarget:
    minReplicas: 2
    maxReplicas: 8
    target: {targetRef: {kind: ModelServing, name: m}, subTargets: {kind: Role, name: decode}}
",
            "scaler of ModelServing/m role decode 2..8; policy \"p\"",
        );
        binding(
            "  policyRef: {name: p}
  heterogeneousTarget:
    params:
    - {minReplicas: 0, maxReplicas: 4, target: {targetRef: {name: big}, metricSources: {rps: {prometheus: {query: sum(y)}}}}}
    - {minReplicas: 1, maxReplicas: 9, target: {targetRef: {kind: ModelServing/Role, name: m/prefill}}}
",
            "scaler of ModelServing/big 0..4; PromQl \"sum(y)\" ? AverageValue; policy \"p\"
             scaler of ModelServing/m role prefill 1..9; policy \"p\"",
        );
        binding(
            "  policyRef: {name: '{{ .p }}'}\n  scalingConfiguration: {target: {targetRef: {kind: ModelServing/Role, name: m}}}\n",
            "scaler of ModelServing/invalid ?..?; policy unresolved",
        );
        binding("  policyRef: {name: p}\n", "");
    }

    #[test]
    fn behavior_in_the_words_of_an_hpa() {
        let text = "apiVersion: workload.serving.volcano.sh/v1alpha1
kind: AutoscalingPolicy
spec:
  behavior:
    scaleDown: {stabilizationWindow: 5m, period: 1m, percent: 10, selectPolicy: And}
    scaleUp: {stablePolicy: {stabilizationWindow: soon}}
";
        let tree = crate::yaml::parse(crate::source::FileId(0), &text.into(), 0..text.len()).unwrap();
        let behavior = super::behavior(tree.root().get("spec").unwrap()).unwrap();
        let value = |known: &crate::known::Known<i64>| known.value().copied();
        let down = &behavior.down;
        assert_eq!((value(&down.window), down.select.value().map(String::as_str)), (Some(300), Some("Min")));
        let policies: Vec<_> = down.policies.iter().map(|(_, n, period)| (value(n), value(period))).collect();
        assert_eq!(policies, [(Some(1), Some(60)), (Some(10), Some(60))]);
        assert_eq!(value(&behavior.up.window), None);
        assert!(behavior.up.window.is_unresolved());
    }
}
