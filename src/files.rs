//! Reading whole files that were named by a user or found in a folder: what is no file is refused before it is opened.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::engine::host_memory;
use crate::error::{Error, Result};

/// Opens a file to be read.
///
/// # Errors
/// One that is not there, or is no file: opening a named pipe would wait for somebody to write into it, and a device or a
/// socket may never end.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata)> {
    let about = std::fs::metadata(path).map_err(Error::io("read", path))?;
    if !about.is_file() && !handed_over(path) {
        return Err(not_a_file(path, &about));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    Ok((file, about))
}

/// The error for a path that is there and is no file.
pub(crate) fn not_a_file(path: &Path, about: &Metadata) -> Error {
    let reason = io::Error::other(format!("it is {}, not a file", kind(about)));
    Error::io("read", path)(reason)
}

/// What something that is no file is.
pub(crate) fn kind(about: &Metadata) -> &'static str {
    match about.is_dir() {
        true => "a folder",
        false => "a pipe, a socket or a device",
    }
}

/// Whether the shell opened it for this process, as `<(…)` does: opening it again waits for nobody.
fn handed_over(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

/// All bytes of a file.
///
/// # Errors
/// As [`open`], or one that is larger than the memory.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let (mut file, about) = open(path)?;
    let mut bytes = Vec::new();
    let length = usize::try_from(about.len()).unwrap_or(usize::MAX);
    bytes
        .try_reserve_exact(length)
        .map_err(|_| Error::io("read", path)(io::ErrorKind::OutOfMemory.into()))?;
    file.read_to_end(&mut bytes)
        .map_err(Error::io("read", path))?;
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As [`read`], or bytes that are no UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::Data {
            path: path.to_owned(),
            reason: format!("line {line} is no text in UTF-8; is it the right file?"),
        }
    })
}

/// The first bytes of a gzip file.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// All bytes of a file, unpacked where it is gzipped.
///
/// # Errors
/// As [`read`], or gzip data that are damaged, or too many for the memory.
pub(crate) fn read_unpacked(path: &Path) -> Result<Vec<u8>> {
    let room = host_memory::available().unwrap_or(u64::MAX - 1);
    unpack(read(path)?, room).map_err(|reason| Error::Data {
        path: path.to_owned(),
        reason,
    })
}

/// A file's bytes, unpacked where they are gzipped, to `room` bytes at most. An error's text is a reason that fits behind the
/// file's name.
pub(crate) fn unpack(bytes: Vec<u8>, room: u64) -> Result<Vec<u8>, String> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(&bytes[..])
        .take(room.saturating_add(1))
        .read_to_end(&mut unpacked);
    match read {
        Ok(length) if length as u64 <= room => Ok(unpacked),
        Ok(_) => Err("unpacks to more than this machine's memory holds".to_owned()),
        Err(error) => Err(format!(
            "the gzip data are corrupt or truncated ({error}); get it again"
        )),
    }
}

/// The bytes of a file, `None` where there is none.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match read(path) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => bytes.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let says = |result: Result<Vec<u8>>, reason: &str| {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        };
        says(read(folder.path()), "it is a folder, not a file");
        says(read(&folder.path().join("x")), "cannot read");
        assert!(read_if_there(&folder.path().join("x")).unwrap().is_none());
        assert!(read_if_there(folder.path()).is_err());
        let file = folder.path().join("y");
        std::fs::write(&file, b"a\n\xff").unwrap();
        assert_eq!(read(&file).unwrap(), b"a\n\xff");
        let error = read_text(&file).unwrap_err().to_string();
        assert!(error.contains("line 2 is no text"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_and_a_device_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&pipe, Path::new("/dev/zero")] {
            let message = read(path).unwrap_err().to_string();
            assert!(message.contains("it is a pipe"), "{message}");
        }
    }
}
