//! Grafana's dashboard model, wherever it stands: a file, a file of a ConfigMap, a chart's values, an object.
//!
//! Source: grafana.com/docs, "Dashboard JSON model".

use super::dashboard::{Dashboard, Language, Panel, PanelQuery};
use super::items;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text, parse_embedded};

/// A dashboard that is known to be there, and of which nothing can be read.
pub(super) fn unread(span: Span) -> Dashboard {
    Dashboard { title: Known::Absent, panels: vec![], partial: true, span }
}

/// The dashboard of a document, known by its shape.
pub(super) fn read(root: Node<'_>) -> Option<Dashboard> {
    // Grafana's HTTP API takes and gives the model inside an envelope.
    let model = root.get("dashboard").filter(|inner| inner.is_mapping()).unwrap_or(root);
    let list = |key: &str| model.get(key).is_some_and(|list| list.is_sequence());
    let versioned = ["schemaVersion", "templating"].iter().any(|key| model.get(key).is_some());
    ((list("panels") || list("rows")) && versioned).then(|| classic(model))
}

/// The dashboard in a file of a ConfigMap or in a chart's values.
pub(super) fn read_text(text: &Text) -> Option<Dashboard> {
    let has = |word: &str| text.value.contains(word);
    let shaped = text.value.trim_start().starts_with('{')
        && (has("\"panels\"") || has("\"rows\""))
        && (has("\"schemaVersion\"") || has("\"templating\""));
    if !shaped {
        return None;
    }
    let span = text.slice(0..text.value.find('{').map_or(0, |brace| brace + 1));
    match parse_embedded(text) {
        Ok(tree) => read(tree.root()).map(|dashboard| Dashboard { span, ..dashboard }),
        Err(_) => Some(unread(span)),
    }
}

pub(super) fn classic(model: Node<'_>) -> Dashboard {
    let title = model.field::<String>("title");
    let span = title.span().unwrap_or_else(|| model.first_key_span());
    let mut dashboard = Dashboard { title, panels: vec![], partial: false, span };
    gather(model, 0, &mut dashboard);
    for row in items(model, "rows") {
        gather(row, 0, &mut dashboard);
    }
    dashboard
}

/// The panels of a dashboard or of a row in it.
fn gather(holder: Node<'_>, depth: usize, found: &mut Dashboard) {
    const DEEPEST: usize = 4;
    for panel in items(holder, "panels") {
        let targets: Vec<PanelQuery> = items(panel, "targets").filter_map(target_query).collect();
        found.partial |= panel.get("libraryPanel").is_some() && panel.get("targets").is_none();
        if !targets.is_empty() {
            found.panels.push(Panel { title: panel.field("title"), queries: targets });
        }
        if depth < DEEPEST {
            gather(panel, depth + 1, found);
        }
    }
}

pub(super) fn target_query(target: Node<'_>) -> Option<PanelQuery> {
    let hidden = is_true(target, "hide");
    for path in ["expr", "promQLQuery.expr"] {
        let text = target.text_at(path);
        if text.is_written() {
            return Some(PanelQuery { text, language: Language::PromQl, hidden });
        }
    }
    let other = ["query", "rawSql", "rawQuery", "queryText", "target", "expression"];
    let text = other.iter().map(|key| target.text_at(key)).find(|text| text.value().is_some())?;
    Some(PanelQuery { text, language: Language::Other, hidden })
}

pub(super) fn is_true(node: Node<'_>, key: &str) -> bool {
    node.field::<bool>(key).value() == Some(&true)
}
