//! What a round costs AdamW, with and without an age for each connection: the loss on the same 1,024 images before a
//! round and 1, 10 and 50 steps after it, divided by that of the same run without the round.
//!
//! `cargo run --release --example adam_ages -- MODEL DATA DIR [SEEDS] [ROUNDS]`, as in `mlp fashion-mnist data 5 10`.
//! docs/adamw.md has the results.

use std::env::args;
use std::sync::Arc;

use rootlet::data::{self, Batch, Dataset, Loader, LoaderOptions, Order};
use rootlet::engine::{Device, DeviceOptions, StepState};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::optim::AdamW;
use rootlet::topology::method;
use rootlet::train::TrainConfig;
use rootlet::{Error, Result};

const BATCH: usize = 128;
/// Steps from one round to the next, including a warm-up before the first.
const EVERY: u32 = 100;
/// Steps after a round at which the loss is measured.
const BEHIND: [u32; 3] = [1, 10, 50];
const RATE: f32 = 1e-3;

/// A run, with everything it needs.
struct Run<'a> {
    device: &'a Device,
    network: Network,
    data: &'a Dataset,
    probe: &'a [Batch],
    seed: u32,
}

impl Run<'_> {
    /// The training batches of the steps from `first` on.
    fn batches(&self, first: u32, count: u32) -> Result<Vec<Batch>> {
        let per_epoch = (self.data.train.len() / BATCH) as u32;
        let mut batches = Vec::new();
        let (mut step, end) = (first, first + count);
        while step < end {
            let epoch = step / per_epoch;
            let options = LoaderOptions {
                order: Order::Shuffled {
                    seed: self.seed,
                    epoch,
                },
                ..LoaderOptions::of_batch(BATCH)
            };
            let (shape, normalisation) = (self.data.shape, &self.data.normalisation);
            let loader = Loader::start(self.data.train.clone(), shape, normalisation, options)?;
            let rest = (end - step).min((epoch + 1) * per_epoch - step);
            let of_epoch = loader.skip((step % per_epoch) as usize).take(rest as usize);
            batches.extend(of_epoch.collect::<Result<Vec<_>>>()?);
            step += rest;
        }
        Ok(batches)
    }

    /// Trains on the batch of a step, with or without a round.
    fn step(&mut self, step: u32, batch: &Batch, round: bool) -> Result<()> {
        let (batch, state) = (
            std::slice::from_ref(batch),
            StepState::whole(self.seed, step, batch.count, RATE),
        );
        match round {
            true => (self.network)
                .train_with_round(self.device, batch, state, 0.2, None, None)
                .map(|_| ()),
            false => self.network.train_parts(self.device, batch, state),
        }
    }

    /// The mean loss on the probe's images.
    fn loss(&self) -> Result<f64> {
        let (mut sum, mut images) = (0.0, 0);
        for (i, batch) in self.probe.iter().enumerate() {
            self.network.load(self.device, batch)?;
            let state = StepState::whole(self.seed, i as u32, batch.count, 0.0);
            self.network.test(self.device, state)?;
            images += batch.count;
        }
        for result in (self.network).test_results(self.device, 0..self.probe.len() as u64)? {
            sum += f64::from(result.loss);
        }
        Ok(sum / images as f64)
    }

    /// Continues from a state: gives the losses before and after a step with or without a round, and the state at the
    /// next round.
    fn branch(&mut self, state: &NetworkState, first: u32, round: bool) -> Result<[f64; 4]> {
        self.network.import(self.device, state)?;
        let mut losses = [self.loss()?, 0.0, 0.0, 0.0];
        let last = BEHIND[BEHIND.len() - 1];
        for (i, batch) in self.batches(first, last + 1)?.iter().enumerate() {
            self.step(first + i as u32, batch, round && i == 0)?;
            if let Some(at) = BEHIND.iter().position(|&behind| behind == i as u32) {
                losses[at + 1] = self.loss()?;
            }
        }
        Ok(losses)
    }
}

/// The first 1,024 test images.
fn probe(data: &Dataset) -> Result<Vec<Batch>> {
    let (shape, normalisation) = (data.shape, &data.normalisation);
    let options = LoaderOptions::of_batch(BATCH);
    let loader = Loader::start(data.test.clone(), shape, normalisation, options)?;
    loader.take(1024 / BATCH).collect()
}

fn main() -> Result<()> {
    let given: Vec<String> = args().skip(1).collect();
    let [model, name, dir, more @ ..] = &given[..] else {
        return Err(Error::Usage("give MODEL DATA DIR [SEEDS] [ROUNDS]".into()));
    };
    let number = |i: usize, usual| more.get(i).map_or(usual, |n| n.parse().unwrap_or(usual));
    let (seeds, rounds) = (number(0, 5), number(1, 10));
    let mut config = TrainConfig::default();
    config.model.name = model.clone();
    config.model.sparsity = 0.98;
    config.data.name = name.clone();
    config.data.dir = Some(dir.into());
    config.data.limit = Some(EVERY as usize * BATCH);
    let device = Device::open("cpu", &DeviceOptions::default())?;
    let data = data::load(&config.source())?;
    let probe = probe(&data)?;
    let model = config.build_model(data.shape, data.classes)?;
    let requested = config.model.allocate(&model)?;
    let method = method("gse-uniform")?;
    for ages in [true, false] {
        let optimiser = AdamW::new([0.9, 0.999], 1e-8, 0.01)?;
        let optimiser = if ages {
            optimiser
        } else {
            optimiser.without_ages()
        };
        let mut ratios = [0.0; 4];
        for seed in 1..=seeds {
            let state = NetworkState::initialise(&model, &requested, seed);
            let options = NetworkOptions {
                optimiser: Arc::new(optimiser),
                ..NetworkOptions::of_batch(BATCH)
            };
            let network = Network::new(&device, &model, &state, &options, method.as_ref())?;
            let mut run = Run {
                device: &device,
                network,
                data: &data,
                probe: &probe,
                seed,
            };
            for round in 1..=rounds {
                // From the previous round to the step of this one.
                let first = (round - 1) * EVERY;
                for (i, batch) in run.batches(first, EVERY)?.iter().enumerate() {
                    run.step(first + i as u32, batch, round > 1 && i == 0)?;
                }
                let state = run.network.export(&device)?;
                let without = run.branch(&state, round * EVERY, false)?;
                let with = run.branch(&state, round * EVERY, true)?;
                for (ratio, (with, without)) in ratios.iter_mut().zip(with.iter().zip(without)) {
                    *ratio += with / without / f64::from(rounds * seeds);
                }
                run.network.import(&device, &state)?;
            }
        }
        let [before, one, ten, fifty] = ratios;
        println!(
            "{}: loss over that without the round: before {before:.4}, 1 step behind {one:.4}, 10 steps {ten:.4}, \
             50 steps {fifty:.4}",
            if ages { "with ages" } else { "without ages" }
        );
    }
    Ok(())
}
