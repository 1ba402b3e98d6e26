//! Numbers of 16 bits: how activations and their gradients can be stored, two per word.
//!
//! Only memory holds them. A kernel computes in f32: it widens what it loads and rounds what it stores. The first
//! number of a pair is the word's low half.

use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use half::{bf16, f16};
use rayon::prelude::*;

use crate::choice::choice;
use crate::threads::DealOut;

choice! {
    /// How the numbers of a buffer are stored.
    #[derive(Hash)]
    pub enum Precision {
        /// 32 bits a number, as they are computed
        F32 = "f32",
        /// bfloat16: f32's range, 8 bits of precision
        Bf16 = "bf16",
        /// IEEE half precision: 11 bits, numbers up to 65504; their gradients, which may be tiny, in bf16
        F16 = "f16",
    }
}

/// Number of words that a thread converts at a time.
const CHUNK: usize = 1 << 13;

impl Precision {
    /// Bits of a number.
    pub fn bits(self) -> usize {
        match self {
            Precision::F32 => 32,
            Precision::Bf16 | Precision::F16 => 16,
        }
    }

    /// Whether two numbers share a word.
    pub fn is_half(self) -> bool {
        self != Precision::F32
    }

    /// How the gradients of values with this precision are stored. Those of a deep network's first layers are smaller
    /// than what f16 can distinguish from zero, 6e-8. bf16 has the range of f32, so no scale has to be chosen for the
    /// loss.
    pub fn of_gradients(self) -> Self {
        match self {
            Precision::F32 => Precision::F32,
            Precision::Bf16 | Precision::F16 => Precision::Bf16,
        }
    }

    /// Words needed for this many numbers.
    pub fn words(self, numbers: usize) -> usize {
        match self {
            Precision::F32 => numbers,
            Precision::Bf16 | Precision::F16 => numbers.div_ceil(2),
        }
    }

    /// Numbers that this many words hold.
    pub(crate) fn numbers(self, words: usize) -> usize {
        match self {
            Precision::F32 => words,
            Precision::Bf16 | Precision::F16 => 2 * words,
        }
    }

    /// The nearest number that can be stored; of two equally near ones, the even one.
    pub fn round(self, number: f32) -> f32 {
        match self {
            Precision::F32 => number,
            Precision::Bf16 => bf16::from_f32(number).to_f32(),
            Precision::F16 => f16::from_f32(number).to_f32(),
        }
    }

    /// Upper bound on the distance of the next storable number from a finite one.
    pub(crate) fn step(self, number: f32) -> f64 {
        let (digits, least) = match self {
            Precision::F32 => return 0.0,
            Precision::Bf16 => (7, -126),
            Precision::F16 => (10, -14),
        };
        let exponent = match number == 0.0 {
            true => least,
            false => (f64::from(number).abs().log2().floor() as i32).max(least),
        };
        f64::from(exponent - digits).exp2()
    }

    /// Widens the contents of `words`.
    ///
    /// # Panics
    /// If `numbers` does not have the [matching length](Precision::numbers).
    pub(crate) fn widen(self, words: &[u32], numbers: &mut [f32]) {
        assert_eq!(self.numbers(words.len()), numbers.len());
        let pairs = words
            .par_chunks(CHUNK)
            .zip(numbers.par_chunks_mut(self.numbers(CHUNK)));
        pairs.deal_out(|(words, numbers)| match self {
            Precision::F32 => numbers.copy_from_slice(bytemuck::cast_slice(words)),
            Precision::Bf16 => {
                for (word, pair) in words.iter().zip(numbers.as_chunks_mut::<2>().0) {
                    *pair = [word << 16, word & 0xffff_0000].map(f32::from_bits);
                }
            }
            Precision::F16 => {
                let halves: &[u16] = bytemuck::cast_slice(words);
                halves
                    .reinterpret_cast::<f16>()
                    .convert_to_f32_slice(numbers);
            }
        });
    }

    /// Rounds `numbers` into the words that hold them.
    ///
    /// # Panics
    /// If the lengths do not [match](Precision::numbers).
    pub(crate) fn narrow(self, numbers: &[f32], words: &mut [u32]) {
        assert_eq!(self.numbers(words.len()), numbers.len());
        let pairs = words
            .par_chunks_mut(CHUNK)
            .zip(numbers.par_chunks(self.numbers(CHUNK)));
        pairs.deal_out(|(words, numbers)| match self {
            Precision::F32 => words.copy_from_slice(bytemuck::cast_slice(numbers)),
            Precision::Bf16 => {
                for (word, pair) in words.iter_mut().zip(numbers.as_chunks::<2>().0) {
                    let [low, high] =
                        pair.map(|number| u32::from(bf16::from_f32(number).to_bits()));
                    *word = low | high << 16;
                }
            }
            Precision::F16 => {
                let halves: &mut [u16] = bytemuck::cast_slice_mut(words);
                (halves.reinterpret_cast_mut::<f16>()).convert_from_f32_slice(numbers);
            }
        });
    }
}
