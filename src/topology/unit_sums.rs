//! Sums over the batch of what each unit sees: the kernels behind f and g.
//!
//! Sums are taken in one fixed order, the same in shader and twin, and without products that an adapter could fuse. So
//! the bits, and with them the topology, are the same on every adapter.

use rayon::prelude::*;

use crate::engine::loops::{Loops, NONE, cut, looped};
use crate::engine::step_state::StepState;
use crate::engine::{Grid, WorkgroupShape};
use crate::error::Result;
use crate::sparse::{Window, WindowParams};
use crate::threads::DealOut;

/// Number of invocations that share a unit; each holds a vector of four partial sums.
const LANES: usize = 8;

const PARTIAL: usize = LANES * 4;

/// Number of units per workgroup.
const UNITS: usize = 8;

crate::kernel! {
    /// GraBo: `sums[first + u] = sum over positions and samples of |values|`, or adds to it, for each unit u as its tap
    /// of the window sees `values` `[units / taps][input positions][4 * vectors]`. Grid:
    /// [`Groups`](crate::engine::Grid::Groups), one per 8 units.
    pub GraBo, GraBoParams, GraBoTwin = "topology/grabo", shader!("topology/grabo");
    params {
        /// The planes and the window.
        window: WindowParams,
        rows: u32, vectors: u32, first: u32, accumulate: u32,
        /// Output positions in rows `begin_y..end_y` are summed.
        begin_y: u32, end_y: u32,
    }
    loops GraBoParams::loops;
    read values: f32,
    write sums: f32,
    uniform step: StepState,
}

crate::kernel! {
    /// GraEst: like [`GraBo`], with the sum of `values * signs`, but not its magnitude, which
    /// [`Cumulate`](super::Cumulate) takes, so that a batch may come in parts. `signs`
    /// `[output positions][4 * vectors]`. Grid: as [`GraBo`].
    pub GraEst, GraEstParams, GraEstTwin = "topology/graest", shader!("topology/graest");
    params {
        /// The planes and the window.
        window: WindowParams,
        rows: u32, vectors: u32, first: u32, accumulate: u32,
        /// Output positions in rows `begin_y..end_y` are summed.
        begin_y: u32, end_y: u32,
    }
    loops GraEstParams::loops;
    read values: f32,
    read signs: f32,
    write sums: f32,
}

/// The two kernels have the same parameters.
macro_rules! params {
    ($Params:ident) => {
        impl $Params {
            /// Parameters for `units` units whose sums are `sums[first..]`, seen through `window`. `lanes`: lanes of
            /// the batch.
            ///
            /// # Errors
            /// The units are not whole kernels, or a convolution has 2^22 units or more.
            pub fn new(
                window: &Window,
                units: usize,
                first: usize,
                lanes: usize,
                accumulate: bool,
            ) -> Result<Self> {
                let channels = window.channels(units)?;
                Ok($Params {
                    window: WindowParams::new(window, channels),
                    rows: units as u32,
                    vectors: (lanes / 4) as u32,
                    first: first as u32,
                    accumulate: u32::from(accumulate),
                    begin_y: 0,
                    end_y: window.output[0] as u32,
                })
            }

            /// The grid.
            pub fn grid(&self) -> Grid {
                Grid::Groups((self.rows as usize).div_ceil(UNITS))
            }

            fn loops(&self, _: WorkgroupShape) -> Loops {
                let lanes = LANES as u32;
                let line = looped(
                    self.window.output_x,
                    looped(self.vectors.div_ceil(lanes), NONE),
                );
                looped(self.end_y - self.begin_y, line) + looped(lanes, NONE)
            }

            /// The same sums split into ranges of rows, as many as an invocation may go through, to be added up in this
            /// order on every adapter and the CPU executor.
            pub(super) fn parts(self) -> impl Iterator<Item = Self> {
                let rows = move |begin_y, end_y| $Params {
                    begin_y,
                    end_y,
                    ..self
                };
                let shape = WorkgroupShape::SOFTWARE; // They have but one.
                let ranges = cut(self.window.output_y, 1, |n| rows(0, n).loops(shape));
                ranges.into_iter().map(move |range| $Params {
                    accumulate: self.accumulate | u32::from(range.start > 0),
                    ..rows(range.start, range.end)
                })
            }

            fn units(&self) -> Units {
                Units {
                    window: self.window.window(),
                    lanes: self.vectors as usize * 4,
                    lines: self.begin_y as usize..self.end_y as usize,
                    range: self.first as usize..(self.first + self.rows) as usize,
                    accumulate: self.accumulate != 0,
                }
            }
        }
    };
}

params!(GraBoParams);

params!(GraEstParams);

/// The units of a dispatch.
struct Units {
    window: Window,
    lanes: usize,
    /// Rows of output positions.
    lines: std::ops::Range<usize>,
    /// The range of their sums.
    range: std::ops::Range<usize>,
    accumulate: bool,
}

/// The terms that a kernel sums.
trait Terms: Sync {
    /// Adds what output position `position` sees: a vector of lanes, starting at lane `at` of the values.
    fn add(&self, sum: &mut [f32; PARTIAL], at: usize, position: usize);
}

impl Units {
    /// Sets each unit's sum, or adds to it.
    fn sum(&self, sums: &mut [f32], terms: &impl Terms) {
        // Enough work to outweigh distributing it.
        let work = self.window.output_positions() * self.lanes;
        let arch = pulp::Arch::new();
        sums[self.range.clone()]
            .par_iter_mut()
            .enumerate()
            .with_min_len((8192 / work).clamp(1, 64))
            .deal_out(|(number, out)| {
                let unit = Unit {
                    window: &self.window,
                    lanes: self.lanes,
                    lines: &self.lines,
                    number,
                    terms,
                };
                let before = if self.accumulate { *out } else { 0.0 };
                *out = before + arch.dispatch(unit);
            });
    }
}

/// One unit's sum, in a form that is compiled for each vector width.
struct Unit<'a, T> {
    window: &'a Window,
    lanes: usize,
    lines: &'a std::ops::Range<usize>,
    number: usize,
    terms: &'a T,
}

impl<T: Terms> pulp::WithSimd for Unit<'_, T> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f32 {
        let window = self.window;
        let (channel, tap) = (self.number / window.taps(), self.number % window.taps());
        let tap = [tap / window.kernel[1], tap % window.kernel[1]];
        let mut sum = [0f32; PARTIAL];
        let valid = window.valid(0, tap[0]);
        for y in valid.start.max(self.lines.start)..valid.end.min(self.lines.end) {
            let row = y * window.stride[0] + tap[0] - window.padding[0];
            let row = (channel * window.input[0] + row) * window.input[1];
            for x in window.valid(1, tap[1]) {
                let at = row + x * window.stride[1] + tap[1] - window.padding[1];
                let position = y * window.output[1] + x;
                self.terms.add(&mut sum, at * self.lanes, position);
            }
        }
        fold(&sum)
    }
}

/// Adds up the partial sums: the four of an invocation in pairs, then the invocations in order.
fn fold(sum: &[f32; PARTIAL]) -> f32 {
    let mut total = 0.0;
    for s in sum.as_chunks::<4>().0 {
        total += (s[0] + s[1]) + (s[2] + s[3]);
    }
    total
}

impl GraBoTwin<'_> {
    fn run(self) {
        let terms = Magnitudes {
            values: self.values,
            count: self.step.count as usize,
        };
        self.params.units().sum(self.sums, &terms);
    }
}

struct Magnitudes<'a> {
    values: &'a [f32],
    count: usize,
}

impl Terms for Magnitudes<'_> {
    #[inline(always)]
    fn add(&self, sum: &mut [f32; PARTIAL], at: usize, _: usize) {
        let (blocks, rest) = self.values[at..][..self.count].as_chunks::<PARTIAL>();
        for block in blocks {
            for i in 0..PARTIAL {
                sum[i] += block[i].abs();
            }
        }
        for (sum, value) in sum.iter_mut().zip(rest) {
            *sum += value.abs();
        }
    }
}

impl GraEstTwin<'_> {
    fn run(self) {
        let units = self.params.units();
        let terms = Signed {
            values: self.values,
            signs: self.signs,
            lanes: units.lanes,
        };
        units.sum(self.sums, &terms);
    }
}

struct Signed<'a> {
    values: &'a [f32],
    signs: &'a [f32],
    lanes: usize,
}

impl Terms for Signed<'_> {
    #[inline(always)]
    fn add(&self, sum: &mut [f32; PARTIAL], at: usize, position: usize) {
        let (values, rest) = self.values[at..][..self.lanes].as_chunks::<PARTIAL>();
        let signs = &self.signs[position * self.lanes..][..self.lanes];
        let (signs, signs_rest) = signs.as_chunks::<PARTIAL>();
        for (values, signs) in values.iter().zip(signs) {
            for i in 0..PARTIAL {
                sum[i] += signed(values[i], signs[i]);
            }
        }
        for ((sum, value), sign) in sum.iter_mut().zip(rest).zip(signs_rest) {
            *sum += signed(*value, *sign);
        }
    }
}

/// A selection, not a product, so that NaN in the padding does not matter.
#[inline(always)]
fn signed(value: f32, sign: f32) -> f32 {
    let product = value * sign;
    if sign == 0.0 { 0.0 } else { product }
}
