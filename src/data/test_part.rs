//! Where the samples of a part come from that nothing is learned from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the samples of a part come from that a network is evaluated by: never from those that it learns from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestPart {
    /// They are the set's own.
    #[default]
    Published,
    /// They are in files of a published set's names, of which some have other contents than the published ones.
    Given,
    /// They are in the folder of that name, beside the training images.
    Folder(String),
    /// They are the rows of the file of that name.
    File(String),
    /// There are none.
    Nothing,
    /// They were split off the training images or rows, which have no others beside them.
    SplitOff {
        /// Of all images that are there to train, or of all rows.
        share: f64,
        /// What chose them.
        seed: u32,
        /// Whether the network may have learned from some: it was trained on other images of the folder, or when
        /// nothing, or something else, was split off. Its accuracy on them is then none of a test.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trained_on: bool,
        /// Whether they are a table's rows.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rows: bool,
    },
}

impl TestPart {
    /// Images that were split off those to train with.
    pub(super) fn split_off(share: f64, seed: u32) -> Self {
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
            | TestPart::Nothing => false,
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
            TestPart::Nothing => f.write_str("none"),
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
