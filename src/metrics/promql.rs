//! Reading a PromQL expression: its series with their bytes, and its shape.

use super::catalogue::find_with;
use super::entry::Found;
use super::reader::{Reader, Templates};
use super::template::has_template;
use super::tree::{Node, convert};
use std::ops::Range;

/// Why a text is not read as PromQL. It may be another query language, or a template that decides too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// What is wrong, in lower case and without a final stop.
    pub message: String,
    /// The byte where reading stopped; 0 where the place cannot be told.
    pub offset: usize,
}

impl QueryError {
    pub(super) fn at(offset: usize, message: impl Into<String>) -> QueryError {
        QueryError { message: message.into(), offset }
    }
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.offset)
    }
}

impl std::error::Error for QueryError {}

/// The name that a selector asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesName {
    /// One name.
    Exact(String),
    /// One of several names: `{__name__=~"a|b"}`.
    OneOf(Vec<String>),
    /// Every name that a regular expression matches whole.
    Pattern(String),
    /// A template supplies the name or a part of it.
    Templated,
    /// The selector names no metric.
    Any,
}

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
}

/// One label matcher of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// The label. Empty where a template supplies it.
    pub label: String,
    /// The comparison.
    pub op: MatchOp,
    /// The value, without quotes and escapes.
    pub value: String,
    /// The bytes of the value, without its quotes.
    pub range: Range<usize>,
    /// A template supplies the label, the value or a part of them.
    pub templated: bool,
}

impl Matcher {
    /// True where the matcher leaves one value of the label: `=`, or `=~` with a plain word.
    pub fn pins(&self) -> bool {
        match self.op {
            MatchOp::Equal => true,
            MatchOp::Matches => !self.templated && is_literal(&self.value),
            MatchOp::NotEqual | MatchOp::NotMatches => false,
        }
    }
}

/// What a series contributes to the value of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its value.
    Value,
    /// It divides the value.
    Divisor,
    /// It only decides whether there is a value: `and`, `unless`, the right side of a comparison.
    Condition,
    /// It stands in where the value is missing: the right side of `or`.
    Fallback,
}

/// One vector selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRef {
    /// The name.
    pub name: SeriesName,
    /// The bytes of the name; of a selector without a name, those of the selector.
    pub range: Range<usize>,
    /// The bytes of the whole selector.
    pub selector: Range<usize>,
    /// Its matchers, without the one on `__name__`.
    pub matchers: Vec<Matcher>,
    /// A template stands for further matchers, such as `<<.LabelMatchers>>`.
    pub more_matchers: bool,
    /// A template supplies the name or a part of a matcher.
    pub templated: bool,
    /// The functions applied to it before any aggregation, innermost first: `rate`, `max_over_time`.
    pub functions: Vec<String>,
    /// What it contributes.
    pub role: Role,
}

impl SeriesRef {
    /// The one name that the selector asks for, where there is one.
    pub fn exact_name(&self) -> Option<&str> {
        match &self.name {
            SeriesName::Exact(name) => Some(name),
            _ => None,
        }
    }

    /// Every name that the selector asks for, where they are written out.
    pub fn names(&self) -> &[String] {
        match &self.name {
            SeriesName::Exact(name) => std::slice::from_ref(name),
            SeriesName::OneOf(names) => names,
            SeriesName::Pattern(_) | SeriesName::Templated | SeriesName::Any => &[],
        }
    }

    /// The row of the catalogue for this series, with regard to its matchers.
    pub fn find(&self) -> Option<Found> {
        find_with(self.exact_name()?, |label| self.pinned(label).map(str::to_owned))
    }

    /// The value that an equality matcher pins a label to.
    pub fn pinned(&self, label: &str) -> Option<&str> {
        let matcher = self.matchers.iter().find(|matcher| matcher.label == label && matcher.pins())?;
        (!matcher.templated).then_some(matcher.value.as_str())
    }

    /// True where no matcher narrows the series down: neither the bucket bound nor the label that tells the parts of
    /// one metric apart does.
    pub fn is_unscoped(&self) -> bool {
        let part = self.find().and_then(|found| found.entry.label).map(|(label, _)| label);
        let narrows = |matcher: &Matcher| {
            let label = matcher.label.as_str();
            label != "le" && label != "quantile" && Some(label) != part && !(matches_all(matcher))
        };
        !self.more_matchers && !self.matchers.iter().any(narrows)
    }
}

/// A PromQL expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Every vector selector, in the order of the text.
    pub series: Vec<SeriesRef>,
    /// A template supplies a part of the text.
    pub templated: bool,
    pub(super) root: Node,
}

/// Reads a PromQL expression.
///
/// Templates are read over: a Go template, a Grafana variable or a substitution may stand for a name, a label, a
/// matcher, a duration or a number. What it supplies is unknown, and the answers of [`Query`] that depend on it are too.
///
/// # Errors
/// Where the text is not PromQL, or where a template supplies its structure.
pub fn read(text: &str) -> Result<Query, QueryError> {
    let mut reader = Reader::read(text, Templates::Names)?;
    let mut parsed = parse(&reader);
    if parsed.is_err() && reader.template_as_name {
        // A template in the place of a number, such as clamp_max(x, $limit), was taken for a metric.
        let second = Reader::read(text, Templates::Numbers)?;
        if let Ok(expr) = parse(&second) {
            (reader, parsed) = (second, Ok(expr));
        }
    }
    let mut series = reader.series;
    let root =
        convert(&parsed?, &mut series).ok_or_else(|| QueryError::at(0, "the query cannot be followed"))?;
    Ok(Query { series, templated: has_template(text), root })
}

fn parse(reader: &Reader<'_>) -> Result<promql_parser::parser::Expr, QueryError> {
    promql_parser::parser::parse(&reader.rendered).map_err(|message| {
        let function =
            message.strip_prefix("unknown function with name '").and_then(|rest| rest.strip_suffix('\''));
        match function.and_then(|name| reader.functions.iter().find(|(known, _)| known == name)) {
            Some((name, at)) => QueryError::at(*at, format!("`{name}` is no PromQL function")),
            None => QueryError::at(0, message),
        }
    })
}

/// True where a regular expression matches one text only.
fn is_literal(pattern: &str) -> bool {
    !pattern.is_empty()
        && pattern.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '/'))
}

/// True where a matcher excludes nothing, or only series that lack the label.
fn matches_all(matcher: &Matcher) -> bool {
    match matcher.op {
        MatchOp::Matches => matches!(matcher.value.as_str(), ".*" | ".+"),
        MatchOp::NotEqual => matcher.value.is_empty(),
        MatchOp::Equal | MatchOp::NotMatches => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The selectors of a query in one line: the bytes of the name, what is read of it, and its matchers.
    fn show(text: &str) -> String {
        let query = match read(text) {
            Ok(query) => query,
            Err(error) => return format!("error at {}: {}", error.offset, error.message),
        };
        let series = query.series.iter().map(|series| {
            let name = match &series.name {
                SeriesName::Exact(name) => name.clone(),
                SeriesName::OneOf(names) => names.join("|"),
                SeriesName::Pattern(pattern) => format!("/{pattern}/"),
                SeriesName::Templated => "<template>".to_owned(),
                SeriesName::Any => "<any>".to_owned(),
            };
            let matchers = series.matchers.iter().map(|matcher| {
                let op = match matcher.op {
                    MatchOp::Equal => "=",
                    MatchOp::NotEqual => "!=",
                    MatchOp::Matches => "=~",
                    MatchOp::NotMatches => "!~",
                };
                let mark = if matcher.templated { "?" } else { "" };
                format!(" {}{op}{}{mark}", matcher.label, matcher.value)
            });
            let matchers: String = matchers.collect();
            let more = if series.more_matchers { " …" } else { "" };
            let written = text.get(series.range.clone()).unwrap();
            let written = if written == name { String::new() } else { format!("{written} is ") };
            let functions = series.functions.iter().map(|f| format!(" >{f}")).collect::<String>();
            let role = if series.role == Role::Value { String::new() } else { format!(" {:?}", series.role) };
            format!("{written}{name}{matchers}{more}{functions}{role}")
        });
        series.collect::<Vec<_>>().join("; ")
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(show(text), expected, "{text}");
    }

    #[test]
    fn selectors() {
        for (text, expected) in [
            ("up", "up"),
            ("vllm:num_requests_waiting", "vllm:num_requests_waiting"),
            ("sum(a) by (b) / sum by (b) (c)", "a; c Divisor"),
            ("sum(rate(a_total{b=\"c\"}[5m]))", "a_total b=c >rate"),
            ("max_over_time(sum(a)[5m:30s])", "a"),
            ("max(max_over_time(rate(a[5m])[1h:]))", "a >rate >max_over_time"),
            ("{__name__=\"a\"}", "a"),
            ("{b=\"c\", __name__=\"a\"}", "a b=c"),
            ("{__name__=~\"a|b\"}", "a|b"),
            ("{__name__=~\"^(a|b)$\"}", "^(a|b)$ is a|b"),
            ("{__name__=~\"^a$\"}", "^a$ is a"),
            ("{__name__=~\"DCGM_.*\",x!=\"\"}", "DCGM_.* is /DCGM_.*/ x!="),
            ("{a=\"b\"}", "{a=\"b\"} is <any> a=b"),
            ("{\"a.b\", c=\"d\"}", "a.b c=d"),
            ("a{b=~'c.*', d!~`e\\.f`,}", "a b=~c.* d!~e\\.f"),
            ("a{b=\"x\\\"y\\\\.z\"}", "a b=x\"y\\.z"),
            ("a{b=\"{\", c=\"}\"}", "a b={ c=}"),
            ("a and on(x) b unless c", "a; b Condition; c Condition"),
            ("a or vector(0)", "a"),
            ("a > 1 and b > bool 2", "a; b Condition"),
            ("a or b", "a; b Fallback"),
            ("a offset 5m - a @ 100 + a offset -1h", "a; a; a"),
            ("a * on(x) group_left(y) b", "a; b"),
            ("a * on(x) group_left b", "a; b"),
            ("topk(scalar(n), a)", "n >scalar Condition; a"),
            ("label_replace(a, \"x\", \"$1\", \"y\", \"(.*)\")", "a >label_replace"),
            ("count_values(\"x\", a)", "a"),
            ("quantile(0.9, a)", "a"),
            ("histogram_quantile(0.99, sum by (le) (rate(a_bucket[5m])))", "a_bucket >rate"),
            ("-a + +b", "a; b"),
            ("sum by (sum) (sum)", "sum"),
            ("a{or=\"b\", and=\"c\"}", "a or=b and=c"),
            ("a # trailing { comment", "a"),
            ("a\n  /\n# why\nb", "a; b Divisor"),
            ("Sum(a) BY (b)", "a"),
            ("a{job=\"é→\"} + ß", "error at 17: `ß` has no meaning in PromQL"),
            ("time() - a", "a"),
            ("a[5m]", "a"),
            ("a == inf or NaN > a", "a; a Fallback"),
            ("1 < a", "a"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn templates() {
        for (text, expected) in [
            (
                "sum(rate(<<.Series>>{<<.LabelMatchers>>,container!=\"POD\"}[2m])) by (<<.GroupBy>>)",
                "<<.Series>> is <template> container!=POD … >rate",
            ),
            ("avg(a{<<.LabelMatchers>>})", "a …"),
            ("sum(a{<<.LabelMatchers>>}) by (<<.GroupBy>>)", "a …"),
            ("rate(a{ns=~\"$ns\"}[$__rate_interval])", "a ns=~$ns? >rate"),
            ("rate(a{$filter}[[[range]]])", "a … >rate"),
            ("a{$filter, b=\"c\"}", "a b=c …"),
            ("a{{{- .x }} b=\"c\"}", "error at 12: an operator is missing here"),
            ("a{ {{ .x }} b=\"c\"}", "a b=c …"),
            ("a{b=\"{{ default \"x\" .Values.b }}\"}", "a b={{ default \"x\" .Values.b }}?"),
            ("a{b=\"{{ .R.N }}-x\", {{ .label }}=\"y\"}", "a b={{ .R.N }}-x? =y?"),
            ("{{ .prefix }}:waiting", "{{ .prefix }}:waiting is <template>"),
            ("sum(${metric}{a=\"b\"})", "${metric} is <template> a=b"),
            ("[[metric]] * 2", "[[metric]] is <template>"),
            ("a > {{ .Values.threshold }}", "a"),
            ("a / $n", "a"),
            ("clamp_max(a, $n)", "a >clamp_max"),
            ("topk($n, a)", "a"),
            ("a[${window}m:$step] offset $o", "a"),
            ("a{b=$b}", "a b=$b?"),
            ("{{ if .x }} a {{ end }}", "a"),
            ("sum by ({{ .label }}) (a)", "a"),
            ("$agg(a)", "error at 0: a template supplies the name of a function"),
            ("{{ .agg }} by (x) (a)", "error at 0: a template supplies the name of a function"),
            ("{__name__=\"$metric\"}", "$metric is <template>"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn errors() {
        for (text, offset, message) in [
            ("", 0, "a value is missing at the end"),
            ("sum(", 4, "a parenthesis is not closed"),
            ("a)", 1, "no parenthesis is open here"),
            ("a b", 2, "an operator is missing here"),
            ("a 1", 2, "an operator is missing here"),
            ("sum a", 4, "an operator is missing here"),
            ("a +", 3, "a value is missing at the end"),
            ("a + * b", 4, "a value is missing before `*`"),
            ("a{b}", 3, "`b` needs a value to compare with"),
            ("a{b=c}", 3, "`b` needs a quoted value"),
            ("a{b=\"c\"", 1, "a brace is not closed"),
            ("a{,}", 2, "a label is expected here"),
            ("a[5m", 1, "a bracket is not closed"),
            ("a[x]", 2, "a duration is expected here"),
            ("a[1e30]", 2, "no such duration"),
            ("a offset 1e400", 9, "no such duration"),
            ("a offset inf", 12, "a duration is expected after `offset`"),
            ("a + nosuch(b)", 4, "`nosuch` is no PromQL function"),
            ("rate(a)", 0, "expected type matrix in call to function 'rate', got vector"),
            ("avg:dcgm.gpu_utilization{*}", 8, "`.` has no meaning in PromQL"),
            ("SELECT AVG(x) FROM y", 7, "an operator is missing here"),
            ("{}", 0, "vector selector must contain at least one non-empty matcher"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.offset, error.message.as_str()), (offset, message), "{text}");
        }
    }

    #[test]
    fn deep_queries_are_refused_and_not_followed() {
        // The threads of a test have the smallest stack that the program uses.
        let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        let sum = |n: usize| format!("a{}", "+a".repeat(n));
        let calls = |n: usize| format!("{}a{}", "abs(".repeat(n), ")".repeat(n));
        let unary = |n: usize| format!("{}a", "-".repeat(n));
        for query in [nested(400), sum(400), calls(200), unary(400)] {
            let query = read(&query).unwrap();
            let _ = (
                query.outer(),
                query.growth(),
                query.unit(),
                query.may_return_vector(),
                query.scale_factor(),
            );
        }
        for query in [nested(100_000), sum(100_000), calls(100_000), unary(100_000)] {
            assert_eq!(read(&query).unwrap_err().message, "the query is too long to be followed");
        }
    }

    #[test]
    fn scope() {
        for (text, unscoped) in [
            ("a", vec![0]),
            ("a{}", vec![0]),
            ("max(a{le=\"1\"}) + max(b{ns=\"x\"})", vec![0]),
            ("a{ns=~\".+\"}", vec![0]),
            ("a{pod!=\"\"}", vec![0]),
            ("a{pod=~\".*decode.*\"}", vec![]),
            ("a{ns=\"$ns\"}", vec![]),
            ("a{$filter}", vec![]),
            ("nv_trt_llm_request_metrics{request_type=\"waiting\"}", vec![0]),
            ("sum(a{ns=\"x\"}) / sum(b)", vec![1]),
            ("avg(a * on(pod) group_left(app) max by (pod, app) (b{app=\"x\"}))", vec![]),
            ("a and on(pod) b{app=\"x\"}", vec![]),
            ("a unless on(pod) b{app=\"x\"}", vec![0]),
            ("a or b{app=\"x\"}", vec![0]),
            ("a / b", vec![0, 1]),
        ] {
            assert_eq!(read(text).unwrap().unscoped(), unscoped, "{text}");
        }
    }

    #[test]
    fn rows_by_label() {
        use super::super::entry::Class;
        for (text, class) in [
            ("nv_trt_llm_request_metrics{request_type=\"waiting\"}", Some(Class::QueueDepth)),
            ("nv_trt_llm_request_metrics{request_type=~\"scheduled\"}", Some(Class::RunningRequests)),
            ("nv_trt_llm_request_metrics{request_type=~\"waiting|scheduled\"}", None),
            ("nv_trt_llm_request_metrics", None),
            ("{__name__=\"vllm:num_requests_waiting\"}", Some(Class::QueueDepth)),
        ] {
            let found = read(text).unwrap().series[0].find();
            assert_eq!(found.map(|found| found.class()), class, "{text}");
        }
    }

    /// A PromQL expression, and the selectors in it.
    fn expression() -> impl Strategy<Value = (String, Vec<String>)> {
        let selector = ("[a-z][a-z_:]{0,6}", prop::option::of("\\{[a-z]{1,3}=~?\"[a-z.*]{0,4}\"\\}"))
            .prop_map(|(name, braces)| {
                let name = format!("m_{name}");
                (format!("{name}{}", braces.unwrap_or_default()), vec![name])
            });
        selector.prop_recursive(5, 30, 3, |inner| {
            let join = |op: &'static str| {
                move |(a, b): ((String, Vec<String>), (String, Vec<String>))| {
                    (format!("({} {op} {})", a.0, b.0), [a.1, b.1].concat())
                }
            };
            let wrap = |before: &'static str, after: &'static str| {
                move |(text, names): (String, Vec<String>)| (format!("{before}{text}{after}"), names)
            };
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(join("+")),
                (inner.clone(), inner.clone()).prop_map(join("/ on (by, x) group_left (sum)")),
                (inner.clone(), inner.clone()).prop_map(join("and ignoring (x)")),
                (inner.clone(), inner.clone()).prop_map(join("> bool")),
                inner.clone().prop_map(wrap("sum by (a, le) (", ")")),
                inner.clone().prop_map(wrap("avg(", ") without (or)")),
                inner.clone().prop_map(wrap("topk(3, ", ")")),
                inner.clone().prop_map(wrap("count_values(\"v\", ", ")")),
                inner.clone().prop_map(wrap("max_over_time((", ")[5m:1m] offset -1m)")),
                inner.clone().prop_map(wrap("-(", ") # comment {\n * 1.5e+3")),
                inner.prop_map(wrap("label_replace(", ", \"a\", \"$1\", \"b\", \"(.*)\")")),
            ]
        })
    }

    fn assert_ranges(text: &str, query: &Query) {
        for series in &query.series {
            assert!(text.get(series.range.clone()).is_some(), "{text:?} {series:?}");
            assert!(text.get(series.selector.clone()).is_some(), "{text:?} {series:?}");
            for matcher in &series.matchers {
                assert!(text.get(matcher.range.clone()).is_some(), "{text:?} {series:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_selector_gets_its_bytes((text, names) in expression()) {
            let query = read(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            let found: Vec<&str> = query.series.iter().map(|series| text.get(series.range.clone()).unwrap()).collect();
            prop_assert_eq!(found, names);
            assert_ranges(&text, &query);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            if let Ok(query) = read(&text) {
                assert_ranges(&text, &query);
            }
        }

        #[test]
        fn no_query_like_text_panics(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "sum", "rate", "by", "(", ")", "{", "}", "[", "]", "a", "vllm:x", "\"b\"", "=", "=~", "!=", ",",
                    "5m", "1e9", "0x1f", "inf", "offset", "-", "+", "/", "@", "on", "or", "and", "bool", "<<.Series>>",
                    "<<", "{{ .x }}", "{{", "$v", "${v}", "[[v]]", "'", "\\", "#", "\n", ":", "start", "é", "topk",
                    "group_left", "unless", ">", "1e300", "99999999999y", "`", "atan2", "vector", "histogram_quantile",
                ]),
                0..14,
            ),
            glue in prop::sample::select(vec!["", " "]),
        ) {
            let text = words.join(glue);
            if let Ok(query) = read(&text) {
                assert_ranges(&text, &query);
                let _ = (query.outer(), query.growth(), query.unit(), query.may_return_vector());
            }
        }
    }
}
