//! Samples of a batch mixed in pairs: mixup and CutMix.
//!
//! How a sample is mixed is a function of the seed, the epoch and its number. Its partner is the next one of the batch
//! (or of the part of it that is on the device at once), as drawn by the epoch's order.

use super::crop_and_flip::Draws;
use crate::bounds::check;
use crate::data::{ImageShape, MixedLabels, Targets};
use crate::engine::random::{Stream, below, random};
use crate::error::Result;

/// The largest parameter of a distribution of shares: beyond it all shares are a half.
const MOST: f64 = 1000.0;

/// How samples are mixed with each other in training; by default not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mixing {
    mixup: f64,
    cutmix: f64,
}

impl Mixing {
    /// `mixup` is the α of the Beta(α, α) distribution from which the partner's share is drawn (Zhang et al., arXiv
    /// 1710.09412), `cutmix` that of the partner's area (Yun et al., arXiv 1905.04899); 0 turns it off. With both, each
    /// sample gets one or the other at random.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): below 0, or above 1,000.
    pub fn new(mixup: f64, cutmix: f64) -> Result<Self> {
        for (option, alpha) in [("mixup", mixup), ("cutmix", cutmix)] {
            let fits = (0.0..=MOST).contains(&alpha);
            check(fits, option, "must be at least 0 and at most 1000", alpha)?;
        }
        Ok(Mixing { mixup, cutmix })
    }

    /// Whether no sample is mixed.
    pub fn is_none(self) -> bool {
        self.mixup == 0.0 && self.cutmix == 0.0
    }

    /// Whether parts of images are exchanged.
    pub fn cuts(self) -> bool {
        self.cutmix > 0.0
    }

    /// What a sample gets from its partner.
    fn draw(self, draws: Draws, sample: u32, shape: ImageShape) -> Mix {
        let words = |draw| random(draws.seed, draws.epoch, Stream::Mixing, draw, sample);
        let [coin, row, column, _] = words(0);
        let cuts = match (self.mixup > 0.0, self.cuts()) {
            (true, true) => coin & 1 == 1,
            (_, cuts) => cuts,
        };
        let alpha = if cuts { self.cutmix } else { self.mixup };
        let share = beta(alpha, words);
        match cuts {
            false => Mix::Blend(share as f32),
            true => Mix::cut(share, row, column, shape),
        }
    }

    /// Mixes the samples with these numbers, which are in the first lanes.
    pub(in crate::data) fn apply(
        self,
        (draws, shape): (Draws, ImageShape),
        numbers: &[u32],
        batch: Mixed<'_>,
    ) {
        let count = numbers.len();
        if self.is_none() || count < 2 {
            return;
        }
        let mixes: Vec<Mix> = (numbers.iter())
            .map(|&number| self.draw(draws, number, shape))
            .collect();
        let Mixed {
            lanes,
            inputs,
            targets,
            weights,
        } = batch;
        for (feature, row) in inputs.chunks_exact_mut(lanes).enumerate() {
            let [y, x] = [feature / shape.width % shape.height, feature % shape.width];
            let shares = mixes.iter().map(|mix| mix.share_at(y, x));
            blend(&mut row[..count], shares);
        }
        let shares: Vec<f32> = mixes.iter().map(Mix::share).collect();
        match targets {
            Targets::Labels(labels) => {
                *targets = Targets::Mixed(mix_labels(labels, weights, &shares))
            }
            Targets::Flags(numbers) | Targets::Values(numbers) => {
                let rows = numbers.chunks_exact_mut(lanes);
                rows.for_each(|row| blend(&mut row[..count], shares.iter().copied()));
                if !weights.is_empty() {
                    blend(&mut weights[..count], shares.iter().copied());
                }
            }
            Targets::Mixed(_) => {}
        }
    }
}

/// A batch to be mixed: as a [`Batch`](crate::data::Batch) has it.
pub(in crate::data) struct Mixed<'a> {
    pub lanes: usize,
    pub inputs: &'a mut [f32],
    pub targets: &'a mut Targets,
    pub weights: &'a mut [f32],
}

/// The number of each sample's partner.
fn partner(lane: usize, count: usize) -> usize {
    (lane + 1) % count
}

/// Puts a share of the partner's value in place of each number.
fn blend(row: &mut [f32], shares: impl Iterator<Item = f32>) {
    let Some(&first) = row.first() else {
        return;
    };
    for (lane, share) in shares.enumerate() {
        // The first one was mixed already.
        let other = row.get(lane + 1).copied().unwrap_or(first);
        if share > 0.0 {
            row[lane] = (1.0 - share) * row[lane] + share * other;
        }
    }
}

/// Both classes of each sample, the one with the larger share first, and the weight of the pair.
fn mix_labels(labels: &[u32], weights: &mut [f32], shares: &[f32]) -> MixedLabels {
    let mut mixed = MixedLabels {
        labels: labels.to_vec(),
        others: labels.to_vec(),
        shares: vec![0.0; labels.len()],
    };
    let before = weights.to_vec();
    for (lane, &share) in shares.iter().enumerate() {
        let mut pair = [lane, partner(lane, shares.len())];
        if share > 0.5 {
            pair.reverse();
        }
        [mixed.labels[lane], mixed.others[lane]] = pair.map(|lane| labels[lane]);
        let mut share = share.min(1.0 - share);
        if let Some(weight) = weights.get_mut(lane) {
            (*weight, share) = weigh_pair(pair.map(|lane| before[lane]), share);
        }
        mixed.shares[lane] = share;
    }
    mixed
}

/// For two losses with their own weights, the second of which has that share: the weight of both together, and the
/// second's share of it.
pub(crate) fn weigh_pair([own, other]: [f32; 2], share: f32) -> (f32, f32) {
    let weight = (1.0 - share) * own + share * other;
    match weight > 0.0 {
        true => (weight, share * other / weight),
        false => (0.0, 0.0),
    }
}

/// What a sample gets from its partner.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mix {
    /// A share of every input.
    Blend(f32),
    /// Those of a part of the image, from row and column up to others.
    Cut {
        from: [usize; 2],
        to: [usize; 2],
        share: f32,
    },
}

impl Mix {
    /// A part with about that share of the area, with its centre anywhere: at the edge less of it is in the image.
    fn cut(share: f64, row: u32, column: u32, shape: ImageShape) -> Self {
        let along = |length: usize, word: u32| {
            let half = (share.sqrt() * length as f64) as usize / 2;
            let middle = below(word, length as u32) as usize;
            (middle.saturating_sub(half), (middle + half).min(length))
        };
        let (top, bottom) = along(shape.height, row);
        let (left, right) = along(shape.width, column);
        let area = ((bottom - top) * (right - left)) as f32;
        Mix::Cut {
            from: [top, left],
            to: [bottom, right],
            share: area / (shape.height * shape.width) as f32,
        }
    }

    /// The partner's share of the sample.
    fn share(&self) -> f32 {
        match *self {
            Mix::Blend(share) | Mix::Cut { share, .. } => share,
        }
    }

    /// The partner's share of the inputs in a place.
    fn share_at(&self, y: usize, x: usize) -> f32 {
        match *self {
            Mix::Blend(share) => share,
            Mix::Cut { from, to, .. } => {
                let is_within = (from[0]..to[0]).contains(&y) && (from[1]..to[1]).contains(&x);
                f32::from(u8::from(is_within))
            }
        }
    }
}

/// A number from the distribution Beta(α, α), from random words that come four at a time, starting with draw 1.
fn beta(alpha: f64, words: impl Fn(u32) -> [u32; 4]) -> f64 {
    let unit = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
    for draw in 1.. {
        let [first, second, ..] = words(draw);
        let (u, v) = (unit(first), unit(second));
        if alpha > 0.5 {
            // Ulrich's polar method (Devroye, "Non-Uniform Random Variate Generation", 1986, section IX.3.3).
            let v = 2.0 * v - 1.0;
            let square = u * u + v * v;
            if square <= 1.0 {
                let rest = 1.0 - square.powf(2.0 / (2.0 * alpha - 1.0));
                return (0.5 + u * v / square * rest.max(0.0).sqrt()).clamp(0.0, 1.0);
            }
        } else {
            // Jöhnk's method (section IX.3.5), with logarithms: powers with a small α underflow.
            let (x, y) = (u.ln() / alpha, v.ln() / alpha);
            let highest = x.max(y);
            let sum = (x - highest).exp() + (y - highest).exp();
            if highest + sum.ln() <= 0.0 {
                return (x - highest).exp() / sum;
            }
        }
    }
    0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 2,
        height: 6,
        width: 8,
    };

    #[test]
    fn shares_have_their_distribution() {
        for alpha in [0.05, 0.2, 0.5, 0.75, 1.0, 4.0, 1000.0] {
            let words = |sample| move |draw| random(7, 3, Stream::Mixing, draw, sample);
            let drawn: Vec<f64> = (0..40_000)
                .map(|sample| beta(alpha, words(sample)))
                .collect();
            assert!(drawn.iter().all(|share| (0.0..=1.0).contains(share)));
            let mean = drawn.iter().sum::<f64>() / 40_000.0;
            let moment = |n: i32| drawn.iter().map(|s| (s - 0.5).powi(n)).sum::<f64>() / 40_000.0;
            let variance = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            // The fourth central moment: 3 / (16 (2α + 1) (2α + 3)).
            let fourth = 3.0 / (16.0 * (2.0 * alpha + 1.0) * (2.0 * alpha + 3.0));
            assert!((mean - 0.5).abs() < 0.01, "{alpha}: {mean}");
            assert!(
                (moment(2) / variance - 1.0).abs() < 0.03,
                "{alpha}: {}",
                moment(2)
            );
            assert!(
                (moment(4) / fourth - 1.0).abs() < 0.06,
                "{alpha}: {}",
                moment(4)
            );
        }
    }

    /// By the definition: each input, each target.
    #[test]
    fn batches_are_mixed_as_they_say() {
        let (lanes, numbers) = (8, [4u32, 9, 2, 7, 30]);
        let count = numbers.len();
        let draws = Draws { seed: 5, epoch: 1 };
        let inputs: Vec<f32> = (0..SHAPE.features() * lanes)
            .map(|i| (i % 83) as f32)
            .collect();
        let labels = vec![3, 1, 2, 1, 0, 0, 0, 0];
        let values: Vec<f32> = (0..2 * lanes).map(|i| i as f32).collect();
        for mixing in [(0.4, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(m, c)| Mixing::new(m, c).unwrap())
        {
            let mixes = numbers.map(|number| mixing.draw(draws, number, SHAPE));
            let mix = |targets: Targets, weights: &[f32]| {
                let (mut inputs, mut targets) = (inputs.clone(), targets);
                let mut weights = weights.to_vec();
                let batch = Mixed {
                    lanes,
                    inputs: &mut inputs,
                    targets: &mut targets,
                    weights: &mut weights,
                };
                mixing.apply((draws, SHAPE), &numbers, batch);
                (inputs, targets, weights)
            };
            let weights = [1.0, 2.0, 0.0, 0.5, 4.0, 0.0, 0.0, 0.0];
            let (found, targets, weighed) = mix(Targets::Labels(labels.clone()), &weights);
            let of = |numbers: &[f32], at: usize, lane: usize, share: f32| {
                let row = &numbers[at * lanes..][..lanes];
                (1.0 - share) * row[lane] + share * row[(lane + 1) % count]
            };
            for at in 0..SHAPE.features() {
                for (lane, mix) in mixes.iter().enumerate() {
                    let share = mix.share_at(at / 8 % 6, at % 8);
                    assert_eq!(found[at * lanes + lane], of(&inputs, at, lane, share));
                }
                let padding = at * lanes + count..(at + 1) * lanes;
                assert_eq!(found[padding.clone()], inputs[padding]);
            }
            let Targets::Mixed(mixed) = targets else {
                panic!("not mixed");
            };
            for (lane, mix) in mixes.iter().enumerate() {
                // What each class gets of the sample's weight.
                let mut expected = [0.0; 4];
                let next = (lane + 1) % count;
                expected[labels[lane] as usize] += (1.0 - mix.share()) * weights[lane];
                expected[labels[next] as usize] += mix.share() * weights[next];
                let mut found = [0.0; 4];
                let (weight, share) = (weighed[lane], mixed.shares[lane]);
                found[mixed.labels[lane] as usize] += weight * (1.0 - share);
                found[mixed.others[lane] as usize] += weight * share;
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-6, "{lane}");
                }
            }
            assert_eq!(mixed.labels[count..], labels[count..]);
            let (_, targets, _) = mix(Targets::Values(values.clone()), &[]);
            let Targets::Values(found) = targets else {
                panic!("no values");
            };
            for (lane, mix) in mixes.iter().enumerate() {
                for at in 0..2 {
                    assert_eq!(found[at * lanes + lane], of(&values, at, lane, mix.share()));
                }
            }
        }
    }

    #[test]
    fn parts_are_as_large_as_their_share() {
        let shape = ImageShape {
            channels: 1,
            height: 40,
            width: 50,
        };
        let mixing = Mixing::new(0.0, 1.0).unwrap();
        let draws = Draws { seed: 1, epoch: 2 };
        let mut most = 0f32;
        for sample in 0..500 {
            let mix = mixing.draw(draws, sample, shape);
            let places = (0..40).flat_map(|y| (0..50).map(move |x| (y, x)));
            let sum: f32 = places.map(|(y, x)| mix.share_at(y, x)).sum();
            assert!((sum / 2000.0 - mix.share()).abs() < 1e-6);
            most = most.max(mix.share());
        }
        assert!(most > 0.5 && most <= 1.0, "{most}");
        let plain = Mixing::new(0.3, 0.0).unwrap();
        assert!(matches!(plain.draw(draws, 1, shape), Mix::Blend(_)));
        assert!(Mixing::default().is_none() && !plain.is_none() && !plain.cuts());
        for (mixup, cutmix) in [(-0.1, 0.0), (0.0, f64::NAN), (1e4, 0.0)] {
            assert!(Mixing::new(mixup, cutmix).is_err());
        }
    }
}
