//! Where pods may stand: tolerations, node affinity, and what pulls them together or apart.

use super::meta::Pairs;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// One toleration.
#[derive(Debug, Clone)]
pub struct Toleration {
    /// `key`; absent tolerates every key with `Exists`.
    pub key: Known<String>,
    /// `operator`, `Equal` by default.
    pub operator: Known<String>,
    /// `value`.
    pub value: Known<String>,
    /// `effect`; absent matches every effect.
    pub effect: Known<String>,
}

/// One expression of a required node affinity.
#[derive(Debug, Clone)]
pub struct NodeExpression {
    /// The label key.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`.
    pub operator: Known<String>,
    /// The values.
    pub values: Vec<Known<String>>,
    /// The bytes of the key's value.
    pub span: Span,
}

/// A rule of the pod spec that pulls pods together or apart.
#[derive(Debug, Clone)]
pub struct Spreading {
    /// `podAffinity`, `podAntiAffinity` or `topologySpreadConstraints`.
    pub kind: &'static str,
    /// True where the scheduler must keep it.
    pub required: bool,
    /// The topology key.
    pub key: Known<String>,
    /// The labels that mark the pods it looks at; none where it chooses them in another way.
    pub selects: Option<Vec<(String, String)>>,
    /// The bytes of the term.
    pub span: Span,
}

/// Reads a list of tolerations.
pub(super) fn tolerations(node: Option<Node<'_>>) -> Vec<Toleration> {
    node.into_iter()
        .flat_map(|list| list.items())
        .map(|t| Toleration {
            key: t.field("key"),
            operator: t.field("operator"),
            value: t.field("value"),
            effect: t.field("effect"),
        })
        .collect()
}

/// The terms of the required node affinity. A list that is a template is one term of which nothing is known.
pub(super) fn node_affinity(spec: Node<'_>) -> Vec<Vec<NodeExpression>> {
    let required = spec.at("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    let terms = required.and_then(|r| r.get("nodeSelectorTerms"));
    let expressions = |term: Node<'_>| {
        let list = term.get("matchExpressions").into_iter().flat_map(|l| l.items());
        list.filter_map(|e| {
            let key = e.get("key")?;
            Some(NodeExpression {
                key: key.raw_str()?.to_owned(),
                operator: e.field("operator"),
                values: e.get("values").into_iter().flat_map(|v| v.items()).map(|v| v.read()).collect(),
                span: key.span(),
            })
        })
        .collect()
    };
    terms.into_iter().flat_map(|t| t.items()).map(expressions).collect()
}

/// The terms that pull pods together or apart, and the spread constraints.
pub(super) fn spreading(spec: Node<'_>) -> Vec<Spreading> {
    let mut found = Vec::new();
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(affinity) = spec.at("affinity").and_then(|a| a.get(kind)) else { continue };
        for (list, required) in [
            ("requiredDuringSchedulingIgnoredDuringExecution", true),
            ("preferredDuringSchedulingIgnoredDuringExecution", false),
        ] {
            for term in affinity.get(list).into_iter().flat_map(|l| l.items()) {
                let inner = term.get("podAffinityTerm").unwrap_or(term);
                found.push(Spreading {
                    kind,
                    required,
                    key: inner.field("topologyKey"),
                    selects: selected(inner),
                    span: term.first_key_span(),
                });
            }
        }
    }
    for term in spec.get("topologySpreadConstraints").into_iter().flat_map(|l| l.items()) {
        let required = term.field::<String>("whenUnsatisfiable").value().is_none_or(|w| w == "DoNotSchedule");
        found.push(Spreading {
            kind: "topologySpreadConstraints",
            required,
            key: term.field("topologyKey"),
            selects: selected(term),
            span: term.first_key_span(),
        });
    }
    found
}

/// The labels of a selector that is made of nothing else.
fn selected(term: Node<'_>) -> Option<Vec<(String, String)>> {
    let selector = term.get("labelSelector")?;
    if selector.get("matchExpressions").is_some() || selector.get("matchLabels").is_none() {
        return None;
    }
    let labels = Pairs::of(selector.get("matchLabels"));
    labels.0.iter().map(|pair| Some((pair.key.clone(), pair.value.value()?.clone()))).collect()
}
