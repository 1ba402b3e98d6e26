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

    fn mean(self) -> f64 {
        self.seconds / self.samples.max(1) as f64
    }
}

/// The bookkeeping of a run, or of its part since it was resumed.
pub(super) struct Phases {
    started: Instant,
    /// Steps done, rounds' among them, and the first that is to be timed.
    steps: u64,
    next: u64,
    forward: Sum,
    backward: Sum,
    optimiser: Sum,
    /// Of timed steps: until the batch was on the device.
    upload: Sum,
    /// Of all steps: until the loader had it.
    waited: f64,
    round: Sum,
    evaluation: Sum,
    forward_flops: f64,
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
            forward: Sum::default(),
            backward: Sum::default(),
            optimiser: Sum::default(),
            upload: Sum::default(),
            waited: 0.0,
            round: Sum::default(),
            evaluation: Sum::default(),
            forward_flops: 0.0,
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
        self.forward.add(times.seconds(section::FORWARD));
        self.backward.add(times.seconds(section::BACKWARD));
        self.optimiser.add(times.seconds(section::OPTIMISER));
        self.upload.add(times.data);
        let every = match self.forward.samples < FIRST {
            true => 1,
            false => EVERY,
        };
        self.next = self.steps + every;
    }

    /// A step was done, timed or not, whose forward pass computed so much.
    pub fn step(&mut self, forward_flops: f64) {
        self.steps += 1;
        self.forward_flops += forward_flops;
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
        let all = |sum: Sum| sum.mean() * self.steps as f64;
        let data = all(self.upload) + self.waited;
        let (forward, backward) = (all(self.forward), all(self.backward));
        let optimiser = all(self.optimiser);
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
        let timed = self.forward.samples;
        let (round, evaluation) = (self.round, self.evaluation);
        vec![
            phase(section::DATA, held * data, timed, 0.0),
            phase(section::FORWARD, held * forward, timed, self.forward_flops),
            phase(
                section::BACKWARD,
                held * backward,
                timed,
                2.0 * self.forward_flops,
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
