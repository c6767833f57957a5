//! What makes a finding the same finding after lines, files and formatting changed.

use crate::diagnostic::{Diagnostic, Report};
use std::collections::BTreeMap;

/// One fingerprint a finding, in the order of the report: 16 hexadecimal digits.
///
/// It is the 64-bit FNV-1a hash of the rule, the object (API group, kind, namespace, name) and the field, each ended by
/// a byte that no text holds. Lines, paths, messages and the version of the API are left out on purpose, so that a
/// baseline survives moves, edits elsewhere and an API upgrade. Findings that agree in all of this are told apart by
/// their order in the report, which is hashed for the second and later ones.
pub fn fingerprints(report: &Report) -> Vec<String> {
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    let mut fingerprint = |diagnostic: &Diagnostic| {
        let hash = meaning(diagnostic);
        let before = seen.entry(hash.0).or_insert(0);
        let ordinal = *before;
        *before += 1;
        let hash = if ordinal == 0 { hash } else { hash.bytes(&ordinal.to_be_bytes()) };
        format!("{:016x}", hash.0)
    };
    report.diagnostics.iter().map(&mut fingerprint).collect()
}

fn meaning(diagnostic: &Diagnostic) -> Fnv {
    let hash = Fnv::NEW.text(diagnostic.rule);
    let hash = match &diagnostic.object {
        None => hash.nothing(),
        Some(object) => {
            let group = object.api_version.rsplit_once('/').map_or("", |(group, _)| group);
            let hash = hash.text(group).text(&object.kind);
            [&object.namespace, &object.name].into_iter().fold(hash, |hash, part| match part {
                Some(text) => hash.text(text),
                None => hash.nothing(),
            })
        }
    };
    hash.text(&diagnostic.field)
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{ObjectRef, Severity};
    use crate::source::{FileId, Span};

    #[test]
    fn the_hash_is_fnv_1a() {
        // Vectors of the reference implementation, draft-eastlake-fnv, appendix C.
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(Fnv::NEW.bytes(text.as_bytes()).0, hash, "{text:?}");
        }
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

    /// Whether a change keeps the fingerprint.
    #[track_caller]
    fn check(same: bool, change: impl FnOnce(&mut Diagnostic)) {
        let mut changed = finding();
        change(&mut changed);
        let fingerprint =
            |diagnostic| fingerprints(&Report { diagnostics: vec![diagnostic], ..Report::default() });
        let (before, after) = (fingerprint(finding()), fingerprint(changed));
        assert_eq!(before == after, same, "{before:?} {after:?}");
    }

    #[test]
    fn a_finding_keeps_its_fingerprint_while_it_means_the_same() {
        check(true, |d| d.span = Span::new(FileId(3), 500, 501));
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
    fn findings_that_mean_the_same_are_counted() {
        let three = Report { diagnostics: vec![finding(), finding(), finding()], ..Report::default() };
        // A change of these numbers makes every baseline stale.
        assert_eq!(fingerprints(&three), ["5ff6e66986fef74d", "719ebe06fd3d213a", "719ebd06fd3d1f87"]);
    }
}
