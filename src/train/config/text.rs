//! The text of a `config.toml`: every key with a comment, and what follows from other values only as a comment, so that it still
//! follows when they are changed.

use clap::{Arg, Args, Command};

use super::TrainConfig;
use crate::Result;

/// Columns of the comments.
const WIDTH: usize = 100;

impl TrainConfig {
    /// The text of `config.toml`: every key, also those with default values, under the headings of `--help` and explained as
    /// there. A key that is not set stands in a comment, with the value that it has here where others decide it.
    ///
    /// # Errors
    /// A number that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String> {
        let (values, derived) = (self.table()?, self.with_derived().table()?);
        let flags = TrainConfig::augment_args(Command::new("config"));
        let mut text = format!(
            "# rootlet {}; to repeat this run: rootlet train --config config.toml\n\
             # Values that follow from others stand in comments, and go on following them.\n",
            env!("CARGO_PKG_VERSION")
        );
        for heading in headings(&flags) {
            text += &format!("\n# {heading}\n");
            let of_heading = |flag: &&Arg| flag.get_help_heading() == Some(heading);
            for flag in flags.get_arguments().filter(of_heading) {
                let key = flag.get_id().as_str();
                text += &format!("\n{}", comment(flag));
                text += &match (values.get(key), derived.get(key)) {
                    (Some(value), Some(here)) if value != here => {
                        format!("{key} = {value}  # here: {here}\n")
                    }
                    (Some(value), _) => format!("{key} = {value}\n"),
                    (None, Some(here)) => format!("# {key} = {here}\n"),
                    (None, None) => format!("# {key} is not set\n"),
                };
            }
        }
        Ok(text)
    }
}

/// The headings of the flags, each once.
fn headings(flags: &Command) -> Vec<&str> {
    let mut headings = Vec::new();
    for heading in flags.get_arguments().filter_map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings
}

/// A flag's help as lines of comment.
fn comment(flag: &Arg) -> String {
    let mut help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let choices = flag.get_possible_values();
    if !choices.is_empty() && !flag.is_hide_possible_values_set() {
        let names: Vec<&str> = choices.iter().map(|choice| choice.get_name()).collect();
        help += &format!(": {}", names.join(", "));
    }
    let mut text = String::new();
    let mut line = String::from("#");
    for word in help.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text += &line;
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    text + &line + "\n"
}
