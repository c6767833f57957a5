//! The report for people: every finding with its source lines, its reasons and its edit, then what was seen.

use super::patch::{PatchLine, patch};
use super::snippet::{Marked, Snippets};
use super::text::{Paint, Style, clean, count, wrap};
use super::{Options, summary};
use crate::diagnostic::{Applicability, Diagnostic, Fix, ObjectRef, Report, Severity};
use crate::rules::page::rule_url;
use crate::source::Files;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::io::{self, Write};

/// Labels shown of one finding; a finding over more pods than this is understood from the first ones.
const MOST_LABELS: usize = 8;

/// Columns that line numbers and frames take beside a source line.
const GUTTER: usize = 10;

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let look = Look::new(options);
    let mut documented = BTreeSet::new();
    for diagnostic in &report.diagnostics {
        look.finding(report, diagnostic, documented.insert(diagnostic.rule), out)?;
        writeln!(out)?;
    }
    summary::write(report, look.paint, out)?;
    for note in &options.notes {
        look.note("note", &clean(note), out)?;
    }
    Ok(())
}

/// How findings are drawn.
struct Look {
    handler: GraphicalReportHandler,
    paint: Paint,
    width: usize,
    ellipsis: &'static str,
}

impl Look {
    fn new(options: &Options) -> Look {
        let theme = match (options.unicode, options.color) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, true) => GraphicalTheme::ascii(),
            (false, false) => GraphicalTheme::none(),
        };
        let width = options.width.max(40);
        // Lines are wrapped here: miette breaks words at hyphens, and rule ids and metric names are copied.
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_wrap_lines(false)
            .with_width(width)
            .with_context_lines(super::snippet::CONTEXT as usize)
            .without_syntax_highlighting();
        let ellipsis = if options.unicode { "…" } else { "..." };
        Look { handler, paint: Paint { color: options.color }, width, ellipsis }
    }

    fn finding(
        &self,
        report: &Report,
        diagnostic: &Diagnostic,
        first_of_rule: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let limit = self.width - GUTTER;
        let primary = Marked { span: diagnostic.span, message: &diagnostic.span_label };
        let labels: Vec<Marked<'_>> = diagnostic
            .labels
            .iter()
            .take(MOST_LABELS)
            .map(|label| Marked { span: label.span, message: &label.message })
            .collect();
        // The head holds no blank, so that it is never broken and can be painted afterwards.
        let head = format!("{}[{}]", diagnostic.severity.word(), diagnostic.rule);
        let message = wrap(&clean(&format!("{head}: {}", diagnostic.message)), self.width - 4).join("\n");
        let painted = self.paint.style(Style::of(diagnostic.severity), &head).to_string();
        let shown = Shown {
            message: message.replacen(&head, &painted, 1),
            severity: diagnostic.severity,
            snippets: Snippets::new(&report.files, primary, &labels, limit, self.ellipsis),
        };
        let mut text = String::new();
        self.handler.render_report(&mut text, &shown).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())?;
        let unseen = diagnostic.labels.len() - labels.len();
        if unseen > 0 {
            self.note("note", &format!("{} not shown", count(unseen as u64, "more place")), out)?;
        }
        if let Some(object) = &diagnostic.object {
            self.note("object", &clean(&object_text(object)), out)?;
        }
        if let Some(help) = &diagnostic.help {
            self.note("help", &clean(help), out)?;
        }
        if let Some(fix) = diagnostic.fixes.first() {
            self.fix(&report.files, diagnostic, fix, out)?;
        }
        if first_of_rule {
            let docs = format!("gpulint explain {}\n{}", diagnostic.rule, rule_url(diagnostic.rule));
            self.note("docs", &docs, out)?;
        }
        Ok(())
    }

    /// `  help: text`, wrapped and aligned.
    fn note(&self, word: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let indent = word.len() + 4;
        for (at, line) in wrap(text, self.width.saturating_sub(indent)).iter().enumerate() {
            if at == 0 {
                writeln!(out, "  {}: {line}", self.paint.style(Style::Cyan, word))?;
            } else {
                writeln!(out, "{:indent$}{line}", "")?;
            }
        }
        Ok(())
    }

    fn fix(&self, files: &Files, diagnostic: &Diagnostic, fix: &Fix, out: &mut dyn Write) -> io::Result<()> {
        let word = match fix.applicability {
            Applicability::Safe => "fix",
            Applicability::Unsafe => "fix (unsafe)",
            Applicability::Display => "fix (to adapt)",
        };
        self.note(word, &clean(&fix.title), out)?;
        for line in patch(files, fix, diagnostic.span.file, self.width - GUTTER - 2, self.ellipsis) {
            let paint = self.paint;
            match line {
                PatchLine::File(path) => writeln!(out, "       {}", clean(&path))?,
                PatchLine::Kept(number, text) => writeln!(out, "  {number:>5}   {text}")?,
                PatchLine::Removed(number, text) => {
                    writeln!(out, "  {number:>5} {}", paint.style(Style::Red, format!("- {text}")))?;
                }
                PatchLine::Added(text) => {
                    writeln!(out, "  {:>5} {}", "", paint.style(Style::Green, format!("+ {text}")))?;
                }
                PatchLine::More(lines) => {
                    writeln!(out, "  {:>5} {} {}", "", self.ellipsis, count(lines as u64, "more line"))?;
                }
            }
        }
        Ok(())
    }
}

/// `HorizontalPodAutoscaler/llm in namespace serving (autoscaling/v2)`.
pub(super) fn object_text(object: &ObjectRef) -> String {
    let name = object.name.as_deref().map(|name| format!("/{name}")).unwrap_or_default();
    let namespace = object.namespace.as_deref().map(|ns| format!(" in namespace {ns}")).unwrap_or_default();
    format!("{}{name}{namespace} ({})", object.kind, object.api_version)
}

/// A finding as miette reads it.
#[derive(Debug)]
struct Shown {
    message: String,
    severity: Severity,
    snippets: Snippets,
}

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.snippets)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.snippets.labels()))
    }
}

#[cfg(test)]
mod tests;
