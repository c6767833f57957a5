//! The rules: one page and one file of logic each.

pub mod page;
