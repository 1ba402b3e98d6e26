//! A file that a user named and that is written piece by piece: it takes its place once it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

use super::output::check_output;
use crate::files::handed_over;
use crate::{Error, Result};

/// A file under construction. What is written goes to a temporary file that no other program sees, so that nothing is
/// left behind if the process ends early; [`NewFile::finish`] makes the file of it.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    /// Whether it goes to `path` directly: what the shell opened, and devices.
    at_once: bool,
    replaces: bool,
    file: BufWriter<File>,
}

impl NewFile {
    /// Begins a file at `path`, which must not be one of `inputs`; an older one stays until this one is complete.
    ///
    /// # Errors
    /// There is one, and it is not to be replaced; or as [`check_output`].
    pub fn begin(path: &Path, inputs: &[PathBuf], replaces: bool) -> Result<Self> {
        let failed = || Error::io("write", path);
        check_output(path, inputs)?;
        let about = fs::metadata(path).ok();
        if !replaces && about.as_ref().is_some_and(|about| about.is_file()) && !handed_over(path) {
            return Err(exists(path));
        }
        let at_once = about.is_some_and(|about| !about.is_file()) || handed_over(path);
        let file = match at_once {
            true => OpenOptions::new().write(true).open(path),
            false => tempfile::tempfile_in(folder(path)),
        };
        Ok(Self {
            path: path.to_owned(),
            at_once,
            replaces,
            file: BufWriter::new(file.map_err(failed())?),
        })
    }

    /// Puts the complete file in its place.
    ///
    /// # Errors
    /// It cannot be written, or another program has made one meanwhile; an older one stays.
    pub fn finish(self) -> Result<()> {
        let Self {
            path,
            at_once,
            replaces,
            file,
        } = self;
        let failed = || Error::io("write", &path);
        let mut content = file
            .into_inner()
            .map_err(|error| failed()(error.into_error()))?;
        if at_once {
            return Ok(());
        }
        // A link stays one, and the file that it names is replaced.
        let place = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let mut builder = tempfile::Builder::new();
        let_others_read(&mut builder);
        let mut whole = builder.tempfile_in(folder(&place)).map_err(failed())?;
        if let Ok(older) = fs::metadata(&place) {
            fs::set_permissions(whole.path(), older.permissions()).map_err(failed())?;
        }
        content.rewind().map_err(failed())?;
        io::copy(&mut content, whole.as_file_mut()).map_err(failed())?;
        whole.as_file().sync_all().map_err(failed())?;
        let placed = match replaces {
            true => whole.persist(&place),
            false => whole.persist_noclobber(&place),
        };
        match placed {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(exists(&path)),
            Err(error) => Err(failed()(error.error)),
        }
    }
}

/// Gives a new file the permissions of any other, instead of its owner alone.
#[cfg(unix)]
fn let_others_read(builder: &mut tempfile::Builder<'_, '_>) {
    // The system takes the process's mask off.
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
}

/// Other systems have no such mask.
#[cfg(not(unix))]
fn let_others_read(_: &mut tempfile::Builder<'_, '_>) {}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The error for a file that is there already.
fn exists(path: &Path) -> Error {
    Error::Io {
        action: "write".to_owned(),
        path: path.to_owned(),
        source: ErrorKind::AlreadyExists.into(),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_when_it_is_complete_and_not_before() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("a.csv");
        let mut file = NewFile::begin(&path, &[], false).unwrap();
        file.write_all(b"one").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(desk.path()).unwrap().count(), 0);
        for (text, replaces) in [("one", false), ("two", true)] {
            let mut file = NewFile::begin(&path, &[], replaces).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.finish().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let refused = NewFile::begin(&path, &[], false).unwrap_err();
        assert!(matches!(refused, Error::Io { .. }), "{refused}");
        // Another program was faster.
        let other = desk.path().join("b.csv");
        let file = NewFile::begin(&other, &[], false).unwrap();
        fs::write(&other, "other").unwrap();
        file.finish().unwrap_err();
        assert_eq!(fs::read_to_string(&other).unwrap(), "other");
        assert_eq!(fs::read_dir(desk.path()).unwrap().count(), 2);
    }
}
