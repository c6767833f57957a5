//! Lints small whole repositories and compares everything that is said with `expected.txt` beside them.
//!
//! `UPDATE=1 cargo test --test fixtures` writes the texts anew; read the difference before you commit it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod support;

use gpulint::diagnostic::Report;
use gpulint::source::Span;
use std::fmt::Write;
use std::path::Path;
use support::{assert_sound, lint_paths, root};

#[test]
fn every_fixture_says_what_is_expected() {
    let mut folders: Vec<_> = std::fs::read_dir(root().join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 14, "fixtures are missing: {folders:?}");
    let mut failures = String::new();
    for folder in folders {
        check(&folder, &mut failures);
    }
    assert!(failures.is_empty(), "{failures}\nUPDATE=1 cargo test --test fixtures writes them anew");
}

fn check(folder: &Path, failures: &mut String) {
    let report = lint_paths(&[folder.to_owned()]);
    assert_sound(&report, &folder.display().to_string());
    let found = text(folder, &report);
    let path = folder.join("expected.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found != expected {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let _ = writeln!(failures, "{}", gpulint::fix::diff(&name, &expected, &found, false));
    }
}

/// Everything that a report says, in lines: each finding with its place, the text there, its labels, its help and its
/// fixes; then what was passed over, and what was seen.
fn text(folder: &Path, report: &Report) -> String {
    let prefix = format!("{}/", folder.display());
    let short = |path: &str| path.strip_prefix(&prefix).unwrap_or(path).to_owned();
    let place = |span: Span| {
        let file = report.files.get(span.file).unwrap();
        let at = file.line_column(span.start);
        let first = report.files.slice(span).lines().next().unwrap_or("").trim_end();
        format!("{}:{}:{} `{first}`", short(&file.path), at.line, at.column)
    };
    let mut out = String::new();
    for d in &report.diagnostics {
        let _ = writeln!(out, "{}", place(d.span));
        let _ = writeln!(out, "  {}[{}] {}", d.severity.word(), d.rule, d.message);
        let _ = writeln!(out, "  here: {}", d.span_label);
        for label in &d.labels {
            let _ = writeln!(out, "  label: {} {}", place(label.span), label.message);
        }
        if let Some(help) = &d.help {
            let _ = writeln!(out, "  help: {help}");
        }
        for fix in &d.fixes {
            let _ = writeln!(out, "  fix ({:?}): {}", fix.applicability, fix.title);
        }
    }
    for skipped in &report.skipped {
        let at = skipped.place.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
        let word = if skipped.broken { "not linted" } else { "passed over" };
        let _ = writeln!(out, "{word}: {}{at} {}", short(&skipped.file), skipped.reason);
    }
    let seen: Vec<String> =
        report.summary.objects.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let _ = writeln!(
        out,
        "seen: files {}, documents {}; {}",
        report.summary.files,
        report.summary.documents,
        if seen.is_empty() { "nothing modelled".to_owned() } else { seen.join(", ") }
    );
    out
}
