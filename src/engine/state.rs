//! Puts an engine together from its flags, settings and variables.

use super::config::Setting;
use super::flags::{Argument, Arguments, Field, count, fraction, memory_flag};
use super::model::{Engine, Family, Launch, MemoryFraction, Role, Runtime};
use super::role;
use super::vars::Environment;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// All that is known of an engine before it is put together.
pub(super) struct Parts<'a> {
    pub(super) family: Family,
    pub(super) runtime: Option<Runtime>,
    pub(super) launch: Launch,
    pub(super) at: Span,
    pub(super) arguments: &'a Arguments,
    pub(super) settings: &'a [Setting],
    /// True where the command line is seen in full, so that what it omits has the engine's default.
    pub(super) defaults: bool,
    /// Where more may be given than can be read.
    pub(super) open: Option<Span>,
    /// True where a launcher may read variables of common names.
    pub(super) conventions: bool,
    pub(super) env: &'a Environment,
    /// True where the first positional argument is the model.
    pub(super) model: bool,
}

/// Puts an engine together.
pub(super) fn assemble(parts: &Parts<'_>) -> Engine {
    let flags = &parts.arguments.flags;
    let has = |name: &str| flags.iter().any(|flag| flag.name == name);
    let number = |field, least| parts.count(field, least);
    let engine = Engine::declared(parts.family, parts.at);
    Engine {
        runtime: parts.runtime,
        launch: parts.launch,
        tensor_parallel: number(Field::Tensor, 1),
        pipeline_parallel: number(Field::Pipeline, 1),
        data_parallel: number(Field::Data, 1),
        data_parallel_local: number(Field::DataLocal, 0),
        context_parallel: number(Field::Context, 1),
        expert_parallel: number(Field::Expert, 1),
        ranks: number(Field::Ranks, 1),
        nodes: number(Field::Nodes, 1),
        node_rank: number(Field::NodeRank, 0),
        headless: has("--headless"),
        attention_data_parallel: has("--enable-dp-attention") || parts.is_on("enable-dp-attention"),
        role: role::of(flags, parts.settings, parts.env),
        memory: parts.memory(),
        model: parts.model(),
        flags: flags.iter().map(Argument::to_flag).collect(),
        ..engine
    }
}

impl Parts<'_> {
    /// The value of a field and the name that states it, in order of precedence.
    ///
    /// The command line wins over a configuration file, except for TensorRT-LLM, whose file "overwrites the parameters
    /// specified by trtllm-serve" (commands/serve.py).
    fn stated(&self, field: Field) -> Option<(String, Known<Text>)> {
        let flag = || {
            let flags = self.arguments.flags.iter().rev();
            flags
                .clone()
                .find(|flag| field.is(&flag.name, self.family))
                .map(|flag| (flag.name.clone(), flag.value_or_invalid()))
        };
        let setting = || {
            let named = |setting: &&Setting| field.is(&format!("--{}", setting.key), self.family);
            let found = self.settings.iter().rev().find(named);
            found.map(|setting| (setting.key.clone(), setting.value.clone()))
        };
        let written = match self.family {
            Family::TensorRtLlm => setting().or_else(flag),
            _ => flag().or_else(setting),
        };
        written.or_else(|| self.variable(field.variables(self.family))).or_else(|| {
            let conventions: &[&str] = if self.conventions { field.conventions() } else { &[] };
            self.variable(conventions)
        })
    }

    fn variable(&self, names: &[&str]) -> Option<(String, Known<Text>)> {
        names.iter().find_map(|name| {
            let word = self.env.text(name).filter(|word| !word.glyphs.is_empty())?;
            Some((name.to_string(), word.known(word.at)))
        })
    }

    fn count(&self, field: Field, least: u32) -> Known<u32> {
        match self.stated(field) {
            Some((_, value)) => count(value, least),
            None => self.profile(field).or(|| self.missing(field.default_count(self.family))),
        }
    }

    /// What holds where a field is not given.
    fn missing<T>(&self, default: Option<T>) -> Known<T> {
        match (self.open, default) {
            (Some(span), _) => Known::Unresolved(span),
            (None, Some(default)) if self.defaults => Known::Default(default, self.at),
            _ => Known::Absent,
        }
    }

    /// The degree of parallelism in the name of a NIM profile (`tensorrt_llm-h100-fp8-tp2-pp1-latency`).
    fn profile(&self, field: Field) -> Known<u32> {
        let prefix = match (self.family, field) {
            (Family::Nim, Field::Tensor) => "tp",
            (Family::Nim, Field::Pipeline) => "pp",
            _ => return Known::Absent,
        };
        let Some(word) = self.env.text("NIM_MODEL_PROFILE") else { return Known::Absent };
        let text = word.text();
        let degree = text.split('-').find_map(|part| part.strip_prefix(prefix)?.parse().ok());
        degree.map_or(Known::Absent, |degree| Known::Set(degree, word.at))
    }

    fn memory(&self) -> MemoryFraction {
        let (flag, default) = memory_flag(self.family);
        match self.stated(Field::Memory) {
            Some((name, value)) => MemoryFraction { flag: name, fraction: fraction(value) },
            None => {
                let known = if flag.is_empty() { Known::Absent } else { self.missing(default) };
                MemoryFraction { flag: flag.to_owned(), fraction: known }
            }
        }
    }

    fn is_on(&self, key: &str) -> bool {
        let on = |setting: &&Setting| {
            setting.value.set().is_some_and(|text| text.value.eq_ignore_ascii_case("true"))
        };
        self.settings.iter().filter(|setting| setting.key == key).any(|setting| on(&setting))
    }

    fn model(&self) -> Known<String> {
        let names = ["--model", "--model-path", "--model-id"];
        let flag = self.arguments.flags.iter().rev().find(|flag| names.contains(&flag.name.as_str()));
        let positional = self.arguments.positional.first().filter(|_| self.model);
        let setting = || {
            let found = self
                .settings
                .iter()
                .rev()
                .find(|setting| matches!(setting.key.as_str(), "model" | "model-path"));
            found.map_or(Known::Absent, |setting| setting.value.clone())
        };
        let variables: &[&str] = match self.family {
            Family::Tgi => &["MODEL_ID"],
            Family::Nim => &["NIM_MODEL_NAME"],
            _ => &[],
        };
        let found = match (positional, flag) {
            (Some(word), _) => word.known(word.at),
            (None, Some(flag)) => flag.known(),
            (None, None) => setting(),
        };
        let variable = || self.variable(variables).map_or(Known::Absent, |(_, value)| value);
        found.or(variable).map(|text| text.value)
    }
}

impl Argument {
    /// The value of a flag that needs one. A flag without it is a mistake, not an omission.
    fn value_or_invalid(&self) -> Known<Text> {
        match self.known() {
            Known::Absent => Known::Invalid("a value after the flag", self.span),
            known => known,
        }
    }
}

/// Two engines that one container may start, in different branches of a script. What they disagree on is unknown.
pub(super) fn merge(left: Engine, right: Engine) -> Engine {
    Engine {
        tensor_parallel: agreed(left.tensor_parallel, right.tensor_parallel),
        pipeline_parallel: agreed(left.pipeline_parallel, right.pipeline_parallel),
        data_parallel: agreed(left.data_parallel, right.data_parallel),
        data_parallel_local: agreed(left.data_parallel_local, right.data_parallel_local),
        context_parallel: agreed(left.context_parallel, right.context_parallel),
        expert_parallel: agreed(left.expert_parallel, right.expert_parallel),
        ranks: agreed(left.ranks, right.ranks),
        nodes: agreed(left.nodes, right.nodes),
        node_rank: agreed(left.node_rank, right.node_rank),
        headless: left.headless && right.headless,
        ray: left.ray.or(right.ray),
        attention_data_parallel: left.attention_data_parallel || right.attention_data_parallel,
        role: agreed::<Role>(left.role, right.role),
        memory: MemoryFraction {
            fraction: agreed(left.memory.fraction, right.memory.fraction),
            flag: left.memory.flag,
        },
        model: agreed(left.model, right.model),
        flags: left.flags.into_iter().chain(right.flags).collect(),
        ..left
    }
}

fn agreed<T: PartialEq>(left: Known<T>, right: Known<T>) -> Known<T> {
    match (&left, &right) {
        (Known::Absent, Known::Absent) | (Known::Unresolved(_) | Known::Invalid(..), _) => left,
        (_, Known::Unresolved(_) | Known::Invalid(..)) => right,
        _ if left.value() == right.value() => {
            if left.is_written() {
                left
            } else {
                right
            }
        }
        _ => right.span().or(left.span()).map_or(Known::Absent, Known::Unresolved),
    }
}
