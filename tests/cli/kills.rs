//! Kills at random moments, including during saves: of every method, model and adapter, and of sweeps. Every end equals
//! that of an unbroken run to the bit.
//!
//! All thousand: `cargo test --test cli -- --ignored --nocapture a_thousand_kills`.

use crate::sweep::same;
use crate::{Desk, Done, names, text};
use rootlet::checkpoint::{self, Which};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Three steps per epoch, and a checkpoint after each epoch: much of the time is spent on saves.
const TINY: &str = "
hidden = [16]
limit = 48
batch = 16
round_every = 4
lottery_cycles = 1
threads = 1
";

/// A training that is killed: its configuration besides [`TINY`], and its adapter.
struct Case {
    more: String,
    adapter: &'static str,
}

impl Case {
    fn new(adapter: &'static str, method: &str, more: &str) -> Self {
        Case {
            more: format!("method = \"{method}\"\n{more}\n"),
            adapter,
        }
    }

    /// Starts it in a folder of runs.
    fn train(&self, runs: &str) -> Vec<String> {
        ["train", "--no-verify", "--config=case.toml", "--runs", runs]
            .map(str::to_owned)
            .to_vec()
    }

    /// Resumes a run.
    fn resume(&self, run: &str) -> Vec<String> {
        ["train", "--no-verify", "--resume", run]
            .map(str::to_owned)
            .to_vec()
    }
}

fn methods() -> Vec<Case> {
    let names = rootlet::topology::MethodName::NAMES;
    let methods = names.iter();
    (methods.map(|method| Case::new("cpu", method, "epochs = 30"))).collect()
}

/// Runs whose best weights are kept.
fn validated() -> Vec<Case> {
    let more = "epochs = 30\nval_split = 0.3\nlr = 0.5";
    let methods = ["gse-uniform", "gradual", "topkast"];
    methods.map(|method| Case::new("cpu", method, more)).into()
}

/// Whether two runs kept the same best weights, if any, and got the same test result with them.
fn same_best(run: &Path, other: &Path) {
    let best = |run: &Path| {
        let is_there = run.join("best").exists();
        is_there.then(|| checkpoint::load_which(run, Some(Which::Best)).unwrap().0)
    };
    let [one, two] = [run, other].map(best);
    assert_eq!(one.is_some(), two.is_some());
    if let (Some(one), Some(two)) = (one, two) {
        assert_eq!(one.snapshot.progress.best, two.snapshot.progress.best);
        assert!(
            one.snapshot.state == two.snapshot.state,
            "other best weights"
        );
    }
    let [one, two] = [run, other].map(|run| {
        let summary = fs::read_to_string(run.join("summary.json")).unwrap();
        crate::data::json(&summary)["finished"].clone()
    });
    for key in ["best", "validation", "test_loss", "test_accuracy"] {
        assert_eq!(one[key], two[key], "{key}");
    }
}

fn models() -> Vec<Case> {
    let residual = "epochs = 6\nmodel = \"resnet20\"\nwidth = 0.125";
    let transformer = "epochs = 6\nmodel = \"simple-vit-tiny\"\nwidth = 0.03125";
    let of_residual = ["static", "gse-uniform", "snip", "gradual", "topkast"];
    let of_transformer = ["gse-graest", "rigl"];
    (of_residual.iter().map(|method| (method, residual)))
        .chain(of_transformer.iter().map(|method| (method, transformer)))
        .map(|(method, more)| Case::new("cpu", method, more))
        .collect()
}

/// The first adapter of this machine, which is a software one in continuous integration.
fn adapters() -> Vec<Case> {
    let case = |method| Case::new("0", method, "epochs = 12");
    ["gse-grabo", "gradual", "topkast"].map(case).into()
}

/// What the kills hit.
#[derive(Debug, Default)]
struct Counts {
    kills: usize,
    /// While a checkpoint was being written.
    torn: usize,
    /// Before the first one existed: the run was started again.
    anew: usize,
}

/// A small generator, the same in each run of the test.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        limit.mul_f64((self.0 >> 11) as f64 / (1u64 << 53) as f64)
    }
}

fn start(desk: &Desk, adapter: &str, arguments: &[String]) -> Child {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = desk.command(&arguments);
    command.arg("--quiet").env("ROOTLET_ADAPTER", adapter);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Kills the process after a while; returns whether it was still alive.
fn kill(mut child: Child, after: Duration) -> bool {
    sleep(after);
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    let done = Done::of(child.wait_with_output().unwrap());
    assert!(alive || done.code == Some(0), "{done:?}");
    alive
}

/// The newest run that has a checkpoint.
fn saved(desk: &Desk, runs: &str) -> Option<PathBuf> {
    let folder = desk.path(runs);
    let runs = folder.is_dir().then(|| names(&folder))?;
    let mut runs = runs.iter().map(|name| folder.join(name));
    runs.rfind(|run| crate::has_saved(run))
}

fn kill_runs(case: &Case, kills: usize, random: &mut Random, counts: &mut Counts) {
    let desk = Desk::new();
    fs::write(desk.path("case.toml"), format!("{TINY}{}", case.more)).unwrap();
    let finish = |arguments: &[String]| {
        let child = start(&desk, case.adapter, arguments);
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.code, Some(0), "{:?}: {done:?}", case.more);
    };
    let begun = Instant::now();
    finish(&case.train("whole"));
    let takes = begun.elapsed();
    let whole = saved(&desk, "whole").unwrap();
    let (mut killed, mut round) = (0, 0);
    while killed < kills {
        round += 1;
        let runs = format!("broken{round}");
        // Up to four kills per run, all but the first while it is being resumed.
        for _ in 0..4 {
            let command = match saved(&desk, &runs) {
                Some(run) => case.resume(text(&run)),
                None => {
                    counts.anew += usize::from(desk.path(&runs).exists());
                    case.train(&runs)
                }
            };
            if killed < kills && kill(start(&desk, case.adapter, &command), random.below(takes)) {
                killed += 1;
            }
            if let Some(run) = saved(&desk, &runs) {
                let store = names(&run.join("checkpoints"));
                counts.torn += usize::from(store.iter().any(|name| !name.starts_with("step-")));
            }
        }
        let Some(run) = saved(&desk, &runs) else {
            continue;
        };
        finish(&case.resume(text(&run)));
        same(&whole, &run);
        same_best(&whole, &run);
        let mut left = names(&run);
        left.retain(|name| !name.ends_with(".tmp"));
        assert_eq!(left, names(&whole), "{:?}", case.more);
    }
    counts.kills += killed;
}

const SWEEP: &str = "
methods = [\"gse-uniform\", \"gradual\"]
seeds = [1, 2]
[base]
hidden = [16]
epochs = 12
limit = 48
batch = 16
round_every = 4
threads = 1
";

fn kill_sweeps(kills: usize, random: &mut Random, counts: &mut Counts) {
    let desk = Desk::new();
    fs::write(desk.path("s.toml"), SWEEP).unwrap();
    let command = |out: &str| -> Vec<String> {
        let out = format!("--out={out}");
        ["sweep", "s.toml", &out].map(str::to_owned).to_vec()
    };
    let begun = Instant::now();
    let finish = |out: &str| {
        let child = start(&desk, "cpu", &command(out));
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.code, Some(0), "{done:?}");
    };
    finish("whole");
    let takes = begun.elapsed();
    let (mut killed, mut round) = (0, 0);
    while killed < kills {
        round += 1;
        let out = format!("broken{round}");
        for _ in 0..5 {
            if killed < kills && kill(start(&desk, "cpu", &command(&out)), random.below(takes)) {
                killed += 1;
            }
        }
        finish(&out);
        for run in names(&desk.path("whole")) {
            if !run.starts_with("results") {
                same(&desk.path("whole").join(&run), &desk.path(&out).join(&run));
            }
        }
    }
    counts.kills += killed;
}

fn kill_each(cases: &[Case], kills: usize) {
    let (mut random, mut counts) = (Random(7), Counts::default());
    for case in cases {
        kill_runs(case, kills, &mut random, &mut counts);
    }
    println!("{counts:?}");
}

#[test]
fn killed_at_any_moment_every_method_ends_with_the_same_bits() {
    kill_each(&methods(), 2);
}

#[test]
fn killed_at_any_moment_every_model_ends_with_the_same_bits() {
    kill_each(&models(), 2);
}

#[test]
fn killed_at_any_moment_a_run_has_the_same_best_weights() {
    kill_each(&validated(), 3);
}

#[test]
fn killed_at_any_moment_a_gpu_ends_with_the_same_bits() {
    kill_each(&adapters()[..1], 2);
}

#[test]
fn killed_at_any_moment_a_sweep_ends_with_the_same_bits() {
    let mut counts = Counts::default();
    kill_sweeps(4, &mut Random(7), &mut counts);
}

#[test]
#[ignore = "long: a thousand kills"]
fn a_thousand_kills() {
    let (mut random, mut counts) = (Random(11), Counts::default());
    let cases: Vec<Case> = [methods(), models(), validated(), adapters()]
        .into_iter()
        .flatten()
        .collect();
    let sweeps = 80;
    let each = (1000 - sweeps) / cases.len() + 1;
    for case in &cases {
        kill_runs(case, each, &mut random, &mut counts);
        println!("{} {:?}: {counts:?}", case.adapter, case.more);
    }
    kill_sweeps(sweeps, &mut random, &mut counts);
    println!("{counts:?}");
    assert!(counts.kills >= 1000 && counts.torn > 0, "{counts:?}");
}
