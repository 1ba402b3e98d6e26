//! Which trained network a command asks, and about which samples.

use std::path::PathBuf;

use clap::Args;
use rootlet::Result;
use rootlet::checkpoint::Which;
use rootlet::data::DataPart;
use rootlet::train::config::whole;

use super::checks;
use super::device_args::DeviceArgs;
use super::trained::Asked;

/// A trained network, its inputs, and what it runs on.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// A run folder, whose best or newest checkpoint is used, or a checkpoint
    #[arg(value_name = "RUN")]
    pub(super) checkpoint: PathBuf,
    /// Image files and folders of them, or tables with the columns of the training (to explain: one, with its target)
    /// [default: a part of its data]
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,
    /// Checkpoint of a run to use [default: best, if there is one, otherwise newest]
    #[arg(long = "checkpoint", value_enum, value_name = "WHICH")]
    pub(super) which: Option<Which>,
    /// Without INPUT: data set to take samples of [default: the one that the network was trained on]
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Without INPUT: folder with the data set's files [default: the one that the network was trained from]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Without INPUT: part of the data [default: test, if there is one, otherwise validation; to explain a table the
    /// other way round]
    #[arg(long, value_enum, value_name = "PART")]
    pub(super) part: Option<DataPart>,
    /// Use only the first N samples of a part, or of a table to explain (0: all) [default: all, but 6 of the images to
    /// explain]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) device: DeviceArgs,
}

impl SampleArgs {
    /// The flags about samples, and whether they were given.
    pub(super) fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("data", self.data.is_some()),
            ("data-dir", self.data_dir.is_some()),
            ("part", self.part.is_some()),
            ("limit", self.limit.is_some()),
        ]
    }

    /// Refuses flags that choose a part of a data set if inputs are named; `limits`: a limit is for these, too.
    ///
    /// # Errors
    /// [`rootlet::Error::NoEffect`] with the first of them.
    pub(super) fn check_effects(&self, limits: bool) -> Result<()> {
        let idle = |(flag, given): &(&str, bool)| *given && !(limits && *flag == "limit");
        match (
            self.given().iter().find(|flag| idle(flag)),
            self.inputs.is_empty(),
        ) {
            (Some((flag, _)), false) => Err(checks::no_effect(
                flag,
                "it is for a part of a data set, and inputs are named",
            )),
            _ => Ok(()),
        }
    }

    /// What is asked for of a data set; `usual` samples if no limit was given, `skips_bad` as in [`Asked`].
    pub(super) fn asked(&self, usual: Option<usize>, skips_bad: Option<&'static str>) -> Asked<'_> {
        Asked {
            data: self.data.as_deref(),
            data_dir: self.data_dir.as_deref(),
            limit: self.limit.or(usual),
            skips_bad,
        }
    }
}
