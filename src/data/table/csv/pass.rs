//! One pass over the rows of a CSV file: threads parse the pieces of a block while the next block is read.

use std::collections::{BTreeSet, HashMap};

use ::csv::{ByteRecord, ReaderBuilder};
use rayon::prelude::*;

use super::super::Watch;
use super::super::cell::{Categories, is_nothing, number};
use super::super::cells::{Cells, Column, MISSING, Table, in_order};
use super::super::faults::{Faults, NUL};
use super::super::stored::{Gathered, StoredWords, Stream, renumber};
use super::blocks::{Block, Blocks, CLOSE, unclosed};
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
    /// Whether a row that cannot be used is kept, without values: see [`How`](super::super::how::How).
    pub keeps_faults: bool,
}

/// The outcome of a pass over the file.
pub(super) enum Passed {
    Whole(Box<Table>),
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
    /// The rows of this piece that cannot be used, and why. Unless these are kept, the first one ends the reading.
    wrong: Vec<(usize, Wrong)>,
}

/// Why a row cannot be used.
enum Wrong {
    /// A cell of this column cannot be taken.
    Cell(usize, String),
    /// Another number of cells than names, behind so many line breaks of the piece; whether one has a line break.
    Length(u64, usize, bool),
    /// A byte 0, behind so many line breaks of the piece.
    Zero(u64),
    /// A quote in this line is not closed.
    Torn(u64),
    /// The parser's reason for not going on.
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
    faults: Faults,
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
            faults: Faults::default(),
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
            true => self.table().map(|table| Passed::Whole(Box::new(table))),
            false => Ok(Passed::Texts(self.texts)),
        }
    }

    fn parse(&self, block: &Block) -> Vec<Piece> {
        let begins = std::iter::once(&0).chain(&block.ends);
        let pieces: Vec<&[u8]> = begins
            .zip(&block.ends)
            .map(|(&begin, &end)| &block.bytes[begin..end])
            .collect();
        let torn: HashMap<usize, u64> = block.torn.iter().copied().collect();
        pieces
            .into_par_iter()
            .enumerate()
            .map(|(number, bytes)| match torn.get(&number) {
                None => self.piece(bytes),
                Some(&line) => self.torn(bytes, line),
            })
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
        let mut piece = self.no_rows(bytes);
        piece.words.reserve(bytes.len() / 8);
        let has_zeros = bytes.contains(&0);
        let mut record = ByteRecord::new();
        loop {
            let wrong = match reader.read_byte_record(&mut record) {
                Ok(false) => return piece,
                Ok(true) if has_zeros && self.form.has_zero(&record) => {
                    let line = record.position().map_or(1, ::csv::Position::line);
                    Some(Wrong::Zero(line - 1))
                }
                Ok(true) if record.len() != self.form.names.len() => {
                    let line = record.position().map_or(1, ::csv::Position::line);
                    let has_break = record.iter().any(|cell| cell.contains(&b'\n'));
                    Some(Wrong::Length(line - 1, record.len(), has_break))
                }
                Ok(true) => piece.row(&record, self.form),
                Err(error) => Some(Wrong::Form(error.to_string())),
            };
            if let Some(wrong) = wrong {
                let ends = !self.form.keeps_faults || matches!(wrong, Wrong::Form(_));
                piece.without_values(wrong, self.form.kept.len());
                if ends {
                    return piece;
                }
            }
        }
    }

    /// A piece without any rows yet.
    fn no_rows(&self, bytes: &[u8]) -> Piece {
        let own = |known: &Option<Categories>| known.as_ref().map(|_| Categories::default());
        Piece {
            words: Vec::new(),
            rows: 0,
            breaks: bytes.iter().filter(|&&byte| byte == b'\n').count() as u64,
            known: self.known.iter().map(own).collect(),
            texts: BTreeSet::new(),
            wrong: Vec::new(),
        }
    }

    /// The row that has a quote in this line that is not closed.
    fn torn(&self, bytes: &[u8], line: u64) -> Piece {
        let mut piece = self.no_rows(bytes);
        piece.without_values(Wrong::Torn(line), self.form.kept.len());
        piece
    }

    /// Adds the rows of a piece. Returns whether the pass goes on.
    fn add(&mut self, mut piece: Piece) -> Result<bool, String> {
        self.texts.append(&mut piece.texts);
        for (row, wrong) in std::mem::take(&mut piece.wrong) {
            if self.form.keeps_faults && !matches!(wrong, Wrong::Form(_)) {
                let why = self.fault(wrong);
                self.faults.add(self.rows + row, || why);
                continue;
            }
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
                    numbers.push(match all.number(name.as_bytes()) {
                        Ok(number) => number,
                        Err(what) => {
                            let column = self.form.kept[place];
                            let cells = piece.words.iter().skip(place).step_by(width);
                            let rows = cells.enumerate().filter(|(_, word)| **word == local);
                            let mut rows = rows.map(|(row, _)| self.rows + row);
                            if !self.form.keeps_faults {
                                let row = rows.next().unwrap_or(self.rows);
                                return Err(self.form.at(row, column, &what));
                            }
                            rows.for_each(|row| {
                                self.faults.add(row, || self.form.in_column(column, &what));
                            });
                            MISSING
                        }
                    });
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
            Wrong::Cell(column, what) => self.form.at(self.rows + row, column, &what),
            Wrong::Length(breaks, cells, has_break) => {
                format!(
                    "line {} has {cells} cells, and the header {} names{}",
                    grouped(self.breaks + breaks + 1),
                    self.form.names.len(),
                    hint(has_break)
                )
            }
            Wrong::Zero(breaks) => self.zero(breaks),
            Wrong::Torn(line) => unclosed(line),
            Wrong::Form(error) => {
                let rows = grouped((self.rows + row) as u64);
                format!("it cannot be read behind row {rows} ({error})")
            }
        }
    }

    /// The same for a row that is kept without values.
    fn fault(&self, wrong: Wrong) -> String {
        match wrong {
            Wrong::Cell(column, what) => self.form.in_column(column, &what),
            Wrong::Length(breaks, cells, has_break) => format!(
                "line {}: it has {cells} cells, and the header {} names{}",
                grouped(self.breaks + breaks + 1),
                self.form.names.len(),
                hint(has_break)
            ),
            Wrong::Zero(breaks) => self.zero(breaks),
            Wrong::Torn(line) => format!(
                "line {}: the quote that begins a cell is not closed; {CLOSE}",
                grouped(line)
            ),
            Wrong::Form(error) => error,
        }
    }

    fn zero(&self, breaks: u64) -> String {
        format!("line {}: {NUL}", grouped(self.breaks + breaks + 1))
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
            faults: self.faults,
            format: "CSV",
            ..Table::default()
        })
    }
}

impl Form<'_> {
    /// Whether a cell that is not left out has a byte 0.
    fn has_zero(&self, record: &ByteRecord) -> bool {
        let mut cells = self.kept.iter().filter_map(|&column| record.get(column));
        cells.any(|cell| cell.contains(&0))
    }

    /// A reason with the cell that it concerns; rows count from 0.
    fn at(&self, row: usize, column: usize, what: &str) -> String {
        let what = self.in_column(column, what);
        format!("row {}, {what}", grouped(row as u64 + 1))
    }

    /// A reason with the column that it concerns.
    fn in_column(&self, column: usize, what: &str) -> String {
        format!("column `{}`: {what}", self.names[column])
    }
}

impl Piece {
    /// Adds a row.
    fn row(&mut self, record: &ByteRecord, form: &Form<'_>) -> Option<Wrong> {
        for (known, &column) in self.known.iter_mut().zip(form.kept) {
            let cell = record.get(column).unwrap_or_default().trim_ascii();
            let word = match known {
                Some(_) if is_nothing(cell) => Ok(Some(MISSING)),
                Some(categories) => categories.number(cell).map(Some),
                None => number(cell),
            };
            match word {
                Ok(None) if form.keeps_faults => {
                    return Some(Wrong::Cell(column, no_number(cell)));
                }
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

    /// Adds a row without values in its `width` columns, whatever it has of them already.
    fn without_values(&mut self, wrong: Wrong, width: usize) {
        self.wrong.push((self.rows, wrong));
        self.words.truncate(self.rows * width);
        self.rows += 1;
        self.words.resize(self.rows * width, MISSING);
    }
}

/// What a user may have done, if a cell of a row with too many or too few has a line break.
fn hint(has_break: bool) -> &'static str {
    match has_break {
        true => "; a quote in it is not closed, perhaps",
        false => "",
    }
}

/// Why a text is a fault.
fn no_number(cell: &[u8]) -> String {
    /// Letters that are shown of a text.
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(cell);
    let shown = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    };
    format!("`{shown}` is no number, and training had numbers there")
}
