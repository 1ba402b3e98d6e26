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

/// Some rows, and the ends of the pieces.
pub(super) struct Block {
    pub bytes: Vec<u8>,
    pub ends: Vec<usize>,
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
}

impl Blocks {
    /// Blocks of about `pieces` pieces.
    pub fn new(reader: Reader, delimiter: u8, pieces: usize) -> Self {
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
            self.check()?;
            seen = bytes.len();
            if !more {
                self.check_end()?;
                if ends.last() != Some(&bytes.len()) && !bytes.is_empty() {
                    ends.push(bytes.len());
                }
                return Ok((!bytes.is_empty()).then_some(Block { bytes, ends }));
            }
            if let Some(&end) = ends.last() {
                self.rest = bytes.split_off(end);
                self.followed = self.rest.len();
                return Ok(Some(Block { bytes, ends }));
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
        let mut last = None;
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
            // The rest of a row begins behind the last break; the cell begins behind the last separator.
            self.state = match bytes.last() {
                Some(b'\n' | b'\r') => State::Row,
                Some(&byte) if byte == self.delimiter => State::Cell,
                Some(_) => State::Within,
                None => self.state,
            };
            return;
        }
        let mut next = seen + PIECE;
        for (at, &byte) in bytes.iter().enumerate().skip(seen) {
            if self.step(byte) {
                last = Some(at + 1);
            }
            if at + 1 >= next {
                ends.extend(last.take());
                next = at + 1 + PIECE;
            }
        }
        ends.extend(last);
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

/// The reason for refusing a quote without its other half.
fn unclosed(line: u64) -> String {
    format!(
        "the quote that begins a cell in line {} is not closed; close it, or write \"\" for a quote within quotes",
        grouped(line)
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::bytes::Bytes;
    use super::*;

    fn blocks(text: &str) -> Blocks {
        let bytes = Bytes::memory(text.as_bytes().to_vec());
        Blocks::new(bytes.reader(0, u64::MAX), b',', 1)
    }

    /// All pieces as texts.
    fn pieces(text: &str) -> Result<Vec<String>, String> {
        let (mut blocks, mut pieces) = (blocks(text), Vec::new());
        while let Some(Block { bytes, ends }) = blocks.next()? {
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
