//! Layer norm: outputs and gradients over odd sizes, adding to a residual stream, cancellation, micro-batches, NaN.

use rootlet::checkpoint::NormKind;
use rootlet::engine::{Device, Plan};
use rootlet::layer::norm::{LayerNormBackwardViews, LayerNormPass};

use crate::common::{Random, both, devices};
use crate::oracle::{Gradients, Group, Number, assert_close, total};
use crate::problem::{Noise, Size, World, pick, wide};

const TOLERANCE: f64 = 1e-5;

/// Fewer channels than a workgroup has rows, one position, and more lanes and positions than a workgroup or a task.
const SIZES: [Size; 8] = [
    Size::new(1, 1, 4, 1),
    Size::new(2, 1, 4, 3),
    Size::new(3, 5, 12, 9),
    Size::new(48, 7, 36, 36),
    Size::new(6, 1, 260, 257),
    Size::new(7, 13, 132, 130),
    Size::new(130, 3, 8, 5),
    Size::new(33, 20, 128, 128),
];

fn channels(size: Size) -> impl Iterator<Item = (usize, usize)> {
    (0..size.positions).flat_map(move |p| (0..size.count).map(move |lane| (p, lane)))
}

/// The words of a position of a sample: one per channel.
fn of_member(size: Size, p: usize, lane: usize) -> Vec<usize> {
    (0..size.channels).map(|c| size.at(c, p, lane)).collect()
}

fn group(world: &World, x: &[f32], own: &[usize]) -> Group {
    Group {
        x: wide(&pick(x, own)),
        weight: wide(world.state().values("weight")),
        bias: wide(world.state().values("bias")),
        residual: vec![0.0; own.len()],
        relu: false,
        given: None,
    }
}

struct Passed {
    y: Noise,
    saved: Noise,
    dx: Noise,
}

fn record(
    plan: &mut Plan,
    world: &World,
    [x, dy]: [&[f32]; 2],
    before: Option<&[f32]>,
    [accumulate, fused]: [bool; 2],
) -> Passed {
    let norm = LayerNormPass {
        channels: world.size.channels,
        positions: world.size.positions,
        lanes: world.size.lanes,
        fused,
    };
    let words = world.size.words();
    let passed = Passed {
        y: world.noise(words),
        saved: world.noise(norm.saved_words()),
        dx: world.noise(words),
    };
    if let Some(before) = before {
        world.device.upload(&passed.dx.view(), before).unwrap();
    }
    let input = world.buffer(x);
    let (y, saved) = (passed.y.view(), passed.saved.view());
    norm.forward(
        plan,
        &world.tested(),
        &world.step(),
        input.clone(),
        y,
        saved,
    )
    .unwrap();
    let views = LayerNormBackwardViews {
        input,
        delta: world.buffer(dy),
        saved: passed.saved.view(),
        output: Some((passed.dx.view(), before.is_some())),
    };
    norm.backward(plan, &world.tested(), views, accumulate)
        .unwrap();
    passed
}

fn test(name: &str, device: &Device, size: Size, add: bool) {
    for fused in [false, true] {
        test_one(name, device, size, [add, fused]);
    }
}

fn test_one(name: &str, device: &Device, size: Size, [add, fused]: [bool; 2]) {
    let random = &mut Random(size.words() as u64);
    let world = World::new(device, size, NormKind::Layer, random);
    let (x, dy) = (size.activation(random), size.delta(random));
    let before = add.then(|| size.delta(random));
    let gradient_before = world.gradient_words();
    let mut plan = Plan::new("test");
    let passed = record(
        &mut plan,
        &world,
        [&x, &dy],
        before.as_deref(),
        [false, fused],
    );
    let what = format!("{name}, {size:?}, add {add}, fused {fused}");
    world.run_checked(&plan, &what);
    let [y, dx] = [&passed.y, &passed.dx].map(|n| n.read(device));
    passed.saved.read(device);
    let mut gradients = vec![];
    for (p, lane) in channels(size) {
        let what = format!("{what}, position {p}, lane {lane}");
        let own = of_member(size, p, lane);
        let group = group(&world, &x, &own);
        assert_close(
            &format!("{what}, y"),
            &pick(&y, &own),
            &group.forward(),
            TOLERANCE,
        );
        let found = group.backward(&wide(&pick(&dy, &own)));
        let expected: Vec<Number> = (own.iter().zip(&found.x))
            .map(|(&i, dx)| {
                let before = before.as_ref().map_or(0.0, |b| f64::from(b[i]));
                Number {
                    value: dx.value + before,
                    magnitude: dx.magnitude + before.abs(),
                }
            })
            .collect();
        assert_close(
            &format!("{what}, dx"),
            &pick(&dx, &own),
            &expected,
            TOLERANCE,
        );
        gradients.push(found);
    }
    for i in size.padding() {
        assert_eq!([y[i], dx[i]], [0.0, 0.0], "{what}: padding, word {i}");
    }
    check_gradients(&world, &gradients, &gradient_before, &what);
}

/// The parameters' gradients are sums of the contributions of each position of each sample.
fn check_gradients(world: &World, gradients: &[Gradients], before: &[u32], what: &str) {
    let [dw, db] = world.gradients(before);
    for c in 0..world.size.channels {
        let expected = [
            total(gradients.iter().map(|g| g.weight[c])),
            total(gradients.iter().map(|g| g.bias[c])),
        ];
        let what = format!("{what}, gradients of channel {c}");
        assert_close(&what, &[dw[c], db[c]], &expected, TOLERANCE);
    }
}

#[test]
fn forward_and_backward() {
    for (name, device) in devices() {
        for size in SIZES {
            test(&name, &device, size, false);
        }
    }
}

#[test]
fn backward_adds_to_a_residual_stream() {
    for (name, device) in devices() {
        for size in SIZES {
            test(&name, &device, size, true);
        }
    }
}

#[test]
fn gradients_of_micro_batches_add_up_and_the_inputs_may_be_left_out() {
    let size = Size::new(9, 10, 36, 33);
    for ((name, device), fused) in both() {
        let random = &mut Random(21);
        let world = World::new(&device, size, NormKind::Layer, random);
        let before = world.gradient_words();
        let mut plan = Plan::new("test");
        let mut gradients = vec![];
        for accumulate in [false, true] {
            let (x, dy) = (size.activation(random), size.delta(random));
            record(&mut plan, &world, [&x, &dy], None, [accumulate, fused]);
            gradients.extend(channels(size).map(|(p, lane)| {
                let own = of_member(size, p, lane);
                group(&world, &x, &own).backward(&wide(&pick(&dy, &own)))
            }));
        }
        world.run_checked(&plan, &name);
        check_gradients(&world, &gradients, &before, &name);

        let norm = LayerNormPass {
            channels: world.size.channels,
            positions: size.positions,
            lanes: size.lanes,
            fused,
        };
        let views = LayerNormBackwardViews {
            input: world.noise(size.words()).view(),
            delta: world.noise(size.words()).view(),
            saved: world.noise(norm.saved_words()).view(),
            output: None,
        };
        let mut plan = Plan::new("test");
        norm.backward(&mut plan, &world.tested(), views, false)
            .unwrap();
        assert_eq!(plan.dispatches().len(), 1);
    }
}

#[test]
fn a_small_variance_about_a_large_mean_is_found() {
    let size = Size::new(130, 2, 36, 33);
    for (name, device) in devices() {
        let random = &mut Random(22);
        let world = World::new(&device, size, NormKind::Layer, random);
        let (mut x, dy) = (size.activation(random), size.delta(random));
        for (p, lane) in channels(size) {
            for i in of_member(size, p, lane) {
                x[i] = 1000.0 + 0.2 * x[i];
            }
        }
        let mut plan = Plan::new("test");
        let passed = record(&mut plan, &world, [&x, &dy], None, [false, false]);
        world.run(&plan);
        let [y, saved] = [&passed.y, &passed.saved].map(|n| n.read(&device));
        for (p, lane) in channels(size) {
            let own = of_member(size, p, lane);
            let group = group(&world, &x, &own);
            let inverse = group.inverse();
            let exact = Number {
                value: inverse,
                magnitude: inverse,
            };
            let found = saved[(size.positions + p) * size.lanes + lane];
            // Each update of the running mean rounds it by 3e-5, compared with a deviation of 0.1.
            assert_close(&name, &[found], &[exact], 1e-3);
            let expected: Vec<Number> = (group.forward().iter())
                .map(|n| Number {
                    magnitude: 1.0,
                    ..*n
                })
                .collect();
            assert_close(&name, &pick(&y, &own), &expected, 5e-3);
        }
    }
}

#[test]
fn a_nan_shows_at_its_position_of_its_member_and_there_alone() {
    let size = Size::new(9, 4, 12, 10);
    for ((name, device), fused) in both() {
        let random = &mut Random(23);
        let world = World::new(&device, size, NormKind::Layer, random);
        let (mut x, dy) = (size.activation(random), size.delta(random));
        x[size.at(5, 2, 7)] = f32::NAN;
        let before = world.gradient_words();
        let mut plan = Plan::new("test");
        let passed = record(&mut plan, &world, [&x, &dy], None, [false, fused]);
        world.run_checked(&plan, &name);
        for found in [&passed.y, &passed.dx].map(|n| n.read(&device)) {
            for (p, lane) in channels(size) {
                let own = pick(&found, &of_member(size, p, lane));
                let expected = (p, lane) == (2, 7);
                assert!(own.iter().all(|x| x.is_nan() == expected), "{name}");
            }
        }
        assert!(
            world.gradients(&before)[0].iter().all(|dw| dw.is_nan()),
            "{name}"
        );
    }
}
