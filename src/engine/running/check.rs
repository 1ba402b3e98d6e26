//! Runs a kernel of a plan on its twin as well, and compares the two: the debugging switch behind `--check`.

use crate::engine::declaration::twin_call::{Bound, TwinCall};
use crate::engine::kernel::BindingKind;
use crate::engine::memory::pages::HostMemory;
use crate::engine::{Dispatch, Precision, View};
use crate::error::{Error, Fault, Result};

/// How far a kernel's result was from its twin's.
#[derive(Clone, Debug, serde::Serialize)]
pub struct KernelCheck {
    /// The kernel's name.
    pub kernel: String,
    /// The binding compared.
    pub binding: String,
    /// The buffer bound to it.
    pub buffer: String,
    /// Words that differ in any bit.
    pub different: usize,
    /// Words compared.
    pub words: usize,
    /// Largest difference of two floats, relative to the largest magnitude among the words that the kernel or its twin
    /// changed; for integers 0 or infinite. NaNs are equal, and so are neighbouring 16-bit numbers.
    pub error: f64,
}

impl KernelCheck {
    /// Floats may differ by rounding: hardware may fuse multiply and add, and sums run over a whole batch.
    pub const TOLERANCE: f64 = 1e-4;

    /// Whether the two agree.
    pub fn passes(&self) -> bool {
        self.error <= Self::TOLERANCE
    }

    /// An error that says where the two differ, if they do.
    ///
    /// # Errors
    /// The kernel's result is further than [`KernelCheck::TOLERANCE`] from its twin's.
    pub fn verdict(&self) -> Result<()> {
        if self.passes() {
            return Ok(());
        }
        Err(Error::Device(Fault::Differs {
            kernel: self.kernel.clone(),
            binding: self.binding.clone(),
            buffer: self.buffer.clone(),
            different: self.different,
            words: self.words,
            error: self.error,
        }))
    }
}

impl std::fmt::Display for KernelCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "kernel {} against its twin, {}: {} of {} words differ, relative error {:.1e} (tolerance {:.0e})",
            self.kernel,
            self.buffer,
            self.different,
            self.words,
            self.error,
            Self::TOLERANCE
        )
    }
}

/// Runs the twin of `dispatch` on `before` (the words of each view, with 16-bit numbers widened). Compares what it
/// wrote with `after`: the words of the written views, in order.
#[expect(unsafe_code, reason = "hands a twin memory that is its own")]
pub(crate) fn compare(
    dispatch: &Dispatch,
    before: &[Vec<u32>],
    after: &[Vec<u32>],
) -> Result<Vec<KernelCheck>> {
    let memories: Vec<HostMemory> = before
        .iter()
        .map(|words| {
            let memory = HostMemory::zeroed(words.len()).ok_or_else(|| {
                Error::Device(Fault::NoMemory {
                    kernel: dispatch.kernel.name.to_owned(),
                })
            })?;
            // SAFETY: nothing else has this memory.
            unsafe { memory.slice_mut(0..words.len()) }.copy_from_slice(words);
            Ok(memory)
        })
        .collect::<Result<_>>()?;
    let bound = memories.iter().zip(before).map(|(memory, words)| Bound {
        memory,
        words: 0..words.len(),
        precision: Precision::F32,
    });
    // SAFETY: nothing else has these memories, and each serves one binding.
    let call = unsafe { TwinCall::new(dispatch.kernel.bound(), &dispatch.params, bound) };
    dispatch.kernel.run_twin(call)?;
    let mut checks = Vec::new();
    let bindings = dispatch.kernel.bindings.iter().enumerate();
    let written = bindings.filter_map(|(i, binding)| match binding.kind {
        BindingKind::Write(scalar) => Some((i, binding, scalar)),
        BindingKind::Read(_) | BindingKind::Uniform(_) => None,
    });
    for ((i, binding, scalar), after) in written.zip(after) {
        // SAFETY: the twin has returned.
        let twin = unsafe { memories[i].slice(0..before[i].len()) };
        let view: &View = &dispatch.views[i];
        let precision = view.precision();
        let rounded = |&word: &u32| precision.round(f32::from_bits(word)).to_bits();
        let stored: Vec<u32>;
        let twin = match precision.is_half() {
            true => {
                stored = twin.iter().map(rounded).collect();
                &stored
            }
            false => twin,
        };
        let different = twin.iter().zip(after).filter(|(a, b)| a != b).count();
        checks.push(KernelCheck {
            kernel: dispatch.kernel.name.to_owned(),
            binding: binding.name.to_owned(),
            buffer: view.buffer.label().to_owned(),
            different,
            words: twin.len(),
            error: if different == 0 {
                0.0
            } else if scalar == "f32" {
                relative_error(precision, &before[i], twin, after)
            } else {
                f64::INFINITY
            },
        });
    }
    Ok(checks)
}

/// For 16-bit numbers, only the difference beyond the next number counts: if f32 sums lie half-way between two numbers,
/// their last bit decides which is stored.
fn relative_error(precision: Precision, before: &[u32], expected: &[u32], found: &[u32]) -> f64 {
    let mut scale = 0f64;
    let mut worst = 0f64;
    for ((&b, &e), &f) in before.iter().zip(expected).zip(found) {
        // A word that neither changed may belong to another kernel and have another magnitude.
        if e == b && f == b {
            continue;
        }
        let (e, f) = (f32::from_bits(e), f32::from_bits(f));
        if e.is_finite() {
            scale = scale.max(f64::from(e).abs());
        }
        if e.to_bits() == f.to_bits() || (e.is_nan() && f.is_nan()) {
            continue;
        }
        let difference = (f64::from(e) - f64::from(f)).abs();
        let difference = match e.is_finite() && difference <= precision.step(e) {
            true => 0.0,
            false => difference,
        };
        worst = if difference.is_nan() {
            f64::INFINITY
        } else {
            worst.max(difference)
        };
    }
    worst / scale.max(f64::MIN_POSITIVE)
}
