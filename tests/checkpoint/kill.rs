//! A writer killed at any moment leaves a completed save behind.
#![cfg(unix)]

use crate::{CONFIG, Random, bits, names, snapshot};
use rootlet::checkpoint;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SIZES: [usize; 4] = [300, 200, 200, 10];
const KILLS: u64 = 48;

/// Run by the test below in a child process: continues from what is in the folder, saving until it is killed.
#[test]
#[ignore = "helper process of `no_kill_loses_a_save`"]
fn endless_writer() {
    let Some(run) = std::env::var_os("ROOTLET_TEST_RUN") else {
        return;
    };
    let run = Path::new(&run);
    let mut step = checkpoint::load(run).map_or(0, |c| c.snapshot.progress.step);
    loop {
        // Every third step is saved twice, which takes another way through the renames.
        step += 1;
        let snapshot = snapshot(step, &SIZES);
        for _ in 0..if step.is_multiple_of(3) { 2 } else { 1 } {
            checkpoint::save(run, &snapshot, CONFIG).unwrap();
            println!("saved {step}");
            std::io::stdout().flush().unwrap();
        }
    }
}

#[test]
fn no_kill_loses_a_save() {
    let run = tempfile::tempdir().unwrap();
    let store = run.path().join("checkpoints");
    let (mut random, mut completed, mut in_the_middle) = (Random(1), 0, 0);
    for _ in 0..KILLS {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kill::endless_writer",
                "--ignored",
                "--nocapture",
            ])
            .env("ROOTLET_TEST_RUN", run.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut saved = || loop {
            let line = lines.next()?.unwrap();
            if let Some((_, step)) = line.split_once("saved ") {
                return Some(step.parse::<u64>().unwrap());
            }
        };
        completed = saved().unwrap();
        std::thread::sleep(Duration::from_micros(random.next() % 30_000));
        writer.kill().unwrap();
        writer.wait().unwrap();
        while let Some(step) = saved() {
            completed = step;
        }
        let left = names(&store);
        in_the_middle += usize::from(left.iter().any(|name| name.starts_with(".tmp-")));
        let loaded = checkpoint::load(run.path()).unwrap();
        let step = loaded.snapshot.progress.step;
        assert_eq!(loaded.note, None, "{left:?}");
        // The current save may have completed without having been reported.
        assert!(
            (completed..=completed + 1).contains(&step),
            "{completed}: {left:?}"
        );
        assert_eq!(bits(&loaded.snapshot), bits(&snapshot(step, &SIZES)));
    }
    println!("{KILLS} kills, {in_the_middle} in the middle of a save, {completed} steps");
    assert!(in_the_middle > 0, "no kill came while a save was under way");
}
