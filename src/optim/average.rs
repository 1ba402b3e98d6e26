//! Moving average of the weights: another network beside the trained one, used for testing.

use std::sync::Arc;

use super::array::{Scalar, StateArray};
use super::definition::{Optimiser, Update};
use crate::bounds::{check, share};
use crate::engine::{Device, Grid, Plan, View};
use crate::error::Result;

crate::kernel! {
    /// `average = decay average + (1 - decay) weight`. Grid: [`Items`](crate::engine::Grid::Items) = vectors.
    pub Average, AverageParams, AverageTwin = "optim/average", shader!("optim/average");
    params {
        /// A quarter of the weights' number, rounded up.
        vectors: u32,
        /// Share of the average that is kept.
        decay: f32,
        /// 1 - decay, rounded once: the difference of rounded numbers would have fewer digits.
        rest: f32,
    }
    no loops;
    read weights: f32,
    write averages: f32,
}

impl AverageTwin<'_> {
    fn run(self) {
        let AverageParams {
            vectors,
            decay,
            rest,
        } = self.params;
        let averages = &mut self.averages[..4 * vectors as usize];
        for (average, weight) in averages.iter_mut().zip(self.weights) {
            *average = decay * *average + rest * weight;
        }
    }
}

crate::kernel! {
    /// Exchanges two arrays, bit by bit. Grid: [`Items`](crate::engine::Grid::Items) = vectors.
    pub Exchange, ExchangeParams, ExchangeTwin = "optim/exchange", shader!("optim/exchange");
    params {
        /// A quarter of the words of each, rounded up.
        vectors: u32,
    }
    no loops;
    write one: u32,
    write other: u32,
}

impl ExchangeTwin<'_> {
    fn run(self) {
        let words = 4 * self.params.vectors as usize;
        self.one[..words].swap_with_slice(&mut self.other[..words]);
    }
}

/// An optimiser that keeps a moving average of what it trains (Polyak and Juditsky 1992, with exponential weights as
/// `torch.optim.swa_utils.get_ema_multi_avg_fn`). The average of a connection begins at its weight when it grows, and
/// goes when it is pruned.
#[derive(Clone, Debug)]
pub struct Averaged {
    of: Arc<dyn Optimiser>,
    decay: f64,
}

impl Averaged {
    /// The averages' name in files.
    pub(crate) const NAME: &str = "ema";

    /// `decay` is the share of the average that is kept per step.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): a share outside [0, 1).
    pub fn new(of: Arc<dyn Optimiser>, decay: f64) -> Result<Self> {
        check(share(decay), "ema", "must be at least 0 and below 1", decay)?;
        Ok(Averaged { of, decay })
    }

    /// Records that the weights and the averages of a group are exchanged, if there are averages.
    ///
    /// # Errors
    /// The views do not fit.
    pub(crate) fn exchange(
        plan: &mut Plan,
        count: usize,
        weights: &View,
        state: &[(StateArray, View)],
    ) -> Result<bool> {
        let Some((_, averages)) = state.iter().find(|(array, _)| Self::is_average(array)) else {
            return Ok(false);
        };
        let vectors = count.div_ceil(4);
        let kernel = Exchange {
            params: ExchangeParams {
                vectors: vectors as u32,
            },
            one: weights.clone(),
            other: averages.clone(),
        };
        plan.dispatch(kernel, Grid::Items(vectors))?;
        Ok(true)
    }

    fn average(&self, plan: &mut Plan, update: &Update<'_>) -> Result<()> {
        let vectors = update.vectors();
        let kernel = Average {
            params: AverageParams {
                vectors: vectors as u32,
                decay: self.decay as f32,
                rest: (1.0 - self.decay) as f32,
            },
            weights: update.weights.clone(),
            averages: update.state(Self::NAME)?,
        };
        plan.dispatch(kernel, Grid::Items(vectors))
    }

    fn is_average(array: &StateArray) -> bool {
        *array == Self::ARRAY
    }

    const ARRAY: StateArray = StateArray {
        name: Self::NAME,
        start: Scalar::Weight,
    };
}

impl Optimiser for Averaged {
    fn name(&self) -> &'static str {
        self.of.name()
    }

    fn state(&self) -> Vec<StateArray> {
        let mut arrays = self.of.state();
        arrays.push(Self::ARRAY);
        arrays
    }

    fn step(&self, plan: &mut Plan, update: &Update<'_>) -> Result<()> {
        self.of.step(plan, update)?;
        self.average(plan, update)
    }

    fn step_together(
        &self,
        plan: &mut Plan,
        device: &Device,
        updates: &[Update<'_>; 3],
    ) -> Result<bool> {
        if !self.of.step_together(plan, device, updates)? {
            return Ok(false);
        }
        for update in updates {
            self.average(plan, update)?;
        }
        Ok(true)
    }

    fn bytes(&self) -> u64 {
        self.of.bytes() + 4
    }

    fn flops(&self, count: usize) -> f64 {
        self.of.flops(count)
    }
}
