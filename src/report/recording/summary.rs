//! `summary.json`, a whole run in one file, and `progress.json`, its current progress.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::RunFolder;
use super::names::{PROGRESS, SUMMARY};
use super::run_folder::write_atomically;
use crate::clock::Instant;
use crate::disk;
use crate::files;
use crate::train::TrainConfig;
use crate::train::event::{Event, Finished, Observer, Progress, Started};
use crate::{Error, Result};

/// Version of `summary.json`, raised when a reader of the old one would misread the new one.
pub const SUMMARY_SCHEMA: u32 = 1;

/// Time between two updates of `progress.json`.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// A run in one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SUMMARY_SCHEMA`].
    pub schema: u32,
    /// Version of rootlet.
    pub rootlet: String,
    /// The command lines that started and resumed it, as a shell takes them: the one that started it, and those of
    /// which a step was saved.
    pub commands: Vec<String>,
    /// When it was first started, in RFC 3339 form.
    pub began: String,
    /// Its whole configuration, with what follows from other values written out.
    pub config: TrainConfig,
    /// What it reported when it was started or last resumed.
    pub started: Started,
    /// What it reported at its end; none before that.
    pub finished: Option<Finished>,
    /// Why it ended early, if it did.
    pub failed: Option<Failure>,
}

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whether its loss stopped being a number: the same configuration will end like that again.
    pub diverged: bool,
    /// The error's text.
    pub message: String,
}

impl Summary {
    /// Whether it reached its end.
    pub fn is_complete(&self) -> bool {
        self.finished.as_ref().is_some_and(|f| !f.interrupted)
    }
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgressNote {
    /// When this was written, in RFC 3339 form.
    pub time: String,
    /// Its progress at that time.
    pub progress: Progress,
}

impl ProgressNote {
    /// Seconds since it was written; none if the time cannot be parsed.
    pub fn age(&self) -> Option<f64> {
        let time = OffsetDateTime::parse(&self.time, &Rfc3339).ok()?;
        Some((OffsetDateTime::now_utc() - time).as_seconds_f64())
    }
}

impl RunFolder {
    /// Its `summary.json`; none in the folders of older versions.
    ///
    /// # Errors
    /// The file is not a summary, or has another schema.
    pub fn summary(&self) -> Result<Option<Summary>> {
        let path = self.path().join(SUMMARY);
        let Some(value) = read::<serde_json::Value>(&path)? else {
            return Ok(None);
        };
        let wrong = |reason: String| Error::Data {
            path: path.clone(),
            reason,
        };
        let schema = value.get("schema").and_then(serde_json::Value::as_u64);
        if schema != Some(u64::from(SUMMARY_SCHEMA)) {
            return Err(wrong(format!(
                "has schema {}, and this rootlet {} reads {SUMMARY_SCHEMA} only; use the rootlet that wrote it",
                schema.map_or("unknown".to_owned(), |s| s.to_string()),
                env!("CARGO_PKG_VERSION"),
            )));
        }
        serde_json::from_value(value)
            .map(Some)
            .map_err(|error| wrong(format!("not the summary of a run: {error}")))
    }

    /// Its `progress.json`; none if it does not exist.
    ///
    /// # Errors
    /// The file is something else.
    pub fn progress(&self) -> Result<Option<ProgressNote>> {
        read(&self.path().join(PROGRESS))
    }

    /// Writes its `summary.json`, completely or not at all.
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        let path = self.path().join(SUMMARY);
        write_atomically(&path, &json(summary, &path)?)
    }

    /// Notes in its summary, if there is one, that the run ended early.
    pub fn note_failure(&self, error: &Error) -> Result<()> {
        let Some(mut summary) = self.summary()? else {
            return Ok(());
        };
        summary.failed = Some(Failure {
            diverged: matches!(error, Error::Diverged { .. }),
            message: error.to_string(),
        });
        self.write_summary(&summary)
    }
}

/// The JSON in a file; none if the file does not exist.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(bytes) = files::read_if_there(path, files::Most::RECORD)? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::Data {
            path: path.to_owned(),
            reason: format!("not JSON of a run: {error}"),
        })
}

fn json<T: Serialize>(value: &T, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(std::io::Error::from)
        .map_err(Error::io("write", path))?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(in crate::report) fn now() -> String {
    // Formatting fails only for years past 9999.
    OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// Writes both files as the events come.
pub struct Summaries {
    folder: RunFolder,
    config: TrainConfig,
    /// What the run was trained with before this process saved a checkpoint.
    trained: TrainConfig,
    /// The command line to add to its list.
    command: Option<String>,
    /// When the run was first started, if something other than its summary tells.
    began: Option<String>,
    summary: Option<Summary>,
    /// The step that a resumed run continues from.
    resumed_at: Option<u64>,
    /// The last progress, and when one was last noted.
    last: Option<Progress>,
    noted: Option<Instant>,
}

impl Summaries {
    /// For a run in `folder` that `command` started or resumed; `command` is none if the process continues that its
    /// last command started.
    pub fn new(folder: &RunFolder, config: &TrainConfig, command: Option<&str>) -> Self {
        Self {
            folder: folder.clone(),
            config: config.clone(),
            trained: config.clone(),
            command: command.map(str::to_owned),
            began: None,
            summary: None,
            resumed_at: None,
            last: None,
            noted: None,
        }
    }

    /// The same for a run that was trained with another configuration until now. The summary keeps that one until a
    /// step trained with the new one is saved.
    pub fn after(self, trained: &TrainConfig) -> Self {
        let trained = trained.clone();
        Self { trained, ..self }
    }

    /// The same for a run that was first started at that moment.
    pub(in crate::report) fn since(self, began: &str) -> Self {
        let began = Some(began.to_owned());
        Self { began, ..self }
    }

    fn started(&mut self, started: &Started) -> Result<()> {
        // A summary that could not be read was set aside.
        let before = self.folder.summary().ok().flatten();
        let (mut commands, told) = match before {
            Some(before) => (before.commands, Some(before.began)),
            None => (Vec::new(), None),
        };
        let began = self.began.take().or(told).unwrap_or_else(now);
        if started.resumed_at.is_none()
            && let Some(command) = self.command.take()
        {
            // The run starts from the beginning, and nothing is left of earlier commands.
            commands = vec![command];
        }
        self.resumed_at = started.resumed_at;
        let summary = Summary {
            schema: SUMMARY_SCHEMA,
            rootlet: env!("CARGO_PKG_VERSION").to_owned(),
            commands,
            began,
            config: self.trained.with_derived(),
            started: started.clone(),
            finished: None,
            failed: None,
        };
        self.folder.write_summary(&summary)?;
        self.summary = Some(summary);
        Ok(())
    }

    /// A checkpoint was saved. If it has a step of this process, the run counts as trained with its configuration and
    /// command.
    fn saved(&mut self) -> Result<()> {
        let step = self.last.as_ref().map(|progress| progress.step);
        let Some(summary) = self.summary.as_mut().filter(|_| step > self.resumed_at) else {
            return Ok(());
        };
        let (config, command) = (self.config.with_derived(), self.command.take());
        if command.is_none() && summary.config == config {
            return Ok(());
        }
        summary.config = config;
        summary.commands.extend(command);
        self.folder.write_summary(summary)
    }

    fn progress(&mut self, progress: &Progress) {
        self.last = Some(progress.clone());
        let recent = |noted: Instant| noted.elapsed() < PROGRESS_EVERY;
        if !self.noted.is_some_and(recent) {
            self.note(progress);
        }
    }

    fn note(&mut self, progress: &Progress) {
        self.noted = Some(Instant::now());
        let path = self.folder.path().join(PROGRESS);
        let note = ProgressNote {
            time: now(),
            progress: progress.clone(),
        };
        // This is for `rootlet watch`: a training does not end because it cannot be watched, for example when a reader
        // holds the file open on Windows. A full disk ends it at the next table or checkpoint.
        if let Ok(bytes) = json(&note, &path) {
            let _ = disk::replace(&path, &bytes, false);
        }
    }
}

impl Observer for Summaries {
    fn event(&mut self, event: &Event) -> Result<()> {
        match (event, &mut self.summary) {
            (Event::Started(started), _) => self.started(started),
            (Event::Progress(progress), _) => {
                self.progress(progress);
                Ok(())
            }
            (Event::Saved(_), _) => self.saved(),
            (Event::Finished(finished), Some(summary)) => {
                summary.finished = Some(finished.clone());
                self.folder.write_summary(summary)?;
                if let Some(last) = self.last.take() {
                    self.note(&last);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
