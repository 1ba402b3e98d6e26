//! Which run a checkpoint belongs to, and what has changed since that run began.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The run that saved a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// When it was first started, in RFC 3339 form, which distinguishes it from every other run.
    pub began: String,
    /// The adapter that it ran on when it saved this.
    pub adapter: String,
}

/// Something that changed when a run was resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Number of steps that were done before the change.
    pub step: u64,
    /// The value's name, as in `config.toml`; [`Change::IMAGES`] or [`Change::ADAPTER`].
    pub name: String,
    /// What it was before, in a few words, if the configuration alone no longer repeats the run; otherwise none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// A sentence to show beside the result.
    pub remark: String,
}

impl Change {
    /// The name of a change of the images.
    pub const IMAGES: &str = "images";
    /// The name of a change of the adapter.
    pub const ADAPTER: &str = "adapter";

    /// Whether it is a value of the configuration that somebody changed on purpose.
    pub(crate) fn was_asked_for(&self) -> bool {
        self.before.is_some() && ![Self::IMAGES, Self::ADAPTER].contains(&self.name.as_str())
    }

    /// The change in a few words, if the run is no longer what its configuration says.
    pub(crate) fn label(&self) -> Option<String> {
        let before = self.before.as_deref()?;
        Some(format!("{} {before} up to step {}", self.name, self.step))
    }
}

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// Number of steps done by then.
    pub step: u64,
    /// Mean loss.
    pub loss: f32,
    /// Accuracy, 0 to 1; none if accuracy is not the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f32>,
}

impl Tested {
    /// Whether these are its numbers, as far as their text in a file can tell.
    pub(crate) fn is(&self, loss: f32, accuracy: f32) -> bool {
        let same = |a: f32, b: f32| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
        same(loss, self.loss) && self.accuracy.is_none_or(|own| same(accuracy, own))
    }
}

impl fmt::Display for Tested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}", self.loss)?;
        match self.accuracy {
            Some(share) => write!(f, " and accuracy {:.2} %", 100.0 * share),
            None => Ok(()),
        }
    }
}
