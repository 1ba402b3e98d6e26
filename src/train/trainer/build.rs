//! From a configuration to a trainer: the network on its device, its data, its schedules.

use super::Trainer;
use super::begin;
use super::dense_weights::DenseWeights;
use super::resident::reside;
use super::trained_images::TrainedImages;
use super::weights::Weighing;
use crate::checkpoint::Progress;
use crate::data::{Dataset, Mixing, Operations, TargetKind, TestPart};
use crate::engine::Device;
use crate::error::option::{CUTMIX, EXCHANGE, MICRO_BATCH, RAND_AUGMENT, ROUND_BATCHES};
use crate::error::{Error, Refusal, Remedies, Result};
use crate::model::Model;
use crate::network::{Network, NetworkOptions};
use crate::topology::Candidates;
use crate::topology::from_dense::Start;
use crate::train::TrainConfig;
use crate::train::describe;
use crate::train::exploration::{Exploration, SAMPLE};
use crate::train::initial::{Initial, initial_weights};
use crate::train::phases::Phases;
use crate::train::remarks;
use crate::train::setup::Setup;

impl Trainer {
    /// Draws a network as `config` says and puts it on `device`.
    ///
    /// # Errors
    /// The configuration cannot be used, or the device is too small.
    pub fn new(device: Device, config: TrainConfig, data: Dataset) -> Result<Self> {
        let setup = Setup::new(&config, &data)?;
        Self::with_setup(device, config, data, setup)
    }

    /// Like [`Trainer::new`], with parts of your own, such as a model, a method or an optimiser: what the configuration
    /// says about those is ignored.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rootlet::optim::Sgd;
    /// use rootlet::prelude::*;
    ///
    /// let digits = data::load(&DataOptions::default())?;
    /// let config = TrainConfig::default();
    /// let setup = Setup { optimiser: Arc::new(Sgd::PLAIN), ..Setup::new(&config, &digits)? };
    /// let trainer = Trainer::with_setup(Device::cpu(1)?, config, digits, setup)?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::new`]; or the parts do not suit the data, or the data fail [`Dataset::check`].
    pub fn with_setup(
        device: Device,
        config: TrainConfig,
        data: Dataset,
        setup: Setup,
    ) -> Result<Self> {
        let initial = initial_weights(&config, &setup.model, &data)?;
        Self::build(device, config, data, setup, initial)
    }

    /// As [`Trainer::new`], to be [restored](Trainer::restore): the weights that the run began with are not needed,
    /// unless its method returns to them.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub(crate) fn to_go_on(device: Device, config: TrainConfig, data: Dataset) -> Result<Self> {
        let setup = Setup::new(&config, &data)?;
        match setup.method.start().stages() {
            1 => Self::build(device, config, data, setup, None),
            _ => Self::with_setup(device, config, data, setup),
        }
    }

    fn build(
        device: Device,
        config: TrainConfig,
        data: Dataset,
        mut setup: Setup,
        initial: Option<Initial>,
    ) -> Result<Self> {
        let mut config = config.resolve()?;
        data.check()?;
        config.task.check(&data)?;
        let augmentation = config.augmentation()?;
        let (operations, mixing) = (config.data.operations()?, config.data.mixing()?);
        check_varied(&setup, &data, operations, mixing)?;
        setup.check(&data)?;
        Self::check_best_metric(&config, &setup)?;
        let weighing = Weighing::new(&mut config, &data, &setup.loss)?;
        setup.loss = weighing.loss;
        let class_weights = weighing.of_label;
        let (model, method) = (&setup.model, &setup.method);
        let evaluates = data.test_part != TestPart::Unwanted;
        if data.test.is_empty() && data.validation.is_none() && evaluates {
            return Err(Error::Nothing {
                what: format!(
                    "tested: the data set {} has no test {samples}s, and training {samples}s test nothing; add some",
                    data.name,
                    samples = data.sample()
                ),
            });
        }
        let requested = config.model.allocate(model)?;
        let start = method.start();
        admit(&device, model, &requested, start, setup.optimiser.bytes())?;
        let (state, began) = begin::state(
            model,
            &config,
            method.as_ref(),
            &requested,
            initial.as_ref(),
        )?;
        let mut options = NetworkOptions {
            micro_batch: config.machine.micro_batch,
            loss: setup.loss.clone(),
            metric: setup.metric.clone(),
            weighted: class_weights.is_some() || data.train.source().is_weighted(),
            mixed: !mixing.is_none(),
            optimiser: setup.optimiser.clone(),
            clip: config.optimiser.build_clip()?,
            scope: config.topology.scope,
            dense_above: config.machine.dense_above,
            fused: config.machine.fused,
            gamma: config.topology.gamma,
            distinct: config.topology.distinct_candidates,
            round_batches: config.topology.round_batches,
            recompute: config.machine.checkpoint_activations,
            activations: config.machine.activations,
            exchange: config.machine.exchange,
            class: begin::class_of(method.as_ref(), &state, model),
            forward: config.forward(model, method.as_ref())?,
            // No batch has more images than there are.
            ..NetworkOptions::of_batch(config.run.batch.min(data.train.len().max(1)))
        };
        let mut network = Network::new(&device, model, &state, &options, method.as_ref())?;
        options.micro_batch = Some(network.micro_batch());
        let dense_weights = DenseWeights::new(&device, &state.dense_weights)?;
        let follows = config.topology.statistics && network.round.is_dynamic();
        let exploration = follows.then(|| Exploration::new(&state.layers, &[]));
        if follows {
            network.round.keep_sample(SAMPLE);
        }
        let mut trained = TrainedImages::nothing();
        if let Some(initial) = &initial {
            trained.before.clone_from(&initial.learned);
        }
        let mut notes: Vec<String> = (remarks::left_out(&data.bad_images()).into_iter()).collect();
        // Reported at the start, and beside the result.
        let mut qualifying = [data.untaught.clone(), data.notes.clone()].concat();
        qualifying.extend(began);
        if model.name() == config.model_for(data.shape) {
            notes.extend(config.model_note(data.shape));
            if config.model_name() != model.name() {
                // Only the data set's files told how large its images are.
                config.model.name = model.name().to_owned();
            }
        }
        if setup.tells_classes() {
            qualifying.extend(remarks::single_class(data.classes));
        }
        let stages = method.start().stages();
        let past_the_end = remarks::past_the_end(&config, data.sample(), data.train.len(), stages);
        if config.machine.micro_batch.is_none() && network.micro_batch() < options.batch {
            let micro = network.micro_batch();
            qualifying.push(match device.ranks() {
                Some(ranks) => Self::dealt(ranks, options.batch, micro),
                None => format!(
                "a batch of {} does not fit this device at once: it is trained in parts of {micro} whose gradients add \
                 up ({MICRO_BATCH} {micro}); batch norms see a part at a time",
                options.batch
            ),
            });
            // This is part of what repeats the run: a part divides the batch, which has no more images than there are.
            config.run.batch = options.batch;
            config.machine.micro_batch = Some(micro);
        } else if let Some(ranks) = device.ranks() {
            qualifying.push(Self::dealt(ranks, options.batch, network.micro_batch()));
        }
        if network.micro_batch() < options.batch && method.growth().candidates() == Candidates::All
        {
            qualifying.push(format!(
                "{} scores by the first part of a batch alone, {} samples: a running list of the best cannot add up \
                 scores over parts",
                method.name(),
                network.micro_batch()
            ));
        }
        if config.machine.exchange.is_half() {
            qualifying.push(match device.ranks() {
                Some(_) => format!(
                    "the ranks' gradients travel in {}, rounded, and so do their sums",
                    config.machine.exchange
                ),
                None => format!(
                    "{EXCHANGE} {} has no effect in one process",
                    config.machine.exchange
                ),
            });
        }
        if config.topology.round_batches > 1
            && network.round.is_dynamic()
            && network.round.further_pass().is_none()
        {
            qualifying.push(format!(
                "{ROUND_BATCHES} {} has no effect: {} does not add up scores over batches",
                config.topology.round_batches,
                method.name()
            ));
        }
        let resident = reside(&device, &network, &config, &data, augmentation)?;
        let epoch = data.train.batches(config.run.batch);
        let schedule = config.topology.schedule(config.run.epochs, epoch);
        Ok(Trainer {
            flops: {
                let used = options.forward.as_ref().map(|f| f.counts.as_slice());
                describe::step_flops(model, network.round.active(), used)
            },
            qualifying,
            past_the_end,
            exploration,
            phases: Phases::new(0),
            device,
            config,
            record: data.record(),
            changes: Vec::new(),
            trained,
            initial,
            data,
            setup,
            network,
            options,
            requested,
            dense_weights,
            augmentation,
            operations,
            mixing,
            class_weights,
            resident,
            notes,
            schedule,
            progress: Progress::default(),
            checking: None,
            unread: 0..0,
            unheard: None,
            unlike: false,
        })
    }
}

/// Refuses to vary samples that are not images as images, and to mix samples of one class if the loss does not support
/// it.
fn check_varied(
    setup: &Setup,
    data: &Dataset,
    operations: Operations,
    mixing: Mixing,
) -> Result<()> {
    let is_image = data.shape.height * data.shape.width > 1;
    let images = [
        (RAND_AUGMENT, !operations.is_none()),
        (CUTMIX, mixing.cuts()),
    ];
    if let Some((option, _)) = images.into_iter().find(|(_, asked)| *asked && !is_image) {
        return Err(Error::refused(Refusal::NotImages {
            option,
            data: data.name.clone(),
        }));
    }
    let is_class = data.train.targets() == TargetKind::Labels;
    if !mixing.is_none() && is_class && !setup.is_cross_entropy() {
        return Err(Error::refused(Refusal::MixedClasses {
            loss: setup.loss.name(),
        }));
    }
    Ok(())
}

/// Refuses what the device cannot hold before the connections are drawn, which can take minutes. `state`: bytes of the
/// optimiser for each trained number.
fn admit(
    device: &Device,
    model: &Model,
    requested: &[u64],
    start: Start<'_>,
    state: u64,
) -> Result<()> {
    let shapes = model.shapes();
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
    let dense = sum(&mut shapes.iter().map(|s| s.dense()));
    let requested = sum(&mut requested.iter().copied());
    // Connections, and the words that each has at least while it is trained or chosen from.
    let state = state.div_ceil(4);
    let (connections, words) = match start {
        Start::Random => (requested, 6 + state),
        Start::Dense(_) => (dense, 2 + state),
        Start::Chosen(_) => (dense, 1),
        Start::Backed(factor) => ((requested as f64 * factor) as u64, 6 + state),
    };
    let bytes = |count: u64, words: u64| count.saturating_mul(4 * words);
    device.admit(
        "connections",
        bytes(connections, 1),
        bytes(connections, words),
    )?;
    if let Start::Backed(_) = start {
        let largest = shapes.iter().map(|s| s.dense()).max().unwrap_or(0);
        device.admit("reserve", bytes(largest, 1), bytes(dense, 1))?;
    }
    // No part of a batch has fewer lanes.
    let sizes = model.nodes().iter().map(|n| n.extent().size() as u64);
    let image = bytes(sizes.max().unwrap_or(0), 4);
    let label = format!("activations of {} for a single sample", model.name());
    device
        .admit(&label, image, image)
        .map_err(|error| match error {
            Error::Limit {
                buffer,
                bytes,
                limit,
                what,
                ..
            } => Error::Limit {
                buffer,
                bytes,
                limit,
                what,
                remedies: Remedies::ONE_IMAGE,
            },
            other => other,
        })
}
