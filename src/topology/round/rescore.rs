//! Scores that a growth rule changes on the host.

use super::{Round, Work};
use crate::engine::Device;
use crate::error::{Error, Misfit, Result};
use crate::topology::growth::CandidateScores;

impl Round {
    /// Reads the candidates back, has the rule rescore them layer by layer, and writes their scores again.
    ///
    /// # Errors
    /// The rule returns an error or a score that is not finite, or the device is lost.
    pub(super) fn rescore(&self, device: &Device, work: &Work) -> Result<()> {
        let Work {
            scratch, sampled, ..
        } = work;
        let offsets: Vec<u32> = device.download(&scratch.candidate_offsets.all())?;
        let mut rows: Vec<u32> = device.download(&sampled.candidates.keys)?;
        let mut cols: Vec<u32> = device.download(&sampled.candidates.values)?;
        let mut scores: Vec<f32> = device.download(&sampled.scores)?;
        for (layer, span) in self.spans.iter().enumerate() {
            let own = span.rows();
            let own = offsets[own.start] as usize..offsets[own.end] as usize;
            if own.is_empty() {
                continue;
            }
            // Units of the arena become units of the layer.
            let of_layer = |units: &mut [u32], first: usize| {
                units.iter_mut().for_each(|unit| *unit -= first as u32);
            };
            of_layer(&mut rows[own.clone()], span.first_row);
            of_layer(&mut cols[own.clone()], span.first_col);
            let scores = &mut scores[own.clone()];
            self.growth.rescore(&mut CandidateScores {
                layer,
                rows: &rows[own.clone()],
                cols: &cols[own],
                scores: &mut *scores,
            })?;
            if let Some(at) = scores.iter().position(|score| !score.is_finite()) {
                return Err(Error::Shape(Misfit::NotFinite {
                    what: format!("the score of candidate {at} of layer {layer}"),
                    way_out: "the growth rule has to give each candidate a number".to_owned(),
                }));
            }
        }
        device.upload(&sampled.scores, &scores)
    }
}
