//! What gpulint asks git: which files changed. The program itself is asked, so that its configuration counts.

use super::Failure;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository around a folder, given as an absolute path.
pub(super) fn root(here: &Path) -> Option<PathBuf> {
    // In a linked worktree `.git` is a file.
    here.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// The files that differ from `revision`, relative to the root of the repository and with `/`: committed since the last
/// common ancestor with `HEAD`, changed without a commit, or new.
///
/// # Errors
/// Where git cannot be run or does not know the revision.
pub(super) fn changed_since(root: &Path, revision: &str) -> Result<BTreeSet<String>, Failure> {
    let commit = format!("{revision}^{{commit}}");
    let revision = git(root, &["rev-parse", "--verify", "--end-of-options", &commit]).map_err(|said| {
        Failure::usage(format!(
            "--changed-since {revision}: git does not know this revision ({said}); in a shallow clone it has to be fetched first"
        ))
    })?;
    let revision = revision.trim();
    // Without a common ancestor (a shallow clone) the revision itself tells at least as many files apart.
    let base = git(root, &["merge-base", revision, "HEAD"]).unwrap_or_else(|_| revision.to_owned());
    let differ =
        git(root, &["diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", base.trim(), "--"]);
    let new = git(root, &["ls-files", "--others", "--exclude-standard", "-z"]);
    let mut files = BTreeSet::new();
    for answer in [differ, new] {
        let answer = answer.map_err(|said| Failure::usage(format!("--changed-since: git says: {said}")))?;
        files.extend(answer.split('\0').filter(|path| !path.is_empty()).map(str::to_owned));
    }
    Ok(files)
}

/// What git answers, or what it complains of.
fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next().unwrap_or("").trim();
    Err(line.strip_prefix("fatal: ").unwrap_or(line).to_owned())
}
