//! The right-hand sides of the CPU twins' products, packed: what the positions of a plane see through a window.
//!
//! A layer through a window is one matrix product of the weights with the matrix of patches, which has a row for each
//! unit and kernel tap, and a column for each position and sample of the batch. That matrix never exists as a whole: a
//! few rows and columns at a time are copied into the cache where the product needs them.

use std::ops::Range;

use pulp::Simd;

use super::Direction;
use crate::window::Window;

/// A tap of the kernel, as the positions of a class see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    /// Its index in the kernel.
    pub number: usize,
    /// The offset from a position's origin to what it sees through the tap, `[y, x]`.
    pub shift: [isize; 2],
}

/// Written positions that see through the same taps: all, or in the transposed product of a strided layer those with
/// the same remainders.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    remainder: [usize; 2],
    /// Its taps.
    pub taps: Vec<Tap>,
}

/// Lanes of one written position that lie in one panel of the packed matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// First lane among the packed ones.
    pub packed: usize,
    /// First lane among the written ones, counted from the first of the block.
    pub written: usize,
    /// Number of lanes.
    pub lanes: usize,
    /// The position's origin in the source, `[y, x]`; may lie outside the plane.
    origin: [isize; 2],
    /// Its first lane, counted from the start of a unit's plane.
    at: isize,
}

impl Segment {
    /// Lanes that are packed where they are written.
    pub fn plain(packed: usize, lanes: usize) -> Self {
        Segment {
            packed,
            written: packed,
            lanes,
            origin: [0, 0],
            at: 0,
        }
    }
}

/// A source seen through a window.
pub(crate) struct Patches<'a> {
    source: &'a [f32],
    direction: Direction,
    window: Window,
    /// Lanes of a position.
    lanes: usize,
}

impl<'a> Patches<'a> {
    /// `source`: `[units][positions][lanes]`.
    pub fn new(source: &'a [f32], direction: Direction, window: Window, lanes: usize) -> Self {
        // Positions that are seen alone are further lanes.
        let (window, lanes) = match window.is_pointwise() {
            true => {
                let row = window.output_positions() * lanes;
                (Window::pointwise([1, 1]), row)
            }
            false => (window, lanes),
        };
        Patches {
            source,
            direction,
            window,
            lanes,
        }
    }

    fn written(&self) -> [usize; 2] {
        self.direction.written(&self.window)
    }

    fn seen(&self) -> [usize; 2] {
        self.direction.read(&self.window)
    }

    /// Lanes of a unit's written plane.
    pub fn plane(&self) -> usize {
        self.written().into_iter().product::<usize>() * self.lanes
    }

    /// The classes of written positions.
    pub fn classes(&self) -> Vec<Class> {
        let steps = match self.direction {
            Direction::Forward => [1, 1],
            Direction::Transposed => self.window.stride,
        };
        let mut classes = Vec::new();
        for y in 0..steps[0] {
            for x in 0..steps[1] {
                let remainder = [y, x];
                let mut taps = Vec::new();
                for (number, tap) in (0..self.window.kernel[0])
                    .flat_map(|y| (0..self.window.kernel[1]).map(move |x| [y, x]))
                    .enumerate()
                {
                    let meets = |axis: usize| tap[axis] % steps[axis] == remainder[axis];
                    let shift = |axis: usize| match self.direction {
                        Direction::Forward => tap[axis] as isize,
                        Direction::Transposed => -((tap[axis] / steps[axis]) as isize),
                    };
                    if meets(0) && meets(1) {
                        let shift = [shift(0), shift(1)];
                        taps.push(Tap { number, shift });
                    }
                }
                classes.push(Class { remainder, taps });
            }
        }
        classes
    }

    /// What a class writes among the lanes `block` of a plane, divided into panels of `width` lanes.
    pub fn segments(
        &self,
        class: &Class,
        block: Range<usize>,
        width: usize,
        segments: &mut Vec<Segment>,
    ) {
        segments.clear();
        let mut packed = 0;
        let mut lane = block.start;
        while lane < block.end {
            let position = lane / self.lanes;
            let end = ((position + 1) * self.lanes).min(block.end);
            let at = [position / self.written()[1], position % self.written()[1]];
            let mut origin = [0isize; 2];
            let mut member = true;
            for axis in 0..2 {
                let (step, padding) = (self.window.stride[axis], self.window.padding[axis]);
                origin[axis] = match self.direction {
                    Direction::Forward => (at[axis] * step) as isize - padding as isize,
                    Direction::Transposed => {
                        let way = at[axis] + padding;
                        member &= way % step == class.remainder[axis];
                        (way / step) as isize
                    }
                };
            }
            let mut first = lane;
            while member && first < end {
                let lanes = (end - first).min(width - packed % width);
                let from = first - position * self.lanes;
                let place = origin[0] * self.seen()[1] as isize + origin[1];
                segments.push(Segment {
                    packed,
                    written: first - block.start,
                    lanes,
                    origin,
                    at: place * self.lanes as isize + from as isize,
                });
                packed += lanes;
                first += lanes;
            }
            lane = end;
        }
    }

    /// Packs rows `rows` of a class's patches as panels `[panel][row][width]`, where row `k` is unit `k / taps` through
    /// tap `k % taps` of the class. Whatever the segments leave of the last panel stays zero, like the padding.
    #[inline(always)]
    pub fn pack<S: Simd>(
        &self,
        class: &Class,
        rows: Range<usize>,
        segments: &[Segment],
        width: usize,
        packed: &mut [f32],
    ) {
        if class.taps.is_empty() {
            return;
        }
        let [height, breadth] = self.seen();
        let plane = (height * breadth * self.lanes) as isize;
        let count = rows.len();
        let (mut unit, mut tap) = (rows.start / class.taps.len(), rows.start % class.taps.len());
        for row in 0..count {
            let [y, x] = class.taps[tap].shift;
            let shift = (y * breadth as isize + x) * self.lanes as isize + unit as isize * plane;
            for segment in segments {
                let to =
                    segment.packed / width * (count * width) + row * width + segment.packed % width;
                let to = &mut packed[to..to + segment.lanes];
                let inside = ((segment.origin[0] + y) as usize) < height
                    && ((segment.origin[1] + x) as usize) < breadth;
                if inside {
                    let from = (segment.at + shift) as usize;
                    copy::<S>(&self.source[from..from + segment.lanes], to);
                } else {
                    to.fill(0.0);
                }
            }
            if let Some(last) = segments.last() {
                let end = last.packed + last.lanes;
                let used = end % width;
                if used != 0 {
                    let to = end / width * (count * width) + row * width;
                    packed[to + used..to + width].fill(0.0);
                }
            }
            tap += 1;
            if tap == class.taps.len() {
                (unit, tap) = (unit + 1, 0);
            }
        }
    }
}

/// Short runs, for which a call to the system's copy would cost more than the copying.
#[inline(always)]
fn copy<S: Simd>(from: &[f32], to: &mut [f32]) {
    let (from, from_rest) = S::as_simd_f32s(from);
    let (to, to_rest) = S::as_mut_simd_f32s(to);
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = *from;
    }
}
