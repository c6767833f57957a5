//! Rules of prometheus-adapter, wherever they stand: in a file of a ConfigMap, in Helm values. They are known by their
//! shape, a list of mappings with `seriesQuery`.
//!
//! Source: kubernetes-sigs/prometheus-adapter, docs/config.md; prometheus-community/helm-charts,
//! charts/prometheus-adapter/values.yaml.

use super::inner;
use super::meta::Meta;
use super::series::{NewName, OldName, Rename, RenameKind};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text, parse_embedded};
use std::ops::Range;

/// The rules of a configuration: `rules` and `externalRules` as lists, or `rules` as a mapping of lists, as the chart
/// has it.
pub(super) fn config(node: Node<'_>) -> Vec<Rename> {
    let mut found = Vec::new();
    for key in ["rules", "externalRules"] {
        let Some(value) = node.get(key) else { continue };
        found.extend(value.items().filter_map(rule));
        for list in value.entries() {
            found.extend(list.value.items().filter_map(rule));
        }
    }
    found
}

/// The rules in a file of a ConfigMap. A file that is no valid YAML is read line by line, since the adapter's own
/// message about it is easily missed and the rules meant are still there to see.
pub(super) fn rules_in(text: &Text) -> Vec<Rename> {
    if !text.value.contains("seriesQuery:") {
        return vec![];
    }
    let documents = inner::documents(text).into_iter();
    documents
        .flat_map(|document| document.map_or_else(|text| by_lines(&text), |tree| config(tree.root())))
        .collect()
}

/// Queries in the annotations of an HPA, for kube-metrics-adapter:
/// `metric-config.<type>.<metric>.prometheus/query`.
///
/// Source: zalando-incubator/kube-metrics-adapter, README.md.
pub(super) fn annotations(meta: &Meta) -> Vec<Rename> {
    let found = meta.annotations.0.iter().filter_map(|pair| {
        let rest = pair.key.strip_prefix("metric-config.")?.strip_suffix(".prometheus/query")?;
        let (_, name) = rest.split_once('.')?;
        let text = pair.text.clone()?;
        let span = text.span();
        Some(Rename {
            kind: RenameKind::AdapterRule,
            to: NewName::Exact(Known::Set(name.to_owned(), pair.key_span)),
            from: OldName::Expression(Known::Set(text, span)),
            span: pair.key_span,
            severity: Known::Absent,
        })
    });
    found.collect()
}

fn rule(node: Node<'_>) -> Option<Rename> {
    let series = node.get("seriesQuery")?;
    let name = node.get("name");
    let part = |key: &str| name.and_then(|name| name.get(key)).map(Value::of);
    let rule = Found {
        series: node.text_at("seriesQuery"),
        query: node.text_at("metricsQuery"),
        matches: part("matches"),
        replacement: part("as"),
        span: series.span(),
    };
    Some(rule.into_rename())
}

/// The parts of one rule.
struct Found {
    series: Known<Text>,
    query: Known<Text>,
    matches: Option<Value>,
    replacement: Option<Value>,
    /// The bytes of `seriesQuery`.
    span: Span,
}

/// One half of `name`.
struct Value {
    /// The text; none for a template of Helm or the like. `${1}` is the adapter's own and no template.
    text: Option<String>,
    span: Span,
}

impl Value {
    fn of(node: Node<'_>) -> Value {
        let text = node.raw_str().filter(|text| !text.contains("{{"));
        Value { text: text.map(str::to_owned), span: node.span() }
    }
}

impl Found {
    fn into_rename(self) -> Rename {
        let span = self.replacement.as_ref().map_or(self.span, |value| value.span);
        let halves = [&self.matches, &self.replacement];
        let unknown = halves.into_iter().flatten().find(|value| value.text.is_none());
        let to = match unknown {
            Some(value) => NewName::Exact(Known::Unresolved(value.span)),
            None => NewName::Adapter {
                matches: self.matches.and_then(|value| value.text),
                replacement: self.replacement.and_then(|value| value.text),
            },
        };
        Rename {
            kind: RenameKind::AdapterRule,
            to,
            from: OldName::Adapter { series: self.series, query: self.query },
            span,
            severity: Known::Absent,
        }
    }
}

/// Reads rules from text that is no valid YAML: a line with `seriesQuery` starts a rule, and the keys below it up to
/// the next one are its own, whatever their indentation. Each value is read as YAML by itself.
fn by_lines(text: &Text) -> Vec<Rename> {
    let mut found: Vec<Found> = Vec::new();
    let lines = lines(&text.value);
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = key_and_value(&text.value, line) else { continue };
        let value = with_block(&text.value, value, line, lines.get(at + 1..).unwrap_or(&[]));
        if key == "seriesQuery" {
            let series = scalar(text, value);
            let span = series.span().unwrap_or_else(|| text.span());
            found.push(Found { series, query: Known::Absent, matches: None, replacement: None, span });
            continue;
        }
        let Some(rule) = found.last_mut() else { continue };
        match key {
            "metricsQuery" => rule.query = scalar(text, value),
            "matches" => rule.matches = half(text, value),
            "as" => rule.replacement = half(text, value),
            "name" => {
                let Ok(tree) = parse_embedded(&text.part(value)) else { continue };
                rule.matches = tree.root().get("matches").map(Value::of).or(rule.matches.take());
                rule.replacement = tree.root().get("as").map(Value::of).or(rule.replacement.take());
            }
            _ => {}
        }
    }
    found.into_iter().map(Found::into_rename).collect()
}

/// The ranges of the lines, without their line breaks.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let range = start..start + line.trim_end_matches(['\n', '\r']).len();
            start += line.len();
            range
        })
        .collect()
}

/// The key of a line such as `  - key: value` and the range of its value.
fn key_and_value<'t>(text: &'t str, line: &Range<usize>) -> Option<(&'t str, Range<usize>)> {
    let content = text.get(line.clone())?;
    let key = content.trim_start_matches([' ', '-']);
    let (key, value) = key.split_once(':')?;
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric());
    if !plain || !(value.is_empty() || value.starts_with(' ')) {
        return None;
    }
    Some((key, line.end - value.trim_start().len()..line.end))
}

/// The value with the lines of a block scalar that belong to it: those that are indented more than its key.
fn with_block(text: &str, value: Range<usize>, line: &Range<usize>, below: &[Range<usize>]) -> Range<usize> {
    let content = |range: &Range<usize>| text.get(range.clone()).unwrap_or("");
    if !content(&value).trim_start().starts_with(['|', '>']) {
        return value;
    }
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let own = indent(content(line));
    let inside = |line: &&Range<usize>| {
        let line = content(line);
        line.trim().is_empty() || line.len() - line.trim_start().len() > own
    };
    let end = below.iter().take_while(inside).last().map_or(value.end, |last| last.end);
    value.start..end
}

fn scalar(text: &Text, range: Range<usize>) -> Known<Text> {
    let part = text.part(range);
    let parsed = parse_embedded(&part).ok().and_then(|tree| tree.root().text());
    match parsed {
        Some(value) => {
            let span = value.span();
            Known::Set(value, span)
        }
        None => Known::Unresolved(part.span()),
    }
}

fn half(text: &Text, range: Range<usize>) -> Option<Value> {
    let part = text.part(range);
    Some(match parse_embedded(&part) {
        Ok(tree) => Value::of(tree.root()),
        Err(_) => Value { text: None, span: part.span() },
    })
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::{check, renamed_at};

    fn map(file: &str) -> String {
        let file = file.replace('\n', "\n    ");
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  config.yaml: |\n    {file}\n"
        )
    }

    #[test]
    fn rules_of_a_config_map() {
        let text = map("rules:
- seriesQuery: 'vllm:num_requests_waiting{pod!=\"\"}'
  name: {matches: '^vllm:(.*)$', as: 'vllm_${1}'}
  metricsQuery: sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)
- seriesQuery: DCGM_FI_DEV_GPU_UTIL
- {seriesQuery: up, name: {as: '{{ .Values.as }}'}}
externalRules:
- {seriesQuery: queue, name: {as: {{ name }}}, metricsQuery: max(queue)}
resourceRules: {cpu: {containerQuery: x}}");
        check(
            &text,
            "AdapterRule matches Some(\"^vllm:(.*)$\") as Some(\"vllm_${1}\") from vllm:num_requests_waiting{pod!=\"\"} via sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)
             AdapterRule matches None as None from DCGM_FI_DEV_GPU_UTIL via ?
             AdapterRule unresolved from up via ?
             AdapterRule unresolved from queue via max(queue)
             data config.yaml",
        );
        assert_eq!(renamed_at(&text)[..3], ["'vllm_${1}'", "DCGM_FI_DEV_GPU_UTIL", "'{{ .Values.as }}'"]);
        for none in
            ["rules: []", "rules: [{seriesFilters: [], as: x}]\n# seriesQuery:", "other: [{seriesQuery: a}]"]
        {
            check(&map(none), "data config.yaml");
        }
    }

    #[test]
    fn rules_of_a_broken_file() {
        let text = map("rules:
- seriesQuery: 'queue'   # waiting
  name:
    matches: \"que(.*)\"
    as: \"q$1\"
  metricsQuery: 'sum(queue{<<.LabelMatchers>>}) by (<<.GroupBy>>)'
  # A note with seriesQuery: inside.
  - seriesQuery: DCGM_FI_DEV_GPU_UTIL
    name: {as: \"load\"}
    metricsQuery: |-
      avg(DCGM_FI_DEV_GPU_UTIL)

      by (pod)
  - seriesQuery: up
    name:
      as: \"broken");
        check(
            &text,
            "AdapterRule matches Some(\"que(.*)\") as Some(\"q$1\") from queue via sum(queue{<<.LabelMatchers>>}) by (<<.GroupBy>>)
             AdapterRule matches None as Some(\"load\") from DCGM_FI_DEV_GPU_UTIL via avg(DCGM_FI_DEV_GPU_UTIL)

             by (pod)
             AdapterRule unresolved from up via ?
             data config.yaml",
        );
        assert_eq!(renamed_at(&text), ["\"q$1\"", "\"load\"", "\"broken"]);
        check(
            &map("a: [\nmetricsQuery: x\nseriesQuery:"),
            "AdapterRule matches None as None from  via ?\ndata config.yaml",
        );
    }

    #[test]
    fn queries_in_annotations() {
        let scaler = |annotation: &str, expect: &str| {
            let text = format!(
                "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {{annotations: {{{annotation}}}}}}}"
            );
            check(&text, &format!("scaler of unknown 1 by default..?\n{expect}"));
        };
        scaler(
            "metric-config.external.requests-waiting.prometheus/query: sum(queue)",
            "AdapterRule \"requests-waiting\" from sum(queue)",
        );
        scaler("metric-config.object.a.b.prometheus/query: '{{ q }}'", "AdapterRule \"a.b\" from {{ q }}");
        scaler("metric-config.pods.a.json-path/path: /metrics", "");
        scaler("metric-config.a.prometheus/query: x", "");
        scaler("metric-config.pods.a.prometheus/query: [x]", "");
    }
}
