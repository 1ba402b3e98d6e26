//! Kinds and sizes of the layers with dense parameters, as the manifest has them.
//!
//! A model whose dense parameters are those of norms alone has them in the manifest's `norms` and in tensors `norms.{i}.…`;
//! any other has all of them in `parameters`.

use super::{Checked, manifest::MAX_INDEX};
use crate::layer::{
    BatchNorm, Extent, Layer, LayerNorm, Parameter, ParameterArray, ParameterState,
};
use serde::{Deserialize, Serialize};

/// What a norm takes its mean and variance over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormKind {
    /// Batch norm: for each channel over the batch and the positions.
    Batch,
    /// Layer norm: for each member and position over the channels.
    Layer,
}

/// A norm's kind and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormShape {
    /// Over what it normalises.
    pub kind: NormKind,
    /// Its channels.
    pub channels: usize,
}

impl NormShape {
    /// The kind and what it declares.
    fn declared(&self) -> (&'static str, Vec<Parameter>) {
        let layer: &dyn Layer = match self.kind {
            NormKind::Batch => &BatchNorm { relu: false },
            NormKind::Layer => &LayerNorm,
        };
        let inputs = [Extent::vector(self.channels)];
        (layer.kind(), layer.parameters(&inputs))
    }

    /// The norm that has these arrays, if one has.
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
    /// Its words.
    pub words: usize,
    /// Whether the optimiser trains it, and it has momentum.
    pub trained: bool,
}

/// Kind and arrays of a layer with dense parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterShape {
    /// The layer's kind.
    pub kind: String,
    /// Its arrays, in its order.
    pub arrays: Vec<ArrayShape>,
}

impl ParameterShape {
    fn of(state: &ParameterState) -> Self {
        let array = |array: &ParameterArray| ArrayShape {
            name: array.name.clone(),
            words: array.values.len(),
            trained: array.momentum.is_some(),
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

    /// Bytes of the layer's tensors, or what makes the sizes impossible.
    pub(super) fn bytes(&self, i: usize) -> Checked<u64> {
        let mut bytes = 0;
        for ArrayShape {
            name,
            words,
            trained,
        } in &self.arrays
        {
            if *words == 0 || *words > MAX_INDEX {
                return Err(format!(
                    "`{name}` of layer {i} with parameters ({}) has {words} elements, where 1 to {MAX_INDEX} are possible",
                    self.kind
                ));
            }
            bytes += 4 * *words as u64 * if *trained { 2 } else { 1 };
        }
        Ok(bytes)
    }

    /// Its tensors: the array's number, the tensor's name behind the layer's prefix, whether it is momentum, and its length.
    fn tensors(&self) -> impl Iterator<Item = (usize, String, bool, usize)> {
        self.arrays.iter().enumerate().flat_map(|(a, array)| {
            let momentum = format!("{}_momentum", array.name);
            let momentum = array.trained.then_some((a, momentum, true, array.words));
            [(a, array.name.clone(), false, array.words)]
                .into_iter()
                .chain(momentum)
        })
    }
}

/// How the manifest has the layers with dense parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shapes {
    /// What the tensors' names begin with.
    pub prefix: &'static str,
    /// The layers, in the model's order.
    pub layers: Vec<ParameterShape>,
}

impl Shapes {
    /// From the manifest's two lists, of which one is empty.
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

    /// The manifest's two lists for a state.
    pub fn of(states: &[ParameterState]) -> (Vec<NormShape>, Vec<ParameterShape>) {
        let norms: Option<Vec<NormShape>> = states.iter().map(NormShape::of).collect();
        match norms {
            Some(norms) => (norms, Vec::new()),
            None => (Vec::new(), states.iter().map(ParameterShape::of).collect()),
        }
    }

    /// Number of tensors.
    pub fn tensors(&self) -> usize {
        let layers = self.layers.iter();
        layers.map(|layer| layer.tensors().count()).sum()
    }

    /// Every tensor's name and numbers.
    pub fn columns<'a>(&self, states: &'a [ParameterState]) -> Vec<(String, &'a [f32])> {
        let mut columns = Vec::new();
        for (i, (shape, state)) in self.layers.iter().zip(states).enumerate() {
            for (a, name, is_momentum, _) in shape.tensors() {
                let array = &state.arrays[a];
                let numbers = match (is_momentum, &array.momentum) {
                    (true, Some(momentum)) => momentum,
                    _ => &array.values,
                };
                columns.push((format!("{}.{i}.{name}", self.prefix), numbers.as_slice()));
            }
        }
        columns
    }

    /// The states, from a reader of tensors by name and length.
    pub fn read(
        &self,
        mut tensor: impl FnMut(&str, usize) -> Checked<Vec<f32>>,
    ) -> Checked<Vec<ParameterState>> {
        let mut states = Vec::new();
        for (i, shape) in self.layers.iter().enumerate() {
            let mut arrays: Vec<ParameterArray> = Vec::new();
            for (a, name, is_momentum, words) in shape.tensors() {
                let numbers = tensor(&format!("{}.{i}.{name}", self.prefix), words)?;
                match arrays.last_mut().filter(|_| is_momentum) {
                    Some(array) => array.momentum = Some(numbers),
                    None => arrays.push(ParameterArray {
                        name: shape.arrays[a].name.clone(),
                        values: numbers,
                        momentum: None,
                    }),
                }
            }
            states.push(ParameterState {
                kind: shape.kind.clone(),
                arrays,
            });
        }
        Ok(states)
    }
}

/// What a state must be like before it is written: arrays that are not empty, with momentum of their length.
pub(super) fn check(i: usize, state: &ParameterState) -> Checked<()> {
    ParameterShape::of(state).bytes(i)?;
    for array in &state.arrays {
        let momentum = array.momentum.as_ref().map_or(array.values.len(), Vec::len);
        if momentum != array.values.len() {
            return Err(format!(
                "layer {i} with parameters: the momentum of `{}` has {momentum} elements, expected {}",
                array.name,
                array.values.len()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(kind: NormKind, channels: usize) -> ParameterState {
        let (kind, parameters) = NormShape { kind, channels }.declared();
        ParameterState::new(kind, &parameters)
    }

    #[test]
    fn norms_alone_are_written_as_ever() {
        let states = [norm(NormKind::Batch, 3), norm(NormKind::Layer, 2)];
        let (norms, others) = Shapes::of(&states);
        assert_eq!((norms.len(), others.len()), (2, 0));
        let shapes = Shapes::from_manifest(&norms, &others);
        assert_eq!(shapes.tensors(), 10);
        let columns = shapes.columns(&states);
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"norms.0.running_variance"));
        assert!(names.contains(&"norms.1.bias_momentum"));
        let bytes: u64 = (shapes.layers.iter().enumerate())
            .map(|(i, layer)| layer.bytes(i).unwrap())
            .sum();
        assert_eq!(bytes, 4 * (6 * 3 + 4 * 2));
    }

    #[test]
    fn a_layer_of_another_kind_takes_all_along() {
        let scale = ParameterState::new("scale", &[Parameter::trained("gain", 5, 2.0)]);
        let states = vec![norm(NormKind::Layer, 2), scale];
        let (norms, others) = Shapes::of(&states);
        assert_eq!((norms.len(), others.len()), (0, 2));
        let shapes = Shapes::from_manifest(&norms, &others);
        let columns = shapes.columns(&states);
        assert!(
            columns
                .iter()
                .any(|(name, _)| name == "parameters.1.gain_momentum")
        );
        let back = shapes.read(|name, words| {
            let (_, found) = columns.iter().find(|(n, _)| n == name).unwrap();
            assert_eq!(found.len(), words);
            Ok(found.to_vec())
        });
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
        assert!(refuse(&|s| s.arrays[0].momentum = Some(vec![])).contains("`weight` has 0"));
        assert!(refuse(&|s| s.arrays[2].values.clear()).contains("`running_mean`"));
    }
}
