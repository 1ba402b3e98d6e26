//! What is saved comes back bit for bit, and the folder keeps the right ones.

use crate::norms::momentum;
use crate::{CONFIG, Random, bits, names, snapshot};
use proptest::prelude::*;
use rootlet::Error;
use rootlet::checkpoint::{self, NetworkState, NormKind, Progress, Snapshot};
use std::fs;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_model_comes_back(
        seed in any::<u64>(),
        layers in prop::collection::vec((0usize..40, 0usize..40, 0u64..=256), 0..5),
        norms in prop::collection::vec((any::<bool>(), 1usize..20), 0..4),
        (step, epoch, loss, config) in (any::<u64>(), any::<u32>(), any::<f64>(), any::<String>()),
    ) {
        let run = tempfile::tempdir().unwrap();
        let mut random = Random(seed);
        let dense_weights = match seed % 2 {
            0 => Vec::new(),
            _ => layers.iter().map(|&(n_in, n_out, _)| random.reals(n_in * n_out)).collect(),
        };
        let layers = layers.iter().map(|&(n_in, n_out, density)| random.layer(n_in, n_out, density)).collect();
        let norms = norms.iter().map(|&(batch, channels)| {
            random.norm(if batch { NormKind::Batch } else { NormKind::Layer }, channels)
        }).collect();
        let progress = Progress { step, epoch, loss_sum: loss, seconds: -loss, ..Progress::default() };
        let state = NetworkState { layers, optimiser: Some("sgd".into()), parameters: norms, dense_weights };
        let saved = Snapshot { state, progress, ..Snapshot::default() };
        let path = checkpoint::save(run.path(), &saved, &config).unwrap();
        for place in [run.path(), &run.path().join("checkpoints"), &path, &path.join("manifest.json")] {
            let loaded = checkpoint::load(place).unwrap();
            prop_assert_eq!(bits(&loaded.snapshot), bits(&saved));
            prop_assert_eq!(&loaded.manifest.config, &config);
            prop_assert_eq!(&loaded.manifest.progress.step, &step);
            prop_assert_eq!(&loaded.path, &path);
            prop_assert_eq!(&loaded.note, &None);
        }
    }
}

#[test]
fn bytes_in_memory_are_those_of_the_files() {
    let run = tempfile::tempdir().unwrap();
    let saved = snapshot(7, &[8, 8]);
    let path = checkpoint::save(run.path(), &saved, CONFIG).unwrap();
    let [model, manifest] = checkpoint::to_bytes(&saved, CONFIG).unwrap();
    assert_eq!(model, fs::read(path.join("model.safetensors")).unwrap());
    assert_eq!(manifest, fs::read(path.join("manifest.json")).unwrap());
    let loaded = checkpoint::from_bytes([&model, &manifest]).unwrap();
    assert_eq!(bits(&loaded.snapshot), bits(&saved));
    for (of_model, at) in [(true, model.len() / 2), (false, manifest.len() / 2)] {
        let (mut model, mut manifest) = (model.clone(), manifest.clone());
        let changed = if of_model { &mut model } else { &mut manifest };
        changed[at] ^= 1;
        let error = checkpoint::from_bytes([&model, &manifest]).unwrap_err();
        assert!(error.to_string().contains("checksum"), "{error}");
    }
    let error = checkpoint::from_bytes([&model[1..], &manifest]).unwrap_err();
    assert!(error.to_string().contains("bytes instead of"), "{error}");
}

#[test]
fn the_newest_two_are_kept() {
    let run = tempfile::tempdir().unwrap();
    for step in [1, 20, 300] {
        checkpoint::save(run.path(), &snapshot(step, &[8, 8]), CONFIG).unwrap();
    }
    let store = run.path().join("checkpoints");
    assert_eq!(names(&store), ["step-0000000020", "step-0000000300"]);
    assert_eq!(
        names(&store.join("step-0000000300")),
        ["manifest.json", "model.safetensors"]
    );
    assert_eq!(
        checkpoint::load(run.path()).unwrap().snapshot.progress.step,
        300
    );
}

#[test]
fn the_same_step_again_replaces() {
    let run = tempfile::tempdir().unwrap();
    checkpoint::save(run.path(), &snapshot(4, &[8, 8]), "old").unwrap();
    let first = checkpoint::save(run.path(), &snapshot(5, &[8, 8]), "old").unwrap();
    let again = checkpoint::save(run.path(), &snapshot(5, &[8, 9, 8]), "new").unwrap();
    assert_eq!(first, again);
    let loaded = checkpoint::load(&again).unwrap();
    assert_eq!(loaded.manifest.config, "new");
    assert_eq!(loaded.snapshot.state.layers.len(), 2);
    let store = run.path().join("checkpoints");
    assert_eq!(names(&store), ["step-0000000004", "step-0000000005"]);
}

#[test]
fn a_run_that_went_back_leaves_no_later_steps() {
    let run = tempfile::tempdir().unwrap();
    for step in [10, 20, 15] {
        checkpoint::save(run.path(), &snapshot(step, &[8, 8]), CONFIG).unwrap();
    }
    assert_eq!(
        checkpoint::load(run.path()).unwrap().snapshot.progress.step,
        15
    );
    let store = run.path().join("checkpoints");
    assert_eq!(names(&store), ["step-0000000010", "step-0000000015"]);
}

#[test]
fn the_kept_previous_one_is_an_intact_one() {
    let run = tempfile::tempdir().unwrap();
    checkpoint::save(run.path(), &snapshot(10, &[8, 8]), CONFIG).unwrap();
    let damaged = checkpoint::save(run.path(), &snapshot(20, &[8, 8]), CONFIG).unwrap();
    fs::write(damaged.join("model.safetensors"), "").unwrap();
    checkpoint::save(run.path(), &snapshot(30, &[8, 8]), CONFIG).unwrap();
    let store = run.path().join("checkpoints");
    assert_eq!(names(&store), ["step-0000000010", "step-0000000030"]);
}

/// The two moments between the renames when a step is saved again, and what an interrupted save leaves.
#[test]
fn leftovers_are_put_right() {
    let run = tempfile::tempdir().unwrap();
    let store = run.path().join("checkpoints");
    let path = checkpoint::save(run.path(), &snapshot(5, &[8, 8]), "old").unwrap();
    let aside = store.join("step-0000000005.replaced");
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(store.join(".tmp-step-0000000005-99")).unwrap();
    fs::write(
        store.join(".tmp-step-0000000005-99/model.safetensors"),
        "half",
    )
    .unwrap();
    let loaded = checkpoint::load(run.path()).unwrap();
    assert_eq!((loaded.path, loaded.note), (aside.clone(), None));
    checkpoint::save(run.path(), &snapshot(6, &[8, 8]), "new").unwrap();
    assert_eq!(names(&store), ["step-0000000005", "step-0000000006"]);
    checkpoint::load(&path).unwrap();

    fs::create_dir(&aside).unwrap();
    checkpoint::save(run.path(), &snapshot(7, &[8, 8]), "new").unwrap();
    assert_eq!(names(&store), ["step-0000000006", "step-0000000007"]);
}

#[test]
fn a_model_that_breaks_the_rules_is_not_saved() {
    let run = tempfile::tempdir().unwrap();
    let mut wrong = snapshot(5, &[8, 8]);
    wrong.state.layers[0].state = momentum(vec![0.0]);
    let error = checkpoint::save(run.path(), &wrong, CONFIG).unwrap_err();
    assert!(
        matches!(&error, Error::Shape(misfit) if misfit.to_string().contains("momentum")),
        "{error}"
    );
    assert!(!run.path().join("checkpoints").exists());
}
