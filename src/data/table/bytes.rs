//! The bytes of a table's file: in memory, or read from the file at the place where they are needed.
//!
//! Files are read rather than mapped: a mapped file that shrinks ends the process, and takes address space that 32-bit
//! systems and limited shells do not have.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::engine::host_memory;
use crate::error::{Error, Result};
use crate::files;
use crate::words::grouped;

/// Bytes that can be read at any place, by several threads at once.
#[derive(Clone, Debug)]
pub(super) struct Bytes(Arc<Place>);

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    File {
        file: At,
        length: u64,
        /// When it was last changed, if the system says so; `None` for a file that nobody else can change.
        changed: Option<SystemTime>,
    },
}

impl Bytes {
    /// The bytes of a file, which stay there. What the shell passes as a pipe has no places, and is read at once.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let (file, about) = files::open(path)?;
        if about.is_file() {
            return Ok(Self::of_file(file, about.len(), about.modified().ok()));
        }
        let mut bytes = Vec::new();
        let most = host_memory::available().unwrap_or(u64::MAX - 1);
        (file.take(most).read_to_end(&mut bytes)).map_err(Error::io("read", path))?;
        Ok(Self::memory(bytes))
    }

    /// The bytes of an open file. If `changed` is given, the file may not change from then on.
    pub fn of_file(file: File, length: u64, changed: Option<SystemTime>) -> Self {
        Self(Arc::new(Place::File {
            file: At::new(file),
            length,
            changed,
        }))
    }

    /// Bytes in memory.
    pub fn memory(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Place::Memory(bytes)))
    }

    /// How many there are.
    pub fn length(&self) -> u64 {
        match &*self.0 {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File { length, .. } => *length,
        }
    }

    /// Reads as many bytes as `into` holds, from place `at` on. The text of an error is a reason that fits after the
    /// file's name.
    pub fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), String> {
        const CUT: &str = "it ends early; get it again";
        let end = at.checked_add(into.len() as u64);
        if end.is_none_or(|end| end > self.length()) {
            return Err(CUT.to_owned());
        }
        match &*self.0 {
            Place::Memory(bytes) => {
                let at = usize::try_from(at).map_err(|_| CUT.to_owned())?;
                into.copy_from_slice(&bytes[at..at + into.len()]);
                Ok(())
            }
            Place::File {
                file,
                length,
                changed,
            } => {
                if changed.is_some() {
                    let is_same =
                        |now: &Metadata| now.len() == *length && now.modified().ok() == *changed;
                    match file.about() {
                        Ok(now) if is_same(&now) => {}
                        Ok(_) => {
                            return Err(
                                "it has changed since it was opened; start again when it is whole"
                                    .to_owned(),
                            );
                        }
                        Err(error) => return Err(unreadable(&error)),
                    }
                }
                file.read(at, into).map_err(|error| unreadable(&error))
            }
        }
    }

    /// The bytes of a part, which has to be small.
    pub fn part(&self, at: u64, length: u64) -> Result<Vec<u8>, String> {
        let whole = at
            .checked_add(length)
            .is_some_and(|end| end <= self.length());
        let length = usize::try_from(length).ok().filter(|_| whole);
        let mut bytes = vec![0; length.ok_or("it ends early; get it again")?];
        self.read_at(at, &mut bytes)?;
        Ok(bytes)
    }

    /// The first bytes, at most `most`.
    pub fn start(&self, most: u64) -> Result<Vec<u8>, String> {
        self.part(0, most.min(self.length()))
    }

    /// All bytes from place `at` on, at most `most`, one after the other.
    pub fn reader(&self, at: u64, most: u64) -> Reader {
        Reader {
            bytes: self.clone(),
            at,
            end: at.saturating_add(most).min(self.length()),
        }
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read ({error})")
}

/// The reason for not keeping something in memory.
pub(super) fn too_large(what: &str, needed: u64, free: u64) -> String {
    format!(
        "{what} {} bytes of memory, and this machine has {} free",
        grouped(needed),
        grouped(free)
    )
}

/// Reads bytes one after the other.
pub(super) struct Reader {
    bytes: Bytes,
    at: u64,
    end: u64,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = left.min(into.len());
        self.bytes
            .read_at(self.at, &mut into[..count])
            .map_err(io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A file that is read at given places.
#[derive(Debug)]
struct At {
    file: File,
    /// Other systems than Unix have one place for all threads.
    #[cfg(not(unix))]
    turn: std::sync::Mutex<()>,
}

impl At {
    fn new(file: File) -> Self {
        Self {
            file,
            #[cfg(not(unix))]
            turn: std::sync::Mutex::new(()),
        }
    }

    fn about(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    #[cfg(unix)]
    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, into, at)
    }

    #[cfg(not(unix))]
    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        use std::io::{Seek, SeekFrom};
        let _turn = self
            .turn
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        (&self.file).seek(SeekFrom::Start(at))?;
        (&self.file).read_exact(into)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_changes_meanwhile_is_an_error() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 100]).unwrap();
        let bytes = Bytes::open(file.path()).unwrap();
        let mut two = [0; 2];
        bytes.read_at(98, &mut two).unwrap();
        assert_eq!(two, [7, 7]);
        for at in [99, u64::MAX] {
            assert!(
                bytes
                    .read_at(at, &mut two)
                    .unwrap_err()
                    .contains("ends early")
            );
        }
        assert_eq!(bytes.part(97, 3).unwrap(), [7; 3]);
        assert!(bytes.part(97, 4).is_err());
        let mut all = Vec::new();
        bytes.reader(1, 10).read_to_end(&mut all).unwrap();
        assert_eq!(all, [7; 10]);
        file.as_file().set_len(50).unwrap();
        let error = bytes.read_at(0, &mut two).unwrap_err();
        assert!(error.contains("has changed since it was opened"), "{error}");
    }
}
