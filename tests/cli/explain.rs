//! `rootlet explain`: what it measures is what a plain computation finds, and its pictures are pictures.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rootlet::engine::{Device, DeviceOptions};
use rootlet::explain::Explainer;
use rootlet::train::Predictor;

use crate::data::photos;
use crate::{Desk, newest, text};

/// Width, height and RGB pixels of a PNG.
fn pixels(path: &Path) -> (usize, usize, Vec<u8>) {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let about = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(about.color_type, png::ColorType::Rgb);
    (about.width as usize, about.height as usize, pixels)
}

/// The share of a picture's pixels that are neither grey nor nearly so.
fn coloured(path: &Path) -> f64 {
    let (.., pixels) = pixels(path);
    let is_coloured = |p: &&[u8]| p.iter().max().unwrap() - p.iter().min().unwrap() > 40;
    let all = pixels.chunks(3);
    all.clone().filter(is_coloured).count() as f64 / all.len() as f64
}

#[test]
fn images_of_the_data_are_drawn_with_a_heat_map() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2"]);
    let explain = ["explain", text(&run), "-o", "a.png"];
    let done = desk.good(&explain);
    assert_eq!(done.out, "a.png: 6 images\n");
    let (width, height, _) = pixels(&desk.path("a.png"));
    assert_eq!(width, 3 * 2 * 480);
    assert!(height > 1000, "{height}");
    // The heat maps and their scales.
    assert!(coloured(&desk.path("a.png")) > 0.03);
    // The same seed gives the same picture, another one another, and so do no noise and another class.
    let mut others: Vec<Vec<u8>> = Vec::new();
    for more in [
        &["--force"][..],
        &["--force", "--seed=1"],
        &["--force", "--copies=0"],
        &["--force", "--copies=3", "--noise=0.4"],
        &["--force", "--class=3"],
        &["--force", "--limit=2"],
    ] {
        others.push(fs::read(desk.path("a.png")).unwrap());
        desk.good(&[&explain[..], more].concat());
    }
    assert_eq!(others[0], others[1], "the same seed");
    for (number, other) in others.iter().enumerate().skip(2) {
        assert_ne!(others[0], *other, "picture {number}");
    }
    assert!(pixels(&desk.path("a.png")).0 == 2 * 2 * 480);
}

#[test]
fn files_are_explained_as_they_are_predicted_for() {
    let desk = Desk::new();
    photos(&desk.path("photos/train"), &["cats", "dogs"], 0, 12);
    photos(&desk.path("photos/val"), &["cats", "dogs"], 12, 2);
    let train = ["train", "--data=photos/", "--hidden=8", "--epochs=1"];
    let size = ["--image-size=16", "--runs=runs", "--quiet", "--threads=2"];
    desk.good(&[&train[..], &size].concat());
    let run = desk.runs().remove(0);
    let explain = ["explain", text(&run), "photos/val/dogs", "-o", "a.png"];
    let done = desk.good(&[&explain[..], &["--class=cats"]].concat());
    assert_eq!(done.out, "a.png: 2 images\n");
    let all = "photos/train";
    desk.bad(
        &["explain", text(&run), all, all, all, "-o", "b.png"],
        2,
        &["72 images", "60"],
    );
    // A table is no image, whatever the other inputs are.
    fs::write(desk.path("rows.csv"), "a,b\n1,2\n").unwrap();
    for command in [&["explain", "-o", "b.png"][..], &["predict"]] {
        let all = [command, &[text(&run), "photos/val/dogs", "rows.csv"]].concat();
        let parts = [
            "trained on images, and rows.csv is a table",
            "name image files",
        ];
        let done = desk.bad(&all, 2, &parts);
        assert!(!done.err.contains("skip"), "{done:?}");
    }
    fs::write(desk.path("no.png"), "no image").unwrap();
    desk.bad(
        &["explain", text(&run), "no.png", "-o", "b.png"],
        1,
        &["no.png"],
    );
    assert!(!desk.path("b.png").exists(), "nothing is left of a failure");
}

#[test]
fn what_cannot_be_explained_is_said() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let run = text(&run);
    let explain = |more: &[&str], parts: &[&str]| {
        let all = [&["explain", run][..], more].concat();
        desk.bad(&all, 2, parts);
    };
    explain(&["-o", "a.svg"], &["--output", "ends in .png", "a.svg"]);
    explain(
        &["-o", "a.png", "--class=cat"],
        &["--class", "one of 0, 1, 2", "cat"],
    );
    explain(
        &["-o", "a.png", "--repeats=3"],
        &["--repeats", "trained on images"],
    );
    explain(
        &["-o", "a.png", "--copies=0", "--seed=3"],
        &["--seed", "no noise"],
    );
    explain(&["-o", "a.png", "--noise=-1"], &["--noise", "-1"]);
    explain(
        &["-o", "a.png", "--copies=1048577"],
        &["--copies", "from 0 to 1048576"],
    );
    explain(&["-o", "a.png", "--limit=61"], &["61 images", "60"]);
    explain(
        &["-o", "a.png", "--topology", "--limit=3"],
        &["--limit", "needs no samples"],
    );
    explain(&["x.png", "-o", "a.png", "--topology"], &["--topology"]);
    explain(
        &["x.png", "-o", "a.png", "--part=test"],
        &["--part", "inputs are named"],
    );
    fs::write(desk.path("a.png"), "mine").unwrap();
    explain(&["-o", "a.png"], &["a.png exists already", "--force"]);
    assert_eq!(fs::read_to_string(desk.path("a.png")).unwrap(), "mine");
    // A run that has saved nothing, and no run at all.
    fs::create_dir_all(desk.path("empty")).unwrap();
    fs::copy(
        Path::new(run).join("config.toml"),
        desk.path("empty/config.toml"),
    )
    .unwrap();
    let done = desk.run(&["explain", "empty", "-o", "b.png"]);
    done.failed(done.code.unwrap(), &["empty", "checkpoint"]);
    assert_ne!(done.code, Some(0));
    let done = desk.run(&["explain", "nothing", "-o", "b.png"]);
    done.failed(done.code.unwrap(), &["nothing"]);
}

/// A table whose class is decided by `a` and `kind`; `b` says nothing.
fn planted(rows: usize, start: usize) -> String {
    let mut table = String::from("a,b,kind,class\n");
    for i in start..start + rows {
        let (a, b) = (i * 37 % 101, i * 53 % 97);
        let kind = ["low", "mid", "high"][i % 3];
        let limit = [30, 50, 70][i % 3];
        let class = if a < limit { "yes" } else { "no" };
        let _ = writeln!(table, "{a},{b},{kind},{class}");
    }
    table
}

/// The CSV file beside a picture, by column.
fn worth(path: &Path) -> HashMap<String, HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = header.iter().zip(&row);
        let cells = cells.map(|(name, cell)| (name.to_owned(), cell.to_owned()));
        (row[0].to_owned(), cells.collect())
    });
    rows.collect()
}

/// The mean accuracy over all ways in which a row can get another row's value of a column is what shuffling leaves on
/// average; here it is computed by predictions for every pair of rows.
#[test]
fn shuffling_a_column_costs_what_all_pairs_of_rows_say() {
    const ROWS: usize = 40;
    let desk = Desk::new();
    fs::write(desk.path("planted.csv"), planted(400, 0)).unwrap();
    fs::write(desk.path("new.csv"), planted(ROWS, 1000)).unwrap();
    let train = [
        "train",
        "--data=planted.csv",
        "--target=class",
        "--hidden=24",
    ];
    let more = [
        "--sparsity=0.3",
        "--epochs=40",
        "--runs=runs",
        "--quiet",
        "--threads=2",
    ];
    desk.good(&[&train[..], &more].concat());
    let run = desk.runs().remove(0);
    let done = desk.good(&[
        "explain",
        text(&run),
        "new.csv",
        "-o",
        "w.png",
        "--repeats=60",
    ]);
    assert_eq!(done.out, "w.png, w.columns.csv: 3 columns\n");
    let told = worth(&desk.path("w.columns.csv"));
    let number = |column: &str, cell: &str| -> f64 { told[column][cell].parse().unwrap() };

    let table = planted(ROWS, 1000);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let predictor = Predictor::load_on(Device::cpu(1).unwrap(), &run).unwrap();
    let accuracy = |name: &str, rows: &[Vec<&str>], truth: &[&str]| -> f64 {
        let lines: Vec<String> = rows.iter().map(|row| row[..3].join(",")).collect();
        let path = desk.path(name);
        fs::write(&path, format!("a,b,kind\n{}\n", lines.join("\n"))).unwrap();
        let answers = predictor.predict_file(&path).unwrap().classes();
        let names = predictor.output_names();
        let right = answers.iter().zip(truth);
        let right = right.filter(|(answer, truth)| names[**answer] == **truth);
        right.count() as f64 / truth.len() as f64
    };
    let truth: Vec<&str> = rows.iter().map(|row| row[3]).collect();
    let baseline = accuracy("as-it-is.csv", &rows, &truth);
    assert!(baseline > 0.85, "{baseline}");
    for (column, name) in ["a", "b", "kind"].into_iter().enumerate() {
        let mut pairs = Vec::new();
        let mut truths = Vec::new();
        for row in &rows {
            for other in &rows {
                let mut mixed = row.clone();
                mixed[column] = other[column];
                pairs.push(mixed);
                truths.push(row[3]);
            }
        }
        let expected = baseline - accuracy(&format!("{name}.csv"), &pairs, &truths);
        let (mean, deviation) = (number(name, "accuracy worse by"), number(name, "deviation"));
        let error = deviation / f64::sqrt(60.0);
        assert!(
            (mean - expected).abs() < 4.0 * error + 1e-6,
            "{name}: {mean} ± {error} for {expected}"
        );
    }
    assert!(number("a", "accuracy worse by") > 0.2);
    assert!(number("b", "accuracy worse by") < 0.08);
    // Every connection of the first layer belongs to one column; the three kinds are one.
    let (checkpoint, _) = rootlet::checkpoint::load_which(&run, None).unwrap();
    let state = checkpoint.snapshot.state;
    let all: f64 = ["a", "b", "kind"]
        .map(|name| number(name, "connections"))
        .iter()
        .sum();
    assert_eq!(all, state.layers[0].active() as f64);
    let strength: f64 = ["a", "b", "kind"]
        .map(|name| number(name, "strength"))
        .iter()
        .sum();
    let sum: f64 = state.layers[0]
        .values
        .iter()
        .map(|w| f64::from(w.abs()))
        .sum();
    assert!((strength - sum).abs() < 1e-6 * sum);
    assert_eq!(told["kind"]["inputs"], "3");
    // Another seed shuffles otherwise; fewer columns leave the others out.
    let few = [
        "explain",
        text(&run),
        "new.csv",
        "-o",
        "f.png",
        "--columns=1",
        "--seed=2",
    ];
    desk.good(&few);
    let told = worth(&desk.path("f.columns.csv"));
    let measured = told
        .values()
        .filter(|row| !row["accuracy worse by"].is_empty());
    assert_eq!(measured.count(), 1);
    desk.bad(
        &[
            "explain",
            text(&run),
            "new.csv",
            "-o",
            "g.png",
            "--class=yes",
        ],
        2,
        &["--class", "table"],
    );
    desk.bad(
        &[
            "explain",
            text(&run),
            "new.csv",
            "planted.csv",
            "-o",
            "g.png",
        ],
        2,
        &["one file"],
    );
    desk.bad(
        &[
            "explain",
            text(&run),
            "new.csv",
            "-o",
            "g.png",
            "--columns=0",
        ],
        2,
        &["--columns", "from 1 to"],
    );
    desk.bad(
        &["explain", text(&run), "a.csv", "-o", "g.png"],
        1,
        &["a.csv", "class"],
    );
}

/// The same measure by scikit-learn, of the same network and rows: the means of 20 repeats agree within their noise.
#[test]
#[ignore = "needs scikit-learn and PyTorch"]
fn scikit_learn_finds_the_same_importances() {
    const REPEATS: &str = "20";
    let Some(python) = crate::export::python("torch, sklearn") else {
        return;
    };
    let desk = Desk::new();
    fs::write(desk.path("planted.csv"), planted(400, 0)).unwrap();
    fs::write(desk.path("new.csv"), planted(300, 1000)).unwrap();
    let train = [
        "train",
        "--data=planted.csv",
        "--target=class",
        "--hidden=24",
    ];
    let more = ["--sparsity=0.3", "--epochs=40", "--quiet", "--threads=2"];
    desk.good(&[&train[..], &more].concat());
    let run = desk.runs().remove(0);
    let explain = ["explain", text(&run), "new.csv", "-o", "w.png"];
    desk.good(&[&explain[..], &["--repeats", REPEATS]].concat());
    let own = worth(&desk.path("w.columns.csv"));
    desk.good(&["export", text(&run), "--format=torch", "-o", "torch"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/permutation.py");
    let done = std::process::Command::new(&python)
        .arg(script)
        .args(["torch", "new.csv", "class", REPEATS])
        .current_dir(desk.path("."))
        .output()
        .unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    let error = String::from_utf8(done.stderr).unwrap();
    assert_eq!(told.lines().count(), 3, "{told}{error}");
    let repeats: f64 = REPEATS.parse().unwrap();
    for line in told.lines() {
        let (name, numbers) = line.split_once(' ').unwrap();
        let numbers: Vec<f64> = numbers.split(' ').flat_map(str::parse).collect();
        let cell = |cell: &str| -> f64 { own[name][cell].parse().unwrap() };
        let (mean, deviation) = (cell("accuracy worse by"), cell("deviation"));
        println!("{name}: {mean} ± {deviation}, scikit-learn {numbers:?}");
        let noise = (deviation.hypot(numbers[1])) / repeats.sqrt();
        assert!(
            (mean - numbers[0]).abs() < 4.0 * noise + 1e-6,
            "{line}: {mean} ± {deviation}"
        );
        // The deviations of 20 numbers each.
        assert!(
            deviation < 2.5 * numbers[1] + 1e-6 && numbers[1] < 2.5 * deviation + 1e-6,
            "{line}: {deviation}"
        );
    }
    let worth_of_a: f64 = own["a"]["accuracy worse by"].parse().unwrap();
    assert!(worth_of_a > 0.2, "{worth_of_a}");
}

#[test]
fn the_topology_is_drawn_of_every_kind_of_model() {
    let desk = Desk::new();
    let mut heights = Vec::new();
    for (name, more) in [
        ("mlp", &["--epochs=1"][..]),
        (
            "table",
            &[
                "--data=planted.csv",
                "--target=class",
                "--epochs=1",
                "--limit=100",
            ],
        ),
        (
            "resnet20",
            &[
                "--model=resnet20",
                "--epochs=1",
                "--limit=32",
                "--width=0.25",
            ],
        ),
    ] {
        fs::write(desk.path("planted.csv"), planted(200, 0)).unwrap();
        let own: Vec<&str> = more.to_vec();
        let run = match name {
            "resnet20" => {
                let base = [
                    "train",
                    "--runs=runs",
                    "--quiet",
                    "--threads=2",
                    "--round-every=20",
                ];
                let before = desk.runs();
                desk.good(&[&base[..], &own].concat());
                // Runs of one second are not in the order of time.
                let mut runs = desk.runs().into_iter();
                runs.find(|run| !before.contains(run)).unwrap()
            }
            _ => desk.small(&own),
        };
        let file = format!("{name}.png");
        let done = desk.good(&["explain", text(&run), "--topology", "-o", &file]);
        assert_eq!(done.out, format!("{file}: its connections\n"));
        assert!(coloured(&desk.path(&file)) > 0.01, "{name}");
        heights.push(pixels(&desk.path(&file)).1);
        // A checkpoint itself has the same.
        let checkpoint = newest(&run);
        desk.good(&[
            "explain",
            text(&checkpoint),
            "--topology",
            "-o",
            "c.png",
            "--force",
        ]);
    }
    assert!(heights[2] > heights[0], "{heights:?}");
}

/// The gradients themselves, against another implementation: on networks with norms, shortcuts and attention. Where a sum
/// that enters a ReLU is nearly 0, rounding decides whether it passes: `gradient.py` finds the images that have such sums.
#[test]
#[ignore = "needs PyTorch, and trains four models"]
fn pytorch_finds_the_same_gradients() {
    let Some(python) = crate::export::python("torch, numpy") else {
        return;
    };
    for model in ["mlp", "resnet20", "vgg11-small", "simple-vit-tiny"] {
        let desk = Desk::new();
        crate::export::stripes(&desk.path("stripes"));
        let named = format!("--model={model}");
        let train = ["train", "--data=mnist", "--data-dir=stripes", &named];
        let more = ["--batch=20", "--epochs=2", "--quiet", "--augment=none"];
        desk.good(&[&train[..], &more].concat());
        let run = desk.runs().pop().unwrap();
        desk.good(&["export", text(&run), "--format=torch", "-o", "torch"]);
        let images = desk.path("stripes/t10k-images-idx3-ubyte");
        let pixels = fs::read(&images).unwrap();
        let inputs: Vec<f32> = pixels[16..].iter().map(|&p| f32::from(p) / 255.0).collect();
        for adapter in ["cpu", "llvmpipe"] {
            let device = Device::open(adapter, &DeviceOptions::default()).unwrap();
            let (checkpoint, _) = rootlet::checkpoint::load_which(&run, None).unwrap();
            let explainer = Explainer::of_checkpoint(device, &checkpoint).unwrap();
            let of = |class: usize| -> Vec<f32> {
                let told = explainer.explain_numbers(&inputs, Some(class), None);
                told.unwrap()
                    .into_iter()
                    .flat_map(|one| one.gradient)
                    .collect()
            };
            let difference: Vec<u8> = (of(3).iter().zip(of(7)))
                .flat_map(|(three, seven)| (three - seven).to_le_bytes())
                .collect();
            fs::write(desk.path("gradients"), difference).unwrap();
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/gradient.py");
            let done = std::process::Command::new(&python)
                .arg(script)
                .args(["torch", text(&images), "gradients", "3", "7"])
                .current_dir(desk.path("."))
                .output()
                .unwrap();
            let told = String::from_utf8(done.stdout).unwrap();
            let error = String::from_utf8(done.stderr).unwrap();
            let numbers: Vec<f64> = told.split_whitespace().flat_map(str::parse).collect();
            println!("{model} on {adapter}: {told}");
            let [agree, largest] = numbers[..] else {
                panic!("{model}: {told}{error}");
            };
            assert!(
                agree >= 15.0,
                "{model} on {adapter}: {agree} of 20 images agree"
            );
            assert!(largest < 1e-5, "{model} on {adapter}: {largest}");
        }
    }
}

/// Names that differ only in their middle: the file has them whole, and so does the picture as far as they fit.
#[test]
fn long_names_stay_apart_and_are_whole_in_the_file() {
    let desk = Desk::new();
    let name = |middle: &str| {
        format!(
            "{}{middle}{}",
            "measured length ".repeat(4),
            " in millimetres".repeat(4)
        )
    };
    let (one, two) = (name("of the sepal"), name("of the petal"));
    let mut table = format!("{one},{two},class\n");
    for i in 0..120 {
        let _ = writeln!(table, "{},{},{}", i % 17, i * 7 % 13, ["a", "b"][i % 2]);
    }
    fs::write(desk.path("long.csv"), table).unwrap();
    let train = [
        "train",
        "--data=long.csv",
        "--hidden=8",
        "--epochs=2",
        "--quiet",
    ];
    desk.good(&train);
    let run = desk.runs().remove(0);
    desk.good(&["explain", text(&run), "-o", "w.png", "--repeats=1"]);
    let told = worth(&desk.path("w.columns.csv"));
    assert!(
        told.contains_key(&one) && told.contains_key(&two),
        "{told:?}"
    );
}
