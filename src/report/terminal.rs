//! The terminal: its width, and what stands out on it. Colours are left out if the output is no terminal or `NO_COLOR`
//! is set.

use console::{Term, style};

/// Columns of a terminal that nobody has widened, and of output that is no terminal.
pub(super) const WIDTH: usize = 80;

/// Columns of the terminal that standard output is; 80 if it is none.
pub fn terminal_width() -> usize {
    let size = Term::stdout().size_checked();
    size.map_or(WIDTH, |(_, columns)| usize::from(columns).max(WIDTH))
}

/// Lines that are wider than a terminal, broken between words. What continues one is indented.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + 16);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            wrapped.push('\n');
        }
        let mut column = 0;
        for (index, word) in line.split(' ').enumerate() {
            let length = word.chars().count();
            if index > 0 && column + 1 + length > width && column > indent {
                wrapped += &format!("\n{:indent$}", "");
                column = indent;
            } else if index > 0 {
                wrapped.push(' ');
                column += 1;
            }
            wrapped += word;
            column += length;
        }
    }
    wrapped
}

/// Text for standard output: if that is a terminal, in lines that fit it.
pub fn fitted(text: &str) -> String {
    match Term::stdout().is_term() {
        true => wrapped(text, terminal_width(), INDENT),
        false => text.to_owned(),
    }
}

/// The head of a table on standard output.
pub(super) fn head(text: &str) -> String {
    let lines = text.lines().map(|line| style(line).dim().to_string());
    lines.collect::<Vec<String>>().join("\n")
}

/// A result on standard output.
pub(super) fn result(text: &str) -> String {
    style(text).bold().to_string()
}

/// A line on standard output, whose `note:` stands out if it begins with that.
pub(super) fn line(text: &str) -> String {
    match text.strip_prefix(NOTE) {
        Some(rest) => format!("{}{rest}", style(NOTE).yellow()),
        None => text.to_owned(),
    }
}

const NOTE: &str = "note:";

/// Columns by which the continuation of a line is indented.
pub(super) const INDENT: usize = 6;

/// The same on standard error, and with `error:`; on a terminal, broken into lines that fit it.
pub fn error_line(text: &str) -> String {
    const ERROR: &str = "error:";
    let terminal = Term::stderr();
    let text = match terminal.is_term() {
        true => wrapped(text, usize::from(terminal.size().1).max(WIDTH), INDENT),
        false => text.to_owned(),
    };
    if let Some(rest) = text.strip_prefix(ERROR) {
        return format!("{}{rest}", style(ERROR).for_stderr().red().bold());
    }
    match text.strip_prefix(NOTE) {
        Some(rest) => format!("{}{rest}", style(NOTE).for_stderr().yellow()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words_and_only_if_they_must() {
        assert_eq!(wrapped("a bc def", 8, 2), "a bc def");
        assert_eq!(wrapped("a bc def\n  ghi", 7, 2), "a bc\n  def\n  ghi");
        // A word that is wider than the terminal stays whole: it may be a path to copy.
        assert_eq!(
            wrapped("go to /a/long/path now", 6, 2),
            "go to\n  /a/long/path\n  now"
        );
    }
}
