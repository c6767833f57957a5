//! What a metric name or a PromQL expression measures.
//!
//! [`classify`] knows names, [`read`] knows expressions, and [`adapter`] the names that prometheus-adapter gives.

pub mod adapter;
mod catalogue;
mod elements;
mod entry;
mod kept;
mod lexer;
mod misuse;
mod names;
mod promql;
mod reader;
mod scan;
mod shape;
mod template;
mod tree;
mod units;

pub use catalogue::{bucket_bounds, classify, classify_profile, entries, find, find_with};
pub use entry::{Class, Entry, Found, MetricType, Part, Place, Unit};
pub use misuse::{Measure, Misuse};
pub use names::{name_says, name_suggests, normalise};
pub use promql::{MatchOp, Matcher, Query, QueryError, Role, SeriesName, SeriesRef, read};
pub use scan::{names, series_in_filter};
pub use shape::{Growth, Outer, SeriesFacts};
pub use tree::{Aggregation, Grouping};
