//! What `rootlet train` is to train: from flags, files, presets and runs to a configuration.

use std::path::{Path, PathBuf};

use rootlet::report::{Place, Resumed, RunFolder, Trained, list_edits, newest_run};
use rootlet::train::TrainConfig;
use rootlet::{Error, Result};

use super::args::{RunArgs, TrainArgs};
use crate::cli::{output, presets};

/// What to train.
pub(super) struct Job {
    pub config: TrainConfig,
    /// The folder of a resumed run.
    pub place: Option<Place>,
}

/// The configuration that the flags give, and the run that they resume.
pub(super) fn configure(args: &TrainArgs) -> Result<Job> {
    let begin = |base: TrainConfig, place| {
        let config = args.flags.over(base);
        let mut config = config.resolve().map_err(|error| of_file(args, error))?;
        if args.flags.given("hidden") && config.takes_perceptron() {
            output::note(
                "the model is mlp: --hidden is only for perceptrons, and no --model was given",
            );
        }
        args.flags.check_effects(&config)?;
        Ok(Job { config, place })
    };
    let Some(resume) = &args.run.resume else {
        return match (&args.run.config, &args.run.preset) {
            (Some(file), _) => begin(TrainConfig::load(file)?, None),
            (None, Some(name)) => begin(presets::preset(name)?, None),
            (None, None) => match presets::of_photos(&args.flags)? {
                Some(base) => {
                    let job = begin(base, None)?;
                    output::note(&presets::note_of_photos(&job.config));
                    Ok(job)
                }
                None => begin(TrainConfig::default(), None),
            },
        };
    };
    let resume = &match resume {
        Some(run) => named_run(run, &args.run)?,
        None => {
            let newest = newest_run(args.run.folder())?;
            output::note(&format!(
                "going on with {}, the newest run",
                newest.display()
            ));
            newest
        }
    };
    let folder = RunFolder::open(resume)?;
    let lock = folder.lock(&mut |text| output::note(text))?;
    match folder.has_checkpoint() {
        true => go_on(
            args,
            Resumed::locked(folder, lock, resume, &mut |text| output::note(text))?,
        ),
        false => {
            let trained = folder.config_to_begin_with()?;
            unedited(args, &folder, &trained)?;
            output::note(&format!(
                "{} has no checkpoint yet: the run starts from the beginning, with its {}",
                folder.path().display(),
                if folder.has_config() {
                    CONFIG
                } else {
                    trained.source
                }
            ));
            begin(trained.config, Some(Place::At(folder, lock)))
        }
    }
}

/// The run that `--resume` names: it stays where it is.
fn named_run(run: &Path, args: &RunArgs) -> Result<PathBuf> {
    match &args.runs {
        None => Ok(run.to_owned()),
        Some(runs) => Err(Error::Usage(format!(
            "--runs {} changes nothing: --resume {} says where the run is",
            runs.display(),
            run.display()
        ))),
    }
}

/// Blames the config file for an error about a value that came from it.
fn of_file(args: &TrainArgs, error: Error) -> Error {
    match (&error, &args.run.config) {
        (Error::Value { option, .. }, Some(file)) if !args.flags.decides(option) => {
            let key = |option: &str| format!("`{option}`");
            Error::Config {
                origin: file.display().to_string(),
                why: error.message(key),
            }
        }
        _ => error,
    }
}

const CONFIG: &str = "config.toml";

/// Resumes a run from a checkpoint.
fn go_on(args: &TrainArgs, resumed: Resumed) -> Result<Job> {
    let file = resumed.folder().path().join(CONFIG);
    unedited(args, resumed.folder(), resumed.trained())?;
    if !file.is_file() {
        output::note(&format!(
            "{} is {}: the checkpoint has the configuration, and the next checkpoint writes the file anew",
            file.display(),
            if file.exists() { "no file" } else { "missing" }
        ));
    }
    let before = resumed.trained().config.clone();
    let config = args.flags.over(before.clone());
    let config = config.keep_rounds(&before, resumed.progress().rounds);
    let config = config.resolve()?;
    before.goes_on_with(&config, &file)?;
    args.flags.check_effects(&config)?;
    Ok(Job {
        config,
        place: Some(Place::Resume(Box::new(resumed))),
    })
}

/// A value in a run's `config.toml` that differs from what it was trained with was edited. Such a value is not adopted
/// on its own.
fn unedited(args: &TrainArgs, folder: &RunFolder, trained: &Trained) -> Result<()> {
    let (file, source) = (folder.path().join(CONFIG), trained.source);
    let mut edits = folder.edits(trained).map_err(|error| {
        Error::Usage(format!(
            "{error}; {source} has the configuration, too: remove the file, and it is written anew"
        ))
    })?;
    edits.retain(|edit| !args.flags.decides(&edit.name));
    if edits.is_empty() {
        return Ok(());
    }
    // Values that the file leaves out are not asked for.
    let wanted = (edits.iter())
        .filter(|edit| !TrainConfig::is_fixed(&edit.name))
        .find_map(|edit| Some((edit.name.replace('_', "-"), edit.file.as_deref()?)));
    let way_out = match wanted {
        Some((name, value)) => format!(
            "undo the edit, or ask for what may change with a flag, such as --{name}={value}"
        ),
        None if edits.iter().all(|edit| edit.file.is_none()) => {
            "undo the edit, or remove the file, which the next checkpoint writes anew".to_owned()
        }
        None => "undo the edit, or start a new run with --config".to_owned(),
    };
    Err(Error::Usage(format!(
        "{} is not the configuration of {source}, which decides: {}; {way_out}",
        file.display(),
        list_edits(&edits),
    )))
}
