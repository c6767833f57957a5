//! `scale-metric-not-exported`: a series of another engine, or of an engine whose metrics are switched off.

use super::scaled::{exporter, scales};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::engine::{Engine, Family, Launch};
use crate::facts::drives::Driver;
use crate::known::Known;

/// Engines whose series carry a name of their own.
const PLAIN: &[Family] = &[Family::Vllm, Family::Sglang, Family::Tgi, Family::LmDeploy];

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let units: Vec<_> = context.facts.targets_of(driver).collect();
    let [unit] = units.as_slice() else { return vec![] };
    // A runtime around the engine renames its series and adds flags.
    let Some(engine) = unit.engine.as_ref().filter(|e| e.runtime.is_none() && PLAIN.contains(&e.family))
    else {
        return vec![];
    };
    let measures = driver.signals.iter().flat_map(|(_, measured)| &measured.measures);
    let own_names = measures.clone().any(|m| exporter(m) == Some(engine.family));
    let mut found = Vec::new();
    for measure in measures {
        let Some(family) = exporter(measure).filter(|family| PLAIN.contains(family)) else { continue };
        let field = format!("signal.not-exported.{}", measure.name);
        if family != engine.family {
            // Names of both engines in one autoscaler serve a mixed fleet.
            if own_names {
                continue;
            }
            let message = format!(
                "{} on `{}`, a series of {}, but the pods run {}: there is no value, so nothing scales",
                scales(context, driver),
                measure.name,
                family.name(),
                engine.family.name()
            );
            found.push(
                Finding::new(
                    driver.object,
                    field,
                    measure.span,
                    format!("{} exports this", family.name()),
                    message,
                )
                .label(engine.found_at, format!("runs {}", engine.family.name()))
                .help(format!(
                    "scale on the series of {}, such as {}",
                    engine.family.name(),
                    example(engine.family)
                )),
            );
        } else if let Some(off) = switched_off(engine) {
            let message = format!(
                "{} on `{}`, but {}: there is no value, so nothing scales",
                scales(context, driver),
                measure.name,
                off.why
            );
            let finding = Finding::new(driver.object, field, measure.span, "not exported", message)
                .label(off.at, off.label)
                .help(off.help);
            found.push(if off.sure { finding } else { finding.at_most(Severity::Warning) });
        }
        if found.len() == 1 {
            // The cause is one for all series of the engine.
            break;
        }
    }
    found
}

struct Off {
    why: &'static str,
    at: crate::source::Span,
    label: &'static str,
    help: &'static str,
    sure: bool,
}

/// Why an engine exports no metrics, where its command line is seen in full.
fn switched_off(engine: &Engine) -> Option<Off> {
    match engine.family {
        // Source: sgl-project/sglang, server_args.py, `enable_metrics: bool = False`.
        Family::Sglang if engine.launch == Launch::Command && is_complete(engine) => {
            engine.flag("--enable-metrics").is_none().then_some(Off {
                why: "SGLang exports metrics with `--enable-metrics` alone",
                at: engine.found_at,
                label: "started without `--enable-metrics`",
                help: "start the engine with `--enable-metrics`",
                sure: true,
            })
        }
        Family::Vllm => engine.flag("--disable-log-stats").map(|flag| Off {
            why: "`--disable-log-stats` takes away the statistics that vLLM's metrics are made from",
            at: flag.span,
            label: "switches statistics off",
            help: "start the engine without `--disable-log-stats`",
            sure: false,
        }),
        _ => None,
    }
}

/// True where nothing on the command line is left open: an omitted degree of parallelism then has its default.
fn is_complete(engine: &Engine) -> bool {
    let degrees = [&engine.tensor_parallel, &engine.pipeline_parallel, &engine.data_parallel];
    degrees.iter().all(|known| !known.is_unresolved())
        && degrees.iter().any(|known| matches!(known, Known::Default(..)))
}

fn example(family: Family) -> &'static str {
    match family {
        Family::Sglang => "`sglang:num_queue_reqs` and `sglang:token_usage`",
        Family::Tgi => "`tgi_queue_size`",
        Family::LmDeploy => "`lmdeploy:num_requests_waiting`",
        _ => "`vllm:num_requests_waiting` and `vllm:kv_cache_usage_perc`",
    }
}
