//! Whether other work disturbed a measurement, judged by the spread of its samples and by what the system reports about
//! time. The verdict is a pure function of numbers.

use std::time::Duration;

use crate::clock::Instant;

/// A measurement is disturbed if its threads were ready to run but could not for more than this share of the time. On
/// an idle machine it is a tenth of that.
const MOST_WAITED: f64 = 0.05;

/// Largest ratio of the quartiles of the samples. On an idle machine it is 1.02 to 1.1, or 1.3 if the clock changes.
const MOST_APART: f64 = 1.5;

/// Share of the cores' time that the executor's threads run at least while they compute, if nothing else does.
const LEAST_RUN: f64 = 0.6;

/// Below this many seconds, the system's numbers are too coarse.
const COARSE: f64 = 0.02;

/// What the system reports about a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Seconds that passed.
    pub wall: f64,
    /// Seconds of processor time of this process, over all its threads.
    pub ran: Option<f64>,
    /// Seconds that its threads were ready to run and had no core. None if the system does not report it.
    pub waited: Option<f64>,
    /// Share of the machine's time that its hypervisor gave to others.
    pub stolen: Option<f64>,
    /// Number of threads that should have been running throughout: those of the CPU executor.
    pub threads: Option<usize>,
}

impl Usage {
    /// This and another stretch together. What is not known of one is not known of both.
    pub fn and(self, other: Usage) -> Usage {
        let both = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
        let wall = self.wall + other.wall;
        let stolen = |usage: &Usage| usage.stolen.map(|share| share * usage.wall / wall);
        Usage {
            wall,
            ran: both(self.ran, other.ran),
            waited: both(self.waited, other.waited),
            stolen: both(stolen(&self), stolen(&other)),
            threads: self.threads.filter(|_| self.threads == other.threads),
        }
    }
}

fn busy(what: String) -> Option<String> {
    Some(format!("the machine was busy: {what}"))
}

/// Why a measurement in this time cannot be trusted; none if nothing speaks against it.
pub(crate) fn disturbed(usage: &Usage) -> Option<String> {
    let percent = |share: f64| (100.0 * share).round();
    match (usage.ran, usage.waited) {
        (Some(ran), Some(waited)) => {
            let share = waited / (ran + waited);
            if waited > COARSE && share > MOST_WAITED {
                return busy(format!(
                    "rootlet's threads waited for a core in {} % of their time",
                    percent(share)
                ));
            }
        }
        // If the system does not report waiting, the executor's threads should have had all of the time.
        (Some(ran), None) => {
            let whole = usage.threads.map(|threads| threads as f64 * usage.wall);
            if let Some(whole) = whole.filter(|whole| *whole > COARSE && ran < LEAST_RUN * whole) {
                return busy(format!(
                    "rootlet's threads ran in {} % of the time only",
                    percent(ran / whole)
                ));
            }
        }
        _ => {}
    }
    if let Some(stolen) = usage.stolen
        && usage.wall > 10.0 * COARSE
        && stolen > MOST_WAITED
    {
        return busy(format!(
            "its host gave {} % of its time to others",
            percent(stolen)
        ));
    }
    None
}

/// Why samples whose quartiles are these cannot be trusted.
pub(crate) fn apart(q1: f64, q3: f64, samples: usize) -> Option<String> {
    let apart = q3 / q1;
    if apart > MOST_APART {
        return busy(format!(
            "the middle half of {samples} samples lies apart by a factor of {apart:.1}"
        ));
    }
    None
}

/// Records what the system reports from now on.
pub(crate) struct Watch {
    began: Instant,
    ran: Option<f64>,
    waited: Option<f64>,
    stolen: Option<(f64, f64)>,
    threads: Option<usize>,
}

impl Watch {
    /// Starts; `threads` is the number that should run throughout.
    pub fn start(threads: Option<usize>) -> Self {
        Self {
            began: Instant::now(),
            ran: ran(),
            waited: system::waited(),
            stolen: system::stolen(),
            threads,
        }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What the system has reported since.
    pub fn usage(&self) -> Usage {
        let since = |before: Option<f64>, now: Option<f64>| Some((now? - before?).max(0.0));
        let stolen = match (self.stolen, system::stolen()) {
            (Some(before), Some(now)) if now.1 > before.1 => {
                Some((now.0 - before.0) / (now.1 - before.1))
            }
            _ => None,
        };
        Usage {
            wall: self.began.elapsed().as_secs_f64(),
            ran: since(self.ran, ran()),
            waited: since(self.waited, system::waited()),
            stolen,
            threads: self.threads,
        }
    }
}

/// Processor time of this process so far; none if the crate for it is left out.
fn ran() -> Option<f64> {
    #[cfg(feature = "bench")]
    return Some(
        cpu_time::ProcessTime::try_now()
            .ok()?
            .as_duration()
            .as_secs_f64(),
    );
    #[cfg(not(feature = "bench"))]
    None
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    /// Seconds that the threads of this process have waited for a core so far: the second number of each `schedstat`,
    /// in nanoseconds. None if the kernel does not record it.
    pub fn waited() -> Option<f64> {
        let mut sum = 0.0;
        for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
            // A thread that has just ended has no file.
            let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else {
                continue;
            };
            sum += text.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1e-9;
        }
        (sum > 0.0).then_some(sum)
    }

    /// For all cores so far: the ticks that the hypervisor gave to others (the eighth number), and all ticks.
    pub fn stolen() -> Option<(f64, f64)> {
        let text = fs::read_to_string("/proc/stat").ok()?;
        let ticks = text.lines().next()?.split_whitespace().skip(1).take(8);
        let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>().ok()?;
        (ticks.len() == 8).then(|| (ticks[7], ticks.iter().sum()))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub fn waited() -> Option<f64> {
        None
    }

    pub fn stolen() -> Option<(f64, f64)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two threads that had all of 0.2 s.
    const QUIET: Usage = Usage {
        wall: 0.2,
        ran: Some(0.38),
        waited: Some(0.001),
        stolen: Some(0.0),
        threads: Some(2),
    };

    #[test]
    fn a_quiet_machine_is_trusted() {
        assert_eq!(disturbed(&QUIET), None);
        assert_eq!(apart(1.0, 1.3, 9), None);
        // A GPU's host has little to do, and silence of the system is no evidence.
        let host = Usage {
            ran: Some(0.01),
            threads: None,
            waited: None,
            ..QUIET
        };
        assert_eq!(disturbed(&host), None);
        assert_eq!(disturbed(&Usage::default()), None);
    }

    #[test]
    fn each_sign_of_other_work_is_noticed() {
        let cases = [
            (
                Usage {
                    ran: Some(0.2),
                    waited: Some(0.2),
                    ..QUIET
                },
                "waited for a core in 50 %",
            ),
            (
                Usage {
                    ran: Some(0.1),
                    waited: None,
                    ..QUIET
                },
                "ran in 25 % of the time",
            ),
            (
                Usage {
                    wall: 1.0,
                    ran: Some(1.9),
                    stolen: Some(0.3),
                    ..QUIET
                },
                "30 % of its time to others",
            ),
        ];
        for (usage, expected) in cases {
            let found = disturbed(&usage).unwrap();
            assert!(found.starts_with("the machine was busy: "), "{found}");
            assert!(found.contains(expected), "{found}");
        }
        assert!(
            apart(1.0, 2.3, 9)
                .unwrap()
                .contains("apart by a factor of 2.3")
        );
        // A few milliseconds of waiting in a short measurement come from the system itself.
        let short = Usage {
            wall: 0.01,
            ran: Some(0.01),
            waited: Some(0.005),
            ..QUIET
        };
        assert_eq!(disturbed(&short), None);
        // Many of them together do not.
        let together = (0..9).fold(short, |all, _| all.and(short));
        assert!(disturbed(&together).unwrap().contains("33 %"));
    }

    #[test]
    fn the_system_is_heard() {
        let watch = Watch::start(Some(1));
        let mut x = 1u64;
        while watch.began.elapsed().as_millis() < 50 || watch.usage().ran == Some(0.0) {
            x = x.wrapping_mul(3).rotate_left(7);
        }
        let usage = watch.usage();
        assert!(
            usage.wall >= 0.05 && usage.ran.unwrap() > 0.0,
            "{x} {usage:?}"
        );
        assert!(
            usage
                .stolen
                .is_none_or(|share| (0.0..=1.0).contains(&share)),
            "{usage:?}"
        );
    }
}
