//! The arguments of a twin: its parameters, and slices of the memory that its kernel binds.

use std::cell::Cell;
use std::ops::Range;

use super::bindings::{BindingInfo, Uniform};
use crate::engine::Precision;
use crate::engine::buffer::Scalar;
use crate::engine::memory::pages::HostMemory;
use crate::error::{Error, Fault, Result};

/// Memory that a twin works on.
pub(crate) struct Bound<'a> {
    pub memory: &'a HostMemory,
    /// The range of words.
    pub words: Range<usize>,
    /// How they store numbers.
    pub precision: Precision,
}

/// A twin's arguments before they get types.
pub struct TwinCall<'a> {
    params: &'a [u8],
    slices: Vec<TwinSlice<'a>>,
}

struct TwinSlice<'a> {
    bound: Bound<'a>,
    /// Replaces 16-bit numbers, which twins do not know.
    widened: Option<HostMemory>,
    binding: &'static BindingInfo,
    /// Whether it was handed out for writing.
    taken: Cell<bool>,
}

impl<'a> TwinSlice<'a> {
    /// # Safety
    /// As [`TwinCall::new`].
    #[expect(unsafe_code, reason = "slices of the executor's memory")]
    unsafe fn new(binding: &'static BindingInfo, bound: Bound<'a>) -> Option<Self> {
        let widened = match bound.precision.is_half() {
            false => None,
            true => {
                let numbers = bound.precision.numbers(bound.words.len());
                let own = HostMemory::zeroed(numbers)?;
                // SAFETY: nothing else has this memory, and by the contract nothing writes the other.
                let (words, room) = unsafe {
                    (
                        bound.memory.slice(bound.words.clone()),
                        own.slice_mut(0..numbers),
                    )
                };
                bound.precision.widen(words, bytemuck::cast_slice_mut(room));
                Some(own)
            }
        };
        let taken = Cell::new(false);
        Some(TwinSlice {
            bound,
            widened,
            binding,
            taken,
        })
    }

    /// The memory that a twin sees, as words.
    fn seen(&self) -> (&HostMemory, Range<usize>) {
        match &self.widened {
            None => (self.bound.memory, self.bound.words.clone()),
            Some(own) => (own, 0..self.bound.precision.numbers(self.bound.words.len())),
        }
    }

    /// Rounds what a twin wrote into 16-bit numbers.
    #[expect(unsafe_code, reason = "slices of the executor's memory")]
    fn store(&self) {
        if self.widened.is_none() || !self.binding.kind.writes() {
            return;
        }
        let ((own, numbers), bound) = (self.seen(), &self.bound);
        // SAFETY: the twin has returned, and by the contract of `TwinCall::new` the words are ours.
        let (numbers, words) = unsafe {
            (
                own.slice(numbers),
                bound.memory.slice_mut(bound.words.clone()),
            )
        };
        bound.precision.narrow(bytemuck::cast_slice(numbers), words);
    }
}

impl<'a> TwinCall<'a> {
    /// A call of a kernel's twin with its parameters' bytes and a range of memory for each binding.
    ///
    /// # Errors
    /// There is no memory for widened numbers.
    ///
    /// # Safety
    /// During its lifetime, nothing else may access these ranges, and a range bound for writing may overlap no other.
    #[expect(
        unsafe_code,
        reason = "the executors' promise, on which `read` and `write` rely"
    )]
    pub(crate) unsafe fn new(
        (name, bindings): (&str, &'static [BindingInfo]),
        params: &'a [u8],
        bound: impl IntoIterator<Item = Bound<'a>>,
    ) -> Result<Self> {
        let bindings = bindings.iter().zip(bound);
        // SAFETY: by this function's contract.
        let slices = bindings.map(|(binding, bound)| unsafe { TwinSlice::new(binding, bound) });
        let slices: Option<Vec<_>> = slices.collect();
        let lacking = || {
            Error::Device(Fault::NoMemory {
                kernel: name.to_owned(),
            })
        };
        Ok(TwinCall {
            params,
            slices: slices.ok_or_else(lacking)?,
        })
    }

    /// Stores what the twin wrote, after it has returned.
    pub(in crate::engine) fn store(self) {
        self.slices.iter().for_each(TwinSlice::store);
    }

    /// Its kernel's bindings, numbered.
    pub(in crate::engine) fn bindings(
        &self,
    ) -> impl Iterator<Item = (usize, &'static BindingInfo)> {
        (self.slices.iter().enumerate()).map(|(index, slice)| (index, slice.binding))
    }

    /// The parameters.
    pub fn params<P: Uniform>(&self) -> P {
        bytemuck::pod_read_unaligned(&self.params[..size_of::<P>()])
    }

    /// Binding `index`, read-only.
    ///
    /// # Panics
    /// If there is no such binding, or it is bound for writing.
    #[expect(unsafe_code, reason = "slices of the executor's memory")]
    pub fn read<T: Scalar>(&self, index: usize) -> &[T] {
        let slice = &self.slices[index];
        let name = slice.binding.name;
        assert!(
            !slice.binding.kind.writes(),
            "binding `{name}` is declared to be written, not read"
        );
        let (memory, range) = slice.seen();
        // SAFETY: nothing else accesses it and nothing written overlaps it, by the contract of `new`.
        bytemuck::cast_slice(unsafe { memory.slice(range) })
    }

    /// Binding `index`, as a uniform struct.
    pub fn uniform<P: Uniform>(&self, index: usize) -> P {
        let words: &[u32] = self.read(index);
        bytemuck::pod_read_unaligned(&bytemuck::cast_slice(words)[..size_of::<P>()])
    }

    /// Binding `index`, for writing. The code that `kernel!` generates calls it once per binding.
    ///
    /// # Panics
    /// If there is no such binding, it is not bound for writing, or it was handed out before: two slices of the same
    /// memory could both be written.
    #[expect(unsafe_code, reason = "slices of the executor's memory")]
    #[allow(clippy::mut_from_ref)]
    pub fn write<T: Scalar>(&self, index: usize) -> &mut [T] {
        let slice = &self.slices[index];
        let name = slice.binding.name;
        assert!(
            slice.binding.kind.writes(),
            "binding `{name}` is declared to be read, not written"
        );
        assert!(
            !slice.taken.replace(true),
            "binding `{name}` is handed out once"
        );
        let (memory, range) = slice.seen();
        // SAFETY: nothing else accesses it and nothing else overlaps it, by the contract of `new`. This is its only
        // slice, because `read` refuses it and `taken` refuses a second one.
        bytemuck::cast_slice_mut(unsafe { memory.slice_mut(range) })
    }
}
