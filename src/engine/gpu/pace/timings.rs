//! What is known about the time that a program takes, and therefore where to split it.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::guess::Guess;
use crate::engine::Pace;

/// Each doubt that proves wrong lets more of them pass before the next is checked: at most this many.
const PATIENCE: u32 = 1023;

/// One of a program's dispatches on the adapter.
#[derive(Debug)]
pub(crate) struct Unit {
    kernel: &'static str,
    groups: usize,
    /// Whether some of its workgroups can run separately.
    ranges: bool,
    /// Its amount of work, in a unit that is independent of the device.
    work: f64,
    /// The time of all of it, once measured.
    seconds: Option<f64>,
    /// The time of all of it, judging by the slowest of its ranges in this run.
    run: f64,
    /// Whether it seems to take longer than is known: then its next run is measured.
    doubted: bool,
}

impl Unit {
    pub(crate) fn new(kernel: &'static str, groups: usize, ranges: bool, work: f64) -> Self {
        Unit {
            kernel,
            groups,
            ranges: ranges && groups > 1,
            work: work.max(1.0),
            seconds: None,
            run: 0.0,
            doubted: false,
        }
    }

    fn estimate(&self, guess: &Guess) -> f64 {
        self.seconds
            .unwrap_or_else(|| guess.seconds(self.kernel, self.work))
    }
}

/// Something submitted together: some units, or some workgroups of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) units: Range<usize>,
    /// The workgroups of the only unit; none for all of them.
    pub(crate) groups: Option<Range<usize>>,
    /// Whether it runs separately, to be measured.
    pub(crate) measured: bool,
}

/// Where a chunk begins in a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) unit: usize,
    group: usize,
}

impl Position {
    pub(crate) fn new(unit: usize) -> Self {
        Position { unit, group: 0 }
    }
}

/// A program's timings, which its submissions in flight refer to.
pub(in crate::engine::gpu) type Shared = Arc<Mutex<Timings>>;

/// The units of a program.
pub(crate) struct Timings {
    units: Vec<Unit>,
    /// Most workgroups along one side of a dispatch.
    side: usize,
    /// How many doubts pass before one is checked, and how many have.
    patience: u32,
    passed: u32,
}

impl Timings {
    pub(crate) fn new(units: Vec<Unit>, side: u32) -> Self {
        Timings {
            units,
            side: side as usize,
            patience: 0,
            passed: 0,
        }
    }

    /// The next chunk, from the units before `end`.
    pub(super) fn next(&self, at: Position, end: usize, pace: Pace, guess: &Guess) -> Chunk {
        // An empty program is submitted as well, because uploads may be waiting.
        let Some(first) = self.units[..end].get(at.unit) else {
            return whole(at.unit..end, false);
        };
        let (most, ranges) = match pace {
            Pace::Whole => return whole(at.unit..end, false),
            Pace::Ranges(ranges) => (0.0, ranges.max(1)),
            Pace::Seconds(most) => (
                most,
                (first.estimate(guess) / most).ceil().max(1.0) as usize,
            ),
        };
        let measured =
            matches!(pace, Pace::Seconds(_)) && (first.seconds.is_none() || first.doubted);
        if first.ranges && (at.group > 0 || ranges > 1) {
            let length = (first.groups / ranges).max(1).min(first.groups - at.group);
            let groups = at.group..at.group + self.foldable(length);
            return Chunk {
                units: at.unit..at.unit + 1,
                groups: Some(groups),
                measured,
            };
        }
        // A kernel that never ran is submitted alone.
        let alike = |unit: &&Unit| {
            unit.seconds.is_some() == first.seconds.is_some()
                && unit.doubted == first.doubted
                && (unit.seconds.is_some() || guess.knows(unit.kernel) && guess.knows(first.kernel))
        };
        let mut sum = first.estimate(guess);
        let further = self.units[at.unit + 1..end].iter();
        let fits = |unit: &&Unit| {
            sum += unit.estimate(guess);
            sum <= most
        };
        let more = further.take_while(alike).take_while(fits).count();
        whole(at.unit..at.unit + 1 + more, measured)
    }

    /// The largest number of these workgroups that forms a rectangle: the surplus of a larger dispatch would belong to
    /// the next range, and run twice.
    fn foldable(&self, groups: usize) -> usize {
        match groups > self.side {
            true => groups - groups % self.side,
            false => groups,
        }
    }

    /// Where the next chunk begins.
    pub(super) fn behind(&self, chunk: &Chunk) -> Position {
        match &chunk.groups {
            Some(groups) if groups.end < self.units[chunk.units.start].groups => Position {
                unit: chunk.units.start,
                group: groups.end,
            },
            _ => Position::new(chunk.units.end),
        }
    }

    /// The share of its units that a chunk contains.
    fn share(&self, chunk: &Chunk) -> f64 {
        match &chunk.groups {
            Some(groups) => groups.len() as f64 / self.units[chunk.units.start].groups as f64,
            None => 1.0,
        }
    }

    /// Estimated seconds of a chunk.
    pub(super) fn estimate(&self, chunk: &Chunk, guess: &Guess) -> f64 {
        let units = self.units[chunk.units.clone()].iter();
        units.map(|unit| unit.estimate(guess)).sum::<f64>() * self.share(chunk)
    }

    /// Records that a chunk alone took this long, when at most `most` was planned.
    pub(super) fn measure(&mut self, chunk: &Chunk, seconds: f64, most: f64, guess: &mut Guess) {
        let factor = seconds / self.estimate(chunk, guess).max(f64::MIN_POSITIVE);
        let share = self.share(chunk);
        let ends = self.behind(chunk).unit == chunk.units.end;
        let before = self.estimates(chunk, guess);
        let units = &mut self.units[chunk.units.clone()];
        let unknown = units.iter().filter(|unit| unit.seconds.is_none());
        let parts: Vec<_> = unknown
            .map(|unit| (unit.kernel, unit.work * share))
            .collect();
        if !parts.is_empty() {
            guess.learn(&parts, seconds);
        }
        if units.iter().any(|unit| unit.doubted) {
            self.patience = match seconds > most {
                true => 0,
                false => (2 * self.patience + 1).min(PATIENCE),
            };
        }
        for (unit, before) in units.iter_mut().zip(before) {
            if unit.seconds.is_none() || seconds > most {
                unit.seconds = Some(before * factor);
            }
            unit.doubted &= !ends;
        }
    }

    fn estimates(&self, chunk: &Chunk, guess: &Guess) -> Vec<f64> {
        let units = self.units[chunk.units.clone()].iter();
        units.map(|unit| unit.estimate(guess)).collect()
    }

    /// Records that a chunk took at most this many seconds, and perhaps that many.
    pub(super) fn observe(&mut self, chunk: &Chunk, seconds: f64, most: f64) {
        let share = self.share(chunk);
        let ends = self.behind(chunk).unit == chunk.units.end;
        let begins = chunk.groups.as_ref().is_none_or(|groups| groups.start == 0);
        let units = &mut self.units[chunk.units.clone()];
        let known: f64 = units.iter().filter_map(|unit| unit.seconds).sum::<f64>() * share;
        if known <= 0.0 {
            return;
        }
        let doubtful = seconds > most && known <= most;
        let looked_into = doubtful && self.passed >= self.patience;
        if doubtful {
            self.passed = match looked_into {
                true => 0,
                false => self.passed + 1,
            };
        }
        for unit in units {
            let Some(known_unit) = unit.seconds else {
                continue;
            };
            unit.doubted |= looked_into;
            if begins {
                unit.run = 0.0;
            }
            unit.run = unit.run.max(known_unit * seconds / known);
            // Times vary. Only a far too careful plan is made again.
            if ends && unit.run < known_unit / 2.0 {
                unit.seconds = Some(unit.run);
            }
        }
    }
}

fn whole(units: Range<usize>, measured: bool) -> Chunk {
    Chunk {
        units,
        groups: None,
        measured,
    }
}
