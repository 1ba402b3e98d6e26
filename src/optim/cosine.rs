//! A learning rate that falls along half a cosine.

use super::rate::{LearningRate, Moment, WarmUp};
use crate::bounds::check;
use crate::error::Result;

/// A linear warm-up, then half a cosine down to the last step (Loshchilov and Hutter, arXiv 1608.03983, without
/// restarts).
#[derive(Clone, Debug, PartialEq)]
pub struct Cosine {
    warmup: WarmUp,
    end: f64,
}

impl Cosine {
    /// `lr` is the rate after the warm-up, which is like that of [`Milestones`](super::Milestones), and `end` the rate
    /// at the bottom: the step after the last would have it.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): the rate is not above 0 and at most 1,000,000, an epoch is invalid, or
    /// `end` is below 0 or above `lr`.
    pub fn new(lr: f64, warmup_epochs: f64, end: f64) -> Result<Self> {
        let warmup = WarmUp::new(lr, warmup_epochs)?;
        check(
            (0.0..=lr).contains(&end),
            "lr_end",
            "must be at least 0 and at most the learning rate",
            end,
        )?;
        Ok(Cosine { warmup, end })
    }
}

impl LearningRate for Cosine {
    fn at(&self, moment: Moment) -> f32 {
        let begin = self.warmup.epochs * moment.steps_per_epoch as f64;
        let (done, steps) = (moment.step as f64 - begin, moment.steps as f64 - begin);
        if done < 0.0 || steps <= 0.0 {
            return self.warmup.at(moment) as f32;
        }
        let share = (done / steps).min(1.0);
        let height = 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
        (self.end + (self.warmup.lr - self.end) * height) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_and_falls_along_half_a_cosine() {
        let rate = Cosine::new(0.4, 2.0, 0.1).unwrap();
        let at = |step| {
            rate.at(Moment {
                step,
                steps_per_epoch: 2,
                steps: 12,
            })
        };
        let expected = [
            (0, 0.1),
            (1, 0.2),
            (3, 0.4),
            (4, 0.4),
            (6, 0.1 + 0.3 * 0.853_553_4),
            (8, 0.25),
            (10, 0.1 + 0.3 * 0.146_446_6),
            (12, 0.1),
            (99, 0.1),
        ];
        for (step, value) in expected {
            let found = at(step);
            assert!((found - value).abs() < 1e-7, "step {step}: {found}");
        }
    }

    #[test]
    fn without_a_warm_up_it_begins_with_the_full_rate() {
        let rate = Cosine::new(0.4, 0.0, 0.0).unwrap();
        let moment = Moment {
            step: 0,
            steps_per_epoch: 3,
            steps: 3,
        };
        assert_eq!(rate.at(moment), 0.4);
        assert!(Cosine::new(0.1, 0.0, 0.2).is_err() && Cosine::new(0.1, 0.0, -0.1).is_err());
    }
}
