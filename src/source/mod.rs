//! Files, spans, lines and the walk. Knows no YAML.

mod files;
mod span;
mod walk;

pub use files::{Encoding, Files, LineColumn, SourceFile};
pub use span::{FileId, Span};
pub use walk::{Met, Undecoded, WalkOptions, decode, is_utf16, read_again, shown, utf8, walk};
