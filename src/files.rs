//! Reading whole files that a user named or that were found in a folder. Anything that is not a file is refused before
//! it is opened, and a file larger than its kind can be is refused before it is read.

mod tensors;

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::engine::host_memory;
use crate::error::{Error, Result};
pub(crate) use tensors::{TensorsFile, TensorsHeader};

/// Opens a file for reading.
///
/// # Errors
/// It does not exist, or is not a file: opening a named pipe would wait for somebody to write into it, and a device or
/// a socket may never end.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata)> {
    let about = std::fs::metadata(path).map_err(Error::io("read", path))?;
    if !about.is_file() && !handed_over(path) {
        return Err(not_a_file(path, &about));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    Ok((file, about))
}

/// The error for a path that exists but is not a file.
pub(crate) fn not_a_file(path: &Path, about: &Metadata) -> Error {
    let reason = io::Error::other(format!("it is {}, not a file", kind(about)));
    Error::io("read", path)(reason)
}

/// What something is that is not a file.
pub(crate) fn kind(about: &Metadata) -> &'static str {
    match about.is_dir() {
        true => "a folder",
        false => "a pipe, a socket or a device",
    }
}

/// Whether the shell opened it for this process, as `<(…)` does: opening it again waits for nobody.
pub(crate) fn handed_over(path: &Path) -> bool {
    ["/dev/stdin", "/dev/stdout", "/dev/stderr"].contains(&path.to_str().unwrap_or_default())
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

/// The most bytes that a file of some kind may have: far more than any real one has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most(u64);

impl Most {
    /// Files that people write: a configuration, a sweep.
    pub const TYPED: Self = Self(1 << 20);
    /// Files about one thing that a program writes: a summary, a manifest, the figures of a benchmark.
    pub const RECORD: Self = Self(64 << 20);
    /// The rows of a run: seven million of them.
    pub const TABLE: Self = Self(1 << 30);

    /// What this machine's memory can hold, for formats without a limit.
    pub fn memory() -> Self {
        Self(host_memory::available().unwrap_or(u64::MAX - 1))
    }

    /// Accepts a file with this many bytes; or says why not, in a text that can follow the file's name.
    pub fn admit(self, bytes: u64) -> Result<(), String> {
        match bytes <= self.0 {
            true => Ok(()),
            false => Err(format!(
                "it has {bytes} bytes, and files of its kind have {} at most; is it the right file?",
                self.0
            )),
        }
    }
}

/// All bytes of a file.
///
/// # Errors
/// As [`open`]; or the file is larger than `most`, or than the memory.
pub(crate) fn read(path: &Path, most: Most) -> Result<Vec<u8>> {
    let (file, about) = open(path)?;
    let refuse = |reason| Error::io("read", path)(io::Error::other(reason));
    most.admit(about.len()).map_err(refuse)?;
    let mut bytes = Vec::new();
    let length = usize::try_from(about.len()).unwrap_or(usize::MAX);
    bytes
        .try_reserve_exact(length)
        .map_err(|_| Error::io("read", path)(io::ErrorKind::OutOfMemory.into()))?;
    // What the shell passed has no length, and a file may grow.
    file.take(most.0.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", path))?;
    most.admit(bytes.len() as u64).map_err(refuse)?;
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As [`read`]; or its bytes are not UTF-8.
pub(crate) fn read_text(path: &Path, most: Most) -> Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| {
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

/// All bytes of a text, unpacked if it is gzipped. A gzip file only gives its unpacked size at its end. So a file that
/// begins with zeros, as one does that was never written, is refused by its beginning.
///
/// # Errors
/// As [`read`]; or the beginning is not text, or the gzip data are damaged or too large for the memory.
pub(crate) fn read_unpacked(path: &Path) -> Result<Vec<u8>> {
    let wrong = |reason| Error::Data {
        path: path.to_owned(),
        reason,
    };
    let mut start = Vec::new();
    let (file, _) = open(path)?;
    // What the shell passed can be read only once, and has no length to fear.
    if !handed_over(path) {
        file.take(START)
            .read_to_end(&mut start)
            .map_err(Error::io("read", path))?;
        begins_as_text(&start).map_err(wrong)?;
    }
    let most = Most::memory();
    unpack(read(path, most)?, most.0).map_err(wrong)
}

/// Number of bytes that are checked first.
const START: u64 = 4096;

/// Accepts the beginning of a text, unpacked if it is gzipped.
fn begins_as_text(start: &[u8]) -> Result<(), String> {
    let mut unpacked = Vec::new();
    let start = match start.starts_with(&GZIP) {
        true => {
            // Damage is reported when everything is unpacked.
            let _ = MultiGzDecoder::new(start)
                .take(START)
                .read_to_end(&mut unpacked);
            &unpacked[..]
        }
        false => start,
    };
    match start.contains(&0) {
        true => Err("it begins with zero bytes: this is no text; is it the right file?".to_owned()),
        false => Ok(()),
    }
}

/// A file's bytes, unpacked if they are gzipped, up to `room` bytes. An error's text is a reason that can follow the
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

/// The bytes of a file, or `None` if it does not exist.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_if_there(path: &Path, most: Most) -> Result<Option<Vec<u8>>> {
    match read(path, most) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => bytes.map(Some),
    }
}

/// What is in place of a folder.
pub(crate) fn no_folder(path: &Path) -> &'static str {
    match path.exists() {
        true => "this is not a folder",
        false => "there is no such folder",
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
        let most = Most::RECORD;
        says(read(folder.path(), most), "it is a folder, not a file");
        let nothing = folder.path().join("x");
        says(read(&nothing, most), "cannot read");
        assert!(read_if_there(&nothing, most).unwrap().is_none());
        assert!(read_if_there(folder.path(), most).is_err());
        let file = folder.path().join("y");
        std::fs::write(&file, b"a\n\xff").unwrap();
        assert_eq!(read(&file, most).unwrap(), b"a\n\xff");
        let error = read_text(&file, most).unwrap_err().to_string();
        assert!(error.contains("line 2 is no text"), "{error}");
    }

    /// Sparse files, larger than the memory of most machines, that take no space on the disk.
    #[test]
    fn what_is_larger_than_its_kind_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        for most in [Most::TYPED, Most::RECORD, Most::TABLE] {
            let message = read_if_there(&path, most).unwrap_err().to_string();
            let wrong = "it has 1099511627776 bytes, and files of its kind have";
            assert!(message.contains(wrong), "{message}");
        }
        let message = read_unpacked(&path).unwrap_err().to_string();
        assert!(message.contains("begins with zero bytes"), "{message}");
        // A terabyte of zeros packs into a gigabyte: its beginning is enough.
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &[0; 1 << 20]).unwrap();
        std::fs::write(&path, packed.finish().unwrap()).unwrap();
        let message = read_unpacked(&path).unwrap_err().to_string();
        assert!(message.contains("begins with zero bytes"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_and_a_device_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&pipe, Path::new("/dev/zero")] {
            let message = read(path, Most::TABLE).unwrap_err().to_string();
            assert!(message.contains("it is a pipe"), "{message}");
        }
    }
}
