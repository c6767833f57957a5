//! `monitoring-metric-stale`: a dashboard, alert or recording rule asks for a metric that its exporter no longer has.

use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::engine::{Family, Runtime};
use crate::facts::monitoring::{Chart, Place};
use crate::facts::renames::Measure;
use crate::kinds::pool::PoolApi;
use crate::known::Known;
use crate::metrics::Entry;
use crate::source::Span;

/// What the inputs tell of the exporter.
enum Exporter {
    /// Its version no longer has the metric.
    Newer(String, Option<Span>),
    /// It is there in a version that is not stated.
    Unknown,
}

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let charts = &context.facts.monitoring.charts;
    let mut stale: Vec<(&'a Chart<'a>, &'a Measure, &'static Entry)> = Vec::new();
    for chart in charts.iter().filter(|chart| !is_scaled_on(context, chart)) {
        for measure in chart.measured.measures.iter().filter(|measure| measure.steps.is_empty()) {
            let gone = measure.entry.filter(|entry| entry.removed.is_some() && entry.checked);
            if let Some(entry) = gone.filter(|entry| !has_successor(charts, chart, entry)) {
                stale.push((chart, measure, entry));
            }
        }
    }
    let mut found = Vec::new();
    // A name that one object asks for many times is one thing to change.
    while let Some((chart, measure, entry)) = stale.first().copied() {
        let same = |other: &(&Chart<'_>, &Measure, &Entry)| {
            std::ptr::eq(other.0.object, chart.object) && other.2.name == entry.name
        };
        let all: Vec<_> = stale.iter().filter(|other| same(other)).copied().collect();
        stale.retain(|other| !same(other));
        if let Some(exporter) = exporter(context, entry) {
            let spans: Vec<Span> = all.iter().map(|(_, measure, _)| measure.span).collect();
            found.push(finding(context, chart, measure, entry, &exporter, &spans));
        }
    }
    found
}

fn finding<'a>(
    context: &Context<'a>,
    chart: &'a Chart<'a>,
    measure: &Measure,
    entry: &'static Entry,
    exporter: &Exporter,
    spans: &[Span],
) -> Finding<'a> {
    let since = match entry.removed {
        Some(version) if version != "unknown" => format!("since {}", version_of(entry, version)),
        _ => "in current releases".to_owned(),
    };
    let outcome = match chart.place {
        Place::Panel(..) => "stays empty",
        Place::Alert(..) => "never fires",
        Place::Record(_) => "records nothing",
    };
    let because = match exporter {
        Exporter::Newer(seen, _) => format!("and {seen}, so {} {outcome}", chart.title()),
        Exporter::Unknown => format!("and {} {outcome} there", chart.title()),
    };
    let message = format!("`{}` is gone {since}, {because}", measure.name);
    let mut finding = Finding::new(
        chart.object,
        format!("monitoring.stale.{}", entry.name),
        measure.span,
        "no such series any more",
        message,
    );
    if let Some(names) = entry.replaced_by {
        let names: Vec<String> = names.split(", ").map(|name| format!("`{name}`")).collect();
        finding = finding.help(format!("ask for {}", names.join(" or ")));
    }
    match exporter {
        Exporter::Newer(_, Some(span)) => finding = finding.label(*span, "this version no longer has it"),
        Exporter::Newer(_, None) => {}
        Exporter::Unknown => finding = finding.lower(Severity::Info).at_most(Severity::Warning),
    }
    for span in spans.iter().skip(1).take(3) {
        finding = finding.label(*span, "asked for here too");
    }
    finding.fix("Ask for the new name", Applicability::Unsafe, edits(context, entry, spans))
}

/// True for a recording rule that an autoscaler follows: what is wrong with that one is reported at the autoscaler.
fn is_scaled_on(context: &Context<'_>, chart: &Chart<'_>) -> bool {
    let Place::Record(name) = chart.place else { return false };
    let signals = context.facts.drivers.iter().flat_map(|driver| &driver.signals);
    let mut steps = signals.flat_map(|(_, measured)| &measured.measures).flat_map(|measure| &measure.steps);
    steps.any(|step| step.name == name)
}

/// "vLLM 0.12"; some rows name the program with its version.
fn version_of(entry: &Entry, version: &str) -> String {
    let program = entry.source.split([' ', ',']).next().unwrap_or(entry.source);
    if version.starts_with(program) { version.to_owned() } else { format!("{program} {version}") }
}

/// True where the new name is asked for beside the old one: in the same query, in the same panel, or in an alert of the
/// same name. Then the old one is there for old versions.
fn has_successor(charts: &[Chart<'_>], chart: &Chart<'_>, entry: &Entry) -> bool {
    let beside = |other: &Chart<'_>| {
        std::ptr::eq(other.object, chart.object)
            && match (other.place, chart.place) {
                (Place::Panel(a, b, _), Place::Panel(c, d, _)) => (a, b) == (c, d),
                (Place::Alert(a, at), Place::Alert(b, here)) => at == here || a.is_some() && a == b,
                _ => false,
            }
    };
    let succeeds = |measure: &Measure| {
        measure.entry.is_some_and(|new| {
            let named = entry.replaced_by.is_some_and(|names| names.split(", ").any(|name| name == new.name));
            named || new.removed.is_none() && new.class == entry.class && new.source != entry.source
        })
    };
    charts.iter().filter(|other| beside(other)).flat_map(|c| &c.measured.measures).any(succeeds)
}

/// What the inputs tell of the exporter of a metric; none where it is not in the inputs, or where some of it still has
/// the metric.
fn exporter(context: &Context<'_>, entry: &Entry) -> Option<Exporter> {
    if entry.source.starts_with("vLLM") {
        return vllm(context, entry.removed?);
    }
    if entry.source == "Karpenter" {
        return karpenter(context, entry.removed?);
    }
    let is_dynamo = entry.source.starts_with("Dynamo");
    let runs = context.facts.units.iter().filter_map(|unit| unit.engine.as_ref());
    let mut dynamo = runs.filter(|engine| engine.runtime == Some(Runtime::Dynamo));
    (is_dynamo && dynamo.next().is_some()).then_some(Exporter::Unknown)
}

fn vllm(context: &Context<'_>, removed: &str) -> Option<Exporter> {
    let gone = numbers(removed)?;
    let mut seen = None;
    for unit in &context.facts.units {
        let Some(engine) = unit.engine.as_ref().filter(|engine| engine.family == Family::Vllm) else {
            continue;
        };
        match &engine.version {
            Known::Set(version, span) => {
                let Some(parts) = numbers(version) else { continue };
                if parts < gone {
                    return None;
                }
                seen = Some(Exporter::Newer(format!("{} runs {version}", unit.title()), Some(*span)));
            }
            _ => seen = seen.or(Some(Exporter::Unknown)),
        }
    }
    seen
}

/// Pools of an API tell the oldest Karpenter that serves it: v1 came with 1.0, v1beta1 with 0.32.
fn karpenter(context: &Context<'_>, removed: &str) -> Option<Exporter> {
    let gone = numbers(removed)?;
    let pools = context.facts.pools.iter();
    let oldest = pools.map(|pool| (pool.pool.api, pool.object)).min_by_key(|(api, _)| first_release(*api))?;
    let (api, object) = oldest;
    let runs = first_release(api) >= gone;
    let what = format!("{} {} needs Karpenter {}", object.kind, object.name().unwrap_or("?"), release(api));
    runs.then_some(Exporter::Newer(what, Some(object.at)))
}

fn first_release(api: PoolApi) -> Vec<u32> {
    numbers(release(api)).unwrap_or_default()
}

fn release(api: PoolApi) -> &'static str {
    match api {
        PoolApi::V1 => "1.0",
        PoolApi::V1Beta1 => "0.32",
        PoolApi::V1Alpha5 => "0.5",
    }
}

/// The leading numbers of a version: `v0.11.0rc1` is 0, 11, 0.
fn numbers(version: &str) -> Option<Vec<u32>> {
    let version = version.trim_start_matches('v');
    let parts = version.split('.').map_while(|part| {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        part.get(..digits)?.parse().ok()
    });
    let parts: Vec<u32> = parts.collect();
    (!parts.is_empty()).then_some(parts)
}

/// The new name in every place, where there is one new name.
fn edits(context: &Context<'_>, entry: &Entry, spans: &[Span]) -> Vec<Edit> {
    let Some(new) = entry.replaced_by.filter(|names| !names.contains(',')) else { return vec![] };
    let edit = |span: &Span| {
        let written = context.facts.inventory.files.slice(*span);
        let suffix = written.strip_prefix(entry.name)?;
        let part = matches!(suffix, "" | "_bucket" | "_sum" | "_count");
        part.then(|| Edit { span: *span, replacement: format!("{new}{suffix}") })
    };
    // Half of the places would leave the other half empty.
    let edits: Option<Vec<Edit>> = spans.iter().map(edit).collect();
    edits.unwrap_or_default()
}
