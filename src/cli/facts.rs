//! `gpulint facts`: what the program believes, one line for each thing.

use super::args::{FactsArgs, TextOrJson};
use super::setup::{self, Setup};
use super::{Exit, Failure};
use crate::facts::Facts;
use crate::facts::gang::Verdict;
use crate::facts::queues::Parent;
use crate::known::Known;
use crate::source::Span;
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::Write;

pub(super) fn run(args: FactsArgs) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.input)?;
    let overlays = setup::stdin(&args.input)?;
    let request = setup.request(&args.input, &args.input.paths, overlays, setup.config.profile);
    let inventory = crate::read(request);
    let facts = Facts::build(&inventory);
    let mut lines = Vec::new();
    pods(&facts, &mut lines);
    scalers(&facts, &mut lines);
    pools(&facts, &mut lines);
    queues(&facts, &mut lines);
    aliases(&facts, &mut lines);
    lines.sort_by(|a, b| (&a.file, a.line, a.column, &a.what).cmp(&(&b.file, b.line, b.column, &b.what)));
    let mut out = std::io::stdout().lock();
    match args.format {
        TextOrJson::Text => {
            for line in &lines {
                writeln!(out, "{}:{}: {} {}: {}", line.file, line.line, line.what, line.name, line.text)?;
            }
        }
        TextOrJson::Json => {
            let list: Vec<Value> = lines
                .iter()
                .map(|line| {
                    let mut value = json!({"file": line.file, "line": line.line, "column": line.column, "what": line.what, "name": line.name, "text": line.text});
                    if let (Some(object), Value::Object(detail)) = (value.as_object_mut(), line.detail.clone()) {
                        object.extend(detail);
                    }
                    value
                })
                .collect();
            writeln!(out, "{:#}", json!({"version": 1, "facts": list}))?;
        }
    }
    Ok(Exit::Clean)
}

/// One thing that is believed.
struct Line {
    file: String,
    line: u32,
    column: u32,
    what: &'static str,
    name: String,
    text: String,
    detail: Value,
}

fn line(
    facts: &Facts<'_>,
    what: &'static str,
    name: String,
    span: Span,
    text: String,
    detail: Value,
) -> Line {
    let file = facts.inventory.files.get(span.file);
    let at = file.map(|f| f.line_column(span.start));
    Line {
        file: file.map(|f| f.path.clone()).unwrap_or_default(),
        line: at.map_or(0, |p| p.line),
        column: at.map_or(0, |p| p.column),
        what,
        name,
        text,
        detail,
    }
}

/// A known value for people; what is not known says so.
fn show<T: Display>(known: &Known<T>) -> String {
    match known {
        Known::Set(value, _) => value.to_string(),
        Known::Default(value, _) => format!("{value} by default"),
        Known::Unresolved(_) => "unresolved".to_owned(),
        Known::Invalid(..) => "invalid".to_owned(),
        Known::Absent => "not stated".to_owned(),
    }
}

fn value<T: Display>(known: &Known<T>) -> Value {
    known.value().map_or(Value::Null, |v| {
        let text = v.to_string();
        text.parse::<f64>()
            .map_or_else(|_| json!(text), |n| if n.fract() == 0.0 { json!(n as i64) } else { json!(n) })
    })
}

fn pods(facts: &Facts<'_>, lines: &mut Vec<Line>) {
    for (unit, gang) in facts.units.iter().zip(&facts.gangs) {
        let sets: Vec<String> = unit
            .workload
            .sets
            .iter()
            .map(|set| {
                let name = if set.name.is_empty() { "pods" } else { &set.name };
                let gpus = &set.template.gpus;
                let gpus = match gpus.count {
                    Known::Absent => "no GPUs".to_owned(),
                    _ => format!("{} {}", show(&gpus.count), gpus.resource),
                };
                let scheduler = set.template.scheduler.value().map(|s| format!(", {s}")).unwrap_or_default();
                format!("{name} x{} with {gpus}{scheduler}", show(&set.pods))
            })
            .collect();
        let mut parts = vec![format!("{} replicas of {}", show(&unit.workload.replicas), sets.join(" + "))];
        if let Some(engine) = &unit.engine {
            parts.push(format!("engine {}", engine.family.name()));
        }
        if unit.tensor_parallel.is_written() || unit.pipeline_parallel.is_written() {
            parts.push(format!("tensor parallel {}", show(&unit.tensor_parallel)));
            parts.push(format!("pipeline parallel {}", show(&unit.pipeline_parallel)));
        }
        if let Some(role) = unit.role.value() {
            parts.push(format!("role {role:?}").to_lowercase());
        }
        parts.push(format!("gang {}", verdict(&gang.verdict)));
        if unit.workload.kai_queue.is_written() {
            parts.push(format!("queue {}", show(&unit.workload.kai_queue)));
        }
        let drivers: Vec<String> = facts.drivers_of(unit.id).map(|d| d.title()).collect();
        if !drivers.is_empty() {
            parts.push(format!("scaled by {}", drivers.join(", ")));
        }
        let detail = json!({
            "component": unit.workload.component,
            "replicas": value(&unit.workload.replicas),
            "pods_per_replica": value(&unit.workload.pods_per_replica()),
            "gpus_per_pod": value(&unit.gpus_per_pod),
            "engine": unit.engine.as_ref().map(|e| e.family.name()),
            "tensor_parallel": value(&unit.tensor_parallel),
            "pipeline_parallel": value(&unit.pipeline_parallel),
            "role": unit.role.value().map(|r| format!("{r:?}").to_lowercase()),
            "gang": verdict(&gang.verdict),
            "modelled": unit.object.modelled,
            "scaled_by": drivers,
        });
        let marked = if unit.object.modelled { "" } else { " (unknown kind, read by the common shape)" };
        lines.push(line(facts, "pods", unit.title(), unit.workload.span, parts.join("; ") + marked, detail));
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::NotNeeded => "not needed".to_owned(),
        Verdict::SinglePod { scheduled: None } => "not needed: one pod holds all of it".to_owned(),
        Verdict::SinglePod { scheduled: Some(by) } => format!("not needed: one pod, placed by {}", by.what),
        Verdict::Present(by) => format!("present: {}", by.what),
        Verdict::Partial { min, need, .. } => format!("partial: {min} of {need}"),
        Verdict::Absent { .. } => "absent".to_owned(),
        Verdict::Hidden(hidden) => format!("unknown: {}", hidden.how),
        Verdict::Unknown => "unknown".to_owned(),
    }
}

fn scalers(facts: &Facts<'_>, lines: &mut Vec<Line>) {
    for driver in &facts.drivers {
        let targets: Vec<String> = facts.targets_of(driver).map(|u| u.title()).collect();
        let signals: Vec<String> = driver
            .signals
            .iter()
            .map(|(signal, measured)| {
                let classes: Vec<&str> = measured.measures.iter().map(|m| m.class.id()).collect();
                let text = signal.text.value().map_or("?", |t| t.value.lines().next().unwrap_or(""));
                let what = if classes.is_empty() { "unknown".to_owned() } else { classes.join("+") };
                format!("{what} ({text}, {:?} {})", signal.target_type, show(&signal.target))
            })
            .collect();
        let driven = if targets.is_empty() { "nothing in the inputs".to_owned() } else { targets.join(", ") };
        let by = match &driver.scaler.default_signal {
            Some(default) => default.what.to_owned(),
            None if signals.is_empty() => "nothing".to_owned(),
            None => signals.join(", "),
        };
        let text = format!(
            "scales {driven} from {} to {} by {by}",
            show(&driver.scaler.min),
            show(&driver.scaler.max)
        );
        let detail = json!({
            "targets": targets,
            "min": value(&driver.scaler.min),
            "max": value(&driver.scaler.max),
            "signals": signals,
        });
        lines.push(line(facts, "autoscaler", driver.title(), driver.scaler.span, text, detail));
    }
}

fn pools(facts: &Facts<'_>, lines: &mut Vec<Line>) {
    for pool in &facts.pools {
        let because = if pool.because.is_empty() { String::new() } else { format!(" by {}", pool.because) };
        let class = format!("{:?}", pool.class).to_lowercase();
        let text = format!("{class}{because}");
        let name = format!("{}/{}", pool.object.kind, pool.object.name().unwrap_or("?"));
        lines.push(line(
            facts,
            "pool",
            name,
            pool.object.name_span(),
            text,
            json!({"class": class, "because": pool.because}),
        ));
    }
}

fn queues(facts: &Facts<'_>, lines: &mut Vec<Line>) {
    for queue in &facts.queues {
        let parent = match &queue.parent {
            Parent::Root => "root".to_owned(),
            Parent::Known(at) => {
                format!("under {}", facts.queues.get(*at).and_then(|q| q.object.name()).unwrap_or("?"))
            }
            Parent::Installed => "under a queue of the installation".to_owned(),
            Parent::Missing(name) => format!("under {name}, which is missing"),
            Parent::Unknown => "under an unknown queue".to_owned(),
        };
        let gpu = &queue.queue.gpu;
        let text = format!("{parent}; GPU quota {}, limit {}", show(&gpu.quota), show(&gpu.limit));
        let name = format!("{}/{}", queue.object.kind, queue.object.name().unwrap_or("?"));
        lines.push(line(facts, "queue", name, queue.object.name_span(), text, json!({"parent": parent})));
    }
}

fn aliases(facts: &Facts<'_>, lines: &mut Vec<Line>) {
    for alias in facts.aliases.all() {
        let sources: Vec<&str> = alias.sources.iter().map(|(name, ..)| name.as_str()).collect();
        let kind = format!("{:?}", alias.kind).to_lowercase();
        let text = format!("{kind} from {}", sources.join(", "));
        lines.push(line(
            facts,
            "alias",
            alias.name.clone(),
            alias.span,
            text,
            json!({"kind": kind, "from": sources}),
        ));
    }
}
