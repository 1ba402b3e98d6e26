//! The CPU executor trains in a page: the module of `examples/page` in headless Chromium, including rounds, compared
//! with the same training on this system. Building it takes minutes:
//! `scripts/test --profile ci --run-ignored all --test page`.
#![allow(clippy::unwrap_used)]

#[path = "common/browser.rs"]
mod browser;
#[path = "../examples/page/training.rs"]
mod training;

use std::path::Path;
use std::process::Command;

use training::Trained;

/// The page as one file.
fn build() -> String {
    let built = Command::new("scripts/page")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    String::from_utf8(built.stdout).unwrap().trim().to_owned()
}

/// What the page shows after it has trained.
fn shown(page: &str, folder: &Path) -> String {
    let output = browser::command(folder)
        .args(["--dump-dom", &format!("file://{page}")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("CONSOLE"), "{log}");
    let dom = String::from_utf8(output.stdout).unwrap();
    let (_, text) = dom.split_once("<pre>").unwrap();
    text.split_once("</pre>").unwrap().0.to_owned()
}

/// The page's last line, in the form of [`Trained`].
fn result(shown: &str) -> Trained {
    let (_, line) = shown
        .split_once("trained: ")
        .unwrap_or_else(|| panic!("{shown}"));
    let value = |name: &str| {
        let mut fields = line.trim().split(", ");
        let field = fields.find_map(|field| field.strip_prefix(name));
        field.unwrap_or_else(|| panic!("{shown}")).trim()
    };
    Trained {
        loss: value("loss").parse().unwrap(),
        accuracy: value("accuracy").parse().unwrap(),
        rounds: value("rounds").parse().unwrap(),
        grown: value("grown").parse().unwrap(),
        begun: u64::from_str_radix(value("begun"), 16).unwrap(),
        ended: u64::from_str_radix(value("ended"), 16).unwrap(),
    }
}

#[test]
#[ignore = "builds the library for WebAssembly: minutes"]
fn a_page_trains_as_this_system_does() {
    let page = build();
    let folder = tempfile::tempdir().unwrap();
    let first = shown(&page, folder.path());
    eprintln!("{first}");
    let there = result(&first);
    let here = training::train(|line| eprintln!("{line}")).unwrap();
    eprintln!("here: {here}");

    assert!(there.accuracy > 0.9, "{there}");
    assert!(there.rounds == 3 && there.grown > 0, "{there}");
    // It repeats to the bit, and begins with this system's bits.
    assert_eq!(result(&shown(&page, folder.path())).ended, there.ended);
    assert_eq!(there.begun, here.begun);
    // The loss uses `exp` and `ln` of the system's library. WebAssembly has Rust's own, whose last bit differs for one
    // argument in ten, so the bits differ from the first step on.
    assert_eq!(there.rounds, here.rounds);
    assert!((there.loss - here.loss).abs() < 1e-3, "{there}, {here}");
}
