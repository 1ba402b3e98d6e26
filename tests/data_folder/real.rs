//! The real folders, complete: every image decodes, and how fast.

use std::path::PathBuf;
use std::time::Instant;

use rootlet::data::{Augmentation, Crop, Loader, LoaderOptions};

use crate::files::{open, training};

#[test]
#[ignore = "needs the real data sets: set ROOTLET_DATA to the folder that holds them, each in a folder of its name"]
fn real_folders() {
    let Some(dir) = std::env::var_os("ROOTLET_DATA").map(PathBuf::from) else {
        println!("skipped: ROOTLET_DATA is not set");
        return;
    };
    for (name, size, resize, classes, images) in [
        ("tiny-imagenet-20c", 64, 64, 20, [10_000, 1000]),
        ("imagenet-1k-samples-100", 224, 256, 100, [100, 0]),
    ] {
        let set = open(&dir.join(name), size, resize);
        assert_eq!(
            (set.classes, [set.train.len(), set.test.len()]),
            (classes, images)
        );
        let crop = |crop| Augmentation::RandomCrop { crop, flip: true };
        for (what, images, options) in [
            ("middle", &set.train, LoaderOptions::of_batch(10)),
            (
                "resized crop",
                &set.train,
                training(10, 0, crop(Crop::Resized)),
            ),
            ("plain crop", &set.train, training(10, 0, crop(Crop::Plain))),
        ] {
            let started = Instant::now();
            let loader =
                Loader::start(images.clone(), set.shape, &set.normalisation, options).unwrap();
            let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
            for batch in loader {
                let batch = batch.unwrap();
                for row in batch.inputs.chunks_exact(options.lanes) {
                    for &input in &row[..batch.count] {
                        sum += f64::from(input);
                        squares += f64::from(input).powi(2);
                        count += 1.0;
                    }
                }
            }
            let rate = images.len() as f64 / started.elapsed().as_secs_f64();
            let mean: f64 = sum / count;
            let deviation = (squares / count - mean * mean).sqrt();
            println!(
                "{name}, {what}: {rate:.0} images/s on one thread, mean {mean:.3}, deviation {deviation:.3}"
            );
            assert!(mean.abs() < 0.3 && (0.8..1.4).contains(&deviation));
        }
    }
}
