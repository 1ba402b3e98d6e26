//! Every kind of window, over planes of odd sizes.

use rootlet::engine::Device;
use rootlet::sparse::Window;

use crate::common::{Random, devices};
use crate::problem::{Problem, Product};

/// All valid windows with these kernels, strides, paddings and planes.
fn windows() -> Vec<Window> {
    let kernels = [[1, 1], [2, 2], [3, 3], [5, 5], [1, 3], [3, 2]];
    let strides = [[1, 1], [2, 2], [3, 3], [1, 2], [3, 1]];
    let planes = [[1, 1], [1, 4], [3, 3], [5, 8], [9, 7], [6, 13]];
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

/// Every window on the CPU, and each adapter takes its share; products, sizes and batches of all remainders take turns.
#[test]
fn all_products_through_all_windows() {
    const SIZES: [[usize; 2]; 5] = [[1, 1], [3, 5], [2, 9], [4, 2], [1, 6]];
    const BATCHES: [usize; 7] = [1, 4, 7, 10, 16, 33, 130];
    const SHARE: usize = 9;
    let random = &mut Random(1);
    let devices = devices();
    let windows = windows();
    assert!(windows.len() > 200, "{} windows", windows.len());
    for (i, window) in windows.into_iter().enumerate() {
        let sizes = SIZES[i % SIZES.len()];
        let problem = Problem::new(random, window, sizes, BATCHES[i % BATCHES.len()]);
        for (d, (name, device)) in devices.iter().enumerate() {
            for (p, product) in Product::ALL.into_iter().enumerate() {
                if d == 0 || (i + p) % SHARE == d {
                    problem.assert_close(device, product, name);
                }
            }
        }
    }
}

/// Many tiles of rows, of lanes and along the sum, whole and with remainders.
#[test]
fn layers_of_many_tiles() {
    let random = &mut Random(2);
    let pointwise = Window::pointwise;
    let conv = |plane, stride| Window::new(plane, [3, 3], stride, [1, 1]).unwrap();
    for (name, device) in devices() {
        for (window, sizes, batch) in [
            (pointwise([1, 1]), [1, 1], 1),
            (pointwise([1, 1]), [200, 70], 128),
            (pointwise([1, 1]), [401, 37], 13),
            (pointwise([1, 1]), [5, 3], 700),
            (pointwise([5, 5]), [33, 65], 36),
            (pointwise([1, 64]), [9, 300], 20),
            (conv([7, 6], [1, 1]), [23, 34], 17),
            (conv([9, 12], [2, 2]), [17, 35], 32),
        ] {
            let problem = Problem::new(random, window, sizes, batch);
            for product in Product::ALL {
                problem.assert_close(&device, product, &name);
            }
        }
    }
}

/// A run repeats bit for bit, whatever the number of threads.
#[test]
fn bits_do_not_depend_on_threads() {
    let random = &mut Random(3);
    let window = Window::new([8, 8], [3, 3], [1, 1], [1, 1]).unwrap();
    let problem = Problem::new(random, window, [9, 40], 36);
    let solve = |threads: usize, product| {
        let device = Device::cpu(threads).unwrap();
        problem.solve(&device, product)
    };
    for product in Product::ALL {
        assert_eq!(solve(1, product), solve(3, product), "{product:?}");
    }
}
