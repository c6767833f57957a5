//! Kubernetes quantities and Go durations.

use crate::yaml::{Node, Read, Scalar};

/// A Kubernetes quantity (`500m`, `1Ki`, `2`, `"0.5"`), as a number in its base unit.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Quantity(pub f64);

impl Quantity {
    /// Reads a quantity: a decimal number with an optional suffix.
    /// Source: kubernetes/apimachinery, pkg/api/resource/quantity.go.
    pub fn parse(text: &str) -> Option<Quantity> {
        let text = text.trim();
        let split =
            text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
        let (number, suffix) = (text.get(..split)?, text.get(split..)?);
        if number.is_empty() || !number.chars().any(|c| c.is_ascii_digit()) {
            return None;
        }
        let number: f64 = number.parse().ok()?;
        let factor = match suffix {
            "" => 1.0,
            "n" => 1e-9,
            "u" => 1e-6,
            "m" => 1e-3,
            "k" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "T" => 1e12,
            "P" => 1e15,
            "E" => 1e18,
            "Ki" => 1024.0,
            "Mi" => 1024f64.powi(2),
            "Gi" => 1024f64.powi(3),
            "Ti" => 1024f64.powi(4),
            "Pi" => 1024f64.powi(5),
            "Ei" => 1024f64.powi(6),
            _ => {
                let exponent = suffix.strip_prefix(['e', 'E'])?;
                return Some(Quantity(number * 10f64.powi(exponent.parse().ok()?)));
            }
        };
        Some(Quantity(number * factor))
    }
}

impl Read for Quantity {
    const EXPECTED: &'static str = "a quantity such as 4, 500m or 2Gi";

    fn read(node: Node<'_>) -> Option<Quantity> {
        match Scalar::of(node)? {
            Scalar::Int(n) => Some(Quantity(n as f64)),
            Scalar::Float(f) => Some(Quantity(f)),
            Scalar::Str(text) => Quantity::parse(text),
            _ => None,
        }
    }
}

/// A length of time in seconds, or the word `Never`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delay {
    /// So many seconds.
    Seconds(f64),
    /// `Never`.
    Never,
}

/// Reads a duration as Go does: a sequence of numbers with units (`1h30m`, `0.5s`), or `0`. Days are no unit.
/// Source: golang/go, src/time/format.go, ParseDuration.
pub fn go_duration(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|at| *at > 0)?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let seconds = match rest.get(..unit)? {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number * seconds;
        rest = rest.get(unit..)?;
    }
    Some(sign * total)
}

/// A length of time for people, in the largest unit that fits: `1h`, `90s`, `5m`.
pub fn show_seconds(seconds: f64) -> String {
    let whole = seconds.round() as i64;
    match whole {
        0 => "0s".to_owned(),
        n if n % 3600 == 0 => format!("{}h", n / 3600),
        n if n % 60 == 0 => format!("{}m", n / 60),
        n if n > 3600 => format!("{}h{}m", n / 3600, n % 3600 / 60),
        n => format!("{n}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, value) in [
            ("4", 4.0),
            ("500m", 0.5),
            ("1k", 1000.0),
            ("2Gi", 2147483648.0),
            ("0.5", 0.5),
            ("1e3", 1000.0),
            ("-1", -1.0),
        ] {
            assert_eq!(Quantity::parse(text), Some(Quantity(value)), "{text}");
        }
        for text in ["", "x", "1x", "Gi", "1 Gi", "."] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, value) in
            [("1h", 3600.0), ("1h0m0s", 3600.0), ("60m", 3600.0), ("0", 0.0), ("-1s", -1.0), ("1.5m", 90.0)]
        {
            assert_eq!(go_duration(text), Some(value), "{text}");
        }
        for text in ["", "1", "1d", "1hr", "Never", "h", "1h 30m", "-"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
        for (seconds, text) in
            [(3600.0, "1h"), (90.0, "90s"), (300.0, "5m"), (0.0, "0s"), (7200.0, "2h"), (3690.0, "1h1m")]
        {
            assert_eq!(show_seconds(seconds), text);
        }
    }
}
