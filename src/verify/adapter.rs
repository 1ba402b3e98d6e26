//! Verifying an adapter: running all problems and networks on it, and comparing them with the CPU.

use super::problem::Problem;
use super::report::Report;
use super::{images, layers, lists, objectives, perceptrons, rounds, steps, tokens};
use crate::clock::Instant;
use crate::engine::{Device, DeviceOptions};
use crate::error::{Error, Result};

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything, in every workgroup shape.
    Full,
    /// Every kernel, but at fewer sizes and in the shape that trainings use; takes seconds.
    Quick,
}

/// Number of steps of each network.
const STEPS: usize = 10;

fn problems(depth: Depth) -> Result<Vec<Problem>> {
    let mut problems = perceptrons::problems()?;
    problems.extend(images::problems()?);
    problems.extend(tokens::problems()?);
    problems.extend(layers::problems()?);
    problems.extend(rounds::problems()?);
    problems.extend(lists::problems());
    problems.extend(objectives::problems());
    problems.retain(|problem| depth == Depth::Full || problem.quick);
    Ok(problems)
}

/// Verifies the adapter that `choice` names, in the form that a user gives to `--adapter`. The full form also runs the
/// kernels with WebGPU's run-time checks. `tell` receives what is done next, and the share that is done.
///
/// # Errors
/// The adapter cannot be opened, or is the CPU executor, whose kernels are the twins; or whatever `tell` returns. Wrong
/// results are in the report.
pub fn verify(
    choice: &str,
    threads: usize,
    depth: Depth,
    tell: &mut dyn FnMut(&str, f64) -> Result<()>,
) -> Result<Report> {
    let open = |shape, checked| {
        let options = DeviceOptions {
            threads,
            shape,
            checked,
            ..DeviceOptions::default()
        };
        Device::open(choice, &options)
    };
    let usual = open(None, false)?;
    let shapes = usual.adapter().map_or(&[][..], |adapter| adapter.shapes);
    let devices = match depth {
        Depth::Full if !shapes.is_empty() => (shapes.iter())
            .map(|&shape| open(Some(shape), false))
            .chain([open(None, true)])
            .collect::<Result<Vec<_>>>()?,
        Depth::Full | Depth::Quick => vec![usual],
    };
    verify_devices(&devices, threads, depth, tell)
}

/// Like [`verify`], on devices of one adapter, each with another workgroup shape or with run-time checks. The latter
/// take fewer problems.
///
/// # Errors
/// As [`verify`].
pub fn verify_devices(
    devices: &[Device],
    threads: usize,
    depth: Depth,
    tell: &mut dyn FnMut(&str, f64) -> Result<()>,
) -> Result<Report> {
    let started = Instant::now();
    let Some(adapter) = devices.first().and_then(Device::adapter) else {
        return Err(Error::OnCpu {
            what: "with which kernels are compared",
        });
    };
    let mut report = Report::new(adapter);
    let problems = problems(depth)?;
    let networks = match depth {
        Depth::Full => steps::all()?,
        Depth::Quick => Vec::new(),
    };
    // With run-time checks only the kernels, at fewer sizes.
    let work_of = |device: &Device| {
        let whole = !device.is_checked();
        let problems: Vec<_> = (problems.iter())
            .filter(|problem| whole || problem.quick)
            .collect();
        (problems, if whole { &networks[..] } else { &[] })
    };
    let work: Vec<_> = devices.iter().map(work_of).collect();
    let all: usize = (work.iter())
        .map(|(problems, networks)| problems.len() + networks.len())
        .sum();
    let mut done = 0;
    let mut next = |name: &str| {
        done += 1;
        tell(name, (done - 1) as f64 / all as f64)
    };
    let cpu = Device::cpu(threads)?;
    for (device, (problems, networks)) in devices.iter().zip(work) {
        let mut shape = device
            .shape()
            .map_or(String::new(), |s| s.name().to_owned());
        if device.is_checked() {
            shape += " with checks";
        }
        report.shapes.push(shape.clone());
        for problem in problems {
            next(&problem.name)?;
            report.problems += 1;
            match problem.run(device) {
                Ok(checks) => report.kernels.add(&problem.name, &shape, &checks),
                Err(error) => {
                    (report.errors).push(format!("{}, {shape} shape: {error}", problem.name));
                }
            }
        }
        for network in networks {
            next(network.name)?;
            match network.run(&cpu, device, STEPS) {
                Ok(result) => report.steps.push(result),
                Err(error) => {
                    (report.errors).push(format!("{}, {shape} shape: {error}", network.name));
                }
            }
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}
