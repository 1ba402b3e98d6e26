//! The adapters that passed before. The first training on another one verifies it, which takes seconds.
//!
//! They are kept in `verified.json` in the user's cache folder, by adapter, backend, driver, the sources of the
//! kernels, and the versions of what compiles them. Losing the file only costs another verification.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::adapter::{Depth, verify};
use crate::cache::KnownAdapter;
use crate::cache::folder::{
    File, Unusable, folder as cache_folder, read_or_note, read_to_add, replace,
};
use crate::engine::Device;
use crate::error::option::NO_VERIFY;
use crate::error::{Error, Fault, Result};

const FILE: &str = "verified.json";

/// Number of adapters kept: more than anybody has, and few enough to read quickly.
const MOST: usize = 100;

#[derive(Debug, Serialize, Deserialize)]
struct List {
    verified: Vec<KnownAdapter>,
}

/// Verifies the adapter of `device` in the quick form, unless it passed before, and tells `note`. The CPU executor is
/// not verified, because it runs the twins themselves.
///
/// # Errors
/// The adapter computes wrongly; the message says what to do.
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
    let seen = KnownAdapter::of(adapter);
    if known(folder.as_deref(), note).contains(&seen) {
        return Ok(());
    }
    note(&format!(
        "first training on {} with this driver: its kernels are compared with their CPU twins, once, in some seconds \
         ({NO_VERIFY} leaves it out)",
        adapter.name
    ));
    // On a separate device, so that a run's memory figures are those of the training.
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
    Error::Device(Fault::Untrusted {
        why: error.to_string(),
    })
}

/// The adapters that passed; empty if the file cannot be read.
fn known(folder: Option<&Path>, note: &mut dyn FnMut(&str)) -> Vec<KnownAdapter> {
    match folder {
        Some(folder) => read_or_note(&folder.join(FILE), parse, note),
        None => Vec::new(),
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<KnownAdapter>, Unusable> {
    File::<List>::parse(bytes, "list of verified adapters").map(|list| list.verified)
}

fn remember(folder: Option<&Path>, seen: KnownAdapter, note: &mut dyn FnMut(&str)) {
    let Some(folder) = folder else {
        note("there is no cache folder to remember that in");
        return;
    };
    let mut verified = match read_to_add(&folder.join(FILE), parse) {
        Ok(verified) => verified,
        Err(reason) => return note(&format!("the next training verifies again: {reason}")),
    };
    verified.retain(|other| *other != seen);
    verified.push(seen);
    let surplus = verified.len().saturating_sub(MOST);
    verified.drain(..surplus);
    let file = File::of(List { verified });
    if let Err(error) = replace(&folder.join(FILE), &file) {
        note(&format!(
            "{} cannot be written, so the next training verifies again: {error}",
            folder.join(FILE).display()
        ));
    }
}

/// For the fuzzer.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(verified) = parse(bytes) {
        let file = File::of(List {
            verified: verified.clone(),
        });
        let again = serde_json::to_vec_pretty(&file).map(|bytes| parse(&bytes));
        assert!(matches!(again, Ok(Ok(again)) if again == verified));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_remembered_by_driver() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("deep/cache");
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(text.to_owned());
        assert!(known(Some(&folder), &mut note).is_empty());
        remember(Some(&folder), KnownAdapter::sample("Mesa 25"), &mut note);
        remember(Some(&folder), KnownAdapter::sample("Mesa 26"), &mut note);
        remember(Some(&folder), KnownAdapter::sample("Mesa 25"), &mut note);
        let all = known(Some(&folder), &mut note);
        assert_eq!(
            all,
            [
                KnownAdapter::sample("Mesa 26"),
                KnownAdapter::sample("Mesa 25")
            ]
        );
        assert!(!all.contains(&KnownAdapter::sample("Mesa 27")));
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1, "a temporary file is left: {left:?}");
        assert!(notes.is_empty(), "{notes:?}");
        for i in 0..2 * MOST {
            remember(
                Some(&folder),
                KnownAdapter::sample(&i.to_string()),
                &mut |_| {},
            );
        }
        assert_eq!(known(Some(&folder), &mut |_| {}).len(), MOST);
    }

    #[test]
    fn a_file_of_a_newer_rootlet_stays_as_it_is() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(FILE);
        let content = "{\"format\": 2, \"verified\": 1}";
        std::fs::write(&path, content).unwrap();
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(text.to_owned());
        assert!(known(Some(desk.path()), &mut note).is_empty());
        remember(Some(desk.path()), KnownAdapter::sample("a"), &mut note);
        assert!(notes.len() == 2 && notes.iter().all(|note| note.contains("stays as it is")));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }

    #[test]
    fn a_cache_that_cannot_be_read_or_written_is_told_of_and_ignored() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(FILE);
        for (content, reason) in [
            ("", "no list"),
            ("[1, 2]", "no list"),
            ("{\"format\": 1, \"verified\": [{}]}", "no list"),
            ("{\"format\": 0, \"verified\": []}", "format 0"),
        ] {
            std::fs::write(&path, content).unwrap();
            let mut notes = Vec::new();
            let mut note = |text: &str| notes.push(text.to_owned());
            assert!(known(Some(desk.path()), &mut note).is_empty());
            assert_eq!(notes.len(), 1);
            assert!(notes[0].contains(reason), "{notes:?}");
            // The damaged file is replaced.
            remember(Some(desk.path()), KnownAdapter::sample("a"), &mut |_| {});
            assert_eq!(
                known(Some(desk.path()), &mut |_| {}),
                [KnownAdapter::sample("a")]
            );
        }
        std::fs::remove_file(&path).unwrap();
        // A pipe in place of the file makes nobody wait, and is replaced as well.
        #[cfg(unix)]
        {
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            assert!(made.unwrap().success());
            let mut notes = Vec::new();
            let mut note = |text: &str| notes.push(text.to_owned());
            assert!(known(Some(desk.path()), &mut note).is_empty());
            assert!(notes[0].contains("it is a pipe"), "{notes:?}");
            remember(Some(desk.path()), KnownAdapter::sample("a"), &mut |_| {});
            assert_eq!(
                known(Some(desk.path()), &mut |_| {}),
                [KnownAdapter::sample("a")]
            );
            std::fs::remove_file(&path).unwrap();
        }
        // A folder in place of the file, and a file in place of the folder.
        std::fs::create_dir(&path).unwrap();
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(text.to_owned());
        assert!(known(Some(desk.path()), &mut note).is_empty());
        remember(Some(desk.path()), KnownAdapter::sample("a"), &mut note);
        std::fs::write(desk.path().join("file"), "").unwrap();
        remember(
            Some(&desk.path().join("file")),
            KnownAdapter::sample("a"),
            &mut note,
        );
        remember(None, KnownAdapter::sample("a"), &mut note);
        assert_eq!(notes.len(), 4, "{notes:?}");
        assert!(notes[1].contains("verifies again"), "{notes:?}");
    }
}
