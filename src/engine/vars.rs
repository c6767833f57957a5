//! The variables of a container, and what Kubernetes does with `$(NAME)` before anything runs.

use super::container::{Container, EnvSource, EnvValue, Lookup};
use super::words::{Glyph, HOLE, Word, cover, glyphs, hole, names_arguments, placed, starts_name, string};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;
use std::collections::BTreeMap;

/// The longest value that is followed. A variable that doubles itself stops here instead of filling the memory.
const LONGEST_VALUE: usize = 16 * 1024;

/// How many characters all references of one container may bring in.
const BUDGET: usize = 1024 * 1024;

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(Vec<Glyph>),
    /// An array of the shell.
    List(Vec<Word>),
}

impl Value {
    /// The length in characters, with one between the words of a list.
    pub(super) fn len(&self) -> usize {
        match self {
            Value::Scalar(value) => value.len(),
            Value::List(words) => words.iter().map(|word| word.glyphs.len() + 1).sum(),
        }
    }
}

/// The variables that a command line can refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    vars: BTreeMap<String, Value>,
    /// True where a source of variables is not in the inputs, so that any name may be set.
    pub(super) hidden: bool,
    spent: usize,
}

impl Environment {
    /// The variables of a container, with those that KubeRay adds to each of its pods.
    pub(super) fn of(container: &Container, lookup: &dyn Lookup, fallback: Span) -> Environment {
        let mut env = Environment::default();
        // KubeRay, ray-operator/controllers/ray/common/pod.go: the command it would have run is left in this variable
        // for containers that overwrite the entry point.
        let start = "ray start".chars().map(|ch| Glyph { ch, at: fallback }).collect();
        env.set("KUBERAY_GEN_RAY_START_CMD", Value::Scalar(start));
        for source in &container.env_from {
            match &source.source {
                EnvSource::Secret => {}
                EnvSource::Unknown => env.hidden = true,
                EnvSource::ConfigMap(name) => match lookup.config_map_keys(name) {
                    None => env.hidden = true,
                    Some(keys) => {
                        for (key, value) in keys {
                            env.set(
                                &format!("{}{key}", source.prefix),
                                Value::Scalar(mask(&glyphs(&value)).glyphs),
                            );
                        }
                    }
                },
            }
        }
        for var in &container.env {
            let value = match &var.value {
                EnvValue::Literal(text) => env.literal(text),
                EnvValue::Elsewhere(span) => unknown(*span),
                EnvValue::ConfigMapKey { name, key, span } => match lookup.config_map_key(name, key) {
                    Known::Set(text, _) | Known::Default(text, _) => mask(&glyphs(&text)).glyphs,
                    _ => unknown(*span),
                },
            };
            env.set(&var.name, Value::Scalar(value));
        }
        env
    }

    fn literal(&mut self, text: &Text) -> Vec<Glyph> {
        let expanded = self.kubernetes(&glyphs(text), Reader::Program);
        mask(&expanded).glyphs
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.vars.get(name)
    }

    /// The value of a variable as one text, with its place; none where it is not set.
    pub(super) fn text(&self, name: &str) -> Option<Word> {
        match self.vars.get(name)? {
            Value::Scalar(value) => {
                let at = cover(value)?;
                Some(Word::new(value.clone(), at).tail(0))
            }
            Value::List(_) => None,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        let long = value.len() > LONGEST_VALUE;
        let value = match (long, &value) {
            (false, _) => value,
            (true, Value::Scalar(run)) => {
                Value::Scalar(run.first().map(|glyph| hole(run, glyph.at)).into_iter().collect())
            }
            (true, Value::List(words)) => {
                Value::List(words.first().map(|word| Word::unknown(word.at, true)).into_iter().collect())
            }
        };
        self.vars.insert(name.to_owned(), value);
    }

    /// Takes the value of a variable out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.vars.remove(name)
    }

    /// True while the container may bring in `size` more characters through references.
    pub(super) fn spend(&mut self, size: usize) -> bool {
        self.spent = self.spent.saturating_add(size);
        self.spent <= BUDGET
    }

    /// Replaces `$(NAME)` as the kubelet does (kubernetes, third_party/forked/golang/expansion/expand.go): `$$` is an
    /// escaped dollar, and a reference to a name that is not set stays as it is written. For a program it is unknown
    /// then, because an operator may set the variable; a shell takes it for a command substitution.
    pub(super) fn kubernetes(&mut self, line: &[Glyph], reader: Reader) -> Vec<Glyph> {
        let mut out = Vec::with_capacity(line.len());
        let mut at = 0;
        while let Some(glyph) = line.get(at) {
            let next = line.get(at + 1).map(|next| next.ch);
            let taken = match (glyph.ch, next) {
                ('$', Some('$')) => 2,
                ('$', Some('(')) => line
                    .iter()
                    .skip(at)
                    .position(|glyph| glyph.ch == ')')
                    .map_or(usize::MAX, |close| close + 1),
                _ => 1,
            };
            let end = at.saturating_add(taken).min(line.len());
            let run = line.get(at..end).unwrap_or_default();
            if next == Some('(') && taken > 1 && taken < usize::MAX {
                self.reference(run, reader, &mut out);
            } else if next == Some('$') && taken == 2 {
                out.push(*glyph);
            } else {
                out.extend_from_slice(run);
            }
            at = end;
        }
        out
    }

    /// Puts what `$(NAME)` stands for into a line.
    fn reference(&mut self, run: &[Glyph], reader: Reader, out: &mut Vec<Glyph>) {
        let name = string(run.get(2..run.len().saturating_sub(1)).unwrap_or_default());
        let Some(at) = cover(run) else { return };
        match (self.vars.get(&name), reader) {
            (Some(Value::Scalar(value)), _) => {
                let value = placed(value, at);
                if self.spend(value.len()) {
                    out.extend(value);
                } else {
                    out.push(Glyph { ch: HOLE, at });
                }
            }
            (_, Reader::Program) => out.push(Glyph { ch: HOLE, at }),
            (_, Reader::Shell) => out.extend_from_slice(run),
        }
    }
}

/// Who reads a line after Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Program,
    Shell,
}

fn unknown(at: Span) -> Vec<Glyph> {
    vec![Glyph { ch: HOLE, at }]
}

/// A line with its unknown parts taken out.
pub(super) struct Masked {
    pub(super) glyphs: Vec<Glyph>,
    pub(super) spreads: bool,
}

/// Takes out what a program never sees as it is written: templates (`{{ … }}`), variables that some tool fills in
/// before the manifest is applied (`${NAME}`, `$NAME`) and placeholders (`<name>`).
pub(super) fn mask(line: &[Glyph]) -> Masked {
    let mut masked = Masked { glyphs: Vec::with_capacity(line.len()), spreads: false };
    let mut rest = line;
    while let Some(glyph) = rest.first() {
        let taken = foreign(rest);
        let (run, tail) = rest.split_at_checked(taken.max(1)).unwrap_or((rest, &[]));
        if taken > 0 {
            masked.glyphs.push(hole(run, glyph.at));
            masked.spreads |= names_arguments(&string(run));
        } else {
            masked.glyphs.push(*glyph);
        }
        rest = tail;
    }
    masked
}

/// How many characters at the start of a line are no text of the program.
fn foreign(line: &[Glyph]) -> usize {
    let ch = |at: usize| line.get(at).map(|glyph| glyph.ch);
    let until = |close: &str| {
        let close: Vec<char> = close.chars().collect();
        let found = line
            .windows(close.len())
            .position(|run| run.iter().map(|glyph| glyph.ch).eq(close.iter().copied()));
        found.map_or(line.len(), |at| at + close.len())
    };
    match (ch(0), ch(1)) {
        (Some('{'), Some('{')) => until("}}"),
        (Some('$'), Some('{')) => until("}"),
        (Some('$'), Some('(')) => until(")"),
        (Some('$'), Some(next)) if starts_name(next) => {
            1 + line.iter().skip(1).take_while(|glyph| name_char(glyph.ch)).count()
        }
        (Some('<'), Some(_)) => placeholder(line, true),
        _ => 0,
    }
}

/// True for a character that the name of a variable may hold.
pub(super) fn name_char(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || ch == '_'
}

/// The length of a placeholder `<name>` at the start of a line, or zero. A shell takes a blank for the end of a word.
pub(super) fn placeholder(line: &[Glyph], blanks: bool) -> usize {
    const LONGEST: usize = 64;
    let inner =
        |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.') || (blanks && ch == ' ');
    let mut chars = line.iter().map(|glyph| glyph.ch);
    if chars.next() != Some('<') || !line.get(1).is_some_and(|glyph| starts_name(glyph.ch)) {
        return 0;
    }
    let length = line.iter().skip(1).take(LONGEST).take_while(|glyph| inner(glyph.ch)).count();
    if line.get(length + 1).map(|glyph| glyph.ch) == Some('>') { length + 2 } else { 0 }
}
