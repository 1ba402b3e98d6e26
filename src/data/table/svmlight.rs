//! The format of svmlight and libsvm: one line per row, labels and then the numbers that are not 0, as in
//! `1 3:0.5 7:2`.
//!
//! Several labels are separated by commas. `qid:` and everything after `#` are ignored. A first line of three whole
//! numbers, as in the extreme classification repository, gives rows, columns and labels.

use std::collections::{BTreeSet, HashMap};

use super::cells::{Cells, Column, Table, in_order};
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
pub(super) fn read(bytes: &[u8], labels: bool) -> Result<Table, String> {
    let mut rows = Rows::default();
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())?;
    let mut sizes = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        if rows.labels.is_empty() && sizes.is_none() && header(line).is_some() {
            sizes = header(line);
            continue;
        }
        rows.add(line)
            .map_err(|reason| format!("line {}: {reason}", grouped(number as u64 + 1)))?;
    }
    if let Some([count, ..]) = sizes
        && count != rows.labels.len()
    {
        return Err(format!(
            "its first line says {} rows, and it has {}; get it again",
            grouped(count as u64),
            grouped(rows.labels.len() as u64)
        ));
    }
    rows.table(sizes.map(|[_, columns, _]| columns), labels)
}

/// The rows read so far.
#[derive(Default)]
struct Rows {
    labels: Vec<Vec<f32>>,
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    fn add(&mut self, line: &str) -> Result<(), String> {
        let number = |text: &str| match text.parse::<f32>() {
            Ok(x) if x.is_finite() => Ok(x),
            _ => Err(format!("`{text}` is no finite number")),
        };
        let mut words = line.split_ascii_whitespace().peekable();
        // A row without labels begins with its first pair.
        let labels = words.next_if(|word| !word.contains(':')).unwrap_or("");
        let labels = labels.split(',').filter(|label| !label.is_empty());
        self.starts.push(self.columns.len());
        let mut last = None;
        for word in words {
            let (index, value) = word.split_once(':').ok_or_else(|| {
                format!("`{word}` is no pair of a column and a number, as in 3:0.5")
            })?;
            if index == "qid" {
                continue;
            }
            let index: u32 = index
                .parse()
                .map_err(|_| format!("`{index}` is no column's number"))?;
            if index as usize >= MOST_COLUMNS {
                return Err(format!(
                    "column {index} is past the {MOST_COLUMNS} that a table may have"
                ));
            }
            if last.is_some_and(|last| last >= index) {
                return Err(format!(
                    "column {index} does not stand behind those of lower numbers"
                ));
            }
            last = Some(index);
            self.columns.push(index);
            self.values.push(number(value)?);
        }
        self.labels
            .push(labels.map(number).collect::<Result<_, _>>()?);
        Ok(())
    }

    fn table(mut self, said: Option<usize>, labels: bool) -> Result<Table, String> {
        if self.labels.is_empty() {
            return Err("it has no rows".to_owned());
        }
        self.starts.push(self.columns.len());
        // libsvm counts columns from 1; files that state the number of columns, or have a column 0, count from 0.
        let least = match said {
            Some(_) => 0,
            None => self.columns.iter().copied().min().unwrap_or(1).min(1),
        };
        let most = self
            .columns
            .iter()
            .copied()
            .max()
            .map_or(0, |most| most + 1 - least) as usize;
        let width = most.max(said.unwrap_or(0)).max(1);
        if width > MOST_COLUMNS {
            return Err(format!(
                "its {width} columns are more than the {MOST_COLUMNS} that a table may have"
            ));
        }
        let mut columns: Vec<Column> = (0..width)
            .map(|i| Column::numbers((i + least as usize).to_string()))
            .collect();
        let single = !labels && self.labels.iter().all(|labels| labels.len() == 1);
        let names: Vec<String> = match single {
            true => Vec::new(),
            false => {
                let all: BTreeSet<u32> =
                    self.labels.iter().flatten().map(|x| x.to_bits()).collect();
                let names = all.into_iter().map(|bits| f32::from_bits(bits).to_string());
                in_order(names.collect()).0
            }
        };
        match single {
            true => columns.push(Column::numbers("label")),
            false => columns.extend(
                names
                    .iter()
                    .map(|name| Column::numbers(format!("label {name}"))),
            ),
        }
        if columns.len() > MOST_COLUMNS {
            return Err(format!(
                "its {width} columns and {} labels are more than the {MOST_COLUMNS} that a table may have",
                names.len()
            ));
        }
        let known: HashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(place, name)| (name.as_str(), place))
            .collect();
        let (mut starts, mut places, mut values) = (vec![0], Vec::new(), Vec::new());
        for (row, labels) in self.labels.iter().enumerate() {
            let range = self.starts[row]..self.starts[row + 1];
            places.extend(
                self.columns[range.clone()]
                    .iter()
                    .map(|column| column - least),
            );
            values.extend_from_slice(&self.values[range]);
            if single {
                places.push(width as u32);
                values.push(labels[0]);
            } else {
                let place = |label: &f32| known.get(label.to_string().as_str()).copied();
                let of_row: BTreeSet<usize> = labels.iter().filter_map(place).collect();
                places.extend(of_row.iter().map(|&place| (width + place) as u32));
                values.extend(of_row.iter().map(|_| 1.0));
            }
            starts.push(places.len());
        }
        Ok(Table {
            targets: (width..columns.len()).collect(),
            columns,
            rows: self.labels.len(),
            cells: Cells::Sparse {
                starts,
                columns: places,
                values,
            },
            format: "svmlight",
            ..Table::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_or_several_and_the_numbers_that_are_not_zero() {
        let text = b"# from a paper\n-1 1:0.5 3:2 # first\n+1 qid:7 2:-1e-1\n";
        assert!(is_one(text));
        let table = read(text, false).unwrap();
        assert_eq!(
            (table.rows, table.columns.len(), &table.targets[..]),
            (2, 4, &[3][..])
        );
        let words = |row: usize| [0, 1, 2, 3].map(|c| f32::from_bits(table.row(row).word(c)));
        assert_eq!(words(0), [0.5, 0.0, 2.0, -1.0]);
        assert_eq!(words(1), [0.0, -0.1, 0.0, 1.0]);
        let text = b"3 4 12\n10,2 0:1 3:2\n 1:1\n2 1:3\n";
        assert!(is_one(text));
        let table = read(text, false).unwrap();
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["0", "1", "2", "3", "label 2", "label 10"]);
        let labels = |row: usize| [4, 5].map(|c| f32::from_bits(table.row(row).word(c)));
        assert_eq!(
            [labels(0), labels(1), labels(2)],
            [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
        );
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
