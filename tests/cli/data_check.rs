//! `rootlet data check`, and images that cannot be read.

use std::fs;

use crate::data::{TRAIN, json, photos, with};
use crate::{Desk, text};
use serde_json::Value;

const HALF: [u8; 39] = *b"\x89PNG\r\n\x1a\n, and then nothing of a picture";

#[test]
fn bad_images_are_named_up_front_or_left_out() {
    let desk = Desk::new();
    for (part, count) in [("train", 6), ("val", 4)] {
        photos(
            &desk.path("data").join(part),
            &["bee", "cat"],
            count * 10,
            count,
        );
    }
    let check = ["data", "check", "--data-dir=data"];
    let sound = desk.good(&check).out;
    assert!(
        sound.contains("12 to train, 8 to test (from val/)"),
        "{sound}"
    );
    assert!(
        sound.contains("\n  cat  6 to train, 4 to test\n"),
        "{sound}"
    );
    assert!(
        !sound.contains("bad") && !sound.contains("copies"),
        "{sound}"
    );
    // Every one is named, of both parts.
    fs::write(desk.path("data/train/bee/61.png"), HALF).unwrap();
    fs::write(desk.path("data/train/cat/62.png"), b"").unwrap();
    fs::write(desk.path("data/val/cat/41.png"), HALF).unwrap();
    let copy = fs::read(desk.path("data/train/cat/60.png")).unwrap();
    fs::write(desk.path("data/val/cat/40.png"), copy).unwrap();
    let done = desk.bad(
        &check,
        1,
        &["bad entries, listed above: 3", "--skip-bad-images"],
    );
    for part in [
        "bee/61.png (the PNG data",
        "cat/62.png (the file is empty)",
        "val/cat/41.png",
    ] {
        assert!(done.out.contains(part), "no {part}: {done:?}");
    }
    assert!(
        done.out
            .contains("1 test images have the pixels of training images"),
        "{done:?}"
    );
    let of = |text: &str, key: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .to_owned();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_ne!(of(&sound, "contents"), of(&done.out, "contents"));
    let json_text = desk.run(&[&check[..], &["--json"]].concat()).out;
    let check = json(&json_text);
    assert_eq!(check["bad"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&check["copies"], &check["train_of_class"]),
        (&1.into(), &serde_json::json!([6, 6]))
    );
    // A run stops at the first, or goes on without all three and lists them.
    desk.bad(
        &with(&TRAIN, &["--quiet"]),
        1,
        &["put a sound copy in its place"],
    );
    let skip = with(
        &TRAIN,
        &[
            "--skip-bad-images",
            "--json",
            "--epochs=2",
            "--round-every=1",
        ],
    );
    let done = desk.good(&skip);
    let events: Vec<Value> = done.out.lines().map(json).collect();
    let end = events.last().unwrap();
    assert_eq!(end["epochs"], 2);
    let remarks = end["remarks"].to_string();
    for part in [
        "3 images could not be read",
        "61.png",
        "62.png (the file is empty)",
        "41.png",
    ] {
        assert!(remarks.contains(part), "no {part} in {remarks}");
    }
    // Every batch is complete; one of the test images is left out.
    let epoch = events
        .iter()
        .find(|event| event["event"] == "epoch")
        .unwrap();
    assert_eq!(epoch["step"], 2);
    let run = desk.runs().pop().unwrap();
    let done = desk.good(&["eval", text(&run), "--json"]);
    assert_eq!(json(&done.out)["images"], 7);
    assert!(
        done.err.contains("left out because it cannot be read: "),
        "{done:?}"
    );
    // Stopped within the first epoch and resumed, it ends with the same bits.
    let broken = desk.good(&[&skip[..], &["--steps=1"]].concat());
    assert!(broken.out.contains("finished"), "{broken:?}");
    let broken = desk.runs().pop().unwrap();
    desk.good(&["train", "--resume", text(&broken), "--steps=0", "--quiet"]);
    crate::assert_same(&run, &broken);
    // Nothing is left for testing, or for training a class.
    for file in [
        "val/bee/40.png",
        "val/bee/41.png",
        "val/bee/42.png",
        "val/bee/43.png",
    ] {
        fs::write(desk.path("data").join(file), HALF).unwrap();
    }
    for file in ["val/cat/40.png", "val/cat/42.png", "val/cat/43.png"] {
        fs::write(desk.path("data").join(file), HALF).unwrap();
    }
    desk.bad(
        &skip,
        1,
        &["val: none of its 8 test images", "rootlet data check"],
    );
    for file in 60..66 {
        fs::write(
            desk.path("data/train/bee").join(format!("{file}.png")),
            HALF,
        )
        .unwrap();
    }
    desk.bad(
        &skip,
        1,
        &["train/bee: none of the class's training images"],
    );
}

#[test]
fn known_sets_are_checked_too() {
    let desk = Desk::new();
    let done = desk.good(&["data", "check", "--data=digits"]);
    assert!(
        done.out
            .contains("1442 to train, 355 to test (the set's own)"),
        "{done:?}"
    );
    desk.bad(&["data", "check"], 2, &["--data-dir"]);
    desk.bad(
        &["data", "check", "--data=digits", "--data-dir=x"],
        2,
        &["--data-dir has no effect here"],
    );
    desk.bad(
        &["data", "check", "--data=minst"],
        2,
        &["--data must be one of digits"],
    );
    desk.bad(
        &["data", "check", "--data-dir=nowhere"],
        1,
        &["nowhere", "there is no such folder"],
    );
}
