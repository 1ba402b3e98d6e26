//! How time is measured: warm up, gather runs into samples longer than a submission costs, time them by the adapter's
//! timestamps if it has them, and report the median and the spread. If other work disturbed the samples, they are taken
//! again, and if that does not help, the figure says so.

use std::time::Duration;

use super::doubt::doubt;
use crate::bench::Spread;
use crate::busy::{Usage, Watch};
use crate::clock::Instant;
use crate::engine::{Device, Plan, Program, TimedBy};
use crate::error::Result;

/// Runs of a plan are gathered into samples of about this length, against which submitting and waiting (0.2 ms on a
/// software adapter) matter little.
const SAMPLE: Duration = Duration::from_millis(20);

/// Most copies of a plan in one submission.
const MOST_COPIES: usize = 1024;

/// Least number of samples, however long they last.
const FEWEST: usize = 3;

/// Number of runs of which the timestamps must be credible for one.
const TRIALS: usize = 3;

/// How often a measurement is repeated after other work disturbed it.
const ATTEMPTS: usize = 3;

/// Number of samples after which a median is good enough, however short they were.
const MOST: usize = 101;

/// A figure that was measured several times.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The median.
    pub median: f64,
    /// The spread of the samples.
    pub spread: Spread,
    /// Why it cannot be trusted, if that is so.
    pub doubt: Option<String>,
}

impl Measured {
    /// The figure for at least one sample, in any order, and for what the system reported meanwhile.
    fn of(mut samples: Vec<f64>, usage: &Usage) -> Self {
        samples.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            let at = share * (samples.len() - 1) as f64;
            let (below, above) = (samples[at.floor() as usize], samples[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        let spread = Spread {
            min: quantile(0.0),
            q1: quantile(0.25),
            q3: quantile(0.75),
            max: quantile(1.0),
            samples: samples.len(),
        };
        Measured {
            median: quantile(0.5),
            doubt: doubt(&spread, usage),
            spread,
        }
    }

    /// The figure under a function that only rises or only falls, such as a change of unit.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let Spread {
            min,
            q1,
            q3,
            max,
            samples,
        } = self.spread;
        let mut quantiles = [min, q1, q3, max].map(&f);
        if quantiles[0] > quantiles[3] {
            quantiles.reverse();
        }
        let [min, q1, q3, max] = quantiles;
        Measured {
            median: f(self.median),
            doubt: self.doubt,
            spread: Spread {
                min,
                q1,
                q3,
                max,
                samples,
            },
        }
    }

    /// `amount` per second, if this is in seconds.
    pub fn rate(self, amount: f64) -> Self {
        self.map(|seconds| amount / seconds)
    }
}

/// A plan whose runs are timed, in so many copies that a submission matters little.
pub struct Timed {
    program: Program,
    copies: usize,
    timed_by: TimedBy,
}

impl Timed {
    /// Finds the number of copies for measurements of about `budget`. This includes the first run, in which drivers
    /// compile.
    ///
    /// # Errors
    /// As [`Device::prepare`] and [`Device::run`].
    pub fn new(device: &Device, plan: &Plan, budget: Duration) -> Result<Self> {
        let target = SAMPLE.min(budget / 4).as_secs_f64();
        let mut copies = 1;
        loop {
            let mut copied = Plan::new(&plan.name);
            for _ in 0..copies {
                copied.append(plan.clone());
            }
            let mut timed = Self {
                program: device.prepare(&copied)?,
                copies,
                timed_by: TimedBy::HostClock,
            };
            // The first run of a program compiles, or the pacer runs it in parts.
            timed.sample(device)?;
            let seconds = timed.choose_clock(device)?;
            if seconds * 2.0 > target || copies == MOST_COPIES {
                return Ok(timed);
            }
            copies = ((copies as f64 * target / seconds) as usize).clamp(copies + 1, MOST_COPIES);
        }
    }

    /// The clock that times its runs.
    pub fn timed_by(&self) -> TimedBy {
        self.timed_by
    }

    /// Runs the copies once and chooses the device's clock for them, unless its times are impossible; gives their
    /// seconds.
    fn choose_clock(&mut self, device: &Device) -> Result<f64> {
        let mut seconds = f64::INFINITY;
        // On a busy machine a lot of time may pass around a short run, so that its time looks too small: once, but not
        // always.
        for _ in 0..TRIALS {
            let start = Instant::now();
            let (told, timed_by) = device.run_whole(&self.program)?;
            let passed = start.elapsed().as_secs_f64();
            if timed_by != TimedBy::TimestampsAroundPass || credible(told, passed) {
                self.timed_by = timed_by;
                return Ok(told);
            }
            seconds = seconds.min(passed);
        }
        self.timed_by = TimedBy::ManyDispatches;
        Ok(seconds)
    }

    /// Seconds of a run.
    fn sample(&self, device: &Device) -> Result<f64> {
        let start = Instant::now();
        let (seconds, timed_by) = device.run_whole(&self.program)?;
        let seconds = match timed_by == self.timed_by {
            true => seconds,
            false => start.elapsed().as_secs_f64(),
        };
        Ok(seconds / self.copies as f64)
    }

    /// Seconds of a run, from samples of about `budget`.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub fn measure(&self, device: &Device, budget: Duration) -> Result<Measured> {
        gather(device.threads(), budget, || self.sample(device))
    }

    /// Seconds of a run of this and of `other`, measured in turns, so that changes of the machine affect both. Also
    /// gives what `ratio` makes of the two in each turn. Takes about twice `budget`.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub fn in_turns(
        &self,
        other: &Timed,
        device: &Device,
        budget: Duration,
        ratio: impl Fn(f64, f64) -> f64,
    ) -> Result<[Measured; 3]> {
        let turn = || -> Result<[f64; 3]> {
            let (mine, others) = (self.sample(device)?, other.sample(device)?);
            Ok([mine, others, ratio(mine, others)])
        };
        samples(device.threads(), 2 * budget, turn)
    }
}

/// Whether to believe an adapter that reports this many seconds when the host saw `passed`: some drivers give useless
/// timestamps.
fn credible(told: f64, passed: f64) -> bool {
    // Submitting and waiting cost the host a few milliseconds at worst, and often less than a tenth of that.
    const WAITING: f64 = 5e-3;
    told > 0.0 && told <= passed && (passed < WAITING || told > 0.05 * passed)
}

/// Seconds of one run of `plan`, with submission and waiting shared among many.
///
/// The first run, in which drivers compile, is not counted. Takes about `budget`.
///
/// # Errors
/// As [`Device::prepare`] and [`Device::run`].
pub fn time(device: &Device, plan: &Plan, budget: Duration) -> Result<Measured> {
    Timed::new(device, plan, budget)?.measure(device, budget)
}

/// Seconds of one call of `work`; many calls are submitted before they are waited for.
///
/// The first calls are not counted. Takes about `budget`.
///
/// # Errors
/// Whatever `work` reports, or a lost device.
pub fn time_calls(
    device: &Device,
    budget: Duration,
    mut work: impl FnMut() -> Result<()>,
) -> Result<Measured> {
    let target = SAMPLE.min(budget / 4).as_secs_f64();
    let mut calls = |count: usize| -> Result<()> {
        for _ in 0..count {
            work()?;
        }
        device.wait()
    };
    calls(1)?;
    let start = Instant::now();
    calls(1)?;
    let each = start.elapsed().as_secs_f64();
    let count = ((target / each) as usize).clamp(1, MOST_COPIES);
    let timed = || {
        let start = Instant::now();
        calls(count)?;
        Ok(start.elapsed().as_secs_f64() / count as f64)
    };
    gather(device.threads(), budget, timed)
}

/// Seconds of a call of `work`: at least three calls, and otherwise as many as fit into `budget`.
///
/// # Errors
/// Whatever `work` reports.
pub fn time_each(budget: Duration, mut work: impl FnMut() -> Result<()>) -> Result<Measured> {
    gather(None, budget, || {
        let start = Instant::now();
        work()?;
        Ok(start.elapsed().as_secs_f64())
    })
}

/// What `sample` returns: at least three samples, and otherwise as many as fit into `budget`. `threads` should run
/// meanwhile.
///
/// # Errors
/// Whatever `sample` reports.
pub fn gather(
    threads: Option<usize>,
    budget: Duration,
    mut sample: impl FnMut() -> Result<f64>,
) -> Result<Measured> {
    let [measured] = samples(threads, budget, || Ok([sample()?]))?;
    Ok(measured)
}

/// The same for several numbers that are measured together. Repeated if other work disturbed one of them.
fn samples<const N: usize>(
    threads: Option<usize>,
    budget: Duration,
    mut sample: impl FnMut() -> Result<[f64; N]>,
) -> Result<[Measured; N]> {
    let mut attempt = 1;
    loop {
        let watch = Watch::start(threads);
        let mut taken: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
        let count = |taken: &[Vec<f64>; N]| taken.first().map_or(MOST, Vec::len);
        while count(&taken) < FEWEST || (count(&taken) < MOST && watch.elapsed() < budget) {
            for (taken, found) in taken.iter_mut().zip(sample()?) {
                taken.push(found);
            }
        }
        let usage = watch.usage();
        let measured = taken.map(|samples| Measured::of(samples, &usage));
        if attempt == ATTEMPTS || measured.iter().all(|m| m.doubt.is_none()) {
            return Ok(measured);
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_quartiles_lie_between_the_samples() {
        let found = Measured::of(vec![5.0, 1.0, 4.0], &Usage::default());
        assert_eq!(found.median, 4.0);
        let spread = found.spread;
        assert_eq!(
            (spread.min, spread.q1, spread.q3, spread.max, spread.samples),
            (1.0, 2.5, 4.5, 5.0, 3)
        );
        assert_eq!(
            Measured::of(vec![4.0, 1.0, 3.0, 2.0], &Usage::default()).median,
            2.5
        );
    }

    #[test]
    fn a_rate_turns_the_order_around() {
        let rate = Measured::of(vec![1.0, 2.0, 4.0], &Usage::default()).rate(8.0);
        assert_eq!(
            (rate.spread.min, rate.median, rate.spread.max),
            (2.0, 4.0, 8.0)
        );
        assert!(rate.spread.q1 < rate.median && rate.median < rate.spread.q3);
    }

    #[test]
    fn timestamps_that_cannot_be_are_not_believed() {
        assert!(credible(1e-5, 3e-4) && credible(0.019, 0.02));
        assert!(!credible(0.0, 3e-4) && !credible(0.03, 0.02) && !credible(1e-5, 0.02));
    }

    #[test]
    fn enough_samples_end_it_before_the_time_does() {
        let begin = Instant::now();
        let mut given = 100.0;
        let long = Duration::from_secs(60);
        let found = gather(None, long, || {
            given += 1.0;
            Ok(given)
        });
        assert_eq!(found.unwrap().spread.samples, MOST);
        assert!(begin.elapsed() < long);
    }

    /// Samples that lie too far apart are taken again, and reported if they stay so.
    #[test]
    fn disturbed_samples_are_taken_again() {
        let mut given = 0;
        let mut sample = |quiet_from: usize| {
            given += 1;
            let disturbed = given <= quiet_from && given % 2 == 0;
            Ok(if disturbed { 9.0 } else { 1.0 })
        };
        let found = gather(None, Duration::ZERO, || sample(FEWEST)).unwrap();
        assert_eq!((found.median, found.doubt), (1.0, None));
        let found = gather(None, Duration::ZERO, || sample(usize::MAX)).unwrap();
        assert!(found.doubt.unwrap().contains("apart"));
    }
}
