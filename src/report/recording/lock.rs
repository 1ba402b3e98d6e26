//! Only one process at a time trains in a run folder: an advisory lock, which the system releases however the process
//! ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use super::RunFolder;
use super::names::LOCK;
use crate::{Error, Result, files};

/// A run folder belongs to this process for as long as this value lives.
#[derive(Debug)]
pub struct RunLock {
    /// None if the folder cannot be written and has no lock file.
    file: Option<File>,
    /// Whether this process has trained here before and now continues.
    pub(in crate::report) again: bool,
}

impl RunLock {
    fn on(file: Option<File>) -> Self {
        Self { file, again: false }
    }

    /// The lock of a process that continues the run that it trained before.
    pub(in crate::report) fn again(self) -> Self {
        let mut lock = self;
        lock.again = true;
        lock
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // The former holder is gone. Its number only helps people.
        if let Some(file) = &self.file {
            let _ = file.set_len(0);
        }
    }
}

impl RunFolder {
    /// Locks the folder for writing. `note` is told if the file system has no locks or cannot be written; a finished
    /// run can still be looked at there.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process holds the lock; [`Error::Run`] if something else is in its place.
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
                    "{} cannot be written ({error}): the run can be read, but not continued",
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
                    // A killed process has left its number, and the holder may not have written its own yet.
                    process: process.filter(|&id| lives(id)),
                });
            }
            Err(TryLockError::Error(_)) if !writable => {}
            Err(TryLockError::Error(error)) => note(&format!(
                "{} cannot be locked ({error}): make sure that no other process trains in this folder",
                path.display()
            )),
        }
        // The name of the holder only helps people.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(RunLock::on(opened))
    }

    /// Describes what is in the lock's place if it is not a file.
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

    /// Whether a process trains in the folder; none if that is not known, as for runs of versions without locks.
    pub(in crate::report) fn is_in_use(&self) -> Option<bool> {
        if self.lock_obstacle().is_some() {
            return None;
        }
        let file = File::open(self.path().join(LOCK)).ok()?;
        // Released at once: a process that starts in the meantime tries again.
        match file.try_lock_shared() {
            Ok(()) => Some(false),
            Err(TryLockError::WouldBlock) => Some(true),
            Err(TryLockError::Error(_)) => None,
        }
    }

    /// Removes the folder if it holds nothing but a lock, as after a run that was given up before it began.
    pub(in crate::report) fn remove_if_empty(&self) {
        let only = |entries: std::fs::ReadDir| {
            (entries.flatten()).all(|entry| entry.file_name().to_str() == Some(LOCK))
        };
        if std::fs::read_dir(self.path()).is_ok_and(only) {
            // If the folder stays, it does no harm.
            let _ = std::fs::remove_file(self.path().join(LOCK));
            let _ = std::fs::remove_dir(self.path());
        }
    }
}

/// Locks a file for this process alone. A process that only checks for a lock holds it for a moment.
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

/// Whether an error means that nothing can be written there.
fn is_read_only(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
    )
}

/// Whether a process with this number exists, as far as the system tells.
fn lives(process: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}
