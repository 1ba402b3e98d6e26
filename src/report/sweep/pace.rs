//! How long the rest of a sweep will take, estimated by the runs that this process has trained.

use super::RunState;
use crate::clock::Instant;
use crate::report::text::duration;

/// Runs that are left, and how long those took that were trained.
#[derive(Debug)]
pub(super) struct Pace {
    left: usize,
    trained: u32,
    seconds: f64,
}

impl Pace {
    /// Nothing was trained yet of the runs with these states.
    pub(super) fn new(states: &[RunState]) -> Self {
        let is_left = |state: &&RunState| {
            matches!(
                state,
                RunState::New | RunState::Unfinished | RunState::InTraining
            )
        };
        Self {
            left: states.iter().filter(is_left).count(),
            trained: 0,
            seconds: 0.0,
        }
    }

    /// Another run has ended, which began then.
    pub(super) fn trained(&mut self, begun: Instant) {
        self.left = self.left.saturating_sub(1);
        self.trained += 1;
        self.seconds += begun.elapsed().as_secs_f64();
    }

    /// A text such as `, about 4 min 05 s left`; empty before the first run has ended.
    pub(super) fn text(&self) -> String {
        match self.trained {
            0 => String::new(),
            trained => {
                let each = self.seconds / f64::from(trained);
                format!(", about {} left", duration(each * self.left as f64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::report::sweep::RunState;

    #[test]
    fn the_mean_of_what_was_trained_is_taken_for_what_is_left() {
        let states = [
            RunState::Finished,
            RunState::New,
            RunState::Unfinished,
            RunState::InTraining,
        ];
        let mut pace = Pace::new(&states);
        assert_eq!((pace.left, pace.text().as_str()), (3, ""));
        pace.left = 6;
        pace.trained = 2;
        pace.seconds = 20.0;
        assert_eq!(pace.text(), ", about 1 min 00 s left");
    }
}
