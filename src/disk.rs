//! Durable file operations: data and names are flushed to the disk. Whatever changes a disk while a checkpoint is saved
//! goes through the trait [`Disk`], so that a test can make each of its operations fail in turn.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The operations of a save on a disk.
pub(crate) trait Disk {
    /// Creates a folder and its parents.
    fn create_folders(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Creates a file that does not exist yet.
    fn create(&self, path: &Path) -> io::Result<File> {
        File::create_new(path)
    }

    /// Writes into a file that was created at `path`.
    fn write(&self, _path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Flushes a file's content to the disk.
    fn sync(&self, _path: &Path, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Flushes a folder's entries to the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // Other systems have no such call, and some network file systems refuse it: there, the rename has to do.
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

    /// Removes a folder and everything in it.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
}

/// The disk of this machine.
pub(crate) struct Machine;

impl Disk for Machine {}

/// Flushes the folder that holds `path`, so that a name created or renamed there is on the disk.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Machine.sync_folder(Path::new(".")),
        Some(parent) => Machine.sync_folder(parent),
        None => Ok(()),
    }
}

/// Creates a folder and its parents, and flushes the names of all that are new.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    let new: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    Machine.create_folders(path)?;
    new.into_iter().try_for_each(sync_parent)
}

/// Replaces a file through a temporary one beside it: readers see the old or the new content, never a part. If it is
/// not `durable`, it may be lost when the machine goes down, and nothing waits for the disk.
pub(crate) fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    replace_through(&path.with_extension("tmp"), path, bytes, durable)
}

/// Like [`replace`], for several processes that may do so at once.
pub(crate) fn replace_shared(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let own = format!("{}.tmp", std::process::id());
    replace_through(&path.with_extension(own), path, bytes, true)
}

/// Writes a file that a user named. A regular or new file is replaced as in [`replace_shared`], so that a full disk
/// leaves the old one whole. What the shell opened, and devices, are written directly; so is a file in a folder that
/// accepts no new files.
pub(crate) fn write_named(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let about = match fs::metadata(path) {
        Ok(about) if !about.is_file() => return fs::write(path, bytes),
        Ok(about) => Some(about),
        // Writing through a dangling link creates the file that it names.
        Err(_) if path.is_symlink() => return fs::write(path, bytes),
        Err(_) => None,
    };
    let Some(about) = about else {
        return replace_shared(path, bytes);
    };
    let path = fs::canonicalize(path)?;
    match replace_shared(&path, bytes) {
        Ok(()) => fs::set_permissions(&path, about.permissions()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => fs::write(&path, bytes),
        error => error,
    }
}

fn replace_through(temporary: &Path, path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    // A killed process may have left this. It is created again, because opening a pipe in its place would wait.
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
        // The first error is the one to report; the leftover is harmless.
        let _ = fs::remove_file(temporary);
        return written;
    }
    match durable {
        true => sync_parent(path),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_named_is_replaced_and_what_is_none_written_into() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let desk = tempfile::tempdir().unwrap();
        let path = |name: &str| desk.path().join(name);
        write_named(&path("a"), b"1").unwrap();
        fs::set_permissions(path("a"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink(path("a"), path("link")).unwrap();
        let before = fs::metadata(path("a")).unwrap();
        write_named(&path("link"), b"2").unwrap();
        let after = fs::metadata(path("a")).unwrap();
        assert_eq!(fs::read(path("a")).unwrap(), b"2");
        assert!(path("link").is_symlink() && after.ino() != before.ino());
        assert_eq!(after.mode(), before.mode());
        symlink(path("new"), path("loose")).unwrap();
        write_named(&path("loose"), b"3").unwrap();
        assert_eq!(fs::read(path("new")).unwrap(), b"3");
        write_named(Path::new("/dev/null"), b"4").unwrap();
        write_named(&path("nowhere/a"), b"5").unwrap_err();
        assert_eq!(fs::read_dir(desk.path()).unwrap().count(), 4);
    }
}
