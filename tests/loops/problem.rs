//! One plan at a given size, on every adapter in every workgroup shape.

use rootlet::engine::loops::MOST_ITERATIONS;
use rootlet::engine::{
    Buffer, Class, Device, DeviceOptions, Plan, StepState, View, WorkgroupShape,
};
use rootlet::sparse::{Arena, LayerState};

use crate::common::{Random, adapters};
use crate::counted::count;

/// Runs a plan that `record` records, with each kernel beside its twin, and compares; then counts the iterations, which
/// must not exceed the stated number. In the shapes `cut`, at least one dispatch has several pieces.
///
/// # Panics
/// If that is not so.
#[track_caller]
pub fn solve(cut: &[WorkgroupShape], record: impl Fn(&Data<'_>, &mut Plan)) {
    for adapter in adapters() {
        for &shape in adapter.shapes {
            let options = DeviceOptions {
                shape: Some(shape),
                ..DeviceOptions::default()
            };
            let device = Device::open(&adapter.index.to_string(), &options).unwrap();
            let mut plan = Plan::new("loops");
            record(&Data(&device), &mut plan);
            let pieces = plan.dispatches().iter().map(|d| d.pieces(shape).len());
            let several = pieces.clone().any(|n| n > 1);
            assert_eq!(
                several,
                cut.contains(&shape),
                "{shape:?}: {:?}",
                pieces.collect::<Vec<_>>()
            );
            let program = device.prepare(&plan).unwrap();
            for check in device.run_checked(&program, "").unwrap() {
                check
                    .verdict()
                    .unwrap_or_else(|e| panic!("{}, {shape:?} shape: {e}", adapter.name));
            }
            for dispatch in plan.dispatches() {
                let stated = dispatch
                    .pieces(shape)
                    .iter()
                    .map(|p| p.iterations)
                    .max()
                    .unwrap();
                let counted = count(&device, dispatch);
                let name = dispatch.kernel.name;
                println!("{name}, {shape:?}: {counted} iterations of {stated} stated");
                assert!(
                    counted <= stated && stated <= MOST_ITERATIONS,
                    "{name}, {shape:?} shape: {counted} iterations, {stated} stated"
                );
            }
        }
    }
}

pub const BOTH: &[WorkgroupShape] = &WorkgroupShape::ALL;
pub const HARDWARE: &[WorkgroupShape] = &[WorkgroupShape::HARDWARE];
pub const SOFTWARE: &[WorkgroupShape] = &[WorkgroupShape::SOFTWARE];
pub const NEITHER: &[WorkgroupShape] = &[];

/// Buffers of a device.
pub struct Data<'a>(pub &'a Device);

impl Data<'_> {
    /// Random numbers, with a different sequence for each label.
    pub fn reals(&self, label: &str, words: usize) -> View {
        let seed = label
            .bytes()
            .fold(words as u64, |n, b| n.wrapping_mul(31) + u64::from(b));
        let numbers = Random(seed).reals(words);
        self.buffer(label, &numbers).all()
    }

    pub fn words(&self, label: &str, words: &[u32]) -> View {
        let buffer = self.0.buffer_with(label, Class::Scratch, words);
        buffer.unwrap().all()
    }

    fn buffer(&self, label: &str, numbers: &[f32]) -> Buffer {
        self.0.buffer_with(label, Class::Scratch, numbers).unwrap()
    }

    /// A step whose batch fills all of `lanes` but the last.
    pub fn step(&self, lanes: usize) -> View {
        let state = StepState::whole(1, 2, lanes - 1, 0.1);
        self.words(
            "step",
            rootlet::engine::kernel::bytemuck::cast_slice(std::slice::from_ref(&state)),
        )
    }

    /// A layer in which the first row and the first column have all their connections, and the others none.
    pub fn layer(&self, n_in: usize, n_out: usize) -> Arena {
        let row = (0..n_in as u32).map(|a| (0, a));
        let column = (1..n_out as u32).map(|b| (b, 0));
        let pairs: Vec<(u32, u32)> = row.chain(column).collect();
        let mut state = LayerState::from_pairs(n_in, n_out, &pairs);
        state.values = Random(5).reals(pairs.len());
        state.bias = Random(6).reals(n_out);
        Arena::new(self.0, &[state]).unwrap()
    }
}
