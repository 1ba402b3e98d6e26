//! What a twin is called with: its parameters, and slices of the memory that its kernel binds.

use std::cell::Cell;
use std::ops::Range;

use super::bindings::{BindingInfo, Uniform};
use super::buffer::Scalar;
use super::pages::HostMemory;
use super::precision::Precision;
use crate::error::{Error, Fault, Result};

/// Memory that a twin works on.
pub(crate) struct Bound<'a> {
    pub memory: &'a HostMemory,
    /// The words of it.
    pub words: Range<usize>,
    /// How they hold numbers.
    pub precision: Precision,
}

/// A twin's arguments before they are given types.
pub struct TwinCall<'a> {
    params: &'a [u8],
    slices: Vec<TwinSlice<'a>>,
}

struct TwinSlice<'a> {
    bound: Bound<'a>,
    /// In place of numbers of 16 bits, which twins do not know.
    widened: Option<HostMemory>,
    binding: &'static BindingInfo,
    /// Whether it was handed out to be written.
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
                // SAFETY: nobody else has this memory, and of the other nobody writes it, by the contract.
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

    /// Rounds what a twin wrote into numbers of 16 bits.
    #[expect(unsafe_code, reason = "slices of the executor's memory")]
    fn store(&self) {
        if self.widened.is_none() || !self.binding.kind.writes() {
            return;
        }
        let ((own, numbers), bound) = (self.seen(), &self.bound);
        // SAFETY: the twin has returned, and the words are ours by the contract of `TwinCall::new`.
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
    /// No memory to widen numbers in.
    ///
    /// # Safety
    /// As long as it lives, nobody else may access these ranges, and one that is bound to be written may overlap no
    /// other.
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
        // SAFETY: by the contract.
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
    pub(super) fn store(self) {
        self.slices.iter().for_each(TwinSlice::store);
    }

    /// Its kernel's bindings, numbered.
    pub(super) fn bindings(&self) -> impl Iterator<Item = (usize, &'static BindingInfo)> {
        (self.slices.iter().enumerate()).map(|(index, slice)| (index, slice.binding))
    }

    /// The parameters.
    pub fn params<P: Uniform>(&self) -> P {
        bytemuck::pod_read_unaligned(&self.params[..size_of::<P>()])
    }

    /// Binding `index`, read only.
    ///
    /// # Panics
    /// If there is no such binding, or it is one to be written.
    #[expect(unsafe_code, reason = "slices of the executor's memory")]
    pub fn read<T: Scalar>(&self, index: usize) -> &[T] {
        let slice = &self.slices[index];
        let name = slice.binding.name;
        assert!(
            !slice.binding.kind.writes(),
            "binding `{name}` is declared to be written, not read"
        );
        let (memory, range) = slice.seen();
        // SAFETY: nobody else accesses it and nothing to be written overlaps it, by the contract of `new`.
        bytemuck::cast_slice(unsafe { memory.slice(range) })
    }

    /// Binding `index`, as a uniform struct.
    pub fn uniform<P: Uniform>(&self, index: usize) -> P {
        let words: &[u32] = self.read(index);
        bytemuck::pod_read_unaligned(&bytemuck::cast_slice(words)[..size_of::<P>()])
    }

    /// Binding `index`, to be written. Called once per binding by the code that `kernel!` generates.
    ///
    /// # Panics
    /// If there is no such binding, it is none to be written, or it was handed out before: two slices of one memory
    /// could both be written.
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
        // SAFETY: nobody else accesses it and nothing else overlaps it, by the contract of `new`; this is its only
        // slice, for `read` refuses it and `taken` a second.
        bytemuck::cast_slice_mut(unsafe { memory.slice_mut(range) })
    }
}
