//! Findings about ignores.

use super::directive::{Directive, Id, Malformed, Scope};
use super::{Policy, REFUSED, UNKNOWN_RULE, UNUSED, WITHOUT_REASON, reason};
use crate::config::nearest;
use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Severity};
use crate::source::Span;

/// The rules of this module. Comments and annotations cannot ignore them: an ignore of an unused ignore would have to be
/// judged in its turn.
pub(super) const OWN: [&str; 4] = [REFUSED, UNKNOWN_RULE, UNUSED, WITHOUT_REASON];

/// The form of a comment, for whoever wrote another.
const FORM: &str = "write `# gpulint: ignore[rule] reason`";

/// A finding about a comment that cannot be read.
pub(super) fn malformed(malformed: Malformed, policy: &Policy<'_>) -> Option<Diagnostic> {
    let severity = severity(UNKNOWN_RULE, policy)?;
    Some(Diagnostic {
        rule: UNKNOWN_RULE,
        severity,
        message: malformed.message,
        help: Some(FORM.to_owned()),
        span: malformed.span,
        span_label: "ignores nothing".to_owned(),
        document: malformed.document,
        object: None,
        field: "comment".to_owned(),
        labels: vec![],
        fixes: vec![],
    })
}

/// Everything that is wrong with an ignore, after the findings were matched.
pub(super) fn judge(directive: &Directive, policy: &Policy<'_>) -> Vec<Diagnostic> {
    let mut found = unknown(directive, policy);
    found.extend(unused(directive, policy));
    found.extend(without_reason(directive, policy));
    found.extend(refused(directive, policy));
    found
}

fn unknown(directive: &Directive, policy: &Policy<'_>) -> Vec<Diagnostic> {
    let Some(severity) = severity(UNKNOWN_RULE, policy) else { return vec![] };
    let unknown = directive.ids.iter().filter(|id| !is_known(&id.name, policy));
    unknown
        .map(|id| {
            let meant = nearest(&id.name, policy.config.rule_ids());
            let fix = |meant: &str| Fix {
                title: format!("Name `{meant}`"),
                // It may take away a finding that was meant to stay.
                applicability: Applicability::Unsafe,
                edits: vec![Edit { span: id.span, replacement: meant.to_owned() }],
            };
            let fixes = meant.filter(|_| directive.editable.is_some()).map(fix).into_iter().collect();
            Diagnostic {
                help: meant.map(|meant| format!("name `{meant}`, if that is what you meant")),
                span_label: "no such rule".to_owned(),
                fixes,
                ..about(directive, UNKNOWN_RULE, severity, id.span, format!("there is no rule `{}`", id.name))
            }
        })
        .collect()
}

fn unused(directive: &Directive, policy: &Policy<'_>) -> Option<Diagnostic> {
    let is_unused = |id: &&Id| !id.used && is_known(&id.name, policy) && is_on(&id.name, policy);
    let unused: Vec<&Id> = directive.ids.iter().filter(is_unused).collect();
    let severity = severity(UNUSED, policy).filter(|_| !unused.is_empty())?;
    let rest: Vec<&str> =
        directive.ids.iter().filter(|id| !is_unused(id)).map(|id| id.name.as_str()).collect();
    let names = listed(&unused);
    let message = match directive.scope {
        Scope::Nowhere(why) => format!("this ignore holds nowhere: {why}"),
        Scope::Config(_) => format!("this entry matches no finding of {names}"),
        _ if unused.iter().all(|id| OWN.contains(&id.name.as_str())) => {
            format!("{names} can be ignored in the configuration only")
        }
        Scope::Line(..) => format!("this ignore does nothing: {names} finds nothing on its line"),
        Scope::File(_) => format!("this ignore does nothing: {names} finds nothing in this file"),
        Scope::Object(_) => format!("this ignore does nothing: {names} finds nothing on this object"),
    };
    let (span, help) = match unused.as_slice() {
        [one] if !rest.is_empty() => (one.span, format!("take {names} out of the list")),
        _ if !rest.is_empty() => (directive.span, format!("take {names} out of the list")),
        _ => (directive.span, "delete it".to_owned()),
    };
    let fix = directive.editable.map(|editable| {
        let whole = rest.is_empty();
        let edit = if whole {
            Edit { span: editable.removal, replacement: String::new() }
        } else {
            Edit { span: editable.list, replacement: rest.join(", ") }
        };
        let title =
            if whole { "Delete the ignore".to_owned() } else { format!("Take {names} out of the list") };
        Fix { title, applicability: Applicability::Safe, edits: vec![edit] }
    });
    Some(Diagnostic {
        help: Some(help),
        span_label: "matches nothing".to_owned(),
        fixes: fix.into_iter().collect(),
        ..about(directive, UNUSED, severity, span, message)
    })
}

fn without_reason(directive: &Directive, policy: &Policy<'_>) -> Option<Diagnostic> {
    let severity = severity(WITHOUT_REASON, policy)?;
    let hard: Vec<&Id> =
        directive.ids.iter().filter(|id| id.used && policy.hard.contains(&id.name.as_str())).collect();
    if hard.is_empty() || reason::is_a_reason(&directive.reason) {
        return None;
    }
    let message = format!("an ignore of {} needs a reason: the plan rejects what it reports", listed(&hard));
    Some(Diagnostic {
        help: Some("say why it does not apply here".to_owned()),
        span_label: "no reason".to_owned(),
        ..about(directive, WITHOUT_REASON, severity, directive.span, message)
    })
}

fn refused(directive: &Directive, policy: &Policy<'_>) -> Option<Diagnostic> {
    let severity = severity(REFUSED, policy)?;
    let refused = directive
        .ids
        .iter()
        .filter(|id| id.used)
        .find_map(|id| reason::refused(&id.name, &directive.reason))?;
    Some(Diagnostic {
        help: Some(refused.help.to_owned()),
        span_label: "not accepted as a reason".to_owned(),
        ..about(directive, REFUSED, severity, directive.reason_span, refused.message.to_owned())
    })
}

/// A finding about an ignore, without help and fixes.
fn about(
    directive: &Directive,
    rule: &'static str,
    severity: Severity,
    span: Span,
    message: String,
) -> Diagnostic {
    let ids: Vec<&str> = directive.ids.iter().map(|id| id.name.as_str()).collect();
    Diagnostic {
        rule,
        severity,
        message,
        help: None,
        span,
        span_label: String::new(),
        document: directive.document,
        object: directive.object.clone(),
        field: format!("ignore[{}]", ids.join(",")),
        labels: vec![],
        fixes: vec![],
    }
}

/// The severity of one of these rules; none where it is switched off.
fn severity(rule: &str, policy: &Policy<'_>) -> Option<Severity> {
    policy.config.severity(rule, policy.profile)
}

fn is_known(id: &str, policy: &Policy<'_>) -> bool {
    policy.config.knows(id)
}

/// True where the rule is not switched off. An ignore of one of these rules holds nowhere, even where the rule is off.
fn is_on(id: &str, policy: &Policy<'_>) -> bool {
    OWN.contains(&id) || policy.config.severity(id, policy.profile).is_some()
}

/// "`a` and `b`".
fn listed(ids: &[&Id]) -> String {
    ids.iter().map(|id| format!("`{}`", id.name)).collect::<Vec<_>>().join(" and ")
}
