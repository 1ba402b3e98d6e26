//! Growth rules that score on the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rootlet::data::{self, DataOptions};
use rootlet::engine::Device;
use rootlet::error::{Error, Misfit};
use rootlet::topology::{CandidateScores, Candidates, Distribution, Growth, Method};
use rootlet::train::{Hooks, Setup, TrainConfig, Trainer};

/// The uniform rule, whose scores pass through a function on the host.
struct Rescored {
    rescore: fn(&mut CandidateScores<'_>),
    /// Layers that were rescored.
    calls: Arc<AtomicUsize>,
}

impl Method for Rescored {
    fn name(&self) -> &str {
        "rescored"
    }

    fn growth(&self) -> Arc<dyn Growth> {
        Arc::new(Rescored {
            rescore: self.rescore,
            calls: self.calls.clone(),
        })
    }
}

impl Growth for Rescored {
    fn candidates(&self) -> Candidates {
        Candidates::Sampled(Distribution::Uniform)
    }

    fn rescores_on_host(&self) -> bool {
        true
    }

    fn rescore(&self, layer: &mut CandidateScores<'_>) -> rootlet::Result<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.rescore)(layer);
        Ok(())
    }
}

fn config() -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.hidden = vec![32];
    config.model.sparsity = 0.8;
    config.run.epochs = 1;
    config.topology.round_every = 10;
    config.topology.round_until = Some(1.0);
    config
}

/// The trained connections of each layer, the bits of the weights, and how many layers were rescored.
type Trained = (Vec<Vec<(u32, u32)>>, Vec<u32>, usize);

fn trained(
    device: Device,
    rescore: Option<fn(&mut CandidateScores<'_>)>,
) -> rootlet::Result<Trained> {
    let digits = data::load(&DataOptions::default())?;
    let mut setup = Setup::new(&config(), &digits)?;
    let calls = Arc::new(AtomicUsize::new(0));
    if let Some(rescore) = rescore {
        setup.method = Box::new(Rescored {
            rescore,
            calls: calls.clone(),
        });
    }
    let mut trainer = Trainer::with_setup(device, config(), digits, setup)?;
    let mut silent = |_: &rootlet::train::Event| Ok(());
    trainer.run(&mut Hooks::observing(&mut silent))?;
    let layers = trainer.snapshot()?.state.layers;
    let bits = layers.iter().flat_map(|layer| &layer.values);
    Ok((
        layers.iter().map(|layer| layer.pairs().collect()).collect(),
        bits.map(|value| value.to_bits()).collect(),
        calls.load(Ordering::Relaxed),
    ))
}

#[test]
fn scores_that_stay_change_no_bit() {
    for adapter in ["cpu", "0"] {
        let open = || Device::open(adapter, &Default::default()).unwrap();
        let plain = trained(open(), None).unwrap();
        let rescored = trained(open(), Some(|_| {})).unwrap();
        assert_eq!(
            (&plain.0, &plain.1),
            (&rescored.0, &rescored.1),
            "{adapter}"
        );
        assert_eq!(
            (plain.2, rescored.2),
            (0, 8),
            "{adapter}: 4 rounds of 2 layers"
        );
    }
}

#[test]
fn the_host_decides_what_grows() {
    // Only candidates of the lower half of the inputs are wanted.
    let lower: fn(&mut CandidateScores<'_>) = |layer| {
        let CandidateScores {
            layer: number,
            rows,
            cols,
            scores,
        } = layer;
        let units = [(64, 32), (32, 10)][*number];
        assert!(cols.iter().all(|&col| col < units.0) && rows.iter().all(|&row| row < units.1));
        assert!(rows.is_sorted() && rows.len() == cols.len() && cols.len() == scores.len());
        for (score, &col) in scores.iter_mut().zip(*cols) {
            *score = if col < units.0 / 2 { 2.0 } else { 1.0 };
        }
    };
    let lower_half = |pairs: &[(u32, u32)]| pairs.iter().filter(|(_, col)| *col < 32).count();
    let plain = trained(Device::cpu(1).unwrap(), None).unwrap();
    let rescored = trained(Device::cpu(1).unwrap(), Some(lower)).unwrap();
    let [before, after] = [&plain.0[0], &rescored.0[0]].map(|pairs| lower_half(pairs));
    assert!(after > before + 10, "{before} and {after}");
}

#[test]
fn a_score_that_is_no_number_is_refused() {
    let spoiled = trained(
        Device::cpu(1).unwrap(),
        Some(|layer| layer.scores[3] = f32::NAN),
    );
    let error = spoiled.unwrap_err();
    assert!(
        matches!(&error, Error::Shape(Misfit::NotFinite { .. })),
        "{error}"
    );
    assert!(
        error.to_string().contains("candidate 3 of layer 0"),
        "{error}"
    );
}
