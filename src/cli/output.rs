//! Output for people and for programs.

use std::io::Write;
use std::path::Path;

use rootlet::data::Dataset;
use rootlet::report::{error_line, fitted, printable};
use rootlet::{Error, Result};

/// Notes that a limit exceeds the number of images and so limits nothing.
pub(super) fn note_wide_limit(limit: usize, data: &Dataset, samples: usize) {
    if limit > samples {
        note(&format!(
            "--limit {limit} changes nothing: there are {samples} {}s at most, and all are used",
            data.sample()
        ));
    }
}

/// Prints something that the user should know, without stopping.
pub(super) fn note(text: &str) {
    say(&format!("note: {text}"));
}

/// Prints a line on standard error.
pub(super) fn say(text: &str) {
    // If nobody is there to read it, the command carries on.
    let _ = writeln!(std::io::stderr(), "{}", error_line(&printable(text)));
}

/// Prints for people.
pub(super) fn print(text: &str) -> Result<()> {
    print_json(&fitted(&printable(text)))
}

/// Prints for programs, which get every character unescaped.
pub(super) fn print_json(text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(Error::io("write", Path::new("standard output")))
}
