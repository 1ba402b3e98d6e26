//! `rootlet runs`, `--resume` without a folder, and what shells are told of the command line.

use std::fs;

use serde_json::Value;

use crate::{Desk, assert_same, small, text};

#[test]
fn runs_are_listed_with_their_results_and_what_became_of_them() {
    let desk = Desk::new();
    desk.bad(&["runs"], 1, &["open the folder of runs", "runs"]);
    fs::create_dir_all(desk.path("runs/empty")).unwrap();
    desk.bad(&["runs"], 1, &["no run is in it"]);
    let finished = desk.small(&[]);
    desk.run(&["train", "--lr=1e6", "--quiet", "--name=wild"]);
    let stopped = desk.small(&["--steps=30", "--name=part", "--method=gse"]);
    let sweep = "seeds = [1]\n[base]\nepochs = 1\nhidden = [16]\n";
    fs::write(desk.path("s.toml"), sweep).unwrap();
    desk.good(&["sweep", "s.toml", "--quiet"]);
    let shown = desk.good(&["runs"]);
    assert_eq!(shown.err, "");
    let lines: Vec<&str> = shown.out.lines().collect();
    assert_eq!(lines.len(), 5, "{}", shown.out);
    assert!(lines[0].starts_with("run "), "{}", shown.out);
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{}",
        shown.out
    );
    let row = |of: &str| *lines.iter().find(|line| line.contains(of)).unwrap();
    let name = |run: &std::path::Path| text(run.file_name().unwrap().as_ref()).to_owned();
    assert!(
        row(&name(&finished)).ends_with(" finished"),
        "{}",
        shown.out
    );
    assert!(row(&name(&finished)).contains(" 6/6 "), "{}", shown.out);
    assert!(row("wild").ends_with(" diverged"), "{}", shown.out);
    assert!(row(&name(&stopped)).contains("mlp"), "{}", shown.out);
    assert!(row("s/seed-1").contains(" 1/1 "), "{}", shown.out);
    // A run that cannot be read is named, and the others are shown.
    fs::write(finished.join("config.toml"), "seed = ").unwrap();
    fs::remove_dir_all(finished.join("checkpoints")).unwrap();
    fs::remove_file(finished.join("summary.json")).unwrap();
    let shown = desk.good(&["runs"]);
    assert!(shown.err.contains(&name(&finished)), "{shown:?}");
    assert_eq!(shown.out.lines().count(), 4, "{shown:?}");
}

#[test]
fn resume_without_a_folder_takes_the_newest_run() {
    let desk = Desk::new();
    desk.bad(&["train", "--resume"], 1, &["runs"]);
    let whole = desk.small(&[]);
    let older = desk.small(&["--name=older", "--steps=20"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let newer = desk.small(&["--name=newer", "--steps=20"]);
    let done = desk.good(&["train", "--resume", "--steps=0", "--quiet"]);
    assert!(done.err.contains("newer, the newest run"), "{done:?}");
    assert_same(&newer, &whole);
    let steps = |run: &std::path::Path| {
        let summary = fs::read_to_string(run.join("summary.json")).unwrap();
        let summary: Value = serde_json::from_str(&summary).unwrap();
        summary["finished"]["step"].as_u64()
    };
    assert_eq!(steps(&older), Some(20));
    desk.bad(
        &["train", "--resume", text(&newer), "--runs=runs"],
        2,
        &["--runs", "changes nothing"],
    );
}

#[test]
fn gse_is_short_for_its_usual_form() {
    let desk = Desk::new();
    let config = |method: &str| {
        let given = format!("--method={method}");
        desk.good(&["train", "--print-config", &given]).out
    };
    assert_eq!(config("gse"), config("gse-uniform"));
    fs::write(desk.path("short.toml"), "method = \"gse\"\n").unwrap();
    let of_file = desk.good(&["train", "--print-config", "--config=short.toml"]);
    assert_eq!(of_file.out, config("gse-uniform"));
}

#[test]
fn json_events_say_when_they_happened() {
    let desk = Desk::new();
    let done = desk.good(&small(&["--json"]));
    let mut before = String::new();
    for line in done.out.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let time = event["time"].as_str().unwrap().to_owned();
        assert!(
            time.len() >= 20 && time.ends_with('Z') && time >= before,
            "{line}"
        );
        before = time;
    }
}

#[test]
fn shells_and_manuals_know_every_subcommand() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.good(&["completions", shell]).out;
        for word in ["train", "sweep", "sparsity", "gse-uniform"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    desk.good(&["man", "pages"]);
    for page in ["rootlet.1", "rootlet-train.1", "rootlet-runs.1"] {
        let page = fs::read_to_string(desk.path("pages").join(page)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
}
