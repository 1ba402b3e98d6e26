//! Whatever is in the way of a run's own files, or is left of a damaged one, is kept under another name. Nothing that
//! somebody saved is overwritten, and nothing waits for a pipe.

use std::fs;
use std::path::{Path, PathBuf};

use super::RunFolder;
use super::names::{CONFIG, METRICS, PROGRESS, SUMMARY, TOPOLOGY};
use crate::{Error, Result, files};

impl RunFolder {
    /// To be called before a run writes into a folder that existed before. It moves aside whatever is in the place of a
    /// run's file and is not a file, or is far too large for one, and a summary or progress note that cannot be read.
    /// `note` receives a line for each.
    ///
    /// # Errors
    /// Something cannot be moved, or is in the place of the checkpoints.
    pub(in crate::report) fn set_aside(&self, note: &mut dyn FnMut(&str)) -> Result<()> {
        if let Some(kind) = not(&self.checkpoints(), fs::Metadata::is_dir) {
            return Err(Error::Run {
                path: self.checkpoints(),
                reason: format!("it is {kind}, not a folder; move it away"),
            });
        }
        for name in [CONFIG, METRICS, TOPOLOGY, SUMMARY, PROGRESS] {
            let path = self.path().join(name);
            if let Some(kind) = not(&path, fs::Metadata::is_file) {
                let what = format!("{} is {kind}, not a file", path.display());
                move_aside(&path, &what, note)?;
            }
        }
        for name in [METRICS, TOPOLOGY] {
            let path = self.path().join(name);
            let bytes = fs::metadata(&path).map_or(0, |about| about.len());
            if files::Most::TABLE.admit(bytes).is_err() {
                let what = format!(
                    "{} has {bytes} bytes and is not a table of a run",
                    path.display()
                );
                move_aside(&path, &what, note)?;
            }
        }
        let unreadable = [
            (SUMMARY, self.summary().err()),
            (PROGRESS, self.progress().err()),
        ];
        for (name, error) in unreadable {
            if let Some(error) = error {
                move_aside(&self.path().join(name), &error.to_string(), note)?;
            }
        }
        Ok(())
    }
}

/// Describes what is at `path` if it exists and is not of the wanted kind.
fn not(path: &Path, wanted: fn(&fs::Metadata) -> bool) -> Option<&'static str> {
    let about = fs::metadata(path).ok()?;
    match (wanted(&about), about.is_file()) {
        (true, _) => None,
        (false, true) => Some("a file"),
        (false, false) => Some(files::kind(&about)),
    }
}

fn move_aside(path: &Path, what: &str, note: &mut dyn FnMut(&str)) -> Result<()> {
    let aside = aside(path);
    fs::rename(path, &aside).map_err(Error::io("move away", path))?;
    note(&format!(
        "{what}: it is now {}, and a new one is written",
        aside.display()
    ));
    Ok(())
}

/// An unused name beside `path`: `metrics.damaged.csv`, `metrics.damaged-2.csv`.
pub(in crate::report) fn aside(path: &Path) -> PathBuf {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let mut aside = path.with_extension(format!("damaged.{extension}"));
    let mut number = 2_u32;
    while fs::symlink_metadata(&aside).is_ok() {
        aside = path.with_extension(format!("damaged-{number}.{extension}"));
        number += 1;
    }
    aside
}
