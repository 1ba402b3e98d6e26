//! Residual networks (He, Zhang, Ren and Sun 2016, "Deep Residual Learning for Image Recognition").

use super::{Builder, Extent, Model, Value};
use crate::error::Result;

/// The form for small images: 6n + 2 layers in three stages of 16, 32 and 64 channels, with option-A shortcuts.
///
/// # Errors
/// The images are too small.
pub fn cifar_resnet(
    name: &str,
    input: Extent,
    n: usize,
    width: f64,
    classes: usize,
) -> Result<Model> {
    let mut net = Builder::new(name, input);
    let x = net.input();
    let x = net.conv("stem.conv", x, wide(16, width), 3, 1, 1)?;
    let mut x = net.batch_norm_relu("stem.norm", x);
    for (stage, channels) in [16, 32, 64].map(|c| wide(c, width)).into_iter().enumerate() {
        for block in 0..n {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            x = basic_block(
                &mut net,
                &format!("stage{stage}.{block}"),
                x,
                channels,
                stride,
                Shortcut::Pad,
            )?;
        }
    }
    let x = net.mean(x);
    let logits = net.linear("classifier", x, classes);
    net.finish(logits)
}

/// The blocks of the form for large images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Two 3×3 convolutions.
    Basic,
    /// 1×1, 3×3 and 1×1, the last four times as wide.
    Bottleneck,
}

/// The form for large images: a 7×7 stem, four stages of `blocks` each, projection shortcuts.
///
/// # Errors
/// The images are too small.
pub fn imagenet_resnet(
    name: &str,
    input: Extent,
    block: Block,
    blocks: [usize; 4],
    width: f64,
    classes: usize,
) -> Result<Model> {
    let mut net = Builder::new(name, input);
    let x = net.input();
    let x = net.conv("stem.conv", x, wide(64, width), 7, 2, 3)?;
    let x = net.batch_norm_relu("stem.norm", x);
    let mut x = net.max_pool(x, 3, 2, 1)?;
    for (stage, count) in blocks.into_iter().enumerate() {
        let channels = wide(64 << stage, width);
        for number in 0..count {
            let stride = if stage > 0 && number == 0 { 2 } else { 1 };
            let name = format!("stage{stage}.{number}");
            x = match block {
                Block::Basic => {
                    basic_block(&mut net, &name, x, channels, stride, Shortcut::Project)?
                }
                Block::Bottleneck => bottleneck(&mut net, &name, x, channels, stride)?,
            };
        }
    }
    let x = net.mean(x);
    let logits = net.linear("classifier", x, classes);
    net.finish(logits)
}

/// How a block's input is brought to the size of its output.
#[derive(Clone, Copy, PartialEq)]
enum Shortcut {
    /// Option A: subsampled, with zeros in the new channels.
    Pad,
    /// Option B: a 1×1 convolution and its norm.
    Project,
}

fn basic_block(
    net: &mut Builder,
    name: &str,
    input: Value,
    channels: usize,
    stride: usize,
    shortcut: Shortcut,
) -> Result<Value> {
    let x = net.conv(&format!("{name}.conv1"), input, channels, 3, stride, 1)?;
    let x = net.batch_norm_relu(&format!("{name}.norm1"), x);
    let x = net.conv(&format!("{name}.conv2"), x, channels, 3, 1, 1)?;
    let residual = match shortcut {
        _ if net.extent(input) == net.extent(x) => input,
        Shortcut::Pad => net.shortcut(input, channels, stride)?,
        Shortcut::Project => project(net, name, input, channels, stride)?,
    };
    net.batch_norm_add_relu(&format!("{name}.norm2"), x, residual)
}

fn bottleneck(
    net: &mut Builder,
    name: &str,
    input: Value,
    channels: usize,
    stride: usize,
) -> Result<Value> {
    let x = net.conv(&format!("{name}.conv1"), input, channels, 1, 1, 0)?;
    let x = net.batch_norm_relu(&format!("{name}.norm1"), x);
    let x = net.conv(&format!("{name}.conv2"), x, channels, 3, stride, 1)?;
    let x = net.batch_norm_relu(&format!("{name}.norm2"), x);
    let x = net.conv(&format!("{name}.conv3"), x, 4 * channels, 1, 1, 0)?;
    let residual = match net.extent(input) == net.extent(x) {
        true => input,
        false => project(net, name, input, 4 * channels, stride)?,
    };
    net.batch_norm_add_relu(&format!("{name}.norm3"), x, residual)
}

fn project(
    net: &mut Builder,
    name: &str,
    input: Value,
    channels: usize,
    stride: usize,
) -> Result<Value> {
    let x = net.conv(&format!("{name}.project"), input, channels, 1, stride, 0)?;
    Ok(net.batch_norm(&format!("{name}.project_norm"), x))
}

/// Channels of a model `width` times as wide.
pub(super) fn wide(channels: usize, width: f64) -> usize {
    ((channels as f64 * width).round() as usize).max(1)
}
