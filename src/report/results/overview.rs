//! The results as a terminal shows them: what all rows share in a line, and a table of what differs.

use super::{Column, Results, TextTable};
use crate::report::terminal::{INDENT, wrapped};

/// The results in as few columns as tell the rows apart.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What all rows share, column and text; empty if there is only one row.
    pub shared: Vec<(String, String)>,
    /// The other columns.
    pub table: TextTable,
}

impl Results {
    /// The results without the columns of bytes by class, without losses beside better measures, and without columns
    /// that are the same in all rows.
    pub fn overview(&self) -> Overview {
        let mut table = self.table();
        // The loss is the result only if there is no other.
        let by_loss = self.columns.first().is_some_and(Column::is_loss);
        for column in &self.columns {
            if column.is_of_class() || (column.is_loss() && !by_loss) {
                table.remove(&column.title);
            }
        }
        let shared = match table.rows.len() {
            0 | 1 => Vec::new(),
            // The first number is the result: it stays, also if it is the same for all.
            _ => table.take_shared(self.columns.first().map_or("", |column| &column.title)),
        };
        Overview { shared, table }
    }
}

impl Overview {
    /// Lines of at most `width` characters, as far as the columns allow.
    pub fn text(&self, width: usize) -> String {
        let mut text = self.table.fitted(width);
        if !self.shared.is_empty() {
            let shared = format!("the same for all: {}", self.shared_text());
            text += &(wrapped(&shared, width, INDENT) + "\n");
        }
        text
    }

    /// What all rows share, in one line.
    pub(in crate::report) fn shared_text(&self) -> String {
        let each = self
            .shared
            .iter()
            .map(|(name, what)| format!("{name} {what}"));
        each.collect::<Vec<String>>().join("; ")
    }
}
