//! Images that a network was trained on are recognised wherever they lie: a result on them is never called a test
//! result, and says how many they are.

use std::fs;

use crate::bad_files::idx_folder_of;
use crate::data::{TRAIN, json, photos, with};
use crate::folders::result;
use crate::{Desk, text};

const CLASSES: [&str; 2] = ["bee", "cat"];

/// Copies an image of each class, under another name.
fn copy(desk: &Desk, from: &str, number: usize, to: &str) {
    for class in CLASSES {
        let folder = desk.path(to).join(class);
        fs::create_dir_all(&folder).unwrap();
        let image = desk.path(from).join(class).join(format!("{number:02}.png"));
        fs::copy(image, folder.join(format!("again-{number}.png"))).unwrap();
    }
}

#[test]
fn images_of_the_training_in_another_folder_are_counted() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 6);
    photos(&desk.path("data/val"), &CLASSES, 40, 2);
    photos(&desk.path("other/train"), &CLASSES, 60, 2);
    photos(&desk.path("other/val"), &CLASSES, 70, 2);
    let done = desk.good(&with(&TRAIN, &["--epochs=1"]));
    assert!(result(&done).starts_with("test accuracy "), "{done:?}");
    let run = desk.runs().remove(0);
    let eval = |more: &[&str]| desk.good(&[&["eval", text(&run)], more].concat());
    let count =
        |more: &[&str]| json(&eval(&[more, &["--json"]].concat()).out)["trained_on"].clone();
    assert!(result(&eval(&[])).starts_with("4 test images of image-folder: "));
    assert_eq!(count(&[]), 0);
    let other = ["--data-dir=other"];
    let none =
        "4 images of image-folder (by their pixels, the network was trained on none of them): ";
    assert!(
        result(&eval(&other)).starts_with(none),
        "{:?}",
        eval(&other)
    );
    assert_eq!(count(&other), 0);
    copy(&desk, "data/train", 3, "other/val");
    let some = "6 images of image-folder (the network was trained on 2 of them): ";
    assert!(
        result(&eval(&other)).starts_with(some),
        "{:?}",
        eval(&other)
    );
    assert_eq!(count(&other), 2);
    // An older checkpoint recorded nothing about them.
    let mut checkpoint = rootlet::checkpoint::load(&run).unwrap();
    checkpoint.snapshot.trained_images = Default::default();
    rootlet::checkpoint::save(&run, &checkpoint.snapshot, &checkpoint.manifest.config).unwrap();
    let unknown = "6 images of image-folder (it is not known whether the network was trained on some of them): ";
    assert!(
        result(&eval(&other)).starts_with(unknown),
        "{:?}",
        eval(&other)
    );
    assert!(count(&other).is_null());
    assert!(result(&eval(&[])).starts_with("4 test images of image-folder: "));
}

#[test]
fn a_sweeps_table_says_which_results_are_no_tests() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 6);
    photos(&desk.path("data/val"), &CLASSES, 40, 3);
    copy(&desk, "data/train", 3, "data/val");
    fs::write(
        desk.path("s.toml"),
        "seeds = [1, 2]\n[base]\ndata = \"image-folder\"\ndata_dir = \"data\"\nimage_size = 16\nhidden = [16]\n\
         epochs = 1\nbatch = 8\nthreads = 1\n",
    )
    .unwrap();
    let told = "seed-2: what is called test accuracy is of images from val/; the network was trained on 2 of them";
    let done = desk.good(&["sweep", "s.toml", "--quiet"]);
    assert!(done.err.contains(told), "{done:?}");
    assert!(
        desk.good(&["sweep", "s.toml", "--table"])
            .err
            .contains(told)
    );
    let table = fs::read_to_string(desk.path("runs/s/results.md")).unwrap();
    assert!(table.contains(told), "{table}");
}

#[test]
fn images_moved_from_train_to_val_are_counted_by_eval_and_by_a_run_that_goes_on() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 20);
    desk.good(&with(&TRAIN, &["--epochs=1"]));
    let run = desk.runs().remove(0);
    let mut moved = 0;
    for class in CLASSES {
        fs::create_dir_all(desk.path("data/val").join(class)).unwrap();
        for number in 0..8 {
            let place = |part| desk.path(part).join(class).join(format!("{number:02}.png"));
            fs::rename(place("data/train"), place("data/val")).unwrap();
            moved += 1;
        }
    }
    // Four of forty were held out of the training.
    let counts = |text: &str| {
        let (_, after) = text.split_once("the network was trained on ").unwrap();
        let count: usize = after.split(' ').next().unwrap().parse().unwrap();
        assert!((moved - 4..=moved).contains(&count), "{text}");
    };
    let done = result(&desk.good(&["eval", text(&run)]));
    assert!(done.starts_with("16 images of image-folder ("), "{done}");
    counts(&done);
    let done = result(&desk.good(&["train", "--resume", text(&run), "--epochs=2"]));
    assert!(done.starts_with("accuracy "), "{done}");
    counts(&done);
    desk.good(&["report", text(&run), "-o", "report.html"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    let told = "what is called test accuracy is of images from val/; the network was trained on";
    assert!(page.contains(told), "{page}");
}

#[test]
fn copies_within_train_are_counted_where_some_are_held_out() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 10);
    copy(&desk, "data/train", 3, "data/train");
    let check = desk.good(&["data", "check", "--data-dir=data"]);
    let copies = "copies       2 training images have the same pixels as other training images";
    assert!(check.out.contains(copies), "{check:?}");
    // Half of the images are held out, so that for some seed one of a pair is.
    let told = (1..6).any(|seed| {
        let seed = format!("--seed={seed}");
        let done = desk.good(&with(
            &TRAIN,
            &["--epochs=1", "--val-split=0.5", &seed, "--quiet"],
        ));
        let noted = done.out.contains(
            "validation images that --val-split holds out of train/ are, by their pixels",
        );
        let line = result(&done);
        assert_eq!(noted, line.starts_with("accuracy "), "{done:?}");
        assert_eq!(
            noted,
            line.contains("; the network was trained on "),
            "{done:?}"
        );
        noted
    });
    assert!(told);
    // With each image twice, whatever is held out has a copy in training.
    for number in (0..10).filter(|&number| number != 3) {
        copy(&desk, "data/train", number, "data/train");
    }
    desk.bad(
        &with(&TRAIN, &["--val-split=0.05"]),
        2,
        &[
            "lie there once more (by their pixels, all 2)",
            "leave one of each",
        ],
    );
}

/// Three colours of 8 × 8 pixels are too many for this network of grey digits; that is all that is wrong.
#[test]
fn a_folder_gets_the_image_size_of_a_network_of_another_set() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    photos(&desk.path("data/train"), &["0", "1"], 0, 2);
    photos(&desk.path("data/val"), &["0", "1"], 40, 2);
    desk.bad(
        &["eval", text(&run), "--data=image-folder", "--data-dir=data"],
        2,
        &["takes 64 inputs", "image-folder has 192 inputs"],
    );
}

#[test]
fn a_limit_above_the_number_of_images_is_said_to_be_none() {
    let desk = Desk::new();
    let done = desk.good(&[
        "train",
        "--epochs=1",
        "--steps=2",
        "--limit=5000",
        "--runs=runs",
    ]);
    let note = "--limit 5000 changes nothing: there are 1442 images at most";
    assert!(done.err.contains(note), "{done:?}");
    let run = desk.runs().remove(0);
    let done = desk.good(&["eval", text(&run), "--limit=400"]);
    assert!(
        done.err
            .contains("--limit 400 changes nothing: there are 355 images"),
        "{done:?}"
    );
    // A limit of the run itself is not a flag.
    assert_eq!(desk.good(&["eval", text(&run)]).err, "");
}

/// Files with the names of a published set but other contents: their test images may be any, including those trained
/// on.
#[test]
fn images_of_the_training_in_files_of_a_known_sets_names_are_counted() {
    for (factors, result_of, trained_on) in
        [([31, 37], "test accuracy ", 0), ([31, 31], "accuracy ", 20)]
    {
        let data = idx_folder_of(factors);
        let desk = Desk::new();
        let train = [
            "train",
            "--data=fashion-mnist",
            "--data-dir",
            text(data.path()),
            "--hidden=16",
            "--epochs=2",
        ];
        let done = desk.good(&train);
        assert!(result(&done).starts_with(result_of), "{done:?}");
        let run = desk.runs().remove(0);
        let tested = json(&desk.good(&["eval", text(&run), "--json"]).out);
        assert_eq!(tested["trained_on"], trained_on, "{tested}");
    }
}
