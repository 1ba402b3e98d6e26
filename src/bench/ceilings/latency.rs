//! The cost of waiting on an adapter: for a dispatch, for a read-back, and for the other invocations of a workgroup.

use std::time::Duration;

use super::count::{Count, CountParams};
use super::workgroup::{
    Exchange, ExchangeParams, SIZE, SumMemory, SumMemoryParams, SumSubgroups, SumSubgroupsParams,
};
use crate::bench::measuring::one_kernel::{plan_of, wrong};
use crate::bench::measuring::timing::{Measured, gather, time, time_each};
use crate::clock::Instant;
use crate::engine::{Class, Device, Grid, Plan, TimedBy};
use crate::error::{Error, Fault, Result};

/// Dispatches in a pass for measuring their cost.
const DISPATCHES: usize = 500;

/// The costs of dispatches, in microseconds.
pub(super) struct Dispatches {
    /// Another dispatch in a pass.
    pub dispatch: Measured,
    /// The host's part of that: recording and submitting. None on the CPU executor, which runs dispatches at once.
    pub encode: Option<Measured>,
    /// A submission of one dispatch, from an idle device to an idle device.
    pub submit: Measured,
}

/// Measures the cost of dispatches that wait for one another.
pub(super) fn dispatch(device: &Device, budget: Duration) -> Result<Dispatches> {
    let counter = device.buffer("bench.count.counter", Class::Scratch, 4)?;
    let plan = plan_of(
        Count {
            params: CountParams { step: 1 },
            counter: counter.all(),
        },
        Grid::Groups(1),
    )?;
    let mut many = plan.clone();
    for _ in 0..DISPATCHES {
        many.append(plan.clone());
    }
    let (one, many) = (device.prepare(&plan)?, device.prepare(&many)?);
    let mut total = 0u32;
    let mut count = |dispatches: usize| total = total.wrapping_add(dispatches as u32);
    let mut alone = || {
        count(1);
        device.run(&one)?;
        device.wait()
    };
    alone()?; // compiles
    alone()?;
    let submission = time_each(budget / 2, alone)?;
    let mut pass = || {
        count(1 + DISPATCHES);
        device.run_whole(&many)
    };
    // On the first run, the pacer splits the pass into several submissions.
    pass()?;
    let (_, timed_by) = pass()?;
    let whole = gather(device.threads(), budget / 2, || Ok(pass()?.0))?;
    let mut submitted = || {
        count(1 + DISPATCHES);
        let start = Instant::now();
        device.run(&many)?;
        let seconds = start.elapsed().as_secs_f64();
        device.wait()?;
        Ok(seconds)
    };
    let encode = match device.is_cpu() {
        true => None,
        false => Some(gather(None, budget / 2, &mut submitted)?),
    };
    let found = device.download::<u32>(&counter.all())?[0];
    if found != total {
        let what = format!("after {total} dispatches the counter is {found}");
        return Err(wrong(device, "bench/count", &what));
    }
    // Timestamps do not include the submission.
    let outside = match timed_by {
        TimedBy::TimestampsAroundPass => 0.0,
        _ => submission.median,
    };
    let each = |seconds: f64| (seconds - outside).max(0.0) / DISPATCHES as f64 * 1e6;
    Ok(Dispatches {
        dispatch: whole.map(each),
        encode: encode.map(|e| e.map(|seconds| seconds / DISPATCHES as f64 * 1e6)),
        submit: submission.map(|seconds| seconds * 1e6),
    })
}

/// Microseconds to read 16 bytes back.
pub(super) fn readback(device: &Device, budget: Duration) -> Result<Measured> {
    let data = [1u32, 2, 3, 4];
    let buffer = device.buffer_with("bench.readback", Class::Scratch, &data)?;
    let mut good = true;
    let mut read = || -> Result<()> {
        good &= device.download::<u32>(&buffer.all())? == data;
        Ok(())
    };
    read()?;
    let seconds = time_each(budget, &mut read)?;
    match good {
        true => Ok(seconds.map(|seconds| seconds * 1e6)),
        false => Err(Error::Device(Fault::Wrong {
            adapter: device.name().to_owned(),
            what: "copies of words".to_owned(),
            how: "it reads others back than were written".to_owned(),
        })),
    }
}

/// What cooperation costs the invocations of a workgroup, in nanoseconds.
#[derive(Default)]
pub(super) struct Together {
    pub barrier: Option<Measured>,
    pub sum_memory: Option<Measured>,
    pub sum_subgroups: Option<Measured>,
    /// Which of these were left out, and why.
    pub left_out: Vec<(&'static str, String)>,
}

/// Measures whatever this adapter allows.
pub(super) fn workgroup(device: &Device, budget: Duration) -> Result<Together> {
    let mut found = Together::default();
    if device.is_cpu() {
        let reason = "the CPU executor has no workgroups";
        for name in ["barrier", "sum in workgroup memory", "sum with subgroups"] {
            found.left_out.push((name, reason.to_owned()));
        }
        return Ok(found);
    }
    found.barrier = Some(barrier(device, budget)?);
    found.sum_memory = Some(sums(device, Sums::Memory, budget)?);
    match device.has_subgroups() {
        true => found.sum_subgroups = Some(sums(device, Sums::Subgroups, budget)?),
        false => {
            let reason = "this adapter does not offer the feature";
            found
                .left_out
                .push(("sum with subgroups", reason.to_owned()));
        }
    }
    Ok(found)
}

/// Exchanges of the long and of the short measurement. The difference between the two excludes the launch.
const EXCHANGES: [u32; 2] = [64, 1024];

/// Nanoseconds of a barrier with a write and a read of workgroup memory.
fn barrier(device: &Device, budget: Duration) -> Result<Measured> {
    let output = device.buffer("bench.exchange.output", Class::Scratch, SIZE)?;
    let plan = |rounds| -> Result<Plan> {
        device.upload(&output.all(), &[u32::MAX; SIZE])?;
        let kernel = Exchange {
            params: ExchangeParams { rounds },
            output: output.all(),
        };
        let plan = plan_of(kernel, Grid::Groups(1))?;
        device.run(&device.prepare(&plan)?)?;
        let found = device.download::<u32>(&output.all())?;
        for (lane, &found) in found.iter().enumerate() {
            let expected = (lane as u32 + rounds) % SIZE as u32 + rounds;
            if found != expected {
                let what = format!("element {lane} is {found} and not {expected}");
                return Err(wrong(device, "bench/exchange", &what));
            }
        }
        Ok(plan)
    };
    let [few, many] = EXCHANGES;
    let (short, long) = (plan(few)?, plan(many)?);
    let short = time(device, &short, budget / 2)?.median;
    let long = time(device, &long, budget / 2)?;
    let barriers = 2.0 * f64::from(many - few);
    Ok(long.map(|seconds| (seconds - short).max(0.0) / barriers * 1e9))
}

/// The way of summing a workgroup's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sums {
    Memory,
    Subgroups,
}

/// Sums in a workgroup, one after another.
const ROUNDS: u32 = 64;

/// Nanoseconds of a sum, among many workgroups.
fn sums(device: &Device, way: Sums, budget: Duration) -> Result<Measured> {
    let groups: u32 = if device.is_hardware() { 4096 } else { 64 };
    let output = device.buffer("bench.sum.output", Class::Scratch, groups as usize)?;
    device.upload(&output.all(), &vec![u32::MAX; output.words()])?;
    let grid = Grid::Groups(groups as usize);
    let rounds = ROUNDS;
    let (name, plan) = match way {
        Sums::Memory => {
            let params = SumMemoryParams { groups, rounds };
            let output = output.all();
            let plan = plan_of(SumMemory { params, output }, grid)?;
            ("bench/sum_memory", plan)
        }
        Sums::Subgroups => {
            let params = SumSubgroupsParams { groups, rounds };
            let output = output.all();
            let plan = plan_of(SumSubgroups { params, output }, grid)?;
            ("bench/sum_subgroups", plan)
        }
    };
    device.run(&device.prepare(&plan)?)?;
    let found = device.download::<u32>(&output.range(0..groups as usize))?;
    for (g, &found) in found.iter().enumerate() {
        // 0 + 1 + … + 255 is 127.5 times 256, and what is passed on is rounded down to multiples of 256.
        let expected = 256 * (g as u32 + 127 * (rounds - 1)) + 32_640;
        if found != expected {
            let what = format!("sum {g} is {found} and not {expected}");
            return Err(wrong(device, name, &what));
        }
    }
    let sums = f64::from(groups) * f64::from(rounds);
    Ok(time(device, &plan, budget)?.map(|seconds| seconds / sums * 1e9))
}
