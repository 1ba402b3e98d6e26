//! The pointwise product over layers with so many lanes that the twin tiles them and several workgroups share a row.

use rootlet::engine::{Class, Device, Plan};
use rootlet::sparse::{Arena, LayerState, PairGradients, Sddmm, SddmmParams, Window};

use crate::common::{Random, devices};

struct Wide {
    lanes: usize,
    layers: [LayerState; 2],
    input: Vec<f32>,
    delta: Vec<f32>,
}

impl Wide {
    /// Row 0 has all its pairs, row 1 none, and the others a third.
    fn new(random: &mut Random, n_in: usize, n_out: usize, lanes: usize) -> Self {
        let mut pairs = Vec::new();
        for b in 0..n_out as u32 {
            for a in 0..n_in as u32 {
                if b == 0 || (b > 1 && random.word().is_multiple_of(3)) {
                    pairs.push((b, a));
                }
            }
        }
        Wide {
            lanes,
            layers: [
                LayerState::from_pairs(3, 2, &[(0, 1), (1, 2)]),
                LayerState::from_pairs(n_in, n_out, &pairs),
            ],
            input: random.reals(n_in * lanes),
            delta: random.reals(n_out * lanes),
        }
    }

    /// For each pair, the product and the sum of its terms' magnitudes.
    fn expected(&self) -> Vec<[f64; 2]> {
        let row = |values: &'_ [f32], unit: u32| -> Vec<f64> {
            let row = &values[unit as usize * self.lanes..][..self.lanes];
            row.iter().map(|&x| f64::from(x)).collect()
        };
        let product = |(b, a)| {
            let (x, d) = (row(&self.input, a), row(&self.delta, b));
            let terms = x.iter().zip(&d).map(|(x, d)| x * d);
            [terms.clone().sum(), terms.map(f64::abs).sum()]
        };
        self.layers[1].pairs().map(product).collect()
    }

    fn solve(&self, device: &Device, accumulate: bool, what: &str) -> Vec<f32> {
        let arena = Arena::new(device, &self.layers).unwrap();
        let before = match accumulate {
            true => vec![0.25f32.to_bits(); arena.connections()],
            false => Random(1).noise(arena.connections()),
        };
        let activations = |data: &[f32]| device.buffer_with("x", Class::Activations, data).unwrap();
        let output = device.buffer_with("g", Class::Scratch, &before).unwrap();
        let params = SddmmParams::new(&arena.spans()[1], self.lanes, accumulate);
        let kernel = Sddmm {
            params,
            row_offsets: arena.row_offsets().all(),
            cols: arena.cols().all(),
            input: activations(&self.input).all(),
            delta: activations(&self.delta).all(),
            output: output.all(),
        };
        let mut plan = Plan::new("test");
        plan.dispatch(kernel, params.grid()).unwrap();
        let program = device.prepare(&plan).unwrap();
        for check in device.run_checked(&program, "").unwrap() {
            check.verdict().unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        let found: Vec<u32> = device.download(&output.all()).unwrap();
        assert_eq!(found[..2], before[..2], "{what}: another layer's");
        found[2..arena.connections()]
            .iter()
            .map(|w| f32::from_bits(*w))
            .collect()
    }
}

impl Wide {
    /// The gradients of the pairs, and of the biases of the rows, in one dispatch.
    fn solve_with_bias(&self, device: &Device, accumulate: bool, what: &str) -> [Vec<f32>; 2] {
        let arena = Arena::new(device, &self.layers).unwrap();
        let numbers = |n: usize| match accumulate {
            true => vec![0.25f32.to_bits(); n],
            false => Random(1).noise(n),
        };
        let buffer = |words: &[u32]| device.buffer_with("g", Class::Scratch, words).unwrap();
        let before = [numbers(arena.connections()), numbers(arena.n_rows())];
        let [output, bias] = before.each_ref().map(|words| buffer(words));
        let activations = |data: &[f32]| device.buffer_with("x", Class::Activations, data).unwrap();
        let gradients = PairGradients {
            span: arena.spans()[1],
            // As many positions as form a row with a batch of four.
            window: Window::pointwise([self.lanes / 4, 1]),
            lanes: 4,
            row_offsets: arena.row_offsets().all(),
            cols: arena.cols().all(),
            input: activations(&self.input).all(),
            delta: activations(&self.delta).all(),
            output: output.all(),
            accumulate,
        };
        let mut plan = Plan::new("test");
        gradients.record_with_bias(&mut plan, bias.all()).unwrap();
        let program = device.prepare(&plan).unwrap();
        for check in device.run_checked(&program, "").unwrap() {
            check.verdict().unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        let mut own = Vec::new();
        for (buffer, before) in [output, bias].iter().zip(&before) {
            let found: Vec<u32> = device.download(&buffer.all()).unwrap();
            // Two pairs, and two rows, of the layer before.
            assert_eq!(found[..2], before[..2], "{what}: another layer's");
            own.push(
                found[2..before.len()]
                    .iter()
                    .map(|w| f32::from_bits(*w))
                    .collect(),
            );
        }
        own.try_into().unwrap()
    }
}

fn wide(random: &mut Random) -> Vec<Wide> {
    vec![
        Wide::new(random, 90, 4, 1028),
        Wide::new(random, 13, 7, 2500),
        // Rows of more pairs than a row's workgroups take at a time.
        Wide::new(random, 600, 3, 1100),
        // Tiled by the twin, with a short last tile.
        Wide::new(random, 7, 5, 2 * 8192 + 20),
        Wide::new(random, 1, 1, 3 * 8192),
    ]
}

#[test]
fn gradients_of_wide_rows() {
    let wide = wide(&mut Random(1));
    let expected: Vec<Vec<[f64; 2]>> = wide.iter().map(Wide::expected).collect();
    for (name, device) in devices() {
        for (i, case) in wide.iter().enumerate() {
            for (accumulate, before) in [(false, 0.0), (true, 0.25)] {
                let found = case.solve(&device, accumulate, &name);
                assert_eq!(found.len(), expected[i].len());
                for (j, (found, [value, size])) in found.iter().zip(&expected[i]).enumerate() {
                    let bound = case.lanes as f64 * f64::from(f32::EPSILON) * (size + 1.0);
                    let error = (f64::from(*found) - value - before).abs();
                    assert!(
                        error <= bound,
                        "{name}, case {i}, pair {j}: {found}, not {value} + {before}"
                    );
                }
            }
        }
    }
}

#[test]
fn gradients_with_those_of_the_biases() {
    let mut cases = wide(&mut Random(3));
    // Fewer lanes than a workgroup has, and rows that do not fill a turn.
    cases.extend([4, 132].map(|lanes| Wide::new(&mut Random(4), 5, 3, lanes)));
    for (name, device) in devices() {
        for case in &cases {
            for (accumulate, before) in [(false, 0.0), (true, 0.25)] {
                let [pairs, bias] = case.solve_with_bias(&device, accumulate, &name);
                let rows = case.delta.chunks(case.lanes).map(|row| {
                    let terms = row.iter().map(|&d| f64::from(d));
                    [terms.clone().sum(), terms.map(f64::abs).sum()]
                });
                let expected = case.expected().into_iter().chain(rows);
                assert_eq!(pairs.len() + bias.len(), expected.clone().count());
                for (found, [value, size]) in pairs.iter().chain(&bias).zip(expected) {
                    let bound = case.lanes as f64 * f64::from(f32::EPSILON) * (size + 1.0);
                    let error = (f64::from(*found) - value - before).abs();
                    assert!(error <= bound, "{name}: {found}, not {value} + {before}");
                }
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let devices = [1, 2, 5].map(|threads| Device::cpu(threads).unwrap());
    for case in wide(&mut Random(2)) {
        let [one, two, five] = devices.each_ref().map(|device| -> Vec<u32> {
            let found = case.solve(device, false, "cpu");
            found.iter().map(|f| f.to_bits()).collect()
        });
        assert!(one == two && one == five);
    }
}
