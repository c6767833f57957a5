//! Reads a rule page: the Markdown file that is the single source of a rule's severity, summary, clauses, options,
//! documentation and tested examples.
//!
//! A page is a YAML front matter, a heading with the id of the rule, one paragraph that says what is reported, and
//! the sections Why, Examples, What passes, Options (where the rule has some) and Sources, in this order. The code
//! fences below one `###` heading form one small repository; their kind (`bad`, `good`, `fixed`, `config`) says what
//! the rule makes of it. The reader is strict, so that a slip in a page fails a test and never reaches a user.

mod blocks;
mod examples;
mod front;

use crate::config::OptionType;
use crate::diagnostic::{Applicability, Severity};
use blocks::{Block, Content};
pub use front::FrontMatter;
use std::fmt;

/// Why a page could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageError {
    /// 1-based line in the page.
    pub line: usize,
    /// What is wrong there: lower case, no final stop.
    pub message: String,
}

impl PageError {
    fn new(line: usize, message: impl Into<String>) -> PageError {
        PageError { line, message: message.into() }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for PageError {}

/// The part of the plan that a rule belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// Node pools.
    Pool,
    /// Gang scheduling.
    Gang,
    /// Scheduling queues.
    Queue,
    /// Topology constraints.
    Topology,
    /// What an autoscaler scales on.
    Signal,
    /// Separate pools for prefill and decode.
    Disaggregated,
    /// Ready replicas kept in reserve.
    WarmPool,
    /// Dashboards and alerts.
    Monitoring,
    /// The way back to the last good state.
    Rollback,
    /// The manifests themselves.
    Manifest,
}

impl Area {
    /// Every area, in the order of the plan.
    pub const ALL: [Area; 10] = [
        Area::Pool,
        Area::Gang,
        Area::Queue,
        Area::Topology,
        Area::Signal,
        Area::Disaggregated,
        Area::WarmPool,
        Area::Monitoring,
        Area::Rollback,
        Area::Manifest,
    ];

    /// The word used in front matters and tags.
    pub fn word(self) -> &'static str {
        match self {
            Area::Pool => "pool",
            Area::Gang => "gang",
            Area::Queue => "queue",
            Area::Topology => "topology",
            Area::Signal => "signal",
            Area::Disaggregated => "disaggregated",
            Area::WarmPool => "warm-pool",
            Area::Monitoring => "monitoring",
            Area::Rollback => "rollback",
            Area::Manifest => "manifest",
        }
    }
}

/// One option of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct PageOption {
    /// Key in the configuration.
    pub name: String,
    /// What values it takes.
    pub kind: OptionType,
    /// The value where the configuration is silent. It fits `kind`.
    pub default: serde_json::Value,
    /// What it does, in one line.
    pub text: String,
}

/// What the rule makes of a file of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FenceKind {
    /// The rule reports on the marked lines, and nowhere else.
    Bad,
    /// The rule is silent here.
    Good,
    /// What the fix makes of the bad file of the same path.
    Fixed,
    /// The configuration that the example runs with.
    Config,
}

/// One file of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFile {
    /// Path inside the example's repository, with `/`.
    pub path: String,
    /// The text without the marks, every line ended by `\n`.
    pub text: String,
    /// What the rule makes of it.
    pub kind: FenceKind,
    /// 1-based line of the page that holds the first line of the text.
    pub page_line: usize,
    /// 1-based lines of the text that carry `# error`: where the rule reports.
    pub error_lines: Vec<usize>,
    /// 1-based lines of the text that carry `# label`: where a label has to point.
    pub label_lines: Vec<usize>,
}

/// One small repository that the page shows and the tests run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The text of its `###` heading.
    pub title: String,
    /// True where the rule is silent about every file.
    pub good: bool,
    /// Its files, in the order of the page.
    pub files: Vec<ExampleFile>,
}

/// One rule page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The id of the rule.
    pub id: String,
    /// What the rule reports, in one line: lower case, no final stop.
    pub summary: String,
    /// Severity in the default profile.
    pub severity: Severity,
    /// Severity in the strict profile, never below `severity`.
    pub strict: Severity,
    /// The clauses of the plan that the rule serves, for example `L1.3`.
    pub clauses: Vec<String>,
    /// The part of the plan.
    pub area: Area,
    /// How far its fix can be trusted; none where the rule offers no fix.
    pub fix: Option<Applicability>,
    /// Options, in the order of the page.
    pub options: Vec<PageOption>,
    /// The first paragraph, on one line.
    pub description: String,
    /// The Markdown without the front matter.
    pub body: &'static str,
    /// The tested examples.
    pub examples: Vec<Example>,
    /// What the rule relies on, one Markdown text an entry.
    pub sources: Vec<String>,
}

/// Where the documentation of a rule is published.
pub fn rule_url(id: &str) -> String {
    format!("https://gpulint.dev/rules/{id}")
}

impl Page {
    /// Reads the page of the rule `id`.
    ///
    /// # Errors
    /// The first place where the page departs from the form described at the top of this module.
    pub fn parse(id: &str, text: &'static str) -> Result<Page, PageError> {
        check_id(id)?;
        let front::Parts { front, body, body_line } = front::split(text)?;
        let front = FrontMatter::parse(&front)?;
        let blocks = blocks::read(body, body_line)?;
        let end = text.lines().count().max(1);
        let (description, sections) = sections(id, &blocks, end)?;

        let has_options = sections.iter().any(|section| section.name == "Options");
        if has_options && front.options.is_empty() {
            return Err(PageError::new(
                end,
                "there is a section `## Options`, and the front matter lists no options",
            ));
        }
        if !has_options && !front.options.is_empty() {
            return Err(PageError::new(end, "the section `## Options` is missing"));
        }
        let examples = examples::read(&sections, end)?;
        check_fixed(front.fix, &examples, end)?;
        let sources =
            sections.iter().find(|section| section.name == "Sources").map_or(Ok(Vec::new()), sources)?;
        Ok(Page {
            id: id.to_owned(),
            summary: front.summary,
            severity: front.severity,
            strict: front.strict,
            clauses: front.clauses,
            area: front.area,
            fix: front.fix,
            options: front.options,
            description,
            body,
            examples,
            sources,
        })
    }

    /// Where the page is published.
    pub fn url(&self) -> String {
        rule_url(&self.id)
    }
}

fn check_id(id: &str) -> Result<(), PageError> {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if id.split('-').all(word) && id.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(PageError::new(1, format!("`{id}` is no rule id: lower-case words joined by `-`")))
}

/// One `##` section with what it holds.
#[derive(Debug)]
struct Section<'a> {
    name: &'a str,
    line: usize,
    blocks: &'a [Block],
}

/// The sections of a page and whether each has to be there. Their order is the order of the page.
const SECTIONS: [(&str, bool); 5] =
    [("Why", true), ("Examples", true), ("What passes", true), ("Options", false), ("Sources", true)];

/// The description and the sections.
fn sections<'a>(id: &str, blocks: &'a [Block], end: usize) -> Result<(String, Vec<Section<'a>>), PageError> {
    let Some((heading, rest)) = blocks.split_first() else {
        return Err(PageError::new(end, format!("the heading `# {id}` is missing")));
    };
    if !matches!(&heading.content, Content::Heading(1, text) if *text == id) {
        return Err(PageError::new(heading.line, format!("the body starts with the heading `# {id}`")));
    }
    let is_section = |block: &Block| matches!(block.content, Content::Heading(level, _) if level <= 2);
    let mut parts = rest.split_at(rest.iter().position(is_section).unwrap_or(rest.len()));
    let description = description(heading.line, parts.0)?;

    let mut sections: Vec<Section<'a>> = Vec::new();
    let mut next = 0;
    while let Some((block, after)) = parts.1.split_first() {
        let Content::Heading(2, name) = &block.content else {
            return Err(PageError::new(block.line, "a page has one heading of the first level"));
        };
        let Some(at) = SECTIONS.iter().position(|(known, _)| *known == name.as_str()) else {
            return Err(PageError::new(block.line, format!("unknown section `## {name}`")));
        };
        if at < next {
            return Err(PageError::new(block.line, format!("the section `## {name}` is out of order")));
        }
        require(SECTIONS.get(next..at), block.line)?;
        next = at + 1;
        parts = after.split_at(after.iter().position(is_section).unwrap_or(after.len()));
        if parts.0.is_empty() {
            return Err(PageError::new(block.line, format!("the section `## {name}` is empty")));
        }
        sections.push(Section { name, line: block.line, blocks: parts.0 });
    }
    require(SECTIONS.get(next..), end)?;
    Ok((description, sections))
}

/// Fails where a section that was passed over has to be there.
fn require(passed_over: Option<&[(&str, bool)]>, line: usize) -> Result<(), PageError> {
    match passed_over.unwrap_or_default().iter().find(|(_, required)| *required) {
        Some((name, _)) => {
            Err(PageError::new(line, format!("the section `## {name}` is missing before this line")))
        }
        None => Ok(()),
    }
}

fn description(line: usize, blocks: &[Block]) -> Result<String, PageError> {
    match blocks {
        [Block { content: Content::Paragraph(text), .. }] => Ok(text.clone()),
        [] => {
            Err(PageError::new(line, "the heading is followed by one paragraph that says what is reported"))
        }
        [_, second, ..] => {
            Err(PageError::new(second.line, "one paragraph says what is reported, the rest has a section"))
        }
        [first] => Err(PageError::new(first.line, "a paragraph says what is reported")),
    }
}

/// A fix that can be applied is shown by a `fixed` fence, and only such a fix.
fn check_fixed(fix: Option<Applicability>, examples: &[Example], end: usize) -> Result<(), PageError> {
    let fixed = examples.iter().flat_map(|example| &example.files).find(|file| file.kind == FenceKind::Fixed);
    match (fix, fixed) {
        (None, Some(file)) => {
            Err(PageError::new(file.page_line, "a `fixed` fence, and the front matter says `fix: none`"))
        }
        (Some(Applicability::Safe | Applicability::Unsafe), None) => {
            Err(PageError::new(end, "the rule has a fix, and no `fixed` fence shows what it does"))
        }
        _ => Ok(()),
    }
}

fn sources(section: &Section<'_>) -> Result<Vec<String>, PageError> {
    section
        .blocks
        .iter()
        .map(|block| match &block.content {
            Content::Item(text) => Ok(text.clone()),
            _ => Err(PageError::new(block.line, "the section `## Sources` is a list, one source an item")),
        })
        .collect()
}

#[cfg(test)]
mod tests;
