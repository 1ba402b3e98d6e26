//! What an evaluation found, batch by batch: added up in the order of the batches, whichever rank computed them.

use super::meter::Sums;
use crate::data::{TargetKind, Targets};
use crate::error::Result;
use crate::loss::Outcomes;
use crate::network::BatchResult;
use crate::ranks::Ranks;

/// What was found in the batches of this process, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tested {
    /// Images of each batch; none if none of them could be read.
    pub counts: Vec<u32>,
    /// Of each batch that has images.
    pub results: Vec<BatchResult>,
    /// The same of what scores of all samples together need, if they are asked for.
    pub told: Vec<Told>,
}

/// A batch's outputs and targets, of which the first words are its samples'.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    /// `[output][lanes]`.
    pub outputs: Vec<f32>,
    pub targets: Targets,
}

impl Told {
    /// As words: the outputs, then the targets.
    fn words(&self) -> impl Iterator<Item = u32> {
        let targets: &[u32] = match &self.targets {
            Targets::Labels(labels) => labels,
            // Nothing is mixed in an evaluation.
            Targets::Mixed(mixed) => &mixed.labels,
            Targets::Flags(numbers) | Targets::Values(numbers) => bytemuck::cast_slice(numbers),
        };
        let outputs = self.outputs.iter().map(|number| number.to_bits());
        outputs.chain(targets.iter().copied())
    }

    /// From such words, of which the first `outputs` are the outputs.
    fn from_words(words: &[u32], outputs: usize, kind: TargetKind) -> Self {
        let (outputs, targets) = words.split_at(outputs.min(words.len()));
        let numbers = |words: &[u32]| words.iter().map(|&word| f32::from_bits(word)).collect();
        Told {
            outputs: numbers(outputs),
            targets: match kind {
                TargetKind::Labels => Targets::Labels(targets.to_vec()),
                TargetKind::Flags(_) => Targets::Flags(numbers(targets)),
                TargetKind::Values(_) => Targets::Values(numbers(targets)),
            },
        }
    }
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

    /// Adds outputs and targets to the outcomes, batch by batch.
    ///
    /// # Errors
    /// As [`Outcomes::add`].
    pub fn add_to(&self, outcomes: &mut Outcomes, lanes: usize) -> Result<()> {
        let counts = self.counts.iter().filter(|count| **count > 0);
        for (told, &count) in self.told.iter().zip(counts) {
            outcomes.add(&told.outputs, &told.targets, lanes, count as usize)?;
        }
        Ok(())
    }

    /// Those of all ranks, to which batches were dealt one by one. A network tells `outputs` words for a batch, which are
    /// compared with `targets` words of this kind.
    ///
    /// # Errors
    /// A rank has left or hangs.
    pub fn of_all(
        &self,
        ranks: &Ranks,
        outputs: usize,
        (kind, targets): (TargetKind, usize),
    ) -> Result<Tested> {
        // All batches have as many words, so that they can be told apart.
        let each = 3 + match self.told.is_empty() {
            true => 0,
            false => outputs + targets,
        };
        let mut own: Vec<u32> = vec![each as u32];
        let (mut results, mut told) = (self.results.iter(), self.told.iter());
        for &count in &self.counts {
            let start = own.len();
            let found = (count > 0).then(|| results.next()).flatten();
            let [loss, score] = found.map_or([0.0; 2], |found| [found.loss, found.score]);
            own.extend([count, loss.to_bits(), score.to_bits()]);
            if let Some(told) = (count > 0).then(|| told.next()).flatten() {
                own.extend(told.words());
            }
            own.resize(start + each, 0);
        }
        let all = ranks.gather_everywhere(bytemuck::cast_slice(&own))?;
        let all: Vec<Vec<u32>> = all
            .iter()
            .map(|bytes| bytemuck::pod_collect_to_vec(bytes))
            .collect();
        let mut ranks: Vec<_> = (all.iter())
            .filter_map(|words| words.split_first())
            .map(|(&each, batches)| batches.chunks_exact((each as usize).max(3)))
            .collect();
        let mut tested = Tested::default();
        loop {
            let before = tested.counts.len();
            for batch in ranks.iter_mut().filter_map(Iterator::next) {
                let (count, rest) = (batch[0], &batch[3..]);
                tested.counts.push(count);
                if count == 0 {
                    continue;
                }
                tested.results.push(BatchResult {
                    loss: f32::from_bits(batch[1]),
                    score: f32::from_bits(batch[2]),
                });
                if !rest.is_empty() {
                    tested.told.push(Told::from_words(rest, outputs, kind));
                }
            }
            if tested.counts.len() == before {
                return Ok(tested);
            }
        }
    }
}
