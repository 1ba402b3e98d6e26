//! Tables: written row by row, read back, and repaired if they are damaged.

use std::fs;

use rootlet::data::DataPart;
use rootlet::report::{Saved, Tables};
use rootlet::train::event::{Epoch, Event, Observer, PartResults, Score};

use super::{epoch, metrics, new_run, round};

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

/// A run that is evaluated by a metric other than accuracy has separate columns for its name and its means, which are
/// read back and continued with the run.
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
    let row = "0.0,0.0,0.0,mean-absolute-error,false,0.5,0.25\n";
    assert!(!text.contains("accuracy"), "{text}");
    assert_eq!(text.matches(row).count(), 3, "{text}");
    let mut notes = Vec::new();
    let mut note = |note: &str| notes.push(note.to_owned());
    let mut tables = Tables::resume(&run, Saved::through(90), &mut note).unwrap();
    assert!(
        notes.len() == 1 && notes[0].contains("1 of metrics.csv"),
        "{notes:?}"
    );
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

/// The further scores of a test; if a later test has fewer, the columns stay.
#[test]
fn tables_have_the_columns_of_their_task() {
    let score = |name: &str, value: f32, higher_is_better: bool| Score {
        name: name.to_owned(),
        value,
        higher_is_better,
    };
    let regression = |number: u32, scores: Vec<Score>| Epoch {
        epoch: number,
        step: u64::from(number) * 45,
        train_accuracy: f32::NAN,
        test_accuracy: f32::NAN,
        train_metric: Some(score("MAE", 0.5, false)),
        test_metric: Some(score("MAE", 0.25, false)),
        test_scores: scores,
        ..Epoch::default()
    };
    let both = vec![score("RMSE", 0.375, false), score("R2", -0.5, true)];
    let several = Epoch {
        train_metric: Some(score("P@1", 0.5, true)),
        test_metric: Some(score("P@1", 0.75, true)),
        ..regression(1, vec![score("P@3", 0.5, true), score("AUC", 0.875, true)])
    };
    let cases = [
        (
            vec![
                regression(1, both.clone()),
                regression(2, vec![both[0].clone()]),
            ],
            "test_metric,test_rmse,test_r2\n",
            [
                "MAE,false,0.5,0.25,0.375,-0.5\n",
                "MAE,false,0.5,0.25,0.375,NaN\n",
            ],
        ),
        (
            vec![several],
            "test_metric,test_p3,test_p5,test_exact_match,test_macro_f1,test_auc\n",
            ["P@1,true,0.5,0.75,0.5,NaN,NaN,NaN,0.875\n", ""],
        ),
    ];
    for (rows, header, texts) in cases {
        let folder = tempfile::tempdir().unwrap();
        let run = new_run(folder.path());
        let mut tables = Tables::create(&run).unwrap();
        for row in &rows {
            tables.event(&Event::Epoch(row.clone())).unwrap();
        }
        drop(tables);
        let text = metrics(&run);
        assert!(text.contains(header), "{text}");
        assert!(texts.iter().all(|row| text.contains(row)), "{text}");
        let read = run.epochs().unwrap();
        for (read, own) in read.iter().zip(&rows) {
            assert_eq!(read.test_scores, own.test_scores);
            assert_eq!(read.test_metric, own.test_metric);
        }
    }
}

/// A run that continues with a validation part that it did not have, or without the one that it had, keeps one table.
#[test]
fn tables_go_on_with_a_validation_part_and_without_one() {
    let validated = |number: u32| {
        let validation = PartResults {
            loss: 0.5,
            accuracy: 0.75,
            ..PartResults::default()
        };
        Event::Epoch(Epoch {
            epoch: number,
            step: u64::from(number) * 45,
            test_loss: f32::NAN,
            test_accuracy: f32::NAN,
            validation: Some(validation),
            ..Epoch::default()
        })
    };
    for first in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let run = new_run(folder.path());
        let event = |number, validates| match validates {
            true => validated(number),
            false => epoch(number, u64::from(number) * 45),
        };
        let mut tables = Tables::create(&run).unwrap();
        tables.event(&event(1, first)).unwrap();
        drop(tables);
        let saved = Saved {
            validates: !first,
            ..Saved::through(45)
        };
        let mut tables = Tables::resume(&run, saved, &mut |note| panic!("{note}")).unwrap();
        tables.event(&event(2, !first)).unwrap();
        let text = metrics(&run);
        let columns = |line: &str| line.matches(',').count();
        let expected = columns(text.lines().next().unwrap());
        assert!(text.lines().all(|line| columns(line) == expected), "{text}");
        let epochs = run.epochs().unwrap();
        let parts: Vec<DataPart> = epochs.iter().map(|epoch| epoch.monitored().0).collect();
        let [own, other] = match first {
            true => [DataPart::Validation, DataPart::Test],
            false => [DataPart::Test, DataPart::Validation],
        };
        assert_eq!(parts, [own, other]);
        assert!(epochs.iter().all(|epoch| epoch.monitored().1.loss == 0.5));
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
