//! What makes a finding the same finding after lines, files and formatting changed.

use crate::diagnostic::Diagnostic;
use crate::source::Files;
use std::collections::BTreeMap;

/// One fingerprint for each finding, in the order given: 16 hexadecimal digits, each once.
///
/// Findings that [mean](meaning) the same, such as those of one object in two overlays, are numbered in their order;
/// the number joins the hash of the second and later ones.
pub fn fingerprints(files: &Files, diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    let mut fingerprint = |found: &Diagnostic| {
        let hash = hash(files, found);
        let ordinal = seen.entry(hash.0).or_default();
        let numbered = if *ordinal == 0 { hash } else { hash.bytes(&ordinal.to_be_bytes()) };
        *ordinal += 1;
        numbered.digits()
    };
    diagnostics.iter().map(&mut fingerprint).collect()
}

/// The fingerprint of what a finding means, without a number: 16 hexadecimal digits.
///
/// It is the 64-bit FNV-1a hash of the rule, the object (API group, kind, namespace, name) and the field, each ended by
/// a byte that no text holds. Lines, messages, severities and the version of the API are left out on purpose, so that it
/// survives edits elsewhere and an API upgrade. The path of the file joins only where there is no object with a name, so
/// that files can be moved.
pub fn meaning(files: &Files, found: &Diagnostic) -> String {
    hash(files, found).digits()
}

fn hash(files: &Files, found: &Diagnostic) -> Fnv {
    let hash = Fnv::NEW.text(found.rule);
    let Some(object) = &found.object else {
        return hash.nothing().text(&found.field).text(files.path(found.span.file));
    };
    let group = object.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let hash = hash.text(group).text(&object.kind).optional(object.namespace.as_deref());
    let hash = hash.optional(object.name.as_deref()).text(&found.field);
    if object.name.is_some() { hash } else { hash.text(files.path(found.span.file)) }
}

/// FNV-1a with 64 bits. The standard library's hasher is not the same in every release.
#[derive(Debug, Clone, Copy)]
struct Fnv(u64);

impl Fnv {
    const NEW: Fnv = Fnv(0xcbf2_9ce4_8422_2325);

    fn bytes(self, bytes: &[u8]) -> Fnv {
        bytes.iter().fold(self, |hash, byte| Fnv((hash.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// A text and its end; 0xff is in no UTF-8 text.
    fn text(self, text: &str) -> Fnv {
        self.bytes(text.as_bytes()).bytes(&[0xff])
    }

    /// Something that is not there, which is not the same as an empty text.
    fn nothing(self) -> Fnv {
        self.bytes(&[0xfe])
    }

    fn optional(self, text: Option<&str>) -> Fnv {
        text.map_or_else(|| self.nothing(), |text| self.text(text))
    }

    fn digits(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{ObjectRef, Severity};
    use crate::source::{Encoding, FileId, SourceFile, Span};

    #[test]
    fn the_hash_is_fnv_1a() {
        // Vectors of the reference implementation, draft-eastlake-fnv, appendix C.
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(Fnv::NEW.bytes(text.as_bytes()).0, hash, "{text:?}");
        }
    }

    fn files() -> Files {
        let mut files = Files::default();
        for path in ["a.yaml", "b.yaml"] {
            files.add(SourceFile::new(path.to_owned(), "".into(), Encoding::Utf8));
        }
        files
    }

    fn finding() -> Diagnostic {
        Diagnostic {
            rule: "gpu-pool-consolidation",
            severity: Severity::Error,
            message: "a message".to_owned(),
            help: None,
            span: Span::new(FileId(0), 10, 20),
            span_label: String::new(),
            document: 0,
            object: Some(ObjectRef {
                api_version: "karpenter.sh/v1".to_owned(),
                kind: "NodePool".to_owned(),
                namespace: None,
                name: Some("gpu".to_owned()),
            }),
            field: "spec.disruption.consolidationPolicy".to_owned(),
            labels: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Whether a change to what `start` makes of a finding keeps the fingerprint.
    #[track_caller]
    fn check_from(start: impl Fn(&mut Diagnostic), same: bool, change: impl FnOnce(&mut Diagnostic)) {
        let mut before = finding();
        start(&mut before);
        let mut after = before.clone();
        change(&mut after);
        let [before, after] = [before, after].map(|found| fingerprints(&files(), &[found]));
        assert_eq!(before == after, same, "{before:?} {after:?}");
    }

    #[track_caller]
    fn check(same: bool, change: impl FnOnce(&mut Diagnostic)) {
        check_from(|_| {}, same, change);
    }

    #[test]
    fn a_finding_keeps_its_fingerprint_while_it_means_the_same() {
        check(true, |d| d.span = Span::new(FileId(1), 500, 501));
        check(true, |d| d.message = "said better".to_owned());
        check(true, |d| d.severity = Severity::Info);
        check(true, |d| d.document = 4);
        check(true, |d| d.object.as_mut().unwrap().api_version = "karpenter.sh/v1beta1".to_owned());
        check(false, |d| d.rule = "gpu-pool-taint");
        check(false, |d| d.field.push('x'));
        check(false, |d| d.object = None);
        check(false, |d| d.object.as_mut().unwrap().api_version = "karpenter.k8s.aws/v1".to_owned());
        check(false, |d| d.object.as_mut().unwrap().kind = "NodeClaim".to_owned());
        check(false, |d| d.object.as_mut().unwrap().namespace = Some(String::new()));
        check(false, |d| d.object.as_mut().unwrap().name = None);
    }

    #[test]
    fn without_a_name_the_file_counts() {
        let moved = |d: &mut Diagnostic| d.span.file = FileId(1);
        check_from(|d| d.object = None, false, moved);
        check_from(|d| d.object.as_mut().unwrap().name = None, false, moved);
        check_from(|d| d.object = None, true, |d| d.span.start = 12);
    }

    #[test]
    fn findings_that_mean_the_same_are_counted() {
        let three = [finding(), finding(), finding()];
        // A change of these numbers makes every baseline stale.
        let found = fingerprints(&files(), &three);
        assert_eq!(found, ["5ff6e66986fef74d", "719ebe06fd3d213a", "719ebd06fd3d1f87"]);
        assert_eq!(found.first(), Some(&meaning(&files(), &finding())));
    }
}
