//! The command line of `rootlet explain`.

use std::path::PathBuf;

use clap::Args;
use rootlet::explain::{PermutationOptions, Smoothing};
use rootlet::train::config::{real, whole, within};
use rootlet::{Error, Result};

use super::super::checks;
use super::super::sample_args::SampleArgs;

const EXAMPLES: &str = "\
Examples:
  rootlet explain runs/20260131-174502-photos cat.jpg dog.jpg -o explained.png
      Where in the photos the answers come from.
  rootlet explain runs/20260131-174502-photos cat.jpg --class dog -o dog.png
      What would speak for another class.
  rootlet explain runs/20260131-174502-iris -o iris.png
      What each column of the table is worth, also as iris.columns.csv.
  rootlet explain runs/20260131-174502-photos --topology -o topology.png
      How the network is connected.";

/// Shows what a trained network's answers depend on
///
/// Draws a picture. Of images: beside each a heat map of the pixels that its answer depends on (the gradient of the
/// answer's output). Of tables: what each column is worth, by how much worse the network becomes if the column is
/// shuffled, and by the strength of its connections; the same as a CSV file beside the picture. With --topology: what
/// the first layer sees, and how many connections units have.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ExplainArgs {
    /// Picture to write, a PNG file; of a table also FILE with `.columns.csv` in place of `.png`
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Replace the files if there are some
    #[arg(long)]
    pub(super) force: bool,
    /// Show how the network is connected
    #[arg(long)]
    pub(super) topology: bool,
    /// Of images: the class to explain [default: each image's own answer]
    #[arg(long, value_name = "NAME")]
    pub(super) class: Option<String>,
    /// Of images: noisy copies over which the gradient is averaged (SmoothGrad); 0: the gradient of the image itself
    /// [default: 32]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = within::<usize>(0..=Smoothing::MOST_COPIES as u64))]
    copies: Option<usize>,
    /// Of images: deviation of that noise, as a share of the image's range [default: 0.15]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = real)]
    noise: Option<f64>,
    /// Of tables: how often each column is shuffled [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = within::<usize>(1..=1_000_000))]
    repeats: Option<usize>,
    /// Of tables: how many columns are shuffled, those with the strongest connections [default: 100]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = within::<usize>(1..=1_000_000))]
    columns: Option<usize>,
    /// Seed of the noise or of the shuffling [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u32>)]
    seed: Option<u32>,
    #[command(flatten)]
    pub(super) samples: SampleArgs,
}

/// What is explained.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Topology,
    Columns,
    Images,
}

impl ExplainArgs {
    /// Refuses a picture in another format.
    pub(super) fn check_output(&self) -> Result<()> {
        let extension = self.output.extension();
        match extension.is_some_and(|kind| kind.eq_ignore_ascii_case("png")) {
            true => Ok(()),
            false => Err(Error::Value {
                option: "output",
                must: "must be a file whose name ends in .png".to_owned(),
                value: self.output.display().to_string(),
            }),
        }
    }

    /// Refuses flags that change nothing.
    pub(super) fn check_effects(&self, kind: Kind) -> Result<()> {
        let of_images = [
            ("class", self.class.is_some()),
            ("copies", self.copies.is_some()),
            ("noise", self.noise.is_some()),
        ];
        let of_tables = [
            ("repeats", self.repeats.is_some()),
            ("columns", self.columns.is_some()),
        ];
        let mut of_samples = vec![("seed", self.seed.is_some())];
        of_samples.extend(self.samples.given());
        let given = |flags: &[(&'static str, bool)]| {
            flags
                .iter()
                .find(|(_, given)| *given)
                .map(|(flag, _)| *flag)
        };
        let refused = match kind {
            Kind::Topology => (given(&of_images)
                .or(given(&of_tables))
                .or(given(&of_samples)))
            .map(|flag| (flag, "the topology of a network needs no samples")),
            Kind::Columns => {
                given(&of_images).map(|flag| (flag, "the network was trained on a table"))
            }
            Kind::Images => {
                given(&of_tables).map(|flag| (flag, "the network was trained on images"))
            }
        };
        if let Some((flag, why)) = refused {
            return Err(checks::no_effect(flag, why));
        }
        if kind == Kind::Topology && !self.samples.inputs.is_empty() {
            return Err(Error::Usage(
                "--topology shows the network itself, without inputs; leave them out".to_owned(),
            ));
        }
        if kind == Kind::Images && self.copies == Some(0) {
            let idle = [
                ("noise", self.noise.is_some()),
                ("seed", self.seed.is_some()),
            ];
            if let Some(flag) = given(&idle) {
                return Err(checks::no_effect(flag, "without copies there is no noise"));
            }
        }
        self.samples.check_effects(kind == Kind::Columns)?;
        Ok(())
    }

    /// The noisy copies of an image; `None` for the image itself.
    pub(super) fn smoothing(&self) -> Result<Option<Smoothing>> {
        let usual = Smoothing::default();
        let smoothing = Smoothing {
            copies: self.copies.unwrap_or(usual.copies),
            noise: self.noise.map_or(usual.noise, |noise| noise as f32),
            seed: self.seed.unwrap_or(usual.seed),
        };
        match smoothing.copies {
            0 => Ok(None),
            _ => smoothing.check().map(|()| Some(smoothing)),
        }
    }

    /// How columns are shuffled.
    pub(super) fn shuffling(&self) -> PermutationOptions {
        let usual = PermutationOptions::default();
        PermutationOptions {
            repeats: self.repeats.unwrap_or(usual.repeats),
            columns: self.columns.unwrap_or(usual.columns),
            seed: self.seed.unwrap_or(usual.seed),
        }
    }
}
