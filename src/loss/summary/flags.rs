//! Samples to which several classes may apply.

use super::counts::{OfClass, mean};
use super::measure::Measure;
use super::ranking::Ranking;

/// The numbers of first classes that are looked at.
const FIRST: [(usize, &str); 3] = [(1, "P@1"), (3, "P@3"), (5, "P@5")];

#[derive(Clone, Debug, Default)]
pub(super) struct Flags {
    pub classes: Vec<OfClass>,
    /// `[sample][class]`.
    applies: Vec<bool>,
    samples: u64,
    exact: u64,
    /// Classes that apply among the first, for each entry of [`FIRST`].
    among_first: [u64; FIRST.len()],
    ranking: Ranking,
}

impl Flags {
    pub fn new(classes: usize) -> Self {
        Flags {
            classes: vec![OfClass::default(); classes],
            ..Flags::default()
        }
    }

    /// A sample's logits, and whether each class applies.
    pub fn add(&mut self, logits: &[f32], flags: &[f32]) {
        let mut is_exact = true;
        for ((of_class, &z), &flag) in self.classes.iter_mut().zip(logits).zip(flags) {
            let (told, applies) = (z > 0.0, flag > 0.5);
            of_class.told += u64::from(told);
            of_class.samples += u64::from(applies);
            of_class.right += u64::from(told && applies);
            is_exact &= told == applies;
        }
        self.samples += 1;
        self.exact += u64::from(is_exact);
        let mut order: Vec<usize> = (0..logits.len()).collect();
        // Equal ones stay in the order of their numbers.
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        for ((k, _), count) in FIRST.iter().zip(&mut self.among_first) {
            *count += order.iter().take(*k).filter(|&&c| flags[c] > 0.5).count() as u64;
        }
        self.applies.extend(flags.iter().map(|&flag| flag > 0.5));
        self.ranking.add(logits.iter().copied());
    }

    pub fn names(&self) -> Vec<&'static str> {
        let first = FIRST.iter().filter(|(k, _)| *k <= self.classes.len());
        let first = first.map(|&(_, name)| name);
        first.chain(["exact-match", "macro-F1", "AUC"]).collect()
    }

    pub fn measures(&self) -> Vec<Measure> {
        let classes = self.classes.len();
        let of_samples = |count: u64| count as f64 / self.samples.max(1) as f64;
        let first = FIRST
            .iter()
            .zip(self.among_first)
            .map(|((k, name), count)| {
                let share = of_samples(count) / *k as f64;
                Measure::higher(name, Some(share).filter(|_| *k <= classes))
            });
        let areas = (0..classes).map(|class| {
            let applies = |sample: usize| self.applies[sample * classes + class];
            self.ranking.area(class, classes, applies)
        });
        // A class that never applied and was never predicted counts as not found, as in scikit-learn.
        let f1 = self.classes.iter().map(|c| Some(c.f1().unwrap_or(0.0)));
        first
            .chain([
                Measure::higher("exact-match", Some(of_samples(self.exact))),
                Measure::higher("macro-F1", mean(f1)),
                Measure::higher("AUC", mean(areas)),
            ])
            .flatten()
            .collect()
    }
}
