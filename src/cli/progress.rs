//! Progress bars on a terminal.

use std::cell::Cell;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Bytes below which a file is read too quickly for a bar.
const SMALL: u64 = 16 << 20;

/// Shows on a terminal how much of a file has been read, unless it is `quiet`: call it with the bytes read so far and
/// the total.
pub(super) fn reading(quiet: bool) -> impl Fn(u64, u64) + Send + 'static {
    let is_seen = !quiet && io::stderr().is_terminal();
    reading_on(is_seen.then(ProgressDrawTarget::stderr))
}

/// The same on this target, or nowhere.
fn reading_on(target: Option<ProgressDrawTarget>) -> impl Fn(u64, u64) + Send + 'static {
    let bar = ProgressBar::hidden();
    let target = Cell::new(target);
    move |read, all| {
        if all < SMALL {
            return;
        }
        if let Some(target) = target.take() {
            bar.set_draw_target(target);
            if let Ok(style) = ProgressStyle::with_template(
                "reading  {bar:24} {percent}%  {bytes} at {bytes_per_sec}",
            ) {
                bar.set_style(style);
            }
        }
        // A file whose columns turn out to have texts is read again.
        if bar.is_finished() && read < all {
            bar.reset();
        }
        bar.set_length(all);
        bar.set_position(read);
        if read >= all {
            bar.finish_and_clear();
        }
    }
}

/// A bar on a terminal for `all` pieces of work, which are being done as `doing` says.
pub(super) fn counting(doing: &str, all: u64) -> ProgressBar {
    let bar = ProgressBar::new(all);
    bar.set_draw_target(match io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    });
    let template = format!(
        "{doing}  {{bar:24}} {{percent}}%  {{human_pos}} of {{human_len}}, {{per_sec}}, {{eta}} left"
    );
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what was written.
    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<String>>);

    impl TermLike for Kept {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.write_str("|")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is drawn after each of these numbers of bytes, of `all`.
    fn drawn(read: &[u64], all: u64) -> Vec<String> {
        let kept = Kept::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(kept.clone()), 255);
        let bar = reading_on(Some(target));
        let mut drawn = Vec::new();
        for &read in read {
            std::thread::sleep(std::time::Duration::from_millis(10));
            bar(read, all);
            drawn.push(std::mem::take(&mut *kept.0.lock().unwrap()));
        }
        drawn
    }

    #[test]
    fn a_large_file_has_a_bar_that_vanishes() {
        let all = 2 * SMALL;
        // Twice, as a file is read whose columns turn out to have texts.
        let told = drawn(&[all / 4, all / 2, all, all / 4], all);
        assert!(
            told[0].contains("reading") && told[0].contains("25%"),
            "{told:?}"
        );
        assert!(
            told[1].contains("50%") && told[1].contains("16.00 MiB"),
            "{told:?}"
        );
        assert!(told[2].ends_with('|'), "{told:?}");
        assert!(told[3].contains("25%"), "{told:?}");
        assert_eq!(drawn(&[1, SMALL - 1], SMALL - 1), ["", ""]);
    }
}
