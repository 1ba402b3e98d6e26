//! What belongs into one figure: the methods on the same data and model at the same sparsity.

use crate::report::figure::Colour;
use crate::report::results::{Group, Results};

/// Most lines of a figure: each colour once solid and once dashed.
const MOST_VARIANTS: usize = 16;

/// Runs that share figures.
#[derive(Clone, Debug)]
pub(super) struct Experiment {
    /// Data, model and sparsity in words.
    pub title: String,
    /// How the names of its figures begin.
    pub id: String,
    pub data: String,
    pub model: String,
    pub sparsity: f64,
    pub variants: Vec<Variant>,
    /// Number of variants beyond the most that a figure shows.
    pub left_out: usize,
}

/// A method, with whatever else tells its runs from others. Its runs differ in the seed.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub name: String,
    pub colour: Colour,
    /// Index of its row in the results.
    pub group: usize,
    /// Indices of its runs.
    pub runs: Vec<usize>,
}

/// Whether a row is dense, and so a reference for all sparsities.
fn is_dense(group: &Group) -> bool {
    group.sparsity == 0.0
}

/// The experiments in the order of their first runs. Dense runs join those of every sparsity.
pub(super) fn experiments(results: &Results) -> Vec<Experiment> {
    let colours = Colours::of(results);
    let sparse_too = |dense: &Group| {
        let mut others = results.groups.iter();
        others.any(|g| !is_dense(g) && g.data == dense.data && g.model == dense.model)
    };
    let mut experiments: Vec<Experiment> = Vec::new();
    for group in &results.groups {
        let known = |e: &Experiment| {
            e.data == group.data && e.model == group.model && e.sparsity == group.sparsity
        };
        if experiments.iter().any(known) || (is_dense(group) && sparse_too(group)) {
            continue;
        }
        let rows = results.groups.iter().enumerate();
        let mut variants: Vec<Variant> = rows
            .filter(|(_, g)| g.data == group.data && g.model == group.model)
            .filter(|(_, g)| g.sparsity == group.sparsity || is_dense(g))
            .map(|row| colours.variant(row, is_dense(row.1) != is_dense(group)))
            .collect();
        let left_out = variants.len().saturating_sub(MOST_VARIANTS);
        variants.truncate(MOST_VARIANTS);
        let sparsity = percent(group.sparsity);
        experiments.push(Experiment {
            title: format!("{}, {}, {sparsity} % sparse", group.data, group.model),
            id: format!("{}-{}-{sparsity}", group.data, group.model),
            data: group.data.clone(),
            model: group.model.clone(),
            sparsity: group.sparsity,
            variants,
            left_out,
        });
    }
    experiments
}

/// A share in percent, in the shortest exact form.
pub(super) fn percent(share: f64) -> String {
    // This gives 99.9, and not 99.90000000000001 as binary fractions do.
    let rounded: Result<f64, _> = format!("{:.6}", share * 100.0).parse();
    rounded.unwrap_or(share * 100.0).to_string()
}

/// Characters of a label that a reader still takes in.
const LONGEST_LABEL: usize = 40;

/// The name of a row's variant: its method and the labels after model, method and sparsity. If that is long because the
/// runs have little in common, the name of its run says more.
pub(super) fn variant_name(group: &Group) -> String {
    let extra = group.labels.iter().skip(3);
    // The data set belongs to the experiment, and the device to the table.
    let extra = extra.filter(|(key, _)| key != "data" && key != "adapter");
    let extra: String = extra
        .map(|(key, text)| format!(", {} {text}", key.replace('_', " ")))
        .collect();
    let name = format!("{}{extra}", group.method);
    match &group.only_run {
        Some(run) if name.chars().count() > LONGEST_LABEL => run.clone(),
        _ => name,
    }
}

/// One colour for each variant in the whole page.
pub(super) struct Colours(Vec<String>);

impl Colours {
    pub(super) fn of(results: &Results) -> Self {
        let mut names: Vec<String> = Vec::new();
        for group in &results.groups {
            let name = variant_name(group);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Self(names)
    }

    pub(super) fn colour(&self, name: &str) -> Colour {
        let index = self.0.iter().position(|known| known == name);
        Colour::Series(index.unwrap_or(0))
    }

    fn variant(&self, (index, group): (usize, &Group), reference: bool) -> Variant {
        let name = variant_name(group);
        let colour = self.colour(&name);
        let runs = group.runs.clone();
        let name = match reference && !name.starts_with("dense") {
            true => format!("{name}, 0 % sparse"),
            false => name,
        };
        Variant {
            name,
            colour,
            group: index,
            runs,
        }
    }
}
