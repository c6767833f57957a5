//! What the shape of a query says: how many elements it returns, in which unit, and how its value answers to a further
//! replica.

use super::entry::Unit;
use super::promql::{Query, SeriesRef};
use super::tree::{Aggregation, Grouping, Node, Operator};
use super::units::scaled;

/// The outermost operation of a query that decides what its value is. Scaling by a constant, rounding, clamping,
/// filters and a fallback are looked through.
#[derive(Debug, Clone, PartialEq)]
pub enum Outer {
    /// An aggregation.
    Aggregate {
        /// The operator.
        op: Aggregation,
        /// The labels that it keeps apart.
        grouping: Grouping,
    },
    /// `histogram_quantile`, with the quantile where it is a number.
    HistogramQuantile(Option<f64>),
    /// Arithmetic between two vectors: `sum(a) / sum(b)`.
    Arithmetic,
    /// `scalar(…)`.
    Scalar,
    /// A number.
    Constant,
    /// A selector that nothing aggregates, with or without functions around it.
    Vector,
    /// Another function that makes a value of its own, such as `absent` and `time`.
    Function(String),
}

/// How the value answers when a pool of replicas under constant load gets one replica more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// It is a sum over the replicas, such as the requests that wait in all of them: the total stays, the share of each
    /// falls.
    Additive,
    /// It is a mean, an extreme or a quantile over the replicas, or a quotient of two totals: it has the size of one
    /// replica's value whatever their number.
    Mean,
    /// It does not depend on any series.
    Constant,
    /// The shape does not tell.
    Unknown,
}

/// What is known of one series beyond the text of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeriesFacts {
    /// Its unit.
    pub unit: Option<Unit>,
    /// One value for the whole pool, so that a sum over it does not grow with the number of replicas.
    pub pool_mean: bool,
}

impl SeriesFacts {
    /// What the catalogue says of a series.
    pub fn of(series: &SeriesRef) -> SeriesFacts {
        series.find().map_or(SeriesFacts::default(), |found| SeriesFacts {
            unit: found.unit(),
            pool_mean: found.entry.pool_mean,
        })
    }
}

impl Query {
    /// The operation that decides what the value is.
    pub fn outer(&self) -> Outer {
        outer(&self.root)
    }

    /// True where the result can have more than one element: an unaggregated selector, or `by (pod)` where no matcher
    /// pins `pod`. KEDA refuses such a result (kedacore/keda, pkg/scalers/prometheus_scaler.go). None where a template
    /// decides.
    pub fn may_return_vector(&self) -> Option<bool> {
        self.elements(&self.root).many()
    }

    /// True where a constant stands in for a missing value: `… or vector(0)`.
    pub fn falls_back_to_vector(&self) -> bool {
        fallback(&self.root).is_some()
    }

    /// The constant that stands in for a missing value, where it is a number.
    pub fn fallback_value(&self) -> Option<f64> {
        fallback(&self.root).filter(|value| !value.is_nan())
    }

    /// The number by which the value of the series is multiplied on its way to the top: 100 in `avg(x) * 100`, 1 without
    /// any. None where it is no literal, or differs between the series.
    pub fn scale_factor(&self) -> Option<f64> {
        factor(&self.root).filter(|factor| factor.is_finite())
    }

    /// The unit of the result, by the catalogue.
    pub fn unit(&self) -> Option<Unit> {
        self.unit_by(&SeriesFacts::of)
    }

    /// The unit of the result, where `facts` tells what is known of a series.
    pub fn unit_by(&self, facts: &dyn Fn(&SeriesRef) -> SeriesFacts) -> Option<Unit> {
        scaled(self.unit_of(&self.root, facts)?, self.scale_factor()?)
    }

    /// How the value answers to a further replica, by the catalogue.
    pub fn growth(&self) -> Growth {
        self.growth_by(&SeriesFacts::of)
    }

    /// How the value answers to a further replica, where `facts` tells what is known of a series.
    pub fn growth_by(&self, facts: &dyn Fn(&SeriesRef) -> SeriesFacts) -> Growth {
        self.growth_of(&self.root, facts)
    }

    /// True where the value is a mean, an extreme or a quantile of fractions. Under `AverageValue`, which divides by no
    /// number of replicas, it asks for at most the largest value over the target, however many replicas there are.
    pub fn is_ratio_aggregate(&self) -> bool {
        self.growth() == Growth::Mean && self.unit().is_some_and(Unit::is_bounded)
    }

    /// True where the value is a sum over replicas. Under `Value`, which multiplies by the number of replicas, it runs
    /// away while the total stays above the target.
    pub fn is_additive_sum(&self) -> bool {
        self.growth() == Growth::Additive
    }

    /// The series that no matcher narrows down, as indices into [`Query::series`]: they are those of every pool. A join
    /// on labels with a series that is narrowed down narrows the other one down too.
    pub fn unscoped(&self) -> Vec<usize> {
        let mut unscoped = self.unscoped_under(&self.root);
        unscoped.sort_unstable();
        unscoped
    }

    fn unscoped_under(&self, node: &Node) -> Vec<usize> {
        match node {
            Node::Number(_) | Node::Text => vec![],
            Node::Selector(index) => {
                let unscoped = self.series_at(*index).is_some_and(SeriesRef::is_unscoped);
                if unscoped { vec![*index] } else { vec![] }
            }
            Node::Negative(inner) | Node::Aggregate { of: inner, .. } => self.unscoped_under(inner),
            Node::Call { arguments, .. } => {
                arguments.iter().flat_map(|inner| self.unscoped_under(inner)).collect()
            }
            Node::Binary { op, left, right, .. } => {
                let many = |node| self.elements(node).many() == Some(true);
                let joins = !matches!(op, Operator::Or | Operator::Unless) && many(left) && many(right);
                let (left, right) = (self.unscoped_under(left), self.unscoped_under(right));
                if joins && (left.is_empty() || right.is_empty()) {
                    return vec![];
                }
                [left, right].concat()
            }
        }
    }

    pub(super) fn series_at(&self, index: usize) -> Option<&SeriesRef> {
        self.series.get(index)
    }

    fn growth_of(&self, node: &Node, facts: &dyn Fn(&SeriesRef) -> SeriesFacts) -> Growth {
        if constant(node).is_some() {
            return Growth::Constant;
        }
        match node {
            Node::Number(_) | Node::Text => Growth::Constant,
            Node::Negative(inner) => self.growth_of(inner, facts),
            // The value of one replica, among those of others.
            Node::Selector(index) => match self.series_at(*index).map(facts) {
                Some(facts) if facts.pool_mean => Growth::Mean,
                _ => Growth::Unknown,
            },
            Node::Aggregate { op, of, .. } => match op {
                Aggregation::Sum if self.elements(of).many() == Some(false) => self.growth_of(of, facts),
                Aggregation::Sum if self.is_pool_mean(of, facts) => Growth::Mean,
                Aggregation::Sum | Aggregation::Count => Growth::Additive,
                Aggregation::Avg
                | Aggregation::Max
                | Aggregation::Min
                | Aggregation::Quantile
                | Aggregation::Deviation
                    if self.elements(of).many() == Some(false) =>
                {
                    self.growth_of(of, facts)
                }
                Aggregation::Avg
                | Aggregation::Max
                | Aggregation::Min
                | Aggregation::Quantile
                | Aggregation::Deviation => Growth::Mean,
                Aggregation::Group => Growth::Constant,
                Aggregation::TopK => self.growth_of(of, facts),
                Aggregation::CountValues => Growth::Unknown,
            },
            Node::Call { function, arguments } => match function.as_str() {
                "histogram_quantile" | "histogram_avg" | "histogram_fraction" => Growth::Mean,
                "absent" | "absent_over_time" | "timestamp" | "sgn" => Growth::Unknown,
                _ => {
                    let mut values = arguments.iter().filter(|argument| constant(argument).is_none());
                    values
                        .find(|argument| !matches!(argument, Node::Text))
                        .map_or(Growth::Constant, |argument| self.growth_of(argument, facts))
                }
            },
            Node::Binary { op, left, right, .. } => {
                combined_growth(*op, self.growth_of(left, facts), self.growth_of(right, facts))
            }
        }
    }

    /// True where every series under the node has one value for the whole pool.
    fn is_pool_mean(&self, node: &Node, facts: &dyn Fn(&SeriesRef) -> SeriesFacts) -> bool {
        let selectors = selectors(node);
        !selectors.is_empty()
            && selectors
                .iter()
                .all(|index| self.series_at(*index).is_some_and(|series| facts(series).pool_mean))
    }
}

/// The value of an expression without series: NaN where a template supplies a part of it. None for any other.
pub(super) fn constant(node: &Node) -> Option<f64> {
    match node {
        Node::Number(value) => Some(*value),
        Node::Negative(inner) => constant(inner).map(|value| -value),
        Node::Call { function, arguments } => match (function.as_str(), arguments.as_slice()) {
            ("vector" | "scalar", [inner]) => constant(inner),
            ("pi", []) => Some(std::f64::consts::PI),
            _ => None,
        },
        Node::Binary { op, left, right, .. } => {
            let (left, right) = (constant(left)?, constant(right)?);
            Some(match op {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
                Operator::Divide => left / right,
                _ => f64::NAN,
            })
        }
        Node::Text | Node::Selector(_) | Node::Aggregate { .. } => None,
    }
}

/// The selectors under a node, in order.
pub(super) fn selectors(node: &Node) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Node::Selector(index) => found.push(*index),
            Node::Negative(inner) => open.push(inner),
            Node::Aggregate { of, .. } => open.push(of),
            Node::Call { arguments, .. } => open.extend(arguments),
            Node::Binary { left, right, .. } => open.extend([left.as_ref(), right.as_ref()]),
            Node::Number(_) | Node::Text => {}
        }
    }
    found.sort_unstable();
    found
}

fn outer(node: &Node) -> Outer {
    if constant(node).is_some() {
        return Outer::Constant;
    }
    match node {
        Node::Number(_) | Node::Text => Outer::Constant,
        Node::Selector(_) => Outer::Vector,
        Node::Negative(inner) => outer(inner),
        // The series that remain are those of the inner query.
        Node::Aggregate { op: Aggregation::TopK, of, grouping, .. } => match outer(of) {
            Outer::Vector => Outer::Aggregate { op: Aggregation::TopK, grouping: grouping.clone() },
            inner => inner,
        },
        Node::Aggregate { op, grouping, .. } => Outer::Aggregate { op: *op, grouping: grouping.clone() },
        Node::Call { function, arguments } => match function.as_str() {
            "histogram_quantile" => {
                Outer::HistogramQuantile(arguments.first().and_then(constant).filter(|q| !q.is_nan()))
            }
            "scalar" => Outer::Scalar,
            "absent" | "absent_over_time" | "time" => Outer::Function(function.clone()),
            _ => {
                let value = arguments
                    .iter()
                    .find(|argument| constant(argument).is_none() && !matches!(argument, Node::Text));
                value.map_or_else(|| Outer::Function(function.clone()), outer)
            }
        },
        Node::Binary { op, left, right, .. } => match op {
            Operator::And | Operator::Unless | Operator::Filter | Operator::Or => {
                if constant(left).is_some() { outer(right) } else { outer(left) }
            }
            _ if constant(left).is_some() => outer(right),
            _ if constant(right).is_some() => outer(left),
            _ => Outer::Arithmetic,
        },
    }
}

fn fallback(node: &Node) -> Option<f64> {
    match node {
        Node::Binary { op: Operator::Or, left, right, .. } => constant(right).or_else(|| fallback(left)),
        Node::Binary { op: Operator::Multiply | Operator::Divide, left, right, .. } => {
            if constant(left).is_some() { fallback(right) } else { fallback(left) }
        }
        Node::Binary { left, right, .. } => {
            if constant(right).is_some() {
                fallback(left)
            } else {
                fallback(left).and(fallback(right))
            }
        }
        Node::Negative(inner) | Node::Aggregate { of: inner, .. } => fallback(inner),
        Node::Call { arguments, .. } => arguments.iter().find_map(fallback),
        Node::Number(_) | Node::Text | Node::Selector(_) => None,
    }
}

fn factor(node: &Node) -> Option<f64> {
    match node {
        Node::Selector(_) | Node::Number(_) | Node::Text => Some(1.0),
        Node::Negative(inner) => factor(inner),
        Node::Aggregate { op, of, .. } => match op {
            Aggregation::Count | Aggregation::Group | Aggregation::CountValues => Some(1.0),
            _ => factor(of),
        },
        Node::Call { function, arguments } => match function.as_str() {
            "histogram_quantile" | "absent" | "absent_over_time" => Some(1.0),
            "ln" | "log2" | "log10" | "exp" | "sqrt" | "sgn" => None,
            _ => arguments.iter().find(|argument| constant(argument).is_none()).map_or(Some(1.0), factor),
        },
        Node::Binary { op, left, right, .. } => {
            let literal = |value: f64| (!value.is_nan()).then_some(value);
            match (op, constant(left), constant(right)) {
                (Operator::Multiply, Some(by), _) => Some(literal(by)? * factor(right)?),
                (Operator::Multiply, _, Some(by)) => Some(factor(left)? * literal(by)?),
                (Operator::Multiply, None, None) => Some(factor(left)? * factor(right)?),
                (Operator::Divide, _, Some(by)) => Some(factor(left)? / literal(by)?),
                (Operator::Divide, None, None) => Some(factor(left)? / factor(right)?),
                (Operator::Add | Operator::Subtract | Operator::Or, Some(_), None) => factor(right),
                (Operator::Add | Operator::Subtract | Operator::Or, None, Some(_)) => factor(left),
                (Operator::Add | Operator::Subtract | Operator::Or, None, None) => {
                    let (left, right) = (factor(left)?, factor(right)?);
                    (left == right).then_some(left)
                }
                (Operator::Filter, Some(_), None) => factor(right),
                (Operator::And | Operator::Unless | Operator::Filter, None, _) => factor(left),
                _ => None,
            }
        }
    }
}

fn combined_growth(op: Operator, left: Growth, right: Growth) -> Growth {
    use Growth::{Additive, Constant, Mean, Unknown};
    match (op, left, right) {
        (Operator::Test | Operator::Arithmetic, ..) => Unknown,
        (Operator::Filter, Constant, growth) => growth,
        (Operator::And | Operator::Unless | Operator::Filter, growth, _) => growth,
        (Operator::Divide, Constant, _) => Unknown,
        (_, growth, Constant) | (_, Constant, growth) => growth,
        (Operator::Or | Operator::Add | Operator::Subtract, a, b) if a == b => a,
        (Operator::Multiply, Mean, Mean) => Mean,
        (Operator::Multiply, Additive, Mean) | (Operator::Multiply, Mean, Additive) => Additive,
        (Operator::Divide, Additive, Additive) | (Operator::Divide, Mean, Mean) => Mean,
        (Operator::Divide, Additive, Mean) => Additive,
        _ => Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::promql::read;
    use super::*;

    /// Outer operation, factor, unit, growth, whether several elements are possible, and the fallback.
    fn show(text: &str) -> String {
        let query = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let outer = match query.outer() {
            Outer::Aggregate { op, grouping } => {
                let grouping = match grouping {
                    Grouping::All => String::new(),
                    Grouping::By(labels) => format!(" by {}", labels.join(",")),
                    Grouping::Without(labels) => format!(" without {}", labels.join(",")),
                    Grouping::Templated => " by <template>".to_owned(),
                };
                format!("{op:?}{grouping}")
            }
            outer => format!("{outer:?}"),
        };
        let factor = query.scale_factor().map_or("?".to_owned(), |factor| format!("{factor}"));
        let unit = query.unit().map_or("?".to_owned(), |unit| format!("{unit:?}"));
        let many = match query.may_return_vector() {
            Some(true) => "many",
            Some(false) => "one",
            None => "unresolved",
        };
        let fallback = match (query.falls_back_to_vector(), query.fallback_value()) {
            (false, _) => String::new(),
            (true, value) => format!(" or {}", value.map_or("?".to_owned(), |value| value.to_string())),
        };
        format!("{outer} | x{factor} | {unit} | {:?} | {many}{fallback}", query.growth())
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(show(text), expected, "{text}");
    }

    #[test]
    fn ratios() {
        for (text, expected) in [
            ("avg(vllm:kv_cache_usage_perc)", "Avg | x1 | Ratio | Mean | one"),
            ("avg(vllm:gpu_cache_usage_perc)*100", "Avg | x100 | Percent | Mean | one"),
            ("100 * avg(vllm:gpu_cache_usage_perc)", "Avg | x100 | Percent | Mean | one"),
            ("avg(vllm:gpu_cache_usage_perc * 100)", "Avg | x100 | Percent | Mean | one"),
            ("(avg(vllm:kv_cache_usage_perc) / 0.01)", "Avg | x100 | Percent | Mean | one"),
            ("max(vllm:kv_cache_usage_perc) * 50", "Max | x50 | ? | Mean | one"),
            ("max(vllm:kv_cache_usage_perc) * $x", "Max | x? | ? | Mean | one"),
            ("quantile(0.9, vllm:kv_cache_usage_perc)", "Quantile | x1 | Ratio | Mean | one"),
            ("sum(vllm:kv_cache_usage_perc)", "Sum | x1 | Ratio | Additive | one"),
            (
                "sum(vllm:kv_cache_usage_perc)/count(vllm:kv_cache_usage_perc)",
                "Arithmetic | x1 | Ratio | Mean | one",
            ),
            ("avg(DCGM_FI_DEV_GPU_UTIL) / 100", "Avg | x0.01 | Ratio | Mean | one"),
            ("avg(avg_over_time(vllm:kv_cache_usage_perc[5m]))", "Avg | x1 | Ratio | Mean | one"),
            ("max_over_time(avg(vllm:kv_cache_usage_perc)[5m:])", "Avg | x1 | Ratio | Mean | one"),
            ("(1 - avg(vllm:kv_cache_usage_perc)) * 100", "Avg | x100 | Percent | Mean | one"),
            ("sum(llm_d_epp_average_kv_cache_utilization)", "Sum | x1 | Ratio | Mean | one"),
            ("llm_d_epp_average_kv_cache_utilization", "Vector | x1 | Ratio | Mean | many"),
            (
                "avg(100 * DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE))",
                "Avg | x100 | Percent | Mean | one",
            ),
            (
                "sum(DCGM_FI_DEV_FB_USED) / (sum(DCGM_FI_DEV_FB_USED) + sum(DCGM_FI_DEV_FB_FREE)) * 100",
                "Arithmetic | x100 | Percent | Mean | one",
            ),
        ] {
            check(text, expected);
            let bounded = expected.contains("Ratio") || expected.contains("Percent");
            let ratio = expected.contains("Mean") && bounded;
            assert_eq!(read(text).unwrap().is_ratio_aggregate(), ratio, "{text}");
        }
    }

    #[test]
    fn totals() {
        for (text, expected) in [
            ("sum(vllm:num_requests_waiting)", "Sum | x1 | Count | Additive | one"),
            ("sum(vllm:num_requests_waiting) or vector(0)", "Sum | x1 | Count | Additive | one or 0"),
            ("sum(vllm:num_requests_waiting or vector(0))", "Sum | x1 | Count | Additive | one or 0"),
            ("(sum(vllm:num_requests_waiting) or vector($x)) * 2", "Sum | x2 | ? | Additive | one or ?"),
            (
                "sum(vllm:num_requests_waiting) + sum(vllm:num_requests_running)",
                "Arithmetic | x1 | Count | Additive | one",
            ),
            ("sum(vllm:num_requests_waiting) * 2 + sum(b)", "Arithmetic | x? | ? | Additive | one"),
            ("sum(rate(vllm:prompt_tokens_total[1m]))", "Sum | x1 | PerSecond | Additive | one"),
            ("sum(increase(vllm:prompt_tokens_total[1m]))", "Sum | x1 | Count | Additive | one"),
            ("sum(a) / 5", "Sum | x0.2 | ? | Additive | one"),
            ("ceil(sum(a) / 5)", "Sum | x0.2 | ? | Additive | one"),
            ("clamp_max(sum(a), 10)", "Sum | x1 | ? | Additive | one"),
            ("sum(sum by (pod) (vllm:num_requests_waiting))", "Sum | x1 | Count | Additive | one"),
            ("max(sum(a))", "Max | x1 | ? | Additive | one"),
            ("max(sum by (pod) (a))", "Max | x1 | ? | Mean | one"),
            ("avg(vllm:num_requests_waiting)", "Avg | x1 | Count | Mean | one"),
            ("sum(vllm:num_requests_waiting) / count(up)", "Arithmetic | x1 | Count | Mean | one"),
            (
                "sum(vllm:num_requests_waiting) / scalar(count(up == 1) or vector(1))",
                "Arithmetic | x1 | Count | Mean | one",
            ),
            (
                "sum(vllm:num_requests_waiting) / sum(vllm:num_requests_running)",
                "Arithmetic | x1 | ? | Mean | one",
            ),
            (
                "sum(vllm:num_requests_waiting) / (sum(vllm:num_requests_waiting) + sum(vllm:num_requests_running))",
                "Arithmetic | x1 | Ratio | Mean | one",
            ),
            ("sum(a) / count(b)", "Arithmetic | x1 | ? | Mean | one"),
            ("sum(a) / scalar(count(b))", "Arithmetic | x1 | ? | Mean | one"),
            ("sum(a) * avg(b)", "Arithmetic | x1 | ? | Additive | one"),
            ("sum(a) > 5", "Sum | x1 | ? | Additive | one"),
            ("5 < sum(a)", "Sum | x1 | ? | Additive | one"),
            ("sum(a) > bool 5", "Sum | x? | ? | Unknown | one"),
            ("-sum(a)", "Sum | x1 | ? | Additive | one"),
            ("sum(a) and on() (sum(b) > 0)", "Sum | x1 | ? | Additive | one"),
            ("sum(inference_pool_average_queue_size)", "Sum | x1 | Count | Mean | one"),
            ("vector(1)", "Constant | x1 | ? | Constant | one"),
            ("1 + 1", "Constant | x? | ? | Constant | one"),
            ("group(a)", "Group | x1 | ? | Constant | one"),
            ("scalar(sum(a))", "Scalar | x1 | ? | Additive | one"),
            ("absent(a)", "Function(\"absent\") | x1 | ? | Unknown | one"),
            ("time() - max(a)", "Arithmetic | x1 | ? | Mean | one"),
        ] {
            check(text, expected);
            assert_eq!(read(text).unwrap().is_additive_sum(), expected.contains("Additive"), "{text}");
        }
    }

    #[test]
    fn latencies() {
        let bucket = "vllm:time_to_first_token_seconds_bucket";
        let sum = "vllm:time_to_first_token_seconds_sum";
        let count = "vllm:time_to_first_token_seconds_count";
        for (text, expected) in [
            (
                format!("histogram_quantile(0.95, sum by (le) (rate({bucket}[5m])))"),
                "HistogramQuantile(Some(0.95)) | x1 | Seconds | Mean | one",
            ),
            (
                format!("histogram_quantile(0.95, sum by (le) (rate({bucket}[5m]))) * 1000"),
                "HistogramQuantile(Some(0.95)) | x1000 | Milliseconds | Mean | one",
            ),
            (
                format!("histogram_quantile(0.95, sum by (le, pod) (rate({bucket}[5m])))"),
                "HistogramQuantile(Some(0.95)) | x1 | Seconds | Mean | many",
            ),
            (
                format!("histogram_quantile($q, rate({bucket}[5m]))"),
                "HistogramQuantile(None) | x1 | Seconds | Mean | many",
            ),
            (
                format!("sum(rate({sum}[5m])) / sum(rate({count}[5m]))"),
                "Arithmetic | x1 | Seconds | Mean | one",
            ),
            (
                format!("sum(rate({bucket}{{le=\"2.5\"}}[5m])) / sum(rate({count}[5m]))"),
                "Arithmetic | x1 | Ratio | Mean | one",
            ),
            (format!("sum(rate({count}[5m]))"), "Sum | x1 | PerSecond | Additive | one"),
        ] {
            check(&text, expected);
        }
    }

    #[test]
    fn elements() {
        for (text, many) in [
            ("vllm:num_requests_waiting", Some(true)),
            ("vllm:num_requests_waiting{namespace=\"x\"}", Some(true)),
            ("rate(a_total[5m])", Some(true)),
            ("sum by (pod) (a)", Some(true)),
            ("sum(a) by (pod)", Some(true)),
            ("sum by (namespace) (a{namespace=\"x\"})", Some(false)),
            ("sum by (namespace) (a{namespace=~\"x\"})", Some(false)),
            ("sum by (namespace) (a{namespace=~\"x.*\"})", Some(true)),
            ("sum by (namespace) (a{namespace=\"{{ .Release.Namespace }}\"})", Some(false)),
            ("sum by (namespace) (a{namespace=~\"$ns\"})", Some(true)),
            ("sum by (namespace, pod) (a{namespace=\"x\"})", Some(true)),
            ("sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)", None),
            ("sum by (pod) (sum(a))", Some(false)),
            ("sum(sum by (pod) (a))", Some(false)),
            ("sum without (pod) (a)", Some(true)),
            ("sum without (pod) (sum by (pod) (a))", Some(false)),
            ("topk(1, a)", Some(false)),
            ("topk(3, a)", Some(true)),
            ("topk(1, a) by (pod)", Some(true)),
            ("bottomk($k, a)", Some(true)),
            ("count_values(\"v\", a)", Some(true)),
            ("scalar(a)", Some(false)),
            ("absent(a)", Some(false)),
            ("avg(a) or vector(0)", Some(false)),
            ("a or vector(0)", Some(true)),
            ("sum by (ns) (a{ns=\"x\"}) or vector(0)", Some(true)),
            ("sum by (ns) (a{ns=\"x\"}) or on() vector(0)", Some(false)),
            ("sum(a) or sum(b)", Some(false)),
            ("sum by (x) (a{x=\"1\"}) or sum by (x) (b{x=\"1\"})", Some(false)),
            ("sum(a) + b", Some(false)),
            ("sum(a) / on() group_right b", Some(true)),
            ("a / on(pod) b", Some(true)),
            ("a / on(pod) b{pod=\"x\"}", Some(false)),
            ("a * on(pod) group_left b", Some(true)),
            ("sum(a) and b", Some(false)),
            ("sum(a) * 2", Some(false)),
            ("label_replace(sum(a), \"x\", \"$1\", \"y\", \"(.*)\")", Some(false)),
            ("label_replace(a, \"x\", \"$1\", \"y\", \"(.*)\")", Some(true)),
            ("histogram_quantile(0.9, sum by (le) (a_bucket))", Some(false)),
            ("histogram_quantile(0.9, a_bucket)", Some(true)),
            ("avg_over_time(sum(a)[5m:])", Some(false)),
            ("42", Some(false)),
            ("hour()", Some(false)),
        ] {
            assert_eq!(read(text).unwrap().may_return_vector(), many, "{text}");
        }
    }

    #[test]
    fn facts_from_elsewhere() {
        let query = read("sum(namespace:kv:avg) * 100").unwrap();
        assert_eq!((query.growth(), query.unit()), (Growth::Additive, None));
        let facts = |_: &SeriesRef| SeriesFacts { unit: Some(Unit::Ratio), pool_mean: true };
        assert_eq!((query.growth_by(&facts), query.unit_by(&facts)), (Growth::Mean, Some(Unit::Percent)));
    }
}
