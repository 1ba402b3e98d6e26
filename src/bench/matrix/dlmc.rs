//! The Deep Learning Matrix Collection's format: a line with rows, columns and entries; the row offsets; the column
//! indices.
//! <https://github.com/google-research/google-research/tree/master/sgk>

use super::entries::Entries;
use super::parsing::{Fault, admit, drawn, whole};

/// Reads the text of a file. It has no values; they are drawn.
pub(super) fn parse(text: &str) -> Result<Entries, Fault> {
    let mut lines = text.lines();
    let mut line = || words(lines.next().unwrap_or(""));
    let mut sizes = line();
    let rows: usize = whole(sizes.next(), 1, "the number of rows")?;
    let cols: usize = whole(sizes.next(), 1, "the number of columns")?;
    let count: usize = whole(sizes.next(), 1, "the number of entries")?;
    if sizes.next().is_some() {
        let reason = "has more than \"rows, columns, entries\", with which such a file begins";
        return Err(Fault::new(1, reason));
    }
    admit(rows, cols, 1)?;
    let offsets = numbers(line(), 2, rows + 1, "row offset")?;
    let columns = numbers(line(), 3, count, "column index")?;
    if let Some(rest) = lines.position(|line| !line.trim().is_empty()) {
        return Err(Fault::new(
            4 + rest,
            "the file should end after the column indices",
        ));
    }
    let ends = (offsets[0], offsets[rows]);
    if ends != (0, count) {
        let reason = format!(
            "the row offsets go from {} to {}, and not from 0 to {count}",
            ends.0, ends.1
        );
        return Err(Fault::new(2, reason));
    }
    let mut entries = Vec::with_capacity(count);
    for (row, span) in offsets.windows(2).enumerate() {
        if span[0] > span[1] || span[1] > count {
            let reason = format!(
                "row {row} would begin at entry {} and end at {}",
                span[0], span[1]
            );
            return Err(Fault::new(2, reason));
        }
        let mut sorted = columns[span[0]..span[1]].to_vec();
        sorted.sort_unstable();
        if let Some(&beyond) = sorted.last().filter(|&&col| col >= cols) {
            let reason =
                format!("row {row} has column {beyond}, and there are {cols}, counted from 0");
            return Err(Fault::new(3, reason));
        }
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Fault::new(
                3,
                format!("row {row} has column {} twice", twice[0]),
            ));
        }
        for col in sorted {
            entries.push((row as u32, col as u32, drawn(entries.len())));
        }
    }
    Ok(Entries {
        rows,
        cols,
        entries,
    })
}

/// The words between commas or blanks.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c == ',' || c.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
}

/// Exactly `count` numbers.
fn numbers<'a>(
    words: impl Iterator<Item = &'a str>,
    line: usize,
    count: usize,
    what: &str,
) -> Result<Vec<usize>, Fault> {
    let mut found = Vec::new();
    for word in words {
        if found.len() == count {
            return Err(Fault::new(
                line,
                format!("has more than {count} times a {what}"),
            ));
        }
        found.push(whole(Some(word), line, what)?);
    }
    match found.len() == count {
        true => Ok(found),
        false => {
            let reason = format!(
                "has {} times a {what}, and should have {count}",
                found.len()
            );
            Err(Fault::new(line, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_brought_into_order() {
        let found = parse("3, 4, 3\n0 2 2 3\n3 1 0\n\n").unwrap();
        assert_eq!((found.rows, found.cols), (3, 4));
        let pairs: Vec<_> = found.entries.iter().map(|e| (e.0, e.1)).collect();
        assert_eq!(pairs, [(0, 1), (0, 3), (2, 0)]);
        assert!(found.entries.iter().all(|e| (-1.0..1.0).contains(&e.2)));
        assert!(parse("2 2 0\n0 0 0\n\n").unwrap().entries.is_empty());
        assert!(parse("2 2 0\n0 0 0").unwrap().entries.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let says = |text: &str, line: usize, reason: &str| {
            let fault = parse(text).err().unwrap();
            assert_eq!(fault.line, line, "{fault:?}");
            assert!(fault.reason.contains(reason), "{fault:?}");
        };
        says("", 1, "the number of rows is missing");
        says("3, 4", 1, "the number of entries is missing");
        says("3, 4, x\n", 1, "the number of entries is \"x\"");
        says("3, 4, 1, 1\n", 1, "more than \"rows");
        says("0, 4, 1\n0\n", 1, "has no entries");
        says("99999999999, 4, 1\n0\n", 1, "too large");
        says("2, 4, 1\n0 1\n0\n", 2, "should have 3");
        says("2, 4, 1\n0 1 1 1\n0\n", 2, "more than 3");
        says("2, 4, 1\n0 -1 1\n0\n", 2, "row offset is \"-1\"");
        says("2, 4, 2\n0 1 1\n0 1\n", 2, "from 0 to 1");
        says("2, 4, 2\n1 1 2\n0 1\n", 2, "from 1 to 2");
        says(
            "3, 4, 2\n0 2 1 2\n0 1\n",
            2,
            "begin at entry 2 and end at 1",
        );
        says(
            "3, 4, 2\n0 3 3 2\n0 1\n",
            2,
            "begin at entry 0 and end at 3",
        );
        says("2, 4, 2\n0 1 2\n0\n", 3, "should have 2");
        says("2, 4, 2\n0 1 2\n0 4\n", 3, "has column 4");
        says("2, 4, 2\n0 2 2\n1 1\n", 3, "column 1 twice");
        says("2, 4, 2\n0 2 2\n0 1\n7\n", 4, "should end");
    }
}
