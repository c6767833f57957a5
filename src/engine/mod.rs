//! What a serving engine's command line says.

mod container;
pub use container::{Container, EnvFrom, EnvValue, EnvVar, Mount};

/// The part that a pool plays in disaggregated serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Reads prompts: compute-bound, measured by its queue.
    Prefill,
    /// Writes tokens: memory-bound, measured by its KV cache.
    Decode,
    /// Encodes images or audio before prefill.
    Encode,
    /// Does prefill and decode in one engine.
    Aggregated,
}

/// The role that a word names, as labels and role names spell it.
pub fn role_from_word(word: &str) -> Option<Role> {
    Some(match word.to_ascii_lowercase().as_str() {
        "prefill" => Role::Prefill,
        "decode" => Role::Decode,
        "encode" => Role::Encode,
        "both" | "prefill-decode" | "aggregated" => Role::Aggregated,
        _ => return None,
    })
}
