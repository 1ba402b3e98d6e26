//! A coordinate whose ticks are round numbers, linear or logarithmic.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::{Axis, Format};
use crate::report::text::quantity;

/// A coordinate.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    format: Format,
}

impl Scale {
    /// A scale that holds all `values` that it can, with room around them. A linear scale starts at 0 if that costs
    /// little.
    pub(super) fn around(axis: &Axis, values: impl Iterator<Item = f64>, from_zero: bool) -> Self {
        let usable = |v: &f64| v.is_finite() && (!axis.log || *v > 0.0);
        let (low, high) = values
            .filter(usable)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        let (low, high) = match (low <= high, axis.log) {
            (false, _) => (1.0, 10.0),
            (true, true) if high / low < 2.0 => (low / 1.5, (high * 1.5).min(f64::MAX)),
            (true, true) => (low / 1.1, (high * 1.1).min(f64::MAX)),
            (true, false) => {
                let low = if from_zero && low > 0.0 { 0.0 } else { low };
                let room = match high - low {
                    0.0 => high.abs().max(1.0) * 0.05,
                    span => span * 0.04,
                };
                let below = if low == 0.0 { 0.0 } else { low - room };
                (
                    below.max(-f64::MAX / 2.0),
                    (high + room).min(f64::MAX / 2.0),
                )
            }
        };
        Self {
            low,
            high,
            log: axis.log,
            format: axis.format,
        }
    }

    /// A scale without room at its ends, for an x axis, along which lines run from edge to edge.
    pub(super) fn tight(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match low < high && !axis.log {
            true => Self {
                low,
                high,
                log: false,
                format: axis.format,
            },
            false => Self::around(axis, values.into_iter(), false),
        }
    }

    /// The position along the scale, 0 to 1.
    fn position(&self, value: f64) -> f64 {
        match self.log {
            true => (value.max(1e-300) / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    /// At most about `most` round numbers.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        if most == 0 {
            return Vec::new();
        }
        let most = most.max(2);
        if self.log {
            let ticks = self.log_ticks(most);
            // If neighbouring ticks lie within a decade, a linear step gives rounder numbers.
            if ticks.len() > 1 {
                return ticks;
            }
        }
        let span = self.high - self.low;
        let power = 10f64.powf((span / most as f64).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|m| m * power)
            .into_iter()
            .find(|step| span / step <= most as f64)
            .unwrap_or(span);
        let step = match self.format {
            Format::Whole => step.max(1.0),
            _ => step,
        };
        let first = (self.low / step - 1e-9).ceil();
        let last = (self.high / step + 1e-9).floor();
        // Counted from the first tick: for absurd values, rounding may lose the step next to them, or exceed it.
        let more = ((last - first) as usize).min(most);
        let ticks = (0..=more).map(|i| (first + i as f64) * step);
        ticks.filter(|tick| tick.is_finite()).collect()
    }

    fn log_ticks(&self, most: usize) -> Vec<f64> {
        // The smallest exponent that a number can have.
        let first = (self.low.log10().floor() as i32).max(-324);
        let last = (self.high.log10().ceil() as i32).min(309);
        let inside = |multiples: &[f64], every: usize| -> Vec<f64> {
            (first..=last)
                .step_by(every)
                .flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)))
                .filter(|v| (self.low * (1.0 - 1e-9)..=self.high * (1.0 + 1e-9)).contains(v))
                .collect()
        };
        let finest: [&[f64]; 4] = [
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
            &[1.0, 2.0, 3.0, 5.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
        ];
        let fitting = finest.map(|multiples| inside(multiples, 1));
        let mut fitting = fitting.into_iter().filter(|t| t.len() <= most + 1);
        fitting.next().unwrap_or_else(|| {
            let decades = (last - first) as usize;
            inside(&[1.0], decades.div_ceil(most).max(1))
        })
    }

    pub(super) fn text(&self, value: f64) -> String {
        match self.format {
            Format::Prefixed => {
                let text = quantity(value);
                let (number, prefix) = text.split_once(' ').unwrap_or((&text, ""));
                let number = match number.contains('.') {
                    true => number.trim_end_matches('0').trim_end_matches('.'),
                    false => number,
                };
                format!("{number} {prefix}").trim_end().to_owned()
            }
            Format::Plain | Format::Whole => plain(value),
        }
    }
}

/// A number in the shortest form that is exact to four digits.
fn plain(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        return format!("{value:.0e}");
    }
    let rounded: f64 = format!("{value:.4e}").parse().unwrap_or(value);
    match rounded == 0.0 {
        true => "0".to_owned(),
        false => rounded.to_string(),
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        // Values beyond the edges are moved as near as the drawing library needs.
        let position = self.position(*value).clamp(-1.0, 2.0);
        limit.0 + (position * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.bold_points())
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        self.text(*value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(low: f64, high: f64, log: bool) -> Scale {
        Scale {
            low,
            high,
            log,
            format: Format::Plain,
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = |low, high, log| {
            let scale = scale(low, high, log);
            let ticks = scale.ticks(5);
            assert!(
                ticks.len() >= 2 && ticks.len() <= 7,
                "{low} {high}: {ticks:?}"
            );
            ticks.iter().map(|t| scale.text(*t)).collect::<Vec<_>>()
        };
        assert_eq!(
            ticks(0.0, 1.0, false),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
        assert_eq!(ticks(-3.0, 920.0, false), ["0", "200", "400", "600", "800"]);
        assert_eq!(ticks(0.0021, 0.0034, false), ["0.0025", "0.003"]);
        assert_eq!(ticks(1.0, 1000.0, true), ["1", "10", "100", "1000"]);
        assert_eq!(ticks(9.0, 32.0, true), ["10", "15", "20", "30"]);
        ticks(1e-9, 1e12, true);
        ticks(0.97, 0.98, true);
    }

    #[test]
    fn absurd_values_have_few_ticks_too() {
        let largest = f64::MAX;
        for (low, high) in [
            (1e-308, 1.1e-308),
            (0.0, 5e-324),
            (-largest, largest),
            (largest / 2.0, largest),
            (1e18, 1e18 + 256.0),
            (1.0, 1.0),
            (9e15, 1e300),
        ] {
            for log in [false, low > 0.0] {
                for format in [Format::Plain, Format::Whole, Format::Prefixed] {
                    let scale = Scale {
                        format,
                        ..scale(low, high, log)
                    };
                    let ticks = scale.ticks(5);
                    assert!(ticks.len() <= 7, "{low} {high}: {ticks:?}");
                }
            }
        }
        let axis = Axis::new("x");
        for axis in [axis.clone().log(), axis] {
            let found = Scale::around(&axis, [-largest, 5e-324, largest].into_iter(), false);
            assert!(found.ticks(5).len() <= 7, "{found:?}");
            assert!(
                found.low < found.high && found.high.is_finite(),
                "{found:?}"
            );
        }
    }

    #[test]
    fn what_is_no_number_does_not_stretch_an_axis() {
        let axis = Axis::new("loss");
        let values = [f64::NAN, 2.0, f64::INFINITY, 4.0];
        let found = Scale::around(&axis, values.into_iter(), false);
        assert!(found.low > 1.5 && found.high < 4.5, "{found:?}");
        let none = Scale::around(&axis.clone().log(), [0.0, -1.0].into_iter(), false);
        assert!(none.low < none.high);
        let one = Scale::around(&axis, [5.0].into_iter(), false);
        assert!(one.low < 5.0 && one.high > 5.0);
    }
}
