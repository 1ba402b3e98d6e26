//! The data of a run: which images test, what a checkpoint records about them, and what is reported if they changed.

use std::fs;
use std::path::Path;

use crate::{Desk, newest, text};
use serde_json::Value;

/// Twelve images per class of 16 × 16 pixels, each class with its own colour, numbered from `first`.
pub(crate) fn photos(folder: &Path, classes: &[&str], first: usize, count: usize) {
    for name in classes {
        let class = folder.join(name);
        fs::create_dir_all(&class).unwrap();
        // The name determines the colour, so that a class looks the same under any number.
        let colour = name
            .bytes()
            .fold(7u8, |sum, byte| sum.wrapping_mul(31) ^ byte);
        for number in first..first + count {
            let pixels: Vec<u8> = (0..16 * 16)
                .flat_map(|at| [colour, colour.rotate_left(3), (at + number * 3) as u8 / 4])
                .collect();
            let file = fs::File::create(class.join(format!("{number:02}.png"))).unwrap();
            let mut encoder = png::Encoder::new(file, 16, 16);
            encoder.set_color(png::ColorType::Rgb);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&pixels).unwrap();
            writer.finish().unwrap();
        }
    }
}

pub(crate) const TRAIN: [&str; 9] = [
    "train",
    "--data=image-folder",
    "--data-dir=data",
    "--image-size=16",
    "--hidden=16",
    "--batch=8",
    "--epochs=8",
    "--threads=1",
    "--runs=runs",
];

/// A command line of these words and more.
pub(crate) fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let name = |word: &str| word.split('=').next().unwrap().to_owned();
    let kept = words
        .iter()
        .filter(|word| !more.iter().any(|m| name(m) == name(word)));
    kept.chain(more).copied().collect()
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn summary(run: &Path) -> Value {
    json(&fs::read_to_string(run.join("summary.json")).unwrap())
}

#[test]
fn a_folder_called_test_is_the_test_part() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat", "dog"], 0, 4);
    photos(&desk.path("data/test"), &["bee", "cat", "dog"], 50, 2);
    let done = desk.good(&TRAIN);
    assert!(
        done.out.contains("12 to train, 6 to test (from test/)"),
        "{done:?}"
    );
    let run = desk.runs().remove(0);
    assert_eq!(summary(&run)["finished"]["test_part"]["folder"], "test");
    let manifest = json(&fs::read_to_string(newest(&run).join("manifest.json")).unwrap());
    let data = &manifest["data"];
    assert_eq!(data["classes"], serde_json::json!(["bee", "cat", "dog"]));
    assert_eq!(
        (&data["train"]["images"], &data["test"]["images"]),
        (&12.into(), &6.into())
    );
    assert_eq!(data["shape"]["width"], 16);
    assert_eq!(data["normalisation"]["mean"].as_array().unwrap().len(), 3);
    let done = desk.good(&with(&TRAIN, &["--quiet"]));
    let last = done.out.lines().last().unwrap();
    assert!(last.starts_with("test accuracy "), "{done:?}");
}

#[test]
fn what_is_split_off_is_said_in_the_result_the_summary_and_the_report() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat", "dog"], 0, 10);
    let done = desk.good(&with(&TRAIN, &["--quiet", "--val-split=0.2", "--seed=5"]));
    let part = "20 % split off the training images by seed 5";
    let last = done.out.lines().last().unwrap();
    assert!(last.starts_with("validation accuracy "), "{done:?}");
    let best = format!(" % ({part}; weights of epoch ");
    assert!(last.contains(&best), "{done:?}");
    let run = desk.runs().remove(0);
    let summary = summary(&run);
    assert_eq!(summary["started"]["train_images"], 24);
    assert_eq!(summary["started"]["validation_images"], 6);
    assert_eq!(summary["started"]["test_images"], 0);
    let from = &summary["finished"]["validation_part"]["split-off"];
    assert_eq!(from["share"], 0.2);
    assert!(summary["finished"]["test_loss"].is_null());
    desk.good(&["report", text(&run), "-o", "report.html"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(
        page.contains(&format!("the validation images are {part}")),
        "{page}"
    );
    // The same ones are held out of it afterwards.
    let done = desk.good(&["eval", text(&run)]);
    assert!(
        done.out.starts_with(&format!(
            "6 validation images of image-folder ({part}; the best checkpoint"
        )),
        "{done:?}"
    );
    assert_eq!(done.err, "");
    for share in ["0", "1", "-0.1", "nan"] {
        let flag = format!("--val-split={share}");
        desk.bad(
            &with(&TRAIN, &[&flag]),
            2,
            &["--val-split must be above 0 and below 1"],
        );
    }
}

#[test]
fn classes_are_matched_by_their_names() {
    let desk = Desk::new();
    for (part, first) in [("train", 0), ("val", 20)] {
        photos(
            &desk.path("data").join(part),
            &["bee", "cat", "dog"],
            first,
            12,
        );
        photos(
            &desk.path("shifted").join(part),
            &["ant", "bee", "cat"],
            first,
            4,
        );
        photos(&desk.path("fewer").join(part), &["cat", "dog"], first, 4);
    }
    let done = desk.good(&with(&TRAIN, &["--json"]));
    let end = json(done.out.lines().last().unwrap());
    assert_eq!(end["test_accuracy"], 1.0, "{end}");
    let run = desk.runs().remove(0);
    // With fewer classes, each has the number of its name, not that of its place.
    let done = desk.good(&["eval", text(&run), "--data-dir=fewer", "--json"]);
    assert_eq!(json(&done.out)["accuracy"], 1.0, "{done:?}");
    assert!(
        done.err
            .contains("test images: 36 when the run began, 8 now"),
        "{done:?}"
    );
    desk.bad(
        &["eval", text(&run), "--data-dir=shifted"],
        2,
        &["trained on the classes bee, cat, dog", "has others: ant"],
    );
    // Nor is a run resumed with classes of other names.
    fs::rename(desk.path("data/train/dog"), desk.path("data/train/ant")).unwrap();
    fs::rename(desk.path("data/val/dog"), desk.path("data/val/ant")).unwrap();
    desk.bad(
        &["train", "--resume", text(&run), "--epochs=9"],
        2,
        &[
            "other classes",
            "not there now: dog; new: ant",
            "put them back",
        ],
    );
}

/// 36 training images at first, then 18: three steps per epoch, then two. All eight epochs are trained, by the
/// schedules of eight epochs.
#[test]
fn a_run_resumed_on_other_images_says_so_and_keeps_its_epochs() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat", "dog"], 0, 12);
    photos(&desk.path("data/val"), &["bee", "cat", "dog"], 50, 2);
    let steps = ["--batch=12", "--milestones=7"];
    let arguments = with(&TRAIN, &steps);
    // Within the third epoch.
    desk.good(&with(&arguments, &["--steps=8"]));
    let run = desk.runs().remove(0);
    for class in ["bee", "cat", "dog"] {
        for number in 0..6 {
            let image = desk
                .path("data/train")
                .join(class)
                .join(format!("{number:02}.png"));
            fs::remove_file(image).unwrap();
        }
    }
    let done = desk.good(&["train", "--resume", text(&run), "--steps=0"]);
    for part in [
        "note: the data have changed: training images: 36 when the run began, 18 now\n",
        "epoch 3 was under way, and begins anew",
    ] {
        assert!(done.err.contains(part), "{done:?}");
    }
    // Six epochs of two steps after the eight earlier steps.
    assert!(done.out.contains("after 20 steps, 8 epochs"), "{done:?}");
    assert!(
        done.out.contains("note: the data changed during the run"),
        "{done:?}"
    );
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap();
    let rates: Vec<&str> = (metrics.lines().skip(1))
        .map(|row| row.split(',').nth(2).unwrap())
        .collect();
    assert_eq!(
        rates,
        ["0.1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.01"]
    );
    // Unchanged since then: nothing is reported.
    let done = desk.good(&["train", "--resume", text(&run), "--epochs=9"]);
    assert_eq!(done.err, "");
    assert!(done.out.contains("after 22 steps, 9 epochs"), "{done:?}");
}

/// Without a model or a preset, a folder starts from the preset of photos; flags go before it, and what depends on them
/// is left to what is usual.
#[test]
fn a_folder_starts_from_the_preset_of_photos() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 2);
    let print = |more: &[&str]| {
        let done = desk.good(&[&["train", "--print-config"], more].concat());
        let config: toml::Table = done.out.parse().unwrap();
        (config, done.err)
    };
    let folder = "--data=data";
    let (preset, _) = print(&["--preset=photos", folder]);
    let (own, told) = print(&[folder]);
    assert_eq!(own, preset);
    let note = "note: a folder of images starts from the preset photos, here with resnet20 on 32 x 32 pixels";
    assert!(
        told.starts_with(note) && told.lines().count() <= 3,
        "{told}"
    );
    let (named, _) = print(&["--data=image-folder", "--data-dir=data"]);
    assert_eq!(named, preset);
    let (own, _) = print(&[folder, "--epochs=5", "--sparsity=0.8"]);
    assert_eq!(own["epochs"].as_integer(), Some(5));
    assert_eq!(
        (&own["sparsity"], &own["model"]),
        (&0.8.into(), &preset["model"])
    );
    let (own, told) = print(&[folder, "--image-size=96"]);
    assert_eq!((&own["model"], own.get("resize")), (&"auto".into(), None));
    assert!(told.contains("resnet18 on 96 x 96"), "{told}");
    let (own, _) = print(&[folder, "--image-size=48"]);
    assert_eq!((&own["model"], own.get("resize")), (&preset["model"], None));
    let (own, _) = print(&[folder, "--optimiser=adamw", "--milestones=9"]);
    assert_eq!([own.get("lr"), own.get("weight_decay")], [None; 2]);
    assert_eq!(own["lr_schedule"], "milestones".into());
    // Weights of a run bring its model with them.
    let (before, _) = print(&[
        folder,
        "--model=resnet32",
        "--image-size=16",
        "--sparsity=0.7",
    ]);
    desk.good(&[
        "train",
        folder,
        "--model=resnet32",
        "--image-size=16",
        "--sparsity=0.7",
        "--steps=1",
        "--batch=2",
        "--val-split=0.5",
        "--runs=before",
    ]);
    let run = fs::read_dir(desk.path("before")).unwrap().next().unwrap();
    let run = format!("--init={}", run.unwrap().path().display());
    let (own, _) = print(&[folder, &run]);
    for key in ["model", "image_size", "sparsity"] {
        assert_eq!(own[key], before[key], "{key}");
    }
    assert_eq!(own["epochs"], preset["epochs"]);
    for more in [
        "--model=resnet32",
        "--hidden=16",
        "--init-dense=weights.safetensors",
        "--preset=cifar10-resnet56",
    ] {
        let (own, told) = print(&[folder, more]);
        assert!(
            !told.contains("photos") && own["epochs"] != preset["epochs"],
            "{told}"
        );
    }
    let (digits, told) = print(&[]);
    assert!(
        told.is_empty() && digits["model"] == "auto".into(),
        "{told}"
    );
}

/// The default is a perceptron for small images only.
#[test]
pub(crate) fn photos_get_a_convolutional_model() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 2);
    photos(&desk.path("data/val"), &["bee", "cat"], 50, 1);
    let large = with(
        &[
            "train",
            "--data=image-folder",
            "--data-dir=data",
            "--runs=runs",
        ],
        &[
            "--image-size=65",
            "--steps=1",
            "--batch=2",
            "--sparsity=0.98",
        ],
    );
    let done = desk.good(&large);
    for part in [
        "note: the model is resnet18",
        "--model mlp",
        "resnet18, 21 sparse layers",
    ] {
        assert!(done.out.contains(part), "no {part}: {done:?}");
    }
    assert!(text(&desk.runs()[0]).ends_with("image-folder-resnet18-gse-uniform"));
    let done = desk.good(&with(
        &large,
        &["--model=mlp", "--hidden=8", "--sparsity=0.9"],
    ));
    assert!(done.out.contains("12675-8-2"), "{done:?}");
    assert!(!done.out.contains("the model is"), "{done:?}");
    // Widths of a perceptron ask for one, even the default ones, and even from a file.
    fs::write(desk.path("widths.toml"), "hidden = [8]\n").unwrap();
    for (more, units) in [
        (&["--hidden=8"][..], "12675-8-2"),
        (&["--hidden=256,256"], "12675-256-256-2"),
        (&["--config=widths.toml"], "12675-8-2"),
    ] {
        let done = desk.good(&with(&large, &[more, &["--sparsity=0.99"]].concat()));
        assert!(done.out.contains(units), "{done:?}");
        let note = "note: the model is mlp: --hidden is only for perceptrons";
        assert_eq!(
            done.err.contains(note),
            more[0].starts_with("--hidden"),
            "{done:?}"
        );
    }
    let done = desk.good(&with(
        &large,
        &["--image-size=64", "--sparsity=0.99", "--model=auto"],
    ));
    assert!(done.out.contains("12288-256-256-2"), "{done:?}");
}
