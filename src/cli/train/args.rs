//! The flags of `rootlet train`.

use std::path::{Path, PathBuf};

use clap::Args;
use rootlet::train::SaveEvery;
use rootlet::train::config::ConfigFlags;

use crate::cli::checks::switch;
use crate::cli::presets;
use crate::cli::processes::Processes;
use crate::cli::ranks::Transport;

const EXAMPLES: &str = "\
Examples:
  rootlet train
      The embedded digits with the defaults.
  rootlet train --data fashion-mnist --data-dir ~/fashion --hidden 1024,1024 --sparsity 0.98 \\
      --batch 128 --milestones 8,12
      A wider network on Fashion-MNIST.
  rootlet train --data iris.csv --target species --hidden 64 --sparsity 0.5
      A table: `rootlet data show iris.csv` says what is understood of it.
  rootlet train --data ~/photos
      A folder of images, with a folder for each class: it starts from the preset photos.
  rootlet train --config runs/20260131-174502-digits/config.toml --seed 2
      A run repeated with another seed; flags go before the file.
  rootlet train --resume runs/20260131-174502-digits
      An interrupted run continued: it ends with the same bits as if it had not been.
  rootlet train --resume
      The newest run continued.
  rootlet train --print-config > my.toml
      All values with their defaults, each explained, as a file to edit.";

/// Trains a sparse network
///
/// Trains a sparse network and leaves a run folder with its configuration, tables of its metrics and topology, and
/// checkpoints. Without any flag it trains on the embedded handwritten digits.
///
/// Ctrl-C saves a checkpoint and stops, with exit status 130; so does closing the terminal, with 129. SIGTERM, SIGUSR1,
/// SIGUSR2 and SIGXCPU, which schedulers send ahead of a time limit, save a checkpoint and stop with exit status 75:
/// run the command with --resume to go on. A second signal stops at once. A run does not stop when the reader of its
/// output goes away.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TrainArgs {
    #[command(flatten)]
    pub(super) flags: ConfigFlags,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// How a run is stored and shown. None of this changes what is computed, and none of it is in `config.toml`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// Take the values from this config.toml; flags override them
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(super) config: Option<PathBuf>,
    /// Take the values from one of rootlet's recipes; flags override them, and --print-config shows them
    #[arg(long, value_name = "NAME", value_parser = presets::parser(), conflicts_with_all = ["resume", "config"])]
    pub(super) preset: Option<String>,
    /// Go on with the run in this folder from its newest checkpoint (or from the checkpoint named); without a folder,
    /// with the newest run in --runs. Its configuration applies; other flags change what may change. The methods that begin at random (static, set, rigl, gse-*) may be
    /// changed for each other. A run without a checkpoint starts again, with its config.toml. If nothing is left to
    /// train, no file changes. With more --epochs it trains on, and rounds that have begun still end where they would
    /// have (--round-until sets another end). Every change is reported beside the result, and gives the run a row of
    /// its own in tables
    #[arg(long, value_name = "RUN", conflicts_with = "name")]
    pub(super) resume: Option<Option<PathBuf>>,
    /// Folder in which the run gets a folder of its own [default: runs]
    #[arg(long, value_name = "DIR")]
    pub(super) runs: Option<PathBuf>,
    /// Name of the run, which follows the time [default: the data set and the method]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// How often to save a checkpoint: in epochs (2), optimiser steps (500s) or time (10m, 2h); there is always one at
    /// the end [default: every epoch, or every 10m where an epoch takes longer]
    #[arg(long, value_name = "EVERY")]
    pub(super) save_every: Option<SaveEvery>,
    /// Do not verify an adapter and driver that nothing was trained on before
    #[arg(long, env = "ROOTLET_NO_VERIFY", value_parser = switch)]
    pub(super) no_verify: bool,
    /// Show only the final result and errors
    #[arg(long, conflicts_with = "json")]
    pub(super) quiet: bool,
    /// Print every event as a JSON object on a line of its own
    #[arg(long)]
    pub(super) json: bool,
    /// Also write TensorBoard's event files, in the run folder's tensorboard/
    #[arg(long)]
    pub(super) tensorboard: bool,
    /// Print the config.toml that these flags give, and stop
    #[arg(long, conflicts_with_all = ["name", "save_every", "quiet", "json", "tensorboard", "check"])]
    pub(super) print_config: bool,
    /// Train with this many processes on this machine, which share each batch (docs/cluster.md). With mpirun, srun or
    /// torchrun leave it out: their processes find each other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), conflicts_with = "print_config")]
    pub(super) processes: Option<u16>,
    /// Start the processes again after a failure, from the newest checkpoint, at most this often
    #[arg(long, value_name = "N", requires = "processes")]
    pub(super) restarts: Option<u32>,
    /// Seconds after which a process that says nothing counts as dead, if several train together [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub(super) rank_timeout: Option<u64>,
    /// What carries the messages between processes that a launcher started [default: MPI for those of mpirun in a
    /// program that was built with it, otherwise TCP]
    #[arg(long, value_enum, conflicts_with = "processes")]
    pub(super) transport: Option<Transport>,
    /// Debugging: also run this kernel (or all) on its CPU twin, and compare
    #[arg(long, value_name = "KERNEL")]
    pub(super) check: Option<String>,
}

/// Seconds after which a silent rank counts as dead.
const RANK_TIMEOUT: u64 = 30;

impl RunArgs {
    /// Seconds after which a silent rank counts as dead.
    pub(super) fn silence(&self) -> u64 {
        self.rank_timeout.unwrap_or(RANK_TIMEOUT)
    }

    /// What `--processes` starts.
    pub(super) fn ranks(&self, count: usize) -> Processes {
        let silence = self.silence();
        let mut again: Vec<std::ffi::OsString> = vec![
            "--processes".into(),
            count.to_string().into(),
            "--rank-timeout".into(),
            silence.to_string().into(),
        ];
        let switches = [
            ("--quiet", self.quiet),
            ("--json", self.json),
            ("--tensorboard", self.tensorboard),
            ("--no-verify", self.no_verify),
        ];
        again.extend(
            switches
                .iter()
                .filter(|(_, on)| *on)
                .map(|(flag, _)| flag.into()),
        );
        if let Some(every) = &self.save_every {
            again.extend(["--save-every".into(), every.to_string().into()]);
        }
        Processes {
            count,
            restarts: self.restarts.unwrap_or(0),
            silence,
            resumes: self.resume.clone().flatten(),
            again,
        }
    }

    /// The folder of runs.
    pub(super) fn folder(&self) -> &Path {
        self.runs.as_deref().unwrap_or(Path::new("runs"))
    }
}
