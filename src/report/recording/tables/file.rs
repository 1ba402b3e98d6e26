//! The file of a table: rows are handed to the operating system as they come.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::content::{Content, whole_lines};
use super::row::Row;
use crate::disk;
use crate::report::recording::aside::aside;
use crate::{Error, Result};

/// One CSV file. Its header comes from the fields of its first row.
pub(super) struct Table {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl Table {
    /// Creates an empty file.
    pub fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).map_err(Error::io("write", &path))?;
        Ok(Self::on(path, file, true))
    }

    /// Opens the file to continue after step `keep`. Later rows are cut off, and their steps returned. `epochs` were
    /// done by then, if known. `wide`: whether the rows to come have the columns of a validation part; returns whether
    /// they must have them, because they follow other rows.
    pub fn resume<R: Row>(
        path: PathBuf,
        keep: u64,
        epochs: Option<u32>,
        wide: bool,
        note: &mut dyn FnMut(&str),
    ) -> Result<(Self, Vec<u64>, bool)> {
        let mut content = Content::<R>::read(&path)?;
        content.tell_torn(keep);
        if let Some(epochs) = epochs {
            content.bound(keep, epochs);
        }
        if let Some(damage) = content.damage() {
            let aside = aside(&path);
            fs::copy(&path, &aside).map_err(Error::io("write", &aside))?;
            note(&format!(
                "{damage}; the file as it was is {}",
                aside.display()
            ));
        }
        let steps = content.rows.iter().map(|row| row.place().0);
        let later = steps.filter(|&step| step > keep).collect();
        content.rows.retain(|row| row.place().0 <= keep);
        let wide = R::align(&mut content.rows, wide);
        let (file, empty) = cut(&path, content, keep).map_err(Error::io("write", &path))?;
        Ok((Self::on(path, file, empty), later, wide))
    }

    fn on(path: PathBuf, file: File, empty: bool) -> Self {
        let writer = csv::WriterBuilder::new()
            .has_headers(empty)
            .from_writer(file);
        Self { path, writer }
    }

    pub fn write(&mut self, rows: impl IntoIterator<Item = impl Serialize>) -> Result<()> {
        rows.into_iter()
            .try_for_each(|row| self.writer.serialize(row))
            .map_err(io::Error::from)
            .and_then(|()| self.writer.flush())
            .map_err(Error::io("write", &self.path))
    }
}

/// The contents of the file with only the rows to keep.
pub(super) fn kept<R: Row>(content: &Content<R>, keep: u64) -> io::Result<Vec<u8>> {
    let mut kept = content.rows.iter().filter(|row| row.place().0 <= keep);
    let mut file = csv::Writer::from_writer(Vec::new());
    kept.try_for_each(|row| file.serialize(row))?;
    file.into_inner().map_err(|error| error.into_error())
}

/// Reduces the file to the rows to keep, and opens it for appending; says whether nothing is left. The file is only
/// rewritten if necessary, and then replaced as a whole, so that a kept row is never missing.
fn cut<R: Row>(path: &Path, content: Content<R>, keep: u64) -> io::Result<(File, bool)> {
    let new = kept(&content, keep)?;
    let old = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    if !old[..whole_lines(&old)].starts_with(&new) {
        disk::replace(path, &new, true)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.set_len(new.len() as u64)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, new.is_empty()))
}
