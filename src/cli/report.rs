//! `rootlet report`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use rootlet::report::{
    BenchFile, FigureSize, Page, RunRecord, check_output, counted, distinct, read_runs, write_file,
};
use rootlet::{Error, Result};

use super::output;

const EXAMPLES: &str = "\
Examples:
  rootlet report runs/20260131-174502-digits -o report.html
      One run.
  rootlet report runs/sweep bench.json -o report.html
      All runs of a sweep, and the figures of `rootlet bench --json bench.json`.
  rootlet report runs/sweep --picture accuracy-and-memory.svg
      The page, and one picture of what was compared.
  rootlet report runs/a runs/b -o report.html --png figures
      Two runs, and each figure as a PNG in figures/.";

/// Shows runs and benchmarks as one page
///
/// Makes one self-contained HTML page without scripts: the table of results, curves of loss and accuracy (runs that
/// differ only in their seeds are one curve with a band), sparsity and compression of the layers, turnover, where the
/// time and the bytes go, benchmarks, and the exact commands and versions. It suits light and dark readers and phones.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ReportArgs {
    /// Run folders, folders of run folders such as a sweep's, and JSON files of `rootlet bench`
    #[arg(required = true, value_name = "RUN|BENCH.json")]
    inputs: Vec<PathBuf>,
    /// The page
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    /// Write each figure as a PNG in this folder too
    #[arg(long, value_name = "DIR")]
    png: Option<PathBuf>,
    /// Also write the first comparison as one picture: what each method reaches, and the bytes that its weights take
    #[arg(long, value_name = "FILE.svg|FILE.png")]
    picture: Option<PathBuf>,
    /// Pixels of a PNG for each of a figure's own 480 by about 330
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        requires = "png",
        value_parser = clap::value_parser!(u32).range(1..=8)
    )]
    png_scale: u32,
}

/// Makes the page.
pub fn run(args: &ReportArgs) -> Result<()> {
    check_output(&args.output, &args.inputs)?;
    if let Some(folder) = &args.png {
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    let (mut records, mut benches): (Vec<RunRecord>, Vec<BenchFile>) = (Vec::new(), Vec::new());
    let mut damaged: Vec<(&Path, Error)> = Vec::new();
    for input in &args.inputs {
        std::fs::metadata(input).map_err(Error::io("open the run", input))?;
        // An input that is neither is reported as the kind of file that it should have been.
        let read = match input.is_dir() {
            true => {
                read_runs(input, &mut |text| output::note(text)).map(|runs| records.extend(runs))
            }
            false => BenchFile::read(input).map(|bench| benches.push(bench)),
        };
        damaged.extend(read.err().map(|error| (input.as_path(), error)));
    }
    if records.is_empty() && benches.is_empty() && !damaged.is_empty() {
        return Err(damaged.remove(0).1);
    }
    for (input, error) in damaged {
        output::note(&format!("{} is left out: {error}", input.display()));
    }
    // A run counts once, even if it was named both alone and through its sweep.
    let records = distinct(records, &mut |text| output::note(text))?;
    let page = Page::new(&records, &benches)?;
    write_file(&args.output, page.html()?.as_bytes())?;
    if let Some(file) = &args.picture {
        check_output(file, &args.inputs)?;
        let picture = page.picture().ok_or_else(|| Error::Nothing {
            what: "pictured: no run came to its end".to_owned(),
        })?;
        picture.write(file)?;
    }
    let mut reported = format!(
        "{}: {}, {}, {}",
        args.output.display(),
        counted(records.len() as u64, "run"),
        counted(benches.len() as u64, "benchmark"),
        counted(page.figures().count() as u64, "figure")
    );
    if let Some(folder) = &args.png {
        let size = FigureSize {
            scale: args.png_scale,
        };
        let mut names = BTreeSet::new();
        for figure in page.figures() {
            let name = figure.file_name("png");
            // Names may differ only in characters that a file name cannot have.
            let number = |n: u32| match n {
                1 => name.clone(),
                n => format!("{n}-{name}"),
            };
            let free = (1..)
                .map(number)
                .find(|name| names.insert(name.to_lowercase()));
            figure.write_png(&folder.join(free.unwrap_or(name)), size)?;
        }
        reported += &format!(", as PNG in {}", folder.display());
    }
    output::print(&(reported + "\n"))
}
