//! What a run shows on the console: a progress bar on a terminal, otherwise plain lines, only the result, or JSON
//! lines.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::summary::now;
use crate::clock::Instant;
use crate::report::shell::quoted;
use crate::report::{epoch_table, terminal, text};
use crate::train::event::{Epoch, Event, Finished, Observer, Started};
use crate::{Error, Result};

/// As plain text, where lines stay, progress within an epoch is reported no more often than this.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Lines, and a moving bar on standard error.
    Bar,
    /// Lines only.
    Plain,
    /// The final result only.
    Quiet,
    /// Every event as a JSON object on its own line.
    Json,
}

impl Style {
    /// The style for the flags `--quiet` and `--json`. There is a bar only on a terminal.
    pub fn choose(quiet: bool, json: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (_, true) => Self::Quiet,
            _ if io::stdout().is_terminal() && io::stderr().is_terminal() => Self::Bar,
            _ => Self::Plain,
        }
    }
}

/// Why an output can no longer be written, once that has happened.
#[derive(Clone, Debug, Default)]
pub struct Lost(Rc<RefCell<Option<io::Error>>>);

impl Lost {
    /// The error, unless only the reader or the terminal is gone: then nobody misses anything.
    pub fn error(&self) -> Option<io::Error> {
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        self.0.take().filter(|error| !gone(error))
    }
}

/// A line of JSON: the event, and when it happened in RFC 3339 form.
#[derive(Serialize)]
struct Stamped<'a> {
    time: String,
    #[serde(flatten)]
    event: &'a Event,
}

/// Shows events on the console. A run never ends because of it: if the output cannot be written any more, the console
/// falls silent.
pub struct Console<W: Write = Stdout> {
    style: Style,
    out: W,
    lost: Lost,
    /// Whether `out` is a terminal.
    terminal: bool,
    bar: Option<ProgressBar>,
    epochs: Option<u32>,
    /// Whether samples are rows of a table.
    rows: bool,
    run: Option<PathBuf>,
    /// The head of the table of epochs that was shown last.
    head: String,
    last_line: Instant,
}

impl Console {
    /// Shows events on standard output.
    pub fn new(style: Style) -> Self {
        Self {
            // Asked now, because a terminal that has gone away is no longer recognised as one.
            terminal: io::stdout().is_terminal(),
            ..Self::with_output(style, io::stdout())
        }
    }
}

impl<W: Write> Console<W> {
    /// Writes to `out` instead of standard output; the bar stays on standard error.
    pub fn with_output(style: Style, out: W) -> Self {
        Self {
            style,
            out,
            lost: Lost::default(),
            terminal: false,
            bar: None,
            epochs: None,
            rows: false,
            run: None,
            head: String::new(),
            last_line: Instant::now(),
        }
    }

    /// Tells later whether everything was written.
    pub fn lost(&self) -> Lost {
        self.lost.clone()
    }

    fn started(&mut self, event: &Started) {
        self.epochs = Some(event.epochs);
        self.rows = event.rows;
        self.run.clone_from(&event.run);
        self.line(&text::started(event));
        if self.style == Style::Bar {
            let bar = ProgressBar::new(event.steps_total);
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}") {
                bar.set_style(style);
            }
            bar.set_position(event.resumed_at.unwrap_or(0));
            self.bar = Some(bar);
        }
    }

    /// A row of the table of epochs, below its head if that was not shown yet.
    fn epoch(&mut self, event: &Epoch) {
        let head = epoch_table::head(event, self.epochs, self.rows);
        if head != self.head {
            self.styled_line(&head, terminal::head);
            self.head = head;
        }
        self.line(&epoch_table::row(event, self.epochs, self.rows));
    }

    fn finished(&mut self, event: &Finished) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if self.style != Style::Quiet {
            self.line(&text::memory(event));
            if let Some(time) = text::phases(event) {
                self.line(&time);
            }
        }
        // Also with --quiet, because the result would be misread without them. The result stays the last line.
        for remark in &event.remarks {
            self.write(&format!("note: {remark}"), terminal::line);
        }
        self.write(&text::result(event), terminal::result);
        if let Some(run) = self.run.take()
            && event.interrupted
        {
            self.line(&format!(
                "to go on: rootlet train --resume {}",
                quoted(&run.to_string_lossy())
            ));
        }
    }

    /// A line that `--quiet` leaves out.
    fn line(&mut self, text: &str) {
        self.styled_line(text, terminal::line);
    }

    fn styled_line(&mut self, text: &str, styled: fn(&str) -> String) {
        if self.style != Style::Quiet {
            self.write(text, styled);
        }
    }

    fn write(&mut self, text: &str, styled: fn(&str) -> String) {
        if self.lost.0.borrow().is_some() {
            return;
        }
        self.last_line = Instant::now();
        let text = match self.style {
            Style::Json => Cow::Borrowed(text),
            // Escape codes are added to what is harmless by then.
            _ if self.terminal => {
                let width = terminal::terminal_width();
                let text = text::printable(text);
                Cow::Owned(styled(&terminal::wrapped(&text, width, terminal::INDENT)))
            }
            _ => Cow::Owned(styled(&text::printable(text))),
        };
        let out = &mut self.out;
        let mut write = || writeln!(out, "{text}").and_then(|()| out.flush());
        let written = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        if let Err(error) = written {
            // When a terminal is gone, the system only reports an input or output error.
            let error = match self.terminal {
                true => io::ErrorKind::BrokenPipe.into(),
                false => error,
            };
            *self.lost.0.borrow_mut() = Some(error);
        }
    }
}

impl<W: Write> Observer for Console<W> {
    fn event(&mut self, event: &Event) -> Result<()> {
        if self.style == Style::Json {
            let json = serde_json::to_string(&Stamped { time: now(), event })
                .map_err(io::Error::from)
                .map_err(Error::io("write", Path::new("standard output")))?;
            self.write(&json, terminal::line);
            return Ok(());
        }
        match event {
            Event::Started(started) => self.started(started),
            Event::Progress(progress) => {
                if let Some(bar) = &self.bar {
                    bar.set_position(progress.step);
                    bar.set_message(text::beside_bar(progress));
                } else if self.last_line.elapsed() >= PLAIN_INTERVAL {
                    self.line(&text::progress(progress, self.rows));
                }
            }
            Event::Epoch(epoch) => self.epoch(epoch),
            Event::Note(note) => self.line(&format!("note: {note}")),
            Event::Finished(finished) => self.finished(finished),
            // Rounds and checkpoints are too many to show; they are in the run folder.
            Event::Round(_) | Event::Saved(_) => {}
        }
        Ok(())
    }
}
