//! The data of a run: which images test, what a checkpoint keeps of them, and what is said where they changed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{Desk, newest, text};

/// Twelve images a class of 16 × 16 pixels, each class of a colour of its own, numbered from `first`.
pub(crate) fn photos(folder: &Path, classes: &[&str], first: usize, count: usize) {
    for name in classes {
        let class = folder.join(name);
        fs::create_dir_all(&class).unwrap();
        // The colour is the name's, so that a class looks the same under any number.
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
    let part = "20 % split off train/ by seed 5";
    assert!(done.out.contains(&format!(" % ({part}), loss")), "{done:?}");
    let run = desk.runs().remove(0);
    let summary = summary(&run);
    assert_eq!(summary["started"]["train_images"], 24);
    assert_eq!(summary["started"]["test_images"], 6);
    assert_eq!(summary["finished"]["test_part"]["split-off"]["share"], 0.2);
    desk.good(&["report", text(&run), "-o", "report.html"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(
        page.contains(&format!("the test images are {part}")),
        "{page}"
    );
    // The same ones are held out of it afterwards.
    let done = desk.good(&["eval", text(&run)]);
    assert!(
        done.out
            .starts_with(&format!("6 test images of image-folder ({part})")),
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
    // Of fewer classes each has the number of its name, not that of its place.
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
    // Nor does a run go on with classes of other names.
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

/// 36 training images at first, then 18: three steps an epoch, then two; the eight epochs are trained all the same, by
/// the schedules of eight epochs.
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
    // Six epochs of two steps after the eight steps of before.
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
    // Unchanged since then: nothing is said.
    let done = desk.good(&["train", "--resume", text(&run), "--epochs=9"]);
    assert_eq!(done.err, "");
    assert!(done.out.contains("after 22 steps, 9 epochs"), "{done:?}");
}

/// The default is a perceptron for small images only.
#[test]
fn photos_get_a_convolutional_model() {
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
    // Widths of a perceptron ask for one, also those of the default, and from a file.
    fs::write(desk.path("widths.toml"), "hidden = [8]\n").unwrap();
    for (more, units) in [
        (&["--hidden=8"][..], "12675-8-2"),
        (&["--hidden=256,256"], "12675-256-256-2"),
        (&["--config=widths.toml"], "12675-8-2"),
    ] {
        let done = desk.good(&with(&large, &[more, &["--sparsity=0.99"]].concat()));
        assert!(done.out.contains(units), "{done:?}");
        let note = "note: the model is mlp, for --hidden is of perceptrons alone";
        assert_eq!(
            done.err.contains(note),
            more[0].starts_with("--hidden"),
            "{done:?}"
        );
    }
    let done = desk.good(&with(&large, &["--image-size=64", "--sparsity=0.99"]));
    assert!(done.out.contains("12288-256-256-2"), "{done:?}");
}

#[test]
fn results_that_mislead_say_so() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee"], 0, 4);
    photos(&desk.path("data/val"), &["bee"], 50, 2);
    let done = desk.good(&with(&TRAIN, &["--quiet"]));
    let lines: Vec<&str> = done.out.lines().collect();
    let starts = [
        "note: there is a single class",
        "note: --batch 8 is more than the 4 training images",
        "note: no round took place",
        "test accuracy 100.00 %",
    ];
    assert_eq!(lines.len(), starts.len(), "{done:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{done:?}");
    }
    // A rate that wrecks the network without a number that is none.
    let wrecked = [
        "train",
        "--hidden=16",
        "--epochs=1",
        "--lr=30",
        "--limit=200",
        "--json",
        "--runs=runs",
    ];
    let done = desk.good(&wrecked);
    let remarks = json(done.out.lines().last().unwrap())["remarks"].to_string();
    assert!(
        remarks.contains("above that of guessing, ln 10 = 2.3026"),
        "{remarks}"
    );
}

#[test]
fn methods_that_never_came_to_a_round_say_so() {
    let desk = Desk::new();
    let train = [
        "train",
        "--hidden=16",
        "--limit=128",
        "--epochs=2",
        "--quiet",
        "--runs=runs",
    ];
    for (more, part) in [
        (&["--method=gse-grabo"][..], "rounds end before step 5"),
        (
            &["--method=set", "--round-until=99"],
            "the run ends at step 8",
        ),
        (
            &["--method=rigl", "--round-every=5"],
            "rounds end before step 5",
        ),
        (&["--method=topkast"], "the run ends at step 8"),
        (
            &["--method=lottery", "--steps=7"],
            "lottery did not come to its last pruning",
        ),
        (
            &["--method=gradual", "--steps=2"],
            "gradual did not come to its last pruning",
        ),
    ] {
        let done = desk.good(&with(&train, more));
        assert!(
            done.out.starts_with("note: ") && done.out.contains(part),
            "{more:?}: {done:?}"
        );
        // At the start it is said as well, in time to change it.
        if part.contains(" step ") {
            let loud: Vec<&str> = with(&train, more);
            let loud: Vec<&str> = loud.into_iter().filter(|word| *word != "--quiet").collect();
            let done = desk.good(&loud);
            assert!(
                done.out.contains("note: no round will take place"),
                "{done:?}"
            );
        }
    }
    for more in [
        &["--method=static"][..],
        &["--method=dense"],
        &["--method=gse-uniform", "--round-every=4"],
        &["--method=topkast", "--round-every=4"],
        &["--method=gradual"],
        &["--method=lottery", "--lottery-cycles=1"],
    ] {
        let done = desk.good(&with(&train, more));
        assert!(!done.out.contains("round"), "{more:?}: {done:?}");
        assert!(!done.out.contains("pruning"), "{more:?}: {done:?}");
    }
}

const HALF: [u8; 39] = *b"\x89PNG\r\n\x1a\n, and then nothing of a picture";

#[test]
fn bad_images_are_named_up_front_or_left_out() {
    let desk = Desk::new();
    for (part, count) in [("train", 6), ("val", 4)] {
        photos(
            &desk.path("data").join(part),
            &["bee", "cat"],
            count * 10,
            count,
        );
    }
    let check = ["data", "check", "--data-dir=data"];
    let sound = desk.good(&check).out;
    assert!(
        sound.contains("12 to train, 8 to test (from val/)"),
        "{sound}"
    );
    assert!(
        sound.contains("\n  cat  6 to train, 4 to test\n"),
        "{sound}"
    );
    assert!(
        !sound.contains("bad") && !sound.contains("copies"),
        "{sound}"
    );
    // Every one is named, of both parts.
    fs::write(desk.path("data/train/bee/61.png"), HALF).unwrap();
    fs::write(desk.path("data/train/cat/62.png"), b"").unwrap();
    fs::write(desk.path("data/val/cat/41.png"), HALF).unwrap();
    let copy = fs::read(desk.path("data/train/cat/60.png")).unwrap();
    fs::write(desk.path("data/val/cat/40.png"), copy).unwrap();
    let done = desk.bad(
        &check,
        1,
        &["bad entries, listed above: 3", "--skip-bad-images"],
    );
    for part in [
        "bee/61.png (the PNG data",
        "cat/62.png (the file is empty)",
        "val/cat/41.png",
    ] {
        assert!(done.out.contains(part), "no {part}: {done:?}");
    }
    assert!(
        done.out
            .contains("1 test images are training images as well"),
        "{done:?}"
    );
    let of = |text: &str, key: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .to_owned();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_ne!(of(&sound, "contents"), of(&done.out, "contents"));
    let json_text = desk.run(&[&check[..], &["--json"]].concat()).out;
    let check = json(&json_text);
    assert_eq!(check["bad"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&check["copies"], &check["train_of_class"]),
        (&1.into(), &serde_json::json!([6, 6]))
    );
    // A run stops at the first, or goes on without all three and lists them.
    desk.bad(
        &with(&TRAIN, &["--quiet"]),
        1,
        &["put a sound copy in its place"],
    );
    let skip = with(
        &TRAIN,
        &[
            "--skip-bad-images",
            "--json",
            "--epochs=2",
            "--round-every=1",
        ],
    );
    let done = desk.good(&skip);
    let events: Vec<Value> = done.out.lines().map(json).collect();
    let end = events.last().unwrap();
    assert_eq!(end["epochs"], 2);
    let remarks = end["remarks"].to_string();
    for part in [
        "3 images could not be read",
        "61.png",
        "62.png (the file is empty)",
        "41.png",
    ] {
        assert!(remarks.contains(part), "no {part} in {remarks}");
    }
    // Every batch is whole; of the test images one is left out.
    let epoch = events
        .iter()
        .find(|event| event["event"] == "epoch")
        .unwrap();
    assert_eq!(epoch["step"], 2);
    let run = desk.runs().pop().unwrap();
    let done = desk.good(&["eval", text(&run), "--json"]);
    assert_eq!(json(&done.out)["images"], 7);
    assert!(
        done.err.contains("left out, for it cannot be read: "),
        "{done:?}"
    );
    // Stopped within the first epoch and resumed, it ends with the same bits.
    let broken = desk.good(&[&skip[..], &["--steps=1"]].concat());
    assert!(broken.out.contains("finished"), "{broken:?}");
    let broken = desk.runs().pop().unwrap();
    desk.good(&["train", "--resume", text(&broken), "--steps=0", "--quiet"]);
    crate::assert_same(&run, &broken);
    // Nothing is left to test by, or of a class to train on.
    for file in [
        "val/bee/40.png",
        "val/bee/41.png",
        "val/bee/42.png",
        "val/bee/43.png",
    ] {
        fs::write(desk.path("data").join(file), HALF).unwrap();
    }
    for file in ["val/cat/40.png", "val/cat/42.png", "val/cat/43.png"] {
        fs::write(desk.path("data").join(file), HALF).unwrap();
    }
    desk.bad(
        &skip,
        1,
        &["val: none of its 8 test images", "rootlet data check"],
    );
    for file in 60..66 {
        fs::write(
            desk.path("data/train/bee").join(format!("{file}.png")),
            HALF,
        )
        .unwrap();
    }
    desk.bad(
        &skip,
        1,
        &["train/bee: none of the class's training images"],
    );
}

#[test]
fn known_sets_are_checked_too() {
    let desk = Desk::new();
    let done = desk.good(&["data", "check", "--data=digits"]);
    assert!(
        done.out
            .contains("1442 to train, 355 to test (the set's own)"),
        "{done:?}"
    );
    desk.bad(&["data", "check"], 2, &["--data-dir"]);
    desk.bad(
        &["data", "check", "--data=digits", "--data-dir=x"],
        2,
        &["--data-dir has no effect here"],
    );
    desk.bad(
        &["data", "check", "--data=minst"],
        2,
        &["--data must be one of digits"],
    );
    desk.bad(
        &["data", "check", "--data-dir=nowhere"],
        1,
        &["nowhere", "there is no such folder"],
    );
}

#[test]
fn flags_without_effect_are_refused_and_values_of_files_stay() {
    let desk = Desk::new();
    desk.bad(
        &["train", "--gamma=2", "--method=static"],
        2,
        &["--gamma has no effect here"],
    );
    let config =
        "gamma = 2.0\nround_every = 7\nhidden = [8]\nepochs = 1\nlimit = 64\nlottery_cycles = 2\n";
    fs::write(desk.path("recipe.toml"), config).unwrap();
    let recipe = [
        "train",
        "--config=recipe.toml",
        "--method=static",
        "--quiet",
    ];
    desk.good(&recipe);
    desk.bad(
        &[&recipe[..], &["--alpha=0.1"]].concat(),
        2,
        &["--alpha has no effect here"],
    );
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 2);
    photos(&desk.path("data/val"), &["bee", "cat"], 50, 1);
    desk.bad(
        &with(&TRAIN, &["--val-split=0.3"]),
        2,
        &["--val-split has no effect", "from val/"],
    );
    assert_eq!(desk.runs().len(), 1);
}

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
        done.err.contains("does not tell the names of its classes"),
        "{done:?}"
    );
    let done = desk.good(&["train", "--resume", text(&run), "--steps=0"]);
    for part in [
        "an older rootlet, which trained on all of train/",
        "epoch 1 was under way, and begins anew",
    ] {
        assert!(done.err.contains(part), "{done:?}");
    }
    // Eight epochs of four steps after the two of before.
    assert!(done.out.contains("after 34 steps, 8 epochs"), "{done:?}");
}
