//! Bits depend neither on the number of threads nor on the run.

use rootlet::engine::Device;

use crate::common::{Random, devices, gpus};
use crate::oracle::Sizes;
use crate::problem::{Problem, Results};

fn problem() -> Problem {
    let sizes = Sizes {
        heads: 3,
        dim: 6,
        tokens: 10,
    };
    Problem::new(&mut Random(8), sizes, 50, 1.0)
}

fn bits(results: Results) -> Vec<u32> {
    [results.probabilities, results.output, results.delta_qkv]
        .concat()
        .iter()
        .map(|x| x.to_bits())
        .collect()
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let problem = problem();
    let [one, two, three] =
        [1, 2, 3].map(|threads| bits(problem.solve(&Device::cpu(threads).unwrap(), "cpu")));
    assert!(one == two && one == three);
}

#[test]
fn a_run_repeats_bit_for_bit_on_an_adapter() {
    let problem = problem();
    for (name, device) in gpus() {
        let [first, second] = [(); 2].map(|()| bits(problem.solve(&device, &name)));
        assert!(first == second, "{name}");
    }
}

/// Independent products give the same results in one dispatch.
#[test]
fn three_products_in_one_dispatch_are_the_same_three() {
    let mut problem = problem();
    for (name, device) in devices() {
        let [apart, together] = [false, true].map(|fused| {
            problem.fused = fused;
            bits(problem.solve(&device, &name))
        });
        assert!(apart == together, "{name}");
    }
}
