//! Bits depend neither on the number of threads nor on the run; adapters agree with the CPU executor.

use rootlet::engine::Device;

use crate::common::{Random, gpus};
use crate::oracle;
use crate::problem::{Layer, Problem, Product};

/// Enough rows for several tasks of the twin, and an uneven last one.
fn layers() -> [Layer; 2] {
    let random = &mut Random(6);
    let third = |random: &mut Random, _: u32, _: u32| random.word().is_multiple_of(3);
    [
        Layer::new(random, 90, 130, third),
        Layer::new(random, 130, 205, third),
    ]
}

fn problems(layers: &[Layer]) -> Vec<Problem<'_>> {
    let random = &mut Random(8);
    Product::ALL
        .into_iter()
        .flat_map(|product| [36, 100].map(|lanes| (product, lanes)))
        .map(|(product, lanes)| Problem::new(random, layers, 1, lanes, product))
        .collect()
}

fn bits(found: &[f32]) -> Vec<u32> {
    found.iter().map(|f| f.to_bits()).collect()
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let layers = layers();
    let devices = [1, 2, 3].map(|threads| Device::cpu(threads).unwrap());
    for problem in problems(&layers) {
        let [one, two, three] = devices.each_ref().map(|d| bits(&problem.solve(d, "cpu")));
        assert!(one == two && one == three, "{}", problem.name());
    }
}

#[test]
fn a_run_repeats_bit_for_bit_on_an_adapter() {
    let layers = layers();
    for (name, device) in gpus() {
        for problem in problems(&layers) {
            let [first, second] = [(); 2].map(|()| bits(&problem.solve(&device, &name)));
            assert!(first == second, "{name}, {}", problem.name());
        }
    }
}

/// Adapters may add in another order and fuse multiply and add, so they agree as far as two sums in 32-bit floats must.
#[test]
fn adapters_agree_with_the_cpu_executor() {
    let layers = layers();
    let cpu = Device::cpu(2).unwrap();
    let gpus = gpus();
    for problem in problems(&layers) {
        let expected = problem.solve(&cpu, "cpu");
        let bounds = oracle::solve(&problem);
        for (name, device) in &gpus {
            let found = problem.solve(device, name);
            for ((e, f), sum) in expected.iter().zip(&found).zip(&bounds) {
                let difference = (f64::from(*e) - f64::from(*f)).abs();
                assert!(
                    difference <= 2.0 * sum.bound(),
                    "{name}, {}: {f} is not {e}",
                    problem.name()
                );
            }
        }
    }
}
