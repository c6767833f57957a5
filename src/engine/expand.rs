//! Expansions of a shell script: `$NAME`, `${NAME:-default}`, `$(command)`, `$((arithmetic))`.

use super::shell::{DEEPEST, Shell};
use super::vars::{Value, name_char};
use super::words::{Glyph, HOLE, Word, cover, names_arguments, placed, starts_name, string};
use crate::source::Span;

/// What an expansion stands for.
#[derive(Debug, Clone)]
pub(super) enum Expansion {
    /// Characters that stay in one word.
    Text(Vec<Glyph>),
    /// Characters that are split at blanks outside quotes.
    Value(Vec<Glyph>),
    /// Words that stay apart, as `"$@"` gives them.
    List(Vec<Word>),
    /// Unknown; true where it may stand for several words or none.
    Hole(Span, bool),
}

/// What is known of a variable that an operator such as `:-` asks about.
enum Answer {
    Known(Vec<Glyph>),
    Unset,
    Unknown,
}

impl Shell {
    /// Reads the expansion at a dollar sign.
    pub(super) fn dollar(&mut self) -> Expansion {
        let start = self.pos;
        let Some(dollar) = self.bump() else { return Expansion::Text(vec![]) };
        match self.peek(0) {
            Some('{') => {
                let run = self.balanced('{', '}');
                let at = self.since(start, dollar);
                self.braced(run.get(1..run.len().saturating_sub(1)).unwrap_or_default(), at)
            }
            Some('(') => {
                let arithmetic = self.peek(1) == Some('(');
                let run = self.balanced('(', ')');
                let at = self.since(start, dollar);
                let inner = run.get(2..run.len().saturating_sub(2)).unwrap_or_default();
                let value = if arithmetic { self.arithmetic(inner) } else { None };
                value.map_or(Expansion::Hole(at, false), |number| {
                    Expansion::Text(number.to_string().chars().map(|ch| Glyph { ch, at }).collect())
                })
            }
            Some('@' | '*') => {
                self.pos += 1;
                let at = self.since(start, dollar);
                self.arguments(at)
            }
            Some(digit) if digit.is_ascii_digit() => {
                self.pos += 1;
                let at = self.since(start, dollar);
                self.parameter(digit, at)
            }
            Some('\'') => {
                let raw = self.src.get(self.pos + 1..).unwrap_or_default();
                let escapes = raw.iter().take_while(|glyph| glyph.ch != '\'').any(|glyph| glyph.ch == '\\');
                if !escapes {
                    return Expansion::Text(vec![]);
                }
                self.skip_escaped();
                Expansion::Hole(self.since(start, dollar), false)
            }
            Some('"') => Expansion::Text(vec![]),
            Some('#' | '?' | '$' | '!' | '-') => {
                self.pos += 1;
                Expansion::Hole(self.since(start, dollar), false)
            }
            Some(ch) if starts_name(ch) => {
                while self.peek(0).is_some_and(name_char) {
                    self.pos += 1;
                }
                let name = string(self.src.get(start + 1..self.pos).unwrap_or_default());
                let at = self.since(start, dollar);
                self.variable(&name, at)
            }
            _ => Expansion::Text(vec![dollar]),
        }
    }

    fn since(&self, start: usize, first: Glyph) -> Span {
        cover(self.src.get(start..self.pos).unwrap_or_default()).unwrap_or(first.at)
    }

    /// `$@`: the arguments of the script, each with its own place.
    fn arguments(&mut self, at: Span) -> Expansion {
        let size = self.positional.iter().map(|word| word.glyphs.len() + 1).sum();
        if self.env.spend(size) {
            Expansion::List(self.positional.clone())
        } else {
            Expansion::Hole(at, true)
        }
    }

    fn parameter(&mut self, digit: char, at: Span) -> Expansion {
        let number = digit.to_digit(10).map_or(0, |number| number as usize);
        let word = match number.checked_sub(1) {
            None => self.name.as_ref(),
            Some(index) => self.positional.get(index),
        };
        match word {
            Some(word) if self.env.spend(word.glyphs.len()) => Expansion::Value(word.glyphs.clone()),
            _ => Expansion::Hole(at, false),
        }
    }

    fn variable(&mut self, name: &str, at: Span) -> Expansion {
        let spreads = names_arguments(name);
        let value = match self.env.get(name) {
            Some(Value::Scalar(value)) => placed(value, at),
            Some(Value::List(words)) => words.first().map(|word| word.glyphs.clone()).unwrap_or_default(),
            None => return Expansion::Hole(at, spreads),
        };
        if !self.env.spend(value.len()) {
            return Expansion::Hole(at, true);
        }
        if value.iter().all(|glyph| glyph.ch == HOLE) && !value.is_empty() {
            return Expansion::Hole(at, spreads);
        }
        Expansion::Value(value)
    }

    /// The inside of `${…}`.
    fn braced(&mut self, inner: &[Glyph], at: Span) -> Expansion {
        let length = inner.iter().take_while(|glyph| name_char(glyph.ch)).count();
        let (name, rest) = inner.split_at_checked(length).unwrap_or((inner, &[]));
        let (name, rest_text) = (string(name), string(rest));
        if name.is_empty() {
            return match rest_text.as_str() {
                "@" | "*" => self.arguments(at),
                _ => Expansion::Hole(at, names_arguments(&rest_text) || rest_text.contains('@')),
            };
        }
        if let ("", [digit]) = (rest_text.as_str(), name.chars().collect::<Vec<_>>().as_slice())
            && digit.is_ascii_digit()
        {
            return self.parameter(*digit, at);
        }
        match rest_text.as_str() {
            "" => return self.variable(&name, at),
            "[@]" | "[*]" => return self.list(&name, at),
            _ => {}
        }
        let (colon, rest) = match rest {
            [colon, rest @ ..] if colon.ch == ':' => (true, rest),
            rest => (false, rest),
        };
        match rest {
            [operator, word @ ..] if matches!(operator.ch, '-' | '=' | '+' | '?') => {
                self.operated(&name, operator.ch, colon, word, at)
            }
            _ => Expansion::Hole(at, names_arguments(&name)),
        }
    }

    /// `${NAME:-word}`, `${NAME:=word}`, `${NAME:+word}`, `${NAME:?word}`, with or without the colon.
    fn operated(&mut self, name: &str, operator: char, colon: bool, word: &[Glyph], at: Span) -> Expansion {
        let unknown = Expansion::Hole(at, names_arguments(name) || names_arguments(&string(word)));
        match (self.answer(name, colon, at), operator) {
            (Answer::Unknown, _) => unknown,
            (Answer::Known(value), '-' | '=' | '?') => {
                if self.env.spend(value.len()) {
                    Expansion::Value(value)
                } else {
                    unknown
                }
            }
            (Answer::Known(_), _) => self.nested(word, at),
            (Answer::Unset, '-') => self.nested(word, at),
            (Answer::Unset, '=') => {
                let expansion = self.nested(word, at);
                if let Expansion::Value(value) = &expansion {
                    self.env.set(name, Value::Scalar(value.clone()));
                }
                expansion
            }
            (Answer::Unset, '+') => Expansion::Value(vec![]),
            (Answer::Unset, _) => unknown,
        }
    }

    /// What the inputs tell of a variable. One that no source sets is unset, unless a source is out of sight.
    fn answer(&self, name: &str, colon: bool, at: Span) -> Answer {
        let position = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let value = match (position, self.env.get(name)) {
            (Some(index), _) => self.positional.get(index).map(|word| word.glyphs.clone()),
            (None, Some(Value::Scalar(value))) => Some(placed(value, at)),
            (None, Some(Value::List(words))) => words.first().map(|word| word.glyphs.clone()),
            (None, None) if self.env.hidden => return Answer::Unknown,
            (None, None) => None,
        };
        match value {
            Some(value) if value.iter().any(|glyph| glyph.ch == HOLE) => Answer::Unknown,
            Some(value) if value.is_empty() && colon => Answer::Unset,
            Some(value) => Answer::Known(value),
            None => Answer::Unset,
        }
    }

    /// `${NAME[@]}`.
    fn list(&mut self, name: &str, at: Span) -> Expansion {
        let words = match self.env.get(name) {
            Some(Value::List(words)) => words.clone(),
            Some(Value::Scalar(value)) => vec![Word::new(placed(value, at), at)],
            None => return Expansion::Hole(at, true),
        };
        let size = words.iter().map(|word| word.glyphs.len() + 1).sum();
        if self.env.spend(size) { Expansion::List(words) } else { Expansion::Hole(at, true) }
    }

    /// Expands a text inside an expansion.
    fn nested(&mut self, text: &[Glyph], at: Span) -> Expansion {
        if self.depth >= DEEPEST {
            return Expansion::Hole(at, true);
        }
        let src = std::mem::replace(&mut self.src, text.to_vec());
        let pos = std::mem::replace(&mut self.pos, 0);
        self.depth += 1;
        let value = self.inner_text();
        self.depth -= 1;
        (self.src, self.pos) = (src, pos);
        if value.iter().any(|glyph| glyph.ch == HOLE) {
            return Expansion::Hole(at, names_arguments(&string(text)));
        }
        Expansion::Value(value)
    }

    /// The value of `$((…))` where every name in it is a known number.
    fn arithmetic(&mut self, text: &[Glyph]) -> Option<i64> {
        let at = cover(text)?;
        let Expansion::Value(value) = self.nested(text, at) else { return None };
        let tokens = self.tokens(&string(&value))?;
        let mut sum = Sum { tokens: &tokens, depth: 0 };
        let number = sum.sum()?;
        sum.tokens.is_empty().then_some(number)
    }

    fn tokens(&self, text: &str) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(ch) = chars.peek().copied() {
            if name_char(ch) {
                let mut word = String::new();
                while let Some(next) = chars.next_if(|next| name_char(*next)) {
                    word.push(next);
                }
                let number = match word.parse() {
                    Ok(number) => number,
                    Err(_) => self.env.text(&word)?.text().parse().ok()?,
                };
                tokens.push(Token::Number(number));
                continue;
            }
            chars.next();
            match ch {
                ch if ch.is_whitespace() => {}
                '+' | '-' | '*' | '/' | '%' | '(' | ')' => tokens.push(Token::Sign(ch)),
                _ => return None,
            }
        }
        Some(tokens)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Number(i64),
    Sign(char),
}

/// Sums and products of whole numbers, as the shell computes them. Anything else is left unknown.
struct Sum<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl Sum<'_> {
    fn next_sign(&mut self, signs: &[char]) -> Option<char> {
        let (Token::Sign(sign), rest) = self.tokens.split_first()? else { return None };
        if !signs.contains(sign) {
            return None;
        }
        self.tokens = rest;
        Some(*sign)
    }

    fn sum(&mut self) -> Option<i64> {
        let mut left = self.product()?;
        while let Some(sign) = self.next_sign(&['+', '-']) {
            let right = self.product()?;
            left = if sign == '+' { left.checked_add(right)? } else { left.checked_sub(right)? };
        }
        Some(left)
    }

    fn product(&mut self) -> Option<i64> {
        let mut left = self.factor()?;
        while let Some(sign) = self.next_sign(&['*', '/', '%']) {
            let right = self.factor()?;
            left = match sign {
                '*' => left.checked_mul(right)?,
                '/' => left.checked_div(right)?,
                _ => left.checked_rem(right)?,
            };
        }
        Some(left)
    }

    fn factor(&mut self) -> Option<i64> {
        let (token, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        match token {
            Token::Number(number) => Some(*number),
            Token::Sign('(') if self.depth < DEEPEST => {
                self.depth += 1;
                let inner = self.sum()?;
                self.depth -= 1;
                self.next_sign(&[')'])?;
                Some(inner)
            }
            Token::Sign(_) => None,
        }
    }
}
