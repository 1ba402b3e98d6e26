//! `rootlet model`, and the models by name in `rootlet train`.

use crate::{Desk, model, newest, table, text};
use rootlet::model::MODELS;
use serde_json::Value;
use std::path::PathBuf;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {value}"))
}

#[test]
fn model_alone_lists_the_names_and_each_can_be_shown() {
    let desk = Desk::new();
    let done = desk.good(&["model"]);
    assert_eq!(done.out.lines().collect::<Vec<_>>(), MODELS);
    for name in MODELS {
        let done = desk.good(&["model", name]);
        assert_eq!(done.err, "");
        assert!(
            done.out.starts_with(&format!("{name} for images of 3×")),
            "{done:?}"
        );
    }
}

#[test]
fn a_models_parameters_are_the_published_ones() {
    let desk = Desk::new();
    let done = desk.good(&["model", "resnet56", "--sparsity", "0.98"]);
    for part in [
        "853,018 dense",
        "98.000 % sparse",
        "classifier",
        "10 biases",
    ] {
        assert!(done.out.contains(part), "no `{part}` in {}", done.out);
    }
    let done = desk.good(&["model", "resnet50"]);
    for part in ["224×224", "1,000 classes", "25,557,032 dense"] {
        assert!(done.out.contains(part), "no `{part}` in {}", done.out);
    }
}

#[test]
fn the_json_adds_up() {
    let desk = Desk::new();
    for (name, sparsity) in [("resnet56", "0.98"), ("simple-vit-tiny", "0.9")] {
        let done = desk.good(&["model", name, "--sparsity", sparsity, "--json"]);
        assert_eq!(done.out.lines().count(), 1);
        let count = json(&done.out);
        let layers = count["layers"].as_array().unwrap();
        let (mut active, mut dense) = (0, 0);
        for layer in layers {
            let pairs = number(layer, "n_in") * number(layer, "n_out");
            assert!(number(layer, "active") <= pairs, "{layer}");
            let flops = 2 * number(layer, "active") * number(layer, "positions");
            assert_eq!(layer["forward_flops"].as_f64(), Some(flops as f64));
            active += number(layer, "active");
            dense += pairs;
        }
        assert_eq!(number(&count, "active"), active);
        assert_eq!(number(&count, "dense"), dense);
        let share = 1.0 - sparsity.parse::<f64>().unwrap();
        assert_eq!(active, (share * dense as f64).round() as u64);
        let attention = count["attention_flops"].as_f64().unwrap();
        assert_eq!(attention > 0.0, name == "simple-vit-tiny");
        if name == "resnet56" {
            assert_eq!(layers.len(), 56);
            let parameters = dense + number(&count, "biases") + number(&count, "norms");
            assert_eq!(parameters, 853_018);
        }
    }
}

#[test]
fn connections_stay_when_the_width_grows() {
    let desk = Desk::new();
    let count = |width: &str| {
        let arguments = [
            "model",
            "resnet20",
            "--connections=5400",
            "--width",
            width,
            "--json",
        ];
        json(&desk.good(&arguments).out)
    };
    let (narrow, wide) = (count("1"), count("4"));
    assert_eq!(number(&narrow, "active"), 5400);
    assert_eq!(number(&wide, "active"), 5400);
    assert!(number(&wide, "dense") > 15 * number(&narrow, "dense"));
    let done = desk.good(&["model", "resnet20", "--connections=5400", "--width=4"]);
    assert!(
        done.out.contains("connections     5,400 of 4,"),
        "{}",
        done.out
    );
    // As narrow as its positions allow.
    desk.good(&["model", "simple-vit", "--image=3x32x32", "--width=0.01"]);
}

#[test]
fn mistakes_give_one_clear_line() {
    let desk = Desk::new();
    let image = "--image takes channels, height and width, as in 3x32x32";
    let cases: &[(&[&str], &str)] = &[
        (&["resnet57"], "NAME must be one of mlp, resnet20"),
        (&["resnet20", "--sparsity=1"], "at least 0 and below 1"),
        (&["resnet20", "--sparsity=-0.1"], "at least 0 and below 1"),
        (&["resnet20", "--sparsity=nan"], "at least 0 and below 1"),
        (&["resnet20", "--sparsity=0.99999"], "without a connection"),
        (
            &["resnet20", "--connections=1000000000000"],
            "--connections 1000000000000 are more than the ",
        ),
        (&["resnet20", "--width=0"], "--width must be"),
        (&["resnet20", "--width=-1"], "--width must be"),
        (&["resnet20", "--gamma=0"], "--gamma must be"),
        (&["resnet20", "--classes=0"], "--classes must be at least 1"),
        (&["mlp", "--hidden=0"], "--hidden must list widths"),
        (&["resnet20", "--image=3x32"], image),
        (&["resnet20", "--image=3x32x32x32"], image),
        (&["resnet20", "--image=3x32xabcx32"], image),
        (&["resnet20", "--image=x3x32x32"], image),
        (&["resnet20", "--image=3x0x32"], image),
        (&["resnet20", "--image=3,32,32"], image),
        (&["vgg16-small", "--image=3x8x8"], "max-pool"),
        (&["simple-vit", "--image=3x30x30"], "patches"),
    ];
    for (arguments, part) in cases {
        let done = desk.bad(&[&["model"][..], *arguments].concat(), 2, &[part]);
        assert_eq!(done.err.trim_end().lines().count(), 1, "{done:?}");
        assert_eq!(done.out, "");
    }
    // What clap refuses is shown with the usage.
    desk.bad(&["model", "resnet20", "--sparsity=x"], 2, &["--sparsity"]);
    desk.bad(&["model", "resnet20", "resnet32"], 2, &["resnet32"]);
}

const RESNET: [&str; 10] = [
    "train",
    "--model=resnet20",
    "--width=0.25",
    "--limit=64",
    "--batch=32",
    "--augment=flip",
    "--round-every=1",
    "--round-until=2",
    "--threads=2",
    "--runs=runs",
];

/// Trains a small ResNet with more arguments; gives its folder and its end.
fn resnet(desk: &Desk, more: &[&str]) -> (PathBuf, Value) {
    let before = desk.runs();
    let done = desk.good(&[&RESNET[..], more, &["--json"]].concat());
    assert_eq!(done.err, "");
    let mut new = desk.runs();
    new.retain(|run| !before.contains(run));
    let finished = json(done.out.lines().last().unwrap());
    assert_eq!(finished["event"], "finished");
    (new.remove(0), finished)
}

fn evaluated(desk: &Desk, run: &std::path::Path) -> Value {
    json(&desk.good(&["eval", text(run), "--limit=64", "--json"]).out)
}

#[test]
fn a_resnet_is_trained_evaluated_and_resumed() {
    let desk = Desk::new();
    let (run, finished) = resnet(&desk, &["--epochs=1"]);
    assert!(
        text(&run).ends_with("-digits-resnet20-gse-uniform"),
        "{run:?}"
    );
    assert!(text(&newest(&run)).ends_with("step-0000000002"));
    let result = evaluated(&desk, &run);
    assert_eq!(result["images"], 64);
    assert_eq!(result["accuracy"], finished["test_accuracy"]);
    assert_eq!(result["loss"], finished["test_loss"]);

    // The purpose of a checkpoint cannot change.
    let resume = ["train", "--resume", text(&run), "--epochs=2"];
    let before = model(&run);
    for (flag, value) in [
        ("model", "resnet32"),
        ("model", "mlp"),
        ("width", "0.5"),
        ("connections", "3000"),
    ] {
        let given = format!("--{flag}={value}");
        let part = format!("--{flag} cannot change in a resumed run");
        desk.bad(&[&resume[..], &[&given]].concat(), 2, &[&part]);
    }
    assert!(model(&run) == before, "nothing was touched");

    // Resumed, it ends as one that was never stopped.
    let (unbroken, _) = resnet(&desk, &["--epochs=2"]);
    let done = desk.good(&[&resume[..], &["--json"]].concat());
    assert_eq!(done.err, "");
    let finished = json(done.out.lines().last().unwrap());
    assert!(model(&run) == model(&unbroken), "the models differ");
    for name in ["metrics.csv", "topology.csv"] {
        assert_eq!(table(&run, name), table(&unbroken, name), "{name}");
    }
    let result = evaluated(&desk, &run);
    assert_eq!(result["accuracy"], finished["test_accuracy"]);
}

#[test]
fn parts_must_divide_the_batch() {
    let desk = Desk::new();
    let arguments = [&RESNET[..], &["--epochs=1", "--micro-batch=7"]].concat();
    let done = desk.bad(
        &arguments,
        2,
        &["--micro-batch must be at least 1 sample and divide the batch of 32, not 7"],
    );
    assert_eq!(done.err.trim_end().lines().count(), 1, "{done:?}");
    assert!(desk.runs().is_empty());
    // If they do, they are part of the configuration, and of the resumed run.
    let (run, _) = resnet(&desk, &["--epochs=1", "--micro-batch=8"]);
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("micro_batch = 8"), "{config}");
    let resume = [
        "train",
        "--resume",
        text(&run),
        "--epochs=2",
        "--micro-batch=16",
    ];
    desk.bad(
        &resume,
        2,
        &["--micro-batch cannot change in a resumed run"],
    );
}
