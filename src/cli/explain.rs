//! `rootlet explain`.

mod args;
mod columns;
mod images;

use std::io::Write;
use std::path::{Path, PathBuf};

use rootlet::engine::{Device, DeviceOptions};
use rootlet::report::{NewFile, Sheet, explained_topology};
use rootlet::{Error, Result};

use super::output;
use super::trained::Opened;
pub use args::ExplainArgs;
use args::Kind;

/// Explains.
pub fn run(args: &ExplainArgs) -> Result<()> {
    args.device.check_threads()?;
    args.check_output()?;
    let opened = Opened::of(
        &args.checkpoint,
        args.which,
        "explain it by a program, with `Explainer::new`",
    )?;
    let data = opened.checkpoint.manifest.data.as_ref();
    let is_table = data.is_some_and(|data| data.preprocessing.is_some());
    let kind = match (args.topology, is_table) {
        (true, _) => Kind::Topology,
        (false, true) => Kind::Columns,
        (false, false) => Kind::Images,
    };
    args.check_effects(kind)?;
    match kind {
        Kind::Topology => {
            let file = Picture::begin(args)?;
            let sheet = explained_topology(&name_of(&args.checkpoint), &opened.checkpoint)?;
            file.finish(&sheet)?;
            output::print(&format!("{}: its connections\n", args.output.display()))
        }
        Kind::Columns => columns::run(args, &opened),
        Kind::Images => images::run(args, &opened),
    }
}

/// What the run is called in a heading: its folder's name.
fn name_of(run: &Path) -> String {
    let whole = std::fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    let name = whole
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| run.display().to_string())
}

fn open(args: &ExplainArgs) -> Result<Device> {
    let options = DeviceOptions {
        threads: args.device.threads,
        ..DeviceOptions::default()
    };
    let device = Device::open(&args.device.adapter, &options)?;
    device.warning().into_iter().for_each(output::note);
    Ok(device)
}

/// The picture under construction: what can be refused is refused before anything is computed.
struct Picture<'a> {
    path: &'a Path,
    file: NewFile,
}

impl<'a> Picture<'a> {
    fn begin(args: &'a ExplainArgs) -> Result<Self> {
        Ok(Self {
            path: &args.output,
            file: begin(args, &args.output)?,
        })
    }

    fn finish(mut self, sheet: &Sheet) -> Result<()> {
        let bytes = sheet.png()?;
        (self.file.write_all(&bytes)).map_err(Error::io("write", self.path))?;
        self.file.finish()
    }
}

fn begin(args: &ExplainArgs, path: &Path) -> Result<NewFile> {
    let inputs: Vec<PathBuf> = args.inputs.clone();
    output::begin(path, &inputs, args.force)
}
