//! Image folders that are not as they should be. Every entry that is not an image is named, or left out if that was
//! requested; and images that a network may have been trained on are never called test images.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::data::{TRAIN, json, photos, with};
use crate::{Desk, text};

/// Two classes of six images, and four more of each in `val`.
fn sound(desk: &Desk) {
    photos(&desk.path("data/train"), &["bee", "cat"], 60, 6);
    photos(&desk.path("data/val"), &["bee", "cat"], 40, 4);
}

/// Puts things that are not images in the places of some.
#[cfg(unix)]
fn spoil(desk: &Desk) -> Vec<&'static str> {
    use std::os::unix::fs::symlink;
    let at = |path: &str| desk.path("data").join(path);
    let pipe = std::process::Command::new("mkfifo")
        .arg(at("train/bee/pipe.jpg"))
        .status();
    assert!(pipe.unwrap().success());
    symlink("/dev/zero", at("train/bee/zero.png")).unwrap();
    symlink("nothing.png", at("train/cat/gone.jpg")).unwrap();
    symlink("loop.jpg", at("train/cat/loop.jpg")).unwrap();
    fs::write(at("train/cat/notes.txt"), "").unwrap();
    fs::write(at("train/cat/half.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    fs::write(at("train/list.csv"), "").unwrap();
    fs::create_dir(at("val/cat/more")).unwrap();
    vec![
        "bee/pipe.jpg (it is not a file",
        "bee/zero.png (it is not a file",
        "cat/gone.jpg (a link to nothing",
        "cat/loop.jpg (it cannot be read",
        "cat/notes.txt (no image by its name",
        "cat/half.png (the PNG data",
        "train/list.csv (a file beside the classes' folders",
        "val/cat/more (a folder inside a class's folder",
    ]
}

#[cfg(unix)]
#[test]
fn whatever_is_in_an_images_place_is_named_or_left_out() {
    let desk = Desk::new();
    sound(&desk);
    let entries = spoil(&desk);
    let check = ["data", "check", "--data-dir=data"];
    let done = desk.bad(
        &check,
        1,
        &["bad entries, listed above: 8", "--skip-bad-images"],
    );
    for entry in &entries {
        assert!(done.out.contains(entry), "no {entry}: {done:?}");
    }
    assert!(done.out.contains("13 to train, 8 to test"), "{done:?}");
    // A run stops at one before it begins, or goes on without all of them and lists them.
    desk.bad(
        &with(&TRAIN, &["--quiet"]),
        1,
        &[
            "list.csv: a file beside the classes' folders",
            "6 more entries cannot be used: `rootlet data check` names them all",
        ],
    );
    assert!(desk.runs().is_empty());
    let skip = with(
        &TRAIN,
        &["--skip-bad-images", "--epochs=2", "--round-every=1"],
    );
    let done = desk.good(&skip);
    assert!(
        done.out
            .contains("note: left out of the folder, for they are no files of images: 7 entries"),
        "{done:?}"
    );
    assert!(
        done.out
            .contains("8 images could not be read and were left out"),
        "{done:?}"
    );
    for entry in &entries {
        assert!(done.out.contains(entry), "no {entry}: {done:?}");
    }
    let run = desk.runs().remove(0);
    let done = desk.good(&["eval", text(&run), "--json"]);
    assert_eq!(json(&done.out)["images"], 8, "{done:?}");
}

/// An entry that makes the classes unclear does not concern single images: it is named too, and no run goes on with it.
#[cfg(unix)]
#[test]
fn folders_that_are_no_classes_are_all_named_and_never_skipped() {
    let desk = Desk::new();
    sound(&desk);
    let entries = spoil(&desk);
    fs::create_dir(desk.path("data/train/empty")).unwrap();
    photos(&desk.path("data/val"), &["dog", "emu"], 0, 1);
    let done = desk.bad(
        &["data", "check", "--data-dir=data"],
        1,
        &["bad entries, listed above: 11, 3 of them folders"],
    );
    let folders = [
        "train/empty (it holds no images",
        "val/dog (no class of this name",
        "val/emu (no",
    ];
    for entry in entries.iter().chain(&folders) {
        assert!(done.out.contains(entry), "no {entry}: {done:?}");
    }
    desk.bad(
        &with(&TRAIN, &["--skip-bad-images"]),
        1,
        &["train/empty: it holds no images", "2 more entries"],
    );
    // Also if there is nothing beside train/.
    fs::remove_dir_all(desk.path("data/val")).unwrap();
    let done = desk.bad(
        &["data", "check", "--data-dir=data"],
        1,
        &["listed above: 8, 1 of them"],
    );
    for entry in entries[..7].iter().chain(&folders[..1]) {
        assert!(done.out.contains(entry), "no {entry}: {done:?}");
    }
    assert!(desk.runs().is_empty());
}

/// Root may read everything, so this shows nothing for root.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_found_before_the_first_step() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    sound(&desk);
    let file = desk.path("data/train/bee/62.png");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&file).is_ok() {
        return;
    }
    desk.bad(&TRAIN, 1, &["62.png: it cannot be read (Permission denied"]);
    assert!(desk.runs().is_empty());
    desk.bad(
        &["data", "check", "--data-dir=data"],
        1,
        &["bad entries, listed above: 1;"],
    );
    let done = desk.good(&with(&TRAIN, &["--skip-bad-images"]));
    assert!(done.out.contains("62.png (it cannot be read"), "{done:?}");
}

#[test]
fn classes_with_few_images_or_none_are_named() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 6);
    photos(&desk.path("data/train"), &["dog"], 0, 1);
    photos(&desk.path("data/val"), &["cat"], 50, 2);
    let done = desk.good(&with(&TRAIN, &["--epochs=1"]));
    for part in [
        "note: there is a single training image each of 1 of 3 classes: dog",
        "note: there are no test images in val/ of 2 of 3 classes: bee, dog; the accuracy says nothing about them",
    ] {
        assert!(done.out.contains(part), "no {part}: {done:?}");
    }
    let done = desk.good(&["data", "check", "--data-dir=data"]);
    assert!(done.err.contains("no test images in val/"), "{done:?}");
    // Also for a known set, if --limit cuts it.
    let done = desk.good(&["train", "--limit=3", "--epochs=1", "--runs=runs"]);
    assert!(
        done.out
            .contains("note: there are no training images of 7 of 10 classes: "),
        "{done:?}"
    );
}

pub(crate) fn result(done: &crate::Done) -> String {
    let last = done
        .out
        .lines()
        .find(|line| line.contains("accuracy ") && line.contains(", loss "));
    last.unwrap_or_else(|| panic!("{done:?}")).to_owned()
}

const TRAINED_ON: &str = "; the network was trained on 1 of them";

/// In a folder without a test part, some images are held out by name and seed: either those of the training, or unknown
/// ones.
#[test]
fn images_that_were_trained_on_are_no_test_images() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 20);
    photos(&desk.path("split/train"), &["bee", "cat"], 0, 20);
    photos(&desk.path("data/val"), &["bee", "cat"], 40, 4);
    desk.good(&with(&TRAIN, &["--epochs=1"]));
    let run = desk.runs().remove(0);
    let eval = |run: &Path, more: &[&str]| desk.good(&[&["eval", text(run)], more].concat());
    assert!(result(&eval(&run, &[])).starts_with("8 test images of image-folder: "));
    // The same training images, of which four others are held out.
    let done = eval(&run, &["--data-dir=split"]);
    let expected = "4 images of image-folder (10 % split off the training images by seed 1; the network was \
                    trained on 4 of them): ";
    assert!(result(&done).starts_with(expected), "{done:?}");
    let done = json(&eval(&run, &["--data-dir=split", "--json"]).out);
    assert_eq!(done["test_part"]["split-off"]["trained_on"], true);
    assert_eq!(done["images"], 4);
    // If they were held out in training, it is those, however many.
    desk.good(&with(
        &TRAIN,
        &["--epochs=3", "--data-dir=split", "--steps=7"],
    ));
    let run = desk.runs().pop().unwrap();
    for limit in ["0", "2"] {
        let done = eval(&run, &["--limit", limit]);
        assert!(result(&done).contains(" validation images of "), "{done:?}");
        assert!(!done.out.contains(TRAINED_ON), "{done:?}");
    }
    // If one of them is gone, another one is held out, which was trained on.
    let gone = fs::read_dir(desk.path("split/train/bee")).unwrap();
    let mut gone: Vec<_> = gone.map(|entry| entry.unwrap().path()).collect();
    gone.sort();
    let moved = gone.iter().any(|image| {
        fs::remove_file(image).unwrap();
        let done = result(&eval(&run, &[]));
        assert!(
            !done.contains(" validation images of ") || !done.contains(TRAINED_ON),
            "{done}"
        );
        done.contains(TRAINED_ON)
    });
    assert!(moved);
    // The same goes for a run that is resumed, and for the one after that.
    for steps in ["10", "0"] {
        let done = desk.good(&["train", "--resume", text(&run), "--steps", steps]);
        let result = result(&done);
        assert!(
            result.starts_with("accuracy ") && result.contains(TRAINED_ON),
            "{done:?}"
        );
    }
    desk.good(&["report", text(&run), "-o", "report.html"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(
        page.contains("what is called validation accuracy is of images"),
        "{page}"
    );
    let done = eval(&run, &[]);
    assert!(done.out.contains(TRAINED_ON), "{done:?}");
}

/// Versions that recorded nothing about the data trained on every image.
#[test]
fn a_checkpoint_that_knows_no_data_has_no_test_images_of_them() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 10);
    desk.good(&with(&TRAIN, &["--steps=2"]));
    let run = desk.runs().remove(0);
    let mut checkpoint = rootlet::checkpoint::load(&run).unwrap();
    checkpoint.snapshot.data = None;
    checkpoint.snapshot.trained_images = Default::default();
    rootlet::checkpoint::save(&run, &checkpoint.snapshot, &checkpoint.manifest.config).unwrap();
    let done = desk.good(&["eval", text(&run)]);
    assert!(result(&done).starts_with("2 images of "), "{done:?}");
    let done = desk.good(&["train", "--resume", text(&run), "--steps=0", "--json"]);
    let end: Value = json(done.out.lines().last().unwrap());
    let from = &end["validation_part"]["split-off"];
    assert_eq!(from["trained_on"], true, "{end}");
}

/// A link or a copy of `train` in place of `val`.
#[test]
fn training_images_in_the_test_folder_are_refused() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 60, 6);
    photos(&desk.path("data/val"), &["bee", "cat"], 60, 6);
    let parts = ["val/ has the images of train/", "--val-split"];
    desk.bad(&TRAIN, 2, &parts);
}

/// The same under other names, and a part of them.
#[test]
fn copies_under_other_names_are_no_test_images() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 12);
    let copy = |from: &str, to: &str| {
        let to = desk.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(desk.path(from), to).unwrap();
    };
    for class in ["bee", "cat"] {
        for number in 0..4 {
            let from = format!("data/train/{class}/{number:02}.png");
            copy(&from, &format!("data/val/{class}/other{number}.png"));
        }
    }
    let parts = [
        "val/ has the images of train/ (by their pixels, all 8)",
        "--val-split",
    ];
    desk.bad(&TRAIN, 2, &parts);
    photos(&desk.path("data/val"), &["bee", "cat"], 60, 3);
    let note = "8 of 14 test images in val/ are, by their pixels, training images as well";
    let done = desk.good(&with(&TRAIN, &["--quiet", "--epochs=1"]));
    assert!(done.out.contains(note), "{done:?}");
    let summary = fs::read_to_string(desk.runs().remove(0).join("summary.json")).unwrap();
    assert!(summary.contains(note), "{summary}");
}

/// Whatever qualifies a result is reported beside it, even if notes are not shown.
#[test]
fn classes_without_images_are_told_beside_the_result() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat", "dog"], 0, 6);
    photos(&desk.path("data/val"), &["cat"], 20, 2);
    let flags = ["--quiet", "--epochs=1", "--milestones=8"];
    let done = desk.good(&with(&TRAIN, &flags));
    let run = desk.runs().remove(0);
    let summary = json(&fs::read_to_string(run.join("summary.json")).unwrap());
    let remarks = summary["finished"]["remarks"].to_string();
    desk.good(&["report", text(&run), "-o", "report.html"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    for part in [
        "there are no test images in val/ of 2 of 3 classes: bee, dog",
        "--milestones 8 change nothing",
    ] {
        assert!(done.out.contains(part), "{done:?}");
        assert!(remarks.contains(part), "{remarks}");
        assert!(page.contains(part), "{page}");
    }
}
