//! One process at a time trains in a run's folder: an advisory lock, which the system releases when the process ends, however.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::RunFolder;
use crate::{Error, Result, files};

/// The file that is locked. It stays, for one that is removed could be locked twice; in it is who holds it.
const LOCK: &str = "lock";

/// A run's folder is this process's own for as long as this lives.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    /// Whether this process has trained here before, and goes on.
    pub(super) again: bool,
}

impl RunLock {
    /// The lock of a process that goes on with the run that it trained before.
    pub(super) fn again(self) -> Self {
        let mut lock = self;
        lock.again = true;
        lock
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Whoever held it holds it no longer. It only helps people.
        let _ = self.file.set_len(0);
    }
}

impl RunFolder {
    /// Locks the folder, to write in it. `note` hears of a file system that has no locks.
    ///
    /// # Errors
    /// [`Error::InUse`] where another process holds it, or a folder that cannot be written.
    pub fn lock(&self, note: &mut dyn FnMut(&str)) -> Result<RunLock> {
        let path = self.path().join(LOCK);
        if let Ok(about) = std::fs::metadata(&path)
            && !about.is_file()
        {
            return Err(Error::Checkpoint {
                reason: format!("it is {}, not a file; move it away", files::kind(&about)),
                path,
            });
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("write", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Some systems let nobody read a locked file.
                let read = (&mut file).take(64).read_to_string(&mut holder);
                let process = read.ok().and_then(|_| holder.trim().parse().ok());
                // One that was killed has left its number, and the holder may not have written its own yet.
                let process = process.filter(|&id| lives(id));
                return Err(Error::InUse {
                    path: self.path().to_owned(),
                    process,
                });
            }
            Err(TryLockError::Error(error)) => note(&format!(
                "{} cannot be locked ({error}): see to it that no other process trains in this folder",
                path.display()
            )),
        }
        // Who it is only helps people.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(RunLock { file, again: false })
    }

    /// Removes the folder where nothing but a lock is in it: of a run that was given up before it began.
    pub(super) fn remove_if_empty(&self) {
        let only = |entries: std::fs::ReadDir| {
            (entries.flatten()).all(|entry| entry.file_name().to_str() == Some(LOCK))
        };
        if std::fs::read_dir(self.path()).is_ok_and(only) {
            // A folder that stays does no harm.
            let _ = std::fs::remove_file(self.path().join(LOCK));
            let _ = std::fs::remove_dir(self.path());
        }
    }
}

/// Whether there is a process of this number, as far as the system tells.
fn lives(process: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}
