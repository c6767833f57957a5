//! The words of a PromQL text, with their bytes. Templates are words of their own.

use super::promql::QueryError;
use super::template::{end_of_template, prints_nothing};
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword. It can hold a template: `{{ .prefix }}_requests`.
    Word,
    /// A number or a duration.
    Number,
    /// A quoted text, with its quotes.
    Text,
    /// An operator or a bracket.
    Operator,
    /// A template that stands alone.
    Template,
}

/// A word of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// True where a template supplies it or a part of it.
    pub(super) templated: bool,
}

/// Splits a text into tokens. Comments, white space and template actions that print nothing are left out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    // Between square brackets a colon separates two durations, elsewhere it is a letter of a name.
    let mut in_range = false;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if c == '#' {
            at = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |line| at + line);
            continue;
        }
        let token = next(text, at, c, in_range)?;
        let written = text.get(token.range.clone()).unwrap_or("");
        at = token.range.end;
        match written {
            "[" => in_range = true,
            "]" => in_range = false,
            _ => {}
        }
        if !(token.kind == Kind::Template && prints_nothing(written)) {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

/// The end of the quoted text that starts at `at`. A template in it may contain quotes.
pub(super) fn end_of_text(text: &str, at: usize) -> Option<usize> {
    let mut chars = text.get(at..)?.char_indices();
    let (_, quote) = chars.next()?;
    let mut skip_to = 0;
    for (offset, c) in chars {
        let here = at + offset;
        if here < skip_to {
            continue;
        }
        if c == quote {
            return Some(here + c.len_utf8());
        }
        if c == '\\' && quote != '`' {
            let escaped = text.get(here + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            skip_to = here + 1 + escaped;
        } else if opens_block(text, here)
            && let Some(end) = end_of_template(text, here)
        {
            skip_to = end;
        }
    }
    None
}

/// True where a template with delimiters starts: `$` before a name has none, and is common in regular expressions.
fn opens_block(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| ["{{", "<<", "${"].iter().any(|open| rest.starts_with(open)))
}

fn next(text: &str, at: usize, c: char, in_range: bool) -> Result<Token, QueryError> {
    let follows = |n: usize| text.get(at + n..).and_then(|rest| rest.chars().next());
    if matches!(c, '"' | '\'' | '`') {
        let end = end_of_text(text, at).ok_or_else(|| QueryError::at(at, "the quoted text is not closed"))?;
        return Ok(Token { kind: Kind::Text, range: at..end, templated: false });
    }
    if is_name_start(c, in_range) || end_of_template(text, at).is_some() {
        return Ok(word(text, at, in_range));
    }
    if c.is_ascii_digit() || (c == '.' && follows(1).is_some_and(|c| c.is_ascii_digit())) {
        return Ok(number(text, at));
    }
    const LONG: [&str; 6] = ["=~", "!~", "==", "!=", "<=", ">="];
    let len = match LONG.iter().any(|op| text.get(at..).is_some_and(|rest| rest.starts_with(op))) {
        true => 2,
        false if "=<>+-*/%^@,(){}[]:".contains(c) => 1,
        false => return Err(QueryError::at(at, format!("`{c}` has no meaning in PromQL"))),
    };
    Ok(Token { kind: Kind::Operator, range: at..at + len, templated: false })
}

/// A run of letters, digits and templates.
fn word(text: &str, start: usize, in_range: bool) -> Token {
    let (mut at, mut templated, mut literal) = (start, false, false);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(end) = end_of_template(text, at) {
            at = end;
            templated = true;
            // An action without output must not make one word of its neighbours.
            if text.get(start..end).is_some_and(prints_nothing) {
                break;
            }
        } else if is_name_start(c, in_range) || c.is_ascii_digit() {
            at += c.len_utf8();
            literal = true;
        } else {
            break;
        }
    }
    Token { kind: if literal { Kind::Word } else { Kind::Template }, range: start..at, templated }
}

/// A number, a duration, or one of which a template supplies the unit.
fn number(text: &str, start: usize) -> Token {
    let (mut at, mut templated, mut before) = (start, false, ' ');
    let hexadecimal = text.get(start..).is_some_and(|rest| rest.starts_with("0x") || rest.starts_with("0X"));
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let exponent_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !hexadecimal;
        if let Some(end) = end_of_template(text, at) {
            at = end;
            templated = true;
        } else if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || exponent_sign {
            at += c.len_utf8();
        } else {
            break;
        }
        before = c;
    }
    Token { kind: Kind::Number, range: start..at, templated }
}

fn is_name_start(c: char, in_range: bool) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (c == ':' && !in_range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown: Vec<String> = tokens(text)
            .unwrap()
            .iter()
            .map(|token| {
                let kind = match token.kind {
                    Kind::Word => 'w',
                    Kind::Number => 'n',
                    Kind::Text => 't',
                    Kind::Operator => 'o',
                    Kind::Template => '$',
                };
                format!("{kind}:{}", text.get(token.range.clone()).unwrap())
            })
            .collect();
        assert_eq!(shown.join(" | "), expected, "{text}");
    }

    #[test]
    fn splits() {
        for (text, expected) in [
            ("", ""),
            (" # only a comment", ""),
            ("up # first\n+ 1", "w:up | o:+ | n:1"),
            ("a:b{c=~\"d|e\"}", "w:a:b | o:{ | w:c | o:=~ | t:\"d|e\" | o:}"),
            ("x[5m:1m] offset 1h30m", "w:x | o:[ | n:5m | o:: | n:1m | o:] | w:offset | n:1h30m"),
            ("x[$__rate_interval]", "w:x | o:[ | $:$__rate_interval | o:]"),
            ("x[[[range]]]", "w:x | o:[ | $:[[range]] | o:]"),
            ("x[${w}m]", "w:x | o:[ | w:${w}m | o:]"),
            ("x[5{{ .u }}]", "w:x | o:[ | n:5{{ .u }} | o:]"),
            (
                "<<.Series>>{<<.LabelMatchers>>,a!=\"\"}",
                "$:<<.Series>> | o:{ | $:<<.LabelMatchers>> | o:, | w:a | o:!= | t:\"\" | o:}",
            ),
            ("<<.Series>>_total", "w:<<.Series>>_total"),
            ("$a_b + ${c}:d", "$:$a_b | o:+ | w:${c}:d"),
            ("{{ if .x }}a{{ else }}b{{ end }}", "w:a{{ else }}b{{ end }}"),
            ("{{- if .x }} a {{- end }}", "w:a"),
            ("x{n=\"{{ default \"a\" .n }}\"}", "w:x | o:{ | w:n | o:= | t:\"{{ default \"a\" .n }}\" | o:}"),
            ("'it\\'s' `a\\`", "t:'it\\'s' | t:`a\\`"),
            ("\"^a$\" \"$b\"", "t:\"^a$\" | t:\"$b\""),
            ("1e+3-0x1f .5", "n:1e+3 | o:- | n:0x1f | n:.5"),
            ("a<=b<c", "w:a | o:<= | w:b | o:< | w:c"),
            ("a @ 1 and b", "w:a | o:@ | n:1 | w:and | w:b"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn errors_say_where() {
        for (text, offset) in [("a ; b", 2), ("x{a=\"b}", 4), ("é", 0), ("a 'b", 2), ("avg:a{*}.rollup()", 8)]
        {
            assert_eq!(tokens(text).unwrap_err().offset, offset, "{text}");
        }
    }
}
