//! A device's memory: allocating buffers, filling them and reading them back.

use super::definition::{Device, Executor};
use crate::engine::buffer::{Buffer, Memory, Scalar, View};
use crate::engine::host_memory;
use crate::engine::memory::pages::HostMemory;
use crate::engine::{Class, Precision};
use crate::error::{Error, Misfit, Remedies, Result};

impl Device {
    /// Allocates `length` words, zeroed.
    ///
    /// # Errors
    /// It exceeds what a binding may hold, or what the device has.
    pub fn buffer(&self, label: &str, class: Class, length: usize) -> Result<Buffer> {
        self.buffer_of(label, class, length, Precision::F32)
    }

    /// Allocates `length` numbers of this precision, zeroed.
    ///
    /// # Errors
    /// As [`Device::buffer`].
    pub fn buffer_of(
        &self,
        label: &str,
        class: Class,
        length: usize,
        precision: Precision,
    ) -> Result<Buffer> {
        if length > isize::MAX as usize / 8 {
            return Err(Error::Limit {
                buffer: label.to_owned(),
                bytes: (length as u64).saturating_mul(4),
                limit: isize::MAX as u64,
                what: "the address space".into(),
                remedies: Remedies::MEMORY,
            });
        }
        let words = words_of(length, precision);
        let memory = match &self.executor {
            Executor::Cpu(_) if self.counts => Memory::Counted,
            Executor::Cpu(_) => Memory::Host(self.host(label, words)?),
            Executor::Gpu(gpu) => Memory::Gpu(gpu.allocate(label, words)?),
        };
        Ok(Buffer::new(
            label,
            class,
            words,
            precision,
            memory,
            &self.ledger,
        ))
    }

    /// A buffer for values that only live within one run of a plan. It has no memory until
    /// [`lifetime::place`](crate::engine::lifetime::place) lets it share some with others.
    pub fn transient(&self, label: &str, class: Class, length: usize) -> Buffer {
        self.transient_of(label, class, length, Precision::F32)
    }

    /// Like [`Device::transient`], for numbers of this precision.
    pub fn transient_of(
        &self,
        label: &str,
        class: Class,
        length: usize,
        precision: Precision,
    ) -> Buffer {
        let words = words_of(length, precision);
        Buffer::new(
            label,
            class,
            words,
            precision,
            Memory::Unplaced,
            &self.ledger,
        )
    }

    /// Bytes that can still be allocated, if known. WebGPU does not report them for a hardware GPU.
    pub fn free_memory(&self) -> Option<u64> {
        match self.is_hardware() || self.counts {
            true => None,
            false => host_memory::available(),
        }
    }

    /// Refuses what the device cannot hold, before work is spent on it: buffers with this label, of which the largest
    /// has `largest` bytes, and all together `total`.
    ///
    /// # Errors
    /// It exceeds what a binding may hold, or what is free as far as that is known.
    pub fn admit(&self, label: &str, largest: u64, total: u64) -> Result<()> {
        if let Executor::Gpu(gpu) = &self.executor {
            gpu.admit(label, largest)?;
        }
        host_memory::admit(label, total, self.free_memory())
    }

    /// Memory for a buffer of the CPU executor.
    fn host(&self, label: &str, words: usize) -> Result<HostMemory> {
        let bytes = (words as u64).saturating_mul(4);
        let free = host_memory::available();
        host_memory::admit(label, bytes, free)?;
        HostMemory::zeroed(words).ok_or_else(|| host_memory::refused(label, bytes, free))
    }

    /// Allocates a buffer that holds `data`, zero-padded to whole vectors.
    ///
    /// # Errors
    /// As [`Device::buffer`] and [`Device::upload`].
    pub fn buffer_with<T: Scalar>(&self, label: &str, class: Class, data: &[T]) -> Result<Buffer> {
        let buffer = self.buffer(label, class, data.len())?;
        self.upload(&buffer.range(0..data.len()), data)?;
        Ok(buffer)
    }

    pub(in crate::engine) fn owns(&self, view: &View) -> Result<()> {
        let why = if !view.buffer.belongs_to(&self.ledger) {
            "belong to another device"
        } else if view.buffer.is_transient() {
            "have no memory: the transient buffers of a plan are placed before it is prepared"
        } else if !view.in_bounds() {
            "are out of bounds"
        } else if !view.is_whole() {
            "are not whole vectors of four, as 16-bit numbers are kept"
        } else {
            return Ok(());
        };
        Err(Error::Shape(Misfit::View {
            buffer: view.buffer.label().to_owned(),
            words: view.buffer.words(),
            range: view.range.clone(),
            why,
        }))
    }

    /// Copies `data` into `view`, rounded if the view holds 16-bit numbers. Ordered with the programs run before and
    /// after.
    ///
    /// # Errors
    /// The length differs from the view's.
    pub fn upload<T: Scalar>(&self, view: &View, data: &[T]) -> Result<()> {
        self.owns(view)?;
        if view.words() != data.len() {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{} words", data.len()),
                expected: format!(
                    "the {} words of a view of buffer `{}`",
                    view.words(),
                    view.buffer.label()
                ),
            }));
        }
        self.burn_fuse()?;
        let mut narrowed = Vec::new();
        let words: &[u32] = match view.precision().is_half() {
            false => bytemuck::cast_slice(data),
            true => {
                narrowed.resize(view.word_range().len(), 0);
                let numbers = bytemuck::cast_slice(data);
                view.precision().narrow(numbers, &mut narrowed);
                &narrowed
            }
        };
        match &self.executor {
            Executor::Cpu(_) if self.counts => Ok(()),
            Executor::Cpu(cpu) => cpu.upload(view, words),
            Executor::Gpu(gpu) => gpu.upload(view, words),
        }
    }

    /// Reads `view` back after all work submitted before; 16-bit numbers come as f32.
    ///
    /// # Errors
    /// The device is lost.
    pub fn download<T: Scalar>(&self, view: &View) -> Result<Vec<T>> {
        self.owns(view)?;
        self.burn_fuse()?;
        let words = match &self.executor {
            Executor::Cpu(_) if self.counts => vec![0; view.word_range().len()],
            Executor::Cpu(cpu) => cpu.download(view)?,
            Executor::Gpu(gpu) => gpu.download(view)?,
        };
        let words = match view.precision().is_half() {
            true => widened(view, &words),
            false => words,
        };
        Ok(bytemuck::allocation::cast_vec(words))
    }
}

/// Words of a buffer for this many numbers: WebGPU has no empty bindings, and vec4 arrays need whole vectors.
fn words_of(length: usize, precision: Precision) -> usize {
    precision.words(length.max(1)).next_multiple_of(4)
}

/// A view's words, with 16-bit numbers as f32.
pub(in crate::engine) fn widened(view: &View, words: &[u32]) -> Vec<u32> {
    let precision = view.precision();
    let mut numbers = vec![0; precision.numbers(words.len())];
    precision.widen(words, bytemuck::cast_slice_mut(&mut numbers));
    numbers
}
