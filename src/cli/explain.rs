//! `rootlet explain`.

mod args;
mod columns;
mod images;
mod picture;

use rootlet::Result;
use rootlet::report::explained_topology;

use super::output;
use super::trained::Opened;
pub use args::ExplainArgs;
use args::Kind;
use picture::{Picture, name_of};

/// Explains.
pub fn run(args: &ExplainArgs) -> Result<()> {
    args.samples.device.check_threads()?;
    args.check_output()?;
    let opened = Opened::of(
        &args.samples.checkpoint,
        args.samples.which,
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
            let sheet = explained_topology(&name_of(&args.samples.checkpoint), &opened.checkpoint)?;
            file.finish(&sheet)?;
            output::print(&format!("{}: its connections\n", args.output.display()))
        }
        Kind::Columns => columns::run(args, &opened),
        Kind::Images => images::run(args, &opened),
    }
}
