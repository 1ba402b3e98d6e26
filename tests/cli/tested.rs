//! What a result was tested on: reported if runs of a row differ in it, and if images are unused.

use std::fs;

use crate::data::{TRAIN, photos, with};
use crate::{Desk, copy_all, text};

const CLASSES: [&str; 2] = ["bee", "cat"];

#[test]
fn seeds_that_hold_out_images_of_their_own_are_told() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 20);
    fs::write(
        desk.path("s.toml"),
        "seeds = [1, 2]\n[base]\ndata = \"image-folder\"\ndata_dir = \"data\"\nimage_size = 16\nhidden = [16]\n\
         epochs = 1\nbatch = 8\nthreads = 1\n",
    )
    .unwrap();
    let told = "the runs of each row were tested on different images, each on those that its seed held out";
    let done = desk.good(&["sweep", "s.toml", "--quiet"]);
    assert!(done.err.contains(told), "{done:?}");
    let table = fs::read_to_string(desk.path("runs/s/results.md")).unwrap();
    assert!(table.contains(told), "{table}");
    desk.good(&["report", "runs/s", "-o", "report.html"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(page.contains(told), "{page}");
    // One part tests all.
    fs::remove_dir_all(desk.path("runs")).unwrap();
    photos(&desk.path("data/val"), &CLASSES, 40, 4);
    let done = desk.good(&["sweep", "s.toml", "--quiet"]);
    assert!(!done.err.contains("tested on different"), "{done:?}");
}

#[test]
fn a_test_folder_is_taken_by_any_of_its_names_and_others_are_told() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 4);
    let check = |told: &[&str], not: &[&str]| {
        let done = desk.good(&["data", "check", "--data-dir=data"]);
        for part in told {
            assert!(
                done.out.contains(part) || done.err.contains(part),
                "{part}: {done:?}"
            );
        }
        for part in not {
            assert!(
                !done.out.contains(part) && !done.err.contains(part),
                "{part}: {done:?}"
            );
        }
    };
    let unused = "has folders of the same classes, and its images are not used";
    check(&["none to test"], &[unused]);
    photos(&desk.path("data/holdout"), &CLASSES, 20, 2);
    check(&["none to test", "holdout has folders of the same"], &[]);
    fs::remove_dir_all(desk.path("data/holdout")).unwrap();
    for name in ["testing", "Test", "VALIDATION", "Val"] {
        photos(&desk.path("data").join(name), &CLASSES, 20, 2);
        check(&[&format!("4 to test (from {name}/)")], &[unused]);
        fs::rename(desk.path("data").join(name), desk.path("once")).unwrap();
        fs::remove_dir_all(desk.path("once")).unwrap();
    }
    photos(&desk.path("data/val"), &CLASSES, 20, 2);
    // Like Tiny-ImageNet: images without a class.
    fs::create_dir_all(desk.path("data/test/images")).unwrap();
    check(&["4 to test (from val/)"], &[unused]);
    photos(&desk.path("data/test"), &CLASSES, 30, 2);
    check(
        &[
            "4 to test (from val/)",
            "test has folders of the same",
            "those that test are from val/",
        ],
        &[],
    );
    // With only these classes it is the test part, and the other one is for validation.
    fs::remove_dir(desk.path("data/test/images")).unwrap();
    check(
        &[
            "4 to validate (from val/), 4 to test (from test/)",
            "cat  4 to train, 2 to validate, 2 to test",
        ],
        &[unused],
    );
}

#[test]
fn a_run_that_does_not_tell_its_images_is_no_run_on_others() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 12);
    photos(&desk.path("data/val"), &CLASSES, 40, 4);
    for sparsity in ["0.5", "0.8"] {
        let sparsity = ["--epochs=1", "--sparsity", sparsity, "--name", sparsity];
        desk.good(&with(&TRAIN, &sparsity));
    }
    let column = || {
        desk.good(&["report", "runs", "-o", "report.html"]);
        let page = fs::read_to_string(desk.path("report.html")).unwrap();
        page.contains("<th class=\"word\" scope=\"col\">images</th>")
    };
    assert!(!column());
    fs::remove_dir_all(desk.runs()[0].join("checkpoints")).unwrap();
    assert!(!column());
}

#[test]
fn rows_behind_the_checkpoint_are_told() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=2", "--round-every=10"]);
    let (kept, aside) = (run.join("checkpoints"), desk.path("aside"));
    desk.good(&["train", "--resume", text(&run), "--epochs=2"]);
    copy_all(&kept, &aside);
    let more = ["train", "--resume", text(&run), "--epochs=3"];
    let done = desk.good(&more);
    assert!(!done.err.contains("cut off"), "{done:?}");
    fs::remove_dir_all(&kept).unwrap();
    fs::rename(&aside, &kept).unwrap();
    fs::remove_file(run.join("summary.json")).unwrap();
    let done = desk.good(&more);
    let told = "rows of later steps, which are trained again, are cut off: 1 of metrics.csv, ";
    assert!(done.err.contains(told), "{done:?}");
    assert!(done.err.contains(" of topology.csv"), "{done:?}");
}
