//! What is read, and what of it is reported. Rules look across files, so a hook that is handed two files must read the
//! repository around them and yet speak of these two only.

use super::args::CheckArgs;
use super::{Failure, git, setup};
use crate::config;
use crate::diagnostic::Diagnostic;
use crate::source::{Files, shown};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The inputs of a run, with the part of them that is reported.
pub(super) struct Scope {
    /// Files and folders to read.
    pub(super) paths: Vec<PathBuf>,
    /// The way from the root of the repository to the working directory, with `/`; empty where they are the same, and
    /// outside a repository.
    pub(super) prefix: String,
    filter: Option<Filter>,
}

/// Which findings are reported. All paths are relative to the root of the repository.
struct Filter {
    /// Files and folders; the empty path stands for everything.
    named: Vec<String>,
    changed: Option<BTreeSet<String>>,
}

impl Scope {
    /// The scope that the arguments ask for.
    ///
    /// # Errors
    /// Where git is needed and has no answer.
    pub(super) fn new(args: &CheckArgs) -> Result<Scope, Failure> {
        let here = setup::here()?;
        let repository = git::root(&here);
        let prefix = repository.as_ref().map_or_else(String::new, |root| config::prefix(root, &here));
        let given = &args.input.paths;
        if !args.in_context && args.changed_since.is_none() {
            return Ok(Scope { paths: given.clone(), prefix, filter: None });
        }
        let changed = match (&args.changed_since, &repository) {
            (None, _) => None,
            (Some(revision), Some(root)) => Some(git::changed_since(root, revision)?),
            (Some(_), None) => {
                return Err(Failure::usage("--changed-since: the working directory is in no git repository"));
            }
        };
        let root = repository.unwrap_or_else(|| here.clone());
        let mut paths = ways_up(&prefix);
        let mut named = Vec::new();
        for path in given {
            if setup::is_stdin(path) {
                paths.push(path.clone());
                named.push(config::rebase(&prefix, &args.input.stdin_filename));
                continue;
            }
            let inside = inside(&root, &here.join(path));
            let read =
                inside.as_deref().map_or_else(|| path.clone(), |inside| from_here(&prefix, inside).into());
            named.push(inside.unwrap_or_else(|| shown(path)));
            // The target of a link is met by itself; read twice, its objects would be two.
            if !path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
                paths.push(read);
            }
        }
        Ok(Scope { paths, prefix, filter: Some(Filter { named, changed }) })
    }

    /// Takes away the findings that are not reported, and says how many they were.
    pub(super) fn narrow(&self, files: &Files, findings: &mut Vec<Diagnostic>) -> usize {
        let before = findings.len();
        if let Some(filter) = &self.filter {
            findings.retain(|found| filter.reports(files, found, &self.prefix));
        }
        before - findings.len()
    }

    /// True where a path is reported.
    pub(super) fn covers(&self, path: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.covers(&config::rebase(&self.prefix, path)))
    }

    /// True where a file that is not there any more would have been read.
    pub(super) fn reads(&self, path: &str) -> bool {
        let under = |read: &str| read == "." && !path.starts_with("../") || path == read || below(path, read);
        self.filter.is_some() || self.paths.iter().any(|read| under(&shown(read)))
    }
}

impl Filter {
    fn reports(&self, files: &Files, found: &Diagnostic, prefix: &str) -> bool {
        let mut places = std::iter::once(found.span).chain(found.labels.iter().map(|label| label.span));
        places.any(|place| self.covers(&config::rebase(prefix, files.path(place.file))))
    }

    fn covers(&self, path: &str) -> bool {
        let is_named = self.named.iter().any(|named| named.is_empty() || path == named || below(path, named));
        is_named && self.changed.as_ref().is_none_or(|changed| changed.contains(path))
    }
}

/// True for what lies in a folder.
fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The working directory and the folders around it up to the root. Each is an input of its own, so that no file is shown
/// by a way up and down again.
fn ways_up(prefix: &str) -> Vec<PathBuf> {
    let levels = prefix.split('/').filter(|part| !part.is_empty()).count();
    let up = (1..=levels).map(|levels| std::iter::repeat_n("..", levels).collect());
    std::iter::once(PathBuf::from(".")).chain(up).collect()
}

/// A path relative to the root, as seen from the working directory.
fn from_here(prefix: &str, path: &str) -> String {
    let mut here = prefix.split('/').filter(|part| !part.is_empty()).peekable();
    let mut there = path.split('/').filter(|part| !part.is_empty()).peekable();
    while let (Some(a), Some(b)) = (here.peek(), there.peek()) {
        if a != b {
            break;
        }
        here.next();
        there.next();
    }
    let way: Vec<&str> = here.map(|_| "..").chain(there).collect();
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}

/// An absolute path relative to the root with `/`, where it lies in it.
fn inside(root: &Path, path: &Path) -> Option<String> {
    let relative = |path: &Path| {
        let parts = path.strip_prefix(root).ok()?.components();
        Some(parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
    };
    let clean = clean(path);
    relative(&clean).or_else(|| {
        // The folder may be named through a link. The file itself may be one, which is to keep its name.
        let folder = clean.parent()?.canonicalize().ok()?;
        relative(&folder.join(clean.file_name()?))
    })
}

/// A path without `.` and `..`, by its text alone.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_working_directory() {
        for (prefix, path, expected) in [
            ("", "a.yaml", "a.yaml"),
            ("", "", "."),
            ("x", "x/a.yaml", "a.yaml"),
            ("x", "x", "."),
            ("x", "", ".."),
            ("x/y", "x/b/a.yaml", "../b/a.yaml"),
            ("x/y", "a.yaml", "../../a.yaml"),
            ("x/y", "x/yz/a.yaml", "../yz/a.yaml"),
        ] {
            assert_eq!(from_here(prefix, path), expected, "{prefix} {path}");
            assert_eq!(config::rebase(prefix, expected), path, "{prefix} {path}");
        }
    }

    #[test]
    fn named_paths_are_seen_from_the_root() {
        for (path, expected) in [
            ("/repo/x/./a.yaml", Some("x/a.yaml")),
            ("/repo/x/../b/a.yaml", Some("b/a.yaml")),
            ("/repo", Some("")),
            ("/repository/a.yaml", None),
            ("/repo/../a.yaml", None),
        ] {
            assert_eq!(inside(Path::new("/repo"), Path::new(path)).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_filter_takes_whole_names() {
        let filter = |named: &[&str], changed: Option<&[&str]>| Filter {
            named: named.iter().map(|path| (*path).to_owned()).collect(),
            changed: changed.map(|paths| paths.iter().map(|path| (*path).to_owned()).collect()),
        };
        let check = |filter: &Filter, path: &str, expected: bool| {
            assert_eq!(filter.covers(path), expected, "{path}");
        };
        let named = filter(&["deploy", "a.yaml"], None);
        check(&named, "a.yaml", true);
        check(&named, "deploy/x/a.yaml", true);
        check(&named, "deployed/a.yaml", false);
        check(&named, "x/a.yaml", false);
        let changed = filter(&[""], Some(&["x/a.yaml"]));
        check(&changed, "x/a.yaml", true);
        check(&changed, "a.yaml", false);
        check(&filter(&["x"], Some(&["x/a.yaml", "b.yaml"])), "b.yaml", false);
    }
}
