//! How the network of a checkpoint differs from the model that is to begin with its weights.

use std::fmt;

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherModel {
    /// The number of layers with connections.
    Layers {
        /// How many the checkpoint has.
        found: usize,
        /// The model.
        model: String,
        /// How many it has.
        expected: usize,
    },
    /// The size of a layer.
    Layer {
        /// Its number, counted from 0.
        number: usize,
        /// Inputs and outputs that it has in the checkpoint.
        found: (usize, usize),
        /// Its name in the model.
        layer: String,
        /// The model.
        model: String,
        /// Inputs and outputs that it has there.
        expected: (usize, usize),
    },
    /// A wider layer, in a model with one that would then see other values.
    Wider {
        /// The wider layer.
        layer: String,
        /// The layer that mixes channels by their number.
        obstacle: String,
        /// The model.
        model: String,
    },
    /// Dense parameters, such as those of norms.
    Parameters,
}

impl fmt::Display for OtherModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OtherModel::Layers {
                found,
                model,
                expected,
            } => write!(
                f,
                "its network has {found} layers with connections, and the model {model} has {expected}"
            ),
            OtherModel::Layer {
                number,
                found: (n_in, n_out),
                layer,
                model,
                expected: (takes, gives),
            } => write!(
                f,
                "its layer {number} takes {n_in} inputs to {n_out} outputs, and {layer} of the model {model} takes {takes} to \
                 {gives}"
            ),
            OtherModel::Wider {
                layer,
                obstacle,
                model,
            } => write!(
                f,
                "{layer} is wider, but {obstacle} of the model {model} mixes channels by their number, so it would see other \
                 values"
            ),
            OtherModel::Parameters => {
                f.write_str("its norms and other dense parameters are others")
            }
        }
    }
}
