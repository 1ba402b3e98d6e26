//! A run from start to end: what it prints, what it leaves, and that its configuration repeats it.

use crate::{Desk, SMALL, assert_same, model, names, small, table, text};
use serde_json::Value;
use std::fs;

const METRICS: &str =
    "epoch,step,lr,train_loss,train_accuracy,test_loss,test_accuracy,seconds,images_per_second";
const TOPOLOGY: &str = "step,layer,name,active,total,candidates,pruned,grown,turnover,grown_gradient,\
    pruned_magnitude,seconds,rank_correlation,ever_active,dead_inputs,dead_outputs";

#[test]
fn train_alone_learns_the_digits_and_leaves_a_complete_run_folder() {
    let desk = Desk::new();
    let done = desk.good(&["train"]);
    assert_eq!(done.err, "");
    for part in [
        "adapter      cpu",
        "images       1,442 to train, 355 to test",
        "model        64-256-256-10",
        "connections  8,448 of 84,480 (90.00 % sparse)",
        "run folder   runs/",
        "epoch     loss  accuracy",
        "\n20/20 ",
        "device memory            peak",
    ] {
        assert!(done.out.contains(part), "no `{part}` in {}", done.out);
    }
    let result = done.out.lines().last().unwrap();
    let accuracy = result.strip_prefix("test accuracy ").unwrap();
    let accuracy: f64 = accuracy.split(' ').next().unwrap().parse().unwrap();
    assert!(accuracy > 94.0, "{result}");

    let [run] = &desk.runs()[..] else { panic!() };
    assert!(text(run).ends_with("-digits-gse-uniform"));
    assert_eq!(
        names(run),
        [
            "checkpoints",
            "config.toml",
            "lock",
            "metrics.csv",
            "progress.json",
            "summary.json",
            "topology.csv"
        ]
    );
    let steps = ["step-0000000874", "step-0000000920"];
    assert_eq!(names(&run.join("checkpoints")), steps);
    for step in steps {
        let files = names(&run.join("checkpoints").join(step));
        assert_eq!(files, ["manifest.json", "model.safetensors"]);
    }
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert_eq!(metrics.lines().next(), Some(METRICS));
    assert_eq!(metrics.lines().count(), 21, "a row an epoch: {metrics}");
    let topology = fs::read_to_string(run.join("topology.csv")).unwrap();
    assert_eq!(topology.lines().next(), Some(TOPOLOGY));
    // Every 100 steps until epoch 12, which ends at step 552: five rounds of three layers.
    assert_eq!(topology.lines().count(), 1 + 5 * 3, "{topology}");
    for row in topology.lines().skip(1) {
        let row: Vec<&str> = row.split(',').collect();
        let number = |column: usize| row[column].parse::<f64>().unwrap();
        assert_eq!(number(6), number(7), "as many grown as pruned: {row:?}");
        assert!(
            number(7) > 0.0 && number(5) > 0.0 && number(9) > 0.0,
            "{row:?}"
        );
        assert!((number(8) - number(7) / number(3)).abs() < 1e-9, "{row:?}");
    }
}

#[test]
fn the_configuration_alone_repeats_the_run_to_the_bit() {
    let desk = Desk::new();
    let first = desk.small(&["--method=gse-grabo", "--scope=global", "--nesterov"]);
    let config = first.join("config.toml");
    desk.good(&["train", "--config", text(&config), "--quiet"]);
    let second = desk.runs().into_iter().find(|run| *run != first).unwrap();
    assert_same(&first, &second);
    let read = |run: &std::path::Path| fs::read_to_string(run.join("config.toml")).unwrap();
    assert_eq!(read(&first), read(&second));
    // Neither the number of threads nor that of the loader's changes any bit; the seed does.
    let third = desk.small(&[
        "--config",
        text(&config),
        "--threads=1",
        "--workers=3",
        "--name=again",
    ]);
    assert!(text(&third).ends_with("-again"));
    assert_same(&first, &third);
    let other = desk.small(&["--config", text(&config), "--seed=2"]);
    assert!(model(&first) != model(&other), "the seed changes nothing");
}

/// A T_end that follows from the epochs still does so in the run's file, which repeats the run; a file in which an
/// older version wrote it out is the same run.
#[test]
fn a_run_whose_rounds_end_by_its_epochs_is_repeated_to_the_bit() {
    let desk = Desk::new();
    let arguments: Vec<&str> = (crate::SMALL.into_iter())
        .filter(|argument| !argument.starts_with("--round-until"))
        .collect();
    desk.good(&[&arguments[..], &["--quiet"]].concat());
    let first = desk.runs().remove(0);
    let config = first.join("config.toml");
    let saved = fs::read_to_string(&config).unwrap();
    assert!(saved.contains("\n# round_until = 3.6\n"), "{saved}");
    let older = desk.path("older.toml");
    let until = format!("\nround_until = {}\n", 0.6 * 6.0);
    fs::write(&older, saved.replace("\n# round_until = 3.6\n", &until)).unwrap();
    for (file, name) in [(&config, "--name=same"), (&older, "--name=older")] {
        let again = desk.small(&["--config", text(file), name]);
        assert_same(&first, &again);
    }
    // One row: they are the same experiment.
    desk.good(&["report", "runs"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(!page.contains("3.59999"));
}

#[test]
fn printed_configuration_is_what_a_run_writes() {
    let desk = Desk::new();
    let mut arguments = small(&["--print-config"]);
    arguments.retain(|argument| !argument.starts_with("--runs"));
    let printed = desk.good(&arguments).out;
    assert!(desk.runs().is_empty(), "nothing is trained");
    let run = desk.small(&[]);
    assert_eq!(
        fs::read_to_string(run.join("config.toml")).unwrap(),
        printed
    );
}

#[test]
fn quiet_shows_the_result_only() {
    let desk = Desk::new();
    let done = desk.good(&small(&["--quiet"]));
    assert_eq!(done.out.lines().count(), 1, "{done:?}");
    assert!(done.out.starts_with("test accuracy "), "{done:?}");
    assert_eq!(done.err, "");
}

#[test]
fn json_is_an_object_a_line() {
    let desk = Desk::new();
    let done = desk.good(&small(&["--json"]));
    assert_eq!(done.err, "");
    let events: Vec<Value> = done
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| -> Vec<&Value> {
        events
            .iter()
            .filter(|event| event["event"] == kind)
            .collect()
    };
    let known = [
        "started", "progress", "round", "epoch", "saved", "note", "finished",
    ];
    for event in &events {
        let kind = event["event"].as_str().unwrap();
        assert!(known.contains(&kind), "{kind}");
    }
    let run = &desk.runs()[0];
    assert_eq!(
        (of("started").len(), of("epoch").len(), of("saved").len()),
        (1, 6, 6)
    );
    assert!(!of("progress").is_empty());
    assert_eq!(of("started")[0]["steps_total"], 6 * 19);
    let layers = of("round")
        .into_iter()
        .map(|r| r["layers"].as_array().unwrap().len());
    assert_eq!(layers.sum::<usize>(), table(run, "topology.csv").len() - 1);
    let finished = events.last().unwrap();
    assert_eq!(finished["event"], "finished");
    assert_eq!(finished["step"], 6 * 19);
    assert_eq!(finished["interrupted"], false);
    assert_eq!(finished["test_accuracy"], of("epoch")[5]["test_accuracy"]);
    let saved = of("saved")[5]["path"].as_str().unwrap();
    assert!(desk.path(saved).join("manifest.json").is_file(), "{saved}");
}

#[test]
fn every_method_and_scope_trains() {
    let desk = Desk::new();
    for method in [
        "static",
        "set",
        "rigl",
        "gse-uniform",
        "gse-grabo",
        "gse-graest",
    ] {
        for scope in ["layer", "global"] {
            let (method_flag, scope_flag) =
                (format!("--method={method}"), format!("--scope={scope}"));
            // Without rounds there is nothing to rank, and the flag would be refused.
            let flags = match method {
                "static" => &[method_flag.as_str()][..],
                _ => &[method_flag.as_str(), scope_flag.as_str()],
            };
            let run = desk.small(flags);
            let rows = table(&run, "metrics.csv");
            assert_eq!(rows.len(), 7, "{method} {scope}");
            let accuracy: f64 = rows[6].last().unwrap().parse().unwrap();
            assert!(accuracy > 0.5, "{method} {scope}: {accuracy}");
            let topology = fs::read_to_string(run.join("topology.csv")).unwrap();
            assert_eq!(topology.is_empty(), method == "static", "{method} {scope}");
        }
    }
}

#[test]
fn no_hidden_layer_a_dense_one_and_many_steps_of_one_image() {
    let desk = Desk::new();
    for arguments in [
        &["--hidden=none", "--sparsity=0.5"][..],
        &["--sparsity=0"],
        &["--hidden=7,5,3", "--batch=1", "--limit=70", "--lr=0.01"],
        &["--batch=5000"],
    ] {
        let run = desk.small(arguments);
        assert_eq!(table(&run, "metrics.csv").len(), 7, "{arguments:?}");
    }
}

/// A reader that takes only the first lines, like `head`, ends the run, but sees no panic.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_panic() {
    let desk = Desk::new();
    let program = assert_cmd::cargo::cargo_bin!("rootlet");
    let script = "\"$0\" \"$@\" --json | head -n 1";
    let done = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(program)
        .args(SMALL)
        .current_dir(desk.path("."))
        .env("ROOTLET_ADAPTER", "cpu")
        .output()
        .unwrap();
    let err = String::from_utf8(done.stderr).unwrap();
    assert!(!err.contains("panicked"), "{err}");
}
