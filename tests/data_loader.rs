//! Batches: their contents, and that neither workers nor the batch to start with change them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;
use rootlet::Error;
use rootlet::data::{Batch, ImageShape, Loader, LoaderOptions, Normalisation, Order, Split};

const SHAPE: ImageShape = ImageShape {
    channels: 2,
    height: 3,
    width: 5,
};

/// Images whose bytes identify the image and the feature.
fn split(images: usize) -> Arc<Split> {
    let features = SHAPE.features();
    let bytes = (0..images * features)
        .map(|i| pixel(i / features, i % features))
        .collect();
    let labels = (0..images).map(|image| (image % 251) as u32).collect();
    Arc::new(Split::new(features, bytes, labels).unwrap())
}

fn pixel(image: usize, feature: usize) -> u8 {
    (image * 37 + feature * 11) as u8
}

fn normalisation() -> Normalisation {
    Normalisation {
        mean: vec![0.25, 0.5],
        std: vec![0.5, 0.125],
    }
}

fn load(split: &Arc<Split>, options: LoaderOptions) -> Vec<Batch> {
    let loader = Loader::start(Arc::clone(split), SHAPE, &normalisation(), options).unwrap();
    let expected = loader.len();
    let batches: Vec<Batch> = loader.map(Result::unwrap).collect();
    assert_eq!(batches.len(), expected);
    batches
}

#[test]
fn a_batch_is_normalised_transposed_and_padded() {
    let options = LoaderOptions {
        lanes: 28,
        ..LoaderOptions::of_batch(21)
    };
    let batches = load(&split(50), options);
    assert_eq!(
        batches.iter().map(|batch| batch.count).collect::<Vec<_>>(),
        [21, 21, 8]
    );
    for (number, batch) in batches.iter().enumerate() {
        assert_eq!(batch.index, number as u64);
        assert_eq!((batch.inputs.len(), batch.labels().len()), (30 * 28, 28));
        for lane in 0..28 {
            let image = number * 21 + lane;
            let inside = lane < batch.count;
            assert_eq!(batch.labels()[lane], if inside { image as u32 } else { 0 });
            for feature in 0..30 {
                let (mean, std) = if feature < 15 {
                    (0.25, 0.5)
                } else {
                    (0.5, 0.125)
                };
                let expected = (f32::from(pixel(image, feature)) / 255.0 - mean) / std;
                let input = batch.inputs[feature * 28 + lane];
                assert_eq!(
                    input,
                    if inside { expected } else { 0.0 },
                    "lane {lane}, feature {feature}"
                );
            }
        }
    }
}

#[test]
fn a_shuffled_epoch_has_every_image_once_and_each_epoch_another_order() {
    let epoch = |seed, epoch| {
        let order = Order::Shuffled { seed, epoch };
        let options = LoaderOptions {
            order,
            ..LoaderOptions::of_batch(16)
        };
        let batches = load(&split(100), options);
        batches
            .iter()
            .flat_map(|batch| batch.labels()[..batch.count].to_vec())
            .collect::<Vec<_>>()
    };
    let first = epoch(1, 0);
    assert_eq!(first, epoch(1, 0));
    for other in [epoch(1, 1), epoch(2, 0), (0..100).collect()] {
        assert_ne!(first, other);
        let mut sorted = other;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn workers_and_first_batch_change_no_batch(
        images in 1usize..120, batch in 1usize..40, extra in 0usize..5, workers in 0usize..6, first in 0u64..20,
        seed: u32, epoch in 0u32..3, shuffled: bool,
    ) {
        let split = split(images);
        let order = if shuffled { Order::Shuffled { seed, epoch } } else { Order::Sequential };
        let options = LoaderOptions { order, lanes: batch + extra, ..LoaderOptions::of_batch(batch) };
        let all = load(&split, options);
        prop_assert_eq!(all.len(), split.len().div_ceil(batch));
        prop_assert_eq!(all.iter().map(|batch| batch.count).sum::<usize>(), images);
        let some = load(&split, LoaderOptions { first_batch: first, workers, ..options });
        prop_assert_eq!(&all[all.len().min(first as usize)..], &some[..]);
    }
}

#[test]
fn a_loader_dropped_early_ends_at_once() {
    let split = split(10_000);
    for workers in [1, 3] {
        for taken in [0, 1, 5] {
            let options = LoaderOptions {
                workers,
                ..LoaderOptions::of_batch(4)
            };
            let mut loader =
                Loader::start(Arc::clone(&split), SHAPE, &normalisation(), options).unwrap();
            assert_eq!(loader.by_ref().take(taken).count(), taken);
            drop(loader);
            assert_eq!(
                Arc::strong_count(&split),
                1,
                "a worker holds the images still"
            );
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let good = LoaderOptions::of_batch(4);
    let wrong_shape = ImageShape {
        channels: 1,
        ..SHAPE
    };
    let wrong_normalisation = Normalisation {
        mean: vec![0.0],
        std: vec![1.0],
    };
    for (shape, normalisation, options) in [
        (SHAPE, normalisation(), LoaderOptions { batch: 0, ..good }),
        (SHAPE, normalisation(), LoaderOptions { batch: 5, ..good }),
        (SHAPE, normalisation(), LoaderOptions::of_batch(usize::MAX)),
        (wrong_shape, normalisation(), good),
        (SHAPE, wrong_normalisation, good),
    ] {
        let refused = Loader::start(split(10), shape, &normalisation, options);
        assert!(
            matches!(refused, Err(Error::Shape(_))),
            "{shape:?} {normalisation:?} {options:?}"
        );
    }
}
