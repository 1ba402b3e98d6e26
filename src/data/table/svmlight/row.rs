//! The text of a row: its labels, and its pairs of a column and a number.

use super::super::cells::MOST_COLUMNS;

/// A row's labels and its pairs of a column and a number.
pub(super) fn parts(
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

pub(super) fn number(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(x) if x.is_finite() => Ok(x),
        _ => Err(format!("`{text}` is no finite number")),
    }
}

/// The column of a pair, and the text of its number.
pub(super) fn pair(word: &str) -> Result<(u32, &str), String> {
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
pub(super) fn in_columns<'a>(
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
pub(super) fn check(line: &str) -> Result<(), String> {
    let (mut labels, pairs) = parts(line);
    labels.try_for_each(|label| number(label).map(drop))?;
    in_columns(pairs).try_for_each(|entry| entry.map(drop))
}
