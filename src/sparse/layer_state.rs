//! One layer's connections on the host, for drawing, saving and reading back.

use crate::error::{Error, Misfit, Result};
use crate::optim::OptimiserState;

/// One sparse linear layer: its connections in compressed sparse rows, where a row is an output unit, with the
/// optimiser's state for them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerState {
    /// Input units: the matrix's columns.
    pub n_in: usize,
    /// Output units: the matrix's rows.
    pub n_out: usize,
    /// `[n_out + 1]`: row `b`'s connections are `crow_indices[b]..crow_indices[b + 1]`. Starts at 0, ends at the number
    /// of active connections.
    pub crow_indices: Vec<u32>,
    /// `[active]`: each connection's input unit, strictly increasing inside a row.
    pub col_indices: Vec<u32>,
    /// `[active]`: the weights.
    pub values: Vec<f32>,
    /// `[active]`: the optimiser's arrays for the weights.
    pub state: OptimiserState,
    /// `[n_out]`: the biases.
    pub bias: Vec<f32>,
    /// `[n_out]`: the optimiser's arrays for the biases.
    pub bias_state: OptimiserState,
}

impl LayerState {
    /// A layer with these connections, given as `(output, input)` pairs in rising order; all numbers are zero, and the
    /// optimiser has not begun. If the pairs are out of order or outside the matrix, [`LayerState::check`] will refuse
    /// the layer.
    pub fn from_pairs(n_in: usize, n_out: usize, pairs: &[(u32, u32)]) -> Self {
        let mut crow_indices = vec![0u32; n_out + 1];
        for &(row, _) in pairs {
            if let Some(count) = crow_indices.get_mut(row as usize + 1) {
                *count += 1;
            }
        }
        for row in 0..n_out {
            crow_indices[row + 1] += crow_indices[row];
        }
        LayerState {
            n_in,
            n_out,
            crow_indices,
            col_indices: pairs.iter().map(|&(_, col)| col).collect(),
            values: vec![0.0; pairs.len()],
            state: OptimiserState::default(),
            bias: vec![0.0; n_out],
            bias_state: OptimiserState::default(),
        }
    }

    /// Checks what the fields' descriptions state. Values may be anything, including NaN, so that a diverged run can be
    /// examined.
    ///
    /// # Errors
    /// [`Error::Shape`] says which rule is broken, and where.
    pub fn check(&self) -> Result<()> {
        self.rules().map_err(|rule| {
            Error::Shape(Misfit::Layer {
                layer: format!("a layer from {} to {} units", self.n_in, self.n_out),
                why: rule,
            })
        })
    }

    /// The rules of compressed sparse rows.
    pub(crate) fn rules(&self) -> Result<(), String> {
        let Self { n_in, n_out, .. } = *self;
        let active = self.active();
        if n_in.max(n_out).max(active) >= u32::MAX as usize {
            return Err(format!(
                "{n_in} inputs, {n_out} outputs and {active} connections pass what 32-bit indices reach"
            ));
        }
        for (name, found, expected) in [
            ("crow_indices", self.crow_indices.len(), n_out + 1),
            ("values", self.values.len(), active),
            ("bias", self.bias.len(), n_out),
        ] {
            if found != expected {
                return Err(format!(
                    "`{name}` has {found} elements, expected {expected}"
                ));
            }
        }
        self.state.check_lengths("", active)?;
        self.bias_state.check_lengths("bias_", n_out)?;
        let crow = &self.crow_indices;
        let (first, last) = (crow.first().copied(), crow.last().copied());
        if first != Some(0) || last.map(|x| x as usize) != Some(active) {
            return Err(format!(
                "`crow_indices` must start at 0 and end at the {active} connections"
            ));
        }
        for (b, row) in crow.windows(2).enumerate() {
            // `get` fails if the row starts after its end or ends after the last connection.
            let columns = self
                .col_indices
                .get(row[0] as usize..row[1] as usize)
                .ok_or_else(|| format!("`crow_indices` goes wrong at row {b}"))?;
            if !columns.windows(2).all(|pair| pair[0] < pair[1]) {
                return Err(format!("`col_indices` does not increase inside row {b}"));
            }
            // The last is the largest, as just checked.
            if columns.last().is_some_and(|&a| a as usize >= n_in) {
                return Err(format!("`col_indices` passes the {n_in} inputs in row {b}"));
            }
        }
        Ok(())
    }

    /// Number of active connections.
    pub fn active(&self) -> usize {
        self.col_indices.len()
    }

    /// The connections of output unit `row`, as a range of `col_indices`.
    pub fn row(&self, row: usize) -> std::ops::Range<usize> {
        self.crow_indices[row] as usize..self.crow_indices[row + 1] as usize
    }

    /// All connections as `(output, input)` pairs in rising order.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.n_out).flat_map(move |b| self.row(b).map(move |j| (b as u32, self.col_indices[j])))
    }
}

/// Refuses the first layer that breaks a rule, naming its index.
pub(super) fn check_all(layers: &[LayerState]) -> Result<()> {
    let check = |(l, layer): (usize, &LayerState)| {
        let wrong = |reason| {
            Error::Shape(Misfit::Layer {
                layer: format!("layer {l}"),
                why: reason,
            })
        };
        layer.rules().map_err(wrong)
    };
    layers.iter().enumerate().try_for_each(check)
}
