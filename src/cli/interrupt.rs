//! Ctrl-C: the first asks the run to stop in good order, the second ends the process.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rootlet::{Error, Result};

/// Exit status of a process that Ctrl-C ended, in good order or not: 128 + SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// A flag that the first Ctrl-C (or SIGTERM) sets; a second one exits at once.
pub fn flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED.into());
        }
        // Should nobody be there to read it, it stops all the same.
        let _ = writeln!(
            std::io::stderr(),
            "\nstopping after a checkpoint; press Ctrl-C again to stop at once"
        );
    })
    .map_err(|error| Error::Device(format!("cannot listen for Ctrl-C: {error}")))?;
    Ok(flag)
}
