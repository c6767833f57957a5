//! `gpulint rules`: the list of all rules.

use super::args::{RulesArgs, TextOrJson};
use super::{Exit, Failure};
use crate::rules;
use std::io::Write;

pub(super) fn run(args: &RulesArgs) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    let pages = rules::pages();
    match args.format {
        TextOrJson::Text => {
            let width = pages.iter().map(|page| page.id.len()).max().unwrap_or(0);
            for page in pages {
                writeln!(out, "{:width$}  {:7}  {}", page.id, page.severity.word(), page.summary)?;
            }
            writeln!(out, "\n{} rules; `gpulint explain RULE` shows one", pages.len())?;
        }
        TextOrJson::Json => {
            let list: Vec<serde_json::Value> = pages
                .iter()
                .map(|page| {
                    serde_json::json!({
                        "id": page.id,
                        "summary": page.summary,
                        "severity": page.severity,
                        "strict": page.strict,
                        "clauses": page.clauses,
                        "area": page.area.word(),
                        "fix": page.fix,
                        "options": page.options.iter().map(|option| serde_json::json!({
                            "name": option.name,
                            "default": option.default,
                            "text": option.text,
                        })).collect::<Vec<_>>(),
                        "url": page.url(),
                    })
                })
                .collect();
            writeln!(out, "{:#}", serde_json::json!({"version": 1, "rules": list}))?;
        }
    }
    Ok(Exit::Clean)
}
