//! The size of a value.

/// Size of a value: `[channels][height][width][batch]`. Tokens are positions; a plain vector has one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Channels of an image, features of a token, units of a vector.
    pub channels: usize,
    /// Rows of positions.
    pub height: usize,
    /// Columns of positions.
    pub width: usize,
}

impl Extent {
    /// A vector of `units`.
    pub fn vector(units: usize) -> Self {
        Extent {
            channels: units,
            height: 1,
            width: 1,
        }
    }

    /// The same number of channels over the output positions of a window.
    pub fn windowed(channels: usize, output: [usize; 2]) -> Self {
        let [height, width] = output;
        Extent {
            channels,
            height,
            width,
        }
    }

    /// Positions of a channel.
    pub fn positions(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Numbers per sample of the batch.
    pub fn size(&self) -> usize {
        self.channels.saturating_mul(self.positions())
    }

    /// Positions as `[y, x]`.
    pub fn plane(&self) -> [usize; 2] {
        [self.height, self.width]
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.positions() {
            1 => write!(f, "{}", self.channels),
            _ => write!(f, "{}×{}×{}", self.channels, self.height, self.width),
        }
    }
}
