//! What comments and annotations say.

use super::{Annotation, Comment};
use crate::config::{Config, IgnoreEntry};
use crate::diagnostic::ObjectRef;
use crate::source::{FileId, Files, SourceFile, Span};
use crate::yaml::Text;
use std::ops::Range;

/// An ignore, wherever it is written.
#[derive(Debug)]
pub(super) struct Directive {
    /// The findings that it is about.
    pub(super) scope: Scope,
    /// The rules that it names, known or not.
    pub(super) ids: Vec<Id>,
    /// Why.
    pub(super) reason: String,
    /// The bytes of the reason; empty where there is none.
    pub(super) reason_span: Span,
    /// The bytes of the whole.
    pub(super) span: Span,
    /// The bytes to delete so that nothing of it stays, and those of the list of ids. Only of comments.
    pub(super) editable: Option<Editable>,
    /// The YAML document that it stands in.
    pub(super) document: u32,
    /// The object that it stands on.
    pub(super) object: Option<ObjectRef>,
}

/// How a comment can be edited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Editable {
    /// The comment with its line or with the white space in front of it.
    pub(super) removal: Span,
    /// What stands between the brackets.
    pub(super) list: Span,
}

/// A rule that an ignore names.
#[derive(Debug)]
pub(super) struct Id {
    /// The id as written.
    pub(super) name: String,
    /// Its bytes.
    pub(super) span: Span,
    /// True once a finding was matched.
    pub(super) used: bool,
}

/// The findings that an ignore is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those on a line, 1-based.
    Line(FileId, u32),
    /// Those in a file.
    File(FileId),
    /// Those about an object.
    Object(u32),
    /// Those that an entry of the configuration fits.
    Config(usize),
    /// None, because of where it stands; the text says why.
    Nowhere(&'static str),
}

/// A comment that is meant for gpulint and says nothing that it understands.
#[derive(Debug)]
pub(super) struct Malformed {
    /// Its bytes.
    pub(super) span: Span,
    /// What is wrong: lower case, no final stop.
    pub(super) message: String,
    /// The YAML document that it stands in.
    pub(super) document: u32,
}

const PREFIX: &str = "gpulint:";

/// The ignore in a comment; none where the comment is not for gpulint.
pub(super) fn of_comment(files: &Files, comment: &Comment) -> Option<Result<Directive, Malformed>> {
    let file = files.get(comment.span.file)?;
    let text = files.slice(comment.span);
    let start = directive_start(text)?;
    let base = comment.span.start as usize;
    let span = |range: Range<usize>| Span::new(comment.span.file, base + range.start, base + range.end);
    let end = text.trim_end().len();
    let malformed = |message: String| {
        Some(Err(Malformed { span: span(start..end), message, document: comment.document }))
    };

    // The rest of the text is what counts; its length tells where it starts.
    let offset = |rest: &str| text.len() - rest.len();
    let body = text.get(start..)?.trim_start_matches('#').trim_start().strip_prefix(PREFIX)?.trim_start();
    let word_end = body.find(|c: char| c == '[' || c.is_whitespace()).unwrap_or(body.len());
    let (word, rest) = body.split_at_checked(word_end)?;
    if word.is_empty() {
        return malformed("the comment says nothing to gpulint".to_owned());
    }
    if !matches!(word, "ignore" | "ignore-file") {
        return malformed(format!("`{word}` is no word that gpulint knows"));
    }
    let Some(rest) = rest.trim_start().strip_prefix('[') else {
        return malformed("the ignore names no rule".to_owned());
    };
    let Some((list, rest)) = rest.split_once(']') else {
        return malformed("the list of rules is not closed".to_owned());
    };
    let list_start = offset(rest) - 1 - list.len();
    let ids = ids(list, |range| span(list_start + range.start..list_start + range.end));
    if ids.is_empty() {
        return malformed("the ignore names no rule".to_owned());
    }
    let after = rest.trim_start_matches(SEPARATORS);
    let (reason_start, reason) = (offset(after), after.trim_end());
    Some(Ok(Directive {
        scope: scope(file, comment.span, word == "ignore-file"),
        ids,
        reason: reason.to_owned(),
        reason_span: span(reason_start..reason_start + reason.len()),
        span: span(start..end),
        editable: Some(Editable {
            removal: removal(file, comment.span, start),
            list: span(list_start..list_start + list.len()),
        }),
        document: comment.document,
        object: None,
    }))
}

/// What may stand between the brackets and the reason.
const SEPARATORS: [char; 6] = [' ', '\t', ':', '-', '–', '—'];

/// Where the part for gpulint starts, at its `#`. Another comment may stand in front of it.
fn directive_start(text: &str) -> Option<usize> {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or("");
        if c == '#' && before.is_whitespace() && rest.trim_start_matches('#').trim_start().starts_with(PREFIX)
        {
            return Some(at);
        }
        before = c;
    }
    None
}

/// The ids in a list, without those left out between two commas.
fn ids(list: &str, span: impl Fn(Range<usize>) -> Span) -> Vec<Id> {
    let mut at = 0;
    let mut ids = Vec::new();
    for item in list.split(',') {
        let name = item.trim();
        let start = at + item.len() - item.trim_start().len();
        if !name.is_empty() {
            ids.push(Id { name: name.to_owned(), span: span(start..start + name.len()), used: false });
        }
        at += item.len() + 1;
    }
    ids
}

/// What a comment is about: its own line, or where it stands alone, the next line that is no comment.
fn scope(file: &SourceFile, comment: Span, whole_file: bool) -> Scope {
    let line = file.line_column(comment.start).line;
    let alone = stands_alone(file, comment);
    if whole_file {
        let mut before = (1..line).map(|line| file.line_text(line));
        let top = alone && before.all(is_preamble);
        let misplaced = "`ignore-file` holds only at the top of a file, before the first line of YAML";
        return if top { Scope::File(comment.file) } else { Scope::Nowhere(misplaced) };
    }
    if !alone {
        return Scope::Line(comment.file, line);
    }
    let target =
        (line + 1..=file.line_count()).find(|line| !file.line_text(*line).trim_start().starts_with('#'));
    match target {
        Some(line) if !file.line_text(line).trim().is_empty() => Scope::Line(comment.file, line),
        Some(_) => Scope::Nowhere("nothing stands on the line below it"),
        None => Scope::Nowhere("nothing stands below it"),
    }
}

/// True for a line that may stand above an `ignore-file`.
fn is_preamble(line: &str) -> bool {
    let line = line.trim_start_matches('\u{feff}').trim();
    line.is_empty() || line == "---" || line.starts_with(['#', '%'])
}

/// True where nothing but white space stands in front of a comment on its line.
fn stands_alone(file: &SourceFile, comment: Span) -> bool {
    let line = file.line_start(file.line_column(comment.start).line) as usize;
    let before = file.text.get(line..comment.start as usize).unwrap_or("");
    before.trim_start_matches('\u{feff}').trim().is_empty()
}

/// The bytes that have to go with a comment, of which the part for gpulint starts at `start`.
fn removal(file: &SourceFile, comment: Span, start: usize) -> Span {
    let line = file.line_column(comment.start).line;
    let line_start = file.line_start(line) as usize;
    let directive = comment.start as usize + start;
    let before = file.text.get(line_start..directive).unwrap_or("");
    let mark = before.len() - before.trim_start_matches('\u{feff}').len();
    let kept = before.trim_end().len().max(mark);
    if kept == mark {
        // The line was there for the comment only.
        let next =
            if line < file.line_count() { file.line_start(line + 1) as usize } else { file.text.len() };
        return Span::new(comment.file, line_start + mark, next);
    }
    Span::new(comment.file, line_start + kept, comment.end as usize)
}

/// The ignores in an annotation: `rule: reason`, several of them on lines of their own or parted by semicolons.
pub(super) fn of_annotation(annotation: &Annotation, config: &Config) -> Vec<Directive> {
    let value = annotation.text.value.as_str();
    let mut starts = vec![0];
    for (at, _) in value.match_indices(['\n', ';']) {
        // A reason may hold both marks: only what looks like an ignore starts one.
        if value.get(at + 1..).is_some_and(|rest| starts_an_ignore(rest, config)) {
            starts.push(at + 1);
        }
    }
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([value.len()]);
    let parts = starts.iter().zip(ends).map(|(start, end)| *start..end);
    parts.filter_map(|range| of_annotation_part(annotation, range)).collect()
}

/// True for `rule:` or `rule, rule:`, and for a known rule that stands alone.
fn starts_an_ignore(text: &str, config: &Config) -> bool {
    let line = text.split(['\n', ';']).next().unwrap_or("");
    let (ids, has_reason) = line.split_once(':').map_or((line, false), |(ids, _)| (ids, true));
    ids.split(',').all(|id| {
        let id = id.trim();
        let like_one =
            !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        like_one && (has_reason || config.knows(id))
    })
}

fn of_annotation_part(annotation: &Annotation, range: Range<usize>) -> Option<Directive> {
    let text: &Text = &annotation.text;
    let part = text.value.get(range.clone())?;
    let start = range.start + part.len() - part.trim_start().len();
    let part = part.trim();
    if part.is_empty() {
        return None;
    }
    let (list, reason) = part.split_once(':').unwrap_or((part, ""));
    let reason_start = start + part.len() - reason.trim_start().len();
    let reason = reason.trim();
    let span = text.slice(start..start + part.len());
    Some(Directive {
        scope: Scope::Object(annotation.object),
        ids: ids(list, |range| text.slice(start + range.start..start + range.end)),
        reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
        reason_span: match reason.len() {
            0 => Span { start: span.end, ..span },
            len => text.slice(reason_start..reason_start + len),
        },
        span,
        editable: None,
        document: annotation.document,
        object: annotation.reference.clone(),
    })
}

/// An entry of the configuration as an ignore.
pub(super) fn of_entry(number: usize, entry: &IgnoreEntry) -> Directive {
    Directive {
        scope: Scope::Config(number),
        ids: vec![Id { name: entry.rule.to_owned(), span: entry.span, used: false }],
        reason: entry.reason.clone(),
        reason_span: entry.reason_span,
        span: entry.span,
        editable: None,
        document: 0,
        object: None,
    }
}
