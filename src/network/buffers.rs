//! What a network keeps from one program to the next: the batch, its targets and losses, and fixed tables.

use std::collections::HashMap;

use super::options::{NetworkOptions, Purpose};
use super::ring::RING;
use super::tiles;
use crate::data::TargetKind;
use crate::dense::Products;
use crate::engine::{Buffer, Class, Device, STEP_WORDS};
use crate::error::Result;
use crate::model::Model;
use crate::optim::ClipBuffers;

/// Buffers that a network keeps from one program to the next.
pub struct Buffers {
    pub lanes: usize,
    /// Number of logits.
    pub classes: usize,
    /// For each sparse layer.
    pub products: Vec<Products>,
    /// `[channels][positions][lanes]`.
    pub input: Buffer,
    /// What the loss compares the logits with.
    pub kind: TargetKind,
    /// `[lanes]`, or `[values][lanes]`.
    pub targets: Buffer,
    /// `[lanes]`: the weight of each sample, if weights differ.
    pub weights: Option<Buffer>,
    /// Twice `[lanes]`: of mixed samples the other class and its share.
    pub mixed: Option<[Buffer; 2]>,
    pub step: Buffer,
    /// `[classes][lanes]`.
    pub logits: Buffer,
    pub losses: Buffer,
    pub scores: Buffer,
    pub train_ring: Buffer,
    pub test_ring: Buffer,
    /// For each node, its layer's constants.
    pub constants: HashMap<usize, Buffer>,
    /// `[classes][lanes]`: the gradient at the logits, if it is not that of the loss.
    pub output_gradient: Option<Buffer>,
    /// `[channels][positions][lanes]`: the gradient at the input, if it is asked for.
    pub input_gradient: Option<Buffer>,
    /// Present if gradients are clipped.
    pub clip: Option<ClipBuffers>,
    /// A tile of the weights' gradients, if they leave the device in tiles.
    pub tile: Option<Buffer>,
}

impl Buffers {
    pub fn new(
        device: &Device,
        model: &Model,
        lanes: usize,
        products: Vec<Products>,
        options: &NetworkOptions,
    ) -> Result<Self> {
        let mut buffers = Self::with(
            model,
            lanes,
            products,
            options,
            |label, class, words| device.buffer(label, class, words),
            |label, class, constants| device.buffer_with(label, class, constants),
        )?;
        if options.purpose == Purpose::Flow {
            // One image; the other lanes are padding, with zero gradients.
            let lane = |i: usize| if i.is_multiple_of(lanes) { 1.0 } else { 0.0 };
            let ones: Vec<f32> = (0..model.classes() * lanes).map(lane).collect();
            buffers.output_gradient =
                Some(device.buffer_with("ones", Class::Activations, &ones)?);
        }
        Ok(buffers)
    }

    /// The same memory for layers whose products are computed in other ways.
    pub fn with_products(self, products: Vec<Products>) -> Self {
        Buffers { products, ..self }
    }

    /// Without memory: to find out what a plan needs.
    pub fn planned(
        device: &Device,
        model: &Model,
        lanes: usize,
        products: Vec<Products>,
        options: &NetworkOptions,
    ) -> Result<Self> {
        let planned = |label: &str, class, words| Ok(device.transient(label, class, words));
        Self::with(
            model,
            lanes,
            products,
            options,
            planned,
            |label, class, constants| planned(label, class, constants.len()),
        )
    }

    fn with(
        model: &Model,
        lanes: usize,
        products: Vec<Products>,
        options: &NetworkOptions,
        buffer: impl Fn(&str, Class, usize) -> Result<Buffer>,
        filled: impl Fn(&str, Class, &[f32]) -> Result<Buffer>,
    ) -> Result<Self> {
        let scratch = |label: &str, n: usize| buffer(label, Class::Scratch, n);
        let logits = model.classes() * lanes;
        let mut constants = HashMap::new();
        for (n, node) in model.nodes().iter().enumerate() {
            let numbers = node.layer().constants(&model.inputs_of(node))?;
            if !numbers.is_empty() {
                constants.insert(n, filled("constants", Class::Activations, &numbers)?);
            }
        }
        let kind = options.loss.targets(model.classes());
        Ok(Buffers {
            lanes,
            classes: model.classes(),
            products,
            input: buffer("input", Class::Data, model.input().size() * lanes)?,
            kind,
            targets: buffer("targets", Class::Data, kind.words() * lanes)?,
            weights: match options.purpose {
                Purpose::Training | Purpose::Gradients if options.weighted => {
                    Some(buffer("weights", Class::Data, lanes)?)
                }
                _ => None,
            },
            mixed: match options.purpose {
                Purpose::Training | Purpose::Gradients
                    if options.mixed && kind == TargetKind::Labels =>
                {
                    let others = buffer("targets.others", Class::Data, lanes)?;
                    Some([others, buffer("targets.shares", Class::Data, lanes)?])
                }
                _ => None,
            },
            step: scratch("step", STEP_WORDS)?,
            logits: buffer("logits", Class::Activations, logits)?,
            losses: scratch("losses", lanes)?,
            scores: scratch("scores", lanes)?,
            train_ring: scratch("train_metrics", 2 * RING)?,
            test_ring: scratch("test_metrics", 2 * RING)?,
            constants,
            output_gradient: match options.purpose {
                Purpose::InputGradients => {
                    Some(buffer("logits.gradient", Class::Activations, logits)?)
                }
                _ => None,
            },
            input_gradient: match options.purpose {
                Purpose::InputGradients => Some(buffer(
                    "input.gradient",
                    Class::Activations,
                    model.input().size() * lanes,
                )?),
                _ => None,
            },
            clip: match options.clip {
                Some(_) => Some(ClipBuffers {
                    sums: scratch("clip.sums", ClipBuffers::SUMS)?,
                    factor: scratch("clip.factor", ClipBuffers::FACTOR)?,
                }),
                None => None,
            },
            tile: match options.purpose.in_tiles() {
                true => Some(scratch("gradient.tile", tiles::words(model))?),
                false => None,
            },
        })
    }
}
