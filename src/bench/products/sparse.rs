//! The three sparse products over sizes, sparsities and matrices: their time, and their share of the ceiling that
//! bounds them.

use std::rc::Rc;

use super::dense::DenseLayer;
use super::layer::{Layer, Operand, Product};
use super::reference::tolerate;
use crate::bench::ceilings::{self, loads};
use crate::bench::figures::bounded_by;
use crate::bench::measuring::ceiling::Ceiling;
use crate::bench::measuring::doubt::above_ceiling;
use crate::bench::measuring::guard::{Guard, too_large, unless_impossible};
use crate::bench::measuring::timing::Timed;
use crate::bench::report::Observer;
use crate::bench::{BenchOptions, Bound, Ceilings, Finding, KernelFigure, Part, Pattern, Skipped};
use crate::clock::Instant;
use crate::engine::{Device, Plan};
use crate::error::Result;
use crate::sparse::{Assignment, LayerState, Shape, allocate, initialise};

/// Least number of runs for measuring a product: the check, two to find the number of copies, and three samples.
const RUNS: f64 = 6.0;

/// Bytes per connection on the host and on the device while a layer is made: drawn, sorted, uploaded.
const BYTES_PER_CONNECTION: u64 = 68;

/// The same for a full layer: weights and gradients on the device, weights on the host, and one of them in transit.
const BYTES_PER_PAIR: u64 = 16;

/// Measures the products among `options.parts`, on random layers and on these matrices. The sampled rows of the results
/// are checked first.
pub(in crate::bench) fn measure(
    device: &Device,
    ceilings: &Ceilings,
    options: &BenchOptions,
    matrices: Vec<(String, LayerState)>,
    observer: &mut Observer<'_>,
) -> Result<()> {
    let mut bench = Products {
        device,
        ceilings,
        options,
        guard: Guard::new(options.limit),
        loads: None,
        multiply_add: None,
    };
    let mut sizes = options.sizes.clone();
    sizes.sort_unstable();
    let mut sparsities = options.sparsities.clone();
    // The fewest connections come first, because the time of a layer is predicted from the one before.
    sparsities.sort_by(|a, b| b.total_cmp(a));
    for n in sizes {
        for &sparsity in &sparsities {
            bench.square(n, sparsity, observer)?;
        }
        if options.has(Part::Dense) {
            bench.full(n, observer)?;
        }
    }
    for (name, layer) in matrices {
        let subject = Subject {
            matrix: Some(name),
            n: None,
            rows: layer.n_out,
            cols: layer.n_in,
            sparsity: 1.0 - layer.active() as f64 / (layer.n_out as f64 * layer.n_in as f64),
            connections: layer.active(),
        };
        bench.sparse(&subject, || Ok(layer), observer)?;
    }
    Ok(())
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
    /// Its name in messages.
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
    /// Loads from a buffer of this many rows, as last requested.
    loads: Option<(usize, Rc<Ceiling>)>,
    multiply_add: Option<Rc<Ceiling>>,
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
            Ok(initialise(shape, count, 1, 0))
        };
        self.sparse(&subject, make, observer)
    }

    /// The products of an n × n layer with all connections.
    fn full(&mut self, n: usize, observer: &mut Observer<'_>) -> Result<()> {
        let subject = Subject {
            matrix: None,
            n: Some(n),
            rows: n,
            cols: n,
            sparsity: 0.0,
            connections: n.saturating_mul(n),
        };
        let bytes = BYTES_PER_PAIR;
        let (device, batch) = (self.device, self.options.batch);
        let activations = self.options.activations;
        let make = || DenseLayer::new(device, n, batch, activations);
        self.layer(&subject, &Product::DENSE, bytes, make, observer)
    }

    /// The products of a sparse layer.
    fn sparse(
        &mut self,
        subject: &Subject,
        make: impl FnOnce() -> Result<LayerState>,
        observer: &mut Observer<'_>,
    ) -> Result<()> {
        let (device, batch) = (self.device, self.options.batch);
        let activations = self.options.activations;
        let make = || Layer::new(device, make()?, batch, activations);
        let bytes = BYTES_PER_CONNECTION;
        self.layer(subject, &Product::SPARSE, bytes, make, observer)
    }

    /// The requested ones of `products`, for a layer with this many bytes per connection.
    fn layer<L: Operand>(
        &mut self,
        subject: &Subject,
        products: &[Product],
        bytes: u64,
        make: impl FnOnce() -> Result<L>,
        observer: &mut Observer<'_>,
    ) -> Result<()> {
        let options = self.options;
        let products: Vec<Product> = (products.iter().copied())
            .filter(|product| options.has(product.part()))
            .collect();
        let Some(first) = products.first() else {
            return Ok(());
        };
        let layers = match first.is_dense() {
            true => "dense layer",
            false => "sparse layer",
        };
        let work = subject.connections as f64;
        let lanes = options.batch.next_multiple_of(4);
        let units = (2 * (subject.rows + subject.cols) * lanes * 4) as u64;
        let most = subject.rows.max(subject.cols) * lanes;
        let largest = (most.max(subject.connections) as u64).saturating_mul(4);
        let total = (subject.connections as u64).saturating_mul(bytes) + units;
        let begin = Instant::now();
        let layer = match too_large(self.device, largest, total)
            .or_else(|| self.guard.too_long(self.guard.foresee(layers, work)))
        {
            Some(reason) => Err(reason),
            None => unless_impossible(make())?,
        };
        if layer.is_ok() {
            let seconds = begin.elapsed().as_secs_f64();
            self.guard.note(layers, work, seconds);
        }
        for product in products {
            let kind = product.name();
            let seconds = RUNS * self.guard.foresee(kind, work);
            let reason = match &layer {
                Err(reason) => Some(reason.clone()),
                Ok(_) => self.guard.too_long(seconds),
            };
            match (reason, &layer) {
                (None, Ok(layer)) => {
                    let figure = self.product(subject, layer, product)?;
                    self.guard.note(kind, work, figure.seconds);
                    let (case, keep) = (subject.name(), options.keep_doubtful);
                    // It is known nevertheless that the result was right.
                    let doubt = figure.doubt.as_ref().map(|doubt| {
                        format!(
                            "{doubt}; computed all the same, {} × {} with {} connections, right to {:.0e}: only the \
                             time is withheld",
                            figure.rows, figure.cols, figure.connections, figure.max_error
                        )
                    });
                    if observer.withholds(keep, kind, &case, doubt.as_deref()) {
                        continue;
                    }
                    observer.tell(Finding::Kernel(&figure));
                }
                (reason, _) => observer.skip(Skipped {
                    part: kind.to_owned(),
                    case: subject.name(),
                    reason: reason.unwrap_or_default(),
                    busy: false,
                }),
            }
        }
        Ok(())
    }

    /// One product, checked and measured.
    fn product(
        &mut self,
        subject: &Subject,
        layer: &impl Operand,
        product: Product,
    ) -> Result<KernelFigure> {
        let (device, options) = (self.device, self.options);
        let kernel = product.name();
        let plan: Plan = layer.plan(product)?;
        if device.tunes() {
            device.tune(&[&plan])?;
            layer.fill(device)?;
        }
        let max_error = layer.check(device, product, &plan)?;
        let what = format!("`{kernel}` at {}", subject.name());
        tolerate(max_error, options.activations, device.name(), &what)?;

        let lanes = options.batch.next_multiple_of(4);
        let bits = options.activations.bits();
        // Words in a row, which is loaded as words.
        let words = (lanes * bits / 32).next_multiple_of(4);
        let ceiling = match product {
            // Full products use what they load several times.
            _ if product.is_dense() => self.multiply_add()?,
            // What is read in the connections' order: deltas if the product is transposed, otherwise inputs.
            Product::SpmmTransposed => self.loads(subject.rows, words)?,
            _ => self.loads(subject.cols, words)?,
        };
        let connections = subject.connections;
        let operations = 2.0 * connections as f64 * options.batch as f64;
        let bytes = product.bytes([subject.rows, subject.cols], connections, lanes, bits);
        // Loads and multiply-adds are also done for the padding lanes.
        let terms = connections as f64 * lanes as f64;
        let loaded = connections as f64 * words as f64;
        let arithmetic = |rate: Option<f64>| rate.map_or(0.0, |rate| 2.0 * terms / (rate * 1e9));
        let dispatch = self.ceilings.dispatch_us.unwrap_or(0.0) * 1e-6;
        // The times that the ceilings demand, given the time of a run of the one that is measured beside the product.
        let bound = |seconds: f64| {
            let rate = ceiling.amount / seconds;
            let (loads, arithmetic) = match product.is_dense() {
                true => (0.0, arithmetic(Some(rate))),
                false => (
                    loaded / (rate * 1e9),
                    arithmetic(self.ceilings.multiply_add_gflop_s),
                ),
            };
            bounded_by([
                (loads, Bound::Loads),
                (arithmetic, Bound::Arithmetic),
                (dispatch, Bound::Dispatch),
            ])
        };
        let timed = Timed::new(device, &plan, options.budget)?;
        let share = |product: f64, ceiling: f64| bound(ceiling).0 / product;
        let [measured, beside, share] =
            timed.in_turns(&ceiling.timed, device, options.budget, share)?;
        let doubt = measured.doubt;
        let ceiling_doubt = beside.doubt.or(above_ceiling(share.median));
        let trusted = options.keep_doubtful || ceiling_doubt.is_none();
        let seconds = measured.median;
        let gb_s = bytes / seconds / 1e9;
        Ok(KernelFigure {
            kernel: kernel.to_owned(),
            matrix: subject.matrix.clone(),
            n: subject.n,
            rows: subject.rows,
            cols: subject.cols,
            batch: options.batch,
            sparsity: subject.sparsity,
            connections,
            seconds,
            seconds_spread: measured.spread,
            timed_by: Some(timed.timed_by()),
            operations: operations as u64,
            bytes: bytes as u64,
            gflop_s: operations / seconds / 1e9,
            gb_s,
            share_of_copy: self.ceilings.copy_gb_s.map(|copy| gb_s / copy),
            loads_gelem_s: (!product.is_dense() && trusted)
                .then_some(ceiling.amount / beside.median * (32 / bits) as f64),
            bound: bound(beside.median).1,
            share_of_ceiling: trusted.then_some(share.median),
            ceiling_doubt,
            max_error,
            doubt,
        })
    }

    /// Random loads from a buffer of `rows` rows of `lanes`.
    fn loads(&mut self, rows: usize, lanes: usize) -> Result<Rc<Ceiling>> {
        if let Some((_, known)) = self.loads.as_ref().filter(|known| known.0 == rows) {
            return Ok(known.clone());
        }
        let budget = self.options.budget;
        let made = loads::ceiling(self.device, rows, lanes, Pattern::Random, budget)?;
        let made = Rc::new(made);
        // Only one size is kept at a time, because each holds a buffer.
        self.loads = Some((rows, made.clone()));
        Ok(made)
    }

    fn multiply_add(&mut self) -> Result<Rc<Ceiling>> {
        if let Some(known) = &self.multiply_add {
            return Ok(known.clone());
        }
        let made = Rc::new(ceilings::multiply_add(self.device, self.options.budget)?);
        self.multiply_add = Some(made.clone());
        Ok(made)
    }
}
