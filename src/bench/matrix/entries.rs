//! The entries of a matrix, in the order of the file, and the layer that is made of them.

use super::parsing::Fault;
use crate::sparse::LayerState;

/// Largest sum of the values of a row or column: what 32 bits can hold, with room for rounding.
const LARGEST: f64 = f32::MAX as f64 / 2.0;

/// Entries of a matrix, not yet in order.
pub(super) struct Entries {
    pub rows: usize,
    pub cols: usize,
    /// `(row, column, value)`, counted from 0.
    pub entries: Vec<(u32, u32, f64)>,
}

impl Entries {
    /// The layer with the entries in order and the values of repeated pairs summed. `line_of` finds the last line with
    /// a pair.
    pub fn into_layer(
        mut self,
        line_of: impl Fn((u32, u32)) -> usize,
    ) -> Result<LayerState, Fault> {
        self.entries.sort_by_key(|&(row, col, _)| (row, col));
        self.entries.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
        if let Some(&(row, col, sum)) = (self.entries.iter()).find(|e| !(e.2 as f32).is_finite()) {
            let reason = format!(
                "the entries of row {}, column {} add up to {sum:e}, too large for 32-bit products",
                row + 1,
                col + 1
            );
            return Err(Fault::new(line_of((row, col)), reason));
        }
        self.admit_products()?;
        let pairs: Vec<(u32, u32)> = self.entries.iter().map(|e| (e.0, e.1)).collect();
        let mut layer = LayerState::from_pairs(self.cols, self.rows, &pairs);
        layer.values = self.entries.iter().map(|e| e.2 as f32).collect();
        Ok(layer)
    }

    /// Refuses values whose products with numbers in [-1, 1], such as the benchmark's, could exceed what 32 bits hold:
    /// no device could compute them.
    fn admit_products(&self) -> Result<(), Fault> {
        let mut sums = [vec![0f64; self.rows], vec![0f64; self.cols]];
        for &(row, col, value) in &self.entries {
            sums[0][row as usize] += value.abs();
            sums[1][col as usize] += value.abs();
        }
        for (sums, what) in sums.iter().zip(["row", "column"]) {
            if let Some(i) = sums.iter().position(|&sum| sum > LARGEST) {
                let reason = format!(
                    "its values are too large for 32-bit products: those of {what} {} add up to {:e}, and at most \
                     {LARGEST:e} can be measured; scale them down",
                    i + 1,
                    sums[i]
                );
                return Err(Fault::new(0, reason));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_pairs_are_added_up() {
        let entries = vec![(1, 0, 2.0), (0, 2, 1.5), (1, 0, -0.5), (1, 1, 4.0)];
        let layer = Entries {
            rows: 3,
            cols: 4,
            entries,
        }
        .into_layer(|_| 0)
        .unwrap();
        assert_eq!((layer.n_out, layer.n_in), (3, 4));
        assert_eq!(layer.crow_indices, [0, 1, 3, 3]);
        assert_eq!(layer.col_indices, [2, 0, 1]);
        assert_eq!(layer.values, [1.5, 1.5, 4.0]);
    }
}
