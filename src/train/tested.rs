//! What an evaluation found, batch by batch: added up in the order of the batches, whichever rank computed them.

use super::meter::Sums;
use crate::error::Result;
use crate::network::BatchResult;
use crate::ranks::Ranks;

/// What was found in the batches of this process, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tested {
    /// Images of each batch; none if none of them could be read.
    pub counts: Vec<u32>,
    /// Of each batch that has images.
    pub results: Vec<BatchResult>,
}

impl Tested {
    pub fn sums(&self) -> Sums {
        let mut sums = Sums {
            seen: self.counts.iter().map(|&count| u64::from(count)).sum(),
            ..Sums::default()
        };
        sums.add(&self.results);
        sums
    }

    /// Those of all ranks, to which batches were dealt one by one.
    ///
    /// # Errors
    /// A rank has left or hangs.
    pub fn of_all(&self, ranks: &Ranks) -> Result<Tested> {
        let mut own: Vec<u32> = Vec::new();
        let mut results = self.results.iter();
        for &count in &self.counts {
            let found = (count > 0).then(|| results.next()).flatten();
            let [loss, score] = found.map_or([0.0; 2], |found| [found.loss, found.score]);
            own.extend([count, loss.to_bits(), score.to_bits()]);
        }
        let all = ranks.gather_everywhere(bytemuck::cast_slice(&own))?;
        let all: Vec<Vec<[u32; 3]>> = all
            .iter()
            .map(|bytes| bytemuck::pod_collect_to_vec(bytes))
            .collect();
        let most = all.iter().map(Vec::len).max().unwrap_or(0);
        let mut tested = Tested::default();
        for turn in 0..most {
            for [count, loss, score] in all.iter().filter_map(|rank| rank.get(turn)) {
                tested.counts.push(*count);
                if *count > 0 {
                    tested.results.push(BatchResult {
                        loss: f32::from_bits(*loss),
                        score: f32::from_bits(*score),
                    });
                }
            }
        }
        Ok(tested)
    }
}
