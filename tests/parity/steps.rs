//! A hundred steps of static sparse training against PyTorch.

use std::sync::Arc;

use crate::fixture::Fixture;
use crate::{assert_close, devices, network};
use rootlet::engine::StepState;
use rootlet::network::NetworkOptions;
use rootlet::optim::Sgd;

const TOLERANCE: f64 = 1e-4;

#[test]
fn a_hundred_steps_agree_with_pytorch() {
    let fixture = Fixture::open("train.safetensors");
    let layers = fixture.layers(&[32, 48, 40, 10]);
    let batches: Vec<_> = (0..7)
        .map(|i| fixture.batch(&format!("batches.{i}."), 32))
        .collect();
    assert_eq!(batches[6].count, 19);
    for device in devices() {
        for nesterov in [false, true] {
            let run = if nesterov { "nesterov" } else { "plain" };
            let at = |what: &str| format!("{}, {run}: {what}", device.name());
            let options = NetworkOptions {
                optimiser: Arc::new(Sgd::new(0.9, 1e-4, nesterov).unwrap()),
                ..NetworkOptions::of_batch(32)
            };
            let network = network(&device, &[32, 48, 40, 10], &layers, &options);
            for step in 0..100 {
                let batch = &batches[step % 7];
                network.load(&device, batch).unwrap();
                let state = StepState::whole(0, step as u32, batch.count, 0.1);
                network.train(&device, state).unwrap();
            }
            let losses: Vec<f32> = (network.train_results(&device, 0..100).unwrap().iter())
                .enumerate()
                .map(|(step, result)| result.loss / batches[step % 7].count as f32)
                .collect();
            let expected = fixture.reals(&format!("{run}.losses"));
            assert_close(&at("losses"), &losses, &expected, TOLERANCE);

            let after = network.arena().export(&device).unwrap();
            let gather = |part: fn(&rootlet::sparse::LayerState) -> &[f32]| -> Vec<f32> {
                after.iter().flat_map(part).copied().collect()
            };
            let prefix = format!("{run}.");
            for (name, found) in [
                ("values", gather(|l| &l.values)),
                ("momentum", gather(|l| l.state.f32("momentum"))),
                ("bias", gather(|l| &l.bias)),
                ("bias_momentum", gather(|l| l.bias_state.f32("momentum"))),
            ] {
                let expected = fixture.of_layers(&prefix, 3, name);
                assert_close(&at(name), &found, &expected, TOLERANCE);
            }
            for (after, before) in after.iter().zip(&layers) {
                assert_eq!(after.col_indices, before.col_indices);
            }
        }
    }
}
