//! The folder that a run leaves behind: `runs/<time>-<name>/` with its configuration, summary, tables and checkpoints.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::train::TrainConfig;
use crate::{Error, Result};

const CONFIG: &str = "config.toml";
const CHECKPOINTS: &str = "checkpoints";

/// A run's folder, which exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes a new folder `<time>-<name>` in `runs`, which is made too if it is not there. Two runs never share one, also
    /// when they start in the same second: the later ones get `-2`, `-3` and so on.
    pub fn create(runs: &Path, name: &str) -> Result<Self> {
        let allowed = |c: char| c.is_alphanumeric() || "-_.+".contains(c);
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(Error::Usage(format!(
                "--name must consist of letters, digits and -_.+ only, not `{name}`"
            )));
        }
        fs::create_dir_all(runs).map_err(Error::io("create the folder", runs))?;
        let stem = format!("{}-{name}", timestamp());
        let mut path = runs.join(&stem);
        // create_dir is atomic: of two processes only one gets the name.
        for attempt in 2_u32.. {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    path = runs.join(format!("{stem}-{attempt}"));
                }
                Err(error) => return Err(Error::io("create the folder", &path)(error)),
            }
        }
        Ok(Self(path))
    }

    /// Makes the folder `path` itself, and those above it, where it is not there yet: for runs with names of their own.
    pub fn create_at(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::io("create the folder", path))?;
        Ok(Self(path.to_owned()))
    }

    /// Whether `path` is a run folder itself.
    pub fn is_one(path: &Path) -> bool {
        path.join(CONFIG).is_file()
    }

    /// The run folder that `path` is, or that holds the checkpoint (or the folder of checkpoints) that `path` is.
    pub fn open(path: &Path) -> Result<Self> {
        let full = std::path::absolute(path).map_err(Error::io("find", path))?;
        fs::metadata(&full).map_err(Error::io("open the run", path))?;
        let found = full
            .ancestors()
            .take(3)
            .find(|folder| folder.join(CONFIG).is_file());
        match found {
            Some(folder) if folder == full => Ok(Self(path.to_owned())),
            Some(folder) => Ok(Self(folder.to_owned())),
            None => Err(Error::Checkpoint {
                path: path.to_owned(),
                reason: format!("not a run folder: it has no {CONFIG}"),
            }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its folder of checkpoints, which may not exist yet.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join(CHECKPOINTS)
    }

    /// Reads its `config.toml`.
    pub fn config(&self) -> Result<TrainConfig> {
        TrainConfig::load(&self.0.join(CONFIG))
    }

    /// Writes its `config.toml`, whole or not at all.
    pub fn write_config(&self, config: &TrainConfig) -> Result<()> {
        write_atomically(&self.0.join(CONFIG), config.to_toml()?.as_bytes())
    }

    /// Whether there is a checkpoint to go on from.
    pub fn has_checkpoint(&self) -> bool {
        // Half-written ones have other names.
        let whole = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("step-");
        fs::read_dir(self.checkpoints()).is_ok_and(|entries| entries.flatten().any(whole))
    }
}

/// Local time as in `20260131-174502`, which sorts by age; UTC where the local offset cannot be told.
fn timestamp() -> String {
    let now = OffsetDateTime::now_local().unwrap_or_else(|_| OffsetDateTime::now_utc());
    format!(
        "{:04}{:02}{:02}-{:02}{:02}{:02}",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    )
}

/// Replaces a file by way of a temporary one beside it: whoever reads sees the old or the new content, never a part.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes, true).map_err(Error::io("write", path))
}

/// As [`write_atomically`]. What is not `durable` may be lost when the machine goes down, and holds nothing up.
pub(super) fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            if durable {
                file.sync_all()?;
            }
            Ok(())
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell; the left-over is harmless.
        let _ = fs::remove_file(&temporary);
    }
    written
}
