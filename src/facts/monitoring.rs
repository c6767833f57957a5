//! What the repository watches: the queries of its dashboards, alerts and recording rules, with what they measure.

use super::drives::Driver;
use super::renames::{Aliases, Measured};
use super::units::Unit;
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::actuator;
use crate::kinds::dashboard::{Dashboard, Language};
use crate::kinds::series::{NewName, OldName, Rename, RenameKind};
use crate::metrics::{self, Class, Outer, Query, Role};
use crate::source::Span;
use crate::yaml::Text;
use std::collections::BTreeMap;

/// What the repository watches.
#[derive(Debug, Default)]
pub struct Monitoring<'a> {
    /// The queries of dashboards, alerts and recording rules, by file and place. Hidden ones are left out.
    pub charts: Vec<Chart<'a>>,
    /// Dashboards, with the objects that hold them.
    pub dashboards: Vec<(&'a Object, &'a Dashboard)>,
    /// Where something is that may act on an alert: a receiver, a program, a kill switch that is named.
    pub actuators: Vec<Span>,
    records: BTreeMap<String, Vec<&'a Text>>,
}

/// One query of a dashboard, an alert or a recording rule.
#[derive(Debug)]
pub struct Chart<'a> {
    /// The object that holds it.
    pub object: &'a Object,
    /// Where it stands.
    pub place: Place<'a>,
    /// The query.
    pub text: &'a Text,
    /// Its language.
    pub language: &'a Language,
    /// The query as PromQL, where it is that.
    pub query: Option<Query>,
    /// What its series measure, conditions and fallbacks included.
    pub measured: Measured,
}

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A panel: the index of its dashboard, its own index there, and its title.
    Panel(usize, usize, Option<&'a str>),
    /// An alert, by its name.
    Alert(Option<&'a str>, Span),
    /// A recording rule, by the name that it records. What is recorded is shown somewhere, or scaled on.
    Record(&'a str),
}

impl Chart<'_> {
    /// True for an alert.
    pub fn is_alert(&self) -> bool {
        matches!(self.place, Place::Alert(..))
    }

    /// True for a panel of a dashboard.
    pub fn is_panel(&self) -> bool {
        matches!(self.place, Place::Panel(..))
    }

    /// The name for people: ``the alert `Slow` ``.
    pub fn title(&self) -> String {
        let (what, name) = match self.place {
            Place::Panel(_, _, title) => ("panel", title),
            Place::Alert(name, _) => ("alert", name),
            Place::Record(name) => ("recording rule", Some(name)),
        };
        name.map_or_else(|| format!("this {what}"), |name| format!("the {what} `{name}`"))
    }

    /// True where it measures a class.
    pub fn shows(&self, class: Class) -> bool {
        self.measured.of(class).next().is_some()
    }

    /// True where it measures what an engine, a GPU, a gang scheduler or a node provisioner says of itself. What every
    /// cluster exports is no sign that somebody watches the serving.
    pub fn is_of_the_plan(&self) -> bool {
        const EVERY_CLUSTER: [&str; 3] = ["kube-state-metrics", "kube-scheduler", "cluster-autoscaler"];
        const CLASSES: [Class; 11] = [
            Class::GpuDutyCycle,
            Class::GpuMemory,
            Class::GpuActivitySoft,
            Class::QueueDepth,
            Class::KvCache,
            Class::RunningRequests,
            Class::Ttft,
            Class::InterTokenLatency,
            Class::NodeProvisionWait,
            Class::GangDeferral,
            Class::ConsolidationEvent,
        ];
        self.measured.measures.iter().any(|measure| {
            let everywhere = measure.entry.is_some_and(|entry| EVERY_CLUSTER.contains(&entry.source));
            CLASSES.contains(&measure.class) && !everywhere
        })
    }

    /// True where it measures what an engine says of its load or latency.
    pub fn is_of_an_engine(&self) -> bool {
        self.measured.measures.iter().any(|measure| is_of_an_engine(measure.class))
    }
}

fn is_of_an_engine(class: Class) -> bool {
    matches!(
        class,
        Class::QueueDepth | Class::KvCache | Class::RunningRequests | Class::Ttft | Class::InterTokenLatency
    )
}

/// Which statistic of a latency a query computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// A quantile.
    Quantile(f64),
    /// The mean: the sum over the count.
    Mean,
    /// The share of requests within a bucket.
    Share,
    /// The shape does not tell.
    Unknown,
}

impl<'a> Monitoring<'a> {
    /// Gathers the queries.
    pub fn build(inventory: &'a Inventory, units: &[Unit<'a>], aliases: &Aliases<'a>) -> Monitoring<'a> {
        let mut found = Monitoring::default();
        for object in &inventory.objects {
            for dashboard in &object.model.dashboards {
                found.add_dashboard(inventory, aliases, object, dashboard);
            }
            for rename in &object.model.renames {
                found.add_rule(inventory, aliases, object, rename);
            }
            found.add_actuators(object);
        }
        found.actuators.extend(units.iter().filter_map(script_of));
        found
    }

    fn add_dashboard(
        &mut self,
        inventory: &Inventory,
        aliases: &Aliases<'a>,
        object: &'a Object,
        dashboard: &'a Dashboard,
    ) {
        let number = self.dashboards.len();
        self.dashboards.push((object, dashboard));
        for (at, panel) in dashboard.panels.iter().enumerate() {
            let title = panel.title.value().map(String::as_str).filter(|title| !title.is_empty());
            for query in panel.queries.iter().filter(|query| !query.hidden) {
                let Some(text) = query.text.value() else { continue };
                let place = Place::Panel(number, at, title);
                self.charts.push(chart(inventory, aliases, object, place, text, &query.language));
            }
        }
    }

    fn add_rule(
        &mut self,
        inventory: &Inventory,
        aliases: &Aliases<'a>,
        object: &'a Object,
        rename: &'a Rename,
    ) {
        let (NewName::Exact(name), OldName::Expression(expression)) = (&rename.to, &rename.from) else {
            return;
        };
        let Some(text) = expression.value() else { return };
        match (rename.kind, name.value()) {
            (RenameKind::Alert, name) => {
                let place = Place::Alert(name.map(String::as_str), rename.span);
                self.charts.push(chart(inventory, aliases, object, place, text, &Language::PromQl));
            }
            (RenameKind::RecordingRule, Some(name)) => {
                self.records.entry(metrics::normalise(name)).or_default().push(text);
                let place = Place::Record(name);
                self.charts.push(chart(inventory, aliases, object, place, text, &Language::PromQl));
            }
            _ => {}
        }
    }

    fn add_actuators(&mut self, object: &'a Object) {
        let stated = object.meta.annotations.pair(actuator::KILL_SWITCH).map(|pair| pair.key_span);
        let scripts = object.model.data.iter().filter(|(_, text)| actuator::changes_autoscalers(&text.value));
        self.actuators.extend(stated);
        self.actuators.extend(&object.model.receivers);
        self.actuators.extend(scripts.map(|(_, text)| text.span()));
    }

    /// Which statistic of a latency a query computes, recording rules followed.
    pub fn statistic(&self, query: &Query) -> Statistic {
        const LONGEST_CHAIN: usize = 4;
        self.statistic_of(query, LONGEST_CHAIN)
    }

    fn statistic_of(&self, query: &Query, depth: usize) -> Statistic {
        match query.outer() {
            Outer::HistogramQuantile(Some(quantile)) => Statistic::Quantile(quantile),
            Outer::Arithmetic => quotient(query),
            _ => {
                let mut values = query.series.iter().filter(|series| series.role == Role::Value);
                let (Some(series), None) = (values.next(), values.next()) else { return Statistic::Unknown };
                let recorded =
                    series.exact_name().and_then(|name| self.records.get(&metrics::normalise(name)));
                match recorded.map(Vec::as_slice) {
                    Some([text]) if depth > 0 => metrics::read(&text.value)
                        .map_or(Statistic::Unknown, |query| self.statistic_of(&query, depth - 1)),
                    _ => Statistic::Unknown,
                }
            }
        }
    }
}

impl<'a> Monitoring<'a> {
    /// True where a panel or an alert is about serving: [`Chart::is_of_the_plan`]. A recording rule alone may be there
    /// for an autoscaler.
    pub fn is_of_the_plan(&self) -> bool {
        let mut shown = self.charts.iter().filter(|chart| !matches!(chart.place, Place::Record(_)));
        shown.any(Chart::is_of_the_plan)
    }

    /// The alerts on the time to first token, with the statistic that each follows.
    pub fn first_token_alerts(&self) -> impl Iterator<Item = (&Chart<'a>, Statistic)> {
        self.charts.iter().filter(|chart| chart.is_alert()).filter_map(|chart| {
            if chart.shows(Class::Ttft) {
                let query = chart.query.as_ref();
                // An alert on missing data says nothing of latency.
                let absent = query.is_some_and(|query| matches!(query.outer(), Outer::Function(_)));
                let statistic = query.map_or(Statistic::Unknown, |query| self.statistic(query));
                return (!absent).then_some((chart, statistic));
            }
            let named = |name: &str| name.contains("ttft") || name.contains("first_token");
            let mut unexplained = chart.measured.unexplained.iter();
            let told = unexplained.any(|(name, _)| named(&metrics::normalise(name)));
            told.then_some((chart, Statistic::Unknown))
        })
    }
}

impl Statistic {
    /// True where it may follow the slowest hundredth of the requests, which the plan's limit is about.
    pub fn follows_the_tail(self) -> bool {
        match self {
            Statistic::Quantile(quantile) => quantile >= 0.99,
            Statistic::Mean => false,
            Statistic::Share | Statistic::Unknown => true,
        }
    }
}

/// What the quotient of two parts of one histogram says.
fn quotient(query: &Query) -> Statistic {
    let ends = |suffix: &str| {
        query.series.iter().any(|series| series.exact_name().is_some_and(|name| name.ends_with(suffix)))
    };
    match (ends("_sum"), ends("_bucket"), ends("_count")) {
        (true, false, true) => Statistic::Mean,
        (false, true, _) => Statistic::Share,
        _ => Statistic::Unknown,
    }
}

fn chart<'a>(
    inventory: &Inventory,
    aliases: &Aliases<'a>,
    object: &'a Object,
    place: Place<'a>,
    text: &'a Text,
    language: &'a Language,
) -> Chart<'a> {
    let query = match language {
        Language::PromQl => metrics::read(&text.value).ok(),
        Language::Filter(_) | Language::Other => None,
    };
    let mut measured = Measured::default();
    let mut follow = |name: &str, range: std::ops::Range<usize>, known| {
        aliases.follow(inventory, object, name, text.slice(range), known, &mut measured);
    };
    match &query {
        Some(query) => {
            for series in &query.series {
                for name in series.names() {
                    follow(name, series.range.clone(), series.find());
                }
            }
            measured.unresolved = query.series.iter().any(|s| s.names().is_empty());
        }
        None if *language == Language::PromQl => {
            metrics::names(&text.value).into_iter().for_each(|(name, range)| follow(&name, range, None));
        }
        None => {
            let known = metrics::series_in_filter(&text.value);
            let explained = !known.is_empty();
            for (entry, range) in known {
                follow(entry.name, range, metrics::find(entry.name));
            }
            if !explained {
                measured.unexplained.push((text.value.clone(), text.span()));
            }
        }
    }
    Chart { object, place, text, language, query, measured }
}

/// The command or argument of a unit that changes autoscalers.
fn script_of(unit: &Unit<'_>) -> Option<Span> {
    let containers = unit.workload.sets.iter().flat_map(|set| &set.template.containers);
    let words = containers.flat_map(|c| c.container.command.iter().chain(&c.container.args));
    let mut texts = words.filter_map(|word| word.value());
    texts.find(|text| actuator::changes_autoscalers(&text.value)).map(Text::span)
}

/// The autoscaler that findings about the repository as a whole are reported at: the first one that scales a serving
/// engine. None where the repository serves nothing that scales. A chart's values do not count, since the chart may
/// bring its own dashboards and alerts.
pub fn serving<'f, 'a>(units: &[Unit<'a>], drivers: &'f [Driver<'a>]) -> Option<&'f Driver<'a>> {
    drivers.iter().find(|driver| driver.object.complete && scales_an_engine(units, driver))
}

/// True where an autoscaler scales a serving engine. A target that is not in the inputs is one where the autoscaler
/// follows the load metrics of an engine.
pub fn scales_an_engine(units: &[Unit<'_>], driver: &Driver<'_>) -> bool {
    let mut targets = driver.targets.iter().filter_map(|id| units.get(id.0)).peekable();
    if targets.peek().is_some() {
        return targets.any(|unit| unit.serves_model());
    }
    driver.signals.iter().flat_map(|(_, measured)| &measured.measures).any(|m| is_of_an_engine(m.class))
}
