//! What a run leaves behind and shows: the run folder, its tables, and the console.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rootlet::report::{Console, Reports, RunFolder, RunRecord, Saved, Style, Summaries, Tables};
use rootlet::train::TrainConfig;
use rootlet::train::event::{
    Epoch, Event, Finished, LayerSummary, Observer, Progress, Round, RoundLayer, Score, Started,
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
        train_images: 1437,
        test_images: 360,
        test_part: None,
        run,
        resumed_at: None,
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
work         900 steps: 20 epochs of 45
run folder   runs/my run
note: layer linear1 is dense
epoch 1/20  train loss 0.2500, accuracy 92.50 %  test loss 0.5000, accuracy 87.50 %  lr 0.1  1,235 images/s  1.5 s
device memory         peak bytes
connections              156,160
activations            1,048,576
data                         512
most at once           1,205,248
per connection              37.2
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

#[test]
fn runs_of_the_same_second_get_folders_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("deep/runs");
    let mut made: Vec<RunFolder> = std::thread::scope(|scope| {
        let make = || (0..8).map(|_| new_run(&runs)).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    made.sort_by(|a, b| a.path().cmp(b.path()));
    made.dedup();
    assert_eq!(made.len(), 32);
    assert_eq!(runs.read_dir().unwrap().count(), 32);
}

#[test]
fn a_run_folder_keeps_its_configuration_and_is_found_from_its_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    let mut config = TrainConfig::default().resolve().unwrap();
    run.write_config(&config).unwrap();
    config.run.seed = 9;
    run.write_config(&config).unwrap();
    assert_eq!(run.config().unwrap(), config);
    assert_eq!(
        run.path().read_dir().unwrap().count(),
        1,
        "a temporary file is left"
    );

    let checkpoint = run.checkpoints().join("step-10");
    fs::create_dir_all(&checkpoint).unwrap();
    for path in [run.path(), &run.checkpoints(), &checkpoint] {
        assert_eq!(RunFolder::open(path).unwrap(), run);
    }
}

#[test]
fn a_run_folder_that_cannot_be_made_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = RunFolder::create(&file.join("runs"), "test")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot create the folder ") && error.contains("file"),
        "{error}"
    );

    for name in ["", "a/b", "../x", "a b"] {
        let error = RunFolder::create(folder.path(), name)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("`name` must consist of"), "{error}");
    }
}

#[test]
fn tables_have_a_row_an_epoch_and_a_row_a_round_and_layer_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    let mut tables = Tables::create(&run).unwrap();
    for event in [round(100), epoch(1, 100)] {
        tables.event(&event).unwrap();
    }
    // Still open: a killed run has its rows.
    assert_eq!(
        metrics(&run),
        "epoch,step,lr,train_loss,train_accuracy,test_loss,test_accuracy,seconds,images_per_second\n\
         1,100,0.1,0.25,0.925,0.5,0.875,1.5,1234.5\n"
    );
    assert_eq!(
        fs::read_to_string(run.path().join("topology.csv")).unwrap(),
        "step,layer,name,active,total,candidates,pruned,grown,turnover,grown_gradient,pruned_magnitude,seconds,\
         rank_correlation,ever_active,dead_inputs,dead_outputs\n\
         100,0,linear0,100,1000,90,20,20,0.2,0.5,0.125,0.25,,0.2,3,\n\
         100,1,linear1,100,1000,90,20,20,0.2,0.5,0.125,0.25,,0.2,3,\n"
    );
}

/// A run that is evaluated by another metric than accuracy has its name and its means in columns of their own, which
/// are read back and go on where the run does.
#[test]
fn tables_have_columns_of_another_metric() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    let score = |value: f32| {
        Some(Score {
            name: "mean-absolute-error".to_owned(),
            value,
            higher_is_better: false,
        })
    };
    let judged = |number: u32| Epoch {
        epoch: number,
        step: u64::from(number) * 45,
        train_accuracy: f32::NAN,
        test_accuracy: f32::NAN,
        train_metric: score(0.5),
        test_metric: score(0.25),
        ..Epoch::default()
    };
    let mut tables = Tables::create(&run).unwrap();
    for number in 1..=3 {
        tables.event(&Event::Epoch(judged(number))).unwrap();
    }
    drop(tables);
    let text = metrics(&run);
    let header = "images_per_second,metric,higher_is_better,train_metric,test_metric\n";
    assert!(text.contains(header), "{text}");
    let row = "NaN,0.0,0.0,mean-absolute-error,false,0.5,0.25\n";
    assert_eq!(text.matches(row).count(), 3, "{text}");
    let mut tables =
        Tables::resume(&run, Saved::through(90), &mut |note| panic!("{note}")).unwrap();
    tables.event(&Event::Epoch(judged(3))).unwrap();
    assert_eq!(metrics(&run), text);
    let epochs = run.epochs().unwrap();
    assert_eq!(epochs.len(), 3);
    assert_eq!(
        (&epochs[2].train_metric, &epochs[2].test_metric),
        (&score(0.5), &score(0.25))
    );
    // In a line of --json, too.
    let line = serde_json::to_string(&Event::Epoch(judged(1))).unwrap();
    assert!(
        line.contains(r#""test_metric":{"name":"mean-absolute-error","value":0.25"#),
        "{line}"
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

#[test]
fn a_row_without_its_line_end_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    let mut tables = Tables::create(&run).unwrap();
    tables.event(&epoch(1, 45)).unwrap();
    tables.event(&epoch(2, 90)).unwrap();
    let whole = metrics(&run);
    // 1234.5 may have been cut to 1234: the row is complete for all that can be seen.
    let torn = whole.trim_end().strip_suffix(".5").unwrap();
    fs::write(run.path().join("metrics.csv"), torn).unwrap();
    let mut tables = Tables::resume(&run, Saved::through(90), &mut |_| {}).unwrap();
    tables.event(&epoch(2, 90)).unwrap();
    assert_eq!(metrics(&run), whole);
}

#[test]
fn tables_that_are_missing_or_foreign_are_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    fs::write(run.path().join("metrics.csv"), b"\xff\xfe,\0\n1,2\n").unwrap();
    let mut tables = Tables::resume(&run, Saved::through(1000), &mut |_| {}).unwrap();
    tables.event(&epoch(1, 45)).unwrap();
    tables.event(&round(50)).unwrap();
    assert!(metrics(&run).starts_with("epoch,step,"));
    assert!(run.path().join("topology.csv").exists());
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
    reports.push(|_: &Event| Err(rootlet::Error::Shape("first".to_owned())));
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

#[test]
fn tables_are_read_back_as_they_were_told() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    assert_eq!(
        (run.epochs().unwrap(), run.rounds().unwrap()),
        (vec![], vec![])
    );
    let mut tables = Tables::create(&run).unwrap();
    for event in [round(100), epoch(1, 100), round(200), epoch(2, 200)] {
        tables.event(&event).unwrap();
    }
    let events: Vec<Event> = run
        .epochs()
        .unwrap()
        .into_iter()
        .map(Event::Epoch)
        .collect();
    assert_eq!(events, [epoch(1, 100), epoch(2, 200)]);
    let events: Vec<Event> = run
        .rounds()
        .unwrap()
        .into_iter()
        .map(Event::Round)
        .collect();
    assert_eq!(events, [round(100), round(200)]);
    // A row that is being written at this moment is not there yet.
    let path = run.path().join("metrics.csv");
    fs::write(&path, metrics(&run) + "3,300,0.1,0.2").unwrap();
    assert_eq!(run.epochs().unwrap().len(), 2);
    fs::write(&path, "epoch,step\nx,1\n").unwrap();
    let error = run.epochs().unwrap_err().to_string();
    assert!(
        error.contains("metrics.csv") && error.contains("not a table"),
        "{error}"
    );
}

#[test]
fn an_older_table_of_rounds_gets_the_columns_of_today_when_its_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    let path = run.path().join("topology.csv");
    let old = "step,layer,name,active,total,candidates,pruned,grown,turnover,grown_gradient,pruned_magnitude,seconds\n\
               100,0,linear0,100,1000,90,20,20,0.2,0.5,0.125,0.25\n\
               100,1,linear1,100,1000,90,20,20,0.2,0.5,0.125,0.25\n\
               200,0,linear0,100,1000,90,20,20,0.2,0.5,0.125,0.25\n";
    fs::write(&path, old).unwrap();
    assert_eq!(run.rounds().unwrap()[0].layers[1].ever_active, None);
    let mut tables = Tables::resume(&run, Saved::through(100), &mut |_| {}).unwrap();
    tables.event(&round(200)).unwrap();
    let rounds = run.rounds().unwrap();
    assert_eq!(rounds.len(), 2);
    assert_eq!(rounds[0].layers[1].ever_active, None);
    assert_eq!(Event::Round(rounds[1].clone()), round(200));
}

#[test]
fn a_summary_is_there_from_the_start_and_complete_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    let config = TrainConfig::default().resolve().unwrap();
    run.write_config(&config).unwrap();
    assert_eq!(run.summary().unwrap(), None);
    let tell = |command: &str, events: &[Event]| {
        let mut summaries = Summaries::new(&run, &config, Some(command));
        for event in events {
            summaries.event(event).unwrap();
        }
        run.summary().unwrap().unwrap()
    };
    let first = tell("rootlet train", &[started(None)]);
    assert!(!first.is_complete() && first.finished.is_none());
    assert_eq!(Event::Started(first.started.clone()), started(None));
    assert_eq!(first.config, config.with_derived());
    assert!(
        fs::read_to_string(run.path().join("summary.json"))
            .unwrap()
            .contains("\"finished\": null")
    );
    // Begun anew in the same folder: both command lines are kept.
    let stopped = tell("rootlet sweep x", &[started(None), finished(true)]);
    assert!(stopped.finished.is_some() && !stopped.is_complete());
    // Resumed: it is open again.
    let Event::Started(mut resumed) = started(None) else {
        panic!()
    };
    resumed.resumed_at = Some(450);
    let resumed = Event::Started(resumed);
    let open = tell("rootlet train --resume x", std::slice::from_ref(&resumed));
    assert!(open.finished.is_none() && open.began == stopped.began);
    let commands = [
        "rootlet train",
        "rootlet sweep x",
        "rootlet train --resume x",
    ];
    assert_eq!(open.commands, commands);
    let whole = tell("again", &[resumed, finished(false)]);
    assert!(whole.is_complete());
    assert_eq!(whole.finished.map(Event::Finished), Some(finished(false)));
    let record = RunRecord::read(run.path()).unwrap();
    assert_eq!(
        (record.method(), record.always_sparse()),
        ("gse-uniform".to_owned(), Some(true))
    );
}

#[test]
fn a_summary_of_another_schema_or_of_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    for (text, part) in [
        ("{\"schema\": 2}", "has schema 2, and this rootlet"),
        ("{}", "has schema unknown"),
        ("{\"schema\": 1}", "not the summary of a run"),
        ("{", "not JSON of a run"),
    ] {
        fs::write(run.path().join("summary.json"), text).unwrap();
        let error = run.summary().unwrap_err().to_string();
        assert!(
            error.contains("summary.json") && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn progress_is_noted_at_once_and_not_more_than_once_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    assert_eq!(run.progress().unwrap(), None);
    let config = TrainConfig::default();
    let mut summaries = Summaries::new(&run, &config, Some("rootlet train"));
    for step in 1..=5 {
        summaries
            .event(&Event::Progress(Progress {
                step,
                seconds_left: f64::INFINITY,
                ..Progress::default()
            }))
            .unwrap();
    }
    let note = run.progress().unwrap().unwrap();
    assert_eq!(note.progress.step, 1);
    assert!(note.progress.seconds_left.is_nan(), "JSON has no infinity");
    assert!((0.0..60.0).contains(&note.age().unwrap()));
}
