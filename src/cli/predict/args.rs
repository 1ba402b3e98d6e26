//! The command line of `rootlet predict`.

use std::path::PathBuf;

use clap::Args;
use rootlet::data::Task;
use rootlet::train::config::{real, within};
use rootlet::{Error, Result};

use super::super::checks;
use super::super::sample_args::SampleArgs;

const EXAMPLES: &str = "\
Examples:
  rootlet predict runs/20260131-174502-photos new-photos cat.jpg -o predictions.csv
      The class of each photo in a folder and below, and of one more.
  rootlet predict runs/20260131-174502-iris more.csv --probabilities
      The class of each row, which need not have the column of the target, and the probability of every class.
  rootlet predict runs/20260131-174502-mnist -o predictions.csv --top 3
      The images that test the network, beside what they are.";

/// Predicts by a trained network
///
/// Writes a CSV file with a line for each input: its class and probability; of a network that tells several labels a
/// row those that apply; of a regression its numbers. Inputs are prepared as in the training. For inputs that cannot
/// be used there is an error that names the first, or with --skip-damaged a line that says why.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct PredictArgs {
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "output")]
    pub(super) force: bool,
    /// Add columns with the N most probable classes or labels
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = within::<usize>(1..=u64::MAX))]
    pub(super) top: Option<usize>,
    /// Add a column with the probability of every class or label
    #[arg(long)]
    pub(super) probabilities: bool,
    /// Probability from which a label applies, if there are several a row [default: 0.5]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = real)]
    threshold: Option<f64>,
    /// Leave out inputs that cannot be read or used; their lines say why, in the column `fault`
    #[arg(long)]
    pub(super) skip_damaged: bool,
    #[command(flatten)]
    pub(super) samples: SampleArgs,
}

impl PredictArgs {
    /// Refuses flags that change nothing.
    pub(super) fn check_effects(&self, task: Task) -> Result<()> {
        self.samples.check_effects(false)?;
        let classes = [
            ("top", self.top.is_some()),
            ("probabilities", self.probabilities),
        ];
        if let (Some((flag, _)), Task::Regression) =
            (classes.iter().find(|(_, given)| *given), task)
        {
            return Err(checks::no_effect(
                flag,
                "the network predicts numbers, which have no probabilities",
            ));
        }
        if self.threshold.is_some() && task != Task::MultiLabel {
            return Err(checks::no_effect(
                "threshold",
                &format!("it is for several labels, and the network's task is {task}"),
            ));
        }
        Ok(())
    }

    /// The probability from which a label applies.
    pub(super) fn threshold(&self) -> Result<f32> {
        match self.threshold.unwrap_or(0.5) {
            share if (0.0..=1.0).contains(&share) => Ok(share as f32),
            share => Err(Error::Value {
                option: "threshold",
                must: "must be from 0 to 1".to_owned(),
                value: share.to_string(),
            }),
        }
    }
}
