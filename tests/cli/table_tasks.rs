//! Tables of numbers and of several labels, and a task that is said.

use std::fmt::Write;
use std::fs;

use crate::data::json;
use crate::tables::plants;
use crate::{Desk, text};

/// Two numbers that depend on three others, in thousands.
fn prices(rows: usize) -> String {
    let mut text = "a,b,c,price,rent\n".to_owned();
    for row in 0..rows {
        let of = |salt: usize| ((row * 7919 + salt * 104_729) % 997) as f64 / 997.0;
        let (a, b, c) = (of(1), of(2), of(3));
        let price = 3000.0 + 2000.0 * a - 1000.0 * b;
        writeln!(
            text,
            "{a:.4},{b:.4},{c:.4},{price:.2},{:.3}",
            price / 100.0 + c
        )
        .unwrap();
    }
    text
}

#[test]
fn numbers_are_learned_and_told_in_their_own_unit() {
    let desk = Desk::new();
    fs::write(desk.path("prices.csv"), prices(300)).unwrap();
    let train = [
        "train",
        "--data=prices.csv",
        "--target=price",
        "--hidden=32",
        "--sparsity=0.2",
        "--epochs=40",
        "--lr=0.02",
        "--threads=1",
        "--quiet",
    ];
    let done = desk.good(&train);
    let last = done.out.lines().last().unwrap();
    assert!(
        last.starts_with("validation loss ") && last.contains(", RMSE "),
        "{done:?}"
    );
    let run = desk.runs().remove(0);
    let evaluated = json(&desk.good(&["eval", text(&run), "--json"]).out);
    let score = |name: &str| {
        let scores = evaluated["scores"].as_array().unwrap();
        let found = scores.iter().find(|score| score["name"] == name);
        found.unwrap_or_else(|| panic!("{evaluated}"))["value"]
            .as_f64()
            .unwrap()
    };
    // If the loss is in squared deviations, the error is its root times the deviation of the prices.
    let prices = prices(300);
    let prices = prices
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(3).unwrap());
    let prices: Vec<f64> = prices.map(|price| price.parse().unwrap()).collect();
    let mean = prices.iter().sum::<f64>() / 300.0;
    let deviation = (prices.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 300.0).sqrt();
    let (loss, rmse) = (evaluated["loss"].as_f64().unwrap(), score("RMSE"));
    assert!(
        (rmse / (deviation * loss.sqrt()) - 1.0).abs() < 0.1,
        "{evaluated}"
    );
    assert!(score("R2") > 0.9, "{evaluated}");
    assert_eq!(evaluated["metric"]["name"], "MAE");
    let mae = evaluated["metric"]["value"].as_f64().unwrap();
    assert!(mae > 1.0 && mae <= rmse, "{evaluated}");
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap();
    let header = metrics.lines().next().unwrap();
    assert!(
        header.contains(",validation_rmse,") && !header.contains("test_rmse"),
        "{header}"
    );
    // Two at once, with a metric of both that chooses the weights.
    let both = ["--target=price,rent", "--best-metric=R2", "--epochs=3"];
    let words = train
        .iter()
        .filter(|word| !word.starts_with("--target") && !word.starts_with("--epochs"));
    let words: Vec<&str> = words.copied().chain(both).collect();
    desk.good(&words);
    let run = desk.runs().pop().unwrap();
    let summary = json(&fs::read_to_string(run.join("summary.json")).unwrap());
    assert_eq!(summary["finished"]["best"]["metric"], "R2");
}

#[test]
fn the_task_that_is_said_overrules_what_the_target_looks_like() {
    let desk = Desk::new();
    let mut grades = "x,y,grade\n".to_owned();
    for row in 0..120 {
        writeln!(grades, "{},{},{}", row % 5, row % 7, row % 5 + 1).unwrap();
    }
    fs::write(desk.path("grades.csv"), &grades).unwrap();
    let shown = |flags: &[&str]| {
        let done = desk.good(
            &[
                &["train", "--data=grades.csv", "--hidden=8", "--epochs=1"],
                flags,
            ]
            .concat(),
        );
        done.out + &done.err
    };
    // With five different whole numbers, it takes each for a class.
    assert!(shown(&[]).contains("taken for 5 classes"));
    let said = shown(&["--task=regression"]);
    assert!(
        said.contains("task         regression, by mean-squared-error"),
        "{said}"
    );
    let done = desk.good(&["data", "show", "grades.csv", "--task=regression"]);
    assert!(done.out.contains("target    values: grade"), "{done:?}");
    assert!(shown(&["--loss=huber"]).contains("task         regression, by huber"));
    desk.bad(
        &["train", "--data=grades.csv", "--task=multi-label"],
        1,
        &[
            "the target `grade` has other numbers than 0 and 1",
            "--task",
        ],
    );
    let halves = grades.replace(",5\n", ",4.5\n");
    fs::write(desk.path("grades.csv"), halves).unwrap();
    assert!(shown(&[]).contains("task         regression"));
    assert!(!shown(&["--task=classification"]).contains("task  "));
    fs::write(desk.path("plants.csv"), plants(0, 60, false)).unwrap();
    desk.bad(
        &["train", "--data=plants.csv", "--task=regression"],
        1,
        &["the target `kind` is of texts", "needs numbers"],
    );
}

/// Rows of svmlight, where each of three labels applies if its own column is large.
fn labelled(first: usize, rows: usize, last_column: bool) -> String {
    let mut text = String::new();
    for row in first..first + rows {
        let large = |column: usize| (row * 31 + column * 17) % 5 < 2;
        let labels: Vec<String> = (0..3)
            .filter(|&c| large(c))
            .map(|c| (c + 4).to_string())
            .collect();
        write!(text, "{}", labels.join(",")).unwrap();
        for column in 0..3 {
            if large(column) {
                write!(text, " {}:{}", column + 1, 1.0 + (row % 3) as f64 / 4.0).unwrap();
            }
        }
        match last_column {
            true => writeln!(text, " 9:0.1").unwrap(),
            false => writeln!(text).unwrap(),
        }
    }
    text
}

#[test]
fn several_labels_a_row_are_learned_and_rows_of_other_columns_are_tested() {
    let desk = Desk::new();
    fs::write(desk.path("labels.svm"), labelled(0, 200, true)).unwrap();
    let done = desk.good(&[
        "train",
        "--data=labels.svm",
        "--hidden=16",
        "--sparsity=0.2",
        "--epochs=30",
        "--threads=1",
    ]);
    assert!(
        done.out
            .contains("task         multi-label, by binary-cross-entropy"),
        "{done:?}"
    );
    let run = desk.runs().remove(0);
    let told = json(&desk.good(&["eval", text(&run), "--json"]).out);
    assert!(
        told["metric"]["name"] == "P@1" && told["metric"]["value"].as_f64().unwrap() > 0.8,
        "{told}"
    );
    let classes = desk.good(&["eval", text(&run), "--classes"]);
    assert!(classes.out.contains("label 5"), "{classes:?}");
    // Columns that no row of a file has are 0; those that training did not have are left out and reported.
    fs::write(desk.path("fewer.svm"), labelled(1000, 40, false)).unwrap();
    let fewer = json(
        &desk
            .good(&["eval", text(&run), "--data=fewer.svm", "--json"])
            .out,
    );
    assert_eq!(fewer["images"], 40);
    fs::write(
        desk.path("more.svm"),
        labelled(1000, 40, true).replace(" 9:", " 11:"),
    )
    .unwrap();
    let more = desk.good(&["eval", text(&run), "--data=more.svm"]);
    assert!(
        more.err.contains("that no training row has are left out: "),
        "{more:?}"
    );
    // Rows with a single label each still count as having several.
    fs::write(desk.path("single.svm"), "4 1:1\n5 2:1\n6 3:1\n").unwrap();
    let single = json(
        &desk
            .good(&["eval", text(&run), "--data=single.svm", "--json"])
            .out,
    );
    assert_eq!(single["images"], 3);
    // A damaged line costs its own prediction alone.
    let predicted = |name: &str, lines: &str| -> Vec<String> {
        fs::write(desk.path(name), lines).unwrap();
        let done = desk.good(&["predict", text(&run), name, "--skip-damaged"]);
        let rows = done.out.lines().skip(1).map(|line| {
            let (_, cells) = line.split_once(',').unwrap();
            cells.to_owned()
        });
        rows.collect()
    };
    let whole = predicted("whole.svm", "4 1:1\n5 2:1\n6 3:1\n");
    let torn = "4 1:1\n5 2:x\n6 3:1\n";
    let left = predicted("torn.svm", torn);
    assert_eq!((&left[0], &left[2]), (&whole[0], &whole[2]));
    assert!(
        left[1].contains("line 2: `x` is no finite number"),
        "{left:?}"
    );
    let parts = ["row 2, line 2: `x` is no"];
    desk.bad(&["predict", text(&run), "torn.svm"], 1, &parts);
}
