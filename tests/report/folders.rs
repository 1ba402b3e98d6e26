//! Run folders.

use std::fs;

use rootlet::report::RunFolder;
use rootlet::train::TrainConfig;

use super::new_run;

#[test]
fn runs_of_the_same_second_get_folders_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("deep/runs");
    let mut made: Vec<RunFolder> = std::thread::scope(|scope| {
        let make = || (0..8).map(|_| new_run(&runs)).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    made.sort_by(|a, b| a.path().cmp(b.path()));
    made.dedup();
    assert_eq!(made.len(), 32);
    assert_eq!(runs.read_dir().unwrap().count(), 32);
}

#[test]
fn a_run_folder_keeps_its_configuration_and_is_found_from_its_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let run = new_run(folder.path());
    let mut config = TrainConfig::default().resolve().unwrap();
    run.write_config(&config).unwrap();
    config.run.seed = 9;
    run.write_config(&config).unwrap();
    assert_eq!(run.config().unwrap(), config);
    assert_eq!(
        run.path().read_dir().unwrap().count(),
        1,
        "a temporary file is left"
    );

    let checkpoint = run.checkpoints().join("step-10");
    fs::create_dir_all(&checkpoint).unwrap();
    for path in [run.path(), &run.checkpoints(), &checkpoint] {
        assert_eq!(RunFolder::open(path).unwrap(), run);
    }
}

#[test]
fn a_run_folder_that_cannot_be_made_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = RunFolder::create(&file.join("runs"), "test")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot create the folder ") && error.contains("file"),
        "{error}"
    );

    for name in ["", "a/b", "../x", "a b"] {
        let error = RunFolder::create(folder.path(), name)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("`name` must consist of"), "{error}");
    }
}
