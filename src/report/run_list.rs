//! The runs of a folder as a table: the view of `rootlet runs`.

use std::fs;
use std::path::{Path, PathBuf};

use super::text::percent;
use super::watch::RunView;
use super::{RunFolder, TextTable};
use crate::train::event::PartResults;
use crate::{Error, Result};

/// The runs in a folder, and those one level below it, as in the folders of sweeps. They come in the order of their
/// names, which begin with a time unless somebody chose them: the newest is the last.
///
/// # Errors
/// The folder cannot be read, or has no runs.
pub fn find_all(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for entry in folders_in(folder).map_err(Error::io("open the folder of runs", folder))? {
        match RunFolder::is_one(&entry) {
            true => runs.push(entry),
            // A folder that cannot be listed shows no runs.
            false => {
                let inner = folders_in(&entry).unwrap_or_default();
                runs.extend(inner.into_iter().filter(|inner| RunFolder::is_one(inner)));
            }
        }
    }
    match runs.is_empty() {
        true => Err(Error::Run {
            path: folder.to_owned(),
            reason: "no run is in it or one level below".to_owned(),
        }),
        false => Ok(runs),
    }
}

/// The newest run in a folder, by the time at which its name begins. Runs in folders of sweeps do not count.
///
/// # Errors
/// The folder cannot be read, or has no runs.
pub fn newest_run(folder: &Path) -> Result<PathBuf> {
    let mut runs = find_all(folder)?;
    runs.retain(|run| run.parent() == Some(folder));
    runs.pop().ok_or_else(|| Error::Run {
        path: folder.to_owned(),
        reason: "no run is in it but those of sweeps".to_owned(),
    })
}

/// The folders in a folder, by name.
fn folders_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    Ok(folders)
}

/// The table of the runs in a folder, and of those one level below it, as in the folders of sweeps; the newest is the
/// last. `note` receives a line for each that cannot be read.
///
/// # Errors
/// The folder cannot be read, or has no runs.
pub fn list_runs(folder: &Path, note: &mut dyn FnMut(&str)) -> Result<TextTable> {
    let mut table = TextTable {
        header: ["run", "model", "epochs", "result", "state"]
            .map(str::to_owned)
            .to_vec(),
        words: 2,
        rows: Vec::new(),
    };
    for path in find_all(folder)? {
        let view = match RunView::read(&path) {
            Ok(view) => view,
            Err(error) => {
                note(&format!("{} is left out: {error}", path.display()));
                continue;
            }
        };
        let name = path.strip_prefix(folder).unwrap_or(&path);
        table.rows.push(vec![
            name.display().to_string(),
            view.model().to_owned(),
            view.epochs_done(),
            view.last_result()
                .map_or("–".to_owned(), |told| result(&told)),
            view.state().to_owned(),
        ]);
    }
    Ok(table)
}

/// The accuracy, or the metric or the loss that takes its place.
fn result(told: &PartResults) -> String {
    match &told.metric {
        Some(score) => format!("{} {:.4}", score.name, score.value),
        // A program may train without a part to evaluate on.
        None if told.accuracy.is_nan() && told.loss.is_nan() => "–".to_owned(),
        None if told.accuracy.is_nan() => format!("loss {:.4}", told.loss),
        None => percent(told.accuracy.into()),
    }
}
