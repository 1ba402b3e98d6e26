//! Random numbers: the same on host and device, and in their ranges. Also a kernel declared outside the crate.

use proptest::prelude::*;
use rootlet::engine::random::{Stream, below, pcg4d, random, unit};
use rootlet::engine::{Class, Grid, Plan};

use crate::common::{Random, devices};

rootlet::kernel! {
    /// Draws for each index, and the two roundings of each word to a range.
    pub Draws, DrawsParams, DrawsTwin = "tests/draws", include_str!("draws.wgsl");
    params { seed: u32, step: u32, layer: u32, length: u32 }
    no loops;
    read indices: u32,
    read ranges: u32,
    write words: u32,
    write units: f32,
    write belows: u32,
}

impl DrawsTwin<'_> {
    fn run(self) {
        let p = self.params;
        for i in 0..p.length as usize {
            let four = random(p.seed, p.step, Stream::Signs, p.layer, self.indices[i]);
            self.words[i * 4..][..4].copy_from_slice(&four);
            self.units[i] = unit(four[1]);
            self.belows[i] = below(four[0], self.ranges[i]);
        }
    }
}

/// Ranges at the edges of the 16-bit halves that the shader multiplies.
const RANGES: [u32; 10] = [
    1,
    2,
    3,
    1000,
    65_535,
    65_536,
    65_537,
    1 << 31,
    u32::MAX - 1,
    u32::MAX,
];

#[test]
fn device_and_host_draw_the_same_numbers() {
    const LENGTH: usize = 5000;
    let source = &mut Random(9);
    let mut indices: Vec<u32> = (0..LENGTH).map(|_| source.word()).collect();
    indices[..4].copy_from_slice(&[0, 1, u32::MAX, 1 << 31]);
    let mut ranges: Vec<u32> = (0..LENGTH).map(|_| source.word().max(1)).collect();
    for (i, range) in ranges.iter_mut().enumerate().filter(|(i, _)| i % 2 == 0) {
        *range = RANGES[i / 2 % RANGES.len()];
    }
    for (name, device) in devices() {
        for (seed, step, layer) in [(0, 0, 0), (1, 70_000, 3), (u32::MAX, u32::MAX, 255)] {
            let with = |label, data: &[u32]| device.buffer_with(label, Class::Scratch, data);
            let empty = |label, words| device.buffer(label, Class::Scratch, words).unwrap();
            let (words, units, belows) = (
                empty("words", LENGTH * 4),
                empty("units", LENGTH),
                empty("belows", LENGTH),
            );
            let kernel = Draws {
                params: DrawsParams {
                    seed,
                    step,
                    layer,
                    length: LENGTH as u32,
                },
                indices: with("indices", &indices).unwrap().all(),
                ranges: with("ranges", &ranges).unwrap().all(),
                words: words.all(),
                units: units.all(),
                belows: belows.all(),
            };
            let mut plan = Plan::new("draws");
            plan.dispatch(kernel, Grid::Items(LENGTH)).unwrap();
            let program = device.prepare(&plan).unwrap();
            let checks = device.run_checked(&program, "draws").unwrap();
            assert_eq!(checks.len(), 3, "{name}");
            for check in checks {
                assert_eq!(check.different, 0, "{name}: {check:?}");
            }
            let words: Vec<u32> = device.download(&words.range(0..LENGTH * 4)).unwrap();
            let units: Vec<f32> = device.download(&units.range(0..LENGTH)).unwrap();
            let belows: Vec<u32> = device.download(&belows.range(0..LENGTH)).unwrap();
            for i in 0..LENGTH {
                let four = pcg4d([seed, step, (2 << 24) | layer, indices[i]]);
                assert_eq!(words[i * 4..][..4], four, "{name}, index {}", indices[i]);
                let exact = (u64::from(four[0]) * u64::from(ranges[i])) >> 32;
                assert_eq!(u64::from(belows[i]), exact, "{name}: below {}", ranges[i]);
                assert_eq!(units[i], (four[1] >> 8) as f32 / 16_777_216.0, "{name}");
            }
        }
    }
}

#[test]
fn ranges_hold_at_the_edges() {
    for n in RANGES {
        assert_eq!(below(0, n), 0);
        assert_eq!(below(u32::MAX, n), n - 1);
    }
    assert_eq!(unit(0), 0.0);
    assert_eq!(unit(u32::MAX), 1.0 - 1.0 / 16_777_216.0);
}

#[test]
fn streams_layers_steps_and_seeds_are_apart() {
    let draws = [
        random(1, 2, Stream::Candidates, 3, 4),
        random(2, 2, Stream::Candidates, 3, 4),
        random(1, 3, Stream::Candidates, 3, 4),
        random(1, 2, Stream::RandomScores, 3, 4),
        random(1, 2, Stream::Candidates, 4, 4),
        random(1, 2, Stream::Candidates, 3, 5),
    ];
    for (i, a) in draws.iter().enumerate() {
        for b in &draws[i + 1..] {
            assert!(a.iter().zip(b).all(|(x, y)| x != y), "{a:x?} {b:x?}");
        }
    }
}

/// Chi-squared with 255 degrees of freedom: mean 255, standard deviation 22.6; fixed seed.
#[test]
fn each_of_the_four_words_is_uniform() {
    for word in 0..4 {
        let mut hits = [0f64; 256];
        let draws = 256_000u32;
        for index in 0..draws {
            let drawn = random(5, 0, Stream::Candidates, 0, index)[word];
            hits[below(drawn, 256) as usize] += 1.0;
        }
        let expected = f64::from(draws) / 256.0;
        let chi: f64 = hits.iter().map(|h| (h - expected).powi(2) / expected).sum();
        assert!((165.0..345.0).contains(&chi), "word {word}: {chi}");
    }
}

proptest! {
    #[test]
    fn numbers_stay_in_their_ranges(word: u32, n in 1u32..) {
        prop_assert!(below(word, n) < n);
        prop_assert!((0.0..1.0).contains(&unit(word)));
    }
}
