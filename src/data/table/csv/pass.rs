//! One pass over the rows of a CSV file: threads parse the pieces of a block while the next block is read.

use std::collections::BTreeSet;

use ::csv::{ByteRecord, ReaderBuilder};
use rayon::prelude::*;

use super::super::Watch;
use super::super::cell::{Categories, is_nothing, number};
use super::super::cells::{Cells, Column, MISSING, Table, in_order};
use super::super::stored::{Gathered, StoredWords, Stream, renumber};
use super::blocks::{Block, Blocks};
use crate::words::grouped;

/// What all passes share.
pub(super) struct Form<'a> {
    pub delimiter: u8,
    /// The names of all columns.
    pub names: &'a [String],
    /// The columns that are not left out.
    pub kept: &'a [usize],
    /// Line breaks of the header.
    pub breaks: u64,
    pub stream: Stream,
}

/// The outcome of a pass over the file.
pub(super) enum Passed {
    Whole(Table),
    /// Columns that contain texts and were taken for numbers.
    Texts(BTreeSet<usize>),
}

/// The rows of a piece.
struct Piece {
    words: Vec<u32>,
    rows: usize,
    breaks: u64,
    /// For each kept column of texts, those of this piece.
    known: Vec<Option<Categories>>,
    texts: BTreeSet<usize>,
    /// The row of this piece that ends the reading, and why.
    wrong: Option<(usize, Wrong)>,
}

/// Why a row ends the reading.
enum Wrong {
    /// A cell of this column cannot be taken.
    Cell(usize, String),
    /// Another number of cells than names, behind so many line breaks of the piece; whether one has a line break.
    Length(u64, usize, bool),
    Form(String),
}

/// What was gathered.
pub(super) struct Pass<'a> {
    form: &'a Form<'a>,
    /// For each kept column of texts, those met so far.
    known: Vec<Option<Categories>>,
    words: Gathered,
    rows: usize,
    breaks: u64,
    texts: BTreeSet<usize>,
}

impl<'a> Pass<'a> {
    /// A pass with these columns of texts.
    pub fn new(form: &'a Form<'a>, of_text: &BTreeSet<usize>) -> Result<Self, String> {
        let categories = |column| of_text.contains(column).then(Categories::default);
        Ok(Self {
            form,
            known: form.kept.iter().map(categories).collect(),
            words: Gathered::new(form.stream == Stream::Always)?,
            rows: 0,
            breaks: form.breaks,
            texts: BTreeSet::new(),
        })
    }

    /// Reads all `bytes` of a file, of which `read` were read already.
    ///
    /// # Errors
    /// What is wrong with the file: a reason that fits after its name.
    pub fn run(
        mut self,
        mut blocks: Blocks,
        mut read: u64,
        bytes: u64,
        watch: Watch<'_>,
    ) -> Result<Passed, String> {
        let (head, mut is_first) = (read, true);
        let mut block = blocks.next()?;
        while let Some(own) = block {
            let (pieces, next) = rayon::join(|| self.parse(&own), || blocks.next());
            for piece in pieces {
                if !self.add(piece)? {
                    return Ok(Passed::Texts(self.texts));
                }
            }
            read += own.bytes.len() as u64;
            watch(read.min(bytes), bytes);
            if std::mem::take(&mut is_first) {
                if !self.texts.is_empty() {
                    return Ok(Passed::Texts(self.texts));
                }
                self.reserve((bytes - head.min(bytes)) as f64 / own.bytes.len().max(1) as f64)?;
            }
            block = next?;
        }
        match self.texts.is_empty() {
            true => self.table().map(Passed::Whole),
            false => Ok(Passed::Texts(self.texts)),
        }
    }

    fn parse(&self, block: &Block) -> Vec<Piece> {
        let begins = std::iter::once(&0).chain(&block.ends);
        let pieces: Vec<&[u8]> = begins
            .zip(&block.ends)
            .map(|(&begin, &end)| &block.bytes[begin..end])
            .collect();
        pieces
            .into_par_iter()
            .map(|piece| self.piece(piece))
            .collect()
    }

    /// Parses the rows of a piece.
    fn piece(&self, bytes: &[u8]) -> Piece {
        let mut reader = ReaderBuilder::new()
            .delimiter(self.form.delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(bytes);
        let own = |known: &Option<Categories>| known.as_ref().map(|_| Categories::default());
        let mut piece = Piece {
            words: Vec::with_capacity(bytes.len() / 8),
            rows: 0,
            breaks: bytes.iter().filter(|&&byte| byte == b'\n').count() as u64,
            known: self.known.iter().map(own).collect(),
            texts: BTreeSet::new(),
            wrong: None,
        };
        let mut record = ByteRecord::new();
        loop {
            let wrong = match reader.read_byte_record(&mut record) {
                Ok(false) => return piece,
                Ok(true) if record.len() != self.form.names.len() => {
                    let line = record.position().map_or(1, ::csv::Position::line);
                    let has_break = record.iter().any(|cell| cell.contains(&b'\n'));
                    Some(Wrong::Length(line - 1, record.len(), has_break))
                }
                Ok(true) => piece.row(&record, self.form.kept),
                Err(error) => Some(Wrong::Form(error.to_string())),
            };
            if let Some(wrong) = wrong {
                piece.wrong = Some((piece.rows, wrong));
                return piece;
            }
        }
    }

    /// Adds the rows of a piece. Returns whether the pass goes on.
    fn add(&mut self, mut piece: Piece) -> Result<bool, String> {
        self.texts.append(&mut piece.texts);
        if let Some((row, wrong)) = piece.wrong {
            // The cell may be a text of a column of texts.
            return match self.texts.is_empty() {
                true => Err(self.told(row, wrong)),
                false => Ok(false),
            };
        }
        if self.texts.is_empty() {
            let width = self.form.kept.len();
            let mut places = Vec::with_capacity(width);
            for (place, own) in piece.known.iter().enumerate() {
                let (Some(all), Some(own)) = (&mut self.known[place], own) else {
                    places.push(None);
                    continue;
                };
                let mut numbers = Vec::with_capacity(own.names.len());
                for (name, local) in own.names.iter().zip(0u32..) {
                    let number = all.number(name.as_bytes()).map_err(|what| {
                        let mut cells = piece.words.iter().skip(place).step_by(width);
                        let row = cells.position(|&word| word == local).unwrap_or(0);
                        self.form
                            .at(self.rows + row + 1, self.form.kept[place], &what)
                    })?;
                    numbers.push(number);
                }
                places.push(Some(numbers));
            }
            renumber(&mut piece.words, &places);
            self.words.add(&piece.words)?;
        }
        self.rows += piece.rows;
        self.breaks += piece.breaks;
        Ok(true)
    }

    /// What is wrong with a row of the next piece.
    fn told(&self, row: usize, wrong: Wrong) -> String {
        match wrong {
            Wrong::Cell(column, what) => self.form.at(self.rows + row + 1, column, &what),
            Wrong::Length(breaks, cells, has_break) => {
                let hint = match has_break {
                    true => "; a quote in it is not closed, perhaps",
                    false => "",
                };
                format!(
                    "line {} has {cells} cells, and the header {} names{hint}",
                    grouped(self.breaks + breaks + 1),
                    self.form.names.len()
                )
            }
            Wrong::Form(error) => {
                let rows = grouped((self.rows + row) as u64);
                format!("it cannot be read behind row {rows} ({error})")
            }
        }
    }

    /// Allocates memory for all rows, estimated from those read so far, which are `1 / share` of them; or decides that
    /// they go into a file.
    fn reserve(&mut self, share: f64) -> Result<(), String> {
        // Rows differ in length; the excess is freed.
        let cells = self.rows as f64 * self.form.kept.len() as f64 * share.max(1.0) * 1.05;
        match self.form.stream.of(4 * cells as u64)? {
            true => self.words.store(),
            false => self.words.reserve(cells as u64),
        }
    }

    fn table(self) -> Result<Table, String> {
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for (&column, known) in self.form.kept.iter().zip(self.known) {
            let ordered = known.map(|Categories { names, .. }| in_order(names));
            let (categories, own) = ordered.unzip();
            columns.push(Column {
                name: self.form.names[column].clone(),
                categories,
            });
            places.push(own);
        }
        let cells = match self.words {
            Gathered::Memory(mut words) => {
                renumber(&mut words, &places);
                words.shrink_to_fit();
                Cells::Dense(words)
            }
            Gathered::File(file) => Cells::Stored {
                stored: Box::new(StoredWords {
                    bytes: file.done()?,
                    places,
                }),
                sparse: false,
            },
        };
        Ok(Table {
            columns,
            rows: self.rows,
            cells,
            format: "CSV",
            ..Table::default()
        })
    }
}

impl Form<'_> {
    /// A reason with the cell that it concerns.
    fn at(&self, row: usize, column: usize, what: &str) -> String {
        let name = &self.names[column];
        format!("row {}, column `{name}`: {what}", grouped(row as u64))
    }
}

impl Piece {
    /// Adds a row.
    fn row(&mut self, record: &ByteRecord, kept: &[usize]) -> Option<Wrong> {
        for (known, &column) in self.known.iter_mut().zip(kept) {
            let cell = record.get(column).unwrap_or_default().trim_ascii();
            let word = match known {
                Some(_) if is_nothing(cell) => Ok(Some(MISSING)),
                Some(categories) => categories.number(cell).map(Some),
                None => number(cell),
            };
            match word {
                Ok(word) => {
                    if word.is_none() {
                        self.texts.insert(column);
                    }
                    self.words.push(word.unwrap_or(MISSING));
                }
                Err(what) => return Some(Wrong::Cell(column, what)),
            }
        }
        self.rows += 1;
        None
    }
}
