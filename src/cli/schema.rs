//! `gpulint schema`: JSON Schemas of what gpulint reads and writes.

use super::args::{SchemaArgs, SchemaOf};
use super::{Exit, Failure};
use crate::{config, report, rules};
use std::io::Write;

pub(super) fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    let text = match args.what {
        SchemaOf::Report => report::schema::report_schema(),
        SchemaOf::Config => format!("{:#}", config::schema(&rules::known_rules())),
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end())?;
    Ok(Exit::Clean)
}
