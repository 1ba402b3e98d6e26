//! The plans of a network, recorded once and placed in memory that they share.

use std::collections::{BTreeMap, BTreeSet};

use super::recorder::{PassOptions, Recorder};
use crate::engine::lifetime::place;
use crate::engine::{Device, Plan, Program};
use crate::error::{Error, Misfit, Result};
use crate::network::options::Purpose;
use crate::network::tiles::{self, TiledPass};
use crate::topology::{Round, StepPass};

pub(in crate::network) struct Programs {
    /// Forward only.
    pub test: Program,
    /// A whole step on a whole batch.
    step: Option<Program>,
    /// By pass, and whether it adds to what earlier parts left.
    passes: BTreeMap<(StepPass, bool), Program>,
    update: Option<Program>,
    /// The weights and their averages change places, where there are averages.
    exchange: Option<Program>,
    /// The pass of a network for gradients alone.
    pub tiles: TiledPass,
}

impl Programs {
    pub fn new(
        device: &Device,
        recorder: &Recorder<'_>,
        round: &Round,
        several_parts: bool,
    ) -> Result<Self> {
        let mut test = recorder.evaluation()?;
        let purpose = recorder.options.purpose;
        if purpose != Purpose::Training {
            let (mut pass, tiles) = match purpose.in_tiles() {
                true => recorder.pass_in_tiles()?,
                false => (Plan::default(), Vec::new()),
            };
            place(device, &mut [&mut test, &mut pass])?;
            return Ok(Programs {
                test: device.prepare(&test)?,
                step: None,
                passes: BTreeMap::new(),
                update: None,
                exchange: None,
                tiles: tiles::prepare(device, &pass, tiles)?,
            });
        }
        let record = |pass: StepPass, accumulate: bool| {
            recorder.pass(PassOptions {
                accumulate,
                ..PassOptions::first(pass)
            })
        };
        let update = recorder.update()?;
        let mut step = None;
        if !several_parts {
            let mut plan = record(StepPass::PLAIN, false)?;
            plan.name = "training step".into();
            plan.append(update.clone());
            step = Some(plan);
        }
        let mut requested = round.passes().to_vec();
        if several_parts {
            requested.push(StepPass::PLAIN);
        }
        let parts: &[bool] = if several_parts {
            &[false, true]
        } else {
            &[false]
        };
        let pairs = requested
            .iter()
            .flat_map(|&pass| parts.iter().map(move |&more| (pass, more)));
        let mut keys: BTreeSet<(StepPass, bool)> = pairs.collect();
        if recorder.options.round_batches > 1 {
            // For a further batch; a batch in parts may have it already.
            keys.extend(round.further_pass().map(|pass| (pass, true)));
        }
        let mut plans = BTreeMap::new();
        for (pass, accumulate) in keys {
            plans.insert((pass, accumulate), record(pass, accumulate)?);
        }
        let mut all: Vec<&mut Plan> = vec![&mut test];
        all.extend(step.as_mut());
        all.extend(plans.values_mut());
        place(device, &mut all)?;
        let plain = plans.get(&(StepPass::PLAIN, false));
        let tuned: Vec<&Plan> = [step.as_ref(), plain, Some(&test)]
            .into_iter()
            .flatten()
            .collect();
        device.tune(&tuned)?;
        Ok(Programs {
            test: device.prepare(&test)?,
            step: step.map(|plan| device.prepare(&plan)).transpose()?,
            passes: plans
                .into_iter()
                .map(|(key, plan)| Ok((key, device.prepare(&plan)?)))
                .collect::<Result<_>>()?,
            update: Some(device.prepare(&update)?),
            exchange: (recorder.exchange()?)
                .map(|plan| device.prepare(&plan))
                .transpose()?,
            tiles: Vec::new(),
        })
    }

    /// Whether they are those of a training.
    pub fn train(&self) -> bool {
        self.update.is_some()
    }

    /// The program that exchanges the weights and their averages; `None` if there are no averages.
    pub fn exchange(&self) -> Option<&Program> {
        self.exchange.as_ref()
    }

    /// Whether a step takes its batch at once rather than in parts.
    pub fn takes_whole_batches(&self) -> bool {
        self.step.is_some()
    }

    /// All existing programs.
    pub fn all(&self) -> impl Iterator<Item = &Program> {
        let tiles = self.tiles.iter().map(|(program, _)| program);
        let training = self.step.iter().chain(&self.update).chain(&self.exchange);
        let training = training.chain(tiles);
        training.chain(self.passes.values()).chain([&self.test])
    }

    /// Those of a step without a round, on a whole batch or on one in parts.
    pub fn of_step(&self) -> impl Iterator<Item = &Program> {
        let plain = self
            .passes
            .iter()
            .filter(|((pass, _), _)| *pass == StepPass::PLAIN);
        let plain = plain.map(|(_, program)| program);
        self.step.iter().chain(&self.update).chain(plain)
    }

    /// The passes of a step with a round.
    pub fn of_round(&self) -> impl Iterator<Item = &Program> {
        self.passes.values()
    }

    pub fn step(&self) -> Result<&Program> {
        self.step.as_ref().ok_or_else(missing)
    }

    pub fn pass(&self, pass: StepPass, accumulate: bool) -> Result<&Program> {
        self.passes.get(&(pass, accumulate)).ok_or_else(missing)
    }

    pub fn update(&self) -> Result<&Program> {
        self.update.as_ref().ok_or_else(missing)
    }
}

fn missing() -> Error {
    Error::Shape(Misfit::Undeclared {
        who: "a step".to_owned(),
        what:
            "programs that this network was not made with: it is for evaluation alone, or takes batches in other parts"
                .to_owned(),
    })
}
