//! The commands of the guides, run as they stand.

use std::fs;
use std::path::Path;

use crate::first_steps::species;
use crate::{Desk, text};

/// Runs the lines of a page's blocks of shell commands in order, with the newest run in place of every run that is
/// named, and the output where `>` sends it.
fn follow(desk: &Desk, page: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/guide")
        .join(page);
    let page = fs::read_to_string(path).unwrap();
    let blocks = page.split("```").skip(1).step_by(2);
    let lines = blocks.filter_map(|block| block.strip_prefix("sh\n"));
    let mut count = 0;
    for line in lines.flat_map(str::lines) {
        let (command, file) = match line.split_once(" > ") {
            Some((command, file)) => (command, Some(file)),
            None => (line, None),
        };
        let run = desk.runs().pop();
        let word = |word: &str| match (word.starts_with("runs/2026"), &run) {
            (true, Some(run)) => text(run).to_owned(),
            _ => word.to_owned(),
        };
        let words: Vec<String> = command.split_whitespace().map(word).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words.first(), Some(&"rootlet"), "{line}");
        let done = desk.good(&words[1..]);
        if let Some(file) = file {
            fs::write(desk.path(file), done.out).unwrap();
        }
        count += 1;
    }
    count
}

#[test]
fn predictions() {
    let desk = Desk::new();
    let table = species(120);
    let new: Vec<&str> = table
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    fs::write(desk.path("plants.csv"), &table).unwrap();
    fs::write(desk.path("new.csv"), new.join("\n")).unwrap();
    assert_eq!(follow(&desk, "predict.md"), 8);
    let told = fs::read_to_string(desk.path("predictions.csv")).unwrap();
    assert!(
        told.starts_with("input,row,truth,answer,probability\n"),
        "{told}"
    );
    assert!(
        fs::read_to_string(desk.path("report.html"))
            .unwrap()
            .contains("taken for what")
    );
}

#[test]
fn networks_elsewhere() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), species(120)).unwrap();
    assert_eq!(follow(&desk, "export.md"), 6);
    for file in [
        "plants.onnx",
        "plants-torch/network.py",
        "plants-scipy/layers.0.npz",
        "plants.safetensors",
    ] {
        assert!(desk.path(file).is_file(), "no {file}");
    }
}

#[test]
fn explanations() {
    let desk = Desk::new();
    fs::write(desk.path("plants.csv"), species(120)).unwrap();
    assert_eq!(follow(&desk, "explain.md"), 7);
    for file in ["digits.png", "threes.png", "topology.png", "plants.png"] {
        let begin = fs::read(desk.path(file)).unwrap();
        assert!(begin.starts_with(b"\x89PNG"), "{file}");
    }
    let told = fs::read_to_string(desk.path("plants.columns.csv")).unwrap();
    // The species is told by the length.
    assert!(
        told.lines().nth(1).unwrap().starts_with("length,"),
        "{told}"
    );
}
