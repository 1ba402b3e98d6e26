//! Where a command may write: nothing that somebody saved is overwritten, and nothing waits for a pipe's reader.

use std::fs;
use std::process::Command;

use crate::hostile::{pipe, soon};
use crate::run_files::files;
use crate::{Desk, text};

#[test]
fn a_runs_own_files_are_not_written_over() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2", "--tensorboard"]);
    let before = files(&run);
    let says = "is a file of the run in";
    for (path, _) in &before {
        desk.bad(&["report", text(&run), "-o", text(path)], 1, &[says]);
    }
    let manifest = crate::newest(&run).join("manifest.json");
    desk.bad(&["flops", "-o", text(&manifest)], 1, &[says]);
    let summary = run.join("summary.json");
    desk.bad(&["bench", "--quick", "--json", text(&summary)], 1, &[says]);
    desk.bad(
        &["report", text(&run), "-o", text(&run.join("lock"))],
        1,
        &[says],
    );
    // Also under another name.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(run.join("config.toml"), desk.path("page.html")).unwrap();
        desk.bad(&["report", text(&run), "-o", "page.html"], 1, &[says]);
    }
    // Nor is a run a folder of runs.
    fs::write(desk.path("s.toml"), "[base]\nepochs = 1\n").unwrap();
    let says = "is the folder of a run itself";
    desk.bad(
        &["sweep", "s.toml", "--out", text(&run)],
        2,
        &["--out", says],
    );
    let runs = format!("--runs={}", text(&run));
    desk.bad(&["train", &runs], 2, &["--runs", says]);
    assert!(files(&run) == before);
    // A page beside them overwrites nothing.
    desk.good(&["report", text(&run), "-o", text(&run.join("report.html"))]);
}

#[test]
fn what_is_read_is_not_written_over() {
    let desk = Desk::new();
    fs::write(desk.path("b.json"), "{}").unwrap();
    for command in [
        &["report", "b.json", "-o", "b.json"][..],
        &["bench", "compare", "b.json", "b.json", "-o", "b.json"],
        &["bench", "--matrix", "b.json", "--json", "b.json"],
    ] {
        desk.bad(command, 1, &["it is also an input; give another name"]);
    }
    assert_eq!(fs::read(desk.path("b.json")).unwrap(), b"{}");
}

#[cfg(unix)]
#[test]
fn nothing_waits_for_a_reader() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    pipe(&desk.path("pipe"));
    fs::write(desk.path("b.json"), "{}").unwrap();
    for command in [
        &["report", text(&run), "-o", "pipe"][..],
        &["flops", "-o", "pipe"],
        &["bench", "--quick", "--json", "pipe"],
        &["bench", "compare", "b.json", "b.json", "-o", "pipe"],
    ] {
        soon(desk.command(command)).failed(1, &["cannot write pipe", "not a file"]);
    }
    for path in [".", "nowhere/page.html"] {
        desk.bad(&["report", text(&run), "-o", path], 1, &["cannot write"]);
    }
    // What the shell opens has a reader.
    let program = assert_cmd::cargo::cargo_bin!("rootlet");
    let line = format!(
        "{} report {} -o >(grep -c '<html' > lines); wait",
        text(program),
        text(&run)
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &line]).current_dir(desk.path(""));
    let done = soon(bash);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("1 run"), "{done:?}");
    assert_eq!(fs::read_to_string(desk.path("lines")).unwrap().trim(), "1");
    desk.good(&["report", text(&run), "-o", "/dev/null"]);
}
