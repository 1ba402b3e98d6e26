//! How the numbers of a message are stored: gradients, which are most of it, may travel in 16 bits.

use std::ops::Range;

use crate::engine::Precision;

/// Which numbers of a message travel in which form; the others are f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Packing {
    /// The numbers that are rounded.
    pub rounded: Range<usize>,
    /// How they are stored.
    pub precision: Precision,
}

impl Packing {
    /// All numbers as they are.
    pub const EXACT: Packing = Packing {
        rounded: 0..0,
        precision: Precision::F32,
    };

    /// Words of the rounded numbers; an odd one shares its word with a zero.
    fn words(&self) -> usize {
        match self.precision.is_half() {
            true => self.rounded.len().div_ceil(2),
            false => self.rounded.len(),
        }
    }

    /// Bytes of a message of `count` numbers.
    pub(super) fn bytes(&self, count: usize) -> usize {
        4 * (count - self.rounded.len() + self.words())
    }

    /// Appends the numbers to a message.
    pub(super) fn write(&self, numbers: &[f32], message: &mut Vec<u8>) {
        let Range { start, end } = self.rounded;
        message.extend(bytemuck::cast_slice::<f32, u8>(&numbers[..start]));
        let mut words = vec![0u32; self.words()];
        let mut rounded = numbers[start..end].to_vec();
        rounded.resize(self.precision.numbers(words.len()), 0.0);
        self.precision.narrow(&rounded, &mut words);
        message.extend(bytemuck::cast_slice::<u32, u8>(&words));
        message.extend(bytemuck::cast_slice::<f32, u8>(&numbers[end..]));
    }

    /// The `count` numbers of a message that has [that many bytes](Self::bytes).
    pub(super) fn read(&self, message: &[u8], count: usize) -> Vec<f32> {
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(message);
        let (first, rest) = words.split_at(self.rounded.start.min(words.len()));
        let (middle, last) = rest.split_at(self.words().min(rest.len()));
        let mut rounded = vec![0.0; self.precision.numbers(middle.len())];
        self.precision.widen(middle, &mut rounded);
        rounded.truncate(self.rounded.len());
        let exact = |words: &[u32]| -> Vec<f32> { bytemuck::pod_collect_to_vec(words) };
        let numbers = [exact(first), rounded, exact(last)].concat();
        debug_assert_eq!(numbers.len(), count);
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rounded_numbers_change() {
        let numbers: Vec<f32> = (0..9).map(|i| 1.0 + i as f32 * 1e-3).collect();
        for (rounded, bytes) in [(0..0, 36), (2..7, 28), (3..5, 32), (0..9, 20), (8..9, 36)] {
            let packing = Packing {
                rounded: rounded.clone(),
                precision: Precision::Bf16,
            };
            let mut message = Vec::new();
            packing.write(&numbers, &mut message);
            assert_eq!((message.len(), packing.bytes(9)), (bytes, bytes));
            let read = packing.read(&message, 9);
            for (i, (found, sent)) in read.iter().zip(&numbers).enumerate() {
                match rounded.contains(&i) {
                    false => assert_eq!(found, sent),
                    // Half of the last of 8 bits.
                    true => assert!((found - sent).abs() <= sent / 256.0, "{found} {sent}"),
                }
            }
            assert!(rounded.is_empty() || read != numbers);
        }
        let mut message = Vec::new();
        Packing::EXACT.write(&numbers, &mut message);
        assert_eq!(Packing::EXACT.read(&message, 9), numbers);
    }
}
