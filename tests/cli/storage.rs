//! A run folder that cannot be written: one clear error, and earlier saves stay.

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
    // A checkpoint cannot be written if a file has the name of their folder.
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

/// The command below a mounted file system that only it sees; `None` if this machine does not allow that.
#[cfg(target_os = "linux")]
fn mounted(desk: &Desk, mount: &str, arguments: &[&str]) -> Option<Done> {
    let script = format!("{mount} && cd . && exec \"$0\" \"$@\"");
    in_a_mount(desk, &script, arguments)
}

/// Like [`mounted`], for a script that mounts and calls.
#[cfg(target_os = "linux")]
fn in_a_mount(desk: &Desk, script: &str, arguments: &[&str]) -> Option<Done> {
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
    Some(Done::of(unshare(script).unwrap()))
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
    // A finished run can be looked at.
    if let Some(done) = mounted(&desk, mount, &["train", "--resume", text(&run)]) {
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.out.contains("test accuracy"), "{done:?}");
    }
    // An evaluation only needs to read.
    if let Some(done) = mounted(&desk, mount, &["eval", text(&run)]) {
        assert_eq!(done.code, Some(0), "{done:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_on_a_full_disk_leaves_what_was_there() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2"]);
    // Copied out of the mount, for inspection.
    let script = "mount -t tmpfs -o size=200k tmpfs out && echo before > out/report.html && head -c 180k /dev/zero > \
                  out/zeros
                  \"$0\" \"$@\"; status=$?; cp out/*.* seen; exit $status";
    for to in [&["-o", "out/report.html"][..], &["--png", "out"]] {
        for folder in ["out", "seen"] {
            fs::create_dir_all(desk.path(folder)).unwrap();
        }
        let report = [&["report", text(&run)], to].concat();
        let Some(done) = in_a_mount(&desk, script, &report) else {
            return;
        };
        done.failed(1, &["No space left", "cannot write out/"]);
        let page = fs::read_to_string(desk.path("seen/report.html")).unwrap();
        assert_eq!(page, "before\n");
        let found = crate::names(&desk.path("seen"));
        let whole = |name: &String| fs::metadata(desk.path("seen").join(name)).unwrap().len() > 0;
        assert!(found.iter().all(whole), "{found:?}");
        assert!(
            !found.iter().any(|name| name.ends_with(".tmp")),
            "{found:?}"
        );
    }
}
