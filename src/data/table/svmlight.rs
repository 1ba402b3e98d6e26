//! The format of svmlight and libsvm: one line per row, labels and then the numbers that are not 0, as in
//! `1 3:0.5 7:2`.
//!
//! Several labels are separated by commas. `qid:` and everything after `#` are ignored. A first line of three whole
//! numbers, as in the extreme classification repository, gives rows, columns and labels.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader};

use super::Watch;
use super::bytes::Bytes;
use super::cells::{Cells, Column, Table, in_order};
use super::faults::Faults;
use super::how::How;
use super::scratch::Scratch;
use super::stored::StoredPairs;
use crate::words::grouped;

/// Maximum number of columns of a table: each has a name and a rule.
pub(super) const MOST_COLUMNS: usize = 50_000;

/// Whether the first row of a text, after comments, has this format.
pub(super) fn is_one(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let mut lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""));
    let row = lines.find(|line| !line.trim().is_empty() && header(line).is_none());
    row.is_some_and(|line| {
        let mut pairs = line
            .split_ascii_whitespace()
            .skip_while(|word| !word.contains(':'));
        let is_pair = |word: &str| {
            let (index, value) = word.split_once(':').unwrap_or_default();
            (index == "qid" || index.parse::<u32>().is_ok()) && value.parse::<f32>().is_ok()
        };
        let labels = line.split_ascii_whitespace().next().is_some_and(|word| {
            word.contains(':') || word.split(',').all(|label| label.parse::<f32>().is_ok())
        });
        // The last pair may be cut off.
        labels && pairs.next().is_some_and(is_pair)
    })
}

/// Rows, columns and labels, if the line states them.
fn header(line: &str) -> Option<[usize; 3]> {
    let numbers: Option<Vec<usize>> = line
        .split_ascii_whitespace()
        .map(|n| n.parse().ok())
        .collect();
    numbers?.try_into().ok()
}

/// Reads a table: one label per row becomes a column `label`, several (or if `labels` says so) become a column of 0 and
/// 1 each, such as `label 7`.
///
/// The file is read twice: the first time for its labels and the extent of its columns, which all rows depend on.
pub(super) fn read(bytes: &Bytes, how: How<'_>, watch: Watch<'_>) -> Result<Table, String> {
    let (mut survey, mut faults) = (Survey::default(), Faults::default());
    let sizes = lines(bytes, &|_, _| (), |number, line| {
        if !how.keeps_faults {
            return survey.add(line?);
        }
        let added = line.and_then(|line| check(line).and_then(|()| survey.add(line)));
        if let Err(why) = added {
            faults.add(survey.rows, || format!("line {}: {why}", grouped(number)));
            survey.rows += 1;
        }
        Ok(())
    })?;
    let layout = survey.layout(sizes, how.labels)?;
    // A row's place, and 8 bytes for each number.
    let words = 2 * (layout.rows as u64 + layout.pairs);
    let mut rows = match how.stream.of(words.saturating_mul(4))? {
        true => Rows::Stored(Scratch::new()?, vec![0]),
        false => Rows::memory(&layout)?,
    };
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    let mut row = 0;
    lines(bytes, watch, |_, line| {
        columns.clear();
        values.clear();
        if !faults.has(row) {
            layout.row(line?, &mut columns, &mut values)?;
        }
        row += 1;
        rows.add(&columns, &values)
    })?;
    Ok(Table {
        targets: (layout.width..layout.columns.len()).collect(),
        rows: layout.rows,
        columns: layout.columns,
        cells: rows.cells()?,
        faults,
        format: "svmlight",
        ..Table::default()
    })
}

/// Calls `see` with the number of each row's line and its text without comments, or why that is none, and returns the
/// sizes that a first line states. Errors name the line.
fn lines(
    bytes: &Bytes,
    watch: Watch<'_>,
    mut see: impl FnMut(u64, Result<&str, String>) -> Result<(), String>,
) -> Result<Option<[usize; 3]>, String> {
    /// Bytes between two reports of progress.
    const WATCHED: u64 = 4 << 20;
    let mut reader = BufReader::with_capacity(1 << 20, bytes.reader(0, u64::MAX));
    let (mut line, mut number, mut at, mut told) = (Vec::new(), 0u64, 0, 0);
    let (mut is_first, mut sizes) = (true, None);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        match read.map_err(|error| format!("it cannot be read ({error})"))? {
            0 => return Ok(sizes),
            count => at += count as u64,
        }
        number += 1;
        if at - told >= WATCHED || at == bytes.length() {
            told = at;
            watch(at, bytes.length());
        }
        let wrong = |reason| format!("line {}: {reason}", grouped(number));
        let text = std::str::from_utf8(&line).map_err(|_| "it is no text in UTF-8".to_owned());
        let text = text.map(|text| text.split('#').next().unwrap_or("").trim());
        if text == Ok("") {
            continue;
        }
        if std::mem::take(&mut is_first) {
            sizes = text.as_ref().ok().copied().and_then(header);
            if sizes.is_some() {
                continue;
            }
        }
        see(number, text).map_err(wrong)?;
    }
}

/// A row's labels and its pairs of a column and a number.
fn parts(
    line: &str,
) -> (
    impl Iterator<Item = &str>,
    impl DoubleEndedIterator<Item = &str>,
) {
    let is_pair = line
        .split_ascii_whitespace()
        .next()
        .is_some_and(|word| word.contains(':'));
    // A row without labels begins with its first pair.
    let (labels, pairs) = match is_pair {
        true => ("", line),
        false => line
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((line, "")),
    };
    let labels = labels.split(',').filter(|label| !label.is_empty());
    let pairs = pairs.split_ascii_whitespace();
    (labels, pairs.filter(|word| !word.starts_with("qid:")))
}

fn number(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(x) if x.is_finite() => Ok(x),
        _ => Err(format!("`{text}` is no finite number")),
    }
}

/// The column of a pair, and the text of its number.
fn pair(word: &str) -> Result<(u32, &str), String> {
    let (index, value) = word
        .split_once(':')
        .ok_or_else(|| format!("`{word}` is no pair of a column and a number, as in 3:0.5"))?;
    let index: u32 = index
        .parse()
        .map_err(|_| format!("`{index}` is no column's number"))?;
    match (index as usize) < MOST_COLUMNS {
        true => Ok((index, value)),
        false => Err(format!(
            "column {index} is past the {MOST_COLUMNS} that a table may have"
        )),
    }
}

/// The columns of pairs and their numbers, which have to stand in order.
fn in_columns<'a>(
    pairs: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = Result<(u32, f32), String>> {
    let mut last = None;
    pairs.map(move |word| {
        let (index, value) = pair(word)?;
        if last.is_some_and(|last| last >= index) {
            return Err(format!(
                "column {index} does not stand behind those of lower numbers"
            ));
        }
        last = Some(index);
        Ok((index, number(value)?))
    })
}

/// Whether a row can be used by itself.
fn check(line: &str) -> Result<(), String> {
    let (mut labels, pairs) = parts(line);
    labels.try_for_each(|label| number(label).map(drop))?;
    in_columns(pairs).try_for_each(|entry| entry.map(drop))
}

/// What all rows say together.
#[derive(Default)]
struct Survey {
    rows: usize,
    pairs: u64,
    least: Option<u32>,
    most: Option<u32>,
    /// The bits of all labels.
    labels: BTreeSet<u32>,
    /// Whether a row has another number of labels than one.
    several: bool,
}

impl Survey {
    fn add(&mut self, line: &str) -> Result<(), String> {
        let (labels, mut pairs) = parts(line);
        let mut count = 0;
        for label in labels {
            self.labels.insert(number(label)?.to_bits());
            count += 1;
        }
        // Columns stand in order: this is checked when the row is read.
        if let Some(first) = pairs.next() {
            let first = pair(first)?.0;
            let mut after = 0;
            let last = match pairs.inspect(|_| after += 1).last() {
                Some(last) => pair(last)?.0,
                None => first,
            };
            self.pairs += 1 + after;
            self.least = Some(self.least.unwrap_or(first).min(first));
            self.most = Some(self.most.unwrap_or(last).max(last));
        }
        self.rows += 1;
        self.several |= count != 1;
        self.pairs += count;
        Ok(())
    }

    /// The table that has these rows.
    fn layout(self, sizes: Option<[usize; 3]>, labels: bool) -> Result<Layout, String> {
        if let Some([count, ..]) = sizes
            && count != self.rows
        {
            return Err(format!(
                "its first line says {} rows, and it has {}; get it again",
                grouped(count as u64),
                grouped(self.rows as u64)
            ));
        }
        if self.rows == 0 {
            return Err("it has no rows".to_owned());
        }
        let said = sizes.map(|[_, columns, _]| columns);
        // libsvm counts columns from 1; files that state the number of columns, or have a column 0, count from 0.
        let least = match said {
            Some(_) => 0,
            None => self.least.unwrap_or(1).min(1),
        };
        let most = self.most.map_or(0, |most| most + 1 - least) as usize;
        let width = most.max(said.unwrap_or(0)).max(1);
        if width > MOST_COLUMNS {
            return Err(format!(
                "its {width} columns are more than the {MOST_COLUMNS} that a table may have"
            ));
        }
        let mut columns: Vec<Column> = (0..width)
            .map(|i| Column::numbers((i + least as usize).to_string()))
            .collect();
        let is_single = !labels && !self.several;
        let mut places = None;
        match is_single {
            true => columns.push(Column::numbers("label")),
            false => {
                let name = |bits: &u32| f32::from_bits(*bits).to_string();
                let (names, of) = in_order(self.labels.iter().map(name).collect());
                places = Some(self.labels.iter().copied().zip(of).collect());
                columns.extend(
                    names
                        .iter()
                        .map(|name| Column::numbers(format!("label {name}"))),
                );
            }
        }
        if columns.len() > MOST_COLUMNS {
            return Err(format!(
                "its {width} columns and {} labels are more than the {MOST_COLUMNS} that a table may have",
                columns.len() - width
            ));
        }
        Ok(Layout {
            rows: self.rows,
            pairs: self.pairs,
            least,
            width,
            columns,
            places,
        })
    }
}

/// The columns of a table, which all rows together decide.
struct Layout {
    rows: usize,
    pairs: u64,
    /// The number of the first column.
    least: u32,
    /// Number of columns before the labels.
    width: usize,
    columns: Vec<Column>,
    /// The place of each label, by its bits; `None` if there is one column for it.
    places: Option<HashMap<u32, u32>>,
}

impl Layout {
    /// Adds the columns of a row that are not 0, in order, and their values.
    fn row(&self, line: &str, columns: &mut Vec<u32>, values: &mut Vec<f32>) -> Result<(), String> {
        let (labels, pairs) = parts(line);
        for entry in in_columns(pairs) {
            let (index, value) = entry?;
            columns.push(index - self.least);
            values.push(value);
        }
        match &self.places {
            None => {
                for label in labels {
                    columns.push(self.width as u32);
                    values.push(number(label)?);
                }
            }
            Some(places) => {
                let mut own: BTreeSet<u32> = BTreeSet::new();
                for label in labels {
                    own.extend(places.get(&number(label)?.to_bits()));
                }
                columns.extend(own.iter().map(|place| self.width as u32 + place));
                values.extend(own.iter().map(|_| 1.0));
            }
        }
        Ok(())
    }
}

/// Rows that are being gathered.
enum Rows {
    Memory {
        starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f32>,
    },
    /// With how many pairs stand before each row.
    Stored(Scratch, Vec<u64>),
}

impl Rows {
    /// Memory for all of them.
    fn memory(layout: &Layout) -> Result<Self, String> {
        let (mut starts, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let pairs = usize::try_from(layout.pairs).unwrap_or(usize::MAX);
        (starts.try_reserve_exact(layout.rows.saturating_add(1)))
            .and_then(|()| columns.try_reserve_exact(pairs))
            .and_then(|()| values.try_reserve_exact(pairs))
            .map_err(|_| "its cells are larger than the memory".to_owned())?;
        starts.push(0);
        Ok(Rows::Memory {
            starts,
            columns,
            values,
        })
    }

    fn add(&mut self, own: &[u32], numbers: &[f32]) -> Result<(), String> {
        match self {
            Rows::Memory {
                starts,
                columns,
                values,
            } => {
                columns.extend_from_slice(own);
                values.extend_from_slice(numbers);
                starts.push(columns.len());
                Ok(())
            }
            Rows::Stored(file, starts) => {
                let before = starts.last().copied().unwrap_or(0);
                starts.push(before + own.len() as u64);
                file.add(bytemuck::cast_slice(own))?;
                file.add(bytemuck::cast_slice(numbers))
            }
        }
    }

    fn cells(self) -> Result<Cells, String> {
        Ok(match self {
            Rows::Memory {
                starts,
                columns,
                values,
            } => Cells::Sparse {
                starts,
                columns,
                values,
            },
            Rows::Stored(file, starts) => {
                let bytes = file.done()?;
                Cells::Stored {
                    stored: Box::new(StoredPairs { bytes, starts }),
                    sparse: true,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::Row;
    use super::super::stored::Stream;
    use super::*;

    fn read(text: &[u8], labels: bool) -> Result<Table, String> {
        let how = How {
            labels,
            ..How::default()
        };
        let table = |how| super::read(&Bytes::memory(text.to_vec()), how, &|_, _| ());
        let (in_memory, stored) = (
            table(how)?,
            table(How {
                stream: Stream::Always,
                ..how
            })?,
        );
        assert!(stored.is_stored() && !in_memory.is_stored());
        let rows = |table: &Table| -> Vec<(Vec<u32>, Vec<f32>)> {
            let mut rows = Vec::new();
            let see = |_: u32, row: Row<'_>| match row {
                Row::Sparse(columns, values) => rows.push((columns.to_vec(), values.to_vec())),
                Row::Dense(_) => panic!("dense"),
            };
            table.each(0..table.rows as u32, see).unwrap();
            rows
        };
        assert_eq!(rows(&in_memory), rows(&stored));
        Ok(in_memory)
    }

    #[test]
    fn a_label_or_several_and_the_numbers_that_are_not_zero() {
        let text = b"# from a paper\n-1 1:0.5 3:2 # first\n+1 qid:7 2:-1e-1\n";
        assert!(is_one(text));
        let table = read(text, false).unwrap();
        assert_eq!(
            (table.rows, table.columns.len(), &table.targets[..]),
            (2, 4, &[3][..])
        );
        let words = |row: usize| {
            [0, 1, 2, 3].map(|c| f32::from_bits(table.row(row, |row| row.word(c)).unwrap()))
        };
        assert_eq!(words(0), [0.5, 0.0, 2.0, -1.0]);
        assert_eq!(words(1), [0.0, -0.1, 0.0, 1.0]);
        let text = b"3 4 12\n10,2 0:1 3:2\n 1:1\n2 1:3\n";
        assert!(is_one(text));
        let table = read(text, false).unwrap();
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["0", "1", "2", "3", "label 2", "label 10"]);
        let labels =
            |row: usize| [4, 5].map(|c| f32::from_bits(table.row(row, |row| row.word(c)).unwrap()));
        assert_eq!(
            [labels(0), labels(1), labels(2)],
            [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
        );
    }

    #[test]
    fn rows_that_cannot_be_used_are_kept_without_values() {
        let text = b"1 1:2\n1 3:1 2:1 # late\n# none\n0 1:x 2:1\n2 9:1\n\xff 1:1\nb 1:1\n1 1:1 2:inf 3:1\n1 99999999:2\n3 2:4\n";
        let how = How {
            keeps_faults: true,
            ..How::default()
        };
        let table = super::read(&Bytes::memory(text.to_vec()), how, &|_, _| ()).unwrap();
        let words = |row: usize| {
            table
                .row(row, |row| [0, 1, 8, 9].map(|c| row.word(c)))
                .unwrap()
        };
        let bits = |numbers: [f32; 4]| numbers.map(f32::to_bits);
        // Columns 1 to 9 and the label.
        assert_eq!((table.rows, table.columns.len()), (9, 10));
        assert_eq!(words(0), bits([2.0, 0.0, 0.0, 1.0]));
        assert_eq!(words(3), bits([0.0, 0.0, 1.0, 2.0]));
        assert_eq!(words(8), bits([0.0, 4.0, 0.0, 3.0]));
        assert_eq!(words(1), [0; 4]);
        let expected = [
            (1, "line 2: column 2 does not stand behind"),
            (2, "line 4: `x` is no finite number"),
            (4, "line 6: it is no text in UTF-8"),
            (5, "line 7: `b` is no finite number"),
            (6, "line 8: `inf` is no finite number"),
            (7, "line 9: column 99999999 is past"),
        ];
        let faults = table.faults.into_map();
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (row, part) in expected {
            assert!(faults[&row].starts_with(part), "{faults:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        for (text, part) in [
            (
                "1 1:2\n1 3:1 2:1\n",
                "line 2: column 2 does not stand behind",
            ),
            ("1 1:x\n", "line 1: `x` is no finite number"),
            ("1 1:2 3\n", "line 1: `3` is no pair"),
            ("a 1:2\n", "line 1: `a` is no finite number"),
            ("1 99999999:2\n", "line 1: column 99999999 is past"),
            ("2 4 5\n1 1:2\n", "says 2 rows, and it has 1"),
            ("\n# nothing\n", "no rows"),
        ] {
            let error = read(text.as_bytes(), false).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(!is_one(b"a,b\n1,2\n") && !is_one(b"time,x\n10:30,2\n"));
    }
}
