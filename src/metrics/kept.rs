//! Which labels of a series survive up to the result of its query.

use super::promql::Query;
use super::tree::{Aggregation, Grouping, Node};

impl Query {
    /// True where every aggregation between a series and the result keeps what `keeps` asks for; so it is where there
    /// is none. None where a template decides, or where `keeps` cannot tell. `series` is an index into
    /// [`Query::series`].
    pub fn keeps_apart(&self, series: usize, keeps: &dyn Fn(&Grouping) -> Option<bool>) -> Option<bool> {
        kept(&self.root, series, keeps).unwrap_or(None)
    }
}

/// The answer for a series under a node; none where it is not under it.
fn kept(node: &Node, series: usize, keeps: &dyn Fn(&Grouping) -> Option<bool>) -> Option<Option<bool>> {
    match node {
        Node::Selector(index) => (*index == series).then_some(Some(true)),
        Node::Number(_) | Node::Text => None,
        Node::Negative(inner) | Node::Aggregate { op: Aggregation::TopK, of: inner, .. } => {
            kept(inner, series, keeps)
        }
        Node::Aggregate { grouping, of, .. } => {
            let below = kept(of, series, keeps)?;
            Some(match (below, keeps(grouping)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            })
        }
        Node::Call { arguments, .. } => arguments.iter().find_map(|argument| kept(argument, series, keeps)),
        Node::Binary { left, right, .. } => kept(left, series, keeps).or_else(|| kept(right, series, keeps)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::promql::read;
    use super::*;

    #[test]
    fn labels_survive() {
        let pod = |grouping: &Grouping| grouping.keeps("pod");
        for (text, expected) in [
            ("a", Some(true)),
            ("a > 1", Some(true)),
            ("sum(a)", Some(false)),
            ("sum by (pod) (a)", Some(true)),
            ("max(sum by (pod) (a))", Some(false)),
            ("sum by (namespace) (a)", Some(false)),
            ("avg without (pod) (a)", Some(false)),
            ("avg without (le) (a)", Some(true)),
            ("topk(3, a)", Some(true)),
            ("sum(topk(3, a))", Some(false)),
            ("sum by ($by) (a)", None),
            ("sum(max by ($by) (a))", Some(false)),
            ("b / sum by (pod) (a)", Some(true)),
            ("clamp_max(-avg_over_time(a[5m]), 1) * 100", Some(true)),
        ] {
            let query = read(text).unwrap();
            let at = query.series.iter().position(|s| s.exact_name() == Some("a")).unwrap();
            assert_eq!(query.keeps_apart(at, &pod), expected, "{text}");
        }
        assert_eq!(read("a").unwrap().keeps_apart(7, &pod), None);
    }
}
