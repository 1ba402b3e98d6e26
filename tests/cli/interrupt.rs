//! Signals stop a run cleanly.
#![cfg(unix)]

use crate::going::{ENDLESS, Going, end_past, step};
use crate::{Desk, assert_same, small, text};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn a_signal_saves_and_stops_and_the_run_goes_on_to_the_same_bits() {
    let desk = Desk::new();
    // Signals of a scheduler say "resume me", the others say what they are.
    let signals = [
        (libc::SIGINT, 130),
        (libc::SIGTERM, 75),
        (libc::SIGUSR1, 75),
        (libc::SIGUSR2, 75),
        (libc::SIGXCPU, 75),
        (libc::SIGHUP, 129),
    ];
    let mut stopped = Vec::new();
    for (signal, code) in signals {
        let mut arguments = small(&ENDLESS);
        arguments.retain(|argument| *argument != "--quiet");
        let before = desk.runs();
        let mut child = Going::start(desk.command(&arguments));
        let run = child.saved_run(&desk, &before);
        sleep(Duration::from_millis(37));
        child.signal(signal);
        let done = child.end();
        assert_eq!(done.code, Some(code), "{signal}: {done:?}");
        assert!(done.err.contains("stopping after a checkpoint"), "{done:?}");
        assert!(!done.err.contains("error"), "{done:?}");
        let last: Vec<&str> = done.out.lines().rev().take(2).collect();
        assert!(
            last[1].starts_with("interrupted: test accuracy"),
            "{done:?}"
        );
        let advice = format!("to go on: rootlet train --resume {}", relative(&desk, &run));
        assert_eq!(last[0], advice);
        // It saved where it stopped.
        let told = last[1].split(" after ").nth(1).unwrap();
        let told = told.split(' ').next().unwrap().replace(',', "");
        assert_eq!(told, step(&run).to_string());
        stopped.push((run, advice));
    }
    // The advice works literally.
    let end = end_past(stopped.iter().map(|(run, _)| step(run)));
    let unbroken = desk.small(&[&ENDLESS[..], &[&end]].concat());
    for (run, advice) in &stopped {
        let words: Vec<&str> = advice.split(' ').skip(4).collect();
        let done = desk.good(&[&words[..], &["--quiet", &end]].concat());
        assert_eq!(done.err, "");
        assert_same(&unbroken, run);
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
        .args(small(&ENDLESS))
        .current_dir(desk.path("."))
        .env("ROOTLET_ADAPTER", "cpu");
    let mut child = Going::start(command);
    let run = child.saved_run(&desk, &[]);
    child.signal(libc::SIGHUP);
    // It saves several more times, which it would not do if it stopped.
    let first = step(&run);
    child.wait_for("a later checkpoint", || {
        (step(&run) >= first + 200).then_some(())
    });
    child.signal(libc::SIGTERM);
    let done = child.end();
    assert_eq!(done.code, Some(75), "{done:?}");
}

fn relative(desk: &Desk, run: &Path) -> String {
    let folder = desk.path("");
    text(run.strip_prefix(folder).unwrap()).to_owned()
}
