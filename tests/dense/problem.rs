//! One product of one full layer through a window: its data, and running it on a device.

use rootlet::dense::{
    DenseForward, DenseForwardParams, DenseGradient, DenseGradientParams, DenseTransposed,
    DenseTransposedParams,
};
use rootlet::engine::{Buffer, Class, Device, Plan, View};
use rootlet::sparse::{LayerSpan, Window};

use crate::common::Random;
use crate::oracle;

/// Which product, and its switches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Product {
    Forward { relu: bool },
    Transposed { accumulate: bool, mask: bool },
    Gradient { accumulate: bool },
}

impl Product {
    pub const ALL: [Product; 8] = [
        Product::Forward { relu: false },
        Product::Forward { relu: true },
        Product::transposed(false, false),
        Product::transposed(true, false),
        Product::transposed(false, true),
        Product::transposed(true, true),
        Product::Gradient { accumulate: false },
        Product::Gradient { accumulate: true },
    ];

    const fn transposed(accumulate: bool, mask: bool) -> Self {
        Product::Transposed { accumulate, mask }
    }

    pub fn accumulates(self) -> bool {
        match self {
            Product::Forward { .. } => false,
            Product::Transposed { accumulate, .. } | Product::Gradient { accumulate } => accumulate,
        }
    }
}

/// A full layer through a window, after others in an arena.
pub struct Problem {
    pub window: Window,
    pub channels: usize,
    pub rows: usize,
    /// Size of the batch; the lanes from here on are padding.
    pub batch: usize,
    /// `[rows][channels][taps]`.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    /// `[channels][input positions][lanes]`, garbage in the padding lanes.
    pub input: Vec<f32>,
    /// `[rows][output positions][lanes]`, zero in the padding lanes.
    pub delta: Vec<f32>,
    /// The earlier content of the input gradient; zero in the padding lanes.
    pub input_before: Vec<f32>,
    /// The earlier content of the weight gradient.
    pub weights_before: Vec<f32>,
}

/// Words of noise before the view and after the last word that a kernel owns.
const MARGIN: usize = 64;

/// Connections of the layers before this one.
const FIRST_WEIGHT: usize = 77;

/// Their rows.
const FIRST_ROW: usize = 5;

impl Problem {
    pub fn new(
        random: &mut Random,
        window: Window,
        [channels, rows]: [usize; 2],
        batch: usize,
    ) -> Self {
        let lanes = batch.next_multiple_of(4);
        let mut cleared = |words: usize| {
            let mut reals = random.reals(words);
            for row in reals.chunks_mut(lanes) {
                row[batch..].fill(0.0);
            }
            reals
        };
        let input_before = cleared(channels * window.input_positions() * lanes);
        let delta = cleared(rows * window.output_positions() * lanes);
        let mut input = random.reals(input_before.len());
        for (i, row) in input.chunks_mut(lanes).enumerate() {
            row[batch..].fill(3e30);
            // Values that a ReLU cut off: a mask must cut there, including at minus zero.
            row[i % batch] = if i % 2 == 0 { 0.0 } else { -0.0 };
        }
        let weights = rows * channels * window.taps();
        Problem {
            window,
            channels,
            rows,
            batch,
            weights: random.reals(weights),
            bias: random.reals(rows),
            input,
            delta,
            input_before,
            weights_before: random.reals(weights),
        }
    }

    pub fn lanes(&self) -> usize {
        self.batch.next_multiple_of(4)
    }

    /// Words that a product writes.
    pub fn words(&self, product: Product) -> usize {
        match product {
            Product::Forward { .. } => self.delta.len(),
            Product::Transposed { .. } => self.input.len(),
            Product::Gradient { .. } => self.weights.len(),
        }
    }

    /// The earlier content where a product writes.
    pub fn before(&self, product: Product) -> &[f32] {
        match product {
            Product::Gradient { .. } => &self.weights_before,
            _ => &self.input_before,
        }
    }

    pub fn span(&self) -> LayerSpan {
        LayerSpan {
            n_in: self.channels * self.window.taps(),
            n_out: self.rows,
            first_col: 9,
            first_row: FIRST_ROW,
        }
    }

    fn plan(&self, device: &Device, product: Product, output: View) -> Plan {
        let (span, window, lanes) = (&self.span(), &self.window, self.lanes());
        let behind = |words: usize, values: &[f32]| [&vec![f32::NAN; words], values].concat();
        let buffer = |label: &str, data: &[f32]| -> Buffer {
            device.buffer_with(label, Class::Scratch, data).unwrap()
        };
        let weights = buffer("weights", &behind(FIRST_WEIGHT, &self.weights)).all();
        let input = buffer("input", &self.input).all();
        let delta = buffer("delta", &self.delta).all();
        let mut plan = Plan::new("test");
        match product {
            Product::Forward { relu } => {
                let params =
                    DenseForwardParams::of_layer(span, window, lanes, FIRST_WEIGHT, relu).unwrap();
                let bias = buffer("bias", &behind(FIRST_ROW, &self.bias)).all();
                let kernel = DenseForward {
                    params,
                    weights,
                    bias,
                    input,
                    output,
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            }
            Product::Transposed { accumulate, mask } => {
                let params = DenseTransposedParams::of_layer(
                    span,
                    window,
                    lanes,
                    FIRST_WEIGHT,
                    mask,
                    accumulate,
                )
                .unwrap();
                let kernel = DenseTransposed {
                    params,
                    weights,
                    delta,
                    activation: input,
                    output,
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            }
            Product::Gradient { accumulate } => {
                let params =
                    DenseGradientParams::of_layer(span, window, lanes, FIRST_WEIGHT, accumulate)
                        .unwrap();
                let kernel = DenseGradient {
                    params,
                    input,
                    delta,
                    output,
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            }
        }
        plan
    }

    /// What a device computes, bit for bit.
    pub fn solve(&self, device: &Device, product: Product) -> Vec<u32> {
        let words = FIRST_WEIGHT + self.words(product) + MARGIN;
        let output = device.buffer("output", Class::Scratch, words).unwrap();
        let program = device.prepare(&self.plan(device, product, output.all()));
        device.run(&program.unwrap()).unwrap();
        device.download(&output.all()).unwrap()
    }

    /// Asserts that what a device computes, on a buffer of noise and with the twin beside it, equals the oracle's
    /// result, and that nothing else is written.
    #[track_caller]
    pub fn assert_close(&self, device: &Device, product: Product, what: &str) {
        let what = format!(
            "{what}, {product:?} of {} to {} channels, batch {}, {:?}",
            self.channels, self.rows, self.batch, self.window
        );
        let first = MARGIN
            + match product {
                Product::Gradient { .. } => FIRST_WEIGHT,
                _ => 0,
            };
        let owned = first..first + self.words(product);
        let mut words = Random(7).noise(owned.end + MARGIN);
        if product.accumulates() {
            words[owned.clone()].copy_from_slice(bytemuck::cast_slice(self.before(product)));
        }
        let output = device
            .buffer_with("output", Class::Scratch, &words)
            .unwrap();
        let plan = self.plan(device, product, output.range(MARGIN..output.words()));
        let program = device.prepare(&plan).unwrap();
        for check in device.run_checked(&program, "").unwrap() {
            check.verdict().unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        let found: Vec<u32> = device.download(&output.all()).unwrap();
        for (i, (word, before)) in found.iter().zip(&words).enumerate() {
            assert!(
                owned.contains(&i) || word == before,
                "{what}: word {i} outside {owned:?} was written",
            );
        }
        for (i, (word, sum)) in found[owned]
            .iter()
            .zip(oracle::solve(self, product))
            .enumerate()
        {
            let found = f32::from_bits(*word);
            let close = (f64::from(found) - sum.value).abs() <= sum.bound();
            assert!(
                close || (found.is_nan() && sum.value.is_nan()),
                "{what}: element {i} is {found}, not {} ± {:.1e}",
                sum.value,
                sum.bound()
            );
        }
    }
}
