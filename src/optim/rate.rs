//! Learning-rate schedule: linear warm-up, then steps down at milestones.

/// The learning rate of every step.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRate {
    /// The rate after the warm-up.
    pub base: f64,
    /// Optimiser steps of the warm-up.
    pub warmup: f64,
    /// Steps at which the rate is multiplied by `decay`.
    pub milestones: Vec<f64>,
    /// The factor of a milestone.
    pub decay: f64,
}

impl LearningRate {
    /// The rate of `step`, counted from 0. The warm-up rises to `base` in equal parts; its first step is one part, not zero.
    pub fn at(&self, step: u64) -> f32 {
        let step = step as f64;
        let rise = ((step + 1.0) / self.warmup.max(1.0)).min(1.0);
        let passed = self.milestones.iter().filter(|m| step >= **m).count();
        (self.base * rise * self.decay.powi(passed as i32)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::LearningRate;

    #[test]
    fn warms_up_and_steps_down() {
        let rate = LearningRate {
            base: 0.1,
            warmup: 4.0,
            milestones: vec![8.0, 12.0],
            decay: 0.1,
        };
        let expected = [
            (0, 0.025),
            (1, 0.05),
            (3, 0.1),
            (7, 0.1),
            (8, 0.01),
            (11, 0.01),
            (12, 0.001),
        ];
        for (step, value) in expected {
            assert!(
                (rate.at(step) - value).abs() < 1e-8,
                "step {step}: {}",
                rate.at(step)
            );
        }
    }

    #[test]
    fn without_a_warm_up_the_first_step_has_the_full_rate() {
        let rate = LearningRate {
            base: 0.5,
            warmup: 0.0,
            milestones: vec![],
            decay: 0.1,
        };
        assert_eq!(rate.at(0), 0.5);
    }
}
