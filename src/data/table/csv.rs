//! CSV files: a line of names, then rows of numbers and texts.
//!
//! Cells are parsed as they are read, into 32 bits each. A column holds numbers until a text is met in it; then the
//! file is read once more, with that column holding texts, whose cells are the numbers of its categories.

use std::collections::BTreeSet;
use std::io::{self, Read};

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Trim};

use super::Watch;
use super::cell::{Categories, is_nothing, number};
use super::cells::{Cells, Column, MISSING, Table, in_order};
use crate::engine::host_memory;
use crate::words::grouped;

/// Number of rows after which the size of the whole table is estimated, and after which a text no longer restarts the
/// reading at once.
const FIRST_ROWS: usize = 1000;
/// Rows between two progress reports.
const WATCHED: usize = 4096;

/// Reads a table of about `bytes` bytes. `texts` are columns of texts, whatever they contain; those of `ignore` are not
/// looked at. The text of an error is a reason that fits after the file's name.
pub(super) fn read(
    open: &dyn Fn() -> io::Result<Box<dyn Read>>,
    bytes: u64,
    texts: &[String],
    ignore: &[String],
    watch: Watch<'_>,
) -> Result<Table, String> {
    let start = || open().map_err(|error| format!("it cannot be read ({error})"));
    let delimiter = delimiter(start()?)?;
    let reader = || -> Result<Reader<Box<dyn Read>>, String> {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).trim(Trim::Headers);
        Ok(builder.buffer_capacity(1 << 18).from_reader(start()?))
    };
    let names = names(&mut reader()?)?;
    let kept: Vec<usize> = (0..names.len())
        .filter(|&column| !ignore.contains(&names[column]))
        .collect();
    let of_text = |&column: &usize| texts.contains(&names[column]);
    let mut of_text: BTreeSet<usize> = kept.iter().copied().filter(of_text).collect();
    // Each round adds a column of texts.
    loop {
        match Pass::new(&names, &kept, &of_text).run(reader()?, bytes, watch)? {
            Passed::Whole(mut table) => {
                let left_out = names.iter().filter(|name| ignore.contains(name));
                table.left_out = left_out.cloned().collect();
                return Ok(table);
            }
            Passed::Texts(more) => of_text.extend(more),
        }
    }
}

/// The separator of cells: whichever of comma, semicolon, tab and bar occurs most often in the first line.
fn delimiter(start: Box<dyn Read>) -> Result<u8, String> {
    const MOST: u64 = 1 << 20;
    let mut head = Vec::new();
    (start.take(MOST).read_to_end(&mut head)).map_err(|e| format!("it cannot be read ({e})"))?;
    let (mut quoted, mut counts) = (false, [0usize; 4]);
    const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];
    for &byte in &head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if !quoted => {
                if let Some(at) = KNOWN.iter().position(|&known| known == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = (0..KNOWN.len()).rev().max_by_key(|&at| counts[at]);
    Ok(KNOWN[most.unwrap_or(0)])
}

/// The names of the columns.
fn names(reader: &mut Reader<Box<dyn Read>>) -> Result<Vec<String>, String> {
    let header = reader.byte_headers().map_err(|error| wrong(&error, 0))?;
    let mut names = Vec::with_capacity(header.len());
    for (column, name) in header.iter().enumerate() {
        let name = std::str::from_utf8(name)
            .map_err(|_| "its first line is no text in UTF-8; is it the right file?".to_owned())?;
        names.push(match name.is_empty() {
            true => format!("column {}", column + 1),
            false => name.to_owned(),
        });
    }
    let numbers = names.iter().filter(|name| name.parse::<f64>().is_ok());
    if names.is_empty() || 2 * numbers.count() > names.len() {
        return Err(
            "its first line is no header: put a line with the names of the columns before the rows"
                .to_owned(),
        );
    }
    let mut known = BTreeSet::new();
    match names.iter().find(|name| !known.insert(*name)) {
        Some(twice) => Err(format!("it has two columns `{twice}`; rename one")),
        None => Ok(names),
    }
}

/// The outcome of a pass over the file.
enum Passed {
    Whole(Table),
    /// Columns that contain texts and were taken for numbers.
    Texts(BTreeSet<usize>),
}

/// One pass over the rows.
struct Pass<'a> {
    names: &'a [String],
    kept: &'a [usize],
    /// For each kept column of texts, those met so far.
    known: Vec<Option<Categories>>,
    words: Vec<u32>,
    rows: usize,
    texts: BTreeSet<usize>,
}

impl<'a> Pass<'a> {
    fn new(names: &'a [String], kept: &'a [usize], of_text: &BTreeSet<usize>) -> Self {
        let categories = |column| of_text.contains(column).then(Categories::default);
        Self {
            names,
            kept,
            known: kept.iter().map(categories).collect(),
            words: Vec::new(),
            rows: 0,
            texts: BTreeSet::new(),
        }
    }

    fn run(
        mut self,
        mut reader: Reader<Box<dyn Read>>,
        bytes: u64,
        watch: Watch<'_>,
    ) -> Result<Passed, String> {
        let mut record = ByteRecord::new();
        loop {
            let more = reader.read_byte_record(&mut record);
            if !more.map_err(|error| wrong(&error, self.rows))? {
                break;
            }
            self.row(&record)?;
            if self.rows.is_multiple_of(WATCHED) {
                watch(reader.position().byte(), bytes);
            }
            if self.rows == FIRST_ROWS {
                self.reserve(bytes, reader.position().byte())?;
            }
            if self.rows <= FIRST_ROWS && !self.texts.is_empty() {
                return Ok(Passed::Texts(self.texts));
            }
        }
        match self.texts.is_empty() {
            true => self.table().map(Passed::Whole),
            false => Ok(Passed::Texts(self.texts)),
        }
    }

    fn row(&mut self, record: &ByteRecord) -> Result<(), String> {
        self.rows += 1;
        for (place, &column) in self.kept.iter().enumerate() {
            let cell = record.get(column).unwrap_or_default().trim_ascii();
            let word = match &mut self.known[place] {
                Some(_) if is_nothing(cell) => Some(MISSING),
                Some(categories) => Some(categories.number(cell).map_err(|what| {
                    let (row, name) = (grouped(self.rows as u64), &self.names[column]);
                    format!("row {row}, column `{name}`: {what}")
                })?),
                None => number(cell).map_err(|what| {
                    let (row, name) = (grouped(self.rows as u64), &self.names[column]);
                    format!("row {row}, column `{name}`: {what}")
                })?,
            };
            if word.is_none() {
                self.texts.insert(column);
            }
            self.words.push(word.unwrap_or(MISSING));
        }
        Ok(())
    }

    /// Allocates memory for all rows, estimated from the length of the first ones, or says that there is not enough.
    fn reserve(&mut self, bytes: u64, read: u64) -> Result<(), String> {
        let share = bytes as f64 / read.max(1) as f64;
        // Rows differ in length; the excess is freed.
        let cells = (self.words.len() as f64 * share * 1.05) as u64;
        let (needed, free) = (cells.saturating_mul(4), host_memory::available());
        if free.is_some_and(|free| needed > free) {
            return Err(too_large(self.kept.len(), needed, free.unwrap_or(0)));
        }
        let more = usize::try_from(cells).unwrap_or(usize::MAX);
        (self
            .words
            .try_reserve_exact(more.saturating_sub(self.words.len())))
        .map_err(|_| too_large(self.kept.len(), needed, free.unwrap_or(0)))
    }

    fn table(self) -> Result<Table, String> {
        let (width, mut words) = (self.kept.len(), self.words);
        let mut columns = Vec::with_capacity(width);
        for (place, (&column, known)) in self.kept.iter().zip(self.known).enumerate() {
            let mut categories = None;
            if let Some(Categories { names, .. }) = known {
                let (names, places) = in_order(names);
                for word in words.iter_mut().skip(place).step_by(width) {
                    if *word != MISSING {
                        *word = places[*word as usize];
                    }
                }
                categories = Some(names);
            }
            columns.push(Column {
                name: self.names[column].clone(),
                categories,
            });
        }
        words.shrink_to_fit();
        Ok(Table {
            columns,
            rows: self.rows,
            cells: Cells::Dense(words),
            format: "CSV",
            ..Table::default()
        })
    }
}

/// The reason for refusing a table that is larger than the memory.
fn too_large(columns: usize, needed: u64, free: u64) -> String {
    format!(
        "its cells take about {} bytes (4 for each, {columns} columns), and this machine has {} bytes of free memory; \
         leave columns out, or split the file",
        grouped(needed),
        grouped(free)
    )
}

/// What is wrong with the form of a file.
fn wrong(error: &::csv::Error, rows: usize) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.as_ref().map_or(rows as u64 + 2, |pos| pos.line());
            format!(
                "line {} has {len} cells, and the header {expected_len} names",
                grouped(line)
            )
        }
        _ => format!("it cannot be read behind row {rows} ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::MOST_CATEGORIES;
    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        let bytes = text.as_bytes().to_vec();
        let open = || Ok(Box::new(io::Cursor::new(bytes.clone())) as Box<dyn Read>);
        read(
            &open,
            text.len() as u64,
            &[],
            &["id".to_owned()],
            &|_, _| (),
        )
    }

    #[test]
    fn numbers_and_texts_are_found_out() {
        let text = "a;id;city;b\n1.5;x;Rome;1\n-2e3;y;\"A; b\";?\n;z;Rome;3,5\n";
        let table = table(text).unwrap();
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["a", "city", "b"]);
        assert_eq!(table.left_out, ["id"]);
        assert_eq!(table.columns[0].categories, None);
        let cities = table.columns[1].categories.as_deref().unwrap();
        assert_eq!(cities, ["A; b", "Rome"]);
        // A text in the last row makes the whole column one of texts, including its numbers.
        assert_eq!(
            table.columns[2].categories.as_deref().unwrap(),
            ["1", "3,5"]
        );
        let Cells::Dense(words) = &table.cells else {
            panic!("{table:?}")
        };
        let [a, b] = [1.5f32, -2e3].map(f32::to_bits);
        assert_eq!(words, &[a, 1, 0, b, 0, MISSING, MISSING, 1, 1]);
    }

    #[test]
    fn a_text_behind_many_numbers_is_one_of_a_category() {
        let mut text = "x,y\n".to_owned();
        for row in 0..2 * FIRST_ROWS {
            text += &format!("{},{}\n", row % 7, row % 2);
        }
        text += "n,1\n";
        let table = table(&text).unwrap();
        assert_eq!(
            (
                table.rows,
                table.columns[0].categories.as_ref().unwrap().len()
            ),
            (2001, 8)
        );
        assert_eq!(table.text(0, table.row(2000).word(0)), "n");
        assert_eq!(table.text(1, table.row(1999).word(1)), "1");
    }

    #[test]
    fn what_is_no_table_is_refused_by_its_place() {
        for (text, part) in [
            ("", "no header"),
            ("1,2,3\n4,5,6\n", "no header"),
            ("a,b,a\n1,2,3\n", "two columns `a`"),
            (
                "a,b\n1,2\n3\n",
                "line 3 has 1 cells, and the header 2 names",
            ),
            (
                "a,b\n1,2\n3,1e99\n",
                "row 2, column `b`: 1e99 is no finite number",
            ),
            ("a,b\n1,inf\n", "row 1, column `b`"),
        ] {
            let error = table(text).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        let many: String = (0..=MOST_CATEGORIES)
            .map(|row| format!("t{row},1\n"))
            .collect();
        let error = table(&("a,b\n".to_owned() + &many)).unwrap_err();
        assert!(
            error.contains("row 10,001, column `a`: `t10000` is one text more"),
            "{error}"
        );
        let error = table("a,b\nx,1\n\u{e9},2\n").map(|_| ());
        assert_eq!(error, Ok(()));
    }

    /// Prints how fast a million rows are read, beside the speed of the bare parser that yields bytes:
    /// `cargo test --release --lib a_million_rows -- --ignored --nocapture`.
    #[test]
    #[ignore = "80 MB, for its time"]
    fn a_million_rows_are_read_at_the_parsers_speed() {
        use std::fmt::Write;
        let mut text = "a,b,c,d,e,f,g,h,i,city\n".to_owned();
        for row in 0..1_000_000u64 {
            let x = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            for column in 0..9 {
                let x = (x + column * 7919) % 1_000_003;
                write!(text, "{}.{:03},", x / 1000, x % 1000).unwrap();
            }
            writeln!(text, "{}", ["Rome", "Oslo", "Bern"][x as usize % 3]).unwrap();
        }
        let bytes: &'static [u8] = Vec::leak(text.into_bytes());
        let open = || Ok(Box::new(bytes) as Box<dyn Read>);
        let speed =
            |began: std::time::Instant| bytes.len() as f64 / 1e6 / began.elapsed().as_secs_f64();
        for _ in 0..3 {
            let began = std::time::Instant::now();
            let mut reader = ReaderBuilder::new().from_reader(bytes);
            let (mut record, mut rows) = (ByteRecord::new(), 0);
            while reader.read_byte_record(&mut record).unwrap() {
                rows += 1;
            }
            let alone = speed(began);
            let began = std::time::Instant::now();
            let table = read(&open, bytes.len() as u64, &[], &[], &|_, _| ()).unwrap();
            println!(
                "the parser alone {alone:.0} MB/s, into cells {:.0} MB/s",
                speed(began)
            );
            assert_eq!((table.rows, rows), (1_000_000, 1_000_000));
        }
    }
}
