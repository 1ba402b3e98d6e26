//! The bytes of a CSV file in blocks of whole rows, each cut into pieces that threads parse.
//!
//! A line break within quotes ends no row. So the quotes are followed as `csv-core` follows them (a quote opens a cell
//! at its beginning only, and two within quotes are one), but for nothing else: cells are the parser's job.

use std::io::Read;

use super::super::bytes::Reader;
use crate::words::grouped;

/// Size of a piece.
const PIECE: usize = 1 << 20;
/// Most bytes of a row.
const LONGEST: usize = 64 << 20;

/// Where a cell is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// At the beginning of a row.
    Row,
    /// At the beginning of a cell.
    Cell,
    /// Within a cell.
    Within,
    Quoted,
    /// Behind a quote that ends a cell, or is the first of two.
    Unquoted,
}

/// Most bytes that are followed a second time, behind rows with a quote that is not closed: more such rows than that are
/// hardly damage.
const AGAIN: u64 = 1 << 28;

/// Some rows, and the ends of the pieces.
pub(super) struct Block {
    pub bytes: Vec<u8>,
    pub ends: Vec<usize>,
    /// The pieces that are single rows with a quote that is not closed, and the line of that quote.
    pub torn: Vec<(usize, u64)>,
}

/// Reads a file block by block.
pub(super) struct Blocks {
    reader: Reader,
    delimiter: u8,
    state: State,
    /// What was read behind the last row, and how much of it was followed.
    rest: Vec<u8>,
    followed: usize,
    /// Line breaks so far.
    breaks: u64,
    /// The line where the last quoted cell began.
    opened: u64,
    /// The line where a quoted cell began that goes on behind its last quote, several lines below: that quote began
    /// another cell.
    broken: Option<u64>,
    /// Size of a block.
    size: usize,
    /// Whether a quote that is not closed only costs its row: the next line then begins another one.
    tears: bool,
    /// Where the row and the last quoted cell begin among the bytes that are followed.
    row_at: usize,
    opened_at: usize,
    torn: Vec<(usize, u64)>,
    /// How many more bytes may be followed a second time.
    again: u64,
}

impl Blocks {
    /// Blocks of about `pieces` pieces; `tears`: a quote that is not closed only costs its row.
    pub fn new(reader: Reader, delimiter: u8, pieces: usize, tears: bool) -> Self {
        Self {
            reader,
            delimiter,
            state: State::Row,
            rest: Vec::new(),
            followed: 0,
            breaks: 0,
            opened: 0,
            broken: None,
            size: pieces * PIECE,
            tears,
            row_at: 0,
            opened_at: 0,
            torn: Vec::new(),
            again: AGAIN,
        }
    }

    /// The first row by itself; nothing for an empty file.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn first_row(&mut self) -> Result<Vec<u8>, String> {
        let (mut row, mut at) = (std::mem::take(&mut self.rest), 0);
        loop {
            while at < row.len() {
                at += 1;
                if self.step(row[at - 1]) {
                    self.check()?;
                    self.rest = row.split_off(at);
                    self.followed = 0;
                    return Ok(row);
                }
            }
            if !self.more(&mut row, PIECE)? {
                self.check()?;
                self.check_end()?;
                return Ok(row);
            }
        }
    }

    /// The next block; `None` behind the last row.
    ///
    /// # Errors
    /// The file cannot be read, a row is too long, or its last quote is not closed: a reason that fits after the
    /// file's name.
    pub fn next(&mut self) -> Result<Option<Block>, String> {
        let mut bytes = std::mem::take(&mut self.rest);
        let (mut ends, mut seen) = (Vec::new(), std::mem::take(&mut self.followed));
        loop {
            let more = self.more(&mut bytes, self.size)?;
            self.cut(&bytes, seen, &mut ends);
            while self.state == State::Quoted && (!more || bytes.len() - self.opened_at > LONGEST) {
                let Some(end) = self.tear(&bytes, bytes.len(), &mut ends) else {
                    break;
                };
                self.cut(&bytes, end, &mut ends);
            }
            self.check()?;
            seen = bytes.len();
            if !more {
                self.check_end()?;
                if ends.last() != Some(&bytes.len()) && !bytes.is_empty() {
                    ends.push(bytes.len());
                }
                let torn = std::mem::take(&mut self.torn);
                return Ok((!bytes.is_empty()).then_some(Block { bytes, ends, torn }));
            }
            if let Some(&end) = ends.last() {
                self.rest = bytes.split_off(end);
                self.followed = self.rest.len();
                self.row_at = self.row_at.saturating_sub(end);
                self.opened_at = self.opened_at.saturating_sub(end);
                let torn = std::mem::take(&mut self.torn);
                return Ok(Some(Block { bytes, ends, torn }));
            }
        }
    }

    /// Reads up to `count` bytes more. Returns whether there were any.
    fn more(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<bool, String> {
        if bytes.len() > LONGEST + count {
            return Err(match self.state {
                State::Quoted => unclosed(self.opened),
                _ => format!(
                    "line {} has more than {} bytes; is it the right file?",
                    grouped(self.breaks + 1),
                    grouped(LONGEST as u64)
                ),
            });
        }
        let read = self.reader.by_ref().take(count as u64).read_to_end(bytes);
        let read = read.map_err(|error| format!("it cannot be read ({error})"))?;
        Ok(read > 0)
    }

    /// Follows the bytes from `seen` on, and notes where a piece can end: behind the last row that fits in it.
    fn cut(&mut self, bytes: &[u8], seen: usize, ends: &mut Vec<usize>) {
        let is_plain = self.state != State::Quoted && !bytes[seen..].contains(&b'"');
        if is_plain {
            let breaks = bytes[seen..].iter().filter(|&&byte| byte == b'\n').count();
            self.breaks += breaks as u64;
            for piece in bytes[seen..].chunks(PIECE).enumerate() {
                let found = piece
                    .1
                    .iter()
                    .rposition(|byte| matches!(byte, b'\n' | b'\r'));
                ends.extend(found.map(|at| seen + piece.0 * PIECE + at + 1));
            }
            self.row_at = self.row_at.max(ends.last().copied().unwrap_or(0));
            // The rest of a row begins behind the last break; the cell begins behind the last separator.
            self.state = match bytes.last() {
                Some(b'\n' | b'\r') => State::Row,
                Some(&byte) if byte == self.delimiter => State::Cell,
                Some(_) => State::Within,
                None => self.state,
            };
            return;
        }
        let (mut at, mut next, mut last) = (seen, seen + PIECE, None);
        while let Some(&byte) = bytes.get(at) {
            let begins = matches!(self.state, State::Row | State::Cell);
            let ended = self.step(byte);
            if begins && self.state == State::Quoted {
                self.opened_at = at;
            }
            at += 1;
            if ended {
                self.row_at = at;
                last = Some(at);
            }
            if self.tears
                && self.broken.is_some()
                && let Some(end) = self.tear(bytes, at, ends)
            {
                (at, next, last) = (end, end + PIECE, None);
            } else if at >= next {
                ends.extend(last.take());
                next = at + PIECE;
            }
        }
        ends.extend(last);
    }

    /// Makes the row whose quote is not closed a piece of its own, up to the end of the quote's line. Returns where the
    /// next row begins, from where on bytes are followed again; they were followed up to `seen`. `None` if no more are.
    fn tear(&mut self, bytes: &[u8], seen: usize, ends: &mut Vec<usize>) -> Option<usize> {
        let line = &bytes[self.opened_at..];
        let end = match line.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(at) if line[at] == b'\r' && line.get(at + 1) == Some(&b'\n') => at + 2,
            Some(at) => at + 1,
            None => line.len(),
        };
        let end = self.opened_at + end;
        let behind = bytes.get(end..seen).unwrap_or_default();
        let again = self.again.checked_sub(behind.len() as u64);
        self.tears &= again.is_some();
        self.again = again.filter(|_| self.tears)?;
        if self.row_at > ends.last().copied().unwrap_or(0) {
            ends.push(self.row_at);
        }
        self.torn.push((ends.len(), self.opened));
        ends.push(end);
        self.breaks -= behind.iter().filter(|&&byte| byte == b'\n').count() as u64;
        (self.state, self.broken, self.row_at) = (State::Row, None, end);
        Some(end)
    }

    /// Follows a byte. Returns whether it ends a row.
    fn step(&mut self, byte: u8) -> bool {
        let is_break = matches!(byte, b'\n' | b'\r');
        self.breaks += u64::from(byte == b'\n');
        let goes_on = self.state == State::Unquoted
            && !is_break
            && ![b'"', b' ', self.delimiter].contains(&byte);
        if goes_on && self.opened != self.breaks + 1 {
            self.broken.get_or_insert(self.opened);
        }
        let (state, ends) = match (self.state, byte) {
            (State::Quoted, b'"') => (State::Unquoted, false),
            (State::Quoted, _) => (State::Quoted, false),
            (State::Unquoted, b'"') => (State::Quoted, false),
            (State::Row | State::Cell, b'"') => {
                self.opened = self.breaks + 1;
                (State::Quoted, false)
            }
            (State::Row, _) if is_break => (State::Row, false),
            (_, _) if is_break => (State::Row, true),
            (_, byte) if byte == self.delimiter => (State::Cell, false),
            (_, _) => (State::Within, false),
        };
        self.state = state;
        ends
    }

    fn check(&self) -> Result<(), String> {
        self.broken.map_or(Ok(()), |line| Err(unclosed(line)))
    }

    fn check_end(&self) -> Result<(), String> {
        match self.state {
            State::Quoted => Err(unclosed(self.opened)),
            _ => Ok(()),
        }
    }
}

/// What to do about a quote without its other half.
pub(super) const CLOSE: &str = "close it, or write \"\" for a quote within quotes";

/// The reason for refusing a quote without its other half.
pub(super) fn unclosed(line: u64) -> String {
    format!(
        "the quote that begins a cell in line {} is not closed; {CLOSE}",
        grouped(line)
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::bytes::Bytes;
    use super::*;

    fn blocks(text: &str) -> Blocks {
        let bytes = Bytes::memory(text.as_bytes().to_vec());
        Blocks::new(bytes.reader(0, u64::MAX), b',', 1, false)
    }

    /// All pieces as texts.
    fn pieces(text: &str) -> Result<Vec<String>, String> {
        let (mut blocks, mut pieces) = (blocks(text), Vec::new());
        while let Some(Block { bytes, ends, .. }) = blocks.next()? {
            let mut begin = 0;
            for end in ends {
                pieces.push(String::from_utf8(bytes[begin..end].to_vec()).unwrap());
                begin = end;
            }
            assert_eq!(begin, bytes.len());
        }
        assert_eq!(pieces.concat(), text);
        Ok(pieces)
    }

    #[test]
    fn pieces_end_with_rows_and_a_break_within_quotes_ends_none() {
        assert_eq!(pieces("").unwrap().len(), 0);
        for row in [
            "1,2.5,abc\n",
            "1,\"a\n\"\"b,\"\"\",5\" pipe\r\n",
            "a\"b,c\r",
        ] {
            let text = row.repeat(3 * PIECE / row.len());
            let pieces = pieces(&text).unwrap();
            assert!((3..=5).contains(&pieces.len()), "{}", pieces.len());
            for piece in &pieces {
                // A piece can end between the two bytes of a line's end.
                let begun = piece.strip_prefix('\n').unwrap_or(piece);
                assert!(begun.is_empty() || begun.starts_with(&row[..2]));
                assert!(piece.ends_with(['\n', '\r']));
            }
        }
        assert_eq!(
            blocks("\n\na,\"b\nc\"\r\n1,2").first_row().unwrap(),
            b"\n\na,\"b\nc\"\r"
        );
    }

    /// The same, with the lines of quotes that are not closed where these are pieces of their own.
    fn torn(text: &str, pieces: usize) -> Vec<(String, Option<u64>)> {
        let bytes = Bytes::memory(text.as_bytes().to_vec());
        let mut blocks = Blocks::new(bytes.reader(0, u64::MAX), b',', pieces, true);
        let mut all = Vec::new();
        while let Some(Block { bytes, ends, torn }) = blocks.next().unwrap() {
            let mut begin = 0;
            for (number, end) in ends.into_iter().enumerate() {
                let line = torn.iter().find(|(torn, _)| *torn == number);
                let piece = String::from_utf8(bytes[begin..end].to_vec()).unwrap();
                all.push((piece, line.map(|(_, line)| *line)));
                begin = end;
            }
            assert_eq!(begin, bytes.len());
        }
        let pieces: Vec<&str> = all.iter().map(|(piece, _)| piece.as_str()).collect();
        assert_eq!(pieces.concat(), text);
        all
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_row_alone() {
        let rows = |text: &str| torn(text, 1);
        let own = |piece: &str, line| (piece.to_owned(), line);
        assert_eq!(
            rows("1,2\n\"x,3\n4,5\n6,\"y\r\n\"7\",8\n\"9"),
            [
                own("1,2\n", None),
                own("\"x,3\n", Some(2)),
                own("4,5\n", None),
                own("6,\"y\r\n", Some(4)),
                own("\"7\",8\n", None),
                own("\"9", Some(6)),
            ]
        );
        // Behind many rows, in front of many, and over the borders of blocks.
        let long = "1,\"2\"\n".repeat(2 * PIECE / 6);
        let lines = 2 * PIECE as u64 / 6;
        let text = format!("{long}\"a,1\n{long}2,\"b\n{long}");
        let lost: Vec<_> = (rows(&text).into_iter())
            .filter(|(_, line)| line.is_some())
            .collect();
        assert_eq!(
            lost,
            [
                own("\"a,1\n", Some(lines + 1)),
                own("2,\"b\n", Some(2 * lines + 2)),
            ]
        );
        // Nothing closes it within the longest row.
        let text = format!("1,\"y\n{}", "1,2\n".repeat(LONGEST / 4 + PIECE));
        assert_eq!(rows(&text)[0], own("1,\"y\n", Some(1)));
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_by_its_line() {
        let long = "1,2\n".repeat(PIECE);
        for (text, line) in [
            ("a,b\n1,\"x\n2,3\n".to_owned(), "line 2 "),
            (
                format!("\"x\n\" y\n{}1,\"a\n\"b\"", &long[..400]),
                "line 103 ",
            ),
            (format!("\"x\"\n{long}1,\"\"\"\n"), "line 1,048,578 "),
            (format!("{long}1,\"y{}", long.repeat(17)), "line 1,048,577 "),
        ] {
            let error = pieces(&text).err();
            assert!(error.is_some_and(|error| error.contains(line)), "{line}");
        }
        assert!(
            pieces(&"x".repeat(LONGEST + 3 * PIECE))
                .unwrap_err()
                .contains("line 1 has more")
        );
        assert!(pieces("a,b\n1,\"x\"").is_ok());
    }
}
