//! A training loop of your own, without the trainer: `cargo run --release --example custom_loop`.

use rootlet::Result;
use rootlet::data::{self, DataOptions, Loader, LoaderOptions, Order};
use rootlet::engine::{Device, DeviceOptions, StepState};
use rootlet::model::mlp;
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::topology::method;

/// Images in a batch.
const BATCH: usize = 32;

pub(crate) fn main() -> Result<()> {
    let device = Device::open("auto", &DeviceOptions::default())?;
    let digits = data::load(&DataOptions::default())?;
    let model = mlp(digits.shape.extent(), &[64], digits.classes)?;
    // The connections of each layer, and the method that exchanges them.
    let state = NetworkState::initialise(&model, &[400, 200], 1);
    let method = method("gse-uniform")?;
    let options = NetworkOptions::of_batch(BATCH);
    let mut network = Network::new(&device, &model, &state, &options, method.as_ref())?;

    let (shape, normalisation) = (digits.shape, &digits.normalisation);
    let mut step = 0;
    for epoch in 0..4 {
        let options = LoaderOptions {
            order: Order::Shuffled { seed: 1, epoch },
            ..LoaderOptions::of_batch(BATCH)
        };
        for batch in Loader::start(digits.train.clone(), shape, normalisation, options)? {
            let batch = [batch?];
            let state = StepState::whole(1, step, batch[0].count, 0.2);
            step += 1;
            if step % 20 == 0 {
                network.train_with_round(&device, &batch, state, 0.2, None, None)?;
            } else {
                network.train_parts(&device, &batch, state)?;
            }
        }
        let last = u64::from(step);
        let result = network.train_results(&device, last - 1..last)?[0];
        println!("epoch {epoch}, its last batch: {result:?}");
    }
    Ok(())
}
