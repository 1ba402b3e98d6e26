//! Small models to run rounds on: random topology, weights and activations.

use rootlet::engine::{
    Buffer, Class, Device, DeviceOptions, DispatchTime, KernelCheck, Plan, Program, STEP_WORDS,
    StepState,
};
use rootlet::optim::{Numbers, Optimiser, OptimiserState, Sgd};
use rootlet::sparse::{Arena, Holds, LayerState, Window};
use rootlet::topology::{
    Method, Observed, Observes, Round, RoundOptions, RoundReport, Scope, StepPass,
};

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

/// A world on a device, with a round to run on it.
pub struct Rig {
    pub device: Device,
    pub arena: Arena,
    pub round: Round,
    step: Buffer,
    activations: Vec<Buffer>,
    deltas: Vec<Buffer>,
    statistics: Program,
    scores: Program,
}

impl Rig {
    pub fn new(
        device: Device,
        world: &World,
        method: &dyn Method,
        scope: Scope,
        gamma: f64,
    ) -> Self {
        Self::with_tile(device, world, method, scope, gamma, None)
    }

    pub fn with_tile(
        device: Device,
        world: &World,
        method: &dyn Method,
        scope: Scope,
        gamma: f64,
        tile: Option<usize>,
    ) -> Self {
        Self::with(device, world, method, scope, gamma, |options| {
            options.tile = tile
        })
    }

    /// With other options than the default ones.
    pub fn with(
        device: Device,
        world: &World,
        method: &dyn Method,
        scope: Scope,
        gamma: f64,
        change: impl FnOnce(&mut RoundOptions),
    ) -> Self {
        let arena = arena(&device, &world.layers);
        let put = |values: &[Vec<f32>]| -> Vec<Buffer> {
            values.iter().map(|v| upload_f32(&device, v)).collect()
        };
        let activations = put(&world.activations);
        let deltas = put(&world.deltas);
        let step = device.buffer("step", Class::Scratch, STEP_WORDS).unwrap();
        let mut options = RoundOptions {
            scope,
            gamma,
            distinct: false,
            lanes: world.lanes,
            step: step.all(),
            windows: world.windows.clone(),
            tile: None,
        };
        change(&mut options);
        let round = Round::new(&device, &arena, method, options).unwrap();
        let mut statistics = Plan::new("statistics");
        let mut scores = Plan::new("scores");
        for (plan, observes) in [
            (&mut statistics, Observes::Statistics),
            (&mut scores, Observes::Scores),
        ] {
            round.begin_pass(plan, observes).unwrap();
            // As in a backward pass, from the last layer to the first.
            for layer in (0..world.layers.len()).rev() {
                let observed = Observed {
                    arena: &arena,
                    layer,
                    activation: activations[layer].all(),
                    delta: deltas[layer].all(),
                    accumulate: false,
                };
                round.observe(plan, observes, observed).unwrap();
            }
        }
        Rig {
            statistics: device.prepare(&statistics).unwrap(),
            scores: device.prepare(&scores).unwrap(),
            device,
            arena,
            round,
            step,
            activations,
            deltas,
        }
    }

    /// A round that observes the world: `observe` runs the program of a pass.
    fn run_by(
        &mut self,
        alpha_t: f64,
        filter: Option<&str>,
        mut observe: impl FnMut(&Device, &Program, StepPass),
    ) -> (RoundReport, Vec<KernelCheck>) {
        let mut running = self.round.begin(&self.device, alpha_t, filter).unwrap();
        while let Some(pass) = running.next_pass().unwrap() {
            let program = match pass.observes {
                Observes::Statistics => &self.statistics,
                _ => &self.scores,
            };
            observe(&self.device, program, pass);
        }
        running.finish().unwrap()
    }

    /// A round that observes the world.
    pub fn run(&mut self, alpha_t: f64) -> RoundReport {
        let observe = |device: &Device, program: &Program, _| device.run(program).unwrap();
        self.run_by(alpha_t, None, observe).0
    }

    /// The same; gives the time of each dispatch in the pass that scores.
    pub fn run_timed(&mut self, alpha_t: f64) -> Vec<DispatchTime> {
        let mut times = Vec::new();
        self.run_by(alpha_t, None, |device, program, pass| {
            let found = device.run_timed(program).unwrap();
            if pass.observes == Observes::Scores {
                times = found;
            }
        });
        times
    }

    /// The same, with every kernel also on its twin.
    pub fn run_checked(&mut self, alpha_t: f64) -> Vec<KernelCheck> {
        let mut within = Vec::new();
        let (_, mut checks) = self.run_by(alpha_t, Some(""), |device, program, _| {
            within.extend(device.run_checked(program, "").unwrap());
        });
        checks.extend(within);
        checks
    }

    /// Uploads a step's number and the world's activations and deltas.
    pub fn set(&self, world: &World, step: u32) {
        let words: [u32; STEP_WORDS] =
            bytemuck::cast(StepState::whole(world.seed, step, world.count, 0.0));
        let state = self.step.range(0..STEP_WORDS);
        self.device.upload(&state, &words).unwrap();
        for (buffers, values) in [
            (&self.activations, &world.activations),
            (&self.deltas, &world.deltas),
        ] {
            for (buffer, values) in buffers.iter().zip(values) {
                let view = buffer.range(0..values.len());
                self.device.upload(&view, values).unwrap();
            }
        }
    }

    pub fn export(&self) -> Vec<LayerState> {
        self.arena.export(&self.device).unwrap()
    }

    /// The arena's invariants, including the transposed order.
    pub fn check_arena(&self) {
        let a = &self.arena;
        let get =
            |b: &Buffer, n: usize| -> Vec<u32> { self.device.download(&b.range(0..n)).unwrap() };
        let n = a.connections();
        let (rows, cols) = (get(a.rows(), n), get(a.cols(), n));
        let pairs: Vec<(u32, u32)> = rows.iter().copied().zip(cols.iter().copied()).collect();
        assert!(pairs.windows(2).all(|p| p[0] < p[1]), "sorted and distinct");
        for (&(row, col), l) in pairs.iter().zip(layer_of(a, &rows)) {
            let span = a.spans()[l];
            assert!((row as usize) < span.first_row + span.n_out);
            let own = span.first_col..span.first_col + span.n_in;
            assert!(
                own.contains(&(col as usize)),
                "columns of the row's own layer"
            );
        }
        let expected = |keys: &[u32], units: usize| -> Vec<u32> {
            (0..=units as u32)
                .map(|u| keys.iter().filter(|&&k| k < u).count() as u32)
                .collect()
        };
        assert_eq!(
            get(a.row_offsets(), a.n_rows() + 1),
            expected(&rows, a.n_rows())
        );
        assert_eq!(
            get(a.col_offsets(), a.n_cols() + 1),
            expected(&cols, a.n_cols())
        );
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&j| (cols[j as usize], rows[j as usize]));
        assert_eq!(get(a.order(), n), order);
        let order_rows: Vec<u32> = order.iter().map(|&j| rows[j as usize]).collect();
        assert_eq!(get(a.order_rows(), n), order_rows);
    }
}

fn layer_of(arena: &Arena, rows: &[u32]) -> Vec<usize> {
    rows.iter()
        .map(|&r| {
            let spans = arena.spans().iter();
            spans.filter(|s| s.first_row <= r as usize).count() - 1
        })
        .collect()
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
