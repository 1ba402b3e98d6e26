//! Runs left by the first version with this checkpoint format, one of each kind, are evaluated and resumed.

use crate::{Desk, copy_all, newest, table, text};
use std::fs;
use std::path::{Path, PathBuf};

/// The runs, each stopped in the middle, and their unbroken results in `ends.csv`.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoint/format-1")
}

/// The test loss at the end, from a run's summary.
fn loss(run: &Path) -> f64 {
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    summary["finished"]["test_loss"].as_f64().unwrap()
}

#[test]
fn runs_of_an_older_version_are_read_and_go_on() {
    let ends = fs::read_to_string(fixtures().join("ends.csv")).unwrap();
    assert_eq!(ends.lines().count(), 1 + 18);
    for line in ends.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (kind, end) = (cells[0], cells[1].parse::<f64>().unwrap());
        let desk = Desk::new();
        let run = desk.path(kind);
        copy_all(&fixtures().join(kind), &run);
        let stopped = loss(&run);
        // Another processor rounds sums in another order.
        let close = |found: f64, expected: f64| {
            assert!(
                (found - expected).abs() < 2e-3,
                "{kind}: {found} {expected}"
            );
        };
        let told = desk.good(&["eval", kind, "--limit=96", "--json"]).out;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        close(told["loss"].as_f64().unwrap(), stopped);
        desk.good(&["train", "--resume", kind, "--steps=0", "--quiet"]);
        close(loss(&run), end);
        assert_ne!(stopped, end, "{kind}");
        // And no round occurs twice in its table.
        if fs::metadata(run.join("topology.csv")).unwrap().len() > 0 {
            let mut places: Vec<String> = (table(&run, "topology.csv").iter())
                .map(|row| format!("{}/{}", row[0], row[1]))
                .collect();
            let rows = places.len();
            places.sort();
            places.dedup();
            assert_eq!(places.len(), rows, "{kind}");
        }
    }
}

/// A checkpoint of a later format is refused, naming its format and its rootlet, and nothing older is used instead.
#[test]
fn a_later_format_is_refused_by_name() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=3"]);
    let manifest = newest(&run).join("manifest.json");
    let saved = fs::read_to_string(&manifest).unwrap();
    let later = saved
        .replace("\"format\": 1", "\"format\": 2")
        .replace("\"rootlet\": \"0.1.0\"", "\"rootlet\": \"9.8.7\"");
    let content = &later[..later.rfind(",\n  \"manifest_crc32\"").unwrap()];
    let crc = crc32fast::hash(content.as_bytes());
    fs::write(
        &manifest,
        format!("{content},\n  \"manifest_crc32\": {crc}\n}}\n"),
    )
    .unwrap();
    for arguments in [
        &["train", "--resume", text(&run), "--epochs=4"][..],
        &["eval", text(&run)],
        &["eval", text(&newest(&run))],
    ] {
        desk.bad(arguments, 1, &["checkpoint format 2 (rootlet 9.8.7)"]);
    }
}
