//! What a run leaves behind and shows: the run folder, its tables, and the console.
#![allow(clippy::unwrap_used)]

mod folders;
mod summaries;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rootlet::error::Misfit;
use rootlet::report::{Console, Reports, RunFolder, Saved, Style, Tables};
use rootlet::train::event::{
    Epoch, Event, Finished, LayerSummary, Observer, Progress, Round, RoundLayer, Started,
};

fn epoch(number: u32, step: u64) -> Event {
    Event::Epoch(Epoch {
        epoch: number,
        step,
        lr: 0.1,
        train_loss: 0.25,
        train_accuracy: 0.925,
        test_loss: 0.5,
        test_accuracy: 0.875,
        seconds: 1.5,
        images_per_second: 1234.5,
        ..Epoch::default()
    })
}

fn round(step: u64) -> Event {
    let layer = |layer: usize| RoundLayer {
        layer,
        name: format!("linear{layer}"),
        active: 100,
        total: 1000,
        candidates: 90,
        pruned: 20,
        grown: 20,
        turnover: 0.2,
        grown_gradient: 0.5,
        pruned_magnitude: 0.125,
        ever_active: Some(0.2),
        dead_inputs: Some(3),
        ..RoundLayer::default()
    };
    let layers = vec![layer(0), layer(1)];
    Event::Round(Round {
        step,
        seconds: 0.25,
        layers,
    })
}

fn started(run: Option<PathBuf>) -> Event {
    Event::Started(Started {
        method: "gse-uniform".into(),
        always_sparse: true,
        task: None,
        loss: String::new(),
        model_name: "mlp".into(),
        adapter: "cpu".to_owned(),
        model: vec![
            LayerSummary {
                name: "linear0".to_owned(),
                n_in: 64,
                n_out: 256,
                active: 1638,
                density: 1638.0 / 16384.0,
            },
            LayerSummary {
                name: "linear1".to_owned(),
                n_in: 256,
                n_out: 10,
                active: 2560,
                density: 1.0,
            },
        ],
        connections: 4198,
        dense: 18_944,
        sparsity: 1.0 - 4198.0 / 18_944.0,
        clipped: vec![1],
        parameters: 4464,
        steps_total: 900,
        epochs: 20,
        steps_per_epoch: 45,
        memory: vec![("connections".into(), 156_160), ("dense_weights".into(), 0)],
        train_images: 1437,
        test_images: 360,
        test_part: None,
        run,
        resumed_at: None,
        ..Started::default()
    })
}

fn finished(interrupted: bool) -> Event {
    let peak = [
        ("connections", 156_160),
        ("activations", 1_048_576),
        ("data", 512),
    ];
    Event::Finished(Finished {
        step: 900,
        epochs: 20,
        test_loss: 0.5,
        test_accuracy: 0.875,
        seconds: 75.2,
        peak: peak.map(|(class, bytes)| (class.to_owned(), bytes)).into(),
        peak_total: 1_205_248,
        bytes_per_connection: 37.2,
        interrupted,
        ..Finished::default()
    })
}

fn every_event(run: Option<PathBuf>) -> Vec<Event> {
    vec![
        started(run),
        Event::Note("layer linear1 is dense".to_owned()),
        Event::Progress(Progress {
            step: 10,
            steps_total: 900,
            epoch: 0.2,
            loss: f32::NAN,
            ..Progress::default()
        }),
        round(100),
        epoch(1, 45),
        Event::Saved(PathBuf::from("runs/x/checkpoints/45")),
        finished(true),
    ]
}

fn shown(style: Style, events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut console = Console::with_output(style, &mut out);
    for event in events {
        console.event(event).unwrap();
    }
    drop(console);
    String::from_utf8(out).unwrap()
}

fn new_run(folder: &Path) -> RunFolder {
    RunFolder::create(folder, "test").unwrap()
}

fn metrics(run: &RunFolder) -> String {
    fs::read_to_string(run.path().join("metrics.csv")).unwrap()
}

#[test]
fn plain_lines() {
    let text = shown(
        Style::Plain,
        &every_event(Some(PathBuf::from("runs/my run"))),
    );
    let expected = "\
adapter      cpu
images       1,437 to train, 360 to test
model        64-256-10, 4,464 parameters
connections  4,198 of 18,944 (77.84 % sparse)
  linear0    64 → 256: 1,638 (10.00 %)
  linear1    256 → 10: 2,560 (100.00 %, clipped to dense)
memory       152.50 KiB on the device: connections 152.50 KiB
work         900 steps: 20 epochs of 45
run folder   runs/my run
note: layer linear1 is dense
         train               test
epoch     loss  accuracy     loss  accuracy       lr  images/s         time
 1/20   0.2500   92.50 %   0.5000   87.50 %      0.1     1,235        1.5 s
device memory            peak
connections        152.50 KiB
activations          1.00 MiB
data                    512 B
most at once         1.15 MiB
per connection         37.2 B
interrupted: test accuracy 87.50 %, loss 0.5000 after 900 steps, 20 epochs, 1 min 15 s
to go on: rootlet train --resume 'runs/my run'
";
    assert_eq!(text, expected);
    // The bar itself goes to standard error.
    assert_eq!(
        shown(Style::Bar, &every_event(Some(PathBuf::from("runs/my run")))),
        expected
    );
}

#[test]
fn quiet_shows_the_result_only() {
    let text = shown(
        Style::Quiet,
        &[started(None), epoch(1, 45), finished(false)],
    );
    assert_eq!(
        text,
        "test accuracy 87.50 %, loss 0.5000 after 900 steps, 20 epochs, 1 min 15 s\n"
    );
}

#[test]
fn json_is_one_object_a_line_for_every_event() {
    let events = every_event(Some(PathBuf::from("runs/x")));
    let text = shown(Style::Json, &events);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "started", "note", "progress", "round", "epoch", "saved", "finished"
        ]
    );
    assert_eq!(lines[0]["model"][1]["n_out"], 10);
    assert_eq!(lines[0]["run"], "runs/x");
    assert_eq!(lines[1]["text"], "layer linear1 is dense");
    assert!(lines[2]["loss"].is_null(), "NaN is null");
    assert_eq!(lines[3]["layers"][1]["grown"], 20);
    assert_eq!(lines[4]["test_accuracy"], 0.875);
    assert_eq!(lines[5]["path"], "runs/x/checkpoints/45");
    assert_eq!(
        lines[6]["peak"][0],
        serde_json::json!(["connections", 156_160])
    );
}

proptest! {
    /// However a run was cut short, resuming gives the tables of the unbroken run.
    #[test]
    fn resumed_tables_equal_unbroken_ones(checkpoint in 0..6_u32, torn in 0..2000_usize) {
        let folder = tempfile::tempdir().unwrap();
        let run = new_run(folder.path());
        let path = run.path().join("metrics.csv");
        let write = |tables: &mut Tables, from: u32| {
            for number in from + 1..=8 {
                tables.event(&epoch(number, u64::from(number) * 45)).unwrap();
            }
        };
        write(&mut Tables::create(&run).unwrap(), 0);
        let whole = metrics(&run);
        // The file ends anywhere after the rows of the checkpoint, or was never begun.
        let rows: usize = whole.split_inclusive('\n').take(1 + checkpoint as usize).map(str::len).sum();
        let least = if checkpoint == 0 { 0 } else { rows };
        fs::write(&path, &whole.as_bytes()[..(least + torn).min(whole.len())]).unwrap();

        let mut tables = Tables::resume(&run, Saved::through(u64::from(checkpoint) * 45), &mut |_| {}).unwrap();
        let kept = metrics(&run);
        prop_assert!(kept.is_empty() || kept == whole[..rows], "kept {kept:?}");
        write(&mut tables, checkpoint);
        prop_assert_eq!(metrics(&run), whole);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    std::os::unix::fs::symlink("/dev/full", run.path().join("metrics.csv")).unwrap();
    let mut reports = Reports::new();
    reports.push(Tables::create(&run).unwrap());
    let error = reports.event(&epoch(1, 45)).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot write ") && error.contains("metrics.csv: No space left"),
        "{error}"
    );
}

#[test]
fn a_failing_report_does_not_hide_the_others() {
    let seen = std::rc::Rc::new(std::cell::Cell::new(0));
    let mut reports = Reports::new();
    reports.push(|_: &Event| Err(rootlet::Error::Shape(Misfit::Custom("first".to_owned()))));
    let count = seen.clone();
    reports.push(move |_: &Event| {
        count.set(count.get() + 1);
        Ok(())
    });
    assert_eq!(
        reports.event(&epoch(1, 45)).unwrap_err().to_string(),
        "first"
    );
    assert_eq!(seen.get(), 1);
}
