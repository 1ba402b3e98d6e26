//! Weights from a checkpoint: of the same model, which may have become wider, except for a last layer with other classes.

use std::path::Path;

use super::weights::Initial;
use super::widening;
use crate::checkpoint::{self, Snapshot};
use crate::data::{Dataset, Task};
use crate::error::{Error, OtherModel, Refusal, Result};
use crate::layer::ParameterState;
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
    let unfit = |differs: OtherModel| {
        Error::refused(Refusal::InitOfOtherModel {
            checkpoint: found.path.clone(),
            differs,
        })
    };
    let sparse = model.sparse();
    if state.layers.len() != sparse.len() {
        return Err(unfit(OtherModel::Layers {
            found: state.layers.len(),
            model: model.name().to_owned(),
            expected: sparse.len(),
        }));
    }
    let same_task = objective
        .task
        .is_none_or(|task| task == Task::of(data.train.targets()));
    // With other samples, more inputs would not mean more channels.
    let same_samples = record
        .as_ref()
        .is_some_and(|record| record.shape == data.shape);
    let same_classes = record.is_none_or(|record| record.classes == data.class_names);
    let last = sparse.len().saturating_sub(1);
    let mut notes: Vec<String> = found.note.into_iter().collect();
    let (mut layers, mut known_units) = (Vec::new(), Vec::new());
    let mut wider = None;
    for (number, (own, layer)) in state.layers.into_iter().zip(&sparse).enumerate() {
        let LayerState { n_in, n_out, .. } = own;
        let fits = (n_in, n_out) == (layer.shape.n_in, layer.shape.n_out);
        let widens = same_samples && widening::is_wider(&own, layer.shape.n_in, layer.shape.n_out);
        let is_last = number == last && (widens || n_in == layer.shape.n_in);
        let same_outputs = same_task && same_classes && n_out == layer.shape.n_out;
        let name = &layer.name;
        known_units.push(n_out);
        match (fits || widens, is_last) {
            (true, last) if !last || same_outputs => {
                if widens {
                    wider.get_or_insert(name);
                }
                layers.push(Some(widening::placed(
                    own,
                    layer.shape.n_in,
                    layer.shape.n_out,
                )));
            }
            (_, true) => {
                notes.push(format!(
                    "the last layer, {name}, is new: that of {} tells other outputs",
                    found.path.display()
                ));
                layers.push(None);
            }
            (_, false) => {
                return Err(unfit(OtherModel::Layer {
                    number,
                    found: (n_in, n_out),
                    layer: name.clone(),
                    model: model.name().to_owned(),
                    expected: (layer.shape.n_in, layer.shape.n_out),
                }));
            }
        }
    }
    if let (Some(wider), Some(obstacle)) = (wider, widening::obstacle(model)) {
        return Err(unfit(OtherModel::Wider {
            layer: wider.clone(),
            obstacle: obstacle.to_owned(),
            model: model.name().to_owned(),
        }));
    }
    let declared = model.parameters();
    let parameters = match state.parameters.len() == declared.len() {
        true => (state.parameters.iter().zip(&declared))
            .map(|(own, (kind, parameters))| match wider {
                Some(_) => widening::parameters(own, kind, parameters),
                None => own.fits(kind, parameters).then(|| own.clone()),
            })
            .collect(),
        false => None,
    };
    let parameters: Vec<ParameterState> =
        parameters.ok_or_else(|| unfit(OtherModel::Parameters))?;
    if wider.is_some() {
        notes.push(format!(
            "the network is wider than that of {}: new units have drawn weights, and those from new units to old ones \
             begin with 0, so it begins with the same answers if all its connections stay",
            found.path.display()
        ));
    }
    Ok(Initial {
        layers,
        known_units,
        parameters,
        learned: (!trained_images.is_empty()).then_some(trained_images),
        notes,
    })
}
