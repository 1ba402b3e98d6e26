//! For the fuzzers: the bytes of a file, and what a training would make of the table.

use std::sync::Arc;

use super::cells::Table;
use super::open;
use super::options::TableOptions;
use super::part::{Divided, Part};
use super::prepared::Prepared;
use super::preprocessing::{Missing, Preprocessing};
use super::roles::Roles;
use super::rows::Rows;
use super::stored::Stream;
use crate::data::{DataOptions, DataSource};

/// Reads a file in the format called `name`, into memory and with its cells left in a file: if both succeed, the
/// tables are the same.
pub(crate) fn fuzz(name: &str, bytes: &[u8]) {
    let [memory, stored] =
        [Stream::Auto, Stream::Always].map(|stream| open::parse(name, bytes, stream, None).ok());
    predict_for(name, bytes, memory.as_ref());
    if let (Some(memory), Some(stored)) = (&memory, &stored) {
        assert!(stored.is_stored(), "not left in a file");
        assert_eq!(memory.columns, stored.columns);
        assert_eq!(
            (memory.rows, &memory.targets),
            (stored.rows, &stored.targets)
        );
        // Cells that stay in a file may turn out to be no numbers only when they are read.
        if let (Some(memory), Some(stored)) = (words(memory), words(stored)) {
            assert!(memory == stored, "the cells differ");
        }
    }
    for table in [memory, stored].into_iter().flatten() {
        train_on(table);
    }
}

/// Reads a file to predict for: a file without faults is the same table as in a training, and one with faults has them
/// wherever its cells are.
fn predict_for(name: &str, bytes: &[u8], trained: Option<&Table>) {
    let columns = trained.map_or(&[][..], |table| &table.columns);
    let texts = columns.iter().filter(|column| column.categories.is_some());
    let texts: Vec<String> = texts.map(|column| column.name.clone()).collect();
    let [memory, stored] = [Stream::Auto, Stream::Always]
        .map(|stream| open::parse(name, bytes, stream, Some(&texts)).ok());
    if let (Some(memory), Some(stored)) = (&memory, &stored) {
        assert_eq!((memory.rows, &memory.faults), (stored.rows, &stored.faults));
    }
    if let (Some(trained), Some(memory)) = (trained, &memory) {
        assert_eq!(memory.faults.len(), 0, "{:?}", memory.faults);
        assert_eq!(trained.columns, memory.columns);
        if let (Some(trained), Some(memory)) = (words(trained), words(memory)) {
            assert!(trained == memory, "the cells differ");
        }
    }
}

/// The first cells of a table; `None` if they cannot be read.
fn words(table: &Table) -> Option<Vec<u32>> {
    const MOST: usize = 1 << 12;
    let width = table.columns.len();
    let mut words = Vec::new();
    let rows = table.rows.min(MOST / width.max(1) + 1) as u32;
    let read = table.each(0..rows, |_, row| {
        words.extend((0..width).map(|column| row.word(column)));
    });
    read.ok().map(|()| words)
}

/// What a training would make of a table.
fn train_on(table: Table) {
    let options = TableOptions {
        missing: Missing::Category,
        ..TableOptions::default()
    };
    let roles = Roles::choose(&table, &options);
    let Ok(part) = roles.and_then(|roles| Part::of(table, roles, options.missing, None)) else {
        return;
    };
    let source = DataOptions {
        name: "./table".to_owned(),
        table: options,
        ..DataOptions::default()
    };
    let Ok(Divided {
        train, validation, ..
    }) = part.divide(&source)
    else {
        return;
    };
    let Ok(rules) = part.fit(Missing::Category, &train) else {
        return;
    };
    let text = serde_json::to_string(&rules).unwrap_or_default();
    let again: Result<Preprocessing, _> = serde_json::from_str(&text);
    assert!(
        again.is_ok_and(|again| again == rules),
        "not saved as it is"
    );
    let Ok(prepared) = Prepared::new(&part.table, &part.roles, Arc::new(rules)) else {
        return;
    };
    let prepared = Arc::new(prepared);
    for (rows, taught) in [(train, true), (validation, false)] {
        let count = rows.len();
        let rows = Rows::new(
            Arc::clone(&part.table),
            Arc::clone(&prepared),
            &part.roles,
            rows,
        );
        let Ok(rows) = rows else { return };
        let mut inputs = vec![0.0; rows.features()];
        let mut values = vec![0.0; rows.targets().words()];
        for number in 0..count.min(8) {
            let read = rows.read(number, Default::default(), &mut inputs, &mut values);
            assert!(read.is_ok());
            assert!(!taught || inputs.iter().all(|x| x.is_finite()));
        }
    }
}
