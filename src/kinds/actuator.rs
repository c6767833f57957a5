//! What can put an autoscaler back: receivers that hand alerts to a program, and programs that change autoscalers.

use crate::source::Span;
use crate::yaml::Text;

/// The annotation by which a repository names its kill switch where gpulint cannot see it.
pub const KILL_SWITCH: &str = "gpulint.dev/kill-switch";

/// The receivers in Alertmanager's own configuration, kept in a ConfigMap.
pub(super) fn receivers_in(text: &Text) -> Option<Span> {
    let word = "webhook_configs:";
    let at = text.value.find(word).filter(|_| text.value.contains("receivers:"))?;
    Some(text.slice(at..at + word.len()))
}

/// True where a script changes autoscalers: it sets KEDA's pause annotations, or has kubectl change an HPA or a
/// ScaledObject.
pub fn changes_autoscalers(script: &str) -> bool {
    // The stem of all of them (kedacore/keda, apis/keda/v1alpha1/scaledobject_types.go).
    if script.contains("autoscaling.keda.sh/paused") {
        return true;
    }
    let says = |words: &[&str]| words.iter().any(|word| script.contains(word));
    says(&["kubectl", "horizontalpodautoscalers", "scaledobjects"])
        && says(&["patch", "annotate", "apply", "rollout undo", "PATCH"])
        && says(&[
            "hpa",
            "horizontalpodautoscaler",
            "scaledobject",
            "HorizontalPodAutoscaler",
            "ScaledObject",
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts() {
        for (script, expect) in [
            ("kubectl annotate scaledobject llama autoscaling.keda.sh/paused-replicas=8", true),
            ("kubectl patch hpa llama -p '{\"spec\":{\"minReplicas\":8}}'", true),
            ("curl -X PATCH $API/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers/b", true),
            ("kubectl get hpa", false),
            ("kubectl patch deployment llama", false),
            ("vllm serve alphapatch", false),
        ] {
            assert_eq!(changes_autoscalers(script), expect, "{script}");
        }
    }
}
