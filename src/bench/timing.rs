//! How time is taken: warm up, gather runs into samples longer than a submission costs, report the median.

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

/// Median seconds of one run of `plan`, with its submission and waiting shared among many.
///
/// The first run, in which drivers compile, is not counted. Takes about `budget`.
///
/// # Errors
/// As [`Device::prepare`] and [`Device::run`].
pub fn time(device: &Device, plan: &Plan, budget: Duration) -> Result<f64> {
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
    let seconds = median(budget, || {
        device.run(&program)?;
        device.wait()
    })?;
    Ok(seconds / copies as f64)
}

/// Median seconds of one call of `work`, many of which are submitted before they are waited for.
///
/// The first calls are not counted. Takes about `budget`.
///
/// # Errors
/// Whatever `work` reports, or a lost device.
pub fn time_calls(
    device: &Device,
    budget: Duration,
    mut work: impl FnMut() -> Result<()>,
) -> Result<f64> {
    let wanted = SAMPLE.min(budget / 4).as_secs_f64();
    let mut calls = |count: usize| -> Result<()> {
        for _ in 0..count {
            work()?;
        }
        device.wait()
    };
    calls(2)?;
    let start = Instant::now();
    calls(2)?;
    let each = start.elapsed().as_secs_f64() / 2.0;
    let count = ((wanted / each) as usize).clamp(1, MOST_COPIES);
    Ok(median(budget, || calls(count))? / count as f64)
}

/// Median seconds of a call of `work`; at least three calls, and at most so many as `budget` holds.
///
/// # Errors
/// Whatever `work` reports.
pub fn median(budget: Duration, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    median_of(budget, || {
        let start = Instant::now();
        work()?;
        Ok(start.elapsed().as_secs_f64())
    })
}

/// Median of what `sample` returns; at least three samples, and at most so many as `budget` holds.
///
/// # Errors
/// Whatever `sample` reports.
pub fn median_of(budget: Duration, mut sample: impl FnMut() -> Result<f64>) -> Result<f64> {
    let begin = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < FEWEST || (samples.len() < MOST && begin.elapsed() < budget) {
        samples.push(sample()?);
    }
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    Ok(match samples.len() % 2 {
        0 => (samples[middle - 1] + samples[middle]) / 2.0,
        _ => samples[middle],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        let mut values = [5.0, 1.0, 4.0].into_iter();
        let zero = Duration::ZERO;
        assert_eq!(median_of(zero, || Ok(values.next().unwrap())).unwrap(), 4.0);
        let begin = Instant::now();
        let mut given = 0.0;
        let long = Duration::from_secs(60);
        let found = median_of(long, || {
            given += 1.0;
            Ok(given)
        });
        assert_eq!(found.unwrap(), (MOST as f64 + 1.0) / 2.0);
        assert!(begin.elapsed() < long);
    }
}
