//! A training on several ranks, each a thread of its own.

use std::net::TcpListener;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use rootlet::data::{self, Dataset};
use rootlet::low_level::ranks::tcp::{Options, Tcp};
use rootlet::low_level::ranks::{Fingerprint, Membership, Ranks};
use rootlet::prelude::*;
use rootlet::train::Evaluation;

/// What a training ended with: bits of its network, and what it found on the test images.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    pub network: u64,
    pub tested: Evaluation,
    pub rounds: u64,
}

/// A stop that nobody asks for.
pub static NEVER: AtomicBool = AtomicBool::new(false);

/// Options of tests: nobody waits long.
pub fn options() -> Options {
    Options {
        join: Duration::from_secs(60),
        silence: Duration::from_secs(20),
        ..Options::with_secret("a secret")
    }
}

/// Connects `size` ranks, each in a thread that then does `work`.
pub fn on_ranks<T: Send + 'static>(
    size: usize,
    options: &Options,
    work: impl Fn(Ranks) -> T + Send + Sync + Clone + 'static,
) -> Vec<T> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let first = {
        let (options, work) = (options.clone(), work.clone());
        thread::spawn(move || {
            work(Ranks::new(
                Tcp::listen(listener, size, &options, &NEVER).unwrap(),
            ))
        })
    };
    let others = (1..size).map(|rank| {
        let (options, work) = (options.clone(), work.clone());
        thread::spawn(move || {
            let membership = membership(rank, size, port);
            work(Ranks::new(
                Tcp::join(&membership, &options, &NEVER).unwrap(),
            ))
        })
    });
    let threads: Vec<_> = std::iter::once(first).chain(others).collect();
    threads.into_iter().map(|t| t.join().unwrap()).collect()
}

pub fn membership(rank: usize, size: usize, port: u16) -> Membership {
    Membership {
        rank,
        size,
        local_rank: rank,
        local_size: size,
        address: "127.0.0.1".to_owned(),
        port,
    }
}

/// A training as `config` says, by itself or as one of several ranks.
pub fn train(config: &TrainConfig, data: &Dataset, ranks: Option<Ranks>) -> Result<End> {
    train_model(None, config, data, ranks)
}

/// The same, of a model of its own.
pub fn train_model(
    model: Option<&Model>,
    config: &TrainConfig,
    data: &Dataset,
    ranks: Option<Ranks>,
) -> Result<End> {
    end(&trained(Device::cpu(1)?, model, config, data, ranks)?)
}

/// The trainer after such a training, on this device.
pub fn trained(
    mut device: Device,
    model: Option<&Model>,
    config: &TrainConfig,
    data: &Dataset,
    ranks: Option<Ranks>,
) -> Result<Trainer> {
    if let Some(ranks) = ranks {
        device.join(ranks);
    }
    let mut setup = Setup::new(config, data)?;
    if let Some(model) = model {
        setup.model = model.clone();
    }
    let mut trainer = Trainer::with_setup(device, config.clone(), data.clone(), setup)?;
    trainer.run(&mut Hooks::observing(&mut |_: &Event| Ok(())))?;
    Ok(trainer)
}

/// What a trainer has come to.
pub fn end(trainer: &Trainer) -> Result<End> {
    let snapshot = trainer.snapshot()?;
    let mut fingerprint = Fingerprint::default();
    for layer in &snapshot.state.layers {
        fingerprint.words(&layer.crow_indices);
        fingerprint.words(&layer.col_indices);
        fingerprint.words(&layer.values);
        fingerprint.words(&layer.bias);
    }
    for array in snapshot.state.parameters.iter().flat_map(|p| &p.arrays) {
        fingerprint.words(&array.values);
    }
    Ok(End {
        network: fingerprint.finish(),
        tested: trainer.evaluate()?,
        rounds: trainer.progress().rounds,
    })
}

/// The embedded digits.
pub fn digits() -> Dataset {
    data::load(&DataOptions::default()).unwrap()
}
