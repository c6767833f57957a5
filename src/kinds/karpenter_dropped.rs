//! What the API drops from a NodePool without a word.
//!
//! Source: the CRDs of kubernetes-sigs/karpenter (pkg/apis/crds at v1.14.1 for v1, at v0.37.0 for v1beta1), whose unknown
//! fields the API server prunes.

use super::karpenter_words::near;
use super::pool::PoolApi;
use super::{Problem, Reading};
use crate::yaml::is_template;

const DISRUPTION: &str = "spec.disruption";

/// Fields that stand where the version has none: the API server drops them, and defaults apply.
pub(super) fn dropped(object: &Reading<'_>, api: PoolApi) -> Vec<Problem> {
    let levels: &[(&str, &[&str])] = match api {
        PoolApi::V1 => &[
            ("spec", &["template", "disruption", "limits", "weight", "replicas"]),
            ("spec.template", &["metadata", "spec"]),
            (
                "spec.template.spec",
                &[
                    "expireAfter",
                    "nodeClassRef",
                    "requirements",
                    "startupTaints",
                    "taints",
                    "terminationGracePeriod",
                ],
            ),
            (DISRUPTION, &["budgets", "consolidateAfter", "consolidationPolicy"]),
        ],
        PoolApi::V1Beta1 => &[
            ("spec", &["template", "disruption", "limits", "weight"]),
            ("spec.template", &["metadata", "spec"]),
            (
                "spec.template.spec",
                &["kubelet", "nodeClassRef", "requirements", "resources", "startupTaints", "taints"],
            ),
            (DISRUPTION, &["budgets", "consolidateAfter", "consolidationPolicy", "expireAfter"]),
        ],
        PoolApi::V1Alpha5 => &[],
    };
    let mut found = Vec::new();
    for (path, keys) in levels {
        let Some(node) = object.node.at(path).filter(|n| n.is_mapping() && !is_template(*n)) else {
            continue;
        };
        for entry in node.own_entries().filter(|e| e.key != "<<" && !keys.contains(&e.key)) {
            if crate::yaml::looks_templated(entry.key) || entry.key.starts_with("x-") {
                continue;
            }
            let (message, help) = misplaced(api, entry.key, path, keys);
            found.push(Problem {
                span: entry.key_node.span(),
                field: format!("{path}.{}", entry.key),
                message,
                help,
                replacement: None,
            });
        }
    }
    if api == PoolApi::V1Beta1 {
        for budget in object.node.at("spec.disruption.budgets").into_iter().flat_map(|b| b.items()) {
            let Some(entry) = budget.entry("reasons") else { continue };
            let message = "karpenter.sh/v1beta1 has no `reasons` in a budget: the API server drops them, and the budget holds for every reason".to_owned();
            let help = Some("move the pool to karpenter.sh/v1".to_owned());
            let field = "spec.disruption.budgets.reasons".to_owned();
            found.push(Problem { span: entry.key_node.span(), field, message, help, replacement: None });
        }
    }
    found
}

/// What a field in a wrong place leads to, and where it belongs.
fn misplaced(api: PoolApi, key: &str, path: &str, keys: &[&str]) -> (String, Option<String>) {
    let v1 = api == PoolApi::V1;
    let version = if v1 { "karpenter.sh/v1" } else { "karpenter.sh/v1beta1" };
    let policy = if v1 { "WhenEmptyOrUnderutilized" } else { "WhenUnderutilized" };
    let known: Option<(&str, String)> = match key {
        "disruption" => Some(("spec", format!("the policy is the default, {policy}"))),
        "consolidationPolicy" => Some((DISRUPTION, format!("the policy is the default, {policy}"))),
        "consolidateAfter" => Some((DISRUPTION, "the delay is the default".to_owned())),
        "budgets" => Some((DISRUPTION, "the budget is the default, 10 % of the nodes".to_owned())),
        "expireAfter" => {
            let home = if v1 { "spec.template.spec" } else { DISRUPTION };
            Some((home, "nodes expire after the default, 720h".to_owned()))
        }
        "terminationGracePeriod" if v1 => {
            Some(("spec.template.spec", "a drain has no time limit".to_owned()))
        }
        "taints" | "startupTaints" => {
            Some(("spec.template.spec", "the nodes carry none of these taints".to_owned()))
        }
        "requirements" | "nodeClassRef" => {
            Some(("spec.template.spec", "the pool is refused, since it is required".to_owned()))
        }
        "labels" => Some(("spec.template.metadata", "the nodes carry none of these labels".to_owned())),
        "annotations" => {
            Some(("spec.template.metadata", "the nodes carry none of these annotations".to_owned()))
        }
        "limits" => Some(("spec", "the pool is unlimited".to_owned())),
        "weight" => Some(("spec", "the weight is 0".to_owned())),
        "replicas" if v1 => Some(("spec", "the pool is not static".to_owned())),
        _ => None,
    };
    match known.filter(|(home, _)| *home != path) {
        Some((home, effect)) => (
            format!("{version} has no `{key}` under `{path}`: the API server drops it, and {effect}"),
            Some(format!("move it to `{home}.{key}`")),
        ),
        None => {
            let help = match near(key, keys) {
                Some(known) => Some(format!("did you mean `{known}`?")),
                None if key == "kubelet" && v1 => {
                    Some("move it to `spec.kubelet` of the EC2NodeClass, its place since v1".to_owned())
                }
                None => None,
            };
            (format!("{version} has no `{key}` under `{path}`: the API server drops it"), help)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::FileId;
    use std::sync::Arc;

    const HEAD: &str = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: gpu}\nspec:\n";

    /// Each case is the inside of `spec`, and a piece of the message of every field that is dropped from it.
    fn check(head: &str, cases: &[(&str, &[&str])]) {
        for (spec, expected) in cases {
            let text = format!("{head}  {spec}\n");
            let source: Arc<str> = text.as_str().into();
            let part = crate::yaml::split(&text).into_iter().next().expect("a document");
            let tree = Arc::new(crate::yaml::parse(FileId(0), &source, part.range).expect("valid YAML"));
            let objects = crate::kinds::classify(&tree, FileId(0), 0);
            let pool = objects.first().and_then(|o| o.model.pool.clone()).expect("a pool");
            let found: Vec<String> = pool.dropped.into_iter().map(|p| p.message).collect();
            let fits =
                found.len() == expected.len() && found.iter().zip(*expected).all(|(f, e)| f.contains(e));
            assert!(fits, "{spec}: expected {expected:?}, got {found:?}");
        }
    }

    #[test]
    fn dropped_fields() {
        check(
            HEAD,
            &[
                (
                    "template: {disruption: {consolidationPolicy: WhenEmpty}}",
                    &["no `disruption` under `spec.template`"],
                ),
                (
                    "template: {spec: {disruption: {}, kubelet: {}}}",
                    &["WhenEmptyOrUnderutilized", "`kubelet`"],
                ),
                ("disruption: {consolidateAfter: 1h, expireAfter: 720h}", &["after the default, 720h"]),
                (
                    "{taints: [], consolidationPolicy: WhenEmpty}",
                    &["carry none", "the policy is the default"],
                ),
                ("disruption: {consolidateafter: 1h}", &["`consolidateafter`"]),
                ("{limits: {cpu: 1}, weight: 1, replicas: 1, x-common: 1}", &[]),
            ],
        );
        let head = HEAD.replace("karpenter.sh/v1", "karpenter.sh/v1beta1");
        check(
            &head,
            &[
                ("{disruption: {expireAfter: 1h}, template: {spec: {kubelet: {}}}}", &[]),
                (
                    "template: {spec: {expireAfter: 1h, terminationGracePeriod: 1h}}",
                    &["720h", "terminationGracePeriod"],
                ),
                ("disruption: {budgets: [{nodes: '1', reasons: [Empty]}]}", &["no `reasons`"]),
            ],
        );
    }
}
