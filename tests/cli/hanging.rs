//! A disk or a network that hangs: opening a file there takes an unpredictable time. A lease does the same to one file:
//! the system makes everybody who opens it wait until its holder gives it back, or for three quarters of a minute.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::bad_files::idx_folder;
use crate::data::photos;
use crate::going::{ENDLESS, Going};
use crate::{Desk, Done, assert_same, text};

const TRAIN: [&str; 10] = [
    "train",
    "--data=image-folder",
    "--data-dir=data",
    "--image-size=16",
    "--batch=8",
    "--save-every=20",
    "--round-every=2",
    "--threads=1",
    "--workers=2",
    "--runs=runs",
];

/// Optimiser steps of an epoch.
const EPOCH: u64 = 3;

/// How long the system makes others wait.
const LEASE: Duration = Duration::from_secs(40);

/// A file that is held until this is dropped.
struct Held {
    file: fs::File,
}

impl Held {
    #[expect(unsafe_code, reason = "leases and signals' dispositions are only in C")]
    fn new(path: &Path) -> Self {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let began = Instant::now();
        // SAFETY: the calls only take numbers. The signal that reports a waiting process is ignored. There is no lease
        // while somebody has the file open.
        while unsafe {
            libc::signal(libc::SIGIO, libc::SIG_IGN);
            libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK)
        } != 0
        {
            let error = std::io::Error::last_os_error();
            assert!(began.elapsed().as_secs() < 100, "{error}");
            sleep(Duration::from_millis(1));
        }
        Self { file }
    }

    /// Whether somebody is waiting for the file: the lease is then marked as being given back.
    #[expect(unsafe_code, reason = "leases are only in C")]
    fn is_awaited(&self) -> bool {
        // SAFETY: the call only takes numbers.
        let lease = unsafe { libc::fcntl(self.file.as_raw_fd(), libc::F_GETLEASE) };
        lease != libc::F_WRLCK
    }
}

/// Stops a hanging process by one signal, and gives the result. If it waited for the file, it would end by itself, or
/// never.
fn stop(mut child: Going, held: &Held) -> Done {
    child.wait_for("a look at the file", || held.is_awaited().then_some(()));
    child.signal(libc::SIGTERM);
    let began = Instant::now();
    let done = child.end();
    assert!(began.elapsed() < LEASE, "it waited for the file: {done:?}");
    done
}

/// A training, the further batches of rounds, and a test whose file hangs: the first signal saves and stops, and the
/// run goes on to the same bits as an undisturbed one.
#[test]
fn a_file_that_hangs_keeps_no_run_from_saving() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["a", "b"], 0, 12);
    photos(&desk.path("data/val"), &["a", "b"], 20, 5);
    let perceptron = ["--model=mlp", "--hidden=16"];
    let rounds = ["--model=resnet20", "--round-batches=3", "--sparsity=0.5"];
    for (more, file) in [
        (&perceptron[..], "data/train/a/07.png"),
        (&perceptron, "data/val/b/22.png"),
        (&rounds, "data/train/b/03.png"),
    ] {
        // Not quiet, to see how to go on.
        let arguments = [&TRAIN[..], &ENDLESS[..2], more].concat();
        let before = desk.runs();
        let mut child = Going::start(desk.command(&arguments));
        // One step is done, before which there is nothing to save.
        let broken = child.wait_for("an epoch", || {
            let mut runs = desk.runs().into_iter();
            let run = runs.find(|run| !before.contains(run))?;
            let rows = fs::read_to_string(run.join("metrics.csv")).ok()?;
            (rows.lines().count() > 1).then_some(run)
        });
        let held = Held::new(&desk.path(file));
        let done = stop(child, &held);
        drop(held);
        assert_eq!(done.code, Some(75), "{file}: {done:?}");
        assert!(done.out.contains("interrupted: "), "{done:?}");
        assert!(
            done.out.contains("to go on: rootlet train --resume"),
            "{done:?}"
        );
        let end = format!(
            "--steps={}",
            (crate::going::step(&broken) / EPOCH + 1) * EPOCH
        );
        desk.good(&["train", "--resume", text(&broken), "--quiet", &end]);
        let before = desk.runs();
        desk.good(&[&arguments[..], &[&end]].concat());
        let mut runs = desk.runs();
        runs.retain(|run| !before.contains(run));
        assert_same(&runs[0], &broken);
    }
}

/// Before the first step there is nothing to save.
#[test]
fn data_that_hang_keep_no_command_from_stopping() {
    let desk = Desk::new();
    let folder = idx_folder();
    let base = format!(
        "[base]\ndata = \"fashion-mnist\"\ndata_dir = {:?}\n",
        folder.path()
    );
    fs::write(desk.path("sweep.toml"), base).unwrap();
    let train = [
        "train",
        "--data=fashion-mnist",
        "--data-dir",
        text(folder.path()),
    ];
    for arguments in [&train[..], &["sweep", "sweep.toml"]] {
        // A checkpoint that was requested stays so, until the file is given back.
        let held = Held::new(&folder.path().join("train-images-idx3-ubyte.gz"));
        let child = Going::start(desk.command(arguments));
        let done = stop(child, &held);
        assert_eq!(done.code, Some(75), "{done:?}");
        let runs = desk.runs();
        let empty = |run: &std::path::PathBuf| fs::read_dir(run).unwrap().next().is_none();
        assert!(runs.iter().all(empty), "{runs:?}");
    }
}
