//! Gradient clipping: all gradients together are shortened to a norm, like `torch.nn.utils.clip_grad_norm_`.

use rayon::prelude::*;

use crate::engine::loops::{NONE, looped};
use crate::engine::{Buffer, Grid, Plan, View};
use crate::error::Result;
use crate::threads::DealOut;

crate::kernel! {
    /// Sums the squares of every `workgroups`-th stretch of 64 vectors into `sums[first + workgroup]`. Grid:
    /// `workgroups`.
    ///
    /// Shapes: `numbers` `[4 * vectors]`; other sums are left alone.
    pub SquareSums, SquareSumsParams, SquareSumsTwin = "optim/square_sums", shader!("optim/square_sums");
    params {
        /// A quarter of the numbers.
        vectors: u32,
        /// Number of sums.
        workgroups: u32,
        /// Index of the first of them.
        first: u32,
    }
    loops |p, _| looped(p.vectors.div_ceil(p.workgroups.max(1) * LANES as u32), NONE) + looped(LANES as u32, NONE);
    read numbers: f32,
    write sums: f32,
}

crate::kernel! {
    /// `factor[0] = min(1, limit / (norm + 1e-6))`, `factor[1] = norm`, where the norm is the root of the sum of
    /// `sums`. Grid: one workgroup.
    pub ClipFactor, ClipFactorParams, ClipFactorTwin = "optim/clip_factor", shader!("optim/clip_factor");
    params {
        /// Number of sums.
        count: u32,
        /// The largest norm allowed.
        limit: f32,
    }
    loops |p, _| looped(p.count.div_ceil(LANES as u32), NONE) + looped(LANES as u32, NONE);
    read sums: f32,
    write factor: f32,
}

crate::kernel! {
    /// `numbers *= factor[0]`. Grid: [`Items`](crate::engine::Grid::Items) = vectors.
    ///
    /// Shapes: `numbers` `[4 * vectors]`.
    pub Scale, ScaleParams, ScaleTwin = "optim/scale", shader!("optim/scale");
    params {
        /// A quarter of the numbers.
        vectors: u32,
    }
    no loops;
    read factor: f32,
    write numbers: f32,
}

/// Lanes of a workgroup, which decide the order of the sums.
const LANES: usize = 64;
/// Most sums per group.
const WORKGROUPS: usize = 256;

/// Number of values that a thread takes at a time.
const CHUNK: usize = 16 * 1024;

/// The sum of 64 lanes' sums.
fn added(lanes: [f32; LANES]) -> f32 {
    lanes[1..].iter().fold(lanes[0], |sum, lane| sum + lane)
}

impl SquareSumsTwin<'_> {
    fn run(self) {
        let (groups, first) = (self.params.workgroups as usize, self.params.first as usize);
        let (vectors, _) = self.numbers[..4 * self.params.vectors as usize].as_chunks::<4>();
        let sums = self.sums[first..first + groups].par_iter_mut();
        sums.enumerate().deal_out(|(group, sum)| {
            let mut lanes = [0.0; LANES];
            for stretch in vectors.chunks(LANES).skip(group).step_by(groups) {
                for (lane, vector) in lanes.iter_mut().zip(stretch) {
                    *lane += vector.iter().map(|x| x * x).sum::<f32>();
                }
            }
            *sum = added(lanes);
        });
    }
}

impl ClipFactorTwin<'_> {
    fn run(self) {
        let mut lanes = [0.0; LANES];
        for (i, sum) in self.sums[..self.params.count as usize].iter().enumerate() {
            lanes[i % LANES] += sum;
        }
        let (norm, limit) = (added(lanes).sqrt(), self.params.limit);
        self.factor[0] = if norm <= limit {
            1.0
        } else {
            limit / (norm + 1e-6)
        };
        self.factor[1] = norm;
    }
}

impl ScaleTwin<'_> {
    fn run(self) {
        let factor = self.factor[0];
        let numbers = &mut self.numbers[..4 * self.params.vectors as usize];
        numbers.par_chunks_mut(CHUNK).deal_out(|chunk| {
            for number in chunk {
                *number *= factor;
            }
        });
    }
}

/// Memory for clipping.
pub struct ClipBuffers {
    /// Sums of squares of all groups.
    pub sums: Buffer,
    /// `[2]`: the factor that gradients were multiplied by, and the norm that they had.
    pub factor: Buffer,
}

impl ClipBuffers {
    /// Words of [`ClipBuffers::sums`].
    pub const SUMS: usize = 3 * WORKGROUPS;
    /// Words of [`ClipBuffers::factor`].
    pub const FACTOR: usize = 2;

    /// Records that the gradients of these groups together are limited to this norm. The `count` numbers of each may be
    /// followed by zeros up to a multiple of four.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn record(&self, plan: &mut Plan, limit: f32, groups: &[(usize, View)]) -> Result<()> {
        let mut first = 0;
        for (count, gradient) in groups {
            let vectors = count.div_ceil(4);
            let workgroups = vectors.div_ceil(LANES).clamp(1, WORKGROUPS);
            let params = SquareSumsParams {
                vectors: vectors as u32,
                workgroups: workgroups as u32,
                first: first as u32,
            };
            let kernel = SquareSums {
                params,
                numbers: gradient.clone(),
                sums: self.sums.all(),
            };
            plan.dispatch(kernel, Grid::Groups(workgroups))?;
            first += workgroups;
        }
        let kernel = ClipFactor {
            params: ClipFactorParams {
                count: first as u32,
                limit,
            },
            sums: self.sums.all(),
            factor: self.factor.all(),
        };
        plan.dispatch(kernel, Grid::Groups(1))?;
        for (count, gradient) in groups {
            let vectors = count.div_ceil(4);
            let kernel = Scale {
                params: ScaleParams {
                    vectors: vectors as u32,
                },
                factor: self.factor.all(),
                numbers: gradient.clone(),
            };
            plan.dispatch(kernel, Grid::Items(vectors))?;
        }
        Ok(())
    }
}
