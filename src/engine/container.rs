//! What a manifest says of one container, as far as an engine's command line depends on it.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// A container as its manifest writes it.
#[derive(Debug, Clone, Default)]
pub struct Container {
    /// The name of the container.
    pub name: Known<String>,
    /// The image reference.
    pub image: Known<Text>,
    /// `command`, item by item.
    pub command: Vec<Known<Text>>,
    /// `args`, item by item.
    pub args: Vec<Known<Text>>,
    /// `env`, in order: a value may refer to the variables before it. A variable that a controller sets
    /// (`LWS_GROUP_SIZE`) may be added where its value is known from the object, with the span that says so.
    pub env: Vec<EnvVar>,
    /// `envFrom`, in order: later sources win, and `env` wins over all of them.
    pub env_from: Vec<EnvFrom>,
    /// The mounts that hold files of a ConfigMap. Others need not be listed.
    pub mounts: Vec<Mount>,
    /// The labels of the pod.
    pub labels: Vec<(String, Text)>,
    /// `workingDir`, to which relative paths of scripts and configuration files refer.
    pub working_dir: Option<String>,
    /// True where the container asks for accelerators. Tells an engine of an unknown image from its sidecars.
    pub accelerators: bool,
    /// True where an operator or a chart writes the rest of the command line, so that a flag that is not here may
    /// still be given. No default is assumed then.
    pub completed: bool,
}

/// One entry of `env`.
#[derive(Debug, Clone)]
pub struct EnvVar {
    /// The name of the variable.
    pub name: String,
    /// The bytes of the entry.
    pub span: Span,
    /// Where its value comes from.
    pub value: EnvValue,
}

/// The value of a variable.
#[derive(Debug, Clone)]
pub enum EnvValue {
    /// Written in place.
    Literal(Text),
    /// A key of a ConfigMap.
    ConfigMapKey {
        /// The name of the ConfigMap.
        name: String,
        /// The key in its `data`.
        key: String,
        /// The bytes of the reference.
        span: Span,
    },
    /// A Secret, a field of the pod, or a template: not in the inputs.
    Elsewhere(Span),
}

/// One entry of `envFrom`.
#[derive(Debug, Clone)]
pub struct EnvFrom {
    /// Where the variables come from.
    pub source: EnvSource,
    /// Put in front of each name.
    pub prefix: String,
    /// The bytes of the entry.
    pub span: Span,
}

/// A source of several variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvSource {
    /// All keys of the ConfigMap of this name.
    ConfigMap(String),
    /// A Secret. Its keys are unknown, but nobody keeps a degree of parallelism secret, so it hides no variable that
    /// matters here.
    Secret,
    /// A source whose name cannot be resolved. It may set any variable.
    Unknown,
}

/// One entry of `volumeMounts`, joined with its volume.
#[derive(Debug, Clone)]
pub struct Mount {
    /// `mountPath`.
    pub path: String,
    /// The ConfigMap behind the volume.
    pub config_map: Option<String>,
    /// `subPath`: the one file of the volume that is mounted at `path`.
    pub sub_path: Option<String>,
    /// `items` of the volume, as key and path. Empty: every key is a file of its name.
    pub items: Vec<(String, String)>,
    /// The bytes of the entry.
    pub span: Span,
}

/// What the other objects of the repository can tell.
pub trait Lookup {
    /// The value of a key of a ConfigMap. [`Known::Absent`] or [`Known::Unresolved`] where the inputs have none.
    fn config_map_key(&self, name: &str, key: &str) -> Known<Text>;

    /// All keys of a ConfigMap with their values, or none where the inputs have no such ConfigMap.
    fn config_map_keys(&self, name: &str) -> Option<Vec<(String, Text)>>;
}

/// A lookup that knows no other object.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLookup;

impl Lookup for NoLookup {
    fn config_map_key(&self, _name: &str, _key: &str) -> Known<Text> {
        Known::Absent
    }

    fn config_map_keys(&self, _name: &str) -> Option<Vec<(String, Text)>> {
        None
    }
}
