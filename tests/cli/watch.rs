//! `rootlet watch` without a terminal: one view of a run, whatever state it is in.

use crate::{Desk, names, text};
use std::fs;

#[test]
fn a_finished_run_is_shown_once() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    for more in [&[][..], &["--once"]] {
        let done = desk.good(&[&["watch", text(&run)][..], more].concat());
        for part in [
            "digits-gse-uniform: mlp, gse-uniform, 90.00 % sparse on cpu",
            "step ",
            "training loss  ",
            "\n  6/6 ",
            "last round at step 80: ",
            "test accuracy ",
        ] {
            assert!(done.out.contains(part), "no `{part}` in {}", done.out);
        }
        assert_eq!(done.err, "");
    }
}

#[test]
fn a_run_that_failed_or_has_told_little_is_shown_too() {
    let desk = Desk::new();
    desk.run(&["train", "--lr=1e6", "--quiet"]);
    let [run] = &desk.runs()[..] else { panic!() };
    let shown = desk.good(&["watch", text(run)]).out;
    assert!(shown.contains("failed: the loss became"), "{shown}");
    // The state before the first step, and in folders of older versions.
    for name in names(run) {
        if name != "config.toml" {
            let path = run.join(name);
            match path.is_dir() {
                true => fs::remove_dir_all(path).unwrap(),
                false => fs::remove_file(path).unwrap(),
            }
        }
    }
    let shown = desk.good(&["watch", text(run)]).out;
    assert!(shown.contains("no step was reported yet"), "{shown}");
}

#[test]
fn rows_past_the_end_are_not_the_runs() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2"]);
    let path = run.join("topology.csv");
    let table = fs::read_to_string(&path).unwrap();
    let last = table.lines().last().unwrap();
    let (_, rest) = last.split_once(',').unwrap();
    fs::write(&path, format!("{table}100,{rest}\n")).unwrap();
    let shown = desk.good(&["watch", text(&run)]).out;
    assert!(shown.contains("last round at step 20"), "{shown}");
    let says = "the run has no step past 38, and rows of step 100: they are left out";
    assert!(shown.contains(says), "{shown}");
    let done = desk.good(&["report", text(&run)]);
    assert!(done.err.contains(says), "{done:?}");
}

#[test]
fn what_cannot_be_watched() {
    let desk = Desk::new();
    desk.bad(&["watch", "nowhere"], 1, &["cannot open the run nowhere"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.bad(&["watch", "empty"], 1, &["not a run folder"]);
    desk.bad(&["watch"], 2, &["<RUN>"]);
}
