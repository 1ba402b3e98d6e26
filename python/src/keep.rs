//! The best weights of a training, and its run folder.

use std::path::{Path, PathBuf};

use rootlet::checkpoint::{self, NetworkState, Snapshot};
use rootlet::train::KeepBest;
use rootlet::{Error, Result};

/// The file of a run folder that has the layers of a program's own model.
pub const LAYERS: &str = "layers.json";

/// Keeps the best weights in memory, and in the run folder if there is one.
pub struct Keeper<'a> {
    pub run: Option<&'a Path>,
    /// The configuration as text.
    pub config: &'a str,
    /// The best so far.
    pub best: &'a mut Option<Snapshot>,
}

impl KeepBest for Keeper<'_> {
    fn keep(&mut self, snapshot: &Snapshot) -> Result<PathBuf> {
        let before = self.best.as_ref().map(|best| best.progress.step);
        let path = match self.run {
            Some(run) => checkpoint::save_best(run, snapshot, self.config, None, before)?,
            None => PathBuf::new(),
        };
        *self.best = Some(snapshot.clone());
        Ok(path)
    }

    fn best(&mut self, step: u64) -> Result<NetworkState> {
        match &*self.best {
            Some(best) if best.progress.step == step => Ok(best.state.clone()),
            _ => Err(Error::Nothing {
                what: format!("kept of step {step}: another training kept it"),
            }),
        }
    }
}

/// Makes a run folder with its configuration, and with the layers of a program's own model.
///
/// # Errors
/// The folder cannot be written, or is that of another run.
pub fn begin(run: &Path, config: &str, layers: Option<&str>, goes_on: bool) -> Result<()> {
    if !goes_on && run.join("checkpoints").is_dir() {
        return Err(Error::Run {
            path: run.to_owned(),
            reason: "it has the checkpoints of another training; give a new folder, or go on with that training by \
                     restore()"
                .to_owned(),
        });
    }
    std::fs::create_dir_all(run).map_err(Error::io("create the folder", run))?;
    let files = [("config.toml", Some(config)), (LAYERS, layers)];
    for (name, text) in files {
        if let Some(text) = text {
            let path = run.join(name);
            std::fs::write(&path, text).map_err(Error::io("write", &path))?;
        }
    }
    Ok(())
}
