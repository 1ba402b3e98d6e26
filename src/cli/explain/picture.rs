//! The picture that `rootlet explain` writes, and what its kinds have in common.

use std::io::Write;
use std::path::Path;

use rootlet::report::{NewFile, Sheet};
use rootlet::{Error, Result};

use super::super::output;
use super::args::ExplainArgs;

/// What the run is called in a heading: its folder's name.
pub(super) fn name_of(run: &Path) -> String {
    let whole = std::fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    let name = whole
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| run.display().to_string())
}

/// The picture under construction: what can be refused is refused before anything is computed.
pub(super) struct Picture<'a> {
    path: &'a Path,
    file: NewFile,
}

impl<'a> Picture<'a> {
    pub fn begin(args: &'a ExplainArgs) -> Result<Self> {
        Ok(Self {
            path: &args.output,
            file: begin(args, &args.output)?,
        })
    }

    pub fn finish(mut self, sheet: &Sheet) -> Result<()> {
        let bytes = sheet.png()?;
        (self.file.write_all(&bytes)).map_err(Error::io("write", self.path))?;
        self.file.finish()
    }
}

/// A file of the result under construction.
pub(super) fn begin(args: &ExplainArgs, path: &Path) -> Result<NewFile> {
    output::begin(path, &args.samples.inputs, args.force)
}
