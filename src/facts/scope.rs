//! Which of several objects a reference means: the nearest one.
//!
//! References resolve within the inputs, nearest first: same file, same folder, then the folders above one by one.

use crate::inventory::Inventory;
use crate::kinds::Object;

/// How far one object is from another: steps up to the folder that holds both, then steps down. The same file is
/// nearer than the same folder.
pub fn distance(inventory: &Inventory, from: &Object, to: &Object) -> (usize, usize) {
    if from.file == to.file {
        return (0, 0);
    }
    let folder = |object: &Object| -> Vec<String> {
        let path = inventory.files.path(object.file);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folder.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (from, to) = (folder(from), folder(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    (1 + from.len() - common, to.len() - common)
}

/// The nearest of the candidates; several where they are equally near.
pub fn nearest<'a, T>(
    inventory: &Inventory,
    from: &Object,
    candidates: Vec<T>,
    object: impl Fn(&T) -> &'a Object,
) -> Vec<T> {
    let measured: Vec<((usize, usize), T)> =
        candidates.into_iter().map(|c| (distance(inventory, from, object(&c)), c)).collect();
    let Some(best) = measured.iter().map(|(d, _)| *d).min() else { return vec![] };
    measured.into_iter().filter(|(d, _)| *d == best).map(|(_, c)| c).collect()
}

/// True where two objects can be in one namespace: the same one, or one of them does not say.
pub fn may_share_namespace(a: &Object, b: &Object) -> bool {
    match (a.namespace(), b.namespace()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}
