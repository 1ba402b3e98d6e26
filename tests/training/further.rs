//! Candidates scored by further batches: their gradients add up, and nothing else of the step changes.

use rootlet::data::{Batch, ImageShape};
use rootlet::engine::{Device, StepState};
use rootlet::model::Model;
use rootlet::network::{Network, NetworkOptions, NetworkState, Part};
use rootlet::topology::MethodName;
use rootlet::topology::{RoundReport, method};
use rootlet::train::{TrainConfig, Trainer};

use crate::{MOMENTUM, NOISE, cpu, digits, gpu, noise_batch, run, small};

const COUNT: usize = NOISE;
const ALPHA: f64 = 0.3;

fn build(model: &str, sparsity: f64) -> (Model, NetworkState) {
    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
    };
    let mut config = TrainConfig::default();
    config.model.name = model.into();
    config.model.hidden = vec![40, 32];
    config.model.width = if model == "mlp" { 1.0 } else { 0.25 };
    config.model.sparsity = sparsity;
    let model = config.build_model(shape, 10).unwrap();
    let counts = config.model.allocate(&model).unwrap();
    let state = NetworkState::initialise(&model, &counts, 3);
    (model, state)
}

/// A step with a round on `parts`, with or without further ones.
fn step(
    device: &Device,
    built: &(Model, NetworkState),
    name: &str,
    rate: f32,
    parts: &[Batch],
    further: &[Batch],
) -> (Network, RoundReport) {
    let options = NetworkOptions {
        micro_batch: Some(COUNT),
        round_batches: 1 + further.len(),
        ..NetworkOptions::of_batch(COUNT * parts.len())
    };
    let m = method(name).unwrap();
    let mut network = Network::new(device, &built.0, &built.1, &options, m.as_ref()).unwrap();
    let state = StepState::whole(1, 0, COUNT * parts.len(), rate);
    let mut more = further.iter().map(|b| Ok(Part::Loaded(b.clone())));
    let more = (!further.is_empty()).then_some(&mut more as _);
    let (report, _) = network
        .train_with_round(device, parts, state, ALPHA, more, None)
        .unwrap();
    (network, report)
}

/// At a learning rate of zero, a batch and three further ones rank the candidates like the four parts of one batch:
/// their gradients are the same sums except for a factor of four, and weights do not move.
fn further_batches_add_up(device: Device) {
    let built = build("mlp", 0.9);
    let batches = [1, 2, 3, 4].map(noise_batch);
    let (parts, _) = step(&device, &built, "gse-uniform", 0.0, &batches, &[]);
    let (further, report) = step(
        &device,
        &built,
        "gse-uniform",
        0.0,
        &batches[..1],
        &batches[1..],
    );
    let (alone, _) = step(&device, &built, "gse-uniform", 0.0, &batches[..1], &[]);
    assert_eq!(report.further_images, 3 * COUNT);
    let topology = |network: &Network| -> Vec<(Vec<u32>, Vec<u32>)> {
        let layers = network.export(&device).unwrap().layers;
        let pairs = layers.into_iter();
        pairs.map(|l| (l.crow_indices, l.col_indices)).collect()
    };
    assert_eq!(topology(&further), topology(&parts));
    // Not by chance: the step's own batch gives another ranking.
    assert_ne!(topology(&further), topology(&alone));
}

#[test]
fn further_batches_add_up_on_cpu() {
    further_batches_add_up(cpu());
}

#[test]
fn further_batches_add_up_on_the_gpu() {
    further_batches_add_up(gpu());
}

/// Norms (parameters, momentum, running statistics), biases, loss and score are those of the same round without further
/// batches; so are the weights that both keep.
#[test]
fn nothing_else_changes() {
    let device = cpu();
    for (model, name) in [
        ("mlp", "gse-uniform"),
        ("resnet20", "gse-uniform"),
        ("resnet20", "gse-graest"),
        ("simple-vit-tiny", "gse-grabo"),
    ] {
        let built = build(model, 0.8);
        let batches = [5, 6, 7].map(noise_batch);
        let (alone, _) = step(&device, &built, name, 0.1, &batches[..1], &[]);
        let (further, _) = step(&device, &built, name, 0.1, &batches[..1], &batches[1..]);
        let results = |n: &Network| n.train_results(&device, 0..1).unwrap();
        assert_eq!(results(&further), results(&alone), "{model}");
        let (alone, further) = (
            alone.export(&device).unwrap(),
            further.export(&device).unwrap(),
        );
        assert_eq!(further.parameters, alone.parameters, "{model}, {name}");
        let mut kept = 0;
        for (f, a) in further.layers.iter().zip(&alone.layers) {
            assert_eq!(f.bias, a.bias, "{model}, {name}");
            assert_eq!(f.bias_state, a.bias_state, "{model}, {name}");
            let weights: std::collections::BTreeMap<_, _> = a
                .pairs()
                .zip(a.values.iter().zip(a.state.f32(MOMENTUM)))
                .collect();
            for (pair, state) in f.pairs().zip(f.values.iter().zip(f.state.f32(MOMENTUM))) {
                if let Some(before) = weights.get(&pair) {
                    assert_eq!(&state, before, "{model}, {name}, {pair:?}");
                    kept += 1;
                }
            }
        }
        assert!(kept > 100, "{model}");
    }
}

/// A run counts them, and repeats, also in parts and resumed in the middle.
#[test]
fn a_run_counts_further_batches_and_resumes() {
    let mut config = small();
    config.topology.method = MethodName::GseUniform;
    config.topology.distinct_candidates = true;
    config.topology.round_batches = 4;
    config.run.steps = Some(30);
    let data = digits(Some(400));
    let train = |config: &TrainConfig| {
        let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
        let (log, finished) = run(&mut trainer);
        (log, finished.unwrap(), trainer.snapshot().unwrap())
    };
    let (log, finished, end) = train(&config);
    assert_eq!(log.rounds.len(), 2);
    let mut once = config.clone();
    once.topology.round_batches = 1;
    let (_, plain, _) = train(&once);
    // Three more batches per round: forward, backward to the inputs, and the candidates.
    assert!(finished.train_flops > plain.train_flops);
    let mut part = config.clone();
    part.run.steps = Some(15);
    let (_, _, half) = train(&part);
    let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
    trainer.restore(half).unwrap();
    let (_, resumed) = run(&mut trainer);
    assert_eq!(resumed.unwrap().train_flops, finished.train_flops);
    assert_eq!(trainer.snapshot().unwrap().state, end.state);
    config.topology.method = MethodName::Rigl;
    let (log, _, _) = train(&config);
    assert!(
        log.notes.iter().any(|n| n.contains("no effect")),
        "{:?}",
        log.notes
    );
}
