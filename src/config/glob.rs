//! Patterns for paths and names.

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

/// A pattern for paths, written as in `.gitignore`: without a slash in it it fits at any depth, and a folder stands for
/// all that is in it.
#[derive(Debug, Clone)]
pub(super) struct PathGlob {
    /// As written.
    pub(super) text: String,
    set: GlobSet,
}

impl PathGlob {
    /// Compiles a pattern, or says what is wrong with it.
    pub(super) fn new(text: &str) -> Result<PathGlob, String> {
        if text.starts_with('!') {
            return Err(
                "a pattern that starts with `!` would take something back: leave it out instead".to_owned()
            );
        }
        if text.starts_with("../") {
            return Err("the pattern leads out of the folder of the configuration".to_owned());
        }
        let folder_only = text.ends_with('/');
        let body = text.trim_end_matches('/');
        let anchored = body.contains('/');
        let body = body.trim_start_matches("./").trim_start_matches('/');
        if body.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        let prefix = if anchored { "" } else { "**/" };
        let mut set = GlobSetBuilder::new();
        let inside = format!("{prefix}{body}/**");
        let itself = (!folder_only).then(|| format!("{prefix}{body}"));
        for pattern in itself.iter().chain([&inside]) {
            // A star stops at a slash, as in `.gitignore`.
            set.add(GlobBuilder::new(pattern).literal_separator(true).build().map_err(wrong)?);
        }
        Ok(PathGlob { text: text.to_owned(), set: set.build().map_err(wrong)? })
    }

    /// True for a path relative to the folder of the configuration, with `/`.
    pub(super) fn is_match(&self, path: &str) -> bool {
        self.set.is_match(path)
    }
}

/// A pattern for the name of an object or a namespace.
#[derive(Debug, Clone)]
pub(super) struct NameGlob {
    /// As written.
    pub(super) text: String,
    matcher: GlobMatcher,
}

impl NameGlob {
    /// Compiles a pattern, or says what is wrong with it.
    pub(super) fn new(text: &str) -> Result<NameGlob, String> {
        let glob = GlobBuilder::new(text).build().map_err(wrong)?;
        Ok(NameGlob { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// True for a name as a whole.
    pub(super) fn is_match(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }
}

fn wrong(error: globset::Error) -> String {
    format!("not a pattern: {}", error.kind())
}

/// A reported path, which is relative to the working directory, as seen from the folder of the configuration. `prefix`
/// leads from that folder to the working directory. A path that leads out keeps its `../`.
pub(crate) fn rebase(prefix: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in prefix.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fits: &[&str], not: &[&str]) {
        let glob = PathGlob::new(pattern).unwrap();
        for path in fits {
            assert!(glob.is_match(path), "{pattern} should fit {path}");
        }
        for path in not {
            assert!(!glob.is_match(path), "{pattern} should not fit {path}");
        }
    }

    #[test]
    fn paths_are_matched_as_in_gitignore() {
        check(
            "vendor",
            &["vendor", "vendor/a.yaml", "x/vendor/y/a.yaml"],
            &["vendored/a.yaml", "a/vendor.yaml"],
        );
        check("vendor/", &["vendor/a.yaml", "x/vendor/a.yaml"], &["vendor"]);
        check("/vendor", &["vendor/a.yaml"], &["x/vendor/a.yaml"]);
        check("./vendor", &["vendor/a.yaml"], &["x/vendor/a.yaml"]);
        check("vendor/**", &["vendor/a.yaml", "vendor/x/a.yaml"], &["x/vendor/a.yaml", "vendor"]);
        check("*.gen.yaml", &["a.gen.yaml", "x/y/a.gen.yaml"], &["gen.yaml"]);
        check("deploy/*.yaml", &["deploy/a.yaml"], &["deploy/x/a.yaml", "x/deploy/a.yaml"]);
        check("deploy/*/x", &["deploy/a/x", "deploy/a/x/b.yaml"], &["deploy/a/b/x"]);
        check("deploy/**/x.yaml", &["deploy/x.yaml", "deploy/a/b/x.yaml"], &["x.yaml"]);
        check("{a,b}/x.yaml", &["a/x.yaml", "b/x.yaml"], &["c/x.yaml"]);
        check("**", &["a", "a/b"], &[]);
        check("é*", &["été.yaml"], &["a.yaml"]);
    }

    #[test]
    fn wrong_patterns_say_why() {
        let check = |pattern: &str, expect: &str| {
            let error = PathGlob::new(pattern).unwrap_err();
            assert!(error.contains(expect), "{pattern}: {error}");
        };
        check("", "empty");
        check("/", "empty");
        check("!a", "leave it out");
        check("../a", "leads out");
        check("a[", "not a pattern");
        check("{a", "not a pattern");
        assert!(NameGlob::new("a[").is_err());
    }

    #[test]
    fn names_are_matched_as_a_whole() {
        let glob = NameGlob::new("llm-*").unwrap();
        assert!(glob.is_match("llm-a") && !glob.is_match("x-llm-a"));
        let glob = NameGlob::new("llm").unwrap();
        assert!(glob.is_match("llm") && !glob.is_match("llm-a"));
    }

    #[test]
    fn paths_are_seen_from_the_configuration() {
        let check = |prefix: &str, path: &str, expect: &str| assert_eq!(rebase(prefix, path), expect);
        check("", "a/b.yaml", "a/b.yaml");
        check("x", "a.yaml", "x/a.yaml");
        check("x/y", "../a.yaml", "x/a.yaml");
        check("x", "./a.yaml", "x/a.yaml");
        check("x", "../../a.yaml", "../a.yaml");
        check("x", "../../../a.yaml", "../../a.yaml");
        check("x", "/abs/a.yaml", "/abs/a.yaml");
    }
}
