//! Whether figures can be trusted. A figure from a busy machine looks like any other, so it is withheld.

use crate::bench::Spread;
use crate::busy::{Usage, apart, disturbed};

/// A share of a ceiling that a measurement can still reach by scatter.
pub(in crate::bench) const MOST_SHARE: f64 = 1.1;

/// Why a measurement cannot be trusted; none if nothing speaks against it.
pub(in crate::bench) fn doubt(spread: &Spread, usage: &Usage) -> Option<String> {
    disturbed(usage).or_else(|| apart(spread.q1, spread.q3, spread.samples))
}

/// Why a share of a ceiling is impossible; none if it is not.
pub(in crate::bench) fn above_ceiling(share: f64) -> Option<String> {
    (share > MOST_SHARE).then(|| {
        format!(
            "{:.0} % of a ceiling are more than there is: one of the two was disturbed",
            100.0 * share
        )
    })
}

/// Why the separately timed kernels of a step do not add up to the step. `exact`: each was timed as it ran in the step.
pub(in crate::bench) fn unexplained(kernels: f64, step: f64, exact: bool) -> Option<String> {
    let share = kernels / step;
    // A kernel that runs alone many times takes a different time, and overlapping or unnamed work accounts for some.
    let fits = share >= 0.5 && (share <= 2.0 || !exact);
    (!fits).then(|| {
        format!(
            "the machine was busy: the kernels add up to {:.0} % of their step",
            100.0 * share
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_sign_of_other_work_is_a_doubt() {
        let spread = |q1, q3| Spread {
            min: q1,
            q1,
            q3,
            max: q3,
            samples: 9,
        };
        let quiet = Usage::default();
        assert_eq!(doubt(&spread(1.0, 1.3), &quiet), None);
        assert!(doubt(&spread(1.0, 2.3), &quiet).is_some());
        let waited = Usage {
            ran: Some(0.2),
            waited: Some(0.2),
            ..quiet
        };
        assert!(doubt(&spread(1.0, 1.0), &waited).is_some());
    }

    #[test]
    fn shares_and_sums_that_cannot_be_are_noticed() {
        assert_eq!(above_ceiling(1.05), None);
        assert!(above_ceiling(5.54).unwrap().contains("554 %"));
        assert_eq!(unexplained(0.9, 1.0, true), None);
        assert!(unexplained(0.25, 1.0, false).unwrap().contains("25 %"));
        assert!(unexplained(3.0, 1.0, true).is_some());
        assert_eq!(unexplained(3.0, 1.0, false), None);
    }
}
