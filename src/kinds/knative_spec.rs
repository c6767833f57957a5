//! Knative's autoscaling annotations, which KServe passes on.
//!
//! Source: knative/serving, pkg/apis/autoscaling/register.go; knative.dev, docs on autoscaling.

use super::meta::Meta;
use super::scaler::{Signal, SignalKind, TargetType};
use super::words::implied;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{NodeId, Text, looks_templated};

const PREFIX: &str = "autoscaling.knative.dev/";

/// The number of an annotation, under any of the spellings that it has had.
pub(super) fn number(meta: &Meta, names: &[&str]) -> Known<u32> {
    let known = names.iter().map(|name| value(meta, name));
    let first = known.fold(Known::Absent, |known: Known<String>, next| known.or(|| next));
    first.try_map("a whole number", |text| text.parse().ok())
}

fn value(meta: &Meta, name: &str) -> Known<String> {
    meta.annotations.get(&format!("{PREFIX}{name}"))
}

/// What drives the autoscaler: the metric that the annotations name, else the default of their class.
pub(super) fn signal(meta: &Meta, at: Span, node: NodeId) -> Signal {
    let class = value(meta, "class");
    // The class that Knative has by default counts requests; the others take metrics by name.
    let counts = class.value().is_none_or(|class| class.starts_with("kpa.")) && !class.is_unresolved();
    let written = meta.annotations.pair(&format!("{PREFIX}metric")).and_then(|pair| pair.text.clone());
    let text = match written {
        Some(text) if looks_templated(&text.value) => Known::Unresolved(text.span()),
        Some(text) => {
            let span = text.span();
            Known::Set(text, span)
        }
        None if class.is_unresolved() => Known::Absent,
        None => implied(if counts { "concurrency" } else { "cpu" }, at),
    };
    let word = text.value().map_or("", |text: &Text| text.value.as_str());
    let (kind, target_type, default) = match word {
        "rps" => (SignalKind::PlatformRequests, TargetType::AverageValue, Some(200.0)),
        "concurrency" => (SignalKind::PlatformRequests, TargetType::AverageValue, Some(100.0)),
        "cpu" => (SignalKind::Resource, TargetType::Utilization, None),
        "memory" => (SignalKind::Resource, TargetType::AverageValue, None),
        _ if counts => (SignalKind::PlatformRequests, TargetType::AverageValue, None),
        _ => (SignalKind::PodsMetric, TargetType::AverageValue, None),
    };
    let target = value(meta, "target").try_map("a number", |text| text.parse().ok());
    let target = match default {
        Some(default) => target.or_default(default, at),
        None => target,
    };
    Signal { target, target_type, ..Signal::of(kind, "metric", text, at, node) }
}
