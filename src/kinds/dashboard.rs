//! Dashboards: what a repository shows of its systems.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::{NodeId, Text};

/// One dashboard.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// Its title.
    pub title: Known<String>,
    /// The panels that could be read, in the order written.
    pub panels: Vec<Panel>,
    /// True where a part of it stands elsewhere or in a form that is not read: a library panel, a URL, Jsonnet.
    pub partial: bool,
    /// Where the dashboard as a whole is reported.
    pub span: Span,
}

/// One panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Its title.
    pub title: Known<String>,
    /// What it draws.
    pub queries: Vec<PanelQuery>,
}

/// One query of a panel.
#[derive(Debug, Clone)]
pub struct PanelQuery {
    /// The query.
    pub text: Known<Text>,
    /// Its language.
    pub language: Language,
    /// True where the panel does not draw it.
    pub hidden: bool,
}

/// The language of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Language {
    /// PromQL.
    PromQl,
    /// A Cloud Monitoring filter, with the labels that its reducer keeps apart; none where nothing is reduced.
    Filter(Option<Vec<String>>),
    /// Another one: metric names are looked for in it as words.
    Other,
}

/// A switch of an autoscaler that is left in a position where it does not scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What stands still.
    pub what: Paused,
    /// The name of the switch, for people.
    pub name: String,
    /// The bytes of its value.
    pub span: Span,
    /// The value, to edit it.
    pub value: NodeId,
}

/// What a [`Pause`] holds still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused {
    /// Everything, at the replicas there happen to be.
    Here,
    /// Everything, at a number of replicas that is stated.
    AtCount,
    /// Scaling in.
    In,
    /// Scaling out.
    Out,
}
