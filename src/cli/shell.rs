//! `rootlet completions` and `rootlet man`: what shells and manuals are told of the command line, made from the same
//! definition as the help.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};
use rootlet::{Error, Result};

use super::command::Cli;
use super::output;

const COMPLETIONS: &str = "\
Examples:
  rootlet completions bash > ~/.local/share/bash-completion/completions/rootlet
  rootlet completions zsh > ~/.zfunc/_rootlet
  rootlet completions fish > ~/.config/fish/completions/rootlet.fish";

/// Prints completions for a shell
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Writes the man pages
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rootlet man ~/.local/share/man/man1 && man rootlet-train")]
pub struct ManArgs {
    /// Folder for the pages: one for rootlet, and one for each subcommand
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints completions.
pub fn complete(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "rootlet", &mut script);
    output::print_json(&String::from_utf8_lossy(&script))
}

/// Writes the man pages.
pub fn man(args: &ManArgs) -> Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .map_err(Error::io("write the man pages to", folder))
}
