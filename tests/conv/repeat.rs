//! Bits depend neither on the number of threads nor on the run.

use rootlet::engine::Device;
use rootlet::sparse::Window;

use crate::common::{Random, gpus};
use crate::problem::{Problem, Product};

/// Enough rows for several tasks of the twin, of one and of several bands, with and without a stride.
fn problems() -> Vec<Problem> {
    let random = &mut Random(7);
    [
        (Window::new([9, 11], [3, 3], [1, 1], [1, 1]), [5, 70], 20),
        (Window::new([40, 9], [5, 3], [2, 2], [2, 1]), [7, 6], 37),
        (Ok(Window::pointwise([1, 25])), [300, 70], 100),
    ]
    .map(|(window, sizes, batch)| {
        Problem::new(random, window.unwrap(), sizes, batch, |random, _, _| {
            random.word().is_multiple_of(4)
        })
    })
    .into()
}

fn bits(found: &[f32]) -> Vec<u32> {
    found.iter().map(|f| f.to_bits()).collect()
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let devices = [1, 2, 3].map(|threads| Device::cpu(threads).unwrap());
    for problem in problems() {
        for product in Product::ALL {
            let [one, two, three] = devices
                .each_ref()
                .map(|device| bits(&problem.solve(device, product, "cpu")));
            assert!(one == two && one == three, "{}", problem.name(product));
        }
    }
}

#[test]
fn a_run_repeats_bit_for_bit_on_an_adapter() {
    for (name, device) in gpus() {
        for problem in problems() {
            for product in Product::ALL {
                let [first, second] =
                    [(); 2].map(|()| bits(&problem.solve(&device, product, &name)));
                assert!(first == second, "{name}, {}", problem.name(product));
            }
        }
    }
}
