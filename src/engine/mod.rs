//! What a serving engine's command line says: the engine, its degrees of parallelism, its role, the memory it takes.
//!
//! A [`Container`] is what a manifest writes. [`read`] recognises the engine in it, follows its command through shells,
//! scripts and variables, and answers in [`Known`](crate::known::Known) values with the bytes that say so. Nothing is
//! run and nothing is guessed: what depends on a condition, a secret or a template is unresolved.
//!
//! The path of a command: `words` (characters with their place) → `vars` (`$(NAME)` as Kubernetes replaces it) →
//! `launch` (which program is this) → `shell`, `lex`, `expand` (the commands of a script) → `flags`, `config`, `role`
//! (what they state) → `state` (the engine).

mod config;
mod container;
mod expand;
mod files;
mod flags;
mod image;
mod launch;
mod lex;
mod model;
mod reader;
mod role;
mod shell;
mod state;
mod vars;
mod words;

#[cfg(test)]
mod tests;

pub use config::{Setting, read_config};
pub use container::{Container, EnvFrom, EnvSource, EnvValue, EnvVar, Lookup, Mount, NoLookup};
pub use model::{Engine, Family, Flag, Launch, MemoryFraction, Role, Runtime};
pub use role::role_from_word;

use crate::source::Span;

/// The engine that a container runs, or none where it runs none.
///
/// A command decides before the image, and the image before the labels of the pod: an engine image that runs a router
/// or sleeps is no engine. A container that only joins the Ray cluster of an engine is one, with [`Launch::RayMember`]
/// and no parallelism of its own. A launcher that the inputs do not hold counts where the image or a label tells its
/// family; the variables of common names (`TP_SIZE`, `PP_SIZE`, …) speak for it then.
///
/// Where the command line is seen in full, a degree of parallelism that it omits has the engine's default. Where a
/// part of it is unknown, what is not given is [`Unresolved`](crate::known::Known::Unresolved).
pub fn read(container: &Container, lookup: &dyn Lookup) -> Option<Engine> {
    reader::read(container, lookup)
}

/// The engine of a container whose family its object states elsewhere, at `at`: `engine: VLLM` of a KubeAI model, the
/// `backendFramework` of a DynamoGraphDeployment. A container that gives no command runs that engine, and nothing else
/// is known of it; one whose command is something else runs none.
pub fn read_as(
    family: Family,
    runtime: Option<Runtime>,
    at: Span,
    container: &Container,
    lookup: &dyn Lookup,
) -> Option<Engine> {
    reader::read_as(family, runtime, at, container, lookup)
}

/// The engine that the value of a label or a field names (`vllm`, `trtllm-serve`, `VLLM`).
pub fn family_from_word(word: &str) -> Option<Family> {
    image::family_from_word(word)
}
