//! Documents inside the value of a scalar: the files of a ConfigMap.

use crate::yaml::{Text, Tree, parse_embedded, split};

/// The documents of an inner file, in order. One that cannot be parsed is given as its text.
pub(super) fn documents(text: &Text) -> Vec<Result<Tree, Text>> {
    split(&text.value)
        .into_iter()
        .map(|part| {
            let part = text.part(part.range);
            parse_embedded(&part).map_err(|_| part)
        })
        .collect()
}
