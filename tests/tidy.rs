//! Checks that the repository makes of itself. Each failure is a sentence that says what to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod support;

use gpulint::kinds::KINDS;
use gpulint::rules::page::Area;
use gpulint::rules::{RULES, page, pages};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use support::{files_below, page_reports, root};

/// Which rooms a room may import, itself aside. Imports go down only.
const ROOMS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("known", &["source"]),
    ("diagnostic", &["source"]),
    ("metrics", &[]),
    ("instances", &[]),
    ("yaml", &["diagnostic", "known", "source"]),
    ("engine", &["known", "source", "yaml"]),
    ("kinds", &["engine", "instances", "known", "source", "yaml"]),
    ("inventory", &["diagnostic", "kinds", "source", "yaml"]),
    ("facts", &["engine", "instances", "inventory", "kinds", "known", "metrics", "source", "yaml"]),
    ("config", &["diagnostic", "known", "source", "yaml"]),
    ("suppress", &["config", "diagnostic", "inventory", "source", "yaml"]),
    (
        "rules",
        &[
            "config",
            "diagnostic",
            "engine",
            "facts",
            "instances",
            "inventory",
            "kinds",
            "known",
            "metrics",
            "source",
            "suppress",
            "yaml",
        ],
    ),
    ("fingerprint", &["diagnostic", "source"]),
    ("fix", &["diagnostic", "fingerprint", "inventory", "source", "yaml"]),
    ("baseline", &["diagnostic", "fingerprint", "source"]),
    ("report", &["diagnostic", "fingerprint", "rules", "source"]),
];

/// Rooms at the top, which see everything.
const TOP: &[&str] = &["cli", "lib", "main"];

/// Files that may be longer than [`LONGEST_FILE`], with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Functions that may be longer than [`LONGEST_FUNCTION`], with the reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

const LONGEST_FILE: usize = 600;
const LONGEST_FUNCTION: usize = 80;

/// A source file: its code without comments, strings and tests.
struct Source {
    /// From `src/` on, with `/`.
    name: String,
    /// Code with the same lines, where comments, texts and test modules are blank.
    code: String,
    /// The texts in it, without test modules: line and value.
    literals: Vec<(usize, String)>,
    /// How many lines of code and comments there are.
    lines: usize,
}

impl Source {
    /// The folder or file below `src/` that it belongs to.
    fn room(&self) -> &str {
        let first = self.name.split('/').next().unwrap_or("");
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn module(&self) -> &str {
        Path::new(&self.name).file_stem().and_then(|stem| stem.to_str()).unwrap_or("")
    }

    fn line(&self, at: usize) -> usize {
        self.code.get(..at).unwrap_or("").matches('\n').count() + 1
    }
}

fn sources() -> Vec<Source> {
    let folder = root().join("src");
    let names = files_below(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    names
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().display().to_string().replace('\\', "/");
            let text = std::fs::read_to_string(&path).unwrap();
            source(name, &text)
        })
        .filter(|source| !is_test_file(&source.name))
        .collect()
}

fn is_test_file(name: &str) -> bool {
    name.contains("/tests/")
        || name.ends_with("/tests.rs")
        || name.ends_with("testing.rs")
        || name.ends_with("sample.rs")
}

fn source(name: String, text: &str) -> Source {
    let (mut code, mut literals) = blank(text);
    let mut lines = code.lines().count();
    while let Some(at) = code.find("#[cfg(test)]") {
        // A test item ends with its braces, or at a semicolon before any.
        let open = code[at..].find(['{', ';']).map_or(code.len(), |n| at + n);
        let end = if code[open..].starts_with('{') { closing_brace(&code, open) } else { open };
        let end = (end + 1).min(code.len());
        let first = code[..at].matches('\n').count() + 1;
        let count = code[at..end].matches('\n').count();
        literals.retain(|(line, _)| *line < first || *line > first + count);
        code.replace_range(at..end, &"\n".repeat(count));
        lines -= count;
    }
    Source { name, code, literals, lines }
}

/// Where the braces that open at `open` close; the end where they do not.
fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0;
    let close = code[open..].char_indices().find(|(_, c)| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0
    });
    close.map_or(code.len(), |(at, _)| open + at)
}

/// Takes comments and texts out of code, keeping every line break.
fn blank(text: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut literals, mut at) = (String::new(), Vec::new(), 0);
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    while at < chars.len() {
        let before = at.checked_sub(1).map_or(' ', |n| chars[n]);
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if chars[at] == 'r'
            && !before.is_alphanumeric()
            && (starts(at, "r\"") || starts(at, "r#"))
            && raw_hashes(&chars, at).is_some()
        {
            let hashes = raw_hashes(&chars, at).unwrap();
            let end = format!("\"{}", "#".repeat(hashes));
            let start = at + hashes + 2;
            at = start;
            while at < chars.len() && !starts(at, &end) {
                at += 1;
            }
            push_literal(&mut code, &mut literals, &chars[start..at]);
            at += end.len();
        } else if chars[at] == '"' {
            let start = at + 1;
            at = start;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            push_literal(&mut code, &mut literals, &chars[start..at.min(chars.len())]);
            at += 1;
        } else if chars[at] == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\''))
        {
            let from = if chars.get(at + 1) == Some(&'\\') { at + 3 } else { at + 2 };
            let end = (from..chars.len()).find(|n| chars[*n] == '\'').unwrap_or(chars.len());
            code.push_str("' '");
            at = end + 1;
        } else {
            code.push(chars[at]);
            at += 1;
        }
    }
    (code, literals)
}

/// How many hashes a raw text has that starts here.
fn raw_hashes(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn push_literal(code: &mut String, literals: &mut Vec<(usize, String)>, chars: &[char]) {
    literals.push((code.matches('\n').count() + 1, chars.iter().collect()));
    code.push('"');
    code.extend(chars.iter().filter(|c| **c == '\n'));
    code.push('"');
}

/// The first segments of all `crate::` paths, with their lines.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in source.code.match_indices("crate::") {
        let rest = &source.code[at + "crate::".len()..];
        let line = source.line(at);
        let first = |text: &str| {
            text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned()
        };
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or("");
                found.extend(
                    list.split(',').map(first).filter(|name| !name.is_empty()).map(|name| (line, name)),
                );
            }
            None => found.push((line, first(rest))),
        }
    }
    found
}

#[track_caller]
fn report(failures: String) {
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn imports_go_down_only() {
    let mut failures = String::new();
    for source in sources() {
        let room = source.room();
        if TOP.contains(&room) {
            continue;
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            let _ = writeln!(
                failures,
                "src/{}: say in ROOMS of tests/tidy.rs what `{room}` may import",
                source.name
            );
            continue;
        };
        for (line, import) in imports(&source) {
            let is_room = ROOMS.iter().any(|(name, _)| *name == import) || TOP.contains(&import.as_str());
            if is_room && import != room && !allowed.contains(&import.as_str()) {
                let _ = writeln!(
                    failures,
                    "src/{}:{line}: `{room}` may not import `{import}`: move what is needed into a room below both, or hand it in as an argument",
                    source.name
                );
            }
        }
        if room == "report" && source.code.contains("crate::rules::") {
            let others = source
                .code
                .match_indices("crate::rules::")
                .filter(|(at, _)| !source.code[*at..].starts_with("crate::rules::page"));
            for (at, _) in others {
                let _ = writeln!(
                    failures,
                    "src/{}:{}: a report sees the pages of rules only",
                    source.name,
                    source.line(at)
                );
            }
        }
    }
    report(failures);
}

/// The modules of a folder that hold one of the listed items each: kinds or rules.
fn siblings(folder: &str, text: &str, of: impl Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let found: BTreeSet<String> = text.lines().filter_map(of).collect();
    assert!(found.len() > 5, "src/{folder}/mod.rs lists its modules otherwise than this test reads");
    found
}

fn no_sibling_imports(folder: &str, members: &BTreeSet<String>, what: &str) -> String {
    let mut failures = String::new();
    for source in sources().iter().filter(|s| s.room() == folder) {
        let own = source.name.split('/').nth(1).unwrap_or("").trim_end_matches(".rs").to_owned();
        if !members.contains(&own) {
            continue;
        }
        for other in members.iter().filter(|other| **other != own) {
            let paths = [format!("super::{other}::"), format!("crate::{folder}::{other}::")];
            let named = paths.iter().find_map(|path| source.code.find(path.as_str())).or_else(|| {
                // `use super::{a, b}` lists modules as words.
                let at = source.code.find("use super::{")?;
                let list = source.code[at..].split(';').next()?;
                let is_listed =
                    list.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == other);
                is_listed.then_some(at)
            });
            if let Some(at) = named {
                let _ = writeln!(
                    failures,
                    "src/{}:{}: {what} `{own}` imports {what} `{other}`: move what both need into a module of its own",
                    source.name,
                    source.line(at)
                );
            }
        }
    }
    failures
}

#[test]
fn kinds_and_rules_do_not_import_each_other() {
    let text = std::fs::read_to_string(root().join("src/kinds/mod.rs")).unwrap();
    let kinds = siblings("kinds", &text, |line| {
        let (_, read) = line.split_once("read: ")?;
        read.split_once("::").map(|(module, _)| module.trim().to_owned())
    });
    let text = std::fs::read_to_string(root().join("src/rules/mod.rs")).unwrap();
    let rules = siblings("rules", &text, |line| {
        let (_, module) = line.trim().strip_prefix('"')?.split_once("\" => ")?;
        module.split_once(':').map(|(module, _)| module.trim().to_owned())
    });
    // How pods are placed is said in many kinds, and by one of its own. A ConfigMap may hold what other kinds are.
    let shared = ["placing", "core"];
    let kinds = kinds.into_iter().filter(|module| !shared.contains(&module.as_str())).collect();
    report(
        no_sibling_imports("kinds", &kinds, "the kind") + &no_sibling_imports("rules", &rules, "the rule"),
    );
}

#[test]
fn only_kinds_know_names_of_kinds() {
    let names: BTreeSet<&str> = KINDS.iter().flat_map(|kind| kind.kinds.iter().copied()).collect();
    let groups: BTreeSet<&str> =
        KINDS.iter().map(|kind| kind.group).filter(|group| group.contains('.')).collect();
    // Ordinary words that are the name of a kind as well.
    let words = ["Job", "Model", "Queue", "Service", "Config", "Configuration", "Topology", "Pod", "Rules"];
    let mut failures = String::new();
    // Words of interest are matched on bytes, before anything is known of an object.
    for source in sources().iter().filter(|s| s.room() != "kinds" && s.name != "inventory/interest.rs") {
        for (line, text) in &source.literals {
            let group = text.split_once('/').map_or("", |(group, _)| group);
            let is_api = groups.contains(text.as_str())
                || (text
                    .split_once('/')
                    .is_some_and(|(_, version)| version.starts_with('v') && version.len() < 9)
                    && (groups.contains(group) || ["apps", "batch", "autoscaling"].contains(&group)));
            let is_kind = names.contains(text.as_str()) && !words.contains(&text.as_str());
            if is_api || is_kind {
                let _ = writeln!(
                    failures,
                    "src/{}:{line}: {text:?} is the name of a kind or API: let a file in src/kinds say it in the shared vocabulary",
                    source.name
                );
            }
        }
    }
    report(failures);
}

#[test]
fn the_parser_is_called_from_one_file() {
    let mut failures = String::new();
    for source in sources().iter().filter(|s| s.name != "yaml/parse.rs" && s.code.contains("granit_parser")) {
        let _ = writeln!(
            failures,
            "src/{}: call crate::yaml instead of granit_parser, so that the parser can be replaced",
            source.name
        );
    }
    report(failures);
}

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let mut failures = String::new();
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len(), "two rules have one id");
    for path in files_below(&root().join("rules")) {
        let is_page = path.parent().is_some_and(|folder| folder.ends_with("rules"))
            && path.extension().is_some_and(|e| e == "md");
        let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        if is_page && id != "README" && !ids.contains(id) {
            let _ = writeln!(
                failures,
                "rules/{id}.md: add the rule to the list in src/rules/mod.rs, or remove the page"
            );
        }
    }
    for id in ids {
        if page(id).is_none() {
            let _ = writeln!(failures, "rules/{id}.md cannot be read: tests/pages.rs says why");
        }
        let area = id.split('-').next().unwrap_or("");
        let areas = [
            "gpu",
            "gang",
            "kai",
            "topology",
            "scale",
            "disaggregated",
            "warm",
            "monitoring",
            "rollback",
            "manifest",
            "ignore",
        ];
        if !areas.contains(&area) {
            let _ = writeln!(failures, "{id}: start the id with its area, one of {areas:?}");
        }
        if id.split('-').any(|word| ["no", "use", "should", "must"].contains(&word)) {
            let _ = writeln!(failures, "{id}: name the problem, so that the id reads well after `ignore`");
        }
    }
    report(failures);
}

/// Words that start an ordinary sentence, which a message is not.
const SENTENCE_STARTS: &[&str] =
    &["The", "This", "A", "An", "It", "No", "There", "If", "When", "Each", "Every", "You"];

#[test]
fn messages_have_one_style() {
    let mut failures = String::new();
    let mut seen = 0;
    for (name, result) in page_reports() {
        for d in &result.diagnostics {
            seen += 1;
            let mut complain = |what: &str, text: &str| {
                let _ = writeln!(failures, "{name}: {}: {what}: {text:?}", d.rule);
            };
            let mut texts = vec![("message", d.message.as_str()), ("label", d.span_label.as_str())];
            texts.extend(d.labels.iter().map(|label| ("label", label.message.as_str())));
            texts.extend(d.help.iter().map(|help| ("help", help.as_str())));
            texts.extend(d.fixes.iter().map(|fix| ("title of a fix", fix.title.as_str())));
            for (what, text) in texts {
                if text.trim() != text || text.is_empty() || text.contains(['\t', '\n', '\r']) {
                    complain(&format!("the {what} has to be one line without blanks around it"), text);
                }
                if text.ends_with('.') && !text.ends_with("...") {
                    complain(&format!("the {what} ends without a full stop"), text);
                }
                if text.contains("  ") {
                    complain(&format!("the {what} has two blanks in a row"), text);
                }
                let first = text.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
                if what != "title of a fix" && SENTENCE_STARTS.contains(&first) {
                    complain(&format!("the {what} starts with a small letter, unless with a name"), text);
                }
            }
            if d.help.as_deref().is_some_and(|help| !help.starts_with(|c: char| c.is_lowercase())) {
                complain("the help starts with a verb in small letters", d.help.as_deref().unwrap_or(""));
            }
            if d.fixes.iter().any(|fix| !fix.title.starts_with(|c: char| c.is_uppercase())) {
                complain("the title of a fix starts with a verb and a capital letter", &d.fixes[0].title);
            }
            if d.field.is_empty() || d.field.contains(' ') {
                complain("the field is a path inside the object", &d.field);
            }
        }
        for skipped in &result.skipped {
            let _ = writeln!(failures, "{name}: an example that cannot be read: {}", skipped.reason);
        }
    }
    assert!(seen > 100, "only {seen} findings were seen");
    report(failures);
}

#[test]
fn files_and_functions_are_short() {
    let mut failures = String::new();
    let sources = sources();
    for source in &sources {
        if source.lines > LONGEST_FILE && !LONG_FILES.iter().any(|(name, _)| *name == source.name) {
            let _ = writeln!(
                failures,
                "src/{}: {} lines; split it by topic, or say in LONG_FILES of tests/tidy.rs why it stays whole",
                source.name, source.lines
            );
        }
        for (name, line, length) in functions(source) {
            let id = format!("{}::{name}", source.module());
            if length > LONGEST_FUNCTION && !LONG_FUNCTIONS.iter().any(|(known, _)| *known == id) {
                let _ = writeln!(
                    failures,
                    "src/{}:{line}: `{name}` has {length} lines; name its parts",
                    source.name
                );
            }
        }
    }
    for (name, _) in LONG_FILES {
        let stale = sources.iter().find(|s| s.name == *name).is_none_or(|s| s.lines <= LONGEST_FILE);
        if stale {
            let _ = writeln!(failures, "LONG_FILES: {name} is not long any more");
        }
    }
    report(failures);
}

/// Name, first line and number of lines of every function.
fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in source.code.match_indices("fn ") {
        let before = source.code[..at].chars().next_back().unwrap_or(' ');
        let rest = &source.code[at + 3..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if before.is_alphanumeric() || before == '_' || name.is_empty() {
            continue;
        }
        // A declaration without a body ends at a semicolon before any brace.
        let Some(open) = rest.find(['{', ';']).filter(|open| rest[*open..].starts_with('{')) else {
            continue;
        };
        let length = rest[..closing_brace(rest, open).min(rest.len())].matches('\n').count() + 1;
        found.push((name, source.line(at), length));
    }
    found
}

#[test]
fn nothing_panics_or_prints() {
    let mut failures = String::new();
    let words = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
        "dbg!(",
        "print!(",
        "println!(",
        "eprintln!(",
    ];
    for source in sources() {
        for word in words {
            for (at, _) in source.code.match_indices(word) {
                let before = source.code[..at].chars().next_back().unwrap_or(' ');
                if word.starts_with('.') || !(before.is_alphanumeric() || before == '_') {
                    let _ = writeln!(
                        failures,
                        "src/{}:{}: `{word}`: return what is known, or write to the output that is handed in",
                        source.name,
                        source.line(at)
                    );
                }
            }
        }
        if source.code.contains("allow(clippy::") {
            let _ = writeln!(failures, "src/{}: `allow` of a lint: change the code instead", source.name);
        }
    }
    report(failures);
}

#[test]
fn nothing_names_a_machine() {
    // Put together here, so that this file does not hold them.
    let paths = [["/wo", "rk/"], ["/ro", "ot/"], ["/.ca", "rgo/registry"]].map(|parts| parts.concat());
    let mut failures = String::new();
    for folder in ["src", "rules", "tests", "fixtures", "scripts", "benches", "docs", ".ci"] {
        let folder = root().join(folder);
        for path in if folder.is_dir() { files_below(&folder) } else { vec![] } {
            let text = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            for wrong in paths.iter().filter(|wrong| text.contains(wrong.as_str())) {
                let name = path.strip_prefix(root()).unwrap().display();
                let _ = writeln!(failures, "{name}: holds the path {wrong:?} of one machine");
            }
        }
    }
    report(failures);
}

/// `rules/README.md`, from the pages. `UPDATE=1 cargo test --test tidy` writes it anew.
#[test]
fn the_index_of_rules_is_up_to_date() {
    let mut out = "# Rules\n\nOne page a rule: why it exists, what it reports and what passes, the way out. Generated from the pages; \
                   `UPDATE=1 cargo test --test tidy` writes it anew. The severity in the strict profile follows where it differs.\n"
        .to_owned();
    for area in Area::ALL {
        let mut pages: Vec<_> = pages().iter().filter(|page| page.area == area).collect();
        if pages.is_empty() {
            continue;
        }
        pages.sort_by(|a, b| a.id.cmp(&b.id));
        let _ = write!(
            out,
            "\n## {}\n\n| rule | severity | clauses | what it reports |\n|---|---|---|---|\n",
            heading(area)
        );
        for page in pages {
            let strict = if page.strict == page.severity {
                String::new()
            } else {
                format!(" ({})", page.strict.word())
            };
            let clauses = page.clauses.join(", ");
            let id = &page.id;
            let _ = writeln!(
                out,
                "| [{id}]({id}.md) | {}{strict} | {clauses} | {} |",
                page.severity.word(),
                page.summary
            );
        }
    }
    let path = root().join("rules/README.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, out, "UPDATE=1 cargo test --test tidy writes rules/README.md anew");
}

fn heading(area: Area) -> &'static str {
    match area {
        Area::Pool => "GPU pools",
        Area::Gang => "Gangs",
        Area::Queue => "Queues",
        Area::Topology => "Topology",
        Area::Signal => "What autoscalers follow",
        Area::Disaggregated => "Prefill and decode apart",
        Area::WarmPool => "Replicas kept ready",
        Area::Monitoring => "Dashboards and alerts",
        Area::Rollback => "The way back",
        Area::Manifest => "Manifests themselves",
    }
}

#[test]
fn the_reader_of_this_test_reads_rust() {
    let text = "fn a() { let s = \"{ fn b() {\"; let c = '{'; let d = '\\''; let r = r#\"\"}\"#; } // }\nfn c<'x>(y: &'x str) {\n}\n";
    let read = source("x.rs".to_owned(), text);
    assert_eq!(functions(&read), [("a".to_owned(), 1, 1), ("c".to_owned(), 2, 2)]);
    let literals: Vec<&str> = read.literals.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(literals, ["{ fn b() {", "\"}"]);
    let read = source("x.rs".to_owned(), "use crate::{a::X, b};\nfn f() { crate::c::g() }\n");
    assert_eq!(imports(&read), [(1, "a".to_owned()), (1, "b".to_owned()), (2, "c".to_owned())]);
}

#[test]
fn test_items_are_left_out() {
    let text = "fn a() {}\n#[cfg(test)]\nfn b() { \"x\"; }\n#[cfg(test)]\nmod tests;\nfn c() { \"y\"; }\n";
    let read = source("x.rs".to_owned(), text);
    let names: Vec<String> = functions(&read).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(read.literals, [(6, "y".to_owned())]);
    assert_eq!(read.lines, 4);
}
