//! `rootlet train`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::Args;
use rootlet::data::{self, HeldOut, TestPart};
use rootlet::error::RankFault;
use rootlet::report::{
    OnRanks, Place, RecordOptions, RecordedTraining, Resumed, RunFolder, Style, Trained,
    command_line, list_edits, newest_run, run_through_losses,
};
use rootlet::train::config::ConfigFlags;
use rootlet::train::{SaveEvery, TrainConfig};
use rootlet::{Error, Result};
use strsim::jaro_winkler;

use super::checks::switch;
use super::interrupt::{Interrupt, RESUME_ME};
use super::processes::{self, Processes};
use super::{exit_code, output, presets, progress, ranks};

const EXAMPLES: &str = "\
Examples:
  rootlet train
      The embedded digits with the defaults.
  rootlet train --data fashion-mnist --data-dir ~/fashion --hidden 1024,1024 --sparsity 0.98 \\
      --batch 128 --milestones 8,12
      A wider network on Fashion-MNIST.
  rootlet train --data iris.csv --target species --hidden 64 --sparsity 0.5
      A table: `rootlet data show iris.csv` says what is understood of it.
  rootlet train --data ~/photos
      A folder of images, with a folder for each class: it starts from the preset photos.
  rootlet train --config runs/20260131-174502-digits/config.toml --seed 2
      A run repeated with another seed; flags go before the file.
  rootlet train --resume runs/20260131-174502-digits
      An interrupted run continued: it ends with the same bits as if it had not been.
  rootlet train --resume
      The newest run continued.
  rootlet train --print-config > my.toml
      All values with their defaults, each explained, as a file to edit.";

/// Trains a sparse network
///
/// Trains a sparse network and leaves a run folder with its configuration, tables of its metrics and topology, and
/// checkpoints. Without any flag it trains on the embedded handwritten digits.
///
/// Ctrl-C saves a checkpoint and stops, with exit status 130; so does closing the terminal, with 129. SIGTERM, SIGUSR1,
/// SIGUSR2 and SIGXCPU, which schedulers send ahead of a time limit, save a checkpoint and stop with exit status 75:
/// run the command with --resume to go on. A second signal stops at once. A run does not stop when the reader of its
/// output goes away.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TrainArgs {
    #[command(flatten)]
    flags: ConfigFlags,
    #[command(flatten)]
    run: RunArgs,
}

/// How a run is stored and shown. None of this changes what is computed, and none of it is in `config.toml`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// Take the values from this config.toml; flags override them
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    config: Option<PathBuf>,
    /// Take the values from one of rootlet's recipes; flags override them, and --print-config shows them
    #[arg(long, value_name = "NAME", value_parser = presets::parser(), conflicts_with_all = ["resume", "config"])]
    preset: Option<String>,
    /// Go on with the run in this folder from its newest checkpoint (or from the checkpoint named); without a folder,
    /// with the newest run in --runs. Its configuration applies; other flags change what may change. The methods that begin at random (static, set, rigl, gse-*) may be
    /// changed for each other. A run without a checkpoint starts again, with its config.toml. If nothing is left to
    /// train, no file changes. With more --epochs it trains on, and rounds that have begun still end where they would
    /// have (--round-until sets another end). Every change is reported beside the result, and gives the run a row of
    /// its own in tables
    #[arg(long, value_name = "RUN", conflicts_with = "name")]
    resume: Option<Option<PathBuf>>,
    /// Folder in which the run gets a folder of its own [default: runs]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Name of the run, which follows the time [default: the data set and the method]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How often to save a checkpoint: in epochs (2), optimiser steps (500s) or time (10m, 2h); there is always one at
    /// the end [default: every epoch, or every 10m where an epoch takes longer]
    #[arg(long, value_name = "EVERY")]
    save_every: Option<SaveEvery>,
    /// Do not verify an adapter and driver that nothing was trained on before
    #[arg(long, env = "ROOTLET_NO_VERIFY", value_parser = switch)]
    no_verify: bool,
    /// Show only the final result and errors
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
    /// Print every event as a JSON object on a line of its own
    #[arg(long)]
    json: bool,
    /// Also write TensorBoard's event files, in the run folder's tensorboard/
    #[arg(long)]
    tensorboard: bool,
    /// Print the config.toml that these flags give, and stop
    #[arg(long, conflicts_with_all = ["name", "save_every", "quiet", "json", "tensorboard", "check"])]
    print_config: bool,
    /// Train with this many processes on this machine, which share each batch (docs/cluster.md). With mpirun, srun or
    /// torchrun leave it out: their processes find each other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), conflicts_with = "print_config")]
    processes: Option<u16>,
    /// Start the processes again after a failure, from the newest checkpoint, at most this often
    #[arg(long, value_name = "N", requires = "processes")]
    restarts: Option<u32>,
    /// Seconds after which a process that says nothing counts as dead, if several train together [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86400))]
    rank_timeout: Option<u64>,
    /// Debugging: also run this kernel (or all) on its CPU twin, and compare
    #[arg(long, value_name = "KERNEL")]
    check: Option<String>,
}

impl RunArgs {
    /// What `--processes` starts.
    fn ranks(&self, count: usize) -> Processes {
        let silence = self.rank_timeout.unwrap_or(RANK_TIMEOUT);
        let mut again: Vec<std::ffi::OsString> = vec![
            "--processes".into(),
            count.to_string().into(),
            "--rank-timeout".into(),
            silence.to_string().into(),
        ];
        let switches = [
            ("--quiet", self.quiet),
            ("--json", self.json),
            ("--tensorboard", self.tensorboard),
            ("--no-verify", self.no_verify),
        ];
        again.extend(
            switches
                .iter()
                .filter(|(_, on)| *on)
                .map(|(flag, _)| flag.into()),
        );
        if let Some(every) = &self.save_every {
            again.extend(["--save-every".into(), every.to_string().into()]);
        }
        Processes {
            count,
            restarts: self.restarts.unwrap_or(0),
            silence,
            resumes: self.resume.clone().flatten(),
            again,
        }
    }

    /// The folder of runs.
    fn folder(&self) -> &Path {
        self.runs.as_deref().unwrap_or(Path::new("runs"))
    }
}

/// What to train.
struct Job {
    config: TrainConfig,
    /// The folder of a resumed run.
    place: Option<Place>,
}

fn configure(args: &TrainArgs) -> Result<Job> {
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

/// Trains, from the start or from a checkpoint.
pub fn run(args: &TrainArgs) -> Result<ExitCode> {
    if args.run.print_config {
        let job = configure(args)?;
        std::io::stdout()
            .write_all(job.config.to_toml()?.as_bytes())
            .map_err(Error::io("write", Path::new("standard output")))?;
        return Ok(ExitCode::SUCCESS);
    }
    // This comes before anything that takes time, so that a signal gets its exit status even while data are read or an
    // adapter is verified.
    let interrupt = Interrupt::listen()?;
    match args.run.processes {
        // A mistake in the flags is told once, and by this process.
        Some(count) if count > 1 && !processes::is_launched() => {
            return processes::launch(&args.run.ranks(count.into()), &interrupt);
        }
        _ => {}
    }
    if processes::is_launched() {
        processes::stop_with_parent(&interrupt.stop)?;
    }
    let joined = ranks::join(
        args.run.rank_timeout.unwrap_or(RANK_TIMEOUT),
        &interrupt.stop,
    );
    let on_ranks = match joined {
        Err(error @ Error::Rank(RankFault::Stopped { .. })) => {
            output::note(&error.to_string());
            return Ok(interrupt.status());
        }
        joined => joined?,
    };
    let done = match &on_ranks {
        Some(on_ranks) if !on_ranks.ranks.is_first() => {
            return follow(on_ranks, &interrupt);
        }
        _ => configure(args).and_then(|job| train(args, job, on_ranks.clone(), &interrupt)),
    };
    if let (Err(error), Some(on_ranks)) = (&done, &on_ranks) {
        on_ranks.ranks.leave(error);
    }
    match done {
        Err(error @ Error::Stopped) => {
            output::note(&error.to_string());
            Ok(interrupt.status())
        }
        done => done,
    }
}

/// The exit status of a training that was stopped: by a signal, or because another rank had one.
fn stopped(interrupt: &Interrupt) -> ExitCode {
    match interrupt.stop.load(Ordering::SeqCst) {
        true => interrupt.status(),
        false => ExitCode::from(RESUME_ME),
    }
}

/// Seconds after which a silent rank counts as dead.
const RANK_TIMEOUT: u64 = 30;

/// Trains as rank 0 says.
fn follow(on_ranks: &OnRanks, interrupt: &Interrupt) -> Result<ExitCode> {
    let rank = on_ranks.ranks.rank();
    let mut note = |text: &str| output::note(&format!("rank {rank}: {text}"));
    match on_ranks.follow(&interrupt.stop, &mut note) {
        Ok(false) => Ok(ExitCode::SUCCESS),
        Ok(true) | Err(Error::Stopped) => Ok(stopped(interrupt)),
        Err(error) => {
            output::say(&format!("rank {rank}: error: {error}"));
            Ok(exit_code(&error))
        }
    }
}

fn train(
    args: &TrainArgs,
    job: Job,
    ranks: Option<OnRanks>,
    interrupt: &Interrupt,
) -> Result<ExitCode> {
    let Job { config, place } = job;
    let check = args.run.check.as_deref().map(kernel_filter).transpose()?;
    if let Some(name) = &args.run.name {
        RunFolder::check_name(name)?;
    }
    if place.is_none() {
        RunFolder::check_runs(args.run.folder(), "runs")?;
    }
    let mut source = config.source();
    if let Some(Place::Resume(resumed)) = &place {
        // What was learned from its training rows stays, whatever rows the file has now.
        source.table.prepared = resumed.preprocessing();
    }
    let data =
        data::load_until_watched(&source, &interrupt.stop, progress::reading(args.run.quiet))?;
    let no_effect = |option: &str, why: String| {
        let option = option.to_owned();
        Err(Error::NoEffect { option, why })
    };
    if let Some(HeldOut { part, .. }) = &data.validation
        && args.flags.given("val_split")
        && !matches!(part, TestPart::SplitOff { .. })
    {
        let why = format!("the validation {}s are {part}", data.sample());
        return no_effect("val_split", why);
    }
    let chooses = ["best_metric", "patience"];
    if let (None, Some(option)) = (
        &data.validation,
        chooses.iter().find(|name| args.flags.given(name)),
    ) {
        let why = format!(
            "it needs a validation part, and {} has none; --val-split holds one out of the training {}s",
            data.name,
            data.sample()
        );
        return no_effect(option, why);
    }
    if let Some(limit) = config.data.limit.filter(|_| args.flags.given("limit")) {
        let validation = data.validation.as_ref().map_or(0, |held| held.images.len());
        let most = data.train.len().max(data.test.len()).max(validation);
        output::note_wide_limit(limit, &data, most);
    }
    let place = place.unwrap_or_else(|| Place::New {
        runs: args.run.folder().to_owned(),
        name: (args.run.name.clone()).unwrap_or_else(|| config.run_name(data.shape)),
    });
    let options = RecordOptions {
        style: Style::choose(args.run.quiet, args.run.json),
        save_every: args.run.save_every.unwrap_or_default(),
        verify: !args.run.no_verify,
        tensorboard: args.run.tensorboard,
        command: command_line(),
        ranks,
    };
    let (steps, stages) = (
        config.run.steps,
        config.topology.build_method().start().stages(),
    );
    let mut note = |text: &str| output::note(text);
    let mut prepare = |config, place, note: &mut dyn FnMut(&str)| {
        RecordedTraining::prepare(config, data.clone(), check, place, &options, note)
    };
    let training = prepare(config, place, &mut note)?;
    let done = training.is_done();
    processes::tell_folder(training.folder());
    let recorded = match options.ranks {
        None => run_through_losses(training, &mut prepare, &interrupt.stop, &mut note)?,
        // The other ranks do not wait until a device comes back.
        Some(_) => training.run(&interrupt.stop)?,
    };
    let finished = &recorded.finished;
    if done {
        output::note(match steps {
            Some(_) => {
                "nothing was left to do; give a larger --steps, or --steps 0 to train all epochs"
            }
            // With another number of epochs it would have other stages.
            None if stages > 1 => "nothing was left to do",
            None => "nothing was left to do; give more --epochs to train on",
        });
    }
    match (
        finished.interrupted,
        recorded.unwritten.or(recorded.unchecked),
    ) {
        (true, _) => Ok(stopped(interrupt)),
        (false, None) => Ok(ExitCode::SUCCESS),
        (false, Some(error)) => Err(error),
    }
}

/// What `--check` compares: the kernels whose names contain this text, or all of them if it is empty.
fn kernel_filter(name: &str) -> Result<&str> {
    if name == "all" {
        return Ok("");
    }
    let known: Vec<&str> = rootlet::kernels::kernels().iter().map(|k| k.name).collect();
    match known.iter().any(|kernel| kernel.contains(name)) {
        true => Ok(name),
        false => Err(Error::Usage(format!(
            "--check {name}: no kernel's name contains it; give all, or a part of a name, such as {}",
            nearest(name, known).join(", ")
        ))),
    }
}

/// The names most like `name`, the most similar first.
fn nearest<'a>(name: &str, mut known: Vec<&'a str>) -> Vec<&'a str> {
    const SHOWN: usize = 4;
    let name = name.to_lowercase();
    let likeness = |known: &str| {
        let parts = known.split('/').chain([known]);
        let of_parts = parts.map(|part| jaro_winkler(&name, part));
        of_parts.fold(0.0, f64::max)
    };
    known.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    known.truncate(SHOWN);
    known
}
