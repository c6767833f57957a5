//! The spanned tree. Knows no Kubernetes.

mod text;

pub use text::Text;
