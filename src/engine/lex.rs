//! Words of a shell script: quotes, escapes, redirections and what else stands between the words.

use super::expand::Expansion;
use super::shell::{Assignment, Heredoc, Shell};
use super::vars::{Value, name_char, placeholder};
use super::words::{Glyph, HOLE, Word, cover, names_arguments, starts_name, string};

/// A word in the making.
#[derive(Debug, Default)]
struct Builder {
    done: Vec<Word>,
    glyphs: Vec<Glyph>,
    /// The first character, also of an empty quote.
    start: Option<Glyph>,
    spreads: bool,
}

impl Builder {
    fn push(&mut self, glyph: Glyph) {
        self.start.get_or_insert(glyph);
        self.glyphs.push(glyph);
    }

    fn flush(&mut self) {
        let Some(start) = self.start.take() else { return };
        let mut word = Word::new(std::mem::take(&mut self.glyphs), start.at);
        word.spreads = std::mem::take(&mut self.spreads);
        self.done.push(word);
    }

    /// Adds what an expansion stands for. Outside quotes its value is split at blanks.
    fn expand(&mut self, expansion: Expansion, split: bool) {
        match expansion {
            Expansion::Text(run) => run.into_iter().for_each(|glyph| self.push(glyph)),
            Expansion::Value(run) => {
                for glyph in run {
                    if split && glyph.ch.is_whitespace() {
                        self.flush();
                    } else {
                        self.push(glyph);
                    }
                }
            }
            Expansion::Hole(at, spreads) => {
                self.spreads |= spreads;
                self.push(Glyph { ch: HOLE, at });
            }
            Expansion::List(words) => {
                // The first word is glued to what stands before, the last to what follows.
                for (index, word) in words.into_iter().enumerate() {
                    if index > 0 {
                        self.flush();
                    }
                    self.start.get_or_insert(Glyph { ch: HOLE, at: word.at });
                    self.spreads |= word.spreads;
                    self.glyphs.extend(word.glyphs);
                }
            }
        }
    }
}

impl Shell {
    /// Passes over blanks, line ends and comments.
    pub(super) fn lex_blanks(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(' ' | '\t' | '\r' | '\n'), _) => self.pos += 1,
                (Some('\\'), Some('\n')) => self.pos += 2,
                (Some('#'), _) => self.skip_comment(),
                _ => return,
            }
        }
    }

    pub(super) fn skip_comment(&mut self) {
        while self.peek(0).is_some_and(|ch| ch != '\n') {
            self.pos += 1;
        }
    }

    pub(super) fn at_placeholder(&self) -> bool {
        placeholder(self.src.get(self.pos..).unwrap_or_default(), false) > 0
    }

    /// Reads one word of the script. Without `split` the value of a variable stays in one piece.
    pub(super) fn lex_word(&mut self, split: bool) -> Vec<Word> {
        let mut word = Builder::default();
        while let Some(glyph) = self.glyph(0) {
            match glyph.ch {
                ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | '(' | ')' | '>' => break,
                '<' => match placeholder(self.src.get(self.pos..).unwrap_or_default(), false) {
                    0 => break,
                    length => word.push(self.take(length, glyph)),
                },
                '\'' => self.single_quoted(&mut word),
                '"' => {
                    word.start.get_or_insert(glyph);
                    self.pos += 1;
                    self.double_quoted(&mut word, true);
                }
                '\\' if self.folded_continuation() => {
                    self.pos += 1;
                    break;
                }
                '\\' => self.escape(&mut word),
                _ => self.expandable(&mut word, glyph, split),
            }
        }
        word.flush();
        word.done
    }

    /// Reads what means the same inside double quotes and outside: an expansion, or one plain character.
    fn expandable(&mut self, word: &mut Builder, glyph: Glyph, split: bool) {
        match glyph.ch {
            '`' => word.push(self.backticks(glyph)),
            '$' => {
                let expansion = self.dollar();
                word.expand(expansion, split);
            }
            '{' if self.peek(1) == Some('{') => {
                let expansion = self.template();
                word.expand(expansion, split);
            }
            _ => {
                self.pos += 1;
                word.push(glyph);
            }
        }
    }

    /// Takes a run as one unknown character.
    fn take(&mut self, length: usize, first: Glyph) -> Glyph {
        let end = (self.pos + length).min(self.src.len());
        let run = self.src.get(self.pos..end).unwrap_or_default();
        let at = cover(run).unwrap_or(first.at);
        self.pos = end;
        Glyph { ch: HOLE, at }
    }

    /// A folded block scalar turns a backslash at the end of a line into one before a blank. The shell would take it
    /// for an escaped blank; the author meant a line that goes on.
    fn folded_continuation(&self) -> bool {
        let rest = self.src.get(self.pos + 1..).unwrap_or_default();
        let blanks = rest.iter().take_while(|glyph| glyph.ch == ' ').count();
        blanks > 0 && rest.get(blanks).is_some_and(|glyph| glyph.ch == '-')
    }

    fn escape(&mut self, word: &mut Builder) {
        let slash = self.bump();
        match self.bump() {
            Some(glyph) if glyph.ch == '\n' => {}
            Some(glyph) => word.push(glyph),
            None => slash.into_iter().for_each(|glyph| word.push(glyph)),
        }
    }

    fn single_quoted(&mut self, word: &mut Builder) {
        if let Some(quote) = self.bump() {
            word.start.get_or_insert(quote);
        }
        while let Some(glyph) = self.glyph(0) {
            match glyph.ch {
                '\'' => {
                    self.pos += 1;
                    return;
                }
                // Templates are filled in before any shell reads the quotes.
                '{' if self.peek(1) == Some('{') => {
                    let expansion = self.template();
                    word.expand(expansion, false);
                }
                _ => {
                    self.pos += 1;
                    word.push(glyph);
                }
            }
        }
    }

    /// Reads to the closing quote, or without `closed` to the end of the text.
    fn double_quoted(&mut self, word: &mut Builder, closed: bool) {
        while let Some(glyph) = self.glyph(0) {
            match glyph.ch {
                '"' => {
                    self.pos += 1;
                    if closed {
                        return;
                    }
                }
                '\'' if !closed => self.single_quoted(word),
                '\\' => match self.peek(1) {
                    Some('\n') => self.pos += 2,
                    Some('$' | '`' | '"' | '\\') => self.escape(word),
                    _ => {
                        self.pos += 1;
                        word.push(glyph);
                    }
                },
                _ => self.expandable(word, glyph, false),
            }
        }
    }

    /// The text after `:-` in an expansion, as one value.
    pub(super) fn inner_text(&mut self) -> Vec<Glyph> {
        let mut word = Builder::default();
        self.double_quoted(&mut word, false);
        word.flush();
        word.done.into_iter().flat_map(|word| word.glyphs).collect()
    }

    fn backticks(&mut self, first: Glyph) -> Glyph {
        let rest = self.src.get(self.pos + 1..).unwrap_or_default();
        let length = rest.iter().position(|glyph| glyph.ch == '`').map_or(rest.len() + 1, |at| at + 2);
        self.take(length, first)
    }

    /// `{{ … }}`, also one that holds quotes and blanks.
    fn template(&mut self) -> Expansion {
        let rest = self.src.get(self.pos..).unwrap_or_default();
        let end = rest.windows(2).position(|pair| pair.iter().all(|glyph| glyph.ch == '}'));
        let run = rest.get(..end.map_or(rest.len(), |end| end + 2)).unwrap_or_default();
        let text = string(run);
        let steers = ["if ", "else", "end", "range ", "with ", "include ", "toYaml", "define ", "template "];
        let head = text.trim_start_matches('{').trim_start_matches('-').trim_start();
        let spreads = names_arguments(&text) || steers.iter().any(|word| head.starts_with(word));
        let at = cover(run);
        self.pos += run.len();
        at.map_or(Expansion::Text(vec![]), |at| Expansion::Hole(at, spreads))
    }

    /// Reads from an opening bracket to the one that closes it, both included. Quotes are passed over.
    pub(super) fn balanced(&mut self, open: char, close: char) -> Vec<Glyph> {
        let start = self.pos;
        let mut depth = 0usize;
        let mut quote = None;
        while let Some(glyph) = self.bump() {
            match (quote, glyph.ch) {
                (_, '\\') if quote != Some('\'') => self.pos += usize::from(self.peek(0).is_some()),
                (Some(mark), ch) if ch == mark => quote = None,
                (Some(_), _) => {}
                (None, mark @ ('\'' | '"')) => quote = Some(mark),
                (None, ch) if ch == open => depth += 1,
                (None, ch) if ch == close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        self.src.get(start..self.pos).unwrap_or_default().to_vec()
    }

    /// Passes over a `$'…'` string, from its opening quote.
    pub(super) fn skip_escaped(&mut self) {
        self.pos += 1;
        while let Some(glyph) = self.bump() {
            match glyph.ch {
                '\'' => return,
                '\\' => self.pos += usize::from(self.peek(0).is_some()),
                _ => {}
            }
        }
    }

    /// Reads `NAME=value`, `NAME+=value` or `NAME=( words )` at this place; none where there is no assignment.
    pub(super) fn assignment(&mut self) -> Option<Assignment> {
        let rest = self.src.get(self.pos..).unwrap_or_default();
        let length = rest.iter().take_while(|glyph| name_char(glyph.ch)).count();
        let name = string(rest.get(..length).unwrap_or_default());
        if !name.starts_with(starts_name) {
            return None;
        }
        let (append, skip) = match (rest.get(length)?.ch, rest.get(length + 1).map(|glyph| glyph.ch)) {
            ('=', _) => (false, 1),
            ('+', Some('=')) => (true, 2),
            _ => return None,
        };
        let at = rest.first()?.at;
        self.pos += length + skip;
        let value = if self.peek(0) == Some('(') {
            self.pos += 1;
            Value::List(self.array())
        } else {
            let word = self.lex_word(false).into_iter().next();
            let spreads = word.as_ref().is_some_and(|word| word.spreads && !word.is_hole());
            let mut value = word.map(|word| word.glyphs).unwrap_or_default();
            if spreads {
                // Set apart, so that the unknown part is a word of its own where the value is split again.
                value.push(Glyph { ch: ' ', at });
                value.push(Glyph { ch: HOLE, at });
            }
            Value::Scalar(value)
        };
        Some(Assignment { name, append, value })
    }

    fn array(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        loop {
            self.lex_blanks();
            match self.peek(0) {
                None => break,
                Some(')') => {
                    self.pos += 1;
                    break;
                }
                Some(_) => {
                    let start = self.pos;
                    words.extend(self.lex_word(true));
                    if self.pos == start {
                        self.pos += 1;
                    }
                }
            }
        }
        words
    }

    /// Passes over a redirection; the word after it is its target.
    pub(super) fn redirect(&mut self) {
        let first = self.bump().map(|glyph| glyph.ch);
        match (first, self.peek(0), self.peek(1)) {
            (Some('<'), Some('<'), Some('<')) => {
                self.pos += 2;
                self.target = true;
            }
            (Some('<'), Some('<'), _) => {
                self.pos += 1;
                self.heredoc();
            }
            (_, Some('('), _) => {
                self.balanced('(', ')');
            }
            (_, Some('>' | '|' | '&'), _) => {
                self.pos += 1;
                self.target = true;
            }
            _ => self.target = true,
        }
    }

    fn heredoc(&mut self) {
        let tabs = self.peek(0) == Some('-');
        self.pos += usize::from(tabs);
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.pos += 1;
        }
        let start = self.pos;
        let ends = |ch: char| ch.is_whitespace() || matches!(ch, ';' | '&' | '|' | '<' | '>' | '(' | ')');
        while self.peek(0).is_some_and(|ch| !ends(ch)) {
            self.pos += 1;
        }
        let raw = string(self.src.get(start..self.pos).unwrap_or_default());
        let delimiter = raw.replace(['\'', '"', '\\'], "");
        self.heredocs.push(Heredoc { delimiter, tabs });
    }

    /// Passes over the lines of the heredocs that this line opened.
    pub(super) fn skip_heredocs(&mut self) {
        for heredoc in std::mem::take(&mut self.heredocs) {
            while self.pos < self.src.len() {
                let start = self.pos;
                self.skip_comment();
                let line = string(self.src.get(start..self.pos).unwrap_or_default());
                self.pos += usize::from(self.peek(0).is_some());
                let line = line.trim_end_matches('\r');
                let line = if heredoc.tabs { line.trim_start_matches('\t') } else { line };
                if line == heredoc.delimiter {
                    break;
                }
            }
        }
    }
}
