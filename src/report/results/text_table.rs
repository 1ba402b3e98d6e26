//! A table of texts, in several forms.

use crate::report::text::printable;

/// Spaces between two columns.
const GAP: usize = 2;

/// A table of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextTable {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
    /// Number of columns at the left that hold words and are left-aligned; the others hold numbers and are
    /// right-aligned.
    pub words: usize,
}

impl TextTable {
    /// The table with padded columns, for a terminal.
    pub fn aligned(&self) -> String {
        self.lines_of(&(0..self.header.len()).collect::<Vec<usize>>())
    }

    /// The same in lines of at most `width` characters, as far as single columns allow: columns that do not fit any
    /// more follow below, beside the columns of words again.
    pub fn fitted(&self, width: usize) -> String {
        let words: Vec<usize> = (0..self.words).collect();
        let mut block = words.clone();
        let mut text = String::new();
        for column in self.words..self.header.len() {
            let with_it: Vec<usize> = block.iter().copied().chain([column]).collect();
            if block.len() > words.len() && self.width_of(&with_it) > width {
                text += &self.lines_of(&block);
                text.push('\n');
                block.clone_from(&words);
            }
            block.push(column);
        }
        text + &self.lines_of(&block)
    }

    /// Characters of the widest cell of a column.
    fn width(&self, column: usize) -> usize {
        let cells = std::iter::once(&self.header).chain(&self.rows);
        let cells = cells.filter_map(|line| line.get(column));
        let widths = cells.map(|cell| in_one_line(cell).chars().count());
        widths.max().unwrap_or(0)
    }

    /// Characters of a line with these columns.
    fn width_of(&self, columns: &[usize]) -> usize {
        let widths: usize = columns.iter().map(|&column| self.width(column)).sum();
        widths + GAP * columns.len().saturating_sub(1)
    }

    fn lines_of(&self, columns: &[usize]) -> String {
        let widths: Vec<usize> = columns.iter().map(|&column| self.width(column)).collect();
        let mut text = String::new();
        for line in std::iter::once(&self.header).chain(&self.rows) {
            let cells = columns.iter().zip(&widths).filter_map(|(&column, &width)| {
                let cell = in_one_line(line.get(column)?);
                Some(match column < self.words {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                })
            });
            let cells: Vec<String> = cells.collect();
            text += cells.join(&" ".repeat(GAP)).trim_end();
            text.push('\n');
        }
        text
    }

    /// Removes the column with this title, if there is one.
    pub(super) fn remove(&mut self, title: &str) {
        if let Some(column) = self.header.iter().position(|name| name == title) {
            self.remove_at(column);
        }
    }

    /// Removes the columns whose cells are all the same, except the one titled `kept`, and returns their titles and
    /// cells.
    pub(super) fn take_shared(&mut self, kept: &str) -> Vec<(String, String)> {
        let mut shared = Vec::new();
        for column in (0..self.header.len()).rev() {
            if self.header[column] == kept {
                continue;
            }
            let mut cells = self.rows.iter().filter_map(|row| row.get(column));
            let Some(first) = cells.next().cloned() else {
                continue;
            };
            if cells.all(|cell| *cell == first) {
                shared.push((self.header[column].clone(), first));
                self.remove_at(column);
            }
        }
        shared.reverse();
        shared
    }

    fn remove_at(&mut self, column: usize) {
        self.header.remove(column);
        for row in self.rows.iter_mut().filter(|row| column < row.len()) {
            row.remove(column);
        }
        self.words -= usize::from(column < self.words);
    }

    /// The table without the columns that are empty in all rows.
    pub fn without_empty_columns(mut self) -> Self {
        for column in (0..self.header.len()).rev() {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            if cells.clone().all(String::is_empty) {
                self.remove_at(column);
            }
        }
        self
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells = cells.iter().map(|cell| in_one_line(cell));
            let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<&str> = (0..self.header.len())
            .map(|column| if column < self.words { "---" } else { "---:" })
            .collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}| {} |\n{rows}", line(&self.header), rule.join(" | "))
    }
}

/// A cell's text in one line: a name may have any character.
fn in_one_line(cell: &str) -> String {
    printable(cell).replace('\n', "\\n").replace('\t', "\\t")
}
