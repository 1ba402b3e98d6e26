//! A layer's input where it is the batch norm of another value, for the twins of kernels that compute it at each load.

use crate::threads::DealOut;
use rayon::prelude::*;

/// `input`, `[channels]` of `plane` words, through the norm of `saved` `[4][channels]` (mean, `1 / standard deviation`,
/// weight, bias), and with `relu` through the ReLU after it; zero in the words of a plane that hold no `member`.
pub(super) fn through_norm(
    input: &[f32],
    [channels, plane]: [usize; 2],
    saved: &[f32],
    relu: bool,
    member: impl Fn(usize) -> bool + Sync,
) -> Vec<f32> {
    let mut output = input[..channels * plane].to_vec();
    (output.par_chunks_exact_mut(plane).enumerate()).deal_out(|(c, plane)| {
        let [mean, inverse, weight, bias] = [0, 1, 2, 3].map(|row| saved[row * channels + c]);
        let scale = inverse * weight;
        for (i, x) in plane.iter_mut().enumerate() {
            let y = (*x - mean) * scale + bias;
            let nothing = !member(i) || (relu && y < 0.0);
            *x = if nothing { 0.0 } else { y };
        }
    });
    output
}
