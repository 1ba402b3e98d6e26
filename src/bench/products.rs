//! The three sparse products over sizes and sparsities: their time, and their share of the ceiling that bounds them.

use super::ceilings::{self, Ceilings, Pattern};
use super::reference::{Case, judge, noise};
use super::timing::time;
use super::{BenchOptions, Finding, Part, plan_of};
use crate::engine::{Buffer, Class, Device, Plan};
use crate::error::Result;
use crate::sparse::{
    Arena, Assignment, Sddmm, SddmmParams, Shape, Spmm, SpmmParams, SpmmTransposed,
    SpmmTransposedParams, allocate, draw,
};

/// The ceiling that a product is closest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// One element loaded for each multiply-add.
    Loads,
    /// The multiply-adds themselves.
    Arithmetic,
    /// The dispatch: the product is too small for this adapter.
    Dispatch,
}

impl Bound {
    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Bound::Loads => "loads",
            Bound::Arithmetic => "arithmetic",
            Bound::Dispatch => "dispatch",
        }
    }
}

/// One product of an n × n layer, measured.
#[derive(Clone, Debug, serde::Serialize)]
pub struct KernelFigure {
    /// "spmm", "spmm_transposed" or "sddmm".
    pub kernel: &'static str,
    /// Units on either side of the layer.
    pub n: usize,
    /// Members of the batch.
    pub batch: usize,
    /// Share of the n² pairs that is not connected, as asked for.
    pub sparsity: f64,
    /// Connections.
    pub connections: usize,
    /// Median.
    pub seconds: f64,
    /// Two operations per connection and member of the batch, in 10^9 a second.
    pub gflop_s: f64,
    /// Loads that this adapter manages on a buffer of this layer's size, in 10^9 elements a second.
    pub loads_gelem_s: f64,
    /// Which ceiling asks for the most time.
    pub bound: Bound,
    /// That time over the measured one: 1 is the ceiling.
    pub share_of_ceiling: f64,
    /// Largest error of the rows compared, relative to their largest entry.
    pub max_error: f64,
}

/// Measures the products among `options.parts`; the rows of the sampled results are checked first.
pub(super) fn measure(
    device: &Device,
    ceilings: &Ceilings,
    options: &BenchOptions,
    observe: &mut dyn FnMut(Finding<'_>),
) -> Result<Vec<KernelFigure>> {
    let stride = options.batch.next_multiple_of(4);
    let mut figures = Vec::new();
    for &n in &options.sizes {
        let loads_gelem_s = match (n, stride) {
            (4096, 128) => ceilings.vec4_loads_gelem_s,
            _ => ceilings::loads(device, n, stride, Pattern::Random, options.budget)?,
        };
        for &sparsity in &options.sparsities {
            let layer = Layer::new(device, n, options.batch, sparsity)?;
            for product in Product::ALL {
                if !options.parts.contains(&product.part()) {
                    continue;
                }
                let figure = layer.measure(device, product, ceilings, loads_gelem_s, options)?;
                observe(Finding::Kernel(&figure));
                figures.push(figure);
            }
        }
    }
    Ok(figures)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    Spmm,
    SpmmTransposed,
    Sddmm,
}

impl Product {
    const ALL: [Product; 3] = [Product::Spmm, Product::SpmmTransposed, Product::Sddmm];

    fn part(self) -> Part {
        match self {
            Product::Spmm => Part::Spmm,
            Product::SpmmTransposed => Part::SpmmTransposed,
            Product::Sddmm => Part::Sddmm,
        }
    }
}

/// An n × n layer with random connections, on the host and on the device.
struct Layer {
    n: usize,
    batch: usize,
    sparsity: f64,
    case: Case,
    arena: Arena,
    input: Buffer,
    delta: Buffer,
    /// `[n][stride]`
    output: Buffer,
}

impl Layer {
    fn new(device: &Device, n: usize, batch: usize, sparsity: f64) -> Result<Self> {
        let stride = batch.next_multiple_of(4);
        let shape = Shape { n_in: n, n_out: n };
        let count = allocate(&[shape], sparsity, Assignment::Uniform)?[0];
        let case = Case {
            layer: draw(shape, count, 1, 0),
            stride,
            input: noise(n, batch, stride, 1),
            delta: noise(n, batch, stride, 2),
        };
        Ok(Layer {
            n,
            batch,
            sparsity,
            arena: Arena::new(device, std::slice::from_ref(&case.layer))?,
            input: device.buffer_with("bench.input", Class::Activations, &case.input)?,
            delta: device.buffer_with("bench.delta", Class::Activations, &case.delta)?,
            output: device.buffer("bench.output", Class::Activations, n * stride)?,
            case,
        })
    }

    fn plan(&self, product: Product) -> Result<Plan> {
        let (arena, stride) = (&self.arena, self.case.stride);
        let span = &arena.spans[0];
        match product {
            Product::Spmm => {
                let params = SpmmParams::of_layer(span, stride, false);
                plan_of(
                    Spmm {
                        params,
                        row_offsets: arena.row_offsets.all(),
                        cols: arena.cols.all(),
                        weights: arena.weights.all(),
                        bias: arena.bias.all(),
                        input: self.input.all(),
                        output: self.output.all(),
                    },
                    params.grid(),
                )
            }
            Product::SpmmTransposed => {
                let params = SpmmTransposedParams::of_layer(span, stride, false, false);
                plan_of(
                    SpmmTransposed {
                        params,
                        col_offsets: arena.col_offsets.all(),
                        order: arena.order.all(),
                        order_rows: arena.order_rows.all(),
                        weights: arena.weights.all(),
                        delta: self.delta.all(),
                        activation: self.input.all(),
                        output: self.output.all(),
                    },
                    params.grid(),
                )
            }
            Product::Sddmm => {
                let params = SddmmParams::new(span, stride, false);
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

    /// Runs the product once over an output full of NaN, and compares with the host's f64.
    fn check(&self, device: &Device, product: Product, plan: &Plan) -> Result<f64> {
        let (output, words) = match product {
            Product::Sddmm => (&self.arena.gradient, self.arena.connections),
            _ => (&self.output, self.output.words()),
        };
        let view = output.range(0..words);
        device.upload(&view, &vec![f32::NAN; words])?;
        let program = device.prepare(plan)?;
        device.run(&program)?;
        let found = device.download::<f32>(&view)?;
        Ok(match product {
            Product::Spmm => self.case.spmm_error(&found),
            Product::SpmmTransposed => self.case.spmm_transposed_error(&found),
            Product::Sddmm => self.case.sddmm_error(&found),
        })
    }

    fn measure(
        &self,
        device: &Device,
        product: Product,
        ceilings: &Ceilings,
        loads_gelem_s: f64,
        options: &BenchOptions,
    ) -> Result<KernelFigure> {
        let kernel = product.part().name();
        let plan = self.plan(product)?;
        let max_error = self.check(device, product, &plan)?;
        let what = format!("`{kernel}` at n = {}, sparsity {}", self.n, self.sparsity);
        judge(max_error, device.name(), &what)?;

        let seconds = time(device, &plan, options.budget)?;
        let connections = self.arena.connections;
        let operations = 2.0 * connections as f64 * self.batch as f64;
        // Loads and multiply-adds are done for the padding lanes too.
        let terms = connections as f64 * self.case.stride as f64;
        let (needed, bound) = bounded_by(&[
            (terms / (loads_gelem_s * 1e9), Bound::Loads),
            (
                2.0 * terms / (ceilings.multiply_add_gflop_s * 1e9),
                Bound::Arithmetic,
            ),
            (ceilings.dispatch_us * 1e-6, Bound::Dispatch),
        ]);
        Ok(KernelFigure {
            kernel,
            n: self.n,
            batch: self.batch,
            sparsity: self.sparsity,
            connections,
            seconds,
            gflop_s: operations / seconds / 1e9,
            loads_gelem_s,
            bound,
            share_of_ceiling: needed / seconds,
            max_error,
        })
    }
}

/// The ceiling that asks for the most seconds.
fn bounded_by(bounds: &[(f64, Bound); 3]) -> (f64, Bound) {
    let [first, rest @ ..] = bounds;
    rest.iter()
        .fold(*first, |most, b| if b.0 > most.0 { *b } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_resource_bounds() {
        let bounds = |loads, arithmetic, dispatch| {
            bounded_by(&[
                (loads, Bound::Loads),
                (arithmetic, Bound::Arithmetic),
                (dispatch, Bound::Dispatch),
            ])
        };
        assert_eq!(bounds(3.0, 2.0, 1.0), (3.0, Bound::Loads));
        assert_eq!(bounds(1.0, 2.0, 1.0), (2.0, Bound::Arithmetic));
        assert_eq!(bounds(1.0, 2.0, 4.0), (4.0, Bound::Dispatch));
    }
}
