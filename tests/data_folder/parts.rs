//! The part of an image that the network sees, against the oracle, and that nothing but seed, epoch and number decides
//! it.

use rootlet::data::{Augmentation, Crop, LoaderOptions};
use rootlet::{Error, data};

use crate::common::says;
use crate::files::{Loaded, Picture, folder, middle, open, read, source, training};
use crate::oracle::{below, resize, resized_crop, words};

/// Two roundings to bytes, one after each direction, and the weights' own.
const NEAR: f64 = 1.6;

/// Sizes of pictures: square, wide, high, smaller than the part, long, and of the very size.
const SIZES: [(usize, usize); 7] = [
    (24, 24),
    (50, 31),
    (31, 50),
    (7, 9),
    (90, 16),
    (16, 16),
    (12, 13),
];

#[test]
fn an_evaluation_sees_the_middle_of_the_resized_image() {
    for (width, height) in SIZES {
        let picture = Picture::rough(width, height);
        for (size, shorter) in [(12, 16), (16, 16), (1, 1), (5, 31)] {
            let found = middle("x.png", &picture.png(), size, shorter).unwrap();
            let (low, high) = (width.min(height), width.max(height));
            let longer = high * shorter / low;
            let (w, h) = if width < height {
                (shorter, longer)
            } else {
                (longer, shorter)
            };
            let exact = resize(&picture, (0, 0, width, height), w, h);
            let distance = exact.distance(&found, ((w - size) / 2, (h - size) / 2), size, false);
            assert!(
                distance < NEAR,
                "{width} × {height} to {size}, {shorter}: {distance}"
            );
        }
    }
}

/// Images that have the right size are not touched.
#[test]
fn an_image_of_the_size_stays_as_it_is() {
    let picture = Picture::rough(16, 16);
    assert_eq!(
        middle("x.png", &picture.png(), 16, 16).unwrap(),
        picture.planes()
    );
}

fn crops() -> [Augmentation; 2] {
    [Crop::Resized, Crop::Plain].map(|crop| Augmentation::RandomCrop { crop, flip: true })
}

/// Ten images of each size; the label is the size, which comes in the order of the classes' names.
fn many() -> tempfile::TempDir {
    folder(
        SIZES
            .iter()
            .enumerate()
            .flat_map(|(class, &(width, height))| {
                let png = Picture::rough(width, height).png();
                (0..10).map(move |i| (format!("train/{class}/{i}.png"), png.clone()))
            }),
    )
}

#[test]
fn random_crops_are_torchvisions_on_our_numbers() {
    let dir = many();
    let (size, shorter) = (8, 14);
    let set = open(dir.path(), size, shorter);
    for epoch in 0..3 {
        for augmentation in crops() {
            let options = training(9, epoch, augmentation);
            let order = options.order.samples(&set.train);
            let images = read(&set, &set.train, options).unwrap();
            assert_eq!(images.len(), 70);
            for (&image, (found, class)) in order.iter().zip(&images) {
                assert_eq!(*class, image / 10);
                let (width, height) = SIZES[*class as usize];
                let picture = Picture::rough(width, height);
                let four = words(11, epoch, 0, image);
                let flip = four[2] >> 31 == 1;
                let distance = match augmentation {
                    Augmentation::RandomCrop {
                        crop: Crop::Resized,
                        ..
                    } => {
                        let region = resized_crop(11, epoch, image, width, height);
                        resize(&picture, region, size, size).distance(found, (0, 0), size, flip)
                    }
                    _ => {
                        let longer = width.max(height) * shorter / width.min(height);
                        let (w, h) = if width < height {
                            (shorter, longer)
                        } else {
                            (longer, shorter)
                        };
                        let at = (below(four[1], w - size + 1), below(four[0], h - size + 1));
                        resize(&picture, (0, 0, width, height), w, h)
                            .distance(found, at, size, flip)
                    }
                };
                assert!(
                    distance < NEAR,
                    "image {image}, {augmentation:?}: {distance}"
                );
            }
        }
    }
}

/// Without mirroring nothing is mirrored, and pixels move by a border here too.
#[test]
fn mirroring_can_be_left_out_and_small_images_be_moved() {
    let picture = Picture::smooth(16, 16);
    let files = (0..40).map(|i| (format!("train/a/{i:02}.png"), picture.png()));
    let dir = folder(files);
    let set = open(dir.path(), 16, 16);
    let rising = |image: &Loaded| image.0[8 * 16 + 6] < image.0[8 * 16 + 10];
    for (augmentation, mirrored) in [
        (
            Augmentation::RandomCrop {
                crop: Crop::Resized,
                flip: false,
            },
            false,
        ),
        (
            Augmentation::RandomCrop {
                crop: Crop::Resized,
                flip: true,
            },
            true,
        ),
        (
            Augmentation::RandomCrop {
                crop: Crop::Plain,
                flip: false,
            },
            false,
        ),
        (
            Augmentation::RandomCrop {
                crop: Crop::Plain,
                flip: true,
            },
            true,
        ),
        (
            Augmentation::PadCropFlip {
                pad: 4,
                flip: false,
            },
            false,
        ),
        (Augmentation::PadCropFlip { pad: 4, flip: true }, true),
    ] {
        let images = read(&set, &set.train, training(10, 0, augmentation)).unwrap();
        let rising = images.iter().filter(|image| rising(image)).count();
        match mirrored {
            true => assert!((8..33).contains(&rising), "{augmentation:?}: {rising}"),
            false => assert_eq!(rising, 40, "{augmentation:?}"),
        }
    }
    // A border shows as black.
    let moved = Augmentation::PadCropFlip {
        pad: 4,
        flip: false,
    };
    let images = read(&set, &set.train, training(10, 0, moved)).unwrap();
    let black = images
        .iter()
        .filter(|(image, _)| image.contains(&0))
        .count();
    assert!((30..=40).contains(&black), "{black}");
}

#[test]
fn workers_batch_size_and_first_batch_change_no_image() {
    let dir = many();
    let set = open(dir.path(), 8, 14);
    let [resized, plain] = crops();
    for augmentation in [
        resized,
        plain,
        Augmentation::PadCropFlip { pad: 2, flip: true },
    ] {
        let images = |batch, workers, first_batch| {
            let options = LoaderOptions {
                workers,
                first_batch,
                ..training(batch, 4, augmentation)
            };
            read(&set, &set.train, options).unwrap()
        };
        let all = images(70, 1, 0);
        for (batch, workers, first) in [(1, 3, 0), (8, 1, 0), (8, 3, 2), (33, 3, 1)] {
            assert!(images(batch, workers, first) == all[batch * first as usize..]);
        }
        let other = read(&set, &set.train, training(70, 5, augmentation)).unwrap();
        assert!(other != all, "two epochs are alike");
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let dir = folder([("train/a/x.png", Picture::smooth(4, 4).png())]);
    for (size, resize) in [(0, 4), (5, 4), (4, 16_385), (usize::MAX, usize::MAX)] {
        let refused = data::load(&source(dir.path(), size, resize));
        assert!(matches!(refused, Err(Error::Refused(_))));
        says(refused, &["`image_size`", "`resize`"]);
    }
    // A shorter side of 1 pixel would make the longer one a giant.
    let long = Picture::smooth(200, 1).png();
    let dir = folder([("train/a/long.png", long)]);
    let set = open(dir.path(), 100, 100);
    let refused = read(&set, &set.train, LoaderOptions::of_batch(1));
    says(refused, &["long.png", "200 × 1 pixels", "20000"]);
}
