//! The pacer on a simulated device, with a clock that the test sets.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};

use super::pacer::{PLANNED, Pacer};
use super::{Chunk, Queue, Shared, Timings, Unit};
use crate::engine::Pace;
use crate::error::Result;

/// The time to the device and back.
const LATENCY: f64 = 2e-4;

/// The host's time for submitting.
const SUBMIT: f64 = 2e-5;

/// A program whose units take this long on the device.
struct Program {
    units: Vec<(usize, f64)>,
    timings: Shared,
}

impl Program {
    /// Units of one kernel each, with their workgroups, work and seconds.
    fn new(units: &[(&'static str, usize, f64, f64)]) -> Self {
        let unit = |&(kernel, groups, work, _): &_| Unit::new(kernel, groups, true, work);
        Program {
            units: units.iter().map(|u| (u.1, u.3)).collect(),
            timings: Arc::new(Mutex::new(Timings::new(
                units.iter().map(unit).collect(),
                65_535,
            ))),
        }
    }

    fn seconds(&self) -> f64 {
        self.units.iter().map(|unit| unit.1).sum()
    }
}

#[derive(Default)]
struct Device {
    clock: Cell<f64>,
    /// When it will have finished everything submitted.
    idle: Cell<f64>,
    /// How many times as slow as before it is.
    slower: Cell<f64>,
    idle_waits: Cell<usize>,
    submissions: RefCell<Vec<(Chunk, f64)>>,
}

impl Device {
    fn new() -> Self {
        let device = Device::default();
        device.slower.set(1.0);
        device
    }

    fn until(&self, time: f64) {
        self.clock.set(self.clock.get().max(time + LATENCY));
    }
}

impl Queue for Device {
    type Program = Program;
    type Submission = f64;

    fn submit(&self, program: &Program, chunk: &Chunk) -> Result<f64> {
        let units = &program.units[chunk.units.clone()];
        let seconds: f64 = units.iter().map(|unit| unit.1).sum();
        let share = (chunk.groups.as_ref()).map_or(1.0, |g| g.len() as f64 / units[0].0 as f64);
        let seconds = seconds * share * self.slower.get();
        self.clock.set(self.clock.get() + SUBMIT);
        self.idle
            .set(self.idle.get().max(self.clock.get()) + seconds);
        self.submissions.borrow_mut().push((chunk.clone(), seconds));
        Ok(self.idle.get())
    }

    fn await_end(&self, end: f64) -> Result<()> {
        self.until(end);
        Ok(())
    }

    fn await_idle(&self) -> Result<()> {
        self.idle_waits.set(self.idle_waits.get() + 1);
        self.until(self.idle.get());
        Ok(())
    }

    fn now(&self) -> f64 {
        self.clock.get()
    }
}

fn pacer() -> Pacer<f64> {
    Pacer::new(Pace::of(true))
}

/// Runs a program once and gives what was submitted. Checks that every workgroup of every unit ran once, in order.
fn run(pacer: &mut Pacer<f64>, device: &Device, program: &Program) -> Vec<(Chunk, f64)> {
    device.submissions.borrow_mut().clear();
    let units = 0..program.units.len();
    pacer.run(device, program, &program.timings, units).unwrap();
    let submissions = device.submissions.borrow().clone();
    let mut at = (0, 0);
    for (chunk, _) in &submissions {
        assert_eq!(chunk.units.start, at.0);
        at = match &chunk.groups {
            None => (chunk.units.end, 0),
            Some(groups) => {
                assert_eq!((chunk.units.len(), groups.start), (1, at.1));
                assert!(groups.len() <= 65_535 || groups.len().is_multiple_of(65_535));
                match groups.end == program.units[at.0].0 {
                    true => (at.0 + 1, 0),
                    false => (at.0, groups.end),
                }
            }
        };
    }
    assert_eq!(at, (program.units.len(), 0));
    submissions
}

fn longest(submissions: &[(Chunk, f64)]) -> f64 {
    submissions.iter().map(|s| s.1).fold(0.0, f64::max)
}

/// A training step of several kernels with dispatches of all sizes, on a device with this time per unit of work; for
/// some kernels a unit costs eighty times as much as for others.
fn step(rate: f64) -> Program {
    let kernels = [("a", 1.0), ("b", 0.1), ("c", 4.0), ("d", 0.05), ("e", 2.0)];
    let unit = |i: usize| {
        let (kernel, cost) = kernels[(i * 7 + i / 9) % 5];
        let work = 10f64.powi(4 + (i * 5 % 6) as i32);
        let groups = (work / 64.0) as usize;
        (kernel, groups, work, work * rate * cost)
    };
    Program::new(&(0..90).map(unit).collect::<Vec<_>>())
}

#[test]
fn no_submission_of_a_slow_device_takes_long_from_the_first_on() {
    // From slower than anything to fast: the step takes 24 to 0.07 seconds.
    for rate in [1e-9, 3e-10, 1e-10, 3e-11, 1e-11, 3e-12, 6e-12] {
        let (mut pacer, device, program) = (pacer(), Device::new(), step(rate));
        for round in 0..6 {
            let submissions = run(&mut pacer, &device, &program);
            let (longest, count) = (longest(&submissions), submissions.len());
            println!("{rate:e}, run {round}: {count} submissions, {longest:.3} s");
            assert!(longest <= 0.5, "{longest}");
            if round > 1 {
                // Not many more than it takes: dispatches stay in order, and one that is split into ranges shares no
                // submission with others.
                let fewest = (program.seconds() / PLANNED).ceil() as usize;
                assert!(count <= 3 * fewest, "{count} of {fewest}");
                assert!(submissions.iter().all(|(chunk, _)| !chunk.measured));
            }
        }
    }
}

#[test]
fn a_dispatch_of_three_seconds_has_its_ranges() {
    let (mut pacer, device) = (pacer(), Device::new());
    // More workgroups than one dispatch can have along a side.
    for groups in [7, 100, 100_000, 7_000_000] {
        let program = Program::new(&[("long", groups, 1e9, 3.0), ("short", 1, 1.0, 1e-3)]);
        for round in 0..4 {
            let submissions = run(&mut pacer, &device, &program);
            let ranges = submissions.len() - 1;
            println!("{groups} workgroups, run {round}: {ranges} ranges");
            assert!(ranges >= 6.min(groups), "{ranges}");
            assert!(longest(&submissions) <= 0.5);
            assert!(round == 0 || ranges <= 11, "{ranges}");
        }
    }
}

#[test]
fn a_fast_device_is_left_alone() {
    let (mut pacer, device, program) = (pacer(), Device::new(), step(1e-13));
    let first = run(&mut pacer, &device, &program);
    let in_ranges = first.iter().filter(|(chunk, _)| chunk.groups.is_some());
    let ranges = in_ranges.count();
    println!("{} submissions at first, {ranges} ranges", first.len());
    assert!(first.len() <= 30 && ranges <= 12);
    let waits = device.idle_waits.get();
    for _ in 0..100 {
        let submissions = run(&mut pacer, &device, &program);
        let whole = Chunk {
            units: 0..90,
            groups: None,
            measured: false,
        };
        let chunks: Vec<_> = submissions.iter().map(|s| &s.0).collect();
        assert_eq!(chunks, [&whole]);
    }
    assert_eq!(
        device.idle_waits.get(),
        waits,
        "nothing waits for measurements"
    );
    // A similar program does not start with care again.
    assert!(run(&mut pacer, &device, &step(1e-13)).len() <= 2);
    // On other devices nothing is split, known or not.
    let mut pacer = Pacer::new(Pace::of(false));
    let slow = step(1e-9);
    assert_eq!(run(&mut pacer, &device, &slow).len(), 1);
}

#[test]
fn a_device_that_slows_down_and_recovers_is_followed() {
    let (mut pacer, device, program) = (pacer(), Device::new(), step(2e-11));
    let runs = |pacer: &mut Pacer<f64>, count: usize| {
        let last = (0..count).map(|_| run(pacer, &device, &program)).last();
        last.unwrap_or_default()
    };
    let before = runs(&mut pacer, 8).len();
    device.slower.set(4.0);
    let slow = runs(&mut pacer, 30);
    assert!(longest(&slow) <= 0.5, "{}", longest(&slow));
    assert!(slow.len() > before, "{} {before}", slow.len());
    device.slower.set(1.0);
    let after = runs(&mut pacer, 30).len();
    assert!(after < slow.len(), "{after} {}", slow.len());
}

#[test]
fn a_host_that_looks_away_is_not_taken_for_a_slow_device() {
    let (mut pacer, device, program) = (pacer(), Device::new(), step(1e-12));
    let mut measured = 0;
    for _ in 0..2000 {
        let submissions = run(&mut pacer, &device, &program);
        measured += submissions
            .iter()
            .filter(|(chunk, _)| chunk.measured)
            .count();
        // Whatever the host does: loading images, or competing for the CPU.
        device.clock.set(device.clock.get() + 0.7);
    }
    println!("measured {measured} times");
    assert!(measured <= 60, "{measured}");
    assert_eq!(run(&mut pacer, &device, &program).len(), 1);
}

#[test]
fn what_cannot_be_cut_is_measured_once() {
    let (mut pacer, device) = (pacer(), Device::new());
    let program = Program::new(&[("before", 9, 1e3, 1e-3), ("long", 1, 1e4, 3.0)]);
    for round in 0..20 {
        let submissions = run(&mut pacer, &device, &program);
        assert_eq!(submissions.len(), 2);
        let measured = submissions.iter().any(|(chunk, _)| chunk.measured);
        assert_eq!(measured, round == 0, "run {round}");
    }
}
