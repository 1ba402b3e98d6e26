//! Summaries.

use std::fs;

use rootlet::report::{RunRecord, Summaries};
use rootlet::train::TrainConfig;
use rootlet::train::event::{Event, Observer, Progress};

use super::{finished, new_run, started};

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
    // Started again in the same folder: nothing is left of the earlier command.
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
    // A resumed run gets its command once it has saved a step: `tests/cli/believed`.
    assert_eq!(open.commands, ["rootlet sweep x"]);
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
