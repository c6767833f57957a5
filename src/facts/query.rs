//! What the query of a signal gives: unit, growth, number of elements, with recording rules followed.

use super::renames::Aliases;
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::scaler::{Signal, SignalKind};
use crate::known::Known;
use crate::metrics::{self, Growth, Outer, Query, SeriesFacts, SeriesName, SeriesRef, Unit};
use crate::yaml::Text;

/// How many recording rules a series is followed through. Longer chains are loops or generated.
const LONGEST_CHAIN: usize = 4;

/// A PromQL query that drives an autoscaler, with the shape of its value.
#[derive(Debug)]
pub struct QueryFact {
    /// The query as written.
    pub text: Text,
    /// False where the autoscaler names a metric, and the query is that of the adapter rule that offers it.
    pub own: bool,
    /// Its structure.
    pub query: Query,
    /// The shape of its value.
    pub shape: Shape,
    /// True for each series that a recording rule of the inputs makes, by its index.
    pub recorded: Vec<bool>,
}

/// The shape of a query's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Its unit.
    pub unit: Option<Unit>,
    /// How it answers to a further replica.
    pub growth: Growth,
    /// True where it can have more than one element.
    pub many: Option<bool>,
}

impl QueryFact {
    /// Reads the query of a signal; none where it has none, or one that is no PromQL.
    pub fn of(
        inventory: &Inventory,
        aliases: &Aliases<'_>,
        from: &Object,
        signal: &Signal,
    ) -> Option<QueryFact> {
        let Known::Set(text, _) = &signal.text else { return None };
        let follow = Follow { inventory, aliases };
        match signal.kind {
            SignalKind::PromQl => {
                let query = metrics::read(&text.value).ok()?;
                let shape = follow.shape(from, &query, 0);
                let is_recorded = |series: &SeriesRef| follow.recording(from, series).is_some();
                let recorded = query.series.iter().map(is_recorded).collect();
                Some(QueryFact { text: text.clone(), own: true, query, shape, recorded })
            }
            SignalKind::PodsMetric | SignalKind::ObjectMetric | SignalKind::ExternalMetric => {
                follow.offered(from, &text.value)
            }
            _ => None,
        }
    }

    /// True where the value is a mean, an extreme or a quantile of fractions.
    pub fn is_ratio_aggregate(&self) -> bool {
        self.shape.growth == Growth::Mean && self.shape.unit.is_some_and(Unit::is_bounded)
    }
}

struct Follow<'f, 'a> {
    inventory: &'f Inventory,
    aliases: &'f Aliases<'a>,
}

impl Follow<'_, '_> {
    fn shape(&self, from: &Object, query: &Query, depth: usize) -> Shape {
        let facts = |series: &SeriesRef| match self.recorded(from, series, depth) {
            Some(shape) => SeriesFacts { unit: shape.unit, pool_mean: shape.growth == Growth::Mean },
            None => SeriesFacts::of(series),
        };
        let own = Shape {
            unit: query.unit_by(&facts),
            growth: query.growth_by(&facts),
            many: query.may_return_vector(),
        };
        // A series alone has the shape of the rule that records it.
        match (query.outer(), query.series.as_slice()) {
            (Outer::Vector, [only]) => match self.recorded(from, only, depth) {
                Some(recorded) => Shape { growth: recorded.growth, many: recorded.many, ..own },
                None => own,
            },
            _ => own,
        }
    }

    /// The query behind a metric name of an adapter. The template that stands for the series is the series that the rule
    /// was made for.
    fn offered(&self, from: &Object, name: &str) -> Option<QueryFact> {
        let (alias, text) = self.aliases.offer(self.inventory, from, name)?;
        let query = metrics::read(&text.value).ok()?;
        let asked = alias.asked_for.as_deref().and_then(metrics::find);
        let facts = |series: &SeriesRef| match (&series.name, asked) {
            (SeriesName::Templated, Some(found)) => {
                SeriesFacts { unit: found.unit(), pool_mean: found.entry.pool_mean }
            }
            _ => SeriesFacts::of(series),
        };
        let shape = Shape {
            unit: query.unit_by(&facts),
            growth: query.growth_by(&facts),
            many: query.may_return_vector(),
        };
        let recorded = vec![false; query.series.len()];
        Some(QueryFact { text: text.clone(), own: false, query, shape, recorded })
    }

    fn recorded(&self, from: &Object, series: &SeriesRef, depth: usize) -> Option<Shape> {
        if depth >= LONGEST_CHAIN {
            return None;
        }
        let (object, text) = self.recording(from, series)?;
        Some(self.shape(object, &metrics::read(&text.value).ok()?, depth + 1))
    }

    fn recording(&self, from: &Object, series: &SeriesRef) -> Option<(&Object, &Text)> {
        self.aliases.recording(self.inventory, from, series.exact_name()?)
    }
}
