//! An optimiser's arrays on a device.

use std::ops::Range;

use super::array::{Scalar, StateArray};
use super::state::{OptimiserState, Placed};
use crate::engine::{Buffer, Class, Device, View};
use crate::error::Result;

/// The arrays for one group of trained numbers. A clone shares the buffers.
#[derive(Clone)]
pub struct StateBuffers {
    declared: Vec<StateArray>,
    buffers: Vec<Buffer>,
}

impl StateBuffers {
    /// Allocates them; the ledger lists each as `owner.name`.
    ///
    /// # Errors
    /// The device refuses a buffer.
    pub fn new(
        device: &Device,
        owner: &str,
        class: Class,
        arrays: &[StateArray],
        words: usize,
    ) -> Result<Self> {
        let buffer = |a: &StateArray| device.buffer(&format!("{owner}.{}", a.name), class, words);
        Ok(StateBuffers {
            declared: arrays.to_vec(),
            buffers: arrays.iter().map(buffer).collect::<Result<_>>()?,
        })
    }

    /// The arrays, each with its name and start.
    pub fn arrays(&self) -> Vec<(StateArray, View)> {
        let views = self.buffers.iter().map(Buffer::all);
        self.declared.iter().copied().zip(views).collect()
    }

    /// The declared arrays.
    pub fn declared(&self) -> &[StateArray] {
        &self.declared
    }

    /// What each word of an array starts with, for the connections that rounds grow.
    pub(crate) fn starts(&self) -> impl Iterator<Item = (Scalar, View)> {
        let starts = self.declared.iter().map(|array| array.start);
        starts.zip(self.buffers.iter().map(Buffer::all))
    }

    /// Writes states at their places; the rest becomes zero. A state that has not begun gets the start values of these
    /// weights.
    pub(crate) fn import(
        &self,
        device: &Device,
        weights: &[f32],
        states: &[Placed<'_>],
    ) -> Result<()> {
        for (i, (array, buffer)) in self.declared.iter().zip(&self.buffers).enumerate() {
            let mut words = vec![0u32; buffer.words()];
            for (range, state) in states {
                let own = &mut words[range.clone()];
                match state.arrays().nth(i) {
                    Some((_, numbers)) => own.copy_from_slice(numbers.words()),
                    None => own.copy_from_slice(array.start.of(&weights[range.clone()]).words()),
                }
            }
            device.upload(&buffer.all(), &words)?;
        }
        Ok(())
    }

    /// Reads back the states at these places.
    pub(crate) fn export(
        &self,
        device: &Device,
        places: impl IntoIterator<Item = Range<usize>>,
    ) -> Result<Vec<OptimiserState>> {
        let words: Vec<Vec<u32>> = (self.buffers.iter())
            .map(|buffer| device.download(&buffer.all()))
            .collect::<Result<_>>()?;
        let state = |range: Range<usize>| {
            let words: Vec<&[u32]> = words.iter().map(|w| &w[range.clone()]).collect();
            OptimiserState::from_words(&self.declared, &words)
        };
        Ok(places.into_iter().map(state).collect())
    }
}
