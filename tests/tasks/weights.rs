//! Weights of samples and classes, and balanced draws.

use std::sync::Arc;

use crate::common::{Random, devices};
use crate::{INPUTS, Kind, config, data, part, targets};
use rootlet::data::{
    Batch, DataOptions, DataSource, Dataset, ImageShape, Images, Loader, LoaderOptions,
    Normalisation, Order, Targets, Vectors,
};
use rootlet::engine::{Device, StepState};
use rootlet::loss::{BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanSquaredError};
use rootlet::model::mlp;
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::topology::method;
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};

const COUNT: usize = 12;

/// A batch of these samples; the lanes after them are padding.
fn batch(kind: Kind, samples: &[usize], weights: Vec<f32>) -> Batch {
    let source = part(kind, 3, COUNT);
    let lanes = samples.len().next_multiple_of(4);
    let mut inputs = vec![0.0; INPUTS * lanes];
    let drawn = Random(3).reals(COUNT * INPUTS);
    let mut own = Vec::new();
    for (lane, &sample) in samples.iter().enumerate() {
        let x = &drawn[sample * INPUTS..][..INPUTS];
        own.extend_from_slice(x);
        for (feature, &x) in x.iter().enumerate() {
            inputs[feature * lanes + lane] = x;
        }
    }
    assert_eq!(source.features(), INPUTS);
    let laid = |rows: Vec<f32>| {
        let words = rows.len() / samples.len();
        let mut laid = vec![0.0; words * lanes];
        for (at, value) in rows.into_iter().enumerate() {
            laid[at % words * lanes + at / words] = value;
        }
        laid
    };
    let targets = match targets(kind, &own) {
        Targets::Labels(mut labels) => {
            labels.resize(lanes, 0);
            Targets::Labels(labels)
        }
        Targets::Mixed(mixed) => Targets::Mixed(mixed),
        Targets::Flags(flags) => Targets::Flags(laid(flags)),
        Targets::Values(values) => Targets::Values(laid(values)),
    };
    Batch {
        inputs,
        targets,
        weights,
        count: samples.len(),
        index: 0,
    }
}

/// The mean loss and the gradient of a step on a batch in parts.
fn gradient(
    device: &Device,
    loss: &Arc<dyn Loss>,
    outputs: usize,
    parts: &[Batch],
) -> (f32, Vec<f32>) {
    let model = mlp(ImageShape::vector(INPUTS).extent(), &[9], outputs).unwrap();
    let state = NetworkState::initialise(&model, &[30, 12], 5);
    let count: usize = parts.iter().map(|part| part.count).sum();
    let options = NetworkOptions {
        loss: loss.clone(),
        metric: None,
        weighted: true,
        micro_batch: Some(parts[0].count),
        ..NetworkOptions::of_batch(count)
    };
    let method = method("static").unwrap();
    let network = Network::new(device, &model, &state, &options, method.as_ref()).unwrap();
    let step = StepState::whole(1, 0, count, 0.0);
    network.train_parts(device, parts, step).unwrap();
    let loss = network.train_results(device, 0..1).unwrap()[0].loss / count as f32;
    (
        loss,
        device.download(&network.arena().gradient().all()).unwrap(),
    )
}

/// A weighted mean equals that of a batch in which each sample occurs as often as it counts; in parts, too.
#[test]
fn a_sample_counts_as_often_as_its_weight_says() {
    let losses: [(Kind, usize, Arc<dyn Loss>); 4] = [
        (Kind::Labels, 3, Arc::new(CrossEntropy::default())),
        (Kind::Flags, 4, Arc::new(BinaryCrossEntropy::default())),
        (Kind::Values, 2, Arc::new(MeanSquaredError)),
        (Kind::Values, 2, Arc::new(Huber::new(0.3).unwrap())),
    ];
    let counts = [1, 0, 3, 1, 2, 0, 1, 1, 0, 2, 4, 1];
    let repeated: Vec<usize> = (0..COUNT)
        .flat_map(|sample| vec![sample; counts[sample]])
        .collect();
    for (name, device) in devices() {
        for (kind, outputs, loss) in &losses {
            let at = format!("{name}, {}", loss.name());
            let all: Vec<usize> = (0..COUNT).collect();
            // Only the ratio of weights counts.
            let weights = |samples: &[usize]| -> Vec<f32> {
                samples.iter().map(|&s| 0.25 * counts[s] as f32).collect()
            };
            let expected = gradient(
                &device,
                loss,
                *outputs,
                &[batch(*kind, &repeated, Vec::new())],
            );
            for size in [COUNT, 4] {
                let parts: Vec<Batch> = (all.chunks(size))
                    .map(|samples| batch(*kind, samples, weights(samples)))
                    .collect();
                let found = gradient(&device, loss, *outputs, &parts);
                assert!(
                    (found.0 - expected.0).abs() < 1e-5 * expected.0,
                    "{at}: {} {}",
                    found.0,
                    expected.0
                );
                let largest = expected.1.iter().fold(0f32, |most, g| most.max(g.abs()));
                for (found, expected) in found.1.iter().zip(&expected.1) {
                    assert!(
                        (found - expected).abs() < 1e-5 * largest,
                        "{at}, parts of {size}"
                    );
                }
            }
        }
    }
}

fn trained(config: TrainConfig, data: Dataset) -> NetworkState {
    let mut trainer = Trainer::new(Device::cpu(2).unwrap(), config, data).unwrap();
    let mut quiet = |_: &Event| Ok(());
    trainer.run(&mut Hooks::observing(&mut quiet)).unwrap();
    trainer.snapshot().unwrap().state
}

/// Weights of classes equal those of their samples, whichever way they are given.
#[test]
fn weights_of_classes_are_those_of_their_samples() {
    let with = |weights: &str| {
        let mut config = config("gse-grabo");
        config.task.class_weights = weights.to_owned();
        config
    };
    let by_class = trained(with("1,0.5,3"), data(Kind::Labels));
    let train = part(Kind::Labels, 1, 400);
    let of_class = [1.0, 0.5, 3.0];
    let weights = (0..400).map(|at| of_class[train.label(at) as usize]);
    let weighted = train.clone().weighted(weights.collect()).unwrap();
    let test = part(Kind::Labels, 2, 90);
    let by_sample = Dataset::new("functions", ImageShape::vector(INPUTS), weighted, test).unwrap();
    assert_eq!(trained(with("none"), by_sample), by_class);
    assert_ne!(trained(with("none"), data(Kind::Labels)), by_class);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.txt");
    std::fs::write(&file, "2 3\n0 1\n1 0.5\n").unwrap();
    let from_file = with(file.to_str().unwrap());
    let device = Device::cpu(1).unwrap();
    let trainer = Trainer::new(device, from_file.clone(), data(Kind::Labels)).unwrap();
    // A resumed run needs no file.
    assert_eq!(trainer.config().task.class_weights, "1,0.5,3");
    assert_eq!(trained(from_file, data(Kind::Labels)), by_class);
    // Balanced: the number of samples, divided by the number of classes and by the class's own number.
    let mut counts = [0.0f64; 3];
    (0..400).for_each(|at| counts[train.label(at) as usize] += 1.0);
    let own: Vec<String> = counts
        .iter()
        .map(|n| (400.0 / (3.0 * n)).to_string())
        .collect();
    let balanced = trained(with("balanced"), data(Kind::Labels));
    assert_eq!(balanced, trained(with(&own.join(",")), data(Kind::Labels)));
}

/// Images on the device count like those that the host uploads.
#[test]
fn resident_images_have_the_weights_of_their_classes() {
    let options = DataOptions {
        limit: Some(200),
        ..DataOptions::default()
    };
    let digits = rootlet::data::load(&options).unwrap();
    let with = |resident: bool, weights: &str, micro_batch: Option<usize>| {
        let mut config = config("static");
        config.run.epochs = 1;
        config.machine.resident = Some(resident);
        config.machine.micro_batch = micro_batch;
        config.task.class_weights = weights.to_owned();
        config.task.balance = true;
        trained(config, digits.clone())
    };
    let weights = "1,2,3,4,5,5,4,3,2,1";
    assert_eq!(with(true, weights, None), with(false, weights, None));
    assert_eq!(
        with(true, weights, Some(10)),
        with(false, weights, Some(10))
    );
    assert_ne!(with(true, "none", None), with(true, weights, None));
}

/// With several classes per sample, the weights are those of PyTorch's `pos_weight`.
#[test]
fn weights_of_several_classes_reach_the_loss() {
    let with = |weights: &str| {
        let mut config = config("static");
        config.task.class_weights = weights.to_owned();
        trained(config, data(Kind::Flags))
    };
    let plain = with("none");
    assert_eq!(with("1,1,1,1"), plain);
    let balanced = with("balanced");
    assert_ne!(balanced, plain);
    let source = part(Kind::Flags, 1, 400);
    let mut counts = [0.0f64; 4];
    let (mut inputs, mut flags) = (vec![0.0; INPUTS], vec![0.0; 4]);
    for at in 0..400 {
        let draws = rootlet::data::Draws::default();
        source.read(at, draws, &mut inputs, &mut flags).unwrap();
        (counts.iter_mut().zip(&flags)).for_each(|(n, flag)| *n += f64::from(*flag));
    }
    let own: Vec<String> = counts
        .iter()
        .map(|n| ((400.0 - n) / n).to_string())
        .collect();
    assert_eq!(with(&own.join(",")), balanced);
}

/// Epochs are as long as before, and have each class equally often.
#[test]
fn balanced_epochs_have_each_class_as_often() {
    let labels: Vec<u32> = (0..100).map(|at| u32::from(at >= 90)).collect();
    let samples = Vectors::new(1, (0..100).map(|at| at as f32).collect(), labels).unwrap();
    let images: Images = samples.into();
    let normalisation = Normalisation {
        mean: vec![0.0],
        std: vec![1.0],
    };
    let options = LoaderOptions {
        order: Order::Balanced { seed: 3, epoch: 1 },
        ..LoaderOptions::of_batch(32)
    };
    let mut counts = [0; 2];
    let loader = Loader::start(images, ImageShape::vector(1), &normalisation, options).unwrap();
    for batch in loader {
        let batch = batch.unwrap();
        for &label in &batch.labels()[..batch.count] {
            counts[label as usize] += 1;
        }
    }
    assert_eq!(counts, [50, 50]);
    let mut config = config("static");
    let plain = trained(config.clone(), data(Kind::Labels));
    config.task.balance = true;
    assert_ne!(trained(config, data(Kind::Labels)), plain);
}
