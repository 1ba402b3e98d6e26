//! Runs that went on with other values, copies of runs, and files of several runs in one folder: each is reported for
//! what it is.

use std::fs;
use std::path::Path;

use crate::data::{TRAIN, photos, with};
use crate::run_files::summary;
use crate::{Desk, assert_same, copy_all, names, text};

/// The page of a report of these runs, and what was said.
pub fn report(desk: &Desk, runs: &[&Path]) -> (String, String) {
    let paths: Vec<&str> = runs.iter().map(|run| text(run)).collect();
    let done = desk.good(&[&["report"][..], &paths].concat());
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    (page, done.err)
}

/// Rows of the table of results.
fn rows(page: &str) -> usize {
    let table = page.split("<tbody>").nth(1).unwrap();
    table
        .split("</tbody>")
        .next()
        .unwrap()
        .matches("<tr>")
        .count()
}

fn remarks(run: &Path) -> String {
    summary(run)["finished"]["remarks"].to_string()
}

#[test]
fn a_run_that_went_on_with_other_values_is_none_that_its_file_repeats() {
    let desk = Desk::new();
    let untouched = desk.small(&["--lr=0.05", "--seed=2"]);
    let run = desk.small(&["--steps=50"]);
    let says = "--lr differs from the steps before (0.1 up to step 50, 0.05 from then on), so config.toml alone no \
                longer repeats";
    let done = desk.good(&["train", "--resume", text(&run), "--steps=0", "--lr=0.05"]);
    assert!(
        done.err.contains(says) && done.out.contains(says),
        "{done:?}"
    );
    assert!(remarks(&run).contains(says), "{}", remarks(&run));
    for more in ["--epochs=6", "--epochs=7"] {
        // A later continuation is reported, too.
        desk.good(&["train", "--resume", text(&run), more, "--quiet"]);
        assert!(remarks(&run).contains(says), "{}", remarks(&run));
    }
    let untouched_too = desk.small(&["--lr=0.05", "--seed=3", "--epochs=7"]);
    let (page, notes) = report(&desk, &[&untouched, &untouched_too, &run]);
    assert_eq!(rows(&page), 3, "{notes}");
    let (page, notes) = report(&desk, &[&untouched_too, &run]);
    assert_eq!(rows(&page), 2, "{notes}");
    assert!(page.contains("lr 0.1 up to step 50"));
    assert!(page.contains(says));
    let repeats = |run: &Path| format!("train --config {}", text(&run.join("config.toml")));
    assert!(page.contains(&repeats(&untouched_too)) && !page.contains(&repeats(&run)));
    let shown = desk.good(&["watch", text(&run)]).out;
    assert!(shown.contains(says), "{shown}");
    // What was asked for and trained no step is no change.
    let run = desk.small(&[]);
    desk.good(&["train", "--resume", text(&run), "--lr=0.3"]);
    let done = desk.good(&["train", "--resume", text(&run), "--epochs=7", "--quiet"]);
    assert_eq!(done.err, "");
    assert_eq!(remarks(&run), "[]");
}

#[test]
fn another_adapter_and_other_images_are_changes_too() {
    let desk = Desk::new();
    let run = desk.small(&["--steps=40"]);
    let resume = ["train", "--resume", text(&run), "--quiet"];
    let done = desk.good(&[&resume[..], &["--steps=45", "--adapter=llvmpipe"]].concat());
    let says = "the adapter differs from that of the steps before (cpu up to step 40, llvmpipe";
    assert!(done.err.contains(says), "{done:?}");
    assert!(remarks(&run).contains(says), "{}", remarks(&run));
    // By another name it is the same.
    let run = desk.small(&["--steps=40"]);
    let done = desk.good(&[
        "train",
        "--resume",
        text(&run),
        "--quiet",
        "--steps=45",
        "--adapter=CPU",
    ]);
    assert_eq!(done.err, "");

    photos(&desk.path("data/train"), &["bee", "cat"], 0, 12);
    photos(&desk.path("data/val"), &["bee", "cat"], 40, 4);
    desk.good(&with(&TRAIN, &["--epochs=2", "--name=photos"]));
    let run = desk
        .runs()
        .into_iter()
        .find(|run| text(run).ends_with("photos"))
        .unwrap();
    photos(&desk.path("data/val"), &["bee", "cat"], 50, 4);
    let says = "the data changed during the run: test images: 8 when the run began, 16 now";
    for epochs in ["--epochs=3", "--epochs=4"] {
        desk.good(&["train", "--resume", text(&run), "--quiet", epochs]);
        assert!(remarks(&run).contains(says), "{epochs}: {}", remarks(&run));
    }
    let (page, notes) = report(&desk, &[&run]);
    assert!(page.contains("images others up to step 6"), "{notes}");
}

#[test]
fn a_sweep_does_not_take_a_run_that_went_on_with_other_values() {
    let desk = Desk::new();
    let sweep = "seeds = [1, 2]\n[base]\nhidden = [32]\nepochs = 4\nlimit = 320\nround_every = 10\nthreads = 1\n";
    fs::write(desk.path("s.toml"), sweep).unwrap();
    desk.good(&["sweep", "s.toml", "--quiet"]);
    let run = desk.path("runs/s/seed-1");
    let older = names(&run.join("checkpoints"));
    let older = run.join("checkpoints").join(&older[0]);
    desk.good(&[
        "train",
        "--resume",
        text(&older),
        "--lr=0.2",
        "--steps=35",
        "--quiet",
    ]);
    // With the value of the sweep again, which its file has.
    desk.good(&[
        "train",
        "--resume",
        text(&run),
        "--lr=0.1",
        "--steps=0",
        "--quiet",
    ]);
    let plan = desk.good(&["sweep", "s.toml", "--dry-run"]);
    assert!(plan.out.contains("another run"), "{plan:?}");
    assert!(
        plan.err.contains("is not the sweep's: --lr differs"),
        "{plan:?}"
    );
    let done = desk.good(&["sweep", "s.toml", "--table"]);
    assert!(done.out.contains("changed"), "{done:?}");
}

#[test]
fn where_rounds_end_is_said_when_the_epochs_change() {
    let desk = Desk::new();
    let train = |more: &[&str]| {
        let before = desk.runs();
        let all = [
            "train",
            "--hidden=48,32",
            "--round-every=20",
            "--limit=600",
            "--batch=32",
            "--threads=2",
            "--runs=runs",
            "--quiet",
        ];
        desk.good(&[&all[..], more].concat());
        let mut new = desk.runs();
        new.retain(|run| !before.contains(run));
        new.remove(0)
    };
    let says = "--epochs was 3 up to step 57, and rounds still end after epoch 1.8 of 6";
    let run = train(&["--epochs=3"]);
    let done = desk.good(&["train", "--resume", text(&run), "--epochs=6", "--quiet"]);
    assert!(
        done.err.contains(says) && done.out.contains(says),
        "{done:?}"
    );
    assert!(remarks(&run).contains(says));
    let unbroken = train(&["--epochs=6", "--round-until=1.8"]);
    assert_same(&unbroken, &run);
    // Its file repeats it, so that it is a row with others that do the same.
    let (page, _) = report(&desk, &[&run, &unbroken]);
    assert_eq!(rows(&page), 1);
    // Before the first round nothing is trained by the old end.
    let run = train(&["--epochs=3", "--steps=10"]);
    let resume = [
        "train",
        "--resume",
        text(&run),
        "--epochs=6",
        "--steps=0",
        "--quiet",
    ];
    assert_eq!(desk.good(&resume).err, "");
    assert_same(&train(&["--epochs=6"]), &run);
}

#[test]
fn a_run_that_is_over_is_not_said_to_have_fewer_epochs() {
    let desk = Desk::new();
    let train = [
        "train",
        "--hidden=16",
        "--limit=64",
        "--epochs=2",
        "--round-every=1",
    ];
    desk.good(&train);
    let run = desk.runs().remove(0);
    let done = desk.good(&["train", "--resume", text(&run), "--epochs=1"]);
    assert!(done.err.contains("nothing was left to do"), "{done:?}");
    assert!(!format!("{done:?}").contains("only epoch"), "{done:?}");
}

#[test]
fn files_of_another_run_do_not_go_on_as_one() {
    let desk = Desk::new();
    let whole = desk.small(&["--steps=60"]);
    for other in ["--seed=2", "--lr=0.2"] {
        let run = desk.small(&["--steps=40"]);
        let other = desk.small(&["--steps=60", other]);
        for name in ["checkpoints", "config.toml"] {
            let own = run.join(name);
            if own.is_dir() {
                fs::remove_dir_all(&own).unwrap();
            }
            copy_all(&other.join(name), &own);
        }
        let says = "is of another run";
        let resume = ["train", "--resume", text(&run), "--steps=0", "--quiet"];
        let done = desk.bad(
            &resume,
            1,
            &[says, "move summary.json, metrics.csv and topology.csv away"],
        );
        assert!(!done.err.contains("damaged"), "{done:?}");
        let (_, notes) = report(&desk, &[&run]);
        assert!(notes.contains(says), "{notes}");
        let shown = desk.good(&["watch", text(&run)]).out;
        assert!(shown.contains(says), "{shown}");
        // The tables alone are reported.
        fs::remove_file(run.join("summary.json")).unwrap();
        let (_, notes) = report(&desk, &[&run]);
        assert!(
            notes.contains("metrics.csv: the rows of epochs 3 are missing")
                || notes.contains("metrics.csv: "),
            "{notes}"
        );
        for name in ["metrics.csv", "topology.csv"] {
            fs::remove_file(run.join(name)).unwrap();
        }
        desk.good(&resume);
        desk.good(&["train", "--resume", text(&other), "--steps=0", "--quiet"]);
        assert!(crate::model(&run) == crate::model(&other));
    }
    // Another run's table.
    let other = desk.small(&["--steps=60", "--seed=3"]);
    fs::copy(other.join("metrics.csv"), whole.join("metrics.csv")).unwrap();
    let says = "metrics.csv: the row of epoch 3 has another test result than the checkpoint";
    let (_, notes) = report(&desk, &[&whole]);
    assert!(notes.contains(says), "{notes}");
    let done = desk.good(&["train", "--resume", text(&whole), "--steps=0", "--quiet"]);
    assert!(done.err.contains(says), "{done:?}");
}

#[cfg(unix)]
#[test]
fn a_run_counts_once_however_often_it_is_there() {
    use std::os::unix::fs::symlink;
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2"]);
    let (copied, linked) = (desk.path("runs/copied"), desk.path("runs/linked"));
    copy_all(&run, &copied);
    symlink(&run, &linked).unwrap();
    for (given, says) in [
        (
            &[run.as_path(), &run][..],
            "is given twice, and counts once",
        ),
        (&[&run, &linked], "by another path"),
        (&[&run, &copied], "is a copy of"),
        (&[&desk.path("runs")], "is a copy of"),
    ] {
        let (page, notes) = report(&desk, given);
        assert!(notes.contains(says), "{notes}");
        assert_eq!(page.matches("<details>").count(), 1, "{says}");
    }
    // A copy that went on stays in the copy's place.
    let stopped = desk.small(&["--epochs=2", "--steps=20", "--seed=4"]);
    copy_all(&stopped, &desk.path("further"));
    desk.good(&["train", "--resume", "further", "--steps=30", "--quiet"]);
    let (page, notes) = report(&desk, &[&stopped, &desk.path("further")]);
    assert!(notes.is_empty() && rows(&page) == 2, "{notes}");
    // The same training done once more is no copy, and no repetition either.
    let again = desk.small(&["--epochs=2"]);
    let (page, _) = report(&desk, &[&run, &again]);
    assert!(page.contains("have the same seed, 1: one training done 2 times"));
}

#[cfg(unix)]
#[test]
fn what_is_left_out_of_a_folder_is_named() {
    use std::os::unix::fs::symlink;
    let desk = Desk::new();
    desk.small(&["--epochs=1"]);
    let inside = |name: &str| desk.path("runs").join(name);
    symlink("/nowhere/at/all", inside("dangling")).unwrap();
    symlink(inside("loop"), inside("loop")).unwrap();
    fs::create_dir_all(inside("empty/of")).unwrap();
    fs::create_dir_all(inside(".hidden")).unwrap();
    fs::write(inside("notes.txt"), "").unwrap();
    let (page, notes) = report(&desk, &[&desk.path("runs")]);
    for says in [
        "runs/dangling is left out: it is a link to nothing",
        "runs/empty is left out: not a run folder: it has neither config.toml nor summary.json nor checkpoints",
        "runs/loop is left out: it cannot be opened (",
    ] {
        assert!(notes.contains(says), "no `{says}` in {notes}");
    }
    assert_eq!(notes.lines().count(), 3, "{notes}");
    assert_eq!(page.matches("<details>").count(), 1);
}
