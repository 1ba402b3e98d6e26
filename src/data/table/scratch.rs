//! Files without a name for cells that do not fit the memory: they vanish with the process, however it ends.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::bytes::Bytes;
use crate::cache::folder::{CACHE_DIR, folder};

/// A file that is being written, in the cache's folder.
pub(super) struct Scratch {
    file: BufWriter<File>,
    folder: PathBuf,
    length: u64,
}

impl Scratch {
    /// An empty file. The text of an error is a reason that fits after the name of the table's file.
    pub fn new() -> Result<Self, String> {
        let folder = folder().unwrap_or_else(std::env::temp_dir);
        let made = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
        match made {
            Ok(file) => Ok(Self {
                file: BufWriter::with_capacity(1 << 20, file),
                folder,
                length: 0,
            }),
            Err(error) => Err(failed(&folder, 0, &error)),
        }
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.length += bytes.len() as u64;
        (self.file.write_all(bytes)).map_err(|error| failed(&self.folder, self.length, &error))
    }

    /// What was written, to be read.
    pub fn done(self) -> Result<Bytes, String> {
        let Self {
            file,
            folder,
            length,
        } = self;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.map_err(|error| failed(&folder, length, &error))?;
        Ok(Bytes::of_file(file, length, None))
    }
}

fn failed(folder: &std::path::Path, length: u64, error: &io::Error) -> String {
    format!(
        "its cells do not fit the memory, and a file for them in {} cannot be written ({error}, at {length} bytes); the \
         environment's {CACHE_DIR} names another folder",
        folder.display()
    )
}
