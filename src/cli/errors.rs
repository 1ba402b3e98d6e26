//! How an error is reported: its sentence, and the exit status.

use std::process::ExitCode;

use clap::ArgMatches;
use clap::parser::ValueSource;
use rootlet::Error;
use rootlet::error::NoAdapter;

/// Names the environment variable in an error about an adapter that the variable chose.
pub fn name_variable(error: Error, matches: &ArgMatches) -> Error {
    const ADAPTER: &str = "adapter";
    let from_variable = |(_, given): (&str, &ArgMatches)| {
        given.try_contains_id(ADAPTER).is_ok()
            && given.value_source(ADAPTER) == Some(ValueSource::EnvVariable)
    };
    match error {
        Error::NoAdapter { why, candidates } if matches.subcommand().is_some_and(from_variable) => {
            let why = NoAdapter::Closed(format!("ROOTLET_ADAPTER: {why}"));
            Error::NoAdapter { why, candidates }
        }
        other => other,
    }
}

/// The flag that sets an option of the library.
pub fn flag(option: &str) -> String {
    format!("--{}", option.replace('_', "-"))
}

/// 2 for errors in what the user typed, like clap; 1 for everything else.
pub fn exit_code(error: &Error) -> ExitCode {
    match error.is_usage() {
        true => ExitCode::from(2),
        false => ExitCode::FAILURE,
    }
}
