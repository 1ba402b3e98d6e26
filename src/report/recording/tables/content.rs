//! The contents of a table's file, with damaged rows separated from good ones.

use std::io;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord};
use csv_core::ReadRecordResult;

use super::order::Disorder;
use super::row::Row;
use crate::files;
use crate::{Error, Result};

/// What follows the last line end and is not a whole row.
struct Torn {
    /// Its line, counted from 1.
    line: usize,
    /// Its step, if it got that far.
    step: Option<u64>,
}

/// The rows of a file, and which of its lines are not rows.
pub(super) struct Content<R> {
    path: PathBuf,
    /// The rows that can be read, in order.
    pub rows: Vec<R>,
    /// Lines that are damaged, counted from 1.
    pub damaged: Vec<usize>,
    torn: Option<Torn>,
    disorder: Disorder,
}

impl<R: Row> Content<R> {
    /// Reads a file; a missing one is empty. A last line without a line end counts if it is a whole row. Otherwise it
    /// is being written right now, or was when the process died, and is left out.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = files::read_if_there(path, files::Most::TABLE)?.unwrap_or_default();
        Ok(Self::of_file(path, &bytes))
    }

    fn of_file(path: &Path, bytes: &[u8]) -> Self {
        let whole = whole_lines(bytes);
        let torn = match &bytes[whole..] {
            [] => None,
            rest => torn::<R>(&bytes[..whole], rest),
        };
        let mut content = match torn {
            Some(_) => Self::of(path, &bytes[..whole]),
            None => Self::of(path, bytes),
        };
        // Without a whole line, this is a header being written, or something that no run wrote.
        let text = |own: &StringRecord| own.iter().collect::<Vec<_>>().join(",");
        let begins = headers::<R>()
            .iter()
            .any(|own| text(own).as_bytes().starts_with(bytes));
        match whole {
            0 if !begins => content.damaged.push(1),
            0 => {}
            _ => content.torn = torn,
        }
        content
    }

    pub(super) fn of(path: &Path, bytes: &[u8]) -> Self {
        let mut content = Self {
            path: path.to_owned(),
            rows: Vec::new(),
            damaged: Vec::new(),
            torn: None,
            disorder: Disorder::default(),
        };
        if bytes.is_empty() {
            return content;
        }
        let mut reader = csv::Reader::from_reader(bytes);
        let own = headers::<R>();
        // A missing column would be read as its default, so a damaged header must not be accepted.
        let known = reader.headers().is_ok_and(|header| fits(header, &own));
        match reader.deserialize().collect::<Result<Vec<R>, csv::Error>>() {
            Ok(rows) if known && rows.iter().all(R::is_possible) => content.rows = rows,
            _ => content.read_lines(bytes, &own),
        }
        content.disorder = Disorder::mend(&mut content.rows);
        content
    }

    /// Leaves out rows up to step `keep` of epochs that were not done by then.
    pub fn bound(&mut self, keep: u64, epochs: u32) {
        self.disorder.bound(&mut self.rows, keep, epochs);
    }

    /// Counts the remainder of a last line as damage, unless its step is past `keep`: that one will be written again.
    pub fn tell_torn(&mut self, keep: u64) {
        if let Some(torn) = &self.torn
            && torn.step.is_none_or(|step| step <= keep)
        {
            self.damaged.push(torn.line);
        }
    }

    /// Reads line by line, so that a stray quote or a lost line end costs only the lines that it is in.
    fn read_lines(&mut self, bytes: &[u8], own: &[StringRecord]) {
        let mut header = own[0].clone();
        let mut parser = csv_core::Reader::new();
        for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let found = record(&mut parser, line);
            if index == 0
                && let Some(first) = found.as_ref().filter(|first| fits(first, own))
            {
                header = first.clone();
                continue;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match found.and_then(|found| row(&found, &header)) {
                Some(row) => self.rows.push(row),
                None => self.damaged.push(index + 1),
            }
        }
    }

    /// All rows of an undamaged file.
    ///
    /// # Errors
    /// A row is damaged.
    pub fn whole(self) -> Result<Vec<R>> {
        match self.damaged.first() {
            None => Ok(self.rows),
            Some(line) => Err(Error::Data {
                reason: format!(
                    "not a table of a run (line {line} is damaged); restore it, or leave this run out"
                ),
                path: self.path,
            }),
        }
    }

    /// A description of rows that are damaged or out of order, if there are any.
    pub fn damage(&self) -> Option<String> {
        let mut reported = match self.damaged[..] {
            [] => Vec::new(),
            [line] => vec![format!("line {line} is damaged and left out")],
            [first, ..] => vec![format!(
                "{} lines are damaged and left out, the first of them line {first}",
                self.damaged.len()
            )],
        };
        reported.extend(self.disorder.notes());
        (!reported.is_empty()).then(|| format!("{}: {}", self.path.display(), reported.join("; ")))
    }
}

/// The row in a line, if it is one.
fn row<R: Row>(record: &StringRecord, header: &StringRecord) -> Option<R> {
    let row: R = record.deserialize(Some(header)).ok()?;
    (record.len() == header.len() && row.is_possible()).then_some(row)
}

/// Whether a record is exactly the text that a run writes for the row. It seldom is where the last number was cut.
fn is_as_written<R: Row>(row: &R, found: &StringRecord) -> bool {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    let written = writer.serialize(row).is_ok();
    let bytes = writer.into_inner().unwrap_or_default();
    // Older versions had fewer columns.
    written
        && record(&mut csv_core::Reader::new(), &bytes)
            .is_some_and(|own| found.iter().eq(own.iter().take(found.len())))
}

/// What is incomplete after a file's whole lines; none if it is a row that only lacks its line end.
fn torn<R: Row>(lines: &[u8], rest: &[u8]) -> Option<Torn> {
    let mut parser = csv_core::Reader::new();
    let mut record = |line: &[u8]| record(&mut parser, line);
    let own = headers::<R>();
    let first = lines.split_inclusive(|&byte| byte == b'\n').next();
    let header = first
        .and_then(&mut record)
        .filter(|header| fits(header, &own));
    let header = header.unwrap_or_else(|| own[0].clone());
    let found = record(rest).unwrap_or_default();
    // An empty last cell was cut off, unless it is empty in the row before, too.
    let ends = !rest.ends_with(b",") || lines.ends_with(b",\n");
    let row = row::<R>(&found, &header).filter(|row| is_as_written(row, &found));
    if !lines.is_empty() && ends && row.is_some() {
        return None;
    }
    let at = header.iter().position(|name| name == "step");
    let step = at.filter(|at| found.len() > at + 1);
    Some(Torn {
        line: lines.split(|&byte| byte == b'\n').count(),
        step: step.and_then(|at| found[at].parse().ok()),
    })
}

/// Whether a header is one that this version writes, one of an older version with fewer columns, or one of a newer
/// version with more.
fn fits(header: &StringRecord, own: &[StringRecord]) -> bool {
    let is_like = |own: &StringRecord| header.iter().zip(own).all(|(a, b)| a == b);
    header.iter().any(|name| name == "step") && own.iter().any(is_like)
}

/// The columns that this version writes, for each form of rows. They are names of fields, which need no quotes.
fn headers<R: Row>() -> Vec<StringRecord> {
    let header = |row: R| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = writer.serialize(row).map_err(io::Error::from);
        let bytes = written.and_then(|()| writer.into_inner().map_err(|error| error.into_error()));
        let bytes = bytes.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().next().unwrap_or_default().split(',').collect()
    };
    R::forms().into_iter().map(header).collect()
}

/// The record in a line; none if the line is not text or holds several. One parser serves all lines, because making its
/// tables takes longer than reading a line.
fn record(parser: &mut csv_core::Reader, line: &[u8]) -> Option<StringRecord> {
    let (mut fields, mut ends) = (vec![0; line.len()], vec![0; line.len() + 1]);
    parser.reset();
    let (mut result, read, length, mut count) = parser.read_record(line, &mut fields, &mut ends);
    if result == ReadRecordResult::InputEmpty {
        // The line has no end, or its end is within quotes: nothing follows.
        let (last, _, _, more) = parser.read_record(&[], &mut fields[length..], &mut ends[count..]);
        (result, count) = (last, count + more);
    }
    if result != ReadRecordResult::Record || !line[read..].trim_ascii().is_empty() {
        return None;
    }
    let mut from = 0;
    let field = |&end: &usize| {
        let field = &fields[from..end];
        from = end;
        field
    };
    let fields: ByteRecord = ends[..count].iter().map(field).collect();
    StringRecord::from_byte_record(fields).ok()
}

/// The bytes of the lines that have an end: a row without one may stop in the middle of a number.
pub(super) fn whole_lines(bytes: &[u8]) -> usize {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    end.map_or(0, |end| end + 1)
}

/// Whether this can be an amount: finite and not negative.
pub(super) fn is_amount(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::recording::tables::epoch::EpochRow;

    fn read(text: &[u8]) -> (Vec<u64>, Vec<usize>) {
        let content = Content::<EpochRow>::of(Path::new("metrics.csv"), text);
        let steps = content.rows.iter().map(|row| row.step).collect();
        (steps, content.damaged)
    }

    #[test]
    fn a_last_row_counts_without_its_line_end_where_it_is_whole() {
        let header = headers::<EpochRow>()[0]
            .iter()
            .collect::<Vec<_>>()
            .join(",");
        let read = |rest: &str, keep: u64| {
            let text = format!("{header}\n1,46,1,1,1,1,1,1,1\n{rest}");
            let mut content =
                Content::<EpochRow>::of_file(Path::new("metrics.csv"), text.as_bytes());
            content.tell_torn(keep);
            (content.rows.len(), content.damaged)
        };
        let whole = "2,92,1.0,1.0,1.0,1.0,1.0,1.0,1234.5";
        assert_eq!(read(whole, 92), (2, vec![]));
        for cut in [1, 2, 3, 6, 20] {
            let rest = &whole[..whole.len() - cut];
            assert_eq!(read(rest, 92), (1, vec![3]), "{rest}");
            // It will be written again.
            assert_eq!(read(rest, 91), (1, vec![]), "{rest}");
        }
        let wrong = whole.replace("1234.5", "x");
        assert_eq!(read(&wrong, 92), (1, vec![3]));
        assert_eq!(read("2,9", 0), (1, vec![3]));
        assert_eq!(read("", 92), (1, vec![]));
    }

    #[test]
    fn a_row_with_impossible_numbers_is_damaged() {
        let header = headers::<EpochRow>()[0]
            .iter()
            .collect::<Vec<_>>()
            .join(",");
        for row in [
            "1,46,NaN,1,1,1,1,1,1",
            "1,46,-1,1,1,1,1,1,1",
            "1,46,1,inf,1,1,1,1,1",
            "1,46,1,1,1.5,1,1,1,1",
            "1,46,1,1,1,NaN,1,1,1",
            "1,46,1,1,1,1,-0.5,1,1",
            "1,46,1,1,1,1,1,-2,1",
            "1,46,1,1,1,1,1,1,NaN",
        ] {
            let text = format!("{header}\n{row}\n2,92,1,1,NaN,1,NaN,1,1\n");
            assert_eq!(read(text.as_bytes()), (vec![92], vec![2]), "{row}");
        }
    }

    /// Rows of a regression have no accuracies, in files of this version.
    #[test]
    fn columns_of_another_task_are_known() {
        let header = "epoch,step,lr,train_loss,test_loss,seconds,images_per_second,validation_loss,metric,\
                      higher_is_better,train_metric,test_metric,validation_metric";
        let rows = "1,46,1,1,NaN,1,1,0.5,RMSE,false,1,NaN,0.7\n2,92,1,1,NaN,1,1,0.4,RMSE,false,1,NaN,0.6\n";
        assert_eq!(
            read(format!("{header}\n{rows}").as_bytes()),
            (vec![46, 92], vec![])
        );
        let damaged = format!("{header}\n{rows}").replace("test_loss,seconds", "test_loss,second");
        assert_eq!(read(damaged.as_bytes()).0, Vec::<u64>::new());
    }

    #[test]
    fn damage_costs_the_lines_that_it_is_in() {
        let header = headers::<EpochRow>()[0]
            .iter()
            .collect::<Vec<_>>()
            .join(",");
        let rows = [
            "1,46,1,1,1,1,1,1,1",
            "2,92,1,1,1,1,1,1,1",
            "3,138,1,1,1,1,1,1,1",
        ];
        let text = |rows: &[&str]| format!("{}\n", rows.join("\n")).into_bytes();
        assert_eq!(read(b""), (vec![], vec![]));
        let [a, b, c] = rows;
        assert_eq!(
            read(&text(&[&header, a, b, c])),
            (vec![46, 92, 138], vec![])
        );
        for wrong in [
            "2,92,1,1",
            "\0\0\0\0,92,1,1,1,1,1,1,1",
            "2,\"92,1,1,1,1,1,1,1",
            "",
            "x",
        ] {
            let (steps, damaged) = read(&text(&[&header, a, wrong, c]));
            // An empty line is neither a row nor damage.
            let expected = if wrong.is_empty() { vec![] } else { vec![3] };
            assert_eq!((steps, damaged), (vec![46, 138], expected), "{wrong:?}");
        }
        // With a damaged header, the rows are recognised by their columns.
        assert_eq!(read(&text(&["epo\0", a, b])), (vec![46, 92], vec![1]));
        let torn = header.replace("step", "st\0p");
        assert_eq!(read(&text(&[&torn, a, b])), (vec![46, 92], vec![1]));
        assert_eq!(read(b"\xff\xfe,\0\n1,2\n"), (vec![], vec![1, 2]));
    }
}
