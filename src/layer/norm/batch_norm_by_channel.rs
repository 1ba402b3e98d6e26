//! The CPU twins of a batch norm's three dispatches in either direction, together: a channel's plane is normalised
//! while a core still has it in its cache from summing it. Each sum has the order of the twins, and so their bits.

use std::ops::Range;

use rayon::prelude::*;

use super::batch_norm_apply::{self as apply, BatchNormApplyParams};
use super::batch_norm_backward::{self as backward, BatchNormBackwardParams, Seen};
use super::batch_norm_gradients::{BatchNormGradientsParams, BatchNormGradientsTwin};
use super::batch_norm_merge::{BatchNormMergeParams, BatchNormMergeTwin, Merged};
use super::batch_norm_tiles::{StatisticsTile, SumsTile};
use super::lanes::{clear_padding, part};
use super::shared::mask;
use crate::engine::StepState;
use crate::engine::chain::{ChainCall, Names, params};
use crate::threads::DealOut;

/// Minimum number of channels per thread: fewer would leave threads without work.
const SHARE: usize = 2;

/// Whether all threads have work if each takes whole channels.
pub(super) fn enough(channels: u32, threads: usize) -> bool {
    channels as usize >= SHARE * threads
}

/// Statistics, their merge, and the output.
pub(super) fn forward(call: &ChainCall<'_>) {
    let merge: BatchNormMergeParams = call.params(1);
    let p = call.params::<BatchNormApplyParams>(2).norm;
    let step: StepState = call.uniform("step");
    let [input, values]: [&[f32]; 2] = ["input", "values"].map(|name| call.read(name));
    let residual: Option<&[f32]> = (p.add != 0).then(|| call.read("residual"));
    let (parts, output) = (call.write("parts"), call.write("output"));
    let lanes = p.vectors as usize * 4;
    let plane = p.positions as usize * lanes;
    let count = step.count as usize;
    let (size, tiles) = (merge.tile as usize * lanes, 2 * merge.tiles as usize);
    (parts
        .par_chunks_mut(tiles)
        .zip(output.par_chunks_mut(plane)))
    .take(p.channels as usize)
    .enumerate()
    .deal_out(|(c, (parts, y))| {
        let x = &input[c * plane..][..plane];
        for (input, part) in x.chunks(size).zip(parts.as_chunks_mut::<2>().0) {
            let tile = StatisticsTile {
                input,
                lanes,
                count,
            };
            *part = tile.statistics();
        }
        let merged = Merged::of(&merge, step.count, parts);
        let channel = apply::Channel {
            mean: merged.mean,
            scale: merged.inverse(p.epsilon) * values[p.weight as usize + c],
            bias: values[p.bias as usize + c],
            relu: p.relu != 0,
        };
        // Backwards: what was summed last is nearest.
        for (i, y) in y.chunks_mut(part(lanes)).enumerate().rev() {
            let at = c * plane + i * part(lanes);
            let range = at..at + y.len();
            let residual = residual.map(|residual| &residual[range.clone()]);
            channel.apply(y, &input[range], residual);
            clear_padding(y, lanes, count);
        }
    });
    BatchNormMergeTwin {
        params: merge,
        step,
        parts,
        running: call.write("running"),
        saved: call.write("saved"),
    }
    .run();
}

/// The bindings that the last kernel of the backward pass does not touch, given the bytes of its parameters.
pub(super) fn idle(last: &[u8]) -> Names {
    let p: BatchNormBackwardParams = params(last);
    if p.residual_mode == 0 {
        &["residual"]
    } else {
        &[]
    }
}

/// Sums over tiles of `tile` positions, the parameters' gradients, and the gradients at input and residual.
pub(super) fn backward(call: &ChainCall<'_>, tile: usize) {
    let gradients: BatchNormGradientsParams = call.params(1);
    let p: BatchNormBackwardParams = call.params(2);
    let step: StepState = call.uniform("step");
    let [input, delta, saved, values]: [&[f32]; 4] =
        ["input", "delta", "saved", "values"].map(|name| call.read(name));
    let activation: &[f32] = match p.mask {
        mask::ACTIVATION => call.read("activation"),
        _ => &[],
    };
    let (parts, output) = (call.write("parts"), call.write("output"));
    let lanes = p.vectors as usize * 4;
    let plane = p.positions as usize * lanes;
    let (channels, count) = (p.channels as usize, step.count as usize);
    let residuals: Vec<Option<&mut [f32]>> = match p.residual_mode {
        0 => (0..channels).map(|_| None).collect(),
        _ => call.write("residual").chunks_mut(plane).map(Some).collect(),
    };
    let (size, tiles) = (tile * lanes, 2 * gradients.tiles as usize);
    let n = (p.positions * step.count) as f32;
    let seen = |range: Range<usize>| Seen {
        x: &input[range.clone()],
        dy: &delta[range.clone()],
        y: activation.get(range).unwrap_or_default(),
    };
    (parts
        .par_chunks_mut(tiles)
        .zip(output.par_chunks_mut(plane)))
    .zip(residuals)
    .take(channels)
    .enumerate()
    .deal_out(|(c, ((parts, dx), mut dr))| {
        let (mean, inverse) = (saved[c], saved[channels + c]);
        let scale = inverse * values[p.weight as usize + c];
        let bias = values[p.bias as usize + c];
        let mut sums = [0f32; 2];
        for (i, part) in parts.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let first = c * plane + i * size;
            let seen = seen(first..(first + size).min((c + 1) * plane));
            let tile = SumsTile {
                input: seen.x,
                delta: seen.dy,
                activation: seen.y,
                lanes,
                count,
                mask: p.mask,
                mean,
                inverse,
                scale,
                bias,
            };
            *part = tile.sums();
            sums[0] += part[0];
            sums[1] += part[1];
        }
        let channel = backward::Channel {
            mask: p.mask,
            adds: p.residual_mode == 2,
            mean,
            inverse,
            scale,
            bias,
            mean_dz: sums[0] / n,
            mean_product: sums[1] / n,
        };
        // Backwards: what was summed last is nearest.
        for (i, dx) in dx.chunks_mut(part(lanes)).enumerate().rev() {
            let first = i * part(lanes);
            let at = c * plane + first;
            let dr = dr.as_deref_mut();
            let dr = dr.map(|dr| &mut dr[first..][..dx.len()]);
            channel.gradient(seen(at..at + dx.len()), dx, dr);
            clear_padding(dx, lanes, count);
        }
    });
    BatchNormGradientsTwin {
        params: gradients,
        parts,
        gradient: call.write("gradient"),
        sums: call.write("sums"),
    }
    .run();
}
