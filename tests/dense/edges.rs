//! NaN, sizes beyond a dimension of the grid, and what is refused.

use rootlet::dense::{DenseForwardParams, DenseGradientParams, DenseTransposedParams};
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
            let mut problem = Problem::new(random, window, [3, 4], 9);
            problem.input[..12].fill(f32::NAN);
            problem.delta[..9].fill(f32::NAN);
            for product in Product::ALL {
                // Padding lanes of an input hold garbage, but finite numbers.
                if !matches!(product, Product::Gradient { .. }) {
                    problem.assert_close(&device, product, &name);
                }
            }
        }
    }
}

/// This many channels need more workgroups than one dimension may have: 32 rows per workgroup of the hardware shape, 8
/// of the software shape, and 16 columns.
#[test]
fn more_workgroups_than_a_dimension_holds() {
    let random = &mut Random(4);
    let window = Window::pointwise([1, 1]);
    let [_, forward, transposed, .., gradient, _] = Product::ALL;
    for (name, device) in devices() {
        for (sizes, product) in [
            ([1, 2_200_000], forward),
            ([540_000, 1], transposed),
            ([1_060_000, 1], gradient),
        ] {
            Problem::new(random, window, sizes, 1).assert_close(&device, product, &name);
        }
    }
}

#[test]
fn layers_that_cannot_be_are_refused() {
    let window = Window::new([4, 4], [3, 3], [1, 1], [1, 1]).unwrap();
    let problem = Problem::new(&mut Random(5), window, [2, 3], 4);
    for (n_in, parts) in [
        (19, ["19 input units", "9 taps"]),
        (9 << 20, ["9437184 input units", "4,194,304"]),
    ] {
        let mut span = problem.span();
        span.n_in = n_in;
        says(
            DenseForwardParams::of_layer(&span, &window, 4, 0, false),
            &parts,
        );
        says(
            DenseTransposedParams::of_layer(&span, &window, 4, 0, false, false),
            &parts,
        );
        says(
            DenseGradientParams::of_layer(&span, &window, 4, 0, false),
            &parts,
        );
    }
}
