//! Running a kernel by itself: its plan, and the error if its result is wrong.

use crate::engine::{Buffer, Class, Device, Grid, Kernel, Plan};
use crate::error::{Error, Fault, Result};

/// The error for a kernel of this module with a wrong result.
pub(in crate::bench) fn wrong(device: &Device, kernel: &str, what: &str) -> Error {
    Error::Device(Fault::Wrong {
        adapter: device.name().to_owned(),
        what: format!("kernel `{kernel}`"),
        how: what.to_owned(),
    })
}

/// A plan of one dispatch.
pub(in crate::bench) fn plan_of<K: Kernel>(kernel: K, grid: Grid) -> Result<Plan> {
    let mut plan = Plan::new(K::INFO.name);
    plan.dispatch(kernel, grid)?;
    Ok(plan)
}

/// A buffer full of NaN, so that words that are not written show.
pub(in crate::bench) fn poisoned(device: &Device, label: &str, words: usize) -> Result<Buffer> {
    device.buffer_with(label, Class::Scratch, &vec![f32::NAN; words])
}

/// Runs a plan once, and reads `output` back.
pub(in crate::bench) fn once(device: &Device, plan: &Plan, output: &Buffer) -> Result<Vec<f32>> {
    let program = device.prepare(plan)?;
    device.run(&program)?;
    device.download(&output.all())
}
