//! The page of `rootlet report`: one HTML file that contains all its figures and styles and no script.

mod bench;
mod bench_file;
mod costs;
mod curves;
mod density;
mod experiment;
mod headline;
mod html;
mod layers;
mod origin;
mod picture;
mod section;

use super::copies::trained_twice;
use super::figure::Figure;
use super::recording::RunRecord;
use super::results::{Results, tested_differently};
use crate::{Error, Result};
pub use bench_file::BenchFile;
use experiment::{Experiment, experiments};
use section::{Block, Section};

/// A report of runs and benchmarks.
#[derive(Clone, Debug)]
pub struct Page {
    sections: Vec<Section>,
    picture: Option<Figure>,
}

impl Page {
    /// Makes the report.
    ///
    /// # Errors
    /// There is neither a run nor a benchmark, or a run's configuration cannot be printed.
    pub fn new(records: &[RunRecord], benches: &[BenchFile]) -> Result<Self> {
        if records.is_empty() && benches.is_empty() {
            return Err(Error::Nothing {
                what: "reported: give a run folder or the JSON of a benchmark".to_owned(),
            });
        }
        let mut sections = Vec::new();
        let mut picture = None;
        if !records.is_empty() {
            let results = Results::of(records)?;
            sections.extend(headline::section(&results, records));
            sections.push(results_section(records, &results));
            let experiments = experiments(&results);
            let first = experiments.first();
            picture = first.map(|first| picture::picture(first, &results, records));
            sections.extend(density::section(&results, &experiments));
            for experiment in &experiments {
                sections.push(experiment_section(experiment, &results, records));
            }
        }
        sections.extend(bench::sections(benches));
        if !records.is_empty() {
            sections.push(origin::section(records));
        }
        Ok(Self { sections, picture })
    }

    /// Its figures, top to bottom.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| match block {
            Block::Figure(figure) => Some(figure),
            _ => None,
        })
    }

    /// The first comparison in one figure: what each method reaches, and the bytes that its weights take. It is not on the
    /// page. None without a run that came to its end.
    pub fn picture(&self) -> Option<&Figure> {
        self.picture.as_ref().filter(|figure| figure.has_content())
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// None that data can cause; only a damaged font in the build.
    pub fn html(&self) -> Result<String> {
        html::page(&self.sections)
    }
}

fn results_section(records: &[RunRecord], results: &Results) -> Section {
    let mut section = Section::new("Results");
    section
        .text("Mean ± standard deviation (n − 1) over the runs that differ only in their seeds.");
    let overview = results.overview();
    if !overview.shared.is_empty() {
        section.text(format!("The same for all: {}.", overview.shared_text()));
    }
    section.blocks.push(Block::Table(overview.table));
    section
        .blocks
        .push(Block::Folded("All columns".to_owned(), results.table()));
    section.text(
        "Only runs that came to their end count. FLOPs are counted as Evci et al. (2020) count them, without \
         evaluations; seconds and FLOPs are those of the whole run, with what a method does before the first step. \
         Bytes are the most that were on the device at once, of all together and of each class; each class peaks at \
         its own moment, so the classes can add up to more.",
    );
    let told = tested_differently(records, &results.groups).into_iter();
    for told in told.chain(trained_twice(records, &results.groups)) {
        section.text(told);
    }
    for record in records {
        if let Some(reason) = record.failure() {
            section.text(format!("{} failed: {reason}", record.name()));
        }
        for remark in record.remarks() {
            section.text(format!("{}: {remark}", record.name()));
        }
        if record.finished().is_none() {
            for change in &record.changes {
                section.text(format!("{}: {}", record.name(), change.remark));
            }
        }
        for damage in &record.damage {
            section.blocks.push(Block::Missing(damage.clone()));
        }
        if record.summary.is_none() && record.damage.is_empty() {
            section.blocks.push(Block::Missing(format!(
                "{} has no summary.json, for an older rootlet made it: what it ran on, its bytes, FLOPs and commands \
                 are not known",
                record.name()
            )));
        }
    }
    section
}

fn experiment_section(
    experiment: &Experiment,
    results: &Results,
    records: &[RunRecord],
) -> Section {
    let mut section = Section::new(&experiment.title);
    if experiment.left_out > 0 {
        section.text(format!(
            "The figures show the first {} of {} variants.",
            experiment.variants.len(),
            experiment.variants.len() + experiment.left_out
        ));
    }
    curves::add(&mut section, experiment, records);
    layers::add(&mut section, experiment, records);
    costs::add(&mut section, experiment, results, records);
    section
}
