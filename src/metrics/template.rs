//! Templates inside a query: Go templates of prometheus-adapter and Helm, Grafana variables, substitutions.

/// The end of the template that starts at `at`, where one does.
///
/// Known are `{{ … }}`, `<< … >>`, `${name}`, `$(name)`, `[[name]]` and `$name`.
pub(super) fn end_of_template(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let len = if let Some(body) = rest.strip_prefix("{{") {
        body.find("}}")? + 4
    } else if let Some(body) = rest.strip_prefix("<<") {
        body.find(">>")? + 4
    } else if let Some(body) = rest.strip_prefix("${") {
        let inner = body.find('}')?;
        starts_with_name(body).then_some(inner + 3)?
    } else if let Some(body) = rest.strip_prefix("$(") {
        let name = name_len(body);
        (name > 0 && body.get(name..)?.starts_with(')')).then_some(name + 3)?
    } else if let Some(body) = rest.strip_prefix("[[") {
        let inner = body.find("]]")?;
        let name = body.get(..inner)?;
        (starts_with_name(name) && !name.contains(['[', ' ', '"'])).then_some(inner + 4)?
    } else {
        let name = name_len(rest.strip_prefix('$')?);
        (name > 0).then_some(name + 1)?
    };
    Some(at + len)
}

/// True for a Go template action that prints nothing: a condition, a loop, an assignment or a comment.
pub(super) fn prints_nothing(template: &str) -> bool {
    let Some(inner) = template.strip_prefix("{{") else { return false };
    let inner = inner.trim_start_matches('-').trim_start();
    let word = inner.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    matches!(word, "if" | "else" | "end" | "range" | "with" | "define" | "block" | "break" | "continue")
        || inner.starts_with("/*")
        || (inner.starts_with('$') && inner.contains(":="))
}

/// True where any template starts in the text.
pub(super) fn has_template(text: &str) -> bool {
    text.char_indices()
        .any(|(at, c)| matches!(c, '{' | '<' | '$' | '[') && end_of_template(text, at).is_some())
}

fn starts_with_name(text: &str) -> bool {
    text.trim_start().starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '.'))
}

/// The length of the identifier at the start of the text.
fn name_len(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        for (text, template) in [
            ("<<.Series>>{", "<<.Series>>"),
            ("<< index .LabelValuesByName \"pod\" >>,", "<< index .LabelValuesByName \"pod\" >>"),
            ("{{ .Values.a }}_b", "{{ .Values.a }}"),
            ("${var:regex}]", "${var:regex}"),
            ("${ .x }", "${ .x }"),
            ("$(NAMESPACE)/", "$(NAMESPACE)"),
            ("[[range]]]", "[[range]]"),
            ("$__rate_interval]", "$__rate_interval"),
            ("$a-b", "$a"),
            ("{a}", ""),
            ("<<x", ""),
            ("${1}", ""),
            ("$1", ""),
            ("$\"", ""),
            ("[[[x]]]", ""),
            ("[[5m]]", ""),
            ("{{ é", ""),
        ] {
            let end = end_of_template(text, 0).unwrap_or(0);
            assert_eq!(text.get(..end).unwrap(), template, "{text}");
        }
    }

    #[test]
    fn actions_without_output() {
        for (text, nothing) in [
            ("{{- if .Values.a }}", true),
            ("{{ end }}", true),
            ("{{- /* note */}}", true),
            ("{{ $x := 1 }}", true),
            ("{{ .Values.a }}", false),
            ("{{ include \"a.b\" . }}", false),
            ("{{ ifx }}", false),
            ("{{ $x }}", false),
            ("<<.Series>>", false),
        ] {
            assert_eq!(prints_nothing(text), nothing, "{text}");
        }
    }

    #[test]
    fn presence() {
        for (text, present) in
            [("a$b", true), ("^a$", false), ("a{{2}}", true), ("", false), ("é<<.X>>", true), ("$1", false)]
        {
            assert_eq!(has_template(text), present, "{text}");
        }
    }
}
