//! What a program costs an adapter besides its arithmetic: dispatches, barriers and bytes, counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::plan::Dispatch;
use crate::engine::Program;
use crate::engine::kernel::BindingKind;

/// The dispatches of a program, and what they move at least.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Number of dispatches by kernel.
    pub kernels: BTreeMap<&'static str, usize>,
    /// Number of dispatches before which wgpu puts a barrier. It tracks whole buffers: there is one if a buffer is
    /// bound that was last bound for writing, or if one is written that was bound before.
    pub barriers: usize,
    /// Bytes that each dispatch binds, counting every word once per dispatch: what is moved if no cache keeps anything
    /// between dispatches, and nothing is moved twice within one.
    pub bytes: u64,
}

impl Traffic {
    /// Number of dispatches of all kernels.
    pub fn dispatches(&self) -> usize {
        self.kernels.values().sum()
    }

    fn of(dispatches: &[Dispatch]) -> Self {
        let mut traffic = Traffic::default();
        // For each buffer, whether it was last bound for writing.
        let mut written: HashMap<usize, bool> = HashMap::new();
        for dispatch in dispatches {
            *traffic.kernels.entry(dispatch.kernel.name).or_default() += 1;
            traffic.bytes += bytes(dispatch);
            let mut waits = false;
            for (info, view) in dispatch.kernel.bindings.iter().zip(&dispatch.views) {
                let writes = matches!(info.kind, BindingKind::Write(_));
                let before = written.insert(view.buffer.id(), writes);
                waits |= before.is_some_and(|wrote| wrote || writes);
            }
            traffic.barriers += usize::from(waits);
        }
        traffic
    }
}

/// Bytes of all views of a dispatch. A view that also stands in for a missing one counts once.
fn bytes(dispatch: &Dispatch) -> u64 {
    let views = dispatch.views.iter();
    let distinct: HashSet<_> = views
        .map(|view| (view.buffer.id(), view.offset(), view.bytes()))
        .collect();
    distinct.iter().map(|(_, _, bytes)| bytes).sum()
}

impl Program {
    /// Counts its dispatches, as recorded.
    pub fn traffic(&self) -> Traffic {
        Traffic::of(self.dispatches())
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::{Class, Device, Plan};
    use crate::layer::{AddForward, AddInto};

    #[test]
    fn barriers_stand_before_what_depends_on_a_buffer_written_before() {
        let device = Device::cpu(1).unwrap();
        let [a, b, c, d] =
            ["a", "b", "c", "d"].map(|name| device.buffer(name, Class::Scratch, 256).unwrap());
        let mut plan = Plan::new("sums");
        // c = a + b and d = a + b are independent. c += d comes after both, d = a + a after a read.
        for to in [&c, &d] {
            AddForward::record(&mut plan, a.all(), b.all(), to.all(), 256).unwrap();
        }
        AddInto::record(&mut plan, d.all(), c.all(), 256).unwrap();
        AddForward::record(&mut plan, a.all(), a.all(), d.all(), 256).unwrap();
        let traffic = device.prepare(&plan).unwrap().traffic();
        assert_eq!(traffic.barriers, 2);
        assert_eq!(traffic.bytes, 4 * 256 * (3 + 3 + 2 + 2));
        assert_eq!(traffic.dispatches(), 4);
        let kernels = [("layer/add", 3), ("layer/add_into", 1)];
        assert_eq!(traffic.kernels, kernels.into());
        // Another range of the same buffer is the same buffer.
        let mut plan = Plan::new("halves");
        let [low, high] = [c.range(0..128), c.range(128..256)];
        AddForward::record(&mut plan, a.all(), b.all(), low, 128).unwrap();
        AddForward::record(&mut plan, a.all(), b.all(), high, 128).unwrap();
        assert_eq!(device.prepare(&plan).unwrap().traffic().barriers, 1);
    }
}
