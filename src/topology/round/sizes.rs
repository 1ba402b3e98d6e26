//! The sizes of a round: its segments, candidate slots and tiles.

use super::{Round, Scope};
use crate::error::{Error, Misfit, Result};
use crate::topology::growth::Candidates;
use crate::topology::table::Slots;

/// Fewest pairs of a tile, unless there are fewer or the options say otherwise: enough that the cost of its dispatches
/// matters little. These are about twenty of 3 µs each on hardware, which processes a million pairs in the same time.
fn least_tile(hardware: bool) -> usize {
    if hardware { 1 << 22 } else { 1 << 18 }
}

impl Round {
    pub(super) fn segments(&self) -> usize {
        match self.scope {
            Scope::Layer => self.spans.len(),
            Scope::Global => 1,
        }
    }

    /// Candidate slots of a layer in the next round; none if candidates are not sampled.
    pub(super) fn slots(&self, layer: usize) -> Slots {
        let Candidates::Sampled(_) = self.growth.candidates() else {
            return Slots::default();
        };
        let (active, total) = (self.active[layer], self.pairs(layer));
        let sampled = (self.gamma * active as f64).ceil() as usize;
        let complete = self.distinct && sampled >= total - active;
        Slots {
            count: if complete { total } else { sampled },
            complete,
        }
    }

    /// Number of pairs of a layer, active or not.
    pub(super) fn pairs(&self, layer: usize) -> usize {
        self.spans[layer].n_in * self.spans[layer].n_out
    }

    /// Number of pairs of a tile.
    pub(super) fn tile(&self) -> usize {
        let largest = self.spans.iter().map(|s| s.n_in * s.n_out).max();
        let tile = self
            .tile
            .unwrap_or(self.connections.max(least_tile(self.hardware)));
        tile.min(largest.unwrap_or(1)).max(1)
    }

    /// Most candidate slots that any division of the connections among the layers needs.
    pub(super) fn capacity(&self) -> Result<usize> {
        let (capacity, slots) = match self.growth.candidates() {
            Candidates::None => (0, 0),
            Candidates::Sampled(_) => {
                let sampled = (self.gamma * self.connections as f64).ceil() as usize;
                // A layer that has no more inactive pairs than its number of samples contributes all its pairs.
                let active = if self.distinct { self.connections } else { 0 };
                (sampled.saturating_add(active + self.spans.len()), 0)
            }
            // No more of the best are kept than are requested.
            Candidates::All => (self.connections, self.connections + self.tile()),
        };
        // The merge marks grown connections with the highest bit.
        if capacity.max(self.connections).max(slots) >= 1 << 31 {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!(
                    "a topology round over {} candidates and {} connections",
                    capacity.max(slots),
                    self.connections
                ),
                why: "there must be fewer than 2^31 of each".to_owned(),
            }));
        }
        Ok(capacity)
    }
}
