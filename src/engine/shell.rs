//! Reads a shell script for the commands in it, without running any.
//!
//! The script is read once from start to end. Assignments are followed as they come; one that depends on a condition
//! leaves its variable unknown, unless it changes nothing or only appends. Conditions are never decided: the commands
//! of all branches are reported.

use super::vars::{Environment, Value};
use super::words::{Glyph, HOLE, Word, cover, hole, string};

/// How deep `eval`, defaults inside defaults and scripts inside scripts are followed.
pub(super) const DEEPEST: usize = 8;

/// How many words one script may have. A script that goes on expanding stops here.
const MOST_WORDS: usize = 100_000;

/// A simple command of a script, after expansion.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// Variables set for this command only.
    pub(super) env: Vec<(String, Value)>,
    /// The last `cd` before it, as written.
    pub(super) directory: Option<String>,
}

/// What a script does.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    pub(super) commands: Vec<Command>,
    /// The variables after its last line.
    pub(super) env: Environment,
}

/// Reads a script. `arguments` are its name, `$0`, and then `$1`, `$2` and so on.
pub(super) fn run(script: Vec<Glyph>, env: Environment, arguments: &[Word], depth: usize) -> Outcome {
    let src = script.into_iter().filter(|glyph| glyph.ch != '\r').collect();
    let name = arguments.first().cloned();
    let positional = arguments.get(1..).unwrap_or_default().to_vec();
    let mut shell = Shell { src, env, name, positional, depth, ..Shell::default() };
    shell.execute();
    Outcome { commands: shell.commands, env: shell.env }
}

/// The words of a line of arguments, as a shell splits it.
pub(super) fn words(line: Vec<Glyph>) -> Vec<Word> {
    let mut shell = Shell { src: line, ..Shell::default() };
    let mut words = Vec::new();
    while shell.peek(0).is_some() && words.len() < MOST_WORDS {
        let start = shell.pos;
        words.extend(shell.lex_word(true));
        shell.pos += usize::from(shell.pos == start);
    }
    words
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// `{ … }`: its commands run.
    Group,
    /// `if`, a loop, a function or a subshell: its commands may run, and its assignments may not last.
    Maybe,
    /// `case`: as above, and its branches start with a pattern.
    Case,
}

#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) append: bool,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) struct Heredoc {
    pub(super) delimiter: String,
    pub(super) tabs: bool,
}

/// The state of the reading.
#[derive(Debug, Default)]
pub(super) struct Shell {
    pub(super) src: Vec<Glyph>,
    pub(super) pos: usize,
    pub(super) env: Environment,
    /// `$0`.
    pub(super) name: Option<Word>,
    pub(super) positional: Vec<Word>,
    pub(super) depth: usize,
    pub(super) heredocs: Vec<Heredoc>,
    /// True after a redirection: the next word is its target.
    pub(super) target: bool,
    frames: Vec<Frame>,
    /// True behind `||`, or behind `&&` whose left side is a test.
    chained: bool,
    /// True where the words are the pattern of a `case` branch.
    pattern: bool,
    /// True after `name()`: the next group is the body of a function.
    function: bool,
    words: Vec<Word>,
    assigned: Vec<Assignment>,
    directory: Option<String>,
    commands: Vec<Command>,
    count: usize,
}

impl Shell {
    pub(super) fn glyph(&self, ahead: usize) -> Option<Glyph> {
        self.src.get(self.pos + ahead).copied()
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.glyph(ahead).map(|glyph| glyph.ch)
    }

    pub(super) fn bump(&mut self) -> Option<Glyph> {
        let glyph = self.glyph(0);
        self.pos += usize::from(glyph.is_some());
        glyph
    }

    fn execute(&mut self) {
        while let Some(ch) = self.peek(0) {
            if self.count > MOST_WORDS {
                break;
            }
            match ch {
                ' ' | '\t' | '\r' => self.pos += 1,
                '\\' if self.peek(1) == Some('\n') => self.pos += 2,
                '\n' => {
                    self.pos += 1;
                    self.end_of_list();
                    self.skip_heredocs();
                }
                '#' => self.skip_comment(),
                ';' | '&' | '|' | '(' | ')' => self.operator(),
                '<' | '>' if !self.at_placeholder() => self.redirect(),
                _ => self.word(),
            }
        }
        self.end_of_list();
    }

    fn operator(&mut self) {
        let first = self.bump().map(|glyph| glyph.ch);
        match (first, self.peek(0)) {
            (Some('&'), Some('>')) => self.redirect(),
            (Some('&'), Some('&')) => {
                self.pos += 1;
                self.chained |= self.is_test();
                self.finish();
            }
            (Some('|'), Some('|')) => {
                self.pos += 1;
                self.finish();
                self.chained = true;
            }
            (Some('|'), next) => {
                self.pos += usize::from(next == Some('&'));
                self.finish();
            }
            (Some('('), _) => self.open_parenthesis(),
            (Some(')'), _) => self.close_parenthesis(),
            (Some(';'), Some(';')) => {
                self.pos += 1;
                self.end_of_list();
                self.pattern = self.frames.last() == Some(&Frame::Case);
            }
            _ => self.end_of_list(),
        }
    }

    fn open_parenthesis(&mut self) {
        if self.pattern {
            return;
        }
        let empty = self.words.is_empty() && self.assigned.is_empty();
        if empty && self.peek(0) != Some('(') {
            self.frames.push(Frame::Maybe);
        } else if !empty && self.peek(0) == Some(')') {
            self.pos += 1;
            self.words.clear();
            self.function = true;
        } else {
            // Arithmetic, as a command or in the head of a loop.
            self.pos -= 1;
            let run = self.balanced('(', ')');
            if let (true, Some(at)) = (empty, cover(&run)) {
                self.words.push(Word::new(vec![Glyph { ch: '[', at }], at));
            }
        }
    }

    fn close_parenthesis(&mut self) {
        if std::mem::take(&mut self.pattern) {
            self.words.clear();
            self.assigned.clear();
            return;
        }
        self.end_of_list();
        if self.frames.last() == Some(&Frame::Maybe) {
            self.frames.pop();
        }
    }

    fn word(&mut self) {
        if self.at_assignment()
            && let Some(assignment) = self.assignment()
        {
            self.assigned.push(assignment);
            return;
        }
        let start = self.pos;
        let words = self.lex_word(true);
        self.count += words.len() + 1;
        if self.pos == start {
            self.pos += 1;
            return;
        }
        if std::mem::take(&mut self.target) {
            return;
        }
        let raw = self.src.get(start..self.pos).unwrap_or_default();
        let descriptor = raw.iter().all(|glyph| glyph.ch.is_ascii_digit());
        if descriptor && matches!(self.peek(0), Some('<' | '>')) {
            return;
        }
        let keyword = self.words.is_empty() && self.assigned.is_empty();
        if !(keyword && self.keyword(&string(raw), &words)) {
            self.words.extend(words);
        }
    }

    /// True where a word of the form `NAME=value` is an assignment.
    fn at_assignment(&self) -> bool {
        if self.target {
            return false;
        }
        let Some(head) = self.words.first() else { return true };
        let sets = ["export", "declare", "typeset", "local", "readonly"];
        sets.iter().any(|name| head.is(name))
            || (head.is("env") && self.words.iter().skip(1).all(Word::is_flag))
    }

    /// Handles a reserved word, and tells whether the word was one.
    fn keyword(&mut self, raw: &str, words: &[Word]) -> bool {
        match raw {
            "then" | "elif" | "else" | "do" | "!" | "time" => {}
            "if" | "while" | "until" => self.frames.push(Frame::Maybe),
            "for" | "select" => {
                self.frames.push(Frame::Maybe);
                self.words.extend_from_slice(words);
            }
            "case" => {
                self.frames.push(Frame::Case);
                self.pattern = true;
            }
            "fi" | "done" | "esac" | "}" => {
                self.pattern = false;
                self.frames.pop();
            }
            "{" => {
                let body = std::mem::take(&mut self.function);
                self.frames.push(if body { Frame::Maybe } else { Frame::Group });
            }
            "function" => {
                self.function = true;
                self.lex_blanks();
                self.lex_word(false);
            }
            "[[" => {
                self.words.extend_from_slice(words);
                self.skip_test();
            }
            _ => return false,
        }
        true
    }

    /// Passes over `[[ … ]]`, in which `&&`, `<` and parentheses are no operators.
    fn skip_test(&mut self) {
        while self.peek(0).is_some() {
            self.lex_blanks();
            if self.peek(0) == Some(']') && self.peek(1) == Some(']') {
                self.pos += 2;
                return;
            }
            let start = self.pos;
            self.lex_word(false);
            if self.pos == start {
                self.pos += 1;
            }
        }
    }

    /// True where the command so far is a test, so that what follows `&&` may not run.
    fn is_test(&self) -> bool {
        const TESTS: [&str; 8] = ["[", "[[", "test", "grep", "command", "which", "pgrep", "lspci"];
        self.words.first().is_some_and(|head| TESTS.iter().any(|name| head.is(name)))
    }

    fn end_of_list(&mut self) {
        self.finish();
        self.chained = false;
    }

    /// Ends a simple command.
    fn finish(&mut self) {
        self.target = false;
        let words = std::mem::take(&mut self.words);
        let assigned = std::mem::take(&mut self.assigned);
        if self.pattern {
            return;
        }
        let head = words.first().map(Word::text);
        let rest = words.get(1..).unwrap_or_default();
        match head.as_deref() {
            None | Some("export" | "declare" | "typeset" | "local" | "readonly") => {
                assigned.into_iter().for_each(|assignment| self.assign(assignment));
            }
            Some("for" | "select") => self.forget(rest.get(..1).unwrap_or_default()),
            Some("unset" | "read" | "getopts" | "mapfile") => self.forget(rest),
            Some("[" | "[[" | "test" | ":" | "true" | "false" | "return" | "trap" | "ulimit") => {}
            Some("cd") => self.directory = rest.first().map(Word::text),
            Some("set") => {
                if rest.first().is_some_and(|word| word.is("--")) {
                    self.positional = self.surely(rest.get(1..).unwrap_or_default().to_vec(), &words);
                }
            }
            Some("shift") => {
                let left = self.positional.get(1..).unwrap_or_default().to_vec();
                self.positional = self.surely(left, &words);
            }
            Some("eval") => self.eval(rest),
            Some(_) => {
                let env =
                    assigned.into_iter().map(|assignment| (assignment.name, assignment.value)).collect();
                self.commands.push(Command { words, env, directory: self.directory.clone() });
            }
        }
    }

    /// The words where this line surely runs, else one word that may stand for any.
    fn surely(&self, positional: Vec<Word>, line: &[Word]) -> Vec<Word> {
        match line.first() {
            Some(head) if !self.certain() => vec![Word::unknown(head.at, true)],
            _ => positional,
        }
    }

    fn certain(&self) -> bool {
        !self.chained && self.frames.iter().all(|frame| *frame == Frame::Group)
    }

    fn forget(&mut self, names: &[Word]) {
        for name in names {
            let unknown = Value::Scalar(vec![Glyph { ch: HOLE, at: name.at }]);
            self.env.set(&name.text(), unknown);
        }
    }

    fn assign(&mut self, assignment: Assignment) {
        let Assignment { name, append, value } = assignment;
        let old = self.env.take(&name);
        // Growing a value bit by bit costs its whole length each time.
        let grows = append && old.as_ref().is_some_and(|old| self.env.spend(old.len()));
        let new = match (self.certain(), append) {
            (true, true) => joined(old.filter(|_| grows), value),
            (false, true) => {
                let new = joined(old.clone().filter(|_| grows), value);
                either(old, new)
            }
            (true, false) => value,
            (false, false) => either(old, value),
        };
        self.env.set(&name, new);
    }

    /// Reads the words of `eval` as a script of their own.
    fn eval(&mut self, words: &[Word]) {
        if self.depth >= DEEPEST {
            return;
        }
        let mut line = Vec::new();
        for word in words {
            line.extend_from_slice(&word.glyphs);
            line.push(Glyph { ch: ' ', at: word.at });
        }
        let (src, pos) = (std::mem::replace(&mut self.src, line), std::mem::replace(&mut self.pos, 0));
        let (frames, chained) = (self.frames.clone(), self.chained);
        self.depth += 1;
        self.execute();
        self.depth -= 1;
        (self.src, self.pos, self.frames, self.chained) = (src, pos, frames, chained);
    }
}

/// `NAME+=value`. What is appended to an unknown value is still known.
fn joined(old: Option<Value>, new: Value) -> Value {
    match (old, new) {
        (Some(Value::Scalar(mut old)), Value::Scalar(new)) => {
            old.extend(new);
            Value::Scalar(old)
        }
        (Some(Value::List(mut old)), Value::List(new)) => {
            old.extend(new);
            Value::List(old)
        }
        (_, Value::List(new)) => {
            let mut words: Vec<Word> =
                new.first().map(|word| Word::unknown(word.at, true)).into_iter().collect();
            words.extend(new);
            Value::List(words)
        }
        (_, Value::Scalar(new)) => {
            let mut run: Vec<Glyph> =
                new.first().map(|glyph| Glyph { ch: HOLE, at: glyph.at }).into_iter().collect();
            run.extend(new);
            Value::Scalar(run)
        }
    }
}

/// A variable after an assignment that may not have happened: the same value stays, a list that only grows keeps its
/// known start, and anything else is unknown.
fn either(old: Option<Value>, new: Value) -> Value {
    match (old, new) {
        (Some(Value::Scalar(mut old)), Value::Scalar(new)) => {
            let (was, is) = (string(&old), string(&new));
            if was == is {
                return Value::Scalar(old);
            }
            let Some(first) = new.first().copied() else { return Value::Scalar(vec![]) };
            if was.is_empty() || !is.starts_with(&was) {
                return Value::Scalar(vec![hole(&new, first.at)]);
            }
            old.push(Glyph { ch: ' ', at: first.at });
            old.push(Glyph { ch: HOLE, at: first.at });
            Value::Scalar(old)
        }
        (Some(Value::List(mut old)), Value::List(new)) => {
            let grows =
                old.iter().zip(&new).all(|(old, new)| old.glyphs == new.glyphs) && old.len() <= new.len();
            if !grows {
                old.clear();
            }
            old.extend(new.last().map(|word| Word::unknown(word.at, true)));
            Value::List(old)
        }
        (_, Value::List(new)) => {
            Value::List(new.first().map(|word| Word::unknown(word.at, true)).into_iter().collect())
        }
        (_, Value::Scalar(new)) => {
            Value::Scalar(new.first().map(|glyph| hole(&new, glyph.at)).into_iter().collect())
        }
    }
}
