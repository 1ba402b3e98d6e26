//! Planes of a convolution in parts, over each of which a workgroup sums something for the batch norm after or before
//! the plane (`shaders/lib/conv_parts.wgsl`).

use super::conv_list::TILE;
use crate::engine::WorkgroupShape;
use crate::engine::loops::MOST_ITERATIONS;

/// Number of items, each a tile of positions for four lanes of the batch, that a workgroup of the hardware shape takes
/// at once.
const BLOCK: usize = 128;

/// Maximum number of parts of a plane: each workgroup of the norm goes through all of them, one by one.
const MOST: usize = 64;

/// How a plane is divided into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlaneParts {
    /// Number of parts.
    pub parts: u32,
    /// Items per part; the last one may have fewer.
    pub items: u32,
}

impl PlaneParts {
    /// The division of a plane with this many items.
    pub fn of(items: usize) -> Self {
        let blocks = items.div_ceil(BLOCK);
        let each = blocks.div_ceil(MOST);
        PlaneParts {
            parts: blocks.div_ceil(each) as u32,
            items: (each * BLOCK) as u32,
        }
    }
}

/// A plane whose rows of `width` positions are divided into tiles of four, `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Tiling {
    pub height: usize,
    pub width: usize,
    pub stride: usize,
    /// Vectors of four lanes.
    pub vectors: usize,
}

impl Tiling {
    fn tiles_of_row(&self) -> [usize; 2] {
        let tiles = self.width.div_ceil(self.stride).div_ceil(TILE);
        [self.stride, tiles]
    }

    /// Items of the plane.
    pub fn items(&self) -> usize {
        self.height * self.tiles_of_row().into_iter().product::<usize>() * self.vectors
    }

    /// Calls `each` with the place in the plane of every word of a part that holds one of `count` samples.
    pub fn members(
        &self,
        parts: PlaneParts,
        part: usize,
        count: usize,
        mut each: impl FnMut(usize),
    ) {
        let [strides, tiles] = self.tiles_of_row();
        let first = part * parts.items as usize;
        for item in first..(first + parts.items as usize).min(self.items()) {
            let (tile, v) = (item / self.vectors, item % self.vectors);
            let (y, number) = (tile / (strides * tiles), tile % (strides * tiles));
            let x = number / tiles + number % tiles * TILE * self.stride;
            let columns = (x..self.width).step_by(self.stride).take(TILE);
            for position in columns.map(|x| y * self.width + x) {
                let lanes = 4 * v..(4 * v + 4).min(count);
                lanes.for_each(|lane| each(position * self.vectors * 4 + lane));
            }
        }
    }
}

/// Whether a dispatch with these loops runs as one, in either shape.
pub(super) fn runs_whole(iterations: impl Fn(WorkgroupShape) -> u64) -> bool {
    let shapes = WorkgroupShape::ALL.into_iter();
    shapes.map(iterations).all(|n| n <= MOST_ITERATIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every word of a plane that holds a sample is in one part.
    #[test]
    fn parts_have_every_member_once() {
        for (height, width, stride, vectors, count) in [
            (32, 32, 1, 32, 128),
            (8, 8, 1, 3, 9),
            (5, 7, 2, 2, 6),
            (1, 1, 1, 1, 1),
            (9, 10, 3, 5, 4),
            (112, 112, 1, 8, 31),
        ] {
            let tiling = Tiling {
                height,
                width,
                stride,
                vectors,
            };
            let parts = PlaneParts::of(tiling.items());
            assert!((1..=MOST as u32).contains(&parts.parts));
            let mut seen = vec![0; height * width * vectors * 4];
            for part in 0..parts.parts as usize {
                tiling.members(parts, part, count, |at| seen[at] += 1);
            }
            for (at, seen) in seen.iter().enumerate() {
                let member = at % (vectors * 4) < count;
                assert_eq!(*seen, i32::from(member), "{height}×{width}: {at}");
            }
        }
    }
}
