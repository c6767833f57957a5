//! Metric names in texts that are not PromQL: filters, SQL, queries of other systems, templates.

use super::catalogue::find;
use super::entry::{Entry, Place};
use super::lexer::end_of_text;
use super::reader::AGGREGATIONS;
use super::template::end_of_template;
use std::ops::Range;

/// Every name of the catalogue that stands in a text as a whole token, with its bytes.
///
/// For Cloud Monitoring filters (`metric.type="…"`), CloudWatch and New Relic expressions, Datadog queries
/// (`avg:dcgm.gpu_utilization{…}`), and what else a scaler takes. Quoted texts are searched too.
pub fn series_in_filter(text: &str) -> Vec<(&'static Entry, Range<usize>)> {
    let mut found = Vec::new();
    for token in runs(text, is_token_char) {
        let token = trim(text, token);
        if let Some(entry) = series_at(text, &token) {
            found.push((entry, token));
            continue;
        }
        let aggregated = after_aggregator(text, &token);
        if let Some(entry) = series_at(text, &aggregated) {
            found.push((entry, aggregated));
            continue;
        }
        // Arithmetic without spaces, used/total, is several names; a name with a hyphen in it is not.
        let base = token.start;
        let written = text.get(token).unwrap_or("");
        let pieces = runs(written, |c| !matches!(c, '/' | '-')).into_iter();
        let pieces: Vec<_> = pieces.map(|piece| base + piece.start..base + piece.end).collect();
        let is_number =
            |piece: &Range<usize>| text.get(piece.clone()).is_some_and(|p| p.parse::<f64>().is_ok());
        let known: Vec<_> =
            pieces.iter().filter_map(|piece| Some((series_at(text, piece)?, piece.clone()))).collect();
        if known.len() + pieces.iter().filter(|piece| is_number(piece)).count() == pieces.len() {
            found.extend(known);
        }
    }
    found
}

/// Every token of a text that could be the name of a series, with its bytes: for a text that does not parse as PromQL.
///
/// Keywords, functions, labels, quoted texts and words that a template completes are left out; a quoted `__name__` is a
/// name. Words of another language than PromQL are in the result, so it is to be compared with names that are known.
pub fn names(text: &str) -> Vec<(String, Range<usize>)> {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(c) = char_at(text, at) {
        if let Some(end) = end_of_template(text, at) {
            // A word that a template begins is not known.
            at = end + text.get(end..).map_or(0, |rest| leading(rest, is_word_char));
        } else if matches!(c, '"' | '\'' | '`') {
            at = end_of_text(text, at).unwrap_or(at + 1);
        } else if c == '{' {
            at = braces(text, at, &mut names).unwrap_or(at + 1);
        } else if c.is_ascii_alphabetic() || matches!(c, '_' | ':') {
            at = word(text, at, &mut names);
        } else if c.is_ascii_digit() {
            at += text.get(at..).map_or(1, |rest| leading(rest, is_word_char).max(1));
        } else {
            at += c.len_utf8();
        }
    }
    names
}

/// Reads a word outside of braces, and gives where to go on.
fn word(text: &str, at: usize, names: &mut Vec<(String, Range<usize>)>) -> usize {
    const KEYWORDS: [&str; 9] =
        ["and", "or", "unless", "bool", "offset", "inf", "nan", "group_left", "group_right"];
    const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    let end = at + text.get(at..).map_or(1, |rest| leading(rest, is_word_char).max(1));
    if end_of_template(text, end).is_some() {
        return end;
    }
    let range = after_aggregator(text, &trim(text, at..end));
    let written = text.get(range.clone()).unwrap_or("");
    let lower = written.to_ascii_lowercase();
    let next = end + text.get(end..).map_or(0, |rest| leading(rest, char::is_whitespace));
    if char_at(text, next) == Some('(') {
        // The operator in `sum by (pod) (…)` is no series, unlike one that is called sum.
        let before = names.last().filter(|(_, range)| {
            let between = text.get(range.end..at);
            between.is_some_and(|between| !between.is_empty() && between.trim().is_empty())
        });
        let is_operator = |name: &str| AGGREGATIONS.contains(&name.to_ascii_lowercase().as_str());
        if matches!(lower.as_str(), "by" | "without") && before.is_some_and(|(name, _)| is_operator(name)) {
            names.pop();
        }
        let list =
            text.get(next..).and_then(|rest| rest.find(')')).filter(|_| LISTS.contains(&lower.as_str()));
        return list.map_or(next + 1, |close| next + close + 1);
    }
    if !written.is_empty() && !KEYWORDS.contains(&lower.as_str()) && !LISTS.contains(&lower.as_str()) {
        names.push((written.to_owned(), range));
    }
    end
}

/// Reads braces, in which only the value of `__name__` is a name. None where they do not close.
fn braces(text: &str, open: usize, names: &mut Vec<(String, Range<usize>)>) -> Option<usize> {
    let mut at = open + 1;
    let mut label = "";
    loop {
        let c = char_at(text, at)?;
        if let Some(end) = end_of_template(text, at) {
            at = end;
        } else if matches!(c, '"' | '\'' | '`') {
            let end = end_of_text(text, at)?;
            let inner = at + 1..end - 1;
            let value = text.get(inner.clone()).unwrap_or("");
            if label == "__name__" && !value.is_empty() && value.chars().all(is_word_char) {
                names.push((value.to_owned(), inner));
            }
            at = end;
        } else if c == '}' {
            return Some(at + 1);
        } else if is_word_char(c) {
            let end = at + text.get(at..).map_or(1, |rest| leading(rest, is_word_char));
            label = text.get(at..end).unwrap_or("");
            at = end;
        } else {
            at += c.len_utf8();
        }
    }
}

/// The series of the catalogue that a token names, with regard to the labels in the braces behind it.
fn series_at(text: &str, token: &Range<usize>) -> Option<&'static Entry> {
    let name = text.get(token.clone()).filter(|name| !name.is_empty())?;
    let behind = text.get(token.end..).filter(|rest| rest.starts_with('{'));
    let labels = behind.and_then(|rest| rest.get(..rest.find('}')? + 1)).unwrap_or("");
    let found = find(&format!("{name}{labels}")).or_else(|| find(name))?;
    (found.entry.place == Place::Series).then_some(found.entry)
}

/// A token of a Datadog query without the aggregator before it: `avg:name`.
fn after_aggregator(text: &str, token: &Range<usize>) -> Range<usize> {
    const AGGREGATORS: [&str; 11] =
        ["avg", "sum", "min", "max", "count", "p50", "p75", "p90", "p95", "p98", "p99"];
    let written = text.get(token.clone()).unwrap_or("");
    match written.split_once(':') {
        Some((aggregator, name)) if AGGREGATORS.contains(&aggregator) && !name.is_empty() => {
            token.end - name.len()..token.end
        }
        _ => token.clone(),
    }
}

/// A token without the punctuation at its ends.
fn trim(text: &str, token: Range<usize>) -> Range<usize> {
    let marks = ['.', ':', '-', '/', '|'];
    let written = text.get(token.clone()).unwrap_or("");
    let start = token.end - written.trim_start_matches(marks).len();
    start..start + written.trim_matches(marks).len()
}

/// The longest runs of characters for which `holds`.
fn runs(text: &str, holds: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| holds(*c)) {
        let end = at + c.len_utf8();
        match runs.last_mut() {
            Some(run) if run.end == at => run.end = end,
            _ => runs.push(at..end),
        }
    }
    runs
}

/// The length of the run at the start of a text for which `holds`.
fn leading(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c| !holds(c)).unwrap_or(text.len())
}

fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '/' | '|' | '-')
}

fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn filters() {
        for (text, expected) in [
            (
                "resource.type=\"k8s_container\" AND metric.type=\"kubernetes.io/container/accelerator/duty_cycle\"",
                "kubernetes.io/container/accelerator/duty_cycle",
            ),
            (
                "metric.type=\"prometheus.googleapis.com/DCGM_FI_DEV_GPU_UTIL/gauge\"",
                "prometheus.googleapis.com/DCGM_FI_DEV_GPU_UTIL/gauge",
            ),
            ("avg:dcgm.gpu_utilization{kube_namespace:prod}.rollup(avg, 60)", "dcgm.gpu_utilization"),
            ("sum:vllm.num_requests.waiting{*} by {pod_name}", "vllm.num_requests.waiting"),
            (
                "SELECT AVG(pod_gpu_utilization) FROM SCHEMA(\"ContainerInsights\", PodName)",
                "pod_gpu_utilization",
            ),
            ("SELECT max(`vllm:num_requests_waiting`) FROM Metric", "vllm:num_requests_waiting"),
            ("DCGM_FI_DEV_FB_USED/DCGM_FI_DEV_FB_TOTAL", "DCGM_FI_DEV_FB_USED DCGM_FI_DEV_FB_TOTAL"),
            ("100-DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_GPU_UTIL"),
            ("nv_trt_llm_request_metrics{request_type=\"waiting\"}", "nv_trt_llm_request_metrics"),
            ("nv_trt_llm_request_metrics{request_type=\"other\"}", ""),
            ("{{ if .x }}sum(vllm:num_requests_running){{ end }}", "vllm:num_requests_running"),
            ("my-DCGM_FI_DEV_GPU_UTIL", ""),
            ("my_DCGM_FI_DEV_GPU_UTIL", ""),
            ("cluster:DCGM_FI_DEV_GPU_UTIL:avg", ""),
            ("kubernetes.memory.usage{*}", ""),
            ("memory cpu batch training", ""),
            ("gpu_memory_utilization", ""),
            ("dcgm.gpu_utilization.", "dcgm.gpu_utilization"),
            ("", ""),
        ] {
            let found: Vec<&str> =
                series_in_filter(text).iter().map(|(_, range)| text.get(range.clone()).unwrap()).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn tolerant_names() {
        for (text, expected) in [
            ("sum(a) by (pod) / c{d=\"e\"}", "a c"),
            ("sum without (x, y) (a_total) or on() b offset 5m", "a_total b"),
            ("nosuch(a[5m])", "a"),
            ("{__name__=\"a\", b=\"c\"} + {d=\"e\"}", "a"),
            ("{{ .Values.agg }}(vllm:num_requests_waiting)", "vllm:num_requests_waiting"),
            ("{{ .prefix }}_waiting + a_{{ .suffix }} + b", "b"),
            ("avg:dcgm.gpu_utilization{kube_namespace:prod}", "dcgm.gpu_utilization"),
            ("a{b=\"{{ default \"x\" .y }}\"} ; c", "a c"),
            ("\"quoted\" a 'b", "a b"),
            ("a{b", "a b"),
            ("<<.Series>>{<<.LabelMatchers>>} * a", "a"),
            ("$var + ${other} + a", "a"),
            ("5m 1e3 a1", "a1"),
            ("é a é", "a"),
            ("", ""),
        ] {
            let found = names(text);
            for (name, range) in &found {
                assert_eq!(text.get(range.clone()).unwrap(), name, "{text}");
            }
            let found: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_fit(text in prop_oneof![
            "\\PC{0,40}",
            "[a-c_:. (){}\"'$<>é/|-]{0,40}",
            "(avg:|\\{\\{|\\}\\}|__name__=|[a-z]+|\"|\\{|\\}|up|DCGM_FI_DEV_GPU_UTIL|[-/.é]){0,10}",
        ]) {
            for (name, range) in names(&text) {
                prop_assert_eq!(text.get(range), Some(name.as_str()));
            }
            for (entry, range) in series_in_filter(&text) {
                let written = text.get(range);
                prop_assert_eq!(written.and_then(super::super::classify), Some(entry));
            }
            let _ = (super::super::classify(&text), super::super::name_suggests(&text));
        }
    }
}
