//! Loading: find the checkpoint, check every byte, and say what to do if one is wrong.

use super::best::Which;
use super::checked::Checked;
use super::folder::{self, BEST, Entry, MANIFEST, MODEL, STORE};
use super::manifest::{self, Manifest};
use super::snapshot::Snapshot;
use super::tensors::{self, Tensors};
use crate::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What [`load()`] returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The model and the progress, bit for bit as saved.
    pub snapshot: Snapshot,
    /// The rest of the manifest, including the configuration.
    pub manifest: Manifest,
    /// The folder that was read.
    pub path: PathBuf,
    /// Set if newer checkpoints of the run are damaged and this is an earlier one: a sentence for the user.
    pub note: Option<String>,
}

/// Loads a checkpoint: the one at `path`, or the newest intact one if `path` is a run folder or its `checkpoints`.
///
/// If a run's newest checkpoint is damaged, the one before it is loaded and [`Checkpoint::note`] says so. If the
/// damaged checkpoint itself was named, nothing else is loaded; the error names the one to use instead.
///
/// # Errors
/// [`Error::Checkpoint`] if nothing is there, or a file is missing, truncated, changed by as much as a bit, or of
/// another format.
pub fn load(path: &Path) -> Result<Checkpoint> {
    let failed = |reason: String| Error::Checkpoint {
        path: path.to_owned(),
        reason,
    };
    match locate(path).map_err(failed)? {
        Place::Checkpoint(folder) => {
            read(&folder).map_err(|reason| failed(advise(&folder, &reason)))
        }
        Place::Store(store) => newest(&store).map_err(failed),
    }
}

/// Loads a checkpoint for prediction or evaluation: the one at `path` or, if `path` is a run, its checkpoint of this
/// kind. If no kind is given, it is the best one if there is one, otherwise the newest. Also returns the kind; `None`
/// if the checkpoint itself was named.
///
/// # Errors
/// As [`load`]; a kind was given for a checkpoint that was named itself, or a run has no best one.
pub fn load_which(path: &Path, which: Option<Which>) -> Result<(Checkpoint, Option<Which>)> {
    let failed = |reason: String| Error::Checkpoint {
        path: path.to_owned(),
        reason,
    };
    let store = match (locate(path).map_err(failed)?, which) {
        (Place::Store(store), _) => store,
        (Place::Checkpoint(_), None) => return Ok((load(path)?, None)),
        (Place::Checkpoint(_), Some(_)) => {
            return Err(failed("is one itself; give the run's folder".to_owned()));
        }
    };
    let newest = || Ok((load(path)?, Some(Which::Newest)));
    if which == Some(Which::Newest) {
        return newest();
    }
    let run = store.parent().unwrap_or(&store);
    let best = newest_manifest(run)
        .found
        .and_then(|manifest| manifest.progress.best);
    let Some(best) = best else {
        return match which {
            Some(_) => Err(failed(
                "the run has no best checkpoint: it has no validation part, or does not choose by it".to_owned(),
            )),
            None => newest(),
        };
    };
    let folder = run.join(BEST).join(folder::name(best.step));
    match read(&folder) {
        Ok(checkpoint) => Ok((checkpoint, Some(Which::Best))),
        Err(reason) if which.is_some() => Err(Error::Checkpoint {
            path: folder,
            reason: format!("{reason}; the newest checkpoint is another way to go on"),
        }),
        Err(reason) => {
            let (checkpoint, which) = newest()?;
            let note = format!(
                "the best checkpoint {} cannot be used: {reason}; this is the newest",
                folder.display()
            );
            let note = Some(
                checkpoint
                    .note
                    .map_or(note.clone(), |other| format!("{note}; {other}")),
            );
            Ok((Checkpoint { note, ..checkpoint }, which))
        }
    }
}

/// What a path means.
enum Place {
    Checkpoint(PathBuf),
    Store(PathBuf),
}

fn locate(path: &Path) -> Checked<Place> {
    // Either of the two files stands for the folder that it is in.
    let is_part = [MODEL, MANIFEST].iter().any(|part| path.ends_with(part));
    if let (true, Some(parent)) = (is_part && !path.is_dir(), path.parent()) {
        return Ok(Place::Checkpoint(parent.to_owned()));
    }
    let named = step_of(path).is_some();
    if named || path.join(MANIFEST).exists() || path.join(MODEL).exists() {
        return Ok(Place::Checkpoint(path.to_owned()));
    }
    if !path.is_dir() {
        let what = if path.exists() {
            "is not a folder"
        } else {
            "does not exist"
        };
        return Err(format!(
            "{what}; give a run's folder, such as runs/NAME, or one of its checkpoints"
        ));
    }
    let store = path.join(STORE);
    if store.is_dir() {
        return Ok(Place::Store(store));
    }
    Ok(Place::Store(path.to_owned()))
}

/// The step in a checkpoint's name, if it has such a name.
fn step_of(folder: &Path) -> Option<u64> {
    let name = folder.file_name()?.to_str()?;
    folder::parse(name).map(|(step, _)| step)
}

/// The newest checkpoint that can be read, with a note about those that cannot.
fn newest(store: &Path) -> Checked<Checkpoint> {
    let looked = first_usable(store, |folder| match read(folder) {
        // It is whole, and falling back would lose the steps since the one before.
        Err(reason) if is_later(folder) => Ok(Err(format!("{}: {reason}", folder.display()))),
        checkpoint => checkpoint.map(Ok),
    })?;
    match looked {
        Looked {
            found: Some(checkpoint),
            damage,
        } => checkpoint.map(|checkpoint| Checkpoint {
            note: (!damage.is_empty()).then(|| {
                let path = checkpoint.path.display();
                format!("going back to checkpoint {path}: {}", damage.join("; "))
            }),
            ..checkpoint
        }),
        Looked { damage, .. } if damage.is_empty() => Err(
            "holds no checkpoint; give the folder of a run that has saved one, or start the run again".to_owned(),
        ),
        Looked { damage, .. } => Err(format!(
            "none of its checkpoints can be used ({}); restore one from a copy, or start the run again",
            damage.join("; ")
        )),
    }
}

/// The result of searching a run's checkpoints.
pub(crate) struct Looked<T> {
    /// What the newest usable one gives, if there is one.
    pub found: Option<T>,
    /// Why each of the newer ones cannot be used.
    pub damage: Vec<String>,
}

/// Tries the checkpoints, newest first, until `look` can use one. Meanwhile a training may save new ones and remove the
/// old: if one has disappeared since they were listed, the search starts again.
fn first_usable<T>(store: &Path, look: impl Fn(&Path) -> Checked<T>) -> Checked<Looked<T>> {
    'listing: loop {
        let mut damage = Vec::new();
        for Entry { path, .. } in list(store)? {
            match look(&path) {
                Ok(found) => {
                    return Ok(Looked {
                        found: Some(found),
                        damage,
                    });
                }
                Err(_) if !path.is_dir() => continue 'listing,
                Err(reason) => {
                    damage.push(format!("{} cannot be used: {reason}", path.display()));
                }
            }
        }
        return Ok(Looked {
            found: None,
            damage,
        });
    }
}

/// Whether a later version saved this checkpoint in a format that this one does not read.
fn is_later(folder: &Path) -> bool {
    let file = open_file(&folder.join(MANIFEST));
    file.is_ok_and(|(file, bytes)| {
        bytes <= manifest::MAX_BYTES as u64
            && read_exactly(file, bytes as usize).is_ok_and(|bytes| Manifest::is_later(&bytes))
    })
}

/// A reason with a way out: the newest other intact checkpoint of the same run.
fn advise(folder: &Path, reason: &str) -> String {
    let store = folder.parent();
    let others = store.and_then(|store| list(store).ok()).unwrap_or_default();
    let this = folder.file_name();
    let other = others
        .iter()
        .find(|e| e.path.file_name() != this && verify(&e.path).is_ok());
    match other {
        Some(Entry { path, .. }) => {
            format!(
                "{reason}; the checkpoint {} is intact: use that one",
                path.display()
            )
        }
        None => format!("{reason}; restore it from a copy, or start the run again"),
    }
}

fn list(store: &Path) -> Checked<Vec<Entry>> {
    folder::list(store).map_err(|e| format!("cannot be listed: {e}; make the folder readable"))
}

/// The newest manifest of a run that can be read. The tensors are not checked.
pub(crate) fn newest_manifest(run: &Path) -> Looked<Manifest> {
    let looked = first_usable(&run.join(STORE), |folder| {
        open(folder).map(|(manifest, _)| manifest)
    });
    // Without a folder of checkpoints there are none.
    looked.unwrap_or(Looked {
        found: None,
        damage: Vec::new(),
    })
}

/// Reads one checkpoint, checking everything.
fn read(folder: &Path) -> Checked<Checkpoint> {
    let (manifest, file) = open(folder)?;
    let wrong = |reason: String| format!("{MODEL} {reason}");
    let bytes = usize::try_from(manifest.tensors.bytes)
        .map_err(|_| wrong("is larger than this machine's memory can be".to_owned()))?;
    let data = read_exactly(file, bytes).map_err(wrong)?;
    decode(manifest, &data, folder)
}

/// A checkpoint of `folder` from its manifest and the bytes of its tensors.
pub(super) fn decode(manifest: Manifest, data: &[u8], folder: &Path) -> Checked<Checkpoint> {
    let wrong = |reason: String| format!("{MODEL} {reason}");
    if crc32fast::hash(data) != manifest.tensors.crc32 {
        return Err(wrong("fails its checksum".to_owned()));
    }
    let Tensors {
        state,
        past,
        trained_images,
    } = tensors::decode(
        data,
        &manifest.layers,
        &manifest.dense(),
        &manifest.optimiser,
    )
    .map_err(wrong)?;
    Ok(Checkpoint {
        snapshot: Snapshot {
            state,
            past,
            progress: manifest.progress.clone(),
            data: manifest.data.clone(),
            objective: manifest.objective.clone(),
            changes: manifest.changes.clone(),
            trained_images,
        },
        manifest,
        path: folder.to_owned(),
        note: None,
    })
}

/// Whether a checkpoint is intact, without holding its tensors in memory.
pub(super) fn verify(folder: &Path) -> Checked<()> {
    let (manifest, mut file) = open(folder)?;
    let mut crc = crc32fast::Hasher::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(n) => crc.update(&block[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(format!("{MODEL} cannot be read: {e}")),
        }
    }
    if crc.finalize() != manifest.tensors.crc32 {
        return Err(format!("{MODEL} fails its checksum"));
    }
    Ok(())
}

/// The manifest, and the tensor file once its length is known to be the declared one.
fn open(folder: &Path) -> Checked<(Manifest, File)> {
    if !folder.is_dir() {
        return Err("there is no such folder".to_owned());
    }
    let (file, bytes) = open_file(&folder.join(MANIFEST)).map_err(|e| format!("{MANIFEST} {e}"))?;
    if bytes > manifest::MAX_BYTES as u64 {
        return Err(format!(
            "{MANIFEST} has {bytes} bytes, too many for a manifest"
        ));
    }
    let manifest = read_exactly(file, bytes as usize)
        .and_then(|bytes| Manifest::decode(&bytes))
        .map_err(|e| format!("{MANIFEST} {e}"))?;
    let step = manifest.progress.step;
    if step_of(folder).is_some_and(|named| named != step) {
        return Err(format!(
            "{MANIFEST} is that of step {step}: the folder was renamed, and is to be called {}",
            folder::name(step)
        ));
    }
    let (file, bytes) = open_file(&folder.join(MODEL)).map_err(|e| format!("{MODEL} {e}"))?;
    if bytes != manifest.tensors.bytes {
        return Err(format!(
            "{MODEL} has {bytes} bytes instead of {}",
            manifest.tensors.bytes
        ));
    }
    Ok((manifest, file))
}

fn open_file(path: &Path) -> Checked<(File, u64)> {
    let about = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "is missing".to_owned(),
        _ => format!("cannot be read: {e}"),
    })?;
    // Checked before opening: a pipe would make the opener wait for ever.
    if !about.is_file() {
        return Err("is not a file".to_owned());
    }
    let file = File::open(path).map_err(|e| format!("cannot be opened: {e}"))?;
    Ok((file, about.len()))
}

/// The whole file, which must have exactly this many bytes.
fn read_exactly(file: File, bytes: usize) -> Checked<Vec<u8>> {
    let mut data = Vec::new();
    data.try_reserve_exact(bytes)
        .map_err(|_| format!("needs {bytes} bytes of memory, more than there is"))?;
    let read = file.take(bytes as u64).read_to_end(&mut data);
    let read = read.map_err(|e| format!("cannot be read: {e}"))?;
    if read != bytes {
        return Err(format!("ends after {read} of {bytes} bytes"));
    }
    Ok(data)
}
