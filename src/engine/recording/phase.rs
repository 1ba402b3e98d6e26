//! Phases of programs: how long each takes, and how much device memory it touches.

use std::collections::BTreeMap;
use std::ops::Range;

use super::plan::Dispatch;
use crate::engine::Program;

/// The time of a stretch of dispatches of one phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseTime {
    /// The phase's name.
    pub phase: &'static str,
    /// Seconds on the device.
    pub seconds: f64,
}

/// The stretches of adjacent dispatches with the same phase.
pub(in crate::engine) fn runs(dispatches: &[Dispatch]) -> Vec<(&'static str, Range<usize>)> {
    let mut first = 0;
    dispatches
        .chunk_by(|a, b| a.phase == b.phase)
        .map(|stretch| {
            let range = first..first + stretch.len();
            first = range.end;
            (stretch[0].phase, range)
        })
        .collect()
}

/// Bytes of device memory that the dispatches of `phase` touch in any of `programs`. A word that several bind counts
/// once.
pub fn touched_bytes<'a>(programs: impl IntoIterator<Item = &'a Program>, phase: &str) -> u64 {
    let mut ranges: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
    for program in programs {
        for dispatch in program.dispatches() {
            if dispatch.phase == phase {
                for view in &dispatch.views {
                    let of_buffer = ranges.entry(view.buffer.id()).or_default();
                    of_buffer.push(view.word_range());
                }
            }
        }
    }
    ranges.into_values().map(union).sum::<usize>() as u64 * 4
}

/// Length of the union of `ranges`.
fn union(mut ranges: Vec<Range<usize>>) -> usize {
    ranges.sort_unstable_by_key(|range| range.start);
    let (mut length, mut end) = (0, 0);
    for range in ranges {
        length += range.end.saturating_sub(range.start.max(end));
        end = end.max(range.end);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::union;

    #[test]
    fn overlapping_ranges_count_once() {
        for (ranges, length) in [
            (vec![], 0),
            (vec![4..9, 4..9], 5),
            (vec![0..4, 8..10], 6),
            (vec![8..10, 0..9, 2..3], 10),
            (vec![3..5, 3..5, 4..4, 5..6], 3),
        ] {
            assert_eq!(union(ranges), length);
        }
    }
}
