//! A container as its manifest writes it.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// A container as its manifest writes it.
#[derive(Debug, Clone, Default)]
pub struct Container {
    /// `name`.
    pub name: Known<Text>,
    /// `image`.
    pub image: Known<Text>,
    /// `command`, item by item.
    pub command: Vec<Known<Text>>,
    /// `args`, item by item.
    pub args: Vec<Known<Text>>,
    /// `env`.
    pub env: Vec<EnvVar>,
    /// `envFrom`.
    pub env_from: Vec<EnvFrom>,
    /// `volumeMounts`, with the ConfigMap behind each.
    pub mounts: Vec<Mount>,
    /// The labels of the pod.
    pub labels: Vec<(String, Text)>,
}

/// One environment variable.
#[derive(Debug, Clone)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// The bytes of the entry's name.
    pub span: Span,
    /// Its value.
    pub value: EnvValue,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone)]
pub enum EnvValue {
    /// `value`.
    Literal(Text),
    /// `valueFrom.configMapKeyRef`.
    ConfigMapKey {
        /// Name of the ConfigMap.
        name: String,
        /// Key in its data.
        key: String,
        /// The bytes of the reference.
        span: Span,
    },
    /// A Secret, a field of the pod, a template: not in the inputs.
    Elsewhere(Span),
}

/// One `envFrom` entry.
#[derive(Debug, Clone)]
pub struct EnvFrom {
    /// Name of the ConfigMap; none for a Secret or what cannot be resolved.
    pub config_map: Option<String>,
    /// Put before every key.
    pub prefix: String,
    /// The bytes of the entry.
    pub span: Span,
}

/// One volume mount.
#[derive(Debug, Clone)]
pub struct Mount {
    /// `mountPath`.
    pub path: String,
    /// The ConfigMap behind the volume, if it is one.
    pub config_map: Option<String>,
    /// `subPath`.
    pub sub_path: Option<String>,
    /// `items` of the ConfigMap volume: key and path.
    pub items: Vec<(String, String)>,
    /// The bytes of the mount.
    pub span: Span,
}
