//! Kernels whose twins do together what they do apart, so that what one wrote is still in a cache when the next reads
//! it.

use super::bindings::{BindingKind, Uniform};
use super::buffer::Scalar;
use super::twin_call::TwinCall;

/// Names of kernels or of bindings.
pub type Names = &'static [&'static str];

/// Kernels that follow on each other in a plan, and which a CPU executor may run as one.
#[derive(Debug)]
pub struct Chain {
    /// Their names, in order.
    pub kernels: Names,
    /// By the bytes of each kernel's parameters: the bindings that they leave alone, by name; `None`: on so many threads
    /// the kernels are better run apart.
    pub idle: fn(&[&[u8]], usize) -> Option<Names>,
    /// Does all that the twins do, with the same bits.
    pub run: fn(&ChainCall<'_>),
}

/// Parameters of a kernel from their bytes.
pub fn params<P: Uniform>(bytes: &[u8]) -> P {
    bytemuck::pod_read_unaligned(&bytes[..size_of::<P>()])
}

/// What a chain is called with: the parameters of each kernel, and the memory of all of them by name.
pub struct ChainCall<'a> {
    calls: Vec<TwinCall<'a>>,
    idle: Names,
}

impl<'a> ChainCall<'a> {
    /// Of the calls of dispatches in which a name means one memory, which one of them writes at most, and which
    /// overlaps no other that is written; but for the idle ones.
    #[cfg(feature = "cpu")]
    pub(super) fn new(calls: Vec<TwinCall<'a>>, idle: Names) -> Self {
        ChainCall { calls, idle }
    }

    /// The parameters of one of its kernels.
    pub fn params<P: Uniform>(&self, kernel: usize) -> P {
        self.calls[kernel].params()
    }

    /// Where something of this name is bound: first as it is written, else as it is read.
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

    /// What is bound as `name` and written by none of the kernels.
    pub fn read<T: Scalar>(&self, name: &str) -> &[T] {
        let (call, index) = self.bound(name, |kind| matches!(kind, BindingKind::Read(_)));
        call.read(index)
    }

    /// A uniform.
    pub fn uniform<P: Uniform>(&self, name: &str) -> P {
        let (call, index) = self.bound(name, |kind| matches!(kind, BindingKind::Uniform(_)));
        call.uniform(index)
    }

    /// What is bound as `name` and written by one of the kernels; can be had once.
    #[allow(clippy::mut_from_ref)]
    pub fn write<T: Scalar>(&self, name: &str) -> &mut [T] {
        let (call, index) = self.bound(name, BindingKind::writes);
        call.write(index)
    }
}
