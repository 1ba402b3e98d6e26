//! `tuned.json` in the user's cache folder: the shapes of workgroups that were measured as fastest, by adapter.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::KnownAdapter;
use super::folder::{File, folder, read, read_or_note, replace};
use crate::engine::tune::{Choices, Tuned};
use crate::engine::{Device, WorkgroupShape};
use crate::words::counted;

const FILE: &str = "tuned.json";

/// Adapters kept, and classes of sizes of each: more than anybody has, few enough to read in no time.
const MOST_ADAPTERS: usize = 50;
const MOST_CLASSES: usize = 5000;

/// The shapes of one adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    adapter: KnownAdapter,
    /// By class, the name of the shape.
    shapes: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct List {
    tuned: Vec<Entry>,
}

/// Gives a device the choices that were measured on its adapter before. `note` hears of a file that cannot be used.
pub fn recall(device: &Device, note: &mut dyn FnMut(&str)) {
    if let (Some(adapter), Some(base), Some(folder)) = (device.adapter(), device.shape(), folder())
    {
        let entries = read_or_note(&folder.join(FILE), parse, note);
        let adapter = KnownAdapter::of(adapter);
        let known = entries.into_iter().find(|entry| entry.adapter == adapter);
        let shapes = known.into_iter().flat_map(|entry| entry.shapes);
        let named = |(class, name): (String, String)| {
            Some((class, WorkgroupShape::named(base.family, &name)?))
        };
        device.choose(shapes.filter_map(named).collect());
    }
}

/// Keeps what a device has measured, and says so.
pub fn keep(device: &Device, measured: Vec<Tuned>, note: &mut dyn FnMut(&str)) {
    let Some(adapter) = device.adapter().filter(|_| !measured.is_empty()) else {
        return;
    };
    note(&summary(&adapter.name, &measured));
    for tuned in measured.iter().filter(|tuned| !tuned.wrong.is_empty()) {
        let shapes: Vec<String> = tuned.wrong.iter().map(|shape| shape.name()).collect();
        note(&format!(
            "{} computes `{}` wrongly in workgroups of {}, which are therefore not used: a fault of its driver, worth a report",
            adapter.name,
            tuned.class,
            shapes.join(", ")
        ));
    }
    let choices = measured
        .into_iter()
        .map(|tuned| (tuned.class, tuned.chosen));
    if let Err(reason) = add(
        folder().as_deref(),
        KnownAdapter::of(adapter),
        choices.collect(),
    ) {
        note(&format!(
            "what was measured is not kept, so the next training measures again: {reason}"
        ));
    }
}

fn summary(adapter: &str, measured: &[Tuned]) -> String {
    let mut gains: Vec<f64> = measured.iter().map(Tuned::gain).collect();
    gains.sort_by(f64::total_cmp);
    let faster = gains.iter().filter(|&&gain| gain > 1.0).count();
    let most = gains.last().copied().unwrap_or(1.0);
    let sizes = counted(measured.len() as u64, "size");
    match faster {
        0 => format!(
            "measured on {adapter}: the usual workgroups are fastest for {sizes} of kernels"
        ),
        _ => format!(
            "measured on {adapter}: of {sizes} of kernels {faster} run faster in other workgroups, up to {most:.2} times"
        ),
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    File::<List>::parse(bytes, "list of measured workgroups").map(|list| list.tuned)
}

/// Adds choices to the file's.
fn add(folder: Option<&Path>, adapter: KnownAdapter, choices: Choices) -> Result<(), String> {
    let path = folder.ok_or("there is no cache folder")?.join(FILE);
    // Read anew: another process may have added its own. One that cannot be read makes way.
    let mut tuned = read(&path, parse).unwrap_or_default();
    let known = tuned.iter().position(|entry| entry.adapter == adapter);
    let known = known.map(|at| tuned.remove(at).shapes);
    let mut shapes = known
        .filter(|known| known.len() < MOST_CLASSES)
        .unwrap_or_default();
    shapes.extend(
        choices
            .into_iter()
            .map(|(class, shape)| (class, shape.name())),
    );
    tuned.push(Entry { adapter, shapes });
    let surplus = tuned.len().saturating_sub(MOST_ADAPTERS);
    tuned.drain(..surplus);
    let file = File::of(List { tuned });
    replace(&path, &file).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// For the fuzzer.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(tuned) = parse(bytes) {
        let file = File::of(List {
            tuned: tuned.clone(),
        });
        let again = serde_json::to_vec_pretty(&file).map(|bytes| parse(&bytes));
        assert!(matches!(again, Ok(Ok(again)) if again == tuned));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn choices(class: &str, shape: WorkgroupShape) -> Choices {
        Choices::from([(class.to_owned(), shape)])
    }

    #[test]
    fn choices_of_several_processes_add_up() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("deep/cache");
        let narrow = WorkgroupShape::hardware(8, 16);
        let adapter = || KnownAdapter::sample("Mesa 25");
        add(
            Some(&folder),
            adapter(),
            choices("sparse/spmm rows=1", narrow),
        )
        .unwrap();
        add(
            Some(&folder),
            KnownAdapter::sample("Mesa 26"),
            choices("x", narrow),
        )
        .unwrap();
        let usual = WorkgroupShape::HARDWARE;
        add(
            Some(&folder),
            adapter(),
            choices("sparse/spmm rows=2", usual),
        )
        .unwrap();
        let entries = read(&folder.join(FILE), parse).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].adapter, adapter());
        let shapes: Vec<_> = entries[1].shapes.iter().collect();
        assert_eq!(
            format!("{shapes:?}"),
            "[(\"sparse/spmm rows=1\", \"8x16\"), (\"sparse/spmm rows=2\", \"hardware\")]"
        );
        for i in 0..2 * MOST_ADAPTERS {
            let adapter = KnownAdapter::sample(&i.to_string());
            add(Some(&folder), adapter, choices("x", narrow)).unwrap();
        }
        assert_eq!(
            read(&folder.join(FILE), parse).unwrap().len(),
            MOST_ADAPTERS
        );
        let left = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, 1, "a temporary file is left");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_ignored_with_a_note_and_makes_way() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(FILE);
        for content in ["", "[]", "{\"format\": 9, \"tuned\": []}"] {
            std::fs::write(&path, content).unwrap();
            let mut notes = Vec::new();
            let found = read_or_note(&path, parse, &mut |text: &str| notes.push(text.to_owned()));
            assert!(found.is_empty());
            assert!(
                notes.len() == 1 && notes[0].contains("is ignored"),
                "{notes:?}"
            );
            let adapter = KnownAdapter::sample("a");
            add(
                Some(desk.path()),
                adapter,
                choices("x", WorkgroupShape::HARDWARE),
            )
            .unwrap();
            assert_eq!(read(&path, parse).unwrap().len(), 1);
        }
        std::fs::write(desk.path().join("file"), "").unwrap();
        let adapter = || KnownAdapter::sample("a");
        let none = Choices::new;
        assert!(add(Some(&desk.path().join("file")), adapter(), none()).is_err());
        assert!(add(None, adapter(), none()).is_err());
    }
}
