//! Dense parameters on the host: what a layer declares, and the numbers in files.

use crate::optim::OptimiserState;

/// One array of a layer, as the layer declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in files.
    pub name: &'static str,
    /// Number of words.
    pub words: usize,
    /// The start value of each word.
    pub start: f32,
    /// Whether the optimiser trains it. Otherwise it is a statistic that the layer's forward pass keeps.
    pub trained: bool,
}

impl Parameter {
    /// An array that the optimiser trains.
    pub fn trained(name: &'static str, words: usize, start: f32) -> Self {
        Parameter {
            name,
            words,
            start,
            trained: true,
        }
    }

    /// An array that the layer keeps itself.
    pub fn untrained(name: &'static str, words: usize, start: f32) -> Self {
        Parameter {
            trained: false,
            ..Self::trained(name, words, start)
        }
    }
}

/// An array on the host, for initialising, saving and reading back.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterArray {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub values: Vec<f32>,
    /// Whether the optimiser trains it.
    pub trained: bool,
    /// The optimiser's arrays for it; empty if it is not trained.
    pub state: OptimiserState,
}

/// A layer's dense parameters on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterState {
    /// The layer's kind.
    pub kind: String,
    /// Its arrays, in the layer's order.
    pub arrays: Vec<ParameterArray>,
}

impl ParameterState {
    /// The parameters of a layer before training.
    pub fn new(kind: &str, parameters: &[Parameter]) -> Self {
        ParameterState {
            kind: kind.to_owned(),
            arrays: (parameters.iter())
                .map(|p| ParameterArray {
                    name: p.name.to_owned(),
                    values: vec![p.start; p.words],
                    trained: p.trained,
                    state: OptimiserState::default(),
                })
                .collect(),
        }
    }

    /// The array with this name.
    pub fn array(&self, name: &str) -> Option<&ParameterArray> {
        self.arrays.iter().find(|array| array.name == name)
    }

    /// The array with this name.
    pub fn array_mut(&mut self, name: &str) -> Option<&mut ParameterArray> {
        self.arrays.iter_mut().find(|array| array.name == name)
    }

    /// The values of the array with this name; empty if it does not exist.
    pub fn values(&self, name: &str) -> &[f32] {
        self.array(name).map_or(&[], |array| &array.values)
    }

    /// Whether it belongs to a layer of this kind with these arrays.
    pub fn fits(&self, kind: &str, parameters: &[Parameter]) -> bool {
        self.kind == kind
            && self.arrays.len() == parameters.len()
            && self.arrays.iter().zip(parameters).all(|(array, p)| {
                array.name == p.name
                    && array.values.len() == p.words
                    && array.trained == p.trained
                    && (array.trained || array.state.is_empty())
            })
    }
}
