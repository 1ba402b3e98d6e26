//! `rootlet bench --share` and `gallery`: what is shared is read back, and impossible files are refused.

use std::path::Path;

use rootlet::bench::{self, BenchOptions, Gallery, Part, SharedReport};
use rootlet::error::{Error, Refusal, Unshareable};
use serde_json::{Value, json};

use crate::{rootlet, tiny};

/// A change of a report before it is written.
type Change = fn(&mut SharedReport);

/// A report as from an idle machine.
fn shared() -> SharedReport {
    let options = BenchOptions {
        parts: vec![Part::Ceilings, Part::Spmm, Part::Step],
        sizes: vec![40],
        hidden: vec![16],
        ..tiny("cpu")
    };
    let mut report = bench::run(&options, &mut |_| ()).unwrap();
    for kernel in &mut report.kernels {
        kernel.doubt = None;
        kernel.ceiling_doubt = None;
        kernel.share_of_ceiling = Some(0.5);
    }
    SharedReport::new(report, Some(0.5)).unwrap()
}

#[test]
fn what_was_shared_is_read_back_and_what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let good = shared();
    let text = good.to_json().unwrap();
    std::fs::write(&path, &text).unwrap();
    let again = SharedReport::read(&path).unwrap();
    assert_eq!(again.to_json().unwrap(), text);
    assert!(
        good.file_name().ends_with("-cpu.json"),
        "{}",
        good.file_name()
    );

    let refuses = |text: String, expected: &str| {
        std::fs::write(&path, text).unwrap();
        let message = SharedReport::read(&path).unwrap_err().to_string();
        assert!(
            message.contains(expected) && message.contains("x.json"),
            "{message}"
        );
    };
    // Changed by hand.
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["report"]["kernels"][0]["seconds"] = json!(1e-9);
    refuses(value.to_string(), "another checksum");
    refuses(text.replace("\"share\": 1", "\"share\": 2"), "version 2");
    refuses(
        serde_json::to_string(&good.report).unwrap(),
        "no shared file",
    );
    refuses("{".to_owned(), "is no JSON");
    // Written like this by a program.
    let written = |change: Change| {
        let mut other = good.clone();
        change(&mut other);
        other.to_json().unwrap()
    };
    refuses(written(|s| s.report.schema = 99), "schema version 99");
    refuses(
        written(|s| s.report.code.name = "burn".into()),
        "measured by burn",
    );
    let cases: [(Change, &str); 6] = [
        (|s| s.report.ceilings = None, "lacks the ceiling copy"),
        (
            |s| s.report.ceilings.as_mut().unwrap().loads.clear(),
            "lacks the ceiling loads",
        ),
        (|s| s.report.kernels.clear(), "no products"),
        (
            |s| s.report.kernels[0].share_of_ceiling = Some(1.4),
            "share of 1.40",
        ),
        (
            |s| s.report.kernels[0].seconds *= 0.5,
            "times that cannot be",
        ),
        (|s| s.report.kernels[0].max_error = 0.1, "a wrong result"),
    ];
    for (change, expected) in cases {
        refuses(written(change), expected);
    }

    // Before it is written, the error says it as data.
    let mut report = good.report;
    report.ceilings = None;
    let refused = match SharedReport::new(report, None) {
        Err(Error::Refused(refused)) => *refused,
        other => panic!("{other:?}"),
    };
    let said = refused.to_string();
    let Refusal::Unshareable { why } = refused else {
        panic!("{said}");
    };
    let missing = Unshareable::NoCeiling {
        ceiling: "copy",
        doubt: None,
    };
    assert_eq!(why, missing);
    assert!(
        said.starts_with("the report to share lacks the ceiling copy"),
        "{said}"
    );
}

fn gallery(folder: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    rootlet(&[&["gallery", folder.to_str().unwrap()], more].concat())
}

#[test]
fn a_gallery_is_made_of_the_files_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let output = gallery(folder.path(), &[]).failure().code(2);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("has no shared report"), "{message}");

    let mut first = shared();
    first.report.adapter.name = "A | <GPU>".to_owned();
    let mut second = first.clone();
    second.report.adapter.name = "B".to_owned();
    second.load = Some(99.0);
    for device in [&first, &second] {
        let path = folder.path().join(device.file_name());
        std::fs::write(path, device.to_json().unwrap()).unwrap();
    }
    gallery(folder.path(), &["--check"]).failure().code(1);
    gallery(folder.path(), &[]).success();
    gallery(folder.path(), &["--check"]).success();
    let page = std::fs::read_to_string(Gallery::page_path(folder.path())).unwrap();
    for part in [
        "[A    GPU](a-gpu-cpu.json)",
        "[B](b-cpu.json)",
        "load 99.0",
        "| 256 KiB |",
    ] {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| ["));
    let columns: Vec<usize> = rows.map(|line| line.matches(" | ").count()).collect();
    assert_eq!(columns, [12, 12], "{page}");
    assert!(bench::pasted(&first).ends_with(" |\n"));
    // An older page is replaced, but nothing else is.
    let place = Gallery::page_path(folder.path());
    let older = page.replace("To add yours", "Add yours");
    std::fs::write(&place, older).unwrap();
    gallery(folder.path(), &[]).success();
    std::fs::write(&place, "# My notes\n").unwrap();
    let output = gallery(folder.path(), &[]).failure().code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("is no page of a gallery"), "{message}");
    assert_eq!(std::fs::read_to_string(&place).unwrap(), "# My notes\n");
    std::fs::remove_file(&place).unwrap();
    // A device under two names counts once or not at all.
    let twice = folder.path().join("copy.json");
    std::fs::copy(folder.path().join(first.file_name()), &twice).unwrap();
    let output = gallery(folder.path(), &[]).failure().code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(
        message.contains("once more") && message.contains("copy.json"),
        "{message}"
    );
    std::fs::remove_file(&twice).unwrap();
    // A refused file is named.
    std::fs::write(folder.path().join("broken.json"), "{}").unwrap();
    let output = gallery(folder.path(), &["--check"]).failure().code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("broken.json"), "{message}");
}

#[test]
fn what_is_shared_has_the_standard_cases() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    let output = rootlet(&["--share", name, "--sizes", "32"])
        .failure()
        .code(2);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(
        message.contains("--share") && message.contains("--sizes"),
        "{message}"
    );
    let output = rootlet(&["--adapter", "cpu", "--share", "/no/such"])
        .failure()
        .code(2);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("is not a folder"), "{message}");
}

/// `rootlet bench gallery docs/devices` writes the page.
#[test]
fn the_gallery_of_the_docs_is_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/devices");
    gallery(&folder, &["--check"]).success();
}
