//! What a run says about itself: results that mislead, rounds that never came, flags without effect.

use std::fs;

use crate::Desk;
use crate::data::{TRAIN, json, photos, with};

#[test]
fn results_that_mislead_say_so() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee"], 0, 4);
    photos(&desk.path("data/val"), &["bee"], 50, 2);
    let done = desk.good(&with(&TRAIN, &["--quiet"]));
    let lines: Vec<&str> = done.out.lines().collect();
    let starts = [
        "note: there is a single class",
        "note: --batch 8 is more than the 4 training images",
        "note: no round took place",
        "test accuracy 100.00 %",
    ];
    assert_eq!(lines.len(), starts.len(), "{done:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{done:?}");
    }
    // A rate that wrecks the network without producing a NaN.
    let wrecked = [
        "train",
        "--hidden=16",
        "--epochs=1",
        "--lr=30",
        "--limit=200",
        "--json",
        "--runs=runs",
    ];
    let done = desk.good(&wrecked);
    let remarks = json(done.out.lines().last().unwrap())["remarks"].to_string();
    assert!(
        remarks.contains("above that of guessing, ln 10 = 2.3026"),
        "{remarks}"
    );
}

#[test]
fn methods_that_never_came_to_a_round_say_so() {
    let desk = Desk::new();
    let train = [
        "train",
        "--hidden=16",
        "--limit=128",
        "--epochs=2",
        "--quiet",
        "--runs=runs",
    ];
    for (more, part) in [
        (&["--method=gse-grabo"][..], "rounds end before step 5"),
        (
            &["--method=set", "--round-until=99"],
            "the run ends at step 8",
        ),
        (
            &["--method=rigl", "--round-every=5"],
            "rounds end before step 5",
        ),
        (&["--method=topkast"], "the run ends at step 8"),
        (
            &["--method=lottery", "--steps=7"],
            "lottery did not come to its last pruning",
        ),
        (
            &["--method=gradual", "--steps=2"],
            "gradual did not come to its last pruning",
        ),
    ] {
        let done = desk.good(&with(&train, more));
        assert!(
            done.out.starts_with("note: ") && done.out.contains(part),
            "{more:?}: {done:?}"
        );
        // This is also reported at the start, in time to change it.
        if part.contains(" step ") {
            let loud: Vec<&str> = with(&train, more);
            let loud: Vec<&str> = loud.into_iter().filter(|word| *word != "--quiet").collect();
            let done = desk.good(&loud);
            assert!(
                done.out.contains("note: no round will take place"),
                "{done:?}"
            );
        }
    }
    for more in [
        &["--method=static"][..],
        &["--method=dense"],
        &["--method=gse-uniform", "--round-every=4"],
        &["--method=topkast", "--round-every=4"],
        &["--method=gradual"],
        &["--method=lottery", "--lottery-cycles=1"],
    ] {
        let done = desk.good(&with(&train, more));
        assert!(!done.out.contains("round"), "{more:?}: {done:?}");
        assert!(!done.out.contains("pruning"), "{more:?}: {done:?}");
    }
}

#[test]
fn flags_without_effect_are_refused_and_values_of_files_stay() {
    let desk = Desk::new();
    desk.bad(
        &["train", "--gamma=2", "--method=static"],
        2,
        &["--gamma has no effect here"],
    );
    let config =
        "gamma = 2.0\nround_every = 7\nhidden = [8]\nepochs = 1\nlimit = 64\nlottery_cycles = 2\n";
    fs::write(desk.path("recipe.toml"), config).unwrap();
    let recipe = [
        "train",
        "--config=recipe.toml",
        "--method=static",
        "--quiet",
    ];
    desk.good(&recipe);
    desk.bad(
        &[&recipe[..], &["--alpha=0.1"]].concat(),
        2,
        &["--alpha has no effect here"],
    );
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 2);
    photos(&desk.path("data/val"), &["bee", "cat"], 50, 1);
    desk.bad(
        &with(&TRAIN, &["--patience=3"]),
        2,
        &["--patience has no effect", "image-folder has none"],
    );
    photos(&desk.path("data/test"), &["bee", "cat"], 70, 1);
    desk.bad(
        &with(&TRAIN, &["--val-split=0.3"]),
        2,
        &["--val-split has no effect", "from val/"],
    );
    assert_eq!(desk.runs().len(), 1);
}
