//! From tokens to the selectors of a query, and to a text without templates that the PromQL parser accepts.
//!
//! The parser keeps no positions. The selectors found here stand in the same order as those of its tree, which is how
//! each gets its bytes back.

use super::lexer::{Kind, Token, tokens};
use super::promql::{MatchOp, Matcher, QueryError, Role, SeriesName, SeriesRef};
use super::template::{end_of_template, has_template};
use std::ops::Range;

/// What a template stands for where an operand is expected and its place does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Templates {
    /// A metric.
    Names,
    /// A number.
    Numbers,
}

/// The label that stands for one that a template supplies.
pub(super) const TEMPLATE_LABEL: &str = "template__";

/// More operators, calls and opening brackets than this are not followed, because trees are walked recursively and a
/// thread has little stack.
const MOST_OPERATORS: usize = 400;

/// The aggregation operators.
pub(super) const AGGREGATIONS: [&str; 14] = [
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "count_values",
    "quantile",
    "limitk",
    "limit_ratio",
];

/// What the last token was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A value is expected.
    Open,
    /// A value was read: an operator is expected.
    Operand,
    /// An arithmetic operator or a comparison: a template behind it is a number.
    Arithmetic,
    /// Anything may follow.
    Keyword,
}

/// The result of reading the tokens of a query.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    templates: Templates,
    /// For each open parenthesis, whether it holds labels.
    parentheses: Vec<bool>,
    last: Last,
    operators: usize,
    /// The query without templates, comments and the values of matchers.
    pub(super) rendered: String,
    /// The selectors in the order of the text.
    pub(super) series: Vec<SeriesRef>,
    /// The names of the functions that are called, and where.
    pub(super) functions: Vec<(String, usize)>,
    /// A template alone was taken for a metric.
    pub(super) template_as_name: bool,
}

impl<'a> Reader<'a> {
    /// Reads the tokens of a query.
    pub(super) fn read(text: &'a str, templates: Templates) -> Result<Reader<'a>, QueryError> {
        let mut reader = Reader {
            text,
            tokens: tokens(text)?,
            next: 0,
            templates,
            parentheses: vec![],
            last: Last::Open,
            operators: 0,
            rendered: String::with_capacity(text.len()),
            series: vec![],
            functions: vec![],
            template_as_name: false,
        };
        while let Some(token) = reader.take() {
            reader.token(token)?;
        }
        if !reader.parentheses.is_empty() {
            return Err(QueryError::at(text.len(), "a parenthesis is not closed"));
        }
        if reader.last != Last::Operand && reader.last != Last::Keyword {
            return Err(QueryError::at(text.len(), "a value is missing at the end"));
        }
        Ok(reader)
    }

    fn token(&mut self, token: Token) -> Result<(), QueryError> {
        match token.kind {
            Kind::Word => self.word(token),
            Kind::Number => self.operand(&token, self.number(&token)?),
            Kind::Text => self.operand(&token, self.quoted(&token)),
            Kind::Operator => self.operator(token),
            Kind::Template => self.template(token),
        }
    }

    fn operator(&mut self, token: Token) -> Result<(), QueryError> {
        if !matches!(self.written(&token), ")" | ",") {
            self.operators += 1;
        }
        if self.operators > MOST_OPERATORS {
            return Err(QueryError::at(token.range.start, "the query is too long to be followed"));
        }
        match self.written(&token) {
            "{" => return self.selector(None, token),
            "[" => return self.range(&token),
            "(" => {
                // A parenthesis behind a value would be a call, and calls are read with their name.
                self.expect_operand(&token)?;
                self.parentheses.push(false);
                self.last = Last::Open;
            }
            ")" => {
                self.last = match self.parentheses.pop() {
                    Some(true) => Last::Keyword,
                    Some(false) => Last::Operand,
                    None => return Err(QueryError::at(token.range.start, "no parenthesis is open here")),
                };
            }
            "," => self.last = Last::Open,
            "}" | "]" => return Err(QueryError::at(token.range.start, "no such bracket is open here")),
            "+" | "-" => self.last = Last::Arithmetic,
            written => {
                if self.last != Last::Operand && self.last != Last::Keyword {
                    return Err(QueryError::at(
                        token.range.start,
                        format!("a value is missing before `{written}`"),
                    ));
                }
                self.last = Last::Arithmetic;
            }
        }
        self.emit_token(&token);
        Ok(())
    }

    fn word(&mut self, token: Token) -> Result<(), QueryError> {
        let written = self.written(&token).to_owned();
        if self.parentheses.last() == Some(&true) {
            self.emit(if token.templated { TEMPLATE_LABEL } else { &written });
            self.last = Last::Operand;
            return Ok(());
        }
        let lower = written.to_ascii_lowercase();
        let called = self.next_is("(");
        match lower.as_str() {
            "by" | "without" | "on" | "ignoring" | "group_left" | "group_right" if called => {
                self.emit(&written);
                self.emit("(");
                self.take();
                self.parentheses.push(true);
                self.last = Last::Keyword;
            }
            "group_left" | "group_right" | "bool" => self.keyword(&written, Last::Keyword),
            "and" | "or" | "unless" if self.last != Last::Open => self.keyword(&written, Last::Open),
            "atan2" if self.last != Last::Open => self.keyword(&written, Last::Arithmetic),
            "offset" if self.last == Last::Operand => return self.offset(&written),
            "inf" | "nan" => return self.operand(&token, written),
            _ if AGGREGATIONS.contains(&lower.as_str()) && (called || self.grouping_follows()) => {
                self.expect_operand(&token)?;
                self.keyword(&written, Last::Keyword);
            }
            _ if called && token.templated => {
                return Err(QueryError::at(token.range.start, "a template supplies the name of a function"));
            }
            _ if called => {
                self.expect_operand(&token)?;
                self.functions.push((lower, token.range.start));
                self.keyword(&written, Last::Keyword);
            }
            _ => {
                return self
                    .selector(Some(token), Token { kind: Kind::Operator, range: 0..0, templated: false });
            }
        }
        Ok(())
    }

    fn template(&mut self, token: Token) -> Result<(), QueryError> {
        if self.parentheses.last() == Some(&true) {
            self.emit(TEMPLATE_LABEL);
            self.last = Last::Operand;
            return Ok(());
        }
        if self.next_is("(") || self.grouping_follows() {
            return Err(QueryError::at(token.range.start, "a template supplies the name of a function"));
        }
        let selects = self.next_is("{") || self.next_is("[");
        if !selects && (self.last == Last::Arithmetic || self.templates == Templates::Numbers) {
            return self.operand(&token, "NaN".to_owned());
        }
        self.template_as_name |= !selects;
        self.selector(Some(token), Token { kind: Kind::Operator, range: 0..0, templated: false })
    }

    /// Reads a selector: a name, or an opening brace, or a name that an opening brace follows.
    fn selector(&mut self, name: Option<Token>, brace: Token) -> Result<(), QueryError> {
        let first = name.as_ref().unwrap_or(&brace).clone();
        self.expect_operand(&first)?;
        let mut series = SeriesRef {
            name: SeriesName::Any,
            range: first.range.clone(),
            selector: first.range.clone(),
            matchers: vec![],
            more_matchers: false,
            templated: first.templated,
            functions: vec![],
            role: Role::Value,
        };
        let mut braces = name.is_none().then_some(brace);
        if name.is_some() {
            series.name = match first.templated {
                true => SeriesName::Templated,
                false => SeriesName::Exact(self.written(&first).to_owned()),
            };
            self.emit(if first.templated { TEMPLATE_LABEL } else { self.written(&first) });
            if self.next_is("{") {
                braces = self.take();
            }
        }
        if let Some(open) = braces {
            self.braces(&open, &mut series)?;
        }
        self.series.push(series);
        self.last = Last::Operand;
        Ok(())
    }

    /// Reads the matchers up to the closing brace.
    fn braces(&mut self, open: &Token, series: &mut SeriesRef) -> Result<(), QueryError> {
        let mut matchers = String::new();
        // What was read between two matchers; a template that supplies several brings its commas along.
        let mut separator: Option<&str> = None;
        while let Some(token) = self.take() {
            match (token.kind, self.written(&token)) {
                (Kind::Operator, "}") => {
                    series.selector.end = token.range.end;
                    if series.name == SeriesName::Any {
                        series.range = open.range.start..token.range.end;
                    }
                    self.emit(&format!("{{{matchers}}}"));
                    return Ok(());
                }
                (Kind::Operator, ",") if separator.is_none() && !matchers.is_empty() => separator = Some(","),
                (Kind::Word, "or" | "OR") if separator.is_none() && !matchers.is_empty() => {
                    separator = Some(" or ");
                }
                (Kind::Operator | Kind::Number, _) => {
                    return Err(QueryError::at(token.range.start, "a label is expected here"));
                }
                _ => {
                    if !matchers.is_empty() {
                        matchers.push_str(separator.take().unwrap_or(","));
                    }
                    let matcher = self.matcher(token, series)?;
                    matchers.push_str(&matcher);
                }
            }
        }
        Err(QueryError::at(open.range.start, "a brace is not closed"))
    }

    /// Reads one matcher, of which `label` is the first token, and gives what the parser shall see of it.
    fn matcher(&mut self, label: Token, series: &mut SeriesRef) -> Result<String, QueryError> {
        let written = self.written(&label);
        let operator = self.peek().map_or("", |token| self.written(token));
        let op = match operator {
            "=" => MatchOp::Equal,
            "!=" => MatchOp::NotEqual,
            "=~" => MatchOp::Matches,
            "!~" => MatchOp::NotMatches,
            _ if label.kind == Kind::Template => {
                series.more_matchers = true;
                series.templated = true;
                return Ok(format!("{TEMPLATE_LABEL}=\"x\""));
            }
            // A quoted name: {"http.requests", code="200"}.
            _ if label.kind == Kind::Text => {
                self.name(series, MatchOp::Equal, &label);
                return Ok("__name__=\"x\"".to_owned());
            }
            _ => {
                return Err(QueryError::at(
                    label.range.end,
                    format!("`{written}` needs a value to compare with"),
                ));
            }
        };
        self.take();
        let value = self.take().filter(|value| value.kind == Kind::Text || value.templated);
        let Some(value) = value else {
            return Err(QueryError::at(label.range.end, format!("`{written}` needs a quoted value")));
        };
        let (content, range) = self.content(&value);
        let templated = label.templated || value.templated || has_template(&content);
        // The parser compiles regular expressions and refuses some that Prometheus accepts, so it sees no values.
        let seen = if content.is_empty() && !templated { "" } else { "x" };
        let name = if label.templated { TEMPLATE_LABEL } else { written.trim_matches(['"', '\'', '`']) };
        series.templated |= templated;
        if name == "__name__" {
            self.name(series, op, &value);
        } else {
            let label = if label.templated { String::new() } else { name.to_owned() };
            series.matchers.push(Matcher { label, op, value: content, range, templated });
        }
        let quote = if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') { "" } else { "\"" };
        Ok(format!("{quote}{name}{quote}{operator}\"{seen}\""))
    }

    /// Takes the name of a selector from a quoted value in its braces.
    fn name(&self, series: &mut SeriesRef, op: MatchOp, value: &Token) {
        let (content, range) = self.content(value);
        series.name = match op {
            _ if value.templated || has_template(&content) => SeriesName::Templated,
            MatchOp::Equal => SeriesName::Exact(content),
            MatchOp::Matches => match alternatives(&content) {
                Some(names) => match <[String; 1]>::try_from(names) {
                    Ok([name]) => SeriesName::Exact(name),
                    Err(names) => SeriesName::OneOf(names),
                },
                None => SeriesName::Pattern(content),
            },
            MatchOp::NotEqual | MatchOp::NotMatches => return,
        };
        series.range = range;
    }

    /// Reads a range or a subquery up to the closing bracket.
    fn range(&mut self, open: &Token) -> Result<(), QueryError> {
        self.emit("[");
        while let Some(token) = self.take() {
            match (token.kind, self.written(&token)) {
                (Kind::Operator, "]") => {
                    self.emit("]");
                    return Ok(());
                }
                (Kind::Operator, ":") => self.emit(":"),
                _ if token.templated => self.emit("5m"),
                (Kind::Number, _) => self.duration(&token)?,
                _ => return Err(QueryError::at(token.range.start, "a duration is expected here")),
            }
        }
        Err(QueryError::at(open.range.start, "a bracket is not closed"))
    }

    fn offset(&mut self, written: &str) -> Result<(), QueryError> {
        self.emit(written);
        if self.next_is("-") || self.next_is("+") {
            let sign = self.take().map(|sign| self.written(&sign).to_owned()).unwrap_or_default();
            self.emit(&sign);
        }
        match self.take() {
            Some(token) if token.templated => self.emit("5m"),
            Some(token) if token.kind == Kind::Number => self.duration(&token)?,
            _ => return Err(QueryError::at(self.text.len(), "a duration is expected after `offset`")),
        }
        Ok(())
    }

    /// Emits a duration. A plain number counts seconds, and the parser panics on one that it cannot hold.
    fn duration(&mut self, token: &Token) -> Result<(), QueryError> {
        let written = self.written(token);
        if written.parse::<f64>().is_ok_and(|seconds| !(0.0..1e12).contains(&seconds)) {
            return Err(QueryError::at(token.range.start, "no such duration"));
        }
        self.emit_token(token);
        Ok(())
    }

    fn number(&self, token: &Token) -> Result<String, QueryError> {
        if token.templated {
            return Ok("NaN".to_owned());
        }
        Ok(self.written(token).to_owned())
    }

    /// A quoted text as an operand. A plain word is kept, because it may be a label.
    fn quoted(&self, token: &Token) -> String {
        let (content, _) = self.content(token);
        let plain = content.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if plain { format!("\"{content}\"") } else { "\"x\"".to_owned() }
    }

    fn operand(&mut self, token: &Token, rendered: String) -> Result<(), QueryError> {
        // Labels can be quoted: by ("a").
        if self.parentheses.last() != Some(&true) {
            self.expect_operand(token)?;
        }
        self.emit(&rendered);
        self.last = Last::Operand;
        Ok(())
    }

    fn keyword(&mut self, written: &str, last: Last) {
        self.operators += 1;
        self.emit(written);
        self.last = last;
    }

    /// An error where a value follows a value.
    fn expect_operand(&self, token: &Token) -> Result<(), QueryError> {
        match self.last {
            Last::Operand => Err(QueryError::at(token.range.start, "an operator is missing here")),
            _ => Ok(()),
        }
    }

    /// The value of a quoted text, or the text of a template, and its bytes.
    fn content(&self, token: &Token) -> (String, Range<usize>) {
        if token.kind != Kind::Text {
            return (self.written(token).to_owned(), token.range.clone());
        }
        let inner = token.range.start + 1..token.range.end.saturating_sub(1).max(token.range.start + 1);
        let raw = self.text.get(inner.clone()).unwrap_or("");
        if self.written(token).starts_with('`') { (raw.to_owned(), inner) } else { (unescape(raw), inner) }
    }

    fn grouping_follows(&self) -> bool {
        self.peek().is_some_and(|token| {
            token.kind == Kind::Word
                && matches!(self.written(token).to_ascii_lowercase().as_str(), "by" | "without")
        })
    }

    fn next_is(&self, operator: &str) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Operator && self.written(token) == operator)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn written(&self, token: &Token) -> &'a str {
        self.text.get(token.range.clone()).unwrap_or("")
    }

    fn emit_token(&mut self, token: &Token) {
        let written = self.written(token);
        self.emit(written);
    }

    fn emit(&mut self, written: &str) {
        self.rendered.push_str(written);
        self.rendered.push(' ');
    }
}

/// The texts that a regular expression of plain words matches: `^(a|b)$` has two.
pub(super) fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('$').unwrap_or(pattern);
    let group = pattern.strip_prefix("(?:").or_else(|| pattern.strip_prefix('('));
    let pattern = group.and_then(|group| group.strip_suffix(')')).unwrap_or(pattern);
    let names: Vec<String> = pattern.split('|').map(str::to_owned).collect();
    let plain = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
    };
    names.iter().all(plain).then_some(names)
}

/// Resolves the escapes of a quoted text. One that PromQL does not know stays as it is written.
fn unescape(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(end) = end_of_template(raw, at).filter(|_| c != '$') {
            value.push_str(raw.get(at..end).unwrap_or(""));
            at = end;
            continue;
        }
        at += c.len_utf8();
        if c != '\\' {
            value.push(c);
            continue;
        }
        let escaped = raw.get(at..).and_then(|rest| rest.chars().next());
        match escaped {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('r') => value.push('\r'),
            Some(c @ ('\\' | '"' | '\'')) => value.push(c),
            Some(c) => value.extend(['\\', c]),
            None => value.push('\\'),
        }
        at += escaped.map_or(0, char::len_utf8);
    }
    value
}
