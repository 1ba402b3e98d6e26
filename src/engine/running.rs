//! Running a program: as a whole, or timed.

use std::ops::Range;
use std::sync::Arc;

use super::buffer::View;
use super::check::KernelCheck;
use super::device::{Device, Executor, Program};
use super::phase::{PhaseTime, runs};
use crate::clock::Instant;
use crate::error::{Error, Result};

/// What a dispatch took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DispatchTime {
    /// The kernel's name.
    pub kernel: &'static str,
    /// Wall-clock time.
    pub seconds: f64,
    /// Bytes of all that it has bound: what it moves if it reads and writes everything once.
    pub bytes: u64,
}

impl Device {
    pub(super) fn prepared(&self, program: &Program) -> Result<()> {
        if Arc::ptr_eq(&program.ledger, &self.ledger) {
            return Ok(());
        }
        Err(Error::Shape(format!(
            "the program was prepared for another device than this one, {}",
            self.description
        )))
    }

    /// Runs a program; on a GPU it is only submitted.
    ///
    /// # Errors
    /// A lost device, or an error that the driver reported since the last call.
    pub fn run(&self, program: &Program) -> Result<()> {
        self.prepared(program)?;
        self.submit(program, 0..program.len())
    }

    pub(super) fn submit(&self, program: &Program, range: Range<usize>) -> Result<()> {
        self.burn_fuse()?;
        match (&self.executor, &program.gpu) {
            (Executor::Cpu(cpu), None) => cpu.run(&program.dispatches[range]),
            (Executor::Gpu(gpu), Some(prepared)) => gpu.run(prepared, range),
            _ => Err(Error::Shape(
                "the program was prepared for another kind of device".into(),
            )),
        }
    }

    /// Runs a program dispatch by dispatch, each from an idle device to an idle device, and times them. On a GPU that
    /// adds a submission and a wait to each.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub fn run_timed(&self, program: &Program) -> Result<Vec<DispatchTime>> {
        self.prepared(program)?;
        self.wait()?;
        let dispatches = program.dispatches.iter().enumerate();
        dispatches
            .map(|(i, dispatch)| {
                let start = Instant::now();
                self.submit(program, i..i + 1)?;
                self.wait()?;
                Ok(DispatchTime {
                    kernel: dispatch.kernel.name,
                    seconds: start.elapsed().as_secs_f64(),
                    bytes: dispatch.views.iter().map(View::bytes).sum(),
                })
            })
            .collect()
    }

    /// Runs a program and times its [phases](super::Plan::phase), each stretch of dispatches of one phase by itself:
    /// with the adapter's timestamps where it has them, and else from an idle device to an idle device. The same
    /// dispatches in the same order as [`Device::run`] gives, and therefore the same bits.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub fn run_phases(&self, program: &Program) -> Result<Vec<PhaseTime>> {
        self.prepared(program)?;
        self.burn_fuse()?;
        let stretches = runs(&program.dispatches);
        if let (Executor::Gpu(gpu), Some(prepared)) = (&self.executor, &program.gpu)
            && gpu.can_time(prepared)
        {
            return gpu.run_phases(prepared, &stretches);
        }
        self.wait()?;
        stretches
            .into_iter()
            .map(|(phase, range)| {
                let start = Instant::now();
                self.submit(program, range)?;
                self.wait()?;
                Ok(PhaseTime {
                    phase,
                    seconds: start.elapsed().as_secs_f64(),
                })
            })
            .collect()
    }

    /// As [`Device::run_checked`] into `checks` if there is a filter, else as [`Device::run`].
    ///
    /// # Errors
    /// As there.
    pub fn run_or_check(
        &self,
        program: &Program,
        filter: Option<&str>,
        checks: &mut Vec<KernelCheck>,
    ) -> Result<()> {
        match filter {
            None => self.run(program)?,
            Some(filter) => checks.extend(self.run_checked(program, filter)?),
        }
        Ok(())
    }
}
