//! The run folder's tables: `metrics.csv` with a row per epoch, `topology.csv` with a row per round and layer.

mod content;
mod epoch;
mod file;
mod order;
mod row;

use std::fs::OpenOptions;
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::RunFolder;
use super::names::{METRICS, TOPOLOGY};
use crate::train::event::{Epoch, Event, Observer, Round, RoundLayer};
use crate::{Error, Result};
use content::{Content, is_amount, whole_lines};
use epoch::EpochRow;
use file::Table;
use row::Row;

/// Writes both tables as the events come. Every row is handed to the operating system at once, so that a kill loses
/// none.
pub struct Tables {
    metrics: Table,
    topology: Table,
    /// Whether rows of epochs have the columns of a validation part in any case.
    wide: bool,
}

impl Tables {
    /// Starts both tables in a new run folder.
    pub fn create(run: &RunFolder) -> Result<Self> {
        Ok(Self {
            metrics: Table::create(run.path().join(METRICS))?,
            topology: Table::create(run.path().join(TOPOLOGY))?,
            wide: false,
        })
    }

    /// Continues the tables of a run that is resumed from a checkpoint. Rows of steps after those in `saved` are cut
    /// off, because they will be written again, and so is a half-written last line. `note` receives their number. Rows
    /// that cannot be read are left out, and rows out of order are sorted and counted once. `note` receives these too,
    /// and the original file is kept beside the new one.
    pub fn resume(run: &RunFolder, saved: Saved, note: &mut dyn FnMut(&str)) -> Result<Self> {
        let [metrics, topology] = [METRICS, TOPOLOGY].map(|name| run.path().join(name));
        let Saved {
            done, validates, ..
        } = saved;
        let (metrics, epochs, wide) =
            Table::resume::<EpochRow>(metrics, saved.epochs, done, validates, note)?;
        let (topology, rounds, _) =
            Table::resume::<TopologyRow>(topology, saved.rounds, None, false, note)?;
        // A round at the checkpoint's own step that is done again is not past it.
        let behind = |steps: Vec<u64>| steps.iter().filter(|&&step| step > saved.epochs).count();
        let cut: Vec<String> = [(METRICS, behind(epochs)), (TOPOLOGY, behind(rounds))]
            .into_iter()
            .filter(|(_, rows)| *rows > 0)
            .map(|(name, rows)| format!("{rows} of {name}"))
            .collect();
        if !cut.is_empty() {
            note(&format!(
                "the run goes on from step {}; rows of later steps, which are trained again, are cut off: {}",
                saved.epochs,
                cut.join(", ")
            ));
        }
        Ok(Self {
            metrics,
            topology,
            wide,
        })
    }
}

impl Tables {
    /// Flushes the tables of a run to the disk, if they are files.
    pub(in crate::report) fn sync(run: &RunFolder) -> Result<()> {
        for name in [METRICS, TOPOLOGY] {
            let path = run.path().join(name);
            if path.is_file() {
                OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.sync_all())
                    .map_err(Error::io("flush", &path))?;
            }
        }
        Ok(())
    }
}

/// The last steps whose rows a resumed run keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// For epochs: the checkpoint's step.
    pub epochs: u64,
    /// For rounds: the same step, or the one before if a round at the checkpoint's step is done again.
    pub rounds: u64,
    /// Number of epochs done by then, if known.
    pub done: Option<u32>,
    /// Whether there is a validation part.
    pub validates: bool,
}

impl Saved {
    /// Keeps everything up to a step.
    pub fn through(step: u64) -> Self {
        Self {
            epochs: step,
            rounds: step,
            done: None,
            validates: false,
        }
    }
}

impl Observer for Tables {
    fn event(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Epoch(epoch) => {
                let row = EpochRow::from(epoch);
                let row = match self.wide {
                    true => row.with_validation(),
                    false => row,
                };
                self.metrics.write([row])
            }
            Event::Round(round) => self.topology.write(
                round
                    .layers
                    .iter()
                    .map(|layer| TopologyRow::new(round, layer)),
            ),
            _ => Ok(()),
        }
    }
}

/// A row of `topology.csv`. Columns that older versions did not write are none here.
#[derive(Default, Serialize, Deserialize)]
struct TopologyRow {
    step: u64,
    layer: usize,
    name: String,
    #[serde(deserialize_with = "count")]
    active: u64,
    total: u64,
    #[serde(deserialize_with = "count")]
    candidates: u64,
    #[serde(deserialize_with = "count")]
    pruned: u64,
    #[serde(deserialize_with = "count")]
    grown: u64,
    turnover: f64,
    grown_gradient: f32,
    pruned_magnitude: f32,
    seconds: f64,
    #[serde(default)]
    rank_correlation: Option<f64>,
    #[serde(default)]
    ever_active: Option<f64>,
    #[serde(default)]
    dead_inputs: Option<u64>,
    #[serde(default)]
    dead_outputs: Option<u64>,
}

/// Connections of a layer, which the device numbers by 32 bits: the sums of larger numbers would overflow.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    match u32::try_from(number) {
        Ok(_) => Ok(number),
        Err(_) => Err(D::Error::custom(format!(
            "{number} are more connections than a layer can have"
        ))),
    }
}

impl TopologyRow {
    fn new(round: &Round, layer: &RoundLayer) -> Self {
        Self {
            step: round.step,
            layer: layer.layer,
            name: layer.name.clone(),
            active: layer.active,
            total: layer.total,
            candidates: layer.candidates,
            pruned: layer.pruned,
            grown: layer.grown,
            turnover: layer.turnover,
            grown_gradient: layer.grown_gradient,
            pruned_magnitude: layer.pruned_magnitude,
            seconds: round.seconds,
            rank_correlation: layer.rank_correlation,
            ever_active: layer.ever_active,
            dead_inputs: layer.dead_inputs,
            dead_outputs: layer.dead_outputs,
        }
    }

    fn layer(self) -> RoundLayer {
        RoundLayer {
            layer: self.layer,
            name: self.name,
            active: self.active,
            total: self.total,
            candidates: self.candidates,
            pruned: self.pruned,
            grown: self.grown,
            turnover: self.turnover,
            grown_gradient: self.grown_gradient,
            pruned_magnitude: self.pruned_magnitude,
            rank_correlation: self.rank_correlation,
            ever_active: self.ever_active,
            dead_inputs: self.dead_inputs,
            dead_outputs: self.dead_outputs,
        }
    }
}

impl Row for TopologyRow {
    fn place(&self) -> (u64, usize) {
        (self.step, self.layer)
    }

    fn is_possible(&self) -> bool {
        let means = [self.grown_gradient, self.pruned_magnitude];
        self.active <= self.total
            && is_amount(self.turnover)
            && is_amount(self.seconds)
            && means.iter().all(|&mean| mean >= 0.0)
            && (self.rank_correlation).is_none_or(|r| (-1.001..=1.001).contains(&r))
            && (self.ever_active).is_none_or(|share| (0.0..=1.0).contains(&share))
    }
}

impl RunFolder {
    /// The rows of `metrics.csv`, in order; empty if there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or has a damaged row.
    pub fn epochs(&self) -> Result<Vec<Epoch>> {
        let rows = Content::read(&self.path().join(METRICS))?.whole()?;
        Ok(epochs(rows))
    }

    /// The rounds of `topology.csv`, in order; empty if there is no such file.
    ///
    /// # Errors
    /// As [`RunFolder::epochs`].
    pub fn rounds(&self) -> Result<Vec<Round>> {
        Ok(rounds(Content::read(&self.path().join(TOPOLOGY))?.whole()?))
    }

    /// Whatever can be read of both tables, with a sentence for each that is damaged or cannot be opened.
    pub fn readable_tables(&self) -> (Vec<Epoch>, Vec<Round>, Vec<String>) {
        let mut damage = Vec::new();
        let metrics = readable(&self.path().join(METRICS), &mut damage);
        let rows = readable(&self.path().join(TOPOLOGY), &mut damage);
        (epochs(metrics), rounds(rows), damage)
    }
}

fn readable<R: Row>(path: &Path, damage: &mut Vec<String>) -> Vec<R> {
    match Content::read(path) {
        Ok(content) => {
            damage.extend(content.damage());
            content.rows
        }
        Err(error) => {
            damage.push(error.to_string());
            Vec::new()
        }
    }
}

fn epochs(rows: Vec<EpochRow>) -> Vec<Epoch> {
    rows.into_iter().map(EpochRow::into_event).collect()
}

/// Groups rows, which are in order, into rounds.
fn rounds(rows: Vec<TopologyRow>) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    for row in rows {
        if rounds.last().is_none_or(|round| round.step != row.step) {
            rounds.push(Round {
                step: row.step,
                seconds: row.seconds,
                layers: Vec::new(),
            });
        }
        if let Some(round) = rounds.last_mut() {
            round.layers.push(row.layer());
        }
    }
    rounds
}

/// For the fuzzer: a table that was cut for a resumed run is read back as it was written, without damage.
pub(crate) fn fuzz(bytes: &[u8]) {
    fn cut<R: Row>(bytes: &[u8]) {
        let read = |bytes: &[u8]| Content::<R>::of(Path::new(METRICS), bytes);
        let first = read(&bytes[..whole_lines(bytes)]);
        for keep in [100, u64::MAX] {
            if let Ok(cut) = file::kept(&first, keep) {
                let again = read(&cut);
                assert!(again.damaged.is_empty());
                assert!(again.rows.iter().all(|row| row.place().0 <= keep));
                let again = file::kept(&again, keep);
                assert!(again.is_ok_and(|again| again == cut));
            }
        }
    }
    cut::<EpochRow>(bytes);
    cut::<TopologyRow>(bytes);
}
