//! `rootlet bench gallery`.

use std::path::PathBuf;

use clap::Args;
use rootlet::bench::Gallery;
use rootlet::report::counted;
use rootlet::{Error, Result};

use super::super::output;

/// Makes the page of a folder of shared files
///
/// Reads what `rootlet bench --share` wrote into a folder, and writes its README.md: a table of the devices. It refuses
/// files that were changed, are there twice, lack the cases that others are compared by, or have impossible figures. It
/// also refuses to replace a README.md that is not such a page.
#[derive(Debug, Args)]
pub struct GalleryArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write nothing, and fail if the page differs from what the files give
    #[arg(long)]
    check: bool,
}

/// Writes or checks the page.
pub fn run(args: &GalleryArgs) -> Result<()> {
    let gallery = Gallery::read(&args.folder)?;
    let (page, file) = (gallery.page(), Gallery::page_path(&args.folder));
    let devices = counted(gallery.len() as u64, "device");
    if !args.check {
        gallery.write(&args.folder)?;
        return output::print(&format!("{}: {devices}\n", file.display()));
    }
    match std::fs::read_to_string(&file).is_ok_and(|old| old == page) {
        true => output::print(&format!("{} is up to date: {devices}\n", file.display())),
        false => Err(Error::Data {
            path: file,
            reason: format!(
                "is not what the files make; `rootlet bench gallery {}` writes it",
                args.folder.display()
            ),
        }),
    }
}
