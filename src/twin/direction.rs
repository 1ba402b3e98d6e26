//! The two ways through a window.

use crate::window::Window;

/// Which plane of a window is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Direction {
    /// The output plane, from the input plane.
    Forward,
    /// The input plane, from the output plane.
    Transposed,
}

impl Direction {
    /// Positions of the plane that is written.
    pub fn written(self, window: &Window) -> [usize; 2] {
        match self {
            Direction::Forward => window.output,
            Direction::Transposed => window.input,
        }
    }

    /// Positions of the plane that is read.
    pub fn read(self, window: &Window) -> [usize; 2] {
        match self {
            Direction::Forward => window.input,
            Direction::Transposed => window.output,
        }
    }
}
