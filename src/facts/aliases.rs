//! The metric names that one definition makes, each with what it is made from.

use super::renames::{Alias, Measured, series_of};
use crate::kinds::Object;
use crate::kinds::series::{NewName, OldName, Rename, RenameKind};
use crate::metrics::{self, Found, SeriesName};
use crate::source::Span;
use crate::yaml::Text;

/// A name that a definition is made from: its bytes, and the row of the catalogue with regard to its labels.
type Source = (String, Span, Option<Found>);

/// The names that a definition makes. A definition by a pattern makes one for each series of the catalogue that the
/// pattern takes; for other series it stays unknown what it makes.
pub(super) fn aliases_of<'a>(object: &'a Object, rename: &'a Rename) -> Vec<Alias<'a>> {
    let alias = |name: String, asked: Option<Span>, sources: Vec<Source>| Alias {
        object,
        kind: rename.kind,
        name,
        span: rename.span,
        asked: asked.unwrap_or(rename.span),
        asked_for: None,
        sources,
        expression: match (rename.kind, &rename.from) {
            (RenameKind::RecordingRule, OldName::Expression(text)) => text.value(),
            (RenameKind::AdapterRule, OldName::Adapter { query, .. }) => query.value(),
            _ => None,
        },
    };
    match (&rename.to, &rename.from) {
        (NewName::Exact(name), from) => {
            let Some(name) = name.value() else { return vec![] };
            let sources = match from {
                OldName::Expression(text) | OldName::Adapter { series: text, .. } => {
                    text.value().map(located).unwrap_or_default()
                }
                OldName::Regex(text) => text.value().map(taken_by).unwrap_or_default(),
            };
            let asked = sources.first().map(|(_, span, _)| *span);
            vec![alias(name.clone(), asked, sources)]
        }
        (NewName::Adapter { matches, replacement }, OldName::Adapter { series, query }) => {
            let naming = Naming { matches: matches.as_deref(), replacement: replacement.as_deref() };
            let asked = series.value().map(|text| asked_for(text, &naming)).unwrap_or_default();
            // The query decides what is measured; the series only which names the rule is applied to.
            let measured = query.value().map(located).unwrap_or_default();
            let made = asked.into_iter().map(|(exported, source)| {
                let (asked_for, span) = (Some(source.0.clone()), source.1);
                let sources = if measured.is_empty() { vec![source] } else { measured.clone() };
                Alias { asked_for, ..alias(exported, Some(span), sources) }
            });
            made.collect()
        }
        (NewName::Adapter { matches, replacement }, OldName::Regex(text)) => {
            let naming = Naming { matches: matches.as_deref(), replacement: replacement.as_deref() };
            let Some(text) = text.value() else { return vec![] };
            let exports = naming.exports(&text.value, text.span()).into_iter();
            exports.map(|(exported, source)| alias(exported, Some(text.span()), vec![source])).collect()
        }
        (NewName::Adapter { .. }, OldName::Expression(_)) => vec![],
    }
}

/// `name.matches` and `name.as` of prometheus-adapter.
struct Naming<'n> {
    matches: Option<&'n str>,
    replacement: Option<&'n str>,
}

impl Naming<'_> {
    /// The names that the series of the catalogue get which a pattern takes.
    fn exports(&self, pattern: &str, span: Span) -> Vec<(String, Source)> {
        let exports =
            metrics::adapter::exports_of_pattern(pattern, self.matches, self.replacement).into_iter();
        exports
            .map(|(exported, entry)| (exported, (entry.name.to_owned(), span, metrics::find(entry.name))))
            .collect()
    }
}

/// The series that a `seriesQuery` asks for, each under the name that it gets.
fn asked_for(text: &Text, naming: &Naming<'_>) -> Vec<(String, Source)> {
    let named = located(text).into_iter().filter_map(|source| {
        let exported = metrics::adapter::exported_name(&source.0, naming.matches, naming.replacement)?;
        Some((exported, source))
    });
    let mut found: Vec<(String, Source)> = named.collect();
    for series in metrics::read(&text.value).map(|query| query.series).unwrap_or_default() {
        if let SeriesName::Pattern(pattern) = &series.name {
            found.extend(naming.exports(pattern, text.slice(series.range.clone())));
        }
    }
    found
}

/// The series of the catalogue that a pattern takes.
fn taken_by(text: &Text) -> Vec<Source> {
    let whole = Naming { matches: None, replacement: None };
    whole.exports(&text.value, text.span()).into_iter().map(|(_, source)| source).collect()
}

/// The series of an expression with their bytes in the file.
fn located(text: &Text) -> Vec<Source> {
    let mut ignored = Measured::default();
    let series = series_of(&text.value, &mut ignored);
    series.into_iter().map(|(name, range, known)| (name, text.slice(range), known)).collect()
}
