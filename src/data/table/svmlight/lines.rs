//! From bytes to the lines that are rows.

use std::io::{BufRead, BufReader};

use super::super::Watch;
use super::super::bytes::Bytes;
use super::super::faults::NUL;
use crate::words::grouped;

/// Rows, columns and labels, if the line states them.
pub(super) fn header(line: &str) -> Option<[usize; 3]> {
    let numbers: Option<Vec<usize>> = line
        .split_ascii_whitespace()
        .map(|n| n.parse().ok())
        .collect();
    numbers?.try_into().ok()
}

/// Calls `see` with the number of each row's line and its text without comments, or why that is none, and returns the
/// sizes that a first line states. Errors name the line.
pub(super) fn lines(
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
        let text = match text {
            Ok(text) if text.contains('\0') => Err(NUL.to_owned()),
            text => text,
        };
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
