//! How time is taken: warm up, gather runs into samples longer than a submission costs, report the median and the spread.

use std::time::{Duration, Instant};

use crate::engine::{Device, Plan};
use crate::error::Result;

/// Runs of a plan are gathered into samples about so long, against which submitting and waiting (0.2 ms on a software
/// adapter) count little.
const SAMPLE: Duration = Duration::from_millis(20);

/// Most copies of a plan in one submission.
const MOST_COPIES: usize = 1024;

/// Samples taken, however long they last.
const FEWEST: usize = 3;

/// Samples after which a median is good enough, however short they were.
const MOST: usize = 101;

/// How far the samples behind a median lie apart, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// A quarter of the samples lies below; interpolated between neighbours.
    pub q1: f64,
    /// A quarter of the samples lies above.
    pub q3: f64,
    /// The most.
    pub max: f64,
    /// Number of samples.
    pub samples: usize,
}

/// A figure that was measured several times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The median.
    pub median: f64,
    /// How far the samples lie apart.
    pub spread: Spread,
}

impl Measured {
    /// Of at least one sample, in any order.
    fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            let at = share * (samples.len() - 1) as f64;
            let (below, above) = (samples[at.floor() as usize], samples[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        Measured {
            median: quantile(0.5),
            spread: Spread {
                min: quantile(0.0),
                q1: quantile(0.25),
                q3: quantile(0.75),
                max: quantile(1.0),
                samples: samples.len(),
            },
        }
    }

    /// The same under a rising function, such as another unit.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let Spread {
            min,
            q1,
            q3,
            max,
            samples,
        } = self.spread;
        Measured {
            median: f(self.median),
            spread: Spread {
                min: f(min),
                q1: f(q1),
                q3: f(q3),
                max: f(max),
                samples,
            },
        }
    }

    /// `amount` a second, where this is seconds.
    pub fn rate(self, amount: f64) -> Self {
        let Spread {
            min,
            q1,
            q3,
            max,
            samples,
        } = self.spread;
        Measured {
            median: amount / self.median,
            spread: Spread {
                min: amount / max,
                q1: amount / q3,
                q3: amount / q1,
                max: amount / min,
                samples,
            },
        }
    }
}

/// Seconds of one run of `plan`, with its submission and waiting shared among many.
///
/// The first run, in which drivers compile, is not counted. Takes about `budget`.
///
/// # Errors
/// As [`Device::prepare`] and [`Device::run`].
pub fn time(device: &Device, plan: &Plan, budget: Duration) -> Result<Measured> {
    let wanted = SAMPLE.min(budget / 4).as_secs_f64();
    let mut copies = 1;
    let program = loop {
        let mut copied = Plan::new(&plan.name);
        for _ in 0..copies {
            copied.append(plan.clone());
        }
        let program = device.prepare(&copied)?;
        let once = || -> Result<f64> {
            let start = Instant::now();
            device.run(&program)?;
            device.wait()?;
            Ok(start.elapsed().as_secs_f64())
        };
        if copies == 1 {
            once()?;
        }
        let seconds = once()?;
        if seconds * 2.0 > wanted || copies == MOST_COPIES {
            break program;
        }
        copies = ((copies as f64 * wanted / seconds) as usize).clamp(copies + 1, MOST_COPIES);
    };
    let measured = time_each(budget, || {
        device.run(&program)?;
        device.wait()
    })?;
    Ok(measured.map(|seconds| seconds / copies as f64))
}

/// Seconds of one call of `work`, many of which are submitted before they are waited for.
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
    let wanted = SAMPLE.min(budget / 4).as_secs_f64();
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
    let count = ((wanted / each) as usize).clamp(1, MOST_COPIES);
    Ok(time_each(budget, || calls(count))?.map(|seconds| seconds / count as f64))
}

/// Seconds of a call of `work`; at least three calls, and at most so many as `budget` holds.
///
/// # Errors
/// Whatever `work` reports.
pub fn time_each(budget: Duration, mut work: impl FnMut() -> Result<()>) -> Result<Measured> {
    gather(budget, || {
        let start = Instant::now();
        work()?;
        Ok(start.elapsed().as_secs_f64())
    })
}

/// What `sample` returns; at least three samples, and at most so many as `budget` holds.
///
/// # Errors
/// Whatever `sample` reports.
pub fn gather(budget: Duration, mut sample: impl FnMut() -> Result<f64>) -> Result<Measured> {
    let begin = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < FEWEST || (samples.len() < MOST && begin.elapsed() < budget) {
        samples.push(sample()?);
    }
    Ok(Measured::of(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_quartiles_lie_between_the_samples() {
        let mut values = [5.0, 1.0, 4.0].into_iter();
        let found = gather(Duration::ZERO, || Ok(values.next().unwrap())).unwrap();
        assert_eq!(found.median, 4.0);
        let spread = found.spread;
        assert_eq!(
            (spread.min, spread.q1, spread.q3, spread.max, spread.samples),
            (1.0, 2.5, 4.5, 5.0, 3)
        );
        assert_eq!(Measured::of(vec![4.0, 1.0, 3.0, 2.0]).median, 2.5);
    }

    #[test]
    fn a_rate_turns_the_order_around() {
        let rate = Measured::of(vec![1.0, 2.0, 4.0]).rate(8.0);
        assert_eq!(
            (rate.spread.min, rate.median, rate.spread.max),
            (2.0, 4.0, 8.0)
        );
        assert!(rate.spread.q1 < rate.median && rate.median < rate.spread.q3);
    }

    #[test]
    fn enough_samples_end_it_before_the_time_does() {
        let begin = Instant::now();
        let mut given = 0.0;
        let long = Duration::from_secs(60);
        let found = gather(long, || {
            given += 1.0;
            Ok(given)
        });
        assert_eq!(found.unwrap().median, (MOST as f64 + 1.0) / 2.0);
        assert!(begin.elapsed() < long);
    }
}
