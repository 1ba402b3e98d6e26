//! An array that an optimiser keeps: its declaration, and its numbers on the host.

/// An array with a word for every trained number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateArray {
    /// Its name in files: lower-case letters, digits and underscores.
    pub name: &'static str,
    /// What each word starts with, which is also its type.
    pub start: Scalar,
}

impl StateArray {
    /// An array of f32.
    pub const fn f32(name: &'static str, start: f32) -> Self {
        let start = Scalar::F32(start);
        StateArray { name, start }
    }

    /// An array of u32.
    pub const fn u32(name: &'static str, start: u32) -> Self {
        let start = Scalar::U32(start);
        StateArray { name, start }
    }
}

/// A word with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A real number.
    F32(f32),
    /// A count.
    U32(u32),
    /// The weight itself, as it is when the array begins: a real number.
    Weight,
}

impl Scalar {
    /// The word, for a number that grows in a round: its weight is 0.
    pub fn bits(self) -> u32 {
        match self {
            Scalar::F32(value) => value.to_bits(),
            Scalar::U32(value) => value,
            Scalar::Weight => 0,
        }
    }

    /// What an array starts with, for these weights.
    pub fn of(self, weights: &[f32]) -> Numbers {
        match self {
            Scalar::F32(value) => Numbers::F32(vec![value; weights.len()]),
            Scalar::U32(value) => Numbers::U32(vec![value; weights.len()]),
            Scalar::Weight => Numbers::F32(weights.to_vec()),
        }
    }
}

/// The numbers of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Real numbers.
    F32(Vec<f32>),
    /// Counts.
    U32(Vec<u32>),
}

impl Numbers {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.words().len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.words().is_empty()
    }

    /// The numbers as words.
    pub fn words(&self) -> &[u32] {
        match self {
            Numbers::F32(values) => bytemuck::cast_slice(values),
            Numbers::U32(values) => values,
        }
    }

    /// The type's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Numbers::F32(_) => "f32",
            Numbers::U32(_) => "u32",
        }
    }

    /// The elements at these places.
    pub(super) fn select(&self, places: &[usize]) -> Self {
        match self {
            Numbers::F32(values) => Numbers::F32(places.iter().map(|&i| values[i]).collect()),
            Numbers::U32(values) => Numbers::U32(places.iter().map(|&i| values[i]).collect()),
        }
    }

    /// What these weights start with, except for these at the given places.
    pub(super) fn spread(&self, start: Scalar, weights: &[f32], places: &[usize]) -> Self {
        match (start.of(weights), self) {
            (Numbers::F32(mut all), Numbers::F32(own)) => {
                places.iter().zip(own).for_each(|(&i, &v)| all[i] = v);
                Numbers::F32(all)
            }
            (Numbers::U32(mut all), Numbers::U32(own)) => {
                places.iter().zip(own).for_each(|(&i, &v)| all[i] = v);
                Numbers::U32(all)
            }
            (all, _) => all,
        }
    }
}
