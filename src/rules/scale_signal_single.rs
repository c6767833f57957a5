//! `scale-signal-single`: a pool that does prefill and decode follows one of the two.

use super::scaled::{exporter, is_load, scales, serves};
use super::slo::Slo;
use super::{Context, Finding};
use crate::config;
use crate::diagnostic::Severity;
use crate::engine::Role;
use crate::facts::drives::Driver;
use crate::metrics::Class;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    // The pools of disaggregated serving have one phase each, and rules of their own.
    let split = |role: &Role| matches!(role, Role::Prefill | Role::Decode | Role::Encode);
    let one_phase =
        context.facts.targets_of(driver).any(|u| u.role.value().is_some_and(split) || u.role.is_unresolved());
    if !serves(context, driver) || driver.scaler.formula.is_some() || one_phase || paired(context, driver) {
        return vec![];
    }
    let complete =
        !driver.signals.is_empty() && driver.signals.iter().all(|(_, measured)| measured.is_complete());
    let measures: Vec<_> = driver.signals.iter().flat_map(|(_, measured)| &measured.measures).collect();
    let own = measures.iter().all(|m| is_load(m.class) && exporter(m).is_some());
    let Some(first) = measures.first().filter(|_| complete && own) else { return vec![] };
    // Two kinds of signal for one phase, such as a queue and a latency that guards it, are composed on purpose.
    if measures.iter().any(|m| m.class != first.class) {
        return vec![];
    }
    let Some(follows) = phase(first.class) else { return vec![] };
    let bound = Slo::of(context, driver).role;
    let (missing, sure) = match (bound, follows) {
        (Some(config::Role::PrefillBound), Phase::Prefill)
        | (Some(config::Role::DecodeBound), Phase::Decode) => {
            return vec![];
        }
        (Some(config::Role::PrefillBound), Phase::Decode) => {
            ("it is prefill-bound by the configuration, so its queue grows first", true)
        }
        (Some(config::Role::DecodeBound), Phase::Prefill) => {
            ("it is decode-bound by the configuration, so its KV cache fills first", true)
        }
        (Some(config::Role::Mixed), Phase::Prefill) => (
            "it is mixed by the configuration, and long answers fill the KV cache while the queue is empty",
            true,
        ),
        (Some(config::Role::Mixed), Phase::Decode) => {
            ("it is mixed by the configuration, and long prompts queue while the KV cache has room", true)
        }
        (None, Phase::Prefill) => (
            "long answers fill the KV cache while the queue is empty, and a queue that drains invites scale-down",
            false,
        ),
        (None, Phase::Decode) => ("long prompts queue while the KV cache has room", false),
    };
    let message = format!(
        "{} on {} alone (`{}`), and the pool does prefill and decode: {missing}",
        scales(context, driver),
        follows.signal(),
        first.name
    );
    let finding =
        Finding::new(driver.object, "signal.single", first.span, "the only kind of signal", message)
            .help(format!("add {} as a second signal: the larger answer holds", follows.other()));
    vec![if sure { finding } else { finding.lower(Severity::Info) }]
}

/// What a signal answers to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Prefill,
    Decode,
}

impl Phase {
    fn signal(self) -> &'static str {
        match self {
            Phase::Prefill => "a signal of prompts",
            Phase::Decode => "a signal of generation",
        }
    }

    fn other(self) -> &'static str {
        match self {
            Phase::Prefill => {
                "KV-cache use, for example `sum(vllm:kv_cache_usage_perc)` with AverageValue 0.8,"
            }
            Phase::Decode => "queue depth, for example `sum(vllm:num_requests_waiting)` with AverageValue 5,",
        }
    }
}

/// Running requests and throughput answer to both.
fn phase(class: Class) -> Option<Phase> {
    match class {
        Class::QueueDepth | Class::Ttft => Some(Phase::Prefill),
        Class::KvCache | Class::InterTokenLatency => Some(Phase::Decode),
        _ => None,
    }
}

/// True where a target is a pool of a pair of prefill and decode.
fn paired(context: &Context<'_>, driver: &Driver<'_>) -> bool {
    let members = || context.facts.pairs.iter().flat_map(|pair| pair.members());
    members().any(|(_, id)| driver.targets.contains(&id))
}
