//! How many elements the result of a query has, and which labels tell them apart.

use super::promql::Query;
use super::shape::constant;
use super::tree::{Aggregation, Grouping, Matching, Node, Operator};
use std::collections::BTreeSet;

/// The labels of the elements of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Labels {
    /// At most one element, with any labels.
    One,
    /// No labels but these.
    Closed(BTreeSet<String>),
    /// Any labels.
    Open,
    /// A template decides.
    Templated,
}

/// The elements of a result.
#[derive(Debug, Clone)]
pub(super) struct Elements {
    pub(super) scalar: bool,
    pub(super) labels: Labels,
    /// Labels of which every element has the same value.
    pub(super) pinned: BTreeSet<String>,
}

impl Elements {
    fn scalar() -> Elements {
        Elements { scalar: true, ..Elements::none() }
    }

    /// One element without labels.
    fn none() -> Elements {
        Elements { scalar: false, labels: Labels::Closed(BTreeSet::new()), pinned: BTreeSet::new() }
    }

    fn with(labels: Labels) -> Elements {
        Elements { labels, ..Elements::none() }
    }

    /// True where there may be more than one. None where a template decides.
    pub(super) fn many(&self) -> Option<bool> {
        match &self.labels {
            Labels::One => Some(false),
            Labels::Closed(labels) => Some(!labels.is_subset(&self.pinned)),
            Labels::Open => Some(true),
            Labels::Templated => None,
        }
    }
}

impl Query {
    /// The elements of the result of a node.
    pub(super) fn elements(&self, node: &Node) -> Elements {
        match node {
            Node::Number(_) | Node::Text => Elements::scalar(),
            Node::Negative(inner) => self.elements(inner),
            Node::Selector(index) => {
                let matchers = self.series_at(*index).map_or(&[][..], |series| &series.matchers);
                let pinned = matchers.iter().filter(|matcher| matcher.pins() && !matcher.label.is_empty());
                let pinned = pinned.map(|matcher| matcher.label.clone()).collect();
                Elements { pinned, ..Elements::with(Labels::Open) }
            }
            Node::Aggregate { op, grouping, parameter, of } => {
                aggregated(*op, grouping, parameter.as_deref(), self.elements(of))
            }
            Node::Call { function, arguments } => self.elements_of_call(function, arguments),
            Node::Binary { op, left, right, matching } => {
                combined(*op, matching, self.elements(left), self.elements(right))
            }
        }
    }

    fn elements_of_call(&self, function: &str, arguments: &[Node]) -> Elements {
        let vector =
            arguments.iter().map(|argument| self.elements(argument)).find(|elements| !elements.scalar);
        match (function, vector) {
            ("scalar" | "time" | "pi", _) => Elements::scalar(),
            ("absent" | "absent_over_time", _) => Elements::with(Labels::One),
            ("histogram_quantiles", _) => Elements::with(Labels::Open),
            ("histogram_quantile", Some(mut elements)) => {
                if let Labels::Closed(labels) = &mut elements.labels {
                    labels.remove("le");
                }
                elements
            }
            ("label_replace" | "label_join", Some(elements)) => match elements.many() {
                Some(false) => Elements::with(Labels::One),
                _ => elements,
            },
            (_, Some(elements)) => elements,
            // vector(1), and the functions of time without an argument.
            (_, None) => Elements::none(),
        }
    }
}

fn aggregated(op: Aggregation, grouping: &Grouping, parameter: Option<&Node>, of: Elements) -> Elements {
    match op {
        Aggregation::CountValues => return Elements::with(Labels::Open),
        Aggregation::TopK => {
            let one = *grouping == Grouping::All && parameter.and_then(constant) == Some(1.0);
            return if one { Elements::with(Labels::One) } else { of };
        }
        _ => {}
    }
    // What is one element stays one, whatever the labels.
    if of.labels == Labels::One {
        return of;
    }
    let (labels, pinned) = match grouping {
        Grouping::All => return Elements::none(),
        Grouping::Templated => (Labels::Templated, BTreeSet::new()),
        Grouping::By(by) => {
            let mut kept: BTreeSet<String> = by.iter().cloned().collect();
            if let Labels::Closed(labels) = &of.labels {
                kept.retain(|label| labels.contains(label));
            }
            (Labels::Closed(kept), of.pinned)
        }
        Grouping::Without(dropped) => match of.labels {
            Labels::Closed(mut labels) => {
                labels.retain(|label| !dropped.contains(label));
                (Labels::Closed(labels), of.pinned)
            }
            labels => (labels, of.pinned),
        },
    };
    Elements { scalar: false, labels, pinned }
}

fn combined(op: Operator, matching: &Matching, left: Elements, right: Elements) -> Elements {
    match (left.scalar, right.scalar) {
        (true, _) => return right,
        (_, true) => return left,
        (false, false) => {}
    }
    match (op, matching) {
        (Operator::And | Operator::Unless, _) => left,
        (Operator::Or, Matching::On(labels)) if labels.is_empty() => match (left.many(), right.many()) {
            (Some(false), Some(false)) => Elements::with(Labels::One),
            (Some(true), _) | (_, Some(true)) => Elements::with(Labels::Open),
            _ => Elements::with(Labels::Templated),
        },
        // An element of the right side is added unless the left side has one with the same labels, so a sum by (x) and
        // vector(0), which has no labels, are two elements.
        (Operator::Or, _) => match (&left.labels, &right.labels) {
            (Labels::Closed(a), Labels::Closed(b)) if a == b => {
                let pinned = left.pinned.intersection(&right.pinned).cloned().collect();
                Elements { pinned, ..left }
            }
            (Labels::Templated, _) | (_, Labels::Templated) => Elements::with(Labels::Templated),
            _ => Elements::with(Labels::Open),
        },
        (_, Matching::ManyLeft) => left,
        (_, Matching::ManyRight) => right,
        (_, Matching::On(labels)) => {
            let pinned = left.pinned.union(&right.pinned).cloned().collect();
            Elements { pinned, ..Elements::with(Labels::Closed(labels.iter().cloned().collect())) }
        }
        // One to one: each element of the result comes from one of either side.
        (_, Matching::Whole) => match (left.many(), right.many()) {
            (Some(false), _) => left,
            (_, Some(false)) => right,
            (None, _) => left,
            (_, None) => right,
            _ => left,
        },
    }
}
