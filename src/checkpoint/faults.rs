//! Every write, flush, rename and removal of a save fails in turn, in three ways. What is left must hold a whole
//! checkpoint.

use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::save::save_on;
use super::{LayerState, NetworkState, Progress, Snapshot, folder, load};
use crate::disk::{Disk, Machine};

/// How an operation fails, and what happens afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Only this one, with a write stopping half way: the save cleans up.
    Once,
    /// This one and all later ones, as when the process is killed or the disk goes away.
    ForGood,
    /// The same, and then whatever was not flushed is lost: names made since their folder was flushed, latest first,
    /// and content.
    PowerCut,
}

/// What a power cut can undo.
#[derive(Debug)]
enum Change {
    Created(PathBuf),
    Renamed(PathBuf, PathBuf),
    /// The folder, and where it is kept in case it comes back.
    Removed(PathBuf, PathBuf),
}

impl Change {
    /// The folder entry that it changed.
    fn entry(&self) -> &Path {
        match self {
            Change::Created(path) | Change::Renamed(_, path) | Change::Removed(path, _) => path,
        }
    }
}

/// A disk whose operation with number `at` fails.
struct Faulty {
    at: usize,
    way: Way,
    /// Whether flushing a file does nothing, to check that the test would notice.
    forgets: bool,
    done: Cell<usize>,
    random: Cell<u64>,
    unflushed: RefCell<Vec<PathBuf>>,
    changes: RefCell<Vec<Change>>,
    graves: tempfile::TempDir,
}

impl Faulty {
    fn new(at: usize, way: Way, seed: u64) -> Self {
        Faulty {
            at,
            way,
            forgets: false,
            done: Cell::new(0),
            random: Cell::new(seed),
            unflushed: RefCell::default(),
            changes: RefCell::default(),
            graves: tempfile::tempdir().expect("a folder"),
        }
    }

    fn random(&self, below: usize) -> usize {
        let next = (self.random.get())
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.random.set(next);
        (next >> 33) as usize % below.max(1)
    }

    fn next(&self) -> io::Result<()> {
        let number = self.done.replace(self.done.get() + 1);
        let fails = match self.way {
            Way::Once => number == self.at,
            Way::ForGood | Way::PowerCut => number >= self.at,
        };
        match fails {
            true => Err(io::Error::other("injected")),
            false => Ok(()),
        }
    }

    fn changed(&self, change: Change) {
        self.changes.borrow_mut().push(change);
    }

    /// Loses what was not flushed.
    fn cut_the_power(&self) {
        for path in self.unflushed.borrow().iter() {
            let Ok(bytes) = fs::read(path) else { continue };
            let kept = self.random(bytes.len() + 1);
            let mut left = bytes[..kept].to_vec();
            if self.random(2) == 0 {
                // The length was flushed, but not the content.
                left.resize(bytes.len(), 0);
            }
            fs::write(path, left).expect("the file was there");
        }
        let mut changes = self.changes.borrow_mut();
        for _ in 0..self.random(changes.len() + 1) {
            match changes.pop() {
                Some(Change::Created(path)) if path.is_dir() => fs::remove_dir_all(path),
                Some(Change::Created(path)) => fs::remove_file(path),
                Some(Change::Renamed(from, to)) => fs::rename(to, from),
                Some(Change::Removed(path, grave)) => fs::rename(grave, path),
                None => Ok(()),
            }
            .expect("changes are undone in their order");
        }
    }
}

impl Disk for Faulty {
    fn create_folders(&self, path: &Path) -> io::Result<()> {
        self.next()?;
        let new = !path.exists();
        Machine.create_folders(path)?;
        if new {
            self.changed(Change::Created(path.to_owned()));
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.next()?;
        self.changed(Change::Created(path.to_owned()));
        self.unflushed.borrow_mut().push(path.to_owned());
        Machine.create(path)
    }

    fn write(&self, path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.next() {
            file.write_all(&bytes[..self.random(bytes.len() + 1)])?;
            return Err(error);
        }
        Machine.write(path, file, bytes)
    }

    fn sync(&self, path: &Path, _: &File) -> io::Result<()> {
        self.next()?;
        if !self.forgets {
            self.unflushed.borrow_mut().retain(|other| other != path);
        }
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.next()?;
        let elsewhere = |change: &Change| change.entry().parent() != Some(path);
        self.changes.borrow_mut().retain(elsewhere);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.next()?;
        Machine.rename(from, to)?;
        for path in self.unflushed.borrow_mut().iter_mut() {
            if let Ok(rest) = path.strip_prefix(from) {
                *path = to.join(rest);
            }
        }
        self.changed(Change::Renamed(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.next()?;
        let grave = (self.graves.path()).join(self.changes.borrow().len().to_string());
        let grave = grave.with_extension(self.done.get().to_string());
        Machine.rename(path, &grave)?;
        self.changed(Change::Removed(path.to_owned(), grave));
        Ok(())
    }
}

/// A working disk that flushes nothing, for the saves before and after.
struct Quick;

impl Disk for Quick {
    fn sync(&self, _: &Path, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// A model that differs from step to step, and between the first and the second save of a step.
fn snapshot(step: u64, again: bool) -> Snapshot {
    let pairs: Vec<(u32, u32)> = (0..6).map(|b| (b, (b + step as u32) % 9)).collect();
    let layer = LayerState {
        values: (0..6)
            .map(|j| step as f32 + f32::from(u8::from(again)) / 2.0 + j as f32)
            .collect(),
        ..LayerState::from_pairs(9, 6, &pairs)
    };
    Snapshot {
        state: NetworkState {
            layers: vec![layer],
            ..NetworkState::default()
        },
        progress: Progress {
            step,
            ..Progress::default()
        },
        ..Snapshot::default()
    }
}

/// The earlier saves, and the one during which the fault comes.
const SAVES: [(&[u64], u64); 7] = [
    (&[], 5),
    (&[5], 10),
    (&[5, 10], 15),
    (&[5, 10], 10),
    (&[10], 10),
    (&[5, 10, 15], 7),
    (&[5, 10], 3),
];

/// A run folder with these saves, in some cases with the leftovers of another process's interrupted save.
fn run_with(before: &[u64], leftovers: bool) -> tempfile::TempDir {
    let run = tempfile::tempdir().expect("a folder");
    for &step in before {
        save_on(&Quick, run.path(), &snapshot(step, false), "", None).expect("the disk is fine");
    }
    if let (true, Some(&last)) = (leftovers, before.last()) {
        let store = run.path().join(folder::STORE);
        fs::create_dir(store.join(".tmp-step-0000000099-1")).expect("it is not there");
        fs::rename(
            store.join(folder::name(last)),
            store.join(folder::replaced(last)),
        )
        .expect("the last one is there");
    }
    run
}

/// Counts of the injected faults.
#[derive(Debug, Default)]
struct Counts {
    faults: usize,
    kept_old: usize,
    got_new: usize,
    lost: usize,
}

/// Injects one fault; false if the save has no operation `at`.
fn inject(
    (before, step): (&[u64], u64),
    disk: &Faulty,
    leftovers: bool,
    counts: &mut Counts,
) -> bool {
    let run = run_with(before, leftovers);
    let old = before.last().map(|&step| snapshot(step, false));
    let new = snapshot(step, true);
    let saved = save_on(disk, run.path(), &new, "", None);
    let came = disk.done.get() > disk.at;
    if disk.way == Way::PowerCut {
        disk.cut_the_power();
    }
    let at = || {
        format!(
            "{before:?} then {step}, {:?} at {}, leftovers {leftovers}: {saved:?}, {:?}",
            disk.way, disk.at, disk.changes
        )
    };
    let found = load(run.path());
    match &found {
        Ok(found) if found.snapshot == new => counts.got_new += 1,
        Ok(found) if Some(&found.snapshot) == old.as_ref() && saved.is_err() => {
            counts.kept_old += 1;
        }
        Err(_) if old.is_none() && saved.is_err() => counts.kept_old += 1,
        _ if disk.forgets => counts.lost += 1,
        other => panic!("{}: {other:?}", at()),
    }
    counts.faults += usize::from(came);
    if !disk.forgets {
        // A disk that works again accepts the next save, and the leftovers disappear.
        let next = snapshot(step + 1, false);
        save_on(&Quick, run.path(), &next, "", None)
            .unwrap_or_else(|error| panic!("{}: {error}", at()));
        let found = load(run.path()).expect("it was just saved");
        assert_eq!((found.snapshot, found.note), (next, None), "{}", at());
        let left = fs::read_dir(run.path().join(folder::STORE)).expect("it was just written");
        assert!(left.count() <= 2, "{}", at());
    }
    came
}

fn inject_all(seeds: std::ops::Range<u64>) -> Counts {
    let mut counts = Counts::default();
    for seed in seeds {
        for saves in SAVES {
            for way in [Way::Once, Way::ForGood, Way::PowerCut] {
                for leftovers in [false, true] {
                    for at in 0.. {
                        let disk = Faulty::new(at, way, seed ^ (at as u64) << 32);
                        // This includes the number after the last: nothing fails, and then the power is cut.
                        if !inject(saves, &disk, leftovers, &mut counts) {
                            break;
                        }
                    }
                }
            }
        }
    }
    counts
}

#[test]
fn whatever_fails_the_previous_or_the_new_checkpoint_is_whole() {
    let counts = inject_all(1..4);
    assert!(counts.faults > 300 && counts.kept_old > 100 && counts.got_new > 100);
}

#[test]
#[ignore = "long: ten thousand faults"]
fn ten_thousand_faults_lose_nothing() {
    let mut counts = Counts::default();
    let mut seed = 1;
    while counts.faults < 10_000 {
        let more = inject_all(seed..seed + 1);
        counts.faults += more.faults;
        counts.kept_old += more.kept_old;
        counts.got_new += more.got_new;
        seed += 1;
    }
    println!("{counts:?} with {} seeds", seed - 1);
}

#[test]
fn a_forgotten_flush_would_be_found() {
    let mut counts = Counts::default();
    for seed in 0..40 {
        let mut disk = Faulty::new(usize::MAX, Way::PowerCut, seed);
        disk.forgets = true;
        inject((&[], 5), &disk, false, &mut counts);
    }
    assert!(counts.lost > 0, "{counts:?}");
}
