//! Words and patterns of Karpenter's API. Source: the CRDs of kubernetes-sigs/karpenter and aws/karpenter-provider-aws.

/// The labels that the NodePool CRD of aws/karpenter-provider-aws takes under `karpenter.k8s.aws`.
const AWS_KEYS: &[&str] = &[
    "karpenter.k8s.aws/capacity-reservation-id",
    "karpenter.k8s.aws/capacity-reservation-interruptible",
    "karpenter.k8s.aws/capacity-reservation-type",
    "karpenter.k8s.aws/ec2nodeclass",
    "karpenter.k8s.aws/instance-accelerator-count",
    "karpenter.k8s.aws/instance-accelerator-manufacturer",
    "karpenter.k8s.aws/instance-accelerator-name",
    "karpenter.k8s.aws/instance-capability-flex",
    "karpenter.k8s.aws/instance-category",
    "karpenter.k8s.aws/instance-cpu",
    "karpenter.k8s.aws/instance-cpu-manufacturer",
    "karpenter.k8s.aws/instance-cpu-sustained-clock-speed-mhz",
    "karpenter.k8s.aws/instance-ebs-bandwidth",
    "karpenter.k8s.aws/instance-encryption-in-transit-supported",
    "karpenter.k8s.aws/instance-family",
    "karpenter.k8s.aws/instance-generation",
    "karpenter.k8s.aws/instance-gpu-count",
    "karpenter.k8s.aws/instance-gpu-manufacturer",
    "karpenter.k8s.aws/instance-gpu-memory",
    "karpenter.k8s.aws/instance-gpu-name",
    "karpenter.k8s.aws/instance-hypervisor",
    "karpenter.k8s.aws/instance-local-nvme",
    "karpenter.k8s.aws/instance-memory",
    "karpenter.k8s.aws/instance-network-bandwidth",
    "karpenter.k8s.aws/instance-size",
    "karpenter.k8s.aws/instance-tenancy",
    "karpenter.k8s.aws/placement-group-id",
    "karpenter.k8s.aws/placement-group-partition",
];

/// The part of a label key before the slash.
fn domain(key: &str) -> &str {
    key.split_once('/').map_or("", |(domain, _)| domain)
}

/// Why no pool may set or ask for a label key, and the way out.
pub(super) fn restricted(key: &str) -> Option<(String, Option<String>)> {
    let message = format!("the API refuses `{key}` in a pool");
    match key {
        "karpenter.sh/capacity-type" => None,
        "karpenter.sh/nodepool" => Some((
            format!("{message}: Karpenter sets it itself, to the name of the pool"),
            Some("remove it; pods select it by the name of the pool".to_owned()),
        )),
        "kubernetes.io/hostname" => Some((format!("{message}: each node has its own"), None)),
        _ if domain(key).ends_with("karpenter.sh") => {
            let help =
                near(key, &["karpenter.sh/capacity-type"]).map(|known| format!("did you mean `{known}`?"));
            Some((format!("{message}: the domain karpenter.sh is its own"), help))
        }
        _ => None,
    }
}

/// The label under `karpenter.k8s.aws` that a mistyped one stands for. Providers add labels, so that one which is not
/// like a known one may be newer than this list.
pub(super) fn mistyped_aws_key(key: &str) -> Option<&'static str> {
    if domain(key) != "karpenter.k8s.aws" || AWS_KEYS.contains(&key) || key.len() > 128 {
        return None;
    }
    let distances = AWS_KEYS.iter().map(|known| (strsim::damerau_levenshtein(key, known), *known));
    distances.filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known)
}

/// True for whole numbers each with one of the unit letters, such as `1h30m`.
pub(super) fn is_duration(text: &str, units: &str) -> bool {
    let mut digits = 0usize;
    let mut parts = 0usize;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits += 1;
        } else if units.contains(c) && digits > 0 {
            (digits, parts) = (0, parts + 1);
        } else {
            return false;
        }
    }
    digits == 0 && parts > 0
}

/// How a duration that the API refuses can be written.
pub(super) fn duration_help(text: &str, never: bool) -> Option<String> {
    let text = text.trim();
    if never && text.eq_ignore_ascii_case("never") {
        return Some("write `Never`".to_owned());
    }
    if text.eq_ignore_ascii_case("never") {
        return Some("leave it out: then a drain has no time limit".to_owned());
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: u32 = number.parse().ok()?;
    let hint = match unit.trim() {
        "" => format!("add a unit: `{number}s`"),
        "d" | "day" | "days" => format!("write `{}h`: days are no unit", number.checked_mul(24)?),
        "w" => format!("write `{}h`: weeks are no unit", number.checked_mul(168)?),
        "hr" | "hrs" | "hour" | "hours" => format!("write `{number}h`"),
        "min" | "mins" | "minutes" => format!("write `{number}m`"),
        "sec" | "secs" | "seconds" => format!("write `{number}s`"),
        _ => return None,
    };
    Some(hint)
}

/// True for what a budget's `nodes` takes: `^((100|[0-9]{1,2})%|[0-9]+)$`.
pub(super) fn is_budget(text: &str) -> bool {
    match text.strip_suffix('%') {
        Some(percent) => percent == "100" || (percent.len() <= 2 && integers_only(percent)),
        None => integers_only(text),
    }
}

/// True for one or more digits.
pub(super) fn integers_only(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The known word that a mistyped one stands for, case aside: at most a third of its letters differ.
pub(super) fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // Nobody mistypes this much, and the distance is quadratic.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_ascii_lowercase()), *known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, fits) in [
            ("1h", true),
            ("1h30m", true),
            ("0s", true),
            ("", false),
            ("1", false),
            ("1d", false),
            ("h", false),
            ("-1h", false),
        ] {
            assert_eq!(is_duration(text, "smh"), fits, "{text}");
        }
        for (text, help) in [
            ("1d", Some("write `24h`: days are no unit")),
            ("3600", Some("add a unit: `3600s`")),
            ("never", Some("write `Never`")),
            ("soon", None),
            ("é", None),
            ("4294967295d", None),
        ] {
            assert_eq!(duration_help(text, true).as_deref(), help, "{text}");
        }
    }

    #[test]
    fn near_words() {
        for (word, expect) in [
            ("whenempty", Some("WhenEmpty")),
            ("WhenEmptyOrUnderutilised", Some("WhenEmptyOrUnderutilized")),
            ("WhenCheaper", None),
        ] {
            assert_eq!(near(word, &["WhenEmpty", "WhenEmptyOrUnderutilized"]), expect, "{word}");
        }
    }
}
