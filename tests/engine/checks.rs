//! The comparison of a kernel with its twin finds kernels that differ, and no others.

use rootlet::engine::{Class, Device, Grid, Plan};

use crate::common::{Random, gpus, says};

rootlet::kernel! {
    /// `output[i] = input[i] * (1 + error)` in the shader, `input[i]` in the twin.
    pub Wrong, WrongParams, WrongTwin = "tests/wrong", include_str!("wrong.wgsl");
    params { length: u32, error: f32 }
    no loops;
    read input: f32,
    write output: f32,
    write count: u32,
}

impl WrongTwin<'_> {
    fn run(self) {
        let length = self.params.length as usize;
        self.output[..length].copy_from_slice(&self.input[..length]);
        self.count[0] = self.params.length;
    }
}

const LENGTH: usize = 100;

/// Runs the kernel on an output that holds `before`, and returns the checks of `output` and of `count`.
fn run(
    device: &Device,
    input: &[f32],
    error: f32,
    before: &[u32],
) -> [rootlet::engine::KernelCheck; 2] {
    let mut plan = Plan::new("wrong");
    let output = device.buffer_with("y", Class::Scratch, before).unwrap();
    let kernel = Wrong {
        params: WrongParams {
            length: LENGTH as u32,
            error,
        },
        input: device
            .buffer_with("x", Class::Scratch, input)
            .unwrap()
            .all(),
        output: output.all(),
        count: device.buffer("n", Class::Scratch, 4).unwrap().all(),
    };
    plan.dispatch(kernel, Grid::Items(LENGTH)).unwrap();
    let program = device.prepare(&plan).unwrap();
    let checks = device.run_checked(&program, "").unwrap();
    checks.try_into().unwrap()
}

#[test]
fn a_difference_is_seen_and_named() {
    let random = &mut Random(11);
    let mut input = random.reals(LENGTH);
    for (name, device) in gpus() {
        let [output, count] = run(&device, &input, 0.0, &[0; 128]);
        assert_eq!((output.different, count.different), (0, 0), "{name}");

        let [output, count] = run(&device, &input, 0.01, &[0; 128]);
        assert!((0.005..0.02).contains(&output.error), "{name}: {output:?}");
        assert_eq!((output.different, output.words), (LENGTH, 128), "{name}");
        says(
            output.verdict(),
            &["`tests/wrong`", "`output`", "`y`", "100 of 128"],
        );
        // The shader counts one too many when it errs: integers must be equal.
        assert_eq!(count.error, f64::INFINITY);
        says(count.verdict(), &["`count`", "`n`"]);

        // Numbers that the kernel does not touch hide nothing, however large they are.
        let [output, _] = run(&device, &input, 0.01, &[f32::MAX.to_bits(); 128]);
        assert!((0.005..0.02).contains(&output.error), "{name}: {output:?}");

        // A NaN on one side only is a difference, but not on both sides.
        input[5] = f32::NAN;
        let [output, _] = run(&device, &input, 0.0, &[0; 128]);
        output.verdict().unwrap();
        input[5] = 0.5;
        let [output, _] = run(&device, &input, f32::NAN, &[0; 128]);
        assert_eq!(output.error, f64::INFINITY, "{name}");
    }
}

#[test]
fn kernels_that_the_filter_does_not_name_are_run_unchecked() {
    for (_, device) in gpus() {
        let used = crate::scale::Use::new(&device, 8);
        used.set_step(&device, 1);
        let program = device.prepare(&used.plan).unwrap();
        assert!(device.run_checked(&program, "spmm").unwrap().is_empty());
        assert_eq!(used.outputs(&device, 1), [-2.5]);
        assert_eq!(device.run_checked(&program, "scale").unwrap().len(), 1);
    }
}
