//! `gpulint explain`: the page of a rule.

use super::args::ExplainArgs;
use super::{Exit, Failure, setup};
use crate::rules::{self, RULES};
use std::io::Write;

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let Some(page) = rules::page(&args.rule) else {
        let near = RULES.iter().map(|rule| (strsim::damerau_levenshtein(rule.id, &args.rule), rule.id)).min();
        let hint = match near {
            Some((distance, id)) if distance <= 4 => format!("; did you mean `{id}`?"),
            _ => "; `gpulint rules` lists all".to_owned(),
        };
        return Err(Failure::usage(format!("there is no rule `{}`{hint}", args.rule)));
    };
    let mut out = std::io::stdout().lock();
    let strict = if page.strict == page.severity {
        String::new()
    } else {
        format!(" ({} in the strict profile)", page.strict.word())
    };
    let clauses = if page.clauses.is_empty() { "none".to_owned() } else { page.clauses.join(", ") };
    writeln!(out, "{}{strict} · plan clauses: {clauses} · {}\n", page.severity.word(), page.url())?;
    let color = setup::color(args.color);
    for line in page.body.lines() {
        writeln!(out, "{}", shown(line, color))?;
    }
    Ok(Exit::Clean)
}

/// Markdown for a terminal: headings stand out, marks of tested fences go.
fn shown(line: &str, color: bool) -> String {
    if let Some(heading) = line.strip_prefix('#') {
        let text = heading.trim_start_matches('#').trim();
        return if color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() };
    }
    match line.strip_prefix("```") {
        Some("") => String::new(),
        Some(info) => {
            let words: Vec<&str> = info.split_whitespace().skip(1).collect();
            format!("[{}]", words.join(" "))
        }
        None => line.to_owned(),
    }
}
