//! `rootlet watch`.

use std::io::{IsTerminal, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rootlet::Result;
use rootlet::report::{RunFolder, RunView, fitted, printable};

use super::output;

/// Time between two updates. The run reports once a second at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How many losses are kept for the sparkline.
const KEPT: usize = 3600;

const EXAMPLES: &str = "\
Examples:
  rootlet watch runs/20260131-174502-digits
      Until the run ends; Ctrl-C ends the watching alone.
  rootlet watch runs/20260131-174502-digits --once
      How far it is now.";

/// Shows how far a run is
///
/// Shows a training that another process runs: epoch, step, loss, accuracy, time left, the curve of the loss, and the
/// last round. On a terminal it redraws in place, and ends when the run has ended or its process has died without a
/// word. Elsewhere it prints the current state and stops.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct WatchArgs {
    /// A run folder
    run: PathBuf,
    /// Print how far it is now, and stop
    #[arg(long)]
    once: bool,
}

/// Watches.
pub fn run(args: &WatchArgs) -> Result<ExitCode> {
    let mut view = RunView::read(&args.run)?;
    if args.once || !stdout().is_terminal() || !stderr().is_terminal() {
        output::print(&(view.text(&[]) + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = RunFolder::open(&args.run)?;
    let place = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        place.set_style(style);
    }
    let mut losses: Vec<f32> = Vec::new();
    let mut last_step = None;
    while !view.has_ended() {
        // A note that cannot be read appears in the view as unreadable.
        if let Ok(Some(note)) = folder.progress() {
            if last_step != Some(note.progress.step) {
                last_step = Some(note.progress.step);
                losses.push(note.progress.loss);
            }
            // Drop the oldest half at once, so that this happens rarely.
            if losses.len() > 2 * KEPT {
                losses.drain(..KEPT);
            }
        }
        place.set_message(fitted(&printable(&view.text(&losses))));
        place.tick();
        sleep(LOOK_EVERY);
        view = RunView::read(&args.run)?;
    }
    place.finish_and_clear();
    output::print(&(view.text(&losses) + "\n"))?;
    Ok(match view.failure().is_some() || view.is_dead() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}
