//! Weights of another training to begin with: from a checkpoint and from a dense network.

use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::{cpu, digits, run, small, train};
use rootlet::checkpoint::{self, Snapshot};
use rootlet::data::{Dataset, ImageShape, Split};
use rootlet::error::{Error, OtherModel, Refusal};
use rootlet::network::NetworkState;
use rootlet::topology::MethodName;
use rootlet::train::{TrainConfig, Trainer};

fn saved(folder: &Path, snapshot: &Snapshot, config: &TrainConfig) -> PathBuf {
    checkpoint::save(folder, snapshot, &config.to_toml().unwrap()).unwrap();
    folder.to_owned()
}

fn began(config: &TrainConfig, data: &Dataset) -> NetworkState {
    let trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
    trainer.snapshot().unwrap().state
}

fn refused(config: &TrainConfig, data: &Dataset) -> String {
    let trainer = Trainer::new(cpu(), config.clone(), data.clone());
    trainer.map(drop).unwrap_err().to_string()
}

fn same_weights(a: &NetworkState, b: &NetworkState, layers: std::ops::Range<usize>) {
    for (a, b) in a.layers[layers.clone()].iter().zip(&b.layers[layers]) {
        assert_eq!(a.crow_indices, b.crow_indices);
        assert_eq!(a.col_indices, b.col_indices);
        assert_eq!((&a.values, &a.bias), (&b.values, &b.bias));
    }
}

/// The digits, without those of five and above.
fn five_classes() -> Dataset {
    let all = digits(Some(200));
    let few = |part: &rootlet::data::Images| {
        let split = part.memory().unwrap();
        let kept: Vec<usize> = (0..split.len()).filter(|&i| split.label(i) < 5).collect();
        let pixels = kept.iter().flat_map(|&i| split.image(i).to_vec()).collect();
        let labels = kept.iter().map(|&i| split.label(i)).collect();
        Split::new(64, pixels, labels).unwrap()
    };
    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
    };
    let mut data = Dataset::new("five", shape, few(&all.train), few(&all.test)).unwrap();
    data.class_names = all.class_names[..5].to_vec();
    data.normalisation = all.normalisation;
    data
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let data = digits(Some(200));
    let folder = tempfile::tempdir().unwrap();
    let mut config = small();
    config.optimiser.ema = Some(0.9);
    let (log, before) = train(cpu(), &config, &data);
    config.model.init = Some(saved(folder.path(), &before, &config));
    config.optimiser.ema = None;
    let averaged = before.state.averaged().unwrap();
    let state = began(&config, &data);
    same_weights(&state, &averaged, 0..3);
    // It has what the other network learned, and continues better than from the start.
    let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
    let tested = trainer.evaluate().unwrap();
    assert_eq!(tested.accuracy, log.finished.unwrap().test_accuracy);
    assert_eq!(
        trainer.snapshot().unwrap().trained_images,
        before.trained_images
    );
    let (log, result) = run(&mut trainer);
    result.unwrap();
    let told = |part: &str| log.notes.iter().any(|note| note.contains(part));
    assert!(told("connections stay"), "{:?}", log.notes);

    // Stopped and resumed, to the bit; what it began with may be gone by then.
    let mut part = config.clone();
    part.run.steps = Some(5);
    let (_, half) = train(cpu(), &part, &data);
    let (_, whole) = train(cpu(), &config, &data);
    let mut rest = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
    rest.restore(half).unwrap();
    run(&mut rest).1.unwrap();
    assert_eq!(rest.snapshot().unwrap().state, whole.state);

    // Sparser: the largest of each layer. Denser: others besides.
    config.model.sparsity = 0.9;
    let sparser = began(&config, &data);
    for (own, all) in sparser.layers.iter().zip(&averaged.layers) {
        assert!(own.active() < all.active());
        let least = own
            .values
            .iter()
            .fold(f32::INFINITY, |least, w| least.min(w.abs()));
        let larger = all.values.iter().filter(|w| w.abs() > least).count();
        assert!(larger < own.active(), "{larger}");
    }
    config.model.sparsity = 0.5;
    let denser = began(&config, &data);
    for (own, all) in denser.layers.iter().zip(&averaged.layers) {
        let weights = |layer: &rootlet::sparse::LayerState| -> f64 {
            layer.values.iter().map(|w| f64::from(w.abs())).sum()
        };
        assert!(own.active() > all.active());
        assert!((weights(own) - weights(all)).abs() < 1e-3);
    }
}

/// Every method accepts them, including those that begin with a dense network.
#[test]
fn every_method_begins_with_them() {
    let data = digits(Some(96));
    let folder = tempfile::tempdir().unwrap();
    let mut config = small();
    let (_, before) = train(cpu(), &config, &data);
    config.model.init = Some(saved(folder.path(), &before, &config));
    config.run.steps = Some(6);
    config.optimiser.lr = Some(1e-6);
    for method in MethodName::ALL {
        config.topology.method = method;
        config.topology.lottery_cycles = 1;
        let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
        run(&mut trainer).1.unwrap();
        let state = trainer.snapshot().unwrap().state;
        // With a rate of nearly nothing what there is came from the other training.
        let (mut known, mut all) = (0, 0);
        for (own, other) in state.layers.iter().zip(&before.state.layers) {
            let weights: std::collections::BTreeMap<_, _> =
                other.pairs().zip(&other.values).collect();
            for (pair, weight) in own.pairs().zip(&own.values) {
                let expected = weights.get(&pair).map_or(0.0, |w| **w);
                known += usize::from((weight - expected).abs() < 1e-3);
                all += 1;
            }
        }
        assert_eq!(known, all, "{method}");
    }
}

/// The logits of a run before its first step.
fn first_answers(config: &TrainConfig, data: &Dataset, inputs: &[f32]) -> Vec<f32> {
    let trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
    trainer.predict(inputs).unwrap().values().to_vec()
}

#[test]
fn a_wider_network_begins_with_the_same_answers_and_its_new_units_learn() {
    let data = digits(Some(200));
    let inputs: Vec<f32> = (0..16 * 64).map(|n| (n % 17) as f32 / 8.0 - 1.0).collect();
    let mut resnet = small();
    resnet.model.name = "resnet18".into();
    resnet.model.width = 0.0625;
    resnet.model.sparsity = 0.5;
    let wider = [
        (small(), "hidden", MethodName::GseUniform),
        (small(), "hidden", MethodName::Dense),
        (resnet, "width", MethodName::GseUniform),
    ];
    for (mut config, what, method) in wider {
        let folder = tempfile::tempdir().unwrap();
        config.run.epochs = 2;
        let (_, before) = train(cpu(), &config, &data);
        let old = first_answers(&config, &data, &inputs);
        config.model.init = Some(saved(folder.path(), &before, &config));
        let trained = first_answers(&config, &data, &inputs);
        assert_ne!(old, trained);
        match what {
            "hidden" => {
                let widths = &mut config.model.hidden;
                widths[0] += 37;
                widths[1] += 5;
            }
            _ => config.model.width *= 2.0,
        }
        config.topology.method = method;
        let begun = first_answers(&config, &data, &inputs);
        let worst = (begun.iter().zip(&trained))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-5, "{what}, {method}: {worst}");

        let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
        let first = trainer.snapshot().unwrap().state;
        let (log, result) = run(&mut trainer);
        result.unwrap();
        let told = |part: &str| log.notes.iter().any(|note| note.contains(part));
        assert!(told("the network is wider"), "{:?}", log.notes);
        // What leads from new units to old ones is no longer 0, so the new ones take part.
        let last = trainer.snapshot().unwrap().state;
        let (first, last) = (first.layers.last().unwrap(), last.layers.last().unwrap());
        let known = before.state.layers.last().unwrap().n_in as u32;
        let from_new = |layer: &rootlet::sparse::LayerState| -> Vec<f32> {
            let pairs = layer.pairs().zip(&layer.values);
            let new = pairs.filter(|(pair, _)| pair.1 >= known);
            new.map(|(_, weight)| *weight).collect()
        };
        assert!(!from_new(first).is_empty() && from_new(first).iter().all(|w| *w == 0.0));
        assert!(from_new(last).iter().any(|w| *w != 0.0));
    }
}

/// More inputs because the samples are larger are not more channels: the weights would be those of other pixels.
#[test]
fn larger_samples_are_no_wider_network() {
    let data = digits(Some(96));
    let folder = tempfile::tempdir().unwrap();
    let mut config = small();
    config.run.steps = Some(1);
    let (_, before) = train(cpu(), &config, &data);
    config.model.init = Some(saved(folder.path(), &before, &config));
    let shape = ImageShape {
        channels: 1,
        height: 16,
        width: 16,
    };
    let larger = |part: &rootlet::data::Images| {
        let split = part.memory().unwrap();
        let twice = |image: &[u8]| -> Vec<u8> {
            (0..256)
                .map(|at| image[at / 32 * 8 + at % 16 / 2])
                .collect()
        };
        let pixels = (0..split.len()).flat_map(|i| twice(split.image(i)));
        let labels = (0..split.len()).map(|i| split.label(i)).collect();
        Split::new(256, pixels.collect(), labels).unwrap()
    };
    let mut twice = Dataset::new("twice", shape, larger(&data.train), larger(&data.test)).unwrap();
    twice.class_names.clone_from(&data.class_names);
    twice.normalisation = data.normalisation;
    let said = refused(&config, &twice);
    assert!(said.contains("its layer 0 takes 64 inputs"), "{said}");
    config.model.hidden[0] += 16;
    let said = refused(&config, &twice);
    assert!(said.contains("its layer 0 takes 64 inputs"), "{said}");
}

#[test]
fn layers_that_mix_channels_do_not_become_wider() {
    let data = digits(Some(96));
    for model in ["resnet20", "simple-vit-tiny"] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = small();
        config.model.name = model.into();
        config.model.width = 0.125;
        config.run.steps = Some(1);
        let (_, before) = train(cpu(), &config, &data);
        config.model.init = Some(saved(folder.path(), &before, &config));
        config.model.width = 0.25;
        let said = refused(&config, &data);
        assert!(said.contains("mixes channels by their number"), "{said}");
        config.model.width = 0.0625;
        let said = refused(&config, &data);
        assert!(said.contains("others wider"), "{said}");
        let trainer = Trainer::new(cpu(), config.clone(), data.clone());
        let Err(Error::Refused(refused)) = trainer.map(drop) else {
            panic!("{said}");
        };
        let Refusal::InitOfOtherModel { differs, .. } = *refused else {
            panic!("{said}");
        };
        let narrower = |differs: &OtherModel| match differs {
            OtherModel::Layer {
                found, expected, ..
            } => found > expected,
            _ => false,
        };
        assert!(narrower(&differs), "{differs:?}");
    }
}

#[test]
fn other_classes_get_a_new_last_layer_and_other_models_are_refused() {
    let data = digits(Some(200));
    let folder = tempfile::tempdir().unwrap();
    let mut config = small();
    let (_, before) = train(cpu(), &config, &data);
    config.model.init = Some(saved(folder.path(), &before, &config));
    let few = five_classes();
    let state = began(&config, &few);
    assert_eq!(state.layers[2].n_out, 5);
    // The share of connections hardly differs with the last layer.
    for (own, other) in state.layers[..2].iter().zip(&before.state.layers) {
        let weights: std::collections::BTreeMap<_, _> = other.pairs().zip(&other.values).collect();
        let found = own
            .pairs()
            .filter(|pair| weights.contains_key(pair))
            .count();
        assert!(found as f64 > 0.9 * own.active() as f64);
    }
    let mut trainer = Trainer::new(cpu(), config.clone(), few.clone()).unwrap();
    let (log, result) = run(&mut trainer);
    assert!(result.unwrap().test_accuracy > 0.6);
    let told = |part: &str| log.notes.iter().any(|note| note.contains(part));
    assert!(told("the last layer, linear2, is new"), "{:?}", log.notes);

    let mut narrower = config.clone();
    narrower.model.hidden = vec![40, 64];
    let error = refused(&narrower, &data);
    assert!(
        error.contains("its layer 0 takes 64 inputs to 48 outputs"),
        "{error}"
    );
    let mut deeper = config.clone();
    deeper.model.hidden = vec![48, 32, 32];
    let error = refused(&deeper, &data);
    assert!(error.contains("3 layers with connections"), "{error}");
    let mut both = config.clone();
    both.model.init_dense = Some("x".into());
    assert!(refused(&both, &data).contains("both say what to begin with"));
    let mut none = config.clone();
    none.model.init = Some(folder.path().join("nothing"));
    assert!(refused(&none, &data).contains("does not exist"));
}

/// A dense network as PyTorch saves it: pruned by magnitude, kept by methods that begin dense.
#[test]
fn a_run_begins_with_a_dense_network_of_another_program() {
    let data = digits(Some(200));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dense.safetensors");
    let mut config = small();
    config.topology.method = MethodName::Dense;
    let (log, dense) = train(cpu(), &config, &data);
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = (dense.state.layers.iter().enumerate())
        .flat_map(|(l, layer)| {
            let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
            [
                (
                    format!("{}.weight", 2 * l),
                    vec![layer.n_out, layer.n_in],
                    bytes(&layer.values),
                ),
                (
                    format!("{}.bias", 2 * l),
                    vec![layer.n_out],
                    bytes(&layer.bias),
                ),
            ]
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();

    config.model.init_dense = Some(path.clone());
    let whole = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
    same_weights(&whole.snapshot().unwrap().state, &dense.state, 0..3);
    let tested = whole.evaluate().unwrap().accuracy;
    assert_eq!(tested, log.finished.unwrap().test_accuracy);

    config.topology.method = MethodName::GseUniform;
    config.model.sparsity = 0.4;
    let pruned = began(&config, &data);
    for (own, all) in pruned.layers.iter().zip(&dense.state.layers) {
        let mut magnitudes: Vec<f32> = all.values.iter().map(|w| w.abs()).collect();
        magnitudes.sort_by(|a, b| b.total_cmp(a));
        let floor = magnitudes[own.active() - 1];
        assert!(own.values.iter().all(|w| w.abs() >= floor));
        assert_eq!(own.bias, all.bias);
    }
    let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
    let left = trainer.evaluate().unwrap().accuracy;
    assert!(left > 0.8 * tested, "{left} {tested}");
    let (log, _) = run(&mut trainer);
    let told = |part: &str| log.notes.iter().any(|note| note.contains(part));
    assert!(
        told("0.weight as linear0 to 4.weight as linear2"),
        "{:?}",
        log.notes
    );

    let mut other = config.clone();
    other.model.hidden = vec![48, 31];
    let error = refused(&other, &data);
    assert!(error.contains("no tensor for linear1"), "{error}");
    std::fs::write(&path, b"PK\x03\x04 a pickle of PyTorch").unwrap();
    let error = refused(&config, &data);
    assert!(error.contains("safetensors.torch.save_file"), "{error}");
}
