//! `tuned.json` in the user's cache folder: the choices that were measured as fastest, by adapter. These are the shapes
//! of workgroups, and whether a model's successive kernels run as one.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::KnownAdapter;
use super::folder::{File, Unusable, folder, read_or_note, read_to_add, replace};
use crate::engine::tune::{Choices, Tuned};
use crate::engine::{Device, WorkgroupShape};
use crate::kernels::kernels;
use crate::words::{counted, listed};

const FILE: &str = "tuned.json";

/// Number of adapters kept, and of size classes for each: more than anybody has, and few enough to read quickly.
const MOST_ADAPTERS: usize = 50;
const MOST_CLASSES: usize = 5000;

/// The shapes of one adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    adapter: KnownAdapter,
    /// The name of the shape, by class.
    shapes: BTreeMap<String, String>,
    /// By class of a model's step: `fused` or `apart`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    steps: BTreeMap<String, String>,
}

/// The names for steps with fused kernels and without.
const FUSED: [(bool, &str); 2] = [(true, "fused"), (false, "apart")];

/// Whether the kernels of models are fused, as measured on an adapter.
#[derive(Clone, Debug, Default)]
pub struct Steps(BTreeMap<String, bool>);

impl Steps {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The choice for a model's step of this [class](crate::network::step_class); none if it was not measured.
    pub fn fused(&self, class: &str) -> Option<bool> {
        self.0.get(class).copied()
    }
}

#[derive(Serialize, Deserialize)]
struct List {
    tuned: Vec<Entry>,
}

/// Gives a device the choices that were measured on its adapter before. Returns those for steps, which a training
/// adopts when it begins. `note` is told about a file that cannot be used, and about invalid choices in it.
pub fn recall(device: &Device, note: &mut dyn FnMut(&str)) -> Steps {
    let (Some(adapter), Some(base), Some(folder)) = (device.adapter(), device.shape(), folder())
    else {
        return Steps::default();
    };
    let path = folder.join(FILE);
    let entries = read_or_note(&path, parse, note);
    let adapter = KnownAdapter::of(adapter);
    let Some(known) = entries.into_iter().find(|entry| entry.adapter == adapter) else {
        return Steps::default();
    };
    let (choices, mut unknown) = usable(known.shapes, base);
    let mut steps = Steps::default();
    for (class, name) in known.steps {
        match FUSED.iter().find(|(_, known)| *known == name) {
            Some((fused, _)) => {
                steps.0.insert(class, *fused);
            }
            None => unknown.push(format!("{name} for `{class}`")),
        }
    }
    if !unknown.is_empty() {
        note(&format!(
            "{}: {} passed over, for the kernels cannot run so: {}",
            path.display(),
            counted(unknown.len() as u64, "choice"),
            listed(unknown.len() as u64, &unknown)
        ));
    }
    device.choose(choices);
    steps
}

/// The choices that a file's shapes stand for on an adapter with this base shape, and descriptions of the invalid ones.
fn usable(shapes: BTreeMap<String, String>, base: WorkgroupShape) -> (Choices, Vec<String>) {
    let kernels = kernels();
    let (mut choices, mut unknown) = (Choices::new(), Vec::new());
    for (class, name) in shapes {
        let of_class = class.split(' ').next();
        let kernel = kernels.iter().find(|kernel| Some(kernel.name) == of_class);
        // For a kernel from outside the crate, the device checks this when it runs.
        let has = |shape: &WorkgroupShape| {
            kernel.is_none_or(|kernel| kernel.shapes(base).any(|has| has == *shape))
        };
        match WorkgroupShape::named(base.family, &name).filter(has) {
            Some(shape) => {
                choices.insert(class, shape);
            }
            None => unknown.push(format!("{name} for `{class}`")),
        }
    }
    (choices, unknown)
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
    store(device, shapes.collect(), BTreeMap::new(), note);
}

/// Stores whether the kernels of a model's step of a [class](crate::network::step_class) are fused, as measured.
pub fn keep_step(device: &Device, class: &str, fused: bool, note: &mut dyn FnMut(&str)) {
    let name = FUSED.iter().find(|(known, _)| *known == fused);
    let steps = name.map(|(_, name)| (class.to_owned(), (*name).to_owned()));
    store(device, BTreeMap::new(), steps.into_iter().collect(), note);
}

fn store(
    device: &Device,
    shapes: BTreeMap<String, String>,
    steps: BTreeMap<String, String>,
    note: &mut dyn FnMut(&str),
) {
    let Some(adapter) = device.adapter() else {
        return;
    };
    let entry = Entry {
        adapter: KnownAdapter::of(adapter),
        shapes,
        steps,
    };
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
        None => Entry {
            adapter: new.adapter,
            shapes: BTreeMap::new(),
            steps: BTreeMap::new(),
        },
    };
    for (all, new) in [
        (&mut entry.shapes, new.shapes),
        (&mut entry.steps, new.steps),
    ] {
        if all.len() >= MOST_CLASSES {
            all.clear();
        }
        all.extend(new);
    }
    tuned.push(entry);
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
    use super::super::folder::read;
    use super::*;

    /// An adapter with one choice.
    fn entry(driver: &str, class: &str, shape: &str) -> Entry {
        Entry {
            adapter: KnownAdapter::sample(driver),
            shapes: BTreeMap::from([(class.to_owned(), shape.to_owned())]),
            steps: BTreeMap::new(),
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
    fn shapes_that_a_kernel_does_not_have_are_told() {
        let shapes = [
            ("sparse/spmm rows=1", "8x16"),
            ("sparse/spmm rows=2", "99x99"),
            ("sparse/spmm rows=3", "wide"),
            ("mine/own rows=4", "99x99"),
        ];
        let shapes = shapes.map(|(class, shape)| (class.to_owned(), shape.to_owned()));
        let (choices, unknown) = usable(shapes.into(), WorkgroupShape::HARDWARE);
        let classes: Vec<&String> = choices.keys().collect();
        assert_eq!(classes, ["mine/own rows=4", "sparse/spmm rows=1"]);
        assert_eq!(
            unknown,
            [
                "99x99 for `sparse/spmm rows=2`",
                "wide for `sparse/spmm rows=3`"
            ]
        );
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
