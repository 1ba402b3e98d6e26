//! Whether the runs of a row were tested on the same images.

use std::collections::BTreeSet;

use super::Group;
use crate::error::option::TEST;
use crate::report::recording::RunRecord;
use crate::words::listed;

/// Says which rows have runs that were tested on different images, as when each seed holds out its own; none if no row
/// has.
pub(in crate::report) fn tested_differently(
    records: &[RunRecord],
    groups: &[Group],
) -> Option<String> {
    let differently = |group: &&Group| {
        let ended = group.runs.iter().map(|&run| &records[run]);
        let parts: BTreeSet<&str> = ended
            .filter(|run| run.finished().is_some())
            .filter_map(|run| {
                let data = run.data.as_ref()?;
                let validation = data.validation.as_ref().map(|held| &held.samples);
                let of_result = validation.filter(|_| data.test.images == 0);
                Some(of_result.unwrap_or(&data.test).fingerprint.as_str())
            })
            .collect();
        parts.len() > 1
    };
    let rows: Vec<&Group> = groups.iter().filter(differently).collect();
    let which = match rows.len() {
        0 => return None,
        all if all == groups.len() => "of each row".to_owned(),
        some => format!(
            "of {}",
            listed(some as u64, rows.iter().map(|row| row.name()))
        ),
    };
    let of_tables = rows
        .iter()
        .all(|row| records[row.runs[0]].samples() == "rows");
    let (samples, remedy) = match of_tables {
        true => ("rows", format!("a file of its own ({TEST})")),
        false => ("images", "a folder val/ beside train/".to_owned()),
    };
    Some(format!(
        "the runs {which} were tested on different {samples}, each on those that its seed held out: mean and spread \
         are over these, too; {remedy} tests all runs by the same"
    ))
}
