//! Small models to run rounds on: random topology, weights and activations.

use rootlet::engine::{Buffer, Class, Device, DeviceOptions};
use rootlet::optim::{Numbers, Optimiser, OptimiserState, Sgd};
use rootlet::sparse::{Arena, Holds, LayerState, Window};

/// A small generator (SplitMix64) that is independent of what is tested.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }

    pub fn words(&mut self, n: usize) -> Vec<u32> {
        (0..n).map(|_| self.next() as u32).collect()
    }

    /// Integers from `-range` to `range`: their sums and products are exact in f32.
    pub fn integers(&mut self, n: usize, range: u64) -> Vec<f32> {
        (0..n)
            .map(|_| self.below(2 * range + 1) as f32 - range as f32)
            .collect()
    }
}

/// The CPU executor.
pub fn cpu() -> Device {
    Device::cpu(2).unwrap()
}

/// A wgpu adapter, at exactly WebGPU's default limits: lavapipe, or the one named by ROOTLET_TEST_ADAPTER.
pub fn gpu() -> Device {
    let name = std::env::var("ROOTLET_TEST_ADAPTER").unwrap_or_else(|_| "llvmpipe".into());
    let options = DeviceOptions {
        default_limits: true,
        ..DeviceOptions::default()
    };
    Device::open(&name, &options).unwrap()
}

pub fn upload_u32(device: &Device, words: &[u32]) -> Buffer {
    device.buffer_with("test", Class::Scratch, words).unwrap()
}

pub fn upload_f32(device: &Device, words: &[f32]) -> Buffer {
    device.buffer_with("test", Class::Scratch, words).unwrap()
}

/// A layer and how many connections it has.
#[derive(Clone, Copy)]
pub struct Shape {
    pub n_in: usize,
    pub n_out: usize,
    pub active: usize,
}

pub fn shape(n_in: usize, n_out: usize, active: usize) -> Shape {
    Shape {
        n_in,
        n_out,
        active,
    }
}

/// Host copies of everything that a round reads.
#[derive(Clone)]
pub struct World {
    pub layers: Vec<LayerState>,
    pub lanes: usize,
    pub count: usize,
    pub seed: u32,
    /// By layer.
    pub windows: Vec<Window>,
    /// For each layer `[channels][input positions][lanes]`; padding lanes hold garbage.
    pub activations: Vec<Vec<f32>>,
    /// By layer `[n_out][output positions][lanes]`; padding lanes are zero.
    pub deltas: Vec<Vec<f32>>,
}

impl World {
    pub fn new(shapes: &[Shape], count: usize, seed: u64) -> Self {
        let windows = vec![Window::pointwise([1, 1]); shapes.len()];
        Self::with_windows(shapes, windows, count, seed)
    }

    /// With convolutions: `n_in` are whole kernels.
    pub fn with_windows(shapes: &[Shape], windows: Vec<Window>, count: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let lanes = count.next_multiple_of(4);
        let layers = shapes.iter().map(|&s| layer(s, &mut random)).collect();
        let layers_of = || shapes.iter().zip(&windows);
        let activations = layers_of()
            .map(|(s, w)| {
                let channels = s.n_in / w.taps();
                random.integers(channels * w.input_positions() * lanes, 3)
            })
            .collect();
        let deltas = layers_of()
            .map(|(s, w)| {
                let mut delta = random.integers(s.n_out * w.output_positions() * lanes, 3);
                delta
                    .chunks_mut(lanes)
                    .for_each(|row| row[count..].fill(0.0));
                delta
            })
            .collect();
        World {
            layers,
            lanes,
            count,
            seed: seed as u32,
            windows,
            activations,
            deltas,
        }
    }

    /// g of a pair, exactly.
    pub fn gradient(&self, layer: usize, row: usize, col: usize) -> f64 {
        let w = &self.windows[layer];
        let [height, width] = w.input;
        let (channel, tap) = (col / w.taps(), col % w.taps());
        let (ky, kx) = (tap / w.kernel[1], tap % w.kernel[1]);
        let members = |values: &[f32], position: usize| -> Vec<f64> {
            let members = &values[position * self.lanes..][..self.count];
            members.iter().map(|&v| f64::from(v)).collect()
        };
        let mut sum = 0.0;
        for position in 0..w.output_positions() {
            let (oy, ox) = (position / w.output[1], position % w.output[1]);
            let y = (oy * w.stride[0] + ky).checked_sub(w.padding[0]);
            let x = (ox * w.stride[1] + kx).checked_sub(w.padding[1]);
            let (Some(y), Some(x)) = (y.filter(|&y| y < height), x.filter(|&x| x < width)) else {
                continue;
            };
            let h = members(&self.activations[layer], (channel * height + y) * width + x);
            let d = members(&self.deltas[layer], row * w.output_positions() + position);
            sum += h.iter().zip(d).map(|(h, d)| h * d).sum::<f64>();
        }
        sum
    }
}

/// The state that SGD keeps.
pub const MOMENTUM: &str = "momentum";

/// An arena with SGD's momentum.
pub fn arena(device: &Device, layers: &[LayerState]) -> Arena {
    let holds = Holds::all(Sgd::PLAIN.state());
    Arena::with(device, layers, Class::Connections, holds).unwrap()
}

/// Random pairs without replacement; weights of few distinct values, so that magnitudes tie.
fn layer(shape: Shape, random: &mut Random) -> LayerState {
    let mut pairs: Vec<(u32, u32)> = (0..shape.n_out as u32)
        .flat_map(|b| (0..shape.n_in as u32).map(move |a| (b, a)))
        .collect();
    for i in 0..shape.active {
        let j = i + random.below((pairs.len() - i) as u64) as usize;
        pairs.swap(i, j);
    }
    pairs.truncate(shape.active);
    pairs.sort();
    let mut layer = LayerState::from_pairs(shape.n_in, shape.n_out, &pairs);
    for value in &mut layer.values {
        *value = (random.below(41) as f32 - 20.0) / 16.0;
    }
    // Any bits at all: subnormals and NaN must be preserved too.
    let momentum = (0..shape.active).map(|_| f32::from_bits(random.next() as u32));
    layer.state = OptimiserState::of([(MOMENTUM.into(), Numbers::F32(momentum.collect()))]);
    layer
}

/// Equal to the bit, NaN included.
pub fn assert_same(a: &[LayerState], b: &[LayerState]) {
    let bits = |v: &[f32]| -> Vec<u32> { v.iter().map(|x| x.to_bits()).collect() };
    assert_eq!(a.len(), b.len());
    for (l, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.crow_indices, b.crow_indices, "layer {l}");
        assert_eq!(a.col_indices, b.col_indices, "layer {l}");
        assert_eq!(bits(&a.values), bits(&b.values), "layer {l}");
        let [own, other] = [a, b].map(|layer| bits(layer.state.f32(MOMENTUM)));
        assert_eq!(own, other, "layer {l}");
        assert_eq!(bits(&a.bias), bits(&b.bias), "layer {l}");
    }
}
