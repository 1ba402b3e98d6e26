//! How the numbers of a message are stored: gradients, which are most of it, may travel in 16 bits.

use std::ops::Range;

use half::bf16;

/// In which form the numbers of a message travel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packing {
    /// Those that are rounded to bf16; the others are f32.
    pub rounded: Range<usize>,
}

impl Packing {
    /// Bytes of a message of `count` numbers: whole words, so an odd rounded number shares its word with a zero.
    pub(super) fn bytes(&self, count: usize) -> usize {
        4 * (count - self.rounded.len() + self.rounded.len().div_ceil(2))
    }

    /// Appends the numbers to a message.
    pub(super) fn write(&self, numbers: &[f32], message: &mut Vec<u8>) {
        let Range { start, end } = self.rounded;
        message.extend(bytemuck::cast_slice::<f32, u8>(&numbers[..start]));
        let halves = numbers[start..end].iter();
        message.extend(halves.flat_map(|&number| bf16::from_f32(number).to_le_bytes()));
        if !self.rounded.len().is_multiple_of(2) {
            message.extend([0; 2]);
        }
        message.extend(bytemuck::cast_slice::<f32, u8>(&numbers[end..]));
    }

    /// The numbers of a message that has [as many bytes](Self::bytes) as they take.
    pub(super) fn read(&self, message: &[u8]) -> Vec<f32> {
        let (first, rest) = message.split_at((4 * self.rounded.start).min(message.len()));
        let padded = 4 * self.rounded.len().div_ceil(2);
        let (middle, last) = rest.split_at(padded.min(rest.len()));
        let mut numbers: Vec<f32> = bytemuck::pod_collect_to_vec(first);
        let (halves, _) = middle.as_chunks();
        let halves = halves.iter().take(self.rounded.len());
        numbers.extend(halves.map(|&half| bf16::from_le_bytes(half).to_f32()));
        numbers.extend(bytemuck::pod_collect_to_vec::<u8, f32>(last));
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
            };
            let mut message = Vec::new();
            packing.write(&numbers, &mut message);
            assert_eq!((message.len(), packing.bytes(9)), (bytes, bytes));
            let read = packing.read(&message);
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
        Packing::default().write(&numbers, &mut message);
        assert_eq!(Packing::default().read(&message), numbers);
    }
}
