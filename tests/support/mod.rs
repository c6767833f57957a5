//! What several test programs share.
#![allow(dead_code, reason = "every test program uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use gpulint::config::{Config, Profile};
use gpulint::diagnostic::Report;
use gpulint::inventory::Overlay;
use gpulint::rules::page::{ExampleFile, FenceKind};
use gpulint::rules::{RULES, known_rules, page};
use gpulint::source::Files;
use gpulint::{Request, lint};
use std::path::{Path, PathBuf};

/// The root of the package.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    root().join("fixtures").join(name)
}

/// Lints files and folders as the command without options does.
pub(crate) fn lint_paths(paths: &[PathBuf]) -> Report {
    lint_all(paths.to_vec(), vec![])
}

/// Lints texts that stand in no file.
pub(crate) fn lint_texts(texts: &[(&str, &[u8])]) -> Report {
    let overlay = |(path, bytes): &(&str, &[u8])| Overlay { path: (*path).into(), bytes: bytes.to_vec() };
    lint_all(vec![], texts.iter().map(overlay).collect())
}

fn lint_all(paths: Vec<PathBuf>, overlays: Vec<Overlay>) -> Report {
    let config = Config::new(&known_rules());
    let profile = Profile::Default;
    lint(Request { paths, overlays, config: &config, profile, files: Files::default(), threads: 0 })
}

/// Every file below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The texts of all fixtures that are UTF-8, with a name for messages.
pub(crate) fn fixture_texts() -> Vec<(String, String)> {
    let folder = root().join("fixtures");
    let mut found = Vec::new();
    for path in files_below(&folder) {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let is_manifest =
            ["yaml", "yml", "json"].iter().any(|ext| path.extension().is_some_and(|e| e == *ext));
        if is_manifest && let Ok(text) = std::fs::read_to_string(&path) {
            found.push((name, text));
        }
    }
    found
}

/// The texts of all examples of the rule pages, with a name for messages.
pub(crate) fn page_texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for rule in RULES {
        for example in &page(rule.id).expect("a readable page").examples {
            for file in &example.files {
                found.push((format!("rules/{}.md:{}", rule.id, file.page_line), file.text.clone()));
            }
        }
    }
    found
}

/// What is said about every example of the rule pages that has no configuration of its own.
pub(crate) fn page_reports() -> Vec<(String, Report)> {
    let mut found = Vec::new();
    for rule in RULES {
        for example in &page(rule.id).expect("a readable page").examples {
            let is_input = |file: &&ExampleFile| matches!(file.kind, FenceKind::Bad | FenceKind::Good);
            let texts: Vec<(&str, &[u8])> =
                example.files.iter().filter(is_input).map(|f| (f.path.as_str(), f.text.as_bytes())).collect();
            let name = format!("rules/{}.md ({})", rule.id, example.title);
            found.push((name, lint_texts(&texts)));
        }
    }
    found
}

/// Checks that every place a report names lies in its file, on characters.
pub(crate) fn assert_sound(report: &Report, context: &str) {
    let check = |span: gpulint::source::Span, what: &str| {
        let file = report.files.get(span.file).unwrap_or_else(|| panic!("{context}: {what}: no such file"));
        assert!(
            file.text.get(span.range()).is_some(),
            "{context}: {what}: {span:?} is no slice of {} ({} bytes)",
            file.path,
            file.text.len()
        );
    };
    for diagnostic in &report.diagnostics {
        check(diagnostic.span, diagnostic.rule);
        for label in &diagnostic.labels {
            check(label.span, &format!("{} (label)", diagnostic.rule));
        }
        for edit in diagnostic.fixes.iter().flat_map(|fix| &fix.edits) {
            check(edit.span, &format!("{} (edit)", diagnostic.rule));
        }
    }
}
