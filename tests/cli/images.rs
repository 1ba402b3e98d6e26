//! Images that become unreadable, are exchanged between two runs, or were trained on: nothing trained is lost, and no
//! number misleads.

use std::fs;

use crate::data::{TRAIN, photos, with};
use crate::{Desk, assert_same, text};

fn sound(desk: &Desk) {
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 12);
    photos(&desk.path("data/val"), &["bee", "cat"], 40, 4);
}

#[test]
fn what_was_trained_before_a_bad_image_is_saved() {
    let desk = Desk::new();
    sound(&desk);
    let flags = ["--batch=2", "--epochs=2", "--round-every=4", "--name=whole"];
    let train = with(&TRAIN, &flags);
    desk.good(&train);
    let file = desk.path("data/train/cat/05.png");
    let good = fs::read(&file).unwrap();
    let mut bad = good.clone();
    let end = bad.len() - 24;
    bad[end..].fill(0);
    fs::write(&file, &bad).unwrap();
    let train = with(&train, &["--name=broken"]);
    desk.bad(&train, 1, &["cat/05.png"]);
    fs::write(&file, &good).unwrap();
    let runs = desk.runs();
    let (broken, whole) = (&runs[0], &runs[1]);
    let (broken, whole) = match text(broken).ends_with("broken") {
        true => (broken, whole),
        false => (whole, broken),
    };
    assert!(broken.join("checkpoints").is_dir(), "nothing was saved");
    desk.good(&["train", "--resume", text(broken)]);
    assert_same(whole, broken);
}

/// Only a round's further batch has the bad image: the earlier batches have not reached it yet.
#[test]
fn what_was_trained_before_a_bad_image_of_a_further_batch_is_saved() {
    let desk = Desk::new();
    sound(&desk);
    let flags = [
        "--batch=2",
        "--epochs=2",
        "--round-every=2",
        "--round-batches=13",
        "--name=whole",
    ];
    let train = with(&TRAIN, &flags);
    desk.good(&train);
    let file = desk.path("data/train/cat/05.png");
    let good = fs::read(&file).unwrap();
    let end = good.len() - 24;
    fs::write(&file, [&good[..end], &[0; 24]].concat()).unwrap();
    desk.bad(&with(&train, &["--name=broken"]), 1, &["cat/05.png"]);
    fs::write(&file, &good).unwrap();
    let find = |name: &str| {
        let mut runs = desk.runs().into_iter();
        runs.find(|run| text(run).ends_with(name)).unwrap()
    };
    let (broken, whole) = (find("broken"), find("whole"));
    assert_eq!(
        crate::names(&broken.join("checkpoints")),
        ["step-0000000001"]
    );
    desk.good(&["train", "--resume", text(&broken)]);
    assert_same(&whole, &broken);
}

#[test]
fn runs_on_other_images_are_rows_of_their_own() {
    let desk = Desk::new();
    sound(&desk);
    desk.good(&with(&TRAIN, &["--epochs=1", "--seed=1"]));
    desk.good(&with(&TRAIN, &["--epochs=1", "--seed=2"]));
    let column = |page: &str| {
        desk.good(&["report", "runs", "-o", page]);
        let page = fs::read_to_string(desk.path(page)).unwrap();
        page.contains("<th class=\"word\" scope=\"col\">images</th>")
    };
    assert!(!column("same.html"));
    photos(&desk.path("data/val"), &["bee", "cat"], 50, 4);
    desk.good(&with(&TRAIN, &["--epochs=1", "--seed=3"]));
    assert!(column("others.html"));
}

#[test]
fn images_of_the_training_are_no_test_in_another_folder_either() {
    let desk = Desk::new();
    sound(&desk);
    desk.good(&with(&TRAIN, &["--epochs=1"]));
    let run = desk.runs().remove(0);
    photos(&desk.path("other/val"), &["bee", "cat"], 0, 12);
    photos(&desk.path("other/train"), &["bee", "cat"], 40, 4);
    let eval = ["eval", text(&run), "--data-dir=other"];
    desk.bad(&eval, 2, &["the network was trained on"]);
}

#[cfg(unix)]
#[test]
fn what_only_bears_the_name_of_a_test_folder_is_refused() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &["bee", "cat"], 0, 12);
    std::os::unix::fs::symlink("/nowhere/at/all", desk.path("data/val")).unwrap();
    desk.bad(&TRAIN, 1, &["data/val", "a link to nothing"]);
    fs::remove_file(desk.path("data/val")).unwrap();
    fs::write(desk.path("data/test"), "").unwrap();
    desk.bad(&TRAIN, 1, &["data/test", "no folder"]);
    assert!(desk.runs().is_empty());
}
