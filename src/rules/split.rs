//! Where the two gang rules point: at the flag or field that splits the model.

use super::Finding;
use crate::facts::units::Unit;
use crate::source::Span;

/// A finding at the flag or field that splits the model. Where that stands in another object (a ConfigMap that holds the
/// engine's configuration), the finding is at the workload and the flag is a label.
pub(super) fn at_split<'a>(
    unit: &'a Unit<'a>,
    flag: Span,
    field: String,
    label: &'static str,
    message: String,
) -> Finding<'a> {
    if unit.holds(flag) {
        return Finding::new(unit.object, field, flag, label, message);
    }
    Finding::new(unit.object, field, unit.workload.span, label, message).label(flag, "split by this setting")
}
