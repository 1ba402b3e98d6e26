//! What is exported: a network's steps in order, with their numbers, and how samples are prepared for it.

use super::columns::Columns;
use crate::checkpoint::Checkpoint;
use crate::data::table::TargetRule;
use crate::data::{DataRecord, Task};
use crate::error::{Error, Result};
use crate::layer::{Extent, Operation};
use crate::model::Model;
use crate::sparse::Window;
use crate::train::Predictor;

/// A trained network, in operations that other programs have.
#[derive(Clone, Debug)]
pub struct Exported {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
    pub(super) prepares: Prepares,
    pub(super) task: Task,
    /// Names of the outputs; empty if they have none.
    pub(super) outputs: Vec<String>,
    /// For numbers, what outputs are multiplied by, and what is added then.
    pub(super) units: Option<[Vec<f64>; 2]>,
}

/// How samples become inputs.
#[derive(Clone, Debug)]
pub(super) enum Prepares {
    /// `(pixel - mean) / std` by channel, for pixels from 0 to 1.
    Pixels { mean: Vec<f32>, std: Vec<f32> },
    /// Rows of a table.
    Rows(Columns),
}

/// One layer.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Its name in tables; may be empty.
    pub name: String,
    pub operation: Operation,
    /// The steps whose values it takes, all before it.
    pub inputs: Vec<usize>,
    pub extent: Extent,
    /// Its connections, if it has some.
    pub connections: Option<Rows>,
    /// Its dense arrays by name.
    pub arrays: Vec<(String, Vec<f32>)>,
}

/// Compressed sparse rows: a row is an output unit, a column an input channel at a tap of the window.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Its number among the sparse layers.
    pub layer: usize,
    pub columns: usize,
    /// `[rows + 1]`.
    pub starts: Vec<u32>,
    /// `[connections]`.
    pub indices: Vec<u32>,
    /// `[connections]`.
    pub values: Vec<f32>,
    /// `[rows]`; empty without biases.
    pub bias: Vec<f32>,
    pub window: Window,
}

impl Rows {
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// All weights, `[rows][columns]`.
    pub fn dense(&self) -> Vec<f32> {
        let mut dense = vec![0.0; self.rows() * self.columns];
        for (row, ends) in self.starts.windows(2).enumerate() {
            for at in ends[0] as usize..ends[1] as usize {
                dense[row * self.columns + self.indices[at] as usize] = self.values[at];
            }
        }
        dense
    }
}

impl Exported {
    /// The network of a checkpoint, by the moving averages of its weights if it has some.
    ///
    /// # Errors
    /// The checkpoint does not tell of its data, its model is a program's own, or a layer cannot be exported.
    pub fn of_checkpoint(checkpoint: &Checkpoint) -> Result<Self> {
        let (model, data) = Predictor::described(checkpoint)?;
        Self::new(checkpoint, &model, data)
    }

    /// As [`Exported::of_checkpoint`], for a model of your own and data as `data` describes them. Its layers say in
    /// [`Layer::operation`](crate::layer::Layer::operation) what they compute.
    ///
    /// # Errors
    /// A layer cannot be exported, or the model's layers are not the checkpoint's.
    pub fn new(checkpoint: &Checkpoint, model: &Model, data: &DataRecord) -> Result<Self> {
        let task = Predictor::task_of(checkpoint, data)?;
        checkpoint.snapshot.state.check(model)?;
        let averaged = checkpoint.snapshot.state.averaged();
        let state = averaged.as_ref().unwrap_or(&checkpoint.snapshot.state);
        let (mut layers, mut parameters) =
            (state.layers.iter().enumerate(), state.parameters.iter());
        let mut steps = Vec::with_capacity(model.nodes().len());
        for node in model.nodes() {
            let from = model.inputs_of(node);
            let cannot = |why: String| Error::Model {
                model: model.name().to_owned(),
                why: format!("cannot be exported: {why}"),
            };
            let operation = node.layer().operation(&from).ok_or_else(|| {
                cannot(format!(
                    "its layer {} of the kind {} says no operation for that; layers of your own say one in \
                     `Layer::operation`",
                    node.name(),
                    node.layer().kind()
                ))
            })?;
            let misfit = || cannot(format!("the checkpoint lacks numbers of {}", node.name()));
            let connections = match model.connections_of(node) {
                None => None,
                Some(connections) => {
                    let (layer, state) = layers.next().ok_or_else(misfit)?;
                    Some(Rows {
                        layer,
                        columns: state.n_in,
                        starts: state.crow_indices.clone(),
                        indices: state.col_indices.clone(),
                        values: state.values.clone(),
                        bias: match connections.bias {
                            true => state.bias.clone(),
                            false => Vec::new(),
                        },
                        window: connections.window,
                    })
                }
            };
            let arrays = match node.layer().parameters(&from).is_empty() {
                true => Vec::new(),
                false => {
                    let own = parameters.next().ok_or_else(misfit)?;
                    let arrays = own.arrays.iter();
                    arrays
                        .map(|array| (array.name.clone(), array.values.clone()))
                        .collect()
                }
            };
            steps.push(Step {
                name: node.name().to_owned(),
                operation,
                inputs: node.inputs().to_vec(),
                extent: node.extent(),
                connections,
                arrays,
            });
        }
        let rules = data.preprocessing.as_ref();
        let (outputs, units) = match rules.map(|rules| &rules.target) {
            Some(TargetRule::Values {
                columns,
                mean,
                deviation,
            }) => (columns.clone(), Some([deviation.clone(), mean.clone()])),
            _ => (data.classes.clone(), None),
        };
        Ok(Self {
            name: model.name().to_owned(),
            steps,
            prepares: match rules {
                Some(rules) => Prepares::Rows(Columns::of(rules)),
                None => Prepares::Pixels {
                    mean: data.normalisation.mean.clone(),
                    std: data.normalisation.std.clone(),
                },
            },
            task,
            outputs,
            units,
        })
    }

    /// The size of a sample as the network's first layer takes it.
    pub(super) fn input(&self) -> Extent {
        self.steps
            .first()
            .map_or(Extent::vector(0), |step| step.extent)
    }

    /// Number of outputs.
    pub(super) fn width(&self) -> usize {
        self.steps.last().map_or(0, |step| step.extent.size())
    }

    /// The sizes of the values that a step takes.
    pub(super) fn from(&self, step: &Step) -> Vec<Extent> {
        let from = step
            .inputs
            .iter()
            .filter_map(|&input| self.steps.get(input));
        from.map(|step| step.extent).collect()
    }
}
