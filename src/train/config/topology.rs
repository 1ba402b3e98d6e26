//! How connections are pruned and grown.

use super::context::Context;
use super::section::section;
use crate::Result;
use crate::bounds::{LARGEST_FACTOR, LARGEST_RATE, check, epoch, positive};
use crate::error::option::METHOD;
use crate::topology::{Method, MethodName, MethodOptions, Schedule, Scope};

/// T_end as a share of all epochs if none is given: epoch 120 of 200 in Heddes et al., arXiv 2401.06898.
const ROUND_UNTIL_SHARE: f64 = 0.6;

section! {
    /// How connections are pruned and grown. `gamma` and `alpha`: Heddes et al., arXiv 2401.06898, CIFAR set-up.
    pub struct TopologyConfig in "Topology" {
        /// How connections are pruned and grown during training
        method: MethodName = MethodName::GseUniform,
            NAME, on resume Noted;
        /// Number of prunings by the method lottery: it trains all epochs once more than that
        lottery_cycles: u32 = MethodOptions::default().lottery_cycles,
            N, on resume Fixed, idle is_no_lottery;
        /// Connections that topkast trains, for each one that its forward pass uses
        topkast_backward: f64 = MethodOptions::default().topkast_backward,
            FACTOR, on resume Fixed, idle is_no_topkast;
        /// Rank weights and candidates within each layer or over the whole model
        scope: Scope = Scope::Layer,
            NAME, on resume Noted, idle ranks_one_way;
        /// Candidates drawn in a round, per active connection
        gamma: f64 = 1.0,
            FACTOR, on resume Noted, idle draws_none;
        /// Draw candidates again until there are --gamma distinct inactive pairs per active connection, or all that a
        /// layer has; otherwise the result of one draw is used
        distinct_candidates: bool = false,
            BOOL, on resume Noted, idle draws_none;
        /// Batches that score the candidates of a round: the step's own, and further ones with unchanged weights
        round_batches: usize = 1,
            N, on resume Noted, idle adds_up_none;
        /// Share of the connections replaced in a round at the start; it falls to 0 along a cosine
        alpha: f64 = 0.2,
            SHARE, on resume Noted, idle replaces_none;
        /// Optimiser steps between two prune-and-grow rounds (T)
        round_every: u64 = 100,
            STEPS alias "interval", on resume Noted, idle has_no_rounds;
        /// Epoch after which the topology stays fixed (T_end) [default: 0.6 × the epochs]
        round_until: Option<f64> = None,
            EPOCH alias "until", on resume Noted, idle ends_no_rounds;
        /// Record what the rounds explore: ever active pairs, dead units, rank correlations; costs host time, changes
        /// no result
        statistics: bool = true,
            BOOL, on resume Free, idle explores_none;
    }
}

impl TopologyConfig {
    fn is_no_lottery(&self, _: &Context<'_>) -> Option<String> {
        (self.method != MethodName::Lottery).then(|| format!("it is for {METHOD} lottery"))
    }

    fn is_no_topkast(&self, _: &Context<'_>) -> Option<String> {
        (self.method != MethodName::Topkast).then(|| format!("it is for {METHOD} topkast"))
    }

    fn ranks_one_way(&self, context: &Context<'_>) -> Option<String> {
        self.unless(
            context.has_rounds() || self.is(&[MethodName::Gradual, MethodName::Lottery]),
            "has no two ways to rank",
        )
    }

    fn draws_none(&self, context: &Context<'_>) -> Option<String> {
        self.unless(context.draws(), "draws no candidates")
    }

    fn adds_up_none(&self, context: &Context<'_>) -> Option<String> {
        let adds_up = context.draws() && context.method.growth().scores_by_step();
        self.unless(
            adds_up || self.round_batches <= 1,
            "does not add up what several batches say of candidates",
        )
    }

    fn replaces_none(&self, context: &Context<'_>) -> Option<String> {
        self.unless(
            context.has_rounds(),
            "has no rounds that replace connections",
        )
    }

    fn has_no_rounds(&self, context: &Context<'_>) -> Option<String> {
        self.unless(
            context.has_rounds() || self.is(&[MethodName::Gradual, MethodName::Topkast]),
            "has no rounds",
        )
    }

    fn ends_no_rounds(&self, context: &Context<'_>) -> Option<String> {
        self.unless(
            context.has_rounds() || self.is(&[MethodName::Gradual]),
            "has no rounds that end",
        )
    }

    fn explores_none(&self, context: &Context<'_>) -> Option<String> {
        self.unless(context.has_rounds(), "has no rounds that explore")
    }

    fn is(&self, methods: &[MethodName]) -> bool {
        methods.contains(&self.method)
    }

    fn unless(&self, has_effect: bool, what: &str) -> Option<String> {
        (!has_effect).then(|| format!("the method {} {what}", self.method))
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<()> {
        check(
            positive(self.gamma, LARGEST_FACTOR),
            "gamma",
            "must be a factor above 0 and at most 1000",
            self.gamma,
        )?;
        check(
            (1..=1 << 16).contains(&self.round_batches),
            "round_batches",
            "must be 1 to 65536 batches",
            self.round_batches,
        )?;
        check(
            self.alpha > 0.0 && self.alpha <= 1.0,
            "alpha",
            "must be above 0 and at most 1",
            self.alpha,
        )?;
        check(
            (1..=100).contains(&self.lottery_cycles),
            "lottery_cycles",
            "must be 1 to 100 prunings",
            self.lottery_cycles,
        )?;
        check(
            (1.0..=LARGEST_RATE).contains(&self.topkast_backward),
            "topkast_backward",
            "must be a factor of at least 1 and at most 1000000",
            self.topkast_backward,
        )?;
        check(
            self.round_every > 0,
            "round_every",
            "must be at least 1 step",
            self.round_every,
        )?;
        let until = self.round_until.unwrap_or(0.0);
        check(
            epoch(until),
            "round_until",
            "must be an epoch from 0 to 4294967295",
            until,
        )
    }

    /// T_end in epochs, for a run of `epochs` epochs: as given, or 0.6 × the epochs.
    pub(super) fn until(&self, epochs: u32) -> f64 {
        let share = ROUND_UNTIL_SHARE * f64::from(epochs);
        // The number that people would write: 3.6 for 6 epochs rather than 3.5999999999999996, as older versions saved
        // it.
        let plain = (share * 10.0).round() / 10.0;
        match self.round_until {
            Some(until) if until != share => until,
            _ => plain,
        }
    }

    /// When rounds take place in a run of `epochs`, and how much they exchange. `epoch`: steps per epoch.
    pub fn schedule(&self, epochs: u32, epoch: u64) -> Schedule {
        Schedule {
            alpha: self.alpha,
            every: self.round_every,
            until: (self.until(epochs) * epoch as f64).round() as u64,
        }
    }

    /// The method.
    pub fn build_method(&self) -> Box<dyn Method> {
        self.method.build(&MethodOptions {
            lottery_cycles: self.lottery_cycles,
            topkast_backward: self.topkast_backward,
        })
    }
}
