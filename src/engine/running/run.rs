//! Running a program: as a whole, or timed.

use std::ops::Range;
use std::sync::Arc;

use super::check::KernelCheck;
use crate::clock::Instant;
use crate::engine::device::definition::Executor;
use crate::engine::plan::{Dispatch, Plan};
use crate::engine::recording::phase::runs;
use crate::engine::{Device, PhaseTime, Program, TimedBy, View};
use crate::error::{Error, Misfit, Result};

/// Seconds that many runs of a dispatch take together, so that a submission matters little.
const MANY_SECONDS: f64 = 2e-3;

/// Most runs of a dispatch in one submission.
const MANY: usize = 256;

/// The time of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DispatchTime {
    /// The kernel's name.
    pub kernel: &'static str,
    /// Seconds that it took.
    pub seconds: f64,
    /// The clock.
    pub timed_by: TimedBy,
    /// Bytes of everything that it binds: what it moves if it reads and writes everything once.
    pub bytes: u64,
}

impl Device {
    pub(in crate::engine) fn prepared(&self, program: &Program) -> Result<()> {
        if Arc::ptr_eq(&program.ledger, &self.ledger) {
            return Ok(());
        }
        Err(Error::Shape(Misfit::Foreign {
            what: "the program".to_owned(),
        }))
    }

    /// Runs a program; on a GPU it is only submitted.
    ///
    /// # Errors
    /// The device is lost, or the driver has reported an error since the last call.
    pub fn run(&self, program: &Program) -> Result<()> {
        self.prepared(program)?;
        self.submit(program, 0..program.len())
    }

    pub(in crate::engine) fn submit(&self, program: &Program, range: Range<usize>) -> Result<()> {
        self.burn_fuse()?;
        match (&self.executor, &program.gpu) {
            (Executor::Cpu(_), None) if self.counts => Ok(()),
            (Executor::Cpu(cpu), None) => cpu.run(&program.dispatches[range], &program.delays),
            (Executor::Gpu(gpu), Some(prepared)) => gpu.run(prepared, range),
            _ => Err(Error::Shape(Misfit::Foreign {
                what: "the program".to_owned(),
            })),
        }
    }

    /// Runs a program and times each dispatch with the finest clock available. If that is the host's clock of an
    /// adapter, which cannot separate a dispatch from its submission, each dispatch runs many times; then the program's
    /// result differs from that of a normal run.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub fn run_timed(&self, program: &Program) -> Result<Vec<DispatchTime>> {
        self.prepared(program)?;
        self.wait()?;
        let dispatches = || program.dispatches.iter();
        let (seconds, timed_by) = match (&self.executor, &program.gpu) {
            (Executor::Gpu(gpu), Some(prepared)) if gpu.can_time(prepared) => {
                self.burn_fuse()?;
                (gpu.run_dispatches(prepared)?, gpu.timed_by())
            }
            (Executor::Gpu(_), _) => {
                let seconds: Result<Vec<f64>> = dispatches().map(|d| self.time_many(d)).collect();
                (seconds?, TimedBy::ManyDispatches)
            }
            (Executor::Cpu(_), _) => {
                let each = (0..program.len()).map(|i| self.clocked(program, i..i + 1));
                (each.collect::<Result<_>>()?, TimedBy::HostClock)
            }
        };
        let times = dispatches()
            .zip(seconds)
            .map(|(dispatch, seconds)| DispatchTime {
                kernel: dispatch.kernel.name,
                seconds,
                timed_by,
                bytes: dispatch.views.iter().map(View::bytes).sum(),
            });
        Ok(times.collect())
    }

    /// Seconds of a dispatch, measured over many copies in one submission.
    fn time_many(&self, dispatch: &Dispatch) -> Result<f64> {
        let copies = |count: usize| {
            let mut plan = Plan::new("many of a dispatch");
            for _ in 0..count {
                plan.push(dispatch.clone())?;
            }
            let program = self.prepare(&plan)?;
            // The first run compiles, and the pacer learns from it.
            self.clocked(&program, 0..count)?;
            self.clocked(&program, 0..count)
        };
        let once = copies(1)?;
        match ((MANY_SECONDS / once) as usize).min(MANY) {
            0 | 1 => Ok(once),
            count => Ok(copies(count)? / count as f64),
        }
    }

    /// Seconds by the host's clock, from an idle device to an idle device.
    fn clocked(&self, program: &Program, dispatches: Range<usize>) -> Result<f64> {
        let start = Instant::now();
        self.submit(program, dispatches)?;
        self.wait()?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Runs a program as a whole and waits for it. Gives its seconds, by the adapter's timestamps if it has them and
    /// the program is one submission, otherwise from an idle device to an idle device.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub fn run_whole(&self, program: &Program) -> Result<(f64, TimedBy)> {
        self.prepared(program)?;
        self.wait()?;
        let all = 0..program.len();
        match (&self.executor, &program.gpu) {
            (Executor::Gpu(gpu), Some(prepared)) if gpu.can_time(prepared) => {
                self.burn_fuse()?;
                let times = gpu.run_phases(prepared, &[("", all)])?;
                let seconds = times.iter().map(|time| time.seconds).sum();
                Ok((seconds, TimedBy::TimestampsAroundPass))
            }
            (Executor::Gpu(_), _) => Ok((self.clocked(program, all)?, TimedBy::ManyDispatches)),
            (Executor::Cpu(_), _) => Ok((self.clocked(program, all)?, TimedBy::HostClock)),
        }
    }

    /// Runs a program and times its [phases](crate::engine::Plan::phase), each stretch of dispatches of one phase
    /// separately: with the adapter's timestamps if it has them, otherwise from an idle device to an idle device. It
    /// runs the same dispatches in the same order as [`Device::run`], and so gives the same bits.
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
                let seconds = self.clocked(program, range)?;
                Ok(PhaseTime { phase, seconds })
            })
            .collect()
    }

    /// As [`Device::run_checked`] into `checks` if there is a filter, otherwise as [`Device::run`].
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
