//! Tables as data: shown, trained on, tested on other files with the same columns, and resumed.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use crate::data::json;
use crate::{Desk, newest, text};

/// Rows of three kinds, numbered from `first`, that two measures and a colour distinguish; with `gaps`, every seventh
/// colour is missing.
pub fn plants(first: usize, count: usize, gaps: bool) -> String {
    let mut rows = "number,length,width,colour,kind\n".to_owned();
    for row in first..first + count {
        let kind = row % 3;
        let noise = (row * 7919 % 97) as f64 / 97.0;
        let colour = match gaps && row % 7 == 0 {
            true => "",
            false => ["red", "green", "blue"][(row + usize::from(row % 11 == 0)) % 3],
        };
        let (length, width) = (10.0 * kind as f64 + noise, 1e4 + 100.0 * noise);
        let name = ["aster", "beech", "clover"][kind];
        writeln!(rows, "{row},{length:.3},{width:.1},{colour},{name}").unwrap();
    }
    rows
}

const TRAIN: [&str; 9] = [
    "train",
    "--data=plants.csv",
    "--ignore=number",
    "--hidden=16",
    "--sparsity=0.5",
    "--epochs=20",
    "--batch=16",
    "--threads=1",
    "--quiet",
];

/// These flags, plus the usual ones that are not among them.
fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let name = |flag: &str| flag.split('=').next().map(str::to_owned);
    let is_given = |flag: &&&str| more.iter().any(|own| name(own) == name(flag));
    let usual = TRAIN.iter().filter(|flag| !is_given(flag));
    usual.chain(more).copied().collect()
}

fn accuracy(evaluated: &str) -> f64 {
    json(evaluated)["accuracy"].as_f64().unwrap()
}

#[test]
fn a_table_is_trained_on_and_its_preprocessing_is_in_the_checkpoint() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, false)).unwrap();
    let words: Vec<&str> = TRAIN
        .iter()
        .copied()
        .filter(|word| *word != "--quiet")
        .collect();
    let done = desk.good(&words);
    for part in [
        "rows         96 to train, 24 to validate (20 % of the rows held out by seed 1),\n             none to test\n",
        "the target is the last column, `kind`; --target names another one",
        "rows/s",
    ] {
        assert!(done.out.contains(part), "{part}: {done:?}");
    }
    assert!(!done.out.contains("images"), "{done:?}");
    let run = desk.runs().remove(0);
    assert!(text(&run).ends_with("-plants-gse-uniform"), "{run:?}");
    let evaluated = desk.good(&["eval", text(&run)]);
    assert!(
        evaluated
            .out
            .starts_with("24 validation rows of plants.csv ("),
        "{evaluated:?}"
    );
    let own = accuracy(&desk.good(&["eval", text(&run), "--json"]).out);
    assert!(own > 0.9, "{own}");
    let manifest = json(&fs::read_to_string(newest(&run).join("manifest.json")).unwrap());
    let rules = &manifest["data"]["preprocessing"];
    let names: Vec<&str> = (rules["columns"].as_array().unwrap().iter())
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["length", "width", "colour"]);
    let classes = serde_json::json!(["aster", "beech", "clover"]);
    assert_eq!(rules["target"]["classes"]["names"], classes);
    let mean = rules["columns"][1]["rule"]["number"]["mean"]
        .as_f64()
        .unwrap();
    assert!((1e4..10_100.0).contains(&mean), "{mean}");
    // From another folder, with a moved file: the same rows are held out.
    fs::create_dir(desk.path("elsewhere")).unwrap();
    fs::rename(desk.path("plants.csv"), desk.path("elsewhere/p.csv")).unwrap();
    let moved = desk.good(&["eval", text(&run), "--data=elsewhere/p.csv", "--json"]);
    assert_eq!(json(&moved.out)["images"], 24);
    assert_eq!(accuracy(&moved.out), own);
    let nowhere = desk.run(&["eval", text(&run)]);
    assert_ne!(nowhere.code, Some(0));
}

/// Rows whose columns have another scale and order, and a colour that training has not seen: the fitted rules are
/// applied.
#[test]
fn other_rows_are_prepared_as_the_training_rows_were() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, false)).unwrap();
    desk.good(&with(&[]));
    let run = desk.runs().remove(0);
    let other = "kind,width,length,colour\naster,10050,0.5,red\nbeech,10020,10.5,pink\nclover,10010,20.5,blue\n";
    fs::write(desk.path("other.csv"), other).unwrap();
    let done = desk.good(&["eval", text(&run), "--data=other.csv"]);
    assert!(done.out.starts_with("3 rows of other.csv ("), "{done:?}");
    assert!(done.out.contains("accuracy 100.00 %"), "{done:?}");
    assert!(
        done.err
            .contains("`colour` has categories in 1 row to test by that no training row has"),
        "{done:?}"
    );
    for (text_of, parts) in [
        (
            "length,colour,kind\n1,red,aster\n",
            &["not there: width"][..],
        ),
        (
            "length,width,colour,age,kind\n1,2,red,3,aster\n",
            &["unknown to it: age"],
        ),
        (
            "length,width,colour,kind\n1,2,red,fern\n",
            &["a class that training did not have: fern"],
        ),
        (
            "length,width,colour,kind\nlong,2,red,aster\n",
            &["`length` has texts, such as long"],
        ),
        (
            "length,width,colour,kind\n,2,red,aster\n",
            &["values are missing: `length` in 1 row"],
        ),
    ] {
        fs::write(desk.path("wrong.csv"), text_of).unwrap();
        desk.bad(&["eval", text(&run), "--data=wrong.csv"], 1, parts);
    }
}

#[test]
fn a_run_goes_on_with_the_rows_that_there_are_and_what_the_first_ones_taught() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, false)).unwrap();
    desk.good(&with(&["--runs=whole"]));
    let part = ["--runs=runs", "--steps=50"];
    desk.good(&with(&part));
    let run = desk.runs().remove(0);
    desk.good(&["train", "--resume", text(&run), "--steps=0", "--quiet"]);
    let whole = fs::read_dir(desk.path("whole"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert_eq!(crate::model(&run), crate::model(&whole));
    let rules = |run: &std::path::Path| -> Value {
        let manifest = fs::read_to_string(newest(run).join("manifest.json")).unwrap();
        json(&manifest)["data"]["preprocessing"].clone()
    };
    let before = rules(&run);
    // Other numbers would give other means.
    fs::write(desk.path("plants.csv"), plants(1000, 150, false)).unwrap();
    let done = desk.good(&["train", "--resume", text(&run), "--epochs=22", "--quiet"]);
    assert!(
        done.out
            .contains("training rows: 96 when the run began, 120 now")
            || done.err.contains("training rows: 96"),
        "{done:?}"
    );
    assert_eq!(rules(&run), before);
}

#[test]
fn missing_values_are_refused_or_become_what_was_asked_for() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, true)).unwrap();
    desk.bad(
        &with(&[]),
        1,
        &[
            "values are missing: `colour` in 18 rows (the first is row 1)",
            "--missing mean, median or category",
        ],
    );
    for missing in ["mean", "median", "category", "drop"] {
        let flag = format!("--missing={missing}");
        let done = desk.good(&with(&[&flag, "--epochs=2"]));
        let left_out = done.out.contains("18 rows of 120 are left out");
        assert_eq!(left_out, missing == "drop", "{done:?}");
    }
    let shown = desk.good(&["data", "show", "plants.csv", "--ignore=number"]);
    assert!(shown.out.contains("parts     none: "), "{shown:?}");
}

#[test]
fn rows_to_test_by_come_from_a_file_of_their_own() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 90, false)).unwrap();
    fs::write(desk.path("later.csv"), plants(500, 30, false)).unwrap();
    let done = desk.good(&with(&["--test=later.csv"]));
    assert!(done.out.contains("test accuracy"), "{done:?}");
    let run = desk.runs().remove(0);
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    let line = config
        .lines()
        .find(|line| line.starts_with("test = "))
        .unwrap();
    assert!(line.ends_with("later.csv\"") && line.len() > 20, "{line}");
    let evaluated = desk.good(&["eval", text(&run), "--json"]);
    assert_eq!(json(&evaluated.out)["images"], 30);
    // Some of the other rows validate if requested, and the file tests the best weights once.
    let done = desk.good(&with(&["--test=later.csv", "--val-split=0.2"]));
    let last = done.out.lines().last().unwrap();
    assert!(last.starts_with("test accuracy "), "{done:?}");
    assert!(
        last.contains("(weights of epoch ") && last.contains(" of the validation part)"),
        "{done:?}"
    );
    let run = desk.runs().pop().unwrap();
    let parts = ["test", "validation"].map(|part| {
        let evaluated = desk.good(&["eval", text(&run), "--json", "--part", part]);
        json(&evaluated.out)
    });
    assert_eq!(
        parts
            .each_ref()
            .map(|told| told["images"].as_u64().unwrap()),
        [30, 18]
    );
}

#[test]
fn a_table_is_shown_as_it_is_understood() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, false)).unwrap();
    let done = desk.good(&["data", "show", "plants.csv", "--ignore=number"]);
    for part in [
        "plants.csv (CSV)",
        "120 rows",
        "3 classes: kind",
        "aster",
        "96 to train, 24 to validate (20 % of the rows held out by seed 1)",
        "colour ",
        "  category  ",
    ] {
        assert!(done.out.contains(part), "{part}: {done:?}");
    }
    assert!(
        done.out.lines().all(|line| line.chars().count() <= 80),
        "{done:?}"
    );
    let shown = json(&desk.good(&["data", "show", "plants.csv", "--json"]).out);
    assert_eq!(
        (&shown["rows"], &shown["parts"]["inputs"]),
        (&120.into(), &6.into())
    );
    // Far behind what tells the format, in a column of texts, which would take any.
    let damaged = plants(0, 120, false).replacen("\n49,", "\n49\0,", 1);
    fs::write(
        desk.path("zero.csv"),
        damaged.replace("beech", &"b".repeat(2000)),
    )
    .unwrap();
    let train = ["train", "--data=zero.csv", "--epochs=1"];
    let done = desk.bad(&train, 1, &["line 51: it has a byte 0"]);
    assert!(!done.err.contains("--skip"), "no such flag here: {done:?}");
    for (file, parts) in [
        ("nothing.csv", &["nothing.csv"][..]),
        ("zero.csv", &["zero.csv: line 51: it has a byte 0"]),
        (".", &["is a folder"]),
    ] {
        let done = desk.run(&["data", "show", file]);
        assert_ne!(done.code, Some(0));
        assert!(parts.iter().all(|part| done.err.contains(part)), "{done:?}");
    }
}

/// Nothing but its rows says that a file is svmlight's, and the first one may be damaged.
#[test]
fn svmlight_is_known_by_several_rows() {
    let desk = Desk::new();
    let rows: String = (0..60)
        .map(|row| format!("{} 1:{row} 3:0.5\n", row % 2))
        .collect();
    fs::write(desk.path("sound.txt"), &rows).unwrap();
    let done = desk.good(&["data", "show", "sound.txt"]);
    assert!(
        done.out.contains("sound.txt (svmlight)") && done.err.is_empty(),
        "{done:?}"
    );
    fs::write(desk.path("torn.txt"), format!("0 1;1 3:0.5\n{rows}")).unwrap();
    let told = "it is taken for svmlight: 19 of its first 20 lines";
    for command in [
        &["data", "show", "torn.txt"][..],
        &["train", "--data=torn.txt"],
    ] {
        desk.bad(command, 1, &["torn.txt: line 1: ", told]);
    }
    // A header that other lines do not bear out: the name decides, and it is said.
    let titled = format!("rows of a table\n{rows}");
    for (name, taken) in [
        ("t.svm", "svmlight"),
        ("t.csv", "CSV"),
        ("t.txt", "svmlight"),
    ] {
        fs::write(desk.path(name), &titled).unwrap();
        let done = desk.run(&["data", "show", name]);
        assert!(
            done.err.contains(&format!("taken for {taken}")),
            "{name}: {done:?}"
        );
    }
    let train = [
        "train",
        "--data=sound.txt",
        "--epochs=1",
        "--hidden=4",
        "--quiet",
    ];
    desk.good(&train);
    let run = desk.runs().remove(0);
    let predict = ["predict", text(&run), "torn.txt"];
    desk.bad(&predict, 1, &["row 1, line 1: ", told, "--skip-damaged"]);
    let done = desk.good(&[&predict[..], &["--skip-damaged"]].concat());
    assert!(
        done.err.contains(told) && done.err.contains("1 input cannot"),
        "{done:?}"
    );
    assert_eq!(done.out.lines().count(), 62);
}

#[test]
fn what_is_of_images_or_of_another_task_is_refused_by_name() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 60, false)).unwrap();
    desk.bad(
        &["train", "--data=plants.csv", "--model=resnet20"],
        2,
        &["--model resnet20 is for images, and plants.csv is a table"],
    );
    desk.bad(
        &with(&["--image-size=32"]),
        2,
        &["--image-size has no effect", "the data are a table"],
    );
    desk.bad(
        &["train", "--target=kind"],
        2,
        &["--target has no effect", "it is for tables"],
    );
    desk.bad(
        &with(&["--target=kin"]),
        1,
        &["there is no such column; there are length, width"],
    );
    desk.bad(&["train", "--data=no.csv"], 1, &["no.csv"]);
}
