//! `rootlet train --processes`, and launchers that set variables: what a user sees, and the bits that are saved.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Desk;
use crate::data::photos;

/// A training on the digits with rounds, in micro-batches of 12.
const TRAIN: &[&str] = &[
    "train",
    "--no-verify",
    "--threads=1",
    "--hidden=32",
    "--batch=48",
    "--micro-batch=12",
    "--round-every=5",
    "--quiet",
];

fn checkpoint(desk: &Desk, runs: &str) -> Vec<u8> {
    let run = only(&desk.path(runs));
    let mut checkpoints: Vec<PathBuf> = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    checkpoints.sort();
    fs::read(checkpoints.last().unwrap().join("model.safetensors")).unwrap()
}

fn only(folder: &std::path::Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap();
    let first = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    first
}

#[test]
fn processes_end_with_the_bits_of_one() {
    let desk = Desk::new();
    let train = |more: &[&str]| desk.good(&[TRAIN, &["--epochs=2"], more].concat());
    train(&["--runs=one"]);
    for count in ["2", "3", "4"] {
        let runs = format!("on-{count}");
        let done = train(&[&format!("--runs={runs}"), "--processes", count]);
        assert!(done.out.contains("accuracy"), "{done:?}");
        assert_eq!(
            checkpoint(&desk, &runs),
            checkpoint(&desk, "one"),
            "{count} processes"
        );
    }
}

/// What one rank read of a folder, all know: so rank 0 tells of an image that only rank 1 could not read.
#[test]
fn photos_are_dealt_out() {
    let desk = Desk::new();
    photos(&desk.path("photos/train"), &["bee", "cat"], 0, 12);
    photos(&desk.path("photos/val"), &["bee", "cat"], 50, 6);
    let mut tests: Vec<_> = fs::read_dir(desk.path("photos/val/bee"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    tests.sort();
    // Batches have four, and the second one is rank 1's.
    fs::write(&tests[4], "no image").unwrap();
    let name = tests[4].file_name().unwrap().to_str().unwrap().to_owned();
    let train = |more: &[&str]| {
        let flags = [
            "train",
            "--no-verify",
            "--threads=1",
            "--data=photos",
            "--model=resnet20",
            "--image-size=16",
            "--batch=8",
            "--micro-batch=4",
            "--epochs=2",
            "--skip-bad-images",
        ];
        desk.good(&[&flags, more].concat())
    };
    train(&["--runs=one"]);
    let done = train(&["--runs=two", "--processes=2"]);
    assert!(done.out.contains(&name), "{done:?}");
    assert_eq!(checkpoint(&desk, "one"), checkpoint(&desk, "two"));
    let results = ["one", "two"].map(|runs| {
        let table = fs::read_to_string(only(&desk.path(runs)).join("metrics.csv")).unwrap();
        let columns = table.lines().map(|line| {
            let columns: Vec<&str> = line.split(',').collect();
            columns[..columns.len() - 2].join(",")
        });
        columns.collect::<Vec<_>>()
    });
    assert_eq!(results[0], results[1]);
}

/// The same command started twice, with torchrun's variables.
#[test]
fn a_launchers_variables_are_enough() {
    let desk = Desk::new();
    desk.good(&[TRAIN, &["--epochs=1", "--runs=one"]].concat());
    // Free again at once.
    let free = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    };
    let port = free().port().to_string();
    let start = |rank: &str| {
        desk.command(&[TRAIN, &["--epochs=1", "--runs=two"]].concat())
            .envs([
                ("RANK", rank),
                ("WORLD_SIZE", "2"),
                ("MASTER_ADDR", "127.0.0.1"),
            ])
            .env("MASTER_PORT", &port)
            .env("ROOTLET_CACHE_DIR", desk.path("cache"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let ranks = ["1", "0"].map(start);
    for mut rank in ranks {
        assert!(rank.wait().unwrap().success());
    }
    assert_eq!(checkpoint(&desk, "two"), checkpoint(&desk, "one"));
}

/// OpenMPI starts the ranks, and no flag says so.
#[test]
fn mpirun_is_enough() {
    let desk = Desk::new();
    let train = [TRAIN, &["--epochs=1"]].concat();
    desk.good(&[&train[..], &["--runs=one"]].concat());
    let rootlet = desk.command(&[]);
    let done = Command::new("mpirun")
        .args(["--allow-run-as-root", "--oversubscribe", "-n", "2"])
        .arg(rootlet.get_program())
        .args(train)
        .arg("--runs=two")
        .current_dir(desk.0.path())
        .env("ROOTLET_ADAPTER", "cpu")
        .env("ROOTLET_CACHE_DIR", desk.path("cache"))
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(checkpoint(&desk, "two"), checkpoint(&desk, "one"));
}

#[test]
fn mistakes_are_told_once_and_nobody_waits() {
    let desk = Desk::new();
    let started = Instant::now();
    let done = desk.run(&[TRAIN, &["--processes=2", "--sparsity=2"]].concat());
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(
        done.err.contains("error: --sparsity must be at least 0"),
        "{done:?}"
    );
    let done = desk.run(&["train", "--restarts=1"]);
    assert!(
        done.code == Some(2) && done.err.contains("--processes"),
        "{done:?}"
    );
    let mut command = desk.command(&["train"]);
    let out = command.env("WORLD_SIZE", "2").output().unwrap();
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        told.contains("RANK is missing beside WORLD_SIZE = 2"),
        "{told}"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
}

/// A training of three processes that goes on until it is ended, and its ranks.
struct Long {
    parent: Child,
    runs: PathBuf,
}

impl Long {
    fn start(desk: &Desk, more: &[&str]) -> Self {
        Self::of_epochs("--epochs=100000", desk, more)
    }

    fn of_epochs(epochs: &str, desk: &Desk, more: &[&str]) -> Self {
        let flags = [
            "--processes=3",
            epochs,
            "--save-every=40s",
            "--rank-timeout=2",
            "--runs=long",
        ];
        let parent = desk
            .command(&[TRAIN, &flags, more].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let long = Long {
            parent,
            runs: desk.path("long"),
        };
        let since = Instant::now();
        while !long.has_saved() {
            assert!(since.elapsed() < Duration::from_secs(60));
            sleep(Duration::from_millis(20));
        }
        long
    }

    fn has_saved(&self) -> bool {
        let Ok(mut runs) = fs::read_dir(&self.runs) else {
            return false;
        };
        let run = runs.next().map(|entry| entry.unwrap().path());
        run.is_some_and(|run| {
            fs::read_dir(run.join("checkpoints")).is_ok_and(|found| found.count() > 0)
        })
    }

    /// The processes of the ranks, in their order.
    fn ranks(&self) -> Vec<String> {
        let id = self.parent.id();
        let children = format!("/proc/{id}/task/{id}/children");
        let children = fs::read_to_string(children).unwrap();
        children.split_whitespace().map(str::to_owned).collect()
    }

    fn signal(&self, rank: usize, signal: &str) {
        let ranks = self.ranks();
        assert_eq!(ranks.len(), 3);
        let done = Command::new("kill").args([signal, &ranks[rank]]).status();
        assert!(done.unwrap().success());
    }

    /// Its exit status, and what it told.
    fn end(self) -> (Option<i32>, String) {
        let ended = self.parent.wait_with_output().unwrap();
        (
            ended.status.code(),
            String::from_utf8_lossy(&ended.stderr).into_owned(),
        )
    }
}

#[test]
fn a_killed_rank_ends_all_with_a_whole_checkpoint_that_goes_on() {
    for (rank, signal, told) in [
        (2, "-KILL", "rank 2 has gone without a word"),
        (0, "-KILL", "rank 0 has gone without a word"),
        (1, "-STOP", "rank 1 has been silent for 2 s"),
    ] {
        let desk = Desk::new();
        let long = Long::start(&desk, &[]);
        let since = Instant::now();
        long.signal(rank, signal);
        let (status, text) = long.end();
        assert!(
            since.elapsed() < Duration::from_secs(40),
            "{:?}",
            since.elapsed()
        );
        assert_eq!(status, Some(1), "{text}");
        assert!(text.contains(told), "{text}");
        let run = only(&desk.path("long"));
        desk.good(&["eval", crate::text(&run)]);
    }
}

#[test]
fn after_a_failure_all_start_again() {
    let desk = Desk::new();
    let long = Long::start(&desk, &["--restarts=1"]);
    let before = long.ranks();
    long.signal(1, "-KILL");
    let since = Instant::now();
    // The others notice, and three new ones take their places.
    while long.ranks().len() != 3 || long.ranks().iter().any(|rank| before.contains(rank)) {
        assert!(since.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(50));
    }
    sleep(Duration::from_secs(2));
    long.signal(2, "-KILL");
    let (status, text) = long.end();
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("the ranks are started again, and go on with"),
        "{text}"
    );
    assert_eq!(text.matches("started again").count(), 1, "{text}");
}

/// A scheduler's warning reaches one rank alone.
#[test]
fn a_warning_signal_on_one_rank_saves_and_stops_all() {
    let desk = Desk::new();
    let long = Long::start(&desk, &[]);
    long.signal(2, "-USR1");
    let (status, text) = long.end();
    assert_eq!(status, Some(75), "{text}");
    let run = only(&desk.path("long"));
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    assert!(summary.contains("\"interrupted\": true") || summary.contains("\"interrupted\":true"));
}

/// Ranks are killed at random moments; in between, all of them start again.
#[test]
#[ignore = "half a minute"]
fn twenty_kills_change_no_bit() {
    const EPOCHS: &str = "--epochs=1500";
    let desk = Desk::new();
    desk.good(&[TRAIN, &[EPOCHS, "--runs=whole"]].concat());
    let mut long = Long::of_epochs(EPOCHS, &desk, &["--restarts=40"]);
    let (mut seed, mut kills) = (1u64, 0);
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
        (seed >> 33) % below
    };
    while kills < 20 {
        sleep(Duration::from_millis(random(2000)));
        assert!(
            long.parent.try_wait().unwrap().is_none(),
            "{kills} kills, and it has ended"
        );
        let before = long.ranks();
        if before.len() != 3 {
            continue;
        }
        long.signal(random(3) as usize, "-KILL");
        kills += 1;
        let since = Instant::now();
        while long.ranks().iter().any(|rank| before.contains(rank)) {
            assert!(since.elapsed() < Duration::from_secs(60));
            sleep(Duration::from_millis(20));
        }
    }
    let (status, text) = long.end();
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(checkpoint(&desk, "long"), checkpoint(&desk, "whole"));
}
