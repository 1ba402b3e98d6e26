//! `rootlet eval`: the figures of the run's end again, and clear errors for what does not fit.

use crate::bad_files::idx_folder;
use crate::data::{photos, with};
use crate::{Desk, names, newest, small, text};
use serde_json::Value;
use std::fs;

#[test]
fn evaluation_gives_the_figures_of_the_runs_end() {
    let desk = Desk::new();
    // Every test image is used by both.
    let trained = desk.good(&small(&["--json", "--limit=0", "--epochs=2"]));
    let finished: Value = serde_json::from_str(trained.out.lines().last().unwrap()).unwrap();
    let run = desk.runs().remove(0);
    let checkpoint = newest(&run);
    for path in [&run, &checkpoint, &checkpoint.join("model.safetensors")] {
        let done = desk.good(&["eval", text(path), "--json"]);
        let result: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(result["accuracy"], finished["test_accuracy"]);
        assert_eq!(result["loss"], finished["test_loss"]);
        assert_eq!(result["images"], 355);
    }
    let accuracy = finished["test_accuracy"].as_f64().unwrap() * 100.0;
    let done = desk.good(&["eval", text(&run)]);
    let start = format!("355 test images of digits: accuracy {accuracy:.2} %, loss ");
    assert!(done.out.starts_with(&start), "{done:?}");
    let done = desk.good(&["eval", text(&run), "--limit=10"]);
    assert!(done.out.starts_with("10 test images"), "{done:?}");
    // It was trained on other data than what is loaded here.
    let done = desk.good(&["eval", text(&run), "--limit=2"]);
    assert!(done.err.contains("no test images of 8 of 10"), "{done:?}");
    assert!(!done.err.contains("training images"), "{done:?}");
    let all = desk.good(&["eval", text(&run), "--limit=0", "--threads=1"]);
    assert!(all.out.starts_with(&start), "{all:?}");
}

#[test]
fn data_of_another_shape_are_refused() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let data = idx_folder();
    desk.bad(
        &[
            "eval",
            text(&run),
            "--data=mnist",
            "--data-dir",
            text(data.path()),
        ],
        2,
        &["64 inputs", "mnist has 15 inputs", "--data"],
    );
    desk.bad(&["eval", text(&run), "--data=mnist"], 2, &["--data-dir"]);
    desk.bad(
        &["eval", text(&run), "--data=minst"],
        2,
        &["not minst", "fashion-mnist"],
    );
}

#[test]
fn missing_and_damaged_checkpoints_are_refused() {
    let desk = Desk::new();
    desk.bad(&["eval", "nowhere"], 1, &["nowhere", "does not exist"]);
    desk.bad(&["eval"], 2, &["<CHECKPOINT>"]);
    let run = desk.small(&["--epochs=2"]);
    let checkpoint = newest(&run);
    let other = run
        .join("checkpoints")
        .join(&names(&run.join("checkpoints"))[0]);
    let file = checkpoint.join("model.safetensors");
    let sound = fs::read(&file).unwrap();
    let damage = |bytes: &[u8]| fs::write(&file, bytes).unwrap();
    damage(&sound[..sound.len() - 1]);
    let advice = format!("{} is intact", text(&other));
    let parts = ["model.safetensors has", "bytes instead of", &advice];
    desk.bad(&["eval", text(&checkpoint)], 1, &parts);
    for place in [0, 20, sound.len() / 2, sound.len() - 1] {
        let mut bytes = sound.clone();
        bytes[place] ^= 0x10;
        damage(&bytes);
        desk.bad(
            &["eval", text(&checkpoint)],
            1,
            &["fails its checksum", &advice],
        );
    }
    // The run's folder still works, with the earlier checkpoint.
    let done = desk.good(&["eval", text(&run)]);
    assert!(
        done.err.starts_with("note: going back to checkpoint"),
        "{done:?}"
    );
    fs::remove_file(&file).unwrap();
    desk.bad(
        &["eval", text(&checkpoint)],
        1,
        &["model.safetensors is missing"],
    );
    fs::write(checkpoint.join("manifest.json"), "[]").unwrap();
    desk.bad(&["eval", text(&checkpoint)], 1, &["manifest.json"]);
}

/// Testing needs no training images.
#[test]
fn a_folder_of_test_images_alone_is_enough() {
    let desk = Desk::new();
    let classes = ["ant", "bee", "cat"];
    photos(&desk.path("data/train"), &classes, 0, 12);
    photos(&desk.path("data/val"), &classes, 40, 4);
    let train = ["train", "--data=image-folder", "--image-size=16"];
    let more = ["--model=mlp", "--hidden=16", "--batch=8", "--epochs=1"];
    desk.good(&with(
        &train,
        &[&more[..], &["--data-dir=data", "--runs=runs"]].concat(),
    ));
    let run = desk.runs().remove(0);
    let eval = |dir: &str| {
        let dir = format!("--data-dir={dir}");
        desk.good(&["eval", text(&run), &dir, "--json"])
    };
    let whole = eval("data");
    fs::create_dir(desk.path("alone")).unwrap();
    fs::rename(desk.path("data/val"), desk.path("alone/val")).unwrap();
    let alone = eval("alone");
    assert_eq!(alone.out, whole.out);
    let note =
        "there is no folder `train` in alone: the classes are those of the test images in val/";
    assert!(
        alone.err.contains(note) || alone.err.contains("no folder `train` in alone"),
        "{alone:?}"
    );
    assert!(!alone.err.contains("training images"), "{alone:?}");
    // Some of the classes, under the network's own numbers.
    fs::remove_dir_all(desk.path("alone/val/ant")).unwrap();
    let some: Value = serde_json::from_str(&eval("alone").out).unwrap();
    assert_eq!(some["images"], 8);
    // A training needs both, and so does a check.
    let needs = ["no folder `train`"];
    desk.bad(
        &with(&train, &["--data-dir=alone", "--runs=runs"]),
        1,
        &needs,
    );
    desk.bad(&["data", "check", "--data-dir=alone"], 1, &needs);
}
