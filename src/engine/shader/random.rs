//! Counter-based random numbers, the same on host and device (`shaders/lib/random.wgsl`).
//!
//! A number is a pure function of seed, step, stream and index, so a resumed run needs no generator
//! state and a test can compute the same numbers. The generator is pcg4d of Jarzynski and Olano, "Hash Functions
//! for GPU Rendering", JCGT 9(3), 2020.

/// The purpose of a stream of random numbers, which separates the draws for different purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Candidate pairs of a round.
    Candidates = 1,
    /// Random signs of the GraEst sketch.
    Signs = 2,
    /// Scores of SET's random growth.
    RandomScores = 3,
    /// The initial graph.
    Graph = 4,
    /// Initial weights and biases.
    Weights = 5,
    /// Which elements a dropout drops.
    Dropout = 7,
    /// Places and mirroring of training images.
    Augmentation = 6,
    /// Candidate pairs of a round's further draws.
    Redraws = 8,
    /// What a training sample is mixed with, and how.
    Mixing = 9,
    /// Operations that vary a training image.
    Operations = 10,
}

/// Four random words for `index` in `stream` of `layer` at `step`.
pub fn random(seed: u32, step: u32, stream: Stream, layer: u32, index: u32) -> [u32; 4] {
    pcg4d([seed, step, (stream as u32) << 24 | layer, index])
}

/// The pcg4d hash.
#[inline(always)]
pub fn pcg4d(v: [u32; 4]) -> [u32; 4] {
    let [mut x, mut y, mut z, mut w] =
        v.map(|c| c.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    x = x.wrapping_add(y.wrapping_mul(w));
    y = y.wrapping_add(z.wrapping_mul(x));
    z = z.wrapping_add(x.wrapping_mul(y));
    w = w.wrapping_add(y.wrapping_mul(z));
    [x, y, z, w] = [x, y, z, w].map(|c| c ^ (c >> 16));
    x = x.wrapping_add(y.wrapping_mul(w));
    y = y.wrapping_add(z.wrapping_mul(x));
    z = z.wrapping_add(x.wrapping_mul(y));
    w = w.wrapping_add(y.wrapping_mul(z));
    [x, y, z, w]
}

/// A word as a number in [0, 1) with 24 random bits.
pub fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// A word as an integer in `0..n`: the high half of the product (Lemire 2019, without the rejection; the bias is below
/// n / 2^32).
pub fn below(word: u32, n: u32) -> u32 {
    ((u64::from(word) * u64::from(n)) >> 32) as u32
}
