//! What a kill, an editor or a disk can do to a run's folder: nothing false is believed, and nothing is overwritten
//! silently.

use crate::going::{ENDLESS, Going};
use crate::{Desk, assert_same, has_saved, names, table, text};
use std::fs;
use std::path::{Path, PathBuf};

/// All files below a folder with their bytes, except the lock.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names(folder).iter().filter(|name| *name != "lock") {
        let path = folder.join(name);
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    files
}

pub fn summary(run: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn a_resume_that_trains_nothing_changes_no_file() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    let before = files(&run);
    for flags in [
        &[][..],
        &["--lr=0.3"],
        &["--lr=0.3", "--epochs=2", "--tensorboard"],
        &["--steps=114"],
    ] {
        let done = desk.good(&[&["train", "--resume", text(&run)][..], flags].concat());
        assert!(
            done.err.contains("nothing was left to do; give "),
            "{done:?}"
        );
        assert!(!done.err.contains("no longer repeats"), "{done:?}");
        assert!(done.out.contains("test accuracy"), "{done:?}");
        assert!(files(&run) == before, "{flags:?}: {:?}", names(&run));
    }
    // A run that was stopped, and is asked for no more than it has.
    let run = desk.small(&["--steps=50"]);
    desk.good(&["train", "--resume", text(&run), "--steps=60"]);
    let before = files(&run);
    desk.good(&["train", "--resume", text(&run), "--steps=55", "--lr=0.3"]);
    assert!(files(&run) == before);
}

/// The process died after the last checkpoint, before it reported the end.
#[test]
fn an_end_that_was_not_told_is_told_by_the_next_resume() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    let config = fs::read(run.join("config.toml")).unwrap();
    let mut open = summary(&run);
    open["finished"] = serde_json::Value::Null;
    fs::write(run.join("summary.json"), open.to_string()).unwrap();
    desk.good(&["train", "--resume", text(&run), "--lr=0.3"]);
    let now = summary(&run);
    assert_eq!(now["finished"]["step"], 114);
    assert_eq!(now["config"], open["config"]);
    assert!(fs::read(run.join("config.toml")).unwrap() == config);
    let saved = fs::read_to_string(crate::newest(&run).join("manifest.json")).unwrap();
    assert!(!saved.contains("lr = 0.3"), "{saved}");
}

#[test]
fn a_run_without_a_checkpoint_begins_from_its_start() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let run = desk.small(&["--steps=10"]);
    // The state that a kill before the first checkpoint leaves: half a save, and rows of steps that nothing accounts
    // for.
    let of = |open: &mut serde_json::Value| open["finished"] = serde_json::Value::Null;
    let mut open = summary(&run);
    of(&mut open);
    fs::write(run.join("summary.json"), open.to_string()).unwrap();
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    fs::create_dir_all(run.join("checkpoints/.tmp-step-0000000010-1")).unwrap();
    fs::write(run.join("topology.csv"), "st").unwrap();
    let done = desk.good(&["train", "--resume", text(&run), "--steps=0"]);
    assert!(
        done.err
            .contains("has no checkpoint yet: the run starts from the beginning"),
        "{done:?}"
    );
    assert_same(&unbroken, &run);
    // Nothing is left of the one that first began it.
    assert_eq!(summary(&run)["commands"].as_array().unwrap().len(), 1);
    // A run that had checkpoints is not started again: its tables are all that is left.
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    let before = files(&run);
    let resume = ["train", "--resume", text(&run)];
    desk.bad(
        &resume,
        1,
        &["holds no checkpoint, though the run had some"],
    );
    assert!(files(&run) == before);
    fs::remove_file(run.join("summary.json")).unwrap();
    fs::write(run.join("config.toml"), "lr = ").unwrap();
    desk.bad(
        &resume,
        1,
        &[
            "holds no checkpoint, and no configuration",
            "start the run again",
        ],
    );
}

/// The configuration is written before anything else, so that a run can be resumed after a kill at any moment.
#[test]
fn a_kill_at_the_very_start_leaves_a_run_that_goes_on() {
    let desk = Desk::new();
    let end = "--steps=38";
    let unbroken = desk.small(&[&ENDLESS[..], &[end]].concat());
    // With the first checkpoint far away, the kill can hit any moment before it.
    let late = ["--save-every=100000"];
    for file in ["config.toml", "summary.json", "metrics.csv", "topology.csv"] {
        let mut child = Going::endless(&desk, &late);
        let run = child.wait_for(file, || {
            let run = desk.runs().into_iter().find(|run| *run != unbroken)?;
            fs::metadata(run.join(file)).is_ok().then_some(run)
        });
        drop(child);
        assert!(!has_saved(&run));
        desk.good(&["train", "--resume", text(&run), "--quiet", end]);
        assert_same(&unbroken, &run);
        fs::remove_dir_all(&run).unwrap();
    }
}

/// An editor leaves the last line without a line end.
#[test]
fn a_last_row_without_its_line_end_is_kept() {
    let desk = Desk::new();
    let whole = desk.small(&["--epochs=7"]);
    for name in ["metrics.csv", "topology.csv"] {
        let run = desk.small(&[]);
        let path = run.join(name);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, before.trim_end()).unwrap();
        let done = desk.seven(&run);
        assert!(!done.err.contains(name), "{done:?}");
        assert_same(&whole, &run);
        // A line that was cut is kept beside the table.
        let run = desk.small(&[]);
        let path = run.join(name);
        let cut = &before[..before.len() - 20];
        fs::write(&path, cut).unwrap();
        let done = desk.seven(&run);
        assert!(done.err.contains("is damaged and left out"), "{done:?}");
        let aside = path.with_extension("damaged.csv");
        assert_eq!(fs::read_to_string(aside).unwrap(), cut);
    }
}

#[test]
fn rows_that_are_missing_are_told() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    let path = |name: &str| run.join(name);
    let whole = ["metrics.csv", "topology.csv"].map(|name| fs::read_to_string(path(name)).unwrap());
    let [metrics, topology] = &whole;
    let without = |text: &str, row: &str| -> String {
        let kept = text.lines().filter(|line| !line.starts_with(row));
        kept.map(|line| format!("{line}\n")).collect()
    };
    let cut = |text: &str, lines: usize| -> String {
        text.lines()
            .take(lines)
            .map(|line| format!("{line}\n"))
            .collect()
    };
    let cases: [(&str, Option<String>, &str); 9] = [
        (
            "metrics.csv",
            Some(without(metrics, "3,")),
            "the row of epoch 3 is missing",
        ),
        (
            "metrics.csv",
            Some(cut(metrics, 4)),
            "the rows of epochs 4 to 6 are missing",
        ),
        (
            "metrics.csv",
            Some(cut(metrics, 1)),
            "the rows of epochs 1 to 6 are missing",
        ),
        (
            "metrics.csv",
            Some(String::new()),
            "the rows of epochs 1 to 6 are missing",
        ),
        ("metrics.csv", None, "the rows of epochs 1 to 6 are missing"),
        (
            "topology.csv",
            Some(without(topology, "40,")),
            "1 of 4 rounds is missing, those after steps 40",
        ),
        (
            "topology.csv",
            Some(without(topology, "40,1")),
            "the rounds after steps 40 lack rows of layers",
        ),
        (
            "topology.csv",
            Some(String::new()),
            "4 of 4 rounds are missing, those after steps 20, 40, 60, 80",
        ),
        ("topology.csv", None, "4 of 4 rounds are missing"),
    ];
    for (name, content, says) in cases {
        match &content {
            Some(content) => fs::write(path(name), content).unwrap(),
            None => fs::remove_file(path(name)).unwrap(),
        }
        let says = format!("{name}: {says}");
        let done = desk.good(&["report", text(&run)]);
        assert!(done.err.contains(&says), "report: no `{says}` in {done:?}");
        let page = fs::read_to_string(desk.path("report.html")).unwrap();
        assert!(page.contains(&says), "{says}");
        let done = desk.good(&["watch", "--once", text(&run)]);
        assert!(done.out.contains(&says), "watch: no `{says}` in {done:?}");
        let done = desk.good(&["train", "--resume", text(&run), "--quiet"]);
        assert!(done.err.contains(&says), "resume: no `{says}` in {done:?}");
        for (name, content) in ["metrics.csv", "topology.csv"].iter().zip(&whole) {
            fs::write(path(name), content).unwrap();
        }
    }
    // Nothing is said about a sum over incomplete rows.
    fs::remove_file(path("summary.json")).unwrap();
    fs::write(path("metrics.csv"), without(metrics, "3,")).unwrap();
    desk.good(&["report", text(&run)]);
    // A run that trains on says so, too, and does not invent the rows.
    let done = desk.good(&["train", "--resume", text(&run), "--epochs=7", "--quiet"]);
    assert!(
        done.err.contains("the row of epoch 3 is missing"),
        "{done:?}"
    );
    assert_eq!(table(&run, "metrics.csv").len(), 1 + 6);
}

/// Whole runs of every kind of method, stopped or not, report no damage.
#[test]
fn nothing_is_missing_of_a_whole_run() {
    let desk = Desk::new();
    for method in [
        "gradual", "lottery", "topkast", "snip", "rigl", "set", "static", "dense",
    ] {
        let method = format!("--method={method}");
        for more in [&[][..], &["--steps=50"], &["--limit=500"]] {
            let run = desk.small(&[&[method.as_str()], more].concat());
            let done = desk.good(&["report", text(&run)]);
            assert_eq!(done.err, "", "{method} {more:?}");
            let done = desk.good(&["train", "--resume", text(&run), "--steps=0", "--quiet"]);
            assert!(!done.err.contains("missing"), "{method} {more:?}: {done:?}");
            let done = desk.good(&["report", text(&run)]);
            assert_eq!(done.err, "", "{method} {more:?}");
        }
    }
}

#[test]
fn a_report_leaves_out_what_is_damaged_of_what_it_was_given() {
    let desk = Desk::new();
    let (bad, good) = (desk.small(&["--epochs=1"]), desk.small(&["--epochs=1"]));
    // Nothing else has its configuration.
    fs::write(bad.join("config.toml"), "lr = ").unwrap();
    fs::remove_file(bad.join("summary.json")).unwrap();
    fs::remove_dir_all(bad.join("checkpoints")).unwrap();
    fs::write(desk.path("bench.json"), "{").unwrap();
    let done = desk.good(&["report", text(&bad), "bench.json", text(&good)]);
    for input in [text(&bad), "bench.json"] {
        assert!(
            done.err.contains(&format!("note: {input} is left out: ")),
            "{done:?}"
        );
    }
    assert!(done.out.contains("1 run,"), "{done:?}");
    // A path that does not exist was mistyped.
    desk.bad(
        &["report", "nowhere", text(&good)],
        1,
        &["cannot open the run nowhere"],
    );
    desk.bad(&["report", text(&bad)], 2, &["config.toml"]);
}

/// What is in place of a file.
fn put(path: &Path, kind: &str) {
    let _ = fs::remove_file(path);
    match kind {
        "pipe" => {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        }
        #[cfg(unix)]
        "device" => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        "folder" => {
            fs::create_dir(path).unwrap();
            fs::write(path.join("notes"), "of somebody").unwrap();
        }
        _ => fs::write(path, [0; 300]).unwrap(),
    }
}

#[cfg(unix)]
#[test]
fn what_is_in_a_files_place_blocks_nothing_and_is_kept() {
    let desk = Desk::new();
    let whole = desk.small(&["--epochs=7"]);
    let one = desk.small(&[]);
    for name in [
        "config.toml",
        "summary.json",
        "progress.json",
        "metrics.csv",
        "topology.csv",
    ] {
        for kind in ["pipe", "device", "folder", "zeros"] {
            let run = desk.path("run");
            let copied = std::process::Command::new("cp")
                .arg("-r")
                .args([&one, &run])
                .status();
            assert!(copied.unwrap().success());
            put(&run.join(name), kind);
            let watched = desk.run(&["watch", "--once", text(&run)]);
            assert!(format!("{watched:?}").contains(name), "{watched:?}");
            let reported = desk.run(&["report", text(&run)]);
            assert!(
                reported.err.contains(name) || name == "progress.json",
                "{reported:?}"
            );
            let resume = ["train", "--resume", text(&run), "--epochs=7", "--quiet"];
            if (name, kind) == ("config.toml", "zeros") {
                desk.bad(&resume, 2, &["the checkpoint has the configuration"]);
            } else {
                let done = desk.good(&resume);
                let (stem, extension) = name.split_once('.').unwrap();
                let aside = format!("{stem}.damaged.{extension}");
                assert!(done.err.contains(&aside), "{name}, {kind}: {done:?}");
                assert!(fs::symlink_metadata(run.join(&aside)).is_ok(), "{aside}");
                assert_eq!(run.join(&aside).join("notes").exists(), kind == "folder");
                assert!(crate::model(&run) == crate::model(&whole), "{name}, {kind}");
            }
            fs::remove_dir_all(&run).unwrap();
        }
    }
    for (name, says) in [("lock", "not a file"), ("checkpoints", "not a folder")] {
        let run = desk.small(&["--epochs=1"]);
        let _ = fs::remove_dir_all(run.join(name));
        put(&run.join(name), "pipe");
        let mut open = summary(&run);
        open["finished"] = serde_json::Value::Null;
        fs::write(run.join("summary.json"), open.to_string()).unwrap();
        let done = desk.bad(&["train", "--resume", text(&run)], 1, &[name, says]);
        assert!(done.err.contains("move it away"), "{done:?}");
    }
    // What a kill may leave, or somebody put there.
    let run = desk.small(&["--epochs=1"]);
    put(&run.join("summary.tmp"), "pipe");
    desk.good(&["train", "--resume", text(&run), "--epochs=2", "--quiet"]);
}
