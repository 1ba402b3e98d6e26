//! Whether a table's rows are as a run writes them: each once, in the order of the steps.

use super::row::Row;
use crate::words::listed;

/// What was wrong with the order of a table's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Disorder {
    /// The step of the first row that came after one of a later step; all are sorted now.
    moved: Option<u64>,
    /// Steps of rows that occurred before: each counts once.
    doubled: Vec<u64>,
    /// Steps of rows whose epochs do not fit their steps: they are left out.
    strange: Vec<u64>,
}

impl Disorder {
    /// Sorts rows by place, keeps each once, and leaves out those whose epochs do not rise.
    pub fn mend<R: Row>(rows: &mut Vec<R>) -> Self {
        let mut disorder = Self::default();
        if let Some(pair) = (rows.windows(2)).find(|pair| pair[1].place() < pair[0].place()) {
            disorder.moved = Some(pair[1].place().0);
            rows.sort_by_key(R::place);
        }
        // The first of equal rows counts.
        rows.dedup_by(|row, before| {
            let again = row.place() == before.place();
            disorder.doubled.extend(again.then_some(row.place().0));
            again
        });
        disorder.doubled.dedup();
        let epochs: Option<Vec<u32>> = rows.iter().map(R::epoch).collect();
        if let Some(epochs) = epochs {
            let mut rising = rising(&epochs).into_iter();
            disorder.leave_out(rows, |_| !rising.next().unwrap_or(true));
        }
        disorder
    }

    /// Leaves out rows up to step `keep` of epochs that were not done by then.
    pub fn bound<R: Row>(&mut self, rows: &mut Vec<R>, keep: u64, epochs: u32) {
        self.leave_out(rows, |row| {
            row.place().0 <= keep && row.epoch().is_some_and(|epoch| epoch > epochs)
        });
    }

    fn leave_out<R: Row>(&mut self, rows: &mut Vec<R>, mut strange: impl FnMut(&R) -> bool) {
        rows.retain(|row| {
            let out = strange(row);
            self.strange.extend(out.then_some(row.place().0));
            !out
        });
    }

    /// Descriptions of what was wrong, each a part of a sentence.
    pub fn notes(&self) -> Vec<String> {
        let steps = |steps: &[u64]| {
            let noun = if steps.len() == 1 { "step" } else { "steps" };
            format!("{noun} {}", listed(steps.len() as u64, steps))
        };
        let mut reported = Vec::new();
        if let Some(step) = self.moved {
            reported.push(format!(
                "rows are out of order, the first of them that of step {step}: they are sorted"
            ));
        }
        if !self.doubled.is_empty() {
            reported.push(format!(
                "there are two rows each of {}: the first ones count",
                steps(&self.doubled)
            ));
        }
        if !self.strange.is_empty() {
            reported.push(format!(
                "the epochs of the rows of {} do not match those around them: they are left out",
                steps(&self.strange)
            ));
        }
        reported
    }
}

/// Marks the numbers that belong to a longest rising sequence among them.
fn rising(numbers: &[u32]) -> Vec<bool> {
    // For each length, the place of the smallest last number of a sequence; for each number, its predecessor in its
    // sequence.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|&end| numbers[end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut rising = vec![false; numbers.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        rising[at] = true;
        next = before[at];
    }
    rising
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::recording::tables::epoch::EpochRow;

    fn mended(rows: &[(u32, u64)]) -> (Vec<u32>, Vec<String>) {
        let row = |&(epoch, step): &(u32, u64)| EpochRow {
            epoch,
            step,
            ..EpochRow::default()
        };
        let mut rows: Vec<EpochRow> = rows.iter().map(row).collect();
        let disorder = Disorder::mend(&mut rows);
        (rows.iter().map(|row| row.epoch).collect(), disorder.notes())
    }

    #[test]
    fn rows_are_sorted_and_count_once() {
        let reported = |rows: &[(u32, u64)], left: &[u32], parts: &[&str]| {
            let (epochs, reported) = mended(rows);
            assert_eq!(epochs, left);
            assert_eq!(reported.len(), parts.len(), "{reported:?}");
            for (reported, part) in reported.iter().zip(parts) {
                assert!(reported.contains(part), "{reported}");
            }
        };
        let row = |epoch: u32| (epoch, 19 * u64::from(epoch));
        let [a, b, c, d] = [1, 2, 3, 4].map(row);
        reported(&[], &[], &[]);
        reported(&[a, b, c, d], &[1, 2, 3, 4], &[]);
        reported(&[b, d], &[2, 4], &[]);
        reported(
            &[a, c, b, d],
            &[1, 2, 3, 4],
            &["the first of them that of step 38"],
        );
        reported(&[a, b, b, b, c], &[1, 2, 3], &["of step 38: the first"]);
        let both = [
            "the first of them that of step 19",
            "of steps 19, 38: the first",
        ];
        reported(&[a, b, a, b, c], &[1, 2, 3], &both);
        reported(
            &[a, b, (7, 57), d],
            &[1, 2, 4],
            &["rows of step 57 do not match"],
        );
        reported(&[(9, 19), b, c], &[2, 3], &["rows of step 19 do not match"]);
        // The last one fits just as well on its own.
        reported(&[a, b, (7, 57)], &[1, 2, 7], &[]);
    }

    #[test]
    fn an_epoch_that_was_not_done_is_left_out() {
        let row = |epoch, step| EpochRow {
            epoch,
            step,
            ..EpochRow::default()
        };
        let mut rows = vec![row(1, 19), row(7, 38), row(8, 57)];
        let mut disorder = Disorder::mend(&mut rows);
        assert_eq!(disorder, Disorder::default());
        disorder.bound(&mut rows, 38, 2);
        let epochs: Vec<u32> = rows.iter().map(|row| row.epoch).collect();
        assert_eq!(epochs, [1, 8]);
        assert!(disorder.notes()[0].contains("the rows of step 38"));
    }
}
