//! Fixes: edits put into text, shown as a diff and written to disk.

mod rounds;
mod sound;

pub use rounds::{Changed, Fixed, Lint, Outcome, Refused, rounds};
pub use sound::is_sound;

use crate::diagnostic::{Applicability, Fix};
use crate::source::{Encoding, FileId, SourceFile};
use similar::{ChangeTag, TextDiff};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::path::Path;

/// Why a fix was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its applicability is above what was allowed.
    Applicability(Applicability),
    /// It has no edits.
    Empty,
    /// One of its edits lies in another file.
    OtherFile,
    /// One of its edits lies outside the text, or starts or ends inside a character or inside a CRLF.
    Boundary,
    /// One of its edits overlaps one of a fix that came first, or another of its own.
    Overlap,
    /// The file is not UTF-8, and gpulint writes nothing else.
    Encoding,
    /// The text would no longer be what it has to be: the caller's check said no.
    Check,
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Applicability(Applicability::Display) => "its values have to be chosen by a person",
            Refusal::Applicability(_) => "it has a side effect and unsafe fixes are not allowed",
            Refusal::Empty => "it has no edits",
            Refusal::OtherFile => "it edits another file too",
            Refusal::Boundary => "its edits do not fit the text",
            Refusal::Overlap => "it overlaps another fix",
            Refusal::Encoding => "the file is not UTF-8",
            Refusal::Check => "the file would not be valid afterwards",
        })
    }
}

/// The outcome of [`apply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The text after the edits. Every byte outside them is as it was.
    pub text: String,
    /// Indices of the fixes that are in the text, ascending.
    pub applied: Vec<usize>,
    /// Indices of the fixes that are not, ascending, each with the reason.
    pub refused: Vec<(usize, Refusal)>,
}

/// One edit whose range is known to fit the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Splice {
    start: usize,
    end: usize,
    replacement: String,
}

/// A fix that may be applied, with its index.
struct Plan {
    fix: usize,
    splices: Vec<Splice>,
}

/// The edits chosen so far, by range. No two overlap; two may touch.
type Chosen<'a> = BTreeMap<(usize, usize), &'a str>;

/// Puts the edits of `fixes` into the text of one file.
///
/// A fix is applied as a whole or not at all. Of two that overlap the first wins; two insertions at the same place
/// overlap unless they are identical, because their order would be a guess. An edit that two fixes share is made once.
/// Line breaks that are inserted follow the file (CRLF where it has more of them than of LF), and a byte-order mark
/// stays first.
///
/// `check` gets the text that would result and says whether it is still sound, for example whether it parses to the
/// expected tree. Where it refuses all fixes together, the culprits are found by halving, and the others are kept.
pub fn apply(
    id: FileId,
    file: &SourceFile,
    fixes: &[&Fix],
    allow: Applicability,
    check: &dyn Fn(&str) -> bool,
) -> Applied {
    let text: &str = &file.text;
    let mut refused = Vec::new();
    let mut plans: Vec<Plan> = Vec::new();
    let mut chosen: BTreeMap<(usize, usize), String> = BTreeMap::new();
    let crlf = uses_crlf(text);
    for (fix, wanted) in fixes.iter().enumerate() {
        match plan(id, file, wanted, allow, crlf).and_then(|splices| choose(&mut chosen, splices)) {
            Ok(splices) => plans.push(Plan { fix, splices }),
            Err(refusal) => refused.push((fix, refusal)),
        }
    }
    let mut kept = Vec::new();
    admit(text, &plans, check, &mut kept, &mut refused);
    refused.sort_by_key(|(fix, _)| *fix);
    let applied = kept.iter().map(|plan| plan.fix).collect();
    Applied { text: spliced(text, &kept), applied, refused }
}

/// The edits of one fix, sorted and checked against the text.
fn plan(
    id: FileId,
    file: &SourceFile,
    fix: &Fix,
    allow: Applicability,
    crlf: bool,
) -> Result<Vec<Splice>, Refusal> {
    if file.encoding != Encoding::Utf8 {
        return Err(Refusal::Encoding);
    }
    if fix.applicability > allow {
        return Err(Refusal::Applicability(fix.applicability));
    }
    if fix.edits.is_empty() {
        return Err(Refusal::Empty);
    }
    let text: &str = &file.text;
    let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut splices = Vec::new();
    for edit in &fix.edits {
        if edit.span.file != id {
            return Err(Refusal::OtherFile);
        }
        let range = edit.span.range();
        if range.start > range.end || !is_boundary(text, range.start) || !is_boundary(text, range.end) {
            return Err(Refusal::Boundary);
        }
        let replacement = with_line_breaks(&edit.replacement, crlf).into_owned();
        // What is put before the first character goes behind the byte-order mark, or it would no longer be one.
        splices.push(Splice { start: range.start.max(first), end: range.end.max(first), replacement });
    }
    splices.sort_by_key(|splice| (splice.start, splice.end));
    Ok(splices)
}

/// Adds the edits of one fix to those chosen before, or refuses them all.
fn choose(
    chosen: &mut BTreeMap<(usize, usize), String>,
    splices: Vec<Splice>,
) -> Result<Vec<Splice>, Refusal> {
    let mut added: Vec<(usize, usize)> = Vec::new();
    for splice in &splices {
        let range = (splice.start, splice.end);
        if chosen.get(&range) == Some(&splice.replacement) {
            continue;
        }
        if overlaps(chosen, range) {
            for range in added {
                chosen.remove(&range);
            }
            return Err(Refusal::Overlap);
        }
        chosen.insert(range, splice.replacement.clone());
        added.push(range);
    }
    Ok(splices)
}

/// True where a range takes bytes of a chosen one, or is the same. Ranges that only touch do not overlap.
fn overlaps(chosen: &BTreeMap<(usize, usize), String>, (start, end): (usize, usize)) -> bool {
    // The chosen ranges do not overlap, so their ends are in order as well and two neighbours suffice.
    let before = chosen.range(..(start, end)).next_back();
    let after = chosen.range((start, end)..).next();
    before.is_some_and(|((_, before), _)| *before > start)
        || after.is_some_and(|(range, _)| range.0 < end || *range == (start, end))
}

/// Keeps the plans with which the text passes the check, halving those with which it does not.
fn admit<'a>(
    text: &str,
    plans: &'a [Plan],
    check: &dyn Fn(&str) -> bool,
    kept: &mut Vec<&'a Plan>,
    refused: &mut Vec<(usize, Refusal)>,
) {
    let before = kept.len();
    kept.extend(plans);
    if plans.is_empty() || check(&spliced(text, kept)) {
        return;
    }
    kept.truncate(before);
    if let [plan] = plans {
        refused.push((plan.fix, Refusal::Check));
        return;
    }
    let (left, right) = plans.split_at(plans.len() / 2);
    admit(text, left, check, kept, refused);
    admit(text, right, check, kept, refused);
}

/// The text with the edits of these plans, which do not overlap.
fn spliced(text: &str, plans: &[&Plan]) -> String {
    let edits: Chosen<'_> = plans
        .iter()
        .flat_map(|plan| &plan.splices)
        .map(|splice| ((splice.start, splice.end), splice.replacement.as_str()))
        .collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for ((start, end), replacement) in edits {
        out.push_str(text.get(at..start).unwrap_or(""));
        out.push_str(replacement);
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// True where text can be cut: between characters, and not inside a CRLF.
fn is_boundary(text: &str, at: usize) -> bool {
    let inside_crlf = text.as_bytes().get(at) == Some(&b'\n')
        && at.checked_sub(1).and_then(|before| text.as_bytes().get(before)) == Some(&b'\r');
    text.is_char_boundary(at) && !inside_crlf
}

/// True where most lines end in CRLF.
fn uses_crlf(text: &str) -> bool {
    let crlf = text.matches("\r\n").count();
    crlf > text.matches('\n').count() - crlf
}

/// The replacement with the line breaks of the file.
fn with_line_breaks(replacement: &str, crlf: bool) -> Cow<'_, str> {
    if crlf && replacement.contains('\n') {
        Cow::Owned(replacement.replace("\r\n", "\n").replace('\n', "\r\n"))
    } else {
        Cow::Borrowed(replacement)
    }
}

/// The change as a unified diff with three lines of context, or nothing where the two texts are equal.
///
/// Without colour it is what `patch -p1` and `git apply` take. With colour it is for a terminal: control characters
/// of the file are escaped, so that they cannot steer it.
pub fn diff(path: &str, old: &str, new: &str, color: bool) -> String {
    // Lines end at `\n` alone, as for `patch`; the splitting of the crate would also end them at a lone `\r`.
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let lines = TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    let mut out = String::new();
    for (number, hunk) in lines.unified_diff().context_radius(3).iter_hunks().enumerate() {
        if number == 0 {
            push_line(&mut out, BOLD, &format!("--- a/{path}"), color);
            push_line(&mut out, BOLD, &format!("+++ b/{path}"), color);
        }
        push_line(&mut out, CYAN, &hunk.header().to_string(), color);
        for change in hunk.iter_changes() {
            let style = match change.tag() {
                ChangeTag::Equal => "",
                ChangeTag::Delete => RED,
                ChangeTag::Insert => GREEN,
            };
            let line = format!("{}{}", change.tag(), change.value());
            push_line(&mut out, style, line.strip_suffix('\n').unwrap_or(&line), color);
            if !line.ends_with('\n') {
                push_line(&mut out, "", "\\ No newline at end of file", color);
            }
        }
    }
    out
}

const BOLD: &str = "\u{1b}[1m";
const CYAN: &str = "\u{1b}[36m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const RESET: &str = "\u{1b}[0m";

/// Adds one line of a diff, given without its line break.
fn push_line(out: &mut String, style: &str, line: &str, color: bool) {
    if color {
        let (start, end) = if style.is_empty() { ("", "") } else { (style, RESET) };
        let line = printable(line.strip_suffix('\r').unwrap_or(line));
        out.extend([start, &line, end, "\n"]);
    } else {
        out.extend([line, "\n"]);
    }
}

/// A line without characters that a terminal would act on.
fn printable(line: &str) -> Cow<'_, str> {
    let acts = |c: char| c.is_control() && c != '\t';
    if !line.contains(acts) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if acts(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Replaces the content of a file in one step: readers see the old bytes or the new ones, never a part.
///
/// A symbolic link stays a link and its target is replaced; what it finally points to must be an ordinary file. The
/// permissions are kept. Other hard links to the file keep the old content.
///
/// # Errors
/// Where the file no longer holds `expected` (it was edited since it was read), is read-only or not an ordinary file,
/// or where the system refuses. The file is then as it was.
pub fn write_atomically(path: &Path, expected: &[u8], bytes: &[u8]) -> io::Result<()> {
    let target = path.canonicalize()?;
    let metadata = target.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an ordinary file"));
    }
    if metadata.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    if std::fs::read(&target)? != expected {
        return Err(io::Error::other("the file has changed since it was read"));
    }
    let folder = target.parent().ok_or_else(|| io::Error::other("the file lies in no folder"))?;
    // In the same folder, because a rename is one step only within a file system.
    let mut file = tempfile::Builder::new().prefix(".gpulint-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(metadata.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&target)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Edit;
    use crate::source::Span;
    use proptest::prelude::*;

    fn file(text: &str) -> SourceFile {
        SourceFile::new("a.yaml".to_owned(), text.into(), Encoding::Utf8)
    }

    fn fix(applicability: Applicability, edits: &[(usize, usize, &str)]) -> Fix {
        let edits = edits
            .iter()
            .map(|(start, end, replacement)| Edit {
                span: Span::new(FileId(0), *start, *end),
                replacement: (*replacement).to_owned(),
            })
            .collect();
        Fix { title: String::new(), applicability, edits }
    }

    fn run(text: &str, fixes: &[Fix], check: &dyn Fn(&str) -> bool) -> Applied {
        let fixes: Vec<&Fix> = fixes.iter().collect();
        apply(FileId(0), &file(text), &fixes, Applicability::Safe, check)
    }

    /// Each fix is a list of edits; `refused` names those that must not be applied.
    fn check(text: &str, fixes: &[&[(usize, usize, &str)]], expect: &str, refused: &[(usize, Refusal)]) {
        let fixes: Vec<Fix> = fixes.iter().map(|edits| fix(Applicability::Safe, edits)).collect();
        let outcome = run(text, &fixes, &|_| true);
        assert_eq!((outcome.text.as_str(), outcome.refused.as_slice()), (expect, refused), "{text:?}");
        let all = outcome.applied.len() + outcome.refused.len();
        assert_eq!(all, fixes.len());
    }

    #[test]
    fn edits_change_their_bytes_and_no_others() {
        check("a: 1\n", &[], "a: 1\n", &[]);
        check("a: 1\n", &[&[(3, 4, "2")]], "a: 2\n", &[]);
        check("a: 1\n", &[&[(5, 5, "b: 2\n")]], "a: 1\nb: 2\n", &[]);
        check("", &[&[(0, 0, "a")]], "a", &[]);
        check("a: 1\nb: 2\n", &[&[(8, 9, "3"), (3, 4, "4")]], "a: 4\nb: 3\n", &[]);
        check("a: 1\nb: 2\n", &[&[(0, 5, "")], &[(5, 10, "")]], "", &[]);
        check("é: ü\n", &[&[(4, 6, "ö")]], "é: ö\n", &[]);
    }

    #[test]
    fn what_overlaps_is_refused_as_a_whole() {
        let overlap = |index| (index, Refusal::Overlap);
        check("abcdef", &[&[(1, 3, "X")], &[(2, 4, "Y")]], "aXdef", &[overlap(1)]);
        check("abcdef", &[&[(1, 3, "X")], &[(2, 4, "Y"), (5, 6, "Z")]], "aXdef", &[overlap(1)]);
        check(
            "abcdef",
            &[&[(1, 3, "X")], &[(5, 6, "Z"), (2, 4, "Y")], &[(5, 6, "W")]],
            "aXdeW",
            &[overlap(1)],
        );
        check(
            "abcdef",
            &[&[(4, 6, "X")], &[(0, 1, "W"), (1, 5, "Y")], &[(0, 1, "V")]],
            "VbcdX",
            &[overlap(1)],
        );
        check("abcdef", &[&[(2, 2, "X")], &[(2, 2, "Y")]], "abXcdef", &[overlap(1)]);
        check("abcdef", &[&[(1, 4, "X")], &[(2, 2, "Y")]], "aXef", &[overlap(1)]);
        check("abcdef", &[&[(2, 2, "Y")], &[(1, 4, "X")]], "abYcdef", &[overlap(1)]);
        check("abcdef", &[&[(0, 6, "X")], &[(0, 1, "Y")], &[(5, 6, "Z")]], "X", &[overlap(1), overlap(2)]);
        check("abcdef", &[&[(1, 3, "X")], &[(1, 3, "Y")]], "aXdef", &[overlap(1)]);
        check("abcdef", &[&[(1, 3, "X"), (2, 4, "Y")]], "abcdef", &[overlap(0)]);
        check("abcdef", &[&[(2, 2, "X"), (2, 2, "Y")], &[(2, 2, "Z")]], "abZcdef", &[overlap(0)]);
    }

    #[test]
    fn what_touches_is_applied_and_what_is_equal_is_merged() {
        check("abcdef", &[&[(1, 3, "X")], &[(3, 5, "Y")]], "aXYf", &[]);
        check("abcdef", &[&[(1, 3, "X")], &[(3, 3, "Y")], &[(1, 1, "W")]], "aWXYdef", &[]);
        check("abcdef", &[&[(1, 1, "W")], &[(1, 3, "X")]], "aWXdef", &[]);
        check("abcdef", &[&[(1, 3, "X")], &[(1, 3, "X")]], "aXdef", &[]);
        check("abcdef", &[&[(2, 2, "X")], &[(2, 2, "X"), (4, 5, "Y")]], "abXcdYf", &[]);
        check("abcdef", &[&[(2, 2, "X"), (2, 2, "X")]], "abXcdef", &[]);
        // The shared edit stays chosen when the fix that shares it is refused.
        check(
            "abcdef",
            &[&[(1, 3, "X")], &[(1, 3, "X"), (2, 4, "Y")], &[(1, 3, "X")]],
            "aXdef",
            &[(1, Refusal::Overlap)],
        );
    }

    #[test]
    fn edits_that_do_not_fit_are_refused() {
        let boundary = [(0, Refusal::Boundary)];
        check("aé", &[&[(2, 3, "x")]], "aé", &boundary);
        check("aé", &[&[(1, 2, "x")]], "aé", &boundary);
        check("ab", &[&[(1, 9, "x")]], "ab", &boundary);
        check("ab", &[&[(3, 3, "x")]], "ab", &boundary);
        check("a\r\nb", &[&[(2, 2, "x")]], "a\r\nb", &boundary);
        check("a\r\nb", &[&[(1, 3, " ")]], "a b", &[]);
        check("ab", &[&[]], "ab", &[(0, Refusal::Empty)]);
        let reversed = Edit { span: Span { file: FileId(0), start: 2, end: 1 }, replacement: String::new() };
        let reversed = Fix { edits: vec![reversed], ..fix(Applicability::Safe, &[]) };
        assert_eq!(run("abc", &[reversed], &|_| true).refused, boundary);
        let mut two_files = fix(Applicability::Safe, &[(0, 1, "x"), (1, 2, "y")]);
        two_files.edits[1].span.file = FileId(1);
        let outcome = run("abc", &[two_files], &|_| true);
        assert_eq!((outcome.text.as_str(), outcome.refused), ("abc", vec![(0, Refusal::OtherFile)]));
    }

    #[test]
    fn inserted_line_breaks_follow_the_file() {
        check("a: 1\r\n", &[&[(6, 6, "b: 2\nc: 3\n")]], "a: 1\r\nb: 2\r\nc: 3\r\n", &[]);
        check("a: 1\r\n", &[&[(6, 6, "b: 2\r\n")]], "a: 1\r\nb: 2\r\n", &[]);
        check("a: 1\n", &[&[(5, 5, "b: 2\n")]], "a: 1\nb: 2\n", &[]);
        check("a\nb\nc\r\n", &[&[(7, 7, "d\n")]], "a\nb\nc\r\nd\n", &[]);
        check("a\r\nb\r\nc\n", &[&[(8, 8, "d\n")]], "a\r\nb\r\nc\nd\r\n", &[]);
    }

    #[test]
    fn a_byte_order_mark_stays_first() {
        check("\u{feff}a", &[&[(0, 0, "# x\n")]], "\u{feff}# x\na", &[]);
        check("\u{feff}a", &[&[(0, 4, "b")]], "\u{feff}b", &[]);
        check("\u{feff}a", &[&[(1, 2, "b")]], "\u{feff}a", &[(0, Refusal::Boundary)]);
    }

    #[test]
    fn utf_16_is_refused() {
        let file = SourceFile::new("a.yaml".to_owned(), "a: 1".into(), Encoding::Utf16);
        let fix = fix(Applicability::Safe, &[(3, 4, "2")]);
        let outcome = apply(FileId(0), &file, &[&fix], Applicability::Display, &|_| true);
        assert_eq!((outcome.text.as_str(), outcome.refused), ("a: 1", vec![(0, Refusal::Encoding)]));
    }

    #[test]
    fn only_what_is_allowed_is_applied() {
        use Applicability::{Display, Safe, Unsafe};
        let fixes = [fix(Safe, &[(0, 1, "X")]), fix(Unsafe, &[(1, 2, "Y")]), fix(Display, &[(2, 3, "Z")])];
        let fixes: Vec<&Fix> = fixes.iter().collect();
        let text = |allow| apply(FileId(0), &file("abc"), &fixes, allow, &|_| true).text;
        assert_eq!([text(Safe), text(Unsafe), text(Display)], ["Xbc", "XYc", "XYZ"]);
        let refused = apply(FileId(0), &file("abc"), &fixes, Safe, &|_| true).refused;
        assert_eq!(refused, [(1, Refusal::Applicability(Unsafe)), (2, Refusal::Applicability(Display))]);
    }

    #[test]
    fn a_fix_that_breaks_the_text_is_left_out_alone() {
        let fixes: Vec<Fix> = ["A", "!", "C", "D", "!"]
            .iter()
            .enumerate()
            .map(|(at, text)| fix(Applicability::Safe, &[(at, at + 1, text)]))
            .collect();
        let outcome = run("abcde", &fixes, &|text| !text.contains('!'));
        assert_eq!((outcome.text.as_str(), outcome.applied), ("AbCDe", vec![0, 2, 3]));
        assert_eq!(outcome.refused, [(1, Refusal::Check), (4, Refusal::Check)]);
        let outcome = run("abcde", &fixes, &|_| false);
        assert_eq!((outcome.text.as_str(), outcome.applied), ("abcde", vec![]));
        assert_eq!(outcome.refused.len(), 5);
    }

    #[test]
    fn a_diff_is_what_patch_takes() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        let expect = "--- a/x/p.yaml\n+++ b/x/p.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
        assert_eq!(diff("x/p.yaml", old, new, false), expect);
        assert_eq!(diff("p", old, old, false), "");
        assert_eq!(diff("p", old, old, true), "");
        let expect = "--- a/p\n+++ b/p\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n";
        assert_eq!(diff("p", "a", "b\n", false), expect);
        let expect = "--- a/p\n+++ b/p\n@@ -1 +1 @@\n-a\r\n+b\r\n";
        assert_eq!(diff("p", "a\r\n", "b\r\n", false), expect);
        let expect = "--- a/p\n+++ b/p\n@@ -1,2 +1 @@\n-a\rb\r\n-c\n+a\rb\r\n\\ No newline at end of file\n";
        assert_eq!(diff("p", "a\rb\r\nc\n", "a\rb\r", false), expect);
        let expect = "--- a/p\n+++ b/p\n@@ -0,0 +1 @@\n+a\n";
        assert_eq!(diff("p", "", "a\n", false), expect);
    }

    #[test]
    fn a_coloured_diff_is_inert() {
        let shown = diff("p", "a\u{1b}[2J\n", "-- b\n", true);
        let expect = "\u{1b}[1m--- a/p\u{1b}[0m\n\u{1b}[1m+++ b/p\u{1b}[0m\n\u{1b}[36m@@ -1 +1 @@\u{1b}[0m\n\
                      \u{1b}[31m-a\\u{1b}[2J\u{1b}[0m\n\u{1b}[32m+-- b\u{1b}[0m\n";
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_file_is_replaced_only_where_it_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, "old").unwrap();
        write_atomically(&path, b"old", b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert!(write_atomically(&path, b"old", b"newer").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert!(write_atomically(folder.path(), b"", b"x").is_err());
        assert!(write_atomically(&folder.path().join("absent"), b"", b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays behind");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_modes_survive() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.yaml"), folder.path().join("sub/link.yaml"));
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(&real, "old").unwrap();
        symlink("../real.yaml", &link).unwrap();
        let mode = |mode| std::fs::set_permissions(&real, PermissionsExt::from_mode(mode)).unwrap();
        mode(0o640);
        write_atomically(&link, b"old", b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        mode(0o440);
        let error = write_atomically(&link, b"new", b"newer").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        symlink("nowhere", folder.path().join("dangling")).unwrap();
        assert!(write_atomically(&folder.path().join("dangling"), b"", b"x").is_err());
    }

    proptest! {
        /// The text is cut into pieces at random; every second piece is replaced by one of the fixes.
        #[test]
        fn bytes_outside_the_edits_stay(
            pieces in prop::collection::vec(("[a-zé漢 ]{0,6}", "[a-zü字 ]{0,6}", any::<bool>()), 0..12),
            per_fix in 1_usize..4,
        ) {
            let (mut text, mut expect, mut edits) = (String::new(), String::new(), Vec::new());
            for (old, new, keep) in &pieces {
                let start = text.len();
                text.push_str(old);
                // A bar between the pieces keeps two insertions from falling on one place.
                text.push('|');
                if *keep {
                    expect.push_str(old);
                } else {
                    edits.push((start, start + old.len(), new.as_str()));
                    expect.push_str(new);
                }
                expect.push('|');
            }
            let fixes: Vec<Fix> =
                edits.chunks(per_fix).rev().map(|edits| fix(Applicability::Safe, edits)).collect();
            let outcome = run(&text, &fixes, &|_| true);
            prop_assert_eq!(outcome.text, expect);
            prop_assert!(outcome.refused.is_empty());
        }

        /// Whatever is asked, a refused fix leaves no trace: the rest alone gives the same text.
        #[test]
        fn refused_fixes_leave_no_trace(
            text in "[aé\r\n]{0,20}",
            ranges in prop::collection::vec((0_usize..24, 0_usize..6, "[xy\n]{0,2}"), 0..8),
        ) {
            let fixes: Vec<Fix> = ranges
                .iter()
                .map(|(start, len, new)| fix(Applicability::Safe, &[(*start, start + len, new)]))
                .collect();
            let outcome = run(&text, &fixes, &|_| true);
            let kept: Vec<Fix> = outcome.applied.iter().map(|at| fixes[*at].clone()).collect();
            let again = run(&text, &kept, &|_| true);
            prop_assert_eq!(again.text, outcome.text);
            prop_assert!(again.refused.is_empty());
        }
    }
}
