//! `rollback-missing`: nothing takes the autoscalers back when the time to first token is too long.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::engine::{Engine, Family};
use crate::facts::monitoring::Statistic;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let monitoring = &facts.monitoring;
    let Some(driver) = facts.serving() else { return vec![] };
    let silent = facts.targets_of(driver).filter_map(|unit| unit.engine.as_ref()).any(has_no_first_token);
    if !monitoring.is_of_the_plan() || silent {
        return vec![];
    }
    let alerts: Vec<_> = monitoring.first_token_alerts().collect();
    let tail = alerts.iter().find(|(_, statistic)| statistic.follows_the_tail());
    let finding = |label: &str, message: String| {
        Finding::new(driver.object, "rollback.alert", driver.scaler.span, label, message)
    };
    let Some((chart, _)) = tail else {
        // An alert on another statistic is reported where it stands.
        if alerts.iter().any(|(_, statistic)| *statistic != Statistic::Unknown) {
            return vec![];
        }
        let found = finding(
            "scales with no way back",
            format!(
                "no alert of this repository follows the 99th percentile of the time to first token: when {} scales wrongly, nothing takes it back to the state before",
                driver.title()
            ),
        )
        .help("alert on `histogram_quantile(0.99, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m])))`, and let the alert restore the last known state of the autoscaler");
        let alerts_are_here = monitoring.charts.iter().any(|c| c.is_alert() && c.is_of_an_engine());
        let found =
            if alerts_are_here { found } else { found.lower(Severity::Info).at_most(Severity::Warning) };
        return vec![found];
    };
    if !monitoring.actuators.is_empty() {
        return vec![];
    }
    let found = finding(
        "nothing takes it back",
        format!(
            "{} tells of a long time to first token, and nothing in this repository acts on it: no receiver hands alerts to a program, and no program changes autoscalers",
            chart.title()
        ),
    )
    .label(chart.measured.measures.first().map_or(chart.text.span(), |measure| measure.span), "this alert")
    .help("route the alert to a program that restores the autoscaler, or name it in the annotation `gpulint.dev/kill-switch`");
    // The receiver may well be kept with the Prometheus that sends the alerts.
    vec![found.lower(Severity::Info).at_most(Severity::Warning)]
}

/// True for an engine that exports no time to first token.
fn has_no_first_token(engine: &Engine) -> bool {
    matches!(engine.family, Family::Tgi | Family::Ollama | Family::LlamaCpp | Family::Triton | Family::Other)
}
