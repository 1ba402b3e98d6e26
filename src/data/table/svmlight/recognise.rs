//! Whether a text has this format.

use super::lines::header;

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
