//! A part of the page under a heading, and what is in it.

use super::headline::Headline;
use crate::report::figure::Figure;
use crate::report::results::TextTable;

/// A part of the page under a heading.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub heading: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub(super) enum Block {
    /// A sentence or more.
    Text(String),
    /// Why a figure or number is missing.
    Missing(String),
    Table(TextTable),
    /// A table that is folded away under these words.
    Folded(String, TextTable),
    Headline(Headline),
    Figure(Figure),
    /// A run and where it came from: name, facts, command lines.
    Origin(String, Vec<(String, String)>, Vec<String>),
}

impl Section {
    pub fn new(heading: &str) -> Self {
        Self {
            heading: heading.to_owned(),
            blocks: Vec::new(),
        }
    }

    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    /// Adds the figures or, if one is empty, a sentence with the reason: they are views of the same lines.
    pub fn figures(&mut self, figures: Vec<Figure>, why_not: &str) {
        for figure in figures {
            self.figure(figure, why_not);
        }
    }

    /// Adds the figure or, if it is empty, a sentence with the reason.
    pub fn figure(&mut self, figure: Figure, why_not: &str) {
        self.blocks.push(match figure.has_content() {
            true => Block::Figure(figure),
            false => Block::Missing(format!("No figure “{}”: {why_not}", figure.title)),
        });
    }
}
