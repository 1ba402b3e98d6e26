//! The three products over odd sizes.

use crate::common::{Random, devices};
use crate::oracle::assert_close;
use crate::problem::{Layer, Problem, Product};

/// Strides around the widths that kernels treat differently: whole lines of lanes, remainders, and more than one block.
const STRIDES: [usize; 9] = [4, 8, 12, 36, 64, 100, 128, 132, 256];

/// Arenas of one or more layers.
fn arenas() -> Vec<Vec<Layer>> {
    let random = &mut Random(1);
    let dense = |_: &mut Random, _, _| true;
    // First row dense; a row in the middle, the last row, a column in the middle and the last column empty.
    let holes = |n_in: u32, n_out: u32| {
        move |random: &mut Random, b: u32, a: u32| {
            let empty = b == n_out / 2 || b == n_out - 1 || a == n_in / 2 || a == n_in - 1;
            b == 0 || (!empty && random.word().is_multiple_of(3))
        }
    };
    vec![
        vec![Layer::new(random, 1, 1, dense)],
        vec![Layer::new(random, 13, 7, holes(13, 7))],
        vec![Layer::new(random, 9, 5, dense)],
        // Rows longer than SDDMM's tile of 32 pairs.
        vec![Layer::new(random, 150, 3, dense)],
        // More rows than a task of the twin takes, including a layer without connections.
        vec![
            Layer::new(random, 6, 33, holes(6, 33)),
            Layer::new(random, 33, 2, |_, _, _| false),
            Layer::new(random, 2, 70, dense),
            Layer::new(random, 70, 37, holes(70, 37)),
            Layer::new(random, 37, 1, dense),
        ],
    ]
}

fn test(product: Product) {
    let random = &mut Random(2);
    let arenas = arenas();
    for (name, device) in devices() {
        for layers in &arenas {
            for lanes in STRIDES {
                for layer in 0..layers.len() {
                    let problem = Problem::new(random, layers, layer, lanes, product);
                    assert_close(&problem.solve(&device, &name), &problem, &name);
                }
            }
        }
    }
}

#[test]
fn spmm() {
    test(Product::Spmm { relu: false });
}

#[test]
fn spmm_with_relu() {
    test(Product::Spmm { relu: true });
}

#[test]
fn spmm_transposed() {
    test(Product::Transposed { relu: false });
}

#[test]
fn spmm_transposed_with_mask() {
    test(Product::Transposed { relu: true });
}

#[test]
fn sddmm() {
    test(Product::Sddmm);
}

/// 70,000 rows and columns of one connection each need more workgroups than one dimension may have.
#[test]
fn more_workgroups_than_a_dimension_holds() {
    const UNITS: usize = 70_000;
    let random = &mut Random(3);
    let triplets = (0..UNITS as u32)
        .map(|b| (b, (b * 37) % UNITS as u32, random.real()))
        .collect();
    let layers = [Layer {
        n_in: UNITS,
        n_out: UNITS,
        triplets,
        bias: random.reals(UNITS),
    }];
    for (name, device) in devices() {
        for product in Product::ALL {
            let problem = Problem::new(random, &layers, 0, 4, product);
            assert_close(&problem.solve(&device, &name), &problem, &name);
        }
    }
}
