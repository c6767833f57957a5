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

/// How many pods an update may add or take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So many pods.
    Pods(u32),
    /// So many per cent of the replicas.
    Percent(u32),
}

/// How a Deployment replaces its pods.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// `strategy.type`, `RollingUpdate` by default.
    pub strategy: Known<String>,
    /// `strategy.rollingUpdate.maxSurge`: pods beyond the replicas, 25 % by default; a part of one counts as one.
    pub surge: Known<Amount>,
    /// `strategy.rollingUpdate.maxUnavailable`: pods that may be missing, 25 % by default; a part of one does not count.
    pub unavailable: Known<Amount>,
    /// `progressDeadlineSeconds`, 600 by default.
    pub progress_deadline: Known<i64>,
    /// The bytes of the surge, or of what it is missing in.
    pub span: Span,
}

impl Rollout {
    /// Reads the spec of a Deployment.
    /// Source of the defaults: kubernetes, pkg/apis/apps/v1/defaults.go.
    pub(super) fn of(spec: Node<'_>, at: Span) -> Rollout {
        let amount = |path: &str| {
            spec.field::<String>(path).try_map("a number or a percentage", |text| {
                match text.strip_suffix('%') {
                    Some(percent) => percent.parse().ok().map(Amount::Percent),
                    None => text.parse().ok().map(Amount::Pods),
                }
            })
        };
        let surge = amount("strategy.rollingUpdate.maxSurge");
        let strategy = spec.get("strategy").map(|_| spec.key_span("strategy"));
        let span = surge.span().or(strategy).unwrap_or(at);
        let quarter = Amount::Percent(25);
        Rollout {
            strategy: spec.field("strategy.type").or_default("RollingUpdate".to_owned(), at),
            surge: surge.or_default(quarter, span),
            unavailable: amount("strategy.rollingUpdate.maxUnavailable").or_default(quarter, span),
            progress_deadline: spec.field("progressDeadlineSeconds").or_default(600, at),
            span,
        }
    }

    /// How many new pods a rolling update can make before one of them is ready: the surge, and those in whose place the
    /// old ones may go; none where all old pods go first.
    /// Source: kubernetes, pkg/controller/deployment/util/deployment_util.go, ResolveFenceposts.
    pub fn new_at_once(&self, replicas: u32) -> Option<u32> {
        if self.strategy.value().is_some_and(|strategy| strategy == "Recreate") {
            return None;
        }
        let percent = |p: u32| u64::from(p).saturating_mul(u64::from(replicas));
        let surge = match self.surge.value()? {
            Amount::Pods(n) => u64::from(*n),
            Amount::Percent(p) => percent(*p).div_ceil(100),
        };
        let unavailable = match self.unavailable.value()? {
            Amount::Pods(n) => u64::from(*n),
            Amount::Percent(p) => percent(*p) / 100,
        };
        // With both at nothing an update could not move, so one pod may be missing.
        let total = (surge + unavailable.min(u64::from(replicas))).max(1);
        u32::try_from(total).ok()
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

    #[test]
    fn new_pods_of_an_update() {
        for (strategy, replicas, expect) in [
            ("{}", 4, Some(2)),
            ("{}", 3, Some(1)),
            ("{strategy: {type: Recreate}}", 4, None),
            ("{strategy: {rollingUpdate: {maxSurge: 100%, maxUnavailable: 0}}}", 4, Some(4)),
            ("{strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 50%}}}", 4, Some(2)),
            ("{strategy: {rollingUpdate: {maxSurge: 30%, maxUnavailable: 0}}}", 4, Some(2)),
            ("{strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}}", 4, Some(1)),
            ("{strategy: {rollingUpdate: {maxSurge: '{{ .surge }}'}}}", 4, None),
        ] {
            let text = Arc::from(strategy);
            let tree = yaml::parse(FileId(0), &text, 0..text.len()).unwrap();
            let rollout = Rollout::of(tree.root(), tree.root().span());
            assert_eq!(rollout.new_at_once(replicas), expect, "{strategy} of {replicas}");
        }
    }
}
