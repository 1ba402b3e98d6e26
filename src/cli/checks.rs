//! What is refused right after parsing, before anything is done: empty values, and flags without effect.

use clap::ArgMatches;
use clap::parser::ValueSource;
use rootlet::{Error, Result};

/// The error for a flag that would change nothing.
pub(super) fn no_effect(flag: &str, why: &str) -> Error {
    Error::NoEffect {
        option: flag.to_owned(),
        why: why.to_owned(),
    }
}

/// Parses the environment's `ROOTLET_NO_VERIFY`: the flag itself takes no value.
///
/// # Errors
/// The text is not one of the accepted values.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(
            "the environment's ROOTLET_NO_VERIFY must be 1, true, yes or on, or else 0, false, no, off or empty"
                .to_owned(),
        ),
    }
}

/// Refuses flags and arguments with an empty value, such as an empty variable in a script leaves.
pub fn check_typed(matches: &ArgMatches) -> Result<()> {
    for id in matches.ids() {
        let typed = matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let mut values = (matches.try_get_raw(id.as_str()).ok().flatten())
            .into_iter()
            .flatten();
        if typed && values.any(|value| value.to_string_lossy().trim().is_empty()) {
            return Err(Error::Usage(format!(
                "--{} has an empty value; give one, or leave it out",
                id.as_str().replace('_', "-")
            )));
        }
    }
    match matches.subcommand() {
        Some((_, matches)) => check_typed(matches),
        None => Ok(()),
    }
}

/// Flags that have no effect beside another one, by command: the other flag, its value where that matters, and why.
const IDLE_BESIDE: [(&str, &str, Option<&str>, &str, &str); 7] = [
    (
        "sweep",
        "table",
        None,
        "no_verify",
        "--table trains nothing",
    ),
    ("sweep", "table", None, "adapter", "--table trains nothing"),
    (
        "sweep",
        "dry_run",
        None,
        "no_verify",
        "--dry-run trains nothing",
    ),
    (
        "train",
        "print_config",
        None,
        "no_verify",
        "--print-config trains nothing",
    ),
    (
        "train",
        "print_config",
        None,
        "runs",
        "--print-config trains nothing",
    ),
    ("train", "adapter", Some("cpu"), "no_verify", NOT_VERIFIED),
    ("sweep", "adapter", Some("cpu"), "no_verify", NOT_VERIFIED),
];

const NOT_VERIFIED: &str = "the CPU executor is what others are compared with";

/// Refuses flags that were typed beside one that leaves them without effect. Environment variables are exempt, because
/// they are set for many commands.
pub fn check_beside(matches: &ArgMatches) -> Result<()> {
    let Some((command, matches)) = matches.subcommand() else {
        return Ok(());
    };
    let typed = |id: &str| {
        matches.try_contains_id(id).is_ok()
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let has = |id: &str, value: &str| {
        let raw = matches.try_get_raw(id).ok().flatten();
        (raw.into_iter().flatten()).any(|raw| raw.to_string_lossy().eq_ignore_ascii_case(value))
    };
    for (of, beside, value, flag, why) in IDLE_BESIDE {
        let there = typed(beside) && value.is_none_or(|value| has(beside, value));
        if of == command && there && typed(flag) {
            return Err(no_effect(&flag.replace('_', "-"), why));
        }
    }
    Ok(())
}
