//! The front matter of a page: a strict subset of YAML.

use super::{Area, PageError, PageOption};
use crate::config::{OptionType, parse_duration};
use crate::diagnostic::{Applicability, Severity};
use serde_json::Value;

/// What the front matter of a page says: all that a run has to know of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontMatter {
    /// What the rule reports, in one line: lower case, no final stop.
    pub summary: String,
    /// Severity in the default profile.
    pub severity: Severity,
    /// Severity in the strict profile, never below `severity`.
    pub strict: Severity,
    /// The clauses of the plan that the rule serves, for example `L1.3`.
    pub clauses: Vec<String>,
    /// The part of the plan.
    pub area: Area,
    /// How far its fix can be trusted; none where the rule offers no fix.
    pub fix: Option<Applicability>,
    /// Options, in the order of the page.
    pub options: Vec<PageOption>,
}

/// A line of the front matter with its number.
type Line = (usize, &'static str);

/// The two parts of a page.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) front: Vec<Line>,
    pub(super) body: &'static str,
    /// 1-based line of the page where the body starts.
    pub(super) body_line: usize,
}

/// Parts a page at the two lines `---`.
pub(super) fn split(text: &'static str) -> Result<Parts, PageError> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or("");
    if first.trim_end() != "---" {
        return Err(PageError::new(1, "a page starts with `---` and its front matter"));
    }
    let mut front = Vec::new();
    let mut at = first.len();
    for (line, number) in lines.zip(2..) {
        at += line.len();
        let content = line.trim_end();
        if content == "---" {
            return Ok(Parts { front, body: text.get(at..).unwrap_or(""), body_line: number + 1 });
        }
        if !content.is_empty() {
            front.push((number, content));
        }
    }
    Err(PageError::new(1, "the front matter is never closed by `---`"))
}

/// A key's line and its value as written.
type Field<'a> = Option<(usize, &'a str)>;

#[derive(Debug, Default)]
struct Fields<'a> {
    summary: Field<'a>,
    severity: Field<'a>,
    strict: Field<'a>,
    clauses: Field<'a>,
    area: Field<'a>,
    fix: Field<'a>,
    options: Field<'a>,
}

impl<'a> Fields<'a> {
    fn slot(&mut self, key: &str) -> Option<&mut Field<'a>> {
        Some(match key {
            "summary" => &mut self.summary,
            "severity" => &mut self.severity,
            "strict" => &mut self.strict,
            "clauses" => &mut self.clauses,
            "area" => &mut self.area,
            "fix" => &mut self.fix,
            "options" => &mut self.options,
            _ => return None,
        })
    }
}

impl FrontMatter {
    /// Reads the front matter of a page and leaves the rest alone.
    ///
    /// # Errors
    /// The first place where it departs from its form.
    pub fn of(text: &'static str) -> Result<FrontMatter, PageError> {
        FrontMatter::parse(&split(text)?.front)
    }

    pub(super) fn parse(lines: &[Line]) -> Result<FrontMatter, PageError> {
        let mut fields = Fields::default();
        let mut options: Vec<PageOption> = Vec::new();
        let mut in_options = false;
        for (number, line) in lines.iter().copied() {
            if line.trim_start().starts_with('#') {
                continue;
            }
            if in_options && line.starts_with("  ") {
                let option = parse_option(number, line.trim())?;
                if options.iter().any(|known| known.name == option.name) {
                    return Err(PageError::new(
                        number,
                        format!("the option `{}` is listed twice", option.name),
                    ));
                }
                options.push(option);
                continue;
            }
            let Some((key, value)) = line.split_once(':') else {
                return Err(PageError::new(number, "expected `key: value`"));
            };
            let Some(slot) = fields.slot(key) else {
                return Err(PageError::new(number, format!("unknown key `{key}`")));
            };
            if slot.replace((number, value.trim())).is_some() {
                return Err(PageError::new(number, format!("the key `{key}` is there twice")));
            }
            in_options = key == "options";
        }
        if let Some((line, value)) = fields.options
            && (!uncommented(value).is_empty() || options.is_empty())
        {
            return Err(PageError::new(line, "`options` is followed by indented lines, one an option"));
        }
        let end = lines.last().map_or(1, |(number, _)| number + 1);
        fields.read(end, options)
    }
}

impl Fields<'_> {
    fn read(self, end: usize, options: Vec<PageOption>) -> Result<FrontMatter, PageError> {
        let (line, summary) = required(self.summary, "summary", end)?;
        if summary.ends_with('.') {
            return Err(PageError::new(line, "the summary has no final stop"));
        }
        let (_, default) = severity(self.severity, "severity", end)?;
        let (line, strict) = severity(self.strict, "strict", end)?;
        if strict < default {
            return Err(PageError::new(line, "the strict profile is never milder than the default one"));
        }
        let (line, value) = self.clauses.ok_or_else(|| missing("clauses", end))?;
        let clauses = clauses(line, value)?;
        let (line, word) = required(self.area, "area", end)?;
        let area = Area::ALL.into_iter().find(|area| area.word() == word);
        let area = area.ok_or_else(|| one_of(line, "area", &word, &Area::ALL.map(Area::word)))?;
        let (line, word) = required(self.fix, "fix", end)?;
        let fix = match word.as_str() {
            "none" => None,
            "safe" => Some(Applicability::Safe),
            "unsafe" => Some(Applicability::Unsafe),
            "display" => Some(Applicability::Display),
            _ => return Err(one_of(line, "fix", &word, &["none", "safe", "unsafe", "display"])),
        };
        Ok(FrontMatter { summary, severity: default, strict, clauses, area, fix, options })
    }
}

fn missing(key: &str, end: usize) -> PageError {
    PageError::new(end, format!("the key `{key}` is missing"))
}

fn one_of(line: usize, key: &str, word: &str, words: &[&str]) -> PageError {
    PageError::new(line, format!("`{key}` is one of {}, not `{word}`", words.join(", ")))
}

fn required(field: Field<'_>, key: &str, end: usize) -> Result<(usize, String), PageError> {
    let (line, value) = field.ok_or_else(|| missing(key, end))?;
    Ok((line, scalar(line, value)?))
}

fn severity(field: Field<'_>, key: &str, end: usize) -> Result<(usize, Severity), PageError> {
    let (line, word) = required(field, key, end)?;
    let all = [Severity::Error, Severity::Warning, Severity::Info];
    let found = all.into_iter().find(|severity| severity.word() == word);
    Ok((line, found.ok_or_else(|| one_of(line, key, &word, &all.map(Severity::word)))?))
}

/// `[L1.3, H.2]`: a letter, a layer where the plan has layers, a point and a number.
fn clauses(line: usize, value: &str) -> Result<Vec<String>, PageError> {
    let list = uncommented(value).strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let list =
        list.ok_or_else(|| PageError::new(line, "`clauses` is a list in brackets, for example `[L1.3]`"))?;
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    list.split(',').map(|clause| read_clause(line, clause.trim())).collect()
}

fn read_clause(line: usize, clause: &str) -> Result<String, PageError> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fits = clause.split_once('.').is_some_and(|(head, number)| {
        let layer = head.strip_prefix(|c: char| c.is_ascii_uppercase());
        layer.is_some_and(digits) && !number.is_empty() && digits(number)
    });
    if fits { Ok(clause.to_owned()) } else { Err(PageError::new(line, format!("`{clause}` is no clause"))) }
}

/// A plain or quoted scalar. What YAML would not read as this text is an error, because other tools read pages too.
fn scalar(line: usize, value: &str) -> Result<String, PageError> {
    if value.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
        let text = values.next().and_then(Result::ok);
        let rest = value.get(values.byte_offset()..).unwrap_or("");
        return text
            .filter(|_| uncommented(rest).is_empty())
            .ok_or_else(|| PageError::new(line, "this quoted text does not end the line"));
    }
    let plain = uncommented(value);
    if let Some(rest) = plain.strip_prefix('\'') {
        let text = rest.strip_suffix('\'').filter(|text| !text.replace("''", "").contains('\''));
        return text
            .map(|text| text.replace("''", "'"))
            .ok_or_else(|| PageError::new(line, "this quoted text does not end the line"));
    }
    if plain.is_empty() {
        return Err(PageError::new(line, "a value is missing"));
    }
    if plain.starts_with(|c| "[]{},&*!|>%@`?-:".contains(c)) || plain.contains(": ") || plain.ends_with(':') {
        return Err(PageError::new(line, "YAML reads this value differently: put it in double quotes"));
    }
    Ok(plain.to_owned())
}

/// A value without a trailing comment.
fn uncommented(value: &str) -> &str {
    if value.starts_with('#') {
        return "";
    }
    value.split_once(" #").map_or(value, |(value, _)| value).trim()
}

/// `name: type = default — text`.
fn parse_option(line: usize, text: &str) -> Result<PageOption, PageError> {
    let form = || PageError::new(line, "an option reads `name: type = default — what it does`");
    let (name, rest) = text.split_once(": ").ok_or_else(form)?;
    let (kind, rest) = rest.split_once(" = ").ok_or_else(form)?;
    let (default, text) = rest.split_once(" — ").ok_or_else(form)?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(PageError::new(
            line,
            format!("`{name}` is no option name: lower-case words joined by `_`"),
        ));
    }
    let kind = match kind.trim() {
        "duration" => OptionType::Duration,
        "string" => OptionType::Text,
        "integer" => OptionType::Int,
        "boolean" => OptionType::Bool,
        "list" => OptionType::List,
        other => {
            let words = ["duration", "string", "integer", "boolean", "list"];
            return Err(one_of(line, "type", other, &words));
        }
    };
    let default: Value = serde_json::from_str(default.trim())
        .map_err(|_| PageError::new(line, format!("`{default}` is no JSON value")))?;
    if !fits(kind, &default) {
        return Err(PageError::new(line, format!("the default {default} does not have the option's type")));
    }
    if text.trim().is_empty() {
        return Err(form());
    }
    Ok(PageOption { name: name.to_owned(), kind, default, text: text.trim().to_owned() })
}

fn fits(kind: OptionType, value: &Value) -> bool {
    match kind {
        OptionType::Duration => value.as_str().is_some_and(|text| parse_duration(text).is_some()),
        OptionType::Text => value.is_string(),
        OptionType::Int => value.is_i64() || value.is_u64(),
        OptionType::Bool => value.is_boolean(),
        OptionType::List => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
    }
}
