//! Files that are larger than the memory: refused by their first bytes, their header or their length, and never read.
//! They have no contents on the disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::data::{TRAIN, photos, with};
use crate::{Desk, Done, text};

/// Five gigabytes.
const LARGE: u64 = 5 << 30;

fn large(path: &Path, start: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(start).unwrap();
    file.set_len(LARGE).unwrap();
}

/// The first bytes of a PNG and of a JPEG of 8 × 8 pixels.
fn starts(desk: &Desk) -> [Vec<u8>; 2] {
    photos(&desk.path("one"), &["a"], 0, 1);
    let png = fs::read(desk.path("one/a/00.png")).unwrap();
    let mut jpeg = vec![0xff, 0xd8];
    jpeg.extend([0xff, 0xc0, 0, 17, 8, 0, 8, 0, 8, 3]);
    jpeg.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    jpeg.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    [png, jpeg]
}

/// The command with an address space in which no such file fits.
fn limited(desk: &Desk, arguments: &[&str]) -> Done {
    let program = assert_cmd::cargo::cargo_bin!("rootlet");
    let line = format!(
        "ulimit -v 3000000; exec {} {}",
        text(program),
        arguments.join(" ")
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .current_dir(desk.path(""))
        .env("ROOTLET_ADAPTER", "cpu");
    Done::of(command.output().unwrap())
}

#[test]
fn images_are_known_by_their_beginning() {
    let desk = Desk::new();
    let [png, jpeg] = starts(&desk);
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 6);
    photos(&desk.path("data/val"), &["bee", "cat"], 60, 3);
    large(&desk.path("data/train/bee/zeros.png"), &[]);
    large(&desk.path("data/train/bee/head.png"), &png);
    large(&desk.path("data/train/cat/head.jpg"), &jpeg);
    let reasons = [
        "zeros.png (it starts with [00, 00, 00, 00]: this is not a JPEG, PNG, WebP or BMP file",
        "head.png (it has 5368709120 bytes, and an image of 16 × 16 pixels has",
        "head.jpg (it has 5368709120 bytes, and an image of 8 × 8 pixels has",
    ];
    let check = limited(
        &desk,
        &["data", "check", "--data-dir=data", "--data=image-folder"],
    );
    check.failed(1, &["bad entries, listed above: 3"]);
    let skip = with(&TRAIN, &["--skip-bad-images", "--epochs=1", "--quiet"]);
    let run = limited(&desk, &skip);
    assert_eq!(run.code, Some(0), "{run:?}");
    for reason in reasons {
        assert!(check.out.contains(reason), "{reason}: {check:?}");
        assert!(run.out.contains(reason), "{reason}: {run:?}");
    }
}

#[test]
fn files_that_are_read_whole_have_a_bound() {
    let desk = Desk::new();
    desk.small(&["--epochs=1"]);
    let run = desk.runs().remove(0);
    large(&desk.path("c.toml"), &[]);
    large(&desk.path("b.json"), &[]);
    large(&desk.path("m.smtx"), &[]);
    large(&desk.path("m.mtx"), &[]);
    let most = "it has 5368709120 bytes, and files of its kind have";
    for (arguments, part) in [
        (&["train", "--config", "c.toml"][..], most),
        (&["sweep", "c.toml"], most),
        (&["report", "b.json"], most),
        (&["bench", "--matrix", "m.smtx"], "begins with zero bytes"),
        (&["bench", "--matrix", "m.mtx"], "begins with zero bytes"),
    ] {
        limited(&desk, arguments).failed(1, &[part]);
    }
    for name in ["summary.json", "metrics.csv"] {
        let path = run.join(name);
        let before = fs::read(&path).unwrap();
        large(&path, &[]);
        let done = limited(&desk, &["report", text(&run), "-o", "r.html"]);
        assert!(
            done.err.contains(most)
                || fs::read_to_string(desk.path("r.html"))
                    .unwrap()
                    .contains(most),
            "{name}: {done:?}"
        );
        fs::write(&path, before).unwrap();
    }
    // A table does not stop the run from continuing.
    large(&run.join("metrics.csv"), &[]);
    let done = limited(
        &desk,
        &["train", "--resume", text(&run), "--epochs=2", "--quiet"],
    );
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("metrics.damaged.csv"), "{done:?}");
    let kept = fs::metadata(run.join("metrics.damaged.csv")).unwrap();
    assert_eq!(kept.len(), LARGE);
    let manifest = crate::newest(&run).join("manifest.json");
    large(&manifest, &[]);
    limited(&desk, &["eval", text(&crate::newest(&run))]).failed(1, &["too many for a manifest"]);
}
