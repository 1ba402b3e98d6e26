//! The adapters that passed before: a first training on another one verifies it, in some seconds.
//!
//! They are kept in `verified.json` in the user's cache folder, by adapter, backend, driver, the sources of the kernels
//! and the versions of what they are compiled with. What is lost there costs a verification, and no more.

use std::any::TypeId;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::adapter::{Depth, verify};
use crate::engine::{AdapterSummary, Device};
use crate::error::{Error, Result};
use crate::files;

/// Names the folder of the cache, in place of the user's own.
pub const CACHE_DIR: &str = "ROOTLET_CACHE_DIR";

const FILE: &str = "verified.json";

/// Version of the file, raised when a reader of the old one would misread the new one.
const FORMAT: u32 = 1;

/// Adapters kept: more than anybody has, few enough to read in no time.
const MOST: usize = 100;

/// What an adapter is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    name: String,
    kind: String,
    backend: String,
    driver: String,
    /// Version of rootlet, hash of the sources of its kernels, and the [`build`].
    rootlet: String,
}

impl Seen {
    fn of(adapter: &AdapterSummary) -> Self {
        Seen {
            name: adapter.name.clone(),
            kind: adapter.kind.to_owned(),
            backend: adapter.backend.clone(),
            driver: adapter.driver.clone(),
            rootlet: format!(
                "{} {} {:016x}",
                env!("CARGO_PKG_VERSION"),
                env!("ROOTLET_SOURCES"),
                build()
            ),
        }
    }
}

/// What the compiler tells this crate by from others: it follows the versions of all crates below, naga and wgpu among
/// them, and that of the compiler, whichever lock file chose them. Nothing else tells them to a library that other
/// crates are built with. One that differs without a reason costs a verification.
fn build() -> u64 {
    let mut hash = Xxh3::new();
    TypeId::of::<Device>().hash(&mut hash);
    hash.finish()
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    format: u32,
    verified: Vec<Seen>,
}

/// Verifies the adapter of `device` in the quick form, unless it passed before. `note` hears of it. The CPU executor
/// runs the twins themselves, which there is nothing to compare with.
///
/// # Errors
/// An adapter that computes wrongly, with what to do.
pub fn verify_once(
    device: &Device,
    choice: &str,
    threads: usize,
    note: &mut dyn FnMut(&str),
) -> Result<()> {
    let Some(adapter) = device.adapter() else {
        return Ok(());
    };
    let folder = cache_folder();
    let seen = Seen::of(adapter);
    if known(folder.as_deref(), note).contains(&seen) {
        return Ok(());
    }
    note(&format!(
        "first training on {} with this driver: its kernels are compared with their CPU twins, once, in some seconds \
         (--no-verify leaves it out)",
        adapter.name
    ));
    // A device of its own: what a run says of its memory is the training's.
    let report = verify(choice, threads, Depth::Quick, &mut |_, _| Ok(()))?;
    report.verdict().map_err(|error| advice(&error))?;
    note(&format!(
        "{} passed in {:.0} s",
        adapter.name, report.seconds
    ));
    remember(folder.as_deref(), seen, note);
    Ok(())
}

fn advice(error: &Error) -> Error {
    Error::Device(format!(
        "{error}; what is trained there would be wrong. Update the driver, or train on another adapter (--adapter cpu always works); \
         `rootlet verify` tells more, for a bug report. --no-verify trains all the same"
    ))
}

/// Where the cache is; none on a system without such a place.
fn cache_folder() -> Option<PathBuf> {
    match std::env::var_os(CACHE_DIR) {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => dirs::cache_dir().map(|folder| folder.join("rootlet")),
    }
}

/// The adapters that passed; none from a file that cannot be read.
fn known(folder: Option<&Path>, note: &mut dyn FnMut(&str)) -> Vec<Seen> {
    let Some(path) = folder.map(|folder| folder.join(FILE)) else {
        return Vec::new();
    };
    match read(&path) {
        Ok(verified) => verified,
        Err(reason) => {
            note(&format!("{} is ignored: {reason}", path.display()));
            Vec::new()
        }
    }
}

fn read(path: &Path) -> Result<Vec<Seen>, String> {
    match files::read_if_there(path, files::Most::RECORD) {
        Ok(Some(bytes)) => parse(&bytes),
        Ok(None) => Ok(Vec::new()),
        // The note names the path.
        Err(Error::Io { source, .. }) => Err(source.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Seen>, String> {
    let file: File = serde_json::from_slice(bytes)
        .map_err(|_| "it is no list of verified adapters".to_owned())?;
    match file.format {
        FORMAT => Ok(file.verified),
        other => Err(format!(
            "it has format {other}, this rootlet reads {FORMAT}"
        )),
    }
}

fn remember(folder: Option<&Path>, seen: Seen, note: &mut dyn FnMut(&str)) {
    let Some(folder) = folder else {
        note("there is no cache folder to remember that in");
        return;
    };
    // Read anew: another process may have added its own. One that cannot be read makes way.
    let mut verified = read(&folder.join(FILE)).unwrap_or_default();
    verified.retain(|other| *other != seen);
    verified.push(seen);
    let surplus = verified.len().saturating_sub(MOST);
    verified.drain(..surplus);
    if let Err(error) = write(
        folder,
        &File {
            format: FORMAT,
            verified,
        },
    ) {
        note(&format!(
            "{} cannot be written, so the next training verifies again: {error}",
            folder.join(FILE).display()
        ));
    }
}

/// Replaces the file: whoever reads sees the old or the new content, whichever of several processes writes.
fn write(folder: &Path, file: &File) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&serde_json::to_vec_pretty(file)?)?;
    temporary.as_file().sync_all()?;
    temporary.persist(folder.join(FILE)).map_err(|e| e.error)?;
    Ok(())
}

/// For the fuzzer.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(verified) = parse(bytes) {
        let file = File {
            format: FORMAT,
            verified,
        };
        let again = serde_json::to_vec_pretty(&file).map(|bytes| parse(&bytes));
        assert!(matches!(again, Ok(Ok(again)) if again == file.verified));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn seen(driver: &str) -> Seen {
        Seen {
            name: "Radeon".into(),
            kind: "discrete GPU".into(),
            backend: "Vulkan".into(),
            driver: driver.into(),
            rootlet: "0.1.0 0123".into(),
        }
    }

    #[test]
    fn what_passed_is_remembered_by_driver() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("deep/cache");
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(text.to_owned());
        assert!(known(Some(&folder), &mut note).is_empty());
        remember(Some(&folder), seen("Mesa 25"), &mut note);
        remember(Some(&folder), seen("Mesa 26"), &mut note);
        remember(Some(&folder), seen("Mesa 25"), &mut note);
        let all = known(Some(&folder), &mut note);
        assert_eq!(all, [seen("Mesa 26"), seen("Mesa 25")]);
        assert!(!all.contains(&seen("Mesa 27")));
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1, "a temporary file is left: {left:?}");
        assert!(notes.is_empty(), "{notes:?}");
        for i in 0..2 * MOST {
            remember(Some(&folder), seen(&i.to_string()), &mut |_| {});
        }
        assert_eq!(known(Some(&folder), &mut |_| {}).len(), MOST);
    }

    #[test]
    fn a_cache_that_cannot_be_read_or_written_is_told_of_and_ignored() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(FILE);
        for (content, reason) in [
            ("", "no list"),
            ("[1, 2]", "no list"),
            ("{\"format\": 1, \"verified\": [{}]}", "no list"),
            ("{\"format\": 2, \"verified\": []}", "format 2"),
        ] {
            std::fs::write(&path, content).unwrap();
            let mut notes = Vec::new();
            let mut note = |text: &str| notes.push(text.to_owned());
            assert!(known(Some(desk.path()), &mut note).is_empty());
            assert_eq!(notes.len(), 1);
            assert!(notes[0].contains(reason), "{notes:?}");
            // It makes way.
            remember(Some(desk.path()), seen("a"), &mut |_| {});
            assert_eq!(known(Some(desk.path()), &mut |_| {}), [seen("a")]);
        }
        std::fs::remove_file(&path).unwrap();
        // A pipe in the file's place keeps nobody waiting, and makes way as well.
        #[cfg(unix)]
        {
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            assert!(made.unwrap().success());
            let mut notes = Vec::new();
            let mut note = |text: &str| notes.push(text.to_owned());
            assert!(known(Some(desk.path()), &mut note).is_empty());
            assert!(notes[0].contains("it is a pipe"), "{notes:?}");
            remember(Some(desk.path()), seen("a"), &mut |_| {});
            assert_eq!(known(Some(desk.path()), &mut |_| {}), [seen("a")]);
            std::fs::remove_file(&path).unwrap();
        }
        // A folder in the file's place, and a file in the folder's.
        std::fs::create_dir(&path).unwrap();
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(text.to_owned());
        assert!(known(Some(desk.path()), &mut note).is_empty());
        remember(Some(desk.path()), seen("a"), &mut note);
        std::fs::write(desk.path().join("file"), "").unwrap();
        remember(Some(&desk.path().join("file")), seen("a"), &mut note);
        remember(None, seen("a"), &mut note);
        assert_eq!(notes.len(), 4, "{notes:?}");
        assert!(notes[1].contains("verifies again"), "{notes:?}");
    }
}
