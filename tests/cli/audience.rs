//! Readers, terminals and logs that go away end no run.
#![cfg(unix)]

use crate::{Desk, assert_same, small, text};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const LONGER: [&str; 2] = ["--epochs=30", "--round-until=20"];

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let desk = Desk::new();
    let unbroken = desk.small(&LONGER);
    for more in [&[][..], &["--json"], &["--quiet"]] {
        let mut command = desk.command(&small(&[&LONGER[..], more].concat()));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        if !more.contains(&"--quiet") {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).unwrap();
            assert!(!line.is_empty());
        }
        // The pipe is closed here, however much of it was read.
        let done = crate::Done::of(child.wait_with_output().unwrap());
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{more:?}");
        let run = desk.runs().pop().unwrap();
        assert_same(&unbroken, &run);
        assert!(
            fs::read_to_string(run.join("summary.json"))
                .unwrap()
                .contains("\"interrupted\": false")
        );
        fs::remove_dir_all(run).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_log_disk_is_told_when_all_is_saved() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let done = crate::Done::of(desk.command(&small(&[])).stdout(full()).output().unwrap());
    let run = desk.runs().pop().unwrap();
    let told = format!(
        "standard output, though the run is saved in {}",
        text(run.strip_prefix(desk.path("")).unwrap())
    );
    done.failed(1, &[&told, "No space left"]);
    assert_same(&unbroken, &run);
    // A sweep also does all its runs.
    fs::write(
        desk.path("s.toml"),
        "seeds = [1, 2]\n[base]\nhidden = [16]\nepochs = 1\nlimit = 64\n",
    )
    .unwrap();
    let done = crate::Done::of(
        desk.command(&["sweep", "s.toml"])
            .stdout(full())
            .output()
            .unwrap(),
    );
    done.failed(1, &["standard output"]);
    let plan = desk.good(&["sweep", "s.toml", "--dry-run"]).out;
    assert_eq!(plan.matches("finished").count(), 2, "{plan}");
}
