//! Two processes in one folder: the second of one run is refused, and those of one sweep share the work.

use crate::going::{ENDLESS, Going, end_past, step};
use crate::{Desk, assert_same, newest, table, text};
use std::fs;
use std::path::Path;

#[test]
fn a_run_in_use_is_refused_until_its_process_is_gone() {
    let desk = Desk::new();
    let mut child = Going::endless(&desk, &[]);
    let run = child.saved_run(&desk, &[]);
    let holder = format!("is in use by process {}; wait", child.id());
    desk.bad(
        &["train", "--resume", text(&run)],
        1,
        &[text(&run), &holder],
    );
    // A sweep with such a run says so.
    fs::create_dir(desk.path("runs/s")).unwrap();
    std::os::unix::fs::symlink(&run, desk.path("runs/s/run")).unwrap();
    let base: Vec<String> = fs::read_to_string(run.join("config.toml"))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    fs::write(
        desk.path("s.toml"),
        format!("[base]\n{}\n", base.join("\n")),
    )
    .unwrap();
    let plan = desk.good(&["sweep", "s.toml", "--dry-run"]).out;
    assert!(plan.contains("in training"), "{plan}");
    fs::remove_dir_all(desk.path("runs/s")).unwrap();
    // Reading still works meanwhile, whichever checkpoint is being replaced.
    for _ in 0..5 {
        assert_eq!(desk.good(&["eval", text(&run)]).err, "");
    }
    desk.good(&["watch", text(&run)]);
    let killed = child.id();
    drop(child);
    let more = ["--steps=1", "--quiet"];
    let resume = [&["train", "--resume", text(&run)][..], &more].concat();
    desk.good(&resume);
    // The last holder is no longer named. The number of one that was killed stays, but is not taken for the current
    // holder.
    assert_eq!(fs::read_to_string(run.join("lock")).unwrap(), "");
    let lock = fs::File::options()
        .write(true)
        .open(run.join("lock"))
        .unwrap();
    lock.lock().unwrap();
    fs::write(run.join("lock"), killed.to_string()).unwrap();
    desk.bad(&resume, 1, &["is in use by another process; wait"]);
}

/// Deleting the folder of a running training loses its tables; the state is saved again, which is reported.
#[test]
fn a_removed_run_folder_is_there_again_with_a_checkpoint() {
    let desk = Desk::new();
    let mut child = Going::endless(&desk, &[]);
    let run = child.saved_run(&desk, &[]);
    child.hold();
    fs::remove_dir_all(&run).unwrap();
    child.go_on();
    let done = child.end();
    done.failed(1, &["removed while it was trained", "--resume"]);
    let end = end_past([step(&run)]);
    desk.good(&["train", "--resume", text(&run), "--quiet", &end]);
    let unbroken = desk.small(&[&ENDLESS[..], &[&end]].concat());
    assert!(crate::model(&run) == crate::model(&unbroken));
    assert_eq!(
        table(&run, "metrics.csv").last(),
        table(&unbroken, "metrics.csv").last()
    );
}

const SWEEP: &str = "
methods = [\"static\", \"gse-uniform\", \"gradual\", \"snip\"]
seeds = [1, 2]
[base]
hidden = [32]
epochs = 8
round_every = 10
limit = 320
threads = 1
";

#[test]
fn two_sweeps_of_one_file_share_the_work() {
    let desk = Desk::new();
    fs::write(desk.path("s.toml"), SWEEP).unwrap();
    let both = ["sweep", "s.toml", "--out=both", "--quiet"];
    let children = [(); 2].map(|()| Going::start(desk.command(&both)));
    let done = children.map(Going::end);
    desk.good(&["sweep", "s.toml", "--out=one", "--quiet"]);
    let mut trained = 0;
    for done in &done {
        assert_eq!(done.code, Some(0), "{done:?}");
        // Each has waited for the other, and prints all runs.
        assert!(done.out.matches(" ± ").count() >= 4, "{done:?}");
        assert!(!done.out.contains("unfinished"), "{done:?}");
        let told = done
            .err
            .lines()
            .filter(|line| line.starts_with("note: run "));
        trained += told.filter(|line| !line.contains("before")).count();
    }
    assert_eq!(trained, 8, "each run is trained once: {done:?}");
    desk.good(&["sweep", "s.toml", "--table", "--out=both"]);
    let table = std::fs::read_to_string(desk.path("both/results.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| mlp"));
    assert_eq!(rows.count(), 4, "{table}");
    for run in crate::names(&desk.path("one")) {
        if !run.starts_with("results") {
            let [one, both] = ["one", "both"].map(|out| desk.path(out).join(&run));
            assert!(crate::model(&one) == crate::model(&both), "{run}");
        }
    }
}

/// Damage to one run of a sweep only costs what was damaged, and is reported.
#[test]
fn a_damaged_run_hides_no_other() {
    let desk = Desk::new();
    let sweep = SWEEP.replace(", \"gradual\", \"snip\"", "");
    fs::write(desk.path("s.toml"), sweep).unwrap();
    desk.good(&["sweep", "s.toml", "--quiet", "--out=s"]);
    let run = |name: &str| desk.path("s").join(name);
    let whole = desk.good(&["sweep", "s.toml", "--table", "--out=s"]).out;
    // If the files cannot be written, the table is still right.
    let csv = desk.path("s/results.csv");
    std::fs::remove_file(&csv).unwrap();
    std::fs::create_dir(&csv).unwrap();
    let told = desk.good(&["sweep", "s.toml", "--table", "--out=s"]);
    assert_eq!(told.out, whole);
    assert!(told.err.contains("results.csv"), "{told:?}");
    std::fs::remove_dir(&csv).unwrap();
    let metrics = run("static_seed-1").join("metrics.csv");
    let rows = fs::read_to_string(&metrics).unwrap();
    let second = rows.lines().nth(2).unwrap();
    fs::write(&metrics, rows.replace(second, &"\0".repeat(300))).unwrap();
    // The result is in the summary.
    let told = desk.good(&["sweep", "s.toml", "--table", "--out=s"]);
    assert_eq!(told.out, whole);
    assert!(
        told.err.contains("metrics.csv: line 3 is damaged"),
        "{told:?}"
    );
    let told = desk.good(&["report", "s", "-o", "r.html"]);
    assert!(told.out.contains("4 runs"), "{told:?}");
    assert!(told.err.contains("line 3 is damaged"), "{told:?}");
    let told = desk.good(&["watch", "s/static_seed-1"]).out;
    assert!(
        told.contains("\n  8/8 ") && told.contains("line 3 is damaged"),
        "{told}"
    );
    // A run that cannot be read at all is left out, and the others stay.
    fs::write(run("static_seed-2").join("config.toml"), "seed = ").unwrap();
    fs::remove_dir_all(run("static_seed-2").join("checkpoints")).unwrap();
    fs::remove_file(run("static_seed-2").join("summary.json")).unwrap();
    fs::write(run("gse-uniform_seed-1").join("summary.json"), "{").unwrap();
    fs::write(run("gse-uniform_seed-2").join("progress.json"), "{").unwrap();
    let told = desk.good(&["sweep", "s.toml", "--table", "--out=s"]);
    assert!(told.err.contains("static_seed-2 is left out"), "{told:?}");
    assert!(told.err.contains("summary.json"), "{told:?}");
    for row in ["static ", "gse-uniform "] {
        assert!(told.out.contains(row), "{told:?}");
    }
    let told = desk.good(&["report", "s", "-o", "r.html"]);
    assert!(told.out.contains("3 runs"), "{told:?}");
    let told = desk.good(&["watch", "s/gse-uniform_seed-2"]).out;
    assert!(
        told.contains("\n  8/8 ") && told.contains("progress.json"),
        "{told}"
    );
    let told = desk.run(&["sweep", "s.toml", "--quiet", "--out=s"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.err
            .contains("static_seed-2: damaged; remove its folder"),
        "{told:?}"
    );
    desk.bad(
        &["report", "s/static_seed-2", "-o", "r.html"],
        2,
        &["config.toml"],
    );
}

/// A row that cannot be read is left out when the run is resumed, but nothing after it.
#[test]
fn a_damaged_row_costs_no_other_when_the_run_goes_on() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let broken = desk.small(&["--steps=60"]);
    let metrics = broken.join("metrics.csv");
    let rows = fs::read_to_string(&metrics).unwrap();
    let first = rows.lines().nth(1).unwrap();
    let damaged = rows.replace(first, &format!("\0\0{}", &first[3..]));
    fs::write(&metrics, &damaged).unwrap();
    let done = desk.good(&["train", "--resume", text(&broken), "--steps=0", "--quiet"]);
    assert!(
        done.err
            .contains("metrics.csv: line 2 is damaged and left out"),
        "{done:?}"
    );
    assert_eq!(
        fs::read_to_string(broken.join("metrics.damaged.csv")).unwrap(),
        damaged
    );
    let mut expected = table(&unbroken, "metrics.csv");
    expected.remove(1);
    assert_eq!(table(&broken, "metrics.csv"), expected);
    assert_eq!(
        table(&broken, "topology.csv"),
        table(&unbroken, "topology.csv")
    );
}

/// After a crash following a round that comes before its step, its rows occur once.
#[test]
fn a_round_on_an_epoch_s_end_is_told_once() {
    let desk = Desk::new();
    for method in [
        "--method=gradual",
        "--method=topkast",
        "--method=gse-uniform",
    ] {
        let more = [method, "--round-every=19"];
        let unbroken = desk.small(&more);
        let broken = desk.small(&more);
        // As if the process had died before the last save: the previous step has a round, whose rows are there.
        fs::remove_dir_all(newest(&broken)).unwrap();
        assert!(text(&newest(&broken)).ends_with("95"));
        desk.good(&["train", "--resume", text(&broken), "--quiet"]);
        assert_same(&unbroken, &broken);
    }
}

#[test]
fn what_a_checkpoint_was_made_with_decides() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let run = desk.small(&["--steps=50"]);
    let config = run.join("config.toml");
    let saved = fs::read_to_string(&config).unwrap();
    let resume = ["train", "--resume", text(&run), "--quiet"];
    let edit = |from: &str, to: &str| {
        assert!(saved.contains(from), "{saved}");
        fs::write(&config, saved.replace(from, to)).unwrap();
    };
    for (from, to, part) in [
        ("seed = 1", "seed = 7", "`seed` is 7 there and 1 here"),
        (
            "batch = 32",
            "batch = 16",
            "`batch` is 16 there and 32 here",
        ),
        (
            "momentum = 0.9",
            "momentum = 0.8",
            "`momentum` is 0.8 there and 0.9 here",
        ),
        (
            "gse-uniform",
            "set",
            "`method` is set there and gse-uniform here",
        ),
    ] {
        edit(from, to);
        // Flags are only suggested for what may change.
        let way_out = match from {
            "seed = 1" | "batch = 32" => "start a new run",
            _ => "with a flag",
        };
        desk.bad(&resume, 2, &["config.toml", part, way_out]);
    }
    fs::write(&config, "").unwrap();
    desk.bad(&resume, 2, &["config.toml is empty", "remove the file"]);
    fs::write(&config, "epochs = 6\n").unwrap();
    desk.bad(&resume, 2, &["config.toml", "which decides"]);
    fs::write(&config, "seed = ").unwrap();
    desk.bad(&resume, 2, &["config.toml", "line 1", "remove the file"]);
    // A flag changes only what may change.
    edit("momentum = 0.9", "momentum = 0.8");
    let done = desk.good(&[&resume[..], &["--momentum=0.9", "--steps=55"]].concat());
    assert_eq!(done.err, "");
    edit("momentum = 0.9", "momentum = 0.8");
    desk.bad(
        &[&resume[..], &["--steps=0"]].concat(),
        2,
        &["`momentum` is 0.8 there and 0.9 here"],
    );
    // A missing file is written anew.
    fs::remove_file(&config).unwrap();
    let done = desk.good(&[&resume[..], &["--steps=0"]].concat());
    assert!(done.err.contains("config.toml is missing"), "{done:?}");
    assert_same(&unbroken, &run);
    assert_eq!(
        fs::read_to_string(&config).unwrap(),
        fs::read_to_string(unbroken.join("config.toml")).unwrap()
    );
    check_sweep(&desk);
}

/// Nor does a sweep resume a run whose checkpoint was made with another value.
fn check_sweep(desk: &Desk) {
    let path = |name: &str| desk.path(name);
    let sweep = "seeds = [1]\n[base]\nhidden = [16]\nepochs = 2\nsteps = 3\nlimit = 64\n";
    fs::write(path("s.toml"), sweep).unwrap();
    desk.good(&["sweep", "s.toml", "--quiet", "--out=s"]);
    let run: &Path = &path("s/seed-1");
    // Unfinished, as a kill leaves it, with another momentum both in the plan and in the file.
    fs::remove_file(run.join("summary.json")).unwrap();
    fs::remove_file(run.join("metrics.csv")).unwrap();
    fs::write(path("s.toml"), format!("{sweep}momentum = 0.8\n")).unwrap();
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::write(
        run.join("config.toml"),
        config.replace("momentum = 0.9", "momentum = 0.8"),
    )
    .unwrap();
    desk.bad(
        &["sweep", "s.toml", "--quiet", "--out=s"],
        2,
        &["`momentum` 0.9", "now says 0.8"],
    );
}
