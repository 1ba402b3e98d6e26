//! `rootlet export`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use rootlet::checkpoint::Which;
use rootlet::export::{ExportFormat, Exported, SparseForm};
use rootlet::report::{NewFile, counted};
use rootlet::train::config::whole;
use rootlet::{Error, Result};

use super::trained::Opened;
use super::{checks, output};

const EXAMPLES: &str = "\
Examples:
  rootlet export runs/20260131-174502-photos --format onnx -o photos.onnx
      A graph that onnxruntime runs; it takes pixels from 0 to 1.
  rootlet export runs/20260131-174502-iris --format torch -o iris
      A folder with a Python file that is a torch.nn.Module, and its weights.
  rootlet export runs/20260131-174502-mnist --format scipy -o mnist
      A folder with a file for each layer, which scipy.sparse.load_npz opens.";

/// Exports a trained network to other programs
///
/// Writes the network of a run with everything that happens to a sample before it, for onnxruntime, PyTorch, SciPy, or
/// as one file of arrays.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ExportArgs {
    /// A run folder, whose best or newest checkpoint is used, or a checkpoint
    #[arg(value_name = "RUN")]
    checkpoint: PathBuf,
    /// What to export it as
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: ExportFormat,
    /// File to write, or folder for the formats that have several files
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    /// Replace the files if there are some
    #[arg(long)]
    force: bool,
    /// Checkpoint of a run to use [default: best, if there is one, otherwise newest]
    #[arg(long = "checkpoint", value_enum, value_name = "WHICH")]
    which: Option<Which>,
    /// For onnx: bytes from which a layer's weights are written without their zeros [default: 1048576]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true, value_parser = whole::<u64>)]
    sparse_from: Option<u64>,
}

/// Exports.
pub fn run(args: &ExportArgs) -> Result<()> {
    if args.sparse_from.is_some() && args.format != ExportFormat::Onnx {
        return Err(checks::no_effect(
            "sparse-from",
            &format!("it is for onnx, and {} has no zeros", args.format),
        ));
    }
    let opened = Opened::of(
        &args.checkpoint,
        args.which,
        "a program can export it, with its own layers and loss",
    )?;
    let network = Exported::of_checkpoint(&opened.checkpoint)?;
    let form = (args.sparse_from).map_or(SparseForm::default(), |from_bytes| SparseForm {
        from_bytes,
    });
    let failed = |reason: String| Error::Checkpoint {
        path: opened.checkpoint.path.clone(),
        reason: format!("it cannot be exported as {}: {reason}", args.format),
    };
    let files = match args.format {
        ExportFormat::Onnx => vec![(String::new(), network.onnx(form).map_err(failed)?)],
        ExportFormat::Safetensors => {
            vec![(String::new(), network.safetensors().map_err(failed)?)]
        }
        ExportFormat::Torch => network.torch().map_err(failed)?,
        ExportFormat::Scipy => network.scipy().map_err(failed)?,
    };
    let path = |name: &str| match name.is_empty() {
        true => args.output.clone(),
        false => args.output.join(name),
    };
    if files.iter().any(|(name, _)| !name.is_empty()) {
        fs::create_dir_all(&args.output).map_err(Error::io("create the folder", &args.output))?;
    }
    // All places are looked at before the first file is written.
    let begun: Vec<NewFile> = (files.iter())
        .map(|(name, _)| output::begin(&path(name), &[], args.force))
        .collect::<Result<_>>()?;
    let mut bytes = 0;
    for (mut file, (name, content)) in begun.into_iter().zip(&files) {
        file.write_all(content)
            .map_err(Error::io("write", &path(name)))?;
        file.finish()?;
        bytes += content.len() as u64;
    }
    let of_files = match files.len() {
        1 => String::new(),
        count => format!("{}, ", counted(count as u64, "file")),
    };
    output::print(&format!(
        "{}: {of_files}{}\n",
        args.output.display(),
        counted(bytes, "byte")
    ))
}
