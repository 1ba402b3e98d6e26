//! The three sparse products over sizes, sparsities and matrices: their time, and their share of the ceiling that bounds them.

use std::collections::HashMap;
use std::time::Instant;

use super::ceilings::{self, Ceilings, Pattern};
use super::guard::{Guard, Skipped, too_large, unless_too_large};
use super::layer::{Layer, Product};
use super::matrix;
use super::options::BenchOptions;
use super::reference::judge;
use super::timing::{Spread, time};
use super::{Finding, Observer};
use crate::engine::{Device, Plan};
use crate::error::Result;
use crate::sparse::{Assignment, LayerState, Shape, allocate, draw};

/// The ceiling that a product is closest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// One product of a layer, measured.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct KernelFigure {
    /// "spmm", "spmm_transposed" or "sddmm".
    pub kernel: String,
    /// The matrix's file, where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    /// Units on either side of a square layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// Output units.
    pub rows: usize,
    /// Input units.
    pub cols: usize,
    /// Members of the batch.
    pub batch: usize,
    /// Share of the pairs that is not connected; of random layers as asked for.
    pub sparsity: f64,
    /// Connections.
    pub connections: usize,
    /// Median.
    pub seconds: f64,
    /// How far the samples lie apart.
    pub seconds_spread: Spread,
    /// Two operations per connection and member of the batch, in 10^9 a second.
    pub gflop_s: f64,
    /// Bytes that must be moved at least, everything once, in 10^9 a second.
    pub gb_s: f64,
    /// That over the copy ceiling. Above 1 where caches hold what the product works on.
    pub share_of_copy: f64,
    /// Loads that this adapter manages on a buffer of this layer's size, in 10^9 elements a second.
    pub loads_gelem_s: f64,
    /// Which ceiling asks for the most time.
    pub bound: Bound,
    /// That time over the measured one: 1 is the ceiling.
    pub share_of_ceiling: f64,
    /// Largest error of the rows compared, relative to their largest entry.
    pub max_error: f64,
}

/// Runs of a product that a measurement takes at least: the check, two to find the number of copies, three samples.
const RUNS: f64 = 6.0;

/// Bytes on the host and on the device for a connection while a layer is made: drawn, sorted, uploaded.
const BYTES_PER_CONNECTION: u64 = 68;

/// Measures the products among `options.parts`; the rows of the sampled results are checked first.
pub(super) fn measure(
    device: &Device,
    ceilings: &Ceilings,
    options: &BenchOptions,
    observer: &mut Observer<'_>,
) -> Result<Vec<KernelFigure>> {
    let mut bench = Products {
        device,
        ceilings,
        options,
        guard: Guard::new(options.limit),
        loads: HashMap::new(),
        figures: Vec::new(),
    };
    let mut sizes = options.sizes.clone();
    sizes.sort_unstable();
    let mut sparsities = options.sparsities.clone();
    // The fewest connections first: how long a layer takes is foreseen from the one before.
    sparsities.sort_by(|a, b| b.total_cmp(a));
    for n in sizes {
        for &sparsity in &sparsities {
            bench.square(n, sparsity, observer)?;
        }
    }
    for path in &options.matrices {
        let layer = matrix::read(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let subject = Subject {
            matrix: Some(name.to_string_lossy().into_owned()),
            n: None,
            rows: layer.n_out,
            cols: layer.n_in,
            sparsity: 1.0 - layer.active() as f64 / (layer.n_out as f64 * layer.n_in as f64),
            connections: layer.active(),
        };
        bench.layer(&subject, || Ok(layer), observer)?;
    }
    Ok(bench.figures)
}

/// What a product is measured on.
struct Subject {
    matrix: Option<String>,
    n: Option<usize>,
    rows: usize,
    cols: usize,
    sparsity: f64,
    connections: usize,
}

impl Subject {
    /// As a message names it.
    fn name(&self) -> String {
        match (&self.matrix, self.n) {
            (Some(matrix), _) => matrix.clone(),
            (None, Some(n)) => format!("n = {n}, sparsity {}", self.sparsity),
            (None, None) => format!("{} × {}", self.rows, self.cols),
        }
    }
}

struct Products<'a> {
    device: &'a Device,
    ceilings: &'a Ceilings,
    options: &'a BenchOptions,
    guard: Guard,
    /// Loads by the number of rows of the buffer.
    loads: HashMap<usize, f64>,
    figures: Vec<KernelFigure>,
}

impl Products<'_> {
    /// The products of an n × n layer with random connections.
    fn square(&mut self, n: usize, sparsity: f64, observer: &mut Observer<'_>) -> Result<()> {
        let shape = Shape { n_in: n, n_out: n };
        let subject = Subject {
            matrix: None,
            n: Some(n),
            rows: n,
            cols: n,
            sparsity,
            connections: ((1.0 - sparsity) * shape.dense() as f64).round() as usize,
        };
        let make = || {
            let count = allocate(&[shape], sparsity, Assignment::Uniform)?[0];
            Ok(draw(shape, count, 1, 0))
        };
        self.layer(&subject, make, observer)
    }

    /// All products of a layer.
    fn layer(
        &mut self,
        subject: &Subject,
        make: impl FnOnce() -> Result<LayerState>,
        observer: &mut Observer<'_>,
    ) -> Result<()> {
        let options = self.options;
        let products = Product::ALL.into_iter();
        let products = products.filter(|product| options.has(product.part()));
        let work = subject.connections as f64;
        let stride = options.batch.next_multiple_of(4);
        let units = (2 * (subject.rows + subject.cols) * stride * 4) as u64;
        let most = subject.rows.max(subject.cols) * stride;
        let largest = most.max(subject.connections) as u64 * 4;
        let total = subject.connections as u64 * BYTES_PER_CONNECTION + units;
        let begin = Instant::now();
        let layer = match too_large(self.device, largest, total)
            .or_else(|| self.guard.too_long(self.guard.foresee("layer", work)))
        {
            Some(reason) => Err(reason),
            None => unless_too_large(
                make().and_then(|layer| Layer::new(self.device, layer, options.batch)),
            )?,
        };
        if layer.is_ok() {
            let seconds = begin.elapsed().as_secs_f64();
            self.guard.note("layer", work, seconds);
        }
        for product in products {
            let kind = product.part().name();
            let seconds = RUNS * self.guard.foresee(kind, work);
            let reason = match &layer {
                Err(reason) => Some(reason.clone()),
                Ok(_) => self.guard.too_long(seconds),
            };
            match (reason, &layer) {
                (None, Ok(layer)) => {
                    let figure = self.product(subject, layer, product)?;
                    self.guard.note(kind, work, figure.seconds);
                    observer.tell(Finding::Kernel(&figure));
                    self.figures.push(figure);
                }
                (reason, _) => observer.skip(Skipped {
                    part: kind.to_owned(),
                    case: subject.name(),
                    reason: reason.unwrap_or_default(),
                }),
            }
        }
        Ok(())
    }

    /// One product, checked and measured.
    fn product(
        &mut self,
        subject: &Subject,
        layer: &Layer,
        product: Product,
    ) -> Result<KernelFigure> {
        let (device, options) = (self.device, self.options);
        let kernel = product.part().name();
        let plan: Plan = layer.plan(product)?;
        let max_error = layer.check(device, product, &plan)?;
        let what = format!("`{kernel}` at {}", subject.name());
        judge(max_error, device.name(), &what)?;

        let measured = time(device, &plan, options.budget)?;
        let seconds = measured.median;
        let stride = layer.case.stride;
        let operations = 2.0 * layer.connections as f64 * options.batch as f64;
        let bytes = product.bytes(subject.rows, subject.cols, layer.connections, stride);
        // What is read in the connections' order: deltas where the product is transposed, inputs else.
        let loaded = match product {
            Product::SpmmTransposed => subject.rows,
            _ => subject.cols,
        };
        let loads_gelem_s = self.loads(loaded, stride)?;
        // Loads and multiply-adds are done for the padding lanes too.
        let terms = layer.connections as f64 * stride as f64;
        let (needed, bound) = bounded_by(&[
            (terms / (loads_gelem_s * 1e9), Bound::Loads),
            (
                2.0 * terms / (self.ceilings.multiply_add_gflop_s * 1e9),
                Bound::Arithmetic,
            ),
            (self.ceilings.dispatch_us * 1e-6, Bound::Dispatch),
        ]);
        let gb_s = bytes / seconds / 1e9;
        Ok(KernelFigure {
            kernel: kernel.to_owned(),
            matrix: subject.matrix.clone(),
            n: subject.n,
            rows: subject.rows,
            cols: subject.cols,
            batch: options.batch,
            sparsity: subject.sparsity,
            connections: layer.connections,
            seconds,
            seconds_spread: measured.spread,
            gflop_s: operations / seconds / 1e9,
            gb_s,
            share_of_copy: gb_s / self.ceilings.copy_gb_s,
            loads_gelem_s,
            bound,
            share_of_ceiling: needed / seconds,
            max_error,
        })
    }

    /// The rate of random loads from a buffer of `rows` rows of `stride` lanes.
    fn loads(&mut self, rows: usize, stride: usize) -> Result<f64> {
        if (rows, stride) == (4096, 128) {
            return Ok(self.ceilings.vec4_loads_gelem_s);
        }
        if let Some(&known) = self.loads.get(&rows) {
            return Ok(known);
        }
        let budget = self.options.budget;
        let found = ceilings::loads(self.device, rows, stride, Pattern::Random, budget)?.median;
        self.loads.insert(rows, found);
        Ok(found)
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
