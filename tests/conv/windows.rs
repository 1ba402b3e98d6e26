//! Every kind of window, over planes of odd sizes.

use rootlet::engine::Device;
use rootlet::sparse::Window;

use crate::common::{Random, devices};
use crate::problem::{Problem, Product};

/// All valid windows with these kernels, strides, paddings and planes.
fn windows() -> Vec<Window> {
    let kernels = [
        [1, 1],
        [2, 2],
        [3, 3],
        [5, 5],
        [7, 7],
        [1, 3],
        [3, 2],
        [2, 5],
    ];
    let strides = [[1, 1], [2, 2], [3, 3], [1, 2], [3, 1]];
    // The last ones are wide enough for tiles of four positions that no border touches.
    let planes = [
        [1, 1],
        [1, 4],
        [2, 3],
        [3, 3],
        [5, 8],
        [9, 7],
        [6, 13],
        [8, 21],
    ];
    let mut windows = Vec::new();
    for kernel in kernels {
        for stride in strides {
            for padding in 0..kernel[0].max(kernel[1]) {
                let padding = kernel.map(|k| padding.min(k - 1));
                for plane in planes {
                    windows.extend(Window::new(plane, kernel, stride, padding).ok());
                }
            }
        }
    }
    windows.sort_by_key(|w| (w.kernel, w.stride, w.padding, w.input));
    windows.dedup();
    windows
}

/// One problem per window: a few channels, including rows and columns without connections, and batches of all
/// remainders.
fn problem(random: &mut Random, i: usize, window: Window) -> Problem {
    const SIZES: [[usize; 2]; 5] = [[1, 1], [3, 5], [2, 9], [4, 2], [1, 6]];
    const BATCHES: [usize; 7] = [1, 4, 7, 10, 16, 33, 130];
    let [channels, rows] = SIZES[i % SIZES.len()];
    let batch = BATCHES[i % BATCHES.len()];
    let empty_col = (i % (channels * window.taps())) as u32;
    Problem::new(
        random,
        window,
        [channels, rows],
        batch,
        |random, row, col| {
            let empty = rows > 1 && (row == 1 || col == empty_col);
            !empty && (row == 0 || random.word().is_multiple_of(2))
        },
    )
}

/// Every window on the CPU, and each adapter takes its share.
fn sweep(product: Product) {
    const SHARE: usize = 9;
    let random = &mut Random(1);
    let devices = devices();
    let windows = windows();
    assert!(windows.len() > 400, "{} windows", windows.len());
    for (i, window) in windows.into_iter().enumerate() {
        let problem = problem(random, i, window);
        for (d, (name, device)) in devices.iter().enumerate() {
            if d == 0 || i % SHARE == d {
                problem.assert_close(device, product, name);
            }
        }
    }
}

#[test]
fn forward() {
    sweep(Product::Forward { relu: false });
}

#[test]
fn forward_with_relu() {
    sweep(Product::Forward { relu: true });
}

#[test]
fn backward() {
    sweep(Product::Backward {
        accumulate: false,
        mask: false,
    });
}

#[test]
fn backward_added_to_what_is_there() {
    sweep(Product::Backward {
        accumulate: true,
        mask: false,
    });
}

/// A layer applied to many positions has rows of many tiles, and of several tasks of the twin.
#[test]
fn rows_of_many_tiles() {
    let random = &mut Random(2);
    for (name, device) in devices() {
        for (plane, sizes, batch) in [
            ([5, 5], [13, 7], 36),
            ([1, 64], [9, 3], 128),
            ([3, 11], [2, 33], 5),
        ] {
            let window = Window::pointwise(plane);
            let problem = Problem::new(random, window, sizes, batch, |random, row, col| {
                row != 1 && col != 1 && random.word().is_multiple_of(3)
            });
            for product in Product::ALL {
                problem.assert_close(&device, product, &name);
            }
            for accumulate in [false, true] {
                let masked = Product::Backward {
                    accumulate,
                    mask: true,
                };
                problem.assert_close(&device, masked, &name);
            }
        }
    }
}

/// Sources of more than the 16 MiB up to which the twin writes rows whole.
#[test]
fn rows_that_the_twin_writes_in_parts() {
    let random = &mut Random(3);
    let device = Device::cpu(2).unwrap();
    for (sizes, product) in [
        ([70, 3], Product::Forward { relu: true }),
        (
            [3, 70],
            Product::Backward {
                accumulate: true,
                mask: true,
            },
        ),
    ] {
        let window = Window::pointwise([60, 70]);
        let problem = Problem::new(random, window, sizes, 13, |random, row, col| {
            row != 1 && col != 1 && random.word().is_multiple_of(3)
        });
        assert!(problem.input.len().max(problem.delta.len()) * 4 > 16 << 20);
        problem.assert_close(&device, product, "cpu");
    }
}
