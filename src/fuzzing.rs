//! The readers of files, each as a function of a file's bytes, for fuzzers: whatever the bytes are, it returns.
//!
//! A function panics if its reader does, or if what was read breaks a promise, such as being written and read back
//! unchanged.

use std::path::Path;

use crate::{bench, cache, checkpoint, data, files, report, train, verify};

/// A reader, under the name of its fuzz target and corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All readers.
pub const TARGETS: [Target; 20] = [
    ("idx", data::fuzz_idx),
    ("cifar", data::fuzz_cifar),
    ("image", data::fuzz_image),
    ("table_csv", |bytes| data::fuzz_table("table_csv", bytes)),
    ("npy", |bytes| data::fuzz_table("npy", bytes)),
    ("npz", |bytes| data::fuzz_table("npz", bytes)),
    ("table_safetensors", |bytes| {
        data::fuzz_table("table_safetensors", bytes)
    }),
    ("svmlight", |bytes| data::fuzz_table("svmlight", bytes)),
    ("matrix_market", matrix_market),
    ("smtx", smtx),
    ("gzip", gzip),
    ("config", config),
    ("sweep", sweep),
    ("manifest", checkpoint::fuzz_manifest),
    ("safetensors", checkpoint::fuzz_tensors),
    ("run_folder", report::fuzz_run_folder),
    ("tables", report::fuzz_tables),
    ("bench_json", bench_json),
    ("tuned", cache::tuned::fuzz),
    ("verified", verify::fuzz_verified),
];

/// Runs one of them by name, like the fuzz targets.
///
/// # Panics
/// There is no such reader, or it broke a promise.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.0 == name);
    let Some((_, read)) = target else {
        panic!("no reader is called {name}");
    };
    read(bytes);
}

fn matrix_market(bytes: &[u8]) {
    matrix(bytes, bench::matrix::Format::Market);
}

fn smtx(bytes: &[u8]) {
    matrix(bytes, bench::matrix::Format::Dlmc);
}

/// A matrix in the form in which it is stored, gzipped.
fn gzip(bytes: &[u8]) {
    const ROOM: usize = 1 << 16;
    if let Ok(unpacked) = files::unpack(bytes.to_vec(), ROOM as u64) {
        assert!(unpacked.len() <= ROOM.max(bytes.len()));
        matrix_market(&unpacked);
    }
}

fn matrix(bytes: &[u8], format: bench::matrix::Format) {
    if let Ok(layer) = bench::matrix::parse(bytes, format) {
        assert!(layer.check().is_ok());
        assert!(layer.values.iter().all(|value| value.is_finite()));
    }
}

fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let origin = Path::new("config.toml");
    let Ok(config) = train::TrainConfig::from_toml(&text, origin) else {
        return;
    };
    let Ok(resolved) = config.resolve() else {
        return;
    };
    let saved = resolved
        .to_toml()
        .and_then(|text| train::TrainConfig::from_toml(&text, origin));
    assert!(
        saved.is_ok_and(|saved| saved == resolved),
        "not saved as it is"
    );
}

fn sweep(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(sweep) = report::sweep::Sweep::parse(&text, Path::new("sweep.toml"), None) {
        assert!(!sweep.runs.is_empty());
        let _ = sweep.default_folder();
    }
}

fn bench_json(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let path = Path::new("bench.json");
    if let Ok(file) = report::BenchFile::parse(&text, path) {
        let page = report::Page::new(&[], &[file], &[]).and_then(|page| page.html());
        assert!(page.is_ok());
    }
    if let Ok(report) = bench::BenchReport::parse(&text, path) {
        bench::fuzz_comparison(report);
    }
    if let Ok(shared) = bench::SharedReport::parse(&text, path) {
        let again = shared.to_json();
        assert!(again.is_ok_and(|text| bench::SharedReport::parse(&text, path).is_ok()));
        let _ = bench::pasted(&shared);
    }
}
