//! When a run saves a checkpoint, besides at its end.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::Instant;

/// The longest time that a run goes without a checkpoint by default.
const USUAL: Duration = Duration::from_secs(10 * 60);

/// The interval between two checkpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveEvery {
    /// An epoch, or ten minutes if an epoch takes longer.
    #[default]
    Usual,
    /// This many epochs.
    Epochs(u32),
    /// This many optimiser steps: saved after their multiples.
    Steps(u64),
    /// This much time.
    Time(Duration),
}

impl FromStr for SaveEvery {
    type Err = String;

    /// `2` (epochs), `500s` (steps), `10m` or `2h` (time).
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "`{text}` is none of: epochs such as 2, steps such as 500s, minutes such as 10m, hours such as 2h"
            )
        };
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.parse().map_err(|_| refuse())?;
        if number == 0 {
            return Err("a run cannot save after every 0 of anything; give 1 or more".to_owned());
        }
        // Longer than any run, but small enough that adding it to a time does not overflow.
        let minutes = |n: u64| Duration::from_secs(n.saturating_mul(60).min(u64::from(u32::MAX)));
        match &text[digits.len()..] {
            "" => Ok(SaveEvery::Epochs(number.try_into().unwrap_or(u32::MAX))),
            "s" | "steps" => Ok(SaveEvery::Steps(number)),
            "m" => Ok(SaveEvery::Time(minutes(number))),
            "h" => Ok(SaveEvery::Time(minutes(number.saturating_mul(60)))),
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for SaveEvery {
    /// As [`FromStr`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // As without the option.
            SaveEvery::Usual => write!(f, "{}m", USUAL.as_secs() / 60),
            SaveEvery::Epochs(epochs) => write!(f, "{epochs}"),
            SaveEvery::Steps(steps) => write!(f, "{steps}s"),
            SaveEvery::Time(time) => write!(f, "{}m", time.as_secs() / 60),
        }
    }
}

/// Keeps track of a run's checkpoints.
pub(super) struct Saving {
    every: SaveEvery,
    last: Instant,
    /// Step of the last checkpoint.
    step: Option<u64>,
}

impl Saving {
    pub fn new(every: SaveEvery) -> Self {
        Saving {
            every,
            last: Instant::now(),
            step: None,
        }
    }

    /// Whether to save within an epoch, after `step`.
    pub fn due(&self, step: u64) -> bool {
        match self.every {
            SaveEvery::Usual => self.last.elapsed() >= USUAL,
            SaveEvery::Epochs(_) => false,
            SaveEvery::Steps(steps) => step.is_multiple_of(steps.max(1)),
            SaveEvery::Time(time) => self.last.elapsed() >= time,
        }
    }

    /// Whether to save after `epoch`, counted from 1, which ended with `step`.
    pub fn due_after_epoch(&self, epoch: u32, step: u64) -> bool {
        match self.every {
            SaveEvery::Usual => true,
            SaveEvery::Epochs(epochs) => epoch.is_multiple_of(epochs.max(1)),
            SaveEvery::Steps(_) | SaveEvery::Time(_) => self.due(step),
        }
    }

    /// Notes that the state after `step` was saved.
    pub fn saved(&mut self, step: u64) {
        self.last = Instant::now();
        self.step = Some(step);
    }

    /// Whether this is the last state that was saved.
    pub fn is_saved(&self, step: u64) -> bool {
        self.step == Some(step)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_epochs_steps_or_time() {
        let minutes = |n: u64| SaveEvery::Time(Duration::from_secs(60 * n));
        for (text, every) in [
            ("1", SaveEvery::Epochs(1)),
            ("12", SaveEvery::Epochs(12)),
            ("500s", SaveEvery::Steps(500)),
            ("500steps", SaveEvery::Steps(500)),
            ("10m", minutes(10)),
            ("2h", minutes(120)),
        ] {
            assert_eq!(text.parse::<SaveEvery>().unwrap(), every, "{text}");
        }
        for text in [
            "", "0", "0s", "0m", "-1", "1.5", "m", "10 m", "5d", "s5", "5S", "10min",
        ] {
            text.parse::<SaveEvery>().unwrap_err();
        }
        "99999999999999999h".parse::<SaveEvery>().unwrap();
    }

    #[test]
    fn they_are_due_when_they_are_over() {
        let late = |every| Saving {
            last: Instant::now() - Duration::from_secs(601),
            ..Saving::new(every)
        };
        assert!(!Saving::new(SaveEvery::Usual).due(7));
        assert!(Saving::new(SaveEvery::Usual).due_after_epoch(3, 7));
        assert!(late(SaveEvery::Usual).due(7));
        assert!(!late(SaveEvery::Epochs(2)).due(8));
        assert!(!late(SaveEvery::Epochs(2)).due_after_epoch(3, 8));
        assert!(late(SaveEvery::Epochs(2)).due_after_epoch(4, 8));
        assert!(!late(SaveEvery::Steps(4)).due(7));
        assert!(late(SaveEvery::Steps(4)).due(8));
        let time = SaveEvery::Time(Duration::from_secs(600));
        assert!(late(time).due(7) && late(time).due_after_epoch(1, 7));
        let mut saved = late(time);
        saved.saved(7);
        assert!(!saved.due(8) && saved.is_saved(7) && !saved.is_saved(8));
    }
}
