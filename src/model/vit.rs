//! The simple vision transformer (Beyer, Zhai and Kolesnikov 2022, "Better plain ViT baselines for ImageNet-1k"): fixed
//! positions, mean pooling, no class token, no dropout.

use super::resnet::wide;
use super::{Builder, Extent, Model};
use crate::error::Result;

/// Features of an attention head.
const HEAD: usize = 64;

/// A simple ViT's sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VitOptions {
    /// Positions of a patch in each direction.
    pub patch: usize,
    /// Features of a token.
    pub dim: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Heads of each attention, of 64 features.
    pub heads: usize,
    /// Features of a head.
    pub head_dim: usize,
    /// Hidden features of each block's perceptron.
    pub mlp: usize,
}

impl VitOptions {
    /// For small images: patch 4, 512 features, 4 blocks (Heddes et al., arXiv 2401.06898).
    pub fn tiny() -> Self {
        VitOptions {
            patch: 4,
            dim: 512,
            depth: 4,
            heads: 6,
            head_dim: HEAD,
            mlp: 256,
        }
    }

    /// For large images: ViT-S/16.
    pub fn small() -> Self {
        VitOptions {
            patch: 16,
            dim: 384,
            depth: 12,
            heads: 6,
            head_dim: HEAD,
            mlp: 1536,
        }
    }

    /// `width` times as many features, heads and hidden units. The number of features stays a multiple of 4 and at
    /// least 8, as the positions need.
    pub fn wide(self, width: f64) -> Self {
        VitOptions {
            dim: wide(self.dim / 4, width).max(2) * 4,
            heads: wide(self.heads, width),
            mlp: wide(self.mlp, width),
            ..self
        }
    }
}

/// A simple ViT. Queries, keys, values and the attention's outputs have no biases, but the perceptrons have.
///
/// # Errors
/// The patches do not divide the images.
pub fn simple_vit(name: &str, input: Extent, options: VitOptions, classes: usize) -> Result<Model> {
    let VitOptions {
        patch,
        dim,
        depth,
        heads,
        head_dim,
        mlp,
    } = options;
    let mut net = Builder::new(name, input);
    let x = net.input();
    let x = net.patchify(x, patch)?;
    let x = net.layer_norm("patch.norm", x);
    let x = net.linear("patch.linear", x, dim);
    let x = net.layer_norm("patch.norm_after", x);
    let mut x = net.positions(x)?;
    for block in 0..depth {
        let name = format!("block{block}");
        let y = net.layer_norm(&format!("{name}.attention.norm"), x);
        let y = net.linear_without_bias(&format!("{name}.attention.qkv"), y, 3 * heads * head_dim);
        let y = net.attention(y, heads, head_dim)?;
        let y = net.linear_without_bias(&format!("{name}.attention.out"), y, dim);
        x = net.add(x, y)?;
        let y = net.layer_norm(&format!("{name}.mlp.norm"), x);
        let y = net.linear(&format!("{name}.mlp.linear0"), y, mlp);
        let y = net.gelu(y);
        let y = net.linear(&format!("{name}.mlp.linear1"), y, dim);
        x = net.add(x, y)?;
    }
    let x = net.layer_norm("norm", x);
    let x = net.mean(x);
    let logits = net.linear("classifier", x, classes);
    net.finish(logits)
}
