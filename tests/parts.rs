//! What can be left out of the build stays out, and whatever a page does differently is in one file each.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Crates of a library build on this system, including itself, with only these features.
fn crates(features: &str) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--offline", "--no-default-features"])
        .args(["--features", features, "--edges", "normal"])
        .args(["--prefix", "none", "--no-dedupe"])
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "{message}");
    let text = String::from_utf8(tree.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_library_is_few_crates_without_its_other_parts() {
    for (features, most) in [("cpu", 60), ("cpu,gpu", 110)] {
        let crates = crates(features);
        assert!(
            crates.len() <= most,
            "{} crates with the features {features}, more than {most}: {crates:#?}",
            crates.len()
        );
    }
    let cpu = crates("cpu");
    for name in ["clap ", "naga ", "wgpu ", "plotters ", "png "] {
        assert!(!cpu.iter().any(|line| line.starts_with(name)), "{name}");
    }
}

/// Runs `see` on the sources of a folder, with their paths.
fn each_source(folder: &Path, see: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            let name = name.to_str().unwrap().replace('\\', "/");
            see(&name, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// The program is not for pages, and neither are tests.
#[test]
fn clocks_threads_and_waiting_stand_in_one_file_each() {
    let seams: [(&str, &[&str]); 3] = [
        (
            "src/clock.rs",
            &["time::Instant", "time::{Duration, Instant", "web_time::"],
        ),
        (
            "src/threads.rs",
            &[
                "thread::Builder",
                "thread::spawn",
                "thread::scope",
                "ThreadPool",
            ],
        ),
        ("src/engine/gpu/wait.rs", &["pollster::", "PollType"]),
    ];
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    each_source(&src, &mut |name, text| {
        if name.starts_with("src/cli/") {
            return;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (seam, words) in seams {
            for word in words.iter().filter(|word| code.contains(**word)) {
                let room = format!("{}/", seam.trim_end_matches(".rs"));
                assert!(
                    name == seam || name.starts_with(&room),
                    "{name}: `{word}` belongs into {seam}"
                );
            }
        }
    });
}
