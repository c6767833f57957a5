//! SARIF 2.1.0, with what GitHub code scanning requires and what other viewers use.

use super::json::write_value;
use super::place::{Place, is_absolute};
use super::text::clean;
use super::{Options, full, summary};
use crate::diagnostic::{Applicability, Diagnostic, Fix, Report, Severity, Skipped};
use crate::fingerprint::fingerprints;
use crate::rules::page::{Page, rule_url};
use crate::source::{Files, Span};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Where relative paths start.
const BASE: &str = "SRCROOT";

/// Characters that GitHub shows of a description.
const MOST_CHARACTERS: usize = 1024;

/// The log file: one run.
#[derive(Debug, Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    invocations: [Value; 1],
    original_uri_base_ids: BTreeMap<&'static str, Value>,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

pub(super) fn write(
    report: &Report,
    pages: &[Page],
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    // Every rule is listed, found or not, so that two logs differ by their results only.
    let pages: BTreeMap<&str, &Page> = pages.iter().map(|page| (page.id.as_str(), page)).collect();
    let mut rules: BTreeSet<&str> = report.diagnostics.iter().map(|diagnostic| diagnostic.rule).collect();
    rules.extend(pages.keys());
    let rules: Vec<&str> = rules.into_iter().collect();

    let results = report.diagnostics.iter().zip(fingerprints(&report.files, &report.diagnostics)).map(
        |(diagnostic, fingerprint)| {
            let rule_index = rules.partition_point(|rule| *rule < diagnostic.rule);
            finding(&report.files, options, diagnostic, rule_index, fingerprint)
        },
    );
    let base = match &options.root {
        Some(root) => json!({ "uri": format!("{}/", file_uri(root.trim_end_matches('/'))) }),
        None => json!({ "description": { "text": "The root of the repository." } }),
    };
    let broken = report.skipped.iter().filter(|input| input.broken);
    let run = Run {
        tool: json!({ "driver": {
            "name": "gpulint",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": "https://gpulint.dev",
            "rules": rules.iter().map(|id| rule(id, pages.get(id).copied())).collect::<Vec<_>>(),
        } }),
        invocations: [json!({
            "executionSuccessful": true,
            "toolExecutionNotifications": broken.map(|input| notification(options, input)).collect::<Vec<_>>(),
        })],
        original_uri_base_ids: BTreeMap::from([(BASE, base)]),
        column_kind: "unicodeCodePoints",
        results: results.collect(),
    };
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    write_value(&log, out)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// The descriptor of a rule. Without `security-severity`: cost and reliability are no security alerts.
fn rule(id: &str, page: Option<&Page>) -> Value {
    let url = rule_url(id);
    let Some(page) = page else {
        let text = json!({ "text": id });
        return json!({ "id": id, "shortDescription": text, "fullDescription": text, "help": { "text": url }, "helpUri": url });
    };
    let mut tags = vec!["kubernetes".to_owned(), "gpu".to_owned(), page.area.word().to_owned()];
    tags.extend(page.clauses.iter().cloned());
    let problem = match page.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "recommendation",
    };
    json!({
        "id": id,
        "shortDescription": { "text": sentence(&page.summary) },
        "fullDescription": { "text": shorten(&page.description) },
        "help": {
            "text": format!("{}\n\n{url}", page.description),
            "markdown": format!("{}\n\n<{url}>", page.body.trim()),
        },
        "helpUri": url,
        "defaultConfiguration": { "level": level(page.severity) },
        "properties": { "tags": tags, "precision": "high", "problem.severity": problem },
    })
}

fn finding(
    files: &Files,
    options: &Options,
    diagnostic: &Diagnostic,
    rule_index: usize,
    fingerprint: String,
) -> Finding {
    let object = diagnostic.object.as_ref().map(|object| {
        let name = object.name.as_deref().unwrap_or(&object.kind);
        [json!({ "name": name, "fullyQualifiedName": full::object_text(object), "kind": "object" })]
    });
    let related = diagnostic.labels.iter().enumerate().map(|(at, label)| Location {
        id: Some(at + 1),
        physical_location: physical(files, options, label.span),
        logical_locations: None,
        message: Some(Message { text: clean(&label.message).into_owned() }),
    });
    Finding {
        rule_id: diagnostic.rule,
        rule_index,
        level: level(diagnostic.severity),
        message: Message { text: message(files, options, diagnostic) },
        locations: [Location {
            id: None,
            physical_location: physical(files, options, diagnostic.span),
            logical_locations: object,
            message: Some(&diagnostic.span_label)
                .filter(|label| !label.is_empty())
                .map(|label| Message { text: clean(label).into_owned() }),
        }],
        related_locations: related.collect(),
        // `primaryLocationLineHash` is left to the uploading action, which warns where it disagrees.
        partial_fingerprints: BTreeMap::from([("gpulint/v1", fingerprint)]),
        fixes: diagnostic.fixes.iter().filter_map(|change| fix(files, options, change)).collect(),
    }
}

/// The message, the way out, and a link to every related place, which GitHub shows only where the text links to it.
fn message(files: &Files, options: &Options, diagnostic: &Diagnostic) -> String {
    let mut text = sentence(&clean(&diagnostic.message));
    if let Some(help) = &diagnostic.help {
        text.push('\n');
        text.push_str(&sentence(&clean(help)));
    }
    for (at, label) in diagnostic.labels.iter().enumerate() {
        let place = Place::of(files, label.span);
        let path = options.repository_path(place.path).replace(['[', ']'], "?");
        let (id, line) = (at + 1, place.start.line);
        text.push_str(&format!("\n[{path}:{line}]({id}): {}", sentence(&clean(&label.message))));
    }
    text
}

/// A place. The region stays on one line: a pull request shows an alert only where all its lines changed.
fn physical(files: &Files, options: &Options, span: Span) -> Value {
    let place = Place::of(files, span);
    let end = place.end_on_first_line();
    json!({
        "artifactLocation": artifact(options, place.path),
        "region": {
            "startLine": place.start.line,
            "startColumn": place.start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    })
}

fn artifact(options: &Options, path: &str) -> Value {
    let path = options.repository_path(path);
    if is_absolute(&path) {
        return json!({ "uri": file_uri(&path) });
    }
    json!({ "uri": percent_encode(&path), "uriBaseId": BASE })
}

/// A fix that can be applied. Viewers apply without asking, so a fix with values to choose is left out.
fn fix(files: &Files, options: &Options, fix: &Fix) -> Option<Value> {
    if fix.applicability == Applicability::Display {
        return None;
    }
    let mut changes: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        let place = Place::of(files, edit.span);
        changes.entry(place.path).or_default().push(json!({
            "deletedRegion": {
                "startLine": place.start.line,
                "startColumn": place.start.column,
                "endLine": place.end.line,
                "endColumn": place.end.column,
                "byteOffset": place.bytes.0,
                "byteLength": place.bytes.1.saturating_sub(place.bytes.0),
            },
            "insertedContent": { "text": edit.replacement },
        }));
    }
    let changes = changes.into_iter().map(|(path, replacements)| {
        json!({ "artifactLocation": artifact(options, path), "replacements": replacements })
    });
    Some(
        json!({ "description": { "text": sentence(&fix.title) }, "artifactChanges": changes.collect::<Vec<_>>() }),
    )
}

/// An input that could not be read.
fn notification(options: &Options, input: &Skipped) -> Value {
    let mut place = json!({ "artifactLocation": artifact(options, &input.file) });
    if let (Some((line, column)), Some(place)) = (input.place, place.as_object_mut()) {
        place.insert("region".to_owned(), json!({ "startLine": line, "startColumn": column }));
    }
    let text = summary::not_linted(input, &options.repository_path(&input.file));
    json!({
        "level": "error",
        "message": { "text": text },
        "locations": [{ "physicalLocation": place }],
    })
}

/// The text with a capital and a final stop: code scanning takes the first sentence as the title of an alert.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return String::new() };
    let word = text.split(' ').next().unwrap_or("");
    // Names keep their form: `vllm:num_requests_waiting`, `consolidateAfter`, `spec.replicas`.
    let name = !word.chars().all(|c| c.is_lowercase() || c == ',');
    let stop = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    let head = if name { first.to_string() } else { first.to_uppercase().to_string() };
    format!("{head}{}{stop}", characters.as_str())
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= MOST_CHARACTERS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MOST_CHARACTERS - 1).collect();
    short.push('…');
    short
}

/// An absolute path as a URI.
fn file_uri(path: &str) -> String {
    // A drive letter keeps its colon: it is no scheme here.
    let (drive, rest) = match path.split_once(":/") {
        Some((drive, rest)) if drive.len() == 1 => (format!("/{drive}:/"), rest),
        _ => (String::new(), path),
    };
    format!("file://{drive}{}", percent_encode(rest))
}

/// A relative path as a URI reference (RFC 3986): everything but unreserved characters and `/` is encoded.
fn percent_encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
