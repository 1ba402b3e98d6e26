//! A progress bar while a large file is read.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes below which a file is read too quickly for a bar.
const SMALL: u64 = 16 << 20;

/// Shows on a terminal how much of a file has been read: call it with the bytes read so far and the total.
pub(super) fn reading() -> impl Fn(u64, u64) + Send + 'static {
    let bar = ProgressBar::hidden();
    let is_seen = io::stderr().is_terminal();
    move |read, all| {
        if !is_seen || all < SMALL {
            return;
        }
        if bar.is_hidden() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(
                "reading  {bar:24} {percent}%  {bytes} at {bytes_per_sec}",
            ) {
                bar.set_style(style);
            }
        }
        bar.set_length(all);
        bar.set_position(read);
        if read >= all {
            bar.finish_and_clear();
        }
    }
}
