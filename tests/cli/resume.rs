//! An interrupted run, continued, ends with the bits of an unbroken one.

use crate::{Desk, assert_same, names, newest, table, text};
use std::fs;

#[test]
fn stopped_after_some_steps_and_resumed() {
    let desk = Desk::new();
    for method in ["gse-uniform", "gse-graest"] {
        let method = format!("--method={method}");
        let more = &[&method, "--scope=global"];
        let unbroken = desk.small(more);
        // Within the first epoch, at its end, at a round, just before one, and at the second last step.
        for steps in [1, 19, 40, 59, 100, 113] {
            let stop = format!("--steps={steps}");
            let broken = desk.small(&[&more[..], &[&stop]].concat());
            assert!(text(&newest(&broken)).ends_with(&format!("{steps:010}")));
            let done = desk.good(&["train", "--resume", text(&broken), "--steps=0"]);
            assert!(done.out.contains(&format!("resumed      at step {steps}")));
            assert_eq!(done.err, "");
            assert_same(&unbroken, &broken);
            assert_eq!(names(&broken), names(&unbroken));
        }
    }
}

#[test]
fn stopped_again_and_again_with_other_threads() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let broken = desk.small(&["--steps=7", "--threads=1"]);
    for (steps, threads) in [("21", "2"), ("22", "1"), ("60", "2"), ("0", "1")] {
        let arguments = [
            "--steps",
            steps,
            "--threads",
            threads,
            "--workers=2",
            "--quiet",
        ];
        desk.good(&[&["train", "--resume", text(&broken)][..], &arguments].concat());
    }
    assert_same(&unbroken, &broken);
}

#[test]
fn more_epochs_continue_a_run_that_was_complete() {
    let desk = Desk::new();
    let long = desk.small(&[]);
    let short = desk.small(&["--epochs=3"]);
    let done = desk.good(&["train", "--resume", text(&short)]);
    assert!(
        done.err
            .contains("nothing was left to do; give more --epochs"),
        "{done:?}"
    );
    let done = desk.good(&["train", "--resume", text(&short), "--epochs=6", "--quiet"]);
    assert_eq!(done.err, "");
    assert_same(&long, &short);
    let stopped = desk.small(&["--steps=5"]);
    let done = desk.good(&["train", "--resume", text(&stopped)]);
    assert!(done.err.contains("--steps 0"), "{done:?}");
}

#[test]
fn rows_after_the_checkpoint_are_written_again_and_torn_ones_cut_off() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let broken = desk.small(&["--steps=50"]);
    for (name, rows) in [
        ("metrics.csv", "3,57,0.1,1,1,1,1,1,1\n4,7"),
        ("topology.csv", "60,0,linear0,1,1,1,1,1,1,1,1,1\n80,0,li"),
    ] {
        let path = broken.join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + rows).unwrap();
    }
    desk.good(&["train", "--resume", text(&broken), "--steps=0", "--quiet"]);
    assert_same(&unbroken, &broken);
}

#[test]
fn a_changed_value_is_told_and_a_fixed_one_refused() {
    let desk = Desk::new();
    let run = desk.small(&["--steps=30"]);
    let resume = ["train", "--resume", text(&run), "--steps=0"];
    let before = table(&run, "metrics.csv");
    for (flag, value) in [
        ("seed", "7"),
        ("hidden", "10"),
        ("sparsity", "0.5"),
        ("batch", "16"),
        ("limit", "0"),
        ("assignment", "uniform"),
        ("data", "mnist"),
    ] {
        let given = format!("--{flag}={value}");
        let part =
            format!("--{flag} cannot change in a resumed run; start a new one with --config");
        desk.bad(&[&resume[..], &[&given]].concat(), 2, &[&part]);
    }
    desk.bad(&[&resume[..], &["--name=x"]].concat(), 2, &["--name"]);
    desk.bad(&[&resume[..], &["--config=x"]].concat(), 2, &["--config"]);
    assert_eq!(table(&run, "metrics.csv"), before, "nothing was touched");
    let done = desk.good(&[&resume[..], &["--lr=0.05"]].concat());
    assert!(done.err.starts_with("note: --lr differs"), "{done:?}");
}

#[test]
fn what_cannot_be_resumed() {
    let desk = Desk::new();
    desk.bad(&["train", "--resume", "nowhere"], 1, &["nowhere"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.bad(
        &["train", "--resume", "empty"],
        1,
        &["not a run folder", "config.toml"],
    );
    let run = desk.small(&[]);
    let resume = ["train", "--resume", text(&run), "--epochs=7"];
    // The newest checkpoint is damaged: the earlier one is used, and the run still ends with the same bits.
    let whole = desk.small(&["--epochs=7"]);
    let file = newest(&run).join("model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&file, bytes).unwrap();
    let done = desk.good(&resume);
    assert!(
        done.err.contains("note: going back to checkpoint"),
        "{done:?}"
    );
    assert!(done.err.contains("fails its checksum"), "{done:?}");
    assert_same(&whole, &run);
    // Both are damaged, and then there are none.
    for checkpoint in names(&run.join("checkpoints")) {
        let folder = run.join("checkpoints").join(checkpoint);
        fs::write(folder.join("manifest.json"), "{").unwrap();
    }
    desk.bad(
        &resume,
        1,
        &["none of its checkpoints can be used", "manifest.json"],
    );
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    desk.bad(&resume, 1, &["holds no checkpoint"]);
}

#[test]
fn a_checkpoint_that_is_named_is_the_one_to_go_on_from() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let run = desk.small(&[]);
    let checkpoints = names(&run.join("checkpoints"));
    let older = run.join("checkpoints").join(&checkpoints[0]);
    let done = desk.good(&["train", "--resume", text(&older)]);
    assert!(done.out.contains("resumed      at step 95"), "{done:?}");
    assert!(
        done.err.contains(
            "goes on from step 95; the next checkpoint replaces what it has up to step 114"
        ),
        "{done:?}"
    );
    assert_same(&unbroken, &run);
    // The newest one may also be named by its folder.
    let done = desk.good(&["train", "--resume", text(&run.join("checkpoints"))]);
    assert!(
        done.err.starts_with("note: nothing was left to do"),
        "{done:?}"
    );
}
