//! What becomes of an error: its sentence, and the exit status.

use std::process::ExitCode;

use clap::ArgMatches;
use clap::parser::ValueSource;
use rootlet::Error;

/// Names the environment variable in an error about the adapter that came from it.
pub fn name_variable(error: Error, matches: &ArgMatches) -> Error {
    const ADAPTER: &str = "adapter";
    let from_variable = |(_, given): (&str, &ArgMatches)| {
        given.try_contains_id(ADAPTER).is_ok()
            && given.value_source(ADAPTER) == Some(ValueSource::EnvVariable)
    };
    match error {
        Error::Adapter(reason) if matches.subcommand().is_some_and(from_variable) => {
            Error::Adapter(format!("ROOTLET_ADAPTER: {reason}"))
        }
        other => other,
    }
}

/// The flag of an option of the library.
pub fn flag(option: &str) -> String {
    format!("--{}", option.replace('_', "-"))
}

/// 2 for what the user typed, as clap has it; 1 for everything else.
pub fn exit_code(error: &Error) -> ExitCode {
    match error {
        Error::Usage(_) | Error::Value { .. } | Error::NoEffect { .. } | Error::Missing { .. } => {
            ExitCode::from(2)
        }
        _ => ExitCode::FAILURE,
    }
}
