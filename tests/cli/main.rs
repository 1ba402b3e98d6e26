//! The command as a person uses it: `rootlet` run as a process, tested by what it prints, how it exits and what it
//! leaves.
#![allow(clippy::unwrap_used)]

mod adapters;
mod audience;
mod bad_files;
mod bad_input;
mod believed;
mod bench_run;
mod best;
mod changes;
mod data;
mod data_check;
mod data_get;
mod edited;
mod eval;
mod eval_data;
mod explain;
mod export;
mod first_steps;
mod flops;
mod folders;
mod going;
mod guides;
#[cfg(target_os = "linux")]
mod hanging;
mod hostile;
mod idle;
mod image_identity;
mod images;
mod interrupt;
#[cfg(unix)]
mod kills;
mod large_files;
mod listing;
mod models;
mod older;
mod outputs;
mod predict;
#[cfg(target_os = "linux")]
mod ranks;
mod readme;
mod remarks;
mod report;
mod resume;
mod retold;
mod run_files;
mod runs;
mod sharing;
mod storage;
mod streams;
mod sweep;
mod sweep_plan;
mod table_tasks;
mod tables;
mod tested;
mod train_test_overlap;
mod tune;
mod verify;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A short run of a small network that has several rounds and checkpoints; on the CPU executor it takes a tenth of a
/// second.
const SMALL: [&str; 9] = [
    "train",
    "--hidden=48,32",
    "--epochs=6",
    "--round-every=20",
    "--round-until=5",
    "--limit=600",
    "--batch=32",
    "--threads=2",
    "--runs=runs",
];

/// A folder to work in, and the command run there.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command with these arguments, on the CPU executor if they name no other adapter.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("rootlet"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("ROOTLET_ADAPTER", "cpu")
            // An adapter is verified in the tests that are about that.
            .env("ROOTLET_NO_VERIFY", "1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().unwrap())
    }

    /// As [`Desk::run`], and it must succeed.
    fn good(&self, arguments: &[&str]) -> Done {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
        done
    }

    /// As [`Desk::run`], and it must fail with one clear error that holds `parts`.
    fn bad(&self, arguments: &[&str], code: i32, parts: &[&str]) -> Done {
        let done = self.run(arguments);
        done.failed(code, parts);
        done
    }

    /// A small run with more arguments; gives its folder.
    fn small(&self, more: &[&str]) -> PathBuf {
        let before = self.runs();
        self.good(&small(more));
        let mut new = self.runs();
        new.retain(|run| !before.contains(run));
        assert_eq!(new.len(), 1, "a run leaves one folder: {new:?}");
        new.remove(0)
    }

    /// Goes on with a small run, to seven epochs.
    fn seven(&self, run: &Path) -> Done {
        self.good(&[
            "train",
            "--resume",
            text(run),
            "--epochs=7",
            "--round-until=5",
            "--quiet",
        ])
    }

    /// The run folders, oldest first.
    fn runs(&self) -> Vec<PathBuf> {
        let runs = self.path("runs");
        match runs.is_dir() {
            true => names(&runs).iter().map(|name| runs.join(name)).collect(),
            false => Vec::new(),
        }
    }
}

/// The arguments of a small run, with more of them, which go before those of the same name.
fn small<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let flag = |argument: &str| argument.split('=').next().unwrap().to_owned();
    let given: Vec<String> = more.iter().map(|argument| flag(argument)).collect();
    let mut all: Vec<&str> = SMALL.to_vec();
    // A configuration file already says what is to be trained.
    if given.contains(&"--config".to_owned()) {
        all = vec!["train", "--runs=runs"];
    }
    all.retain(|argument| !given.contains(&flag(argument)));
    // What has no effect is refused.
    let method = more
        .iter()
        .find_map(|argument| argument.strip_prefix("--method="));
    let no_rounds = ["static", "dense", "snip", "grasp", "synflow", "lottery"];
    let idle: &[&str] = match method {
        Some("topkast") => &["--round-until"],
        Some(method) if no_rounds.contains(&method) => &["--round-every", "--round-until"],
        _ => &[],
    };
    all.retain(|argument| !idle.contains(&flag(argument).as_str()));
    let elsewhere =
        |argument: &&str| argument.starts_with("--adapter=") && !argument.ends_with("cpu");
    if more.iter().any(elsewhere) {
        all.retain(|argument| flag(argument) != "--threads");
    }
    all.extend(more);
    all
}

/// What came of a command.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Failed with this exit status and with one error, which holds `parts`.
    fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let errors = self.err.lines().filter(|line| line.starts_with("error:"));
        assert_eq!(errors.count(), 1, "one error: {self:?}");
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` in {}", self.err);
        }
        for word in ["panicked", "RUST_BACKTRACE", "unwrap", "Os {", "Error("] {
            assert!(!self.err.contains(word), "`{word}` in {}", self.err);
        }
    }
}

/// The names inside a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Whether a run has saved a checkpoint.
fn has_saved(run: &Path) -> bool {
    let whole = |e: fs::DirEntry| e.file_name().to_string_lossy().starts_with("step-");
    fs::read_dir(run.join("checkpoints")).is_ok_and(|entries| entries.flatten().any(whole))
}

/// The newest checkpoint of a run.
fn newest(run: &Path) -> PathBuf {
    let store = run.join("checkpoints");
    store.join(names(&store).pop().unwrap())
}

/// The bytes of the model that a run ended with.
fn model(run: &Path) -> Vec<u8> {
    fs::read(newest(run).join("model.safetensors")).unwrap()
}

/// A table's rows with its header, without the columns of times.
fn table(run: &Path, name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(run.join(name)).unwrap();
    let rows: Vec<Vec<String>> = text
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    let kept: Vec<bool> = rows[0]
        .iter()
        .map(|column| column != "seconds" && column != "images_per_second")
        .collect();
    rows.iter()
        .map(|row| {
            assert_eq!(row.len(), kept.len(), "a torn row in {name}: {row:?}");
            let cells = row.iter().zip(&kept).filter(|(_, kept)| **kept);
            cells.map(|(cell, _)| cell.clone()).collect()
        })
        .collect()
}

/// Copies a file, or a folder with all that is in it.
fn copy_all(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy_all(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Both runs ended with the same bits and wrote the same tables, except for the times.
fn assert_same(run: &Path, other: &Path) {
    assert!(model(run) == model(other), "the models differ");
    for name in ["metrics.csv", "topology.csv"] {
        assert_eq!(table(run, name), table(other, name), "{name}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
