//! Training on samples that were mixed, and on images that were varied.

use std::sync::Arc;

use crate::common::says;
use crate::{Kind, config, data};
use rootlet::checkpoint::Snapshot;
use rootlet::data::{
    DataOptions, Dataset, Loader, LoaderOptions, MixedLabels, Mixing, Operations, Order, Targets,
};
use rootlet::engine::Device;
use rootlet::train::{Event, Hooks, Setup, TrainConfig, Trainer};

fn digits() -> Dataset {
    let options = DataOptions {
        limit: Some(200),
        ..DataOptions::default()
    };
    rootlet::data::load(&options).unwrap()
}

fn made(config: &TrainConfig, data: &Dataset) -> rootlet::Result<Trainer> {
    Trainer::new(Device::cpu(2)?, config.clone(), data.clone())
}

fn run(trainer: &mut Trainer) -> Snapshot {
    let mut quiet = |_: &Event| Ok(());
    trainer.run(&mut Hooks::observing(&mut quiet)).unwrap();
    trainer.snapshot().unwrap()
}

fn ways() -> [fn(&mut TrainConfig); 4] {
    [
        |c| c.data.mixup = 0.4,
        |c| c.data.cutmix = 1.0,
        |c| c.data.rand_augment = vec![2, 9],
        |c| {
            c.data.mixup = 0.2;
            c.data.cutmix = 0.5;
            c.data.rand_augment = vec![1, 20];
            c.task.class_weights = "balanced".to_owned();
            c.task.balance = true;
        },
    ]
}

/// Each trains, with another result than without; stopped within an epoch and resumed, it has the same bits, whatever
/// loads the data.
#[test]
fn runs_on_mixed_and_varied_images_resume_to_the_bit() {
    let data = digits();
    let mut config = config("gse-grabo");
    config.run.epochs = 3;
    let plain = run(&mut made(&config, &data).unwrap());
    for way in ways() {
        let mut config = config.clone();
        way(&mut config);
        let whole = run(&mut made(&config, &data).unwrap());
        assert_ne!(whole.state, plain.state);
        let mut part = config.clone();
        part.run.steps = Some(8);
        let half = run(&mut made(&part, &data).unwrap());
        config.machine.workers = 3;
        let mut rest = made(&config, &data).unwrap();
        rest.restore(half).unwrap();
        assert_eq!(run(&mut rest).state, whole.state);
    }
}

/// Tests see samples unchanged: a network trained on mixed ones is tested on whole ones.
#[test]
fn mixed_samples_teach_every_task() {
    for kind in [Kind::Labels, Kind::Flags, Kind::Values] {
        let mut config = config("gse-grabo");
        config.data.mixup = 0.2;
        config.run.epochs = 8;
        let mut trainer = made(&config, &data(kind)).unwrap();
        let before = trainer.evaluate().unwrap().loss;
        run(&mut trainer);
        let after = trainer.evaluate().unwrap().loss;
        assert!(after < 0.8 * before, "{kind:?}: {before} {after}");
    }
}

/// The loader returns for each sample which classes it has, and their shares.
#[test]
fn batches_have_the_shares_of_their_samples() {
    let data = digits();
    let plain = LoaderOptions {
        order: Order::Shuffled { seed: 3, epoch: 1 },
        ..LoaderOptions::of_batch(50)
    };
    let mixing = Mixing::new(1.0, 0.0).unwrap();
    let load = |options: LoaderOptions| {
        let loader = Loader::start(data.train.clone(), data.shape, &data.normalisation, options);
        loader.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let before = load(plain);
    for (before, after) in before.iter().zip(load(LoaderOptions { mixing, ..plain })) {
        let Targets::Mixed(MixedLabels {
            labels,
            others,
            shares,
        }) = &after.targets
        else {
            panic!("not mixed");
        };
        for lane in 0..after.count {
            let next = (lane + 1) % after.count;
            let pair = [before.labels()[lane], before.labels()[next]];
            let found = [labels[lane], others[lane]];
            let (own, other) = match found == pair {
                true => (lane, next),
                false => (next, lane),
            };
            assert_eq!(found, [before.labels()[own], before.labels()[other]]);
            assert!((0.0..=0.5).contains(&shares[lane]));
            for at in 0..64 {
                let of = |lane: usize| before.inputs[at * 52 + lane];
                let expected = (1.0 - shares[lane]) * of(own) + shares[lane] * of(other);
                // For two samples of one class, either may be the first.
                let turned = (1.0 - shares[lane]) * of(other) + shares[lane] * of(own);
                let near = |expected: f32| (after.inputs[at * 52 + lane] - expected).abs() < 1e-5;
                assert!(near(expected) || pair[0] == pair[1] && near(turned));
            }
        }
    }
    let operations = Operations::new(3, 20).unwrap();
    let varied = load(LoaderOptions {
        operations,
        ..plain
    });
    let differ = |(a, b): &(&rootlet::data::Batch, &rootlet::data::Batch)| a.inputs != b.inputs;
    assert!(before.iter().zip(&varied).all(|pair| differ(&pair)));
    let same = before.iter().zip(&varied);
    assert!(same.into_iter().all(|(a, b)| a.targets == b.targets));
}

#[test]
fn what_cannot_be_mixed_or_varied_is_refused() {
    let of = |change: fn(&mut TrainConfig)| {
        let mut config = config("static");
        change(&mut config);
        config
    };
    let vectors = data(Kind::Labels);
    says(
        made(&of(|c| c.data.cutmix = 1.0), &vectors).map(drop),
        &["`cutmix` varies images", "a list of numbers"],
    );
    says(
        made(&of(|c| c.data.rand_augment = vec![2, 9]), &vectors).map(drop),
        &["`rand_augment` varies images"],
    );
    for (numbers, told) in [
        (vec![2], "must be two numbers"),
        (vec![2, 31], "0 to 30"),
        (vec![99, 3], "at most 16"),
    ] {
        let mut config = config("static");
        config.data.rand_augment = numbers;
        says(config.validate(), &["`rand_augment`", told]);
    }
    for way in &ways()[..3] {
        let mut config = config("static");
        way(&mut config);
        config.machine.resident = Some(true);
        says(
            made(&config, &digits()).map(drop),
            &["`resident` has the device make batches"],
        );
    }
    let config = of(|c| c.data.mixup = 0.5);
    let setup = Setup {
        loss: Arc::new(Other),
        ..Setup::new(&config, &vectors).unwrap()
    };
    let trainer = Trainer::with_setup(Device::cpu(1).unwrap(), config, vectors, setup);
    says(
        trainer.map(drop),
        &["give a sample two classes, which other does not know"],
    );
}

/// A loss of classes that does not belong to this crate.
#[derive(Debug)]
struct Other;

impl rootlet::loss::Loss for Other {
    fn name(&self) -> &'static str {
        "other"
    }

    fn targets(&self, _: usize) -> rootlet::data::TargetKind {
        rootlet::data::TargetKind::Labels
    }

    fn record(
        &self,
        _: &mut rootlet::engine::Plan,
        _: &rootlet::loss::Comparison<'_>,
    ) -> rootlet::Result<()> {
        Ok(())
    }
}
