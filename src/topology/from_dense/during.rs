//! Pruning while a dense network trains: gradual magnitude pruning, and the lottery ticket.

use super::start::{Moment, Prune, Start, Thinning};
use crate::topology::cost::Cost;
use crate::topology::method::Method;

/// Gradual magnitude pruning (Zhu and Gupta 2017, "To prune, or not to prune", equation 1): every T steps until T_end
/// the smallest weights are pruned, so that `(1 - step / T_end)^3` of the surplus over the requested connections is
/// left.
pub struct Gradual;

impl Gradual {
    pub(in crate::topology) const NAME: &str = "gradual";
}

impl Method for Gradual {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn start(&self) -> Start<'_> {
        Start::Dense(self)
    }

    /// Dense for the first 3/10 of the steps, then falling as a cube until 8/10, as in its paper.
    fn cost(&self) -> Cost {
        Cost {
            // The mean of (1 - x)^3 over the falling half is a quarter.
            dense_share: 0.3 + (0.8 - 0.3) / 4.0,
            ..Cost::SPARSE
        }
    }
}

impl Thinning for Gradual {
    fn prune(&self, at: &Moment) -> Option<Prune> {
        let rewind = false;
        if at.step >= at.until {
            // The first moment at or after the end prunes whatever surplus is left.
            return Some(Prune { rest: 0.0, rewind });
        }
        let due = at.every > 0 && at.step > 0 && at.step.is_multiple_of(at.every);
        let part = at.step as f64 / at.until as f64;
        due.then(|| Prune {
            rest: (1.0 - part).powi(3),
            rewind,
        })
    }
}

/// The lottery ticket (Frankle and Carbin 2019): train the dense network to the end, prune the smallest weights, set
/// the others back to their values before the first step, and train again. There are `cycles` prunings, each of which
/// keeps the same share of the connections.
pub struct Lottery {
    /// Number of prunings; the run has one more stage.
    pub cycles: u32,
}

impl Lottery {
    pub(in crate::topology) const NAME: &str = "lottery";
}

impl Method for Lottery {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn start(&self) -> Start<'_> {
        Start::Dense(self)
    }

    /// A dense training, one pruning, and the sparse training from the rewound weights.
    fn cost(&self) -> Cost {
        Cost {
            trainings_before: 1.0,
            ..Cost::SPARSE
        }
    }
}

impl Thinning for Lottery {
    fn stages(&self) -> u32 {
        self.cycles.saturating_add(1)
    }

    fn prune(&self, at: &Moment) -> Option<Prune> {
        if at.stage_steps == 0 || !at.step.is_multiple_of(at.stage_steps) {
            return None;
        }
        let done = at.step / at.stage_steps;
        if done == 0 || done > u64::from(self.cycles) || at.dense <= at.requested {
            return None;
        }
        let part = done as f64 / f64::from(self.cycles);
        let left = (at.dense as f64).powf(1.0 - part) * (at.requested as f64).powf(part);
        let surplus = (at.dense - at.requested) as f64;
        Some(Prune {
            rest: ((left - at.requested as f64) / surplus).clamp(0.0, 1.0),
            rewind: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(step: u64) -> Moment {
        Moment {
            step,
            stage_steps: 100,
            every: 10,
            until: 60,
            dense: 1000,
            requested: 10,
        }
    }

    #[test]
    fn gradual_pruning_follows_the_cube() {
        let left = |step| Gradual.prune(&moment(step)).map(|p| p.left(1000, 10));
        assert_eq!(left(0), None);
        assert_eq!(left(15), None);
        assert_eq!(left(30), Some(10 + 124), "990 / 8 = 123.75");
        assert_eq!(left(60), Some(10));
        assert_eq!(left(61), Some(10));
    }

    #[test]
    fn a_ticket_keeps_the_same_share_each_time() {
        let lottery = Lottery { cycles: 2 };
        let prune = |step| lottery.prune(&moment(step));
        assert_eq!(prune(0), None);
        assert_eq!(prune(50), None);
        let first = prune(100).expect("the first stage ended");
        assert_eq!((first.left(1000, 10), first.rewind), (100, true));
        assert_eq!(prune(200).map(|p| p.left(1000, 10)), Some(10));
        assert_eq!(prune(300), None, "the end of the run");
    }
}
