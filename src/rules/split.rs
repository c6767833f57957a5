//! Where the two gang rules point: at the flag or field that splits the model.

use super::Finding;
use crate::facts::units::Unit;
use crate::source::Span;

/// A finding at the flag or field that splits the model. Where that stands in another object (a ConfigMap that holds the
/// engine's configuration), the finding is at the object's name, and the part of it and the flag are labels.
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
    let name = unit.object.name_span();
    let mut finding =
        Finding::new(unit.object, field, name, label, message).label(flag, "split by this setting");
    if unit.workload.span != name {
        finding = finding.label(unit.workload.span, "in this part");
    }
    finding
}
