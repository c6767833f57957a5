//! The unit of the value of a query.

use super::entry::{Part, Unit};
use super::promql::{Query, SeriesRef};
use super::shape::{SeriesFacts, constant, selectors};
use super::tree::{Aggregation, Node, Operator};
use std::collections::BTreeSet;

impl Query {
    /// The unit of the value of a node, without regard to the constants that scale it.
    pub(super) fn unit_of(&self, node: &Node, facts: &dyn Fn(&SeriesRef) -> SeriesFacts) -> Option<Unit> {
        match node {
            Node::Number(_) | Node::Text => None,
            Node::Negative(inner) => self.unit_of(inner, facts),
            Node::Selector(index) => self.series_at(*index).and_then(|series| facts(series).unit),
            Node::Aggregate { op, of, .. } => match op {
                Aggregation::Count => Some(Unit::Count),
                Aggregation::Group | Aggregation::CountValues => None,
                _ => self.unit_of(of, facts),
            },
            Node::Call { function, arguments } => {
                let inner =
                    arguments.iter().find(|argument| !matches!(argument, Node::Number(_) | Node::Text));
                let unit = inner.and_then(|argument| self.unit_of(argument, facts));
                match function.as_str() {
                    "rate" | "irate" | "deriv" => (unit == Some(Unit::Count)).then_some(Unit::PerSecond),
                    "count_over_time" | "changes" | "resets" => Some(Unit::Count),
                    "histogram_quantile" => inner.and_then(|argument| self.observed_unit(argument)),
                    "time" | "timestamp" => Some(Unit::Seconds),
                    "absent" | "absent_over_time" | "sgn" | "ln" | "log2" | "log10" | "exp" | "sqrt" => None,
                    _ => unit,
                }
            }
            Node::Binary { op, left, right, .. } => self.unit_of_binary(*op, left, right, facts),
        }
    }

    fn unit_of_binary(
        &self,
        op: Operator,
        left: &Node,
        right: &Node,
        facts: &dyn Fn(&SeriesRef) -> SeriesFacts,
    ) -> Option<Unit> {
        let units = || (self.unit_of(left, facts), self.unit_of(right, facts));
        match op {
            Operator::Multiply => match (constant(left), constant(right)) {
                (Some(_), _) => self.unit_of(right, facts),
                (_, Some(_)) => self.unit_of(left, facts),
                // A total times a mean has the unit of neither, a fraction of something that of the something.
                (None, None) => match units() {
                    (Some(Unit::Ratio), unit) | (unit, Some(Unit::Ratio)) => unit,
                    _ => None,
                },
            },
            Operator::Divide => match (constant(left), constant(right)) {
                (_, Some(_)) => self.unit_of(left, facts),
                (Some(_), None) => None,
                (None, None) => self.mean_of_histogram(left, right).or_else(|| match units() {
                    (Some(unit), Some(Unit::Count)) if unit != Unit::Count || is_mean(left, right) => {
                        Some(unit)
                    }
                    (Some(a @ (Unit::Bytes | Unit::Mebibytes)), Some(b)) if a == b => Some(Unit::Ratio),
                    (Some(a), Some(b)) if a == b && self.is_part(left, right) => Some(Unit::Ratio),
                    _ => None,
                }),
            },
            Operator::Add | Operator::Subtract => match (constant(left), constant(right)) {
                (Some(_), _) => self.unit_of(right, facts),
                (_, Some(_)) => self.unit_of(left, facts),
                (None, None) => match units() {
                    (Some(a), Some(b)) if a == b => Some(a),
                    _ => None,
                },
            },
            Operator::Or => match (self.unit_of(left, facts), constant(right)) {
                (unit, Some(_)) => unit,
                (unit, None) => self.unit_of(right, facts).filter(|other| unit == Some(*other)),
            },
            Operator::Filter if constant(left).is_some() => self.unit_of(right, facts),
            Operator::And | Operator::Unless | Operator::Filter => self.unit_of(left, facts),
            Operator::Arithmetic | Operator::Test => None,
        }
    }

    /// The unit of the observations of the one histogram whose buckets are under a node.
    fn observed_unit(&self, node: &Node) -> Option<Unit> {
        let mut units = selectors(node).into_iter().map(|index| {
            let found = self.series_at(index).and_then(SeriesRef::find)?;
            // A native histogram has no buckets of its own name.
            matches!(found.part, Part::Bucket | Part::Whole).then_some(found.entry.unit).flatten()
        });
        let first = units.next()??;
        units.all(|unit| unit == Some(first)).then_some(first)
    }

    /// True where the series of a dividend are among those of the divisor, joined by the same operation: requests that
    /// wait, of all. Requests over replicas, or over other requests, have no largest value.
    fn is_part(&self, left: &Node, right: &Node) -> bool {
        let names = |node: &Node| -> Option<BTreeSet<&str>> {
            selectors(node)
                .into_iter()
                .map(|index| self.series_at(index)?.find().map(|f| f.entry.name))
                .collect()
        };
        let (Some(part), Some(whole)) = (names(left), names(right)) else { return false };
        part.is_subset(&whole) && aggregations(left) == aggregations(right)
    }

    /// The unit of the sum of a histogram over its count.
    fn mean_of_histogram(&self, left: &Node, right: &Node) -> Option<Unit> {
        let only = |node: &Node| match selectors(node).as_slice() {
            [index] => self.series_at(*index).and_then(SeriesRef::find),
            _ => None,
        };
        let (sum, count) = (only(left)?, only(right)?);
        let fits = sum.part == Part::Sum && count.part == Part::Count && sum.entry.name == count.entry.name;
        fits.then_some(sum.entry.unit).flatten()
    }
}

/// True for a total over a number of series: the mean, as `avg` gives it.
fn is_mean(left: &Node, right: &Node) -> bool {
    let counts = |node| aggregations(node).contains(&Aggregation::Count);
    counts(right) && !counts(left)
}

/// The aggregations under a node.
fn aggregations(node: &Node) -> BTreeSet<Aggregation> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Node::Aggregate { op, of, .. } => {
                found.insert(*op);
                open.push(of);
            }
            Node::Negative(inner) => open.push(inner),
            Node::Call { arguments, .. } => open.extend(arguments),
            Node::Binary { left, right, .. } => open.extend([left.as_ref(), right.as_ref()]),
            Node::Number(_) | Node::Text | Node::Selector(_) => {}
        }
    }
    found
}

/// The unit of a value after multiplication by a constant. Most constants leave no unit that has a name.
pub(super) fn scaled(unit: Unit, by: f64) -> Option<Unit> {
    const MEBI: f64 = 1_048_576.0;
    const STEPS: [(Unit, f64, Unit); 8] = [
        (Unit::Ratio, 100.0, Unit::Percent),
        (Unit::Percent, 0.01, Unit::Ratio),
        (Unit::Seconds, 1e3, Unit::Milliseconds),
        (Unit::Seconds, 1e6, Unit::Microseconds),
        (Unit::Milliseconds, 1e-3, Unit::Seconds),
        (Unit::Microseconds, 1e-6, Unit::Seconds),
        (Unit::Microseconds, 1e-3, Unit::Milliseconds),
        (Unit::Bytes, 1.0 / MEBI, Unit::Mebibytes),
    ];
    if by == 1.0 {
        return Some(unit);
    }
    let fits = |(from, factor, _): &&(Unit, f64, Unit)| *from == unit && (factor / by - 1.0).abs() < 1e-9;
    STEPS.iter().find(fits).map(|(_, _, to)| *to)
}
