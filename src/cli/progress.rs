//! A bar while a large file is read.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes of a file that is read before anybody looks.
const SMALL: u64 = 16 << 20;

/// Shows how much of a file was read, on a terminal: to be called with the bytes that were and all.
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
