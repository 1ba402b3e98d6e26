//! Data sources from outside the crate and vectors in memory: batches, shares, training, and broken promises.
#![allow(clippy::unwrap_used)]

mod common;

use common::says;
use rootlet::Result;
use rootlet::checkpoint;
use rootlet::data::{
    DataSource, Dataset, Draws, ImageShape, Inputs, Loader, LoaderOptions, Normalisation, Order,
    Reader, Reading, Share, TargetKind, Targets, TestPart, Vectors,
};
use rootlet::engine::Device;
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};

/// Makes its samples when they are needed: noise around one of three corners, with other noise in each epoch.
#[derive(Debug)]
struct Corners(usize);

impl DataSource for Corners {
    fn len(&self) -> usize {
        self.0
    }

    fn features(&self) -> usize {
        3
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }

    fn label(&self, number: usize) -> u32 {
        number as u32 % 3
    }

    fn read(&self, number: usize, draws: Draws, inputs: &mut [f32], _: &mut [f32]) -> Result<()> {
        let seed = (number as u64) << 32 | u64::from(draws.epoch);
        inputs.copy_from_slice(&common::Random(seed).reals(3));
        inputs[number % 3] += 2.0;
        Ok(())
    }
}

fn plain(channels: usize) -> Normalisation {
    Normalisation {
        mean: vec![0.0; channels],
        std: vec![1.0; channels],
    }
}

#[test]
fn a_generator_is_trained_on() {
    let data = Dataset::new(
        "corners",
        ImageShape::vector(3),
        Corners(300).boxed(),
        Corners(60).boxed(),
    )
    .unwrap();
    assert_eq!(data.classes, 3);
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.5;
    config.model.hidden = vec![20];
    config.run.epochs = 3;
    config.machine.workers = 3;
    let run = |workers| {
        let mut config = config.clone();
        config.machine.workers = workers;
        let mut trainer = Trainer::new(Device::cpu(2).unwrap(), config, data.clone()).unwrap();
        let end = trainer
            .run(&mut Hooks::observing(&mut |_: &Event| Ok(())))
            .unwrap();
        (end.test_accuracy, trainer.snapshot().unwrap())
    };
    let (accuracy, snapshot) = run(1);
    assert!(accuracy > 0.9, "{accuracy}");
    assert_eq!(run(3).1.state, snapshot.state);
    let record = snapshot.data.unwrap();
    assert_eq!(
        (record.train.images, record.train.fingerprint.len()),
        (300, 32)
    );
    assert_ne!(record.train.fingerprint, record.test.fingerprint);
}

trait Boxed: DataSource + Sized {
    fn boxed(self) -> std::sync::Arc<dyn DataSource> {
        std::sync::Arc::new(self)
    }
}

impl<S: DataSource> Boxed for S {}

/// Batches of vectors are their numbers, normalised by channel and laid out by lane, with all values.
#[test]
fn vectors_become_batches() {
    let numbers: Vec<f32> = (0..40).map(|i| i as f32).collect();
    let values: Vec<f32> = (0..20).map(|i| -(i as f32)).collect();
    let vectors = Vectors::new(4, numbers, values).unwrap();
    let shape = ImageShape {
        channels: 2,
        height: 1,
        width: 2,
    };
    let normalisation = Normalisation {
        mean: vec![1.0, 0.0],
        std: vec![2.0, 4.0],
    };
    let batches =
        Loader::start(vectors, shape, &normalisation, LoaderOptions::of_batch(7)).unwrap();
    let batches: Vec<_> = batches.map(|batch| batch.unwrap()).collect();
    assert_eq!(batches.iter().map(|b| b.count).collect::<Vec<_>>(), [7, 3]);
    for (b, batch) in batches.iter().enumerate() {
        let Targets::Values(values) = &batch.targets else {
            panic!("no values");
        };
        for lane in 0..8 {
            let sample = 7 * b + lane;
            let there = lane < batch.count;
            for feature in 0..4 {
                let (mean, std) = [(1.0, 2.0), (0.0, 4.0)][feature / 2];
                let expected = ((4 * sample + feature) as f32 - mean) / std;
                let found = batch.inputs[feature * 8 + lane];
                assert_eq!(found, if there { expected } else { 0.0 });
            }
            for value in 0..2 {
                let expected = -((2 * sample + value) as f32);
                assert_eq!(values[value * 8 + lane], if there { expected } else { 0.0 });
            }
        }
    }
}

/// Divided among several processes, each batch is made by one of them, and is that of one process.
#[test]
fn an_epoch_is_dealt_to_processes() {
    let numbers = |order, share, first_batch| -> Vec<Vec<u32>> {
        let samples: Vec<f32> = (0..101).map(|i| i as f32).collect();
        let vectors = Vectors::new(1, samples, (0..101u32).collect::<Vec<_>>()).unwrap();
        let options = LoaderOptions {
            order,
            share,
            first_batch,
            workers: 2,
            ..LoaderOptions::of_batch(4)
        };
        let batches = Loader::start(vectors, ImageShape::vector(1), &plain(1), options).unwrap();
        batches
            .map(|batch| batch.unwrap())
            .map(|b| b.labels()[..b.count].to_vec())
            .collect()
    };
    for order in [Order::Sequential, Order::Shuffled { seed: 3, epoch: 5 }] {
        let whole = numbers(order, Share::default(), 0);
        for (of, group) in [
            (1, 1),
            (1, 4),
            (2, 2),
            (2, 5),
            (3, 4),
            (7, 7),
            (200, 200),
            (5, 3),
        ] {
            for first in [0, 2 * group] {
                let mut made = vec![false; whole.len()];
                for index in 0..of {
                    let share = Share { index, of, group };
                    let own = numbers(order, share, first as u64);
                    for (number, batch) in own.iter().enumerate() {
                        let at = first + share.batch(number as u64) as usize;
                        assert_eq!(*batch, whole[at], "batch {number} of {share:?}");
                        assert_eq!((at - first) % group % of, index);
                        assert!(!std::mem::replace(&mut made[at], true));
                    }
                }
                let missing = made.iter().skip(first).filter(|made| !**made).count();
                assert_eq!(
                    missing, 0,
                    "{of} processes, groups of {group}, from {first} on"
                );
            }
        }
    }
}

/// Promises one thing and does another.
#[derive(Debug)]
struct Liar(&'static str);

impl DataSource for Liar {
    fn len(&self) -> usize {
        5
    }

    fn features(&self) -> usize {
        2
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values(1)
    }

    fn read(&self, _: usize, _: Draws, _: &mut [f32], _: &mut [f32]) -> Result<()> {
        Ok(())
    }

    fn open<'a>(&'a self, _: &'a Reading, _: usize) -> Result<Box<dyn Reader + 'a>> {
        Ok(Box::new(Liar(self.0)))
    }
}

impl Reader for Liar {
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>> {
        Ok(match self.0 {
            "more" => vec![0; numbers.len() + 1],
            "others" => vec![5],
            _ => numbers.to_vec(),
        })
    }

    fn inputs(&self, place: usize, _: usize) -> Inputs<'_> {
        match self.0 {
            "short" => Inputs::Reals(&[0.0]),
            "both" if place == 1 => Inputs::Bytes(&[1, 2]),
            _ => Inputs::Reals(&[0.0, 1.0]),
        }
    }

    fn values(&self, _: usize, _: usize) -> &[f32] {
        if self.0 == "no values" { &[] } else { &[1.0] }
    }
}

#[test]
fn sources_that_break_their_word_are_refused() {
    let load = |source: Liar| {
        let mut loader = Loader::start(
            source.boxed(),
            ImageShape::vector(2),
            &plain(2),
            LoaderOptions::of_batch(4),
        )
        .unwrap();
        loader.next().unwrap()
    };
    load(Liar("nothing")).unwrap();
    says(load(Liar("more")), &["was not asked for"]);
    says(load(Liar("others")), &["was not asked for"]);
    says(load(Liar("short")), &["of another size"]);
    says(load(Liar("both")), &["bytes and numbers at once"]);
    says(load(Liar("no values")), &["other numbers of values"]);
    let labels = Vectors::new(2, vec![0.0; 4], vec![0u32, 1]).unwrap();
    let mixed = Dataset::new(
        "mixed",
        ImageShape::vector(2),
        labels,
        Liar("nothing").boxed(),
    );
    says(mixed, &["with a class each", "test samples, with 1 number"]);
}

#[test]
fn a_training_can_do_without_a_test() {
    let mut data = Dataset::new(
        "corners",
        ImageShape::vector(3),
        Corners(300).boxed(),
        Corners(0).boxed(),
    )
    .unwrap();
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.5;
    config.model.hidden = vec![20];
    config.run.epochs = 3;
    let train = |data: &Dataset| {
        let mut losses = Vec::new();
        let mut note = |event: &Event| {
            if let Event::Epoch(epoch) = event {
                losses.push((epoch.train_loss, epoch.test_loss));
            }
            Ok(())
        };
        let device = Device::cpu(1).unwrap();
        let mut trainer = Trainer::new(device, config.clone(), data.clone())?;
        let finished = trainer.run(&mut Hooks::observing(&mut note))?;
        // Its checkpoints can be read: no number in them is missing.
        let [model, manifest] = checkpoint::to_bytes(&trainer.snapshot()?, "")?;
        checkpoint::from_bytes([&model, &manifest])?;
        Ok((losses, finished))
    };
    says(train(&data), &["no test images"]);
    data.test_part = TestPart::Unwanted;
    let (losses, finished) = train(&data).unwrap();
    assert_eq!((losses.len(), finished.epochs), (3, 3));
    assert!(losses[2].0 < losses[0].0 && losses.iter().all(|(_, test)| test.is_nan()));
    assert!(finished.test_loss.is_nan() && !finished.interrupted);
    assert_eq!(finished.trained_on, None);
}
