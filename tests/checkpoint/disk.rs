//! A full disk, a read-only folder, a file in the way: one clear error, and nothing saved before is lost.

use crate::{CONFIG, bits, names, snapshot};
use rootlet::checkpoint;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SMALL: [usize; 3] = [16, 8, 4];
const LARGE: [usize; 3] = [400, 400, 400];

/// Run by the tests below in a child process whose disk is limited: saves a small step 1 and a large step 2.
#[test]
#[ignore = "helper process of the tests of this file"]
fn limited_writer() {
    let Some(run) = std::env::var_os("ROOTLET_TEST_RUN") else {
        return;
    };
    let run = Path::new(&run);
    if std::env::var_os("ROOTLET_TEST_FIRST").is_some() {
        checkpoint::save(run, &snapshot(1, &SMALL), CONFIG).unwrap();
    }
    let error = checkpoint::save(run, &snapshot(2, &LARGE), CONFIG).unwrap_err();
    println!("error: {error}");
    let loaded = checkpoint::load(run).unwrap();
    assert_eq!(bits(&loaded.snapshot), bits(&snapshot(1, &SMALL)));
    assert_eq!(loaded.note, None);
    println!("left: {:?}", names(&run.join("checkpoints")));
}

/// `limited_writer` under a shell script, in which `"$@"` stands for it.
fn limited(script: &str, run: &Path, first: bool) -> Output {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap());
    shell.args([
        "--exact",
        "disk::limited_writer",
        "--ignored",
        "--nocapture",
    ]);
    shell.env("ROOTLET_TEST_RUN", run);
    if first {
        shell.env("ROOTLET_TEST_FIRST", "1");
    }
    shell.output().unwrap()
}

fn expect(output: &Output, parts: &[&str]) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("Checkpoints saved before are untouched"),
        "{text}"
    );
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

/// Whether this machine allows mounting a file system that only a child sees.
fn can_mount() -> bool {
    let mount = "mount -t tmpfs tmpfs /tmp";
    let probe = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", mount])
        .output();
    let can = probe.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("SKIPPED: this machine has no `unshare` that may mount a file system");
    }
    can
}

/// A limit on the length of a file stops a write half way, like a full disk, and needs no privileges.
#[cfg(unix)]
#[test]
fn a_write_that_stops_half_way() {
    let run = tempfile::tempdir().unwrap();
    // Blocks of 512 bytes; without the signal, the write itself fails.
    let output = limited("trap '' XFSZ; ulimit -f 64; exec \"$@\"", run.path(), true);
    expect(
        &output,
        &[
            "model.safetensors",
            "free some space",
            "left: [\"step-0000000001\"]",
        ],
    );
}

#[test]
fn a_full_disk() {
    if !can_mount() {
        return;
    }
    let run = tempfile::tempdir().unwrap();
    let script = "exec unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=64k tmpfs \"$ROOTLET_TEST_RUN\" \
                  && exec \"$@\"' sh \"$@\"";
    let output = limited(script, run.path(), true);
    expect(
        &output,
        &[
            "No space left",
            "free some space",
            "left: [\"step-0000000001\"]",
        ],
    );
}

#[test]
fn a_read_only_disk() {
    if !can_mount() {
        return;
    }
    let run = tempfile::tempdir().unwrap();
    checkpoint::save(run.path(), &snapshot(1, &SMALL), CONFIG).unwrap();
    let script = "exec unshare --map-root-user --mount sh -c 'mount --bind \"$ROOTLET_TEST_RUN\" \"$ROOTLET_TEST_RUN\" \
                  && mount -o remount,bind,ro \"$ROOTLET_TEST_RUN\" && exec \"$@\"' sh \"$@\"";
    let output = limited(script, run.path(), false);
    expect(
        &output,
        &["Read-only file system", "make the folder writable"],
    );
}

#[test]
fn a_file_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run");
    fs::write(&file, "").unwrap();
    let error = checkpoint::save(&file, &snapshot(1, &SMALL), CONFIG).unwrap_err();
    assert!(
        error.to_string().contains("file away that is in the way"),
        "{error}"
    );
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    fs::write(file.join("checkpoints"), "").unwrap();
    let error = checkpoint::save(&file, &snapshot(1, &SMALL), CONFIG).unwrap_err();
    assert!(
        error.to_string().contains("file away that is in the way"),
        "{error}"
    );
}
