//! Where the configuration lies.

use std::path::{Path, PathBuf};

/// The name of the configuration file.
pub const FILE_NAME: &str = "gpulint.yaml";

/// A configuration file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// The way from its folder to the working directory, with `/`; empty where they are the same. See
    /// [`super::Config::set_prefix`].
    pub prefix: String,
}

/// Looks for [`FILE_NAME`] from the working directory, given as an absolute path, up to the root of the repository: the
/// first folder that holds `.git`. Without one, up to the root of the file system.
pub fn find(from: &Path) -> Option<Found> {
    for folder in from.ancestors() {
        let path = folder.join(FILE_NAME);
        if path.is_file() {
            return Some(Found { path, prefix: prefix(folder, from) });
        }
        // In a linked worktree `.git` is a file.
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The way from the folder of a configuration to the working directory, both absolute. Where the one does not lie
/// above the other, as with a configuration named on the command line, paths are taken as they are reported.
pub fn prefix(folder: &Path, from: &Path) -> String {
    let way = from.strip_prefix(folder).unwrap_or(Path::new(""));
    let parts: Vec<_> = way.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_nearest_file_up_to_the_repository_root_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("repo/.git")).unwrap();
        fs::create_dir_all(at("repo/a/b")).unwrap();
        fs::create_dir_all(at("repo/worktree/x")).unwrap();
        fs::write(at("repo/worktree/.git"), "gitdir: elsewhere").unwrap();
        fs::write(at(FILE_NAME), "").unwrap();
        let check = |from: &str, expect: Option<(&str, &str)>| {
            let found = find(&at(from)).map(|found| (found.path, found.prefix));
            assert_eq!(found, expect.map(|(path, prefix)| (at(path), prefix.to_owned())), "{from}");
        };
        check("", Some(("gpulint.yaml", "")));
        check("repo/a/b", None);
        fs::write(at("repo/gpulint.yaml"), "").unwrap();
        check("repo", Some(("repo/gpulint.yaml", "")));
        check("repo/a/b", Some(("repo/gpulint.yaml", "a/b")));
        check("repo/worktree/x", None);
        fs::create_dir(at("repo/a/gpulint.yaml")).unwrap();
        check("repo/a/b", Some(("repo/gpulint.yaml", "a/b")));
        fs::write(at("repo/a/b/gpulint.yaml"), "").unwrap();
        check("repo/a/b", Some(("repo/a/b/gpulint.yaml", "")));
    }
}
