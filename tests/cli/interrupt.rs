//! Signals stop a run in good order.
#![cfg(unix)]

use crate::{Desk, Done, assert_same, newest, small, text};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than the small run: some two seconds, so that there is something to interrupt.
const LONGER: [&str; 2] = ["--epochs=150", "--round-until=120"];

fn start(desk: &Desk, arguments: &[&str]) -> Child {
    let mut command = desk.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for the first checkpoint of the newest run, or for the end of the process; gives the run.
fn wait_for_a_checkpoint(desk: &Desk, child: &mut Child, before: usize) -> PathBuf {
    let started = Instant::now();
    loop {
        let run = desk.runs().into_iter().nth(before);
        if let Some(run) = run.filter(|run| crate::has_saved(run)) {
            return run;
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended without a checkpoint"
        );
        assert!(started.elapsed().as_secs() < 30, "no checkpoint came");
        sleep(Duration::from_millis(1));
    }
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_signal_saves_and_stops_and_the_run_goes_on_to_the_same_bits() {
    let desk = Desk::new();
    let unbroken = desk.small(&LONGER);
    // Those of a scheduler say "resume me", the others what they are.
    let signals = [
        ("INT", 130),
        ("TERM", 75),
        ("USR1", 75),
        ("USR2", 75),
        ("XCPU", 75),
        ("HUP", 129),
    ];
    for (index, (name, code)) in signals.into_iter().enumerate() {
        let mut child = start(&desk, &small(&LONGER));
        let run = wait_for_a_checkpoint(&desk, &mut child, 1 + index);
        sleep(Duration::from_millis(37));
        signal(&child, name);
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.code, Some(code), "{name}: {done:?}");
        assert!(done.err.contains("stopping after a checkpoint"), "{done:?}");
        assert!(!done.err.contains("error"), "{done:?}");
        let last: Vec<&str> = done.out.lines().rev().take(2).collect();
        assert!(
            last[1].starts_with("interrupted: test accuracy"),
            "{done:?}"
        );
        let advice = format!("to go on: rootlet train --resume {}", relative(&desk, &run));
        assert_eq!(last[0], advice);
        // It saved where it stopped, and the advice works as it stands.
        let step = newest(&run).file_name().unwrap().to_str().unwrap()[5..].parse::<u64>();
        let told = last[1].split(" after ").nth(1).unwrap();
        let told = told.split(' ').next().unwrap().replace(',', "");
        assert_eq!(told, step.unwrap().to_string());
        let words: Vec<&str> = advice.split(' ').skip(4).collect();
        let done = desk.good(&[&words[..], &["--quiet"]].concat());
        assert_eq!(done.err, "");
        assert_same(&unbroken, &run);
    }
}

/// Under nohup a run outlives its terminal.
#[test]
fn an_ignored_hangup_stays_ignored() {
    let desk = Desk::new();
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin!("rootlet"))
        .args(small(&["--epochs=40", "--quiet"]))
        .current_dir(desk.path("."))
        .env("ROOTLET_ADAPTER", "cpu")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait_for_a_checkpoint(&desk, &mut child, 0);
    signal(&child, "HUP");
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{done:?}");
}

fn relative(desk: &Desk, run: &Path) -> String {
    let folder = desk.path("");
    text(run.strip_prefix(folder).unwrap()).to_owned()
}
