//! `tuned.json` in the user's cache folder: what was measured as fastest, by adapter. These are the shapes of workgroups,
//! whether a model's successive kernels run as one, and below which sparsity a layer's dense products are faster.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::KnownAdapter;
use super::entry::{Crossovers, Entry, FUSED, Known};
use super::folder::{File, Unusable, folder, read_or_note, read_to_add, replace};
use crate::engine::Device;
use crate::engine::tune::Tuned;
use crate::words::{counted, listed};

const FILE: &str = "tuned.json";

/// Number of adapters kept, and of size classes for each: more than anybody has, and few enough to read quickly.
const MOST_ADAPTERS: usize = 50;
const MOST_CLASSES: usize = 5000;

#[derive(Serialize, Deserialize)]
struct List {
    tuned: Vec<Entry>,
}

/// Gives a device the choices that were measured on its adapter before, and returns what else was measured. `note` is
/// told about a file that cannot be used, and about invalid choices in it.
pub fn recall(device: &Device, note: &mut dyn FnMut(&str)) -> Known {
    let (Some(adapter), Some(base), Some(folder)) = (device.adapter(), device.shape(), folder())
    else {
        return Known::default();
    };
    let path = folder.join(FILE);
    let entries = read_or_note(&path, parse, note);
    let adapter = KnownAdapter::of(adapter);
    let Some(known) = entries.into_iter().find(|entry| entry.adapter == adapter) else {
        return Known::default();
    };
    let (choices, known, unknown) = known.usable(base);
    if !unknown.is_empty() {
        note(&format!(
            "{}: {} passed over, for the kernels cannot run so: {}",
            path.display(),
            counted(unknown.len() as u64, "choice"),
            listed(unknown.len() as u64, &unknown)
        ));
    }
    device.choose(choices);
    known
}

/// What was measured of layers on any adapter with the kernels of this build: the adapters' names, and the crossovers.
/// `note` is told about a file that cannot be used.
pub fn crossovers_by_adapter(note: &mut dyn FnMut(&str)) -> BTreeMap<String, Crossovers> {
    let path = folder().map(|folder| folder.join(FILE));
    let entries = path.map(|path| read_or_note(&path, parse, note));
    let current = |entry: &Entry| entry.adapter.is_current() && !entry.crossovers.is_empty();
    let entries = entries.into_iter().flatten().filter(current);
    entries
        .map(|entry| (entry.adapter.name().to_owned(), entry.crossovers().0))
        .collect()
}

/// Stores what a device has measured, and reports it. Disturbed measurements are not stored.
pub fn keep(device: &Device, measured: Vec<Tuned>, note: &mut dyn FnMut(&str)) {
    let Some(adapter) = device.adapter().filter(|_| !measured.is_empty()) else {
        return;
    };
    let (doubtful, measured): (Vec<Tuned>, Vec<Tuned>) = measured
        .into_iter()
        .partition(|tuned| tuned.doubt.is_some());
    if let Some(doubt) = doubtful.first().and_then(|tuned| tuned.doubt.as_ref()) {
        note(&format!(
            "{} of kernels could not be measured on {}, run in the usual workgroups, and are measured again another \
             time: {doubt}",
            counted(doubtful.len() as u64, "size"),
            adapter.name
        ));
    }
    if measured.is_empty() {
        return;
    }
    note(&summary(&adapter.name, &measured));
    for tuned in measured.iter().filter(|tuned| !tuned.wrong.is_empty()) {
        let shapes: Vec<String> = tuned.wrong.iter().map(|shape| shape.name()).collect();
        note(&format!(
            "{} computes `{}` wrongly in workgroups of {}, which are therefore not used: a fault of its driver, worth \
             a report",
            adapter.name,
            tuned.class,
            shapes.join(", ")
        ));
    }
    let choices = measured
        .into_iter()
        .map(|tuned| (tuned.class, tuned.chosen));
    let shapes = choices.map(|(class, shape)| (class, shape.name()));
    let shapes = shapes.collect();
    store(device, note, |entry| entry.shapes = shapes);
}

/// Stores whether the kernels of a model's step of a [class](crate::network::step_class) are fused, as measured.
pub fn keep_step(device: &Device, class: &str, fused: bool, note: &mut dyn FnMut(&str)) {
    let name = FUSED.iter().find(|(known, _)| *known == fused);
    let steps = name.map(|(_, name)| (class.to_owned(), (*name).to_owned()));
    store(device, note, |entry| entry.steps.extend(steps));
}

/// Stores below which sparsity the dense products of layers are faster, by the layers'
/// [class](crate::network::layer_classes); none if they never are.
pub fn keep_crossovers(
    device: &Device,
    crossovers: BTreeMap<String, Option<f64>>,
    note: &mut dyn FnMut(&str),
) {
    if !crossovers.is_empty() {
        store(device, note, |entry| entry.crossovers = crossovers);
    }
}

fn store(device: &Device, note: &mut dyn FnMut(&str), put: impl FnOnce(&mut Entry)) {
    let Some(adapter) = device.adapter() else {
        return;
    };
    let mut entry = Entry::of(KnownAdapter::of(adapter));
    put(&mut entry);
    if let Err(reason) = add(folder().as_deref(), entry) {
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

fn parse(bytes: &[u8]) -> Result<Vec<Entry>, Unusable> {
    File::<List>::parse(bytes, "list of measured workgroups").map(|list| list.tuned)
}

/// Adds choices to those in the file.
fn add(folder: Option<&Path>, new: Entry) -> Result<(), String> {
    let path = folder.ok_or("there is no cache folder")?.join(FILE);
    let mut tuned = read_to_add(&path, parse)?;
    let known = tuned.iter().position(|entry| entry.adapter == new.adapter);
    let mut entry = match known.map(|at| tuned.remove(at)) {
        Some(known) => known,
        None => Entry::of(new.adapter),
    };
    extend(&mut entry.shapes, new.shapes);
    extend(&mut entry.steps, new.steps);
    extend(&mut entry.crossovers, new.crossovers);
    tuned.push(entry);
    let surplus = tuned.len().saturating_sub(MOST_ADAPTERS);
    tuned.drain(..surplus);
    let file = File::of(List { tuned });
    replace(&path, &file).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Adds to what is known, which is forgotten if it is too much.
fn extend<T>(known: &mut BTreeMap<String, T>, new: BTreeMap<String, T>) {
    if known.len() >= MOST_CLASSES {
        known.clear();
    }
    known.extend(new);
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
    use super::super::folder::read;
    use super::*;

    /// An adapter with one choice.
    fn entry(driver: &str, class: &str, shape: &str) -> Entry {
        Entry {
            shapes: BTreeMap::from([(class.to_owned(), shape.to_owned())]),
            ..Entry::of(KnownAdapter::sample(driver))
        }
    }

    #[test]
    fn choices_of_several_processes_add_up() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("deep/cache");
        add(
            Some(&folder),
            entry("Mesa 25", "sparse/spmm rows=1", "8x16"),
        )
        .unwrap();
        add(Some(&folder), entry("Mesa 26", "x", "8x16")).unwrap();
        let mut last = entry("Mesa 25", "sparse/spmm rows=2", "hardware");
        last.steps.insert("resnet20".into(), "apart".into());
        last.crossovers.insert("64 to 10".into(), Some(0.75));
        add(Some(&folder), last).unwrap();
        add(
            Some(&folder),
            entry("Mesa 25", "sparse/spmm rows=2", "hardware"),
        )
        .unwrap();
        let entries = read(&folder.join(FILE), parse).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].adapter, KnownAdapter::sample("Mesa 25"));
        assert_eq!(entries[1].steps["resnet20"], "apart");
        assert_eq!(entries[1].crossovers["64 to 10"], Some(0.75));
        let shapes: Vec<_> = entries[1].shapes.iter().collect();
        assert_eq!(
            format!("{shapes:?}"),
            "[(\"sparse/spmm rows=1\", \"8x16\"), (\"sparse/spmm rows=2\", \"hardware\")]"
        );
        for i in 0..2 * MOST_ADAPTERS {
            add(Some(&folder), entry(&i.to_string(), "x", "8x16")).unwrap();
        }
        assert_eq!(
            read(&folder.join(FILE), parse).unwrap().len(),
            MOST_ADAPTERS
        );
        let left = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, 1, "a temporary file is left");
    }

    #[test]
    fn a_file_of_a_newer_rootlet_stays_as_it_is() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(FILE);
        // Regardless of its content.
        for content in [
            "{\"format\": 9, \"tuned\": []}",
            "{\"format\": 2, \"other\": 1}",
        ] {
            std::fs::write(&path, content).unwrap();
            let mut notes = Vec::new();
            let found = read_or_note(&path, parse, &mut |text: &str| notes.push(text.to_owned()));
            assert!(found.is_empty() && notes.len() == 1);
            assert!(notes[0].contains("stays as it is"), "{notes:?}");
            let kept = add(Some(desk.path()), entry("a", "x", "hardware"));
            assert!(kept.unwrap_err().contains("newer rootlet"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_ignored_with_a_note_and_makes_way() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(FILE);
        for content in ["", "[]", "{\"format\": 0, \"tuned\": []}"] {
            std::fs::write(&path, content).unwrap();
            let mut notes = Vec::new();
            let found = read_or_note(&path, parse, &mut |text: &str| notes.push(text.to_owned()));
            assert!(found.is_empty());
            assert!(
                notes.len() == 1
                    && notes[0].contains("is ignored, and the next result replaces it"),
                "{notes:?}"
            );
            add(Some(desk.path()), entry("a", "x", "hardware")).unwrap();
            assert_eq!(read(&path, parse).unwrap().len(), 1);
        }
        std::fs::write(desk.path().join("file"), "").unwrap();
        let one = || entry("a", "x", "hardware");
        assert!(add(Some(&desk.path().join("file")), one()).is_err());
        assert!(add(None, one()).is_err());
    }
}
