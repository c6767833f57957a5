//! Files, spans, lines and the walk. Knows no YAML.

mod files;
mod span;

pub use files::{Encoding, Files, LineColumn, SourceFile};
pub use span::{FileId, Span};
