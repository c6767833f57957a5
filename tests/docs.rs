//! The guide as its readers use it: every command runs, and every link leads somewhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::fs;
use std::process::Command;
use support::{files_below, root};

/// The commands of a page that are meant to be typed as they stand: those after `$ gpulint` in a `console` block.
fn commands(page: &str) -> Vec<Vec<String>> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(rest) = line.strip_prefix("$ gpulint ") {
            found.push(rest.split_whitespace().map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn every_command_of_the_guide_runs() {
    let folder = tempfile::tempdir().unwrap();
    for file in files_below(&root().join("fixtures")) {
        let target = folder.path().join(file.strip_prefix(root()).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
    fs::create_dir(folder.path().join("target")).unwrap();
    let mut ran = 0;
    for page in files_below(&root().join("docs")) {
        for command in commands(&fs::read_to_string(&page).unwrap()) {
            let output = Command::new(env!("CARGO_BIN_EXE_gpulint"))
                .args(&command)
                .current_dir(folder.path())
                .env_remove("GITHUB_ACTIONS")
                .env_remove("GITHUB_STEP_SUMMARY")
                .output()
                .unwrap();
            // The fixture with three errors is the only one in the guide that fails a check.
            let lints = !matches!(command[0].as_str(), "explain" | "rules" | "facts" | "schema" | "init");
            let expected = i32::from(lints && command.iter().any(|part| part == "fixtures/three-layers"));
            let shown = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(expected),
                "{}: gpulint {command:?}: {shown}",
                page.display()
            );
            if let Some(at) = command.iter().rposition(|part| part == "--output") {
                let report = folder.path().join(&command[at + 1]);
                assert!(fs::metadata(&report).unwrap().len() > 0, "{} is empty", report.display());
            } else {
                assert!(!output.stdout.is_empty(), "gpulint {command:?} shows nothing");
            }
            ran += 1;
        }
    }
    assert!(ran >= 10, "only {ran} commands were found in the guide");
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut pages = files_below(&root().join("docs"));
    pages.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)),
    );
    let mut followed = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#', ' ']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = page.parent().unwrap().join(target);
            assert!(path.exists(), "{} links to {target}, which does not exist", page.display());
            followed += 1;
        }
    }
    assert!(followed >= 5, "only {followed} links were found");
}
