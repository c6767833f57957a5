//! `manifest-duplicate-key`: a key that stands twice, of which one counts.

use super::subject::is_about_gpus;
use super::{Context, Finding};

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let objects = context.facts.inventory.objects.iter().filter(|o| is_about_gpus(context, o));
    let mut found = Vec::new();
    for object in objects {
        let own = object.root().span();
        for (first, second) in object.tree.duplicate_keys().into_iter().filter(|(_, s)| own.contains(*s)) {
            let key = context.facts.inventory.files.slice(second).trim_matches(['"', '\'']).to_owned();
            let name = object.name().unwrap_or("?");
            let message = format!(
                "{}/{name} has the key `{key}` twice in one mapping: one program takes the last, another the first, a third refuses the file",
                object.kind
            );
            let finding =
                Finding::new(object, format!("duplicate.{key}"), second, "stands here again", message);
            found.push(finding.label(first, "stands here first").help("keep one of the two"));
        }
    }
    found
}
