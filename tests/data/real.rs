//! The complete sets as their authors publish them, if they are present.

use std::path::PathBuf;

use rootlet::data::{self, NAMES};

use crate::{halves, source};

/// The complete sets: sizes, classes of equal size if they are, and that the normalisation is the images' own.
#[test]
#[ignore = "needs the real data sets: set ROOTLET_DATA to the folder that holds them, each in a folder of its name"]
fn real_sets() {
    let Some(dir) = std::env::var_os("ROOTLET_DATA").map(PathBuf::from) else {
        println!("skipped: ROOTLET_DATA is not set");
        return;
    };
    for (name, train, even) in [
        ("mnist", 60_000, false),
        ("fashion-mnist", 60_000, true),
        ("cifar10", 50_000, true),
        ("cifar100", 50_000, true),
    ] {
        assert!(NAMES.contains(&name));
        let set = data::load(&source(name, &dir)).unwrap();
        assert_eq!((set.train.len(), set.test.len()), (train, 10_000), "{name}");
        for split in halves(&set) {
            let mut counts = vec![0; set.classes];
            for &label in split.labels() {
                counts[label as usize] += 1;
            }
            let expected = split.len() / set.classes;
            assert!(
                counts
                    .iter()
                    .all(|&n| n == expected || !even && n > expected * 8 / 10),
                "{name}: {counts:?}"
            );
        }
        let plane = set.shape.height * set.shape.width;
        for (channel, (&mean, &std)) in set
            .normalisation
            .mean
            .iter()
            .zip(&set.normalisation.std)
            .enumerate()
        {
            let (mut sum, mut squares) = (0u64, 0u64);
            for image in 0..train {
                for &pixel in &halves(&set)[0].image(image)[channel * plane..][..plane] {
                    sum += u64::from(pixel);
                    squares += u64::from(pixel).pow(2);
                }
            }
            let count = (train * plane) as f64;
            let own_mean = sum as f64 / count / 255.0;
            let own_std = (squares as f64 / count / 255.0 / 255.0 - own_mean.powi(2)).sqrt();
            println!("{name} channel {channel}: mean {own_mean:.5}, deviation {own_std:.5}");
            assert!(
                (own_mean - f64::from(mean)).abs() < 2e-4,
                "{name}: mean {own_mean}, not {mean}"
            );
            assert!(
                (own_std - f64::from(std)).abs() < 2e-4,
                "{name}: deviation {own_std}, not {std}"
            );
        }
    }
}
