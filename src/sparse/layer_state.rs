//! One layer's connections on the host: what is drawn at the start, saved, and read back.

/// One sparse linear layer: its connections in compressed sparse rows, a row being an output unit, with their optimiser
/// state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerState {
    /// Input units: the matrix's columns.
    pub n_in: usize,
    /// Output units: the matrix's rows.
    pub n_out: usize,
    /// `[n_out + 1]`: row `b`'s connections are `crow_indices[b]..crow_indices[b + 1]`. Starts at 0, ends at the number of
    /// active connections.
    pub crow_indices: Vec<u32>,
    /// `[active]`: each connection's input unit, strictly increasing inside a row.
    pub col_indices: Vec<u32>,
    /// `[active]`: the weights.
    pub values: Vec<f32>,
    /// `[active]`: the weights' momentum.
    pub momentum: Vec<f32>,
    /// `[n_out]`: the biases.
    pub bias: Vec<f32>,
    /// `[n_out]`: the biases' momentum.
    pub bias_momentum: Vec<f32>,
}

impl LayerState {
    /// A layer with these connections, given as `(output, input)` pairs in rising order; all numbers zero.
    pub fn from_pairs(n_in: usize, n_out: usize, pairs: &[(u32, u32)]) -> Self {
        let mut crow_indices = vec![0u32; n_out + 1];
        for &(row, _) in pairs {
            crow_indices[row as usize + 1] += 1;
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
            momentum: vec![0.0; pairs.len()],
            bias: vec![0.0; n_out],
            bias_momentum: vec![0.0; n_out],
        }
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
