//! Kinds and sizes of the layers with dense parameters, as the manifest stores them.
//!
//! If all dense parameters of a model belong to norms, they are in the manifest's `norms` and in tensors `norms.{i}.…`;
//! otherwise all of them are in `parameters`.

use super::checked::Checked;
use super::columns::Column;
use super::layer_shape::MAX_INDEX;
use super::optimiser::{self, OptimiserShape};
use crate::files::TensorsFile;
use crate::layer::{
    BatchNorm, Extent, Layer, LayerNorm, Parameter, ParameterArray, ParameterState,
};
use crate::optim::OptimiserState;
use serde::{Deserialize, Serialize};

/// What a norm takes its mean and variance over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormKind {
    /// Batch norm: for each channel over the batch and the positions.
    Batch,
    /// Layer norm: for each sample and position over the channels.
    Layer,
}

/// A norm's kind and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormShape {
    /// What it normalises over.
    pub kind: NormKind,
    /// Number of its channels.
    pub channels: usize,
}

impl NormShape {
    /// The kind, and the parameters that it declares.
    pub(super) fn declared(&self) -> (&'static str, Vec<Parameter>) {
        let layer: &dyn Layer = match self.kind {
            NormKind::Batch => &BatchNorm { relu: false },
            NormKind::Layer => &LayerNorm,
        };
        let inputs = [Extent::vector(self.channels)];
        (layer.kind(), layer.parameters(&inputs))
    }

    /// The norm that has these arrays, if there is one.
    fn of(state: &ParameterState) -> Option<Self> {
        let channels = state.values("weight").len();
        let kinds = [NormKind::Batch, NormKind::Layer];
        let shapes = kinds.map(|kind| NormShape { kind, channels });
        shapes.into_iter().find(|shape| {
            let (kind, parameters) = shape.declared();
            state.fits(kind, &parameters)
        })
    }
}

/// One array's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayShape {
    /// Its name.
    pub name: String,
    /// Number of words.
    pub words: usize,
    /// Whether the optimiser trains it, and so keeps state for it.
    pub trained: bool,
}

/// Kind and arrays of a layer with dense parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterShape {
    /// The layer's kind.
    pub kind: String,
    /// Its arrays, in the layer's order.
    pub arrays: Vec<ArrayShape>,
}

impl ParameterShape {
    fn of(state: &ParameterState) -> Self {
        let array = |array: &ParameterArray| ArrayShape {
            name: array.name.clone(),
            words: array.values.len(),
            trained: array.trained,
        };
        ParameterShape {
            kind: state.kind.clone(),
            arrays: state.arrays.iter().map(array).collect(),
        }
    }

    fn of_norm(norm: &NormShape) -> Self {
        let (kind, parameters) = norm.declared();
        let array = |p: Parameter| ArrayShape {
            name: p.name.to_owned(),
            words: p.words,
            trained: p.trained,
        };
        ParameterShape {
            kind: kind.to_owned(),
            arrays: parameters.into_iter().map(array).collect(),
        }
    }

    /// Bytes of the layer's tensors, if the optimiser keeps `state` bytes for each number; or what makes the sizes
    /// impossible.
    pub(super) fn bytes(&self, i: usize, state: u64) -> Checked<u64> {
        let mut bytes = 0;
        for ArrayShape {
            name,
            words,
            trained,
        } in &self.arrays
        {
            if *words == 0 || *words > MAX_INDEX {
                return Err(format!(
                    "`{name}` of layer {i} with parameters ({}) has {words} elements, where 1 to {MAX_INDEX} are \
                     possible",
                    self.kind
                ));
            }
            bytes += *words as u64 * (4 + if *trained { state } else { 0 });
        }
        Ok(bytes)
    }
}

/// The layers with dense parameters, as the manifest stores them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shapes {
    /// The beginning of the tensors' names.
    pub prefix: &'static str,
    /// The layers, in the model's order.
    pub layers: Vec<ParameterShape>,
}

impl Shapes {
    /// Made from the manifest's two lists, of which one is empty.
    pub fn from_manifest(norms: &[NormShape], parameters: &[ParameterShape]) -> Self {
        match parameters {
            [] => Shapes {
                prefix: "norms",
                layers: norms.iter().map(ParameterShape::of_norm).collect(),
            },
            _ => Shapes {
                prefix: "parameters",
                layers: parameters.to_vec(),
            },
        }
    }

    /// The manifest's two lists for some states.
    pub fn of(states: &[ParameterState]) -> (Vec<NormShape>, Vec<ParameterShape>) {
        let norms: Option<Vec<NormShape>> = states.iter().map(NormShape::of).collect();
        match norms {
            Some(norms) => (norms, Vec::new()),
            None => (Vec::new(), states.iter().map(ParameterShape::of).collect()),
        }
    }

    /// Number of tensors, for an optimiser with this many arrays.
    pub fn tensors(&self, states: usize) -> usize {
        let arrays = self.layers.iter().flat_map(|layer| &layer.arrays);
        arrays.map(|a| 1 + if a.trained { states } else { 0 }).sum()
    }

    /// The name and the numbers of every tensor.
    pub fn columns<'a>(&self, states: &'a [ParameterState]) -> Vec<(String, Column<'a>)> {
        let mut columns = Vec::new();
        for (i, state) in states.iter().enumerate() {
            for array in &state.arrays {
                let name = format!("{}.{i}.{}", self.prefix, array.name);
                let own = optimiser::columns("_", &array.state);
                columns.extend(own.map(|(state, column)| (format!("{name}{state}"), column)));
                columns.push((name, Column::real(&array.values)));
            }
        }
        columns
    }

    /// The states in a file.
    pub fn read(
        &self,
        file: &TensorsFile<'_>,
        optimiser: &OptimiserShape,
    ) -> Checked<Vec<ParameterState>> {
        let mut states = Vec::new();
        for (i, shape) in self.layers.iter().enumerate() {
            let mut arrays = Vec::new();
            for array in &shape.arrays {
                let name = format!("{}.{i}.{}", self.prefix, array.name);
                arrays.push(ParameterArray {
                    name: array.name.clone(),
                    values: file.reals(&name, array.words)?,
                    trained: array.trained,
                    state: match array.trained {
                        true => optimiser.read(file, &format!("{name}_"), array.words)?,
                        false => OptimiserState::default(),
                    },
                });
            }
            states.push(ParameterState {
                kind: shape.kind.clone(),
                arrays,
            });
        }
        Ok(states)
    }
}

/// The conditions for writing a state: its arrays are not empty, and the optimiser's arrays have the same lengths.
pub(super) fn check(i: usize, state: &ParameterState) -> Checked<()> {
    ParameterShape::of(state).bytes(i, 0)?;
    for array in &state.arrays {
        let count = if array.trained { array.values.len() } else { 0 };
        let prefix = format!("{}_", array.name);
        (array.state.check_lengths(&prefix, count))
            .map_err(|reason| format!("layer {i} with parameters: {reason}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Sgd;

    fn norm(kind: NormKind, channels: usize) -> ParameterState {
        let (kind, parameters) = NormShape { kind, channels }.declared();
        begun(ParameterState::new(kind, &parameters))
    }

    fn begun(mut state: ParameterState) -> ParameterState {
        for array in state.arrays.iter_mut().filter(|array| array.trained) {
            array.state = OptimiserState::starting(&[Sgd::STATE], &array.values);
        }
        state
    }

    #[test]
    fn norms_alone_are_written_as_ever() {
        let states = [norm(NormKind::Batch, 3), norm(NormKind::Layer, 2)];
        let (norms, others) = Shapes::of(&states);
        assert_eq!((norms.len(), others.len()), (2, 0));
        let shapes = Shapes::from_manifest(&norms, &others);
        assert_eq!(shapes.tensors(1), 10);
        let columns = shapes.columns(&states);
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"norms.0.running_variance"));
        assert!(names.contains(&"norms.1.bias_momentum"));
        let bytes: u64 = (shapes.layers.iter().enumerate())
            .map(|(i, layer)| layer.bytes(i, 4).unwrap())
            .sum();
        assert_eq!(bytes, 4 * (6 * 3 + 4 * 2));
    }

    #[test]
    fn a_layer_of_another_kind_takes_all_along() {
        let gain = Parameter::trained("gain", 5, 2.0);
        let scale = begun(ParameterState::new("scale", &[gain]));
        let states = vec![norm(NormKind::Layer, 2), scale];
        let (norms, others) = Shapes::of(&states);
        assert_eq!((norms.len(), others.len()), (0, 2));
        let shapes = Shapes::from_manifest(&norms, &others);
        let columns = shapes.columns(&states);
        assert!(
            columns
                .iter()
                .any(|(n, _)| n == "parameters.1.gain_momentum")
        );
        let bytes = safetensors::serialize(columns, None).unwrap();
        let file = TensorsFile::open(&bytes).unwrap();
        let back = shapes.read(&file, &OptimiserShape::default());
        assert_eq!(back.unwrap(), states);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        check(0, &norm(NormKind::Batch, 2)).unwrap();
        let refuse = |change: &dyn Fn(&mut ParameterState)| {
            let mut state = norm(NormKind::Batch, 2);
            change(&mut state);
            check(0, &state).unwrap_err()
        };
        assert!(
            refuse(&|s| s.arrays[0].state = OptimiserState::starting(&[Sgd::STATE], &[]))
                .contains("`weight_momentum` has 0")
        );
        assert!(refuse(&|s| s.arrays[2].values.clear()).contains("`running_mean`"));
    }
}
