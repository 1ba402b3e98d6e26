//! `rootlet train`.

mod args;
mod check;
mod job;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use rootlet::data::{self, HeldOut, TestPart};
use rootlet::error::RankFault;
use rootlet::report::{
    OnRanks, Place, RecordOptions, RecordedTraining, RunFolder, Style, command_line,
    run_through_losses,
};
use rootlet::train::TrainConfig;
use rootlet::{Error, Result};

use super::interrupt::{Interrupt, RESUME_ME};
use super::{exit_code, output, processes, progress, ranks};
pub use args::TrainArgs;
use check::kernel_filter;
use job::{Job, configure};

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
            ranks::check_no_launcher(count.into())?;
            return processes::launch(&args.run.ranks(count.into()), &interrupt);
        }
        _ => {}
    }
    if processes::is_launched() {
        processes::stop_with_parent(&interrupt.stop)?;
    }
    let note: fn(&str) = match args.run.quiet {
        true => |_| (),
        false => output::note,
    };
    let joined = ranks::join(
        args.run.transport,
        args.run.silence(),
        note,
        &interrupt.stop,
    );
    let mut on_ranks = match joined {
        Err(error @ Error::Rank(RankFault::Stopped { .. })) => {
            output::note(&error.to_string());
            return Ok(interrupt.status());
        }
        joined => joined?,
    };
    if let (Some(on_ranks), true) = (&mut on_ranks, args.flags.decides("adapter")) {
        on_ranks.adapter = Some(args.flags.over(TrainConfig::default()).machine.adapter);
    }
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

/// Trains as rank 0 says.
fn follow(on_ranks: &OnRanks, interrupt: &Interrupt) -> Result<ExitCode> {
    let rank = on_ranks.ranks.rank();
    let mut note = |text: &str| output::note(&format!("rank {rank}: {text}"));
    match on_ranks.follow(&interrupt.stop, &mut note) {
        Ok(false) => Ok(ExitCode::SUCCESS),
        Ok(true) | Err(Error::Stopped) => Ok(stopped(interrupt)),
        Err(error) => {
            // What rank 0 says of itself is seen already, if it has the same terminal.
            let is_seen =
                matches!(&error, Error::Rank(RankFault::Left { rank: 0, why }) if !why.is_empty());
            if !(is_seen && processes::is_launched()) {
                output::say(&format!("rank {rank}: error: {error}"));
            }
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
        Some(_) => {
            let folder = training.folder().to_owned();
            let ran = training.run(&interrupt.stop);
            if let (Err(Error::Rank(_)), false) = (&ran, processes::is_launched()) {
                processes::note_saved(&folder);
            }
            ran?
        }
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
