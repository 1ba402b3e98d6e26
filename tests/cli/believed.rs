//! Which of a run's files are believed: first the checkpoint, whose checksum proves it, then the summary, then what
//! people edit.

use crate::run_files::{files, summary};
use crate::{Desk, assert_same, names, newest, small, table, text};
use std::fs;
use std::path::Path;

fn edit(path: &Path, from: &str, to: &str) {
    let before = fs::read_to_string(path).unwrap();
    assert!(before.contains(from), "no `{from}` in {before}");
    fs::write(path, before.replacen(from, to, 1)).unwrap();
}

/// The state that a kill before the first checkpoint leaves.
fn without_checkpoint(run: &Path) {
    let mut open = summary(run);
    open["finished"] = serde_json::Value::Null;
    fs::write(run.join("summary.json"), open.to_string()).unwrap();
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
}

#[test]
fn a_method_that_does_not_fit_the_network_is_refused() {
    let desk = Desk::new();
    let kinds = [
        (
            "gse-uniform",
            "network",
            &[
                "dense", "snip", "grasp", "synflow", "gradual", "lottery", "topkast",
            ][..],
        ),
        (
            "dense",
            "begins with a dense network",
            &["gse-uniform", "static", "gradual"],
        ),
        (
            "snip",
            "chooses its connections",
            &["static", "gse-uniform", "grasp"],
        ),
        ("topkast", "keeps dense weights", &["rigl", "set"]),
    ];
    for (before, reason, others) in kinds {
        let run = desk.small(&[&format!("--method={before}"), "--steps=40"]);
        let whole = files(&run);
        for other in others {
            let flag = format!("--method={other}");
            let says = format!("--method {other} cannot go on with a run of {before}: ");
            let resume = ["train", "--resume", text(&run), "--steps=0", &flag];
            desk.bad(
                &resume,
                2,
                &[&says, reason, "static, set, rigl, gse-uniform", "--config"],
            );
        }
        assert!(files(&run) == whole, "{before}");
    }
    let run = desk.small(&["--method=lottery", "--steps=40"]);
    for (flag, says) in [
        ("--lottery-cycles=2", "--lottery-cycles cannot change"),
        (
            "--epochs=3",
            "--epochs cannot change in a resumed run of lottery",
        ),
    ] {
        let resume = ["train", "--resume", text(&run), "--steps=0", flag];
        desk.bad(&resume, 2, &[says, "--config"]);
    }
    let run = desk.small(&["--steps=40"]);
    for (method, steps) in [
        ("static", "60"),
        ("set", "80"),
        ("rigl", "100"),
        ("gse-graest", "0"),
    ] {
        let (method, steps) = (format!("--method={method}"), format!("--steps={steps}"));
        let done = desk.good(&["train", "--resume", text(&run), &method, &steps]);
        assert!(
            done.err.contains("--method differs from the steps before"),
            "{done:?}"
        );
    }
    // Of the four rounds, the first was before the change, and the second fell to the static network.
    let rounds = table(&run, "topology.csv");
    let steps: Vec<&str> = rounds[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        steps,
        ["20", "20", "20", "40", "40", "40", "80", "80", "80"]
    );
}

#[test]
fn a_dense_network_is_in_the_table_as_one() {
    let desk = Desk::new();
    let sweep = "methods = [\"dense\", \"static\"]\n[base]\nhidden = [32]\nepochs = 1\nlimit = 320\nthreads = 1\n";
    fs::write(desk.path("s.toml"), sweep).unwrap();
    desk.good(&["sweep", "s.toml", "--quiet"]);
    let csv = fs::read_to_string(desk.path("runs/s/results.csv")).unwrap();
    for row in ["mlp,dense,0,1,1,0,false", "mlp,static,0.9,1,1,0,true"] {
        assert!(csv.contains(row), "no {row} in {csv}");
    }
}

#[test]
fn a_run_without_a_checkpoint_begins_with_what_it_was_begun_with() {
    let desk = Desk::new();
    let unbroken = desk.small(&[]);
    let run = desk.small(&["--steps=10"]);
    without_checkpoint(&run);
    let config = run.join("config.toml");
    let whole = fs::read_to_string(&config).unwrap();
    let resume = ["train", "--resume", text(&run), "--steps=0", "--quiet"];
    fs::write(&config, "").unwrap();
    desk.bad(
        &resume,
        2,
        &[
            "its config.toml is empty",
            "summary.json has the configuration",
        ],
    );
    for (text, says) in [
        (
            whole.replace("seed = 1", "seed = 2"),
            "`seed` is 2 there and 1 here",
        ),
        (
            "data = \"digits\"".to_owned(),
            "`epochs` is 20 there and 6 here",
        ),
    ] {
        fs::write(&config, text).unwrap();
        desk.bad(
            &resume,
            2,
            &["is not the configuration of summary.json", says],
        );
    }
    fs::remove_file(&config).unwrap();
    let done = desk.good(&resume);
    assert!(
        done.err
            .contains("starts from the beginning, with its summary.json"),
        "{done:?}"
    );
    assert_same(&unbroken, &run);
    // With only the flags of `small` it would have been another run.
    assert!(small(&[]).len() > 5);
}

#[test]
fn reports_go_by_the_checkpoint() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    let others = [desk.small(&["--seed=2"]), desk.small(&["--lr=0.2"])];
    let config = run.join("config.toml");
    let [whole, told] =
        ["config.toml", "summary.json"].map(|name| fs::read(run.join(name)).unwrap());
    let both = |says: &str| {
        let done = desk.good(&["report", text(&run)]);
        assert!(done.err.contains(says), "report: no `{says}` in {done:?}");
        let page = fs::read_to_string(desk.path("report.html")).unwrap();
        assert!(page.contains("mlp, 90 % sparse"), "{says}");
        let done = desk.good(&["watch", "--once", text(&run)]);
        assert!(done.out.contains("gse-uniform, 90.00 % sparse"), "{done:?}");
        assert!(done.out.contains(says), "watch: no `{says}` in {done:?}");
    };
    edit(&config, "sparsity = 0.9", "sparsity = 0.5");
    both("`sparsity` is 0.5 there and 0.9 here; the checkpoint counts");
    fs::write(&config, "").unwrap();
    both("its config.toml is empty; restore it; the checkpoint counts");
    fs::write(&config, "lr = ").unwrap();
    both("the checkpoint counts");
    fs::remove_file(&config).unwrap();
    both("config.toml is missing; the checkpoint counts");
    fs::write(&config, whole).unwrap();
    for (other, says) in others.iter().zip(["`seed` is 2", "`lr` is 0.2"]) {
        fs::copy(other.join("summary.json"), run.join("summary.json")).unwrap();
        both(&format!(
            "summary.json is of another run: {says} there and "
        ));
    }
    fs::write(run.join("summary.json"), told).unwrap();
    let done = desk.good(&["report", text(&run)]);
    assert_eq!(done.err, "");
    // If nothing is left, there is one error.
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    fs::remove_file(run.join("summary.json")).unwrap();
    fs::remove_file(&config).unwrap();
    for command in [&["report"][..], &["watch", "--once"]] {
        desk.bad(
            &[command, &[text(&run)]].concat(),
            1,
            &["run folder", "no config.toml"],
        );
    }
}

/// Nothing else proves how a run ended.
#[test]
fn checkpoints_that_lost_their_manifests_are_told() {
    let desk = Desk::new();
    let sweep = "seeds = [1]\n[base]\nhidden = [16]\nepochs = 3\nlimit = 64\n";
    fs::write(desk.path("s.toml"), sweep).unwrap();
    desk.good(&["sweep", "s.toml", "--quiet", "--out=s"]);
    let run = desk.path("s/seed-1");
    let store = run.join("checkpoints");
    let told = |says: &[&str]| {
        let report = desk.good(&["report", text(&run)]).err;
        let table = desk.good(&["sweep", "s.toml", "--table", "--out=s"]).err;
        let watch = desk.good(&["watch", text(&run)]).out;
        for told in [report, table, watch] {
            for says in says {
                assert!(told.contains(says), "no `{says}` in {told}");
            }
        }
    };
    let last = newest(&run);
    let name = last.file_name().unwrap().to_str().unwrap().to_owned();
    let missing = format!("{name} cannot be used: manifest.json is missing");
    fs::remove_file(last.join("manifest.json")).unwrap();
    told(&[&missing, "the newest checkpoint is of step 4"]);
    for name in names(&store) {
        let _ = fs::remove_file(store.join(name).join("manifest.json"));
    }
    told(&[&missing, "none of its checkpoints can be used"]);
}

#[cfg(unix)]
#[test]
fn what_is_in_the_locks_place_is_named() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let lock = run.join("lock");
    fs::remove_file(&lock).unwrap();
    let resume = ["train", "--resume", text(&run), "--epochs=2"];
    fs::create_dir(&lock).unwrap();
    let done = desk.bad(
        &resume,
        1,
        &["its lock is a folder, not a file; move it away"],
    );
    assert!(!done.err.contains("checkpoint"), "{done:?}");
    fs::remove_dir(&lock).unwrap();
    std::os::unix::fs::symlink("/nowhere/lock", &lock).unwrap();
    desk.bad(&resume, 1, &["its lock is a link to nothing; remove it"]);
    assert!(names(&run).contains(&"lock".to_owned()));
}
