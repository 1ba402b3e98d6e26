//! What a network tells apart: the confusion matrix and the results for each class, from the JSON of `rootlet eval`.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::bench_file::BenchFile;
use super::section::{Block, Section};
use crate::files;
use crate::report::figure::{Axis, Colour, Figure, Part, Plot};
use crate::report::results::TextTable;
use crate::words::{counted, grouped};
use crate::{Error, Result};

/// Most classes of a matrix that is drawn; of more, the pairs that are confused most often are listed.
const MOST_DRAWN: usize = 20;
/// Most classes with bars, and most pairs that are listed.
const MOST_BARS: usize = 40;
const MOST_PAIRS: usize = 20;

/// A file that `rootlet report` shows beside runs.
#[derive(Clone, Debug)]
pub enum JsonFile {
    /// Of `rootlet bench --json`.
    Bench(BenchFile),
    /// Of `rootlet eval --classes --json`.
    Tested(TestedFile),
}

impl JsonFile {
    /// Reads a file, whichever of them it is.
    ///
    /// # Errors
    /// It cannot be read, or is neither.
    pub fn read(path: &Path) -> Result<Self> {
        let text = files::read_text(path, files::Most::RECORD)?;
        let value: Option<Value> = serde_json::from_str(&text).ok();
        let is_test = value.is_some_and(|value| value.get("trained_on").is_some());
        match is_test {
            true => TestedFile::parse(&text, path).map(JsonFile::Tested),
            false => BenchFile::parse(&text, path).map(JsonFile::Bench),
        }
    }
}

/// The result of an evaluation, class by class.
#[derive(Clone, Debug, Deserialize)]
pub struct TestedFile {
    data: String,
    network: String,
    part: String,
    images: u64,
    classes: Vec<Class>,
    #[serde(default)]
    confusion: Vec<Confused>,
}

#[derive(Clone, Debug, Deserialize)]
struct Class {
    name: String,
    samples: u64,
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
struct Confused {
    class: String,
    answer: String,
    samples: u64,
}

impl TestedFile {
    fn parse(text: &str, path: &Path) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Data {
            path: path.to_owned(),
            reason: format!(
                "not the results of classes ({error}); give what `rootlet eval RUN --classes --json` printed"
            ),
        })
    }

    /// `[class][answer]`; pairs with names that are not classes are left out.
    fn counts(&self) -> Vec<Vec<u64>> {
        let names = self.classes.iter().enumerate();
        let numbers: HashMap<&str, usize> =
            names.map(|(n, class)| (class.name.as_str(), n)).collect();
        let mut counts = vec![vec![0; self.classes.len()]; self.classes.len()];
        for pair in &self.confusion {
            let places = [&pair.class, &pair.answer].map(|name| numbers.get(name.as_str()));
            if let [Some(&class), Some(&answer)] = places {
                counts[class][answer] = pair.samples;
            }
        }
        counts
    }
}

/// The section of an evaluation; `number` tells its figures from those of others.
pub(super) fn section((number, file): (usize, &TestedFile)) -> Section {
    let mut section = Section::new(&format!("Classes of {}, {}", file.data, file.network));
    section.text(format!(
        "By {}. Recall is the share of a class that was found, precision the share of its answers that were right, F1 \
         their harmonic mean.",
        counted(file.images, &format!("{} sample", file.part))
    ));
    let id = |what: &str| format!("{what}-{}-{number}", file.data);
    let mut pairs: Vec<&Confused> = file
        .confusion
        .iter()
        .filter(|pair| pair.class != pair.answer)
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.samples));
    if !file.confusion.is_empty() && file.classes.len() <= MOST_DRAWN {
        section.blocks.push(Block::Figure(Figure {
            id: id("confusion"),
            title: "What is taken for what".to_owned(),
            note: "A row is a class, a column an answer, a cell the number of samples; its shade is their share of \
                   the class."
                .to_owned(),
            plot: Plot::Matrix {
                labels: ["class".to_owned(), "answer".to_owned()],
                names: file.classes.iter().map(|class| class.name.clone()).collect(),
                counts: file.counts(),
            },
        }));
    }
    let mut weakest: Vec<&Class> = file.classes.iter().collect();
    if weakest.len() > MOST_BARS {
        weakest.sort_by(|a, b| a.f1.unwrap_or(0.0).total_cmp(&b.f1.unwrap_or(0.0)));
        weakest.truncate(MOST_BARS);
    }
    section.blocks.push(Block::Figure(Figure {
        id: id("f1"),
        title: match weakest.len() == file.classes.len() {
            true => "F1 by class".to_owned(),
            false => format!("F1 of the {MOST_BARS} weakest classes"),
        },
        note: String::new(),
        plot: Plot::Bars {
            x: Axis::new("F1, %"),
            bars: weakest.iter().map(|class| class.name.clone()).collect(),
            totals: weakest.iter().map(|class| percent(class.f1)).collect(),
            parts: vec![Part {
                name: String::new(),
                colour: Colour::Series(0),
                values: weakest
                    .iter()
                    .map(|class| class.f1.unwrap_or(0.0) * 100.0)
                    .collect(),
            }],
        },
    }));
    section
        .blocks
        .push(Block::Table(classes_table(&file.classes)));
    if file.classes.len() > MOST_DRAWN && !pairs.is_empty() {
        section.text("The pairs that were confused most often:");
        section.blocks.push(Block::Table(pairs_table(&pairs)));
    }
    section
}

fn classes_table(classes: &[Class]) -> TextTable {
    let header = ["class", "samples", "precision, %", "recall, %", "F1, %"];
    let row = |class: &Class| {
        vec![
            class.name.clone(),
            grouped(class.samples),
            percent(class.precision),
            percent(class.recall),
            percent(class.f1),
        ]
    };
    TextTable {
        header: header.map(str::to_owned).into(),
        rows: classes.iter().map(row).collect(),
        words: 1,
    }
}

fn pairs_table(pairs: &[&Confused]) -> TextTable {
    let row = |pair: &&Confused| {
        vec![
            pair.class.clone(),
            pair.answer.clone(),
            grouped(pair.samples),
        ]
    };
    TextTable {
        header: ["class", "answer", "samples"].map(str::to_owned).into(),
        rows: pairs.iter().take(MOST_PAIRS).map(row).collect(),
        words: 2,
    }
}

/// A share in percent.
fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.1}", share * 100.0))
}
