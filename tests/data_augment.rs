//! Augmented batches: against the definition, the same however they are cut and made, and the same bits on every
//! device.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Random, devices, says};
use rootlet::Error;
use rootlet::data::{
    Augmentation, Batch, Crop, Draws, ImageShape, Loader, LoaderOptions, Normalisation, Order,
    ResidentImages, Split, Targets,
};
use rootlet::engine::random::pcg4d;
use rootlet::engine::{Class, Device, Plan};

/// The stream's number, written down: a seed keeps its meaning.
const STREAM: u32 = 6 << 24;

fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
    ImageShape {
        channels,
        height,
        width,
    }
}

fn pixel(image: usize, feature: usize) -> u8 {
    (image * 101 + feature * 7 + 1) as u8
}

/// Images whose bytes tell which image and feature they are of; labels are their numbers, with room above a byte.
fn split(shape: ImageShape, images: usize) -> Arc<Split> {
    let features = shape.features();
    let bytes = (0..images * features)
        .map(|i| pixel(i / features, i % features))
        .collect();
    Arc::new(Split::new(features, bytes, (0..images as u32).collect()).unwrap())
}

fn normalisation(channels: usize) -> Normalisation {
    Normalisation {
        mean: vec![0.25, 0.5, 0.4465][..channels].to_vec(),
        std: vec![0.5, 0.125, 0.2616][..channels].to_vec(),
    }
}

fn load(split: &Arc<Split>, shape: ImageShape, options: LoaderOptions) -> Vec<Batch> {
    let normalisation = normalisation(shape.channels);
    Loader::start(split.clone(), shape, &normalisation, options)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// What an input must be: the pixel under a window over the black-bordered image, mirrored or not, normalised.
fn expected(
    shape: ImageShape,
    (pad, flip): (u32, bool),
    draws: Draws,
    image: u32,
    feature: usize,
) -> f32 {
    let words = pcg4d([draws.seed, draws.epoch, STREAM, image]);
    let below = |word: u32, n: u32| ((u64::from(word) * u64::from(n)) >> 32) as i64;
    let (top, left) = (below(words[0], 2 * pad + 1), below(words[1], 2 * pad + 1));
    let mirrored = flip && words[2] >> 31 == 1;
    let (h, w) = (shape.height as i64, shape.width as i64);
    let (channel, y, x) = (
        feature / (shape.height * shape.width),
        (feature / shape.width) as i64 % h,
        feature as i64 % w,
    );
    let x = if mirrored { w - 1 - x } else { x };
    let (y, x) = (y + top - i64::from(pad), x + left - i64::from(pad));
    let byte = match (0..h).contains(&y) && (0..w).contains(&x) {
        true => pixel(
            image as usize,
            (channel as i64 * h * w + y * w + x) as usize,
        ),
        false => 0,
    };
    let Normalisation { mean, std } = normalisation(shape.channels);
    (f32::from(byte) / 255.0 - mean[channel]) / std[channel]
}

#[track_caller]
fn check(batch: &Batch, lanes: usize, shape: ImageShape, shift: (u32, bool), draws: Draws) {
    for lane in 0..lanes {
        let image = batch.labels()[lane];
        for feature in 0..shape.features() {
            let input = batch.inputs[feature * lanes + lane];
            let expected = match lane < batch.count {
                true => expected(shape, shift, draws, image, feature),
                false => 0.0,
            };
            assert_eq!(
                input.to_bits(),
                expected.to_bits(),
                "image {image}, lane {lane}, feature {feature}"
            );
        }
    }
}

fn shuffled(batch: usize, seed: u32, epoch: u32, (pad, flip): (u32, bool)) -> LoaderOptions {
    LoaderOptions {
        order: Order::Shuffled { seed, epoch },
        augmentation: Augmentation::PadCropFlip { pad, flip },
        ..LoaderOptions::of_batch(batch)
    }
}

#[test]
fn batches_are_what_the_definition_says() {
    for (shape, shift) in [
        (shape(1, 1, 1), (1, true)),
        (shape(2, 3, 5), (0, true)),
        (shape(2, 3, 5), (3, false)),
        (shape(3, 9, 8), (4, true)),
    ] {
        let split = split(shape, 50);
        for (seed, epoch) in [(1, 0), (1, 1), (u32::MAX, 70_000)] {
            let options = shuffled(21, seed, epoch, shift);
            let batches = load(&split, shape, options);
            assert_eq!(batches.len(), 3);
            for batch in &batches {
                check(batch, options.lanes, shape, shift, Draws { seed, epoch });
            }
        }
    }
}

/// An image's bits depend on seed, epoch and its number only.
#[test]
fn batch_size_workers_and_first_batch_change_no_image() {
    let shape = shape(3, 6, 7);
    let split = split(shape, 61);
    let images = |batch: usize, workers: usize, first_batch: u64| {
        let options = LoaderOptions {
            workers,
            first_batch,
            ..shuffled(batch, 3, 5, (2, true))
        };
        let mut images = Vec::new();
        for batch in load(&split, shape, options) {
            for lane in 0..batch.count {
                let column = batch.inputs.iter().skip(lane).step_by(options.lanes);
                images.push((batch.labels()[lane], column.copied().collect::<Vec<f32>>()));
            }
        }
        images
    };
    let all = images(1, 1, 0);
    assert_eq!(all.len(), 61);
    for (batch, workers, first) in [(1, 3, 0), (7, 1, 0), (7, 3, 4), (32, 3, 1), (61, 2, 0)] {
        let some = images(batch, workers, first);
        assert!(
            some == all[batch * first as usize..],
            "{batch} {workers} {first}"
        );
    }
}

/// Chi-squared over the 81 places and the two directions, read off the images themselves.
#[test]
fn places_and_mirroring_are_uniform_and_new_in_every_epoch() {
    let shape = shape(1, 16, 16);
    let images = 20_000;
    let bytes: Vec<u8> = (0..images).flat_map(|_| 0..=255u8).collect();
    let split = Arc::new(Split::new(256, bytes, vec![0; images]).unwrap());
    let plain = Normalisation {
        mean: vec![0.0],
        std: vec![1.0],
    };
    let epoch = |epoch| {
        let options = shuffled(500, 9, epoch, (4, true));
        let mut seen = Vec::new();
        for batch in Loader::start(split.clone(), shape, &plain, options).unwrap() {
            let batch = batch.unwrap();
            for lane in 0..batch.count {
                let at =
                    |feature: usize| (batch.inputs[feature * 500 + lane] * 255.0).round() as i32;
                // The middle shows in every crop, and its value tells where it is in the image.
                let (middle, beside) = (at(8 * 16 + 8), at(8 * 16 + 9));
                let flip = beside < middle;
                assert_eq!((beside - middle).abs(), 1);
                let (y, x) = (middle / 16, middle % 16);
                let left = if flip { x - 7 } else { x - 8 };
                seen.push((y - 8 + 4, left + 4, flip));
            }
        }
        seen
    };
    let seen = epoch(0);
    let mut counts = [[[0f64; 2]; 9]; 9];
    for &(top, left, flip) in &seen {
        counts[top as usize][left as usize][usize::from(flip)] += 1.0;
    }
    let mean = images as f64 / 162.0;
    let chi: f64 = (counts.iter().flatten().flatten())
        .map(|n| (n - mean).powi(2) / mean)
        .sum();
    // 161 degrees of freedom: deviation 17.9.
    assert!((107.0..215.0).contains(&chi), "chi-squared {chi}");
    // The order of an epoch differs as well, so compare what every image would have by chance alone.
    let other = epoch(1);
    let equal = seen.iter().zip(&other).filter(|(a, b)| a == b).count();
    assert!(equal < 220, "{equal} of {images} places are the same");
}

#[test]
fn what_does_not_suit_the_images_is_refused() {
    let shape = shape(2, 3, 5);
    let split = split(shape, 4);
    let start = |augmentation| {
        let options = LoaderOptions {
            augmentation,
            ..LoaderOptions::of_batch(4)
        };
        Loader::start(split.clone(), shape, &normalisation(2), options)
    };
    start(Augmentation::PadCropFlip { pad: 3, flip: true }).unwrap();
    for pad in [4, u32::MAX] {
        let refused = start(Augmentation::PadCropFlip { pad, flip: true });
        assert!(matches!(refused, Err(Error::Shape(_))));
    }
    for crop in [Crop::Resized, Crop::Plain] {
        let refused = start(Augmentation::RandomCrop { crop, flip: true });
        assert!(matches!(refused, Err(Error::Value { .. })));
    }
}

/// A batch made on a device, over buffers full of noise.
struct OnDevice<'a> {
    device: &'a Device,
    resident: ResidentImages,
    shape: ImageShape,
    lanes: usize,
}

impl OnDevice<'_> {
    fn batch(&self, augmentation: Augmentation, images: &[u32], draws: Draws) -> Batch {
        let noise = &mut Random(5);
        let words = self.shape.features() * self.lanes;
        let buffer = |label, noise: &[u32]| self.device.buffer_with(label, Class::Data, noise);
        let inputs = buffer("inputs", &noise.noise(words)).unwrap();
        let labels = buffer("labels", &noise.noise(self.lanes)).unwrap();
        let mut plan = Plan::new("batch");
        (self.resident)
            .record(&mut plan, augmentation, inputs.all(), labels.all())
            .unwrap();
        let program = self.device.prepare(&plan).unwrap();
        self.resident.load(self.device, images, draws).unwrap();
        for check in self.device.run_checked(&program, "").unwrap() {
            assert_eq!(check.different, 0, "{check:?}");
        }
        self.device.run(&program).unwrap();
        Batch {
            inputs: self.device.download(&inputs.range(0..words)).unwrap(),
            targets: Targets::Labels(self.device.download(&labels.range(0..self.lanes)).unwrap()),
            count: images.len(),
            weights: Vec::new(),
            index: 0,
        }
    }
}

/// The loader's batches bit for bit, in an epoch's order, the last one smaller.
#[test]
fn a_device_makes_the_loaders_batches() {
    for (name, device) in devices() {
        for (shape, images, batch, augmentation) in [
            (
                shape(1, 1, 1),
                1,
                1,
                Augmentation::PadCropFlip { pad: 1, flip: true },
            ),
            (shape(2, 3, 5), 9, 4, Augmentation::None),
            (
                shape(2, 7, 9),
                30,
                13,
                Augmentation::PadCropFlip { pad: 7, flip: true },
            ),
            (
                shape(1, 8, 17),
                20,
                7,
                Augmentation::PadCropFlip {
                    pad: 2,
                    flip: false,
                },
            ),
            (
                shape(3, 32, 32),
                300,
                130,
                Augmentation::PadCropFlip { pad: 4, flip: true },
            ),
        ] {
            let split = split(shape, images);
            let (seed, epoch) = (7, 3);
            let options = LoaderOptions {
                order: Order::Shuffled { seed, epoch },
                augmentation,
                ..LoaderOptions::of_batch(batch)
            };
            let lanes = options.lanes;
            let normalisation = normalisation(shape.channels);
            let on = OnDevice {
                resident: ResidentImages::new(&device, &split, shape, &normalisation, lanes)
                    .unwrap(),
                device: &device,
                shape,
                lanes,
            };
            assert_eq!(on.resident.len(), images);
            let order = options.order.samples(&split.clone().into());
            let draws = options.order.draws();
            assert_eq!(draws, Draws { seed, epoch });
            for (images, loaded) in order.chunks(batch).zip(load(&split, shape, options)) {
                let made = on.batch(augmentation, images, draws);
                assert_eq!(made.labels(), loaded.labels(), "{name} {shape:?}");
                let bits = |batch: &Batch| -> Vec<u32> {
                    batch.inputs.iter().map(|x| x.to_bits()).collect()
                };
                assert!(bits(&made) == bits(&loaded), "{name} {shape:?}");
                let shift = match augmentation {
                    Augmentation::PadCropFlip { pad, flip } => (pad, flip),
                    _ => (0, false),
                };
                check(&made, lanes, shape, shift, draws);
            }
        }
    }
}

#[test]
fn a_device_refuses_what_it_cannot_make() {
    let shape = shape(2, 3, 5);
    let split = split(shape, 6);
    let device = Device::cpu(1).unwrap();
    let resident = ResidentImages::new(&device, &split, shape, &normalisation(2), 4).unwrap();
    let draws = Draws::default();
    resident.load(&device, &[5, 0, 5, 1], draws).unwrap();
    says(resident.load(&device, &[], draws), &["batches of 0 images"]);
    says(
        resident.load(&device, &[0; 5], draws),
        &["batches of 5 images", "rows of 4"],
    );
    says(
        resident.load(&device, &[0, 6], draws),
        &["no image 6 among 6"],
    );
    let buffer = |words| device.buffer("b", Class::Data, words).unwrap();
    let record = |augmentation, inputs: usize, labels: usize| {
        let (inputs, labels) = (buffer(inputs), buffer(labels));
        resident.record(
            &mut Plan::new("batch"),
            augmentation,
            inputs.all(),
            labels.all(),
        )
    };
    record(Augmentation::None, 120, 4).unwrap();
    says(
        record(Augmentation::None, 116, 4),
        &["[116, 4] words", "needs [120, 4]"],
    );
    let crop = Augmentation::RandomCrop {
        crop: Crop::Plain,
        flip: true,
    };
    says(record(crop, 120, 4), &["random crops"]);
    let wrong = |shape, normalisation, lanes| {
        ResidentImages::new(&device, &split, shape, &normalisation, lanes).map(|_| ())
    };
    says(
        wrong(self::shape(1, 3, 5), normalisation(1), 4),
        &["1 × 3 × 5"],
    );
    says(wrong(shape, normalisation(1), 4), &["1 means"]);
    says(wrong(shape, normalisation(2), 0), &["rows of 0"]);
}

/// Only hardware gains: the CPU executor and software adapters have the loader's threads.
#[test]
fn software_does_not_pay() {
    let split = split(shape(1, 2, 2), 3);
    for (name, device) in devices() {
        assert_eq!(
            ResidentImages::pays(&device, &split),
            device.is_hardware(),
            "{name}"
        );
    }
}
