//! The state of an optimiser on the host, for saving and loading.

use super::array::{Numbers, Scalar, StateArray};
use crate::error::Result;
use std::ops::Range;

/// An optimiser's arrays for some trained numbers, by name and in its order. An optimiser that has not begun may have
/// none: they then have their start values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimiserState {
    arrays: Vec<(String, Numbers)>,
}

impl OptimiserState {
    /// Arrays with their names.
    pub fn of(arrays: impl IntoIterator<Item = (String, Numbers)>) -> Self {
        OptimiserState {
            arrays: arrays.into_iter().collect(),
        }
    }

    /// The start values for these weights.
    pub fn starting(arrays: &[StateArray], weights: &[f32]) -> Self {
        Self::of((arrays.iter()).map(|array| (array.name.into(), array.start.of(weights))))
    }

    /// The state from words in the order of the arrays.
    pub(super) fn from_words(arrays: &[StateArray], words: &[&[u32]]) -> Self {
        Self::of(arrays.iter().zip(words).map(|(array, words)| {
            let numbers = match array.start {
                Scalar::F32(_) | Scalar::Weight => {
                    Numbers::F32(bytemuck::cast_slice(words).to_vec())
                }
                Scalar::U32(_) => Numbers::U32(words.to_vec()),
            };
            (array.name.to_owned(), numbers)
        }))
    }

    /// Whether there are no arrays.
    pub fn is_empty(&self) -> bool {
        self.arrays.is_empty()
    }

    /// The arrays in order.
    pub fn arrays(&self) -> impl Iterator<Item = (&str, &Numbers)> {
        (self.arrays.iter()).map(|(name, numbers)| (name.as_str(), numbers))
    }

    /// The numbers of an array of f32; empty if there is none with this name.
    pub fn f32(&self, name: &str) -> &[f32] {
        match self.arrays().find(|(n, _)| *n == name) {
            Some((_, Numbers::F32(values))) => values,
            _ => &[],
        }
    }

    /// The numbers of an array of u32; empty if there is none with this name.
    pub fn u32(&self, name: &str) -> &[u32] {
        match self.arrays().find(|(n, _)| *n == name) {
            Some((_, Numbers::U32(values))) => values,
            _ => &[],
        }
    }

    /// Every real number.
    pub fn reals(&self) -> impl Iterator<Item = f32> {
        self.arrays
            .iter()
            .flat_map(|(_, numbers)| match numbers {
                Numbers::F32(values) => values.as_slice(),
                Numbers::U32(_) => &[],
            })
            .copied()
    }

    /// The arrays of real numbers, mutably.
    pub fn reals_mut(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        (self.arrays.iter_mut()).filter_map(|(_, numbers)| match numbers {
            Numbers::F32(values) => Some(values),
            Numbers::U32(_) => None,
        })
    }

    /// The state of the numbers at these places.
    pub fn select(&self, places: &[usize]) -> Self {
        Self::of((self.arrays()).map(|(name, numbers)| (name.into(), numbers.select(places))))
    }

    /// The state of these weights, where those at these places have this state and the others their start values.
    pub fn spread(&self, arrays: &[StateArray], weights: &[f32], places: &[usize]) -> Self {
        let own = arrays.iter().zip(&self.arrays);
        Self::of(own.map(|(array, (name, numbers))| {
            (name.clone(), numbers.spread(array.start, weights, places))
        }))
    }

    /// Checks that every array has `count` numbers. An error names the one that has not, after `prefix`.
    pub(crate) fn check_lengths(&self, prefix: &str, count: usize) -> Result<(), String> {
        match self.arrays().find(|(_, numbers)| numbers.len() != count) {
            None => Ok(()),
            Some((name, numbers)) => Err(format!(
                "`{prefix}{name}` has {} elements, expected {count}",
                numbers.len()
            )),
        }
    }

    /// Whether it belongs to an optimiser with these arrays for `count` numbers, begun or not.
    pub(crate) fn fits(&self, arrays: &[StateArray], count: usize) -> bool {
        self.is_empty()
            || self.arrays.len() == arrays.len()
                && self.arrays().zip(arrays).all(|((name, numbers), array)| {
                    name == array.name
                        && numbers.kind() == array.start.of(&[]).kind()
                        && numbers.len() == count
                })
    }
}

/// The place of a state in a device's arrays: its words, and their contents.
pub(crate) type Placed<'a> = (Range<usize>, &'a OptimiserState);

#[cfg(test)]
mod tests {
    use super::*;

    const ARRAYS: [StateArray; 2] = [StateArray::f32("m", 0.5), StateArray::u32("age", 7)];

    #[test]
    fn states_are_selected_and_spread() {
        let state = OptimiserState::of([
            ("m".to_owned(), Numbers::F32(vec![1.0, 2.0, 3.0])),
            ("age".to_owned(), Numbers::U32(vec![4, 5, 6])),
        ]);
        let two = state.select(&[0, 2]);
        assert_eq!(
            (two.f32("m"), two.u32("age")),
            (&[1.0, 3.0][..], &[4, 6][..])
        );
        assert_eq!((two.f32("age"), two.u32("other")), (&[][..], &[][..]));
        let four = two.spread(&ARRAYS, &[0.0; 4], &[1, 3]);
        assert_eq!(four.f32("m"), [0.5, 1.0, 0.5, 3.0]);
        assert_eq!(four.u32("age"), [7, 4, 7, 6]);
        assert_eq!(four.reals().count(), 4);
        let average = [StateArray {
            name: "m",
            start: Scalar::Weight,
        }];
        let four = two
            .select(&[0, 1])
            .spread(&average, &[5.0, 6.0, 7.0, 8.0], &[1, 3]);
        assert_eq!(four.f32("m"), [5.0, 1.0, 7.0, 3.0]);
    }

    #[test]
    fn states_of_others_do_not_fit() {
        let state = OptimiserState::starting(&ARRAYS, &[0.0; 3]);
        assert!(state.fits(&ARRAYS, 3) && OptimiserState::default().fits(&ARRAYS, 3));
        assert!(!state.fits(&ARRAYS, 4) && !state.fits(&ARRAYS[..1], 3));
        assert!(!state.fits(&[ARRAYS[0], StateArray::f32("age", 0.0)], 3));
        assert!(!state.fits(&[ARRAYS[1], ARRAYS[0]], 3));
        let error = state.check_lengths("bias_", 2).unwrap_err();
        assert_eq!(error, "`bias_m` has 3 elements, expected 2");
    }
}
