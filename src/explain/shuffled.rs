//! Samples of which some inputs come from other samples.

use std::ops::Range;

use crate::data::{DataSource, Draws, Images, TargetKind};
use crate::engine::random::{Stream, below, random};
use crate::error::Result;

/// The samples of a source, with the inputs `inputs` of sample i replaced by those of sample `order[i]`.
#[derive(Debug)]
pub(super) struct Shuffled {
    pub samples: Images,
    pub inputs: Range<usize>,
    pub order: Vec<u32>,
}

impl DataSource for Shuffled {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn features(&self) -> usize {
        self.samples.features()
    }

    fn targets(&self) -> TargetKind {
        self.samples.targets()
    }

    fn label(&self, number: usize) -> u32 {
        self.samples.label(number)
    }

    fn read(
        &self,
        number: usize,
        draws: Draws,
        inputs: &mut [f32],
        values: &mut [f32],
    ) -> Result<()> {
        let source = self.samples.source();
        let other = self.order[number] as usize;
        source.read(other, draws, inputs, values)?;
        let theirs = inputs[self.inputs.clone()].to_vec();
        source.read(number, draws, inputs, values)?;
        inputs[self.inputs.clone()].copy_from_slice(&theirs);
        Ok(())
    }
}

/// A random order of `count` samples, each as likely as another (Fisher and Yates).
pub(super) fn order(count: usize, seed: u32, repeat: u32, column: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        let column = column & 0x00ff_ffff;
        let words = random(seed, repeat, Stream::Shuffles, column, last as u32);
        order.swap(last, below(words[0], last as u32 + 1) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Vectors;

    #[test]
    fn only_the_column_moves_and_each_value_of_it_stays_once() {
        let count = 50;
        let rows: Vec<f32> = (0..count).flat_map(|i| [i as f32, -(i as f32)]).collect();
        let samples = Vectors::new(2, rows, vec![0u32; count]).unwrap();
        let shuffled = Shuffled {
            samples: samples.into(),
            inputs: 1..2,
            order: order(count, 3, 1, 0),
        };
        let mut moved = 0;
        let mut seen = vec![false; count];
        for number in 0..count {
            let mut row = [0.0; 2];
            shuffled
                .read(number, Draws::default(), &mut row, &mut [])
                .unwrap();
            assert_eq!(row[0], number as f32);
            let from = (-row[1]) as usize;
            assert!(!std::mem::replace(&mut seen[from], true), "{from} twice");
            moved += usize::from(from != number);
        }
        assert!(moved > count / 2, "{moved} moved");
        assert_ne!(order(count, 3, 1, 0), order(count, 3, 2, 0));
        assert_ne!(order(count, 3, 1, 0), order(count, 3, 1, 1));
    }
}
