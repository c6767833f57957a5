//! Configuration files of engines: the `key: value` pairs of a small YAML or JSON text, each with its place.
//!
//! Such a file is the value of a key of a ConfigMap, so it is text inside YAML. The reader takes block mappings by
//! their indentation and flow mappings by their brackets; lists and block scalars hold nothing of interest and are
//! passed over. What it does not understand it leaves out.

use super::vars::mask;
use super::words::{Word, glyphs};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// One setting of a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, with those around it in front (`kv_cache_config.free_gpu_memory_fraction`). Underscores are written
    /// as dashes, so that a key reads like the flag of the same meaning: `tensor-parallel-size`.
    pub key: String,
    /// The bytes from the key to the end of its value.
    pub span: Span,
    /// The value.
    pub value: Known<Text>,
}

/// How deep mappings are followed. The deepest setting of interest is at two.
const DEEPEST: usize = 6;

/// Reads the settings of an engine's configuration file: vLLM and SGLang `--config`, TensorRT-LLM
/// `--extra_llm_api_options` and Dynamo `--extra-engine-args`. Nested keys are joined with dots.
pub fn read_config(text: &Text) -> Vec<Setting> {
    let mut reader = Reader { text, parents: Vec::new(), settings: Vec::new() };
    if text.value.trim_start().starts_with('{') {
        let start = text.value.len() - text.value.trim_start().len();
        reader.flow(start);
    } else {
        reader.block();
    }
    reader.settings
}

struct Reader<'a> {
    text: &'a Text,
    /// The keys around this line, with their indentation.
    parents: Vec<(usize, String)>,
    settings: Vec<Setting>,
}

impl Reader<'_> {
    fn block(&mut self) {
        let value = &self.text.value;
        let mut at = 0;
        // Lines that belong to a value and hold no keys: deeper than this indentation.
        let mut skip: Option<usize> = None;
        while let Some(rest) = value.get(at..).filter(|rest| !rest.is_empty()) {
            let line = rest.split('\n').next().unwrap_or_default();
            let start = at;
            at += line.len() + 1;
            let indent = line.len() - line.trim_start_matches(' ').len();
            let body = line.trim();
            if body.is_empty() || body.starts_with('#') || body.starts_with("---") {
                continue;
            }
            if skip.is_some_and(|skip| indent > skip) {
                continue;
            }
            skip = None;
            if body == "-" || body.starts_with("- ") {
                skip = Some(indent);
                continue;
            }
            let Some((key, value_at)) = key_of(line, indent) else { continue };
            self.parents.retain(|(depth, _)| *depth < indent);
            if self.parents.len() >= DEEPEST {
                continue;
            }
            let scalar = scalar(line.get(value_at..).unwrap_or_default());
            match scalar.chars().next() {
                None => self.parents.push((indent, key)),
                Some('|' | '>') => skip = Some(indent),
                Some('{') if !scalar.starts_with("{{") => {
                    self.parents.push((indent, key));
                    at = self.flow(start + value_at).max(at);
                    self.parents.pop();
                }
                Some(first) => {
                    let (from, to) = (start + value_at, start + value_at + scalar.len());
                    let quoted = matches!(first, '"' | '\'') && scalar.len() > 1 && scalar.ends_with(first);
                    let value = if quoted { from + 1..to - 1 } else { from..to };
                    self.push(&key, start + indent, value);
                    skip = Some(indent);
                }
            }
        }
    }

    /// Reads a flow mapping at an offset of the text, and gives the offset behind it.
    fn flow(&mut self, start: usize) -> usize {
        let value = &self.text.value;
        let around = self.parents.len();
        let mut key: Option<(String, usize)> = None;
        let mut brackets: Vec<char> = Vec::new();
        let mut at = start;
        while let Some(ch) = value.get(at..).and_then(|rest| rest.chars().next()) {
            match ch {
                '{' => {
                    if let Some((key, _)) = key.take() {
                        self.parents.push((0, key));
                    } else if !brackets.is_empty() {
                        self.parents.push((0, "[]".to_owned()));
                    }
                    brackets.push('{');
                    at += 1;
                }
                '[' => {
                    key = None;
                    brackets.push('[');
                    at += 1;
                }
                '}' | ']' => {
                    key = None;
                    let closed = brackets.pop();
                    if closed == Some('{') && !brackets.is_empty() && self.parents.len() > around {
                        self.parents.pop();
                    }
                    at += 1;
                    if brackets.is_empty() {
                        break;
                    }
                }
                ',' => {
                    key = None;
                    at += 1;
                }
                ':' => at += 1,
                ch if ch.is_whitespace() => at += ch.len_utf8(),
                _ => {
                    let (token, next) = token(value, at);
                    let found = (at, token);
                    at = next;
                    let text = value.get(found.1.clone()).unwrap_or_default();
                    match (key.take(), brackets.last()) {
                        (None, Some('{')) if after_blanks(value, next) == Some(':') => {
                            key = Some((text.to_owned(), found.0));
                        }
                        (Some((key, from)), Some('{')) if self.parents.len() <= around + DEEPEST => {
                            self.push(&key, from, found.1);
                        }
                        _ => {}
                    }
                }
            }
        }
        self.parents.truncate(around);
        at
    }

    fn push(&mut self, key: &str, start: usize, value: std::ops::Range<usize>) {
        let path: Vec<&str> = self.parents.iter().map(|(_, parent)| parent.as_str()).chain([key]).collect();
        if path.len() > DEEPEST {
            return;
        }
        let part = self.text.part(value.clone());
        let span = self.text.slice(start..value.end);
        let masked = Word::new(mask(&glyphs(&part)).glyphs, part.span());
        let known = if masked.has_hole() { Known::Unresolved(span) } else { Known::Set(part, span) };
        self.settings.push(Setting { key: path.join(".").replace('_', "-"), span, value: known });
    }
}

/// The key of a line and the offset of what follows its colon.
fn key_of(line: &str, indent: usize) -> Option<(String, usize)> {
    let body = line.get(indent..)?;
    let colon = body.match_indices(':').map(|(at, _)| at).find(|at| {
        let next = body.get(at + 1..).and_then(|rest| rest.chars().next());
        next.is_none_or(char::is_whitespace)
    })?;
    let key = body.get(..colon)?.trim().trim_matches(['"', '\'']);
    if key.is_empty() || key.contains(['{', '[', ' ']) {
        return None;
    }
    let after = body.get(colon + 1..)?;
    let blanks = after.len() - after.trim_start().len();
    Some((key.to_owned(), indent + colon + 1 + blanks))
}

/// The scalar at the start of a text: without what stands behind it.
fn scalar(text: &str) -> &str {
    let text = text.trim_end();
    if let Some(quote) = text.chars().next().filter(|ch| matches!(ch, '"' | '\'')) {
        let inner = text.get(1..).unwrap_or_default();
        let end = inner.find(quote).map_or(text.len(), |end| end + 2);
        return text.get(..end).unwrap_or(text);
    }
    let end = if text.starts_with('#') { Some(0) } else { text.find(" #").or_else(|| text.find("\t#")) };
    text.get(..end.unwrap_or(text.len())).unwrap_or(text).trim_end()
}

/// A token of a flow mapping: the range of its text without quotes, and the offset behind it.
fn token(value: &str, at: usize) -> (std::ops::Range<usize>, usize) {
    let rest = value.get(at..).unwrap_or_default();
    if let Some(quote) = rest.chars().next().filter(|ch| matches!(ch, '"' | '\'')) {
        let mut escaped = false;
        for (offset, ch) in rest.char_indices().skip(1) {
            match ch {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                ch if ch == quote => return (at + 1..at + offset, at + offset + 1),
                _ => {}
            }
        }
        return ((at + 1).min(value.len())..value.len(), value.len());
    }
    let length = rest.find([',', '{', '}', '[', ']', '\n']).unwrap_or(rest.len());
    let bare = rest.get(..length).unwrap_or(rest);
    // A colon ends a key, unless it stands inside a word (`http://…`).
    let colon = bare.find(": ").or_else(|| bare.strip_suffix(':').map(str::len));
    let bare = colon.and_then(|colon| bare.get(..colon)).unwrap_or(bare);
    let length = bare.len().max(1);
    (at..at + bare.trim_end().len(), at + length)
}

fn after_blanks(value: &str, at: usize) -> Option<char> {
    value.get(at..).and_then(|rest| rest.trim_start().chars().next())
}
