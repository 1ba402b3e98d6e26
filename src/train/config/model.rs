//! Which model a run trains, and how many connections it has.

use std::path::PathBuf;

use super::context::Context;
use super::section::section;
use super::value::AUTO;
use crate::bounds::{LARGEST_FACTOR, MOST, check, list_text, positive};
use crate::error::Refusal;
use crate::error::option::{CONNECTIONS, SPARSITY, WIDTH};
use crate::model::{MODELS, Model};
use crate::sparse::{Assignment, allocate};
use crate::{Error, Result};

/// The model for large images if none was named.
const LARGE_MODEL: &str = "resnet18";
/// Largest number of pixels of an image for which the default is a perceptron. Its first layer has an input for every
/// value: 150,528 for a photo of 224 × 224 pixels.
const PERCEPTRON_PIXELS: usize = 64 * 64;

section! {
    /// Which model a run trains, and how many connections it has.
    pub struct ModelConfig in "Model" {
        /// Model: mlp, resnet20 to resnet110, vgg11-small to vgg19-small, simple-vit-tiny, simple-vit, resnet18,
        /// resnet34 or resnet50; auto: mlp, or resnet18 for images of more than 64 × 64 pixels if --hidden is not
        /// given; `rootlet model NAME` shows its layers
        name as "model": String = AUTO.to_owned(),
            NAME, on resume Fixed;
        /// Factor for all channels and hidden widths
        width: f64 = 1.0,
            FACTOR, on resume Fixed, idle has_no_widths;
        /// Widths of the hidden layers of mlp, as in 1024,1024 (none: no hidden layer)
        hidden: Vec<usize> = vec![256, 256],
            WIDTHS, on resume Fixed, idle is_no_perceptron;
        /// Share of all possible connections that do not exist: 0 (dense) to 0.9999 and more, as long as every layer
        /// keeps one
        sparsity: f64 = 0.9,
            SHARE, on resume Fixed, idle sparsity_is_known;
        /// Number of connections instead of --sparsity (0: by sparsity): it stays fixed when --width grows
        connections: Option<u64> = None,
            N, on resume Fixed, idle is_dense;
        /// How the connections are divided among the layers
        assignment: Assignment = Assignment::ErdosRenyi,
            NAME, on resume Fixed, idle divides_none;
        /// Begin with the weights of this run or checkpoint, also on other data: for other classes the last layer is
        /// new [default: drawn weights]
        init: Option<PathBuf> = None,
            RUN, on resume Fixed;
        /// Begin with the weights of a dense network, such as a PyTorch state dict saved as safetensors: the largest of
        /// each layer [default: drawn weights]
        init_dense: Option<PathBuf> = None,
            FILE, on resume Fixed;
    }
}

impl ModelConfig {
    fn has_no_widths(&self, context: &Context<'_>) -> Option<String> {
        (context.is_perceptron() && self.hidden.is_empty())
            .then(|| "a perceptron without a hidden layer has no widths".to_owned())
    }

    fn is_no_perceptron(&self, context: &Context<'_>) -> Option<String> {
        (!context.is_perceptron()).then(|| {
            format!(
                "the model {} has widths of its own, which {WIDTH} scales",
                context.model
            )
        })
    }

    fn is_dense(&self, context: &Context<'_>) -> Option<String> {
        context
            .is_dense()
            .then(|| "the method dense has all connections".to_owned())
    }

    fn sparsity_is_known(&self, context: &Context<'_>) -> Option<String> {
        self.is_dense(context).or_else(|| {
            let known = self.connections.is_some_and(|n| n > 0);
            known.then(|| format!("{CONNECTIONS} says how many there are"))
        })
    }

    fn divides_none(&self, context: &Context<'_>) -> Option<String> {
        if context.is_chosen() || context.is_dense() {
            return Some(format!(
                "the method {} does not begin with connections divided among the layers",
                context.name
            ));
        }
        let all = self.sparsity == 0.0 && self.sparsity_is_known(context).is_none();
        all.then(|| format!("at {SPARSITY} 0 every layer has all its connections"))
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<()> {
        check(
            self.hidden.iter().all(|width| (1..MOST).contains(width)),
            "hidden",
            &format!(
                "must list widths from 1 to {}, as in 256,256, or be none",
                MOST - 1
            ),
            list_text(&self.hidden),
        )?;
        check(
            self.name == AUTO || MODELS.contains(&self.name.as_str()),
            "model",
            &format!("must be one of {}, or auto", MODELS.join(", ")),
            &self.name,
        )?;
        check(
            positive(self.width, LARGEST_FACTOR),
            "width",
            "must be a factor above 0 and at most 1000",
            self.width,
        )?;
        check(
            (0.0..1.0).contains(&self.sparsity),
            "sparsity",
            "must be at least 0 and below 1",
            self.sparsity,
        )
    }

    /// The model's name: as given, or by the number of an image's pixels.
    pub fn name_for(&self, pixels: usize) -> &str {
        match self.name.as_str() {
            // A user who chose widths for a perceptron wants one.
            AUTO if pixels > PERCEPTRON_PIXELS && self.hidden == Self::default().hidden => {
                LARGE_MODEL
            }
            AUTO => MODELS[0],
            name => name,
        }
    }

    /// Chooses the perceptron if its widths were given and no model was. Returns whether images of this many pixels
    /// would have been given another model by their size alone.
    pub(super) fn takes_perceptron(&mut self, pixels: usize) -> bool {
        if self.name != AUTO {
            return false;
        }
        let default = Self::default();
        if default.hidden == self.hidden {
            // Widths equal to the default say nothing by themselves.
            self.name = MODELS[0].to_owned();
        }
        default.name_for(pixels) != MODELS[0]
    }

    /// Number of connections of each sparse layer of `model`.
    ///
    /// # Errors
    /// There are more connections than the dense model has, or as [`allocate`].
    pub fn allocate(&self, model: &Model) -> Result<Vec<u64>> {
        let shapes = model.shapes();
        let sparsity = match self.connections {
            None => self.sparsity,
            Some(connections) => {
                let dense: u64 = shapes.iter().map(|s| s.dense()).sum();
                if connections > dense {
                    return Err(Error::Connections {
                        asked: connections,
                        most: dense,
                    });
                }
                1.0 - connections as f64 / dense as f64
            }
        };
        allocate(&shapes, sparsity, self.assignment).map_err(|error| {
            match (error, self.connections) {
                // The user did not mention a sparsity.
                (Error::Unconnected { .. }, Some(connections)) => {
                    Error::refused(Refusal::TooFewConnections {
                        connections,
                        layers: shapes.len(),
                    })
                }
                (other, _) => other,
            }
        })
    }
}
