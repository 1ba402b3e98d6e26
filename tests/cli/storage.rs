//! A run folder that cannot be written: one clear error, and what was saved before stays.

use crate::{Desk, Done, SMALL, model, small, text};
use std::fs;
use std::process::Command;

#[test]
fn a_file_in_the_way() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "").unwrap();
    for runs in ["--runs=file", "--runs=file/below"] {
        desk.bad(
            &["train", runs, "--quiet"],
            1,
            &["cannot create the folder file"],
        );
    }
    let run = desk.small(&["--epochs=1"]);
    let before = model(&run);
    // A checkpoint cannot be written where a file has their folder's name.
    fs::rename(run.join("checkpoints"), run.join("kept")).unwrap();
    fs::write(run.join("checkpoints"), "").unwrap();
    desk.bad(
        &["train", "--resume", text(&run)],
        1,
        &["holds no checkpoint"],
    );
    fs::remove_file(run.join("checkpoints")).unwrap();
    fs::rename(run.join("kept"), run.join("checkpoints")).unwrap();
    assert!(model(&run) == before);
}

/// The command below a mounted file system that only it sees; `None` where this machine does not allow that.
#[cfg(target_os = "linux")]
fn mounted(desk: &Desk, mount: &str, arguments: &[&str]) -> Option<Done> {
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", script])
            .arg(assert_cmd::cargo::cargo_bin!("rootlet"))
            .args(arguments)
            .current_dir(desk.path("."))
            .env("ROOTLET_ADAPTER", "cpu");
        command.output()
    };
    if !unshare("mount -t tmpfs tmpfs /tmp").is_ok_and(|probe| probe.status.success()) {
        eprintln!("SKIPPED: this machine has no `unshare` that may mount a file system");
        return None;
    }
    let script = format!("{mount} && cd . && exec \"$0\" \"$@\"");
    Some(Done::of(unshare(&script).unwrap()))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let desk = Desk::new();
    fs::create_dir(desk.path("runs")).unwrap();
    let arguments = small(&["--quiet", "--hidden=256"]);
    // Full from the start; then in the middle, when the second or third checkpoint no longer fits beside the others.
    for (size, parts) in [
        ("4k", &["No space left", "runs"][..]),
        (
            "100k",
            &[
                "No space left",
                "free some space",
                "Checkpoints saved before are untouched",
            ],
        ),
    ] {
        let mount = format!("mount -t tmpfs -o size={size} tmpfs runs");
        let Some(done) = mounted(&desk, &mount, &arguments) else {
            return;
        };
        done.failed(1, parts);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_disk() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let mount = "mount --bind runs runs && mount -o remount,bind,ro runs";
    let Some(done) = mounted(&desk, mount, &SMALL) else {
        return;
    };
    done.failed(1, &["Read-only file system", "runs/"]);
    let resume = ["train", "--resume", text(&run), "--epochs=2"];
    if let Some(done) = mounted(&desk, mount, &resume) {
        done.failed(1, &["Read-only file system", "runs/"]);
    }
    // Reading is enough for an evaluation.
    if let Some(done) = mounted(&desk, mount, &["eval", text(&run)]) {
        assert_eq!(done.code, Some(0), "{done:?}");
    }
}
