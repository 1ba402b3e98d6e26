//! A disk or a network that hangs: whoever opens a file there waits, and nobody can tell for how long. A lease does the
//! same to one file: the system keeps everybody waiting who opens it until its holder gives it back, or three quarters
//! of a minute are over.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::bad_files::idx_folder;
use crate::data::photos;
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

/// A file that is held until this is dropped.
struct Held {
    _file: fs::File,
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
        // SAFETY: the calls take numbers alone. The signal that tells of somebody who waits is of no interest. While
        // somebody has the file open, there is no lease to be had.
        while unsafe {
            libc::signal(libc::SIGIO, libc::SIG_IGN);
            libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK)
        } != 0
        {
            let error = std::io::Error::last_os_error();
            assert!(began.elapsed().as_secs() < 10, "{error}");
        }
        Self { _file: file }
    }
}

fn start(desk: &Desk, arguments: &[&str]) -> Child {
    let mut command = desk.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Whether a thread of the process waits for a lease.
fn waits(child: &Child) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", child.id()));
    threads.into_iter().flatten().flatten().any(|thread| {
        fs::read_to_string(thread.path().join("wchan")).is_ok_and(|at| at.contains("lease"))
    })
}

/// Stops a process that hangs by one signal, and gives what came of it; it has ten seconds.
fn stop(child: Child) -> Done {
    let mut child = child;
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed().as_secs() >= 10 {
            child.kill().unwrap();
            panic!(
                "it hangs: {:?}",
                Done::of(child.wait_with_output().unwrap())
            );
        }
        sleep(Duration::from_millis(10));
    }
    Done::of(child.wait_with_output().unwrap())
}

/// A training, further batches of rounds and a test whose file hangs: the first signal saves and stops, and the run
/// goes on to the bits of one that nothing happened to.
#[test]
fn a_file_that_hangs_keeps_no_run_from_saving() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["a", "b"], 0, 12);
    photos(&desk.path("data/val"), &["a", "b"], 20, 5);
    // Long enough to be caught at work.
    let perceptron = ["--model=mlp", "--hidden=16", "--epochs=100"];
    let rounds = [
        "--model=resnet20",
        "--round-batches=3",
        "--sparsity=0.5",
        "--epochs=4",
        "--round-until=4",
    ];
    for (more, file) in [
        (&perceptron[..], "data/train/a/07.png"),
        (&perceptron, "data/val/b/22.png"),
        (&rounds, "data/train/b/03.png"),
    ] {
        let arguments = [&TRAIN[..], more].concat();
        let before = desk.runs().len();
        desk.good(&arguments);
        let unbroken = desk.runs().remove(before);
        let child = start(&desk, &arguments);
        // All files were opened once before it begins.
        let begun = Instant::now();
        while !(desk.runs().get(before + 1)).is_some_and(|run| run.join("config.toml").exists()) {
            assert!(begun.elapsed().as_secs() < 30, "it does not begin");
        }
        let held = Held::new(&desk.path(file));
        // Where the system does not tell that it waits, it does so after a while.
        let began = Instant::now();
        while !waits(&child) && began.elapsed().as_secs() < 3 {
            sleep(Duration::from_millis(10));
        }
        sleep(Duration::from_millis(200));
        let done = stop(child);
        assert_eq!(done.code, Some(75), "{file}: {done:?}");
        let broken = desk.runs().remove(before + 1);
        drop(held);
        assert!(crate::has_saved(&broken));
        assert!(done.out.contains("interrupted: "), "{done:?}");
        assert!(
            done.out.contains("to go on: rootlet train --resume"),
            "{done:?}"
        );
        desk.good(&["train", "--resume", text(&broken), "--quiet"]);
        assert_same(&unbroken, &broken);
    }
}

/// Before the first step there is nothing to save.
#[test]
fn data_that_hang_keep_no_command_from_stopping() {
    let desk = Desk::new();
    let folder = idx_folder();
    let held = Held::new(&folder.path().join("train-images-idx3-ubyte.gz"));
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
        let child = start(&desk, arguments);
        sleep(Duration::from_millis(700));
        let done = stop(child);
        assert_eq!(done.code, Some(75), "{done:?}");
        let runs = desk.runs();
        let empty = |run: &std::path::PathBuf| fs::read_dir(run).unwrap().next().is_none();
        assert!(runs.iter().all(empty), "{runs:?}");
    }
    drop(held);
}
