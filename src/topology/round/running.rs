//! A round in progress: the state machine that draws, exchanges, and says which pass over the batch comes next.

use super::{Observes, Round, Shared, StepPass};
use crate::clock::Instant;
use crate::engine::{Device, KernelCheck, Program};
use crate::error::{Error, Refusal, Result};
use crate::topology::report::RoundReport;

/// A round in progress, around a training step.
///
/// Its owner asks for the [next pass](Running::next_pass) over the batch and makes it, until there is none. Statistics
/// come first if the method weights its draw. The draw comes before the pass that scores, and the exchange after it.
/// The optimiser's update belongs between the pass that scores and the exchange.
pub struct Running<'a> {
    round: &'a mut Round,
    device: &'a Device,
    /// Kernels to compare with their twins.
    filter: Option<&'a str>,
    checks: Vec<KernelCheck>,
    /// Share of the connections to exchange.
    alpha_t: f64,
    /// Index of the next pass.
    next: usize,
    /// Seconds that the draw and the exchange took.
    seconds: f64,
    report: Option<RoundReport>,
}

impl Round {
    /// Begins a round that exchanges the share `alpha_t` of the connections
    /// ([`Schedule::alpha_at`](crate::topology::Schedule::alpha_at)). With a filter, the kernels whose names contain it
    /// are compared with their twins.
    ///
    /// # Errors
    /// The share is outside 0..=1.
    pub fn begin<'a>(
        &'a mut self,
        device: &'a Device,
        alpha_t: f64,
        filter: Option<&'a str>,
    ) -> Result<Running<'a>> {
        if !(0.0..=1.0).contains(&alpha_t) {
            return Err(Error::OutOfRange {
                what: "a share of connections to exchange",
                value: alpha_t.to_string(),
                must: "alpha must lie between 0 and 1",
            });
        }
        Ok(Running {
            round: self,
            device,
            filter,
            checks: Vec::new(),
            alpha_t,
            next: 0,
            seconds: 0.0,
            report: None,
        })
    }
}

impl Running<'_> {
    /// Advances to the next of [`Round::passes`] over the batch; the one before must have been made. None means that
    /// the round is done.
    ///
    /// # Errors
    /// The device is lost, or computes wrongly.
    pub fn next_pass(&mut self) -> Result<Option<StepPass>> {
        let pass = self.round.passes().get(self.next).copied();
        match pass {
            Some(pass) if pass.observes == Observes::Scores => self.sample()?,
            Some(_) => {}
            None if self.report.is_none() => self.exchange()?,
            None => {}
        }
        self.next += 1;
        Ok(pass)
    }

    /// What the pass leaves for the round: see [`Round::shared`].
    pub fn shared(&self, pass: StepPass) -> Shared {
        self.round.shared(pass)
    }

    /// The result of the round, and of the comparisons.
    ///
    /// # Errors
    /// The round is not done. A difference is not an error here: ask each check.
    pub fn finish(self) -> Result<(RoundReport, Vec<KernelCheck>)> {
        match self.report {
            Some(report) => Ok((report, self.checks)),
            None => Err(Error::refused(Refusal::RoundLeft)),
        }
    }

    /// Draws the candidates, from the statistics if the method has any.
    fn sample(&mut self) -> Result<()> {
        self.device.wait()?;
        let start = Instant::now();
        let (round, device) = (&*self.round, self.device);
        round.upload(device, self.alpha_t)?;
        if let Some(work) = &round.work {
            let mut run = |program: &Program| run(device, program, self.filter, &mut self.checks);
            run(&work.sample)?;
            if let Some(resample) = &work.resample {
                round.draw_again(device, work, &mut || run(resample))?;
            }
        }
        self.seconds += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// Exchanges by the scores.
    fn exchange(&mut self) -> Result<()> {
        self.device.wait()?;
        // Not counted as the round's time: nothing in it depends on this.
        let sample = self.round.read_sample(self.device)?;
        let start = Instant::now();
        if let Some(work) = &self.round.work {
            if let Some(settle) = &work.settle {
                run(self.device, settle, self.filter, &mut self.checks)?;
                self.round.rescore(self.device, work)?;
            }
            run(self.device, &work.exchange, self.filter, &mut self.checks)?;
        }
        let seconds = self.seconds + start.elapsed().as_secs_f64();
        self.round.sample = sample;
        self.report = Some(self.round.read_report(self.device, seconds)?);
        Ok(())
    }
}

fn run(
    device: &Device,
    program: &Program,
    filter: Option<&str>,
    checks: &mut Vec<KernelCheck>,
) -> Result<()> {
    device.run_or_check(program, filter, checks)?;
    // Work that is still in flight counts as this part of the round's time.
    device.wait()
}
