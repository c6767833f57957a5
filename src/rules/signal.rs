//! What the two rules on refused signals share: where such a signal drives scaling, and how it is shown.

use super::{Context, Finding};
use crate::diagnostic::{Edit, Severity};
use crate::engine::{Family, Role};
use crate::facts::drives::Driver;
use crate::facts::renames::{Alias, Measure};
use crate::kinds::scaler::{Signal, SignalKind};
use crate::kinds::series::RenameKind;
use crate::metrics::{self, Class};
use crate::yaml::edit;

/// A signal that the plan refuses.
pub(super) struct Culprit {
    /// What it measures.
    pub(super) class: Class,
    /// The field of its findings.
    pub(super) field: &'static str,
    /// What to say at its name.
    pub(super) label: &'static str,
}

/// Every signal of a class that drives an autoscaler.
pub(super) fn driven<'a>(
    context: &Context<'a>,
    class: Class,
) -> impl Iterator<Item = (&'a Driver<'a>, &'a Signal, &'a Measure)> + use<'a> {
    context.facts.drivers.iter().flat_map(move |driver| {
        driver.signals.iter().filter_map(move |(signal, measured)| {
            // One finding a signal: a query that names the metric twice is wrong once.
            let measure = measured.of(class).min_by_key(|m| m.span)?;
            Some((driver, *signal, measure))
        })
    })
}

/// Every rule of prometheus-adapter that offers a class of metric to autoscalers, with the metric's own name. The rule
/// has no other use than to feed an autoscaler, which may live in another repository.
pub(super) fn adapter_rules<'a>(
    context: &Context<'a>,
    class: Class,
) -> impl Iterator<Item = (&'a Alias<'a>, String)> + use<'a> {
    let facts = context.facts;
    facts.aliases.all().filter(|alias| alias.kind == RenameKind::AdapterRule).filter_map(move |alias| {
        let mut measured = Default::default();
        for (name, span, known) in &alias.sources {
            facts.aliases.follow(facts.inventory, alias.object, name, *span, *known, &mut measured);
        }
        let measure = measured.of(class).find(|m| m.is_checked())?;
        Some((alias, measure.name.clone()))
    })
}

impl Culprit {
    /// The finding about a signal, with each step of its renaming as a label in its own file.
    pub(super) fn finding<'a>(
        &self,
        driver: &'a Driver<'a>,
        signal: &Signal,
        measure: &Measure,
        message: String,
    ) -> Finding<'a> {
        let field = match &signal.text {
            text if text.value().is_some() => format!("{}.{}", self.field, measure.name),
            _ => self.field.to_owned(),
        };
        let label = match measure.by_name {
            true => format!("{}, as its name says; nothing here defines `{}`", self.short(), measure.name),
            false => self.label.to_owned(),
        };
        let mut finding = Finding::new(driver.object, field, measure.span, label, message);
        for step in &measure.steps {
            finding = finding.label(
                step.span,
                format!("{} `{}` is made from `{}`", made_by(step.kind), step.name, step.from),
            );
        }
        if !measure.is_checked() {
            finding = finding.at_most(Severity::Warning);
        }
        finding
    }

    /// What the class is, in two words.
    fn short(&self) -> &'static str {
        self.label.split(':').next().unwrap_or(self.label)
    }

    /// The finding about an adapter rule.
    pub(super) fn adapter<'a>(&self, alias: &'a Alias<'a>, message: String) -> Finding<'a> {
        let field = format!("{}.{}", self.field, metrics::normalise(&alias.name));
        Finding::new(alias.object, field, alias.asked, self.label, message)
            .label(alias.span, format!("offered as `{}`", alias.name))
            .at_most(Severity::Warning)
    }

    /// The signal of the engine that fits the role of the target, in place of the refused one. Only where the whole text
    /// of the signal is that name or query; the target has to be chosen.
    pub(super) fn edits(&self, context: &Context<'_>, driver: &Driver<'_>, signal: &Signal) -> Vec<Edit> {
        let unit = context.facts.targets_of(driver).find(|u| u.engine.is_some());
        let family = unit.and_then(|u| u.engine.as_ref()).map_or(Family::Vllm, |e| e.family);
        let role = unit.and_then(|u| u.role.value().copied());
        let Some(series) = load_series(family, role == Some(Role::Decode) || self.class == Class::GpuMemory)
        else {
            return vec![];
        };
        let node = driver.object.tree.node(signal.node);
        let scalar = match signal.kind {
            SignalKind::PodsMetric | SignalKind::ObjectMetric | SignalKind::ExternalMetric => {
                node.at("metric.name").or_else(|| node.get("metricName"))
            }
            SignalKind::PromQl => node.get(&signal.key),
            _ => None,
        };
        let text = if signal.kind == SignalKind::PromQl {
            format!("sum({series})")
        } else {
            series.replace(':', "_")
        };
        scalar.and_then(|node| edit::replace_scalar(node, &text)).into_iter().collect()
    }

    /// What an autoscaler scales, for people.
    pub(super) fn target(&self, context: &Context<'_>, driver: &Driver<'_>) -> String {
        let units: Vec<String> = context.facts.targets_of(driver).map(|u| u.title()).take(2).collect();
        if units.is_empty() { "its target".to_owned() } else { units.join(" and ") }
    }

    /// The signal that fits the role of the target.
    pub(super) fn way_out(&self, context: &Context<'_>, driver: &Driver<'_>) -> &'static str {
        let roles: Vec<Role> =
            context.facts.targets_of(driver).filter_map(|u| u.role.value().copied()).collect();
        match roles.as_slice() {
            [Role::Prefill] => {
                "scale prefill on its queue depth, for example `sum(vllm:num_requests_waiting)` with AverageValue 5"
            }
            [Role::Decode] => {
                "scale decode on its KV-cache use, for example `sum(vllm:kv_cache_usage_perc)` with AverageValue 0.8"
            }
            _ => {
                "scale on what the engine says of its load: queue depth (`vllm:num_requests_waiting`) where prompts bound it, KV-cache use (`vllm:kv_cache_usage_perc`) where generation does, both where it does both"
            }
        }
    }
}

fn made_by(kind: RenameKind) -> &'static str {
    match kind {
        RenameKind::RecordingRule => "by this recording rule",
        RenameKind::AdapterRule => "by this adapter rule",
        RenameKind::Relabeling => "by this relabeling",
        RenameKind::StoredQuery => "by this query",
        RenameKind::Alert => "by this alert",
    }
}

/// The series that tells the load of an engine: its queue or, for decode, its KV cache.
/// Source: llm-d/llm-d-router, pkg/epp/framework/plugins/datalayer/extractor/metrics/factories.go.
fn load_series(family: Family, cache: bool) -> Option<&'static str> {
    Some(match (family, cache) {
        (Family::Vllm, false) => "vllm:num_requests_waiting",
        (Family::Vllm, true) => "vllm:kv_cache_usage_perc",
        (Family::Sglang, false) => "sglang:num_queue_reqs",
        (Family::Sglang, true) => "sglang:token_usage",
        (Family::LmDeploy, false) => "lmdeploy:num_requests_waiting",
        (Family::LmDeploy, true) => "lmdeploy:gpu_cache_usage_perc",
        (Family::Tgi, _) => "tgi_queue_size",
        _ => return None,
    })
}
