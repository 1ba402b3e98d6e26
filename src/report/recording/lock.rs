//! One process at a time trains in a run's folder: an advisory lock, which the system releases when the process ends,
//! however.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use super::RunFolder;
use super::names::LOCK;
use crate::{Error, Result, files};

/// A run's folder is this process's own for as long as this lives.
#[derive(Debug)]
pub struct RunLock {
    /// None where the folder cannot be written and has none.
    file: Option<File>,
    /// Whether this process has trained here before, and goes on.
    pub(in crate::report) again: bool,
}

impl RunLock {
    fn on(file: Option<File>) -> Self {
        Self { file, again: false }
    }

    /// The lock of a process that goes on with the run that it trained before.
    pub(in crate::report) fn again(self) -> Self {
        let mut lock = self;
        lock.again = true;
        lock
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Whoever held it holds it no longer. It only helps people.
        if let Some(file) = &self.file {
            let _ = file.set_len(0);
        }
    }
}

impl RunFolder {
    /// Locks the folder, to write in it. `note` hears of a file system that has no locks, or cannot be written: there,
    /// a run that is over can still be looked at.
    ///
    /// # Errors
    /// [`Error::InUse`] where another process holds it; [`Error::Run`] where something else is in the lock's place.
    pub fn lock(&self, note: &mut dyn FnMut(&str)) -> Result<RunLock> {
        let path = self.path().join(LOCK);
        if let Some(reason) = self.lock_obstacle() {
            let path = self.path().to_owned();
            return Err(Error::Run { path, reason });
        }
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let (mut opened, writable) = match opened {
            Ok(file) => (Some(file), true),
            Err(error) if is_read_only(&error) => {
                note(&format!(
                    "{} cannot be written ({error}): the run can be looked at, and not trained on",
                    path.display()
                ));
                (File::open(&path).ok(), false)
            }
            Err(error) => return Err(Error::io("write", &path)(error)),
        };
        let Some(file) = opened.as_mut() else {
            return Ok(RunLock::on(opened));
        };
        match try_lock(file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Some systems let nobody read a locked file.
                let read = file.take(64).read_to_string(&mut holder);
                let process = read.ok().and_then(|_| holder.trim().parse().ok());
                return Err(Error::InUse {
                    path: self.path().to_owned(),
                    // One that was killed has left its number, and the holder may not have written its own yet.
                    process: process.filter(|&id| lives(id)),
                });
            }
            Err(TryLockError::Error(_)) if !writable => {}
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
        Ok(RunLock::on(opened))
    }

    /// What is in the lock's place and is no file, if anything is.
    pub(in crate::report) fn lock_obstacle(&self) -> Option<String> {
        let path = self.path().join(LOCK);
        match std::fs::metadata(&path) {
            Ok(about) if about.is_file() => None,
            Ok(about) => Some(format!(
                "its {LOCK} is {}, not a file; move it away",
                files::kind(&about)
            )),
            Err(_) if path.is_symlink() => {
                Some(format!("its {LOCK} is a link to nothing; remove it"))
            }
            Err(_) => None,
        }
    }

    /// Whether a process trains in the folder; none where that is not known, as of runs of versions without locks.
    pub(in crate::report) fn is_in_use(&self) -> Option<bool> {
        if self.lock_obstacle().is_some() {
            return None;
        }
        let file = File::open(self.path().join(LOCK)).ok()?;
        // Let go at once: whoever begins meanwhile tries again.
        match file.try_lock_shared() {
            Ok(()) => Some(false),
            Err(TryLockError::WouldBlock) => Some(true),
            Err(TryLockError::Error(_)) => None,
        }
    }

    /// Removes the folder where nothing but a lock is in it: of a run that was given up before it began.
    pub(in crate::report) fn remove_if_empty(&self) {
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

/// Locks a file for this process alone. Who only looks whether it is locked holds it for a moment.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    const LOOKS: u32 = 5;
    for _ in 1..LOOKS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            done => return done,
        }
    }
    file.try_lock()
}

/// Whether an error says that nothing can be written there.
fn is_read_only(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
    )
}

/// Whether there is a process of this number, as far as the system tells.
fn lives(process: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}
