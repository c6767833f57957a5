//! "Did you mean".

/// The candidate that a mistyped word most likely stands for: at most a third of its letters differ. Underscores and
/// camel case count as kebab case.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes this much, and the distance is quadratic.
    if word.len() > 64 {
        return None;
    }
    let word = kebab(word);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// `failOn`, `fail_on` and `Fail On` as `fail-on`.
fn kebab(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    for c in word.trim().chars() {
        if matches!(c, '_' | ' ' | '.') {
            out.push('-');
        } else if c.is_uppercase() {
            if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_its_own() {
        let candidates = ["fail-on", "profile", "rules", "gang-missing", "gang-missing-single-pod"];
        let check =
            |word: &str, expect: Option<&str>| assert_eq!(nearest(word, candidates), expect, "{word}");
        check("failOn", Some("fail-on"));
        check("fail_on", Some("fail-on"));
        check("fial-on", Some("fail-on"));
        check("Profile", Some("profile"));
        check("rule", Some("rules"));
        check("gang-mising", Some("gang-missing"));
        check("missing-gang", None);
        check("x", None);
        check("", None);
        check(&"gang-missing".repeat(6), None);
    }
}
