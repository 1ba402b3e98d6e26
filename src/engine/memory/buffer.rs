//! Device buffers of 32-bit words, or of numbers that share a word in pairs, and views into them.

use std::ops::Range;
use std::sync::Arc;

use super::ledger::{Class, Ledger};
use super::pages::HostMemory;
use super::precision::Precision;

/// A view must start at a multiple of this many words: WebGPU's default `minStorageBufferOffsetAlignment` of 256 bytes.
pub const VIEW_ALIGNMENT: usize = 64;

/// A scalar that buffers hold.
pub trait Scalar: bytemuck::Pod + Send + Sync {
    /// The shader's name for it.
    const WGSL: &'static str;
}

impl Scalar for f32 {
    const WGSL: &'static str = "f32";
}

impl Scalar for u32 {
    const WGSL: &'static str = "u32";
}

pub(crate) enum Memory {
    Host(HostMemory),
    Gpu(crate::engine::gpu::Buffer),
    /// No memory: its device only counts.
    Counted,
    /// None yet: a transient buffer, which will be placed in another (see [`crate::engine::lifetime`]).
    Unplaced,
}

struct Inner {
    label: String,
    class: Class,
    words: usize,
    precision: Precision,
    memory: Memory,
    ledger: Arc<Ledger>,
    /// None for a transient buffer, which has no bytes of its own.
    entry: Option<u64>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            self.ledger.leave(entry);
        }
    }
}

/// A device allocation of 32-bit words or 16-bit numbers, which is in the ledger as long as any handle to it lives.
#[derive(Clone)]
pub struct Buffer(Arc<Inner>);

impl Buffer {
    pub(crate) fn new(
        label: &str,
        class: Class,
        words: usize,
        precision: Precision,
        memory: Memory,
        ledger: &Arc<Ledger>,
    ) -> Self {
        let entry = match memory {
            Memory::Unplaced => None,
            _ => Some(ledger.enter(label, class, words as u64 * 4)),
        };
        Buffer(Arc::new(Inner {
            label: label.to_owned(),
            class,
            words,
            precision,
            memory,
            ledger: ledger.clone(),
            entry,
        }))
    }

    /// The label given at allocation.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// The class given at allocation.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// Length in 32-bit words.
    pub fn words(&self) -> usize {
        self.0.words
    }

    /// How its numbers are stored.
    pub fn precision(&self) -> Precision {
        self.0.precision
    }

    /// The whole buffer.
    pub fn all(&self) -> View {
        self.range(0..self.0.precision.numbers(self.0.words))
    }

    /// The range `range` of the buffer's numbers, which are words unless stated otherwise. It is checked when a plan or
    /// a transfer uses it.
    pub fn range(&self, range: Range<usize>) -> View {
        View {
            buffer: self.clone(),
            range,
            precision: self.0.precision,
        }
    }

    /// A range of numbers counted from word `first`, stored with another precision than the buffer's own: for transient
    /// buffers that share memory.
    pub(crate) fn stored(&self, precision: Precision, first: usize, range: Range<usize>) -> View {
        let first = precision.numbers(first);
        View {
            buffer: self.clone(),
            range: first + range.start..first + range.end,
            precision,
        }
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// Whether the device with this ledger allocated it.
    pub(crate) fn belongs_to(&self, ledger: &Arc<Ledger>) -> bool {
        Arc::ptr_eq(&self.0.ledger, ledger)
    }

    /// Whether the same device allocated both.
    pub(crate) fn shares_device(&self, other: &Buffer) -> bool {
        self.belongs_to(&other.0.ledger)
    }

    pub(crate) fn same_as(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it still has to be placed before a plan that uses it can be prepared.
    pub fn is_transient(&self) -> bool {
        matches!(self.0.memory, Memory::Unplaced)
    }

    /// An identifier that distinguishes buffers.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }
}

/// A range of a buffer's numbers: words, or halves of words.
#[derive(Clone)]
pub struct View {
    pub(crate) buffer: Buffer,
    /// The range in numbers; whether the buffer has them is checked on use.
    pub(crate) range: Range<usize>,
    precision: Precision,
}

impl View {
    /// The buffer.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// The range in numbers.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// How many numbers: 32-bit words, or [halves](View::precision) of them.
    pub fn words(&self) -> usize {
        self.range.len()
    }

    /// How they are stored.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Its range within the buffer, in 32-bit words.
    pub(crate) fn word_range(&self) -> Range<usize> {
        let start = self.precision.words(self.range.start);
        start..start + self.precision.words(self.range.len())
    }

    /// Its start within the buffer, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.word_range().start as u64 * 4
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.word_range().len() as u64 * 4
    }

    /// Whether it begins and ends between words; halves come in vectors of four.
    pub(crate) fn is_whole(&self) -> bool {
        !self.precision.is_half()
            || self.range.start.is_multiple_of(4) && self.range.len().is_multiple_of(4)
    }

    pub(crate) fn in_bounds(&self) -> bool {
        self.range.start <= self.range.end && self.word_range().end <= self.buffer.words()
    }
}

impl From<&Buffer> for View {
    fn from(buffer: &Buffer) -> View {
        buffer.all()
    }
}
