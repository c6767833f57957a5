//! Reasons that excuse nothing.

/// What is said about a reason that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    /// Why it excuses nothing: lower case, no final stop.
    pub(super) message: &'static str,
    /// The way out, as an imperative sentence.
    pub(super) help: &'static str,
}

/// A kind of excuse for some rules. The phrases are lower case, in words.
struct Excuse {
    rules: &'static [&'static str],
    phrases: &'static [&'static [&'static str]],
    refused: Refused,
}

const EXCUSES: [Excuse; 2] = [
    Excuse {
        rules: &["gang-missing", "gang-missing-single-pod"],
        phrases: &[
            &["too", "complex"],
            &["complexity"],
            &["complicated"],
            &["overkill"],
            &["overengineered"],
            &["overengineering"],
            &["too", "much", "work"],
            &["not", "worth"],
            &["later"],
        ],
        refused: Refused {
            message: "effort does not excuse a missing gang: without one, a replica can start with some of its GPUs \
                      and hold them while it waits for the rest",
            help: "state the gang, or say in the reason what binds the pods together",
        },
    },
    Excuse {
        rules: &["scale-on-gpu-memory"],
        phrases: &[
            &["works", "for", "us"],
            &["works", "for", "me"],
            &["works", "fine"],
            &["works", "well"],
            &["works", "in", "production"],
            &["it", "works"],
            &["fine", "for", "us"],
            &["good", "enough"],
            &["no", "problems"],
            &["no", "issues"],
        ],
        refused: Refused {
            // vllm, config/cache.py: `gpu_memory_utilization` is reserved when the engine starts.
            message: "that it worked so far does not excuse scaling on GPU memory: the engine reserves its share when \
                      it starts, so the value says nothing about load",
            help: "scale on queue depth or KV-cache use, or say in the reason what gives the memory back",
        },
    },
];

/// Words that turn an excuse into its contrary: "no added complexity".
const NEGATIONS: [&str; 5] = ["no", "not", "without", "never", "isn"];

/// Why a reason is refused for a rule, if it is.
pub(super) fn refused(rule: &str, reason: &str) -> Option<Refused> {
    let reason = reason.to_lowercase();
    let words: Vec<&str> =
        reason.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    EXCUSES
        .iter()
        .filter(|excuse| excuse.rules.contains(&rule))
        .find(|excuse| excuse.phrases.iter().any(|phrase| says(&words, phrase)))
        .map(|excuse| excuse.refused)
}

/// True where the phrase is in the words and is meant.
fn says(words: &[&str], phrase: &[&str]) -> bool {
    words.windows(phrase.len()).enumerate().any(|(at, window)| {
        let before = words.get(at.saturating_sub(2)..at).unwrap_or(&[]);
        let negated = before.iter().any(|word| NEGATIONS.contains(word));
        // "KAI 0.9 or later" speaks of versions.
        let version = phrase == ["later"] && before.last().is_some_and(|word| matches!(*word, "or" | "and"));
        window == phrase && !negated && !version
    })
}

/// True where a reason says anything at all.
pub(super) fn is_a_reason(reason: &str) -> bool {
    reason.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excuses_are_told_from_reasons() {
        let check = |rule: &str, reason: &str, expect: bool| {
            assert_eq!(refused(rule, reason).is_some(), expect, "{rule}: {reason}");
        };
        for rule in ["gang-missing", "gang-missing-single-pod"] {
            check(rule, "too complex for now", true);
            check(rule, "Too-complex!", true);
            check(rule, "the COMPLEXITY", true);
            check(rule, "gangs are complicated", true);
            check(rule, "overkill", true);
            check(rule, "it's not worth it", true);
            check(rule, "will do later", true);
            check(rule, "later", true);
            check(rule, "works for us", false);
            check(rule, "Grove makes the PodGroup, no added complexity", false);
            check(rule, "it isn't too complex: the operator does it", false);
            check(rule, "KAI 0.9 or later groups these pods", false);
            check(rule, "one pod, eight GPUs, one node", false);
            check(rule, "the lateral pool is complexly named", false);
            check(rule, "", false);
        }
        check("scale-on-gpu-memory", "works for us", true);
        check("scale-on-gpu-memory", "it works.", true);
        check("scale-on-gpu-memory", "we never had issues; no problems", true);
        check("scale-on-gpu-memory", "never works fine", false);
        check("scale-on-gpu-memory", "too complex", false);
        check("scale-on-gpu-memory", "Triton without pre-allocation frees its memory", false);
        check("scale-on-cpu", "works for us, too complex", false);
    }

    #[test]
    fn marks_are_no_reason() {
        for (reason, expect) in
            [("", false), (" -- ", false), ("…", false), ("x", true), ("理由", true), ("7", true)]
        {
            assert_eq!(is_a_reason(reason), expect, "{reason}");
        }
    }
}
