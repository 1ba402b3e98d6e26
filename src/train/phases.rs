//! Where the time and the memory of a run went: some steps are timed, and stand for the others.

use std::time::{Duration, Instant};

use super::event::Phase;
use crate::network::{StepTimes, section};
use crate::topology::RoundReport;

/// A timed step waits for the device before and after, which costs it what the device and the host do at the same time in the others.
const EVERY: u64 = 64;

/// Steps timed at the start, before one in [`EVERY`] is: so that short runs have a mean.
const FIRST: u64 = 3;

/// Seconds and how often they were taken.
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
    /// What stands for all steps: a step in which the machine was busy elsewhere does not move it, as it would a mean.
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

/// The bookkeeping of a run, or of its part since it was resumed.
pub(super) struct Phases {
    started: Instant,
    /// Steps done, rounds' among them, and the first that is to be timed.
    steps: u64,
    next: u64,
    forward: Samples,
    backward: Samples,
    optimiser: Samples,
    /// Of timed steps: until the batch was on the device.
    upload: Samples,
    /// Of all steps: until the loader had it.
    waited: f64,
    round: Sum,
    evaluation: Sum,
    forward_flops: f64,
    backward_flops: f64,
    round_flops: f64,
    evaluation_flops: f64,
}

impl Phases {
    /// For a run of so many steps. The first, in which a driver warms up, is timed only where there are few.
    pub fn new(steps: u64) -> Self {
        Phases {
            started: Instant::now(),
            steps: 0,
            next: u64::from(steps > FIRST),
            forward: Samples::default(),
            backward: Samples::default(),
            optimiser: Samples::default(),
            upload: Samples::default(),
            waited: 0.0,
            round: Sum::default(),
            evaluation: Sum::default(),
            forward_flops: 0.0,
            backward_flops: 0.0,
            round_flops: 0.0,
            evaluation_flops: 0.0,
        }
    }

    /// Whether the step that comes is to be timed, if it is a plain one.
    pub fn due(&self) -> bool {
        self.steps >= self.next
    }

    /// A step was timed.
    pub fn timed(&mut self, times: &StepTimes) {
        self.forward.0.push(times.seconds(section::FORWARD));
        self.backward.0.push(times.seconds(section::BACKWARD));
        self.optimiser.0.push(times.seconds(section::OPTIMISER));
        self.upload.0.push(times.data);
        let every = match self.timed_steps() < FIRST {
            true => 1,
            false => EVERY,
        };
        self.next = self.steps + every;
    }

    fn timed_steps(&self) -> u64 {
        self.forward.0.len() as u64
    }

    /// A step was done, timed or not, of so many operations.
    pub fn step(&mut self, forward: f64, backward: f64) {
        self.steps += 1;
        self.forward_flops += forward;
        self.backward_flops += backward;
    }

    /// The host chose other connections between two steps: the round of a method that has no other.
    pub fn pruned(&mut self, time: Duration) {
        self.round.add(time.as_secs_f64());
    }

    /// The loader was waited for.
    pub fn waited(&mut self, time: Duration) {
        self.waited += time.as_secs_f64();
    }

    /// A round was done, of so many operations.
    pub fn round(&mut self, report: &RoundReport, flops: f64) {
        self.round.add(report.seconds + report.within);
        self.round_flops += flops;
    }

    /// The network was evaluated, by so many operations.
    pub fn evaluated(&mut self, time: Duration, flops: f64) {
        self.evaluation.add(time.as_secs_f64());
        self.evaluation_flops += flops;
    }

    /// The phases in the order of a step; `bytes` tells what each touches.
    ///
    /// The estimates are held to the time that there was: where the host waits for the loader while the device works, or the timed
    /// steps were slower than the others, what is not rounds and evaluations is scaled down to what these leave of it.
    pub fn finish(&self, bytes: impl Fn(&str) -> u64) -> Vec<Phase> {
        let measured = self.round.seconds + self.evaluation.seconds;
        let left = self.started.elapsed().as_secs_f64() - measured;
        let all = |samples: &Samples| samples.median() * self.steps as f64;
        let data = all(&self.upload) + self.waited;
        let (forward, backward) = (all(&self.forward), all(&self.backward));
        let optimiser = all(&self.optimiser);
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
        let timed = self.timed_steps();
        let (round, evaluation) = (self.round, self.evaluation);
        vec![
            phase(section::DATA, held * data, timed, 0.0),
            phase(section::FORWARD, held * forward, timed, self.forward_flops),
            phase(
                section::BACKWARD,
                held * backward,
                timed,
                self.backward_flops,
            ),
            phase(section::OPTIMISER, held * optimiser, timed, 0.0),
            phase(
                section::ROUND,
                round.seconds,
                round.samples,
                self.round_flops,
            ),
            phase(
                section::EVALUATION,
                evaluation.seconds,
                evaluation.samples,
                self.evaluation_flops,
            ),
        ]
    }
}
