//! The format of svmlight and libsvm: one line per row, labels and then the numbers that are not 0, as in
//! `1 3:0.5 7:2`.
//!
//! Several labels are separated by commas. `qid:` and everything after `#` are ignored. A first line of three whole
//! numbers, as in the extreme classification repository, gives rows, columns and labels.
//!
//! | file in `svmlight/` | job |
//! |---|---|
//! | `recognise.rs` | whether a text has this format |
//! | `lines.rs`, `row.rs` | from bytes to the lines that are rows; the text of a row |
//! | `survey.rs`, `layout.rs` | what all rows say together; the columns of the table that follow from it |
//! | `gathered.rs` | the rows that were read so far |

mod gathered;
mod layout;
mod lines;
mod recognise;
mod row;
mod survey;

use super::Watch;
use super::bytes::Bytes;
use super::cells::Table;
use super::faults::Faults;
use super::how::How;
use super::scratch::Scratch;
use crate::words::grouped;
use gathered::Gathered;
use lines::lines;
pub(super) use recognise::guess;
use row::check;
use survey::Survey;

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
        true => Gathered::Stored(Scratch::new()?, vec![0]),
        false => Gathered::memory(&layout)?,
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
            ("1 1:2\n1 1:\0\n", "line 2: it has a byte 0"),
            ("1 1:2 3\n", "line 1: `3` is no pair"),
            ("a 1:2\n", "line 1: `a` is no finite number"),
            ("1 99999999:2\n", "line 1: column 99999999 is past"),
            ("2 4 5\n1 1:2\n", "says 2 rows, and it has 1"),
            ("\n# nothing\n", "no rows"),
        ] {
            let error = read(text.as_bytes(), false).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
