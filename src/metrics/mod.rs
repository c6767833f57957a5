//! What a metric name or a PromQL expression measures.

mod catalogue;
mod names;

pub use catalogue::{
    Class, Entry, Found, MetricType, Part, Place, Unit, bucket_bounds, classify, classify_profile, entries,
    find, find_with,
};
pub use names::{name_suggests, normalise};
