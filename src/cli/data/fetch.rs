//! Fetches one file, from a server, a mirror or a folder, and continues where an earlier attempt stopped.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rootlet::data::published::Download;
use rootlet::{Error, Result};

/// The extension of an incomplete file.
pub(super) const PART: &str = ".part";

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Where they are published.
    Published,
    /// A mirror: its address, to which a file's name is added.
    Mirror(String),
    /// A folder that holds them, or a folder of sets' folders.
    Folder(PathBuf),
}

impl Source {
    /// Parses `--from`.
    pub(super) fn of(from: Option<&str>) -> Self {
        match from {
            None => Source::Published,
            Some(from)
                if ["http://", "https://", "ftp://", "file://"]
                    .iter()
                    .any(|s| from.starts_with(s)) =>
            {
                Source::Mirror(from.trim_end_matches('/').to_owned())
            }
            Some(from) => Source::Folder(from.into()),
        }
    }
}

/// Puts the file into `folder`, unless it is already there. `set` is the folder that it is in if the source is a folder of
/// folders.
///
/// # Errors
/// [`Error::Data`] if it cannot be fetched, or has another length: what arrived stays for the next attempt.
pub(super) fn fetch(
    wanted: Download,
    set: &str,
    source: &Source,
    folder: &Path,
) -> Result<PathBuf> {
    let target = folder.join(wanted.file());
    if length(&target) == Some(wanted.bytes) {
        return Ok(target);
    }
    let part = folder.join(format!("{}{PART}", wanted.file()));
    // A longer file must be something else.
    if length(&part) > Some(wanted.bytes) {
        fs::remove_file(&part).map_err(Error::io("delete", &part))?;
    }
    if length(&part) != Some(wanted.bytes) {
        match source {
            Source::Published => download(wanted.address, &part)?,
            Source::Mirror(mirror) => download(&format!("{mirror}/{}", wanted.file()), &part)?,
            Source::Folder(from) => copy(wanted, set, from, &part)?,
        }
    }
    match length(&part) {
        Some(bytes) if bytes == wanted.bytes => {}
        other => {
            let bytes = other.unwrap_or(0);
            // The next attempt can continue a shorter file, but not a wrong one.
            if bytes > wanted.bytes {
                fs::remove_file(&part).map_err(Error::io("delete", &part))?;
            }
            return Err(Error::Data {
                path: part,
                reason: format!(
                    "{bytes} bytes came, not the {} of the published file; the same command goes on from there, and \
                     --from takes a mirror or a folder that has it",
                    wanted.bytes
                ),
            });
        }
    }
    fs::rename(&part, &target).map_err(Error::io("write", &target))?;
    Ok(target)
}

fn length(path: &Path) -> Option<u64> {
    let about = fs::metadata(path).ok()?;
    about.is_file().then_some(about.len())
}

/// Downloads with `curl`, which every system includes or offers: it supports proxies, certificates, redirections and
/// continuing.
fn download(address: &str, part: &Path) -> Result<()> {
    let mut curl = Command::new("curl");
    curl.args(["--fail", "--location", "--show-error", "--retry", "3"])
        .args(["--connect-timeout", "30", "--continue-at", "-"])
        .arg("--output")
        .arg(part)
        .stdin(Stdio::null());
    let failed = |why: &str| Error::Data {
        path: part.to_owned(),
        reason: format!(
            "{address} cannot be fetched: {why}; the same command goes on where it stopped, and --from takes a mirror \
             or a folder that has the file"
        ),
    };
    if io::stderr().is_terminal() {
        // It shows its own progress bar, and its own message if it fails.
        curl.arg("--progress-bar").stderr(Stdio::inherit());
    } else {
        curl.arg("--silent").stderr(Stdio::piped());
    }
    // An address that begins with a hyphen is not an option.
    curl.args(["--", address]);
    let done = curl
        .stdout(Stdio::null())
        .spawn()
        .and_then(|child| child.wait_with_output());
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            let last = said
                .trim()
                .lines()
                .last()
                .unwrap_or("see what curl says above");
            Err(failed(last))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(failed(
            "the command curl is not in the PATH; install it, or fetch the file by other means into this folder",
        )),
        Err(error) => Err(failed(&format!("curl does not start: {error}"))),
    }
}

/// Copies from a folder, or from the folder inside it with the set's name.
fn copy(wanted: Download, set: &str, from: &Path, part: &Path) -> Result<()> {
    let places = [from.join(wanted.file()), from.join(set).join(wanted.file())];
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        return Err(Error::Data {
            path: from.to_owned(),
            reason: format!(
                "no file {} is here or in its folder `{}`; get it from {}",
                wanted.file(),
                set,
                wanted.address
            ),
        });
    };
    let mut source = File::open(path).map_err(Error::io("read", path))?;
    let mut target = File::options()
        .create(true)
        .append(true)
        .open(part)
        .map_err(Error::io("write", part))?;
    let there = target.metadata().map_err(Error::io("read", part))?.len();
    source
        .seek(SeekFrom::Start(there))
        .map_err(Error::io("read", path))?;
    io::copy(&mut source, &mut target).map_err(Error::io("write", part))?;
    target.sync_all().map_err(Error::io("write", part))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    const CONTENT: &[u8] = b"as many bytes as this";

    /// Fetches `file.gz` of a set from there.
    fn fetched(address: &str, source: &Source, folder: &Path) -> Result<PathBuf> {
        let wanted = Download {
            address: String::leak(address.to_owned()),
            bytes: CONTENT.len() as u64,
        };
        fetch(wanted, "set", source, folder)
    }

    /// A server that sends the file from the requested position on, the first time only half of the rest. Returns its
    /// address.
    fn server(attempts: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/file.gz", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for attempt in 0..attempts {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                    request.push(byte[0]);
                }
                let request = String::from_utf8(request).unwrap().to_lowercase();
                let first: usize = match request.split("range: bytes=").nth(1) {
                    Some(range) => range.split('-').next().unwrap().parse().unwrap(),
                    None => 0,
                };
                let rest = &CONTENT[first..];
                let status = match first {
                    0 => "200 OK".to_owned(),
                    _ => format!(
                        "206 Partial Content\r\nContent-Range: bytes {first}-{}/{}",
                        CONTENT.len() - 1,
                        CONTENT.len()
                    ),
                };
                let sent = if attempt == 0 {
                    rest.len() / 2
                } else {
                    rest.len()
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    rest.len()
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&rest[..sent]).unwrap();
            }
        });
        address
    }

    #[test]
    fn a_download_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let address = server(2);
        let stopped = fetched(&address, &Source::Published, folder.path())
            .unwrap_err()
            .to_string();
        assert!(stopped.contains("the same command goes on"), "{stopped}");
        let part = folder.path().join("file.gz.part");
        assert_eq!(fs::read(&part).unwrap(), CONTENT[..CONTENT.len() / 2]);
        let path = fetched(&address, &Source::Published, folder.path()).unwrap();
        assert_eq!(fs::read(path).unwrap(), CONTENT);
        assert!(!part.exists());
        // The server has stopped: existing files are not fetched again.
        fetched(&address, &Source::Published, folder.path()).unwrap();
    }

    #[test]
    fn a_mirror_has_files_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = server(1);
        let from = Source::of(Some(mirror.trim_end_matches("file.gz")));
        assert!(matches!(from, Source::Mirror(_)));
        let part = folder.path().join("file.gz.part");
        fs::write(&part, &CONTENT[..CONTENT.len() - 1]).unwrap();
        // Half of one byte is nothing: the error says how many bytes came.
        let message = fetched("nowhere://x/file.gz", &from, folder.path())
            .unwrap_err()
            .to_string();
        assert!(message.contains("--from takes a mirror"), "{message}");
    }

    #[test]
    fn a_folder_has_the_file_itself_or_in_the_sets_folder() {
        for inner in ["", "set"] {
            let [from, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
            let source = Source::of(from.path().to_str());
            let missing = fetched("https://x/file.gz", &source, folder.path())
                .unwrap_err()
                .to_string();
            assert!(
                missing.contains("no file file.gz") && missing.contains("https://x/file.gz"),
                "{missing}"
            );
            let inside = from.path().join(inner);
            fs::create_dir_all(&inside).unwrap();
            fs::write(inside.join("file.gz"), &CONTENT[..7]).unwrap();
            let short = fetched("https://x/file.gz", &source, folder.path())
                .unwrap_err()
                .to_string();
            assert!(short.contains("7 bytes came, not the 21"), "{short}");
            fs::write(inside.join("file.gz"), CONTENT).unwrap();
            let path = fetched("https://x/file.gz", &source, folder.path()).unwrap();
            assert_eq!(fs::read(path).unwrap(), CONTENT);
        }
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let [from, folder] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        fs::write(from.path().join("file.gz"), [CONTENT, b"!"].concat()).unwrap();
        let source = Source::of(from.path().to_str());
        for _ in 0..2 {
            let long = fetched("https://x/file.gz", &source, folder.path())
                .unwrap_err()
                .to_string();
            assert!(long.contains("22 bytes came"), "{long}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
