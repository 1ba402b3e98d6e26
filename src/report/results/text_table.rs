//! A table of texts, in several forms.

use crate::report::text::printable;

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
        let lines: Vec<Vec<String>> = (std::iter::once(&self.header).chain(&self.rows))
            .map(|line| line.iter().map(|cell| in_one_line(cell)).collect())
            .collect();
        let lines = || lines.iter();
        let width = |column: usize| {
            let cells = lines().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let mut text = String::new();
        for line in lines() {
            let cells = line.iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells
                .map(|(column, (cell, &width))| match column < self.words {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                })
                .collect();
            text += cells.join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    /// The table without the columns that are empty in all rows.
    pub fn without_empty_columns(mut self) -> Self {
        for column in (0..self.header.len()).rev() {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            if cells.clone().all(String::is_empty) {
                self.header.remove(column);
                for row in self.rows.iter_mut().filter(|row| column < row.len()) {
                    row.remove(column);
                }
                self.words -= usize::from(column < self.words);
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
