//! The order of a shuffled epoch: a function of only the seed, the epoch and the number of images.
//!
//! It is part of what a seed means, so it must not change with a library's version, the machine or the number of
//! workers: a resumed run replays it from the middle. Hence this generator of a few lines. It is SplitMix64 (Steele,
//! Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), whose n-th output is a hash of
//! `key + n × GAMMA` and needs no state.

/// SplitMix64's increment, the odd number next to 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's output function, a bijection.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The `n`-th output, counted from 1, of SplitMix64 seeded with `key`.
fn draw(key: u64, n: u64) -> u64 {
    mix(key.wrapping_add(n.wrapping_mul(GAMMA)))
}

/// The numbers `0..len` in the order of `seed` and `epoch`: Fisher-Yates from the end, with draw `i` for place `i`.
pub(in crate::data) fn permutation(len: u32, seed: u32, epoch: u32) -> Vec<u32> {
    let key = mix(u64::from(seed) << 32 | u64::from(epoch));
    let mut order: Vec<u32> = (0..len).collect();
    for i in (1..order.len()).rev() {
        // Scaling 64 bits to 0..=i favours no place by more than one in 2^32.
        let j = (u128::from(draw(key, i as u64)) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first outputs for the seeds 0 and 1234567, as published with the reference implementations.
    #[test]
    fn draws_are_splitmix64() {
        assert_eq!(draw(0, 1), 0xe220_a839_7b1d_cdaf);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        for (n, expected) in (1..).zip(expected) {
            assert_eq!(draw(1_234_567, n), expected);
        }
    }

    /// Fixed values, so that a seed keeps its meaning; computed by a Python version of the same formulas.
    #[test]
    fn an_order_never_changes() {
        assert_eq!(permutation(10, 1, 0), [0, 7, 5, 2, 1, 9, 3, 6, 4, 8]);
        assert_eq!(permutation(10, 1, 1), [7, 9, 3, 8, 0, 5, 4, 2, 1, 6]);
        assert_eq!(permutation(10, 2, 0), [4, 3, 0, 2, 9, 6, 7, 8, 5, 1]);
    }

    /// Chi-squared of the place of each element over many epochs: mean 81 (9 × 9 degrees of freedom), deviation 12.7.
    #[test]
    fn every_place_is_as_likely() {
        let epochs = 20_000;
        let mut counts = [[0u32; 10]; 10];
        for epoch in 0..epochs {
            for (place, &element) in permutation(10, 7, epoch).iter().enumerate() {
                counts[place][element as usize] += 1;
            }
        }
        let expected = f64::from(epochs) / 10.0;
        let deviations = counts
            .iter()
            .flatten()
            .map(|&n| (f64::from(n) - expected).powi(2));
        let chi_squared = deviations.sum::<f64>() / expected;
        assert!(
            (40.0..130.0).contains(&chi_squared),
            "chi-squared {chi_squared}"
        );
    }

    proptest! {
        #[test]
        fn every_number_comes_once(len in 0u32..2000, seed: u32, epoch: u32) {
            let mut order = permutation(len, seed, epoch);
            prop_assert_eq!(&order, &permutation(len, seed, epoch));
            order.sort_unstable();
            prop_assert_eq!(order, (0..len).collect::<Vec<_>>());
        }
    }
}
