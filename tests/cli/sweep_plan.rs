//! What a sweep plans: its file, the runs that it makes of it, and mistakes in it.

use crate::Desk;
use std::fs;
use std::path::Path;

use crate::sweep::{ROWS, SWEEP};

#[test]
fn a_changed_configuration_is_named_before_anything_is_trained() {
    let desk = Desk::new();
    desk.write("small.toml", SWEEP);
    desk.good(&["sweep", "small.toml", "--quiet"]);
    // Whatever does not affect the results may change.
    desk.write("small.toml", &SWEEP.replace("threads = 1", "threads = 2"));
    desk.good(&["sweep", "small.toml", "--quiet"]);
    desk.write("small.toml", &SWEEP.replace("epochs = 2", "epochs = 3"));
    desk.bad(
        &["sweep", "small.toml", "--quiet"],
        2,
        &[
            "static_seed-1",
            "`epochs` 2, and the sweep now says 3",
            "--out",
        ],
    );
}

/// Folders whose names differ in characters that no folder's name should have, or in capitals: each is a separate run,
/// and none is confused with another.
#[test]
fn values_that_differ_in_punctuation_have_runs_of_their_own() {
    let desk = Desk::new();
    let plan = |values: &str| {
        desk.write(
            "s.toml",
            &format!(
                "[[axis]]\nkey = \"data_dir\"\nvalues = [{values}]\n[base]\ndata = \"mnist\"\n"
            ),
        );
        let done = desk.good(&["sweep", "s.toml", "--dry-run"]);
        let runs = done
            .out
            .lines()
            .skip(1)
            .filter(|line| line.contains("data-dir"));
        runs.map(|line| line.split_whitespace().next().unwrap().to_owned())
            .collect::<std::collections::BTreeSet<String>>()
    };
    assert_eq!(plan("\"x/y\", \"x y\", \"X y\", \"z\"").len(), 4);
    let alone = plan("\"x/y\"");
    assert!(alone.iter().all(|name| name.ends_with("x+y")), "{alone:?}");
    assert!(plan("\"x/y\", \"x y\"").is_disjoint(&alone));
    desk.bad(
        &["sweep", "s.toml", "--table", "--adapter=cpu"],
        2,
        &["--adapter has no effect here"],
    );
}

/// A run of the same name in place of one that trained on another folder.
#[test]
fn what_a_sweep_varies_makes_another_run() {
    let desk = Desk::new();
    let plan = |folder: &str| {
        desk.write(
            "s.toml",
            &format!(
                "[[axis]]\nkey = \"data_dir\"\nvalues = [\"{folder}\"]\n[base]\ndata = \"image-folder\"\n\
                 image_size = 16\nhidden = [16]\nepochs = 1\nbatch = 8\nthreads = 1\n"
            ),
        );
    };
    for folder in ["x/y", "x y"] {
        for (part, first) in [("train", 0), ("val", 20)] {
            crate::data::photos(&desk.path(folder).join(part), &["bee", "cat"], first, 4);
        }
    }
    plan("x/y");
    desk.good(&["sweep", "s.toml", "--quiet"]);
    plan("x y");
    let done = desk.good(&["sweep", "s.toml", "--dry-run"]);
    assert!(done.out.contains("another run"), "{done:?}");
}

#[test]
fn mistakes_in_the_file_are_named() {
    let desk = Desk::new();
    for (content, parts) in [
        ("methods = ", ["bad.toml, line 1", ""]),
        ("methods = [\"gsx\"]", ["bad.toml, line 1", "gse-uniform"]),
        ("method = [\"set\"]", ["bad.toml, line 1", "method"]),
        ("seeds = []", ["bad.toml", "the list of `seed` is empty"]),
        ("seeds = [1, 1]", ["bad.toml", "two runs are called seed-1"]),
        (
            "sparsities = [2.0]",
            ["bad.toml: run sparsity-2.0", "`sparsity` must be"],
        ),
        ("[base]\nsparsty = 0.5", ["bad.toml, line 2", "sparsty"]),
        (
            "[[axis]]\nkey = \"gama\"\nvalues = [1]",
            ["bad.toml", "`gama`"],
        ),
        (
            "[[axis]]\nkey = \"gamma\"\nvalues = [\"x\"]",
            ["bad.toml", "`gamma`"],
        ),
        (
            "seeds = [1]\n[[axis]]\nkey = \"seed\"\nvalues = [2]",
            ["bad.toml", "`seed` is listed twice"],
        ),
    ] {
        desk.write("bad.toml", content);
        desk.bad(&["sweep", "bad.toml"], 2, &parts);
    }
    desk.bad(&["sweep", "none.toml"], 1, &["cannot read none.toml"]);
    desk.write("fine.toml", SWEEP);
    desk.bad(
        &["sweep", "fine.toml", "--table"],
        2,
        &["no run of fine.toml is in runs/fine yet"],
    );
    desk.bad(
        &["sweep", "fine.toml", "--table", "--dry-run"],
        2,
        &["--dry-run"],
    );
    assert!(!desk.path("runs").exists());
}

/// The sweeps behind the tables in the docs can be read, and have every method.
#[test]
fn the_recipes_of_comparisons_are_sweeps_of_every_method() {
    let desk = Desk::new();
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/sweeps");
    let mut files: Vec<_> = fs::read_dir(recipes)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 3);
    for file in files {
        let plan = desk
            .good(&["sweep", file.to_str().unwrap(), "--dry-run"])
            .out;
        for method in rootlet::topology::MethodName::NAMES {
            let name = format!("_{method}_sparsity-0.98_seed-");
            let runs = plan.lines().filter(|line| line.contains(&name)).count();
            assert!(runs >= 3, "{method} in {}: {plan}", file.display());
        }
    }
}

#[test]
fn what_trains_the_same_is_done_once() {
    let desk = Desk::new();
    let base = "[base]\nhidden = [16]\nepochs = 1\nlimit = 320\nthreads = 1\n";
    let lists =
        "models = [\"mlp\", \"auto\"]\nmethods = [\"dense\", \"set\"]\nsparsities = [0.5, 0.9]\n";
    desk.write("s.toml", &format!("{lists}{base}"));
    let done = desk.good(&["sweep", "s.toml", "--dry-run"]);
    let runs: Vec<&str> = done
        .out
        .lines()
        .skip(1)
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        runs,
        [
            "runs/s/mlp_dense_sparsity-0.5",
            "runs/s/mlp_set_sparsity-0.5",
            "runs/s/mlp_set_sparsity-0.9"
        ]
    );
    let says = "5 runs left out, which would train the same as others: mlp_dense_sparsity-0.9 \
                (as mlp_dense_sparsity-0.5), ";
    assert!(done.err.contains(says), "{done:?}");
    // Values that one method ignores and another uses.
    let lists =
        "methods = [\"static\", \"gse-uniform\"]\n[[axis]]\nkey = \"gamma\"\nvalues = [0.5, 1.0]\n";
    desk.write("s.toml", &format!("{lists}{base}"));
    let done = desk.good(&["sweep", "s.toml", "--dry-run"]);
    assert_eq!(done.out.lines().count(), 1 + 3, "{done:?}");
}

#[test]
fn a_plan_lists_every_run_whatever_is_in_its_folder() {
    let desk = Desk::new();
    desk.write("small.toml", SWEEP);
    desk.good(&["sweep", "small.toml", "--quiet"]);
    let whole = desk.good(&["sweep", "small.toml", "--quiet"]).out;
    let folder = desk.path("runs/small");
    let first = folder.join(ROWS[0]);
    let states = |arguments: &[&str]| -> Vec<String> {
        let plan = desk.good(&[&["sweep", "small.toml", "--dry-run"][..], arguments].concat());
        let last = |line: &str| line.split("  ").last().unwrap().trim().to_owned();
        plan.out.lines().skip(1).map(last).collect()
    };
    let finished = vec!["finished"; 4];
    // The checkpoint says what it was made with, and it is in the table like the others.
    let config = fs::read(first.join("config.toml")).unwrap();
    for content in [None, Some(""), Some("lr = 3.0"), Some("lr = ")] {
        match content {
            None => fs::remove_file(first.join("config.toml")).unwrap(),
            Some(text) => fs::write(first.join("config.toml"), text).unwrap(),
        }
        assert_eq!(states(&[]), finished, "{content:?}");
        let again = desk.good(&["sweep", "small.toml", "--quiet"]);
        assert!(
            again.err.contains("the checkpoint is believed"),
            "{again:?}"
        );
        assert_eq!(again.out, whole, "{content:?}");
    }
    // Without it, the run is damaged, or another run; the others are listed nevertheless.
    fs::rename(first.join("checkpoints"), desk.path("kept")).unwrap();
    fs::rename(first.join("summary.json"), desk.path("summary")).unwrap();
    fs::write(first.join("config.toml"), "").unwrap();
    assert_eq!(states(&[]), ["damaged", "finished", "finished", "finished"]);
    fs::write(first.join("config.toml"), "lr = 3.0").unwrap();
    assert_eq!(
        states(&[]),
        ["another run", "finished", "finished", "finished"]
    );
    desk.bad(
        &["sweep", "small.toml"],
        2,
        &["static_seed-1", "and the sweep now says"],
    );
    fs::rename(desk.path("kept"), first.join("checkpoints")).unwrap();
    fs::rename(desk.path("summary"), first.join("summary.json")).unwrap();
    fs::write(first.join("config.toml"), config).unwrap();
    // A lock that is not a file.
    fs::remove_file(first.join("lock")).unwrap();
    fs::create_dir(first.join("lock")).unwrap();
    assert_eq!(states(&[])[0], "damaged");
    let done = desk.run(&["sweep", "small.toml", "--quiet"]);
    assert!(done.err.contains("its lock is a folder"), "{done:?}");
    assert_eq!(done.err.matches("finished before").count(), 3, "{done:?}");
    fs::remove_dir(first.join("lock")).unwrap();
    desk.bad(
        &[
            "sweep",
            "small.toml",
            "--dry-run",
            "--adapter=nix",
            "--out=new",
        ],
        1,
        &["no adapter's name contains \"nix\""],
    );
}
