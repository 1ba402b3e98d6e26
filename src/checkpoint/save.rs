//! Saving: write to a temporary folder, flush, rename, and only then remove what is older.

use super::checked::Checked;
use super::folder::{self, BEST, Entry, MANIFEST, MODEL, STORE};
use super::layer_shape::LayerShape;
use super::load::verify;
use super::manifest::{FORMAT, Manifest, TensorFile};
use super::optimiser::OptimiserShape;
use super::origin::Origin;
use super::parameters::{self, Shapes};
use super::snapshot::Snapshot;
use super::{past, rules, tensors};
use crate::disk::{Disk, Machine};
use crate::error::Misfit;
use crate::error::option::{OUT, RUNS};
use crate::{Error, Result};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Saves a checkpoint into `run/checkpoints/step-…`, where `run` is the run's folder, and returns its path.
///
/// The two files are written into a temporary folder beside it, flushed to the disk and renamed into place together, so
/// that a checkpoint is either whole or not there. Then older ones are removed, except the newest intact one. Those of
/// *later* steps, which a run resumed from an earlier checkpoint leaves behind, are removed too, so that
/// [`load()`](super::load()) of the run gives what was saved last. While saving, the disk holds up to three
/// checkpoints, or four if a step is saved again.
///
/// Only one process at a time may save into a run. Others may load meanwhile.
///
/// # Errors
/// [`Error::Shape`] if the snapshot breaks the rules of [`LayerState`](super::LayerState) or
/// [`ParameterState`](super::ParameterState); [`Error::Checkpoint`] if the disk is full, read-only or failing. Nothing
/// saved before is lost then.
pub fn save(run: &Path, snapshot: &Snapshot, config_toml: &str) -> Result<PathBuf> {
    save_on(&Machine, run, snapshot, config_toml, None)
}

/// Like [`save`], for a run with this origin.
pub(crate) fn save_of(
    run: &Path,
    snapshot: &Snapshot,
    config_toml: &str,
    origin: &Origin,
) -> Result<PathBuf> {
    save_on(&Machine, run, snapshot, config_toml, Some(origin))
}

/// Saves the best weights so far into `run/best/step-…`. Those of the step `before` stay as well: the newest checkpoint
/// refers to them until there is another one.
///
/// # Errors
/// As [`save`].
pub fn save_best(
    run: &Path,
    snapshot: &Snapshot,
    config_toml: &str,
    origin: Option<&Origin>,
    before: Option<u64>,
) -> Result<PathBuf> {
    let (target, store) = put(&Machine, run, BEST, snapshot, config_toml, origin)?;
    let kept = [Some(snapshot.progress.step), before];
    let others = folder::list(&store).map(|entries| {
        let is_other = |entry: &Entry| entry.replaced || !kept.contains(&Some(entry.step));
        entries.into_iter().filter(is_other).collect::<Vec<_>>()
    });
    others
        .and_then(|others| {
            (others.iter()).try_for_each(|entry| folder::discard(&Machine, &store, entry))
        })
        .map_err(Error::io("remove older checkpoints from", &store))?;
    Ok(target)
}

/// Like [`save`], on this disk.
pub(super) fn save_on(
    disk: &impl Disk,
    run: &Path,
    snapshot: &Snapshot,
    config_toml: &str,
    origin: Option<&Origin>,
) -> Result<PathBuf> {
    let (target, store) = put(disk, run, STORE, snapshot, config_toml, origin)?;
    let step = snapshot.progress.step;
    prune(disk, &store, step).map_err(Error::io("remove older checkpoints from", &store))?;
    let best = run.join(BEST);
    if best.is_dir() {
        folder::sweep(disk, &best).map_err(Error::io("clear the leftovers of", &best))?;
    }
    Ok(target)
}

/// Puts a checkpoint into the folder with that name in `run`; returns its path and that of the folder.
fn put(
    disk: &impl Disk,
    run: &Path,
    store: &str,
    snapshot: &Snapshot,
    config_toml: &str,
    origin: Option<&Origin>,
) -> Result<(PathBuf, PathBuf)> {
    let step = snapshot.progress.step;
    let (model, manifest) = encode(snapshot, config_toml, origin)
        .map_err(|why| Error::Shape(Misfit::Unsaveable { step, why }))?;
    let store = run.join(store);
    let target = store.join(folder::name(step));
    write(disk, run, &store, step, &model, &manifest).map_err(|failure| Error::Checkpoint {
        path: target.clone(),
        reason: failure.describe(),
    })?;
    Ok((target, store))
}

/// The bytes of the two files.
pub(super) fn encode(
    snapshot: &Snapshot,
    config_toml: &str,
    origin: Option<&Origin>,
) -> Checked<(Vec<u8>, Vec<u8>)> {
    let state = &snapshot.state;
    for (l, layer) in state.layers.iter().enumerate() {
        rules::layer(l, layer)?;
    }
    for (i, layer) in state.parameters.iter().enumerate() {
        parameters::check(i, layer)?;
    }
    rules::dense_weights(state)?;
    if !snapshot.past.is_empty() {
        past::check(&state.layers, &snapshot.past)?;
    }
    rules::trained_images(&snapshot.trained_images)?;
    let model = tensors::encode(state, &snapshot.past, &snapshot.trained_images)?;
    let (norms, parameters) = Shapes::of(&state.parameters);
    let manifest = Manifest {
        format: FORMAT,
        rootlet: env!("CARGO_PKG_VERSION").to_owned(),
        progress: snapshot.progress.clone(),
        layers: state.layers.iter().map(LayerShape::of).collect(),
        norms,
        parameters,
        optimiser: OptimiserShape::of(state)?,
        data: snapshot.data.clone(),
        objective: snapshot.objective.clone(),
        run: origin.cloned(),
        changes: snapshot.changes.clone(),
        tensors: TensorFile {
            bytes: model.len() as u64,
            crc32: crc32fast::hash(&model),
        },
        config: config_toml.to_owned(),
    };
    Ok((model, manifest.encode()?))
}

/// Puts the checkpoint in place and on the disk.
fn write(
    disk: &impl Disk,
    run: &Path,
    store: &Path,
    step: u64,
    model: &[u8],
    manifest: &[u8],
) -> Result<(), Failure> {
    if !store.is_dir() {
        disk.create_folders(store)
            .map_err(Failure::of("create", store))?;
        disk.sync_folder(run).map_err(Failure::of("flush", run))?;
    }
    folder::sweep(disk, store).map_err(Failure::of("clear the leftovers of", store))?;
    let scrap = store.join(folder::scrap(step));
    let placed =
        fill(disk, &scrap, model, manifest).and_then(|()| place(disk, store, step, &scrap));
    if placed.is_err() {
        // This frees space on a full disk at once. If it fails as well, the next save tries again.
        let _ = disk.remove_folder(&scrap);
    }
    placed
}

/// Writes and flushes the two files in a separate folder.
fn fill(disk: &impl Disk, scrap: &Path, model: &[u8], manifest: &[u8]) -> Result<(), Failure> {
    disk.create_folders(scrap)
        .map_err(Failure::of("create", scrap))?;
    for (name, bytes) in [(MODEL, model), (MANIFEST, manifest)] {
        let path = scrap.join(name);
        let mut file = disk.create(&path).map_err(Failure::of("create", &path))?;
        disk.write(&path, &mut file, bytes)
            .map_err(Failure::of("write", &path))?;
        disk.sync(&path, &file)
            .map_err(Failure::of("flush", &path))?;
    }
    disk.sync_folder(scrap).map_err(Failure::of("flush", scrap))
}

/// Renames the complete folder to its name. A folder cannot be renamed over another one, so a checkpoint of the same
/// step is moved aside first. It still counts as one until the new one is in place.
fn place(disk: &impl Disk, store: &Path, step: u64, scrap: &Path) -> Result<(), Failure> {
    let target = store.join(folder::name(step));
    let aside = store.join(folder::replaced(step));
    let again = target.exists();
    if again {
        disk.rename(&target, &aside)
            .map_err(Failure::of("rename", &target))?;
    }
    if let Err(e) = disk.rename(scrap, &target) {
        if again {
            // If this fails as well, the next save does it, and until then `load` finds it where it is.
            let _ = disk.rename(&aside, &target);
        }
        return Err(Failure::of("rename", scrap)(e));
    }
    disk.sync_folder(store).map_err(Failure::of("flush", store))
}

/// Removes everything except the checkpoint of `step` and the newest intact one before it.
fn prune(disk: &impl Disk, store: &Path, step: u64) -> io::Result<()> {
    let entries = folder::list(store)?;
    let older = |e: &&Entry| e.step < step && !e.replaced;
    let previous = entries
        .iter()
        .filter(older)
        .find(|e| verify(&e.path).is_ok());
    // The newest goes last: if this is interrupted, the run continues either from that one or from the one just saved.
    for entry in entries.iter().rev() {
        let saved = entry.step == step && !entry.replaced;
        if !saved && Some(entry) != previous {
            folder::discard(disk, store, entry)?;
        }
    }
    match entries.iter().any(|entry| entry.step > step) {
        // A later step's checkpoint that reappeared after a power cut would count as the newest.
        true => disk.sync_folder(store),
        false => Ok(()),
    }
}

/// A failed file operation.
struct Failure {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Failure {
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }

    /// The message: what failed, and what to do.
    fn describe(&self) -> String {
        let Self {
            action,
            path,
            source,
        } = self;
        let advice = match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "free some space"
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "make the folder writable"
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                "move the file away that is in the way"
            }
            _ => "check the disk",
        };
        format!(
            "not saved, cannot {action} {}: {source}; {advice} or choose another folder ({RUNS}, of a sweep {OUT}). \
             Checkpoints saved before are untouched",
            path.display()
        )
    }
}
