//! TensorBoard's event files: framing and checksums with a small independent reader, and what TensorBoard's own reader
//! finds.
//!
//! The second needs a Python that has TensorBoard:
//!
//! ```sh
//! python3 -m venv board && board/bin/pip install tensorboard
//! ROOTLET_TENSORBOARD_PYTHON=board/bin/python cargo nextest run --test tensorboard --run-ignored all
//! ```
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rootlet::report::{RunFolder, TensorBoard};
use rootlet::train::event::{Epoch, Event, Observer, Progress, Round, RoundLayer};

fn progress(step: u64, loss: f32) -> Event {
    Event::Progress(Progress {
        step,
        loss,
        accuracy: 0.0,
        images_per_second: 1000.0,
        ..Progress::default()
    })
}

fn epoch(number: u32, step: u64) -> Event {
    Event::Epoch(Epoch {
        epoch: number,
        step,
        lr: 0.1,
        test_accuracy: 0.875,
        ..Epoch::default()
    })
}

fn round(step: u64) -> Event {
    Event::Round(Round {
        step,
        seconds: 0.25,
        layers: vec![RoundLayer {
            name: "linear0".to_owned(),
            active: 100,
            total: 1000,
            turnover: 0.2,
            ever_active: Some(0.15),
            ..RoundLayer::default()
        }],
    })
}

/// A run that was interrupted after step 20 and resumed from a checkpoint at step 10.
fn resumed_run(folder: &Path) -> PathBuf {
    let run = RunFolder::create(folder, "test").unwrap();
    let mut board = TensorBoard::create(&run, None).unwrap();
    for event in [
        progress(5, 2.0),
        progress(10, 1.5),
        epoch(1, 10),
        round(10),
        progress(15, 9.0),
        progress(20, 9.0),
    ] {
        board.event(&event).unwrap();
    }
    let mut board = TensorBoard::create(&run, Some(10)).unwrap();
    for event in [progress(16, 1.25), epoch(2, 20), round(20)] {
        board.event(&event).unwrap();
    }
    run.path().join("tensorboard")
}

/// CRC-32C bit by bit, from the definition, without any code of the crate.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().unwrap())
}

/// The records of a file, whose checksums must be right.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let mut rest = &bytes[..];
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        assert_eq!(word(&rest[8..12]), masked(&rest[..8]), "length's checksum");
        let data = &rest[12..12 + length];
        assert_eq!(
            word(&rest[12 + length..16 + length]),
            masked(data),
            "data's checksum"
        );
        records.push(data.to_vec());
        rest = &rest[16 + length..];
    }
    records
}

/// A field of a protocol buffer: its number, and its number or bytes.
#[derive(Debug)]
enum Field {
    Number(u64, u64),
    Bytes(u64, Vec<u8>),
}

fn fields(mut bytes: &[u8]) -> Vec<Field> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(byte & 127) << shift;
            if byte & 128 == 0 {
                break;
            }
        }
        value
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                fields.push(Field::Number(key >> 3, varint(&mut bytes)));
                continue;
            }
            1 => 8,
            5 => 4,
            2 => varint(&mut bytes) as usize,
            other => panic!("wire type {other}"),
        };
        fields.push(Field::Bytes(key >> 3, bytes[..length].to_vec()));
        bytes = &bytes[length..];
    }
    fields
}

fn bytes_of(fields: &[Field], number: u64) -> Vec<Vec<u8>> {
    let requested = fields.iter().filter_map(|field| match field {
        Field::Bytes(n, bytes) if *n == number => Some(bytes.clone()),
        _ => None,
    });
    requested.collect()
}

fn step_of(fields: &[Field]) -> u64 {
    let step = fields.iter().find_map(|field| match field {
        Field::Number(2, step) => Some(*step),
        _ => None,
    });
    step.unwrap_or(0)
}

/// Tag, step and value of every scalar of a file.
fn scalars(path: &Path) -> Vec<(String, u64, f32)> {
    let mut scalars = Vec::new();
    for record in records(path) {
        let event = fields(&record);
        for summary in bytes_of(&event, 5) {
            for value in bytes_of(&fields(&summary), 1) {
                let value = fields(&value);
                let tag = String::from_utf8(bytes_of(&value, 1).remove(0)).unwrap();
                let number = f32::from_le_bytes(bytes_of(&value, 2)[0][..].try_into().unwrap());
                scalars.push((tag, step_of(&event), number));
            }
        }
    }
    scalars
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn records_hold_the_scalars_under_right_checksums() {
    assert_eq!(
        crc32c(b"123456789"),
        0xe306_9283,
        "the check value of CRC-32C"
    );
    let folder = tempfile::tempdir().unwrap();
    let board = resumed_run(folder.path());
    let [first, second] = &files(&board)[..] else {
        panic!("two files: {:?}", files(&board));
    };
    for file in [first, second] {
        let version = bytes_of(&fields(&records(file)[0]), 3);
        assert_eq!(version, [b"brain.Event:2"]);
    }
    let found = scalars(first);
    let has = |tag: &str, step: u64, value: f32| found.contains(&(tag.to_owned(), step, value));
    assert!(has("train/loss", 5, 2.0), "{found:?}");
    assert!(has("train/accuracy", 5, 0.0), "zero is a value: {found:?}");
    assert!(has("epoch/learning_rate", 10, 0.1), "{found:?}");
    assert!(has("density/linear0", 10, 0.1), "{found:?}");
    assert!(has("ever_active/linear0", 10, 0.15), "{found:?}");
    assert!(has("round/seconds", 10, 0.25), "{found:?}");
    assert!(
        !found
            .iter()
            .any(|(tag, ..)| tag.starts_with("rank_correlation"))
    );
    // The second file begins with START at the first repeated step.
    let start = fields(&records(second)[1]);
    assert_eq!(bytes_of(&start, 7), [[8, 1]]);
    assert_eq!(step_of(&start), 11);
}

#[test]
fn a_run_begun_anew_leaves_no_old_events() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "test").unwrap();
    for loss in [1.0, 2.0] {
        let mut board = TensorBoard::create(&run, None).unwrap();
        board.event(&progress(1, loss)).unwrap();
    }
    let [file] = &files(&run.path().join("tensorboard"))[..] else {
        panic!("one file");
    };
    assert_eq!(scalars(file)[0].2, 2.0);
}

/// See the head of this file for the command.
#[test]
#[ignore = "needs a Python with TensorBoard in ROOTLET_TENSORBOARD_PYTHON"]
fn tensorboard_reads_what_is_written() {
    let Some(python) = std::env::var_os("ROOTLET_TENSORBOARD_PYTHON") else {
        println!("skipped: ROOTLET_TENSORBOARD_PYTHON is not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let board = resumed_run(folder.path());
    let script = "
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
for tag in sorted(events.Tags()['scalars']):
    print(tag, *(f'{e.step}:{e.value:.4f}' for e in events.Scalars(tag)))
";
    let output = Command::new(python)
        .args(["-c", script])
        .arg(&board)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Steps 15 and 20 of the first part were repeated, and are gone.
    for line in [
        "train/loss 5:2.0000 10:1.5000 16:1.2500",
        "epoch/test_accuracy 10:0.8750 20:0.8750",
        "density/linear0 10:0.1000 20:0.1000",
        "turnover/linear0 10:0.2000 20:0.2000",
        "round/seconds 10:0.2500 20:0.2500",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no `{line}` in\n{text}"
        );
    }
}
