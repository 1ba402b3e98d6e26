//! What summaries and tables say about a run is checked against its folder: whatever they leave out, repeat or
//! disorder.

use crate::going::Going;
use crate::run_files::summary;
use crate::{Desk, table, text};
use std::fs;

/// What changed during a run is in the checkpoint, even if the summary leaves it out.
#[test]
fn changes_that_the_summary_leaves_out_are_told() {
    let desk = Desk::new();
    let run = desk.small(&["--steps=50"]);
    desk.good(&["train", "--resume", text(&run), "--steps=0", "--lr=0.05"]);
    let whole = summary(&run);
    let remark = "--lr differs from the steps before (0.1 up to step 50";
    for emptied in ["changes", "remarks"] {
        let mut edited = whole.clone();
        edited["finished"][emptied] = serde_json::json!([]);
        fs::write(run.join("summary.json"), edited.to_string()).unwrap();
        let report = desk.good(&["report", text(&run)]);
        let page = fs::read_to_string(desk.path("report.html")).unwrap();
        let watch = desk.good(&["watch", text(&run)]);
        let says = "the changes during the run are left out there";
        assert!(report.err.contains(says), "{emptied}: {report:?}");
        assert!(page.contains(remark), "{emptied}");
        for part in [says, remark] {
            assert!(
                watch.out.contains(part),
                "{emptied}: no `{part}` in {watch:?}"
            );
        }
    }
}

#[test]
fn a_command_that_saved_no_step_is_none_of_the_runs() {
    let desk = Desk::new();
    let run = desk.small(&["--steps=50"]);
    let first = summary(&run)["commands"].clone();
    let resume = ["train", "--resume", text(&run), "--quiet"];
    let late = [
        &resume[..],
        &["--epochs=100000", "--steps=0", "--save-every=100000"],
    ]
    .concat();
    let mut child = Going::start(desk.command(&late));
    child.wait_for("its beginning", || {
        summary(&run)["finished"].is_null().then_some(())
    });
    drop(child);
    assert_eq!(summary(&run)["commands"], first);
    desk.good(&[&resume[..], &["--steps=60"]].concat());
    let commands = summary(&run)["commands"].clone();
    assert_eq!(commands.as_array().unwrap().len(), 2, "{commands}");
    assert_eq!(commands[0], first[0]);
    assert!(
        commands[1].as_str().unwrap().contains("--steps=60"),
        "{commands}"
    );
}

#[test]
fn a_process_that_died_is_told() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    let watch = || desk.good(&["watch", "--once", text(&run)]).out;
    let says = "no process trains in it any more, and it has not ended: go on with rootlet train --resume ";
    assert!(!watch().contains(says));
    let mut open = summary(&run);
    open["finished"] = serde_json::Value::Null;
    fs::write(run.join("summary.json"), open.to_string()).unwrap();
    let shown = watch();
    assert!(shown.contains(says) && !shown.contains(" left"), "{shown}");
    // As a process that trains would have it.
    let lock = fs::File::options()
        .write(true)
        .open(run.join("lock"))
        .unwrap();
    lock.lock().unwrap();
    assert!(!watch().contains(says));
    drop(lock);
    assert!(watch().contains(says));
    // Versions without locks report nothing.
    fs::remove_file(run.join("lock")).unwrap();
    assert!(!watch().contains(says));
}

#[test]
fn rows_in_another_order_are_sorted_and_count_once() {
    let desk = Desk::new();
    let whole = desk.small(&["--epochs=7"]);
    let swap = |rows: &mut Vec<String>| rows.swap(2, 4);
    let double = |rows: &mut Vec<String>| rows.insert(3, rows[2].clone());
    let rename = |rows: &mut Vec<String>| rows[3] = rows[3].replacen("3,", "7,", 1);
    let last = |rows: &mut Vec<String>| rows[6] = rows[6].replacen("6,", "7,", 1);
    type Change<'a> = &'a dyn Fn(&mut Vec<String>);
    let cases: [(&str, Change<'_>, &str, Option<u32>); 5] = [
        (
            "metrics.csv",
            &swap,
            "rows are out of order, the first of them that of step 57",
            None,
        ),
        (
            "metrics.csv",
            &double,
            "there are two rows each of step 38",
            None,
        ),
        (
            "topology.csv",
            &swap,
            "rows are out of order, the first of them that of step 20",
            None,
        ),
        (
            "metrics.csv",
            &rename,
            "the epochs of the rows of step 57 do not match",
            Some(3),
        ),
        (
            "metrics.csv",
            &last,
            "the row of epoch 6 is missing",
            Some(6),
        ),
    ];
    for (name, change, says, lost) in cases {
        let run = desk.small(&[]);
        let path = run.join(name);
        let before = fs::read_to_string(&path).unwrap();
        let mut rows: Vec<String> = before.lines().map(|line| format!("{line}\n")).collect();
        change(&mut rows);
        let changed: String = rows.concat();
        assert_ne!(changed, before);
        fs::write(&path, &changed).unwrap();
        let done = desk.good(&["report", text(&run)]);
        assert!(done.err.contains(says), "report: no `{says}` in {done:?}");
        let done = desk.seven(&run);
        assert!(done.err.contains(says), "resume: no `{says}` in {done:?}");
        let aside = path.with_extension("damaged.csv");
        assert_eq!(fs::read_to_string(&aside).unwrap(), changed, "{says}");
        let mut expected = table(&whole, name);
        if let Some(epoch) = lost {
            expected.retain(|row| row[0] != epoch.to_string());
        }
        assert_eq!(table(&run, name), expected, "{name}: {says}");
    }
}

#[test]
fn a_ticket_without_a_summary_is_not_finished_after_its_first_stage() {
    let desk = Desk::new();
    let run = desk.small(&["--method=lottery", "--epochs=2", "--steps=60"]);
    fs::remove_file(run.join("summary.json")).unwrap();
    desk.good(&["report", text(&run)]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(page.contains("1 unfinished"));
}

#[test]
fn that_no_round_took_place_is_said_however_a_run_is_looked_at() {
    let desk = Desk::new();
    let run = desk.small(&["--round-every=1000"]);
    for flags in [
        &[][..],
        &["--round-every=5"],
        &["--round-every=5", "--round-until=6"],
    ] {
        let done = desk.good(&[&["train", "--resume", text(&run), "--quiet"], flags].concat());
        assert!(done.out.contains("no round took place"), "{done:?}");
    }
}
