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
        // Each open bracket, and whether the key before it was added to the parents.
        let mut open: Vec<(char, bool)> = Vec::new();
        let mut lists = 0usize;
        let mut at = start;
        while let Some(ch) = value.get(at..).and_then(|rest| rest.chars().next()) {
            match ch {
                '{' | '[' => {
                    lists += usize::from(ch == '[');
                    let parent = key.take().map(|(key, _)| key).filter(|_| lists == 0);
                    open.push((ch, parent.is_some()));
                    self.parents.extend(parent.map(|key| (0, key)));
                    at += 1;
                }
                '}' | ']' => {
                    key = None;
                    at += 1;
                    let closed = open.pop();
                    lists -= usize::from(closed.is_some_and(|(ch, _)| ch == '['));
                    if closed.is_some_and(|(_, parent)| parent) {
                        self.parents.pop();
                    }
                    if open.is_empty() {
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
                    let (text, next) = token(value, at);
                    match key.take() {
                        Some((key, from)) if lists == 0 => self.push(&key, from, text),
                        None if after_blanks(value, next) == Some(':') => {
                            key = Some((value.get(text).unwrap_or_default().to_owned(), at));
                        }
                        _ => {}
                    }
                    at = next;
                }
            }
        }
        self.parents.truncate(around);
        at
    }

    fn push(&mut self, key: &str, start: usize, value: std::ops::Range<usize>) {
        if self.parents.len() >= DEEPEST {
            return;
        }
        let path: Vec<&str> = self.parents.iter().map(|(_, parent)| parent.as_str()).chain([key]).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    /// Shows each setting as `key=value`, with the bytes of the whole setting behind it.
    fn check(text: &str, expect: &[&str]) {
        let all = Text::verbatim(text.to_owned(), Span::new(FileId(0), 0, text.len()));
        let found: Vec<String> = read_config(&all)
            .iter()
            .map(|setting| {
                let value = setting.value.set().map_or("?", |text| text.value.as_str());
                let whole = text.get(setting.span.range()).unwrap_or("<outside>");
                format!("{}={value} @{whole}", setting.key)
            })
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn block_mappings_are_read_with_their_parents() {
        check("tensor_parallel_size: 8\n", &["tensor-parallel-size=8 @tensor_parallel_size: 8"]);
        check("# c\n---\na: 1 # one\r\n\nb-c: two words\n", &["a=1 @a: 1", "b-c=two words @b-c: two words"]);
        check("a: \"8\" # x\nb: '9'\n", &["a=8 @a: \"8", "b=9 @b: '9"]);
        check("a:\n  b: 1\n  c:\n    d: 2\ne: 3", &["a.b=1 @b: 1", "a.c.d=2 @d: 2", "e=3 @e: 3"]);
        check("a:\n- b: 1\n  c: 2\nd: 3", &["d=3 @d: 3"]);
        check("a: |\n  b: 1\nc: 2", &["c=2 @c: 2"]);
        check("a: one\n  b: 1\nc: 2", &["a=one @a: one", "c=2 @c: 2"]);
        check(
            "a: {{ .Values.a }}\nb: ${B}\nc: <c>",
            &["a=? @a: {{ .Values.a }}", "b=? @b: ${B}", "c=? @c: <c>"],
        );
        check("url: http://x:1/y\n", &["url=http://x:1/y @url: http://x:1/y"]);
        check("no colon\n: 1\n\"\": 2\na:b\n", &[]);
    }

    #[test]
    fn flow_mappings_are_read_with_their_parents() {
        check("{\"a\": 1, \"b\": {\"c\": \"x\"}}", &["a=1 @\"a\": 1", "b.c=x @\"c\": \"x"]);
        check("a: {b: 1, c: two}\nd: 3", &["a.b=1 @b: 1", "a.c=two @c: two", "d=3 @d: 3"]);
        check("a: {\n  b: 1\n}\nd: 3", &["a.b=1 @b: 1", "d=3 @d: 3"]);
        check("{\"x\": [{\"a\": 1}, 2], \"a\": 3}", &["a=3 @\"a\": 3"]);
        check("{\"a\":\"q\\\"r\",\"b\":2}", &["a=q\\\"r @\"a\":\"q\\\"r", "b=2 @\"b\":2"]);
        check("{\"a\": ", &[]);
        check("{\"a", &[]);
    }
}
