//! NaN, sizes beyond a dimension of the grid, columns at the limit of what the kernels decode, and what is refused.

use rootlet::engine::{Class, Device, Plan};
use rootlet::sparse::Window;

use crate::common::{Random, devices, says};
use crate::problem::{Problem, Product};

/// A NaN reaches whatever reads it, also through ReLU, and nothing else: not the positions whose taps fall outside the
/// plane.
#[test]
fn a_nan_reaches_what_looks_at_it_alone() {
    let random = &mut Random(3);
    for (name, device) in devices() {
        for (plane, kernel, stride) in [
            ([5, 6], [3, 3], [1, 1]),
            ([4, 17], [2, 5], [1, 1]),
            ([7, 9], [3, 3], [2, 2]),
        ] {
            let window = Window::new(plane, kernel, stride, [1, 1]).unwrap();
            let mut problem = Problem::new(random, window, [3, 4], 9, |random, _, _| {
                random.word().is_multiple_of(3)
            });
            problem.input[..12].fill(f32::NAN);
            problem.delta[..9].fill(f32::NAN);
            let last = problem.input.len() - 10;
            problem.input[last] = f32::NAN;
            let last = problem.delta.len() - 10;
            problem.delta[last] = f32::NAN;
            problem.connections[1].2 = f32::NAN;
            for product in Product::ALL {
                problem.assert_close(&device, product, &name);
            }
        }
    }
}

/// 70,000 channels on either side need more workgroups than one dimension may have.
#[test]
fn more_workgroups_than_a_dimension_holds() {
    const UNITS: usize = 70_000;
    let random = &mut Random(4);
    let window = Window::new([1, 2], [1, 2], [1, 1], [0, 1]).unwrap();
    let connections = (0..UNITS as u32)
        .map(|row| (row, (row * 37) % (2 * UNITS) as u32, random.real()))
        .collect();
    let problem = Problem::of_connections(random, window, [UNITS, UNITS], 2, connections);
    for (name, device) in devices() {
        for product in [
            Product::Forward { relu: false },
            Product::Backward {
                accumulate: false,
                mask: false,
            },
        ] {
            problem.assert_close(&device, product, &name);
        }
    }
}

/// The kernels find channel and tap of a column without dividing, up to the largest column that a layer may have. The
/// inverse of 121 is rounded down so far that a column without the added half falls short of its channel. Each tap hits
/// an output position, so that none is mistaken for another.
#[test]
fn columns_near_the_limit_are_decoded() {
    let random = &mut Random(5);
    for (kernel, channels) in [
        ([3, 3], 466_033),
        ([11, 11], 34_662),
        ([7, 1], 599_186),
        ([1, 5], 838_860),
    ] {
        let window = Window::new([1, 1], kernel, [1, 1], kernel.map(|k| k - 1)).unwrap();
        let taps = window.taps() as u32;
        let last = channels as u32 - 1;
        let connections = (0..=last)
            .filter(|c| c % 1000 == 0 || last - c < 1000)
            .flat_map(|c| [0, taps / 2, taps - 1].map(|tap| c * taps + tap))
            .map(|col| (0, col, random.real()))
            .collect();
        let problem = Problem::of_connections(random, window, [channels, 1], 4, connections);
        for (name, device) in devices() {
            problem.assert_close(&device, Product::Forward { relu: false }, &name);
        }
    }
}

#[test]
fn layers_that_cannot_be_are_refused() {
    let random = &mut Random(6);
    let device = Device::cpu(1).unwrap();
    let window = Window::new([4, 4], [3, 3], [1, 1], [1, 1]).unwrap();
    let problem = Problem::new(random, window, [2, 3], 4, |_, _, _| true);
    let (arena, layer) = problem.arena(&device);
    let buffer = |label, data: &Vec<f32>| {
        let buffer = device.buffer_with(label, Class::Activations, data);
        buffer.unwrap()
    };
    let input = buffer("input", &problem.input);
    let delta = buffer("delta", &problem.delta);
    let plan = &mut Plan::new("test");

    let short = delta.range(0..delta.words() - 64);
    says(
        layer.forward(plan, &arena, input.all(), short.clone()),
        &["192 words", "`delta`", "128"],
    );
    says(
        layer.backward(plan, &arena, short, None, input.all(), false),
        &["192 words", "`delta`"],
    );
    let mask = Some(buffer("mask", &problem.input).all());
    says(
        layer.backward(plan, &arena, delta.all(), mask, input.all(), false),
        &["takes no mask"],
    );
    let mut other = layer;
    other.window.kernel = [2, 2];
    says(
        other.forward(plan, &arena, input.all(), delta.all()),
        &["18 input units", "4 taps"],
    );
    let mut large = layer;
    large.span.n_in = 9 << 20;
    says(
        large.forward(plan, &arena, input.all(), delta.all()),
        &["9437184 input units", "4,194,304"],
    );
    assert!(plan.dispatches().is_empty());
}
