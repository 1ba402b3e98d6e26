//! What the rounds have explored: pairs that were ever active, units without connections, and how well the
//! distributions f and g predict the gradient. All of it is computed on the host from the graph that a round left, O(N)
//! per round.

use roaring::RoaringTreemap;

use crate::checkpoint::PastConnections;
use crate::engine::Device;
use crate::error::Result;
use crate::sparse::{Arena, LayerSpan, LayerState};
use crate::topology::ScoredPairs;

/// Most candidates per layer for the rank correlation.
pub(super) const SAMPLE: usize = 4096;

/// The statistics of a layer after a round.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LayerStatistics {
    /// Share of the pairs that were active at some time.
    pub ever_active: f64,
    /// Input units without connections.
    pub dead_inputs: u64,
    /// Output units without connections.
    pub dead_outputs: u64,
    /// Spearman's rank correlation of f × g with |g| over the candidates.
    pub rank_correlation: Option<f64>,
}

/// The pairs that were ever active, by layer.
pub(super) struct Exploration {
    /// A pair (a, b) as b × n_in + a. Compressed: it grows with the pairs that it holds, not with those that are
    /// possible.
    ever: Vec<RoaringTreemap>,
}

impl Exploration {
    /// Begins with the graph of `layers` and what was active before it; if `past` is empty, nothing is known about
    /// that.
    pub fn new(layers: &[LayerState], past: &[PastConnections]) -> Self {
        let mut ever: Vec<RoaringTreemap> = layers
            .iter()
            .map(|l| set(|| keys(l.n_in, &l.crow_indices, &l.col_indices, 0, 0)))
            .collect();
        for ((ever, layer), past) in ever.iter_mut().zip(layers).zip(past) {
            *ever |= set(|| keys(layer.n_in, &past.crow_indices, &past.col_indices, 0, 0));
        }
        Exploration { ever }
    }

    /// The pairs that were active once and are not in the graph of `layers`.
    pub fn past(&self, layers: &[LayerState]) -> Vec<PastConnections> {
        let of_layer = |(ever, layer): (&RoaringTreemap, &LayerState)| {
            let n_in = layer.n_in.max(1) as u64;
            let mut active =
                keys(layer.n_in, &layer.crow_indices, &layer.col_indices, 0, 0).peekable();
            let mut past = PastConnections {
                crow_indices: vec![0; layer.n_out + 1],
                col_indices: Vec::new(),
            };
            for key in ever {
                while active.next_if(|&pair| pair < key).is_some() {}
                if active.peek() != Some(&key) {
                    past.col_indices.push((key % n_in) as u32);
                    past.crow_indices[(key / n_in) as usize + 1] += 1;
                }
            }
            for row in 0..layer.n_out {
                past.crow_indices[row + 1] += past.crow_indices[row];
            }
            past
        };
        self.ever.iter().zip(layers).map(of_layer).collect()
    }

    /// Reads the graph back and adds it to what was seen; `sample` is the round's sample of its candidates.
    ///
    /// # Errors
    /// The device is lost.
    pub fn observe(
        &mut self,
        device: &Device,
        arena: &Arena,
        sample: &[ScoredPairs],
    ) -> Result<Vec<LayerStatistics>> {
        let offsets: Vec<u32> = device.download(&arena.row_offsets.range(0..arena.n_rows + 1))?;
        let cols: Vec<u32> = device.download(&arena.cols.range(0..arena.connections))?;
        let mut layers = self.add(&arena.spans, &offsets, &cols);
        for (layer, scored) in layers.iter_mut().zip(sample) {
            layer.rank_correlation = spearman(&scored.weights, &scored.scores);
        }
        Ok(layers)
    }

    /// Adds the graph of an arena.
    fn add(&mut self, spans: &[LayerSpan], offsets: &[u32], cols: &[u32]) -> Vec<LayerStatistics> {
        let of_layer = |(ever, span): (&mut RoaringTreemap, &LayerSpan)| {
            let rows = &offsets[span.first_row..=span.first_row + span.n_out];
            let range = rows[0] as usize..rows[span.n_out] as usize;
            let cols = &cols[range];
            let first_col = span.first_col as u32;
            *ever |= set(|| keys(span.n_in, rows, cols, rows[0], first_col));
            let mut alive = vec![false; span.n_in];
            for col in cols {
                alive[(col - first_col) as usize] = true;
            }
            LayerStatistics {
                ever_active: ever.len() as f64 / (span.n_in as f64 * span.n_out as f64),
                dead_inputs: alive.iter().filter(|&&alive| !alive).count() as u64,
                dead_outputs: rows.windows(2).filter(|row| row[0] == row[1]).count() as u64,
                rank_correlation: None,
            }
        };
        self.ever.iter_mut().zip(spans).map(of_layer).collect()
    }
}

/// The pairs of compressed rows as b × n_in + a, rising; offsets count from `base`, columns from `first_col`.
fn keys<'a>(
    n_in: usize,
    offsets: &'a [u32],
    cols: &'a [u32],
    base: u32,
    first_col: u32,
) -> impl Iterator<Item = u64> + 'a {
    offsets.windows(2).enumerate().flat_map(move |(b, row)| {
        let cols = &cols[(row[0] - base) as usize..(row[1] - base) as usize];
        let first = b as u64 * n_in as u64;
        cols.iter().map(move |a| first + u64::from(a - first_col))
    })
}

fn set<I: Iterator<Item = u64>>(keys: impl Fn() -> I) -> RoaringTreemap {
    // Rows and columns rise, so the first way, which is faster, always works.
    RoaringTreemap::from_sorted_iter(keys()).unwrap_or_else(|_| keys().collect())
}

/// Spearman's rank correlation, where ties get their mean rank; none for fewer than three pairs, or if all values on
/// one side are equal.
fn spearman(x: &[f32], y: &[f32]) -> Option<f64> {
    if x.len() < 3 || x.len() != y.len() {
        return None;
    }
    let (x, y) = (ranks(x), ranks(y));
    // The mean rank, ties or not.
    let mean = (x.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let scale = product(&x, &x) * product(&y, &y);
    (scale > 0.0).then(|| product(&x, &y) / scale.sqrt())
}

/// The rank of each value, from 0; equal values share their mean rank.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for ties in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let mean = first as f64 + (ties.len() as f64 - 1.0) / 2.0;
        ties.iter().for_each(|&i| ranks[i] = mean);
        first += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlations_by_hand() {
        let close = |x: &[f32], y: &[f32], expected: f64| {
            let found = spearman(x, y).unwrap();
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        };
        close(&[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0, 30.0, 1e9], 1.0);
        close(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], -1.0);
        // Without ties: 1 - 6 (1 + 1 + 0 + 1 + 1) / (5 × 24).
        close(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 1.0, 3.0, 5.0, 4.0], 0.8);
        // Ranks 0, 1.5, 1.5, 3 and 0, 1, 2, 3: 4.5 / sqrt(4.5 × 5).
        close(
            &[1.0, 2.0, 2.0, 3.0],
            &[1.0, 2.0, 3.0, 4.0],
            4.5 / 22.5f64.sqrt(),
        );
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0; 4], &[1.0, 2.0, 3.0, 4.0]), None);
    }

    /// Two layers: 3 inputs to 2 outputs, then 2 to 2.
    const SPANS: [LayerSpan; 2] = [
        LayerSpan {
            n_in: 3,
            n_out: 2,
            first_col: 0,
            first_row: 0,
        },
        LayerSpan {
            n_in: 2,
            n_out: 2,
            first_col: 3,
            first_row: 2,
        },
    ];

    fn layer(n_in: usize, crow_indices: &[u32], col_indices: &[u32]) -> LayerState {
        LayerState {
            n_in,
            n_out: crow_indices.len() - 1,
            crow_indices: crow_indices.to_vec(),
            col_indices: col_indices.to_vec(),
            ..LayerState::default()
        }
    }

    #[test]
    fn ever_active_and_dead_units_after_two_rounds() {
        // The first: 0→0, 2→1 and 0→0, 1→1.
        let first = [layer(3, &[0, 1, 2], &[0, 2]), layer(2, &[0, 1, 2], &[0, 1])];
        let mut seen = Exploration::new(&first, &[]);
        // 2→1 becomes 1→0; the second layer stays.
        let after = seen.add(&SPANS, &[0, 2, 2, 3, 4], &[0, 1, 3, 4]);
        assert_eq!(after[0].ever_active, 3.0 / 6.0);
        assert_eq!((after[0].dead_inputs, after[0].dead_outputs), (1, 1));
        assert_eq!(after[1].ever_active, 2.0 / 4.0);
        assert_eq!((after[1].dead_inputs, after[1].dead_outputs), (0, 0));
        // 1→0 becomes 2→1 again, which was seen; in the second, 0→0 becomes 1→0.
        let graph = [layer(3, &[0, 1, 2], &[0, 2]), layer(2, &[0, 1, 2], &[1, 1])];
        let (offsets, cols) = ([0, 1, 2, 3, 4], [0, 2, 4, 4]);
        let after = seen.add(&SPANS, &offsets, &cols);
        assert_eq!(after[0].ever_active, 3.0 / 6.0);
        assert_eq!(after[1].ever_active, 3.0 / 4.0);
        assert_eq!((after[1].dead_inputs, after[1].dead_outputs), (1, 0));
        // Saved, and loaded again.
        let past = seen.past(&graph);
        assert_eq!(past[0].crow_indices, [0, 1, 1]);
        assert_eq!(past[0].col_indices, [1]);
        assert_eq!(past[1].crow_indices, [0, 1, 1]);
        assert_eq!(past[1].col_indices, [0]);
        let mut again = Exploration::new(&graph, &past);
        assert_eq!(again.add(&SPANS, &offsets, &cols), after);
    }
}
