//! Losses and metrics that the networks of a verification do not have, each run by itself.

use super::problem::{Numbers, Problem};
use crate::data::TargetKind;
use crate::engine::{Class, Device, Grid, KernelCheck, Plan, STEP_WORDS, StepState, View};
use crate::error::Result;
use crate::loss::{
    AbsoluteError, BinaryCrossEntropy, Comparison, CrossEntropy, ExactMatch, Huber, Loss,
    MeanSquaredError, Metric, PrecisionAt, SquaredError, TopK, Weigh, WeighParams,
};

/// Outputs, samples and lanes: a single one, an odd batch, and as many classes as ImageNet has.
const SIZES: [[usize; 3]; 4] = [[1, 1, 4], [5, 65, 68], [10, 128, 128], [1000, 9, 12]];

pub(super) fn problems() -> Vec<Problem> {
    let mut problems = Vec::new();
    for [outputs, count, lanes] in SIZES {
        let name = format!("losses of {outputs} outputs, batch {count}");
        let problem = Problem::new(name, move |device| all(device, outputs, count, lanes));
        problems.push(problem.quick(outputs == 5));
    }
    problems
}

fn all(device: &Device, outputs: usize, count: usize, lanes: usize) -> Result<Vec<KernelCheck>> {
    let sizes = [outputs, count, lanes];
    let few = PrecisionAt::new(outputs.min(3) as u32);
    let mut checks = run(device, &CrossEntropy::default(), &[&TopK::new(5)], sizes)?;
    let flags: [&dyn Metric; 2] = [&ExactMatch, &few];
    checks.extend(run(device, &BinaryCrossEntropy::default(), &flags, sizes)?);
    let errors: [&dyn Metric; 2] = [&AbsoluteError::default(), &SquaredError::default()];
    checks.extend(run(device, &MeanSquaredError, &errors, sizes)?);
    checks.extend(run(device, &Huber::new(0.5)?, &[], sizes)?);
    Ok(checks)
}

/// A loss, weights applied to it, and metrics of its targets.
fn run(
    device: &Device,
    loss: &dyn Loss,
    metrics: &[&dyn Metric],
    [outputs, count, lanes]: [usize; 3],
) -> Result<Vec<KernelCheck>> {
    let numbers = &mut Numbers::new((outputs * lanes) as u32);
    let room = |label: &str, words: usize| -> Result<View> {
        Ok(device.buffer(label, Class::Scratch, words)?.range(0..words))
    };
    let put = |label: &str, words: &[u32]| -> Result<View> {
        let buffer = device.buffer_with(label, Class::Scratch, words)?;
        Ok(buffer.range(0..words.len()))
    };
    let state = StepState::whole(0, 0, count, 0.0);
    let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
    let step = device.buffer_with("step", Class::Scratch, words)?;
    let logits: Vec<u32> = (0..outputs * lanes)
        .map(|_| (4.0 * numbers.real()).to_bits())
        .collect();
    let targets: Vec<u32> = match loss.targets(outputs) {
        TargetKind::Labels => (0..lanes)
            .map(|_| numbers.word() % outputs as u32)
            .collect(),
        TargetKind::Flags(_) => (0..outputs * lanes)
            .map(|_| ((numbers.word() & 1) as f32).to_bits())
            .collect(),
        TargetKind::Values(_) => (0..outputs * lanes)
            .map(|_| numbers.real().to_bits())
            .collect(),
    };
    let weights: Vec<u32> = (0..lanes)
        .map(|_| (1.0 + numbers.real()).to_bits())
        .collect();
    let others: Vec<u32> = (0..lanes)
        .map(|_| numbers.word() % outputs as u32)
        .collect();
    let shares: Vec<u32> = (0..lanes)
        .map(|_| (0.25 + 0.25 * numbers.real()).to_bits())
        .collect();
    let pass = Comparison {
        device,
        outputs,
        lanes,
        training: true,
        step: step.range(0..STEP_WORDS),
        output: put("logits", &logits)?,
        targets: put("targets", &targets)?,
        mixed: match loss.targets(outputs) {
            TargetKind::Labels => Some([put("others", &others)?, put("shares", &shares)?]),
            _ => None,
        },
        delta: room("delta", outputs * lanes)?,
        losses: room("losses", lanes)?,
        scores: room("scores", lanes)?,
    };
    let mut plan = Plan::new("losses");
    loss.record(&mut plan, &pass)?;
    let kernel = Weigh {
        params: WeighParams {
            outputs: outputs as u32,
            lanes: lanes as u32,
        },
        weights: put("weights", &weights)?,
        delta: pass.delta.clone(),
        losses: pass.losses.clone(),
    };
    plan.dispatch(kernel, Grid::Items(lanes))?;
    for metric in metrics {
        metric.record(&mut plan, &pass)?;
    }
    // As in networks whose loss also finds the metric, with the sums of both if it has a kernel for that.
    let alone = Comparison {
        mixed: None,
        ..pass
    };
    loss.record_with_sums(&mut plan, &alone, &room("ring", 4)?, 2)?;
    device.run_checked(&device.prepare(&plan)?, "")
}
