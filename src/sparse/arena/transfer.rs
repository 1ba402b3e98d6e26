//! Moving layers between an arena's buffers and the host.

use super::super::layer_state::{LayerState, check_all};
use super::{Arena, LayerSpan};
use crate::engine::{Buffer, Device};
use crate::error::{Error, Misfit, Result};
use crate::optim::OptimiserState;

impl Arena {
    /// Replaces topology, weights and optimiser state; the shapes and the total must be those of the arena.
    ///
    /// # Errors
    /// The layers break a rule of [`LayerState::check`], or have other shapes, another number of connections, or the
    /// state of another optimiser.
    pub fn import(&self, device: &Device, layers: &[LayerState]) -> Result<()> {
        check_all(layers)?;
        self.put(device, layers)
    }

    /// Like [`Arena::import`], for layers that were already checked.
    pub(super) fn put(&self, device: &Device, layers: &[LayerState]) -> Result<()> {
        let total: usize = layers.iter().map(LayerState::active).sum();
        let same = layers.len() == self.spans.len()
            && self
                .spans
                .iter()
                .zip(layers)
                .all(|(s, l)| s.n_in == l.n_in && s.n_out == l.n_out);
        if !same || total != self.connections {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("layers with {total} connections"),
                expected: format!(
                    "the model's {} layers with {} connections",
                    self.spans.len(),
                    self.connections
                ),
            }));
        }
        let full = |l: &LayerState| l.active() == l.n_in * l.n_out;
        if !self.holds.indices && !layers.iter().all(full) {
            return Err(Error::Shape(Misfit::Unfit {
                found: "layers that lack connections".to_owned(),
                expected: "an arena without indices, which takes layers of every connection only"
                    .to_owned(),
            }));
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
        let (weights, biases) = (gather(|l| &l.values), gather(|l| &l.bias));
        self.put_state(device, layers, [&weights, &biases])?;
        put_f32(&self.weights, weights)?;
        put_f32(&self.bias, biases)
    }

    /// The optimiser's part, beside all weights and biases.
    fn put_state(
        &self,
        device: &Device,
        layers: &[LayerState],
        [weights, biases]: [&[f32]; 2],
    ) -> Result<()> {
        let Some(arrays) = &self.holds.state else {
            return Ok(());
        };
        let fits =
            |l: &LayerState| l.state.fits(arrays, l.active()) && l.bias_state.fits(arrays, l.n_out);
        if let Some(l) = layers.iter().position(|layer| !fits(layer)) {
            let names: Vec<&str> = arrays.iter().map(|array| array.name).collect();
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("the arrays of the optimiser that layer {l} was trained by"),
                expected: format!("this network's, [{}]", names.join(", ")),
            }));
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
        self.state.import(device, weights, &connections)?;
        self.bias_state.import(device, biases, &rows)
    }

    /// Replaces only the weights, given by layer in the order of its connections.
    ///
    /// # Errors
    /// The number of weights differs, or the device is lost.
    pub fn set_weights(&self, device: &Device, weights: &[Vec<f32>]) -> Result<()> {
        let flat = weights.concat();
        if flat.len() != self.connections {
            return Err(Error::Shape(Misfit::Words {
                what: "a list of weights for all connections".to_owned(),
                found: flat.len(),
                needed: self.connections,
            }));
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
