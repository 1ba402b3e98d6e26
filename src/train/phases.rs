//! Where the time and the memory of a run went: some steps are timed, and represent the others.

use std::time::Duration;

use super::event::Phase;
use crate::clock::Instant;
use crate::network::{StepTimes, phase};
use crate::topology::RoundReport;

/// A timed step waits for the device before and after, which costs whatever the device and the host otherwise do at the
/// same time.
const EVERY: u64 = 64;

/// Steps timed at the start, before one in [`EVERY`] is, so that short runs have an estimate.
const FIRST: u64 = 3;

/// Seconds, and how often they were measured.
#[derive(Clone, Copy, Default)]
struct Sum {
    seconds: f64,
    samples: u64,
}

impl Sum {
    fn add(&mut self, seconds: f64) {
        self.seconds += seconds;
        self.samples += 1;
    }
}

/// Seconds of the steps that were timed.
#[derive(Default)]
struct Samples(Vec<f64>);

impl Samples {
    /// The estimate for all steps: unlike a mean, it is not moved by a step in which the machine was busy elsewhere.
    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let middle = |at: usize| sorted.get(at).copied().unwrap_or(0.0);
        let half = sorted.len() / 2;
        match sorted.len() % 2 {
            1 => middle(half),
            _ => (middle(half.saturating_sub(1)) + middle(half)) / 2.0,
        }
    }
}

/// Seconds of steps by their parts: until the batch was on the device, forward, backward, optimiser.
type Parts = [f64; 4];

/// Steps of networks of different sizes, each estimated by its own timed steps: those of a dense network say nothing
/// about what it is pruned to.
#[derive(Default)]
struct Steps {
    /// Steps of this size.
    count: u64,
    /// Timed steps of this size.
    samples: [Samples; 4],
    /// Timed steps of all sizes.
    timed: u64,
    /// Estimated seconds of earlier sizes.
    earlier: Parts,
    /// A typical step of the last size that has timed ones.
    typical: Parts,
}

impl Steps {
    fn timed(&mut self, parts: Parts) {
        self.timed += 1;
        for (samples, seconds) in self.samples.iter_mut().zip(parts) {
            samples.0.push(seconds);
        }
    }

    /// The estimate for a step of this size; none if none was timed.
    fn median(&self) -> Option<Parts> {
        let timed = !self.samples[0].0.is_empty();
        timed.then(|| [0, 1, 2, 3].map(|part: usize| self.samples[part].median()))
    }

    /// The following steps have another size.
    fn resized(&mut self) {
        // If none was timed, there were few of them, and they count among the next ones.
        if let Some(typical) = self.median() {
            self.earlier = self.seconds();
            self.typical = typical;
            self.samples = Default::default();
            self.count = 0;
        }
    }

    /// All steps.
    fn seconds(&self) -> Parts {
        let one = self.median().unwrap_or(self.typical);
        [0, 1, 2, 3].map(|part| self.earlier[part] + one[part] * self.count as f64)
    }
}

/// What belongs to no other phase: checkpoints, reports, the host's own work.
const OTHER: &str = "other";

/// The bookkeeping of a run, or of its part since it was resumed.
pub(super) struct Phases {
    started: Instant,
    /// Steps done, including those of rounds, and the first to be timed.
    done: u64,
    next: u64,
    steps: Steps,
    /// Over all steps: the wait for the loader.
    waited: f64,
    round: Sum,
    evaluation: Sum,
    forward_flops: f64,
    backward_flops: f64,
    optimiser_flops: f64,
    round_flops: f64,
    evaluation_flops: f64,
}

impl Phases {
    /// For a run of this many steps. The first, in which a driver warms up, is only timed if there are few.
    pub fn new(steps: u64) -> Self {
        Phases {
            started: Instant::now(),
            done: 0,
            next: u64::from(steps > FIRST),
            steps: Steps::default(),
            waited: 0.0,
            round: Sum::default(),
            evaluation: Sum::default(),
            forward_flops: 0.0,
            backward_flops: 0.0,
            optimiser_flops: 0.0,
            round_flops: 0.0,
            evaluation_flops: 0.0,
        }
    }

    /// Whether the next step is to be timed, if it is a plain one.
    pub fn due(&self) -> bool {
        self.done >= self.next
    }

    /// A step was timed.
    pub fn timed(&mut self, times: &StepTimes) {
        let of = |phase| times.seconds(phase);
        self.steps.timed([
            times.data,
            of(phase::FORWARD),
            of(phase::BACKWARD),
            of(phase::OPTIMISER),
        ]);
        let every = match (self.steps.samples[0].0.len() as u64) < FIRST {
            true => 1,
            false => EVERY,
        };
        self.next = self.done + every;
    }

    /// The following steps are those of a network of another size.
    pub fn resized(&mut self) {
        self.steps.resized();
        // A driver warms up during its first step.
        self.next = self.done + 1;
    }

    /// A step was done, timed or not, with these operations forward, backward and in the optimiser.
    pub fn step(&mut self, [forward, backward, optimiser]: [f64; 3]) {
        self.done += 1;
        self.steps.count += 1;
        self.forward_flops += forward;
        self.backward_flops += backward;
        self.optimiser_flops += optimiser;
    }

    /// The host chose connections before a step, with this many operations: the round of a method that has no other.
    pub fn chosen(&mut self, time: Duration, flops: f64) {
        self.round.add(time.as_secs_f64());
        self.round_flops += flops;
    }

    /// The loader was waited for.
    pub fn waited(&mut self, time: Duration) {
        self.waited += time.as_secs_f64();
    }

    /// A round was done, with this many operations.
    pub fn round(&mut self, report: &RoundReport, flops: f64) {
        self.round.add(report.seconds + report.within);
        self.round_flops += flops;
    }

    /// The network was evaluated, with this many operations.
    pub fn evaluated(&mut self, time: Duration, flops: f64) {
        self.evaluation.add(time.as_secs_f64());
        self.evaluation_flops += flops;
    }

    /// The phases in the order of a step; `bytes` gives the memory that each touches.
    ///
    /// The estimates are limited to the time that there was: if the host waited for the loader while the device worked,
    /// or the timed steps were slower than the others, everything except rounds and evaluations is scaled down to the
    /// time that these leave.
    pub fn finish(&self, bytes: impl Fn(&str) -> u64) -> Vec<Phase> {
        let measured = self.round.seconds + self.evaluation.seconds;
        let left = self.started.elapsed().as_secs_f64() - measured;
        let [upload, forward, backward, optimiser] = self.steps.seconds();
        let data = upload + self.waited;
        let estimated = data + forward + backward + optimiser;
        let held = match estimated > left {
            true => left.max(0.0) / estimated,
            false => 1.0,
        };
        let phase = |name: &str, seconds: f64, samples: u64, flops: f64| Phase {
            name: name.to_owned(),
            seconds,
            samples,
            bytes: bytes(name),
            flops,
        };
        let timed = self.steps.timed;
        let (round, evaluation) = (self.round, self.evaluation);
        vec![
            phase(phase::DATA, held * data, timed, 0.0),
            phase(phase::FORWARD, held * forward, timed, self.forward_flops),
            phase(phase::BACKWARD, held * backward, timed, self.backward_flops),
            phase(
                phase::OPTIMISER,
                held * optimiser,
                timed,
                self.optimiser_flops,
            ),
            phase(phase::ROUND, round.seconds, round.samples, self.round_flops),
            phase(
                phase::EVALUATION,
                evaluation.seconds,
                evaluation.samples,
                self.evaluation_flops,
            ),
            phase(OTHER, (left - held * estimated).max(0.0), 0, 0.0),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a gradual pruning most timed steps are sparse, and must not estimate the dense ones.
    #[test]
    fn steps_of_each_size_are_estimated_by_their_own() {
        let mut steps = Steps::default();
        for (size, count, timed) in [(8.0, 100, 2), (4.0, 100, 2), (2.0, 1, 0), (1.0, 299, 5)] {
            steps.resized();
            steps.count += count;
            for _ in 0..timed {
                steps.timed([0.0, size, 2.0 * size, 0.5]);
            }
        }
        // The step without an estimate counts among those that follow.
        let forward = 800.0 + 400.0 + 300.0;
        assert_eq!(steps.seconds(), [0.0, forward, 2.0 * forward, 250.0]);
        assert_eq!(steps.timed, 9);
        steps.resized();
        steps.count += 10;
        assert_eq!(steps.seconds()[1], forward + 10.0);
    }

    #[test]
    fn the_phases_add_up_to_the_time_that_there_was() {
        let mut phases = Phases::new(10);
        std::thread::sleep(Duration::from_millis(5));
        phases.chosen(Duration::from_millis(2), 7.0);
        for _ in 0..10 {
            phases.step([1.0, 2.0, 0.0]);
        }
        let sum = |phases: &[Phase]| phases.iter().map(|p| p.seconds).sum::<f64>();
        let before = phases.started.elapsed().as_secs_f64();
        let found = phases.finish(|_| 0);
        let after = phases.started.elapsed().as_secs_f64();
        assert!((before..=after).contains(&sum(&found)), "{found:?}");
        assert_eq!(found.iter().map(|p| p.flops).sum::<f64>(), 37.0);
    }
}
