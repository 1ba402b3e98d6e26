//! `rootlet predict`: what it says equals what `eval` finds, and nothing goes missing silently.

use std::fs;
use std::path::{Path, PathBuf};

use crate::data::{TRAIN, json, photos, with};
use crate::tables::plants;
use crate::{Desk, text};

/// The rows of a file of predictions, each by the names of its columns.
fn rows(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().iter().map(str::to_owned);
    let header: Vec<String> = header.collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        row.iter().map(str::to_owned).collect()
    });
    (header, rows.collect())
}

/// The cells of a column.
fn column(text: &str, name: &str) -> Vec<String> {
    let (header, rows) = rows(text);
    let at = header.iter().position(|column| column == name);
    let at = at.unwrap_or_else(|| panic!("no {name} in {header:?}"));
    rows.into_iter()
        .map(|mut row| row.swap_remove(at))
        .collect()
}

/// The share of the rows whose answer is right equals the accuracy that `eval` reports for the same part.
#[test]
fn the_answers_for_a_part_are_as_right_as_eval_says() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2", "--limit=0"]);
    let evaluated = json(&desk.good(&["eval", text(&run), "--json"]).out);
    let done = desk.good(&["predict", text(&run), "-o", "p.csv", "--top=3"]);
    assert_eq!(done.out, "p.csv: 355 predictions\n");
    let file = fs::read_to_string(desk.path("p.csv")).unwrap();
    let (answers, truth) = (column(&file, "answer"), column(&file, "truth"));
    let right = answers.iter().zip(&truth).filter(|(a, b)| a == b).count();
    let accuracy = evaluated["accuracy"].as_f64().unwrap();
    assert!(
        (right as f64 / 355.0 - accuracy).abs() < 1e-6,
        "{right} {accuracy}"
    );
    assert_eq!(column(&file, "answer 1"), answers);
    assert_eq!(column(&file, "probability 1"), column(&file, "probability"));
    assert_eq!(column(&file, "image")[354], "354");
    // The same on standard output, of the newest checkpoint itself.
    let newest = crate::newest(&run);
    let done = desk.good(&["predict", text(&newest), "--probabilities", "--limit=7"]);
    assert_eq!(column(&done.out, "answer"), answers[..7]);
    let (header, all) = rows(&done.out);
    for row in all {
        let shares = row
            .iter()
            .zip(&header)
            .filter(|(_, name)| name.starts_with("probability of "));
        let shares: Vec<f64> = shares.map(|(cell, _)| cell.parse().unwrap()).collect();
        assert_eq!(shares.len(), 10);
        assert!(
            (shares.iter().sum::<f64>() - 1.0).abs() < 1e-5,
            "{shares:?}"
        );
    }
}

#[test]
fn a_file_is_replaced_only_by_force() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    fs::write(desk.path("p.csv"), "mine").unwrap();
    let predict = ["predict", text(&run), "-o", "p.csv"];
    desk.bad(&predict, 2, &["p.csv exists already", "--force"]);
    assert_eq!(fs::read_to_string(desk.path("p.csv")).unwrap(), "mine");
    desk.good(&[&predict[..], &["--force"]].concat());
    assert_ne!(fs::read_to_string(desk.path("p.csv")).unwrap(), "mine");
    let config = run.join("config.toml");
    let own = ["predict", text(&run), "--force", "-o", text(&config)];
    desk.bad(&own, 1, &["it is a file of the run"]);
    let left = crate::names(desk.0.path());
    assert_eq!(left, ["p.csv", "runs"], "something is left behind");
}

#[test]
fn flags_without_effect_are_refused() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let bad = |more: &[&str], part: &str| {
        desk.bad(&[&["predict", text(&run)], more].concat(), 2, &[part]);
    };
    bad(&["--threshold=0.4"], "--threshold");
    bad(&["--top=0"], "--top");
    bad(&["--skip-damaged"], "--skip-damaged");
    bad(&["--part=validation"], "no validation part");
    bad(&["a.png", "--limit=3"], "--limit");
    bad(&["--force"], "--output");
    desk.bad(&["predict", text(&run), "a.png"], 1, &["a.png"]);
}

/// A network of small photos, and its run.
fn of_photos(desk: &Desk) -> PathBuf {
    photos(&desk.path("data/train"), &["ant", "bee", "cat"], 0, 12);
    photos(&desk.path("data/val"), &["ant", "bee", "cat"], 40, 4);
    desk.good(&with(&TRAIN, &["--epochs=3"]));
    desk.runs().remove(0)
}

#[test]
fn photos_are_found_in_folders_and_damaged_ones_are_named() {
    let desk = Desk::new();
    let run = of_photos(&desk);
    // The same images as a part of the data and as files without their classes.
    let part = desk.good(&["predict", text(&run)]).out;
    let own = desk
        .good(&["predict", text(&run), "data/val", "--probabilities"])
        .out;
    assert_eq!(column(&part, "answer"), column(&own, "answer"));
    assert_eq!(column(&part, "probability"), column(&own, "probability"));
    let files: Vec<String> = column(&own, "input");
    let path = |file: &str| Path::new("data/val").join(file).display().to_string();
    assert_eq!(files[0], path("ant/40.png"));
    assert_eq!(files.len(), 12);
    // A folder of photos, without folders of classes, and a file by its name.
    photos(desk.0.path(), &["new"], 3, 4);
    fs::write(desk.path("new/04.png"), "torn").unwrap();
    fs::write(desk.path("new/notes.txt"), "text").unwrap();
    let named = ["predict", text(&run), "new", "data/val/cat/41.png"];
    let done = desk.bad(
        &named,
        1,
        &["notes.txt", "no image by its name", "--skip-damaged"],
    );
    assert_eq!(done.out, "", "a part of the file");
    fs::remove_file(desk.path("new/notes.txt")).unwrap();
    desk.bad(
        &named,
        1,
        &["04.png", "not a JPEG, PNG, WebP or BMP", "--skip-damaged"],
    );
    fs::write(desk.path("new/notes.txt"), "text").unwrap();
    let done = desk.good(&[&named[..], &["--skip-damaged"]].concat());
    assert!(done.err.contains("2 inputs cannot be used"), "{done:?}");
    let faults = column(&done.out, "fault");
    let damaged: Vec<usize> = (0..faults.len())
        .filter(|&at| !faults[at].is_empty())
        .collect();
    assert_eq!(damaged, [1, 4], "{done:?}");
    let answers = column(&done.out, "answer");
    assert!(damaged.iter().all(|&at| answers[at].is_empty()), "{done:?}");
    assert_eq!(answers[5], column(&own, "answer")[9], "{done:?}");
    desk.bad(&["predict", text(&run), "nowhere"], 1, &["nowhere"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.bad(
        &["predict", text(&run), "empty"],
        1,
        &["it holds no images"],
    );
}

/// A network for grey images takes photos as well, as small and grey as it needs them.
#[test]
fn digits_take_photos_by_their_brightness() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    photos(desk.0.path(), &["new"], 3, 2);
    let done = desk.good(&["predict", text(&run), "new"]);
    assert_eq!(column(&done.out, "answer").len(), 2);
}

#[test]
fn rows_without_their_target_are_predicted_and_unfit_ones_named() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, false)).unwrap();
    let train = [
        "train",
        "--data=plants.csv",
        "--ignore=number",
        "--epochs=8",
        "--threads=1",
    ];
    desk.good(&train);
    let run = desk.runs().remove(0);
    let table = fs::read_to_string(desk.path("plants.csv")).unwrap();
    let part = desk.good(&["predict", text(&run)]).out;
    let whole = desk.good(&["predict", text(&run), "plants.csv"]).out;
    // The rows of the validation part, by their numbers in the file.
    for (row, answer) in column(&part, "row").iter().zip(column(&part, "answer")) {
        let at: usize = row.parse().unwrap();
        assert_eq!(column(&whole, "answer")[at - 1], answer);
        assert_eq!(column(&whole, "row")[at - 1], *row);
    }
    // Without the target's column, which is the last.
    let cut: Vec<&str> = table
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    fs::write(desk.path("new.csv"), cut.join("\n")).unwrap();
    let new = desk.good(&["predict", text(&run), "new.csv"]).out;
    assert_eq!(column(&new, "answer"), column(&whole, "answer"));
    // The ignored column may be missing, and no other.
    let fewer: Vec<&str> = cut
        .iter()
        .map(|line| line.split_once(',').unwrap().1)
        .collect();
    fs::write(desk.path("fewer.csv"), fewer.join("\n")).unwrap();
    let new = desk.good(&["predict", text(&run), "fewer.csv"]).out;
    assert_eq!(column(&new, "answer"), column(&whole, "answer"));
    let fewer: Vec<&str> = fewer
        .iter()
        .map(|line| line.split_once(',').unwrap().1)
        .collect();
    fs::write(desk.path("fewer.csv"), fewer.join("\n")).unwrap();
    let parts = ["fewer.csv", "not there: length"];
    desk.bad(&["predict", text(&run), "fewer.csv"], 1, &parts);
    // A text where there were numbers, a missing value, and a category that is new.
    let mut lines: Vec<String> = cut.iter().take(6).map(|&line| line.to_owned()).collect();
    let with_cell = |line: &str, at: usize, cell: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells[at] = cell;
        cells.join(",")
    };
    lines[2] = with_cell(&lines[2], 1, "wide");
    lines[4] = with_cell(&lines[4], 2, "");
    lines[5] = with_cell(&lines[5], 3, "black");
    fs::write(desk.path("unfit.csv"), lines.join("\n")).unwrap();
    let predict = ["predict", text(&run), "unfit.csv"];
    desk.bad(
        &predict,
        1,
        &[
            "unfit.csv",
            "row 2, column",
            "`wide` is no number",
            "--skip-damaged goes on without such rows",
            "1 other",
        ],
    );
    let done = desk.good(&[&predict[..], &["--skip-damaged"]].concat());
    let faults = column(&done.out, "fault");
    let unfit: Vec<bool> = faults.iter().map(|fault| !fault.is_empty()).collect();
    assert_eq!(unfit, [false, true, false, true, false], "{done:?}");
    let note = "the column `colour` has categories in 1 row to predict for that no training row has, which become \
                zeros: black";
    assert!(done.err.contains(note), "{done:?}");
    let answers = column(&done.out, "answer");
    let expected = column(&whole, "answer");
    for at in [0, 2] {
        assert_eq!(answers[at], expected[at]);
    }
    // Lines that the format itself does not take. What the target's column has is no matter.
    let mut lines: Vec<String> = table.lines().take(8).map(str::to_owned).collect();
    lines[1] = lines[1].rsplit_once(',').unwrap().0.to_owned() + ",1e99\0";
    lines[2] = lines[2].rsplit_once(',').unwrap().0.to_owned();
    lines[3] = with_cell(&lines[3], 2, "-inf");
    lines[5] = with_cell(&lines[5], 1, "\"7");
    lines[7] = with_cell(&lines[7], 1, "1\0");
    fs::write(desk.path("torn.csv"), lines.join("\n")).unwrap();
    let predict = ["predict", text(&run), "torn.csv"];
    let parts = ["row 2, line 3: it has", "--skip-damaged", "3 others"];
    desk.bad(&predict, 1, &parts);
    let done = desk.good(&[&predict[..], &["--skip-damaged"]].concat());
    let faults = column(&done.out, "fault");
    let parts = [
        "",
        "line 3: it has",
        "-inf is no finite",
        "",
        "line 6: the quote",
        "",
        "line 8: it has a byte 0",
    ];
    assert_eq!(faults.len(), parts.len(), "{done:?}");
    for (fault, part) in faults.iter().zip(parts) {
        assert!(
            fault.contains(part) && fault.is_empty() == part.is_empty(),
            "{done:?}"
        );
    }
    assert!(done.err.contains("4 inputs cannot be used"), "{done:?}");
    let answers = column(&done.out, "answer");
    for at in [0, 3, 5] {
        assert_eq!(answers[at], expected[at]);
    }
}

/// By stored checkpoints: what NumPy computed from their files (`tests/predictions/make_fixtures.py`).
#[test]
fn stored_networks_predict_what_numpy_computes() {
    let desk = Desk::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/predictions");
    for (name, more) in [("classes", &["--probabilities"][..]), ("values", &[])] {
        let (network, new) = (fixtures.join(name), fixtures.join(format!("{name}.csv")));
        let predict = ["predict", text(&network), text(&new)];
        let told = desk.good(&[&predict[..], more].concat()).out;
        let expected = fs::read_to_string(fixtures.join(format!("{name}.expected.csv"))).unwrap();
        for output in rows(&expected).0 {
            let own = match more.is_empty() {
                true => output.clone(),
                false => format!("probability of {output}"),
            };
            let numbers = |text: &str, name: &str| -> Vec<f64> {
                let cells = column(text, name).into_iter();
                cells.map(|cell| cell.parse().unwrap()).collect()
            };
            let (told, expected) = (numbers(&told, &own), numbers(&expected, &output));
            assert_eq!((told.len(), expected.len()), (20, 20));
            for (told, expected) in told.iter().zip(&expected) {
                let near = 1e-5 * expected.abs().max(1.0);
                assert!(
                    (told - expected).abs() < near,
                    "{name}, {output}: {told} {expected}"
                );
            }
        }
    }
}

#[test]
fn eval_shows_what_is_taken_for_what() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2", "--limit=0"]);
    let eval = ["eval", text(&run), "--classes"];
    let json_of = json(&desk.good(&[&eval[..], &["--json"]].concat()).out);
    // By the file of predictions.
    let told = desk.good(&["predict", text(&run)]).out;
    let (truth, answers) = (column(&told, "truth"), column(&told, "answer"));
    let count = |class: &str, answer: &str| {
        let pairs = truth.iter().zip(&answers);
        pairs.filter(|(t, a)| *t == class && *a == answer).count() as u64
    };
    let mut all = 0;
    for pair in json_of["confusion"].as_array().unwrap() {
        let samples = pair["samples"].as_u64().unwrap();
        let [class, answer] = ["class", "answer"].map(|key| pair[key].as_str().unwrap());
        assert_eq!(samples, count(class, answer), "{pair}");
        all += samples;
    }
    assert_eq!(all, 355);
    let done = desk.good(&[&eval[..], &["--confusion=matrix.csv"]].concat());
    assert!(!done.out.contains("rows: class"), "{done:?}");
    let matrix = fs::read_to_string(desk.path("matrix.csv")).unwrap();
    for answer in 0..10 {
        let answer = answer.to_string();
        for (class, cell) in column(&matrix, &answer).iter().enumerate() {
            assert_eq!(*cell, count(&class.to_string(), &answer).to_string());
        }
    }
    let done = desk.good(&eval);
    let lines: Vec<&str> = done.out.lines().collect();
    let at = lines
        .iter()
        .position(|line| *line == "rows: class, columns: answer")
        .unwrap();
    let cells: Vec<&str> = lines[at + 5].split_whitespace().collect();
    assert_eq!((cells.len(), cells[0]), (11, "3"));
    assert_eq!(cells[4], count("3", "3").to_string());
    // As a figure beside the run.
    fs::write(desk.path("tested.json"), json_of.to_string()).unwrap();
    desk.good(&["report", text(&run), "tested.json", "-o", "page.html"]);
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    for part in ["Classes of digits", "What is taken for what", "F1 by class"] {
        assert!(page.contains(part), "no {part}");
    }
    let plain = desk.good(&["eval", text(&run), "--json"]).out;
    fs::write(desk.path("plain.json"), plain).unwrap();
    desk.bad(
        &["report", "plain.json"],
        1,
        &["plain.json", "--classes --json"],
    );
}
