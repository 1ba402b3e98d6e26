//! The progress of a run in a few lines: the view of `rootlet watch`.

use std::path::Path;

use super::shell::quoted;
use super::text::{duration, grouped, percent, result, scored};
use super::{ProgressNote, RunFolder, RunRecord, epoch_table};
use crate::Result;
use crate::data::is_path;
use crate::topology::MethodName;
use crate::train::event::Judged;

/// After this many seconds without progress, a run is said to show no sign of life.
const SILENT: f64 = 120.0;

/// Characters of the sparkline.
const SPARKS: usize = 60;

/// A snapshot of a run.
#[derive(Clone, Debug)]
pub struct RunView {
    pub(super) record: RunRecord,
    progress: Option<ProgressNote>,
    /// Whether no process trains in the folder any more, though the run has not reported its end.
    is_dead: bool,
}

impl RunView {
    /// Reads the run's folder.
    ///
    /// # Errors
    /// No run folder, or one without a configuration.
    pub fn read(path: &Path) -> Result<Self> {
        let folder = RunFolder::open(path)?;
        // Checked first, because a run reports its end before it releases its folder.
        let is_free = folder.is_in_use() == Some(false);
        let mut record = RunRecord::read(path)?;
        let progress = folder.progress();
        let progress = progress.unwrap_or_else(|error| {
            record.damage.push(error.to_string());
            None
        });
        let is_dead = is_free && !has_told_its_end(&record);
        Ok(Self {
            record,
            progress,
            is_dead,
        })
    }

    /// Whether the run has ended, by itself, by an error, by an interruption, or by the death of its process.
    pub fn has_ended(&self) -> bool {
        self.is_dead || has_told_its_end(&self.record)
    }

    /// Whether its process died before it reported the run's end.
    pub fn is_dead(&self) -> bool {
        self.is_dead
    }
}

fn has_told_its_end(record: &RunRecord) -> bool {
    match &record.summary {
        Some(summary) => summary.finished.is_some() || summary.failed.is_some(),
        // For a run without a summary, only its tables are known.
        None => record.finished().is_some(),
    }
}

impl RunView {
    /// What became of the run, in a word.
    pub fn state(&self) -> &'static str {
        let summary = self.record.summary.as_ref();
        let end = summary.and_then(|summary| summary.finished.as_ref());
        match (summary.and_then(|summary| summary.failed.as_ref()), end) {
            (Some(failure), _) if failure.diverged => "diverged",
            (Some(_), _) => "failed",
            (None, Some(end)) if end.interrupted => "interrupted",
            _ if self.record.finished().is_some() => "finished",
            _ if self.is_dead => "stopped",
            _ => "in training",
        }
    }

    /// The name of its model.
    pub(super) fn model(&self) -> &str {
        self.record.config.model_name()
    }

    /// Whole epochs done, and those of the whole run: `12/40`.
    pub(super) fn epochs_done(&self) -> String {
        let done = self.record.epochs.last().map_or(0, |last| last.epoch);
        format!("{done}/{}", self.epochs())
    }

    /// Its result: that of its end, or else that of its last epoch.
    pub(super) fn last_result(&self) -> Option<Judged> {
        match self.record.finished() {
            Some(end) => Some(end.result().1),
            None => Some(self.record.epochs.last()?.judged().1),
        }
    }

    /// Why the run ended early, if it did.
    pub fn failure(&self) -> Option<&str> {
        self.record.failure()
    }

    /// The view as lines. `recent` are the losses seen while watching, oldest first.
    pub fn text(&self, recent: &[f32]) -> String {
        let record = &self.record;
        let mut lines = vec![self.heading()];
        match &self.progress {
            Some(note) => lines.extend(self.progress_lines(note)),
            None => lines.push("no step was reported yet".to_owned()),
        }
        let losses: Vec<f32> = match recent.len() > record.epochs.len() {
            true => recent.to_vec(),
            false => record.epochs.iter().map(|e| e.train_loss).collect(),
        };
        if losses.len() > 1 {
            // A loss falls by factors.
            let logs: Vec<f32> = losses.iter().map(|loss| loss.max(1e-9).ln()).collect();
            lines.push(format!("training loss  {}", sparkline(&logs, SPARKS)));
        }
        if let Some(last) = record.epochs.last() {
            let epochs = Some(record.config.run.epochs);
            let rows = is_path(&record.config.data.name);
            lines.push(epoch_table::head(last, epochs, rows));
            lines.push(epoch_table::row(last, epochs, rows));
        }
        if let Some(round) = record.rounds.last() {
            let sum = |of: fn(&crate::train::event::RoundLayer) -> u64| -> u64 {
                round.layers.iter().map(of).sum()
            };
            let (active, grown) = (sum(|l| l.active), sum(|l| l.grown));
            lines.push(format!(
                "last round at step {}: {} candidates, {} pruned, {} grown,\n  turnover {}, {}",
                grouped(round.step),
                grouped(sum(|l| l.candidates)),
                grouped(sum(|l| l.pruned)),
                grouped(grown),
                percent(grown as f64 / active.max(1) as f64),
                duration(round.seconds)
            ));
        }
        let summary = record.summary.as_ref();
        if let Some(finished) = summary.and_then(|s| s.finished.as_ref()) {
            lines.push(result(finished));
        }
        let end = summary.and_then(|s| s.finished.as_ref());
        let remarks = end.map(|end| end.remarks.clone());
        let changes = || record.changes.iter().map(|change| change.remark.clone());
        lines.extend(remarks.unwrap_or_else(|| changes().collect()));
        if let Some(reason) = record.failure() {
            lines.push(format!("failed: {reason}"));
        }
        if self.is_dead {
            lines.push(format!(
                "no process trains in it any more, and it tells no end: go on with rootlet train --resume {}",
                quoted(&record.path.to_string_lossy())
            ));
        }
        lines.extend(record.damage.iter().map(|text| format!("damaged: {text}")));
        lines.join("\n")
    }

    fn heading(&self) -> String {
        let record = &self.record;
        let adapter = record.adapter().map(|name| format!(" on {name}"));
        let sparsity = match (record.config.topology.method, record.sparsity()) {
            // This method ignores the sparsity, whatever was asked for.
            (MethodName::Dense, _) | (_, 0.0) => "all connections".to_owned(),
            (_, sparsity) => format!("{} sparse", percent(sparsity)),
        };
        format!(
            "{}: {}, {}, {sparsity}{}",
            record.name(),
            record.config.model_name(),
            record.method(),
            adapter.unwrap_or_default()
        )
    }

    /// Epochs of the whole run; for a method with several stages, those of all stages together.
    fn epochs(&self) -> u32 {
        let record = &self.record;
        let summary = record.summary.as_ref();
        summary.map_or(record.config.run.epochs, |s| s.started.epochs)
    }

    fn progress_lines(&self, note: &ProgressNote) -> Vec<String> {
        let progress = &note.progress;
        let share = progress.step as f64 / progress.steps_total.max(1) as f64;
        let mut lines = vec![format!(
            "epoch {:.1} of {}, step {} of {} ({})\nloss {:.4}{}  {} {}/s",
            progress.epoch,
            self.epochs(),
            grouped(progress.step),
            grouped(progress.steps_total),
            percent(share),
            progress.loss,
            scored("  ", progress.accuracy, progress.metric.as_ref()),
            grouped(progress.images_per_second.round() as u64),
            self.record.samples(),
        )];
        if !self.has_ended() {
            lines.push(match note.age() {
                Some(age) if age > SILENT => format!(
                    "no news for {}: it evaluates, saves, or is no longer running",
                    duration(age)
                ),
                _ => format!("{} left", duration(progress.seconds_left)),
            });
        }
        lines
    }
}

/// Values as a row of blocks, the smallest at the bottom; if there are more than `most`, neighbours are averaged.
pub fn sparkline(values: &[f32], most: usize) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let columns = values.len().min(most);
    let means: Vec<f32> = (0..columns)
        .map(|c| {
            let of = &values[c * values.len() / columns..(c + 1) * values.len() / columns];
            of.iter().sum::<f32>() / of.len() as f32
        })
        .collect();
    let low = means.iter().copied().fold(f32::INFINITY, f32::min);
    let high = means.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let span = if high > low { high - low } else { 1.0 };
    means
        .iter()
        .map(|v| BLOCKS[(((v - low) / span) * 7.0).round() as usize % BLOCKS.len()])
        .collect()
}
