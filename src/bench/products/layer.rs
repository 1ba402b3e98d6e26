//! A layer that the products are measured on, random or from a file, on the host and on the device.

use super::reference::{Case, noise};
use crate::bench::Part;
use crate::bench::measuring::one_kernel::plan_of;
use crate::engine::{Buffer, Class, Device, Plan, Precision, View};
use crate::error::Result;
use crate::sparse::{
    Arena, LayerState, Sddmm, SddmmParams, Spmm, SpmmParams, SpmmTransposed, SpmmTransposedParams,
};

/// A product of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Spmm,
    SpmmTransposed,
    Sddmm,
    Dense,
    DenseTransposed,
    DenseGradient,
}

/// A layer that products can be measured on.
pub(super) trait Operand {
    /// The plan of one product.
    fn plan(&self, product: Product) -> Result<Plan>;

    /// Puts inputs and deltas in place, again if something has overwritten them.
    fn fill(&self, device: &Device) -> Result<()>;

    /// Runs a product once over an output full of NaN, and compares it with the host's f64: the largest relative error.
    fn check(&self, device: &Device, product: Product, plan: &Plan) -> Result<f64>;
}

impl Product {
    /// The products of a sparse layer.
    pub const SPARSE: [Product; 3] = [Product::Spmm, Product::SpmmTransposed, Product::Sddmm];

    /// The products of a full layer.
    pub const DENSE: [Product; 3] = [
        Product::Dense,
        Product::DenseTransposed,
        Product::DenseGradient,
    ];

    pub fn part(self) -> Part {
        match self {
            Product::Spmm => Part::Spmm,
            Product::SpmmTransposed => Part::SpmmTransposed,
            Product::Sddmm => Part::Sddmm,
            Product::Dense | Product::DenseTransposed | Product::DenseGradient => Part::Dense,
        }
    }

    /// Its name in tables and in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Product::DenseTransposed => "dense_transposed",
            Product::DenseGradient => "dense_gradient",
            other => other.part().name(),
        }
    }

    /// Whether it is a product of a full layer.
    pub fn is_dense(self) -> bool {
        self.part() == Part::Dense
    }

    /// The least number of bytes that a product must move: everything that it reads or writes, once. The layer has
    /// `rows` outputs and `cols` inputs, and rows of `lanes` numbers with this many bits.
    pub fn bytes(
        self,
        [rows, cols]: [usize; 2],
        connections: usize,
        lanes: usize,
        bits: usize,
    ) -> f64 {
        let (activations, connection, units) = match self {
            // Column and weight of each connection; offsets and bias of each row; input and output.
            Product::Spmm => (rows + cols, 8, 2 * rows + 1),
            // Order, row and weight of each connection; offsets of each column; delta and output.
            Product::SpmmTransposed => (rows + cols, 12, cols + 1),
            // Column and gradient of each connection; offsets of each row; input and delta.
            Product::Sddmm => (rows + cols, 8, rows + 1),
            // Weight of each pair; bias of each row; input and output.
            Product::Dense => (rows + cols, 4, rows),
            // Weight or gradient of each pair; two of input, delta and output.
            Product::DenseTransposed | Product::DenseGradient => (rows + cols, 4, 0),
        };
        (activations * lanes * bits / 8 + connections * connection + units * 4) as f64
    }
}

/// A layer with a random input and a random gradient at its output.
pub(super) struct Layer {
    case: Case,
    connections: usize,
    arena: Arena,
    /// `[n_in][lanes]`
    input: Buffer,
    /// `[n_out][lanes]`
    delta: Buffer,
    /// `[n_out][lanes]`
    forward: Buffer,
    /// `[n_in][lanes]`
    backward: Buffer,
}

impl Layer {
    /// `activations`: how inputs, outputs and their gradients are stored.
    pub fn new(
        device: &Device,
        layer: LayerState,
        batch: usize,
        activations: Precision,
    ) -> Result<Self> {
        let lanes = batch.next_multiple_of(4);
        let (rows, cols) = (layer.n_out, layer.n_in);
        let gradients = activations.of_gradients();
        let case = Case {
            lanes,
            input: stored(noise(cols, batch, lanes, 1), activations),
            delta: stored(noise(rows, batch, lanes, 2), gradients),
            layer,
        };
        let buffer = |label, units: usize, precision| {
            device.buffer_of(label, Class::Activations, units * lanes, precision)
        };
        let made = Layer {
            connections: case.layer.active(),
            arena: Arena::new(device, std::slice::from_ref(&case.layer))?,
            input: buffer("bench.input", cols, activations)?,
            delta: buffer("bench.delta", rows, gradients)?,
            forward: buffer("bench.forward", rows, activations)?,
            backward: buffer("bench.backward", cols, gradients)?,
            case,
        };
        made.fill(device)?;
        Ok(made)
    }
}

/// The numbers after being stored in this precision.
pub(super) fn stored(mut numbers: Vec<f32>, precision: Precision) -> Vec<f32> {
    (numbers.iter_mut()).for_each(|number| *number = precision.round(*number));
    numbers
}

impl Operand for Layer {
    fn fill(&self, device: &Device) -> Result<()> {
        let (input, delta) = (&self.case.input, &self.case.delta);
        device.upload(&self.input.range(0..input.len()), input)?;
        device.upload(&self.delta.range(0..delta.len()), delta)
    }

    fn plan(&self, product: Product) -> Result<Plan> {
        let (arena, lanes) = (&self.arena, self.case.lanes);
        let span = &arena.spans[0];
        match product {
            Product::Spmm => {
                let params = SpmmParams::of_layer(span, lanes, false);
                plan_of(
                    Spmm {
                        params,
                        row_offsets: arena.row_offsets.all(),
                        cols: arena.cols.all(),
                        weights: arena.weights.all(),
                        bias: arena.bias.all(),
                        input: self.input.all(),
                        output: self.forward.all(),
                    },
                    params.grid(),
                )
            }
            Product::SpmmTransposed => {
                let params = SpmmTransposedParams::of_layer(span, lanes, false, false);
                plan_of(
                    SpmmTransposed {
                        params,
                        col_offsets: arena.col_offsets.all(),
                        order: arena.order.all(),
                        order_rows: arena.order_rows.all(),
                        weights: arena.weights.all(),
                        delta: self.delta.all(),
                        activation: self.input.all(),
                        output: self.backward.all(),
                    },
                    params.grid(),
                )
            }
            _ => {
                let params = SddmmParams::new(span, lanes, false);
                plan_of(
                    Sddmm {
                        params,
                        row_offsets: arena.row_offsets.all(),
                        cols: arena.cols.all(),
                        input: self.input.all(),
                        delta: self.delta.all(),
                        output: arena.gradient.all(),
                    },
                    params.grid(),
                )
            }
        }
    }

    fn check(&self, device: &Device, product: Product, plan: &Plan) -> Result<f64> {
        let view = match product {
            Product::Spmm => self.forward.all(),
            Product::SpmmTransposed => self.backward.all(),
            _ => self.arena.gradient.range(0..self.connections),
        };
        let found = run_over_nan(device, plan, &view)?;
        Ok(match product {
            Product::Spmm => self.case.spmm_error(&found),
            Product::SpmmTransposed => self.case.spmm_transposed_error(&found),
            _ => self.case.sddmm_error(&found),
        })
    }
}

/// Runs a plan once with the output `view` full of NaN beforehand, and reads the output back.
pub(super) fn run_over_nan(device: &Device, plan: &Plan, view: &View) -> Result<Vec<f32>> {
    device.upload(view, &vec![f32::NAN; view.words()])?;
    let program = device.prepare(plan)?;
    device.run(&program)?;
    device.download(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_everything_once() {
        // 3 outputs, 5 inputs, 4 connections, 8 lanes.
        let activations = 8.0 * 8.0 * 4.0;
        let bytes = |product: Product| product.bytes([3, 5], 4, 8, 32) - activations;
        assert_eq!(bytes(Product::Spmm), 4.0 * 8.0 + 4.0 * 4.0 + 3.0 * 4.0);
        assert_eq!(bytes(Product::SpmmTransposed), 4.0 * 12.0 + 6.0 * 4.0);
        assert_eq!(bytes(Product::Sddmm), 4.0 * 8.0 + 4.0 * 4.0);
        // In 16 bits, only the activations are halved.
        let saved = |product: Product| bytes(product) - product.bytes([3, 5], 4, 8, 16);
        assert_eq!(saved(Product::Spmm), -activations / 2.0);
    }
}
