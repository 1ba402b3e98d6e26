//! Weights from a checkpoint: of the same model, except for a last layer with other classes.

use std::path::Path;

use super::weights::Initial;
use crate::checkpoint::{self, Snapshot};
use crate::data::{Dataset, Task};
use crate::error::option::{HIDDEN, INIT, MODEL, WIDTH};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::sparse::LayerState;

/// Reads the weights of a checkpoint, or of the newest one of a run: if they were averaged, the averages.
///
/// # Errors
/// The checkpoint cannot be read, or belongs to another model.
pub(super) fn read(path: &Path, model: &Model, data: &Dataset) -> Result<Initial> {
    let found = checkpoint::load(path)?;
    let Snapshot {
        state,
        data: record,
        objective,
        trained_images,
        ..
    } = found.snapshot;
    let state = state
        .averaged()
        .unwrap_or_else(|| state.without_optimiser());
    let unfit = |what: String| {
        Error::Usage(format!(
            "{INIT} {}: {what}; only the last layer may be another one: give the same {MODEL}, {WIDTH} and {HIDDEN}, \
             and samples of the same size",
            found.path.display()
        ))
    };
    let sparse = model.sparse();
    if state.layers.len() != sparse.len() {
        return Err(unfit(format!(
            "its network has {} layers with connections, and the model {} has {}",
            state.layers.len(),
            model.name(),
            sparse.len()
        )));
    }
    let same_task = objective
        .task
        .is_none_or(|task| task == Task::of(data.train.targets()));
    let same_classes = record.is_none_or(|record| record.classes == data.class_names);
    let last = sparse.len().saturating_sub(1);
    let mut notes: Vec<String> = found.note.into_iter().collect();
    let mut layers = Vec::new();
    for (number, (own, layer)) in state.layers.into_iter().zip(&sparse).enumerate() {
        let LayerState { n_in, n_out, .. } = own;
        let fits = (n_in, n_out) == (layer.shape.n_in, layer.shape.n_out);
        let is_last = number == last && n_in == layer.shape.n_in;
        let name = &layer.name;
        match (fits, is_last) {
            (true, false) => layers.push(Some(own)),
            (true, true) if same_task && same_classes => layers.push(Some(own)),
            (_, true) => {
                notes.push(format!(
                    "the last layer, {name}, is new: that of {} tells other outputs",
                    found.path.display()
                ));
                layers.push(None);
            }
            (false, false) => {
                return Err(unfit(format!(
                    "its layer {number} takes {n_in} inputs to {n_out} outputs, and {name} of the model {} takes {} to \
                     {}",
                    model.name(),
                    layer.shape.n_in,
                    layer.shape.n_out
                )));
            }
        }
    }
    let declared = model.parameters();
    let fits = state.parameters.len() == declared.len()
        && (state.parameters.iter().zip(&declared))
            .all(|(own, (kind, parameters))| own.fits(kind, parameters));
    if !fits {
        return Err(unfit(
            "its norms and other dense parameters are others".to_owned(),
        ));
    }
    Ok(Initial {
        layers,
        parameters: state.parameters,
        learned: (!trained_images.is_empty()).then_some(trained_images),
        notes,
    })
}
