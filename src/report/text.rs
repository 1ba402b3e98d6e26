//! Events as text for people: pure functions from an event to lines of text.

use std::borrow::Cow;
use std::fmt::Write;

use indicatif::BinaryBytes;

use super::terminal::{WIDTH, wrapped};
use crate::data::{DataPart, Task, TestPart};
use crate::model::MODELS;
use crate::train::event::{Finished, PartResults, Phase, Progress, Score, Started};
use crate::words::counted;
pub(super) use crate::words::grouped;

/// A line of what is said at the start, in lines that fit the terminal.
fn field(label: &str, text: &str) -> String {
    const INDENT: usize = 13;
    wrapped(&format!("{label:<INDENT$}{text}"), WIDTH, INDENT)
}

/// The network and the work ahead.
pub(super) fn started(event: &Started) -> String {
    let name = match event.model_name == MODELS[0] {
        true => {
            let mut widths: Vec<usize> = event.model.iter().map(|layer| layer.n_in).collect();
            widths.extend(event.model.last().map(|layer| layer.n_out));
            let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
            widths.join("-")
        }
        false => format!(
            "{}, {}",
            event.model_name,
            counted(event.model.len() as u64, "sparse layer")
        ),
    };
    let longest = event.model.iter().map(|layer| layer.name.len()).max();
    let wide = longest.unwrap_or(0).max(10);
    let mut lines = vec![
        field("adapter", &event.adapter),
        field(
            samples(event.rows),
            &format!(
                "{} to train{}, {} to test{}",
                grouped(event.train_images as u64),
                match &event.validation_part {
                    Some(part) => format!(
                        ", {} to validate ({part})",
                        grouped(event.validation_images as u64)
                    ),
                    None => String::new(),
                },
                match event.test_images {
                    0 => "none".to_owned(),
                    images => grouped(images as u64),
                },
                match event.test_part.as_ref().filter(|_| event.test_images > 0) {
                    None | Some(TestPart::Published | TestPart::Given) => String::new(),
                    Some(part) => format!(" ({part})"),
                }
            ),
        ),
        field(
            "model",
            &format!("{name}, {} parameters", grouped(event.parameters)),
        ),
        field(
            "connections",
            &format!(
                "{} of {} ({} sparse)",
                grouped(event.connections),
                grouped(event.dense),
                percent(event.sparsity)
            ),
        ),
    ];
    if let Some(task) = event.task.filter(|task| *task != Task::Classification) {
        let at = lines.len() - 2;
        lines.insert(at, field("task", &format!("{task}, by {}", event.loss)));
    }
    for (index, layer) in event.model.iter().enumerate() {
        let clipped = if event.clipped.contains(&index) {
            ", clipped to dense"
        } else {
            ""
        };
        lines.push(format!(
            "  {:<wide$} {} → {}: {} ({}{clipped})",
            layer.name,
            layer.n_in,
            layer.n_out,
            grouped(layer.active),
            percent(layer.density)
        ));
    }
    let so_far = match event.always_sparse {
        true => "",
        // Once there are lists of connections, they take more than dense weights.
        false => "; more if it prunes later",
    };
    lines
        .extend(memory_text(&event.memory).map(|text| field("memory", &format!("{text}{so_far}"))));
    let whole = u64::from(event.epochs) * event.steps_per_epoch;
    let of = match event.steps_total < whole {
        true => format!(" of {}", grouped(whole)),
        false => String::new(),
    };
    lines.push(field(
        "work",
        &format!(
            "{}{of}: {} of {}",
            counted(event.steps_total, "step"),
            counted(event.epochs.into(), "epoch"),
            grouped(event.steps_per_epoch)
        ),
    ));
    if let Some(step) = event.resumed_at {
        lines.push(field("resumed", &format!("at step {}", grouped(step))));
    }
    if let Some(run) = &event.run {
        // Not wrapped: it is copied from here.
        lines.push(format!("run folder   {}", run.display()));
    }
    lines.join("\n")
}

/// A number of bytes with a binary prefix.
pub(super) fn bytes(number: u64) -> String {
    BinaryBytes(number).to_string()
}

/// The memory that a device holds, by class; `None` if that is not known.
pub fn memory_text(classes: &[(String, u64)]) -> Option<String> {
    let all: u64 = classes.iter().map(|(_, bytes)| bytes).sum();
    let held = classes.iter().filter(|(_, bytes)| *bytes > 0);
    let parts: Vec<String> = held
        .map(|(name, bytes)| format!("{} {}", name.replace('_', " "), BinaryBytes(*bytes)))
        .collect();
    (all > 0).then(|| format!("{} on the device: {}", BinaryBytes(all), parts.join(", ")))
}

/// The name of samples.
fn samples(rows: bool) -> &'static str {
    match rows {
        true => "rows",
        false => "images",
    }
}

/// Accuracy, or the metric that takes its place; empty if only the loss is reported.
pub(super) fn scored(before: &str, accuracy: f32, metric: Option<&Score>) -> String {
    match metric {
        Some(Score { name, value, .. }) => format!("{before}{name} {value:.4}"),
        None if accuracy.is_nan() => String::new(),
        None => format!("{before}accuracy {}", percent(accuracy.into())),
    }
}

/// The further scores of the whole test, if any.
fn further(scores: &[Score]) -> String {
    let texts = scores
        .iter()
        .map(|s| format!(", {} {:.4}", s.name, s.value));
    texts.collect()
}

/// How far a run is, in a line of its own.
pub(super) fn progress(event: &Progress, rows: bool) -> String {
    format!(
        "epoch {:.1}  loss {:.4}{}  {} {}/s  {} left",
        event.epoch,
        event.loss,
        scored("  ", event.accuracy, event.metric.as_ref()),
        grouped(event.images_per_second.round() as u64),
        samples(rows),
        duration(event.seconds_left)
    )
}

/// The same beside a bar, with fewer words: both have to fit in 80 columns.
pub(super) fn beside_bar(event: &Progress) -> String {
    let score = match &event.metric {
        Some(Score { value, .. }) => format!("  {value:.4}"),
        None if event.accuracy.is_nan() => String::new(),
        None => format!("  {}", percent(event.accuracy.into())),
    };
    format!(
        "epoch {:.1}  loss {:.4}{score}  {}/s  {} left",
        event.epoch,
        event.loss,
        grouped(event.images_per_second.round() as u64),
        duration(event.seconds_left)
    )
}

/// The final result in one line.
pub(super) fn result(event: &Finished) -> String {
    let how = if event.interrupted {
        "interrupted: "
    } else {
        ""
    };
    let (judge, told) = event.result();
    let part = event.result_part();
    let what = match TestPart::is_test(part, event.trained_on) {
        true => format!("{judge} accuracy"),
        false => "accuracy".to_owned(),
    };
    let after = format!(
        "after {}, {}, {}",
        counted(event.step, "step"),
        counted(event.epochs.into(), "epoch"),
        duration(event.seconds)
    );
    // The run was stopped while it was waiting for images.
    if event.interrupted && told.loss.is_nan() {
        return format!("{how}not tested because the images do not arrive, {after}");
    }
    if told.loss.is_nan() && told.accuracy.is_nan() && told.metric.is_none() {
        return format!("{how}not evaluated, because there was no part for that, {after}");
    }
    // Nobody else can have these images, so the result can be compared with no other.
    let part = TestPart::about(part, event.trained_on);
    let chosen = event.best.as_ref().map(|best| {
        let by = match judge {
            DataPart::Test => format!("{} {:.4} of the validation part", best.metric, best.value),
            DataPart::Validation => "these very numbers".to_owned(),
        };
        format!("weights of epoch {}, the best by {by}", best.epoch)
    });
    let about: Vec<String> = part.into_iter().chain(chosen).collect();
    let part = match about.is_empty() {
        true => String::new(),
        false => format!(" ({})", about.join("; ")),
    };
    let PartResults {
        loss,
        accuracy,
        metric,
        scores,
    } = &told;
    match metric {
        Some(_) => {
            let metric = scored(", ", *accuracy, metric.as_ref());
            let more = further(scores);
            format!("{how}{judge} loss {loss:.4}{metric}{more}{part} {after}")
        }
        None if accuracy.is_nan() => format!("{how}loss {loss:.4}{part} {after}"),
        None => format!(
            "{how}{what} {}{part}, loss {loss:.4} {after}",
            percent((*accuracy).into())
        ),
    }
}

/// The table of the peaks of memory per class, and the bytes per connection. The peaks of the classes, each reached at its own
/// moment, can add up to more than the overall peak.
pub(super) fn memory(event: &Finished) -> String {
    let width = event
        .peak
        .iter()
        .map(|(class, _)| class.chars().count())
        .chain([15])
        .max()
        .unwrap_or(0);
    let mut table = format!("{:<width$}  {:>12}", "device memory", "peak");
    let total = ("most at once".to_owned(), event.peak_total);
    for (class, peak) in event.peak.iter().chain([&total]) {
        let bytes = bytes(*peak);
        // Writing into a String cannot fail.
        let _ = write!(table, "\n{:<width$}  {bytes:>12}", class.replace('_', " "));
    }
    let each = format!("{:.1} B", event.bytes_per_connection);
    let _ = write!(table, "\n{:<width$}  {each:>12}", "per connection");
    table
}

/// Where the time went, in one line; none if nothing was timed.
pub(super) fn phases(event: &Finished) -> Option<String> {
    let sum: f64 = event.phases.iter().map(|phase| phase.seconds).sum();
    if sum <= 0.0 {
        return None;
    }
    let share = |phase: &Phase| format!("{} {:.0} %", phase.name, 100.0 * phase.seconds / sum);
    let shares: Vec<String> = event.phases.iter().map(share).collect();
    Some(format!("time: {}", shares.join(", ")))
}

/// Makes text safe to show, whatever names it contains: a terminal would obey control characters, and characters that
/// change the writing direction can make one thing look like another. They are spelled out, as in `\u{1b}`; line ends
/// and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match obeyed(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A number with three digits and a unit prefix: `1.23 G`.
pub(super) fn quantity(number: f64) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P"];
    let mut scaled = number;
    let mut at = 0;
    while scaled >= 999.5 && at + 1 < prefixes.len() {
        scaled /= 1000.0;
        at += 1;
    }
    let decimals = match scaled {
        s if s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        _ => 2,
    };
    format!("{scaled:.decimals$} {}", prefixes[at])
}

/// Seconds as people say them: `3.2 s`, `4 min 05 s`, `2 h 07 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    if !seconds.is_finite() {
        "unknown time".to_owned()
    } else if whole < 60 {
        format!("{seconds:.1} s")
    } else if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, printable, quantity};

    #[test]
    fn quantities_have_three_digits_and_a_prefix() {
        for (number, text) in [
            (0.0, "0.00 "),
            (999.0, "999 "),
            (999.6, "1.00 k"),
            (12_345.0, "12.3 k"),
            (1.234e9, "1.23 G"),
            (9.5e15, "9.50 P"),
            (1e19, "10000 P"),
        ] {
            assert_eq!(quantity(number), text);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        let plain = "a\tcafé → 5 %\nb";
        assert_eq!(printable(plain), plain);
        assert_eq!(
            printable("\u{1b}[2Jcat\r\u{9b}"),
            "\\u{1b}[2Jcat\\u{d}\\u{9b}"
        );
        assert_eq!(printable("gpj.\u{202e}x"), "gpj.\\u{202e}x");
    }

    #[test]
    fn durations_are_readable_at_every_size() {
        let texts = [0.04, 59.4, 59.96, 245.0, 7620.0, f64::INFINITY].map(duration);
        assert_eq!(
            texts,
            [
                "0.0 s",
                "59.4 s",
                "1 min 00 s",
                "4 min 05 s",
                "2 h 07 min",
                "unknown time"
            ]
        );
    }
}
