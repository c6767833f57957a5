//! The names that prometheus-adapter gives to series, and the series behind a name.

use super::catalogue::entries;
use super::entry::{Entry, Place};
use super::promql::{SeriesName, read};
use super::scan::names;
use regex::{Captures, Regex};
use std::ops::Range;

/// The name under which a rule of prometheus-adapter exports a series: the fields `name.matches` and `name.as`.
///
/// Without `matches` it is `.*`. Without `as` it is `$1` where `matches` has one group and `$0` where it has none; with
/// more groups the adapter refuses the rule (kubernetes-sigs/prometheus-adapter, docs/config.md and
/// pkg/naming/metric_namer.go). Nothing is stripped by itself, `_total` included.
///
/// None where the rule does not export the series, or where the rule is one that the adapter refuses.
pub fn exported_name(series: &str, matches: Option<&str>, as_: Option<&str>) -> Option<String> {
    Naming::new(matches, as_)?.name(series)
}

/// The field of an adapter rule that names a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleField {
    /// `seriesQuery`
    SeriesQuery,
    /// `metricsQuery`
    MetricsQuery,
}

/// A series that an adapter rule reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: SeriesName,
    /// The field that names it.
    pub field: RuleField,
    /// The bytes of the name in the text of that field.
    pub range: Range<usize>,
}

/// The series that the value of an adapter rule is computed from.
///
/// `metricsQuery` decides: the series of `seriesQuery` count only where it uses `<<.Series>>`, or where it is left out.
/// Many rules discover with one series and query another.
pub fn source_series(series_query: &str, metrics_query: Option<&str>) -> Vec<Source> {
    let computed = metrics_query.unwrap_or("<<.Series>>");
    let mut sources = if uses_discovered_series(computed) {
        sources_in(series_query, RuleField::SeriesQuery)
    } else {
        vec![]
    };
    sources.extend(sources_in(computed, RuleField::MetricsQuery));
    sources
}

/// The catalogue's names that a rule exports which discovers its series by a regular expression, each with the series
/// behind it: `{__name__=~"^vllm:.*"}` exports every series of vLLM.
///
/// The pattern must match a name whole, as in PromQL. Empty where it cannot be compiled.
pub fn exports_of_pattern(
    pattern: &str,
    matches: Option<&str>,
    as_: Option<&str>,
) -> Vec<(String, &'static Entry)> {
    let (Ok(pattern), Some(naming)) = (Regex::new(&format!("^(?:{pattern})$")), Naming::new(matches, as_))
    else {
        return vec![];
    };
    let series =
        entries().iter().filter(|entry| entry.place == Place::Series && pattern.is_match(entry.name));
    series.filter_map(|entry| Some((naming.name(entry.name)?, entry))).collect()
}

/// The naming part of an adapter rule.
struct Naming {
    matches: Regex,
    as_: String,
}

impl Naming {
    fn new(matches: Option<&str>, as_: Option<&str>) -> Option<Naming> {
        let given = |field: Option<&str>| field.filter(|text| !text.is_empty()).map(str::to_owned);
        let matches = Regex::new(&given(matches).unwrap_or_else(|| ".*".to_owned())).ok()?;
        let as_ = match (given(as_), matches.captures_len()) {
            (Some(as_), _) => as_,
            (None, 1) => "$0".to_owned(),
            (None, 2) => "$1".to_owned(),
            (None, _) => return None,
        };
        Some(Naming { matches, as_ })
    }

    fn name(&self, series: &str) -> Option<String> {
        let captures: Captures<'_> = self.matches.captures(series)?;
        let mut name = String::new();
        // `$1_total` is the group `1_total` and therefore empty, here as in the adapter.
        captures.expand(&self.as_, &mut name);
        (!name.is_empty()).then_some(name)
    }
}

/// True where a query template uses the series that discovery found.
fn uses_discovered_series(metrics_query: &str) -> bool {
    let actions = metrics_query.split("<<").skip(1).filter_map(|rest| rest.split_once(">>"));
    actions.into_iter().any(|(action, _)| {
        action.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').any(|word| word == ".Series")
    })
}

fn sources_in(text: &str, field: RuleField) -> Vec<Source> {
    match read(text) {
        Ok(query) => {
            let series = query.series.into_iter();
            let named =
                series.filter(|series| !matches!(series.name, SeriesName::Any | SeriesName::Templated));
            named.map(|series| Source { name: series.name, field, range: series.range }).collect()
        }
        Err(_) => {
            let found = names(text).into_iter();
            found.map(|(name, range)| Source { name: SeriesName::Exact(name), field, range }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naming() {
        for (series, matches, as_, exported) in [
            ("http_requests_total", None, None, Some("http_requests_total")),
            ("http_requests_total", Some(""), Some(""), Some("http_requests_total")),
            ("http_requests_total", Some("^(.*)_total$"), None, Some("http_requests")),
            (
                "http_requests_total",
                Some("^(.*)_total$"),
                Some("${1}_per_second"),
                Some("http_requests_per_second"),
            ),
            ("http_requests_total", Some("^(.*)_total$"), Some("$1_per_second"), None),
            ("container_x_seconds_total", Some("^container_(.*)_seconds_total$"), None, Some("x")),
            ("vllm:num_requests_waiting", None, Some("vllm_queue"), Some("vllm_queue")),
            (
                "vllm:num_requests_waiting",
                Some("^vllm:(.*)$"),
                Some("vllm_$1"),
                Some("vllm_num_requests_waiting"),
            ),
            ("DCGM_FI_DEV_GPU_UTIL", Some("DCGM_FI_DEV_GPU_UTIL"), Some("gpu_util"), Some("gpu_util")),
            ("DCGM_FI_DEV_GPU_UTIL", Some("GPU"), None, Some("GPU")),
            ("DCGM_FI_DEV_GPU_UTIL", Some("^vllm"), Some("x"), None),
            ("a_b", Some("^(a)_(b)$"), None, None),
            ("a_b", Some("^(a)_(b)$"), Some("$2_$1"), Some("a")),
            ("a_b", Some("^(a)_(b)$"), Some("${2}_$1"), Some("b_a")),
            ("a", Some("("), None, None),
            ("a", None, Some("$$"), Some("$")),
        ] {
            assert_eq!(
                exported_name(series, matches, as_).as_deref(),
                exported,
                "{series} {matches:?} {as_:?}"
            );
        }
    }

    #[test]
    fn sources() {
        let template = "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)";
        for (series_query, metrics_query, expected) in [
            ("DCGM_FI_DEV_GPU_UTIL", None, "s:DCGM_FI_DEV_GPU_UTIL"),
            ("DCGM_FI_DEV_GPU_UTIL{pod!=\"\"}", Some(template), "s:DCGM_FI_DEV_GPU_UTIL"),
            ("{__name__=\"a\",pod!=\"\"}", Some(template), "s:a"),
            ("{__name__=~\"^a|b$\"}", Some(template), "s:^a|b$"),
            ("{__name__=~\"^vllm:.*\"}", Some(template), "s:^vllm:.*"),
            ("{pod!=\"\"}", Some(template), ""),
            ("up", Some("avg(DCGM_FI_DEV_GPU_UTIL) by (<<.GroupBy>>)"), "m:DCGM_FI_DEV_GPU_UTIL"),
            ("a", Some("sum(<<.Series>>) / sum(b)"), "s:a m:b"),
            ("a", Some("sum(<< .Series >>{x=\"y\"})"), "s:a"),
            ("a", Some("sum(b{<<.LabelMatchers>>})"), "m:b"),
            ("a", Some("sum(<<.Series>>"), "s:a"),
            ("a", Some("{{ .Values.fn }}(b)"), "m:b"),
        ] {
            let shown = |source: Source| {
                let (mark, text) = match source.field {
                    RuleField::SeriesQuery => ("s", series_query),
                    RuleField::MetricsQuery => ("m", metrics_query.unwrap()),
                };
                format!("{mark}:{}", text.get(source.range).unwrap())
            };
            let found: Vec<String> =
                source_series(series_query, metrics_query).into_iter().map(shown).collect();
            assert_eq!(found.join(" "), expected, "{series_query} {metrics_query:?}");
        }
    }

    #[test]
    fn patterns() {
        let exports = exports_of_pattern("^vllm:num_requests_.*", Some("^vllm:(.*)$"), Some("vllm_$1"));
        assert!(exports.iter().any(|(name, entry)| {
            name == "vllm_num_requests_waiting" && entry.name == "vllm:num_requests_waiting"
        }));
        assert!(exports.iter().all(|(name, _)| name.starts_with("vllm_num_requests_")));
        let exports = exports_of_pattern("DCGM_FI_DEV_GPU_UTIL", None, Some("gpu"));
        assert_eq!(exports.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["gpu"]);
        assert!(exports_of_pattern("(", None, None).is_empty());
        assert!(exports_of_pattern("GPU", None, None).is_empty());
    }
}
