//! What a network is asked about: images, rows of tables, or a part of a data set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rootlet::data::{self, DataPart, Images, Preprocessing, TargetKind};
use rootlet::report::PredictionTable;
use rootlet::train::Predictor;
use rootlet::{Error, Result};

use super::trained::{Asked, Opened};
use super::{checks, output, progress};

/// What the command line says about the samples.
pub(super) struct Wanted<'a> {
    /// Files that are named; none: a part of a data set.
    pub inputs: &'a [PathBuf],
    /// The data set that a part is taken of.
    pub asked: Asked<'a>,
    /// Whether the limit of that was given, and may be too large.
    pub tells_limit: bool,
    /// The part.
    pub part: Option<DataPart>,
    /// Whether what cannot be read is left out.
    pub skips: bool,
    /// Whether the command has a flag for that, which errors name.
    pub can_skip: bool,
    /// Whether what is to be known about the data set is told: not if only a few samples of it are looked at.
    pub notes: bool,
    /// What is done with the samples: "predicted for".
    pub done: &'static str,
    /// What is being done with them: "predicting for".
    pub doing: &'static str,
}

/// Samples of one kind, and how they are called.
pub(super) struct Samples {
    pub images: Images,
    call: Call,
    /// Whether it is known what is right, and in which units.
    truth: Option<Option<Arc<Preprocessing>>>,
}

/// What a sample is called.
enum Call {
    /// Its own name, which is its file.
    File,
    /// A file or data set, and the number of the row in it.
    Row(String),
    /// A data set, and the number of the image in it.
    Image(String),
}

impl Samples {
    /// The files that were named.
    ///
    /// # Errors
    /// They cannot be read, or are not what the network takes.
    pub fn of_inputs(wanted: &Wanted<'_>, predictor: &Predictor) -> Result<Vec<Self>> {
        let skips = wanted.skips;
        if !predictor.takes_tables() {
            if let Some(table) = wanted.inputs.iter().find(|path| is_table(path)) {
                return Err(Error::Fixed {
                    what: format!(
                        "the network was trained on images, and {} is a table by its name",
                        table.display()
                    ),
                    way_out: "name image files, or folders of them".to_owned(),
                });
            }
            let images = predictor.photos(wanted.inputs, skips);
            return Ok(vec![Self {
                images: images.map_err(|error| advised(error, skips || !wanted.can_skip))?,
                call: Call::File,
                truth: None,
            }]);
        }
        let of_file = |path: &PathBuf| {
            let told = predictor
                .rows(path, skips, &progress::reading(false))
                .map_err(|error| advised(error, skips || !wanted.can_skip))?;
            let name = path.display().to_string();
            for note in &told.notes {
                output::note(&format!("{name}: {note}"));
            }
            Ok(Self {
                images: told.rows,
                call: Call::Row(name),
                truth: None,
            })
        };
        wanted.inputs.iter().map(of_file).collect()
    }

    /// A part of the data that the network was trained on, or of others.
    ///
    /// # Errors
    /// They cannot be read, or have another form.
    pub fn of_part(wanted: &Wanted<'_>, opened: &Opened, predictor: &Predictor) -> Result<Self> {
        let own = opened.config.source();
        let trained = opened.checkpoint.manifest.data.as_ref();
        let source = wanted.asked.source(&own, trained)?;
        let mut data = data::load_to_test(&source, &progress::reading(false))?;
        if let Some(trained) = trained {
            data = data.as_trained(trained)?;
        }
        let (found, expected) = (data.shape.features(), predictor.shape().features());
        if found != expected {
            return Err(Error::Fixed {
                what: format!(
                    "the network of {} takes {expected} inputs, and {} has {found}",
                    opened.checkpoint.path.display(),
                    data.name
                ),
                way_out: "give the data set that it was trained on with --data".to_owned(),
            });
        }
        let part = wanted.part.unwrap_or(data.final_part());
        let Some(held) = data.part(part) else {
            let why = format!("the data set {} has no {part} part", data.name);
            return Err(match wanted.part {
                Some(_) => checks::no_effect("part", &why),
                None => Error::Nothing {
                    what: format!("{}: {why}, and no inputs are named", wanted.done),
                },
            });
        };
        if let Some(limit) = source.limit.filter(|_| wanted.tells_limit) {
            output::note_wide_limit(limit, &data, held.images.len());
        }
        let notes = data.notes.iter().filter(|_| wanted.notes);
        notes.for_each(|note| output::note(note));
        output::say(&format!("{} the {}", wanted.doing, described(part, &data)));
        Ok(Self {
            call: match (held.images.folder(), &data.preprocessing) {
                (Some(_), _) => Call::File,
                (_, Some(_)) => Call::Row(data.name.clone()),
                _ => Call::Image(data.name.clone()),
            },
            images: held.images,
            truth: Some(data.preprocessing),
        })
    }

    /// The names of the columns that say which sample a line is about.
    pub fn who(&self) -> Vec<&'static str> {
        match self.call {
            Call::File => vec!["input"],
            Call::Row(_) => vec!["input", "row"],
            Call::Image(_) => vec!["input", "image"],
        }
    }

    /// What a sample is called in a heading.
    pub fn title(&self, number: usize) -> String {
        let own = self.images.source().name(number);
        let own = own.unwrap_or_else(|| number.to_string());
        match &self.call {
            Call::File => own,
            Call::Row(set) => format!("{set}, row {own}"),
            Call::Image(set) => format!("{set}, image {own}"),
        }
    }

    /// The cells of these columns.
    pub fn names(&self, number: usize) -> Vec<String> {
        let own = self.images.source().name(number);
        let own = own.unwrap_or_else(|| number.to_string());
        match &self.call {
            Call::File => vec![own],
            Call::Row(set) | Call::Image(set) => vec![set.clone(), own],
        }
    }

    /// The class that is right for a sample, if that is known.
    pub fn class(&self, number: usize) -> Option<u32> {
        let source = self.images.source();
        let has_classes = source.targets() == TargetKind::Labels;
        (self.truth.is_some() && has_classes).then(|| source.label(number))
    }

    /// What is right for a sample, if that is known.
    ///
    /// # Errors
    /// The sample cannot be read.
    pub fn truth(&self, number: usize, table: &PredictionTable) -> Result<Option<String>> {
        let Some(rules) = &self.truth else {
            return Ok(None);
        };
        let source = self.images.source();
        let (TargetKind::Flags(count) | TargetKind::Values(count)) = source.targets() else {
            return Ok(Some(table.truth(source.label(number), &[])));
        };
        let mut values = vec![0.0; count];
        let mut inputs = vec![0.0; source.features()];
        source.read(number, Default::default(), &mut inputs, &mut values)?;
        if let Some(rules) = rules {
            rules.to_own_unit(&mut values);
        }
        Ok(Some(table.truth(0, &values)))
    }
}

/// Whether a file is a table by its name.
fn is_table(path: &Path) -> bool {
    const ENDINGS: [&str; 8] = [
        "csv",
        "tsv",
        "npy",
        "npz",
        "safetensors",
        "svm",
        "libsvm",
        "svmlight",
    ];
    let ending = path.extension().unwrap_or_default();
    path.is_file()
        && ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
}

/// The samples in words: "355 test images of digits".
fn described(part: DataPart, data: &data::Dataset) -> String {
    let count = data.part(part).map_or(0, |held| held.images.len());
    let sample = format!("{part} {}", data.sample());
    format!(
        "{} of {}",
        rootlet::report::counted(count as u64, &sample),
        data.name
    )
}

/// An error about a file that cannot be read, with the way to go on without it.
pub(super) fn advised(error: Error, skips: bool) -> Error {
    match error {
        Error::Data { path, reason } if !skips => Error::Data {
            path,
            reason: format!("{reason}; --skip-damaged goes on without such inputs"),
        },
        Error::DamagedRow {
            path,
            row,
            why,
            others,
        } if !skips => Error::DamagedRow {
            path,
            row,
            why: format!("{why}; --skip-damaged goes on without such rows"),
            others,
        },
        other => other,
    }
}
