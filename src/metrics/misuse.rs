//! Uses of a series that its type does not allow, and what a query measures as a whole.

use super::catalogue::bucket_bounds;
use super::entry::{Class, Entry, Found, MetricType, Part};
use super::promql::{MatchOp, Query, Role, SeriesRef};
use super::shape::selectors;
use super::tree::{Aggregation, Grouping, Node, Operator};

/// A series used in a way that gives no meaningful value. Indices point into [`Query::series`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misuse {
    /// `rate` of a gauge: every fall counts as a restart.
    RateOfGauge {
        /// The series.
        series: usize,
    },
    /// A counter, or a part of a histogram, without `rate` or `increase`: its value is a total since the process began.
    CumulativeWithoutRate {
        /// The series.
        series: usize,
    },
    /// The sum over the count of a histogram without a rate: the mean since the process began.
    LifetimeMean {
        /// The sum.
        series: usize,
    },
    /// `histogram_quantile` of buckets that an aggregation joined, because it drops the label `le`.
    QuantileWithoutLe {
        /// The buckets.
        series: usize,
    },
    /// `histogram_quantile` of the sum or the count of a histogram.
    QuantileOfNoBuckets {
        /// The sum or count.
        series: usize,
    },
    /// A bucket that the histogram does not have.
    UnknownBucket {
        /// The buckets.
        series: usize,
        /// The matcher on `le`, as an index into the matchers of the series.
        matcher: usize,
    },
}

/// What one series of a query measures there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The series, as an index into [`Query::series`].
    pub series: usize,
    /// What it measures in this query: the count below the sum of a latency histogram measures latency.
    pub class: Class,
    /// The row of the catalogue.
    pub entry: &'static Entry,
}

impl Query {
    /// What each series measures that the catalogue knows, in the order of the text.
    pub fn measures(&self) -> Vec<Measure> {
        let found: Vec<(usize, Found)> = self.found().collect();
        let measure = |(series, known): &(usize, Found)| {
            let observed = |other: &Found| {
                other.entry.name == known.entry.name && matches!(other.part, Part::Sum | Part::Bucket)
            };
            let divides = known.part == Part::Count && found.iter().any(|(_, other)| observed(other));
            let class = if divides { known.entry.class } else { known.class() };
            Measure { series: *series, class, entry: known.entry }
        };
        found.iter().map(measure).collect()
    }

    /// The uses of series that their type does not allow, sorted. Only series of the catalogue are judged.
    pub fn misuses(&self) -> Vec<Misuse> {
        let mut misuses: Vec<Misuse> =
            self.found().filter_map(|(series, found)| self.misuse(series, found)).collect();
        self.misuses_of_quantiles(&self.root, &mut misuses);
        self.lifetime_means(&self.root, &mut misuses);
        misuses.extend(self.unknown_buckets());
        misuses.sort_unstable();
        misuses
    }

    fn found(&self) -> impl Iterator<Item = (usize, Found)> + '_ {
        self.series.iter().enumerate().filter_map(|(index, series)| Some((index, series.find()?)))
    }

    fn misuse(&self, index: usize, found: Found) -> Option<Misuse> {
        const RATES: [&str; 3] = ["rate", "irate", "increase"];
        // These answer a question about the series that does not need a rate.
        const OTHERS: [&str; 8] =
            ["deriv", "delta", "idelta", "changes", "resets", "absent", "absent_over_time", "timestamp"];
        let series = self.series_at(index).filter(|_| found.entry.checked)?;
        let applies = |set: &[&str]| series.functions.iter().any(|function| set.contains(&function.as_str()));
        if found.part == Part::Whole && found.entry.kind == MetricType::Gauge {
            return applies(&RATES).then_some(Misuse::RateOfGauge { series: index });
        }
        // A native histogram is one series, and its functions take the rate.
        let cumulative = found.is_cumulative() && series.role != Role::Condition;
        let counted = is_counted(&self.root, index, false);
        let alone = cumulative && !applies(&RATES) && !applies(&OTHERS) && !counted;
        alone.then_some(Misuse::CumulativeWithoutRate { series: index })
    }

    fn misuses_of_quantiles(&self, node: &Node, misuses: &mut Vec<Misuse>) {
        visit(node, &mut |node| {
            let Node::Call { function, arguments } = node else { return };
            let (true, Some(of)) = (function == "histogram_quantile", arguments.get(1)) else { return };
            for series in selectors(of) {
                let Some(name) = self.series_at(series).and_then(SeriesRef::exact_name) else { continue };
                if name.ends_with("_sum") || name.ends_with("_count") {
                    misuses.push(Misuse::QuantileOfNoBuckets { series });
                } else if name.ends_with("_bucket") && drops_le(of) {
                    misuses.push(Misuse::QuantileWithoutLe { series });
                }
            }
        });
    }

    fn lifetime_means(&self, node: &Node, misuses: &mut Vec<Misuse>) {
        visit(node, &mut |node| {
            let Node::Binary { op: Operator::Divide, left, right, .. } = node else { return };
            let (&[sum], &[count]) = (selectors(left).as_slice(), selectors(right).as_slice()) else {
                return;
            };
            let named = |index| self.series_at(index).and_then(SeriesRef::exact_name);
            let base = named(sum).and_then(|name| name.strip_suffix("_sum"));
            let same = base.is_some() && base == named(count).and_then(|name| name.strip_suffix("_count"));
            let plain = |index| self.series_at(index).is_some_and(|series| series.functions.is_empty());
            if same && plain(sum) && plain(count) {
                misuses.retain(|known| {
                    let one = |series| *known == Misuse::CumulativeWithoutRate { series };
                    !one(sum) && !one(count)
                });
                misuses.push(Misuse::LifetimeMean { series: sum });
            }
        });
    }

    fn unknown_buckets(&self) -> impl Iterator<Item = Misuse> + '_ {
        self.series.iter().enumerate().flat_map(|(series, selector)| {
            let bounds = selector.exact_name().and_then(bucket_bounds);
            selector.matchers.iter().enumerate().filter_map(move |(matcher, written)| {
                let unknown = written.label == "le"
                    && written.op == MatchOp::Equal
                    && !written.templated
                    && !bounds?.contains(&written.value.as_str());
                unknown.then_some(Misuse::UnknownBucket { series, matcher })
            })
        })
    }
}

/// True where the series is only counted, so that its value does not matter.
fn is_counted(node: &Node, series: usize, counted: bool) -> bool {
    match node {
        Node::Selector(index) => counted && *index == series,
        Node::Number(_) | Node::Text => false,
        Node::Negative(inner) => is_counted(inner, series, counted),
        Node::Aggregate { op, of, .. } => {
            let counts = matches!(op, Aggregation::Count | Aggregation::Group | Aggregation::CountValues);
            is_counted(of, series, counted || counts)
        }
        Node::Call { arguments, .. } => {
            arguments.iter().any(|argument| is_counted(argument, series, counted))
        }
        Node::Binary { left, right, .. } => {
            is_counted(left, series, counted) || is_counted(right, series, counted)
        }
    }
}

/// True where an aggregation under the node joins the buckets of a histogram.
fn drops_le(node: &Node) -> bool {
    let mut drops = false;
    visit(node, &mut |node| {
        if let Node::Aggregate { grouping, .. } = node {
            drops |= *grouping != Grouping::Templated && grouping.keeps("le") == Some(false);
        }
    });
    drops
}

/// Calls a function with every node under a node.
fn visit(node: &Node, see: &mut dyn FnMut(&Node)) {
    see(node);
    match node {
        Node::Number(_) | Node::Text | Node::Selector(_) => {}
        Node::Negative(inner) | Node::Aggregate { of: inner, .. } => visit(inner, see),
        Node::Call { arguments, .. } => arguments.iter().for_each(|argument| visit(argument, see)),
        Node::Binary { left, right, .. } => {
            visit(left, see);
            visit(right, see);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::promql::read;
    use super::*;

    #[test]
    fn misuses() {
        use Misuse::*;
        let ttft = "vllm:time_to_first_token_seconds";
        for (text, expected) in [
            ("sum(vllm:num_requests_waiting)".to_owned(), vec![]),
            ("sum(rate(vllm:num_requests_waiting[5m]))".to_owned(), vec![RateOfGauge { series: 0 }]),
            ("sum(vllm:prompt_tokens_total)".to_owned(), vec![CumulativeWithoutRate { series: 0 }]),
            ("sum(rate(vllm:prompt_tokens_total[5m]))".to_owned(), vec![]),
            ("sum(increase(vllm:prompt_tokens_total[5m]))".to_owned(), vec![]),
            ("count(vllm:prompt_tokens_total)".to_owned(), vec![]),
            ("absent(vllm:prompt_tokens_total)".to_owned(), vec![]),
            ("sum(unknown_total)".to_owned(), vec![]),
            ("rate(unknown[5m])".to_owned(), vec![]),
            (format!("histogram_quantile(0.9, sum by (le) (rate({ttft}_bucket[5m])))"), vec![]),
            (format!("histogram_quantile(0.9, sum without (pod) (rate({ttft}_bucket[5m])))"), vec![]),
            (format!("histogram_quantile(0.9, rate({ttft}_bucket[5m]))"), vec![]),
            (format!("histogram_quantile(0.9, sum(rate({ttft}[5m])))"), vec![]),
            (format!("histogram_quantile(0.9, sum by (<<.GroupBy>>) (rate({ttft}_bucket[5m])))"), vec![]),
            (
                format!("histogram_quantile(0.9, sum(rate({ttft}_bucket[5m])))"),
                vec![QuantileWithoutLe { series: 0 }],
            ),
            (
                "histogram_quantile(0.9, sum by (pod) (rate(other_bucket[5m])))".to_owned(),
                vec![QuantileWithoutLe { series: 0 }],
            ),
            (
                format!("histogram_quantile(0.9, sum by (le) ({ttft}_bucket))"),
                vec![CumulativeWithoutRate { series: 0 }],
            ),
            (
                format!("histogram_quantile(0.9, rate({ttft}_sum[5m]) / rate({ttft}_count[5m]))"),
                vec![QuantileOfNoBuckets { series: 0 }, QuantileOfNoBuckets { series: 1 }],
            ),
            (format!("avg({ttft}_sum) / avg({ttft}_count)"), vec![LifetimeMean { series: 0 }]),
            ("a_sum / a_count".to_owned(), vec![LifetimeMean { series: 0 }]),
            ("a_sum / b_count".to_owned(), vec![]),
            (format!("sum(rate({ttft}_sum[5m])) / sum(rate({ttft}_count[5m]))"), vec![]),
            (
                format!("sum(rate({ttft}_bucket{{pod=\"x\", le=\"2.0\"}}[5m]))"),
                vec![UnknownBucket { series: 0, matcher: 1 }],
            ),
            (
                format!("sum(rate({ttft}_bucket{{le=\"1\"}}[5m]))"),
                vec![UnknownBucket { series: 0, matcher: 0 }],
            ),
            (format!("sum(rate({ttft}_bucket{{le=\"2.5\"}}[5m]))"), vec![]),
            (format!("sum(rate({ttft}_bucket{{le=\"$le\"}}[5m]))"), vec![]),
            (format!("sum(rate({ttft}_bucket{{le=~\"2.*\"}}[5m]))"), vec![]),
            ("sum(rate(other_bucket{le=\"2\"}[5m]))".to_owned(), vec![]),
        ] {
            assert_eq!(read(&text).unwrap().misuses(), expected, "{text}");
        }
    }

    #[test]
    fn measures() {
        let ttft = "vllm:time_to_first_token_seconds";
        for (text, expected) in [
            ("sum(vllm:num_requests_waiting) + sum(other)".to_owned(), vec![Class::QueueDepth]),
            (
                "sum(vllm:num_requests_waiting) + sum(vllm:num_requests_running)".to_owned(),
                vec![Class::QueueDepth, Class::RunningRequests],
            ),
            (format!("sum(rate({ttft}_count[5m]))"), vec![Class::Throughput]),
            (
                format!("sum(rate({ttft}_sum[5m])) / sum(rate({ttft}_count[5m]))"),
                vec![Class::Ttft, Class::Ttft],
            ),
            (
                format!("sum(rate({ttft}_bucket{{le=\"2.5\"}}[5m])) / sum(rate({ttft}_count[5m]))"),
                vec![Class::Ttft, Class::Ttft],
            ),
            ("avg(DCGM_FI_DEV_GPU_UTIL or nvidia_gpu_duty_cycle)".to_owned(), vec![Class::GpuDutyCycle; 2]),
        ] {
            let classes: Vec<Class> = read(&text).unwrap().measures().iter().map(|m| m.class).collect();
            assert_eq!(classes, expected, "{text}");
        }
    }
}
