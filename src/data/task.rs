//! What a network learns to predict for a sample, which follows from its targets.

use super::TargetKind;
use crate::choice::choice;

choice! {
    /// What a network learns to predict for a sample.
    pub enum Task {
        /// Which of several classes it is
        Classification = "classification",
        /// Which of several classes apply, each by itself
        MultiLabel = "multi-label",
        /// One or several numbers
        Regression = "regression",
    }
}

impl Task {
    /// The task of samples with such targets.
    pub fn of(targets: TargetKind) -> Self {
        match targets {
            TargetKind::Labels => Task::Classification,
            TargetKind::Flags(_) => Task::MultiLabel,
            TargetKind::Values(_) => Task::Regression,
        }
    }

    /// What it compares a sample's outputs with, in a few words.
    pub fn targets(self) -> &'static str {
        match self {
            Task::Classification => "a class a sample",
            Task::MultiLabel => "classes that apply or not",
            Task::Regression => "numbers",
        }
    }
}
