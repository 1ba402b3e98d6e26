//! The `rootlet` command: parse, run, and tell of an error in one line.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    calm_drivers();
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Should nobody be there to read it, the exit status still tells.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            cli::exit_code(&error)
        }
    }
}

/// Without a desktop session there is no display that Mesa's Vulkan layer could ask for its GPU, and it would say so in lines
/// that begin with `error:` and look like ours.
fn calm_drivers() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: the process has no other thread yet that could read the environment.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
