//! `gpu-pool-root-disk`: the disk of GPU nodes is too small for the image of an engine.

use super::pool_words::first_of_class;
use super::{Context, Finding};
use crate::facts::placement::PoolFact;
use crate::kinds::pool::NodeClass;
use crate::source::Span;

const RULE: &str = "gpu-pool-root-disk";
const GIB: f64 = 1_073_741_824.0;

/// The disk for images where the class names none, in GiB. Source: aws/karpenter-provider-aws, pkg/providers/amifamily.
const DEFAULT: f64 = 20.0;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Some((object, class)) = pool.node_class.filter(|_| first_of_class(context, pool)) else {
        return vec![];
    };
    // Local disks of the machine then hold the images.
    if class.instance_store_policy.is_written() {
        return vec![];
    }
    let smallest = context.config.option_int(RULE, "smallest").unwrap_or(100) as f64;
    let Some((size, span, written)) = image_disk(class).filter(|(size, _, _)| *size < smallest) else {
        return vec![];
    };
    let which =
        if written { "gives its nodes a disk of" } else { "names no disk, so its nodes have the default of" };
    let message = format!(
        "node class `{}` {which} {size:.0} GiB, and GPU pool `{}` uses it: images of engines take 10 to 20 GiB packed and about twice that unpacked, beside the weights of the model, and a node without room evicts its pods",
        object.name().unwrap_or("?"),
        pool.name(),
    );
    vec![
        Finding::new(object, "spec.blockDeviceMappings", span, format!("{size:.0} GiB"), message)
            .label(pool.object.name_span(), "its nodes have this disk")
            .help(format!("give the disk that holds images {smallest:.0} GiB or more, or set `instanceStorePolicy: RAID0` on machines with local disks")),
    ]
}

/// The size of the disk that holds images in GiB, its place, and whether it is written.
fn image_disk(class: &NodeClass) -> Option<(f64, Span, bool)> {
    let bottlerocket = class.has_image("bottlerocket");
    if class.disks.is_empty() {
        // Other image families bring disks of their own.
        let known = bottlerocket || class.has_image("al2023") || class.has_image("al2");
        return known.then_some((DEFAULT, class.span, false));
    }
    let mut largest: Option<(f64, Span)> = None;
    for (device, size) in &class.disks {
        let size = (*size.set()?, size.span()?);
        // Bottlerocket keeps images on its second disk.
        if bottlerocket && device.value().is_some_and(|d| d == "/dev/xvda") {
            continue;
        }
        if largest.is_none_or(|(have, _)| size.0 > have) {
            largest = Some(size);
        }
    }
    match largest {
        Some((size, span)) => Some((size / GIB, span, true)),
        None => Some((DEFAULT, class.span, false)),
    }
}
