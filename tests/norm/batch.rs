//! Batch norm: outputs, gradients and running statistics over odd sizes, in training and in evaluation.

use rootlet::checkpoint::NormKind;
use rootlet::engine::{Device, Plan};
use rootlet::layer::norm::{
    BatchNormBackwardViews, BatchNormForwardViews, BatchNormPass, NormScratch,
};

use crate::common::{Random, devices};
use crate::oracle::{Group, Number, assert_close, total};
use crate::problem::{Noise, Size, TESTED, World, pick, wide};

/// How far results may be from the oracle's, relative to the terms that they are made of.
const TOLERANCE: f64 = 1e-5;

/// One value, few values, whole and partial rows, one and several tiles, and more than the most tiles with an uneven
/// last one.
pub const SIZES: [Size; 11] = [
    Size::new(1, 1, 4, 1),
    Size::new(1, 1, 4, 3),
    Size::new(3, 1, 8, 8),
    Size::new(5, 1, 132, 77),
    Size::new(3, 7, 12, 9),
    Size::new(2, 9, 36, 1),
    Size::new(70, 4, 128, 128),
    Size::new(1, 1030, 4, 4),
    Size::new(2, 100, 256, 250),
    Size::new(3, 101, 132, 132),
    Size::new(1, 2101, 132, 130),
];

/// A batch norm's data.
pub struct Problem {
    pub size: Size,
    pub relu: bool,
    pub fused: bool,
    pub x: Vec<f32>,
    pub residual: Option<Vec<f32>>,
    pub dy: Vec<f32>,
}

impl Problem {
    pub fn new(random: &mut Random, size: Size, relu: bool, residual: bool) -> Self {
        Problem {
            size,
            relu,
            fused: false,
            x: size.activation(random),
            residual: residual.then(|| size.activation(random)),
            dy: size.delta(random),
        }
    }

    pub fn group(&self, world: &World, c: usize) -> Group {
        let own = self.size.of_channel(c);
        let n = own.len();
        Group {
            x: wide(&pick(&self.x, &own)),
            weight: vec![world.state().values("weight")[c].into(); n],
            bias: vec![world.state().values("bias")[c].into(); n],
            residual: match &self.residual {
                Some(residual) => wide(&pick(residual, &own)),
                None => vec![0.0; n],
            },
            relu: self.relu,
            given: None,
        }
    }

    /// Rounding may put a value on the other side of the ReLU's kink, so values near it get no gradient.
    pub fn keep_off_the_kink(&mut self, world: &World) {
        for c in 0..self.size.channels {
            let z = self.group(world, c).linear();
            for (&i, z) in self.size.of_channel(c).iter().zip(&z) {
                if z.value.abs() < 1e-4 * z.magnitude {
                    self.dy[i] = 0.0;
                }
            }
        }
    }

    pub fn norm(&self, world: &World) -> BatchNormPass {
        BatchNormPass {
            channels: world.size.channels,
            positions: self.size.positions,
            lanes: self.size.lanes,
            relu: self.relu,
            fused: self.fused,
        }
    }
}

/// What one pass left on the device.
pub struct Passed {
    pub y: Noise,
    pub saved: Noise,
    pub dx: Noise,
    pub dr: Noise,
}

/// Records forward and backward; the gradient at the residual, if there is one, is added to `dr_before` if that is
/// given.
pub fn record(
    plan: &mut Plan,
    world: &World,
    problem: &Problem,
    update: bool,
    accumulate: bool,
    dr_before: Option<&[f32]>,
) -> Passed {
    let norm = problem.norm(world);
    let words = problem.size.words();
    let passed = Passed {
        y: world.noise(words),
        saved: world.noise(norm.saved_words()),
        dx: world.noise(words),
        dr: world.noise(words),
    };
    let scratch = NormScratch {
        parts: world.noise(norm.parts_words()).view(),
        sums: world.noise(norm.saved_words()).view(),
    };
    let input = world.buffer(&problem.x);
    let views = BatchNormForwardViews {
        input: input.clone(),
        residual: problem.residual.as_ref().map(|r| world.buffer(r)),
        output: passed.y.view(),
        saved: passed.saved.view(),
    };
    norm.forward_train(
        plan,
        &world.tested(),
        &scratch,
        &world.step(),
        views,
        update,
    )
    .unwrap();
    if let Some(before) = dr_before {
        world.device.upload(&passed.dr.view(), before).unwrap();
    }
    let views = BatchNormBackwardViews {
        input,
        delta: world.buffer(&problem.dy),
        activation: problem.residual.as_ref().map(|_| passed.y.view()),
        saved: passed.saved.view(),
        output: passed.dx.view(),
        residual: (problem.residual.as_ref()).map(|_| (passed.dr.view(), dr_before.is_some())),
    };
    norm.backward(
        plan,
        &world.tested(),
        &scratch,
        &world.step(),
        views,
        accumulate,
    )
    .unwrap();
    passed
}

fn test(name: &str, device: &Device, size: Size, relu: bool, residual: bool, add: bool) {
    for fused in [false, true] {
        test_one(name, device, size, [relu, residual, add, fused]);
    }
}

fn test_one(name: &str, device: &Device, size: Size, [relu, residual, add, fused]: [bool; 4]) {
    let random = &mut Random(size.words() as u64);
    let world = World::new(device, size, NormKind::Batch, random);
    let mut problem = Problem::new(random, size, relu, residual);
    problem.fused = fused;
    problem.keep_off_the_kink(&world);
    let before = (residual && add).then(|| size.delta(random));
    let gradient_before = world.gradient_words();
    let mut plan = Plan::new("test");
    let passed = record(&mut plan, &world, &problem, true, false, before.as_deref());
    let what =
        format!("{name}, {size:?}, relu {relu}, residual {residual}, add {add}, fused {fused}");
    world.run_checked(&plan, &what);

    let [y, saved, dx] = [&passed.y, &passed.saved, &passed.dx].map(|n| n.read(device));
    let dr = passed.dr.read(device);
    let [dw, db] = world.gradients(&gradient_before);
    let after = world.norms.export(device).unwrap();
    for c in 0..size.channels {
        let what = format!("{what}, channel {c}");
        let own = size.of_channel(c);
        let group = problem.group(&world, c);
        assert_close(
            &format!("{what}, y"),
            &pick(&y, &own),
            &group.forward(),
            TOLERANCE,
        );
        let exactly = |value: f64| Number {
            value,
            magnitude: value.abs().max(0.1),
        };
        let statistics = [exactly(group.mean()), exactly(group.inverse())];
        let found = [saved[c], saved[size.channels + c]];
        assert_close(&format!("{what}, saved"), &found, &statistics, TOLERANCE);

        let gradients = group.backward(&wide(&pick(&problem.dy, &own)));
        assert_close(
            &format!("{what}, dx"),
            &pick(&dx, &own),
            &gradients.x,
            TOLERANCE,
        );
        for (name, found, terms) in [
            ("dw", dw[c], &gradients.weight),
            ("db", db[c], &gradients.bias),
        ] {
            let expected = total(terms.iter().copied());
            assert_close(&format!("{what}, {name}"), &[found], &[expected], TOLERANCE);
        }
        if residual {
            let expected: Vec<Number> = (own.iter().zip(&gradients.bias))
                .map(|(&i, dz)| exactly(dz + before.as_ref().map_or(0.0, |b| f64::from(b[i]))))
                .collect();
            assert_close(
                &format!("{what}, dr"),
                &pick(&dr, &own),
                &expected,
                TOLERANCE,
            );
        }

        // torch.nn.BatchNorm2d: momentum 0.1, unbiased variance. PyTorch refuses to train on a single value.
        let n = own.len() as f64;
        let unbiased = group.variance() * n / (n - 1.0).max(1.0);
        let state = world.state();
        let running = |before: f32, batch: f64| exactly(0.9 * f64::from(before) + 0.1 * batch);
        let expected = [
            running(state.values("running_mean")[c], group.mean()),
            running(state.values("running_variance")[c], unbiased),
        ];
        let found = [
            after[TESTED].values("running_mean")[c],
            after[TESTED].values("running_variance")[c],
        ];
        assert_close(&format!("{what}, running"), &found, &expected, TOLERANCE);
    }
    for i in size.padding() {
        assert_eq!([y[i], dx[i]], [0.0, 0.0], "{what}: padding, word {i}");
        assert!(!residual || dr[i] == 0.0, "{what}: padding, word {i}");
    }
    for (other, state) in after.iter().enumerate().filter(|(i, _)| *i != TESTED) {
        assert_eq!(*state, world.states[other], "{what}: norm {other}");
    }
}

#[test]
fn plain() {
    for (name, device) in devices() {
        for size in SIZES {
            test(&name, &device, size, false, false, false);
        }
    }
}

#[test]
fn with_relu() {
    for (name, device) in devices() {
        for size in SIZES {
            test(&name, &device, size, true, false, false);
        }
    }
}

#[test]
fn with_residual() {
    for (name, device) in devices() {
        for (i, size) in SIZES.into_iter().enumerate() {
            test(&name, &device, size, false, true, i % 2 == 0);
        }
    }
}

#[test]
fn with_residual_and_relu() {
    for (name, device) in devices() {
        for (i, size) in SIZES.into_iter().enumerate() {
            test(&name, &device, size, true, true, i % 2 == 1);
        }
    }
}

#[test]
fn an_evaluation_takes_the_running_statistics() {
    for (name, device) in devices() {
        for size in SIZES {
            let random = &mut Random(3);
            let world = World::new(&device, size, NormKind::Batch, random);
            let problem = Problem::new(random, size, true, true);
            let norm = problem.norm(&world);
            let [y, saved] = [size.words(), norm.saved_words()].map(|n| world.noise(n));
            let views = BatchNormForwardViews {
                input: world.buffer(&problem.x),
                residual: problem.residual.as_ref().map(|r| world.buffer(r)),
                output: y.view(),
                saved: saved.view(),
            };
            let mut plan = Plan::new("test");
            norm.forward_eval(&mut plan, &world.tested(), &world.step(), views)
                .unwrap();
            world.run_checked(&plan, &name);
            let y = y.read(&device);
            for c in 0..size.channels {
                let state = world.state();
                let running = (
                    state.values("running_mean")[c],
                    state.values("running_variance")[c],
                );
                let group = Group {
                    given: Some((running.0.into(), running.1.into())),
                    ..problem.group(&world, c)
                };
                let own = size.of_channel(c);
                let what = format!("{name}, {size:?}, channel {c}");
                assert_close(&what, &pick(&y, &own), &group.forward(), TOLERANCE);
            }
            size.padding().for_each(|i| assert_eq!(y[i], 0.0));
            assert_eq!(world.norms.export(&device).unwrap(), world.states, "{name}");
        }
    }
}
