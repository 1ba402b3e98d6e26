//! One product of one layer through a window: its data, and running it on a device.

use rootlet::engine::{Class, Device, Plan};
use rootlet::layer::SparsePass;
use rootlet::sparse::{Arena, LayerState, Window};

use crate::common::Random;
use crate::oracle::{self, Sum};

/// Which product, and its switch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Product {
    Forward { relu: bool },
    Backward { accumulate: bool, mask: bool },
}

impl Product {
    /// Those that every window allows.
    pub const ALL: [Product; 4] = [
        Product::Forward { relu: false },
        Product::Forward { relu: true },
        Product::Backward {
            accumulate: false,
            mask: false,
        },
        Product::Backward {
            accumulate: true,
            mask: false,
        },
    ];
}

/// A layer through a window, in an arena after another layer.
pub struct Problem {
    pub window: Window,
    pub channels: usize,
    pub rows: usize,
    /// Size of the batch; the lanes from here on are padding.
    pub batch: usize,
    /// `(output channel, column, weight)` in rising order.
    pub connections: Vec<(u32, u32, f32)>,
    pub bias: Vec<f32>,
    /// `[channels][input positions][lanes]`, garbage in the padding lanes.
    pub input: Vec<f32>,
    /// `[rows][output positions][lanes]`, zero in the padding lanes.
    pub delta: Vec<f32>,
    /// The earlier content of the input gradient; zero in the padding lanes.
    pub before: Vec<f32>,
}

/// Words of noise before the view and after the last word that a kernel owns.
const MARGIN: usize = 64;

impl Problem {
    /// Has each `(row, column)` that `active` names.
    pub fn new(
        random: &mut Random,
        window: Window,
        [channels, rows]: [usize; 2],
        batch: usize,
        active: impl Fn(&mut Random, u32, u32) -> bool,
    ) -> Self {
        let mut connections = Vec::new();
        for row in 0..rows as u32 {
            for col in 0..(channels * window.taps()) as u32 {
                if active(random, row, col) {
                    connections.push((row, col, random.real()));
                }
            }
        }
        Self::of_connections(random, window, [channels, rows], batch, connections)
    }

    pub fn of_connections(
        random: &mut Random,
        window: Window,
        [channels, rows]: [usize; 2],
        batch: usize,
        connections: Vec<(u32, u32, f32)>,
    ) -> Self {
        let lanes = batch.next_multiple_of(4);
        let mut cleared = |words: usize| {
            let mut reals = random.reals(words);
            for row in reals.chunks_mut(lanes) {
                row[batch..].fill(0.0);
            }
            reals
        };
        let before = cleared(channels * window.input_positions() * lanes);
        let delta = cleared(rows * window.output_positions() * lanes);
        let mut input = random.reals(before.len());
        for (i, row) in input.chunks_mut(lanes).enumerate() {
            row[batch..].fill(3e30);
            // Values that a ReLU cut off: a mask must cut there, including at minus zero.
            row[i % batch] = if i % 2 == 0 { 0.0 } else { -0.0 };
        }
        Problem {
            window,
            channels,
            rows,
            batch,
            connections,
            bias: random.reals(rows),
            input,
            delta,
            before,
        }
    }

    pub fn lanes(&self) -> usize {
        self.batch.next_multiple_of(4)
    }

    pub fn name(&self, product: Product) -> String {
        format!(
            "{product:?} of {} to {} channels, batch {}, {:?}",
            self.channels, self.rows, self.batch, self.window
        )
    }

    /// The arena: a small layer, then this one.
    pub fn arena(&self, device: &Device) -> (Arena, SparsePass) {
        let pairs: Vec<_> = self.connections.iter().map(|c| (c.0, c.1)).collect();
        let n_in = self.channels * self.window.taps();
        let mut state = LayerState::from_pairs(n_in, self.rows, &pairs);
        state.values = self.connections.iter().map(|c| c.2).collect();
        state.bias = self.bias.clone();
        let mut first = LayerState::from_pairs(3, 2, &[(0, 1), (1, 0), (1, 2)]);
        first.values.fill(f32::NAN);
        let arena = Arena::new(device, &[first, state]).unwrap();
        let layer = SparsePass {
            span: arena.spans()[1],
            window: self.window,
            lanes: self.lanes(),
            bias: true,
            relu: false,
        };
        (arena, layer)
    }

    /// Runs the product on a buffer of noise, with the twin beside it, and returns what it wrote.
    ///
    /// # Panics
    /// The kernel differs from its twin, or wrote outside the words it owns.
    pub fn solve(&self, device: &Device, product: Product, what: &str) -> Vec<f32> {
        let what = format!("{what}, {}", self.name(product));
        let (arena, layer) = self.arena(device);
        let length = match product {
            Product::Forward { .. } => self.delta.len(),
            Product::Backward { .. } => self.before.len(),
        };
        let mut words = Random(7).noise(MARGIN + length + MARGIN);
        if let Product::Backward {
            accumulate: true, ..
        } = product
        {
            words[MARGIN..MARGIN + length].copy_from_slice(bytemuck::cast_slice(&self.before));
        }
        let output = device
            .buffer_with("output", Class::Scratch, &words)
            .unwrap();
        let view = output.range(MARGIN..MARGIN + length);
        let activations = |label, data: &Vec<f32>| {
            let buffer = device.buffer_with(label, Class::Activations, data);
            buffer.unwrap().all()
        };
        let input = activations("input", &self.input);
        let delta = activations("delta", &self.delta);
        let mut plan = Plan::new("test");
        match product {
            Product::Forward { relu } => SparsePass { relu, ..layer }
                .forward(&mut plan, &arena, input, view)
                .unwrap(),
            Product::Backward { accumulate, mask } => layer
                .backward(
                    &mut plan,
                    &arena,
                    delta,
                    mask.then_some(input),
                    view,
                    accumulate,
                )
                .unwrap(),
        }
        let program = device.prepare(&plan).unwrap();
        for check in device.run_checked(&program, "").unwrap() {
            check.verdict().unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        let found: Vec<u32> = device.download(&output.all()).unwrap();
        for (i, (word, before)) in found.iter().zip(&words).enumerate() {
            assert!(
                (MARGIN..MARGIN + length).contains(&i) || word == before,
                "{what}: word {i} of {} outside the view was written",
                found.len()
            );
        }
        found[MARGIN..MARGIN + length]
            .iter()
            .map(|w| f32::from_bits(*w))
            .collect()
    }

    /// Asserts that what a device computes is what the oracle says.
    #[track_caller]
    pub fn assert_close(&self, device: &Device, product: Product, what: &str) {
        let found = self.solve(device, product, what);
        self.assert_found(&found, &oracle::solve(self, product), product, what);
    }

    #[track_caller]
    pub fn assert_found(&self, found: &[f32], expected: &[Sum], product: Product, what: &str) {
        assert_eq!(found.len(), expected.len());
        for (i, (found, sum)) in found.iter().zip(expected).enumerate() {
            let close = (f64::from(*found) - sum.value).abs() <= sum.bound();
            assert!(
                close || (found.is_nan() && sum.value.is_nan()),
                "{what}, {}: element {i} is {found}, not {} ± {:.1e}",
                self.name(product),
                sum.value,
                sum.bound()
            );
        }
    }
}
