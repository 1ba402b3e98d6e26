//! Weights from a dense network: a safetensors file, such as PyTorch's state dict saved as one.

use std::path::Path;

use super::matching::{Matched, matched, name_there};
use super::weights::Initial;
use crate::error::option::INIT_DENSE;
use crate::error::{Error, Result};
use crate::files::{self, TensorsFile};
use crate::layer::ParameterState;
use crate::model::Model;
use crate::sparse::LayerState;

/// Reads all weights, biases and norms.
///
/// # Errors
/// The file cannot be read, or its tensors are not those of the model.
pub(super) fn read(path: &Path, model: &Model) -> Result<Initial> {
    let wrong = |reason: String| Error::Data {
        path: path.to_owned(),
        reason: format!("{INIT_DENSE}: {reason}"),
    };
    let bytes = files::read(path, files::Most::memory())?;
    let file = TensorsFile::open(&bytes).map_err(|reason| {
        wrong(format!(
            "it {reason}; save a PyTorch network as safetensors.torch.save_file(network.state_dict(), FILE)"
        ))
    })?;
    let numbers = |name: &str| {
        let numbers = file
            .numbers(name)
            .map_err(|reason| wrong(format!("it {reason}")))?;
        match numbers.iter().position(|number| !number.is_finite()) {
            None => Ok(numbers),
            Some(at) => Err(wrong(format!("number {at} of `{name}` is {}", numbers[at]))),
        }
    };
    let Matched { layers, norms } = matched(&file.shapes(), model).map_err(wrong)?;
    let mut notes = Vec::new();
    let mut states = Vec::new();
    let sparse = model.sparse();
    for (layer, prefix) in sparse.iter().zip(&layers) {
        let Some(prefix) = prefix else {
            notes.push(format!(
                "the last layer, {}, is new: {} has one for other outputs",
                layer.name,
                path.display()
            ));
            states.push(None);
            continue;
        };
        let [n_in, n_out] = [layer.shape.n_in as u32, layer.shape.n_out as u32];
        let pairs: Vec<(u32, u32)> = (0..n_out)
            .flat_map(|b| (0..n_in).map(move |a| (b, a)))
            .collect();
        let bias = prefix.of("bias");
        let mut state = LayerState::from_pairs(layer.shape.n_in, layer.shape.n_out, &pairs);
        state.values = numbers(&prefix.of("weight"))?;
        if file.has(&bias) {
            state.bias = numbers(&bias)?;
        }
        states.push(Some(state));
    }
    let mut parameters = Vec::new();
    for ((kind, declared), prefix) in model.parameters().into_iter().zip(&norms) {
        let mut state = ParameterState::new(kind, &declared);
        for array in &mut state.arrays {
            array.values = numbers(&prefix.of(name_there(&array.name)))?;
        }
        parameters.push(state);
    }
    let pairs = sparse.iter().map(|layer| &layer.name).zip(&layers);
    let told: Vec<String> = pairs
        .filter_map(|(name, prefix)| Some(format!("{} as {name}", prefix.as_ref()?.of("weight"))))
        .collect();
    notes.push(match &told[..] {
        [first, .., last] => format!(
            "{} tensors of weights are those of {}: {first} to {last}",
            told.len(),
            path.display()
        ),
        _ => format!(
            "the weights are those of {}: {}",
            path.display(),
            told.join(", ")
        ),
    });
    Ok(Initial {
        layers: states,
        known_units: sparse.iter().map(|layer| layer.shape.n_out).collect(),
        parameters,
        learned: None,
        notes,
    })
}
