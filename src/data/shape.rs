//! The size of an image.

use serde::{Deserialize, Serialize};

use crate::layer::Extent;

/// Size of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Colour planes: 1 for grey, 3 for RGB.
    pub channels: usize,
    /// Rows of a plane.
    pub height: usize,
    /// Columns of a plane.
    pub width: usize,
}

impl ImageShape {
    /// A plain vector of numbers.
    pub fn vector(length: usize) -> Self {
        ImageShape {
            channels: length,
            height: 1,
            width: 1,
        }
    }

    /// Number of values in one image, which is a network's number of inputs: channels × height × width.
    pub fn features(&self) -> usize {
        let plane = self.height.saturating_mul(self.width);
        self.channels.saturating_mul(plane)
    }

    /// The input size of a model that takes such images.
    pub fn extent(&self) -> Extent {
        Extent {
            channels: self.channels,
            height: self.height,
            width: self.width,
        }
    }
}
