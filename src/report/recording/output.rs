//! Checks the place where a user wants a file. This happens before there is anything to write, so that a wrong path
//! does not lose the result of long work, and a page does not overwrite the run that it was meant to lie beside.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::RunFolder;
use super::names::{CONFIG, LOCK, METRICS, PROGRESS, SUMMARY, TOPOLOGY};
use super::tensorboard::is_event_file;
use crate::{Error, Result, checkpoint, disk, files};

/// Refuses a path that no file can or may be written to: a pipe, where writing waits for a reader, a file of a run, or
/// one of the `inputs`. What the shell opened for this process (`/dev/stdout`, `>(…)`) and devices are accepted.
///
/// # Errors
/// There is such a path; the message gives the reason.
pub fn check_output(path: &Path, inputs: &[PathBuf]) -> Result<()> {
    admit(path, inputs)?;
    if files::handed_over(path) {
        return Ok(());
    }
    let is_new = !path.exists();
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(Error::io("write", path))?;
    match is_new {
        true => fs::remove_file(path).map_err(Error::io("write", path)),
        false => Ok(()),
    }
}

/// Writes a file that a user named, completely or not at all: if the disk is full, an older file stays.
///
/// # Errors
/// The file cannot or may not be written: see [`check_output`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    admit(path, &[])?;
    disk::write_named(path, bytes).map_err(Error::io("write", path))
}

/// Like [`check_output`], but without checking that the file can be written.
pub(in crate::report) fn admit(path: &Path, inputs: &[PathBuf]) -> Result<()> {
    if files::handed_over(path) {
        return Ok(());
    }
    let refuse = |reason: String| Err(Error::io("write", path)(io::Error::other(reason)));
    match fs::metadata(path) {
        Ok(about) if !about.is_file() && !is_character_device(&about) => {
            return refuse(format!("it is {}, not a file", files::kind(&about)));
        }
        _ => {}
    }
    let place = place(path).map_err(Error::io("write", path))?;
    if let Some(run) = run_of(&place) {
        return refuse(format!(
            "it is a file of the run in {}; give another name",
            run.display()
        ));
    }
    let is_read = |input: &PathBuf| fs::canonicalize(input).is_ok_and(|input| input == place);
    match inputs.iter().any(is_read) {
        true => refuse("it is also an input; give another name".to_owned()),
        false => Ok(()),
    }
}

/// Whether it is a character device, such as `/dev/null`.
fn is_character_device(about: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::FileTypeExt::is_char_device(&about.file_type());
    #[cfg(not(unix))]
    return !about.is_dir();
}

/// The path of the file itself with links followed, even if the file does not exist yet.
fn place(path: &Path) -> io::Result<PathBuf> {
    if path.exists() {
        return fs::canonicalize(path);
    }
    let folder = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let named = match fs::read_link(path) {
        Ok(target) => folder(path).join(target),
        Err(_) => path.to_owned(),
    };
    let name = named.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(fs::canonicalize(folder(&named))?.join(name))
}

/// The run folder that a file belongs to, whether or not the file exists yet.
fn run_of(file: &Path) -> Option<&Path> {
    const OWN: [&str; 6] = [CONFIG, SUMMARY, PROGRESS, METRICS, TOPOLOGY, LOCK];
    let folder = file.parent()?;
    let name = file.file_name()?.to_str()?;
    if OWN.contains(&name) && RunFolder::is_one(folder) {
        return Some(folder);
    }
    let inside = is_event_file(file) || checkpoint::is_file_of_one(file);
    let mut above = folder.ancestors().skip(1);
    above.find(|folder| inside && RunFolder::is_one(folder))
}
