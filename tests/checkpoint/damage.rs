//! Damaged, missing and misnamed checkpoints: refused with the way out, never a panic.

use crate::{CONFIG, bits, copy, snapshot};
use rootlet::Error;
use rootlet::checkpoint::{self, FORMAT};
use std::fs;
use std::path::{Path, PathBuf};

const FILES: [&str; 2] = ["model.safetensors", "manifest.json"];

/// A run with checkpoints of steps 10 and 20.
fn run() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let run = tempfile::tempdir().unwrap();
    let old = checkpoint::save(run.path(), &snapshot(10, &[6, 5, 3]), CONFIG).unwrap();
    let new = checkpoint::save(run.path(), &snapshot(20, &[6, 5, 3]), CONFIG).unwrap();
    (run, old, new)
}

/// Checks that loading fails with a message that names the path; gives the message.
fn refused(path: &Path) -> String {
    match checkpoint::load(path) {
        Err(error @ Error::Checkpoint { .. }) => error.to_string(),
        other => panic!(
            "{}: expected a checkpoint error, got {other:?}",
            path.display()
        ),
    }
}

#[test]
fn every_flipped_byte_is_found() {
    let (_run, _, path) = run();
    for file in FILES {
        let file = path.join(file);
        let good = fs::read(&file).unwrap();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1 << (i % 8);
            fs::write(&file, bad).unwrap();
            let message = refused(&path);
            assert!(
                message.contains("step-0000000010 is intact"),
                "byte {i}: {message}"
            );
        }
        fs::write(&file, good).unwrap();
    }
    checkpoint::load(&path).unwrap();
}

#[test]
fn every_wrong_length_is_found() {
    let (_run, _, path) = run();
    for file in FILES {
        let file = path.join(file);
        let good = fs::read(&file).unwrap();
        for len in (0..good.len()).step_by(3).chain(good.len() - 9..good.len()) {
            fs::write(&file, &good[..len]).unwrap();
            refused(&path);
        }
        for more in [1, 8, 100] {
            fs::write(&file, [&good[..], &vec![b'\n'; more]].concat()).unwrap();
            refused(&path);
        }
        fs::write(&file, good).unwrap();
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in FILES {
        let (run, old, path) = run();
        fs::remove_file(path.join(file)).unwrap();
        let message = refused(&path);
        assert!(message.contains(&format!("{file} is missing")), "{message}");
        let found = checkpoint::load(run.path()).unwrap();
        assert_eq!(found.path, old);
        // A folder in the file's place.
        fs::create_dir(path.join(file)).unwrap();
        assert!(refused(&path).contains("not a file"));
    }
}

#[test]
fn a_run_goes_back_to_the_previous_one_and_says_so() {
    let (run, old, new) = run();
    fs::write(new.join("model.safetensors"), "x").unwrap();
    for place in [run.path(), &run.path().join("checkpoints")] {
        let loaded = checkpoint::load(place).unwrap();
        assert_eq!(bits(&loaded.snapshot), bits(&snapshot(10, &[6, 5, 3])));
        let note = loaded.note.unwrap();
        assert!(note.contains(&*old.to_string_lossy()), "{note}");
        assert!(note.contains(&*new.to_string_lossy()), "{note}");
    }
    let message = refused(&new);
    assert!(
        message.contains(&format!("{} is intact", old.display())),
        "{message}"
    );
    // If nothing is left, the message has every reason and the way out.
    fs::remove_file(old.join("manifest.json")).unwrap();
    let message = refused(run.path());
    assert!(message.contains("manifest.json is missing"), "{message}");
    assert!(message.contains("has 1 bytes instead of"), "{message}");
    assert!(message.contains("start the run again"), "{message}");
    assert!(refused(&new).contains("restore it from a copy"));
}

#[test]
fn paths_that_are_no_checkpoints() {
    let (run, _, new) = run();
    let at = |name: &str| run.path().join(name);
    assert!(refused(&at("nowhere")).contains("does not exist"));
    fs::write(at("file"), "").unwrap();
    assert!(refused(&at("file")).contains("is not a folder"));
    fs::create_dir_all(at("empty/checkpoints")).unwrap();
    assert!(refused(&at("empty")).contains("holds no checkpoint"));
    assert!(refused(&at("empty/checkpoints")).contains("holds no checkpoint"));
    let gone = new.with_file_name("step-0000000015");
    let message = refused(&gone);
    assert!(message.contains("no such folder"), "{message}");
    assert!(message.contains("step-0000000020 is intact"), "{message}");
}

#[test]
fn a_renamed_checkpoint() {
    let (run, _, new) = run();
    // A name of its own is fine. Another step's name would resume at the wrong place.
    let best = run.path().join("best");
    fs::rename(copy(&new, &run.path().join("other")), &best).unwrap();
    assert_eq!(checkpoint::load(&best).unwrap().snapshot.progress.step, 20);
    let moved = new.with_file_name("step-0000000030");
    fs::rename(&new, &moved).unwrap();
    let message = refused(&moved);
    assert!(message.contains("step-0000000020"), "{message}");
}

/// Files with right checksums and wrong content: made by hand, or by a broken writer.
#[test]
fn right_checksums_do_not_excuse_wrong_content() {
    let (_run, _, path) = run();
    let model = fs::read(path.join("model.safetensors")).unwrap();
    let manifest = fs::read_to_string(path.join("manifest.json")).unwrap();
    let header = 8 + u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
    let forge = |bytes: &[u8], edit: &dyn Fn(String) -> String| {
        let mut text = manifest.clone();
        let at = text.find("\"bytes\"").unwrap();
        let end = at + text[at..].find('}').unwrap();
        let (bytes_len, crc) = (bytes.len(), crc32fast::hash(bytes));
        text.replace_range(
            at..end,
            &format!("\"bytes\": {bytes_len}, \"crc32\": {crc}"),
        );
        let content = text[..text.rfind(",\n  \"manifest_crc32\"").unwrap()].to_owned();
        let content = edit(content);
        let crc = crc32fast::hash(content.as_bytes());
        let text = format!("{content},\n  \"manifest_crc32\": {crc}\n}}\n");
        fs::write(path.join("manifest.json"), text).unwrap();
        fs::write(path.join("model.safetensors"), bytes).unwrap();
    };
    forge(&model, &|text| text);
    checkpoint::load(&path).unwrap();

    // Changes every index in turn: the first four bytes of each index tensor are among these.
    let mut refusals = 0;
    for at in (header..model.len()).step_by(4) {
        let mut bad = model.clone();
        bad[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        forge(&bad, &|text| text);
        refusals += usize::from(checkpoint::load(&path).is_err());
    }
    let indices = |s: &checkpoint::LayerState| s.crow_indices.len() + s.col_indices.len();
    let saved = snapshot(20, &[6, 5, 3]);
    let past = |p: &checkpoint::PastConnections| p.crow_indices.len() + p.col_indices.len();
    let expected = saved.state.layers.iter().map(indices).sum::<usize>()
        + saved.past.iter().map(past).sum::<usize>()
        // Words of the hashes of images, which then do not rise.
        + 4;
    assert_eq!(refusals, expected);

    for length in [
        0,
        1,
        header as u64,
        1 << 31,
        u64::MAX / 2,
        u64::MAX - 8,
        u64::MAX,
    ] {
        let mut bad = model.clone();
        bad[..8].copy_from_slice(&length.to_le_bytes());
        forge(&bad, &|text| text);
        refused(&path);
    }
    let number = |name: &str, value: &str| {
        let (name, value) = (format!("\"{name}\": "), value.to_owned());
        move |text: String| {
            let at = text.find(&name).unwrap() + name.len();
            let end = at + text[at..].find([',', '\n', '}']).unwrap();
            format!("{}{value}{}", &text[..at], &text[end..])
        }
    };
    for name in ["n_in", "n_out", "active", "bytes", "step", "format"] {
        for value in [
            "0",
            "4",
            "2147483647",
            "4294967296",
            "18446744073709551615",
            "-1",
            "1e300",
            "null",
            "\"x\"",
        ] {
            // More inputs than before leave a valid model.
            if (name, value) == ("n_in", "2147483647") {
                continue;
            }
            forge(&model, &number(name, value));
            refused(&path);
        }
    }
    forge(&model, &number("format", &(FORMAT + 1).to_string()));
    assert!(refused(&path).contains("reads format"));
}
