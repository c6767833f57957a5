//! [`Known`]: the answer to a question that a manifest may leave open.

use crate::source::Span;

/// What is known of one value.
///
/// Rules act on [`Known::Set`] and [`Known::Default`] only. Everything else means that the inputs do not tell, and
/// nothing is guessed from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Known<T> {
    /// Written in a manifest, with the bytes that say so.
    Set(T, Span),
    /// Not written; the API documents this default. The span is where the field would be added.
    Default(T, Span),
    /// Written, but not resolvable from the inputs: a template value, an unknown variable, a file that is not there.
    Unresolved(Span),
    /// Written with a value that the field cannot hold; the text says what it takes.
    Invalid(&'static str, Span),
    /// Not written, and no default is known.
    #[default]
    Absent,
}

impl<T> Known<T> {
    /// The value, where one is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Known::Set(value, _) | Known::Default(value, _) => Some(value),
            _ => None,
        }
    }

    /// The value, only where a manifest states it.
    pub fn set(&self) -> Option<&T> {
        match self {
            Known::Set(value, _) => Some(value),
            _ => None,
        }
    }

    /// The bytes that this answer comes from.
    pub fn span(&self) -> Option<Span> {
        match self {
            Known::Set(_, span)
            | Known::Default(_, span)
            | Known::Unresolved(span)
            | Known::Invalid(_, span) => Some(*span),
            Known::Absent => None,
        }
    }

    /// True where the field is written in any form, readable or not.
    pub fn is_written(&self) -> bool {
        matches!(self, Known::Set(..) | Known::Unresolved(_) | Known::Invalid(..))
    }

    /// True where the field is not written, so that a default (known or not) applies.
    pub fn is_omitted(&self) -> bool {
        !self.is_written()
    }

    /// True where something is written that the inputs cannot resolve.
    pub fn is_unresolved(&self) -> bool {
        matches!(self, Known::Unresolved(_) | Known::Invalid(..))
    }

    /// The same knowledge of another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Known::Set(value, span) => Known::Set(f(value), span),
            Known::Default(value, span) => Known::Default(f(value), span),
            Known::Unresolved(span) => Known::Unresolved(span),
            Known::Invalid(why, span) => Known::Invalid(why, span),
            Known::Absent => Known::Absent,
        }
    }

    /// Like [`Known::map`], for a conversion that can fail: `expected` says what the field takes.
    pub fn try_map<U>(self, expected: &'static str, f: impl FnOnce(T) -> Option<U>) -> Known<U> {
        match self {
            Known::Set(value, span) => {
                f(value).map_or(Known::Invalid(expected, span), |v| Known::Set(v, span))
            }
            Known::Default(value, span) => {
                f(value).map_or(Known::Invalid(expected, span), |v| Known::Default(v, span))
            }
            Known::Unresolved(span) => Known::Unresolved(span),
            Known::Invalid(why, span) => Known::Invalid(why, span),
            Known::Absent => Known::Absent,
        }
    }

    /// Borrows the value.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Known::Set(value, span) => Known::Set(value, *span),
            Known::Default(value, span) => Known::Default(value, *span),
            Known::Unresolved(span) => Known::Unresolved(*span),
            Known::Invalid(why, span) => Known::Invalid(why, *span),
            Known::Absent => Known::Absent,
        }
    }

    /// Where the field is not written, the documented default, to be reported at `span`.
    #[must_use]
    pub fn or_default(self, value: T, span: Span) -> Self {
        match self {
            Known::Absent => Known::Default(value, span),
            known => known,
        }
    }

    /// The first of two places where the field may be written.
    #[must_use]
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Known::Absent => other(),
            known => known,
        }
    }
}

impl<T: Clone> Known<&T> {
    /// Owns the value.
    pub fn cloned(self) -> Known<T> {
        self.map(Clone::clone)
    }
}
