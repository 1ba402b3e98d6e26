//! Whether a text has this format.
//!
//! Nothing in a file says so, and its first row may be damaged: several lines are looked at, and the file's name where
//! they do not agree.

use super::lines::header;

/// Number of lines that are looked at, besides empty ones and comments.
const LINES: usize = 20;

/// Whether a text has this format, by its first lines.
#[derive(Debug, PartialEq)]
pub(in super::super) struct Guess {
    pub is_one: bool,
    /// What was decided, if the lines do not agree: a text that stands alone as a sentence, or behind a reason.
    pub doubt: Option<String>,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq)]
enum Line {
    /// Labels and pairs, or several pairs.
    Row,
    /// A single pair, which may also be a time of day or a ratio.
    Pair,
    /// Labels alone: a number, which any text may have.
    Labels,
    /// None of these, with a pair in it.
    Damaged,
    /// None of these. If it is the first line, it may be a header.
    Other,
}

/// Looks at the first bytes of a file; `is_whole`: they are all of it. `ending` is that of the file's name, if it has
/// one.
pub(in super::super) fn guess(start: &[u8], is_whole: bool, ending: &str) -> Guess {
    let ending = ending.to_ascii_lowercase();
    let lines = first_lines(start, is_whole);
    let judged: Vec<Line> = lines.iter().map(|line| judge(line)).collect();
    let first = judged.first().copied();
    // Rows with a separator of cells are rather those of a table whose header was the first line.
    let may_be_cells = |line: &str| line.contains(['\t', ';', '|']);
    let is_row = |(line, judged): &(&String, &Line)| {
        **judged == Line::Row && !(first == Some(Line::Other) && may_be_cells(line))
    };
    let rows = lines.iter().zip(&judged).filter(is_row).count();
    let others = judged
        .iter()
        .filter(|line| matches!(line, Line::Damaged | Line::Other))
        .count();
    let is_sure = matches!(first, Some(Line::Row | Line::Pair)) || rows > 0 && others == 0;
    if is_sure || rows == 0 {
        return Guess {
            is_one: is_sure,
            doubt: None,
        };
    }
    let is_one = match ending.as_str() {
        "svm" | "libsvm" | "svmlight" => true,
        "csv" | "tsv" => false,
        _ => first == Some(Line::Damaged) || rows > others,
    };
    let taken = if is_one { "svmlight" } else { "CSV" };
    Guess {
        is_one,
        doubt: Some(format!(
            "it is taken for {taken}: {rows} of its first {} lines are clearly rows of svmlight; a name that ends in .svm \
             or .csv decides",
            lines.len(),
        )),
    }
}

/// The first lines without comments, besides empty ones and one that states sizes.
fn first_lines(start: &[u8], is_whole: bool) -> Vec<String> {
    let mut lines: Vec<&[u8]> = start.split(|&byte| byte == b'\n').collect();
    let cut_off = if is_whole { None } else { lines.pop() };
    let mut lines: Vec<String> = lines.into_iter().filter_map(content).collect();
    // Of a line that is cut off, all but the last word is known.
    if let (true, Some(line)) = (lines.is_empty(), cut_off.and_then(content)) {
        let known = line.rsplit_once(|c: char| c.is_ascii_whitespace());
        lines.extend(known.map(|(known, _)| known.to_owned()));
    }
    if lines.first().is_some_and(|line| header(line).is_some()) {
        lines.remove(0);
    }
    lines.truncate(LINES);
    lines
}

/// A line without its comment, if something is left.
fn content(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let text = text.split('#').next().unwrap_or("").trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn judge(line: &str) -> Line {
    let is_pair = |word: &str| {
        let (index, value) = word.split_once(':').unwrap_or_default();
        (index == "qid" || index.parse::<u32>().is_ok()) && value.parse::<f32>().is_ok()
    };
    let is_labels = |word: &str| word.split(',').all(|label| label.parse::<f32>().is_ok());
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (labels, pairs) = match words.split_first() {
        Some((first, pairs)) if !first.contains(':') => (Some(*first), pairs),
        _ => (None, &words[..]),
    };
    let is_sound = labels.is_none_or(is_labels) && pairs.iter().all(|word| is_pair(word));
    match (is_sound, labels, pairs.len()) {
        (true, Some(_), 0) => Line::Labels,
        (true, None, 1) => Line::Pair,
        (true, ..) => Line::Row,
        (false, ..) if pairs.iter().any(|word| is_pair(word)) => Line::Damaged,
        (false, ..) => Line::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str, ending: &str) -> (bool, bool) {
        let Guess { is_one, doubt } = guess(text.as_bytes(), true, ending);
        let told = doubt
            .as_deref()
            .unwrap_or(if is_one { "svmlight" } else { "CSV" });
        assert!(
            told.contains(if is_one { "svmlight" } else { "CSV" }),
            "{told}"
        );
        (is_one, doubt.is_some())
    }

    #[test]
    fn rows_are_known_and_other_tables_are_not_taken_for_them() {
        for text in [
            "1 1:2\n",
            "# from a paper\n\n-1 1:0.5 3:2 # first\n",
            "3 4 12\n10,2 0:1 3:2\n 1:1\n2 1:3\n",
            "0\n1 1:2\n",
            "1 1:2\nb 1:1\nb 1:2\n",
        ] {
            assert_eq!(taken(text, "txt"), (true, false), "{text}");
        }
        for text in [
            "a,b\n1,2\n",
            "time,x\n10:30,2\n",
            "time\n10:30\n10:45\n",
            "a\n1\n2\n",
            "id\tratio\n1\t3:2\n2\t1:4\n",
            "id ratio;x\n1 3:2;4\n",
            "",
        ] {
            assert_eq!(taken(text, "txt"), (false, false), "{text}");
        }
    }

    #[test]
    fn a_first_row_that_is_damaged_hides_nothing_and_the_choice_is_told() {
        let rest = "1 1:2 3:4\n0 2:1\n";
        for first in [
            "x 1:2 3:4\n",
            "1 1:2 3;4\n",
            "\u{fffd} 1:1\n",
            "1 1:\0 2:3\n",
        ] {
            assert_eq!(
                taken(&format!("{first}{rest}"), ""),
                (true, true),
                "{first}"
            );
        }
        // Without a pair it may be a header: most lines decide, or the name.
        assert_eq!(taken(&format!("title\n{rest}"), ""), (true, true));
        assert_eq!(taken("title\n1 1:2\n", ""), (false, true));
        assert_eq!(taken("title\n1 1:2\n", "SVM"), (true, true));
        assert_eq!(taken(&format!("text\n{rest}"), "csv"), (false, true));
    }

    #[test]
    fn a_line_that_is_longer_than_what_is_known_may_end_anywhere() {
        let text = "1 1:2 3:4 5:";
        assert!(guess(text.as_bytes(), false, "").is_one);
        assert!(!guess(text.as_bytes(), true, "").is_one);
        assert!(guess(b"1 1:2\n2 3:", false, "").doubt.is_none());
    }
}
