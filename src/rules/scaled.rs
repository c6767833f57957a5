//! What the rules on autoscalers of engines share: whom an autoscaler serves, and how numbers and places are shown.

use super::Context;
use crate::engine::Family;
use crate::facts::drives::Driver;
use crate::facts::query::QueryFact;
use crate::facts::renames::{Measure, Measured};
use crate::facts::units::Unit;
use crate::kinds::scaler::{Controller, Target};
use crate::metrics::Class;
use crate::source::Span;
use crate::yaml::Node;
use std::ops::Range;

/// Exporters that are the engine itself, with the engine of each.
const ENGINES: &[(&str, Family)] = &[
    ("vLLM", Family::Vllm),
    ("vLLM V0", Family::Vllm),
    ("SGLang", Family::Sglang),
    ("SGLang prefill role", Family::Sglang),
    ("SGLang decode role", Family::Sglang),
    ("TensorRT-LLM", Family::TensorRtLlm),
    ("Triton TRT-LLM backend", Family::TensorRtLlm),
    ("TGI", Family::Tgi),
    ("LMDeploy", Family::LmDeploy),
    ("xLLM", Family::Xllm),
];

/// The engine that exports a series, where the name is one that only this engine has.
pub(super) fn exporter(measure: &Measure) -> Option<Family> {
    let source = measure.entry?.source;
    ENGINES.iter().find(|(name, _)| *name == source).map(|(_, family)| *family)
}

/// The target for messages.
pub(super) fn goal(context: &Context<'_>, driver: &Driver<'_>) -> String {
    let mut titles: Vec<String> = context.facts.targets_of(driver).map(Unit::title).collect();
    // Copies of one workload in several files have one name.
    titles.dedup();
    titles.truncate(2);
    if titles.is_empty() { "its target".to_owned() } else { titles.join(" and ") }
}

/// The autoscaler with its target as the start of a message: `ScaledObject/a scales Deployment/b`. One that is part of its
/// target is not named twice.
pub(super) fn scales(context: &Context<'_>, driver: &Driver<'_>) -> String {
    match driver.scaler.target {
        Target::Own(_) => format!("{} scales", goal(context, driver)),
        _ => format!("{} scales {}", driver.title(), goal(context, driver)),
    }
}

/// True where the target runs an engine on GPUs. A target that the inputs do not hold is known by signals that only
/// engines export.
pub(super) fn serves(context: &Context<'_>, driver: &Driver<'_>) -> bool {
    let mut targets = context.facts.targets_of(driver).peekable();
    if targets.peek().is_some() {
        return targets.any(is_engine_on_gpus);
    }
    driver.signals.iter().flat_map(|(_, measured)| &measured.measures).any(|m| exporter(m).is_some())
}

/// True for a workload that serves a language model on GPUs.
pub(super) fn is_engine_on_gpus(unit: &Unit<'_>) -> bool {
    let known = unit.engine.as_ref().is_some_and(|engine| engine.family.serves_llm());
    unit.uses_gpus() && (known || unit.workload.declared.engine.is_some())
}

/// True where the HPA controller does the arithmetic on each signal by itself: no formula takes its place.
pub(super) fn has_hpa_arithmetic(driver: &Driver<'_>) -> bool {
    let hpa = matches!(driver.scaler.controller, Controller::Hpa | Controller::Keda | Controller::Kserve);
    hpa && driver.scaler.formula.is_none()
}

/// True for signals of the load of an engine. Signals of the GPU are refused as such by other rules.
pub(super) fn is_load(class: Class) -> bool {
    matches!(
        class,
        Class::QueueDepth
            | Class::KvCache
            | Class::RunningRequests
            | Class::Ttft
            | Class::InterTokenLatency
            | Class::Throughput
    )
}

/// True where a signal measures nothing but the load of an engine, as far as it is known.
pub(super) fn measures_load(measured: &Measured) -> bool {
    !measured.measures.is_empty() && measured.measures.iter().all(|m| is_load(m.class))
}

/// A number of replicas for messages: `1 replica`, `3 replicas`.
pub(super) fn replicas(count: impl Into<u64>) -> String {
    let count = count.into();
    if count == 1 { "1 replica".to_owned() } else { format!("{count} replicas") }
}

/// A number for messages: at most three decimals, without trailing zeros.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number of seconds for messages: `45 s`, `7 min`, `1 h`.
pub(super) fn seconds(value: f64) -> String {
    let whole = |unit: f64| value >= 2.0 * unit && (value / unit).fract() == 0.0;
    match value {
        v if whole(3600.0) => format!("{} h", number(v / 3600.0)),
        v if whole(60.0) => format!("{} min", number(v / 60.0)),
        v => format!("{} s", number(v)),
    }
}

/// The bytes of a part of a query; of the signal, where the query stands at the adapter.
pub(super) fn place(query: &QueryFact, signal: Span, part: Option<Range<usize>>) -> Span {
    match part {
        Some(range) if query.own => query.text.slice(range),
        _ => signal,
    }
}

/// Where a word of a query stands that is followed by a parenthesis or by a grouping: the outermost of them, since
/// operators stand before what they take.
pub(super) fn operator(query: &str, word: &str) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let mut quote: Option<char> = None;
    let mut start: Option<usize> = None;
    let ends = query.char_indices().chain(std::iter::once((query.len(), ' ')));
    for (at, c) in ends {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, c) if is_word(c) => {
                start.get_or_insert(at);
                continue;
            }
            _ => {}
        }
        let Some(from) = start.take() else { continue };
        let rest = query.get(at..).unwrap_or("").trim_start().to_ascii_lowercase();
        let opens = rest.starts_with('(') || rest.starts_with("by") || rest.starts_with("without");
        if opens && query.get(from..at).is_some_and(|found| found.eq_ignore_ascii_case(word)) {
            return Some(from..at);
        }
    }
    None
}

/// The node of an object that stands at these bytes.
pub(super) fn node_at(node: Node<'_>, span: Span) -> Option<Node<'_>> {
    if node.span() == span && !node.is_mapping() && !node.is_sequence() {
        return Some(node);
    }
    let holds = |inner: &Node<'_>| inner.span().contains(span);
    let below = node.own_entries().map(|entry| entry.value).chain(node.items());
    below.filter(holds).find_map(|inner| node_at(inner, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, expect) in [(0.8, "0.8"), (2.0, "2"), (6.6429, "6.643"), (100.0, "100"), (0.0, "0")] {
            assert_eq!(number(value), expect);
        }
        for (value, expect) in
            [(45.0, "45 s"), (420.0, "7 min"), (90.0, "90 s"), (7200.0, "2 h"), (0.5, "0.5 s")]
        {
            assert_eq!(seconds(value), expect);
        }
    }

    #[test]
    fn operators_are_found_outside_of_names_and_texts() {
        for (query, word, expect) in [
            ("avg(avg_over_time(x[5m]))", "avg", Some(0..3)),
            ("100 * avg by (a) (x)", "avg", Some(6..9)),
            ("sum(x{a=\"avg(\"})", "avg", None),
            ("max_over_time(MAX (x)[5m:])", "max", Some(14..17)),
            ("avg", "avg", None),
        ] {
            assert_eq!(operator(query, word), expect, "{query}");
        }
    }
}
