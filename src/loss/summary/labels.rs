//! Samples of one class each.

use std::collections::BTreeMap;

use super::counts::{OfClass, mean};
use super::measure::Measure;
use super::ranking::Ranking;

/// Number of classes that a sample's own has to be among, if there are more.
const FEW: usize = 5;

#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    pub classes: Vec<OfClass>,
    labels: Vec<u32>,
    /// How many samples of a class were taken for another or for it, by the two: class, answer.
    pub confusion: BTreeMap<(u32, u32), u64>,
    among_few: u64,
    ranking: Ranking,
}

impl Labels {
    pub fn new(classes: usize) -> Self {
        Labels {
            classes: vec![OfClass::default(); classes],
            ..Labels::default()
        }
    }

    /// A sample's logits and its class.
    pub fn add(&mut self, logits: &[f32], label: u32) {
        let own = logits[label as usize];
        let better = |best, c| if logits[c] > logits[best] { c } else { best };
        let best = (1..logits.len()).fold(0, better);
        let comes_before = |&(c, &z): &(usize, &f32)| z > own || (z == own && c < label as usize);
        let before = logits.iter().enumerate().filter(comes_before).count();
        self.among_few += u64::from(before < FEW);
        self.classes[best].told += 1;
        self.classes[label as usize].samples += 1;
        self.classes[label as usize].right += u64::from(best == label as usize);
        *self.confusion.entry((label, best as u32)).or_default() += 1;
        self.labels.push(label);
        // What the softmax says for a class against all others: the log-odds have the same ranking as the
        // probabilities, and do not saturate at 1.
        let above = |z: f32| f64::from(z) - f64::from(logits[best]);
        let others = logits.iter().enumerate().filter(|(c, _)| *c != best);
        let rest: f64 = others.map(|(_, &z)| above(z).exp()).sum();
        self.ranking.add(logits.iter().enumerate().map(|(c, &z)| {
            let against = match c == best {
                true => rest,
                false => 1.0 + rest - above(z).exp(),
            };
            (above(z) - against.ln()) as f32
        }));
    }

    pub fn measures(&self) -> Vec<Measure> {
        let samples = self.labels.len();
        let classes = self.classes.len();
        let few = self.among_few as f64 / samples.max(1) as f64;
        let areas = (0..classes).map(|class| {
            let applies = |sample: usize| self.labels[sample] as usize == class;
            self.ranking.area(class, classes, applies)
        });
        [
            Measure::higher("top-5", Some(few).filter(|_| classes > FEW)),
            Measure::higher(
                "balanced-accuracy",
                mean(self.classes.iter().map(OfClass::recall)),
            ),
            Measure::higher("macro-F1", mean(self.classes.iter().map(OfClass::f1))),
            Measure::higher("AUC", mean(areas)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
