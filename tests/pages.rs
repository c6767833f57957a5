//! Runs the examples of every rule page: the pages are the tests of the rules.

use gpulint::config::{self, Config, Profile};
use gpulint::diagnostic::{Applicability, Diagnostic, Report};
use gpulint::inventory::Overlay;
use gpulint::rules::page::{Example, ExampleFile, FenceKind, Page};
use gpulint::rules::{RULES, known_rules, page};
use gpulint::source::{Encoding, FileId, Files, SourceFile};
use gpulint::{Request, fix, lint};
use std::collections::BTreeSet;
use std::fmt::Write;

#[test]
fn every_page_can_be_read() {
    for rule in RULES {
        if let Err(error) = Page::parse(rule.id, rule.text) {
            panic!("rules/{}.md:{}: {}", rule.id, error.line, error.message);
        }
    }
}

#[test]
fn every_example_holds() {
    let mut failures = String::new();
    for rule in RULES {
        let page = page(rule.id).expect("a readable page");
        for example in &page.examples {
            check(page, example, &mut failures);
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn check(page: &Page, example: &Example, failures: &mut String) {
    let inputs = example.files.iter().filter(|f| f.kind != FenceKind::Fixed && f.kind != FenceKind::Config);
    let inputs: Vec<&ExampleFile> = inputs.collect();
    let report = run(example, &inputs);
    let found: Vec<&Diagnostic> = report.diagnostics.iter().filter(|d| d.rule == page.id).collect();
    for file in &inputs {
        let at = format!("rules/{}.md:{} ({}, {})", page.id, file.page_line, example.title, file.path);
        let lines = |spans: Vec<gpulint::source::Span>| -> BTreeSet<usize> {
            let here = spans.into_iter().filter(|s| report.files.path(s.file) == file.path);
            here.filter_map(|s| Some(report.files.get(s.file)?.line_column(s.start).line as usize)).collect()
        };
        let expected: BTreeSet<usize> = file.error_lines.iter().copied().collect();
        let reported = lines(found.iter().map(|d| d.span).collect());
        if reported != expected {
            let page_line = |line: &usize| line + file.page_line - 1;
            let show = |set: &BTreeSet<usize>| set.iter().map(page_line).collect::<Vec<_>>();
            let _ = writeln!(
                failures,
                "{at}: expected findings on page lines {:?}, got {:?}",
                show(&expected),
                show(&reported)
            );
        }
        let labelled = lines(found.iter().flat_map(|d| &d.labels).map(|l| l.span).collect());
        for line in file.label_lines.iter().filter(|line| !labelled.contains(line)) {
            let _ = writeln!(failures, "{at}: no label on page line {}", line + file.page_line - 1);
        }
    }
    for skipped in &report.skipped {
        let _ = writeln!(
            failures,
            "rules/{}.md ({}): {} {}",
            page.id, example.title, skipped.file, skipped.reason
        );
    }
    for fixed in example.files.iter().filter(|f| f.kind == FenceKind::Fixed) {
        check_fix(page, example, &report, fixed, failures);
    }
}

fn run(example: &Example, inputs: &[&ExampleFile]) -> Report {
    let known = known_rules();
    let mut files = Files::default();
    let mut config = Config::new(&known);
    for file in example.files.iter().filter(|f| f.kind == FenceKind::Config) {
        files.add(SourceFile::new(file.path.clone(), file.text.as_str().into(), Encoding::Utf8));
        let (read, errors) = config::parse(&file.text, FileId(0), &known);
        assert!(errors.is_empty(), "{}: {errors:?}", example.title);
        config = read;
    }
    let overlays = inputs
        .iter()
        .map(|file| Overlay { path: file.path.clone(), bytes: file.text.clone().into_bytes() })
        .collect();
    let profile = Profile::Default;
    lint(Request { paths: vec![], overlays, config: &config, profile, files, threads: 0 })
}

/// Applies the fixes of the rule to the bad file and compares with the fence that shows the result.
fn check_fix(page: &Page, example: &Example, report: &Report, fixed: &ExampleFile, failures: &mut String) {
    let Some((id, source)) = report.files.iter().find(|(_, f)| f.path == fixed.path) else {
        let _ = writeln!(failures, "rules/{}.md:{}: fixes no file", page.id, fixed.page_line);
        return;
    };
    let fixes: Vec<_> =
        report.diagnostics.iter().filter(|d| d.rule == page.id).flat_map(|d| &d.fixes).collect();
    let applied = fix::apply(id, source, &fixes, Applicability::Unsafe, &|_| true);
    if applied.text != fixed.text {
        let _ = writeln!(
            failures,
            "rules/{}.md:{} ({}): the fix gives\n{}",
            page.id,
            fixed.page_line,
            example.title,
            fix::diff(&fixed.path, &fixed.text, &applied.text, false)
        );
    }
    if let Some(declared) = page.fix
        && let Some(wrong) = fixes.iter().find(|f| f.applicability != declared)
    {
        let _ = writeln!(
            failures,
            "rules/{}.md: says fix {declared:?}, a fix is {:?}",
            page.id, wrong.applicability
        );
    }
}
