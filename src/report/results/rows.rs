//! Which runs form a row of the table of results: those that differ only in their seeds.

use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::checkpoint::Change;
use crate::data::{DataRecord, PartRecord, TestPart};
use crate::report::recording::RunRecord;
use crate::train::TrainConfig;

/// The label for what a run ran on.
const ADAPTER: &str = "adapter";
/// The label for what the images were, if two folders or two states of one are compared.
const IMAGES: &str = "images";

/// The label for what a run changed when it was resumed.
const CHANGED: &str = "changed";

/// The labels that are always shown, in this order.
pub(super) const SHOWN: [&str; 3] = ["model", "method", "sparsity"];

/// A share in the shortest form that is right to six decimals: 0.9, and not what binary fractions make of it.
pub(super) fn decimal(share: f64) -> String {
    let rounded: std::result::Result<f64, _> = format!("{share:.6}").parse();
    rounded.unwrap_or(share).to_string()
}

/// What decides a run's row: its configuration, and what it really ran on.
fn key_of(record: &RunRecord) -> Result<BTreeMap<String, String>> {
    // Two runs of the same command can be saved with and without the values that follow from others.
    let config = record.config.clone().resolve()?.with_derived();
    let mut key: BTreeMap<String, String> = config.values()?.into_iter().collect();
    // Neither the seed nor anything that only places the same work on a machine makes two runs different.
    key.retain(|name, _| name != "seed" && !TrainConfig::is_of_host(name));
    key.insert("method".to_owned(), record.method());
    // The sparsity of the network: a dense one has none, whatever was asked for.
    key.insert("sparsity".to_owned(), decimal(record.sparsity()));
    if let Some(adapter) = record.adapter() {
        // Older versions wrote it like this.
        let adapter = adapter.replace("cpu, 1 threads", "cpu, 1 thread");
        key.insert(ADAPTER.to_owned(), adapter);
    }
    if let Some(data) = &record.data {
        key.insert(IMAGES.to_owned(), images_of(data));
    }
    // The configuration alone does not repeat such a run.
    let mut changes: Vec<String> = record.changes.iter().filter_map(Change::label).collect();
    changes.dedup();
    if !changes.is_empty() {
        key.insert(CHANGED.to_owned(), changes.join("; "));
    }
    Ok(key)
}

/// Whether two complete runs belong to one row.
pub(in crate::report) fn same_row(one: &RunRecord, other: &RunRecord) -> Result<bool> {
    let mut keys = [key_of(one)?, key_of(other)?];
    if one.data.is_none() || other.data.is_none() {
        keys.iter_mut().for_each(|key| drop(key.remove(IMAGES)));
    }
    if one.adapter().is_none() || other.adapter().is_none() {
        keys.iter_mut().for_each(|key| drop(key.remove(ADAPTER)));
    }
    Ok(keys[0] == keys[1])
}

/// A short text for what the images were. If each seed splits off its own images, only their number identifies them.
fn images_of(data: &DataRecord) -> String {
    let short = |part: &PartRecord| part.fingerprint.chars().take(8).collect::<String>();
    let train = match &data.validation {
        Some(held) if matches!(held.part, TestPart::SplitOff { .. }) => {
            format!(
                "{}, some split off",
                data.train.images + held.samples.images
            )
        }
        Some(held) => format!("{} / {}", short(&data.train), short(&held.samples)),
        None => short(&data.train),
    };
    match data.test.images {
        0 => train,
        _ => format!("{train} / {}", short(&data.test)),
    }
}

/// Runs with the same key.
pub(super) struct Row {
    pub key: BTreeMap<String, String>,
    /// Whether they say what they ran on and what their images were.
    reported: bool,
    /// Indices in rising order; at least one.
    pub runs: Vec<usize>,
}

/// The rows, in the order of their first runs.
pub(super) fn rows(records: &[RunRecord]) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    // A run that lost the summary or the checkpoints that would tell its adapter or its images joins the runs that do
    // tell.
    for reported in [true, false] {
        for (index, record) in records.iter().enumerate() {
            let tells = [
                (ADAPTER, record.adapter().is_some()),
                (IMAGES, record.data.is_some()),
            ];
            if tells.iter().all(|(_, tells)| *tells) != reported {
                continue;
            }
            let key = key_of(record)?;
            let untold = tells
                .iter()
                .filter(|(_, tells)| !tells)
                .map(|(name, _)| *name);
            let untold: Vec<&str> = untold.collect();
            match place(&rows, &key, &untold) {
                Some(at) => rows[at].runs.push(index),
                None => rows.push(Row {
                    key,
                    reported,
                    runs: vec![index],
                }),
            }
        }
    }
    rows.iter_mut().for_each(|row| row.runs.sort_unstable());
    rows.sort_by_key(|row| row.runs[0]);
    Ok(rows)
}

/// The row for a run some of whose labels are not known.
fn place(rows: &[Row], key: &BTreeMap<String, String>, untold: &[&str]) -> Option<usize> {
    let reported = untold.is_empty();
    let same = (rows.iter()).position(|row| row.reported == reported && row.key == *key);
    if same.is_some() || reported {
        return same;
    }
    let but_untold = |key: &BTreeMap<String, String>| {
        let mut key = key.clone();
        key.retain(|name, _| !untold.contains(&name.as_str()));
        key
    };
    let mut alike = (0..rows.len()).filter(|&at| but_untold(&rows[at].key) == but_untold(key));
    match (alike.next(), alike.next()) {
        (at, None) => at,
        // It may belong to any of several.
        _ => None,
    }
}

/// The labels that tell the rows apart, besides model, method and sparsity.
pub(super) fn varying(keys: &[BTreeMap<String, String>]) -> Vec<String> {
    let mut names: Vec<String> = keys.iter().flat_map(|key| key.keys().cloned()).collect();
    names.sort();
    names.dedup();
    let differ = |name: &String| {
        let texts = keys.iter().map(|key| key.get(name));
        // What a run does not say does not make it different.
        let untold = [ADAPTER, IMAGES].contains(&name.as_str());
        let told: BTreeSet<Option<&String>> =
            texts.filter(|text| text.is_some() || !untold).collect();
        told.len() > 1
    };
    names.retain(|name| {
        // Shown even if it is the same for all, because no configuration has it.
        !SHOWN.contains(&name.as_str()) && (name == CHANGED || differ(name))
    });
    names
}
