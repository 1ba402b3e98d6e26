//! `rootlet train` under `mpirun`, with messages over MPI: the bits of one process, and what happens if a rank dies or
//! hangs. `scripts/mpi` builds the program with MPI and runs this.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A training on the digits with rounds, in parts of 12.
const TRAIN: &[&str] = &[
    "train",
    "--no-verify",
    "--threads=1",
    "--batch=24",
    "--micro-batch=12",
    "--round-every=5",
];

fn rootlet(words: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rootlet"));
    command.args(words);
    settings(&mut command, folder);
    command
}

/// Two ranks.
fn mpirun(words: &[&str], folder: &Path) -> Command {
    let mpirun = std::env::var("ROOTLET_MPIRUN").unwrap_or("mpirun".to_owned());
    let mut command = Command::new(&mpirun);
    // OpenMPI asks for these as root, and on fewer cores than ranks.
    if !mpirun.contains("mpich") {
        command.args(["--allow-run-as-root", "--oversubscribe"]);
    }
    command
        .args(["-n", "2", env!("CARGO_BIN_EXE_rootlet")])
        .args(words);
    settings(&mut command, folder);
    command
}

fn settings(command: &mut Command, folder: &Path) {
    command
        .current_dir(folder)
        .env("ROOTLET_ADAPTER", "cpu")
        .env("ROOTLET_CACHE_DIR", folder.join("cache"))
        .stdin(Stdio::null());
}

fn good(mut command: Command) -> Output {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
    done
}

fn text(done: &Output) -> String {
    let (out, err) = (&done.stdout, &done.stderr);
    String::from_utf8_lossy(&[out.as_slice(), err].concat()).into_owned()
}

/// The only run in a folder.
fn run(runs: &Path) -> PathBuf {
    fs::read_dir(runs).unwrap().next().unwrap().unwrap().path()
}

/// The newest checkpoint's weights.
fn weights(runs: &Path) -> Vec<u8> {
    let folder = fs::read_dir(run(runs).join("checkpoints")).unwrap();
    let newest = folder.map(|entry| entry.unwrap().path()).max().unwrap();
    fs::read(newest.join("model.safetensors")).unwrap()
}

#[test]
fn ranks_end_with_the_bits_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let models: [&[&str]; 4] = [
        &["--hidden=32", "--method=gse-uniform"],
        &["--method=gse-graest", "--class-weights=1,2,1,1,3,1,1,1,1,1"],
        &["--hidden=32", "--method=rigl"],
        &["--model=resnet20", "--limit=96", "--method=gse-grabo"],
    ];
    for (i, model) in models.iter().enumerate() {
        let words = [TRAIN, model, &["--epochs=1", "--quiet"]].concat();
        let on = |name: &str| format!("--runs={name}-{i}");
        good(rootlet(&[&words[..], &[&on("one")]].concat(), at));
        good(mpirun(&[&words[..], &[&on("two")]].concat(), at));
        let [one, two] = ["one", "two"].map(|name| weights(&at.join(format!("{name}-{i}"))));
        assert!(one == two, "{model:?}");
    }
}

#[test]
#[ignore = "a minute"]
fn every_method_ends_with_the_bits_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for method in [
        "static",
        "set",
        "rigl",
        "gse-uniform",
        "gse-grabo",
        "gse-graest",
        "snip",
        "grasp",
        "synflow",
        "gradual",
        "lottery",
        "topkast",
        "dense",
    ] {
        let method = format!("--method={method}");
        let words = [TRAIN, &["--hidden=32", "--epochs=1", "--quiet", &method]].concat();
        let on = |name: &str| format!("--runs={name}{method}");
        good(rootlet(&[&words[..], &[&on("one")]].concat(), at));
        good(mpirun(&[&words[..], &[&on("two")]].concat(), at));
        let [one, two] = ["one", "two"].map(|name| weights(&at.join(format!("{name}{method}"))));
        assert!(one == two, "{method}");
    }
}

#[test]
fn it_says_how_ranks_are_connected() {
    let folder = tempfile::tempdir().unwrap();
    let words = [TRAIN, &["--epochs=1"]].concat();
    let by_mpi = text(&good(mpirun(&words, folder.path())));
    assert!(
        by_mpi.contains("2 ranks train together over MPI"),
        "{by_mpi}"
    );
    let by_tcp = [&words[..], &["--transport=tcp"]].concat();
    let by_tcp = text(&good(mpirun(&by_tcp, folder.path())));
    assert!(by_tcp.contains("connected at 127.0.0.1"), "{by_tcp}");
    let alone = [&words[..], &["--transport=mpi"]].concat();
    let alone = rootlet(&alone, folder.path()).output().unwrap();
    assert!(!alone.status.success());
    assert!(text(&alone).contains("mpirun -n 4"), "{}", text(&alone));
}

#[test]
fn mistakes_end_all_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let words = [TRAIN, &["--sparsity=2"]].concat();
    let done = mpirun(&words, folder.path()).output().unwrap();
    assert!(!done.status.success());
    assert!(text(&done).contains("--sparsity"), "{}", text(&done));
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// Starts a long training, sends rank 1 a signal when a checkpoint is there, and waits for the end of all.
fn signalled(signal: &str, folder: &Path) -> Output {
    let words = [
        TRAIN,
        &[
            "--epochs=100000",
            "--save-every=100s",
            "--rank-timeout=2",
            "--runs=runs",
        ],
    ]
    .concat();
    let child = mpirun(&words, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let checkpoints = || {
        let run = fs::read_dir(folder.join("runs")).ok()?.next()?.ok()?.path();
        Some(fs::read_dir(run.join("checkpoints")).ok()?.count())
    };
    while checkpoints().unwrap_or(0) == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "no checkpoint");
        sleep(Duration::from_millis(50));
    }
    let rank_1 = processes(folder).into_iter().find(|(rank, _)| rank == "1");
    let sent = Command::new("kill")
        .args([signal, &rank_1.unwrap().1])
        .status()
        .unwrap();
    assert!(sent.success());
    let signalled = Instant::now();
    let done = child.wait_with_output().unwrap();
    assert!(!done.status.success());
    assert!(signalled.elapsed() < Duration::from_secs(15));
    assert!(processes(folder).is_empty());
    done
}

/// Rank and number of the ranks in a folder.
fn processes(folder: &Path) -> Vec<(String, String)> {
    let variable = |environment: &str, name: &str| {
        let mut all = environment
            .split('\0')
            .filter_map(|pair| pair.split_once('='));
        all.find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        (fs::read_link(path.join("cwd")).ok()? == folder.canonicalize().ok()?).then_some(())?;
        let environment = fs::read(path.join("environ")).ok()?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let rank = ["OMPI_COMM_WORLD_RANK", "PMI_RANK"]
            .iter()
            .find_map(|name| variable(&environment, name))?;
        Some((rank, path.file_name()?.to_str()?.to_owned()))
    });
    all.collect()
}

#[test]
#[cfg(target_os = "linux")]
fn after_a_killed_rank_the_run_goes_on_from_a_whole_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    signalled("-KILL", folder.path());
    let run = run(&folder.path().join("runs"));
    let words = [
        "train",
        "--quiet",
        "--steps=2000",
        "--resume",
        run.to_str().unwrap(),
    ];
    good(rootlet(&words, folder.path()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_rank_that_hangs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let done = text(&signalled("-STOP", folder.path()));
    assert!(done.contains("rank 1 has been silent for 2 s"), "{done}");
    assert!(
        done.contains("go on with `rootlet train --resume"),
        "{done}"
    );
}
