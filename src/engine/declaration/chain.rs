//! Kernels whose twins can do together what they otherwise do separately, so that what one wrote is still in a cache
//! when the next reads it.

use super::bindings::{BindingKind, Uniform};
use super::twin_call::TwinCall;
use crate::engine::buffer::Scalar;

/// Names of kernels or of bindings.
pub type Names = &'static [&'static str];

/// Kernels that follow each other in a plan, and that a CPU executor may run as one.
#[derive(Debug)]
pub struct Chain {
    /// Their names, in order.
    pub kernels: Names,
    /// Given each kernel's parameter bytes and the number of threads, the names of bindings that the kernels leave
    /// alone; `None` if on so many threads they are better run separately.
    pub idle: fn(&[&[u8]], usize) -> Option<Names>,
    /// Does everything that the twins do, with the same bits.
    pub run: fn(&ChainCall<'_>),
}

/// A kernel's parameters from their bytes.
pub fn params<P: Uniform>(bytes: &[u8]) -> P {
    bytemuck::pod_read_unaligned(&bytes[..size_of::<P>()])
}

/// The arguments of a chain: each kernel's parameters, and the memory of all of them by name.
pub struct ChainCall<'a> {
    calls: Vec<TwinCall<'a>>,
    idle: Names,
}

impl<'a> ChainCall<'a> {
    /// Made from the calls of several dispatches. In them, a name must stand for one memory, which at most one of them
    /// writes, and which overlaps no other written memory. Idle bindings are exempt.
    #[cfg(feature = "cpu")]
    pub(in crate::engine) fn new(calls: Vec<TwinCall<'a>>, idle: Names) -> Self {
        ChainCall { calls, idle }
    }

    /// The parameters of one of the kernels.
    pub fn params<P: Uniform>(&self, kernel: usize) -> P {
        self.calls[kernel].params()
    }

    /// What is bound under this name: the written binding if there is one, otherwise the one that is read.
    fn bound(&self, name: &str, as_is: impl Fn(BindingKind) -> bool) -> (&TwinCall<'a>, usize) {
        assert!(!self.idle.contains(&name), "binding `{name}` is left alone");
        let all = self.calls.iter().flat_map(|call| {
            let named = call.bindings().filter(|(_, binding)| binding.name == name);
            named.map(move |(index, binding)| (call, index, binding.kind))
        });
        match all.max_by_key(|(.., kind)| kind.writes()) {
            Some((call, index, kind)) if as_is(kind) => (call, index),
            _ => panic!("binding `{name}` is none of this kind"),
        }
    }

    /// The memory bound as `name`, which none of the kernels writes.
    pub fn read<T: Scalar>(&self, name: &str) -> &[T] {
        let (call, index) = self.bound(name, |kind| matches!(kind, BindingKind::Read(_)));
        call.read(index)
    }

    /// A uniform.
    pub fn uniform<P: Uniform>(&self, name: &str) -> P {
        let (call, index) = self.bound(name, |kind| matches!(kind, BindingKind::Uniform(_)));
        call.uniform(index)
    }

    /// The memory bound as `name`, which one of the kernels writes; available only once.
    #[allow(clippy::mut_from_ref)]
    pub fn write<T: Scalar>(&self, name: &str) -> &mut [T] {
        let (call, index) = self.bound(name, BindingKind::writes);
        call.write(index)
    }
}
