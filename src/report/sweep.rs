//! Sweeps: many runs that differ in a few values, planned in one file, run one after another, and resumable.
//!
//! ```toml
//! models = ["mlp"]                      # every list is optional
//! methods = ["static", "gse-uniform"]
//! sparsities = [0.9, 0.98]
//! seeds = [1, 2, 3]
//!
//! [[axis]]                              # any other value of config.toml
//! key = "gamma"
//! values = [0.5, 1.0]
//!
//! [base]                                # what all runs share: a config.toml
//! data = "fashion-mnist"
//! data_dir = "fashion"
//! epochs = 20
//! ```

mod pace;
mod plan;
mod run;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::engine::adapter::check_choice;
use crate::files;
use crate::topology::MethodName;
use crate::train::TrainConfig;
use crate::train::config::parse;
use crate::words::{counted, listed};
use crate::{Error, Result};
pub use plan::{PlannedRun, RunState};
pub use run::{SweepOutcome, records, run, write_results};

/// The runs of a sweep, in the order in which they are done: models outermost, then methods, sparsities, other axes,
/// and seeds.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The file that plans it.
    pub file: PathBuf,
    /// The runs.
    pub runs: Vec<PlannedRun>,
    /// Runs that the lists give but that are left out, because each trains the same as another one: its name, and the
    /// other's. For example, a dense network ignores the list of sparsities.
    pub repeats: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepFile {
    models: Option<Vec<String>>,
    methods: Option<Vec<MethodName>>,
    sparsities: Option<Vec<f64>>,
    seeds: Option<Vec<u32>>,
    #[serde(default)]
    axis: Vec<Axis>,
    #[serde(default)]
    base: TrainConfig,
}

/// A value of the configuration, and all the settings that it takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Axis {
    key: String,
    values: Vec<toml::Value>,
}

/// Most runs of a sweep. More are a mistake, and would only fill the memory.
const MOST_RUNS: usize = 10_000;

impl Sweep {
    /// Reads a sweep's file. `adapter` overrides that of its base.
    ///
    /// # Errors
    /// The file cannot be read, or has a value that cannot be used.
    pub fn load(path: &Path, adapter: Option<&str>) -> Result<Self> {
        Self::parse(&files::read_text(path, files::Most::TYPED)?, path, adapter)
    }

    /// Reads the text of a sweep's file; `path` names it in messages.
    pub(crate) fn parse(text: &str, path: &Path, adapter: Option<&str>) -> Result<Self> {
        let file: SweepFile = parse(text, path, "sweep")?;
        let complain = |what: String| {
            Err(Error::Config {
                origin: format!("sweep {}", path.display()),
                why: what,
            })
        };
        let key = |option: &str| format!("`{option}`");
        let mut base = file.base.clone();
        if let Some(adapter) = adapter {
            base.machine.adapter = adapter.to_owned();
        }
        let axes = file.axes();
        let mut seen = BTreeSet::new();
        for axis in &axes {
            if axis.values.is_empty() {
                return complain(format!(
                    "the list of `{}` is empty; leave it out to take the base's value",
                    axis.key
                ));
            }
            if !seen.insert(axis.key.clone()) {
                return complain(format!("`{}` is listed twice", axis.key));
            }
        }
        let sizes = axes.iter().map(|axis| axis.values.len());
        let runs = sizes.fold(1, usize::saturating_mul);
        if runs > MOST_RUNS {
            return complain(format!(
                "its lists make {runs} runs, and {MOST_RUNS} are the most; divide it into several files"
            ));
        }
        let mut runs = vec![PlannedRun::of(base)];
        for axis in &axes {
            let mut more = Vec::with_capacity(runs.len() * axis.values.len());
            for run in &runs {
                for value in &axis.values {
                    match run.with(&axis.key, value) {
                        Ok(run) => more.push(run),
                        Err(error) => return complain(error.message(key)),
                    }
                }
            }
            runs = more;
        }
        mark_alike(&mut runs);
        let mut names = BTreeSet::new();
        for run in &mut runs {
            run.config = match run.config.clone().resolve() {
                Ok(config) => config,
                Err(error) => {
                    return complain(format!("run {}: {}", run.name(), error.message(key)));
                }
            };
            if !names.insert(run.name()) {
                return complain(format!(
                    "two runs are called {}: a value is listed twice",
                    run.name()
                ));
            }
        }
        let mut sweep = Self {
            file: path.to_owned(),
            runs: Vec::with_capacity(runs.len()),
            repeats: Vec::new(),
        };
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for run in runs {
            let trains = format!("{:?}", run.config.effective()?.with_derived().values()?);
            match known.entry(trains) {
                Entry::Vacant(entry) => {
                    entry.insert(run.name());
                    sweep.runs.push(run);
                }
                Entry::Occupied(entry) => sweep.repeats.push((run.name(), entry.get().clone())),
            }
        }
        Ok(sweep)
    }

    /// How far each run is, according to the sweep's folder.
    ///
    /// # Errors
    /// As [`PlannedRun::state`].
    pub fn states(&self, folder: &Path) -> Result<Vec<RunState>> {
        self.runs.iter().map(|run| run.state_seen(folder)).collect()
    }

    /// Checks that the adapters exist on which the remaining runs are to be trained.
    ///
    /// # Errors
    /// One of them does not; the message lists the others.
    pub fn check_adapters(&self, states: &[RunState]) -> Result<()> {
        let left = self.runs.iter().zip(states);
        let left = left.filter(|(_, state)| matches!(state, RunState::New | RunState::Unfinished));
        let adapters: BTreeSet<&str> = left
            .map(|(run, _)| run.config.machine.adapter.as_str())
            .collect();
        adapters.into_iter().try_for_each(check_choice)
    }

    /// A note about the runs that are left out.
    pub fn repeats_note(&self) -> Option<String> {
        let count = self.repeats.len() as u64;
        let each = (self.repeats.iter()).map(|(name, as_that)| format!("{name} (as {as_that})"));
        (count > 0).then(|| {
            format!(
                "{} left out, which would train the same as others: {}",
                counted(count, "run"),
                listed(count, each)
            )
        })
    }

    /// Where its runs go if no folder was given: `runs/<the file's stem>`.
    pub fn default_folder(&self) -> PathBuf {
        Path::new("runs").join(self.file.file_stem().unwrap_or("sweep".as_ref()))
    }
}

/// Marks the names of runs that would share a folder though their values differ: in characters that no folder should
/// have, or in capitals, which not every system tells from small letters.
fn mark_alike(runs: &mut [PlannedRun]) {
    let mut alike: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for run in runs.iter() {
        let of_folder = alike.entry(run.name().to_lowercase()).or_default();
        of_folder.insert(run.full_name());
    }
    for run in runs {
        if alike[&run.name().to_lowercase()].len() > 1 {
            run.mark();
        }
    }
}

impl SweepFile {
    fn axes(self) -> Vec<Axis> {
        fn axis<T>(key: &str, list: Option<Vec<T>>, value: fn(T) -> toml::Value) -> Option<Axis> {
            list.map(|list| Axis {
                key: key.to_owned(),
                values: list.into_iter().map(value).collect(),
            })
        }
        let text = |method: MethodName| toml::Value::String(method.to_string());
        let first = [
            axis("model", self.models, toml::Value::String),
            axis("method", self.methods, text),
            axis("sparsity", self.sparsities, toml::Value::Float),
        ];
        let seeds = axis("seed", self.seeds, |seed| toml::Value::Integer(seed.into()));
        first
            .into_iter()
            .flatten()
            .chain(self.axis)
            .chain(seeds)
            .collect()
    }
}
