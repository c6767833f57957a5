//! Compares the tree with what another YAML library reads, and its spans with the bytes of the file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod support;

use gpulint::source::{FileId, Span};
use gpulint::yaml::{self, Node, Scalar, Style, Tree};
use serde::Deserialize;
use serde_yaml::Value;
use std::sync::Arc;

/// The documents of a stream, as trees.
fn trees(text: &str) -> Result<Vec<Tree>, String> {
    let text: Arc<str> = text.into();
    let parts = yaml::split(&text);
    parts
        .into_iter()
        .map(|part| yaml::parse(FileId(0), &text, part.range).map_err(|error| error.message))
        .collect()
}

/// The documents of a stream, as the oracle reads them.
fn values(text: &str) -> Result<Vec<Value>, String> {
    let read = |document| -> Result<Value, serde_yaml::Error> {
        let mut value = Value::deserialize(document)?;
        value.apply_merge()?;
        Ok(value)
    };
    serde_yaml::Deserializer::from_str(text).map(|d| read(d).map_err(|e| e.to_string())).collect()
}

/// Where the two differ; none where they agree.
fn difference(text: &str) -> Option<String> {
    match (trees(text), values(text)) {
        (Ok(ours), Ok(theirs)) if ours.len() != theirs.len() => {
            Some(format!("{} documents, the oracle reads {}", ours.len(), theirs.len()))
        }
        (Ok(ours), Ok(theirs)) => ours
            .iter()
            .zip(&theirs)
            .enumerate()
            .find_map(|(at, (tree, value))| node(tree.root(), value, &format!("{at}"))),
        (Err(_), Err(_)) => None,
        (Ok(_), Err(error)) => Some(format!("read, but the oracle says: {error}")),
        (Err(error), Ok(_)) => Some(format!("not read: {error}")),
    }
}

fn node(ours: Node<'_>, theirs: &Value, path: &str) -> Option<String> {
    let differs = || Some(format!("{path}: {ours:?}, the oracle reads {theirs:?}"));
    match theirs {
        Value::Tagged(tagged) => node(ours, &tagged.value, path),
        Value::Sequence(items) => {
            let kids: Vec<Node<'_>> = ours.items().collect();
            if !ours.is_sequence() || kids.len() != items.len() {
                return differs();
            }
            kids.iter()
                .zip(items)
                .enumerate()
                .find_map(|(at, (kid, item))| node(*kid, item, &format!("{path}[{at}]")))
        }
        Value::Mapping(entries) => {
            let own = ours.entries();
            let scalar = |key: &Value| !matches!(key, Value::Sequence(_) | Value::Mapping(_));
            let count = entries.keys().filter(|key| scalar(key)).count();
            if !ours.is_mapping() || own.len() != count {
                return differs();
            }
            entries.iter().filter(|(key, _)| scalar(key)).find_map(|(key, value)| {
                match own.iter().find(|entry| same_scalar(entry.key_node, key)) {
                    Some(entry) => node(entry.value, value, &format!("{path}.{}", entry.key)),
                    None => Some(format!("{path}: no key {key:?} in {ours:?}")),
                }
            })
        }
        scalar if same_scalar(ours, scalar) => None,
        _ => differs(),
    }
}

/// True where a scalar means the same to both, or the one thing that Kubernetes' parser reads otherwise: YAML 1.1 words
/// and numbers (`yes`, `1_000`, `0b11`), which the oracle takes as text.
fn same_scalar(ours: Node<'_>, theirs: &Value) -> bool {
    let (Some(scalar), Some(raw)) = (Scalar::of(ours), ours.raw_str()) else { return false };
    match theirs {
        Value::Null => scalar == Scalar::Null,
        Value::Bool(value) => scalar == Scalar::Bool(*value),
        Value::Number(number) => match scalar {
            Scalar::Int(n) => number.as_i64() == Some(n),
            Scalar::Float(f) => number.as_f64() == Some(f),
            // `.inf` and `.nan` are words here, and so is what no 64 bits hold.
            Scalar::Str(_) => raw.contains(['i', 'I', 'n', 'N']) || raw.len() > 18,
            _ => false,
        },
        Value::String(text) => raw == text,
        Value::Tagged(tagged) => same_scalar(ours, &tagged.value),
        _ => false,
    }
}

#[test]
fn manifests_are_read_as_the_oracle_reads_them() {
    let mut compared = 0;
    for (name, text) in support::fixture_texts().into_iter().chain(support::page_texts()) {
        if let Some(difference) = difference(&text) {
            let only_comments = text.lines().all(|line| line.starts_with('#'));
            // Of a key that stands twice the last one counts, and both places are known; the oracle refuses the document.
            let doubled = difference.contains("duplicate entry with key")
                && trees(&text).is_ok_and(|trees| trees.iter().any(|tree| !tree.duplicate_keys().is_empty()));
            assert!(only_comments || doubled, "{name}: {difference}\n{text}");
        }
        compared += 1;
    }
    assert!(compared > 200, "only {compared} texts were compared");
}

/// Documents that YAML libraries are known to read differently. Written after the lessons of the yaml-test-suite.
const TRICKY: &[&str] = &[
    // Plain scalars.
    "a: b: c\n",
    "a: b #c\n",
    "a: b#c\n",
    "a: 'b' # c\n",
    "a: #b\n  c\n",
    "a: one\n  two\n\n  three\n",
    "a: http://x:80/y?z=[1]\n",
    "a: -b\nc: - d\n",
    "- -1\n- - 2\n-   - 3\n    - 4\n",
    "a: ?b\nc: :d\n",
    "a: b,c]}\n",
    "[a:b, c: d, {e: f}]\n",
    "{a, b: , c: ~, d}\n",
    "a:\nb:\n  \nc: d\n",
    "a: ''\nb: \"\"\nc: !!str\n",
    "word\n",
    "two\nlines\n",
    // Quotes.
    "'it''s'\n",
    "'one\n  two\n\n  three'\n",
    "\"a\\tb\\n\\\"\\\\\\/\\x41\\u00e9\\U0001F600\"\n",
    "\"one \\\n   two\\n\\\n   three\"\n",
    "\"one\n  two\n\n  three\"\n",
    "\"\\ a\\_b\\Nc\\Ld\\Pe\\0f\\ag\\bh\\ei\\vj\"\n",
    "'a: b': c\n\"d: e\": f\n",
    "{\"a\":1,\"b\":[2,3],\"c\":{\"d\":null}}\n",
    "{\"a\" :1, 'b':2}\n",
    "\"\\q\"\n",
    // Block scalars.
    "a: |\n  one\n  two\n",
    "a: |-\n  one\n  two\n\n\n",
    "a: |+\n  one\n\n\nb: 1\n",
    "a: >\n  one\n  two\n\n  three\n",
    "a: >-\n  one\n    two\n    three\n  four\n",
    "a: >+\n  one\n\n",
    "a: |2\n    one\n   two\n",
    "a: |1-\n  one\n",
    "a: |\n\n\n  one\n\n  two\n",
    "a: |\n  # no comment\n  one # neither\n# a comment\nb: 1\n",
    "a: | # comment\n  one\n",
    "a: |\nb: 1\n",
    "- |\n one\n- >\n two\n three\n",
    "a: >\n\n  one\n\n\n  two\n  \tthree\n",
    "a: |\n  one",
    "a: |\n  one\n ",
    "--- |\n  one\n  two\n",
    "--- >-\none\ntwo\n",
    // Collections.
    "a:\n- 1\n- 2\nb: 3\n",
    "- a:\n  - - 1\n  - # b-c\n    d: 1\n",
    "a:\n- # b-c\n  d-e: 1\n",
    "a: &x\n- &y\n  b: 1\n",
    "a:\n\n# b-c\n-\n- 2\n",
    "a:\n  - b: 1\n    c: 2\n  -\n    d: 3\n",
    "-\n  - 1\n  -\n    - 2\n",
    "- a: 1\n  b:\n  - 2\n  - c: 3\n",
    "[1, 2,\n 3, [4, 5], ]\n",
    "{a: 1, b: {c: 2},\n d: [3]}\n",
    "a: [\n  1,\n  2\n]\nb: {\n  c: 1\n}\n",
    "a: []\nb: {}\n",
    "? a\n: 1\n? b\n: - 2\n",
    "? [a, b]\n: 1\nc: 2\n",
    "? |\n  key\n: 1\n",
    "{? a : 1, ? b}\n",
    "[a: 1, b: 2]\n",
    "a: {b: 1\n",
    "a: [1, 2\nb: 3\n",
    "a: 1\n b: 2\n",
    "a:\n  b: 1\n c: 2\n",
    "a: 1\n- 2\n",
    "a:\n\tb: 1\n",
    "a: \t1\n",
    // Anchors, aliases, merge keys.
    "a: &x 1\nb: *x\n",
    "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n",
    "a: &x\n  b: 1\nc:\n  <<: *x\n  d: 2\n",
    "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\n",
    "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}\n",
    "a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {f: 3, <<: *y}\n",
    "&a a: 1\n*a : 2\n",
    "- &a\n- *a\n",
    "a: &x-y.z/1 1\nb: *x-y.z/1\n",
    "a: &x 1\nb: &x 2\nc: *x\n",
    // Tags.
    "a: !!str 1\nb: !!int \"2\"\n",
    "a: !local {b: 1}\nc: !!map {d: 1}\ne: !!seq [1]\n",
    "!!map {a: !!str b}\n",
    "%TAG !e! tag:example.com,2000:\n---\na: !e!x 1\n",
    // Numbers and words.
    "[1, -1, 0, 0x1f, 1.5, -1.5e3, 1e3, .5, 5.]\n",
    "[true, True, TRUE, false, null, Null, ~]\n",
    "[tRue, nULL, 1a, 1.2.3, 1:30, 2025-01-01, 0x, '-', .]\n",
    "[12345678901234567890123, .inf, -.inf, .nan]\n",
    "[500m, 8Gi, 10Mi, 1e3k, 0.5, \"0.5\"]\n",
    "[-0, +1, 1e-3, 1E3, 00]\n",
    "[a, -]\n",
    // Streams.
    "---\na: 1\n---\nb: 2\n...\n",
    "a: 1\n...\n---\nb: 2\n",
    "---\n---\na: 1\n",
    "# only a comment\n",
    "# comment\n---\na: 1\n# comment\n---\n# comment\n",
    "--- a\n--- b\n",
    "--- {a: 1}\n--- [1]\n",
    "%YAML 1.2\n---\na: 1\n",
    "\u{feff}a: 1\n",
    "a: |\n  ---x\n  ----\nb: ---\n",
    "a: ---\n",
    "a: '\n  --- x'\n",
    // Line breaks.
    "a: 1\r\nb: |\r\n  one\r\n  two\r\nc: >\r\n  one\r\n  two\r\n",
    "a: \"one\r\n  two\"\r\n",
    "a: 1",
    "a: é\nb: '模型'\n\"\u{1F600}\": \"\\U0001F600\"\n",
    "a:   1   \nb: x y  \n",
    "\n\n  a: 1\n  b: 2\n",
];

/// Documents that the oracle reads otherwise, and why that is right here.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("# only a comment\n", "comments are no document, so that the count of documents means something"),
    ("--- >-\none\ntwo\n", "YAML lets the text of a top-level block start at the margin, libyaml does not"),
    (
        "a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {f: 3, <<: *y}\n",
        "the oracle does not merge what a merged mapping merges, Go's parser does",
    ),
    ("&a a: 1\n*a : 2\n", "of two equal keys the last counts, the oracle refuses them"),
    ("a: &x-y.z/1 1\nb: *x-y.z/1\n", "YAML takes any name for an anchor, libyaml only letters and digits"),
    (
        "[12345678901234567890123, .inf, -.inf, .nan]\n",
        "a number that no 64 bits hold is text, the oracle refuses it",
    ),
    ("[a, -]\n", "the parser follows YAML 1.2, where a dash cannot stand alone in brackets"),
];

#[test]
fn tricky_documents_are_read_as_the_oracle_reads_them() {
    assert!(TRICKY.len() >= 60);
    let mut failures = String::new();
    for text in TRICKY {
        let found = difference(text);
        let exception = EXCEPTIONS.iter().find(|(known, _)| known == text);
        match (found, exception) {
            (Some(difference), None) => failures += &format!("{text:?}\n    {difference}\n"),
            (None, Some((_, why))) => failures += &format!("{text:?}\n    no longer differs ({why})\n"),
            _ => {}
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    for (text, why) in EXCEPTIONS {
        assert!(TRICKY.contains(text) && !why.is_empty());
    }
}

#[test]
fn the_bytes_of_every_scalar_spell_its_value() {
    let texts = support::fixture_texts().into_iter().chain(support::page_texts());
    let tricky = TRICKY.iter().map(|text| ((*text).to_owned(), (*text).to_owned()));
    let mut seen = 0;
    for (name, text) in texts.chain(tricky) {
        for tree in trees(&text).unwrap_or_default() {
            scalars(tree.root(), 0, &mut |node| {
                seen += 1;
                check_scalar(node, &text, &name);
            });
        }
    }
    assert!(seen > 5_000, "only {seen} scalars were seen");
}

/// Every scalar of a tree, keys among them.
fn scalars<'t>(node: Node<'t>, depth: usize, visit: &mut dyn FnMut(Node<'t>)) {
    if node.raw_str().is_some() && !node.is_alias() {
        visit(node);
    }
    // The same anchored block is met once for each alias, and some documents alias an outer block.
    if depth > 40 || node.is_alias() {
        return;
    }
    for entry in node.own_entries() {
        visit(entry.key_node);
        scalars(entry.value, depth + 1, visit);
    }
    node.items().for_each(|item| scalars(item, depth + 1, visit));
}

fn check_scalar(node: Node<'_>, text: &str, name: &str) {
    let (span, value) = (node.span(), node.raw_str().unwrap());
    let raw = text.get(span.range()).unwrap_or_else(|| panic!("{name}: {node:?} is no slice"));
    let at = format!("{name}: {node:?}\nraw {raw:?}\nvalue {value:?}");
    match node.style().unwrap() {
        Style::Plain if !raw.contains(['\n', '\r']) => assert_eq!(raw, value, "{at}"),
        Style::Single | Style::Double => {
            let decoded: String = serde_yaml::from_str(raw).unwrap_or_else(|e| panic!("{at}: {e}"));
            assert_eq!(decoded, value, "{at}");
        }
        // Indentation and folding aside, the words are the same.
        Style::Plain | Style::Literal | Style::Folded => {
            assert!(raw.split_whitespace().eq(value.split_whitespace()), "{at}");
        }
    }
    check_parts(node, text, value, &at);
}

/// Every word of a value is found in the file, where the file spells it without escapes.
fn check_parts(node: Node<'_>, text: &str, value: &str, at: &str) {
    let whole = node.text().unwrap();
    let raw = text.get(whole.span().range()).unwrap();
    let is_escaped = node.style() == Some(Style::Double) && raw.contains('\\') || raw.contains("''");
    for word in value.split_whitespace().filter(|_| !is_escaped) {
        let start = word.as_ptr() as usize - value.as_ptr() as usize;
        let found: Span = whole.slice(start..start + word.len());
        assert_eq!(text.get(found.range()), Some(word), "{at}\nword {word:?}");
    }
}

/// Collections hold their children, in order, and start where their first child or their dash does.
#[test]
fn the_bytes_of_every_collection_hold_its_children() {
    let texts = support::fixture_texts().into_iter().chain(support::page_texts());
    let tricky = TRICKY.iter().map(|text| ((*text).to_owned(), (*text).to_owned()));
    for (name, text) in texts.chain(tricky) {
        for tree in trees(&text).unwrap_or_default() {
            check_collection(tree.root(), &text, &name);
        }
    }
}

fn check_collection(node: Node<'_>, text: &str, name: &str) {
    if node.is_alias() || node.raw_str().is_some() {
        return;
    }
    let span = node.span();
    let raw = text.get(span.range()).unwrap_or_else(|| panic!("{name}: {node:?} is no slice"));
    let inside = |kid: Node<'_>| {
        let holds = kid.is_alias() || span.contains(kid.span());
        assert!(holds, "{name}: {:?} holds {:?}\n{raw:?}", span, kid.span());
        check_collection(kid, text, name);
    };
    if node.is_sequence() {
        let open = if node.is_flow() { "[" } else { "-" };
        assert!(
            raw.starts_with(open) || node.items().next().is_none(),
            "{name}: a sequence starts with {raw:?}"
        );
        node.items().for_each(inside);
    }
    for entry in node.own_entries() {
        inside(entry.key_node);
        inside(entry.value);
    }
    // The one entry of `[a: 1]` is a mapping without braces.
    if node.is_flow() && raw.starts_with(['[', '{']) {
        assert!(raw.ends_with([']', '}']), "{name}: {raw:?}");
    }
}

/// A document in the value of a scalar has its spans in the file.
#[test]
fn embedded_documents_lead_to_the_file() {
    let text = "data:\n  config.yaml: |\n    rules:\n      - record: \"a\\tb\"\n        expr: up > 1\n    more: [x, y]\n";
    let tree = trees(text).unwrap().remove(0);
    let outer = tree.root().at("data").unwrap().get("config.yaml").unwrap().text().unwrap();
    let inner = yaml::parse_embedded(&outer).unwrap();
    let slice = |node: Node<'_>| text.get(node.span().range()).unwrap().to_owned();
    let rule = inner.root().get("rules").unwrap().items().next().unwrap();
    assert_eq!(slice(rule.get("record").unwrap()), "\"a\\tb\"");
    assert_eq!(slice(rule.get("expr").unwrap()), "up > 1");
    assert_eq!(slice(inner.root().get("more").unwrap()), "[x, y]");
    assert_eq!(slice(inner.root().get("more").unwrap().items().nth(1).unwrap()), "y");
    let expr = rule.get("expr").unwrap().text().unwrap();
    assert_eq!(text.get(expr.slice(3..4).range()), Some(">"));
}
