//! The structure of a query: the parser's tree without what no rule asks for, and with its selectors numbered.

use super::promql::{Role, SeriesRef};
use super::reader::TEMPLATE_LABEL;
use super::shape::constant;
use promql_parser::parser::{
    AggregateExpr, BinModifier, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality,
};

/// An aggregation operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aggregation {
    /// `sum`
    Sum,
    /// `avg`
    Avg,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `count`
    Count,
    /// `group`
    Group,
    /// `quantile`
    Quantile,
    /// `stddev` and `stdvar`
    Deviation,
    /// `topk`, `bottomk`, `limitk` and `limit_ratio`, which keep some of the series as they are.
    TopK,
    /// `count_values`
    CountValues,
}

/// The labels that an aggregation keeps apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// None: everything is one group.
    All,
    /// `by (…)`
    By(Vec<String>),
    /// `without (…)`
    Without(Vec<String>),
    /// A template supplies a label.
    Templated,
}

impl Grouping {
    /// True where the label is kept. None where a template decides.
    pub fn keeps(&self, label: &str) -> Option<bool> {
        let has = |labels: &[String]| labels.iter().any(|known| known == label);
        match self {
            Grouping::All => Some(false),
            Grouping::By(labels) => Some(has(labels)),
            Grouping::Without(labels) => Some(!has(labels)),
            Grouping::Templated => None,
        }
    }
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `%`, `^` and `atan2`.
    Arithmetic,
    /// A comparison that filters.
    Filter,
    /// A comparison that answers 0 or 1.
    Test,
    And,
    Or,
    Unless,
}

/// How the elements of two vectors find each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matching {
    /// One to one, on all labels or on all but some.
    Whole,
    /// One to one, on the named labels.
    On(Vec<String>),
    /// The left side has more elements.
    ManyLeft,
    /// The right side has more elements.
    ManyRight,
}

/// A node of the tree. Parentheses, ranges and offsets are left out; a subquery is its inner query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A number; NaN where a template supplies it.
    Number(f64),
    /// A quoted text.
    Text,
    /// A selector, as an index into the series of the query.
    Selector(usize),
    Aggregate {
        op: Aggregation,
        grouping: Grouping,
        /// The first argument of `quantile`, `topk` and their like.
        parameter: Option<Box<Node>>,
        of: Box<Node>,
    },
    Call {
        function: String,
        arguments: Vec<Node>,
    },
    Binary {
        op: Operator,
        left: Box<Node>,
        right: Box<Node>,
        matching: Matching,
    },
    Negative(Box<Node>),
}

/// Turns the parser's tree into a [`Node`], and notes in each series what is done with it.
///
/// None where the tree does not have the selectors that the text has.
pub(super) fn convert(expr: &Expr, series: &mut [SeriesRef]) -> Option<Node> {
    let mut walk = Walk { series, next: 0 };
    let node = walk.node(expr, &mut vec![], Role::Value)?;
    (walk.next == walk.series.len()).then_some(node)
}

struct Walk<'a> {
    series: &'a mut [SeriesRef],
    next: usize,
}

impl Walk<'_> {
    /// `functions` are those called around this node inside the nearest aggregation, outermost first.
    ///
    /// The cases stand in functions of their own, which keeps the stack small that a nested query takes.
    fn node(&mut self, mut expr: &Expr, functions: &mut Vec<String>, role: Role) -> Option<Node> {
        loop {
            expr = match expr {
                Expr::Paren(inner) => &inner.expr,
                Expr::Subquery(inner) => &inner.expr,
                _ => break,
            };
        }
        match expr {
            Expr::NumberLiteral(number) => Some(Node::Number(number.val)),
            Expr::StringLiteral(_) => Some(Node::Text),
            Expr::VectorSelector(selector) => self.selector(selector.name.as_deref(), functions, role),
            Expr::MatrixSelector(selector) => self.selector(selector.vs.name.as_deref(), functions, role),
            Expr::Unary(inner) => self.boxed(&inner.expr, functions, role).map(Node::Negative),
            Expr::Call(call) => self.call(call, functions, role),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, role),
            Expr::Binary(binary) => self.binary(binary, functions, role),
            Expr::Paren(_) | Expr::Subquery(_) | Expr::Extension(_) => None,
        }
    }

    fn boxed(&mut self, expr: &Expr, functions: &mut Vec<String>, role: Role) -> Option<Box<Node>> {
        self.node(expr, functions, role).map(Box::new)
    }

    fn call(&mut self, call: &Call, functions: &mut Vec<String>, role: Role) -> Option<Node> {
        functions.push(call.func.name.to_owned());
        let mut arguments = Vec::with_capacity(call.args.len());
        for argument in &call.args.args {
            arguments.push(self.node(argument, functions, role)?);
        }
        functions.pop().map(|function| Node::Call { function, arguments })
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr, role: Role) -> Option<Node> {
        let parameter = match &aggregate.param {
            Some(parameter) => Some(self.boxed(parameter, &mut vec![], Role::Condition)?),
            None => None,
        };
        let of = self.boxed(&aggregate.expr, &mut vec![], role)?;
        let op = aggregation(&aggregate.op.to_string())?;
        Some(Node::Aggregate { op, grouping: grouping(aggregate.modifier.as_ref()), parameter, of })
    }

    fn binary(&mut self, binary: &BinaryExpr, functions: &mut Vec<String>, role: Role) -> Option<Node> {
        let op = operator(&binary.op.to_string(), binary.return_bool())?;
        let left = self.boxed(&binary.lhs, functions, role)?;
        let right_role = match (role, op) {
            (Role::Value, Operator::Divide) => Role::Divisor,
            (Role::Value, Operator::Or) => Role::Fallback,
            // In 1 < a, the value of a is what is left.
            (_, Operator::Filter) if constant(&left).is_none() => Role::Condition,
            (_, Operator::And | Operator::Unless) => Role::Condition,
            (role, _) => role,
        };
        let right = self.boxed(&binary.rhs, functions, right_role)?;
        Some(Node::Binary { op, left, right, matching: matching(binary.modifier.as_ref()) })
    }

    fn selector(&mut self, name: Option<&str>, functions: &[String], role: Role) -> Option<Node> {
        let index = self.next;
        let series = self.series.get_mut(index)?;
        // A name in braces is hidden from the parser; any other must be the same on both sides.
        if let (Some(name), Some(written)) = (name, series.exact_name())
            && name != written
        {
            return None;
        }
        series.functions = functions.iter().rev().cloned().collect();
        series.role = role;
        self.next += 1;
        Some(Node::Selector(index))
    }
}

fn aggregation(op: &str) -> Option<Aggregation> {
    Some(match op {
        "sum" => Aggregation::Sum,
        "avg" => Aggregation::Avg,
        "max" => Aggregation::Max,
        "min" => Aggregation::Min,
        "count" => Aggregation::Count,
        "group" => Aggregation::Group,
        "quantile" => Aggregation::Quantile,
        "stddev" | "stdvar" => Aggregation::Deviation,
        "topk" | "bottomk" | "limitk" | "limit_ratio" => Aggregation::TopK,
        "count_values" => Aggregation::CountValues,
        _ => return None,
    })
}

fn operator(op: &str, bool_modifier: bool) -> Option<Operator> {
    Some(match op {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" | "^" | "atan2" => Operator::Arithmetic,
        "==" | "!=" | "<" | "<=" | ">" | ">=" if bool_modifier => Operator::Test,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => Operator::Filter,
        "and" => Operator::And,
        "or" => Operator::Or,
        "unless" => Operator::Unless,
        _ => return None,
    })
}

fn grouping(modifier: Option<&LabelModifier>) -> Grouping {
    let Some(modifier) = modifier else { return Grouping::All };
    let labels = &modifier.labels().labels;
    if labels.iter().any(|label| label == TEMPLATE_LABEL) {
        return Grouping::Templated;
    }
    match modifier {
        LabelModifier::Include(_) if labels.is_empty() => Grouping::All,
        LabelModifier::Include(_) => Grouping::By(labels.clone()),
        LabelModifier::Exclude(_) => Grouping::Without(labels.clone()),
    }
}

fn matching(modifier: Option<&BinModifier>) -> Matching {
    let Some(modifier) = modifier else { return Matching::Whole };
    match (&modifier.card, &modifier.matching) {
        (VectorMatchCardinality::ManyToOne(_), _) => Matching::ManyLeft,
        (VectorMatchCardinality::OneToMany(_), _) => Matching::ManyRight,
        (_, Some(LabelModifier::Include(labels))) => Matching::On(labels.labels.clone()),
        _ => Matching::Whole,
    }
}
