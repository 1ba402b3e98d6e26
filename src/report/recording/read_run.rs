//! A run read back from its folder.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::missing::{Known, missing};
use super::names::SUMMARY;
use super::proof::{correct, leave_out_beyond, tables_against};
use super::{RunFolder, Summary};
use crate::checkpoint::{self, Change};
use crate::data::{DataRecord, TestPart, is_path};
use crate::topology::MethodName;
use crate::train::TrainConfig;
use crate::train::event::{Epoch, Finished, LayerSummary, Round};
use crate::{Error, Result};

/// Everything that a run folder tells about its run, finished or not.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The folder.
    pub path: PathBuf,
    /// What it was trained with: from the newest checkpoint, the summary or `config.toml`, whichever can be read first.
    pub config: TrainConfig,
    /// What its data were, according to its newest checkpoint.
    pub data: Option<DataRecord>,
    /// What changed when it was resumed, according to its newest checkpoint or its summary.
    pub changes: Vec<Change>,
    /// Its `summary.json`, which older versions did not write. Its end is corrected by the newest checkpoint.
    pub summary: Option<Summary>,
    /// The rows of its `metrics.csv`.
    pub epochs: Vec<Epoch>,
    /// The rounds of its `topology.csv`.
    pub rounds: Vec<Round>,
    /// What is damaged and left out, or missing, one sentence each.
    pub damage: Vec<String>,
}

impl RunRecord {
    /// Reads the run in this folder.
    ///
    /// # Errors
    /// The folder is not a run folder, or has no configuration; other damage is in [`RunRecord::damage`].
    pub fn read(path: &Path) -> Result<Self> {
        let folder = RunFolder::open(path)?;
        let mut damage = Vec::new();
        let mut summary = folder.summary().unwrap_or_else(|error| {
            damage.push(format!("{error}; it is left out"));
            None
        });
        let looked = checkpoint::newest_manifest(folder.path());
        let newest = looked.found;
        let trained = folder.trained_with(newest.as_ref(), summary.as_ref())?;
        damage.extend(folder.config_damage(&trained));
        if let Some(other) = &summary
            && let Some(what) =
                trained.differs_from(other, newest.as_ref().and_then(|m| m.run.as_ref()))?
        {
            let file = folder.path().join(SUMMARY);
            damage.push(format!("{} {what}; it is left out", file.display()));
            summary = None;
        }
        let ended = summary.as_ref().is_some_and(|s| s.finished.is_some());
        let unproved = newest.is_none() && ended && !looked.damage.is_empty();
        damage.extend(looked.damage);
        damage.extend(unproved.then(|| {
            format!(
                "{}: none of its checkpoints can be used, and only they could prove what its other files say about \
                 its end",
                folder.path().display()
            )
        }));
        let config = trained.config;
        let end = summary.as_mut().and_then(|s| s.finished.as_mut());
        if let (Some(end), Some(saved)) = (end, &newest) {
            damage.extend(correct(&folder, end, saved));
        }
        let saved = newest.as_ref().map(|manifest| &manifest.progress);
        let known = Known::of(saved, summary.as_ref());
        let (mut epochs, mut rounds, tables) = folder.readable_tables();
        damage.extend(tables);
        damage.extend(leave_out_beyond(
            &folder,
            summary.as_ref(),
            saved,
            &mut epochs,
            &mut rounds,
        ));
        damage.extend(missing(&folder, &config, &known, &epochs, &rounds));
        if let Some(saved) = &newest {
            let tested = saved.progress.tested.as_ref();
            damage.extend(tables_against(
                &folder,
                tested,
                &saved.layers,
                &epochs,
                &rounds,
            ));
        }
        let end = summary.as_ref().and_then(|s| s.finished.as_ref());
        let at_end = end.map(|end| end.changes.clone()).unwrap_or_default();
        let (data, saved) = match newest {
            Some(manifest) => (manifest.data, manifest.changes),
            None => (None, Vec::new()),
        };
        Ok(Self {
            path: folder.path().to_owned(),
            config,
            data,
            // A change of the images is recorded only in the end if no step was trained with them.
            changes: match at_end.len() > saved.len() {
                true => at_end,
                false => saved,
            },
            summary,
            epochs,
            rounds,
            damage,
        })
    }

    /// When it was first started, if known.
    pub fn began(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.summary.as_ref()?.began, &Rfc3339).ok()
    }

    /// The last part of the run's path.
    pub fn name(&self) -> String {
        let full = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        full.file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The method's name.
    pub fn method(&self) -> String {
        match self.summary.as_ref().map(|s| s.started.method.as_str()) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => self.config.topology.method.to_string(),
        }
    }

    /// The sparsity asked for, if the network has it within a percent of its connections, which rounding and layers
    /// clipped to dense may account for; otherwise the network's own.
    pub fn sparsity(&self) -> f64 {
        let asked = self.config.model.sparsity;
        let Some(network) = self.network_sparsity() else {
            return asked;
        };
        let close = (network - asked).abs() <= 0.01 * (1.0 - asked);
        match self.config.model.connections {
            None if close => asked,
            _ => network,
        }
    }

    /// The network's sparsity, as far as it is known. For a method that begins dense, it is known at the end.
    fn network_sparsity(&self) -> Option<f64> {
        let started = &self.summary.as_ref()?.started;
        let is_dense = self.config.topology.method == MethodName::Dense;
        // The sparsity asked for is that of its forward passes; its layers also contain the other trained connections.
        if self.config.topology.method == MethodName::Topkast || started.dense == 0 {
            return None;
        }
        let end = self.finished().map(|end| end.layers).unwrap_or_default();
        match end.is_empty() {
            false => {
                let active: u64 = end.iter().map(|layer| layer.active).sum();
                Some(1.0 - active as f64 / started.dense as f64)
            }
            true => (started.always_sparse || is_dense).then_some(started.sparsity),
        }
    }

    /// The adapter that it ran on, if known.
    pub fn adapter(&self) -> Option<&str> {
        let summary = self.summary.as_ref()?;
        Some(summary.started.adapter.as_str()).filter(|name| !name.is_empty())
    }

    /// Whether only active connections were ever resident; none if unknown.
    pub fn always_sparse(&self) -> Option<bool> {
        let started = &self.summary.as_ref()?.started;
        // Runs that do not say so have no method name either.
        (!started.method.is_empty()).then_some(started.always_sparse)
    }

    /// The end of a run that came to it by itself. For a run of an older version, which has no summary, this is taken
    /// from its tables.
    pub fn finished(&self) -> Option<Finished> {
        if let Some(summary) = &self.summary {
            return summary.finished.clone().filter(|f| !f.interrupted);
        }
        let last = self.epochs.last()?;
        // A method that starts over trains all epochs several times.
        let stages = self.config.topology.build_method().start().stages();
        let epochs = u64::from(self.config.run.epochs) * u64::from(stages);
        (u64::from(last.epoch) >= epochs).then(|| Finished {
            step: last.step,
            epochs: last.epoch,
            validation: last.validation.clone(),
            test_loss: last.test_loss,
            test_accuracy: last.test_accuracy,
            test_metric: last.test_metric.clone(),
            test_scores: last.test_scores.clone(),
            // If the table is incomplete, the sum is not known.
            seconds: match self.epochs.len() == last.epoch as usize {
                true => self.epochs.iter().map(|e| e.seconds).sum(),
                false => f64::NAN,
            },
            ..Finished::default()
        })
    }

    /// Why it ended early, if it did.
    pub fn failure(&self) -> Option<&str> {
        let failed = self.summary.as_ref()?.failed.as_ref()?;
        Some(&failed.message)
    }

    /// What one must know to judge its result.
    pub fn remarks(&self) -> Vec<String> {
        let Some(finished) = self.finished() else {
            return Vec::new();
        };
        let images = self.no_test().or_else(|| {
            let images = TestPart::about(finished.result_part(), finished.trained_on);
            let (part, _) = finished.result();
            images.map(|images| format!("the {part} {} are {images}", self.samples()))
        });
        images.into_iter().chain(finished.remarks).collect()
    }

    /// The name of its samples.
    pub(in crate::report) fn samples(&self) -> &'static str {
        match is_path(&self.config.data.name) {
            true => "rows",
            false => "images",
        }
    }

    /// Why its result is not a test result; none if it is one.
    pub fn no_test(&self) -> Option<String> {
        let finished = self.finished()?;
        let part = finished.result_part();
        let (judge, told) = finished.result();
        if TestPart::is_test(part, finished.trained_on) {
            return None;
        }
        let from = match part {
            Some(part @ TestPart::Folder(_)) => format!("{part}; "),
            _ => String::new(),
        };
        let images = TestPart::about(part, finished.trained_on).unwrap_or_default();
        Some(format!(
            "what is called {judge} {} is of {} {from}{images}",
            told.metric
                .map_or("accuracy".to_owned(), |metric| metric.name),
            self.samples()
        ))
    }

    /// Its sparse layers at the end, or as last reported; empty if nothing is known.
    pub fn layers(&self) -> Vec<LayerSummary> {
        let mut layers = match &self.summary {
            Some(Summary {
                finished: Some(finished),
                ..
            }) if !finished.layers.is_empty() => return finished.layers.clone(),
            Some(summary) => summary.started.model.clone(),
            None => Vec::new(),
        };
        let Some(round) = self.rounds.last() else {
            return layers;
        };
        layers.resize_with(round.layers.len(), LayerSummary::default);
        for (layer, after) in layers.iter_mut().zip(&round.layers) {
            layer.name.clone_from(&after.name);
            layer.active = after.active;
            layer.density = after.active as f64 / after.total.max(1) as f64;
        }
        layers
    }
}

/// The run folders that a path stands for: the path itself, or the folders in it, by name. `note` receives a line for
/// anything else in it except files.
fn find_runs(path: &Path, note: &mut dyn FnMut(&str)) -> Result<Vec<PathBuf>> {
    if RunFolder::look(path).map_err(Error::io("open the run", path))? {
        return Ok(vec![path.to_owned()]);
    }
    let (mut runs, mut others) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(path).map_err(Error::io("open the run", path))? {
        let inside = entry.map_err(Error::io("read", path))?.path();
        match RunFolder::is_entry(&inside) {
            Ok(true) => runs.push(inside),
            Ok(false) => {}
            Err(reason) => others.push(format!("{} is left out: {reason}", inside.display())),
        }
    }
    others.sort();
    others.iter().for_each(|other| note(other));
    if runs.is_empty() {
        return Err(Error::Run {
            path: path.to_owned(),
            reason: "neither a run folder nor a folder of them: no config.toml is in it or one level below"
                .to_owned(),
        });
    }
    runs.sort();
    Ok(runs)
}

/// The runs that a path stands for: the one in it, or those one level below, as in the folder of a sweep. They come in
/// the order in which they began. If there are several, `note` receives a line for each that cannot be read, for
/// damage, and for anything else in the folder.
///
/// # # Errors
/// The path is neither, or no run can be read from it.
pub fn read_runs(path: &Path, note: &mut dyn FnMut(&str)) -> Result<Vec<RunRecord>> {
    let runs = find_runs(path, note)?;
    let mut records = read_each(&runs, note)?;
    records.sort_by_key(RunRecord::began);
    Ok(records)
}

/// Reads the runs in these folders; `note` receives a line for each that cannot be read, and for damage in the others.
///
/// # Errors
/// There are some, and none can be read; the error is that of the first.
pub(in crate::report) fn read_each(
    runs: &[PathBuf],
    note: &mut dyn FnMut(&str),
) -> Result<Vec<RunRecord>> {
    let mut records = Vec::with_capacity(runs.len());
    let mut unread = Vec::new();
    for run in runs {
        match RunRecord::read(run) {
            Ok(record) => records.push(record),
            Err(error) => unread.push((run, error)),
        }
    }
    if records.is_empty()
        && let Some((_, error)) = unread.drain(..).next()
    {
        return Err(error);
    }
    for damage in records.iter().flat_map(|record| &record.damage) {
        note(damage);
    }
    for (run, error) in unread {
        note(&format!("{} is left out: {error}", run.display()));
    }
    Ok(records)
}
