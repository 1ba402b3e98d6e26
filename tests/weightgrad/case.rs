//! A convolution with its data, and its patches by their definition.

use rootlet::engine::Device;
use rootlet::sparse::{Arena, LayerState, Window};

use crate::common::Random;

/// `[y, x]` of input, kernel, stride, padding.
pub type Sizes = [[usize; 2]; 4];

/// Kernels of 1, 2, 3, 5 and 7 and two that are not square; strides up to 3; planes from one position to 9 × 7; taps
/// that see only padding.
pub const WINDOWS: [Sizes; 14] = [
    [[1, 1], [1, 1], [1, 1], [0, 0]],
    [[3, 4], [1, 1], [1, 1], [0, 0]],
    [[5, 5], [1, 1], [2, 2], [0, 0]],
    [[4, 5], [2, 2], [2, 2], [0, 0]],
    [[1, 1], [3, 3], [1, 1], [1, 1]],
    [[2, 2], [3, 3], [1, 1], [1, 1]],
    [[9, 7], [3, 3], [1, 1], [1, 1]],
    [[8, 7], [3, 3], [2, 2], [1, 1]],
    [[7, 8], [3, 3], [3, 3], [0, 0]],
    [[6, 5], [5, 5], [1, 1], [2, 2]],
    [[9, 7], [7, 7], [2, 2], [3, 3]],
    [[3, 3], [5, 5], [3, 3], [4, 4]],
    [[5, 6], [1, 5], [1, 2], [0, 2]],
    [[6, 3], [3, 2], [3, 1], [2, 1]],
];

pub fn window([input, kernel, stride, padding]: Sizes) -> Window {
    Window::new(input, kernel, stride, padding).unwrap()
}

/// A layer of an arena, after another.
pub struct Case {
    pub window: Window,
    pub n_in: usize,
    pub n_out: usize,
    /// Size of the batch, and number of lanes.
    pub count: usize,
    pub lanes: usize,
    pub pairs: Vec<(u32, u32)>,
    /// `[channels][input positions][lanes]`; padding lanes hold garbage.
    pub input: Vec<f32>,
    /// `[n_out][output positions][lanes]`; padding lanes are zero.
    pub delta: Vec<f32>,
}

impl Case {
    /// `value` gives the numbers. Row 0 has all its pairs, the middle row none, and the others a third.
    pub fn new(
        random: &mut Random,
        window: Window,
        channels: usize,
        n_out: usize,
        count: usize,
        value: impl Fn(&mut Random) -> f32,
    ) -> Self {
        let lanes = count.next_multiple_of(4);
        let n_in = channels * window.taps();
        let mut pairs = Vec::new();
        for b in 0..n_out as u32 {
            for a in 0..n_in as u32 {
                let listed = b != n_out as u32 / 2 && random.word().is_multiple_of(3);
                if b == 0 || listed {
                    pairs.push((b, a));
                }
            }
        }
        let mut values = |positions: usize, padding: f32| -> Vec<f32> {
            (0..positions * lanes)
                .map(|i| match i % lanes < count {
                    true => value(random),
                    false => padding,
                })
                .collect()
        };
        let input = values(channels * window.input_positions(), -3e30);
        let delta = values(n_out * window.output_positions(), 0.0);
        Case {
            window,
            n_in,
            n_out,
            count,
            lanes,
            pairs,
            input,
            delta,
        }
    }

    pub fn arena(&self, device: &Device) -> Arena {
        let other = LayerState::from_pairs(5, 3, &[(0, 1), (2, 0), (2, 4)]);
        let layer = LayerState::from_pairs(self.n_in, self.n_out, &self.pairs);
        Arena::new(device, &[other.clone(), layer, other]).unwrap()
    }

    /// What input unit `a` sees at output position `(y, x)`: one number per sample, with zeros outside the plane.
    fn patch(&self, a: usize, [y, x]: [usize; 2]) -> Vec<f64> {
        let w = &self.window;
        let (channel, tap) = (a / w.taps(), a % w.taps());
        // In the plane with its border of zeros.
        let row = y * w.stride[0] + tap / w.kernel[1];
        let column = x * w.stride[1] + tap % w.kernel[1];
        let inside =
            |at: usize, axis: usize| at >= w.padding[axis] && at < w.padding[axis] + w.input[axis];
        if !inside(row, 0) || !inside(column, 1) {
            return vec![0.0; self.count];
        }
        let position = (row - w.padding[0]) * w.input[1] + column - w.padding[1];
        let at = (channel * w.input_positions() + position) * self.lanes;
        let row = &self.input[at..at + self.count];
        row.iter().map(|&x| f64::from(x)).collect()
    }

    /// Everything that unit `a` sees, position by position, sample by sample.
    pub fn patches(&self, a: usize) -> Vec<f64> {
        let [rows, columns] = self.window.output;
        (0..rows)
            .flat_map(|y| (0..columns).map(move |x| [y, x]))
            .flat_map(|position| self.patch(a, position))
            .collect()
    }

    /// The same for the deltas of output unit `b`.
    pub fn deltas(&self, b: usize) -> Vec<f64> {
        let row = self.window.output_positions() * self.lanes;
        self.delta[b * row..][..row]
            .chunks(self.lanes)
            .flat_map(|row| row[..self.count].iter().map(|&d| f64::from(d)))
            .collect()
    }

    pub fn name(&self) -> String {
        format!(
            "{:?}, {} to {}, batch {}",
            self.window, self.n_in, self.n_out, self.count
        )
    }
}
