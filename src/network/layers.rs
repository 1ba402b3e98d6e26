//! A node's layer, with the sizes that it is recorded with.

use super::recorder::Recorder;
use crate::error::Result;
use crate::layer::{
    Attention, AveragePool, BatchNorm, DropoutLayer, GlobalAverage, LayerNorm, MaxPool,
    NormScratch, PaddedShortcut, Patchify, Positions, SparseLayer,
};
use crate::model::{Extent, Op};
use crate::sparse::Window;

impl Recorder<'_> {
    /// Size of a node's value.
    fn output(&self, node: usize) -> Extent {
        self.model.nodes[node].extent
    }

    /// Size of what a node takes first.
    fn input(&self, node: usize) -> Extent {
        self.output(self.model.nodes[node].inputs[0])
    }

    pub fn sparse_layer(&self, node: usize, window: Window, bias: bool, relu: bool) -> SparseLayer {
        SparseLayer {
            span: self.arena.spans[self.index[node]],
            window,
            stride: self.stride(),
            bias,
            relu,
        }
    }

    pub fn batch_norm(&self, node: usize) -> BatchNorm {
        BatchNorm {
            span: self.norms.spans[self.index[node]],
            positions: self.output(node).positions(),
            stride: self.stride(),
            relu: self.model.nodes[node].op == Op::BatchNorm { relu: true },
        }
    }

    /// Work space of a batch norm's forward or backward pass.
    pub fn norm_scratch(&self, norm: &BatchNorm) -> NormScratch {
        NormScratch {
            parts: self.scratch("norm.parts", norm.parts_words()),
            sums: self.scratch("norm.sums", norm.saved_words()),
        }
    }

    pub fn layer_norm(&self, node: usize) -> LayerNorm {
        LayerNorm {
            span: self.norms.spans[self.index[node]],
            positions: self.output(node).positions(),
            stride: self.stride(),
        }
    }

    pub fn shortcut(&self, node: usize, stride: usize) -> PaddedShortcut {
        PaddedShortcut {
            channels_in: self.input(node).channels,
            channels_out: self.output(node).channels,
            input: self.input(node).plane(),
            stride: [stride; 2],
            lanes: self.stride(),
        }
    }

    pub fn max_pool(&self, node: usize, window: Window) -> MaxPool {
        MaxPool {
            channels: self.output(node).channels,
            window,
            lanes: self.stride(),
        }
    }

    pub fn average_pool(&self, node: usize, window: Window) -> AveragePool {
        AveragePool {
            channels: self.output(node).channels,
            window,
            lanes: self.stride(),
        }
    }

    pub fn mean(&self, node: usize) -> GlobalAverage {
        GlobalAverage {
            units: self.output(node).channels,
            positions: self.input(node).positions(),
            lanes: self.stride(),
        }
    }

    pub fn dropout(&self, node: usize, share: f32) -> DropoutLayer {
        DropoutLayer {
            p: share,
            layer: node as u32,
            elements: self.output(node).size(),
            lanes: self.stride(),
        }
    }

    pub fn patchify(&self, node: usize, patch: usize) -> Result<Patchify> {
        let image = self.input(node);
        Patchify::new(image.channels, image.plane(), patch, self.stride())
    }

    pub fn positions(&self, node: usize) -> Positions {
        let Extent { channels, .. } = self.output(node);
        Positions {
            dim: channels,
            tokens: self.output(node).positions(),
            stride: self.stride(),
        }
    }

    pub fn attention(&self, node: usize, heads: usize, dim: usize) -> Attention {
        Attention {
            heads,
            dim,
            tokens: self.output(node).positions(),
            stride: self.stride(),
        }
    }
}
