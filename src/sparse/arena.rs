//! The connection arena: all layers' connections in one set of device buffers.
//!
//! The arena is one compressed sparse matrix whose rows are the output units of all layers, one layer after the other,
//! and whose columns are likewise all input units. A layer is a range of rows and of columns. So the optimiser is one
//! dispatch over all connections, a global threshold is one histogram, and connections can move between layers without
//! a layer's range being fixed anywhere but in `row_offsets`.

use std::ops::Range;

use super::layer_state::LayerState;
use crate::engine::{Buffer, Class, Device, View};
use crate::error::{Error, Result};
use crate::optim::{OptimiserState, StateArray, StateBuffers};

/// Where a layer's units lie among the arena's rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpan {
    /// Input units.
    pub n_in: usize,
    /// Output units.
    pub n_out: usize,
    /// Column of its first input unit.
    pub first_col: usize,
    /// Row of its first output unit.
    pub first_row: usize,
}

impl LayerSpan {
    /// Its rows.
    pub fn rows(&self) -> Range<usize> {
        self.first_row..self.first_row + self.n_out
    }
}

/// The connections of all layers on a device.
///
/// `N` connections, `R` rows, `C` columns; connections are ordered by row, then column. 24 bytes a connection, 4 bytes
/// a column and 12 bytes a row; for each array of the optimiser 4 bytes more a connection and a row.
pub struct Arena {
    /// The layers in order.
    pub spans: Vec<LayerSpan>,
    /// `N`.
    pub connections: usize,
    /// Which of the connections' buffers there are.
    pub holds: Holds,
    /// `R`: output units of all layers.
    pub n_rows: usize,
    /// `C`: input units of all layers.
    pub n_cols: usize,
    /// `[R + 1]` u32: row `r`'s connections are `row_offsets[r]..row_offsets[r + 1]`.
    pub row_offsets: Buffer,
    /// `[N]` u32: each connection's row.
    pub rows: Buffer,
    /// `[N]` u32: each connection's column.
    pub cols: Buffer,
    /// `[N]` f32.
    pub weights: Buffer,
    /// `[N]` f32: what the products use in place of `weights`, where they use only some of them.
    pub forward: Option<Buffer>,
    /// `[N]`: the optimiser's arrays.
    pub state: StateBuffers,
    /// `[N]` f32: the weights' gradient in the last step.
    pub gradient: Buffer,
    /// `[C + 1]` u32: column `c`'s connections are `col_offsets[c]..col_offsets[c + 1]` of `order`.
    pub col_offsets: Buffer,
    /// `[N]` u32: the connections in the order of columns, then rows.
    pub order: Buffer,
    /// `[N]` u32: `rows[order[j]]`, so that the transposed product reads it in sequence.
    pub order_rows: Buffer,
    /// `[R]` f32.
    pub bias: Buffer,
    /// `[R]`: the optimiser's arrays.
    pub bias_state: StateBuffers,
    /// `[R]` f32.
    pub bias_gradient: Buffer,
}

/// Which buffers an arena has for its connections, besides their weights. One that it has not is a word long.
#[derive(Clone, Debug, PartialEq)]
pub struct Holds {
    /// `rows`, `cols`, `order` and `order_rows`, 16 bytes a connection: not needed where every layer is full and
    /// nothing reads it as a list of connections.
    pub indices: bool,
    /// `gradient`, 4 bytes a connection: not needed where nothing is trained.
    pub gradient: bool,
    /// The optimiser's arrays; none where nothing is trained, and then states of any optimiser are passed over.
    pub state: Option<Vec<StateArray>>,
}

impl Holds {
    /// All of them, with these arrays of an optimiser.
    pub fn all(state: Vec<StateArray>) -> Self {
        Holds {
            indices: true,
            gradient: true,
            state: Some(state),
        }
    }
}

impl Arena {
    /// Uploads the layers, for products and gradients: nothing that an optimiser keeps.
    ///
    /// # Errors
    /// Layers that break a rule of [`LayerState::check`], no connections, more than `u32::MAX`, or buffers that the
    /// device refuses.
    pub fn new(device: &Device, layers: &[LayerState]) -> Result<Self> {
        Self::with(
            device,
            layers,
            Class::Connections,
            Holds {
                state: None,
                ..Holds::all(Vec::new())
            },
        )
    }

    /// As [`Arena::new`], with the connections' buffers under a class of the ledger, and only those that are needed.
    ///
    /// # Errors
    /// As [`Arena::new`], or layers without indices that lack a connection.
    pub fn with(
        device: &Device,
        layers: &[LayerState],
        class: Class,
        holds: Holds,
    ) -> Result<Self> {
        check(layers)?;
        let mut spans = Vec::new();
        let (mut n_rows, mut n_cols) = (0, 0);
        for layer in layers {
            spans.push(LayerSpan {
                n_in: layer.n_in,
                n_out: layer.n_out,
                first_col: n_cols,
                first_row: n_rows,
            });
            n_rows += layer.n_out;
            n_cols += layer.n_in;
        }
        let connections: usize = layers.iter().map(LayerState::active).sum();
        if connections == 0 || connections.max(n_rows).max(n_cols) >= u32::MAX as usize {
            return Err(Error::Shape(format!(
                "{connections} connections between {n_cols} inputs and {n_rows} outputs: a model needs at least one \
                 connection and fewer than 2^32 of each"
            )));
        }
        let words = |label: &str, n: usize| device.buffer(label, class, n);
        let each = |label: &str, held: bool| words(label, if held { connections } else { 1 });
        let index = |label: &str| each(label, holds.indices);
        let state = |label: &str, n: usize| {
            let arrays = holds.state.as_deref().unwrap_or_default();
            StateBuffers::new(device, label, class, arrays, n)
        };
        let arena = Arena {
            connections,
            n_rows,
            n_cols,
            row_offsets: words("connections.row_offsets", n_rows + 1)?,
            rows: index("connections.rows")?,
            cols: index("connections.cols")?,
            weights: words("connections.weights", connections)?,
            forward: None,
            state: state("connections", connections)?,
            gradient: each("connections.gradient", holds.gradient)?,
            col_offsets: words("connections.col_offsets", n_cols + 1)?,
            order: index("connections.order")?,
            order_rows: index("connections.order_rows")?,
            bias: words("bias", n_rows)?,
            bias_state: state("bias", n_rows)?,
            bias_gradient: words("bias.gradient", n_rows)?,
            spans,
            holds,
        };
        arena.put(device, layers)?;
        Ok(arena)
    }

    /// `[N]` f32: the weights that the products use.
    pub fn product_weights(&self) -> View {
        self.forward.as_ref().unwrap_or(&self.weights).all()
    }

    /// Replaces topology, weights and optimiser state; the shapes and the total must be the arena's.
    ///
    /// # Errors
    /// Layers that break a rule of [`LayerState::check`], of other shapes or another number of connections, or the
    /// state of another optimiser.
    pub fn import(&self, device: &Device, layers: &[LayerState]) -> Result<()> {
        check(layers)?;
        self.put(device, layers)
    }

    /// As [`Arena::import`], of layers that were checked.
    fn put(&self, device: &Device, layers: &[LayerState]) -> Result<()> {
        let total: usize = layers.iter().map(LayerState::active).sum();
        let same = layers.len() == self.spans.len()
            && self
                .spans
                .iter()
                .zip(layers)
                .all(|(s, l)| s.n_in == l.n_in && s.n_out == l.n_out);
        if !same || total != self.connections {
            return Err(Error::Shape(format!(
                "layers with {total} connections do not fit the model's {} layers with {} connections",
                self.spans.len(),
                self.connections
            )));
        }
        let full = |l: &LayerState| l.active() == l.n_in * l.n_out;
        if !self.holds.indices && !layers.iter().all(full) {
            return Err(Error::Shape(
                "an arena without indices takes layers of every connection only".into(),
            ));
        }
        let mut row_offsets = vec![0u32];
        let (mut rows, mut cols) = (Vec::with_capacity(total), Vec::with_capacity(total));
        for (span, layer) in self.spans.iter().zip(layers) {
            let base = rows.len() as u32;
            row_offsets.extend(layer.crow_indices[1..].iter().map(|o| base + o));
            for (b, a) in layer.pairs() {
                rows.push(span.first_row as u32 + b);
                cols.push(span.first_col as u32 + a);
            }
        }
        let (col_offsets, order) = transpose(&cols, self.n_cols);
        let order_rows: Vec<u32> = order.iter().map(|&j| rows[j as usize]).collect();
        let gather = |part: fn(&LayerState) -> &Vec<f32>| -> Vec<f32> {
            layers.iter().flat_map(part).copied().collect()
        };
        let put_u32 =
            |buffer: &Buffer, data: &[u32]| device.upload(&buffer.range(0..data.len()), data);
        let put_f32 =
            |buffer: &Buffer, data: Vec<f32>| device.upload(&buffer.range(0..data.len()), &data);
        put_u32(&self.row_offsets, &row_offsets)?;
        put_u32(&self.col_offsets, &col_offsets)?;
        if self.holds.indices {
            put_u32(&self.rows, &rows)?;
            put_u32(&self.cols, &cols)?;
            put_u32(&self.order, &order)?;
            put_u32(&self.order_rows, &order_rows)?;
        }
        put_f32(&self.weights, gather(|l| &l.values))?;
        put_f32(&self.bias, gather(|l| &l.bias))?;
        self.put_state(device, layers)
    }

    /// The optimiser's part.
    fn put_state(&self, device: &Device, layers: &[LayerState]) -> Result<()> {
        let Some(arrays) = &self.holds.state else {
            return Ok(());
        };
        let fits =
            |l: &LayerState| l.state.fits(arrays, l.active()) && l.bias_state.fits(arrays, l.n_out);
        if let Some(l) = layers.iter().position(|layer| !fits(layer)) {
            let names: Vec<&str> = arrays.iter().map(|array| array.name).collect();
            return Err(Error::Shape(format!(
                "layer {l} has the state of another optimiser than this network's, whose arrays are [{}]",
                names.join(", ")
            )));
        }
        let mut first = 0;
        let connections: Vec<_> = (layers.iter())
            .map(|layer| {
                let start = first;
                first += layer.active();
                (start..first, &layer.state)
            })
            .collect();
        let rows: Vec<_> = (self.spans.iter().zip(layers))
            .map(|(span, layer)| (span.rows(), &layer.bias_state))
            .collect();
        self.state.import(device, &connections)?;
        self.bias_state.import(device, &rows)
    }

    /// Replaces the weights alone, given by layer in the order of its connections.
    ///
    /// # Errors
    /// Another number of weights, or a lost device.
    pub fn set_weights(&self, device: &Device, weights: &[Vec<f32>]) -> Result<()> {
        let flat = weights.concat();
        if flat.len() != self.connections {
            return Err(Error::Shape(format!(
                "{} weights for {} connections",
                flat.len(),
                self.connections
            )));
        }
        device.upload(&self.weights.range(0..flat.len()), &flat)
    }

    /// Reads the layers back.
    ///
    /// # Errors
    /// A lost device.
    pub fn export(&self, device: &Device) -> Result<Vec<LayerState>> {
        let offsets: Vec<u32> = device.download(&self.row_offsets.range(0..self.n_rows + 1))?;
        let cols: Vec<u32> = match self.holds.indices {
            true => device.download(&self.cols.range(0..self.connections))?,
            false => (self.spans.iter())
                .flat_map(|span| {
                    let cols = span.first_col as u32..(span.first_col + span.n_in) as u32;
                    (0..span.n_out).flat_map(move |_| cols.clone())
                })
                .collect(),
        };
        let values: Vec<f32> = device.download(&self.weights.range(0..self.connections))?;
        let bias: Vec<f32> = device.download(&self.bias.range(0..self.n_rows))?;
        let connections = |span: &LayerSpan| {
            let rows = span.rows();
            offsets[rows.start] as usize..offsets[rows.end] as usize
        };
        let state = (self.state).export(device, self.spans.iter().map(connections))?;
        let bias_state =
            (self.bias_state).export(device, self.spans.iter().map(LayerSpan::rows))?;
        let layer =
            |(span, (state, bias_state)): (&LayerSpan, (OptimiserState, OptimiserState))| {
                let (rows, range) = (span.rows(), connections(span));
                let base = offsets[rows.start];
                LayerState {
                    n_in: span.n_in,
                    n_out: span.n_out,
                    crow_indices: (offsets[rows.start..=rows.end].iter())
                        .map(|o| o - base)
                        .collect(),
                    col_indices: (cols[range.clone()].iter())
                        .map(|c| c - span.first_col as u32)
                        .collect(),
                    values: values[range].to_vec(),
                    state,
                    bias: bias[rows].to_vec(),
                    bias_state,
                }
            };
        let states = state.into_iter().zip(bias_state);
        Ok(self.spans.iter().zip(states).map(layer).collect())
    }
}

fn check(layers: &[LayerState]) -> Result<()> {
    let check = |(l, layer): (usize, &LayerState)| {
        let wrong = |reason| Error::Shape(format!("layer {l}: {reason}"));
        layer.rules().map_err(wrong)
    };
    layers.iter().enumerate().try_for_each(check)
}

/// Column offsets and the stable order by column: a counting sort.
fn transpose(cols: &[u32], n_cols: usize) -> (Vec<u32>, Vec<u32>) {
    let mut offsets = vec![0u32; n_cols + 1];
    for &c in cols {
        offsets[c as usize + 1] += 1;
    }
    for c in 0..n_cols {
        offsets[c + 1] += offsets[c];
    }
    let mut next = offsets.clone();
    let mut order = vec![0u32; cols.len()];
    for (j, &c) in cols.iter().enumerate() {
        order[next[c as usize] as usize] = j as u32;
        next[c as usize] += 1;
    }
    (offsets, order)
}
