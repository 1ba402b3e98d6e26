//! A plan: dispatches over ledger buffers, recorded once and replayed on either executor.

use crate::engine::buffer::{VIEW_ALIGNMENT, View};
use crate::engine::kernel::{BindingKind, Kernel, KernelInfo};
use crate::engine::loops::{MOST_ITERATIONS, Piece};
use crate::engine::{Grid, Precision, WorkgroupShape};
use crate::error::{Error, Misfit, Result};

/// One recorded dispatch.
#[derive(Clone)]
pub struct Dispatch {
    /// The kernel.
    pub kernel: &'static KernelInfo,
    /// Bytes of its parameters.
    pub params: Vec<u8>,
    /// One view per binding, in the kernel's order.
    pub views: Vec<View>,
    /// The amount of work.
    pub grid: Grid,
    /// The part of the work that it belongs to: see [`Plan::phase`].
    pub phase: &'static str,
}

impl Dispatch {
    /// How the numbers of each view are stored; empty if all are words.
    pub fn precisions(&self) -> Vec<Precision> {
        match self.views.iter().any(|view| view.precision().is_half()) {
            true => self.views.iter().map(View::precision).collect(),
            false => Vec::new(),
        }
    }

    /// Its shape without measurements, where others run in `base`: no more lanes than have work, and as many
    /// invocations.
    pub fn default_shape(&self, base: WorkgroupShape) -> WorkgroupShape {
        let width = (self.kernel.variants.width)(&self.params);
        let shapes = self.kernel.shapes(base);
        let narrow = shapes.filter(|shape| {
            shape.invocations() == base.invocations() && shape.lanes() >= width.min(base.lanes())
        });
        narrow.min_by_key(|shape| shape.lanes()).unwrap_or(base)
    }

    /// The dispatch as it runs on an adapter: itself, or several with shorter loops.
    pub fn pieces(&self, shape: WorkgroupShape) -> Vec<Piece> {
        (self.kernel.pieces)(&self.params, self.grid, shape)
    }

    /// Iterations of all loops of the busiest invocation, over all pieces and shapes.
    pub fn iterations(&self) -> u64 {
        let bases = WorkgroupShape::ALL.into_iter();
        let shapes = bases.flat_map(|base| self.kernel.shapes(base));
        let pieces = shapes.flat_map(|shape| self.pieces(shape));
        pieces.map(|piece| piece.iterations).max().unwrap_or(0)
    }
}

/// A named list of dispatches. Each sees the writes of those before it.
#[derive(Clone, Default)]
pub struct Plan {
    /// The name, for messages.
    pub name: String,
    dispatches: Vec<Dispatch>,
    phase: &'static str,
}

impl Plan {
    /// An empty plan.
    pub fn new(name: &str) -> Self {
        Plan {
            name: name.to_owned(),
            dispatches: Vec::new(),
            phase: "",
        }
    }

    /// Names the part of the work, such as `forward`, that the following dispatches belong to; returns the previous
    /// name. Times and bytes are reported by this name; what is computed does not depend on it.
    pub fn phase(&mut self, name: &'static str) -> &'static str {
        std::mem::replace(&mut self.phase, name)
    }

    /// The dispatches in order.
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }

    pub(in crate::engine) fn dispatches_mut(&mut self) -> &mut [Dispatch] {
        &mut self.dispatches
    }

    /// Appends the dispatches of `other`.
    pub fn append(&mut self, other: Plan) {
        self.dispatches.extend(other.dispatches);
    }

    /// The stretches of dispatches that end at `ends`, which rise, to be run one after another; dispatches after the
    /// last end are left out.
    pub(crate) fn stretches(&self, ends: impl IntoIterator<Item = usize>) -> Vec<Plan> {
        let mut start = 0;
        let stretch = |end| Plan {
            dispatches: self.dispatches[std::mem::replace(&mut start, end)..end].to_vec(),
            ..Plan::new(&self.name)
        };
        ends.into_iter().map(stretch).collect()
    }

    /// Records one dispatch of a kernel. An empty grid is left out.
    ///
    /// # Errors
    /// As [`Plan::push`].
    pub fn dispatch<K: Kernel>(&mut self, kernel: K, grid: Grid) -> Result<()> {
        let params = kernel.params().to_vec();
        self.push(Dispatch {
            kernel: K::INFO,
            params,
            views: kernel.views(),
            grid,
            phase: self.phase,
        })
    }

    /// Records a dispatch that may come from another plan, with that plan's phase. An empty grid is left out.
    ///
    /// # Errors
    /// A view exceeds its buffer or is not aligned, a buffer is bound twice and written through one binding (which
    /// WebGPU forbids within one dispatch), or the loops exceed [`MOST_ITERATIONS`] in some workgroup shape.
    pub fn push(&mut self, dispatch: Dispatch) -> Result<()> {
        self.check(&dispatch)?;
        self.check_loops(&dispatch)?;
        if !matches!(
            dispatch.grid,
            Grid::Items(0) | Grid::Rows(0) | Grid::Groups(0)
        ) {
            self.dispatches.push(dispatch);
        }
        Ok(())
    }

    /// Checks every dispatch again.
    pub(in crate::engine) fn recheck(&self) -> Result<()> {
        self.dispatches.iter().try_for_each(|d| self.check(d))
    }

    fn check(&self, dispatch: &Dispatch) -> Result<()> {
        let complain = |binding: &str, view: &View, reason: &str| {
            Err(Error::Shape(Misfit::Plan {
                plan: self.name.clone(),
                kernel: dispatch.kernel.name,
                why: format!(
                    "binding `{binding}` to words {:?} of buffer `{}` ({} words): {reason}",
                    view.range,
                    view.buffer.label(),
                    view.buffer.words()
                ),
            }))
        };
        let bindings = dispatch.kernel.bindings;
        if bindings.len() != dispatch.views.len() {
            return Err(Error::Shape(Misfit::Bindings {
                plan: self.name.clone(),
                kernel: dispatch.kernel.name,
                declared: bindings.len(),
                given: dispatch.views.len(),
            }));
        }
        for (i, (binding, view)) in bindings.iter().zip(&dispatch.views).enumerate() {
            if !view.in_bounds() || view.range.is_empty() {
                return complain(binding.name, view, "out of bounds or empty");
            }
            if view.word_range().start % VIEW_ALIGNMENT != 0 {
                return complain(binding.name, view, "must start at a multiple of 64 words");
            }
            if !view.is_whole() {
                return complain(binding.name, view, "16-bit numbers come four at a time");
            }
            let floats = binding.kind.holds("f32");
            if view.precision().is_half() && !floats {
                return complain(
                    binding.name,
                    view,
                    "holds 16-bit numbers, and is not of f32",
                );
            }
            for (other, other_view) in bindings.iter().zip(&dispatch.views).skip(i + 1) {
                let writes = [binding.kind, other.kind]
                    .iter()
                    .any(|kind| matches!(kind, BindingKind::Write(_)));
                if writes && view.buffer.same_as(&other_view.buffer) {
                    return complain(
                        binding.name,
                        view,
                        &format!("the same buffer is bound to `{}`", other.name),
                    );
                }
            }
            if let BindingKind::Uniform(fields) = binding.kind
                && view.words() < fields.len()
            {
                let reason = format!("too short for a uniform of {} words", fields.len());
                return complain(binding.name, view, &reason);
            }
            if !view.buffer.shares_device(&dispatch.views[0].buffer) {
                return complain(
                    binding.name,
                    view,
                    "belongs to another device than the first binding",
                );
            }
        }
        Ok(())
    }

    fn check_loops(&self, dispatch: &Dispatch) -> Result<()> {
        let iterations = dispatch.iterations();
        if iterations <= MOST_ITERATIONS {
            return Ok(());
        }
        Err(Error::Loops {
            plan: self.name.clone(),
            kernel: dispatch.kernel.name.to_owned(),
            iterations,
            most: MOST_ITERATIONS,
        })
    }
}
