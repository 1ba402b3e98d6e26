//! The fuzz targets' corpora again, in an ordinary test: what a fuzzer has found stays fixed, on every toolchain.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

#[test]
fn no_file_of_the_corpora_breaks_a_reader() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let (mut files, mut bytes) = (0, 0);
    for (name, read) in rootlet::fuzzing::TARGETS {
        let folder = corpora.join(name);
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(
            paths.len() >= 3,
            "{name} has a corpus of {} files",
            paths.len()
        );
        for path in paths {
            let content = fs::read(&path).unwrap();
            println!("{}", path.display());
            (files, bytes) = (files + 1, bytes + content.len());
            read(&content);
        }
    }
    assert!(
        bytes < 200 << 10,
        "{files} files of {bytes} bytes are too large for a repository"
    );
}

/// Each reader has its fuzz target, and each target is built.
#[test]
fn every_reader_is_fuzzed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in rootlet::fuzzing::TARGETS {
        let target = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(
            target.contains(&format!("rootlet::fuzzing::run(\"{name}\", bytes)")),
            "{name}"
        );
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
    }
}
