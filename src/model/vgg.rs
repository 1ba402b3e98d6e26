//! VGG with batch norm and a quarter of the channels (Simonyan and Zisserman 2015; "small" as in Heddes et al., arXiv
//! 2401.06898).

use super::resnet::wide;
use super::{Builder, Extent, Model};
use crate::error::Result;

/// Share of the classifier's hidden units that is dropped during training.
const DROPOUT: f32 = 0.5;

/// The convolutions of each of the five stages; a pooling of 2×2 ends every stage.
///
/// # Errors
/// The images are smaller than 32×32, of which five poolings leave nothing.
pub fn vgg_small(
    name: &str,
    input: Extent,
    stages: [usize; 5],
    width: f64,
    classes: usize,
) -> Result<Model> {
    let mut net = Builder::new(name, input);
    let mut x = net.input();
    for (stage, (convolutions, channels)) in
        stages.into_iter().zip([16, 32, 64, 128, 128]).enumerate()
    {
        for c in 0..convolutions {
            let name = format!("stage{stage}.{c}");
            x = net.conv(&format!("{name}.conv"), x, wide(channels, width), 3, 1, 1)?;
            x = net.batch_norm_relu(&format!("{name}.norm"), x);
        }
        x = net.max_pool(x, 2, 2, 0)?;
    }
    if net.extent(x).positions() > 1 {
        x = net.flatten(x);
    }
    for l in 0..2 {
        x = net.linear(&format!("linear{l}"), x, wide(512, width));
        x = net.relu(x);
        x = net.dropout(x, DROPOUT)?;
    }
    let logits = net.linear("linear2", x, classes);
    net.finish(logits)
}
