// What is kept of a channel's statistics over `n` values: mean and inverse deviation for the batch's norm, and, if
// requested, the running ones for evaluations.
fn inverse_deviation(n: f32, squares: f32) -> f32 {
    let variance = squares / n;
    return 1.0 / sqrt(variance + params.norm.epsilon);
}

fn keep_statistics(c: u32, n: f32, mean: f32, squares: f32) {
    saved[c] = mean;
    saved[params.norm.channels + c] = inverse_deviation(n, squares);
    if params.norm.update != 0u {
        let unbiased = squares / max(n - 1.0, 1.0);
        let at_mean = params.norm.mean + c;
        let at_variance = params.norm.variance + c;
        running[at_mean] = (1.0 - params.norm.momentum) * running[at_mean] + params.norm.momentum * mean;
        running[at_variance] = (1.0 - params.norm.momentum) * running[at_variance] + params.norm.momentum * unbiased;
    }
}
