//! Reads a container: its command, the scripts behind it, its configuration files and its variables.

use super::config::{Setting, read_config};
use super::container::{Container, Lookup};
use super::files;
use super::flags::{Argument, Arguments, parse};
use super::image::{self, EngineImage, Entry, Image};
use super::launch::{Start, Step, serves_nothing, states_parallelism, step};
use super::model::{Engine, Family, Launch, Runtime};
use super::shell::{self, DEEPEST};
use super::state::{Parts, assemble, merge};
use super::vars::{Environment, Reader as Kind, Value, mask};
use super::words::{Glyph, Word, glyphs, names_arguments};
use crate::known::Known;
use crate::source::Span;

/// Labels of a pod that name its engine: AIBrix, llm-d, and the inference servers of GKE.
const LABELS: &[&str] = &["model.aibrix.ai/engine", "llm-d.ai/engine-type", "ai.gke.io/inference-server"];

/// Variables that hold more of the command line.
///
/// Sources: KServe, config/llmisvcconfig (`VLLM_ADDITIONAL_ARGS`); the NIM documentation (`NIM_PASSTHROUGH_ARGS`); the
/// others are common names in launchers.
const MORE_ARGUMENTS: &[&str] =
    &["VLLM_ADDITIONAL_ARGS", "VLLM_EXTRA_ARGS", "VLLM_ARGS", "SGLANG_EXTRA_ARGS", "NIM_PASSTHROUGH_ARGS"];

/// Variables that state a degree of parallelism by its full name, which an image's own entry point reads.
const DEGREES: &[&str] = &["TENSOR_PARALLEL_SIZE", "PIPELINE_PARALLEL_SIZE"];

/// Variables that together with `NUM_SHARD` no program reads but text-generation-inference.
///
/// Source: text-generation-inference, launcher/src/main.rs.
const TGI_VARIABLES: &[&str] = &[
    "MAX_BATCH_PREFILL_TOKENS",
    "MAX_BATCH_TOTAL_TOKENS",
    "MAX_INPUT_LENGTH",
    "MAX_INPUT_TOKENS",
    "MAX_TOTAL_TOKENS",
];

/// Flags whose value is a configuration file.
const CONFIG_FLAGS: &[&str] =
    &["--config", "--extra-llm-api-options", "--extra-engine-args", "--config-file"];

/// Who says which engine a container runs, where no command does.
#[derive(Debug, Clone)]
struct Witness {
    family: Family,
    runtime: Option<Runtime>,
    entry: Entry,
    at: Span,
    /// True where the engine is known from more than a label, which every container of a pod shares.
    strong: bool,
}

/// What the commands of a container do.
#[derive(Debug, Default)]
struct Plan {
    engines: Vec<(Start, Option<String>)>,
    ray: Option<Span>,
    launchers: Vec<Launcher>,
}

#[derive(Debug, Clone)]
struct Launcher {
    at: Span,
    args: Vec<Word>,
    directory: Option<String>,
}

/// Reads the engine of a container; see [`super::read`].
pub(super) fn read(container: &Container, lookup: &dyn Lookup) -> Option<Engine> {
    let image = image::read(&container.image);
    let witness = witness(container, &image);
    Reader::new(container, lookup, &image, witness).engine()
}

/// Reads the engine of a container of which the family is known; see [`super::read_as`].
pub(super) fn read_as(
    family: Family,
    runtime: Option<Runtime>,
    at: Span,
    container: &Container,
    lookup: &dyn Lookup,
) -> Option<Engine> {
    let image = image::read(&container.image);
    let entry = match &image {
        Image::Engine(found) if found.family == family => found.entry,
        _ => Entry::Preset,
    };
    let witness = Witness { family, runtime, entry, at, strong: true };
    let silent = container.command.is_empty() && container.args.is_empty();
    let found = Reader::new(container, lookup, &image, Some(witness)).engine();
    found.or_else(|| silent.then(|| Engine { runtime, ..Engine::declared(family, at) }))
}

fn witness(container: &Container, image: &Image) -> Option<Witness> {
    match image {
        Image::Beside => return None,
        Image::Engine(EngineImage { family, runtime, entry, span, .. }) => {
            return Some(Witness {
                family: *family,
                runtime: *runtime,
                entry: *entry,
                at: *span,
                strong: true,
            });
        }
        Image::Unknown => {}
    }
    by_label(container).or_else(|| by_variables(container))
}

/// The engine of an image that is not known, by a label of the pod.
fn by_label(container: &Container) -> Option<Witness> {
    LABELS.iter().find_map(|name| {
        let (_, value) = container.labels.iter().find(|(label, _)| label == name)?;
        let family = image::family_from_word(&value.value)?;
        let entry = Entry::Preset;
        Some(Witness { family, runtime: None, entry, at: value.span(), strong: container.accelerators })
    })
}

/// The engine of an image that is not known, by variables that only that engine reads.
fn by_variables(container: &Container) -> Option<Witness> {
    let named = |name: &str| container.env.iter().find(|variable| variable.name == name);
    let shards = named("NUM_SHARD").filter(|_| TGI_VARIABLES.iter().any(|name| named(name).is_some()))?;
    let silent = container.command.is_empty() && container.accelerators;
    silent.then_some(Witness {
        family: Family::Tgi,
        runtime: None,
        entry: Entry::Preset,
        at: shards.span,
        strong: true,
    })
}

struct Reader<'a> {
    container: &'a Container,
    lookup: &'a dyn Lookup,
    env: Environment,
    version: Known<String>,
    beside: bool,
    witness: Option<Witness>,
    command: Vec<Word>,
    args: Vec<Word>,
}

impl<'a> Reader<'a> {
    fn new(
        container: &'a Container,
        lookup: &'a dyn Lookup,
        image: &Image,
        witness: Option<Witness>,
    ) -> Self {
        let items = || container.command.iter().chain(&container.args);
        let somewhere = items().find_map(Known::span).or(container.image.span());
        let fallback = somewhere.or_else(|| container.env.first().map(|var| var.span));
        let fallback = fallback.unwrap_or(Span::new(crate::source::FileId(0), 0, 0));
        let mut env = Environment::of(container, lookup, fallback);
        let command = container.command.iter().filter_map(|item| word(item, &mut env)).collect();
        let args = container.args.iter().filter_map(|item| word(item, &mut env)).collect();
        let version = match image {
            Image::Engine(found) => found.version.clone(),
            _ => Known::Absent,
        };
        let beside = matches!(image, Image::Beside);
        Reader { container, lookup, env, version, beside, witness, command, args }
    }

    fn engine(mut self) -> Option<Engine> {
        let words: Vec<Word> = self.command.iter().chain(&self.args).cloned().collect();
        if self.continues_entry_point(&words) {
            return self.entry_point();
        }
        let mut plan = Plan::default();
        self.follow(&words, None, 0, &mut plan);
        let engines = std::mem::take(&mut plan.engines);
        let found =
            engines.iter().map(|(start, directory)| self.started(start, directory.as_deref())).reduce(merge);
        let found = found.map(|engine| Engine { ray: plan.ray, ..engine });
        found.or_else(|| self.joined(&plan)).or_else(|| {
            let states = |launcher: &&Launcher| states_parallelism(&launcher.args);
            let launcher = plan.launchers.iter().find(states).or(plan.launchers.last());
            launcher.and_then(|launcher| self.launched(launcher, Launch::Script))
        })
    }

    /// True where the words do not name a program, so that they are arguments of what the image runs.
    fn continues_entry_point(&self, words: &[Word]) -> bool {
        let Some(first) = words.first() else { return true };
        if !self.command.is_empty() {
            return false;
        }
        let recognised = match step(words) {
            Step::Engine(_) | Step::Ray(_) | Step::Inline(..) | Step::Script(..) => true,
            Step::Launcher(..) | Step::Source(..) | Step::Other => false,
        };
        let entry = self.witness.as_ref().map(|witness| witness.entry);
        let takes_arguments = matches!(entry, Some(Entry::Engine | Entry::Preset));
        // A bare word is the model for an image that runs `vllm serve`, and a program for any other.
        !recognised && (first.is_flag() || first.has_hole() || (takes_arguments && names_model(first)))
    }

    /// Follows a command to what it starts.
    fn follow(&mut self, words: &[Word], directory: Option<String>, depth: usize, plan: &mut Plan) {
        match step(words) {
            Step::Engine(start) => plan.engines.push((start, directory)),
            Step::Ray(at) => plan.ray = plan.ray.or(Some(at)),
            Step::Inline(script, arguments) => self.script(script, &arguments, directory, depth, plan),
            Step::Script(file, args) => {
                let text = files::read(&file.text(), directory.as_deref(), self.container, self.lookup);
                match text {
                    Some(text) => self.script(glyphs(&text), &named(file, args), directory, depth, plan),
                    None if serves_nothing(&file.basename()) => {}
                    None => plan.launchers.push(Launcher { at: file.at, args, directory }),
                }
            }
            Step::Source(file, args) => {
                let text = files::read(&file.text(), directory.as_deref(), self.container, self.lookup);
                if let Some(text) = text {
                    self.script(glyphs(&text), &named(file, args), directory, depth, plan);
                }
            }
            Step::Launcher(at, args) => plan.launchers.push(Launcher { at, args, directory }),
            Step::Other => {}
        }
    }

    fn script(
        &mut self,
        script: Vec<Glyph>,
        arguments: &[Word],
        directory: Option<String>,
        depth: usize,
        plan: &mut Plan,
    ) {
        if depth >= DEEPEST {
            return;
        }
        let outcome = shell::run(script, std::mem::take(&mut self.env), arguments, depth);
        self.env = outcome.env;
        for command in outcome.commands {
            for (name, value) in command.env {
                self.env.set(&name, value);
            }
            let directory = command.directory.or_else(|| directory.clone());
            self.follow(&command.words, directory, depth + 1, plan);
        }
    }

    /// An engine that a command of the manifest starts.
    fn started(&self, start: &Start, directory: Option<&str>) -> Engine {
        let arguments = parse(&start.args, start.model);
        let settings = self.settings(&arguments, directory);
        let ray = start.runtime == Some(Runtime::RayServe);
        let parts = Parts {
            family: start.family,
            runtime: start.runtime,
            launch: if ray { Launch::RayMember } else { Launch::Command },
            at: start.at,
            arguments: &arguments,
            settings: &settings.found,
            // Triton loads an engine that was built for a degree of parallelism, and Ray Serve has a configuration of
            // its own, so nothing is a default there.
            defaults: !self.container.completed && !ray && start.runtime != Some(Runtime::Triton),
            open: arguments.open.or(settings.missing),
            conventions: false,
            env: &self.env,
            model: start.model,
        };
        let mut engine = assemble(&parts);
        engine.version = self.version.clone();
        if matches!(engine.ranks, Known::Absent) {
            engine.ranks = start.ranks.clone();
        }
        if let Some(role) = start.role {
            engine.role = engine.role.or(|| Known::Set(role, start.at));
        }
        engine
    }

    /// A container that joins the Ray cluster of an engine.
    fn joined(&self, plan: &Plan) -> Option<Engine> {
        let witness = self.witness.as_ref()?;
        Some(self.ray_member(witness, plan.ray?))
    }

    fn ray_member(&self, witness: &Witness, at: Span) -> Engine {
        Engine {
            runtime: witness.runtime,
            launch: Launch::RayMember,
            version: self.version.clone(),
            ..Engine::declared(witness.family, at)
        }
    }

    /// A container whose launcher is not in the inputs.
    fn launched(&self, launcher: &Launcher, launch: Launch) -> Option<Engine> {
        if self.beside {
            return None;
        }
        let arguments = parse(&launcher.args, false);
        let settings = self.settings(&arguments, launcher.directory.as_deref());
        let states = self.states(&launcher.args, &settings.found);
        let (family, runtime) = match &self.witness {
            Some(witness) if witness.strong || states => (witness.family, witness.runtime),
            None if states && self.may_accelerate() => (Family::Other, None),
            _ => return None,
        };
        let arguments = self.with_variables(arguments);
        let parts = Parts {
            family,
            runtime,
            launch,
            at: launcher.at,
            arguments: &arguments,
            settings: &settings.found,
            defaults: false,
            open: (!self.container.completed).then_some(launcher.at),
            conventions: true,
            env: &self.env,
            model: false,
        };
        Some(Engine { version: self.version.clone(), ..assemble(&parts) })
    }

    /// True where the launcher of an unknown image states a degree of parallelism.
    fn states(&self, args: &[Word], settings: &[Setting]) -> bool {
        let named = ["TENSOR_PARALLEL_SIZE", "PIPELINE_PARALLEL_SIZE", "TP_SIZE", "PP_SIZE"];
        states_parallelism(args)
            || settings.iter().any(|setting| setting.key == "tensor-parallel-size")
            || named.iter().any(|name| self.env.text(name).is_some())
    }

    /// A container that runs what its image runs.
    fn entry_point(&self) -> Option<Engine> {
        let Some(witness) = self.witness.clone() else {
            return self.unknown_image();
        };
        let arguments = self.with_variables(parse(&self.args, true));
        let silent = self.args.is_empty() && arguments.flags.is_empty();
        let models = ["--model", "--model-path", "--model-id"];
        let serves = states_parallelism(&self.args)
            || arguments.flags.iter().any(|flag| models.contains(&flag.name.as_str()));
        let told = DEGREES.iter().any(|name| self.env.text(name).is_some());
        let runs_nothing = silent && !told && witness.entry == Entry::Other && !self.container.completed;
        if runs_nothing || !(witness.strong || serves) {
            return None;
        }
        if witness.entry == Entry::Ray {
            return Some(self.ray_member(&witness, witness.at));
        }
        let settings = self.settings(&arguments, None);
        let known = match witness.entry {
            Entry::Engine => true,
            // Arguments alone mean that the image runs the engine after all.
            Entry::Other => !self.args.is_empty(),
            Entry::Preset | Entry::Ray => false,
        };
        let parts = Parts {
            family: witness.family,
            runtime: witness.runtime,
            launch: Launch::Image,
            at: witness.at,
            arguments: &arguments,
            settings: &settings.found,
            defaults: known && !self.container.completed && witness.runtime != Some(Runtime::Triton),
            open: arguments.open.or(settings.missing),
            conventions: true,
            env: &self.env,
            model: true,
        };
        Some(Engine { version: self.version.clone(), ..assemble(&parts) })
    }

    /// An image that is not known, with arguments or variables that state a degree of parallelism.
    fn unknown_image(&self) -> Option<Engine> {
        let by_flag = self.args.first().filter(|_| states_parallelism(&self.args)).map(|word| word.at);
        let by_variable = || DEGREES.iter().find_map(|name| Some(self.env.text(name)?.at));
        let at = by_flag.or_else(by_variable)?;
        self.launched(&Launcher { at, args: self.args.clone(), directory: None }, Launch::Image)
    }

    /// True where the container asks for accelerators, or where it is a part of one, such as a patch that changes the
    /// arguments and leaves image and resources to what it patches.
    fn may_accelerate(&self) -> bool {
        let partial = self.container.image == Known::Absent && self.container.command.is_empty();
        self.container.accelerators || partial
    }

    /// The arguments, behind those that variables hold: what the command line repeats comes later and wins.
    fn with_variables(&self, arguments: Arguments) -> Arguments {
        let mut all = Arguments::default();
        for name in MORE_ARGUMENTS {
            let Some(Value::Scalar(value)) = self.env.get(name) else { continue };
            let more = parse(&shell::words(value.clone()), false);
            all.flags.extend(more.flags);
            all.open = all.open.or(more.open);
        }
        all.flags.extend(arguments.flags);
        all.positional = arguments.positional;
        all.open = all.open.or(arguments.open);
        all
    }

    /// The settings of all configuration files that the arguments name.
    fn settings(&self, arguments: &Arguments, directory: Option<&str>) -> Settings {
        let mut settings = Settings { found: Vec::new(), missing: None };
        let named = |flag: &&Argument| CONFIG_FLAGS.contains(&flag.name.as_str());
        for flag in arguments.flags.iter().filter(named) {
            let file = flag.value.as_ref().filter(|value| !value.has_hole());
            let text =
                file.and_then(|file| files::read(&file.text(), directory, self.container, self.lookup));
            match text {
                Some(text) => settings.found.extend(read_config(&text)),
                None => settings.missing = Some(flag.value_span),
            }
        }
        // Launchers take their configuration file as a plain argument.
        for file in arguments.positional.iter().filter(|word| {
            let text = word.text();
            [".yaml", ".yml", ".json"].iter().any(|ending| text.ends_with(ending))
        }) {
            let text = files::read(&file.text(), directory, self.container, self.lookup);
            settings.found.extend(text.iter().flat_map(read_config));
        }
        for flag in arguments.flags.iter().filter(|flag| flag.name == "--override-engine-args") {
            match &flag.value {
                Some(value) if !value.is_hole() => settings.found.extend(read_config(&value.to_text())),
                _ => settings.missing = Some(flag.value_span),
            }
        }
        settings
    }
}

struct Settings {
    found: Vec<Setting>,
    /// A file that is named and not in the inputs. It may set anything.
    missing: Option<Span>,
}

/// The arguments of a script behind its name.
fn named(file: Word, args: Vec<Word>) -> Vec<Word> {
    std::iter::once(file).chain(args).collect()
}

/// True for a word that may be the name or the path of a model.
fn names_model(word: &Word) -> bool {
    let text = word.text();
    text.contains('/') && !text.ends_with(".sh") && !text.ends_with(".py") && !text.starts_with("./")
}

/// An item of `command` or `args` as a word. A program and a shell see different things in it.
fn word(item: &Known<crate::yaml::Text>, env: &mut Environment) -> Option<Word> {
    let text = match item {
        Known::Set(text, _) | Known::Default(text, _) => text,
        Known::Unresolved(span) | Known::Invalid(_, span) => return Some(Word::unknown(*span, false)),
        Known::Absent => return None,
    };
    let line = glyphs(text);
    let masked = mask(&env.kubernetes(&line, Kind::Program));
    let mut word = Word::new(masked.glyphs, text.span());
    word.spreads = word.is_hole() && (masked.spreads || names_arguments(&text.value));
    word.script = Some(env.kubernetes(&line, Kind::Shell));
    Some(word)
}
