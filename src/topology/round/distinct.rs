//! Drawing again until there are as many distinct inactive pairs as a round asks for.

use super::{Candidates, Round, Work};
use crate::engine::Device;
use crate::error::Result;
use crate::topology::table::{self, DRAWS};

/// Most programs of further draws in a round. Uniform draws find all requested pairs after a few, or after a hundred if
/// those are nearly all that a layer has. Weighted draws never find a pair with weight zero.
const MOST: u32 = 200;

/// After this many programs in a row that find nothing, there is no hope of finding more.
const IN_VAIN: u32 = 16;

impl Round {
    /// Whether there may be more than one draw.
    pub(super) fn redraws(&self) -> bool {
        self.distinct && matches!(self.growth.candidates(), Candidates::Sampled(_))
    }

    /// Draws again until every layer has found what [`Round::slots`](super::Round) asks for. Whatever is still missing
    /// after [`MOST`] programs is left out: the report has the number of candidates.
    pub(super) fn draw_again(
        &self,
        device: &Device,
        work: &Work,
        resample: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let mut missing = self.missing(device, work)?;
        let mut in_vain = 0;
        // A program draws twice at most.
        for draws in (0..2 * MOST).step_by(2) {
            if missing == 0 || in_vain == IN_VAIN {
                break;
            }
            let word = self.spans.len() * table::WORDS + DRAWS;
            device.upload(&work.scratch.table.range(word..word + 1), &[draws])?;
            resample()?;
            let before = std::mem::replace(&mut missing, self.missing(device, work)?);
            in_vain = if missing < before { 0 } else { in_vain + 1 };
        }
        Ok(())
    }

    /// Number of candidates that the layers still lack.
    fn missing(&self, device: &Device, work: &Work) -> Result<usize> {
        let offsets: Vec<u32> = device.download(&work.scratch.candidate_offsets.all())?;
        let layers = self.spans.iter().enumerate();
        Ok(layers
            .filter(|(layer, _)| !self.slots(*layer).complete)
            .map(|(layer, span)| {
                let found = offsets[span.first_row + span.n_out] - offsets[span.first_row];
                self.slots(layer).count.saturating_sub(found as usize)
            })
            .sum())
    }
}
