//! Ignores: findings that a comment, an annotation or the configuration passes over, and ignores that are wrong
//! themselves.
//!
//! - `# gpulint: ignore[rule] reason` on the line of a finding or on the line above it, where other comments may stand
//!   between. For something that is missing, at the key under which it would stand.
//! - `# gpulint: ignore-file[rule] reason` at the top of a file, for all of it.
//! - The annotation `gpulint.dev/ignore: "rule: reason"`, for findings about the object.
//! - `ignore` entries of `gpulint.yaml`.
//!
//! Several rules are parted by commas. What is found out about ignores is reported under rules of its own, which have pages
//! as all others and are ignored in the configuration only.

mod directive;
mod index;
mod own;
mod reason;

use crate::config::{Config, Profile};
use crate::diagnostic::{Diagnostic, ObjectRef};
pub use crate::inventory::Comment;
use crate::source::{Files, Span};
use crate::yaml::Text;
use directive::{Directive, Scope};
use index::Index;

/// The annotation that holds ignores of its object.
pub const ANNOTATION: &str = "gpulint.dev/ignore";

/// An ignore that matches no finding.
pub const UNUSED: &str = "ignore-unused";
/// An ignore that names a rule which does not exist, or none.
pub const UNKNOWN_RULE: &str = "ignore-unknown-rule";
/// An ignore of a hard reject that says nothing about why.
pub const WITHOUT_REASON: &str = "ignore-without-reason";
/// An ignore with a reason that the plan does not accept.
pub const REFUSED: &str = "ignore-refused";

/// The value of an [`ANNOTATION`].
#[derive(Debug, Clone)]
pub struct Annotation {
    /// The key of the object that it stands on: the same as in [`Finding::object`].
    pub object: u32,
    /// The object, for the findings about the annotation.
    pub reference: Option<ObjectRef>,
    /// 0-based index of the YAML document that it stands in.
    pub document: u32,
    /// The value.
    pub text: Text,
}

/// A finding that may be ignored.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The key of the object that it is about.
    pub object: Option<u32>,
    /// The key under which something is missing, or above a scalar of several lines: a second place for a comment.
    pub parent: Option<Span>,
    /// What is reported.
    pub diagnostic: Diagnostic,
}

/// What holds for all ignores of a run.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The rules, their severities and the `ignore` entries.
    pub config: &'a Config,
    /// The profile of the run. Under [`Profile::Strict`] a refused reason leaves its finding standing.
    pub profile: Profile,
    /// The rules that are hard rejects of the plan: to ignore them takes a reason.
    pub hard: &'a [&'a str],
}

/// The outcome of [`apply`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The findings that stay, in their order.
    pub kept: Vec<Diagnostic>,
    /// How many findings an ignore took away.
    pub suppressed: usize,
    /// Findings about the ignores, by file and place.
    pub own: Vec<Diagnostic>,
}

/// Takes away the findings that are ignored, and judges the ignores.
///
/// An ignore counts as used where its rule is switched off: whoever switches it on again still needs it.
pub fn apply(
    files: &Files,
    comments: &[Comment],
    annotations: &[Annotation],
    findings: Vec<Finding>,
    policy: &Policy<'_>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut directives = Vec::new();
    for comment in comments {
        match directive::of_comment(files, comment) {
            Some(Ok(directive)) => directives.push(directive),
            Some(Err(malformed)) => outcome.own.extend(own::malformed(malformed, policy)),
            None => {}
        }
    }
    directives.extend(annotations.iter().flat_map(|a| directive::of_annotation(a, policy.config)));
    let entries = policy.config.ignores().iter().enumerate();
    directives.extend(entries.map(|(at, entry)| directive::of_entry(at, entry)));

    let index = Index::new(&directives);
    for finding in findings {
        let candidates = index.candidates(files, &finding, policy.config);
        if excuse(&mut directives, &candidates, finding.diagnostic.rule, policy) {
            outcome.suppressed += 1;
        } else {
            outcome.kept.push(finding.diagnostic);
        }
    }
    judge(files, &mut directives, &index, policy, &mut outcome);
    outcome.own.sort_by_cached_key(|found| (files.path(found.span.file).to_owned(), found.span, found.rule));
    outcome
}

/// Adds the findings about the ignores. The entries of the configuration come last, because they may be about those of
/// the comments and annotations.
fn judge(
    files: &Files,
    directives: &mut [Directive],
    index: &Index,
    policy: &Policy<'_>,
    outcome: &mut Outcome,
) {
    let in_config = |directive: &Directive| matches!(directive.scope, Scope::Config(_));
    outcome.own.extend(directives.iter().filter(|d| !in_config(d)).flat_map(|d| own::judge(d, policy)));
    for found in std::mem::take(&mut outcome.own) {
        let candidates = index.entries(files, &found, policy.config);
        if excuse(directives, &candidates, found.rule, policy) {
            outcome.suppressed += 1;
        } else {
            outcome.own.push(found);
        }
    }
    outcome.own.extend(directives.iter().filter(|d| in_config(d)).flat_map(|d| own::judge(d, policy)));
}

/// Marks the ignores that name the rule, and says whether one of them takes the finding away.
fn excuse(directives: &mut [Directive], candidates: &[usize], rule: &str, policy: &Policy<'_>) -> bool {
    let mut excused = false;
    for at in candidates {
        let Some(directive) = directives.get_mut(*at) else { continue };
        let mut named = false;
        for id in directive.ids.iter_mut().filter(|id| id.name == rule) {
            id.used = true;
            named = true;
        }
        let refused = policy.profile == Profile::Strict && reason::refused(rule, &directive.reason).is_some();
        excused |= named && !refused;
    }
    excused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KnownRule, parse, sample_rules};
    use crate::diagnostic::{Applicability, Fix, Severity};
    use crate::fix;
    use crate::source::{Encoding, FileId, SourceFile};

    const HARD: [&str; 2] = ["gang-missing", "scale-on-gpu-memory"];

    /// Some rules, and those about ignores as their pages have them.
    fn rules() -> Vec<KnownRule> {
        let own = own::OWN.into_iter().map(|id| KnownRule {
            id,
            summary: String::new(),
            severity: Severity::Warning,
            strict: if id == REFUSED { Severity::Error } else { Severity::Warning },
            options: vec![],
        });
        sample_rules().into_iter().chain(own).collect()
    }

    /// One run over one file and a configuration.
    struct Run {
        files: Files,
        file: FileId,
        outcome: Outcome,
    }

    /// Findings in short: `rule needle`, and `rule needle < parent` where there is a parent. `(7)` at the end is the
    /// key of the object. A needle is found at its last occurrence, so that comments above may name it.
    fn run(text: &str, findings: &[&str], annotation: &str, yaml: &str, profile: Profile) -> Run {
        let mut files = Files::default();
        let file = files.add(SourceFile::new("a/b.yaml".to_owned(), text.into(), Encoding::Utf8));
        let config_file = files.add(SourceFile::new("gpulint.yaml".to_owned(), yaml.into(), Encoding::Utf8));
        let (config, errors) = parse(yaml, config_file, &rules());
        assert_eq!(errors, []);
        let at = |needle: &str| {
            let start = text.rfind(needle).unwrap_or_else(|| panic!("{needle} in {text}"));
            Span::new(file, start, start + needle.len())
        };
        let findings = findings.iter().map(|short| {
            let (short, object) = short.split_once('(').unwrap_or((short, ""));
            let (short, parent) = short.trim().split_once(" < ").unwrap_or((short.trim(), ""));
            let (rule, needle) = short.split_once(' ').unwrap();
            let ids = config.rule_ids().find(|id| *id == rule).unwrap();
            Finding {
                object: object.trim_end_matches(')').parse().ok(),
                parent: (!parent.is_empty()).then(|| at(parent)),
                diagnostic: finding(ids, at(needle)),
            }
        });
        let comments: Vec<Comment> = comments(text)
            .into_iter()
            .map(|(start, end)| Comment { span: Span::new(file, start, end), document: 0 })
            .collect();
        let annotations: Vec<Annotation> = (!annotation.is_empty())
            .then(|| Annotation {
                object: 7,
                reference: None,
                document: 0,
                text: Text::verbatim(annotation.to_owned(), at(annotation)),
            })
            .into_iter()
            .collect();
        let policy = Policy { config: &config, profile, hard: &HARD };
        let outcome = apply(&files, &comments, &annotations, findings.collect(), &policy);
        Run { files, file, outcome }
    }

    fn finding(rule: &'static str, span: Span) -> Diagnostic {
        Diagnostic {
            rule,
            severity: Severity::Error,
            message: String::new(),
            help: None,
            span,
            span_label: String::new(),
            document: 0,
            object: None,
            field: String::new(),
            labels: vec![],
            fixes: vec![],
        }
    }

    /// The comments of a text without quotes and block scalars.
    fn comments(text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let body = line.trim_end_matches(['\r', '\n']);
            let starts =
                |i: &usize| *i == 0 || body.get(..*i).is_some_and(|b| b.ends_with([' ', '\u{feff}']));
            if let Some(start) = body.match_indices('#').map(|(i, _)| i).find(starts) {
                found.push((at + start, at + body.len()));
            }
            at += line.len();
        }
        found
    }

    impl Run {
        /// The rules of the findings that stay, and what is said about the ignores.
        fn lines(&self) -> (Vec<&str>, Vec<String>) {
            let own = |found: &Diagnostic| format!("{} {}", found.rule, self.files.slice(found.span));
            let kept = self.outcome.kept.iter().map(|found| found.rule).collect();
            (kept, self.outcome.own.iter().map(own).collect())
        }

        /// The text after every fix of the findings about ignores.
        fn fixed(&self) -> String {
            let fixes: Vec<&Fix> = self.outcome.own.iter().flat_map(|found| &found.fixes).collect();
            let file = self.files.get(self.file).unwrap();
            let applied = fix::apply(self.file, file, &fixes, Applicability::Unsafe, &|_| true);
            assert_eq!(applied.refused, []);
            let mut edits = fixes.iter().flat_map(|fix| &fix.edits);
            assert!(edits.all(|edit| !self.files.slice(edit.span).contains('\u{feff}')));
            applied.text
        }
    }

    fn check(text: &str, findings: &[&str], kept: &[&str], own: &[&str]) {
        let run = run(text, findings, "", "", Profile::Default);
        assert_eq!(run.lines(), (kept.to_vec(), own.iter().map(|s| (*s).to_owned()).collect()), "{text}");
        assert_eq!(run.outcome.suppressed, findings.len() - kept.len(), "{text}");
    }

    const POD: &str = "gang-missing-single-pod";

    #[test]
    fn a_comment_ignores_on_its_line_and_on_the_next() {
        let found = ["gang-missing-single-pod x: 1"];
        check("x: 1 # gpulint: ignore[gang-missing-single-pod] why\n", &found, &[], &[]);
        check("x: 1   ##  gpulint:ignore [ gang-missing-single-pod ]: why", &found, &[], &[]);
        check("x: 1 # a note # gpulint: ignore[gang-missing-single-pod]", &found, &[], &[]);
        check("# gpulint: ignore[gang-missing-single-pod] why\nx: 1\n", &found, &[], &[]);
        check("# gpulint: ignore[gang-missing-single-pod]\n# a note\n  # more\nx: 1\n", &found, &[], &[]);
        check("a:\r\n  # gpulint: ignore[gang-missing-single-pod]\r\n  x: 1\r\n", &found, &[], &[]);
        check("\u{feff}# gpulint: ignore[gang-missing-single-pod]\nx: 1\n", &found, &[], &[]);
        check("é: ü\nx: 1 # gpulint: ignore[gang-missing-single-pod] é\n", &found, &[], &[]);
        let both = ["gang-missing x: 1", "gang-missing-single-pod x: 1"];
        check("x: 1 # gpulint: ignore[gang-missing, gang-missing-single-pod] why\n", &both, &[], &[]);
        check("x: 1 # gpulint: ignore[gang-missing] why\n", &both, &[POD], &[]);
        check(
            "# gpulint: ignore[gang-missing] why\n# gpulint: ignore[gang-missing-single-pod]\nx: 1\n",
            &both,
            &[],
            &[],
        );
        let twice = ["gang-missing-single-pod x", "gang-missing-single-pod 1"];
        check("x: 1 # gpulint: ignore[gang-missing-single-pod]\n", &twice, &[], &[]);
        // A scalar of several lines can have a comment behind its last one only.
        let lines = ["gang-missing-single-pod 1\n  2"];
        check("x: 1\n  2 # gpulint: ignore[gang-missing-single-pod]\n", &lines, &[], &[]);
    }

    #[test]
    fn something_missing_is_ignored_at_its_parent() {
        let found = ["gang-missing-single-pod x: 1 < spec:"];
        check("spec: # gpulint: ignore[gang-missing-single-pod]\n  a: 2\n  x: 1\n", &found, &[], &[]);
        check("# gpulint: ignore[gang-missing-single-pod]\nspec:\n  a: 2\n  x: 1\n", &found, &[], &[]);
        let comment = "# gpulint: ignore[gang-missing-single-pod]";
        let own = format!("{UNUSED} {comment}");
        check(&format!("spec:\n  a: 2 {comment}\n  x: 1\n"), &found, &[POD], &[&own]);
    }

    #[test]
    fn a_comment_ignores_nowhere_else() {
        let found = ["gang-missing-single-pod x: 1"];
        let comment = "# gpulint: ignore[gang-missing-single-pod]";
        let own = format!("{UNUSED} {comment}");
        check(&format!("{comment}\n\nx: 1\n"), &found, &[POD], &[&own]);
        check(&format!("x: 1\n{comment}\n"), &found, &[POD], &[&own]);
        check(&format!("{comment}\na: 2\nx: 1\n"), &found, &[POD], &[&own]);
        check(&format!("a: 2 {comment}\nx: 1\n"), &found, &[POD], &[&own]);
        check("x: 1 # ignore[gang-missing-single-pod]\n", &found, &[POD], &[]);
        check("x: 1 # see gpulint: ignore[gang-missing-single-pod]\n", &found, &[POD], &[]);
        check("x: 1 # a#gpulint: ignore[gang-missing-single-pod]\n", &found, &[POD], &[]);
    }

    #[test]
    fn a_file_is_ignored_at_its_top() {
        let found = ["gang-missing x", "gang-missing y"];
        let comment = "# gpulint: ignore-file[gang-missing] why";
        let both = ["gang-missing", "gang-missing"];
        let own = format!("{UNUSED} {comment}");
        check(&format!("{comment}\nx: 1\n---\ny: 2\n"), &found, &[], &[]);
        check(&format!("\u{feff}# Copyright\n\n---\n%YAML 1.2\n{comment}\n\nx: 1\ny: 2\n"), &found, &[], &[]);
        check(&format!("a: 1\n{comment}\nx: 1\ny: 2\n"), &found, &both, &[&own]);
        check(&format!("x: 1 {comment}\ny: 2\n"), &found, &both, &[&own]);
    }

    #[test]
    fn comments_that_say_nothing_are_told() {
        let own = |comment: &str| {
            check(&format!("x: 1 {comment}\n"), &[], &[], &[&format!("{UNKNOWN_RULE} {comment}")])
        };
        own("# gpulint: ignore");
        own("# gpulint: ignore gang-missing");
        own("# gpulint: ignore[gang-missing");
        own("# gpulint: ignore[] why");
        own("# gpulint: ignore[ , ]");
        own("# gpulint: disable[gang-missing]");
        own("# gpulint:");
        own("# gpulint: this pool is fine");
    }

    #[test]
    fn rules_that_do_not_exist_are_told() {
        let one = format!("{UNUSED} scale-on-gpu-memory");
        let text = "x: 1 # gpulint: ignore[gang-missing, scale-on-gpu-memory] why\n";
        check(text, &["gang-missing x: 1"], &[], &[&one]);
        let one = format!("{UNKNOWN_RULE} gang-mising");
        check(
            "x: 1 # gpulint: ignore[gang-mising] why\n",
            &["gang-missing x: 1"],
            &["gang-missing"],
            &[&one],
        );
        let text = "x: 1 # gpulint: ignore[gang-mising, foo, gang-missing-single-pod] why\n";
        let run = run(text, &["gang-missing-single-pod x: 1"], "", "", Profile::Default);
        assert_eq!(run.lines().1, [one, format!("{UNKNOWN_RULE} foo")]);
        let helps: Vec<Option<&str>> = run.outcome.own.iter().map(|found| found.help.as_deref()).collect();
        assert_eq!(helps, [Some("name `gang-missing`, if that is what you meant"), None]);
        assert_eq!(run.fixed(), text.replace("gang-mising", "gang-missing"));
    }

    #[test]
    fn what_is_said_is_in_order() {
        let text =
            "x: 1 # gpulint: ignore[gang-missing]\ny: 2 # gpulint: ignore\nz: 3 # gpulint: ignore[foo]\n";
        let yaml = "rules: {gang-missing: {ignore: [{path: z, reason: x}]}}";
        let own = run(text, &[], "", yaml, Profile::Default).outcome.own;
        let found: Vec<(FileId, &str)> = own.iter().map(|found| (found.span.file, found.rule)).collect();
        let (file, config) = (FileId(0), FileId(1));
        let expect = [(file, UNUSED), (file, UNKNOWN_RULE), (file, UNKNOWN_RULE), (config, UNUSED)];
        assert_eq!(found, expect);
        assert!(own.iter().is_sorted_by_key(|found| found.span));
    }

    #[test]
    fn unused_ignores_are_deleted_without_a_trace() {
        let fixed = |text: &str, expect: &str| {
            let run = run(text, &["gang-missing-single-pod x: 1"], "", "", Profile::Default);
            assert_eq!(run.outcome.own.iter().filter(|found| found.rule == UNUSED).count(), 1, "{text}");
            assert_eq!(run.fixed(), expect, "{text}");
        };
        fixed("x: 1   # gpulint: ignore[gang-missing] why\n", "x: 1\n");
        fixed("x: 1 # note # gpulint: ignore[gang-missing] why\r\n", "x: 1 # note\r\n");
        fixed("a: 1\n  # gpulint: ignore[gang-missing] why\nx: 1\n", "a: 1\nx: 1\n");
        fixed("a: 1\r\n# gpulint: ignore[gang-missing] why\r\nx: 1\r\n", "a: 1\r\nx: 1\r\n");
        fixed("\u{feff}# gpulint: ignore-file[gang-missing]\nx: 1\n", "\u{feff}x: 1\n");
        fixed("x: 1\n# gpulint: ignore[gang-missing] why", "x: 1\n");
        fixed(
            "x: 1 # gpulint: ignore[gang-missing,gang-missing-single-pod ,foo] why\n",
            "x: 1 # gpulint: ignore[gang-missing-single-pod, foo] why\n",
        );
        fixed(
            "x: 1 # gpulint: ignore[gang-missing,gang-missing-single-pod , scale-on-gpu-memory] why\n",
            "x: 1 # gpulint: ignore[gang-missing-single-pod] why\n",
        );
        fixed("x: 1 # gpulint: ignore[gang-missing, scale-on-gpu-memory] é why\n", "x: 1\n");
    }

    #[test]
    fn a_rule_that_is_off_leaves_its_ignores_alone() {
        let text = "x: 1 # gpulint: ignore[gang-missing] why\n";
        let off = "rules: {gang-missing: {severity: off, ignore: [{kind: Pod, reason: x}]}}";
        assert_eq!(run(text, &[], "", off, Profile::Default).outcome, Outcome::default());
        assert_eq!(run(text, &[], "", "", Profile::Default).outcome.own.len(), 1);
    }

    #[test]
    fn a_hard_reject_needs_a_reason() {
        let text = "x: 1 # gpulint: ignore[gang-missing]";
        let own = format!("{WITHOUT_REASON} # gpulint: ignore[gang-missing]");
        check(text, &["gang-missing x: 1"], &[], &[&own]);
        check(&format!("{text} --"), &["gang-missing x: 1"], &[], &[&format!("{own} --")]);
        check(&format!("{text} ok"), &["gang-missing x: 1"], &[], &[]);
        // An ignore that does nothing is only unused.
        check(text, &[], &[], &[&own.replace(WITHOUT_REASON, UNUSED)]);
    }

    #[test]
    fn some_reasons_are_refused() {
        let check = |comment: &str, profile: Profile, kept: &[&str], severity: Severity| {
            let text = format!("x: 1 # gpulint: ignore[gang-missing] {comment}\n");
            let run = run(&text, &["gang-missing x: 1"], "", "", profile);
            assert_eq!(run.lines(), (kept.to_vec(), vec![format!("{REFUSED} {comment}")]));
            assert_eq!(run.outcome.own[0].severity, severity);
        };
        check("too complex", Profile::Default, &[], Severity::Warning);
        check("too complex", Profile::Strict, &["gang-missing"], Severity::Error);
        let accepted = "x: 1 # gpulint: ignore[gang-missing] one node holds all\n";
        assert_eq!(run(accepted, &["gang-missing x"], "", "", Profile::Strict).lines(), (vec![], vec![]));
        let unused = "a: 1 # gpulint: ignore[gang-missing] too complex\n";
        assert_eq!(run(unused, &[], "", "", Profile::Strict).outcome.own[0].rule, UNUSED);
        assert_eq!(run(unused, &[], "", "", Profile::Strict).outcome.own.len(), 1);
        // A second ignore with a reason that is accepted holds.
        let two = format!("# gpulint: ignore[gang-missing] too complex\n{accepted}");
        let run = run(&two, &["gang-missing x"], "", "", Profile::Strict);
        assert_eq!(run.lines(), (vec![], vec![format!("{REFUSED} too complex")]));
    }

    #[test]
    fn an_annotation_ignores_on_its_object() {
        let check = |value: &str, findings: &[&str], kept: &[&str], own: &[&str]| {
            let run = run(&format!("x: 1\na:\n  {value}\n"), findings, value, "", Profile::Default);
            let own = own.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
            assert_eq!(run.lines(), (kept.to_vec(), own), "{value}");
            assert!(run.outcome.own.iter().all(|found| found.fixes.is_empty()));
        };
        let found = ["gang-missing x (7)"];
        let both = ["gang-missing x (7)", "gang-missing-single-pod x (7)"];
        check("gang-missing: why", &found, &[], &[]);
        check(" gang-missing : why", &found, &[], &[]);
        check(
            "gang-missing: why",
            &["gang-missing x (8)"],
            &["gang-missing"],
            &["ignore-unused gang-missing: why"],
        );
        check(
            "gang-missing: why",
            &["gang-missing x"],
            &["gang-missing"],
            &["ignore-unused gang-missing: why"],
        );
        check("gang-missing", &found, &[], &["ignore-without-reason gang-missing"]);
        check("gang-missing:", &found, &[], &["ignore-without-reason gang-missing:"]);
        check("gang-missing: why; gang-missing-single-pod: why", &both, &[], &[]);
        check("gang-missing: why\ngang-missing-single-pod: why\n", &both, &[], &[]);
        check("gang-missing, gang-missing-single-pod: why", &both, &[], &[]);
        check("gang-missing: why; gang-missing-single-pod", &both, &[], &[]);
        check("gang-missing: see the ADR; section 3: one node", &found, &[], &[]);
        check("gang-missing: one node; anyway", &found, &[], &[]);
        check("gang-missing: why; gang-mising: x", &found, &[], &["ignore-unknown-rule gang-mising"]);
        check("gang-missing: overkill", &found, &[], &["ignore-refused overkill"]);
        check("one, gang-missing-single-pod: x", &both, &["gang-missing"], &["ignore-unknown-rule one"]);
        check(";\n", &[], &[], &["ignore-unknown-rule ;"]);
    }

    #[test]
    fn the_configuration_ignores_by_path() {
        let check = |entry: &str, findings: &[&str], profile: Profile, kept: &[&str], own: &[&str]| {
            let yaml = format!("rules: {{gang-missing: {{ignore: [{entry}]}}}}");
            let run = run("x: 1\n", findings, "", &yaml, profile);
            let own = own.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
            assert_eq!(run.lines(), (kept.to_vec(), own), "{entry}");
        };
        let found = ["gang-missing x"];
        check("{path: a/, reason: why}", &found, Profile::Default, &[], &[]);
        check(
            "{path: b/, reason: why}",
            &found,
            Profile::Default,
            &["gang-missing"],
            &["ignore-unused path"],
        );
        check(
            "{kind: Pod, reason: why}",
            &found,
            Profile::Default,
            &["gang-missing"],
            &["ignore-unused kind"],
        );
        check("{path: a/, reason: overkill}", &found, Profile::Default, &[], &["ignore-refused overkill"]);
        check(
            "{path: a/, reason: overkill}",
            &found,
            Profile::Strict,
            &["gang-missing"],
            &["ignore-refused overkill"],
        );
        check("{path: a/, reason: '-'}", &found, Profile::Default, &[], &["ignore-without-reason path"]);
        let other = ["gang-missing-single-pod x"];
        check("{path: a/, reason: why}", &other, Profile::Default, &[POD], &["ignore-unused path"]);
    }

    #[test]
    fn own_findings_follow_the_configuration() {
        let text = "x: 1 # gpulint: ignore[gang-missing] why\n";
        let check = |yaml: &str, expect: &[(&str, Severity)]| {
            let mut files = Files::default();
            let file = files.add(SourceFile::new("a.yaml".to_owned(), text.into(), Encoding::Utf8));
            let (config, errors) = parse(yaml, FileId(1), &rules());
            assert_eq!(errors, []);
            let comments = [Comment { span: Span::new(file, 5, text.len() - 1), document: 0 }];
            let policy = Policy { config: &config, profile: Profile::Default, hard: &HARD };
            let outcome = apply(&files, &comments, &[], vec![], &policy);
            let found: Vec<(&str, Severity)> = outcome.own.iter().map(|d| (d.rule, d.severity)).collect();
            assert_eq!(found, expect, "{yaml}");
        };
        check("", &[(UNUSED, Severity::Warning)]);
        check("rules: {ignore-unused: {severity: info}}", &[(UNUSED, Severity::Info)]);
        check("rules: {ignore-unused: {severity: off}}", &[]);
        check("rules: {ignore-unused: {ignore: [{path: a.yaml, reason: x}]}}", &[]);
        let both = [(UNUSED, Severity::Warning), (UNUSED, Severity::Warning)];
        check("rules: {ignore-unused: {ignore: [{path: b.yaml, reason: x}]}}", &both);
    }

    #[test]
    fn messages_say_where_and_why() {
        let check = |text: &str, annotation: &str, yaml: &str, expect: &str| {
            let run = run(text, &[], annotation, yaml, Profile::Default);
            let messages: Vec<&str> = run.outcome.own.iter().map(|found| found.message.as_str()).collect();
            assert_eq!(messages, [expect], "{text}");
        };
        let nothing = "this ignore does nothing: `gang-missing` finds nothing";
        check("x: 1 # gpulint: ignore[gang-missing] y", "", "", &format!("{nothing} on its line"));
        check("# gpulint: ignore-file[gang-missing] y", "", "", &format!("{nothing} in this file"));
        check("gang-missing: y", "gang-missing: y", "", &format!("{nothing} on this object"));
        let entry = "rules: {gang-missing: {ignore: [{kind: Pod, reason: x}]}}";
        check("x: 1", "", entry, "this entry matches no finding of `gang-missing`");
        let nowhere = "this ignore holds nowhere:";
        check(
            "# gpulint: ignore[gang-missing] y\n\nx: 1",
            "",
            "",
            &format!("{nowhere} nothing stands on the line below it"),
        );
        check("# gpulint: ignore[gang-missing] y", "", "", &format!("{nowhere} nothing stands below it"));
        check(
            "x: 1 # gpulint: ignore-file[gang-missing] y",
            "",
            "",
            &format!(
                "{nowhere} `ignore-file` holds only at the top of a file, before the first line of YAML"
            ),
        );
        check(
            "x: 1 # gpulint: ignore[ignore-unused] y",
            "",
            "",
            "`ignore-unused` can be ignored in the configuration only",
        );
        check("x: 1 # gpulint: allow[gang-missing]", "", "", "`allow` is no word that gpulint knows");
        check("x: 1 # gpulint:", "", "", "the comment says nothing to gpulint");
        check("x: 1 # gpulint: ignore gang-missing", "", "", "the ignore names no rule");
    }
}
