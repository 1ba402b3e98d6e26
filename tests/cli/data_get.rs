//! `rootlet data get`.

use std::fs;
use std::path::PathBuf;

use crate::{Desk, names, text};

#[test]
fn what_cannot_be_fetched_says_what_to_do() {
    let desk = Desk::new();
    desk.bad(&["data", "get", "digits"], 2, &["comes with rootlet"]);
    desk.bad(&["data", "get", "image-folder"], 2, &["your own"]);
    desk.bad(&["data", "get", "minst"], 2, &["mnist", "cifar100"]);
    fs::create_dir(desk.path("mirror")).unwrap();
    let get = ["data", "get", "mnist", "--from=mirror"];
    desk.bad(
        &get,
        1,
        &["no file train-images-idx3-ubyte.gz", "ossci-datasets"],
    );
    fs::write(desk.path("mirror/train-images-idx3-ubyte.gz"), "half").unwrap();
    desk.bad(&get, 1, &["4 bytes came, not the 9912422", "goes on"]);
    // Nothing listens at port 1.
    let get = ["data", "get", "cifar10", "--from=http://127.0.0.1:1/"];
    desk.bad(
        &get,
        1,
        &[
            "http://127.0.0.1:1/cifar-10-binary.tar.gz cannot be fetched",
            "--from",
        ],
    );
}

#[test]
fn what_has_the_length_and_other_contents_is_not_taken() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("mirror/mnist")).unwrap();
    for (file, bytes) in [
        ("train-images-idx3-ubyte.gz", 9_912_422),
        ("train-labels-idx1-ubyte.gz", 28_881),
        ("t10k-images-idx3-ubyte.gz", 1_648_877),
        ("t10k-labels-idx1-ubyte.gz", 4_542),
    ] {
        fs::write(desk.path("mirror/mnist").join(file), vec![7; bytes]).unwrap();
    }
    desk.bad(
        &["data", "get", "mnist", "--from=mirror"],
        1,
        &["train-images-idx3-ubyte.gz", "get it again"],
    );
    // Nothing of it is in the way of the next attempt.
    assert_eq!(names(&desk.path("data/mnist")), [""; 0]);
    // Existing files are not deleted.
    let own = desk.path("data/mnist/t10k-labels-idx1-ubyte.gz");
    fs::write(&own, "mine").unwrap();
    desk.bad(
        &["data", "get", "mnist", "--from=mirror"],
        1,
        &["train-images-idx3-ubyte.gz"],
    );
    assert_eq!(fs::read(&own).unwrap(), b"mine");
}

/// From a folder with the published files: none is fetched twice, and the set is trained on.
#[test]
#[ignore = "needs the published files of MNIST: set ROOTLET_DATA to the folder that holds them in a folder mnist"]
fn a_set_is_fetched_and_trained_on() {
    let Some(from) = std::env::var_os("ROOTLET_DATA").map(PathBuf::from) else {
        println!("skipped: ROOTLET_DATA is not set");
        return;
    };
    let desk = Desk::new();
    let from = format!("--from={}", text(&from));
    let get = ["data", "get", "mnist", from.as_str()];
    let done = desk.good(&get);
    assert!(
        done.out.contains("60000 images to train, 10000 to test"),
        "{done:?}"
    );
    let again = desk.good(&get);
    assert!(
        again.err.contains("is already there and complete"),
        "{again:?}"
    );
    fs::remove_file(desk.path("data/mnist/t10k-labels-idx1-ubyte.gz")).unwrap();
    let rest = desk.good(&get);
    assert!(rest.err.contains("fetching t10k-labels"), "{rest:?}");
    desk.good(&[
        "train",
        "--data=mnist",
        "--data-dir=data",
        "--hidden=16",
        "--limit=500",
        "--epochs=1",
    ]);
}
