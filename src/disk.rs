//! File operations that last: data and names are flushed to the disk. What changes a disk while a checkpoint is saved goes
//! through the trait [`Disk`], so that a test can let each of its operations fail in turn.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// What a save does to a disk.
pub(crate) trait Disk {
    /// Makes a folder, and those above it.
    fn create_folders(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Makes a file that is not there yet.
    fn create(&self, path: &Path) -> io::Result<File> {
        File::create_new(path)
    }

    /// Writes into a file that was made at `path`.
    fn write(&self, _path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Flushes a file's content to the disk.
    fn sync(&self, _path: &Path, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Flushes a folder's entries to the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // Other systems have no such call, and some network file systems refuse it: there, renaming is all there is.
        if !cfg!(unix) {
            return Ok(());
        }
        match File::open(path)?.sync_all() {
            Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                Ok(())
            }
            done => done,
        }
    }

    /// Renames a file or folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Removes a folder with all that is in it.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
}

/// The machine's own.
pub(crate) struct Machine;

impl Disk for Machine {}

/// Flushes the folder that holds `path`, so that the name of what was made or renamed there is on the disk.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Machine.sync_folder(Path::new(".")),
        Some(parent) => Machine.sync_folder(parent),
        None => Ok(()),
    }
}

/// Makes a folder and those above it, and flushes the names of all that were not there.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    let new: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    Machine.create_folders(path)?;
    new.into_iter().try_for_each(sync_parent)
}

/// Replaces a file by way of a temporary one beside it: whoever reads sees the old or the new content, never a part. What is not
/// `durable` may be lost when the machine goes down, and holds nothing up.
pub(crate) fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    replace_through(&path.with_extension("tmp"), path, bytes, durable)
}

/// As [`replace`], where several processes may do so at once.
pub(crate) fn replace_shared(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let own = format!("{}.tmp", std::process::id());
    replace_through(&path.with_extension(own), path, bytes, true)
}

fn replace_through(temporary: &Path, path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    // What a killed process has left. Made anew, for opening a pipe in its place would wait.
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = File::create_new(temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            if durable {
                file.sync_all()?;
            }
            Ok(())
        })
        .and_then(|()| fs::rename(temporary, path));
    if written.is_err() {
        // The first error is the one to tell; the left-over is harmless.
        let _ = fs::remove_file(temporary);
        return written;
    }
    match durable {
        true => sync_parent(path),
        false => Ok(()),
    }
}
