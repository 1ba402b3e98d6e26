//! The `rootlet` command: parse, run, and report an error in one line.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use rootlet::report::{error_line, printable};

fn main() -> ExitCode {
    rootlet::error::name_options(cli::flag);
    let matches = cli::Cli::command().get_matches();
    let done = match cli::Cli::from_arg_matches(&matches) {
        Ok(parsed) => cli::check_typed(&matches)
            .and_then(|()| cli::check_beside(&matches))
            .and_then(|()| cli::run(parsed))
            .map_err(|error| cli::name_variable(error, &matches)),
        Err(error) => error.exit(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // If nobody is there to read it, the exit status still tells.
            let text = format!("error: {error}");
            let _ = writeln!(std::io::stderr(), "{}", error_line(&printable(&text)));
            cli::exit_code(&error)
        }
    }
}
