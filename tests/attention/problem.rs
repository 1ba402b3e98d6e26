//! One attention layer with its data: running it on a device, forward and backward.

use rootlet::engine::{Buffer, Class, Device, Plan, STEP_WORDS, StepState, View};
use rootlet::layer::AttentionPass;

use crate::common::Random;
use crate::oracle::Sizes;

/// Words of noise before and after a buffer's view.
const MARGIN: usize = 64;

/// A buffer that kernels write into, with noise inside and around it.
pub struct Output {
    name: &'static str,
    buffer: Buffer,
    noise: Vec<u32>,
    words: usize,
}

impl Output {
    pub fn new(device: &Device, name: &'static str, words: usize) -> Self {
        let noise = Random(7).noise((MARGIN + words + MARGIN).next_multiple_of(4));
        Output {
            name,
            buffer: device.buffer_with(name, Class::Scratch, &noise).unwrap(),
            noise,
            words,
        }
    }

    pub fn view(&self) -> View {
        self.buffer.range(MARGIN..MARGIN + self.words)
    }

    /// The contents of the view, after checking that nothing around it has changed.
    pub fn read(&self, device: &Device, what: &str) -> Vec<f32> {
        let found: Vec<u32> = device.download(&self.buffer.all()).unwrap();
        let inside = MARGIN..MARGIN + self.words;
        for (i, (word, noise)) in found.iter().zip(&self.noise).enumerate() {
            assert!(
                inside.contains(&i) || word == noise,
                "{what}: word {i} outside {inside:?} of {} was written",
                self.name
            );
        }
        found[inside].iter().map(|w| f32::from_bits(*w)).collect()
    }
}

/// Runs every dispatch beside its twin.
pub fn run_checked(device: &Device, plan: &Plan, what: &str) {
    let program = device.prepare(plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        check.verdict().unwrap_or_else(|e| panic!("{what}: {e}"));
    }
}

/// A layer, its input and the gradient at its output, `[feature][token][lanes]`.
pub struct Problem {
    pub sizes: Sizes,
    pub count: usize,
    pub lanes: usize,
    pub fused: bool,
    pub qkv: Vec<f32>,
    pub delta: Vec<f32>,
}

/// The results of the layer.
pub struct Results {
    pub probabilities: Vec<f32>,
    pub output: Vec<f32>,
    pub delta_qkv: Vec<f32>,
}

impl Problem {
    /// Inputs are in ±`spread`, with garbage in the activation's padding and zeros in the gradient's.
    pub fn new(random: &mut Random, sizes: Sizes, count: usize, spread: f32) -> Self {
        let lanes = count.next_multiple_of(4);
        let mut qkv: Vec<f32> = random.reals(3 * sizes.output() * lanes);
        let mut delta: Vec<f32> = random.reals(sizes.output() * lanes);
        for (i, x) in qkv.iter_mut().enumerate() {
            // Rubbish whose products are infinite.
            *x *= if i % lanes < count { spread } else { 3e38 };
        }
        for (i, x) in delta.iter_mut().enumerate() {
            *x *= if i % lanes < count { 1.0 } else { 0.0 };
        }
        Problem {
            sizes,
            count,
            lanes,
            fused: false,
            qkv,
            delta,
        }
    }

    pub fn layer(&self) -> AttentionPass {
        AttentionPass {
            heads: self.sizes.heads,
            dim: self.sizes.dim,
            tokens: self.sizes.tokens,
            lanes: self.lanes,
            fused: self.fused,
        }
    }

    pub fn name(&self) -> String {
        format!(
            "{:?}, batch {}, fused {}",
            self.sizes, self.count, self.fused
        )
    }

    /// Forward and backward on a device, every kernel compared with its twin.
    pub fn solve(&self, device: &Device, what: &str) -> Results {
        let what = &format!("{what}, {}", self.name());
        let layer = self.layer();
        let state = StepState::whole(0, 0, self.count, 0.0);
        let words: [u32; STEP_WORDS] = bytemuck::cast(state);
        let step = device.buffer_with("step", Class::Data, &words).unwrap();
        let given = |label, data: &[f32]| {
            let buffer = device.buffer_with(label, Class::Activations, data);
            buffer.unwrap().all()
        };
        let (qkv, delta) = (given("qkv", &self.qkv), given("delta", &self.delta));
        let probabilities = Output::new(device, "probabilities", layer.probability_words());
        let output = Output::new(device, "output", layer.output_words());
        let scratch = Output::new(device, "scratch", layer.scratch_words());
        let delta_qkv = Output::new(device, "delta_qkv", layer.qkv_words());
        let mut plan = Plan::new("attention");
        layer
            .forward(
                &mut plan,
                step.all(),
                qkv.clone(),
                probabilities.view(),
                output.view(),
            )
            .unwrap();
        layer
            .backward(
                &mut plan,
                qkv,
                probabilities.view(),
                delta,
                scratch.view(),
                delta_qkv.view(),
            )
            .unwrap();
        run_checked(device, &plan, what);
        scratch.read(device, what);
        Results {
            probabilities: probabilities.read(device, what),
            output: output.read(device, what),
            delta_qkv: delta_qkv.read(device, what),
        }
    }

    /// One image of an array `[...][lanes]`.
    pub fn image(&self, data: &[f32], lane: usize) -> Vec<f64> {
        let lanes = data.iter().skip(lane).step_by(self.lanes);
        lanes.map(|x| f64::from(*x)).collect()
    }

    /// Asserts that the results equal the oracle's in the batch's lanes except `except`, and are zero in the padding.
    #[track_caller]
    pub fn assert_close(&self, found: &Results, except: Option<usize>, what: &str) {
        let what = &format!("{what}, {}", self.name());
        for lane in 0..self.lanes {
            let image = |data: &[f32]| self.image(data, lane);
            let found = [
                ("probabilities", image(&found.probabilities)),
                ("output", image(&found.output)),
                ("delta_qkv", image(&found.delta_qkv)),
            ];
            if Some(lane) == except {
                continue;
            }
            if lane >= self.count {
                for (name, found) in found {
                    let zero = found.iter().all(|x| *x == 0.0);
                    assert!(zero, "{what}: padding lane {lane} of {name}");
                }
                continue;
            }
            let qkv = image(&self.qkv);
            let expected = [
                self.sizes.probabilities(&qkv),
                self.sizes.forward(&qkv),
                self.sizes.backward(&qkv, &image(&self.delta)),
            ];
            // The relative error of an exponential is the absolute error of its argument.
            let tolerance = 4e-6 * self.sizes.largest_score(&qkv).max(1.0);
            for ((name, found), expected) in found.iter().zip(expected) {
                let scale = expected.iter().fold(1e-3, |m: f64, x| m.max(x.abs()));
                assert_eq!(found.len(), expected.len());
                for (i, (f, e)) in found.iter().zip(&expected).enumerate() {
                    assert!(
                        (f - e).abs() <= tolerance * scale,
                        "{what}: element {i}, lane {lane} of {name} is {f}, not {e}"
                    );
                }
            }
        }
    }
}
