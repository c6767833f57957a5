//! When a pod counts as started, ready and stopped: probes, hooks, rollout.

use super::pods::PodContainer;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Tree};

/// One probe of a container, with the API's defaults.
/// Source: kubernetes/api, core/v1/types.go, Probe.
#[derive(Debug, Clone)]
pub struct Probe {
    /// `initialDelaySeconds`, 0 by default.
    pub delay: Known<i64>,
    /// `periodSeconds`, 10 by default.
    pub period: Known<i64>,
    /// `failureThreshold`, 3 by default.
    pub failures: Known<i64>,
    /// The bytes of the probe's key.
    pub span: Span,
}

impl Probe {
    /// How many seconds the container has before the probe gives it up: the initial delay and all its failures.
    pub fn budget(&self) -> Option<i64> {
        let (delay, period, failures) = (self.delay.value()?, self.period.value()?, self.failures.value()?);
        delay.checked_add(period.checked_mul(*failures)?)
    }

    fn of(node: Node<'_>, span: Span) -> Probe {
        // A probe that is a template as a whole leaves every number open.
        let number = |key: &str, default: i64| match node.is_mapping() {
            true => node.field::<i64>(key).or_default(default, span),
            false => Known::Unresolved(span),
        };
        Probe {
            delay: number("initialDelaySeconds", 0),
            period: number("periodSeconds", 10),
            failures: number("failureThreshold", 3),
            span,
        }
    }
}

/// The probes and the stop hook of a container.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// `startupProbe`.
    pub startup: Option<Probe>,
    /// `readinessProbe`.
    pub readiness: Option<Probe>,
    /// `livenessProbe`.
    pub liveness: Option<Probe>,
    /// How many seconds `preStop` sleeps, where it does nothing but sleep.
    pub stop_sleep: Known<i64>,
}

impl Lifecycle {
    /// Reads them off a container of a document.
    pub fn of(tree: &Tree, container: &PodContainer) -> Lifecycle {
        let mut found = Lifecycle::default();
        for (key, id, span) in &container.hooks {
            let node = tree.node(*id);
            if node.is_null() {
                continue;
            }
            match key.as_str() {
                "startupProbe" => found.startup = Some(Probe::of(node, *span)),
                "readinessProbe" => found.readiness = Some(Probe::of(node, *span)),
                "livenessProbe" => found.liveness = Some(Probe::of(node, *span)),
                _ => found.stop_sleep = node.get("preStop").map(stop_sleep).unwrap_or_default(),
            }
        }
        found
    }
}

/// `sleep.seconds`, or a command whose last words are `sleep` and a number.
fn stop_sleep(hook: Node<'_>) -> Known<i64> {
    if let known @ (Known::Set(..) | Known::Unresolved(_)) = hook.field::<i64>("sleep.seconds") {
        return known;
    }
    let Some(command) = hook.at("exec.command") else { return Known::Absent };
    let words: Vec<Node<'_>> = command.items().collect();
    let texts: Vec<&str> =
        words.iter().filter_map(|word| word.raw_str()).flat_map(str::split_whitespace).collect();
    let (Some(last), [.., before, number]) = (words.last(), texts.as_slice()) else { return Known::Absent };
    match (*before == "sleep" || before.ends_with("/sleep"), number.trim_end_matches('s').parse()) {
        (true, Ok(seconds)) => Known::Set(seconds, last.span()),
        _ => Known::Absent,
    }
}

/// How a Deployment replaces its pods.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// `strategy.type`, `RollingUpdate` by default.
    pub strategy: Known<String>,
    /// `strategy.rollingUpdate.maxSurge`, `25%` by default.
    pub max_surge: Known<String>,
    /// `strategy.rollingUpdate.maxUnavailable`, `25%` by default.
    pub max_unavailable: Known<String>,
    /// `progressDeadlineSeconds`, 600 by default.
    pub progress_deadline: Known<i64>,
}

impl Rollout {
    /// Reads the spec of a Deployment.
    /// Source of the defaults: kubernetes/api, apps/v1/types.go, DeploymentSpec.
    pub fn of(spec: Node<'_>, at: Span) -> Rollout {
        let quarter = || "25%".to_owned();
        Rollout {
            strategy: spec.field("strategy.type").or_default("RollingUpdate".to_owned(), at),
            max_surge: spec.field("strategy.rollingUpdate.maxSurge").or_default(quarter(), at),
            max_unavailable: spec.field("strategy.rollingUpdate.maxUnavailable").or_default(quarter(), at),
            progress_deadline: spec.field("progressDeadlineSeconds").or_default(600, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;
    use crate::yaml;
    use std::sync::Arc;

    fn container(text: &str) -> String {
        let text = Arc::from(text);
        let tree = yaml::parse(FileId(0), &text, 0..text.len()).unwrap();
        let found = Lifecycle::of(&tree, &PodContainer::of(tree.root(), false, &[], &[]));
        let show = |probe: &Option<Probe>| match probe {
            None => "-".to_owned(),
            Some(probe) => probe.budget().map_or("?".to_owned(), |seconds| seconds.to_string()),
        };
        let sleep = match found.stop_sleep {
            Known::Set(seconds, _) => seconds.to_string(),
            Known::Absent => "-".to_owned(),
            _ => "?".to_owned(),
        };
        format!("{} {} {} {sleep}", show(&found.startup), show(&found.readiness), show(&found.liveness))
    }

    #[test]
    fn probes_and_hooks() {
        for (text, expect) in [
            ("{}", "- - - -"),
            ("{livenessProbe: {httpGet: {path: /health}}}", "- - 30 -"),
            (
                "{startupProbe: {failureThreshold: 60, periodSeconds: 10, initialDelaySeconds: 5}}",
                "605 - - -",
            ),
            ("{readinessProbe: {failureThreshold: '{{ x }}'}}", "- ? - -"),
            ("{startupProbe: null}", "- - - -"),
            ("{startupProbe: '{{ x }}'}", "? - - -"),
            ("{lifecycle: {preStop: {sleep: {seconds: 20}}}}", "- - - 20"),
            ("{lifecycle: {preStop: {exec: {command: [/bin/sleep, '15']}}}}", "- - - 15"),
            ("{lifecycle: {preStop: {exec: {command: [sh, -c, 'curl x; sleep 40']}}}}", "- - - 40"),
            ("{lifecycle: {preStop: {exec: {command: [sh, -c, 'drain']}}}}", "- - - -"),
        ] {
            assert_eq!(container(text), expect, "{text}");
        }
    }
}
