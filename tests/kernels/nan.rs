//! A NaN is passed on, also through ReLU, and stays in its lane: a run that diverges must show it.

use crate::common::{Random, devices};
use crate::oracle::assert_close;
use crate::problem::{Layer, Problem, Product};

#[test]
fn a_nan_passes_through_and_stays_in_its_lane() {
    let random = &mut Random(4);
    let layers = [Layer::new(random, 11, 9, |r, _, a| {
        a == 3 || r.word().is_multiple_of(2)
    })];
    for (name, device) in devices() {
        for product in Product::ALL {
            for lanes in [4, 36, 128] {
                let mut problem = Problem::new(random, &layers, 0, lanes, product);
                problem.input[3 * lanes + 2] = f32::NAN;
                problem.delta[5 * lanes + 1] = f32::NAN;
                // A NaN that the mask lets through.
                problem.input[3 * lanes + 1] = 1.0;
                let found = problem.solve(&device, &name);
                assert_close(&found, &problem, &name);
                let nan = |word: usize| found[word].is_nan();
                match product {
                    Product::Spmm { .. } => {
                        assert!((0..9).all(|b| nan(b * lanes + 2)), "{name}, {product:?}")
                    }
                    Product::Transposed { .. } => {
                        assert!(nan(3 * lanes + 1), "{name}, {product:?}")
                    }
                    Product::Sddmm => assert!(nan(0) || nan(1) || nan(2) || nan(3), "{name}"),
                }
            }
        }
    }
}

#[test]
fn a_nan_weight_or_bias_reaches_its_row_alone() {
    let random = &mut Random(5);
    let mut layer = Layer::new(random, 6, 5, |_, _, _| true);
    layer.triplets[6 + 2].2 = f32::NAN; // row 1, column 2
    layer.bias[3] = f32::NAN;
    let layers = [layer];
    for (name, device) in devices() {
        for product in Product::ALL {
            let problem = Problem::new(random, &layers, 0, 12, product);
            assert_close(&problem.solve(&device, &name), &problem, &name);
        }
    }
}
