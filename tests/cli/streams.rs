//! Tables that stay in their files, weights of rows, and the optimiser that tables have.

use std::fs;

use crate::tables::plants;
use crate::{Desk, model, names, text};

const TRAIN: [&str; 9] = [
    "train",
    "--data=plants.csv",
    "--ignore=number",
    "--hidden=16",
    "--sparsity=0.5",
    "--epochs=2",
    "--batch=16",
    "--threads=1",
    "--quiet",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    TRAIN.iter().chain(more).copied().collect()
}

/// Also if the file for the cells cannot be written, and if it is resumed in memory.
#[test]
fn a_table_in_its_file_is_trained_to_the_same_bits() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, true)).unwrap();
    desk.good(&with(&[
        "--missing=category",
        "--stream=false",
        "--name=memory",
    ]));
    let done = desk.good(&with(&["--missing=category", "--stream", "--name=file"]));
    assert!(
        done.out.contains("read from a file as they are needed"),
        "{done:?}"
    );
    desk.good(
        &with(&[
            "--missing=category",
            "--stream",
            "--epochs=1",
            "--name=resumed",
        ])
        .into_iter()
        .filter(|word| *word != "--epochs=2")
        .collect::<Vec<_>>(),
    );
    let run = |name: &str| {
        let is_it = |run: &std::path::PathBuf| text(run).ends_with(name);
        desk.runs().into_iter().find(is_it).unwrap()
    };
    let resumed = run("resumed");
    desk.good(&[
        "train",
        "--resume",
        text(&resumed),
        "--epochs=2",
        "--stream=false",
        "--quiet",
    ]);
    let whole = model(&run("memory"));
    assert!(whole == model(&run("file")) && whole == model(&resumed));
    fs::write(desk.path("no-folder"), "").unwrap();
    let mut command = desk.command(&with(&["--missing=drop", "--stream"]));
    let failed = command
        .env("ROOTLET_CACHE_DIR", desk.path("no-folder"))
        .output()
        .unwrap();
    let error = String::from_utf8(failed.stderr).unwrap();
    assert!(
        !failed.status.success() && error.contains("ROOTLET_CACHE_DIR names another folder"),
        "{error}"
    );
    desk.bad(
        &["train", "--stream", "--quiet"],
        2,
        &["--stream has no effect here", "for tables"],
    );
}

#[test]
fn rows_count_as_much_as_their_weights_say() {
    let desk = Desk::new();
    let weighted = |weight: &dyn Fn(usize) -> String| -> String {
        let rows = plants(0, 120, false);
        let mut lines = rows.lines().enumerate();
        let header = format!("weight,{}\n", lines.next().unwrap().1);
        header
            + &lines
                .map(|(row, line)| format!("{},{line}\n", weight(row)))
                .collect::<String>()
    };
    // The rows of a test need no weights.
    fs::write(desk.path("test.csv"), plants(200, 30, false)).unwrap();
    let trained = |weight: &dyn Fn(usize) -> String| {
        fs::write(desk.path("plants.csv"), weighted(weight)).unwrap();
        let before = desk.runs();
        desk.good(&with(&["--weight=weight", "--test=test.csv"]));
        let run = desk
            .runs()
            .into_iter()
            .find(|run| !before.contains(run))
            .unwrap();
        desk.good(&["eval", text(&run), "--data=test.csv"]);
        model(&run)
    };
    let (one, two) = (trained(&|_| "1".to_owned()), trained(&|_| "2".to_owned()));
    assert!(one == two, "only the ratio of weights counts");
    assert!(one != trained(&|row| (row % 3).to_string()));
    fs::write(
        desk.path("plants.csv"),
        weighted(&|row| (row as i64 - 50).to_string()),
    )
    .unwrap();
    desk.bad(
        &with(&["--weight=weight"]),
        1,
        &["row 1, column `weight`", "the weight is -49", "--weight"],
    );
}

#[test]
fn tables_are_trained_by_adamw_unless_another_optimiser_is_named() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, false)).unwrap();
    let printed = |more: &[&str]| {
        desk.good(&[&["train", "--print-config"], more].concat())
            .out
    };
    let usual = printed(&["--data=plants.csv"]);
    for part in [
        "# optimiser = \"adamw\"  # as is usual for tables",
        "# lr = 0.003  # as",
    ] {
        assert!(usual.contains(part), "{usual}");
    }
    let named = printed(&["--data=plants.csv", "--optimiser=sgd"]);
    assert!(
        named.contains("\noptimiser = \"sgd\"") && named.contains("# lr = 0.1\n"),
        "{named}"
    );
    let images = printed(&[]);
    assert!(
        images.contains("# optimiser = \"sgd\"  # as is usual for images"),
        "{images}"
    );
    desk.bad(
        &["train", "--data=plants.csv", "--momentum=0.5"],
        2,
        &["it is for --optimiser sgd"],
    );
}

#[test]
fn a_quote_that_is_not_closed_is_an_error() {
    let desk = Desk::new();
    let rows = plants(0, 40, false).replace("\n5,", "\n\"5,");
    fs::write(desk.path("plants.csv"), rows).unwrap();
    desk.bad(
        &with(&[]),
        1,
        &["plants.csv", "a cell in line 7 is not closed"],
    );
}

/// Something else stands where the best checkpoint belongs: one error, and the run goes on when it is gone.
#[test]
fn a_best_checkpoint_that_cannot_be_written_loses_nothing() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), plants(0, 120, false)).unwrap();
    desk.good(&with(&["--best-metric=loss", "--name=whole"]));
    let words: Vec<&str> = with(&["--best-metric=loss", "--epochs=1", "--name=failed"]);
    desk.good(
        &words
            .into_iter()
            .filter(|word| *word != "--epochs=2")
            .collect::<Vec<_>>(),
    );
    let run = desk
        .runs()
        .into_iter()
        .find(|run| text(run).ends_with("failed"))
        .unwrap();
    let best = names(&run.join("best"));
    fs::rename(run.join("best"), run.join("aside")).unwrap();
    fs::write(run.join("best"), "a file in the way").unwrap();
    let resume = ["train", "--resume", text(&run), "--epochs=2", "--quiet"];
    let failed = desk.run(&resume);
    assert_ne!(failed.code, Some(0), "{failed:?}");
    assert_eq!(failed.err.matches("error:").count(), 1, "{failed:?}");
    assert!(failed.err.contains("best"), "{failed:?}");
    assert_eq!(names(&run.join("aside")), best);
    fs::remove_file(run.join("best")).unwrap();
    fs::rename(run.join("aside"), run.join("best")).unwrap();
    desk.good(&resume);
    let whole = desk
        .runs()
        .into_iter()
        .find(|run| text(run).ends_with("whole"))
        .unwrap();
    assert!(model(&run) == model(&whole));
}
