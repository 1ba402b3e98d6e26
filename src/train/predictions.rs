//! What a network predicts for samples.

use crate::data::Task;
use crate::data::table::Preprocessing;

/// A network's outputs for some samples: for classes logits, not probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    outputs: usize,
    /// `[sample][output]`.
    values: Vec<f32>,
    task: Task,
}

impl Predictions {
    /// The predictions `[sample][output]` for a task.
    pub(super) fn new(outputs: usize, values: Vec<f32>, task: Task) -> Self {
        Self {
            outputs,
            values,
            task,
        }
    }

    /// The same predictions with values in the target's own unit.
    pub(super) fn in_own_unit(mut self, rules: Option<&Preprocessing>) -> Self {
        if let Some(rules) = rules {
            rules.to_own_unit(&mut self.values);
        }
        self
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.values.len() / self.outputs
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All outputs, `[sample][output]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The outputs for each sample.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.outputs)
    }

    /// The class of each sample: its largest output, or the lowest class among equal ones.
    pub fn classes(&self) -> Vec<usize> {
        let largest = |row: &[f32]| {
            let better = |best, c| if row[c] > row[best] { c } else { best };
            (1..row.len()).fold(0, better)
        };
        self.rows().map(largest).collect()
    }

    /// The probabilities, `[sample][class]`, if the network was trained by cross-entropy: the softmax of each sample's
    /// outputs, or the sigmoid of each output if several classes can apply. Empty for a network that predicts numbers.
    pub fn probabilities(&self) -> Vec<f32> {
        if self.task == Task::Regression {
            return Vec::new();
        }
        let mut all = self.values.clone();
        for row in all.chunks_exact_mut(self.outputs) {
            to_probabilities(self.task, row);
        }
        all
    }
}

/// Turns a sample's outputs into probabilities, in place; numbers stay.
pub(crate) fn to_probabilities(task: Task, row: &mut [f32]) {
    match task {
        Task::Classification => {
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|z| *z = (*z - highest).exp());
            let total: f32 = row.iter().sum();
            row.iter_mut().for_each(|z| *z /= total);
        }
        Task::MultiLabel => row.iter_mut().for_each(|z| *z = 1.0 / (1.0 + (-*z).exp())),
        Task::Regression => {}
    }
}
