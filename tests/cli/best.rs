//! The best weights according to the validation part: kept, used, and the same if a run was interrupted.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::data::json;
use crate::{Desk, Done, assert_same, names, table, text};

const TRAIN: [&str; 9] = [
    "train",
    "--val-split=0.2",
    "--hidden=32",
    "--epochs=6",
    "--lr=0.8",
    "--threads=1",
    "--quiet",
    "--runs=runs",
    "--no-verify",
];

/// These flags, plus the usual ones that are not among them.
fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let name = |flag: &str| flag.split('=').next().map(str::to_owned);
    let is_given = |flag: &&&str| more.iter().any(|own| name(own) == name(flag));
    let usual = TRAIN.iter().filter(|flag| !is_given(flag));
    usual.chain(more).copied().collect()
}

fn summary(run: &Path) -> Value {
    json(&fs::read_to_string(run.join("summary.json")).unwrap())
}

/// A number of `metrics.csv` for each epoch.
fn column(run: &Path, name: &str) -> Vec<f64> {
    let text = fs::read_to_string(run.join("metrics.csv")).unwrap();
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let at = rows
        .next()
        .unwrap()
        .iter()
        .position(|own| *own == name)
        .unwrap();
    rows.map(|row| row[at].parse().unwrap_or(f64::NAN))
        .collect()
}

/// The first of the highest, counted from 1.
fn highest(values: &[f64]) -> usize {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    1 + values.iter().position(|&value| value == most).unwrap()
}

fn best_folder(run: &Path) -> PathBuf {
    let kept = names(&run.join("best"));
    run.join("best").join(kept.last().unwrap())
}

#[test]
fn the_best_epochs_weights_are_kept_and_tested_once() {
    let desk = Desk::new();
    let done = desk.good(&TRAIN);
    let run = desk.runs().remove(0);
    let accuracies = column(&run, "validation_accuracy");
    assert_eq!(accuracies.len(), 6);
    // The test part is not evaluated before the end.
    assert!(column(&run, "test_loss").iter().all(|loss| loss.is_nan()));
    let best = highest(&accuracies);
    let end = &summary(&run)["finished"];
    assert_eq!(end["best"]["epoch"], best, "{end}");
    assert_eq!(end["best"]["metric"], "accuracy");
    let near = |a: &Value, b: f64| (a.as_f64().unwrap() - b).abs() < 1e-6;
    assert!(near(&end["best"]["value"], accuracies[best - 1]), "{end}");
    assert!(
        near(&end["validation"]["accuracy"], accuracies[best - 1]),
        "{end}"
    );
    let last = done.out.lines().last().unwrap();
    let said = format!("(weights of epoch {best}, the best by accuracy ");
    assert!(
        last.starts_with("test accuracy ") && last.contains(&said),
        "{done:?}"
    );
    // These weights are tested by default, and the newest if requested.
    let eval = |more: &[&str]| {
        let done = desk.good(&[&["eval", text(&run), "--json"], more].concat());
        json(&done.out)
    };
    let of_best = eval(&[]);
    assert_eq!(
        (&of_best["checkpoint"], &of_best["epoch"]),
        (&"best".into(), &best.into())
    );
    assert_eq!(of_best["accuracy"], end["test_accuracy"]);
    let judged = eval(&["--part=validation"]);
    assert_eq!(
        (&judged["part"], &judged["images"]),
        (&"validation".into(), &288.into())
    );
    assert!(near(&judged["accuracy"], accuracies[best - 1]));
    let newest = eval(&["--checkpoint=newest", "--part=validation"]);
    assert_eq!(
        (&newest["checkpoint"], &newest["epoch"]),
        (&"newest".into(), &6.into())
    );
    assert!(near(&newest["accuracy"], accuracies[5]));
    let line = desk.good(&["eval", text(&run)]).out;
    let said = format!("355 test images of digits (the best checkpoint, of epoch {best}): ");
    assert!(line.starts_with(&said), "{line}");
    // Damage is noticed: it is refused if the weights were requested, and otherwise reported.
    let model = best_folder(&run).join("model.safetensors");
    let mut bytes = fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&model, bytes).unwrap();
    desk.bad(
        &["eval", text(&run), "--checkpoint=best"],
        1,
        &["fails its checksum"],
    );
    let done = desk.good(&["eval", text(&run), "--json"]);
    assert_eq!(json(&done.out)["checkpoint"], "newest");
    assert!(done.err.contains("cannot be used"), "{done:?}");
}

#[test]
fn a_run_that_was_stopped_anywhere_ends_with_the_same_best() {
    let desk = Desk::new();
    desk.good(&with(&["--runs=whole"]));
    let whole = fs::read_dir(desk.path("whole"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let end = summary(&whole)["finished"].clone();
    for (steps, every) in [("40", "1"), ("100", "4"), ("110", "1")] {
        desk.good(&with(&["--steps", steps, "--save-every", every]));
        let run = desk.runs().pop().unwrap();
        desk.good(&["train", "--resume", text(&run), "--steps=0", "--quiet"]);
        assert_same(&whole, &run);
        assert_eq!(table(&whole, "metrics.csv"), table(&run, "metrics.csv"));
        let own = &summary(&run)["finished"];
        for key in ["best", "test_accuracy", "test_loss", "validation"] {
            assert_eq!(own[key], end[key], "{key}");
        }
        let [a, b] = [&whole, &run].map(|run| fs::read(best_folder(run).join("model.safetensors")));
        assert_eq!(a.unwrap(), b.unwrap());
    }
}

#[test]
fn a_run_stops_where_nothing_gets_better_and_goes_on_with_more_patience() {
    let desk = Desk::new();
    let done = desk.good(&with(&[
        "--patience=1",
        "--epochs=30",
        "--best-metric=LOSS",
    ]));
    let run = desk.runs().remove(0);
    let losses = column(&run, "validation_loss");
    // Each is better than those before, except for the last.
    let (last, before) = losses.split_last().unwrap();
    assert!(
        losses.len() < 30 && before.windows(2).all(|two| two[1] < two[0]),
        "{losses:?}"
    );
    assert!(last >= before.last().unwrap());
    let end = summary(&run)["finished"].clone();
    assert_eq!(
        (&end["best"]["epoch"], &end["interrupted"]),
        (&before.len().into(), &false.into())
    );
    let said = format!("stopped after epoch {} of 30", losses.len());
    assert!(done.out.contains(&said), "{done:?}");
    // Nothing is left to do, unless the run is to wait longer.
    let done = desk.good(&["train", "--resume", text(&run), "--quiet"]);
    assert!(done.err.contains("nothing was left to do"), "{done:?}");
    let epochs = (losses.len() + 2).to_string();
    desk.good(&[
        "train",
        "--resume",
        text(&run),
        "--patience=0",
        "--epochs",
        &epochs,
        "--quiet",
    ]);
    assert_eq!(column(&run, "validation_loss").len(), losses.len() + 2);
}

#[test]
fn nothing_is_chosen_where_there_is_nothing_to_choose_by_or_it_is_not_wanted() {
    let desk = Desk::new();
    for flag in ["--patience=2", "--best-metric=loss"] {
        desk.bad(
            &["train", flag],
            2,
            &["has no effect", "a validation part", "--val-split"],
        );
    }
    desk.bad(
        &with(&["--best-metric=RMSE"]),
        2,
        &["--best-metric must be", "loss, accuracy"],
    );
    desk.good(&with(&["--best-metric=none", "--epochs=2"]));
    let run = desk.runs().pop().unwrap();
    assert!(!run.join("best").exists());
    let end = &summary(&run)["finished"];
    assert!(
        end["best"].is_null() && end["test_accuracy"].as_f64().unwrap() > 0.0,
        "{end}"
    );
    desk.bad(
        &["eval", text(&run), "--checkpoint=best"],
        1,
        &["has no best checkpoint"],
    );
    // Without the flag the digits have no such part, and all training images train.
    desk.good(&[
        "train",
        "--epochs=1",
        "--quiet",
        "--hidden=16",
        "--runs=runs",
    ]);
    let run = desk.runs().pop().unwrap();
    assert_eq!(summary(&run)["started"]["train_images"], 1442);
    assert!(!run.join("best").exists());
    desk.bad(
        &["eval", text(&run), "--part=validation"],
        2,
        &["has no validation part"],
    );
}

/// Every version wrote `val_split = 0.1`, even if nothing was to be split off.
#[test]
fn a_configuration_of_an_older_version_means_what_it_did() {
    let desk = Desk::new();
    let text_of = |args: &[&str]| desk.good(args).out;
    let now = text_of(&["train", "--print-config", "--val-split=0.1"]);
    let older: String = now
        .lines()
        .filter(|line| !line.starts_with("best_metric"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    fs::write(desk.path("now.toml"), &now).unwrap();
    fs::write(desk.path("older.toml"), &older).unwrap();
    let again = text_of(&["train", "--config=now.toml", "--print-config"]);
    assert!(again.contains("\nval_split = 0.1\n"), "{again}");
    let again = text_of(&["train", "--config=older.toml", "--print-config"]);
    assert!(again.contains("\n# val_split is not set\n"), "{again}");
}

/// The limit on a file's length stops the first write of a model, like a full disk. It is of the best weights, since
/// they are kept before the epoch's checkpoint is saved.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_older_best_and_the_newest_whole() {
    let desk = Desk::new();
    // Its models have 128 KB, and all other files less than 16.
    let more = [
        "--hidden=256",
        "--sparsity=0.5",
        "--epochs=3",
        "--round-every=20",
        "--lr=0.1",
        "--best-metric=loss",
    ];
    desk.good(&with(&more));
    let run = desk.runs().remove(0);
    let kept = |store: &str| -> Vec<(String, Vec<u8>)> {
        let folder = run.join(store);
        let read = |name: String| {
            let bytes = fs::read(folder.join(&name).join("model.safetensors")).unwrap();
            (name, bytes)
        };
        names(&folder).into_iter().map(read).collect()
    };
    let before = ["best", "checkpoints"].map(kept);
    assert_eq!(before[0].last().unwrap().0, before[1].last().unwrap().0);
    let eval = |which: &str| desk.good(&["eval", text(&run), which]).out;
    let told = ["--checkpoint=best", "--checkpoint=newest"].map(eval);
    let go_on = ["train", "--resume", text(&run), "--epochs=5", "--quiet"];
    let whole = desk.command(&go_on);
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "ulimit -f 96; exec \"$@\"", "sh"])
        .arg(whole.get_program())
        .args(whole.get_args())
        .current_dir(desk.path("."));
    limited.envs(
        whole
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let done = Done::of(limited.output().unwrap());
    done.failed(
        1,
        &[
            "best/step-0000000148",
            "cannot write",
            "free some space",
            "Checkpoints saved before are untouched",
        ],
    );
    // No remains of the write take space, and both are what they were.
    let after = ["best", "checkpoints"].map(kept);
    assert!(
        after == before,
        "{:?}",
        ["best", "checkpoints"].map(|store| names(&run.join(store)))
    );
    assert_eq!(["--checkpoint=best", "--checkpoint=newest"].map(eval), told);
    // With space, the run goes on like one that met no limit.
    desk.good(&go_on);
    desk.good(&with(&more));
    let other = desk.runs().remove(1);
    desk.good(&["train", "--resume", text(&other), "--epochs=5", "--quiet"]);
    assert_same(&run, &other);
}
