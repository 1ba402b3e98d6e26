//! Batch norm: recomputation, micro-batches, cancellation, NaN, and views that do not fit.

use rootlet::checkpoint::NormKind;
use rootlet::engine::{Plan, View};
use rootlet::layer::norm::{
    BatchNormBackwardViews, BatchNormForwardViews, BatchNormPass, NormScratch,
};

use crate::batch::{Problem, record};
use crate::common::{Random, both, devices, says};
use crate::oracle::{Number, assert_close, total};
use crate::problem::{Size, TESTED, World, pick, wide};

#[test]
fn a_recomputation_leaves_the_running_statistics_alone() {
    let size = Size::new(3, 50, 132, 130);
    for ((name, device), fused) in both() {
        let random = &mut Random(5);
        let world = World::new(&device, size, NormKind::Batch, random);
        let mut problem = Problem::new(random, size, true, false);
        problem.fused = fused;
        let mut plan = Plan::new("test");
        let first = record(&mut plan, &world, &problem, true, false, None);
        world.run(&plan);
        let once = world.norms.export(&device).unwrap();
        assert_ne!(
            once[TESTED].values("running_mean"),
            world.states[TESTED].values("running_mean")
        );
        let mut plan = Plan::new("test");
        let again = record(&mut plan, &world, &problem, false, false, None);
        world.run(&plan);
        assert_eq!(world.norms.export(&device).unwrap(), once, "{name}");
        assert_eq!(first.y.read(&device), again.y.read(&device), "{name}");
    }
}

#[test]
fn gradients_of_micro_batches_add_up() {
    let size = Size::new(4, 20, 36, 33);
    for ((name, device), fused) in both() {
        let random = &mut Random(6);
        let world = World::new(&device, size, NormKind::Batch, random);
        let before = world.gradient_words();
        let mut problems = [true, true].map(|relu| Problem::new(random, size, relu, true));
        let mut plan = Plan::new("test");
        for (i, problem) in problems.iter_mut().enumerate() {
            problem.fused = fused;
            problem.keep_off_the_kink(&world);
            record(&mut plan, &world, problem, true, i > 0, None);
        }
        world.run_checked(&plan, &name);
        let [dw, db] = world.gradients(&before);
        for c in 0..size.channels {
            let own = size.of_channel(c);
            let gradients = problems
                .each_ref()
                .map(|p| p.group(&world, c).backward(&wide(&pick(&p.dy, &own))));
            let both = |part: fn(&crate::oracle::Gradients) -> &Vec<f64>| {
                total(gradients.iter().flat_map(part).copied())
            };
            let expected = [both(|g| &g.weight), both(|g| &g.bias)];
            assert_close(&name, &[dw[c], db[c]], &expected, 1e-5);
        }
    }
}

/// A naive `mean(x^2) - mean(x)^2` would lose a variance of 0.01 around a mean of 1000.
#[test]
fn a_small_variance_about_a_large_mean_is_found() {
    for size in [Size::new(2, 1, 64, 50), Size::new(2, 100, 132, 130)] {
        for ((name, device), fused) in both() {
            let random = &mut Random(7);
            let world = World::new(&device, size, NormKind::Batch, random);
            let mut problem = Problem::new(random, size, false, false);
            problem.fused = fused;
            for c in 0..size.channels {
                for i in size.of_channel(c) {
                    problem.x[i] = 1000.0 + 0.2 * problem.x[i];
                }
            }
            let mut plan = Plan::new("test");
            let passed = record(&mut plan, &world, &problem, true, false, None);
            world.run(&plan);
            let [y, saved, dx] = [&passed.y, &passed.saved, &passed.dx].map(|n| n.read(&device));
            for c in 0..size.channels {
                let own = size.of_channel(c);
                let group = problem.group(&world, c);
                let what = format!("{name}, {size:?}, channel {c}");
                let inverse = group.inverse();
                let exact = Number {
                    value: inverse,
                    magnitude: inverse,
                };
                assert_close(&what, &[saved[size.channels + c]], &[exact], 1e-5);
                // The mean is a 32-bit float: half a unit in its last place is 3e-5, compared with a deviation of 0.1.
                let largest = |numbers: Vec<Number>| -> Vec<Number> {
                    let magnitude = numbers.iter().fold(0f64, |m, n| m.max(n.magnitude));
                    numbers.iter().map(|n| Number { magnitude, ..*n }).collect()
                };
                assert_close(&what, &pick(&y, &own), &largest(group.forward()), 1e-3);
                let dy = wide(&pick(&problem.dy, &own));
                assert_close(
                    &what,
                    &pick(&dx, &own),
                    &largest(group.backward(&dy).x),
                    1e-3,
                );
            }
        }
    }
}

#[test]
fn a_nan_shows_in_its_channel_and_there_alone() {
    let size = Size::new(3, 5, 12, 10);
    for ((name, device), fused) in both() {
        for (relu, residual) in [(false, false), (true, false), (true, true)] {
            let random = &mut Random(8);
            let world = World::new(&device, size, NormKind::Batch, random);
            let mut problem = Problem::new(random, size, relu, residual);
            problem.fused = fused;
            problem.x[size.at(1, 2, 3)] = f32::NAN;
            let mut plan = Plan::new("test");
            let passed = record(&mut plan, &world, &problem, true, false, None);
            world.run_checked(&plan, &name);
            let [y, dx] = [&passed.y, &passed.dx].map(|n| n.read(&device));
            let after = world.norms.export(&device).unwrap();
            for c in 0..3 {
                let own = size.of_channel(c);
                for found in [&y, &dx] {
                    assert!(
                        pick(found, &own).iter().all(|x| x.is_nan() == (c == 1)),
                        "{name}, relu {relu}, residual {residual}, channel {c}"
                    );
                }
                assert_eq!(
                    after[TESTED].values("running_mean")[c].is_nan(),
                    c == 1,
                    "{name}"
                );
                assert_eq!(
                    after[TESTED].values("running_variance")[c].is_nan(),
                    c == 1,
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn views_that_do_not_fit_are_refused() {
    let (_, device) = devices().swap_remove(0);
    let size = Size::new(2, 6, 8, 8);
    let world = World::new(&device, size, NormKind::Batch, &mut Random(9));
    let norm = BatchNormPass {
        channels: world.size.channels,
        positions: 6,
        lanes: 8,
        relu: true,
        fused: false,
    };
    let scratch = NormScratch::new(&device, &[norm]).unwrap();
    let forward = |words: [usize; 4]| {
        let [input, residual, output, saved] = words.map(|n| world.noise(n).view());
        let views = BatchNormForwardViews {
            input,
            residual: Some(residual),
            output,
            saved,
        };
        let mut plan = Plan::new("test");
        norm.forward_train(
            &mut plan,
            &world.tested(),
            &scratch,
            &world.step(),
            views,
            true,
        )
    };
    forward([96, 96, 96, 4]).unwrap();
    says(
        forward([92, 96, 96, 4]),
        &["input", "`noise`", "92 words", "96 are needed"],
    );
    says(forward([96, 92, 96, 4]), &["residual", "96 are needed"]);
    says(forward([96, 96, 92, 4]), &["output", "96 are needed"]);
    says(forward([96, 96, 96, 3]), &["saved", "4 are needed"]);

    let backward = |activation: Option<View>| {
        let [input, delta, output, residual] = [96; 4].map(|n| world.noise(n).view());
        let views = BatchNormBackwardViews {
            input,
            delta,
            activation,
            saved: world.noise(4).view(),
            output,
            residual: Some((residual, false)),
        };
        let mut plan = Plan::new("test");
        norm.backward(
            &mut plan,
            &world.tested(),
            &scratch,
            &world.step(),
            views,
            false,
        )
    };
    backward(Some(world.noise(96).view())).unwrap();
    says(backward(None), &["ReLU", "activation"]);
    NormScratch::new(&device, &[]).unwrap();
}
