//! The run folder's tables: `metrics.csv` with a row an epoch, `topology.csv` with a row a round and layer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::RunFolder;
use crate::files;
use crate::train::event::{Epoch, Event, Observer, Round, RoundLayer};
use crate::{Error, Result};

const METRICS: &str = "metrics.csv";
const TOPOLOGY: &str = "topology.csv";

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
            metrics: Table::open(run.path().join(METRICS), keep)?,
            topology: {
                let path = run.path().join(TOPOLOGY);
                if keep.is_some() {
                    widen(&path).map_err(Error::io("write", &path))?;
                }
                Table::open(path, keep)?
            },
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

/// A row of `topology.csv`. What older versions did not write is missing in their files, and none here.
#[derive(Serialize, Deserialize)]
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

/// Connections of a layer, which the device numbers by 32 bits: the sums of larger ones would overflow.
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

impl RunFolder {
    /// The rows of `metrics.csv`, in order; none where there is no such file.
    pub fn epochs(&self) -> Result<Vec<Epoch>> {
        read(&self.path().join(METRICS))
    }

    /// The rounds of `topology.csv`, in order; none where there is no such file.
    pub fn rounds(&self) -> Result<Vec<Round>> {
        let mut rounds: Vec<Round> = Vec::new();
        for row in read::<TopologyRow>(&self.path().join(TOPOLOGY))? {
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
        Ok(rounds)
    }
}

/// The whole rows of a table; a last one without its line end is being written at this moment, and left out.
fn read<Row: DeserializeOwned>(path: &Path) -> Result<Vec<Row>> {
    let Some(bytes) = files::read_if_there(path)? else {
        return Ok(Vec::new());
    };
    csv::Reader::from_reader(&bytes[..whole_lines(&bytes)])
        .deserialize()
        .collect::<Result<_, csv::Error>>()
        .map_err(|error| Error::Data {
            path: path.to_owned(),
            reason: format!("not a table of a run ({error}); restore it, or leave this run out"),
        })
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

/// Gives a `topology.csv` of an older version, which has fewer columns, those of this one, so that rows can follow.
fn widen(path: &Path) -> io::Result<()> {
    let Ok(bytes) = fs::read(path) else {
        // Not there: it is begun anew. What cannot be read will not be writable either, and is told then.
        return Ok(());
    };
    let mut old = csv::Reader::from_reader(&bytes[..whole_lines(&bytes)]);
    let narrow = old.headers().is_ok_and(|header| {
        header.iter().next() == Some("step") && !header.iter().any(|name| name == "ever_active")
    });
    if !narrow {
        return Ok(());
    }
    let mut new = csv::Writer::from_writer(Vec::new());
    for row in old.deserialize::<TopologyRow>().map_while(Result::ok) {
        new.serialize(row)?;
    }
    let new = new.into_inner().map_err(|error| error.into_error())?;
    super::run_folder::replace(path, &new, true)
}

/// Bytes of the header and of the rows up to `step`, which come in the order of their steps. Whatever is not a whole row
/// with a step in it ends what is kept.
fn kept_length(bytes: &[u8], step: u64) -> u64 {
    let mut reader = csv::Reader::from_reader(&bytes[..whole_lines(bytes)]);
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

/// Bytes of the lines that have their end: a row without it may stop in the middle of a number.
fn whole_lines(bytes: &[u8]) -> usize {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    end.map_or(0, |end| end + 1)
}
