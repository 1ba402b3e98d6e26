//! Inverted dropout, whose mask is computed from a few numbers and never stored.

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::definition::{Layer, Linear};
use super::extent::Extent;
use super::operation::Operation;
use super::pass::{Backward, Forward, Mode, Pass, Sink};
use super::pointwise::{CHUNK, check_views, word};
use crate::engine::loops::{NONE, looped};
use crate::engine::random::{Stream, pcg4d, random};
use crate::engine::{Grid, Plan, StepState, View};
use crate::error::{Error, Misfit, Result};
use crate::threads::DealOut;

crate::kernel! {
    /// `output = input * (scale where a sample keeps its element, else 0)`, or adds to it. One kernel serves as forward
    /// and backward pass.
    ///
    /// Sample m of the batch (`step.first` + lane) keeps element e of layer l if its random word is at least
    /// `threshold`. The word is word m mod 4 of `pcg4d(k0, k1, k2, m / 4)`, where (k0, k1, k2) are the first words of
    /// `random(seed, step, Stream::Dropout, l, e)`. pcg4d maps its four words one to one, so the keys of two elements
    /// only agree by a coincidence of 96 bits, and within an element every group of four samples has its own input. So
    /// no draw repeats another's, however many elements and samples there are, and none depends on how the batch is
    /// split into parts.
    ///
    /// A dropped element is multiplied by zero, so a NaN shows and a delta's padding stays zero. Shapes: both
    /// `[elements][lanes]`. Grid: [`Rows`](crate::engine::Grid::Rows) = elements.
    pub DropoutApply, DropoutApplyParams, DropoutApplyTwin = "layer/dropout", shader!("layer/dropout");
    params {
        /// Rows: units times positions.
        elements: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's index, below 2^24.
        layer: u32,
        /// A random word below this drops the element.
        threshold: u32,
        /// `1 / (1 - p)`.
        scale: f32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    loops |p, shape| looped(p.vectors.div_ceil(shape.lanes()), NONE);
    uniform step: StepState,
    read input: f32,
    write output: f32,
}

impl DropoutApplyTwin<'_> {
    fn run(self) {
        let p = self.params;
        let (elements, lanes) = (p.elements as usize, p.vectors as usize * 4);
        let rows = (CHUNK / lanes).max(1);
        let shift = self.step.first as usize % 4;
        let arch = pulp::Arch::new();
        self.output[..elements * lanes]
            .par_chunks_mut(rows * lanes)
            .zip(self.input[..elements * lanes].par_chunks(rows * lanes))
            .enumerate()
            .deal_out(|(task, (output, input))| {
                let mut words = vec![[0u32; 4]; (lanes + shift).div_ceil(4)];
                let pairs = output
                    .chunks_exact_mut(lanes)
                    .zip(input.chunks_exact(lanes));
                for (i, (output, input)) in pairs.enumerate() {
                    let element = (task * rows + i) as u32;
                    let key = random(
                        self.step.seed,
                        self.step.step,
                        Stream::Dropout,
                        p.layer,
                        element,
                    );
                    arch.dispatch(Row {
                        key: [key[0], key[1], key[2]],
                        first: self.step.first,
                        params: p,
                        words: &mut words,
                        input,
                        output,
                    });
                }
            });
    }
}

/// An element's row.
struct Row<'a> {
    /// The first words of its hash.
    key: [u32; 3],
    /// The sample in its first lane.
    first: u32,
    params: DropoutApplyParams,
    /// Room for the words of all the groups of four samples in it.
    words: &'a mut [[u32; 4]],
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [a, b, c] = self.key;
        let first = self.first / 4;
        for (i, word) in self.words.iter_mut().enumerate() {
            *word = pcg4d([a, b, c, first.wrapping_add(i as u32)]);
        }
        let words = &self.words.as_flattened()[self.first as usize % 4..];
        let DropoutApplyParams {
            threshold,
            scale,
            accumulate,
            ..
        } = self.params;
        let factor = |word: u32| if word >= threshold { scale } else { 0.0 };
        let lanes = self.output.iter_mut().zip(self.input).zip(words);
        if accumulate != 0 {
            lanes.for_each(|((y, x), word)| *y += x * factor(*word));
        } else {
            lanes.for_each(|((y, x), word)| *y = x * factor(*word));
        }
    }
}

/// Inverted dropout (Srivastava et al. 2014): an element is kept with probability 1 - p and then scaled by 1 / (1 - p),
/// so that evaluation needs no layer at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutPass {
    /// Share of the elements that are dropped, in [0, 1).
    pub p: f32,
    /// A number that is unique to each dropout of a network, below 2^24.
    pub layer: u32,
    /// Units times positions.
    pub elements: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
}

impl DropoutPass {
    /// Writes `output` from `input`, both `[elements][lanes]`; `step` holds a [`StepState`].
    ///
    /// # Errors
    /// `p` is outside [0, 1), the layer's number is too large, or the views do not fit or share a buffer.
    pub fn forward(&self, plan: &mut Plan, step: View, input: View, output: View) -> Result<()> {
        self.record(plan, step, input, output, false)
    }

    /// Writes the gradient at the input, `output`, from that at the output, `delta`; adds to the existing values if
    /// `accumulate`.
    ///
    /// # Errors
    /// As [`DropoutPass::forward`].
    pub fn backward(
        &self,
        plan: &mut Plan,
        step: View,
        delta: View,
        output: View,
        accumulate: bool,
    ) -> Result<()> {
        self.record(plan, step, delta, output, accumulate)
    }

    fn record(
        &self,
        plan: &mut Plan,
        step: View,
        input: View,
        output: View,
        accumulate: bool,
    ) -> Result<()> {
        if !(0.0..1.0).contains(&self.p) {
            return Err(Error::OutOfRange {
                what: "dropout",
                value: self.p.to_string(),
                must: "it must be at least 0 and less than 1",
            });
        }
        if self.layer >= 1 << 24 {
            return Err(Error::Shape(Misfit::TooMany {
                what: "dropout layers, numbered by 24 bits,".to_owned(),
                count: self.layer.to_string(),
                most: (1 << 24) - 1,
                way_out: String::new(),
            }));
        }
        let words = self.elements * self.lanes;
        check_views(
            "dropout",
            self.lanes,
            &[("input", &input, words), ("output", &output, words)],
        )?;
        let params = DropoutApplyParams {
            elements: word("elements", self.elements)?,
            vectors: (self.lanes / 4) as u32,
            layer: self.layer,
            // Exact: p has 24 bits, and 2^32 p is below 2^32.
            threshold: (f64::from(self.p) * 4_294_967_296.0) as u32,
            scale: 1.0 / (1.0 - self.p),
            accumulate: u32::from(accumulate),
        };
        plan.dispatch(
            DropoutApply {
                params,
                step,
                input,
                output,
            },
            Grid::Rows(self.elements),
        )
    }
}

/// Drops a share of the numbers during training, and scales up the rest (Srivastava et al. 2014).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share.
    pub share: f32,
}

impl Dropout {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> DropoutPass {
        DropoutPass {
            p: self.share,
            layer: pass.number() as u32,
            elements: pass.extent().size(),
            lanes: pass.lanes(),
        }
    }
}

impl Layer for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        match (0.0..1.0).contains(&self.share) {
            true => Ok(inputs[0]),
            false => Err(format!("a share of {} is outside [0, 1)", self.share)),
        }
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        (self.pass(pass)).forward(plan, pass.step(), pass.input(0)?, pass.output())
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        if pass.mode() == Mode::Evaluate {
            return pass.pass_on(plan, 0, pass.delta());
        }
        match pass.sink(0)? {
            Some(Sink { view, accumulate }) => {
                let (step, delta) = (pass.step(), pass.delta());
                (self.pass(pass)).backward(plan, step, delta, view, accumulate)
            }
            None => Ok(()),
        }
    }

    fn is_alias(&self, mode: Mode) -> bool {
        mode == Mode::Evaluate
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Identity)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Identity
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Dropout { share: 0.3 })]
}
