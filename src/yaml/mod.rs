//! The spanned tree: YAML and JSON as an arena of nodes, each with its bytes. Knows no Kubernetes.

pub mod edit;
mod node;
mod parse;
mod read;
mod split;
mod text;

pub use node::{Entry, Node, NodeId, Style, Tree};
pub use parse::{ParseError, parse, parse_embedded};
pub use read::{Read, Scalar, is_template, looks_templated};
pub use split::{Part, split};
pub use text::Text;
