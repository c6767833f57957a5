//! Prometheus rules and relabelings, wherever they stand: in an object of an operator, in a file of a ConfigMap, in Helm
//! values.

use super::series::{NewName, OldName, Rename, RenameKind};
use super::{actuator, inner, items};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Entry, Node, Text};

/// The rules of a mapping with `groups`, as in a rule file.
pub(super) fn rules(holder: Node<'_>) -> Vec<Rename> {
    items(holder, "groups").flat_map(|group| items(group, "rules")).filter_map(rule).collect()
}

/// What a file of a ConfigMap defines: the rules of a rule file, the relabelings of a Prometheus configuration.
pub(super) fn rules_in(key: &str, text: &Text) -> Vec<Rename> {
    let named = [".yaml", ".yml", ".rules"].iter().any(|end| key.ends_with(end));
    let worth = |word: &str| text.value.contains(word);
    if !named || !(worth("groups:") && worth("rules:") || worth("metric_relabel_configs:")) {
        return vec![];
    }
    let mut found = Vec::new();
    for tree in inner::documents(text).into_iter().flatten() {
        found.extend(rules(tree.root()));
        for job in items(tree.root(), "scrape_configs") {
            found.extend(relabelings(job.get("metric_relabel_configs")));
        }
    }
    found
}

/// Where alerts say how an autoscaler is taken back: in an annotation that holds the command, or in a label or an
/// annotation `kill_switch`.
pub(super) fn instructions(holder: Node<'_>) -> Vec<Span> {
    let rules = items(holder, "groups").flat_map(|group| items(group, "rules"));
    let words = rules
        .filter(|rule| rule.get("alert").is_some())
        .flat_map(|rule| ["annotations", "labels"].into_iter().filter_map(move |key| rule.get(key)));
    let entries = words.flat_map(|words| words.own_entries());
    let tells = entries.filter(|entry| {
        let text = entry.value.raw_str().unwrap_or("");
        entry.key == "kill_switch" || actuator::changes_autoscalers(text)
    });
    tells.map(|entry| entry.key_node.span()).collect()
}

/// The same in a file of a ConfigMap.
pub(super) fn instructions_in(text: &Text) -> Vec<Span> {
    if !(text.value.contains("alert:") && text.value.contains("groups:")) {
        return vec![];
    }
    inner::documents(text).into_iter().flatten().flat_map(|tree| instructions(tree.root())).collect()
}

fn rule(node: Node<'_>) -> Option<Rename> {
    let (kind, name) = match (node.get("record"), node.get("alert")) {
        (Some(name), _) => (RenameKind::RecordingRule, name),
        (None, Some(name)) => (RenameKind::Alert, name),
        (None, None) => return None,
    };
    Some(Rename {
        kind,
        to: NewName::Exact(name.read()),
        from: OldName::Expression(node.text_at("expr")),
        span: name.span(),
        severity: node.field("labels.severity"),
    })
}

/// The relabelings of a list that write a metric name. Keys are taken in the operators' spelling and in Prometheus' own.
///
/// Source: prometheus/prometheus, docs/configuration/configuration.md, `relabel_config`.
pub(super) fn relabelings(list: Option<Node<'_>>) -> Vec<Rename> {
    list.into_iter().flat_map(|list| list.items()).filter_map(relabeling).collect()
}

fn relabeling(node: Node<'_>) -> Option<Rename> {
    let entry = |camel: &str, snake: &str| {
        node.entry(camel).or_else(|| node.entry(snake)).filter(|e| !e.value.is_null())
    };
    let target = entry("targetLabel", "target_label")?;
    let replaces = match node.field::<String>("action") {
        Known::Absent => true,
        action => action.value().is_some_and(|action| action.eq_ignore_ascii_case("replace")),
    };
    if target.value.raw_str() != Some("__name__") || !replaces {
        return None;
    }
    let sources = entry("sourceLabels", "source_labels");
    let regex = node.text_at("regex");
    let replacement = entry("replacement", "replacement");
    // Without a pattern or a replacement the name is written back as it was.
    if regex == Known::Absent && replacement.is_none() {
        return None;
    }
    let from = match sources {
        Some(sources) if only_the_name(sources) => OldName::Regex(regex.clone()),
        // The pattern runs over several labels joined together, or over none that holds the old name.
        Some(sources) => OldName::Regex(Known::Unresolved(sources.value.span())),
        None => OldName::Regex(Known::Absent),
    };
    let span = replacement.map_or_else(|| target.value.span(), |entry| entry.value.span());
    let plain = sources.is_some_and(only_the_name);
    Some(Rename {
        kind: RenameKind::Relabeling,
        to: new_name(replacement, &regex, plain, span),
        from,
        span,
        severity: Known::Absent,
    })
}

fn only_the_name(sources: Entry<'_>) -> bool {
    let mut items = sources.value.items();
    items.next().is_some_and(|first| first.raw_str() == Some("__name__")) && items.next().is_none()
}

/// A replacement with references to groups of the pattern is a substitution, as in prometheus-adapter, but the pattern
/// has to match the whole name. The default replacement is the first group.
fn new_name(replacement: Option<Entry<'_>>, regex: &Known<Text>, plain: bool, span: Span) -> NewName {
    let replacement = match replacement {
        Some(entry) => match entry.value.raw_str() {
            Some(text) if text.contains('$') && !text.contains("{{") => text,
            _ => return NewName::Exact(entry.value.read()),
        },
        None => "$1",
    };
    match regex.value().filter(|text| plain && !text.value.contains("{{")) {
        Some(pattern) => NewName::Adapter {
            matches: Some(format!("^(?:{})$", pattern.value)),
            replacement: Some(replacement.to_owned()),
        },
        None => NewName::Exact(Known::Unresolved(span)),
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    /// Relabelings of a ServiceMonitor's only endpoint.
    fn relabeling(relabeling: &str, expect: &str) {
        let text = format!(
            "{{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, spec: {{endpoints: [{{metricRelabelings: [{relabeling}]}}]}}}}"
        );
        check(&text, expect);
    }

    #[test]
    fn relabelings_that_write_a_name() {
        relabeling(
            "{sourceLabels: [__name__], regex: DCGM_FI_DEV_GPU_UTIL, targetLabel: __name__, replacement: load}",
            "Relabeling \"load\" from DCGM_FI_DEV_GPU_UTIL",
        );
        relabeling(
            "{sourceLabels: [__name__], regex: 'vllm:(.*)', targetLabel: __name__, replacement: 'vllm_${1}', action: Replace}",
            "Relabeling matches Some(\"^(?:vllm:(.*))$\") as Some(\"vllm_${1}\") from vllm:(.*)",
        );
        // The default replacement is the first group.
        relabeling(
            "{source_labels: [__name__], regex: 'x_(.*)', target_label: __name__}",
            "Relabeling matches Some(\"^(?:x_(.*))$\") as Some(\"$1\") from x_(.*)",
        );
        relabeling(
            "{sourceLabels: [__name__, pod], regex: 'a;b', targetLabel: __name__, replacement: c}",
            "Relabeling \"c\" from ?",
        );
        relabeling(
            "{sourceLabels: [__name__], regex: a, targetLabel: __name__, replacement: '{{ .Values.name }}'}",
            "Relabeling unresolved from a",
        );
        relabeling(
            "{sourceLabels: [__name__, pod], regex: 'a(.*);b', targetLabel: __name__, replacement: 'c$1'}",
            "Relabeling unresolved from ?",
        );
    }

    #[test]
    fn relabelings_that_write_none() {
        for other in [
            "{sourceLabels: [__name__], regex: DCGM_FI_DEV_GPU_UTIL, action: keep}",
            "{sourceLabels: [__name__], regex: x, targetLabel: __name__, action: drop}",
            "{sourceLabels: [__name__], regex: x, targetLabel: __name__, replacement: y, action: '{{ a }}'}",
            "{sourceLabels: [__name__], targetLabel: __name__}",
            "{sourceLabels: [pod], targetLabel: name, replacement: x}",
            "x",
        ] {
            relabeling(other, "");
        }
    }

    #[test]
    fn alerts_that_say_what_to_do() {
        for (words, expect) in [
            ("annotations: {runbook: 'set autoscaling.keda.sh/paused-replicas'}", "hands alerts over\n"),
            ("labels: {kill_switch: serving}", "hands alerts over\n"),
            ("annotations: {runbook: 'call somebody'}", ""),
        ] {
            let rules = format!("groups: [{{name: a, rules: [{{alert: A, expr: b, {words}}}]}}]");
            let object =
                format!("{{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, spec: {{{rules}}}}}");
            check(&object, &format!("Alert \"A\" from b\n{expect}"));
            check(&rules, &format!("Alert \"A\" from b\n{expect}"));
            let map = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yml: |\n    {rules}\n");
            check(&map, &format!("Alert \"A\" from b\n{expect}data a.yml"));
        }
    }

    #[test]
    fn files_of_a_config_map() {
        let map = |key: &str, file: &str| {
            let file = file.replace('\n', "\n    ");
            format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  {key}: |\n    {file}\n")
        };
        let rules = "groups:\n- name: a\n  rules:\n  - {record: load, expr: DCGM_FI_DEV_GPU_UTIL}\n  - {alert: High, expr: load > 1, labels: {severity: page}}";
        let expect = "RecordingRule \"load\" from DCGM_FI_DEV_GPU_UTIL\nAlert \"High\" from load > 1\ndata ";
        for key in ["gpu.rules", "rules.yaml", "rules.yml"] {
            check(&map(key, rules), &format!("{expect}{key}"));
        }
        check(&map("rules.txt", rules), "data rules.txt");
        check(&map("rules.yml", "groups: [{rules: [}]"), "data rules.yml");
        check(&map("rules.yml", "groups: {rules: []}"), "data rules.yml");
        check(
            &map(
                "prometheus.yml",
                "scrape_configs:\n- job_name: a\n  metric_relabel_configs:\n  - {source_labels: [__name__], regex: a, target_label: __name__, replacement: b}",
            ),
            "Relabeling \"b\" from a\ndata prometheus.yml",
        );
    }
}
