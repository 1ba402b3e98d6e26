//! The plans of a pass, an evaluation and an update, from a model's nodes.

use std::ops::RangeInclusive;

use super::checkpointing::segments;
use super::recorder::{PassOptions, Recorder, Values};
use crate::engine::{Buffer, Class, Grid, Plan, Precision, View};
use crate::error::Result;
use crate::layer::pass::Mode;
use crate::layer::{BatchMetrics, BatchMetricsParams};
use crate::loss::{Comparison, Weigh, WeighParams};
use crate::network::options::NetworkOptions;
use crate::network::phase;
use crate::network::ring::RING;
use crate::optim::{Averaged, Group, StateArray, StateBuffers, Update};

/// A group of numbers that the optimiser trains.
struct Trained {
    of: Group,
    count: usize,
    gradient: View,
    weights: View,
    state: Vec<(StateArray, View)>,
}

impl Recorder<'_> {
    /// The forward pass of an evaluation, with loss and metrics.
    pub fn evaluation(&self) -> Result<Plan> {
        let mut plan = Plan::new("evaluation step");
        plan.phase(phase::EVALUATION);
        let mut values = self.start(&mut plan)?;
        for node in 1..self.model.nodes().len() {
            self.forward(&mut plan, &mut values, node, Mode::Evaluate)?;
        }
        self.loss(&mut plan, &mut values, false, Some(&self.buffers.test_ring))?;
        Ok(plan)
    }

    /// Forward and backward pass of training, without the update.
    pub fn pass(&self, options: PassOptions<'_>) -> Result<Plan> {
        let mut plan = Plan::new("training pass");
        let pass = options.pass;
        if let Some(round) = self.round {
            plan.phase(phase::ROUND);
            round.begin_pass(&mut plan, pass.observes)?;
        }
        plan.phase(phase::FORWARD);
        let mut values = self.start(&mut plan)?;
        if !pass.gradients {
            // They come with the input's gradients, requested or not.
            let words = self.parameters.words();
            let label = "unwanted gradients of parameters";
            values.parameters.gradient = self.device.transient(label, Class::Scratch, words);
        }
        let mode = match pass.gradients {
            true => Mode::Train,
            false => Mode::Again,
        };
        for node in 1..self.model.nodes().len() {
            self.forward(&mut plan, &mut values, node, mode)?;
        }
        // Loss and score of a batch are counted once.
        let ring = pass.gradients.then_some(&self.buffers.train_ring);
        self.loss(&mut plan, &mut values, true, ring)?;
        plan.phase(phase::BACKWARD);
        values.slices = self.slices(&options)?;
        let whole = vec![1..=self.model.nodes().len() - 1];
        let segments = match (self.options.keep, self.options.recompute) {
            (true, _) => whole,
            (false, true) => segments(self.model),
            (false, false) => {
                self.drop_restorable(&mut values);
                whole
            }
        };
        for (number, segment) in segments.iter().enumerate().rev() {
            if number + 1 < segments.len() {
                self.again(&mut plan, &mut values, segment)?;
            }
            for node in segment.clone().rev() {
                self.backward(&mut plan, &mut values, node, &options)?;
            }
        }
        if let Some(slices) = &values.slices {
            let (rows, gradient) = (self.arena.rows.all(), self.arena.gradient.all());
            slices.merge(&mut plan, rows, gradient, options.accumulate)?;
        }
        Ok(plan)
    }

    /// Drops the values of layers that can restore them from their one input: when the backward pass reads one, a
    /// single pass over that input, which it reads anyway, recomputes it. For a ResNet that takes a quarter less memory
    /// and a twentieth more time.
    fn drop_restorable(&self, values: &mut Values) {
        let last = self.model.nodes().len() - 1;
        for (n, node) in self.model.nodes()[..last].iter().enumerate() {
            if node.layer().restores() && node.inputs().len() == 1 {
                values.value[n] = None;
            }
        }
    }

    /// Recomputes the values within a segment from the one that it begins with.
    fn again(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        segment: &RangeInclusive<usize>,
    ) -> Result<()> {
        let end = values.value[*segment.end()].clone();
        for node in segment.clone() {
            self.forward(plan, values, node, Mode::Again)?;
        }
        // The value that the next segment began with stays unchanged.
        values.value[*segment.end()] = end;
        Ok(())
    }

    fn loss(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        training: bool,
        ring: Option<&Buffer>,
    ) -> Result<()> {
        let f = self.buffers;
        let last = self.model.nodes().len() - 1;
        if let Some(ones) = &f.ones {
            values.delta[last] = Some(ones.all());
            return Ok(());
        }
        let delta = self.tensor(last, "delta", self.words(last), Precision::F32)?;
        let comparison = Comparison {
            device: self.device,
            outputs: self.model.classes(),
            lanes: self.lanes(),
            training,
            step: f.step.all(),
            output: f.logits.all(),
            targets: f.targets.all(),
            mixed: match (&f.mixed, training) {
                (Some(mixed), true) => Some(mixed.each_ref().map(Buffer::all)),
                _ => None,
            },
            delta: delta.clone(),
            losses: f.losses.all(),
            scores: f.scores.all(),
        };
        let NetworkOptions { loss, metric, .. } = &self.options;
        let metric = metric.as_deref().filter(|&metric| !loss.finds(metric));
        if let (Some(ring), None, true) = (ring, metric, self.options.fuses(self.device))
            && !(training && f.weights.is_some())
            && loss.record_with_sums(plan, &comparison, &ring.all(), RING)?
        {
            values.delta[last] = Some(delta);
            return Ok(());
        }
        loss.record(plan, &comparison)?;
        if let (Some(weights), true) = (&f.weights, training) {
            let kernel = Weigh {
                params: WeighParams {
                    outputs: comparison.outputs as u32,
                    lanes: comparison.lanes as u32,
                },
                weights: weights.all(),
                delta: delta.clone(),
                losses: comparison.losses.clone(),
            };
            plan.dispatch(kernel, Grid::Items(comparison.lanes))?;
        }
        if let (Some(metric), Some(_)) = (metric, ring) {
            metric.record(plan, &comparison)?;
        }
        values.delta[last] = Some(delta);
        let Some(ring) = ring else {
            return Ok(());
        };
        plan.dispatch(
            BatchMetrics {
                params: BatchMetricsParams {
                    lanes: self.lanes() as u32,
                    slots: RING as u32,
                },
                step: f.step.all(),
                losses: f.losses.all(),
                scores: f.scores.all(),
                ring: ring.all(),
            },
            Grid::Groups(1),
        )
    }

    /// The optimiser's update of everything.
    pub fn update(&self) -> Result<Plan> {
        let mut plan = Plan::new("update");
        plan.phase(phase::OPTIMISER);
        if let (Some(set), Some(forward)) = (self.forward, &self.options.forward) {
            set.decay(&mut plan, self.arena, forward.decay)?;
        }
        let groups = self.groups();
        if let (Some(clip), Some(limit)) = (&self.buffers.clip, self.options.clip) {
            let gradients = groups.each_ref().map(|g| (g.count, g.gradient.clone()));
            clip.record(&mut plan, limit, &gradients)?;
        }
        let updates = groups.each_ref().map(|group| {
            let views = [group.gradient.clone(), group.weights.clone()];
            let step = self.buffers.step.all();
            Update::new(group.of, group.count, step, views, &group.state)
        });
        let optimiser = &self.options.optimiser;
        let fuses = self.options.fuses(self.device);
        if !fuses || !optimiser.step_together(&mut plan, self.device, &updates)? {
            for update in &updates {
                optimiser.step(&mut plan, update)?;
            }
        }
        Ok(plan)
    }

    /// Exchanges weights and averages; `None` if there are no averages.
    pub fn exchange(&self) -> Result<Option<Plan>> {
        let mut plan = Plan::new("exchange of weights and averages");
        plan.phase(phase::EVALUATION);
        let mut is_there = false;
        for group in self.groups() {
            is_there |= Averaged::exchange(&mut plan, group.count, &group.weights, &group.state)?;
        }
        Ok(is_there.then_some(plan))
    }

    /// All that is trained.
    fn groups(&self) -> [Trained; 3] {
        let (a, p) = (self.arena, self.parameters);
        let dense = p.state.as_ref().map_or(Vec::new(), StateBuffers::arrays);
        let of = |of, count, gradient: &Buffer, weights: &Buffer, state| Trained {
            of,
            count,
            gradient: gradient.all(),
            weights: weights.all(),
            state,
        };
        [
            of(
                Group::Connections,
                a.connections,
                &a.gradient,
                &a.weights,
                a.state.arrays(),
            ),
            of(
                Group::Biases,
                a.n_rows,
                &a.bias_gradient,
                &a.bias,
                a.bias_state.arrays(),
            ),
            of(Group::Dense, p.words(), &p.gradient, &p.values, dense),
        ]
    }
}
