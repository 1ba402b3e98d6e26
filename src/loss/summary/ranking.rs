//! The area under the ROC curve.

/// Maximum number of scores that are kept for it, over all samples and classes: above that it is not reported.
const MOST: usize = 1 << 26;

/// Scores of samples, `[sample][class]`, as long as there is room.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranking {
    scores: Vec<f32>,
    is_full: bool,
}

impl Ranking {
    /// Keeps a sample's scores.
    pub fn add(&mut self, scores: impl ExactSizeIterator<Item = f32>) {
        if self.is_full || self.scores.len() + scores.len() > MOST {
            self.is_full = true;
            self.scores = Vec::new();
            return;
        }
        self.scores.extend(scores);
    }

    /// The area of a class: the probability that a sample to which it applies has a higher score than one to which it
    /// does not, with equal scores counting half (Mann and Whitney 1947). `None` unless there are both.
    pub fn area(
        &self,
        class: usize,
        classes: usize,
        applies: impl Fn(usize) -> bool,
    ) -> Option<f64> {
        if self.is_full {
            return None;
        }
        let column = self.scores.iter().skip(class).step_by(classes.max(1));
        let mut ranked: Vec<(f32, bool)> = column
            .enumerate()
            .map(|(sample, &score)| (score, applies(sample)))
            .collect();
        ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let positives = ranked.iter().filter(|(_, applies)| *applies).count() as f64;
        let negatives = ranked.len() as f64 - positives;
        if positives == 0.0 || negatives == 0.0 {
            return None;
        }
        let (mut below, mut area) = (0.0, 0.0);
        for equal in ranked.chunk_by(|a, b| a.0 == b.0) {
            let own = equal.iter().filter(|(_, applies)| *applies).count() as f64;
            let others = equal.len() as f64 - own;
            area += own * (below + others / 2.0);
            below += others;
        }
        Some(area / (positives * negatives))
    }
}
