//! `rootlet data`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rootlet::data::{self, BadImage, Check, DataOptions, Dataset, HeldOut, Images, TestPart};
use rootlet::{Error, Result};

use super::{checks, output};

mod fetch;
mod get;
mod show;

const EXAMPLES: &str = "\
Examples:
  rootlet data check --data ~/photos
      Decode every image, and name those that cannot be read.
  rootlet data check --data cifar10 --data-dir ~/cifar --json
      Check the files of a known set by their checksums.";

/// Fetches a data set, or looks at one
#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    Get(get::GetArgs),
    Check(CheckArgs),
    Show(show::ShowArgs),
}

/// Reads all of a data set and names what is wrong
///
/// Reads and decodes every image. Names each one that cannot be read, and anything else that is in an image's place.
/// Shows the classes, the number of images, and two fingerprints: one of the files' names and lengths, which
/// checkpoints keep, and one of their contents. The exit status is 1 if an entry is bad.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CheckArgs {
    #[arg(
        long,
        value_name = "NAME",
        default_value = data::IMAGE_FOLDER,
        help = format!("Data set: {}, or a folder of images", data::NAMES.join(", "))
    )]
    data: String,
    /// Folder with the data set's files
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs what the command line asks for.
pub fn run(args: &DataArgs) -> Result<()> {
    match &args.command {
        DataCommand::Get(args) => get::run(args),
        DataCommand::Check(args) => check(args),
        DataCommand::Show(args) => show::run(args),
    }
}

fn check(args: &CheckArgs) -> Result<()> {
    let path = Path::new(&args.data);
    let is_folder = !data::NAMES.contains(&args.data.as_str()) && path.is_dir();
    let (name, dir) = match is_folder {
        true => (data::IMAGE_FOLDER, Some(path.to_owned())),
        false => (args.data.as_str(), args.data_dir.clone()),
    };
    if is_folder && args.data_dir.is_some() {
        return Err(checks::no_effect(
            "data-dir",
            &format!("--data {} is a folder itself", args.data),
        ));
    }
    if data::is_path(name) {
        return Err(Error::Usage(format!(
            "--data {}: a table is read and checked as a whole; `rootlet data show` says what is understood of it",
            args.data
        )));
    }
    if args.data == data::NAMES[0] && args.data_dir.is_some() {
        return Err(checks::no_effect(
            "data-dir",
            "the data set digits comes with rootlet; name another one with --data",
        ));
    }
    let (data, check) = data::check(&DataOptions {
        name: name.to_owned(),
        dir: dir.clone(),
        limit: None,
        // Every image is checked where it lies: none is split off or left out.
        val_split: Some(0.0),
        ..DataOptions::default()
    })?;
    for note in data.untaught.iter().chain(&data.notes) {
        output::note(note);
    }
    let text = match args.json {
        true => json(&data, &check),
        false => words(&data, &check),
    };
    writeln!(std::io::stdout(), "{text}")
        .map_err(Error::io("write", Path::new("standard output")))?;
    let (bad, folders) = (check.bad.len(), check.bad_folders.len());
    let wrong = |reason: String| {
        Err(Error::Data {
            path: dir.clone().unwrap_or_default(),
            reason,
        })
    };
    match (bad, folders) {
        (0, 0) => Ok(()),
        (_, 0) => wrong(format!(
            "bad entries, listed above: {bad}; put sound images in their places, delete them, or train with \
             --skip-bad-images"
        )),
        _ => wrong(format!(
            "bad entries, listed above: {}, {folders} of them folders of classes, and no run continues until those \
             are mended",
            bad + folders
        )),
    }
}

fn words(data: &Dataset, check: &Check) -> String {
    let record = data.record();
    let mut parts = vec![format!("{} to train", data.train.len())];
    if let Some(HeldOut { images, part }) = &data.validation {
        parts.push(format!("{} to validate ({part})", images.len()));
    }
    parts.push(match &data.test_part {
        TestPart::Nothing => {
            "none to test: `rootlet train` holds --val-split of them out for validation".to_owned()
        }
        part => format!("{} to test ({part})", data.test.len()),
    });
    let mut lines = vec![
        format!("data         {}", data.name),
        format!("images       {}", parts.join(", ")),
        format!("classes      {}", data.classes),
    ];
    let of_classes = |images: &Images| images.class_sizes(data.classes);
    let [train, test] = [&data.train, &data.test].map(of_classes);
    let validation = data
        .validation
        .as_ref()
        .map(|held| of_classes(&held.images));
    let wide = data.class_names.iter().map(|name| name.chars().count());
    let wide = wide.max().unwrap_or(0);
    for (class, name) in data.class_names.iter().enumerate() {
        let [train, test] = [train[class], test[class]];
        let validation = validation
            .as_ref()
            .map(|sizes| format!(", {} to validate", sizes[class]));
        let validation = validation.unwrap_or_default();
        lines.push(format!(
            "  {name:<wide$}  {train} to train{validation}, {test} to test"
        ));
    }
    lines.push(format!("fingerprint  train {}", record.train.fingerprint));
    if let Some(validation) = &record.validation {
        let fingerprint = &validation.samples.fingerprint;
        lines.push(format!("             validation {fingerprint}"));
    }
    lines.push(format!("             test {}", record.test.fingerprint));
    lines.push(format!("contents     {}", check.contents));
    if check.copies > 0 {
        let what = match &data.test_part {
            TestPart::Nothing => {
                "training images have the same pixels as other training images: those of them that `rootlet train` \
                 holds out test nothing"
            }
            _ if data.validation.is_some() => {
                "test or validation images have the pixels of training images: they test nothing"
            }
            _ => "test images have the pixels of training images: they test nothing",
        };
        lines.push(format!("copies       {} {what}", check.copies));
    }
    for bad in check.bad_folders.iter().chain(&check.bad) {
        lines.push(format!("bad          {bad}"));
    }
    lines.join("\n")
}

fn json(data: &Dataset, check: &Check) -> String {
    let of_classes = |images: &Images| images.class_sizes(data.classes);
    let [train, test] = [&data.train, &data.test].map(of_classes);
    let validation = data
        .validation
        .as_ref()
        .map(|held| of_classes(&held.images));
    let named = |bad: &[BadImage]| -> Vec<_> {
        let one = |bad: &BadImage| {
            serde_json::json!({
                "path": bad.path.to_string_lossy(),
                "reason": bad.reason,
            })
        };
        bad.iter().map(one).collect()
    };
    serde_json::json!({
        "data": data.record(),
        "train_of_class": train,
        "test_of_class": test,
        "validation_of_class": validation,
        "contents": check.contents,
        "copies": check.copies,
        "bad": named(&check.bad),
        "bad_folders": named(&check.bad_folders),
    })
    .to_string()
}
