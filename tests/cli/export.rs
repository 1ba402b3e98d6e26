//! `rootlet export`: what others compute by the files equals `rootlet predict`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::Value;

use crate::{Desk, text};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A stored network of a table, and new rows for it.
fn fixture(name: &str) -> (PathBuf, PathBuf) {
    let folder = root().join("tests/predictions");
    (folder.join(name), folder.join(format!("{name}.csv")))
}

/// The arrays of a safetensors file as numbers.
fn arrays(file: &SafeTensors<'_>) -> HashMap<String, Vec<f64>> {
    let numbers = |bytes: &[u8], kind: Dtype| -> Vec<f64> {
        match kind {
            Dtype::F32 => bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes(b.try_into().unwrap()).into())
                .collect(),
            Dtype::I32 => bytes
                .chunks_exact(4)
                .map(|b| i32::from_le_bytes(b.try_into().unwrap()).into())
                .collect(),
            Dtype::F64 => bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
            Dtype::I64 => bytes
                .chunks_exact(8)
                .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64)
                .collect(),
            other => panic!("{other:?}"),
        }
    };
    let tensors = file.tensors().into_iter();
    tensors
        .map(|(name, tensor)| (name, numbers(tensor.data(), tensor.dtype())))
        .collect()
}

/// A perceptron's outputs for a row, computed from nothing but an exported file.
fn outputs(network: &Value, arrays: &HashMap<String, Vec<f64>>, row: &[f64]) -> Vec<f64> {
    let of = |name: &str| &arrays[name];
    let inputs = of("rows.source").iter().enumerate();
    let mut x: Vec<f64> = inputs
        .map(|(input, &source)| {
            let cell = row[source as usize];
            let [fill, first, second] =
                ["fill", "first", "second"].map(|name| of(&format!("rows.{name}"))[input]);
            let x = if cell.is_nan() { fill } else { cell };
            match (of("rows.number")[input], of("rows.category")[input]) {
                (1.0, _) => (x - first) / second,
                (_, 1.0) => f64::from(u8::from(x == first)),
                _ => f64::from(u8::from(cell.is_nan())),
            }
        })
        .collect();
    for step in network["steps"].as_array().unwrap() {
        if step["operation"] != "connections" {
            continue;
        }
        let array = |name: &str| of(&format!("layers.{}.{name}", step["layer"]));
        let (starts, columns, values) = (array("indptr"), array("indices"), array("data"));
        let rows = starts.windows(2).zip(array("bias"));
        x = rows
            .map(|(ends, bias)| {
                let places = ends[0] as usize..ends[1] as usize;
                bias + places
                    .map(|at| x[columns[at] as usize] * values[at])
                    .sum::<f64>()
            })
            .collect();
        if step["relu"] == true {
            x.iter_mut().for_each(|x| *x = x.max(0.0));
        }
    }
    x
}

/// Reads the file by the crate of its format, and computes in plain Rust.
#[test]
fn compressed_rows_give_what_predict_gives() {
    let desk = Desk::new();
    for name in ["classes", "values"] {
        let (checkpoint, rows) = fixture(name);
        let file = format!("{name}.safetensors");
        let export = [
            "export",
            text(&checkpoint),
            "--format=safetensors",
            "-o",
            &file,
        ];
        desk.good(&export);
        desk.bad(&export, 2, &["exists already", "--force"]);
        desk.good(&[&export[..], &["--force"]].concat());
        let bytes = fs::read(desk.path(&file)).unwrap();
        let (_, about) = SafeTensors::read_metadata(&bytes).unwrap();
        let about = about.metadata().as_ref().unwrap()["network"].clone();
        let network: Value = serde_json::from_str(&about).unwrap();
        let arrays = arrays(&SafeTensors::deserialize(&bytes).unwrap());
        let columns = network["prepare"]["rows"]["columns"].as_array().unwrap();
        let predict = ["predict", text(&checkpoint), text(&rows)];
        let more: &[&str] = if name == "classes" {
            &["--probabilities"]
        } else {
            &[]
        };
        let told = desk.good(&[&predict[..], more].concat()).out;
        let mut told = csv::Reader::from_reader(told.as_bytes());
        let mut table = csv::Reader::from_path(&rows).unwrap();
        let header = table.headers().unwrap().clone();
        for (row, told) in table.records().zip(told.records()) {
            let (row, told) = (row.unwrap(), told.unwrap());
            let cell = |column: &Value| {
                let at = header
                    .iter()
                    .position(|name| column["name"] == name)
                    .unwrap();
                match (&row[at], column["categories"].as_array()) {
                    ("", _) => f64::NAN,
                    (cell, None) => cell.parse::<f32>().unwrap().into(),
                    (cell, Some(names)) => {
                        let place = names.iter().position(|name| name == cell);
                        place.map_or(-1.0, |place| place as f64)
                    }
                }
            };
            let mut own = outputs(
                &network,
                &arrays,
                &columns.iter().map(cell).collect::<Vec<_>>(),
            );
            let first = if name == "classes" {
                own.iter_mut().for_each(|x| *x = x.exp());
                let sum: f64 = own.iter().sum();
                own.iter_mut().for_each(|x| *x /= sum);
                4
            } else {
                let [scale, shift] =
                    ["scale", "shift"].map(|unit| &arrays[&format!("output.{unit}")]);
                for (at, x) in own.iter_mut().enumerate() {
                    *x = *x * scale[at] + shift[at];
                }
                2
            };
            for (at, x) in own.iter().enumerate() {
                let told: f64 = told[first + at].parse().unwrap();
                assert!(
                    (told - x).abs() < 1e-5 * x.abs().max(1.0),
                    "{name}: {told} {x}"
                );
            }
        }
    }
}

/// The command of a Python that can import these, if there is one: `ROOTLET_PYTHON`, or `python3`.
pub(crate) fn python(modules: &str) -> Option<String> {
    let python = std::env::var("ROOTLET_PYTHON").unwrap_or("python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .output();
    let works = found.is_ok_and(|done| done.status.success());
    if !works {
        println!("skipped: {python} cannot import {modules}; ROOTLET_PYTHON names another");
    }
    works.then_some(python)
}

/// How far what Python computes by an export is from the predictions.
fn difference(desk: &Desk, python: &str, kind: &str, export: &str, inputs: &Path) -> f64 {
    let script = root().join("tests/export/check.py");
    let done = Command::new(python)
        .arg(script)
        .args([kind, export, text(inputs), "predictions.csv"])
        .current_dir(desk.0.path())
        .output()
        .unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    let error = String::from_utf8(done.stderr).unwrap();
    told.trim()
        .parse()
        .unwrap_or_else(|_| panic!("{kind}: {told}{error}"))
}

/// Exports and predicts for the same inputs.
fn prepare(desk: &Desk, network: &Path, kind: &str, predict: &[&str]) {
    desk.good(&[
        "export",
        text(network),
        "--format",
        kind,
        "-o",
        kind,
        "--force",
    ]);
    let words = [
        &["predict", text(network)],
        predict,
        &["-o", "predictions.csv", "--force"],
    ];
    desk.good(&words.concat());
}

#[test]
fn numpy_reads_the_files_for_scipy() {
    let Some(python) = python("numpy") else {
        return;
    };
    let desk = Desk::new();
    for name in ["classes", "values"] {
        let (network, rows) = fixture(name);
        let more: &[&str] = if name == "classes" {
            &["--probabilities"]
        } else {
            &[]
        };
        prepare(&desk, &network, "scipy", &[&[text(&rows)], more].concat());
        let difference = difference(&desk, &python, "scipy", "scipy", &rows);
        assert!(difference < 1e-5, "{name}: {difference}");
    }
}

/// Grey images of 32 × 32 pixels, of which each class has its own stripes.
pub(crate) fn stripes(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (part, count) in [("train", 60u32), ("t10k", 20)] {
        let mut images = vec![0, 0, 8, 3];
        let mut labels = vec![0, 0, 8, 1];
        [count, 32, 32]
            .iter()
            .for_each(|n| images.extend(n.to_be_bytes()));
        labels.extend(count.to_be_bytes());
        for image in 0..count {
            let noise = |at: u32| {
                (image * 31 + at * 17 + part.len() as u32).wrapping_mul(2_654_435_761) >> 26
            };
            images.extend(
                (0..1024).map(|at| (noise(at) + 150 * u32::from(at % 32 == image % 10)) as u8),
            );
            labels.push((image % 10) as u8);
        }
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

fn on_images(kind: &str) {
    let modules = if kind == "onnx" {
        "onnxruntime, numpy"
    } else {
        "torch, numpy"
    };
    let Some(python) = python(modules) else {
        return;
    };
    for name in ["classes", "values"] {
        let desk = Desk::new();
        let (network, rows) = fixture(name);
        let more: &[&str] = if name == "classes" {
            &["--probabilities"]
        } else {
            &[]
        };
        prepare(&desk, &network, kind, &[&[text(&rows)], more].concat());
        let difference = difference(&desk, &python, kind, kind, &rows);
        println!("{kind}, {name}: {difference}");
        assert!(difference < 1e-5, "{name}: {difference}");
    }
    for model in [
        "mlp",
        "resnet20",
        "vgg11-small",
        "simple-vit-tiny",
        "resnet18",
    ] {
        let desk = Desk::new();
        stripes(&desk.path("stripes"));
        let model = format!("--model={model}");
        let train = [
            "train",
            "--data=mnist",
            "--data-dir=stripes",
            &model,
            "--batch=20",
            "--epochs=2",
        ];
        desk.good(&[&train[..], &["--quiet", "--augment=none"]].concat());
        let run = desk.runs().pop().unwrap();
        prepare(&desk, &run, kind, &["--probabilities", "--part=test"]);
        let images = desk.path("stripes/t10k-images-idx3-ubyte");
        let difference = difference(&desk, &python, kind, kind, &images);
        println!("{kind}, {model}: {difference}");
        assert!(difference < 1e-5, "{model}: {difference}");
    }
}

#[test]
#[ignore = "needs onnxruntime, and trains five models"]
fn onnxruntime_gives_what_predict_gives() {
    on_images("onnx");
}

#[test]
#[ignore = "needs PyTorch, and trains five models"]
fn pytorch_gives_what_predict_gives() {
    on_images("torch");
}

#[test]
fn flags_of_other_formats_are_refused() {
    let desk = Desk::new();
    let (network, _) = fixture("classes");
    let export = ["export", text(&network), "-o", "x", "--format"];
    desk.bad(
        &[&export[..], &["torch", "--sparse-from=5"]].concat(),
        2,
        &["--sparse-from"],
    );
    desk.bad(
        &[&export[..], &["tensorflow"]].concat(),
        2,
        &["tensorflow", "onnx"],
    );
    desk.bad(
        &["export", "nowhere", "--format=onnx", "-o", "x"],
        1,
        &["nowhere"],
    );
    assert_eq!(
        crate::names(desk.0.path()),
        [""; 0],
        "something is left behind"
    );
}
