//! TensorBoard's event files, written without TensorFlow: `RUN/tensorboard/events.out.tfevents.…`.
//!
//! A file is a sequence of TFRecords, each the protocol buffer of one event. A resumed run begins a new file, whose
//! first events have the step that it continues from: TensorBoard then discards what an earlier file says about later
//! steps.

mod message;
mod tfrecord;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::RunFolder;
use crate::train::event::{Epoch, Event, Observer, Progress, Round, Score};
use crate::{Error, Result};
use message::{Message, What};

const FOLDER: &str = "tensorboard";

/// Writes scalars: loss, accuracy, learning rate and images per second for steps and epochs; for rounds, the seconds,
/// and the density, turnover and share of ever-active connections of each layer.
pub struct TensorBoard {
    path: PathBuf,
    file: File,
}

impl TensorBoard {
    /// Begins an event file in the run's folder `tensorboard`. `resumed_at` is the step that a resumed run continues
    /// from. For a new run, existing files are removed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(run: &RunFolder, resumed_at: Option<u64>) -> Result<Self> {
        let folder = run.path().join(FOLDER);
        fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
        let before = event_files(&folder).map_err(Error::io("read", &folder))?;
        if resumed_at.is_none() {
            for path in &before {
                fs::remove_file(path).map_err(Error::io("remove", path))?;
            }
        }
        // TensorBoard reads the files in the order of their names, so the second in this one's name must be the last.
        let last = before.iter().filter_map(|path| second_of(path)).max();
        let second = (now() as u64).max(last.map_or(0, |last| last + 1));
        let name = format!(
            "events.out.tfevents.{second:010}.rootlet.{}.0",
            std::process::id()
        );
        let path = folder.join(name);
        let file = File::create(&path).map_err(Error::io("write", &path))?;
        let mut board = Self { path, file };
        let step = resumed_at.unwrap_or(0);
        board.write(step, What::version())?;
        if resumed_at.is_some() {
            // Events of this step itself stay; whatever came after it is done again.
            board.write(step + 1, What::start())?;
        }
        Ok(board)
    }

    fn write(&mut self, step: u64, what: What) -> Result<()> {
        let message = Message::new(now(), step, what);
        self.file
            .write_all(&tfrecord::frame(&message.bytes()))
            .map_err(Error::io("write", &self.path))
    }

    fn scalars(&mut self, step: u64, scalars: Vec<(String, f32)>) -> Result<()> {
        self.write(step, What::scalars(scalars))
    }

    fn progress(&mut self, event: &Progress) -> Result<()> {
        let mut scalars = named([
            ("train/loss", event.loss),
            ("speed/images_per_second", event.images_per_second as f32),
        ]);
        scalars.extend(score("train/", event.accuracy, event.metric.as_ref()));
        self.scalars(event.step, scalars)
    }

    fn epoch(&mut self, event: &Epoch) -> Result<()> {
        let mut scalars = named([
            ("epoch/train_loss", event.train_loss),
            ("epoch/learning_rate", event.lr),
            ("epoch/images_per_second", event.images_per_second as f32),
        ]);
        let (part, judged) = event.monitored();
        let prefix = format!("epoch/{part}_");
        scalars.push((format!("{prefix}loss"), judged.loss));
        scalars.extend(score(
            "epoch/train_",
            event.train_accuracy,
            event.train_metric.as_ref(),
        ));
        scalars.extend(score(&prefix, judged.accuracy, judged.metric.as_ref()));
        let further = judged.scores.iter();
        scalars.extend(further.map(|s| (format!("{prefix}{}", s.name), s.value)));
        self.scalars(event.step, scalars)
    }

    fn round(&mut self, event: &Round) -> Result<()> {
        let mut scalars = vec![("round/seconds".to_owned(), event.seconds as f32)];
        for layer in &event.layers {
            let density = layer.active as f64 / layer.total.max(1) as f64;
            let mut add = |what: &str, value: f64| {
                scalars.push((format!("{what}/{}", layer.name), value as f32));
            };
            add("density", density);
            add("turnover", layer.turnover);
            if let Some(share) = layer.ever_active {
                add("ever_active", share);
            }
            if let Some(correlation) = layer.rank_correlation {
                add("rank_correlation", correlation);
            }
        }
        self.scalars(event.step, scalars)
    }
}

impl Observer for TensorBoard {
    fn event(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Progress(event) => self.progress(event),
            Event::Epoch(event) => self.epoch(event),
            Event::Round(event) => self.round(event),
            _ => Ok(()),
        }
    }
}

fn named<const N: usize>(scalars: [(&str, f32); N]) -> Vec<(String, f32)> {
    scalars.map(|(tag, value)| (tag.to_owned(), value)).to_vec()
}

/// The score: another metric under its name, otherwise the accuracy, if there is one.
fn score(before: &str, accuracy: f32, metric: Option<&Score>) -> Option<(String, f32)> {
    match metric {
        Some(metric) => Some((format!("{before}{}", metric.name), metric.value)),
        None => (!accuracy.is_nan()).then(|| (format!("{before}accuracy"), accuracy)),
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    // If the clock is set before 1970, one time is as good as another.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}

fn event_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if second_of(&path).is_some() {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether a path is that of an event file in a run's folder of them.
pub(in crate::report) fn is_event_file(path: &Path) -> bool {
    second_of(path).is_some() && path.parent().is_some_and(|folder| folder.ends_with(FOLDER))
}

/// The second in an event file's name.
fn second_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("events.out.tfevents.")?;
    rest.split('.').next()?.parse().ok()
}
