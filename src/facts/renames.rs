//! What a metric name really measures: names followed through adapter rules, recording rules and relabelings.

use super::aliases::aliases_of;
use super::scope::nearest;
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::scaler::{Signal, SignalKind};
use crate::kinds::series::RenameKind;
use crate::known::Known;
use crate::metrics::{self, Class, Entry, Found};
use crate::source::Span;
use crate::yaml::Text;
use std::collections::BTreeMap;

/// How many definitions a name is followed through. Longer chains are loops or generated.
const LONGEST_CHAIN: usize = 8;

/// One definition of a name from others.
#[derive(Debug, Clone)]
pub struct Alias<'a> {
    /// The object that defines it.
    pub object: &'a Object,
    /// What defines it.
    pub kind: RenameKind,
    /// The new name, as written or computed.
    pub name: String,
    /// The bytes of the definition's name.
    pub span: Span,
    /// The bytes of the first name that it is made from, as the definition asks for it.
    pub asked: Span,
    /// The series that an adapter rule asks for.
    pub asked_for: Option<String>,
    /// The names that it is made from, with their bytes.
    pub sources: Vec<(String, Span, Option<Found>)>,
    /// The expression that a recording rule evaluates, or the query of an adapter rule.
    pub expression: Option<&'a Text>,
}

/// A step from a name to what it is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What makes the new name.
    pub kind: RenameKind,
    /// The new name.
    pub name: String,
    /// The name that it is made from.
    pub from: String,
    /// Where it is made.
    pub span: Span,
}

/// One thing that a signal measures.
#[derive(Debug, Clone)]
pub struct Measure {
    /// What it is.
    pub class: Class,
    /// The row of the catalogue; none for what is no metric name (`cpu`), and for a metric of which only the name speaks.
    pub entry: Option<&'static Entry>,
    /// True where nothing defines the metric, and its name alone says what it is.
    pub by_name: bool,
    /// The name at the end of the chain.
    pub name: String,
    /// The bytes in the signal where the chain starts.
    pub span: Span,
    /// The steps of the chain.
    pub steps: Vec<Step>,
}

impl Measure {
    /// True where the class was read in a source, so that an error may rest on it.
    pub fn is_checked(&self) -> bool {
        !self.by_name && self.entry.is_none_or(|e| e.checked)
    }
}

/// What a signal measures, as far as the inputs tell.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// What is known of it.
    pub measures: Vec<Measure>,
    /// Names that nothing in the inputs and no catalogue explains.
    pub unexplained: Vec<(String, Span)>,
    /// True where a part of it is a template.
    pub unresolved: bool,
}

impl Measured {
    /// The measures of a class.
    pub fn of(&self, class: Class) -> impl Iterator<Item = &Measure> {
        self.measures.iter().filter(move |m| m.class == class)
    }

    /// True where everything that the signal names is explained.
    pub fn is_complete(&self) -> bool {
        !self.unresolved && self.unexplained.is_empty() && !self.measures.is_empty()
    }
}

/// All definitions, by normalised name.
#[derive(Debug, Default)]
pub struct Aliases<'a> {
    by_name: BTreeMap<String, Vec<Alias<'a>>>,
}

impl<'a> Aliases<'a> {
    /// Gathers the definitions of all objects.
    pub fn build(inventory: &'a Inventory) -> Aliases<'a> {
        let mut by_name: BTreeMap<String, Vec<Alias<'a>>> = BTreeMap::new();
        for object in &inventory.objects {
            for rename in object.model.renames.iter().filter(|r| r.kind != RenameKind::Alert) {
                for alias in aliases_of(object, rename) {
                    by_name.entry(metrics::normalise(&alias.name)).or_default().push(alias);
                }
            }
        }
        Aliases { by_name }
    }

    /// Every definition, by name and place.
    pub fn all(&self) -> impl Iterator<Item = &Alias<'a>> {
        self.by_name.values().flatten()
    }

    /// What a signal measures. `from` is the object that holds it.
    pub fn measure(&self, inventory: &Inventory, from: &Object, signal: &Signal) -> Measured {
        let mut found = Measured::default();
        let text = match &signal.text {
            Known::Set(text, _) | Known::Default(text, _) => text,
            Known::Unresolved(_) | Known::Invalid(..) => {
                found.unresolved = true;
                return found;
            }
            Known::Absent => return found,
        };
        match signal.kind {
            SignalKind::Resource => found.measures.extend(resource(text)),
            SignalKind::PodsMetric | SignalKind::ObjectMetric | SignalKind::ExternalMetric => {
                if crate::yaml::looks_templated(&text.value) {
                    found.unresolved = true;
                } else {
                    self.follow(inventory, from, &text.value, text.span(), None, &mut found);
                }
            }
            SignalKind::PromQl => self.query(inventory, from, text, &mut found),
            SignalKind::Query => {
                for (entry, range) in metrics::series_in_filter(&text.value) {
                    self.follow(
                        inventory,
                        from,
                        entry.name,
                        text.slice(range),
                        metrics::find(entry.name),
                        &mut found,
                    );
                }
                if found.measures.is_empty() {
                    found.unexplained.push((text.value.clone(), text.span()));
                }
            }
            SignalKind::ScalerMetadata => found.measures.extend(scaler_metadata(&signal.key, text)),
            SignalKind::PlatformRequests => {
                found.measures.push(plain(Class::Concurrency, &text.value, text.span()))
            }
            SignalKind::DesiredReplicas => {
                found.measures.push(plain(Class::DesiredReplicas, &text.value, text.span()));
            }
            SignalKind::Outside => {}
        }
        found
    }

    fn query(&self, inventory: &Inventory, from: &Object, text: &Text, found: &mut Measured) {
        for (name, range, known) in series_of(&text.value, found) {
            self.follow(inventory, from, &name, text.slice(range), known, found);
        }
    }

    /// Follows one name to its end. `from` is the object that uses it, `span` the bytes to report it at; `known` is what the catalogue says of the series with regard to its labels.
    pub fn follow(
        &self,
        inventory: &Inventory,
        from: &Object,
        name: &str,
        span: Span,
        known: Option<Found>,
        found: &mut Measured,
    ) {
        let mut walk = Walk { aliases: self, inventory, span, found, steps: vec![], visited: vec![] };
        walk.name(from, name, known);
    }

    /// The one recording rule that makes a series, with the object that holds it.
    pub fn recording(
        &self,
        inventory: &Inventory,
        from: &Object,
        name: &str,
    ) -> Option<(&'a Object, &'a Text)> {
        match self.definitions(inventory, from, name).as_slice() {
            [only] if only.kind == RenameKind::RecordingRule => Some((only.object, only.expression?)),
            _ => None,
        }
    }

    /// The one adapter rule with a query of its own that offers a metric name to autoscalers.
    pub fn offer(&self, inventory: &Inventory, from: &Object, name: &str) -> Option<(&Alias<'a>, &'a Text)> {
        match self.definitions(inventory, from, name).as_slice() {
            [only] if only.kind == RenameKind::AdapterRule => Some((only, only.expression?)),
            _ => None,
        }
    }

    fn definitions(&self, inventory: &Inventory, from: &Object, name: &str) -> Vec<&Alias<'a>> {
        let all: Vec<&Alias<'a>> = self
            .by_name
            .get(&metrics::normalise(name))
            .map(|found| found.iter().collect())
            .unwrap_or_default();
        nearest(inventory, from, all, |alias| alias.object)
    }
}

/// The state of following one name.
struct Walk<'w, 'a> {
    aliases: &'w Aliases<'a>,
    inventory: &'w Inventory,
    span: Span,
    found: &'w mut Measured,
    steps: Vec<Step>,
    visited: Vec<String>,
}

impl Walk<'_, '_> {
    fn name(&mut self, from: &Object, name: &str, known: Option<Found>) {
        let key = metrics::normalise(name);
        let fresh = !self.visited.contains(&key) && self.steps.len() < LONGEST_CHAIN;
        let definitions = if fresh { self.aliases.definitions(self.inventory, from, name) } else { vec![] };
        let sources: usize = definitions.iter().map(|d| d.sources.len()).sum();
        if sources == 0 {
            self.end(name, known);
            return;
        }
        self.visited.push(key);
        for definition in definitions {
            for (source, _, known) in &definition.sources {
                self.steps.push(Step {
                    kind: definition.kind,
                    name: name.to_owned(),
                    from: source.clone(),
                    span: definition.span,
                });
                self.name(definition.object, source, *known);
                self.steps.pop();
            }
        }
        self.visited.pop();
    }

    fn end(&mut self, name: &str, known: Option<Found>) {
        let says = metrics::name_says(name);
        let row = known.or_else(|| metrics::find(name)).filter(|_| says.is_none());
        let Some(class) = row.map(|row| row.class()).or(says) else {
            self.found.unexplained.push((name.to_owned(), self.span));
            return;
        };
        let measure = Measure {
            class,
            entry: row.map(|row| row.entry),
            by_name: row.is_none(),
            name: name.to_owned(),
            span: self.span,
            steps: self.steps.clone(),
        };
        let same = |m: &Measure| m.class == measure.class && m.name == measure.name && m.span == measure.span;
        if !self.found.measures.iter().any(same) {
            self.found.measures.push(measure);
        }
    }
}

/// A series in a text: its name, the bytes of the name, and the row of the catalogue with regard to its labels.
pub(super) type Series = (String, std::ops::Range<usize>, Option<Found>);

/// The series that give a query its value. Series that only decide whether there is a value, or fill a gap, drive
/// nothing.
pub(super) fn series_of(text: &str, found: &mut Measured) -> Vec<Series> {
    match metrics::read(text) {
        Ok(query) => {
            let mut series = Vec::new();
            for one in query.series.iter().filter(|s| s.role == metrics::Role::Value) {
                found.unresolved |= one.names().is_empty() && one.templated;
                series.extend(one.names().iter().map(|name| (name.clone(), one.range.clone(), one.find())));
            }
            series
        }
        Err(_) => {
            let names = metrics::names(text);
            found.unresolved |= names.is_empty();
            names.into_iter().map(|(name, range)| (name, range, None)).collect()
        }
    }
}

fn resource(text: &Text) -> Option<Measure> {
    let class = match text.value.as_str() {
        "cpu" => Class::Cpu,
        "memory" => Class::HostMemory,
        _ => return None,
    };
    Some(plain(class, &text.value, text.span()))
}

/// A metadata entry of an external scaler: a profile that the scaler documents, a metric name of the catalogue, or a key
/// that is the setting of a target for one signal (`targetGpuUtilization`).
fn scaler_metadata(key: &str, text: &Text) -> Option<Measure> {
    if let Some(entry) =
        metrics::classify_profile(key, &text.value).or_else(|| metrics::classify(&text.value))
    {
        let name = text.value.clone();
        return Some(Measure {
            class: entry.class,
            entry: Some(entry),
            by_name: false,
            name,
            span: text.span(),
            steps: vec![],
        });
    }
    let states_target = key.starts_with("target") && text.value.parse::<f64>().is_ok();
    let class = metrics::name_suggests(key).filter(|_| states_target)?;
    Some(plain(class, key, text.span()))
}

fn plain(class: Class, name: &str, span: Span) -> Measure {
    Measure { class, entry: None, by_name: false, name: name.to_owned(), span, steps: vec![] }
}
