//! A round under way: the state machine that draws, exchanges, and says which pass over the batch comes next.

use super::{Observes, Round, StepPass};
use crate::clock::Instant;
use crate::engine::{Device, KernelCheck, Program};
use crate::error::{Error, Result};
use crate::topology::report::RoundReport;

/// A round under way around a training step.
///
/// Whoever holds it asks for the [next pass](Running::next_pass) over the batch and makes it, until there is none.
/// Statistics come first where the method weighs its draw; the draw goes before the pass that scores, the exchange
/// after it. The optimiser's update belongs before the exchange, behind the pass that scores.
pub struct Running<'a> {
    round: &'a mut Round,
    device: &'a Device,
    /// Kernels to compare with their twins.
    filter: Option<&'a str>,
    checks: Vec<KernelCheck>,
    /// Share of the connections to exchange.
    alpha_t: f64,
    /// Number of the pass that comes next.
    next: usize,
    /// What the draw and the exchange took.
    seconds: f64,
    report: Option<RoundReport>,
}

impl Round {
    /// Begins a round that exchanges the share `alpha_t` of the connections
    /// ([`Schedule::alpha_at`](crate::topology::Schedule::alpha_at)). With a filter, its kernels whose names contain
    /// that are compared with their twins.
    ///
    /// # Errors
    /// A share outside 0..=1.
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
    /// Goes on to the next pass over the batch, of [`Round::passes`]; the one before must have been made. None: the
    /// round is done.
    ///
    /// # Errors
    /// A lost device, or one that computes wrongly.
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

    /// What the round did, and what the comparisons found.
    ///
    /// # Errors
    /// A round that is not done. A difference is no error here: ask each check.
    pub fn finish(self) -> Result<(RoundReport, Vec<KernelCheck>)> {
        match self.report {
            Some(report) => Ok((report, self.checks)),
            None => Err(Error::Usage(
                "a topology round was left before its exchange: ask for the next pass until there is none".into(),
            )),
        }
    }

    /// Draws the candidates, from the statistics if the method has some.
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

    /// Exchanges what was scored.
    fn exchange(&mut self) -> Result<()> {
        self.device.wait()?;
        // Off the round's time: nothing of it depends on this.
        let sample = self.round.read_sample(self.device)?;
        let start = Instant::now();
        if let Some(work) = &self.round.work {
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
    // What is still in flight belongs to this part of the round's time.
    device.wait()
}
