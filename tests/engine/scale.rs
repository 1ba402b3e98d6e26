//! A kernel declared outside the crate, with a uniform that changes from step to step.

use rootlet::engine::{Buffer, Class, Device, Grid, Plan, STEP_WORDS, StepState};

rootlet::kernel! {
    /// `output[i] = input[i] * factor * step.learning_rate + step.step`.
    pub Scale, ScaleParams, ScaleTwin = "tests/scale", include_str!("scale.wgsl");
    params { length: u32, factor: f32 }
    no loops;
    read input: f32,
    uniform step: StepState,
    write output: f32,
}

impl ScaleTwin<'_> {
    fn run(self) {
        let factor = self.params.factor * self.step.learning_rate;
        let pairs = self.input.iter().zip(self.output);
        for (x, y) in pairs.take(self.params.length as usize) {
            *y = *x * factor + self.step.step as f32;
        }
    }
}

/// Buffers for one use of the kernel, and a plan of it.
pub struct Use {
    pub input: Buffer,
    pub step: Buffer,
    pub output: Buffer,
    pub plan: Plan,
}

impl Use {
    pub fn new(device: &Device, length: usize) -> Self {
        let numbers: Vec<f32> = (0..length).map(|i| i as f32 - 3.5).collect();
        let buffer = |label, words| device.buffer(label, Class::Scratch, words).unwrap();
        let input = device.buffer_with("input", Class::Data, &numbers).unwrap();
        let (step, output) = (buffer("step", STEP_WORDS), buffer("output", length));
        let mut plan = Plan::new("scaling");
        let kernel = Scale {
            params: ScaleParams {
                length: length as u32,
                factor: 2.0,
            },
            input: input.all(),
            step: step.all(),
            output: output.all(),
        };
        plan.dispatch(kernel, Grid::Items(length)).unwrap();
        Use {
            input,
            step,
            output,
            plan,
        }
    }

    pub fn set_step(&self, device: &Device, step: u32) {
        let words: [u32; STEP_WORDS] = bytemuck::cast(StepState::whole(1, step, 3, 0.5));
        device
            .upload(&self.step.range(0..STEP_WORDS), &words)
            .unwrap();
    }

    pub fn outputs(&self, device: &Device, length: usize) -> Vec<f32> {
        device.download(&self.output.range(0..length)).unwrap()
    }
}
