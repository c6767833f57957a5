use super::*;

const PAGE: &str = r####"---
summary: a GPU pool that is consolidated under load
severity: error            # default profile
strict: error
clauses: [L1.3, H.2]       # of the plan
area: pool
fix: unsafe
options:
  expected: duration = "1h" — how long an empty node stays
  kinds: list = ["NodePool"] — what is judged
---
# gpu-pool-consolidation
Reports a GPU pool whose nodes go away
while jobs run on them.

## Why
Because.

## Examples
### the policy of the default
Some prose, and a fence that is only shown:
```text
# not a heading
```
```yaml bad
spec:
  a: 1 # error
  b: 2  # label
```
```yaml fixed
spec:
  a: 2
  b: 2
```
### two files
```yaml bad file=deploy/pool.yaml
a: "#" # why # error
```
```yaml good file=deploy/hpa.yaml
b: 1 # label
```
```yaml config
rules: {}
```

## What passes
### an empty pool
```yaml good
c: 1
```
```yaml good
d: 1
```

## Options
`expected` and `kinds`.

## Sources
- one source,
  on two lines
- [two](https://example.org)
"####;

fn file(path: &str, kind: FenceKind, text: &str, page_line: usize) -> ExampleFile {
    let (path, text) = (path.to_owned(), text.to_owned());
    ExampleFile { path, text, kind, page_line, error_lines: vec![], label_lines: vec![] }
}

#[test]
fn a_page_is_read() {
    let page = Page::parse("gpu-pool-consolidation", PAGE).unwrap();
    assert_eq!(page.id, "gpu-pool-consolidation");
    assert_eq!(page.url(), "https://gpulint.dev/rules/gpu-pool-consolidation");
    assert_eq!(page.summary, "a GPU pool that is consolidated under load");
    assert_eq!((page.severity, page.strict), (Severity::Error, Severity::Error));
    assert_eq!(page.clauses, ["L1.3", "H.2"]);
    assert_eq!(page.area, Area::Pool);
    assert_eq!(page.fix, Some(Applicability::Unsafe));
    assert_eq!(page.description, "Reports a GPU pool whose nodes go away while jobs run on them.");
    assert!(page.body.starts_with("# gpu-pool-consolidation\n"), "{}", page.body);
    assert!(page.body.ends_with("(https://example.org)\n"), "{}", page.body);
    assert_eq!(page.sources, ["one source, on two lines", "[two](https://example.org)"]);

    let options: Vec<_> =
        page.options.iter().map(|o| (o.name.as_str(), o.kind, o.default.to_string())).collect();
    assert_eq!(
        options,
        [
            ("expected", OptionType::Duration, "\"1h\"".to_owned()),
            ("kinds", OptionType::List, "[\"NodePool\"]".to_owned())
        ]
    );
    assert_eq!(page.options[0].text, "how long an empty node stays");
}

#[test]
fn fences_below_one_heading_are_one_repository() {
    let page = Page::parse("gpu-pool-consolidation", PAGE).unwrap();
    let mut bad = file("example.yaml", FenceKind::Bad, "spec:\n  a: 1\n  b: 2\n", 26);
    (bad.error_lines, bad.label_lines) = (vec![2], vec![3]);
    let fixed = file("example.yaml", FenceKind::Fixed, "spec:\n  a: 2\n  b: 2\n", 31);
    let mut pool = file("deploy/pool.yaml", FenceKind::Bad, "a: \"#\" # why\n", 37);
    pool.error_lines = vec![1];
    let mut hpa = file("deploy/hpa.yaml", FenceKind::Good, "b: 1\n", 40);
    hpa.label_lines = vec![1];
    let config = file("gpulint.yaml", FenceKind::Config, "rules: {}\n", 43);
    let first = file("example.yaml", FenceKind::Good, "c: 1\n", 49);
    let second = file("example-2.yaml", FenceKind::Good, "d: 1\n", 52);
    let example = |title: &str, good, files| Example { title: title.to_owned(), good, files };
    assert_eq!(
        page.examples,
        [
            example("the policy of the default", false, vec![bad, fixed]),
            example("two files", false, vec![pool, hpa, config]),
            example("an empty pool", true, vec![first, second]),
        ]
    );
    for file in page.examples.iter().flat_map(|e| &e.files) {
        let line = PAGE.lines().nth(file.page_line - 1).unwrap();
        assert!(line.starts_with(file.text.lines().next().unwrap()), "{line:?} begins {file:?}");
    }
}

#[test]
fn line_endings_of_the_page_do_not_reach_the_examples() {
    let crlf: &'static str = Box::leak(PAGE.replace('\n', "\r\n").into_boxed_str());
    let (unix, dos) =
        (Page::parse("gpu-pool-consolidation", PAGE), Page::parse("gpu-pool-consolidation", crlf));
    let (unix, dos) = (unix.unwrap(), dos.unwrap());
    assert_eq!(dos.examples, unix.examples);
    assert_eq!(dos.sources, unix.sources);
    assert_eq!(dos.description, unix.description);
}

/// Replaces `from`, which is there once, and expects the error `line: message`.
#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    assert_eq!(PAGE.matches(from).count(), 1, "{from:?}");
    let text: &'static str = Box::leak(PAGE.replace(from, to).into_boxed_str());
    match Page::parse("gpu-pool-consolidation", text) {
        Ok(_) => panic!("{to:?} passes, expected {expected:?}"),
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.starts_with(&format!("line {expected}")), "{to:?} gives {shown:?}");
        }
    }
}

#[test]
fn slips_in_the_front_matter() {
    check("---\nsummary", "summary", "1: a page starts with");
    check("---\n# gpu", "# gpu", "1: the front matter is never closed");
    check(
        "severity: error  ",
        "severity: fatal  ",
        "3: `severity` is one of error, warning, info, not `fatal`",
    );
    check("strict: error", "strict: warning", "4: the strict profile is never milder");
    check("strict: error\n", "", "10: the key `strict` is missing");
    check("strict: error", "strictness: error", "4: unknown key `strictness`");
    check("strict: error", "summary: again", "4: the key `summary` is there twice");
    check("strict: error", "strict", "4: expected `key: value`");
    check("clauses: [L1.3, H.2]", "clauses: L1.3", "5: `clauses` is a list in brackets");
    check("clauses: [L1.3, H.2]", "clauses: [L1.3, H2]", "5: `H2` is no clause");
    check("clauses: [L1.3, H.2]", "clauses: [L1.3,]", "5: `` is no clause");
    check("area: pool", "area: pools", "6: `area` is one of pool, gang");
    check("fix: unsafe", "fix: maybe", "7: `fix` is one of none, safe");
    check("fix: unsafe", "fix: none", "31: a `fixed` fence, and the front matter says `fix: none`");
    check("under load\n", "under load.\n", "2: the summary has no final stop");
    check("a GPU pool that", "a pool: that", "2: YAML reads this value differently");
    check("a GPU pool that", "`x` that", "2: YAML reads this value differently");
    check("summary: a GPU pool that is consolidated under load", "summary:", "2: a value is missing");
    check("summary: a GPU pool that", "summary: \"a\" that", "2: this quoted text");
    check("duration = \"1h\"", "duration = \"an hour\"", "9: the default \"an hour\" does not have");
    check("duration = \"1h\"", "duration = \"1\"", "9: the default \"1\" does not have");
    check("duration = \"1h\"", "duration = 1h", "9: `1h` is no JSON value");
    check("duration = \"1h\"", "time = \"1h\"", "9: `type` is one of duration");
    check("expected: duration", "expected-delay: duration", "9: `expected-delay` is no option name");
    check("kinds: list", "expected: list", "10: the option `expected` is listed twice");
    check(" — how long an empty node stays", "", "9: an option reads");
    check("options:\n", "options: {}\n", "8: `options` is followed by");
}

#[test]
fn slips_in_the_sections() {
    check("# gpu-pool-consolidation\n", "# gpu-pool\n", "12: the body starts with the heading");
    check(
        "Reports a GPU pool whose nodes go away\nwhile jobs run on them.\n",
        "",
        "12: the heading is followed by",
    );
    check("while jobs", "\nwhile jobs", "15: one paragraph says");
    check("## Why\nBecause.\n", "", "17: the section `## Why` is missing");
    check("Because.\n", "", "16: the section `## Why` is empty");
    check("## Why", "## Reasons", "16: unknown section `## Reasons`");
    check("## Why", "# Why", "16: a page has one heading of the first level");
    check("## Sources\n- one", "## Why\n- one", "58: the section `## Why` is out of order");
    check("- one source", "One source", "59: the section `## Sources` is a list");
    check("## Options\n`expected` and `kinds`.\n", "", "59: the section `## Options` is missing");
    check(
        "options:\n  expected: duration = \"1h\" — how long an empty node stays\n  kinds: list = [\"NodePool\"] — what is judged\n",
        "",
        "58: there is a section `## Options`",
    );
}

#[test]
fn slips_in_the_examples() {
    check("```text", "```yaml", "22: this fence says neither");
    check("```yaml config", "```yaml conf", "42: `conf` means nothing");
    check("```yaml config", "```yaml config bad", "42: a fence is one of");
    check("rules: {}\n```", "rules: {}", "42: this fence is never closed");
    check("d: 1\n```", "d: 1", "51: this fence is never closed");
    check("file=deploy/hpa.yaml", "file=deploy/pool.yaml", "39: the example already has a file");
    check("file=deploy/hpa.yaml", "file=../hpa.yaml", "39: `../hpa.yaml` is no path");
    check("file=deploy/hpa.yaml", "file=/hpa.yaml", "39: `/hpa.yaml` is no path");
    check("file=deploy/hpa.yaml", "file=a\\hpa.yaml", "39: `a\\hpa.yaml` is no path");
    check("```yaml fixed", "```yaml fixed file=other.yaml", "30: no `bad` fence above is the file");
    check("  a: 1 # error", "  a: 1", "25: a `bad` fence marks");
    check("  a: 1 # error", "  a: 1 #error", "25: a `bad` fence marks");
    check("  a: 1 # error", "# error", "27: a mark stands behind");
    check("  a: 2\n", "  a: 2 # error\n", "32: only a `bad` fence has");
    check("rules: {}", "rules: {} # label", "43: only a `bad` or `good` fence has");
    check("c: 1", "c: 1 # label", "49: a good example has no findings");
    check("c: 1\n", "", "48: this fence is empty");
    check("### an empty pool\n", "", "47: a tested fence stands below");
    check("Because.", "```yaml good\na: 1\n```", "17: a tested fence stands below");
}
