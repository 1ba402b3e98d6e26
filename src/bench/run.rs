//! Running the benchmark: its parts, one after another.

use super::figures::Identity;
use super::measuring::guard::Skipped;
use super::networks::{models, scaling, steps};
use super::options::{BenchOptions, Part};
use super::products::{crossover, sparse};
use super::report::{BenchReport, Finding, Observer};
use super::{ceilings, matrix};
use crate::engine::Device;
use crate::error::Result;
use crate::sparse::LayerState;

/// Measures, and passes each figure to `observe` as it is found.
///
/// # Errors
/// The options cannot be used, the adapter cannot be opened, or a result is wrong.
pub fn run(options: &BenchOptions, observe: &mut dyn FnMut(Finding<'_>)) -> Result<BenchReport> {
    let (report, end) = run_keeping(options, observe)?;
    end.map(|()| report)
}

/// Like [`run`], but returns what was measured before an error together with it.
///
/// # Errors
/// The options cannot be used, or the adapter cannot be opened: errors that come before anything is measured.
pub fn run_keeping(
    options: &BenchOptions,
    observe: &mut dyn FnMut(Finding<'_>),
) -> Result<(BenchReport, Result<()>)> {
    options.check()?;
    // This comes before anything is measured: a wrong file should not cost a minute.
    let matrices = matrix::read_all(&options.matrices)?;
    let device = options.open()?;
    let identity = Identity::of(&device, &options.adapter);
    let mut observer = Observer {
        sink: observe,
        report: BenchReport {
            tune: options.tune.name().to_owned(),
            activations: options.activations,
            ..BenchReport::new(identity.clone())
        },
    };
    observer.tell(Finding::Adapter(&identity));
    if options.activations.is_half() {
        observer.tell(Finding::Activations(options.activations));
    }
    let end = measure(options, device, matrices, &mut observer);
    if let Err(error) = &end {
        // Nobody should take this for everything that was asked for.
        observer.report.skipped.push(Skipped {
            part: "all".to_owned(),
            case: "what would have come next".to_owned(),
            reason: error.to_string(),
            busy: false,
        });
    }
    Ok((observer.report, end))
}

/// Measures the parts one after another.
fn measure(
    options: &BenchOptions,
    device: Device,
    matrices: Vec<(String, LayerState)>,
    observer: &mut Observer<'_>,
) -> Result<()> {
    let products = Part::PRODUCTS.into_iter().any(|part| options.has(part));
    if options.has(Part::Ceilings) || products {
        let (ceilings, left_out) = ceilings::measure(&device, options)?;
        observer.tell(Finding::Ceilings(&ceilings));
        for (case, reason) in left_out {
            observer.skip(Skipped::new(Part::Ceilings, &case, reason));
        }
        sparse::measure(&device, &ceilings, options, matrices, observer)?;
    }
    // The steps use devices of their own, whose ledgers count nothing else.
    drop(device);
    if options.has(Part::Crossover) {
        crossover::measure(options, observer)?;
    }
    if options.has(Part::Step) {
        steps::measure(options, observer)?;
    }
    if options.has(Part::Model) {
        models::measure(options, observer)?;
    }
    if options.has(Part::Scaling) {
        scaling::measure(options, observer)?;
    }
    Ok(())
}
