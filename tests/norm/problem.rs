//! What the norms' tests run: data of one shape, and a norm among others on a device.

use rootlet::checkpoint::NormKind;
use rootlet::engine::{Buffer, Class, Device, Plan, STEP_WORDS, StepState, View};

use rootlet::layer::{LayerParameters, ParameterState, Parameters};

use crate::common::{Random, norms};

/// Words of noise before and after the view of an output.
const MARGIN: usize = 64;

/// `[channels][positions][lanes]`, of which the first `count` lanes are samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    pub channels: usize,
    pub positions: usize,
    pub lanes: usize,
    pub count: usize,
}

impl Size {
    pub const fn new(channels: usize, positions: usize, lanes: usize, count: usize) -> Self {
        Size {
            channels,
            positions,
            lanes,
            count,
        }
    }

    pub fn words(&self) -> usize {
        self.channels * self.positions * self.lanes
    }

    pub fn at(&self, c: usize, p: usize, lane: usize) -> usize {
        (c * self.positions + p) * self.lanes + lane
    }

    /// The words of channel `c` for all samples, in order.
    pub fn of_channel(&self, c: usize) -> Vec<usize> {
        (0..self.positions)
            .flat_map(|p| (0..self.count).map(move |lane| self.at(c, p, lane)))
            .collect()
    }

    /// The words of padding lanes.
    pub fn padding(&self) -> impl Iterator<Item = usize> + use<> {
        let Size { lanes, count, .. } = *self;
        (0..self.words()).filter(move |i| i % lanes >= count)
    }

    /// An activation: any finite numbers in the padding lanes.
    pub fn activation(&self, random: &mut Random) -> Vec<f32> {
        let mut words = random.reals(self.words());
        for i in self.padding() {
            words[i] = [3e38, -3e38, 1e30, -7.0][i % 4];
        }
        words
    }

    /// A delta: zero in the padding lanes.
    pub fn delta(&self, random: &mut Random) -> Vec<f32> {
        let mut words = random.reals(self.words());
        self.padding().for_each(|i| words[i] = 0.0);
        words
    }
}

/// A norm of `size.channels` between two others.
pub struct World<'a> {
    pub device: &'a Device,
    pub size: Size,
    pub states: Vec<ParameterState>,
    pub norms: Parameters,
    pub step: Buffer,
}

/// The norm under test among `World::states`.
pub const TESTED: usize = 1;

impl<'a> World<'a> {
    pub fn new(device: &'a Device, size: Size, kind: NormKind, random: &mut Random) -> Self {
        let mut state = |channels| {
            let mut state = norms::norm(kind, channels);
            for array in &mut state.arrays {
                array.values = random.reals(channels);
                if array.name == "running_variance" {
                    array.values.iter_mut().for_each(|v| *v += 1.5);
                }
            }
            state
        };
        let states = vec![state(5), state(size.channels), state(3)];
        let norms = norms::upload(device, &states);
        // Gradients are overwritten, not added to.
        let noise = random.noise(norms.words());
        device.upload(&norms.gradient().all(), &noise).unwrap();
        let whole = StepState::whole(1, 2, size.count, 0.1);
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&whole));
        let step = device.buffer_with("step", Class::Scratch, words).unwrap();
        assert_eq!(step.words(), STEP_WORDS.next_multiple_of(4));
        World {
            device,
            size,
            states,
            norms,
            step,
        }
    }

    pub fn state(&self) -> &ParameterState {
        &self.states[TESTED]
    }

    /// The parameters of the norm under test.
    pub fn tested(&self) -> LayerParameters {
        self.norms.layer(TESTED).unwrap()
    }

    pub fn step(&self) -> View {
        self.step.range(0..STEP_WORDS)
    }

    pub fn buffer(&self, data: &[f32]) -> View {
        self.device
            .buffer_with("data", Class::Activations, data)
            .unwrap()
            .all()
    }

    /// `words` words of noise, with noise before and after them that must stay.
    pub fn noise(&self, words: usize) -> Noise {
        let noise = Random(words as u64).noise((MARGIN + words + MARGIN).next_multiple_of(4));
        let buffer = self
            .device
            .buffer_with("noise", Class::Activations, &noise)
            .unwrap();
        Noise {
            buffer,
            noise,
            words,
        }
    }

    /// Runs a plan with each kernel beside its twin, which must agree.
    #[track_caller]
    pub fn run_checked(&self, plan: &Plan, what: &str) {
        let program = self.device.prepare(plan).unwrap();
        for check in self.device.run_checked(&program, "").unwrap() {
            check
                .verdict()
                .unwrap_or_else(|e| panic!("{what}, {:?}: {e}", self.size));
        }
    }

    pub fn run(&self, plan: &Plan) {
        let program = self.device.prepare(plan).unwrap();
        self.device.run(&program).unwrap();
    }

    /// Gradients of the weights and of the biases of the norm under test; those of the other norms must equal `before`.
    pub fn gradients(&self, before: &[u32]) -> [Vec<f32>; 2] {
        let words: Vec<u32> = self.device.download(&self.norms.gradient().all()).unwrap();
        let own = ["weight", "bias"].map(|name| {
            let first = self.tested().first(name).unwrap();
            first..first + self.size.channels
        });
        for (i, word) in words.iter().enumerate() {
            assert!(
                own.iter().any(|own| own.contains(&i)) || *word == before[i],
                "gradient of another norm, word {i}"
            );
        }
        own.map(|own| words[own].iter().map(|w| f32::from_bits(*w)).collect())
    }

    pub fn gradient_words(&self) -> Vec<u32> {
        self.device.download(&self.norms.gradient().all()).unwrap()
    }
}

/// An output on a device.
pub struct Noise {
    buffer: Buffer,
    noise: Vec<u32>,
    words: usize,
}

impl Noise {
    pub fn view(&self) -> View {
        self.buffer.range(MARGIN..MARGIN + self.words)
    }

    /// What was written, after checking that nothing was written beside it.
    #[track_caller]
    pub fn read(&self, device: &Device) -> Vec<f32> {
        let words: Vec<u32> = device.download(&self.buffer.all()).unwrap();
        let own = MARGIN..MARGIN + self.words;
        for (i, (word, noise)) in words.iter().zip(&self.noise).enumerate() {
            assert!(
                own.contains(&i) || word == noise,
                "word {i} outside {own:?} was written"
            );
        }
        words[own].iter().map(|w| f32::from_bits(*w)).collect()
    }
}

pub fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&x| f64::from(x)).collect()
}

/// The numbers at `indices`.
pub fn pick<T: Copy>(from: &[T], indices: &[usize]) -> Vec<T> {
    indices.iter().map(|&i| from[i]).collect()
}
