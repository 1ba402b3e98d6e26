//! Where activations can be dropped: a model divided into segments that meet in a single value.
//!
//! Recomputation after Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost": the values between segments
//! stay, those within are recomputed, segment by segment, when the backward pass reaches them.

use std::ops::RangeInclusive;

use crate::layer::pass::Mode;
use crate::model::Model;

/// The segments of nodes 1 to the last, in order.
///
/// A segment ends after a node whose value is the only one that later nodes take, apart from the input, which stays
/// anyway. None ends after a sparse layer: what follows it (norm, activation) makes the input of the next, which must
/// stay.
pub(super) fn segments(model: &Model) -> Vec<RangeInclusive<usize>> {
    let consumers = model.consumers();
    let last = model.nodes().len() - 1;
    let mut segments = Vec::new();
    let mut start = 1;
    // The last node that takes any value computed so far.
    let mut reach = 0;
    for (node, takers) in consumers.iter().enumerate().take(last).skip(1) {
        let alone = reach <= node;
        reach = reach.max(takers.iter().copied().max().unwrap_or(node));
        let node_of = &model.nodes()[node];
        let cheap =
            model.connections_of(node_of).is_some() || node_of.layer().is_alias(Mode::Train);
        if alone && !cheap {
            segments.push(start..=node);
            start = node + 1;
        }
    }
    segments.push(start..=last);
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Extent, ModelOptions, by_name};

    #[test]
    fn segments_cover_the_model_and_meet_in_one_value() {
        for name in ["resnet20", "vgg16-small", "simple-vit-tiny"] {
            let options = ModelOptions {
                input: Extent {
                    channels: 3,
                    height: 32,
                    width: 32,
                },
                classes: 10,
                width: 1.0,
                hidden: &[],
            };
            let model = by_name(name, &options).unwrap();
            let consumers = model.consumers();
            let segments = segments(&model);
            assert!(segments.len() > 4, "{name}: {segments:?}");
            let mut next = 1;
            for segment in &segments {
                assert_eq!(*segment.start(), next);
                next = segment.end() + 1;
                for (inner, takers) in consumers.iter().enumerate() {
                    assert!(
                        !segment.contains(&inner)
                            || inner == *segment.end()
                            || takers.iter().all(|c| segment.contains(c)),
                        "{name}: node {inner} is taken outside {segment:?}"
                    );
                }
            }
            assert_eq!(next, model.nodes().len());
        }
    }
}
