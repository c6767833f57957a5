//! A finding as a rule states it, and the diagnostic that it becomes.

use super::Context;
use crate::config::Profile;
use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Label, ObjectRef, Severity};
use crate::kinds::Object;
use crate::source::Span;
use crate::suppress;
use crate::yaml::Node;

/// A finding as a rule states it.
#[must_use]
pub struct Finding<'a> {
    object: &'a Object,
    span: Span,
    span_label: String,
    message: String,
    help: Option<String>,
    field: String,
    labels: Vec<Label>,
    fixes: Vec<Fix>,
    lowered: Option<Severity>,
    capped: Option<Severity>,
}

impl<'a> Finding<'a> {
    /// A finding about a field of an object. `field` is a stable path, `span` the bytes to look at, `span_label` what to
    /// say there, `message` what is wrong and by which mechanism.
    pub fn new(
        object: &'a Object,
        field: impl Into<String>,
        span: Span,
        span_label: impl Into<String>,
        message: impl Into<String>,
    ) -> Finding<'a> {
        Finding {
            object,
            span,
            span_label: span_label.into(),
            message: message.into(),
            help: None,
            field: field.into(),
            labels: vec![],
            fixes: vec![],
            lowered: None,
            capped: None,
        }
    }

    /// The way out, as an imperative sentence.
    pub fn help(mut self, help: impl Into<String>) -> Finding<'a> {
        self.help = Some(help.into());
        self
    }

    /// Another place that takes part.
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Finding<'a> {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// A change that ends the finding; nothing where there are no edits.
    pub fn fix(
        mut self,
        title: impl Into<String>,
        applicability: Applicability,
        edits: Vec<Edit>,
    ) -> Finding<'a> {
        if !edits.is_empty() {
            self.fixes.push(Fix { title: title.into(), applicability, edits });
        }
        self
    }

    /// Matters less than the rule's severity in the default profile. The strict profile keeps the plan's letter.
    pub fn lower(mut self, severity: Severity) -> Finding<'a> {
        self.lowered = Some(severity);
        self
    }

    /// Matters no more than this in any profile: something that the inputs do not show may settle it.
    pub fn at_most(mut self, severity: Severity) -> Finding<'a> {
        self.capped = Some(severity);
        self
    }

    pub(super) fn finish(
        self,
        rule: &'static str,
        base: Severity,
        context: &Context<'_>,
    ) -> suppress::Finding {
        let lowered = self.lowered.filter(|_| context.profile == Profile::Default).unwrap_or(base).min(base);
        let severity = self.capped.unwrap_or(lowered).min(lowered);
        let mut labels = self.labels;
        labels.extend(alias_labels(self.object, self.span));
        let fixes =
            self.fixes.into_iter().filter(|fix| !fix.edits.iter().any(|e| is_shared(self.object, e.span)));
        let diagnostic = Diagnostic {
            rule,
            severity,
            message: self.message,
            help: self.help,
            span: self.span,
            span_label: self.span_label,
            document: self.object.document,
            object: Some(object_ref(self.object)),
            field: self.field,
            labels,
            fixes: fixes.collect(),
        };
        let parent = enclosing_key(self.object.root(), self.span);
        suppress::Finding { object: Some(self.object.id.0), parent, diagnostic }
    }
}

/// The key of the innermost entry that holds these bytes: a second place for an ignore, since no comment can stand in a
/// block scalar.
fn enclosing_key(node: Node<'_>, span: Span) -> Option<Span> {
    let inner = |value: Node<'_>| value.span().contains(span);
    match node.own_entries().find(|e| inner(e.value)) {
        Some(entry) => enclosing_key(entry.value, span).or(Some(entry.key_node.span())),
        None => node.items().find(|item| inner(*item)).and_then(|item| enclosing_key(item, span)),
    }
}

/// How reports name an object.
pub fn object_ref(object: &Object) -> ObjectRef {
    ObjectRef {
        api_version: object.api_version(),
        kind: object.kind.clone(),
        namespace: object.namespace().map(str::to_owned),
        name: object.name().map(str::to_owned),
    }
}

/// Where the bytes stand in an anchored block, the aliases through which the object uses it.
fn alias_labels(object: &Object, span: Span) -> Vec<Label> {
    let own = object.root().span();
    if own.contains(span) {
        return vec![];
    }
    let inside =
        object.tree.aliases().filter(|(at, target)| own.contains(*at) && target.span().contains(span));
    inside.map(|(at, _)| Label { span: at, message: "used here through this alias".to_owned() }).collect()
}

/// True where an edit would change a block that other places use through an alias.
fn is_shared(object: &Object, edit: Span) -> bool {
    object.tree.aliases().any(|(_, target)| target.span().contains(edit))
}
