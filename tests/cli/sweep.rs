//! Sweeps: many runs from one file, resumable, and one table.

use crate::going::Going;
use crate::{Desk, Done, model, names, table, text};
use std::fs;
use std::path::Path;

pub(crate) const SWEEP: &str = "
methods = [\"static\", \"gse-uniform\"]
seeds = [1, 2]
[base]
hidden = [32]
epochs = 2
round_every = 10
limit = 320
threads = 1
";

pub(crate) const ROWS: [&str; 4] = [
    "static_seed-1",
    "static_seed-2",
    "gse-uniform_seed-1",
    "gse-uniform_seed-2",
];

impl Desk {
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }
}

/// Checks that both runs ended with the same bits and wrote the same tables except for the times; a static one has no
/// rounds.
pub fn same(run: &Path, other: &Path) {
    assert!(
        model(run) == model(other),
        "{}: the models differ",
        run.display()
    );
    for name in ["metrics.csv", "topology.csv"] {
        let empty = |run: &Path| fs::metadata(run.join(name)).unwrap().len() == 0;
        assert_eq!(empty(run), empty(other), "{name}");
        if !empty(run) {
            assert_eq!(table(run, name), table(other, name), "{name}");
        }
    }
}

#[test]
fn a_sweep_trains_all_runs_once_and_makes_the_table() {
    let desk = Desk::new();
    desk.write("small.toml", SWEEP);
    let plan = desk.good(&["sweep", "small.toml", "--dry-run"]).out;
    assert_eq!(plan.lines().count(), 5, "{plan}");
    assert!(
        plan.contains("runs/small/static_seed-1") && plan.contains("to do"),
        "{plan}"
    );
    assert!(!desk.path("runs").exists(), "nothing is trained");

    let done = desk.good(&["sweep", "small.toml", "--quiet", "--tensorboard"]);
    let folder = desk.path("runs/small");
    let mut found = names(&folder);
    found.retain(|name| !name.starts_with("results"));
    let mut rows = ROWS.map(str::to_owned);
    rows.sort();
    assert_eq!(found, rows);
    for run in ROWS {
        let files = names(&folder.join(run));
        for file in ["summary.json", "metrics.csv", "checkpoints", "tensorboard"] {
            assert!(files.contains(&file.to_owned()), "{run}: {files:?}");
        }
    }
    // A run of the sweep equals the run that its configuration makes alone.
    let config = folder.join("static_seed-1/config.toml");
    desk.good(&[
        "train",
        "--config",
        text(&config),
        "--runs=alone",
        "--quiet",
    ]);
    let alone = desk.path("alone").join(&names(&desk.path("alone"))[0]);
    same(&alone, &folder.join("static_seed-1"));

    // Mean and deviation against the tables of the runs themselves.
    let accuracies = |method: &str| -> Vec<f64> {
        let of = |seed: u32| {
            let run = folder.join(format!("{method}_seed-{seed}"));
            let rows = table(&run, "metrics.csv");
            let column = rows[0]
                .iter()
                .position(|name| name == "test_accuracy")
                .unwrap();
            rows.last().unwrap()[column].parse::<f64>().unwrap()
        };
        vec![of(1), of(2)]
    };
    let csv = fs::read_to_string(folder.join("results.csv")).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 3, "{csv}");
    for (row, method) in rows[1..].iter().zip(["static", "gse-uniform"]) {
        let cell = |name: &str| row[rows[0].iter().position(|n| *n == name).unwrap()];
        assert_eq!(
            (cell("model"), cell("method"), cell("sparsity")),
            ("mlp", method, "0.9")
        );
        assert_eq!(
            (cell("runs"), cell("finished"), cell("failed")),
            ("2", "2", "0")
        );
        let found = accuracies(method);
        let mean = (found[0] + found[1]) / 2.0;
        let deviation = (found[0] - found[1]).abs() / 2f64.sqrt();
        let number = |name: &str| cell(name).parse::<f64>().unwrap();
        assert!((number("test_accuracy_mean") - mean).abs() < 1e-6, "{csv}");
        assert!(
            (number("test_accuracy_std") - deviation).abs() < 1e-6,
            "{csv}"
        );
        assert!(number("peak_connections_mean") > 0.0 && number("connections_mean") > 0.0);
        let shown = format!("{:.2} ± {:.2}", 100.0 * mean, 100.0 * deviation);
        assert!(done.out.contains(&shown), "no {shown} in {}", done.out);
        let markdown = fs::read_to_string(folder.join("results.md")).unwrap();
        assert!(
            markdown.contains(&format!("| {method} | 0.9 | 2 | {shown} |")),
            "{markdown}"
        );
    }

    // Again: nothing is trained, the table is the same.
    let before = fs::read(folder.join("static_seed-1/summary.json")).unwrap();
    let again = desk.good(&["sweep", "small.toml", "--quiet"]);
    assert_eq!(again.err.matches("finished before").count(), 4, "{again:?}");
    assert_eq!(
        fs::read(folder.join("static_seed-1/summary.json")).unwrap(),
        before
    );
    assert_eq!(fs::read_to_string(folder.join("results.csv")).unwrap(), csv);
    let table = desk.good(&["sweep", "small.toml", "--table"]).out;
    assert!(
        table.lines().nth(2).unwrap().contains("gse-uniform"),
        "{table}"
    );
}

#[test]
fn an_unfinished_run_goes_on_and_a_missing_one_is_done() {
    let desk = Desk::new();
    desk.write("small.toml", SWEEP);
    desk.good(&["sweep", "small.toml", "--quiet", "--out=whole"]);
    desk.good(&["sweep", "small.toml", "--quiet", "--out=broken"]);
    let broken = desk.path("broken");
    fs::remove_dir_all(broken.join(ROWS[0])).unwrap();
    // The state that a kill leaves: the last checkpoint of the first epoch, an open summary, rows from later steps.
    let run = broken.join(ROWS[3]);
    let last = crate::newest(&run);
    fs::remove_dir_all(last).unwrap();
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    let mut summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    summary["finished"] = serde_json::Value::Null;
    fs::write(run.join("summary.json"), summary.to_string()).unwrap();
    let plan = desk
        .good(&["sweep", "small.toml", "--dry-run", "--out=broken"])
        .out;
    for (row, state) in plan
        .lines()
        .skip(1)
        .zip(["to do", "finished", "finished", "to resume"])
    {
        assert!(row.ends_with(state), "{plan}");
    }
    let done = desk.good(&["sweep", "small.toml", "--quiet", "--out=broken"]);
    assert_eq!(done.err.matches("finished before").count(), 2, "{done:?}");
    for row in ROWS {
        same(&desk.path("whole").join(row), &broken.join(row));
    }
}

#[test]
fn a_run_that_diverges_is_recorded_and_the_others_go_on() {
    let desk = Desk::new();
    let sweep = "[[axis]]\nkey = \"lr\"\nvalues = [1e6, 0.1]\n[base]\nhidden = [16]\nepochs = 1\nlimit = 960\n";
    desk.write("rates.toml", sweep);
    for _ in 0..2 {
        let done = desk.run(&["sweep", "rates.toml", "--quiet"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.contains(" failed: the loss became"), "{done:?}");
        let table = fs::read_to_string(desk.path("runs/rates/results.md")).unwrap();
        let rows: Vec<&str> = table
            .lines()
            .filter(|line| line.starts_with("| mlp"))
            .collect();
        assert_eq!(rows.len(), 2, "{done:?}");
        assert!(
            rows[0].contains("1 failed") && rows[0].contains('–'),
            "{done:?}"
        );
        assert!(!rows[1].contains("failed"), "{done:?}");
    }
    let done = desk.run(&["sweep", "rates.toml", "--quiet"]);
    assert!(
        done.err.contains("diverged before; remove its folder"),
        "{done:?}"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_goes_on_where_it_stopped() {
    // Enough epochs that a sweep is still working when it is observed; the file decides how many, so that no other is
    // an end.
    let met = (5..).map(|power| 2_u32.pow(power)).find_map(|epochs| {
        let desk = Desk::new();
        desk.write(
            "long.toml",
            &SWEEP.replace("epochs = 2", &format!("epochs = {epochs}")),
        );
        let mut child =
            Going::start(desk.command(&["sweep", "long.toml", "--quiet", "--out=broken"]));
        let second = desk.path("broken").join(ROWS[1]).join("checkpoints");
        child.wait_for("the second run", || second.is_dir().then_some(()));
        child.signal(libc::SIGINT);
        let done = child.end();
        (done.code != Some(0)).then_some((desk, done))
    });
    let (desk, done) = met.unwrap();
    assert_eq!(done.code, Some(130), "{done:?}");
    assert!(done.err.contains("the same command goes on"), "{done:?}");
    desk.good(&["sweep", "long.toml", "--quiet", "--out=broken"]);
    desk.good(&["sweep", "long.toml", "--quiet", "--out=whole"]);
    for row in ROWS {
        same(
            &desk.path("whole").join(row),
            &desk.path("broken").join(row),
        );
    }
}

/// A table is made from files: which adapter this machine would choose does not matter.
#[test]
fn the_table_takes_runs_of_any_adapter_where_the_file_names_none() {
    let desk = Desk::new();
    desk.write("small.toml", SWEEP);
    desk.good(&["sweep", "small.toml", "--quiet", "--adapter=cpu"]);
    let table = || {
        let mut command = desk.command(&["sweep", "small.toml", "--table"]);
        let output = command.env_remove("ROOTLET_ADAPTER").output();
        Done::of(output.unwrap()).err
    };
    assert_eq!(table(), "");
    desk.write("small.toml", &format!("{SWEEP}adapter = \"llvmpipe\"\n"));
    let says = "was made with `adapter` cpu, and the sweep now says llvmpipe";
    let told = table();
    assert!(told.contains(says), "{told}");
}

#[test]
fn the_table_tells_of_runs_that_the_file_no_longer_plans() {
    let desk = Desk::new();
    desk.write("small.toml", SWEEP);
    desk.good(&["sweep", "small.toml", "--quiet"]);
    let table = |sweep: &str| {
        desk.write("small.toml", sweep);
        desk.good(&["sweep", "small.toml", "--table"])
    };
    assert_eq!(table(SWEEP).err, "");
    // One seed less, and other epochs.
    let done = table(&SWEEP.replace("[1, 2]", "[1]"));
    let says = "note: 2 runs in runs/small not in small.toml as it is now, and not in the table: \
                gse-uniform_seed-2, static_seed-2";
    assert!(done.err.contains(says), "{done:?}");
    let done = table(&SWEEP.replace("epochs = 2", "epochs = 3"));
    for row in ROWS {
        let says = format!(
            "note: {row} is in the table, and was made with `epochs` 2, and the sweep now says 3"
        );
        assert!(done.err.contains(&says), "{done:?}");
    }
}

#[test]
fn a_lost_summary_splits_no_row() {
    let desk = Desk::new();
    desk.write("small.toml", SWEEP);
    let whole = desk.good(&["sweep", "small.toml", "--quiet"]).out;
    let rows = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| line.contains("uniform") || line.contains("static"));
        let mut names: Vec<String> = lines
            .map(|line| line.split("  ").next().unwrap().to_owned())
            .collect();
        // Columns that do not fit 80 characters follow in lines of their own.
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(rows(&whole).len(), 2, "{whole}");
    for row in ROWS {
        let path = desk.path("runs/small").join(row).join("summary.json");
        let before = fs::read(&path).unwrap();
        for content in [None, Some(vec![0; 99])] {
            match content {
                None => fs::remove_file(&path).unwrap(),
                Some(zeros) => fs::write(&path, zeros).unwrap(),
            }
            let done = desk.good(&["sweep", "small.toml", "--table"]);
            assert_eq!(rows(&done.out), rows(&whole), "{row}: {}", done.out);
            assert!(!done.out.contains("unfinished"), "{}", done.out);
        }
        fs::write(&path, before).unwrap();
    }
}
