//! `rootlet data get`.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use flate2::bufread::MultiGzDecoder;
use rootlet::data::published::{Published, published};
use rootlet::data::{self, DataOptions, Dataset};
use rootlet::{Error, Result};

use super::super::output;
use super::fetch::{PART, Source, fetch};

const EXAMPLES: &str = "\
Examples:
  rootlet data get cifar10 --data-dir data
      Fetch CIFAR-10 into data/cifar10.
  rootlet train --data cifar10 --data-dir data
      Train on it.
  rootlet data get mnist --data-dir data --from https://example.org/mnist
      Fetch MNIST from a mirror.";

/// Fetches a known data set
///
/// Fetches the published files with the command curl, unpacks them, and checks their contents by checksum. Complete
/// files that are already there are not fetched again. An interrupted download continues where it stopped.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct GetArgs {
    #[arg(value_name = "NAME", help = format!("Data set: {}", names().join(", ")))]
    name: String,
    /// Folder for all data; the files go into a folder with the set's name inside it
    #[arg(long, value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
    /// A mirror's address, or a folder, that has the published files under their names
    #[arg(long, value_name = "ADDRESS|DIR")]
    from: Option<String>,
}

/// The sets that can be fetched.
fn names() -> Vec<&'static str> {
    (data::NAMES.into_iter())
        .filter(|name| published(name).is_ok())
        .collect()
}

/// Runs what the command line asks for.
pub(super) fn run(args: &GetArgs) -> Result<()> {
    let set = published(&args.name)?;
    let folder = args.data_dir.join(set.folder);
    fs::create_dir_all(&folder).map_err(Error::io("make", &folder))?;
    let data = match load(args) {
        Ok(data) => {
            output::say(&format!("{} is already there and complete", args.name));
            data
        }
        // If a file is there and is not the published one, deleting it is up to the user.
        Err(Error::Data { path, reason }) if path.is_file() => {
            let reason = format!("{reason}: delete it first");
            return Err(Error::Data { path, reason });
        }
        Err(_) => {
            let new = fetch_all(&set, &Source::of(args.from.as_deref()), &folder)?;
            // A file that was fetched and is not the published one would be in the way of the next attempt.
            load(args).inspect_err(|_| {
                for path in &new {
                    let _ = fs::remove_file(path);
                }
            })?
        }
    };
    for note in &data.notes {
        output::note(note);
    }
    output::print(&format!(
        "{} in {}: {} images to train, {} to test; train with --data {} --data-dir {}\n",
        args.name,
        folder.display(),
        data.train.len(),
        data.test.len(),
        args.name,
        args.data_dir.display()
    ))
}

/// Reads the set, which checks its contents.
fn load(args: &GetArgs) -> Result<Dataset> {
    data::load(&DataOptions {
        name: args.name.clone(),
        dir: Some(args.data_dir.clone()),
        ..DataOptions::default()
    })
}

/// Fetches what is missing. Returns the set's files that are new.
fn fetch_all(set: &Published, source: &Source, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut new = Vec::new();
    for download in set.downloads {
        if folder.join(download.file()).is_file() && !download.is_archive() {
            continue;
        }
        output::say(&format!(
            "fetching {} ({} bytes)",
            download.file(),
            download.bytes
        ));
        let path = fetch(*download, set.folder, source, folder)?;
        if download.is_archive() {
            unpack(&path, set.files, folder)?;
            // Everything needed is beside it now.
            fs::remove_file(&path).map_err(Error::io("delete", &path))?;
            new.extend(set.files.iter().map(|file| folder.join(file)));
        } else {
            new.push(path);
        }
    }
    Ok(new)
}

/// Writes the archive's files with these names into `folder`, without their folders.
fn unpack(archive: &Path, names: &[&str], folder: &Path) -> Result<()> {
    let damaged = |why: String| Error::Data {
        path: archive.to_owned(),
        reason: format!("{why}; delete it, and fetch it again"),
    };
    let wrong = |error: io::Error| damaged(format!("the archive cannot be unpacked: {error}"));
    let file = File::open(archive).map_err(Error::io("read", archive))?;
    let mut entries = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    let mut missing = names.to_vec();
    for entry in entries.entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        let path = entry.path().map_err(wrong)?.into_owned();
        let Some(at) = missing
            .iter()
            .position(|name| path.file_name() == Some(name.as_ref()))
        else {
            continue;
        };
        let name = missing.swap_remove(at);
        let (part, target) = (folder.join(format!("{name}{PART}")), folder.join(name));
        let mut content = File::create(&part).map_err(Error::io("write", &part))?;
        io::copy(&mut entry, &mut content).map_err(wrong)?;
        content.sync_all().map_err(Error::io("write", &part))?;
        fs::rename(&part, &target).map_err(Error::io("write", &target))?;
    }
    match missing.as_slice() {
        [] => Ok(()),
        [name, ..] => Err(damaged(format!("the archive has no file {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn archive(path: &Path, files: &[(&str, &[u8])]) {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        let bytes = builder.into_inner().unwrap().finish().unwrap();
        File::create(path).unwrap().write_all(&bytes).unwrap();
    }

    #[test]
    fn an_archives_files_come_out_of_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.tar.gz");
        archive(
            &path,
            &[
                ("set/readme", b"r"),
                ("set/a.bin", b"one"),
                ("set/b.bin", b"two"),
            ],
        );
        unpack(&path, &["b.bin", "a.bin"], folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("a.bin")).unwrap(), b"one");
        assert_eq!(fs::read(folder.path().join("b.bin")).unwrap(), b"two");
        assert!(!folder.path().join("readme").exists());
        let message = unpack(&path, &["c.bin"], folder.path())
            .unwrap_err()
            .to_string();
        assert!(message.contains("no file c.bin"), "{message}");
    }

    #[test]
    fn a_damaged_archive_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.tar.gz");
        archive(&path, &[("set/a.bin", &[7; 9000])]);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            // Complete files may come out of an archive that lacks its end.
            if unpack(&path, &["a.bin"], folder.path()).is_ok() {
                assert_eq!(fs::read(folder.path().join("a.bin")).unwrap(), [7; 9000]);
            }
        }
    }
}
