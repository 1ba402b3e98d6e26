//! The options of a round.

use crate::choice::choice;
use crate::engine::View;
use crate::error::{Error, Misfit, Result};
use crate::sparse::{Arena, Window};

choice! {
    /// Among what the k best and the k smallest are chosen.
    pub enum Scope {
        /// Within each layer, whose number of connections then never changes: the paper's pseudocode
        Layer = "layer",
        /// Over the whole model, so that connections move between layers: the paper's experiments
        Global = "global",
    }
}

/// The options of a round, besides the arena and the method.
pub struct RoundOptions {
    /// Where the k best and the k smallest are chosen from.
    pub scope: Scope,
    /// Candidates drawn per active connection.
    pub gamma: f64,
    /// Whether candidates are drawn again until there are as many distinct inactive pairs as gamma asks for or the
    /// layer has, as in the paper's experiments. Otherwise the result of one draw is taken, as in the paper's
    /// pseudocode.
    pub distinct: bool,
    /// Lanes of a position: the batch size on the device, rounded up to whole vectors of four.
    pub lanes: usize,
    /// A [`StepState`](crate::engine::StepState): seed, step and batch size.
    pub step: View,
    /// For each layer, how its output positions read its input positions.
    pub windows: Vec<Window>,
    /// Number of pairs that are scored together by a method that scores all inactive ones. None leaves it to the round,
    /// which takes as many as there are connections, but at least 2^18, or 2^22 on hardware, and never more than the
    /// largest layer has. The result is the same at any size; a small tile takes less memory and more dispatches.
    pub tile: Option<usize>,
}

impl RoundOptions {
    pub(super) fn check(&self, arena: &Arena) -> Result<()> {
        let RoundOptions {
            gamma,
            lanes,
            windows,
            ..
        } = self;
        if !(gamma.is_finite() && *gamma >= 0.0) {
            return Err(Error::Value {
                option: "gamma",
                must: "must be a finite factor of 0 or more".to_owned(),
                value: gamma.to_string(),
            });
        }
        if self.tile == Some(0) {
            return Err(Error::OutOfRange {
                what: "a tile",
                value: "no pairs".to_owned(),
                must: "a round that scores all pairs needs tiles of one or more",
            });
        }
        let fits = windows.len() == arena.spans.len()
            && (arena.spans.iter().zip(windows)).all(|(s, w)| s.n_in.is_multiple_of(w.taps()));
        if !fits || *lanes == 0 || !lanes.is_multiple_of(4) {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{} windows and {lanes} lanes", windows.len()),
                expected: format!(
                    "a round over {} layers: it needs as many windows, whose taps divide the input units, and lanes \
                     that are a multiple of 4",
                    arena.spans.len()
                ),
            }));
        }
        Ok(())
    }
}
