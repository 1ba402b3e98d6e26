//! The connection arena: all layers' connections in one set of device buffers.
//!
//! The arena is one compressed sparse matrix. Its rows are the output units of all layers, one layer after another, and
//! its columns likewise all input units. A layer is a range of rows and of columns. So the optimiser is one dispatch
//! over all connections, a global threshold is one histogram, and connections can move between layers, because only
//! `row_offsets` fixes a layer's range.

mod transfer;

use std::ops::Range;

use super::layer_state::{LayerState, check_all};
use crate::engine::{Buffer, Class, Device, View};
use crate::error::{Error, Misfit, Result};
use crate::optim::{StateArray, StateBuffers};

/// The place of a layer's units among the arena's rows and columns.
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
/// `N` connections, `R` rows, `C` columns; connections are ordered by row, then column. This takes 24 bytes per
/// connection, 4 bytes per column and 12 bytes per row; each array of the optimiser adds 4 bytes per connection and
/// row.
pub struct Arena {
    pub(crate) spans: Vec<LayerSpan>,
    pub(crate) connections: usize,
    pub(crate) holds: Holds,
    pub(crate) n_rows: usize,
    pub(crate) n_cols: usize,
    pub(crate) row_offsets: Buffer,
    pub(crate) rows: Buffer,
    pub(crate) cols: Buffer,
    pub(crate) weights: Buffer,
    pub(crate) forward: Option<Buffer>,
    pub(crate) state: StateBuffers,
    pub(crate) gradient: Buffer,
    pub(crate) col_offsets: Buffer,
    pub(crate) order: Buffer,
    pub(crate) order_rows: Buffer,
    pub(crate) bias: Buffer,
    pub(crate) bias_state: StateBuffers,
    pub(crate) bias_gradient: Buffer,
}

/// Which buffers an arena has for its connections, besides their weights. A buffer that it does not have is one word
/// long.
#[derive(Clone, Debug, PartialEq)]
pub struct Holds {
    /// `rows`, `cols`, `order` and `order_rows`, 16 bytes per connection: not needed if every layer is full and nothing
    /// reads it as a list of connections.
    pub indices: bool,
    /// `gradient`, 4 bytes per connection: not needed if nothing is trained.
    pub gradient: bool,
    /// The optimiser's arrays; none if nothing is trained, in which case states of any optimiser are ignored.
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
    /// Uploads the layers for products and gradients, without an optimiser's arrays.
    ///
    /// # Errors
    /// A layer breaks a rule of [`LayerState::check`], there are no connections or more than `u32::MAX`, or the device
    /// refuses a buffer.
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

    /// Like [`Arena::new`], with the connections' buffers in a given class of the ledger, and only those that are
    /// needed.
    ///
    /// # Errors
    /// As [`Arena::new`], or layers without indices lack a connection.
    pub fn with(
        device: &Device,
        layers: &[LayerState],
        class: Class,
        holds: Holds,
    ) -> Result<Self> {
        check_all(layers)?;
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
            return Err(Error::Shape(Misfit::Connections {
                connections,
                inputs: n_cols,
                outputs: n_rows,
            }));
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
}

/// Its parts: sizes, and the buffers that kernels read.
impl Arena {
    /// The layers in order.
    pub fn spans(&self) -> &[LayerSpan] {
        &self.spans
    }

    /// `N`.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Which of the connections' buffers exist.
    pub fn holds(&self) -> &Holds {
        &self.holds
    }

    /// `R`: output units of all layers.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// `C`: input units of all layers.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// `[R + 1]` u32: row `r`'s connections are `row_offsets[r]..row_offsets[r + 1]`.
    pub fn row_offsets(&self) -> &Buffer {
        &self.row_offsets
    }

    /// `[N]` u32: each connection's row.
    pub fn rows(&self) -> &Buffer {
        &self.rows
    }

    /// `[N]` u32: each connection's column.
    pub fn cols(&self) -> &Buffer {
        &self.cols
    }

    /// `[N]` f32.
    pub fn weights(&self) -> &Buffer {
        &self.weights
    }

    /// `[N]` f32: what the products use instead of `weights`, if they use only some of them.
    pub fn forward(&self) -> Option<&Buffer> {
        self.forward.as_ref()
    }

    /// `[N]`: the optimiser's arrays.
    pub fn state(&self) -> &StateBuffers {
        &self.state
    }

    /// `[N]` f32: the weights' gradient in the last step.
    pub fn gradient(&self) -> &Buffer {
        &self.gradient
    }

    /// `[C + 1]` u32: column `c`'s connections are `col_offsets[c]..col_offsets[c + 1]` of `order`.
    pub fn col_offsets(&self) -> &Buffer {
        &self.col_offsets
    }

    /// `[N]` u32: the connections ordered by column, then row.
    pub fn order(&self) -> &Buffer {
        &self.order
    }

    /// `[N]` u32: `rows[order[j]]`, so that the transposed product reads it in sequence.
    pub fn order_rows(&self) -> &Buffer {
        &self.order_rows
    }

    /// `[R]` f32.
    pub fn bias(&self) -> &Buffer {
        &self.bias
    }

    /// `[R]`: the optimiser's arrays.
    pub fn bias_state(&self) -> &StateBuffers {
        &self.bias_state
    }

    /// `[R]` f32.
    pub fn bias_gradient(&self) -> &Buffer {
        &self.bias_gradient
    }
}
