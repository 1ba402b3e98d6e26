//! The folder that a run leaves behind: `runs/<time>-<name>/` with its configuration, summary, tables and checkpoints.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::names::{CHECKPOINTS, CONFIG, LOCK, SUMMARY};
use crate::disk;
use crate::error::option::NAME;
use crate::files;
use crate::train::TrainConfig;
use crate::{Error, Result};

/// A run folder, which exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Checks that a run can have this name, before anything else is done.
    ///
    /// # Errors
    /// [`Error::Value`] if the name is not a single part of a path.
    pub fn check_name(name: &str) -> Result<()> {
        let allowed = |c: char| c.is_alphanumeric() || "-_.+".contains(c);
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(Error::Value {
                option: NAME.0,
                must: "must consist of letters, digits and -_.+ only".to_owned(),
                value: name.to_owned(),
            });
        }
        Ok(())
    }

    /// Refuses a folder for runs that is itself a run folder: anybody who looks at it would see only that run.
    ///
    /// # Errors
    /// [`Error::Folder`] with the name of the option that asked for it.
    pub fn check_runs(folder: &Path, option: &str) -> Result<()> {
        match Self::is_one(folder) {
            false => Ok(()),
            true => Err(Error::Folder {
                option: option.to_owned(),
                path: folder.to_owned(),
                why: "is the folder of a run itself; give another one",
            }),
        }
    }

    /// Makes a new folder `<time>-<name>` in `runs`, which is created if necessary. Two runs never share a folder, even
    /// if they start in the same second: the later ones get `-2`, `-3` and so on.
    pub fn create(runs: &Path, name: &str) -> Result<Self> {
        Self::check_name(name)?;
        Self::check_runs(runs, "runs")?;
        disk::create_folders(runs).map_err(Error::io("create the folder", runs))?;
        let stem = format!("{}-{name}", timestamp());
        let mut path = runs.join(&stem);
        // create_dir is atomic, so only one of two processes gets the name.
        for attempt in 2_u32.. {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    path = runs.join(format!("{stem}-{attempt}"));
                }
                Err(error) => return Err(Error::io("create the folder", &path)(error)),
            }
        }
        disk::sync_parent(&path).map_err(Error::io("flush the folder of", &path))?;
        Ok(Self(path))
    }

    /// Makes the folder `path` itself and its parents, if they do not exist yet: for runs with their own names.
    pub fn create_at(path: &Path) -> Result<Self> {
        disk::create_folders(path).map_err(Error::io("create the folder", path))?;
        Ok(Self(path.to_owned()))
    }

    /// Whether `path` is a run folder. It is one even if its configuration was lost, because the checkpoints and the
    /// summary have it too.
    pub fn is_one(path: &Path) -> bool {
        Self::look(path).unwrap_or(false)
    }

    /// Like [`RunFolder::is_one`], but reports when that cannot be known.
    ///
    /// # Errors
    /// The process may not look into the folder.
    pub(in crate::report) fn look(path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path.join(CONFIG)) {
            Ok(_) => Ok(true),
            Err(error) if !is_absence(&error) => Err(error),
            Err(_) => Ok(path.join(CHECKPOINTS).is_dir() || path.join(SUMMARY).is_file()),
        }
    }

    /// Whether an entry of a folder of runs is a run folder. Files and hidden entries are not, and need no reason.
    ///
    /// # Errors
    /// Why another entry is not one.
    pub(in crate::report) fn is_entry(entry: &Path) -> Result<bool, String> {
        let hidden = |name: &OsStr| name.to_string_lossy().starts_with('.');
        match fs::metadata(entry) {
            Err(error) if is_absence(&error) => return Err("it is a link to nothing".to_owned()),
            Err(error) => return Err(format!("it cannot be opened ({error})")),
            Ok(about) if !about.is_dir() => return Ok(false),
            Ok(_) => {}
        }
        match Self::look(entry) {
            Ok(true) => Ok(true),
            Ok(false) if entry.file_name().is_some_and(hidden) => Ok(false),
            Ok(false) => Err(format!(
                "not a run folder: it has neither {CONFIG} nor {SUMMARY} nor {CHECKPOINTS}"
            )),
            Err(error) => Err(format!("it cannot be listed ({error})")),
        }
    }

    /// Whether it has a `config.toml` that is a file.
    pub fn has_config(&self) -> bool {
        self.0.join(CONFIG).is_file()
    }

    /// Whether this is still the folder in which the training began: both files exist as long as it does.
    pub(in crate::report) fn is_in_place(&self) -> bool {
        self.has_config() || self.0.join(LOCK).exists()
    }

    /// The run folder that `path` is, or that holds the checkpoint (or the folder of checkpoints) at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        let full = std::path::absolute(path).map_err(Error::io("find", path))?;
        fs::metadata(&full).map_err(Error::io("open the run", path))?;
        let mut found = None;
        for folder in full.ancestors().take(3) {
            if Self::look(folder).map_err(Error::io("look into the folder", folder))? {
                found = Some(folder);
                break;
            }
        }
        match found {
            Some(folder) if folder == full => Ok(Self(path.to_owned())),
            Some(folder) => Ok(Self(folder.to_owned())),
            None => Err(Error::Run {
                path: path.to_owned(),
                reason: format!("not a run folder: it has no {CONFIG}"),
            }),
        }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its folder of checkpoints, which may not exist yet.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join(CHECKPOINTS)
    }

    /// Reads its `config.toml`.
    ///
    /// # Errors
    /// The file cannot be read, is not a configuration, or sets nothing: rootlet writes every value into it.
    pub fn config(&self) -> Result<TrainConfig> {
        let path = self.0.join(CONFIG);
        let text = files::read_text(&path, files::Most::TYPED)?;
        let says_nothing = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
        if text.lines().all(says_nothing) {
            return Err(Error::Run {
                path: self.0.clone(),
                reason: format!("its {CONFIG} is empty; restore it"),
            });
        }
        TrainConfig::from_toml(&text, &path)
    }

    /// Writes its `config.toml`, completely or not at all.
    pub fn write_config(&self, config: &TrainConfig) -> Result<()> {
        write_atomically(&self.0.join(CONFIG), config.to_toml()?.as_bytes())
    }

    /// Whether there is a checkpoint to continue from.
    pub fn has_checkpoint(&self) -> bool {
        // Half-written checkpoints have other names.
        let whole = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("step-");
        fs::read_dir(self.checkpoints()).is_ok_and(|entries| entries.flatten().any(whole))
    }
}

/// Whether an error means that nothing is there.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Local time such as `20260131-174502`, which sorts by age; UTC if the local offset is not known.
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

/// Replaces a file durably, completely or not at all.
pub(in crate::report) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    disk::replace(path, bytes, true).map_err(Error::io("write", path))
}
