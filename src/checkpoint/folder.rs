//! The folder `checkpoints` of a run: names, order, and a removal that a kill cannot turn into half a checkpoint.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::Disk;

/// The folder inside a run that holds its checkpoints.
pub(super) const STORE: &str = "checkpoints";
/// The folder inside a run that holds its best checkpoint.
pub(super) const BEST: &str = "best";
/// The tensor file inside a checkpoint.
pub(super) const MODEL: &str = "model.safetensors";
/// The manifest inside a checkpoint.
pub(super) const MANIFEST: &str = "manifest.json";

const PREFIX: &str = "step-";
/// Marks a checkpoint that a new one of the same step replaces. It counts until the new one is in place.
const REPLACED: &str = ".replaced";
/// Marks a folder that is not, or no longer, a checkpoint: the next save sweeps it away.
const SCRAP: &str = ".tmp-";

/// A checkpoint's folder, complete unless someone else has changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub step: u64,
    pub replaced: bool,
    pub path: PathBuf,
}

/// The name of a step's folder: ten digits, so that names sort as steps do.
pub(super) fn name(step: u64) -> String {
    format!("{PREFIX}{step:010}")
}

/// Where the step's folder is moved when a new one of the same step replaces it.
pub(super) fn replaced(step: u64) -> String {
    format!("{}{REPLACED}", name(step))
}

/// The name under which a folder is written or removed.
pub(super) fn scrap(step: u64) -> String {
    format!("{SCRAP}{}-{}", name(step), std::process::id())
}

/// The step in a folder's name, and whether the folder was replaced by another.
pub(super) fn parse(name: &str) -> Option<(u64, bool)> {
    let rest = name.strip_prefix(PREFIX)?;
    let (digits, replaced) = match rest.strip_suffix(REPLACED) {
        Some(digits) => (digits, true),
        None => (rest, false),
    };
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, replaced))
}

/// Whether this is the path of a checkpoint's file.
pub(crate) fn is_file_of_one(path: &Path) -> bool {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    let folder = path.parent().and_then(name);
    folder.is_some_and(|folder| parse(&folder).is_some())
        && name(path).is_some_and(|name| [MODEL, MANIFEST].contains(&name.as_str()))
}

/// The checkpoints, newest first.
pub(super) fn list(store: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        let named = entry.file_name().to_str().and_then(parse);
        if let (Some((step, replaced)), true) = (named, entry.path().is_dir()) {
            entries.push(Entry {
                step,
                replaced,
                path: entry.path(),
            });
        }
    }
    entries.sort_by_key(|e| std::cmp::Reverse((e.step, !e.replaced)));
    Ok(entries)
}

/// Removes what interrupted saves have left, and restores a checkpoint whose successor never came.
pub(super) fn sweep(disk: &impl Disk, store: &Path) -> io::Result<()> {
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        let scrap = entry.file_name().to_string_lossy().starts_with(SCRAP);
        if scrap && entry.path().is_dir() {
            disk.remove_folder(&entry.path())?;
        }
    }
    for entry in list(store)?.iter().filter(|e| e.replaced) {
        let home = store.join(name(entry.step));
        if home.exists() {
            discard(disk, store, entry)?;
        } else {
            disk.rename(&entry.path, &home)?;
        }
    }
    Ok(())
}

/// Removes a checkpoint. It is renamed first, because a kill during the removal would leave half of it under a valid
/// name.
pub(super) fn discard(disk: &impl Disk, store: &Path, entry: &Entry) -> io::Result<()> {
    let scrap = store.join(scrap(entry.step));
    disk.rename(&entry.path, &scrap)?;
    disk.remove_folder(&scrap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(name(123), "step-0000000123");
        assert_eq!(parse(&name(123)), Some((123, false)));
        assert_eq!(parse(&replaced(123)), Some((123, true)));
        assert_eq!(parse(&name(u64::MAX)), Some((u64::MAX, false)));
        for other in [
            &scrap(1),
            "step-",
            "step-x",
            "step-+1",
            "step-1.tmp",
            "best",
            "step-99999999999999999999999",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn newest_first_and_a_replaced_one_behind_its_successor() {
        let store = tempfile::tempdir().unwrap();
        for name in [name(5), replaced(20), name(20), name(100), scrap(200)] {
            fs::create_dir(store.path().join(name)).unwrap();
        }
        let order: Vec<_> = list(store.path()).unwrap();
        let order: Vec<_> = order.iter().map(|e| (e.step, e.replaced)).collect();
        assert_eq!(order, [(100, false), (20, false), (20, true), (5, false)]);
    }
}
