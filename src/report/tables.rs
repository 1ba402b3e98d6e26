//! The run folder's tables: `metrics.csv` with a row an epoch, `topology.csv` with a row a round and layer.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::RunFolder;
use crate::train::event::{Event, Observer, Round, RoundLayer};
use crate::{Error, Result};

/// Writes both tables as the events come. Every row is handed to the operating system at once, so that a killed run
/// loses none.
pub struct Tables {
    metrics: Table,
    topology: Table,
}

impl Tables {
    /// Starts both tables in a new run folder.
    pub fn create(run: &RunFolder) -> Result<Self> {
        // A row's step is never negative, so this keeps nothing of files that should not be there.
        Self::open(run, None)
    }

    /// Goes on with the tables of a run resumed from its checkpoint at `step`. Rows of later steps are cut off, for those
    /// steps will be done again, and so is a last line that was only half written.
    pub fn resume(run: &RunFolder, step: u64) -> Result<Self> {
        Self::open(run, Some(step))
    }

    fn open(run: &RunFolder, keep: Option<u64>) -> Result<Self> {
        Ok(Self {
            metrics: Table::open(run.path().join("metrics.csv"), keep)?,
            topology: Table::open(run.path().join("topology.csv"), keep)?,
        })
    }
}

impl Observer for Tables {
    fn event(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Epoch(epoch) => self.metrics.write([epoch]),
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

#[derive(Serialize)]
struct TopologyRow<'a> {
    step: u64,
    layer: usize,
    name: &'a str,
    active: u64,
    total: u64,
    candidates: u64,
    pruned: u64,
    grown: u64,
    turnover: f64,
    grown_gradient: f32,
    pruned_magnitude: f32,
    seconds: f64,
}

impl<'a> TopologyRow<'a> {
    fn new(round: &Round, layer: &'a RoundLayer) -> Self {
        Self {
            step: round.step,
            layer: layer.layer,
            name: &layer.name,
            active: layer.active,
            total: layer.total,
            candidates: layer.candidates,
            pruned: layer.pruned,
            grown: layer.grown,
            turnover: layer.turnover,
            grown_gradient: layer.grown_gradient,
            pruned_magnitude: layer.pruned_magnitude,
            seconds: round.seconds,
        }
    }
}

/// One CSV file. Its header comes from the fields of its first row.
struct Table {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl Table {
    /// Opens the file, keeping its rows up to step `keep`, or none of them.
    fn open(path: PathBuf, keep: Option<u64>) -> Result<Self> {
        let (file, empty) = open_cut(&path, keep).map_err(Error::io("write", &path))?;
        let writer = csv::WriterBuilder::new()
            .has_headers(empty)
            .from_writer(file);
        Ok(Self { path, writer })
    }

    fn write(&mut self, rows: impl IntoIterator<Item = impl Serialize>) -> Result<()> {
        rows.into_iter()
            .try_for_each(|row| self.writer.serialize(row))
            .map_err(io::Error::from)
            .and_then(|()| self.writer.flush())
            .map_err(Error::io("write", &self.path))
    }
}

/// Opens the file behind the last row to keep, everything later cut off; says whether nothing is left.
fn open_cut(path: &Path, keep: Option<u64>) -> io::Result<(File, bool)> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(keep.is_none())
        .open(path)?;
    let mut length = 0;
    if let Some(step) = keep {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        length = kept_length(&bytes, step);
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
    }
    Ok((file, length == 0))
}

/// Bytes of the header and of the rows up to `step`, which come in the order of their steps. Whatever is not a whole row
/// with a step in it ends what is kept.
fn kept_length(bytes: &[u8], step: u64) -> u64 {
    // A row without its line end may be the first part of a longer number.
    let whole = bytes
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    let mut reader = csv::Reader::from_reader(&bytes[..whole]);
    let Some(column) = reader
        .headers()
        .ok()
        .and_then(|header| header.iter().position(|name| name == "step"))
    else {
        return 0;
    };
    let mut length = reader.position().byte();
    let mut record = csv::StringRecord::new();
    while let Ok(true) = reader.read_record(&mut record) {
        match record.get(column).and_then(|text| text.parse::<u64>().ok()) {
            Some(row) if row <= step => length = reader.position().byte(),
            _ => break,
        }
    }
    length
}
