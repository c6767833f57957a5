//! One check for all kinds: a manifest in, one line for each thing it says out.

use super::{Model, classify};
use crate::known::Known;
use crate::source::FileId;
use std::fmt::Write;
use std::sync::Arc;

/// The objects of the first document of a text.
fn objects(text: &str) -> Vec<super::Object> {
    let source: Arc<str> = text.into();
    let part = crate::yaml::split(text).into_iter().next().expect("a document");
    let tree = crate::yaml::parse(FileId(0), &source, part.range).expect("valid YAML");
    classify(&Arc::new(tree), FileId(0), 0)
}

/// What the first document of a text says, one line each.
pub(crate) fn describe(text: &str) -> String {
    objects(text).iter().map(|o| lines(&o.model)).collect::<Vec<_>>().join("\n")
}

/// The text under the span of each metric name that the first document of a text defines.
pub(crate) fn renamed_at(text: &str) -> Vec<&str> {
    let spans = objects(text).into_iter().flat_map(|o| o.model.renames).map(|r| r.span);
    spans.filter_map(|span| text.get(span.range())).collect()
}

/// Fails with both texts where an object does not say `expect` (lines are trimmed).
pub(crate) fn check(text: &str, expect: &str) {
    let trim = |s: &str| s.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(trim(&describe(text)), trim(expect), "\nmanifest:\n{text}");
}

fn known<T: std::fmt::Debug>(value: &Known<T>) -> String {
    match value {
        Known::Set(v, _) => format!("{v:?}"),
        Known::Default(v, _) => format!("{v:?} by default"),
        Known::Unresolved(_) => "unresolved".to_owned(),
        Known::Invalid(..) => "invalid".to_owned(),
        Known::Absent => "?".to_owned(),
    }
}

fn lines(model: &Model) -> String {
    let mut out = String::new();
    for w in &model.workloads {
        let _ = write!(out, "workload {} x{}", w.component.as_deref().unwrap_or("-"), known(&w.replicas));
        for s in &w.sets {
            let gpus = &s.template.gpus;
            let _ = write!(out, "; {} x{}", if s.name.is_empty() { "pods" } else { &s.name }, known(&s.pods));
            if gpus.count != Known::Absent {
                let _ = write!(out, " {} {}", known(&gpus.count), gpus.resource);
            }
            if let Some(name) = s.template.scheduler.value() {
                let _ = write!(out, " by {name}");
            }
        }
        for (word, value) in [
            ("tp", &w.declared.tensor_parallel),
            ("pp", &w.declared.pipeline_parallel),
            ("dp", &w.declared.data_parallel),
        ] {
            if *value != Known::Absent {
                let _ = write!(out, "; {word} {}", known(value));
            }
        }
        if let Some((engine, _)) = &w.declared.engine {
            let _ = write!(out, "; engine {engine}");
        }
        if w.role != Known::Absent {
            let _ = write!(out, "; role {}", known(&w.role));
        }
        if w.gang.kai != super::gang::KaiGang::None {
            let _ = write!(out, "; kai {:?}", w.gang.kai);
        }
        for e in &w.gang.declared {
            let _ = write!(out, "; gang {:?} {}", e.scheduler, e.what);
            if e.min != Known::Absent {
                let _ = write!(out, " min {}", known(&e.min));
            }
        }
        if w.gang.hidden.is_some() {
            out.push_str("; gang may be hidden");
        }
        if w.kai_queue != Known::Absent {
            let _ = write!(out, "; queue {}", known(&w.kai_queue));
        }
        for n in &w.scaled_as {
            let _ = write!(out, "; scaled as {}/{}", n.kind, n.name);
            if let Some(role) = &n.role {
                let _ = write!(out, " role {role}");
            }
        }
        if let Some(c) = &w.coordinator {
            let _ = write!(out, "; coordinated by {}", c.what);
        }
        out.push('\n');
    }
    for s in &model.scalers {
        let _ = write!(out, "scaler of {}", target(&s.target));
        let _ = write!(out, " {}..{}", known(&s.min), known(&s.max));
        for signal in &s.signals {
            let text = signal.text.value().map(|t| t.value.as_str()).unwrap_or("?");
            let _ = write!(
                out,
                "; {:?} {text:?} {} {:?}",
                signal.kind,
                known(&signal.target),
                signal.target_type
            );
        }
        if let Some(default) = &s.default_signal {
            let _ = write!(out, "; default {}", default.what);
        }
        if s.policy_ref != Known::Absent {
            let _ = write!(out, "; policy {}", known(&s.policy_ref));
        }
        out.push('\n');
    }
    for a in &model.adapters {
        let _ = writeln!(out, "adapter of {}", reference(&a.target));
    }
    for p in &model.role_policies {
        let _ = write!(out, "policy of {} roles {}", reference(&p.target), p.roles.join(" "));
        if let Some(c) = &p.coordinator {
            let _ = write!(out, "; coordinated by {}", c.what);
        }
        for (role, e) in &p.gangs {
            let _ = write!(out, "; gang of {role} {:?} {} min {}", e.scheduler, e.what, known(&e.min));
        }
        out.push('\n');
    }
    for r in &model.renames {
        let to = match &r.to {
            super::series::NewName::Exact(name) => known(name),
            super::series::NewName::Adapter { matches, replacement } => {
                format!("matches {matches:?} as {replacement:?}")
            }
        };
        let text = |t: &Known<crate::yaml::Text>| {
            t.value().map(|t| t.value.clone()).unwrap_or_else(|| "?".to_owned())
        };
        let from = match &r.from {
            super::series::OldName::Expression(t) | super::series::OldName::Regex(t) => text(t),
            super::series::OldName::Adapter { series, query } => {
                format!("{} via {}", text(series), text(query))
            }
        };
        let _ = writeln!(out, "{:?} {to} from {from}", r.kind);
    }
    if let Some(q) = &model.queue {
        let _ = writeln!(
            out,
            "queue {:?} under {}; gpu {}/{}/{}",
            q.system,
            known(&q.parent),
            known(&q.gpu.quota),
            known(&q.gpu.limit),
            known(&q.gpu.over_quota_weight)
        );
    }
    if let Some(g) = &model.pod_group {
        let _ = writeln!(out, "pod group of {:?} min {}", g.scheduler, known(&g.min));
    }
    if let Some(t) = &model.topology {
        let levels: Vec<String> = t.levels.iter().map(|(label, _)| known(label)).collect();
        let _ = writeln!(out, "topology {:?} {}", t.system, levels.join(", "));
    }
    for h in &model.hints {
        let _ = writeln!(out, "hint {:?}", h.kind);
    }
    for d in &model.dashboards {
        let _ = writeln!(out, "dashboard {}{}", known(&d.title), if d.partial { " in part" } else { "" });
        for (panel, query) in d.panels.iter().flat_map(|p| p.queries.iter().map(move |q| (p, q))) {
            let title = panel.title.value().map_or("?", String::as_str);
            let text = query.text.value().map_or("?", |text| text.value.as_str());
            let hidden = if query.hidden { " hidden" } else { "" };
            let _ = writeln!(out, "{title}: {:?} {text}{hidden}", query.language);
        }
    }
    for _ in &model.receivers {
        let _ = writeln!(out, "hands alerts over");
    }
    for p in &model.pauses {
        let _ = writeln!(out, "{:?} by {}", p.what, p.name);
    }
    for p in &model.problems {
        let _ = writeln!(out, "problem {}: {}", p.field, p.message);
    }
    for (key, _) in &model.data {
        let _ = writeln!(out, "data {key}");
    }
    out
}

fn target(target: &super::scaler::Target) -> String {
    match target {
        super::scaler::Target::Reference(r) => reference(r),
        super::scaler::Target::Own(index) => format!("own workload {index}"),
        super::scaler::Target::Unknown(_) => "unknown".to_owned(),
        super::scaler::Target::Policy => "whoever names it".to_owned(),
    }
}

fn reference(r: &super::scaler::TargetRef) -> String {
    let word = |k: &Known<String>| k.value().cloned().unwrap_or_else(|| known(k));
    let role = r.role.value().map(|role| format!(" role {role}")).unwrap_or_default();
    format!("{}/{}{role}", word(&r.kind), word(&r.name))
}
