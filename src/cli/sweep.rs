//! `rootlet sweep`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rootlet::Result;
use rootlet::report::sweep::{self, RunState, Sweep};
use rootlet::report::{RecordOptions, RunFolder, Style, TextTable, command_line, terminal_width};
use rootlet::train::SaveEvery;

use super::checks::switch;
use super::interrupt::Interrupt;
use super::output;

const EXAMPLES: &str = "\
The file, in which every list is optional and [base] is a config.toml:
  models = [\"mlp\"]
  methods = [\"static\", \"gse-uniform\"]
  sparsities = [0.9, 0.98]
  seeds = [1, 2, 3]
  [[axis]]
  key = \"gamma\"
  values = [0.5, 1.0]
  [base]
  data = \"digits\"
  epochs = 20

Examples:
  rootlet sweep sweep.toml --dry-run
      List the runs and how far each is.
  rootlet sweep sweep.toml
      Do those that are left, and print the table.
  rootlet report runs/sweep -o sweep.html
      Show them as a page with figures.";

/// Trains many runs and compares them
///
/// Trains models × methods × sparsities × seeds, one run after another, each in a run folder of its own below --out.
/// Prints one table with means and standard deviations over the seeds (results.csv and results.md in the same folder).
/// Finished runs are skipped, and an interrupted run goes on from its checkpoint. A run that diverges is recorded, the
/// others go on, and the exit status is 1. Several processes can do the same sweep: each takes runs that no other has
/// taken, and waits for the others' at the end.
///
/// Ctrl-C saves a checkpoint and stops, with exit status 130; so does closing the terminal, with 129. SIGTERM, SIGUSR1,
/// SIGUSR2 and SIGXCPU save a checkpoint and stop with exit status 75: the same command goes on.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct SweepArgs {
    /// The file that says what to train
    sweep: PathBuf,
    /// Folder of the runs [default: runs/<the file's name>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// List the runs and how far each is, and stop
    #[arg(long, conflicts_with_all = ["table", "save_every", "tensorboard", "quiet"])]
    dry_run: bool,
    /// Print the table of the runs that are there, and stop
    #[arg(long, conflicts_with_all = ["save_every", "tensorboard", "quiet"])]
    table: bool,
    /// Adapter to train on, instead of the file's: auto, cpu, an index of `rootlet adapters`, or a part of a name
    #[arg(long, value_name = "ADAPTER", env = "ROOTLET_ADAPTER")]
    adapter: Option<String>,
    /// How often to save a checkpoint: in epochs (2), optimiser steps (500s) or time (10m, 2h); there is always one at
    /// the end [default: every epoch, or every 10m where an epoch takes longer]
    #[arg(long, value_name = "EVERY")]
    save_every: Option<SaveEvery>,
    /// Do not verify an adapter and driver that nothing was trained on before
    #[arg(long, env = "ROOTLET_NO_VERIFY", value_parser = switch)]
    no_verify: bool,
    /// Also write TensorBoard's event files, in each run folder's tensorboard/
    #[arg(long)]
    tensorboard: bool,
    /// For each run, show only the final result and errors
    #[arg(long)]
    quiet: bool,
}

/// Trains what is left of a sweep.
pub fn run(args: &SweepArgs) -> Result<ExitCode> {
    // A variable that is set to an empty text chooses nothing.
    let adapter = args
        .adapter
        .as_deref()
        .filter(|name| !name.trim().is_empty());
    let sweep = Sweep::load(&args.sweep, adapter)?;
    let folder = args.out.clone().unwrap_or_else(|| sweep.default_folder());
    RunFolder::check_runs(&folder, "out")?;
    let mut tell = |text: &str| output::note(text);
    sweep.repeats_note().iter().for_each(|text| tell(text));
    if args.dry_run {
        let states = sweep.states(&folder)?;
        sweep.check_adapters(&states)?;
        output::print(&plan(&sweep, &folder, &states, &mut tell).aligned())?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.table {
        let (table, unwritten) = sweep::write_results(&sweep, &folder, &mut tell)?;
        output::print(&table.text(terminal_width()))?;
        unwritten.iter().for_each(|e| output::note(&e.to_string()));
        return Ok(ExitCode::SUCCESS);
    }
    let options = RecordOptions {
        style: Style::choose(args.quiet, false),
        save_every: args.save_every.unwrap_or_default(),
        verify: !args.no_verify,
        tensorboard: args.tensorboard,
        command: command_line(),
        ranks: None,
    };
    let interrupt = Interrupt::listen()?;
    let outcome = sweep::run(&sweep, &folder, &options, &interrupt.stop, &mut tell)?;
    if outcome.interrupted {
        output::note("the same command goes on");
        return Ok(interrupt.status());
    }
    let (table, unwritten) = sweep::write_results(&sweep, &folder, &mut tell)?;
    output::print(&format!("\n{}\n", table.text(terminal_width())))?;
    if let Some(error) = unwritten {
        return Err(error);
    }
    output::print(&format!(
        "{} and results.md have all columns\n",
        folder.join("results.csv").display()
    ))?;
    for (name, reason) in &outcome.failed {
        output::note(&format!("{name} failed: {reason}"));
    }
    if let Some(error) = outcome.unwritten {
        return Err(error);
    }
    Ok(match outcome.failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Lists the runs and how far each is; `note` receives the reasons why some are left out.
fn plan(
    sweep: &Sweep,
    folder: &Path,
    states: &[RunState],
    note: &mut dyn FnMut(&str),
) -> TextTable {
    let mut table = TextTable {
        header: ["run", "state"].map(str::to_owned).to_vec(),
        words: 2,
        rows: Vec::new(),
    };
    for (run, state) in sweep.runs.iter().zip(states) {
        if let Some(reason) = state.reason(&run.folder(folder)) {
            note(&format!("{}: {reason}", run.name()));
        }
        table.rows.push(vec![
            run.folder(folder).display().to_string(),
            state.name().to_owned(),
        ]);
    }
    table
}
