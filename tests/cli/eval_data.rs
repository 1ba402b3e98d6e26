//! Checkpoints on their own: what they know about their data.

use std::fs;

use crate::data::{TRAIN, json, photos, with};
use crate::{Desk, newest, text};
use serde_json::Value;

/// The recipe of `docs/checkpoints.md`, on the files alone: it finds what `eval` finds.
#[test]
fn a_checkpoint_suffices_to_compute_what_the_network_computes() {
    let desk = Desk::new();
    let run = desk.small(&["--limit=0"]);
    let folder = newest(&run);
    let manifest = json(&fs::read_to_string(folder.join("manifest.json")).unwrap());
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let words = |layer: usize, name: &str| -> Vec<[u8; 4]> {
        let tensor = tensors.tensor(&format!("layers.{layer}.{name}")).unwrap();
        tensor.data().as_chunks().0.to_vec()
    };
    let reals = |layer, name| -> Vec<f32> {
        words(layer, name)
            .into_iter()
            .map(f32::from_le_bytes)
            .collect()
    };
    let indices = |layer, name| -> Vec<usize> {
        let words = words(layer, name).into_iter();
        words
            .map(|word| u32::from_le_bytes(word) as usize)
            .collect()
    };
    let number = |value: &Value| value[0].as_f64().unwrap() as f32;
    let data = &manifest["data"];
    let normalisation = &data["normalisation"];
    let (mean, std) = (
        number(&normalisation["mean"]),
        number(&normalisation["std"]),
    );
    let layers = manifest["layers"].as_array().unwrap().len();
    let classify = |image: &[u8]| -> usize {
        let mut x: Vec<f32> = image
            .iter()
            .map(|&p| (f32::from(p) / 255.0 - mean) / std)
            .collect();
        for l in 0..layers {
            let (rows, columns) = (indices(l, "crow_indices"), indices(l, "col_indices"));
            let (values, bias) = (reals(l, "values"), reals(l, "bias"));
            x = rows
                .windows(2)
                .zip(bias)
                .map(|(row, bias)| {
                    let sum: f32 = (row[0]..row[1]).map(|j| values[j] * x[columns[j]]).sum();
                    let y = sum + bias;
                    if l + 1 < layers { y.max(0.0) } else { y }
                })
                .collect();
        }
        (0..x.len()).max_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap()
    };
    let digits = rootlet::data::load(&rootlet::data::DataOptions::default()).unwrap();
    let test = digits.test.memory().unwrap();
    assert_eq!(data["test"]["images"], test.len());
    let hits = (0..test.len()).filter(|&i| classify(test.image(i)) == test.label(i) as usize);
    let accuracy = hits.count() as f64 / test.len() as f64;
    let found = json(&desk.good(&["eval", text(&run), "--json"]).out)["accuracy"]
        .as_f64()
        .unwrap();
    assert!(
        (accuracy - found).abs() <= 1.01 / test.len() as f64,
        "{accuracy} {found}"
    );
    assert!(accuracy > 0.8, "{accuracy}");
}

/// As older versions saved them.
#[test]
fn checkpoints_that_do_not_tell_their_data_are_read() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat", "dog"], 0, 10);
    desk.good(&with(&TRAIN, &["--steps=2"]));
    let run = desk.runs().remove(0);
    let mut checkpoint = rootlet::checkpoint::load(&run).unwrap();
    assert!(checkpoint.snapshot.data.take().is_some());
    rootlet::checkpoint::save(&run, &checkpoint.snapshot, &checkpoint.manifest.config).unwrap();
    let done = desk.good(&["eval", text(&run)]);
    assert!(
        done.err.contains("without the names of its classes"),
        "{done:?}"
    );
    let done = desk.good(&["train", "--resume", text(&run), "--steps=0"]);
    for part in [
        "an older rootlet, which trained on all of train/",
        "epoch 1 was under way, and begins anew",
    ] {
        assert!(done.err.contains(part), "{done:?}");
    }
    // Eight epochs of four steps after the earlier two.
    assert!(done.out.contains("after 34 steps, 8 epochs"), "{done:?}");
}
