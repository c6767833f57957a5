//! The input files and the way from bytes to lines.

use super::span::{FileId, Span};
use std::sync::Arc;

/// How the bytes on disk were turned into text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte-order mark; offsets are the same on disk.
    Utf8,
    /// UTF-16 with a byte-order mark of two bytes; offsets on disk are computed from the text.
    Utf16,
}

/// One input file whose text is kept.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path as shown in reports: relative to the working directory, with `/`.
    pub path: String,
    /// The text, decoded to UTF-8. A byte-order mark is kept, so that offsets match the disk.
    pub text: Arc<str>,
    /// How the text was decoded.
    pub encoding: Encoding,
    lines: Vec<u32>,
}

/// A place for people: both numbers are 1-based, the column counts Unicode characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// 1-based line.
    pub line: u32,
    /// 1-based column in characters.
    pub column: u32,
}

impl SourceFile {
    /// A file with its text. Lines end at `\n`, `\r\n` or a lone `\r`.
    pub fn new(path: String, text: Arc<str>, encoding: Encoding) -> SourceFile {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let before_lf = bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n');
            if !before_lf {
                lines.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
            }
        }
        SourceFile { path, text, encoding, lines }
    }

    /// The place of a byte offset. An offset past the end is the end; one inside a character is its start.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = self.floor(offset as usize);
        let line = self.lines.partition_point(|start| *start as usize <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0) as usize;
        let before = self.text.get(start..offset).unwrap_or("");
        // A byte-order mark takes bytes but no column.
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        LineColumn { line: number(line), column: number(column) }
    }

    /// The bytes of a 1-based line, without its line break.
    pub fn line_text(&self, line: u32) -> &str {
        let at = (line as usize).saturating_sub(1);
        let start = self.lines.get(at).copied().unwrap_or(0) as usize;
        let end = self.lines.get(at + 1).map_or(self.text.len(), |e| *e as usize);
        self.text.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n'])
    }

    /// Byte offset where a 1-based line starts.
    pub fn line_start(&self, line: u32) -> u32 {
        let at = (line as usize).saturating_sub(1);
        self.lines.get(at).copied().unwrap_or_else(|| u32::try_from(self.text.len()).unwrap_or(u32::MAX))
    }

    /// How many lines the file has.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }

    /// The offset in the file as it lies on disk.
    pub fn disk_offset(&self, offset: u32) -> u32 {
        match self.encoding {
            Encoding::Utf8 => offset,
            Encoding::Utf16 => {
                let before = self.text.get(..self.floor(offset as usize)).unwrap_or("");
                let units: usize = before.chars().map(char::len_utf16).sum();
                u32::try_from(units * 2).unwrap_or(u32::MAX)
            }
        }
    }

    fn floor(&self, offset: usize) -> usize {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// All files whose text a report may show.
#[derive(Debug, Default)]
pub struct Files {
    files: Vec<SourceFile>,
}

impl Files {
    /// Adds a file and gives it its id.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The file of an id, or none for an id of another set.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The path of a file, for sorting and messages.
    pub fn path(&self, id: FileId) -> &str {
        self.get(id).map_or("", |f| f.path.as_str())
    }

    /// The text under a span; empty where the span does not fit the file.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).and_then(|f| f.text.get(span.range())).unwrap_or("")
    }

    /// All files with their ids, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(u32::try_from(at).unwrap_or(u32::MAX)), file))
    }
}
