//! The programs of models as people train them: none of their kernels loops for too long.

use rootlet::engine::loops::MOST_ITERATIONS;
use rootlet::engine::{Device, Program, WorkgroupShape};
use rootlet::model::{Extent, ModelOptions, by_name};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::sparse::{Assignment, allocate};
use rootlet::topology::method;

fn network(name: &str, side: usize, sparsity: f64, batch: usize, rounds: &str) -> Network {
    let device = Device::cpu(0).unwrap();
    let options = ModelOptions {
        input: Extent {
            channels: 3,
            height: side,
            width: side,
        },
        classes: 10,
        width: 1.0,
        hidden: &[8],
    };
    let model = by_name(name, &options).unwrap();
    let counts = allocate(&model.shapes(), sparsity, Assignment::ErdosRenyi).unwrap();
    let state = NetworkState::initialise(&model, &counts, 1);
    let options = NetworkOptions {
        micro_batch: Some(batch),
        ..NetworkOptions::of_batch(batch)
    };
    let method = method(rounds).unwrap();
    Network::new(&device, &model, &state, &options, method.as_ref()).unwrap()
}

/// Hardware needs hardly any splitting: of these, only the model with 150,528 inputs.
#[test]
fn no_kernel_of_a_real_model_loops_for_too_long() {
    for (name, side, sparsity, batch, rounds) in [
        ("resnet20", 32, 0.98, 128, "gse-grabo"),
        ("resnet20", 224, 0.98, 1, "gse-graest"),
        ("vgg16-small", 32, 0.9, 128, "rigl"),
        ("simple-vit-tiny", 32, 0.9, 128, "gse-grabo"),
        ("resnet50", 224, 0.98, 2, "set"),
        ("mlp", 224, 0.98, 8, "gse-grabo"),
        ("mlp", 224, 0.0, 8, "static"),
    ] {
        let network = network(name, side, sparsity, batch, rounds);
        let kernels = network.programs().flat_map(Program::iterations);
        let (iterations, kernel) = kernels.map(|(name, n)| (n, name)).max().unwrap();
        let count = |of: &dyn Fn(&Program) -> usize| network.programs().map(of).sum::<usize>();
        let whole = count(&Program::len);
        let pieces = WorkgroupShape::ALL.map(|shape| count(&|program| program.pieces(shape)));
        println!(
            "{name} at {side} pixels, batch {batch}: {iterations} iterations in {kernel}; {whole} dispatches, \
             {pieces:?} pieces"
        );
        assert!(
            (1..=MOST_ITERATIONS).contains(&iterations),
            "{name}: {kernel}"
        );
        assert_eq!(pieces[0] == whole, name != "mlp", "{name}");
    }
}
