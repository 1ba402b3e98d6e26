//! Where the samples of a part that nothing is learned from come from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the samples for evaluation come from: never from those that the network learns from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestPart {
    /// They belong to the set.
    #[default]
    Published,
    /// They are in files with a published set's names, some of which do not have the published contents.
    Given,
    /// They are in the folder with that name, beside the training images.
    Folder(String),
    /// They are the rows of the file with that name.
    File(String),
    /// There are none.
    Nothing,
    /// There are none, and none are missed: a training without a validation part is then never evaluated.
    Unwanted,
    /// They were split off the training images or rows, because the set has no others.
    SplitOff {
        /// Share of all images for training, or of all rows.
        share: f64,
        /// The seed that chose them.
        seed: u32,
        /// Whether the network may have learned from some of them: it was trained on other images of the folder, or
        /// when nothing, or something else, was split off. Its accuracy on them is then not a test accuracy.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trained_on: bool,
        /// Whether they are rows of a table.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rows: bool,
    },
}

impl TestPart {
    /// Images that were split off those for training.
    pub(in crate::data) fn split_off(share: f64, seed: u32) -> Self {
        TestPart::SplitOff {
            share,
            seed,
            trained_on: false,
            rows: false,
        }
    }

    /// Whether the network may have learned from some of the images.
    pub fn trained_on(&self) -> bool {
        match self {
            TestPart::SplitOff { trained_on, .. } => *trained_on,
            TestPart::Published
            | TestPart::Given
            | TestPart::Folder(_)
            | TestPart::File(_)
            | TestPart::Nothing
            | TestPart::Unwanted => false,
        }
    }
}

impl fmt::Display for TestPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TestPart::Published => f.write_str("the set's own"),
            TestPart::Given => f.write_str("in files that are not the published ones"),
            TestPart::Folder(name) => write!(f, "from {name}/"),
            TestPart::File(name) => write!(f, "from {name}"),
            TestPart::Nothing | TestPart::Unwanted => f.write_str("none"),
            TestPart::SplitOff {
                share,
                seed,
                trained_on,
                rows,
            } => {
                let percent = (share * 1e4).round() / 100.0;
                let trained_on = match trained_on {
                    true => ", some of which the network may have been trained on",
                    false => "",
                };
                let of = match rows {
                    true => "of the rows held out",
                    false => "split off the training images",
                };
                write!(f, "{percent} % {of} by seed {seed}{trained_on}")
            }
        }
    }
}
