//! One product of one layer of an arena: its data, and running it on a device.

use std::ops::Range;

use rootlet::engine::{Class, Device, Plan};
use rootlet::sparse::{
    Arena, LayerState, Sddmm, SddmmParams, Spmm, SpmmParams, SpmmTransposed, SpmmTransposedParams,
};

use crate::common::Random;

/// A connection: output unit, input unit, weight.
pub type Triplet = (u32, u32, f32);

/// A layer as a list of connections in rising order.
#[derive(Clone)]
pub struct Layer {
    pub n_in: usize,
    pub n_out: usize,
    pub triplets: Vec<Triplet>,
    pub bias: Vec<f32>,
}

impl Layer {
    /// Has each pair that `active` names.
    pub fn new(
        random: &mut Random,
        n_in: usize,
        n_out: usize,
        active: impl Fn(&mut Random, u32, u32) -> bool,
    ) -> Self {
        let mut triplets = Vec::new();
        for b in 0..n_out as u32 {
            for a in 0..n_in as u32 {
                if active(random, b, a) {
                    triplets.push((b, a, random.real()));
                }
            }
        }
        let bias = random.reals(n_out);
        Layer {
            n_in,
            n_out,
            triplets,
            bias,
        }
    }

    fn state(&self) -> LayerState {
        let pairs: Vec<(u32, u32)> = self.triplets.iter().map(|t| (t.0, t.1)).collect();
        let mut state = LayerState::from_pairs(self.n_in, self.n_out, &pairs);
        state.values = self.triplets.iter().map(|t| t.2).collect();
        state.bias = self.bias.clone();
        state
    }
}

/// Which kernel, and its switch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Product {
    Spmm { relu: bool },
    Transposed { relu: bool },
    Sddmm,
}

impl Product {
    pub const ALL: [Product; 5] = [
        Product::Spmm { relu: false },
        Product::Spmm { relu: true },
        Product::Transposed { relu: false },
        Product::Transposed { relu: true },
        Product::Sddmm,
    ];
}

/// A product of layer `layer` of an arena of `layers`.
pub struct Problem<'a> {
    pub layers: &'a [Layer],
    pub layer: usize,
    pub lanes: usize,
    pub product: Product,
    /// `[n_in][lanes]`: the layer's input; for the transposed product, the activation that masks.
    pub input: Vec<f32>,
    /// `[n_out][lanes]`.
    pub delta: Vec<f32>,
}

/// Words of noise before the view and after the last word that a kernel owns.
const MARGIN: usize = 64;

impl<'a> Problem<'a> {
    pub fn new(
        random: &mut Random,
        layers: &'a [Layer],
        layer: usize,
        lanes: usize,
        product: Product,
    ) -> Self {
        let size = &layers[layer];
        let mut input = random.reals(size.n_in * lanes);
        // An activation is exactly zero where its ReLU cut it off; the mask must cut there, including at minus zero.
        for (i, x) in input.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
            *x = if i % 2 == 0 { 0.0 } else { -0.0 };
        }
        Problem {
            layers,
            layer,
            lanes,
            product,
            input,
            delta: random.reals(size.n_out * lanes),
        }
    }

    pub fn layer(&self) -> &'a Layer {
        &self.layers[self.layer]
    }

    /// The words of the output buffer that the kernel owns: for a gradient, those of the layer's connections.
    pub fn owned(&self) -> Range<usize> {
        let layer = self.layer();
        let before = |part: fn(&Layer) -> usize| -> usize {
            self.layers[..self.layer].iter().map(part).sum()
        };
        let (first, words) = match self.product {
            Product::Spmm { .. } => (0, layer.n_out * self.lanes),
            Product::Transposed { .. } => (0, layer.n_in * self.lanes),
            Product::Sddmm => (before(|l| l.triplets.len()), layer.triplets.len()),
        };
        MARGIN + first..MARGIN + first + words
    }

    /// Runs the kernel on a buffer of noise, with its twin beside it, and returns the words that the kernel owns.
    ///
    /// # Panics
    /// The kernel differs from its twin, or wrote outside the words it owns.
    pub fn solve(&self, device: &Device, what: &str) -> Vec<f32> {
        let states: Vec<LayerState> = self.layers.iter().map(Layer::state).collect();
        let arena = Arena::new(device, &states).unwrap();
        let owned = self.owned();
        let all = self.layers.iter().map(|l| l.triplets.len()).sum::<usize>();
        let length = match self.product {
            Product::Sddmm => MARGIN + all + MARGIN,
            _ => owned.end + MARGIN,
        };
        let noise = Random(7).noise(length.next_multiple_of(4));
        let output = device
            .buffer_with("output", Class::Scratch, &noise)
            .unwrap();
        let plan = self.plan(device, &arena, &output);
        let program = device.prepare(&plan).unwrap();
        for check in device.run_checked(&program, "").unwrap() {
            check
                .verdict()
                .unwrap_or_else(|e| panic!("{what}, {}: {e}", self.name()));
        }
        let words: Vec<u32> = device.download(&output.all()).unwrap();
        for (i, (word, noise)) in words.iter().zip(&noise).enumerate() {
            assert!(
                owned.contains(&i) || word == noise,
                "{what}, {}: word {i} outside {owned:?} was written",
                self.name()
            );
        }
        words[owned].iter().map(|w| f32::from_bits(*w)).collect()
    }

    pub fn name(&self) -> String {
        let layer = self.layer();
        format!(
            "{:?} of layer {} ({} to {}), lanes {}",
            self.product, self.layer, layer.n_in, layer.n_out, self.lanes
        )
    }

    fn plan(&self, device: &Device, arena: &Arena, output: &rootlet::engine::Buffer) -> Plan {
        let span = arena.spans()[self.layer];
        let activations = |label, data| device.buffer_with(label, Class::Activations, data);
        let input = activations("input", &self.input).unwrap().all();
        let delta = activations("delta", &self.delta).unwrap().all();
        let output = output.range(MARGIN..output.words());
        let mut plan = Plan::new("test");
        match self.product {
            Product::Spmm { relu } => {
                let params = SpmmParams::of_layer(&span, self.lanes, relu);
                let kernel = Spmm {
                    params,
                    row_offsets: arena.row_offsets().all(),
                    cols: arena.cols().all(),
                    weights: arena.weights().all(),
                    bias: arena.bias().all(),
                    input,
                    output,
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            }
            Product::Transposed { relu } => {
                let params = SpmmTransposedParams::of_layer(&span, self.lanes, relu, false);
                let kernel = SpmmTransposed {
                    params,
                    col_offsets: arena.col_offsets().all(),
                    order: arena.order().all(),
                    order_rows: arena.order_rows().all(),
                    weights: arena.weights().all(),
                    delta,
                    activation: input,
                    output,
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            }
            Product::Sddmm => {
                let params = SddmmParams::new(&span, self.lanes, false);
                let kernel = Sddmm {
                    params,
                    row_offsets: arena.row_offsets().all(),
                    cols: arena.cols().all(),
                    input,
                    delta,
                    output,
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            }
        }
        plan
    }
}
