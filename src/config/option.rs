//! Rule options: their types, their values, and durations as Go writes them.

use std::time::Duration;

/// An option that a rule has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownOption {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What it takes.
    pub ty: OptionType,
    /// What holds where it is not written, of the type `ty`.
    pub default: OptionValue,
    /// What it does, in one sentence.
    pub text: String,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Any text.
    Text,
    /// A duration in Go's syntax.
    Duration,
    /// A list of texts.
    List,
}

impl OptionType {
    /// What the option takes, for an error message.
    pub fn expected(self) -> &'static str {
        match self {
            OptionType::Bool => "`true` or `false`",
            OptionType::Int => "a whole number",
            OptionType::Text => "a text",
            OptionType::Duration => "a duration such as `1h30m` or `500ms`",
            OptionType::List => "a list of texts",
        }
    }

    /// Reads a value as written without quotes, for example in the front matter of a rule's page. A list is written
    /// `[a, b]`.
    pub fn read(self, text: &str) -> Option<OptionValue> {
        match self {
            OptionType::Bool => text.parse().ok().map(OptionValue::Bool),
            OptionType::Int => text.parse().ok().map(OptionValue::Int),
            OptionType::Text => Some(OptionValue::Text(text.to_owned())),
            OptionType::Duration => parse_duration(text).map(OptionValue::Duration),
            OptionType::List => {
                let inner = text.strip_prefix('[')?.strip_suffix(']')?.trim();
                let items = inner.split(',').map(|item| item.trim().to_owned());
                Some(OptionValue::List(if inner.is_empty() { vec![] } else { items.collect() }))
            }
        }
    }
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// Of [`OptionType::Bool`].
    Bool(bool),
    /// Of [`OptionType::Int`].
    Int(i64),
    /// Of [`OptionType::Text`].
    Text(String),
    /// Of [`OptionType::Duration`].
    Duration(Duration),
    /// Of [`OptionType::List`].
    List(Vec<String>),
}

/// The units of Go's `time.ParseDuration`, in nanoseconds. The micro sign and the Greek letter are both taken.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration as Go's `time.ParseDuration` does: `1h30m`, `1.5h`, `500ms`, `0`. Negative ones and those that Go
/// cannot hold (over 292 years) are none.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(number_end)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_end)?;
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(scaled(number, *scale)?)?;
        rest = after;
    }
    let nanos = u64::try_from(nanos).ok().filter(|n| i64::try_from(*n).is_ok())?;
    (!text.is_empty()).then(|| Duration::from_nanos(nanos))
}

/// A decimal number of units, in nanoseconds. What is below a nanosecond is cut off.
fn scaled(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u128>().ok() };
    // More digits than these are below a nanosecond for every unit.
    let fraction = fraction.get(..15).unwrap_or(fraction);
    let divisor = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    digits(whole)?.checked_mul(scale)?.checked_add(digits(fraction)?.checked_mul(scale)? / divisor)
}

/// A duration as people write it for Go: `1h`, `1m30s`, `500ms`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let mut left = duration.as_nanos();
    let mut out = String::new();
    for (unit, scale) in [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1_u128),
    ] {
        if left >= scale {
            out.push_str(&format!("{}{unit}", left / scale));
            left %= scale;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_go_does() {
        let check = |text: &str, nanos: Option<u64>| {
            assert_eq!(parse_duration(text), nanos.map(Duration::from_nanos), "{text:?}");
        };
        check("1h", Some(3_600_000_000_000));
        check("1h30m", Some(5_400_000_000_000));
        check("1.5h", Some(5_400_000_000_000));
        check("500ms", Some(500_000_000));
        check("+2us", Some(2_000));
        check("1µs", Some(1_000));
        check("1μs", Some(1_000));
        check(".5s", Some(500_000_000));
        check("1.s", Some(1_000_000_000));
        check("0", Some(0));
        check("0s", Some(0));
        check("1m1m", Some(120_000_000_000));
        check("0.3333333333333333333h", Some(1_199_999_999_999));
        check("2562047h", Some(9_223_369_200_000_000_000));
        for text in [
            "",
            "1",
            "-1s",
            "1d",
            "1h 30m",
            " 1h",
            "1h ",
            "h",
            ".s",
            "1.2.3s",
            "1H",
            "Never",
            "3000000h",
            "1e3s",
            "１s",
            "99999999999999999999999999999999999999999s",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn durations_are_written_short() {
        let check =
            |text: &str, expect: &str| assert_eq!(format_duration(parse_duration(text).unwrap()), expect);
        check("1h0m0s", "1h");
        check("90s", "1m30s");
        check("0", "0s");
        check("1.5ms", "1ms500us");
    }

    #[test]
    fn defaults_are_read_from_text() {
        use OptionType::{Bool, Int, List, Text};
        assert_eq!(Bool.read("true"), Some(OptionValue::Bool(true)));
        assert_eq!(Bool.read("yes"), None);
        assert_eq!(Int.read("-3"), Some(OptionValue::Int(-3)));
        assert_eq!(Int.read("3.5"), None);
        assert_eq!(Text.read("a b"), Some(OptionValue::Text("a b".to_owned())));
        assert_eq!(OptionType::Duration.read("1h"), Some(OptionValue::Duration(Duration::from_secs(3600))));
        assert_eq!(List.read("[]"), Some(OptionValue::List(vec![])));
        assert_eq!(List.read("[a, b]"), Some(OptionValue::List(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(List.read("a, b"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(nanos in 0..=i64::MAX as u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }

        #[test]
        fn no_text_panics(text in "[0-9.hmsnuµ+ -]{0,24}") {
            let _ = parse_duration(&text);
        }
    }
}
