//! What the columns of a table are worth.

use std::path::PathBuf;

use rootlet::data::{self, DataPart, Dataset};
use rootlet::explain::{column_strengths, permutation_importance};
use rootlet::report::{column_rows, counted, explained_columns, write_row};
use rootlet::train::Setup;
use rootlet::{Error, Result};

use super::super::trained::{Asked, Opened};
use super::super::{checks, output, progress};
use super::args::ExplainArgs;
use super::picture::{Picture, begin, name_of};

pub(super) fn run(args: &ExplainArgs, opened: &Opened) -> Result<()> {
    let table: PathBuf = args.output.with_extension("columns.csv");
    let (picture, mut csv) = (Picture::begin(args)?, begin(args, &table)?);
    let (data, part) = rows(args, opened)?;
    let Some(rules) = &data.preprocessing else {
        return Err(Error::Nothing {
            what: format!("known of the columns of {}", data.name),
        });
    };
    let columns = column_strengths(&opened.checkpoint, rules)?;
    let device = args.samples.device.open()?;
    let setup = Setup::new(&opened.config, &data)?;
    let state = &opened.checkpoint.snapshot.state;
    let batch = opened.config.run.batch.min(data.test.len().max(1));
    let network = setup.for_tests(&device, &opened.config, state, batch)?;
    let shuffling = args.shuffling();
    let shuffles = 1 + (columns.len().min(shuffling.columns) * shuffling.repeats) as u64;
    let bar = progress::counting("shuffling", shuffles);
    let importance = permutation_importance(
        &device,
        &network,
        &data,
        &columns,
        &opened.config.run.best_metric,
        shuffling,
        &mut || bar.inc(1),
    )?;
    bar.finish_and_clear();
    for row in column_rows(&columns, &importance) {
        write_row(&mut csv, &row).map_err(Error::io("write", &table))?;
    }
    let run = name_of(&args.samples.checkpoint);
    let sheet = explained_columns(&run, part.name(), &columns, &importance, shuffling);
    picture.finish(&sheet)?;
    csv.finish()?;
    output::print(&format!(
        "{}, {}: {}\n",
        args.output.display(),
        table.display(),
        counted(columns.len() as u64, "column")
    ))
}

/// The rows whose columns are shuffled, in the form that the network was trained with, and the part that they are.
fn rows(args: &ExplainArgs, opened: &Opened) -> Result<(Dataset, DataPart)> {
    let file = match args.samples.inputs.as_slice() {
        [] => None,
        // A file in this folder needs no separator.
        [file] => Some(match file.display().to_string() {
            name if data::is_path(&name) => name,
            name => format!("./{name}"),
        }),
        _ => {
            return Err(Error::Usage(
                "the columns of one table are explained; name one file".to_owned(),
            ));
        }
    };
    let trained = opened.checkpoint.manifest.data.as_ref();
    let asked = args.samples.asked(None, None);
    let asked = Asked {
        data: file.as_deref().or(asked.data),
        ..asked
    };
    let source = asked.source(&opened.config.source(), trained)?;
    let mut data = data::load_to_test(&source, &progress::reading(false))?;
    if let Some(trained) = trained {
        data = data.as_trained(trained)?;
    }
    let usual = match data.part(DataPart::Validation) {
        Some(_) => DataPart::Validation,
        None => data.final_part(),
    };
    let part = args.samples.part.unwrap_or(usual);
    let Some(held) = data.part(part) else {
        return Err(checks::no_effect(
            "part",
            &format!("the data set {} has no {part} part", data.name),
        ));
    };
    if let Some(limit) = source.limit.filter(|_| args.samples.limit.is_some()) {
        output::note_wide_limit(limit, &data, held.images.len());
    }
    data.notes.iter().for_each(|note| output::note(note));
    Ok((data.evaluated_on(part), part))
}
