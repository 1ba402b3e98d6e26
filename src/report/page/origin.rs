//! How the runs came about: command lines, versions, adapters.

use super::section::{Block, Section};
use crate::checkpoint::Change;
use crate::error::option::CONFIG;
use crate::report::recording::RunRecord;
use crate::report::shell::quoted;

/// The section about all runs.
pub(super) fn section(records: &[RunRecord]) -> Section {
    let mut section = Section::new("Commands and versions");
    section.text(format!(
        "This page was made by rootlet {}. A run’s command with {CONFIG} repeats it, to the bit on the same \
         adapter. A run during which something changed has no such command: the configuration alone does not \
         repeat it.",
        env!("CARGO_PKG_VERSION")
    ));
    for record in records {
        let mut facts = Vec::new();
        let mut commands = Vec::new();
        if let Some(summary) = &record.summary {
            facts.push(("adapter".to_owned(), summary.started.adapter.clone()));
            facts.push(("rootlet".to_owned(), summary.rootlet.clone()));
            facts.push(("began".to_owned(), summary.began.clone()));
            commands.extend(summary.commands.iter().cloned());
        }
        let changes: Vec<String> = record.changes.iter().filter_map(Change::label).collect();
        if changes.is_empty() {
            let config = record.path.join("config.toml");
            commands.push(format!(
                "rootlet train --config {}",
                quoted(&config.to_string_lossy())
            ));
        } else {
            facts.push(("changed".to_owned(), changes.join("; ")));
        }
        let name = record.path.display().to_string();
        section.blocks.push(Block::Origin(name, facts, commands));
    }
    section
}
